//! The table of rewrites: identities that hold in IEEE arithmetic, for NaN, infinities and signed zeros too (NaN payloads apart).
//!
//! Each entry is a pattern at one node. What is not here is not exact: x + 0 (−0 + 0 is 0), x − x (inf), 0·x (NaN), √(x²) (overflow), sums in another
//! order.

use pullback_ad::{Binary, Unary};

use crate::attr::{Attr, Attrs, Data};
use crate::build::{Builder, Sym};
use crate::prim::{self, cast::CAST, compare::Compare, logic::Logic};
use crate::primitive::PrimitiveRef;
use crate::program::Node;
use crate::space::Space;
use crate::ty::DType::{self, Bool, F64, I32, I64};

/// A node that is about to be recorded.
pub(crate) struct Site<'a, 'b> {
    pub b: &'b Builder,
    pub primitive: PrimitiveRef,
    pub args: &'a [Sym<'b>],
    pub attrs: &'a Attrs,
}

/// A rewrite: its identity, and the value that takes the node's place.
pub(crate) struct Rule {
    /// The identity, for people.
    pub identity: &'static str,
    /// Applies it; nothing where the pattern does not match.
    pub apply: for<'b> fn(&Site<'_, 'b>) -> Option<Sym<'b>>,
}

/// The table.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        identity: "f(expand a, expand b) = expand f(a, b); f(splat a, b) with b repeated likewise",
        apply: hoist,
    },
    Rule {
        identity: "x·1 = x, x/1 = x, x − (+0) = x, x + (−0) = x",
        apply: neutral,
    },
    Rule {
        identity: "−(−x) = x, x + (−y) = x − y, x − (−y) = x + y, (−x)(−y) = xy, (−x)/(−y) = x/y, (−x)·c = x·(−c), x·(−1) = −x",
        apply: signs,
    },
    Rule {
        identity: "x/2ᵏ = x·2⁻ᵏ, where both powers are normal numbers",
        apply: power_of_two,
    },
    Rule {
        identity: "|−x| = |x|, ||x|| = |x|, (−x)² = x², |x|² = x²",
        apply: even,
    },
    Rule {
        identity: "⌊⌈x⌉⌋ = ⌈x⌉, and any two of floor, ceil, round",
        apply: whole_numbers,
    },
    Rule {
        identity: "min(x, x) = max(x, x) = x",
        apply: idempotent,
    },
    Rule {
        identity: "x¹ = x, x² = square x, x⁻¹ = 1/x for integer powers by repeated squaring; x⁰ = 1",
        apply: powers,
    },
    Rule {
        identity: "(true ? a : b) = a, (m ? a : a) = a, (¬m ? a : b) = (m ? b : a), (m ? (m ? a : b) : c) = (m ? a : c)",
        apply: choices,
    },
    Rule {
        identity: "¬¬m = m, m ∧ m = m ∨ m = m, m ∧ true = m ∨ false = m ⊕ false = m, ¬(a = b) is a ≠ b",
        apply: logic,
    },
    Rule {
        identity: "x < x is false, x > x is false, also for NaN",
        apply: irreflexive,
    },
    Rule {
        identity: "widening in two steps = in one: bool → i64 → f64, i32 → i64 → f64, i32 → f64 → i64; bool → t → bool is nothing",
        apply: casts,
    },
    Rule {
        identity: "repeating what was repeated = repeating once",
        apply: repeated,
    },
    Rule {
        identity: "Σ 0 = 0",
        apply: sums_of_zero,
    },
    Rule {
        identity: "stop(stop x) = stop x, stop(c) = c for a constant",
        apply: stopped,
    },
    Rule {
        identity: "data of one repeated number = that number, repeated",
        apply: uniform,
    },
];

/// What made a value.
fn made(s: Sym<'_>) -> Option<(&Builder, Node)> {
    let (b, id) = (s.builder()?, s.value_id()?);
    Some((b, b.with_program(|p| p.node(id).clone())))
}

/// The arguments of the node that made `s`, if it applies `primitive`.
fn parts(s: Sym<'_>, primitive: PrimitiveRef) -> Option<Vec<Sym<'_>>> {
    let (b, node) = made(s)?;
    (node.primitive == primitive).then(|| node.args.iter().map(|&a| b.sym(a)).collect())
}

fn only(s: Sym<'_>, primitive: PrimitiveRef) -> Option<Sym<'_>> {
    parts(s, primitive)?.first().copied()
}

fn same(a: Sym<'_>, b: Sym<'_>) -> bool {
    a.value_id().is_some() && a.value_id() == b.value_id()
}

/// The number, with its sign of zero.
fn number(s: Sym<'_>) -> Option<f64> {
    (s.dtype() == DType::F64).then(|| s.as_const()).flatten()
}

/// A mask that is the same everywhere.
fn truth(s: Sym<'_>) -> Option<bool> {
    let (b, node) = made(s)?;
    if node.primitive == prim::SPLAT || node.primitive == prim::EXPAND {
        return truth(b.sym(node.args[0]));
    }
    match node.attrs.data("data") {
        Some(Data::Bool(d)) if !d.is_empty() => d.iter().all(|m| *m == d[0]).then_some(d[0]),
        _ => None,
    }
}

fn fill<'b>(site: &Site<'_, 'b>, value: f64, space: Space) -> Sym<'b> {
    let c = site.b.sym(site.b.id(Sym::from(value)));
    if space.is_scalar() {
        c
    } else {
        record(site.b, prim::SPLAT, &[c], Attrs::to(space))
    }
}

/// Records a node that may itself match the table.
pub(crate) fn record<'b>(
    b: &'b Builder,
    primitive: PrimitiveRef,
    args: &[Sym<'b>],
    attrs: Attrs,
) -> Sym<'b> {
    let site = Site {
        b,
        primitive,
        args,
        attrs: &attrs,
    };
    for rule in RULES {
        if let Some(found) = (rule.apply)(&site) {
            return found;
        }
    }
    b.push(primitive, args, attrs).first(b)
}

fn unary<'b>(site: &Site<'_, 'b>, f: Unary, x: Sym<'b>) -> Sym<'b> {
    record(site.b, prim::unary::unary(f), &[x], Attrs::NONE)
}

fn binary<'b>(site: &Site<'_, 'b>, f: Binary, x: Sym<'b>, y: Sym<'b>) -> Sym<'b> {
    record(site.b, prim::binary::binary(f), &[x, y], Attrs::NONE)
}

fn which_binary(p: PrimitiveRef) -> Option<Binary> {
    Binary::ALL
        .iter()
        .copied()
        .find(|f| prim::binary::binary(*f) == p)
}

fn which_unary(p: PrimitiveRef) -> Option<Unary> {
    Unary::ALL
        .iter()
        .copied()
        .find(|f| prim::unary::unary(*f) == p)
}

fn negated(s: Sym<'_>) -> Option<Sym<'_>> {
    only(s, prim::unary::unary(Unary::Neg))
}

/// An elementwise operation of repeated values is done before they are repeated.
fn hoist<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    if !site.primitive.is_elementwise() || site.args.is_empty() {
        return None;
    }
    let made: Vec<Node> = site
        .args
        .iter()
        .map(|a| made(*a).map(|(_, n)| n))
        .collect::<Option<_>>()?;
    let scalar = |n: &Node| {
        n.primitive == prim::SPLAT && site.b.with_program(|p| p.ty(n.args[0]).space.is_scalar())
    };
    // All of them numbers.
    if made.iter().all(scalar) {
        let inner: Vec<Sym<'b>> = made.iter().map(|n| site.b.sym(n.args[0])).collect();
        let result = record(site.b, site.primitive, &inner, site.attrs.clone());
        return Some(record(
            site.b,
            prim::SPLAT,
            &[result],
            made[0].attrs.clone(),
        ));
    }
    // All repeated in the same way, or numbers.
    let pattern = made.iter().find(|n| !scalar(n))?;
    if pattern.primitive != prim::EXPAND && pattern.primitive != prim::SPLAT {
        return None;
    }
    let space = site.b.with_program(|p| p.ty(pattern.args[0]).space);
    let alike = |n: &Node| {
        n.primitive == pattern.primitive
            && n.attrs == pattern.attrs
            && site.b.with_program(|p| p.ty(n.args[0]).space) == space
    };
    if !made.iter().all(|n| scalar(n) || alike(n)) {
        return None;
    }
    let inner: Vec<Sym<'b>> = made
        .iter()
        .map(|n| {
            let source = site.b.sym(n.args[0]);
            if alike(n) {
                source
            } else {
                record(site.b, prim::SPLAT, &[source], Attrs::to(space))
            }
        })
        .collect();
    let result = record(site.b, site.primitive, &inner, site.attrs.clone());
    Some(record(
        site.b,
        pattern.primitive,
        &[result],
        pattern.attrs.clone(),
    ))
}

fn neutral<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    let f = which_binary(site.primitive)?;
    let (x, y) = (site.args[0], site.args[1]);
    let is = |s: Sym<'b>, c: f64| number(s).is_some_and(|n| n.to_bits() == c.to_bits());
    match f {
        Binary::Mul | Binary::Div if is(y, 1.0) => Some(x),
        Binary::Mul if is(x, 1.0) => Some(y),
        Binary::Sub if is(y, 0.0) => Some(x),
        Binary::Add if is(y, -0.0) => Some(x),
        Binary::Add if is(x, -0.0) => Some(y),
        _ => None,
    }
}

fn signs<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    if site.primitive == prim::unary::unary(Unary::Neg) {
        return negated(site.args[0]);
    }
    let f = which_binary(site.primitive)?;
    let (x, y) = (site.args[0], site.args[1]);
    let (nx, ny) = (negated(x), negated(y));
    let space = x.space();
    match (f, nx, ny) {
        (Binary::Add, _, Some(y)) => Some(binary(site, Binary::Sub, x, y)),
        (Binary::Add, Some(x), None) => Some(binary(site, Binary::Sub, y, x)),
        (Binary::Sub, _, Some(y)) => Some(binary(site, Binary::Add, x, y)),
        (Binary::Mul | Binary::Div, Some(x), Some(y)) => Some(binary(site, f, x, y)),
        (Binary::Mul, Some(x), None) if number(y).is_some() => {
            Some(binary(site, f, x, fill(site, -number(y)?, space)))
        }
        (Binary::Mul, None, Some(y)) if number(x).is_some() => {
            Some(binary(site, f, fill(site, -number(x)?, space), y))
        }
        (Binary::Mul | Binary::Div, None, _) if number(y) == Some(-1.0) => {
            Some(unary(site, Unary::Neg, x))
        }
        (Binary::Mul, _, None) if number(x) == Some(-1.0) => Some(unary(site, Unary::Neg, y)),
        _ => None,
    }
}

fn power_of_two<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    const MANTISSA: u64 = (1 << 52) - 1;
    if site.primitive != prim::binary::binary(Binary::Div) {
        return None;
    }
    let c = number(site.args[1])?;
    let exact = c.is_normal() && c.to_bits() & MANTISSA == 0 && (1.0 / c).is_normal();
    exact.then(|| {
        binary(
            site,
            Binary::Mul,
            site.args[0],
            fill(site, 1.0 / c, site.args[0].space()),
        )
    })
}

fn even<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    let f = which_unary(site.primitive).filter(|f| matches!(f, Unary::Abs | Unary::Square))?;
    let inner =
        negated(site.args[0]).or_else(|| only(site.args[0], prim::unary::unary(Unary::Abs)))?;
    Some(unary(site, f, inner))
}

fn whole_numbers<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    let whole = |p: PrimitiveRef| {
        which_unary(p).is_some_and(|f| matches!(f, Unary::Floor | Unary::Ceil | Unary::Round))
    };
    (whole(site.primitive) && whole(made(site.args[0])?.1.primitive)).then(|| site.args[0])
}

fn idempotent<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    let f = which_binary(site.primitive)?;
    (matches!(f, Binary::Min | Binary::Max) && same(site.args[0], site.args[1]))
        .then(|| site.args[0])
}

fn powers<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    let x = *site.args.first()?;
    match (
        site.primitive.name(),
        site.attrs.int("n"),
        site.attrs.f64("value"),
    ) {
        ("powi", Some(1), _) => Some(x),
        ("powi", Some(2), _) => Some(unary(site, Unary::Square, x)),
        ("powi", Some(-1), _) => Some(unary(site, Unary::Recip, x)),
        ("powi", Some(0), _) | ("powf", _, Some(0.0)) => Some(fill(site, 1.0, x.space())),
        _ => None,
    }
}

fn choices<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    if site.primitive != prim::SELECT {
        return None;
    }
    let (m, a, b) = (site.args[0], site.args[1], site.args[2]);
    if let Some(held) = truth(m) {
        return Some(if held { a } else { b });
    }
    if same(a, b) {
        return Some(a);
    }
    let select = |m, a, b| Some(record(site.b, prim::SELECT, &[m, a, b], Attrs::NONE));
    if let Some(m) = only(m, Logic::Not.primitive()) {
        return select(m, b, a);
    }
    if let Some(inner) = parts(a, prim::SELECT).filter(|p| same(p[0], m)) {
        return select(m, inner[1], b);
    }
    if let Some(inner) = parts(b, prim::SELECT).filter(|p| same(p[0], m)) {
        return select(m, a, inner[2]);
    }
    None
}

fn logic<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    let op = Logic::ALL
        .into_iter()
        .find(|op| op.primitive() == site.primitive)?;
    if op == Logic::Not {
        let (_, node) = made(site.args[0])?;
        let args = || node.args.iter().map(|&a| site.b.sym(a)).collect::<Vec<_>>();
        return if node.primitive == Logic::Not.primitive() {
            Some(args()[0])
        } else if node.primitive == Compare::Eq.primitive() {
            Some(record(
                site.b,
                Compare::Ne.primitive(),
                &args(),
                Attrs::NONE,
            ))
        } else if node.primitive == Compare::Ne.primitive() {
            Some(record(
                site.b,
                Compare::Eq.primitive(),
                &args(),
                Attrs::NONE,
            ))
        } else {
            None
        };
    }
    let (x, y) = (site.args[0], site.args[1]);
    if same(x, y) && op != Logic::Xor {
        return Some(x);
    }
    for (known, other) in [(x, y), (y, x)] {
        match (op, truth(known)) {
            (Logic::And, Some(true)) | (Logic::Or | Logic::Xor, Some(false)) => return Some(other),
            (Logic::And, Some(false)) | (Logic::Or, Some(true)) => return Some(known),
            (Logic::Xor, Some(true)) => {
                return Some(record(
                    site.b,
                    Logic::Not.primitive(),
                    &[other],
                    Attrs::NONE,
                ));
            }
            _ => {}
        }
    }
    None
}

fn irreflexive<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    let strict =
        site.primitive == Compare::Lt.primitive() || site.primitive == Compare::Gt.primitive();
    if !strict || !same(site.args[0], site.args[1]) {
        return None;
    }
    let no = site.b.constant(Data::Bool([false].into()), Space::SCALAR);
    let space = site.args[0].space();
    Some(if space.is_scalar() {
        no
    } else {
        record(site.b, prim::SPLAT, &[no], Attrs::to(space))
    })
}

fn casts<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    if site.primitive != CAST {
        return None;
    }
    let source = only(site.args[0], CAST)?;
    let (from, between, to) = (
        source.dtype(),
        site.args[0].dtype(),
        site.attrs.dtype("dtype")?,
    );
    match (from, between, to) {
        (Bool, F64 | I64, Bool) => Some(source),
        (Bool | I32, I64, F64) | (Bool | I32, F64, I64) | (I32, I64, Bool) => {
            Some(record(site.b, CAST, &[source], site.attrs.clone()))
        }
        _ => None,
    }
}

fn repeated<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    let repeats = |p: PrimitiveRef| p == prim::SPLAT || p == prim::EXPAND;
    if !repeats(site.primitive) {
        return None;
    }
    let to = site.attrs.space("to")?;
    if site.args[0].space() == to {
        return Some(site.args[0]);
    }
    let (_, node) = made(site.args[0])?;
    let source = site.b.sym(*node.args.first()?);
    let space = source.space();
    // Both steps below the same elements: one repetition.
    (repeats(node.primitive) && to.prefix(space.depth()) == space)
        .then(|| record(site.b, prim::SPLAT, &[source], Attrs::to(to)))
}

fn sums_of_zero<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    if number(*site.args.first()?) != Some(0.0) {
        return None;
    }
    let space = site.args[0].space();
    if site.primitive == prim::SUM {
        return Some(fill(
            site,
            0.0,
            space.without(space.position(site.attrs.level("over")?)?),
        ));
    }
    (site.primitive == prim::TOTAL)
        .then(|| site.attrs.space("to").map(|to| fill(site, 0.0, to)))
        .flatten()
}

fn stopped<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    if site.primitive != prim::STOP_GRADIENT {
        return None;
    }
    let x = site.args[0];
    let (_, node) = made(x)?;
    (node.primitive == prim::STOP_GRADIENT || node.primitive == prim::DATA || number(x).is_some())
        .then_some(x)
}

fn uniform<'b>(site: &Site<'_, 'b>) -> Option<Sym<'b>> {
    if site.primitive != prim::DATA {
        return None;
    }
    let (Some(Data::F64(d)), Some(space)) = (site.attrs.data("data"), site.attrs.space("to"))
    else {
        return None;
    };
    let first = d.first()?;
    // On a level of unknown length the data are what tells it.
    let known = site
        .b
        .with_program(|p| space.iter().all(|l| p.level(l).len.is_some()));
    (known && d.iter().all(|x| x.to_bits() == first.to_bits())).then(|| fill(site, *first, space))
}

/// The identities that [`simplify`](super::simplify) uses, in the order in which they are tried.
///
/// ```
/// assert!(pullback_array::transform::identities().any(|i| i.contains("x·1 = x")));
/// ```
pub fn identities() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|r| r.identity)
}

/// The static parameters of a node with levels replaced.
pub(crate) fn translate(
    attrs: &Attrs,
    mut level: impl FnMut(crate::space::LevelId) -> crate::space::LevelId,
) -> Attrs {
    let mut attrs = attrs.clone();
    attrs.for_each_mut(|a| match a {
        Attr::Level(l) => *l = level(*l),
        Attr::Space(s) => *s = s.map(&mut level),
        _ => {}
    });
    attrs
}
