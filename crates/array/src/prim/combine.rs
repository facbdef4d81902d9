//! Combinations within a segment and pairs of elements of two levels: offsets of the new level, and the index of each member.

use pullback_ad::isa::Isa;

use super::along::{described, expect_structure};
use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::{Io, Kernel, LowerCx};
use crate::primitive::{Nature, Primitive, ill_formed};
use crate::program::{Node, Program};
use crate::sample::Sample;
use crate::space::{LevelId, Space};
use crate::ty::{DType, Type};

/// Offsets of the `n`-element subsets of each segment.
pub struct CombinationOffsets;

/// One member of each subset.
pub struct CombinationIndex;

/// Offsets of all pairs of an element of one level and an element of another, below the same parent.
pub struct CartesianOffsets;

/// One member of each pair.
pub struct CartesianIndex;

/// Largest subsets.
const MAX_MEMBERS: i64 = 8;

/// The path of the parents. The offsets of one level may have lanes before it that those of another lack: they are shared by the lanes.
fn offsets_of(primitive: &'static str, args: &[Type], count: usize) -> Result<Space> {
    if args.len() != count {
        return Err(ill_formed(
            primitive,
            format!("{} arguments, expected {count}", args.len()),
        ));
    }
    let mut parent = Space::SCALAR;
    for (index, arg) in args.iter().enumerate() {
        if arg.dtype != DType::Offsets {
            return Err(Error::DType {
                primitive,
                index,
                found: arg.dtype.to_string(),
                expected: DType::Offsets.to_string(),
            });
        }
        let (long, short) = if arg.space.depth() > parent.depth() {
            (arg.space, parent)
        } else {
            (parent, arg.space)
        };
        if index > 0
            && !long
                .iter()
                .skip(long.depth() - short.depth())
                .eq(short.iter())
        {
            return Err(ill_formed(
                primitive,
                "the levels stand below different parents",
            ));
        }
        parent = long;
    }
    Ok(parent)
}

/// Bounds of the segment of parent `p`, counted within the lane where the lanes share the offsets.
fn segment(offsets: &[i64], p: usize) -> (i64, i64) {
    let p = p % (offsets.len() - 1).max(1);
    (offsets[p], offsets[p + 1])
}

fn members(primitive: &'static str, attrs: &Attrs) -> Result<usize> {
    match attrs.int("n") {
        Some(n @ 1..=MAX_MEMBERS) => Ok(n as usize),
        _ => Err(ill_formed(
            primitive,
            format!("expects `n` from 1 to {MAX_MEMBERS}"),
        )),
    }
}

fn slot(primitive: &'static str, attrs: &Attrs, members: usize) -> Result<usize> {
    match attrs.int("slot").map(usize::try_from) {
        Some(Ok(slot)) if slot < members => Ok(slot),
        _ => Err(ill_formed(
            primitive,
            format!("expects `slot` below {members}"),
        )),
    }
}

/// Number of subsets of `k` of `n` elements; `None` if it does not fit.
fn choose(n: i64, k: usize) -> Option<i64> {
    let mut out = 1_i64;
    for j in 0..k as i64 {
        if n <= j {
            return Some(0);
        }
        // The product of j + 1 consecutive integers divides exactly.
        out = out.checked_mul(n - j)? / (j + 1);
    }
    Some(out)
}

/// Calls `visit` with the members of each subset of `n` of the elements `a..b`, in lexicographic order.
fn subsets(a: i64, b: i64, n: usize, mut visit: impl FnMut(&[i64])) {
    let mut members = [0_i64; MAX_MEMBERS as usize];
    let members = &mut members[..n];
    if b - a < n as i64 {
        return;
    }
    for (k, m) in members.iter_mut().enumerate() {
        *m = a + k as i64;
    }
    loop {
        visit(members);
        let Some(k) = (0..n).rev().find(|&k| members[k] < b - (n - k) as i64) else {
            return;
        };
        members[k] += 1;
        for j in k + 1..n {
            members[j] = members[j - 1] + 1;
        }
    }
}

/// Members of the pairs of up to 4 elements, counted from the first element; eight are one vector.
const PAIRS: [[[i64; 8]; 5]; 2] = [
    [
        [0; 8],
        [0; 8],
        [0; 8],
        [0, 0, 1, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, 1, 2, 0, 0],
    ],
    [
        [0; 8],
        [0; 8],
        [1, 0, 0, 0, 0, 0, 0, 0],
        [1, 2, 2, 0, 0, 0, 0, 0],
        [1, 2, 3, 2, 3, 3, 0, 0],
    ],
];

/// One member of all pairs of each segment.
#[inline(always)]
#[allow(
    clippy::extra_unused_type_parameters,
    reason = "the instruction set tells the compiled instances apart"
)]
fn pairs_body<I: Isa>(offsets: &[i64], slot: usize, out: &mut [i64]) {
    let patterns = &PAIRS[slot];
    let mut at = 0;
    for w in offsets.windows(2) {
        let (a, b) = (w[0], w[1]);
        let n = (b - a) as usize;
        // Most segments are short, of lengths that no branch can be predicted from: write all eight, the next segment overwrites what is too much.
        if let (Some(pattern), Some(row)) = (patterns.get(n), out.get_mut(at..at + 8)) {
            for (o, p) in row.iter_mut().zip(pattern) {
                *o = a + p;
            }
            at += n * n.saturating_sub(1) / 2;
            continue;
        }
        for i in a..b {
            let row = &mut out[at..at + (b - i - 1) as usize];
            if slot == 0 {
                for o in row.iter_mut() {
                    *o = i;
                }
            } else {
                row.iter_mut().zip(i + 1..b).for_each(|(o, j)| *o = j);
            }
            at += row.len();
        }
    }
}

pullback_ad::multiversion! {
    fn pairs_here, pairs_at(offsets: &[i64], slot: usize, out: &mut [i64]) = pairs_body;
}

impl Primitive for CombinationOffsets {
    fn name(&self) -> &'static str {
        "combination_offsets"
    }

    fn doc(&self) -> &'static str {
        "Offsets of the level of all `n`-element subsets of each segment of a ragged level (argument: its offsets)."
    }

    fn convention(&self) -> &'static str {
        "A segment with fewer than `n` elements has none; more than 2⁶³ in a block is an error."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, _program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        members(self.name(), attrs)?;
        offsets_of(self.name(), args, 1).map(|space| vec![Type::new(DType::Offsets, space)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let n = members(self.name(), cx.attrs())?;
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let (offsets, out) = (io.arg::<i64>(0), io.out::<i64>(0));
            let mut total = 0_i64;
            out[0] = 0;
            // Pairs of short segments, which cannot overflow, without a branch on the data.
            let short = |w: &[i64]| w[1] - w[0] < 1 << 20;
            if n == 2 && offsets.len() < 1 << 20 && offsets.windows(2).all(short) {
                for (o, w) in out[1..].iter_mut().zip(offsets.windows(2)) {
                    let n = w[1] - w[0];
                    total += n * (n - 1) / 2;
                    *o = total;
                }
                return Ok(());
            }
            for (o, w) in out[1..].iter_mut().zip(offsets.windows(2)) {
                let count = choose(w[1] - w[0], n).and_then(|c| total.checked_add(c));
                total = count.ok_or_else(|| {
                    format!(
                        "too many combinations of {n} in a segment of {} elements",
                        w[1] - w[0]
                    )
                })?;
                *o = total;
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![Sample::special(
            "pairs of 0, 1, 2, 4",
            &[0.0, 0.0, 0.0, 1.0, 7.0],
            |s| {
                let events = s.b.stream("events");
                let offsets = s.column(
                    "muons",
                    events,
                    crate::sample::Owned::Offsets(vec![0, 0, 1, 3, 7]),
                );
                s.b.push(
                    super::COMBINATION_OFFSETS,
                    &[offsets],
                    Attrs::NONE.with("n", Attr::Int(2)),
                )
                .first(&s.b)
            },
        )]
    }
}

impl Primitive for CombinationIndex {
    fn name(&self) -> &'static str {
        "combination_index"
    }

    fn doc(&self) -> &'static str {
        "Position, for a gather, of member `slot` of each `n`-element subset of each segment of a ragged level (argument: its offsets)."
    }

    fn convention(&self) -> &'static str {
        "Lexicographic order, members rising; counted from the start of the block."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn numbers(&self, program: &Program, node: &Node) -> Option<LevelId> {
        described(program, node.args[0])
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let parent = offsets_of(self.name(), args, 1)?;
        let Some(to) = attrs.space("to") else {
            return Err(ill_formed(self.name(), "expects a space `to`"));
        };
        slot(self.name(), attrs, members(self.name(), attrs)?)?;
        expect_structure(self.name(), program, to, parent, super::COMBINATION_OFFSETS)?;
        Ok(vec![Type::new(DType::I64, to)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let n = members(self.name(), cx.attrs())?;
        let slot = slot(self.name(), cx.attrs(), n)?;
        let _ = pairs_here;
        let pairs = pairs_at(cx.isa());
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let (offsets, out) = (io.arg::<i64>(0), io.out::<i64>(0));
            if n == 2 {
                pairs(offsets, slot, out);
                return Ok(());
            }
            let mut at = 0;
            for w in offsets.windows(2) {
                subsets(w[0], w[1], n, |members| {
                    out[at] = members[slot];
                    at += 1;
                });
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::special("second of pairs", &[2.0, 3.0, 3.0], |s| {
                let level = s.ragged("muons", s.b.stream("events"), &[0, 0, 1, 4]);
                s.f64("x", level, &[0.0, 1.0, 2.0, 3.0])
                    .at(s.b.pairs(level, "pairs").2)
            }),
            Sample::special("first of triples", &[0.0, 0.0, 0.0, 1.0], |s| {
                let level = s.ragged("muons", s.b.stream("events"), &[0, 4, 6]);
                s.f64("x", level, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
                    .at(s.b.combinations(level, 3, "triples").1[0])
            }),
        ]
    }
}

impl Primitive for CartesianOffsets {
    fn name(&self) -> &'static str {
        "cartesian_offsets"
    }

    fn doc(&self) -> &'static str {
        "Offsets of the level of all pairs of an element of one ragged level and an element of another below the same parent (arguments: their offsets)."
    }

    fn convention(&self) -> &'static str {
        "None where one of the segments is empty; more than 2⁶³ in a block is an error."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, _program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        offsets_of(self.name(), args, 2).map(|space| vec![Type::new(DType::Offsets, space)])
    }

    fn lower(&self, _cx: &LowerCx<'_>) -> Result<Kernel> {
        Ok(Kernel::Run(Box::new(|io: &Io<'_>| {
            let (left, right, out) = (io.arg::<i64>(0), io.arg::<i64>(1), io.out::<i64>(0));
            let mut total = 0_i64;
            out[0] = 0;
            for (p, o) in out[1..].iter_mut().enumerate() {
                let (l, r) = (segment(left, p), segment(right, p));
                let (l, r) = (l.1 - l.0, r.1 - r.0);
                total = l
                    .checked_mul(r)
                    .and_then(|n| total.checked_add(n))
                    .ok_or_else(|| format!("too many pairs of {l} and {r} elements"))?;
                *o = total;
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![Sample::special(
            "2×1, 0×3, 1×2",
            &[0.0, 2.0, 2.0, 4.0],
            |s| {
                let events = s.b.stream("events");
                let a = s.column("a", events, crate::sample::Owned::Offsets(vec![0, 2, 2, 3]));
                let b = s.column("b", events, crate::sample::Owned::Offsets(vec![0, 1, 4, 6]));
                s.b.push(super::CARTESIAN_OFFSETS, &[a, b], Attrs::NONE)
                    .first(&s.b)
            },
        )]
    }
}

impl Primitive for CartesianIndex {
    fn name(&self) -> &'static str {
        "cartesian_index"
    }

    fn doc(&self) -> &'static str {
        "Position, for a gather, of the member from the first (`slot` 0) or second (`slot` 1) level of each pair of elements below the same parent (arguments: the offsets of both levels)."
    }

    fn convention(&self) -> &'static str {
        "The second member runs faster; counted from the start of the block."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn numbers(&self, program: &Program, node: &Node) -> Option<LevelId> {
        let slot = node
            .attrs
            .int("slot")
            .and_then(|k| usize::try_from(k).ok())?;
        described(program, *node.args.get(slot)?)
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let parent = offsets_of(self.name(), args, 2)?;
        let Some(to) = attrs.space("to") else {
            return Err(ill_formed(self.name(), "expects a space `to`"));
        };
        slot(self.name(), attrs, 2)?;
        expect_structure(self.name(), program, to, parent, super::CARTESIAN_OFFSETS)?;
        Ok(vec![Type::new(DType::I64, to)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let slot = slot(self.name(), cx.attrs(), 2)?;
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let (left, right, out) = (io.arg::<i64>(0), io.arg::<i64>(1), io.out::<i64>(0));
            let mut at = 0;
            for p in 0..left.len().max(right.len()) - 1 {
                let (l, r) = (segment(left, p), segment(right, p));
                for i in l.0..l.1 {
                    let row = &mut out[at..at + (r.1 - r.0) as usize];
                    if slot == 0 {
                        row.fill(i);
                    } else {
                        row.iter_mut().zip(r.0..r.1).for_each(|(o, j)| *o = j);
                    }
                    at += row.len();
                }
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![Sample::special(
            "second members",
            &[0.0, 0.0, 4.0, 5.0],
            |s| {
                let events = s.b.stream("events");
                let a = s.ragged("a", events, &[0, 2, 2, 3]);
                let b = s.ragged("b", events, &[0, 1, 4, 6]);
                s.f64("x", b, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
                    .at(s.b.cartesian(a, b, "ab").2)
            },
        )]
    }
}

/// Records the subsets of `n` elements of the segments that `offsets` describe.
pub(crate) fn combinations<'b>(
    b: &'b Builder,
    offsets: Sym<'b>,
    n: usize,
    name: &str,
) -> (Space, Vec<Sym<'b>>) {
    let attrs = Attrs::NONE.with("n", Attr::Int(n as i64));
    let made = b
        .push(super::COMBINATION_OFFSETS, &[offsets], attrs.clone())
        .first(b);
    if b.failure().is_some() {
        return (offsets.space(), vec![offsets; n]);
    }
    let space = b.ragged_by(name, made);
    let member = |slot: usize| {
        let attrs = attrs
            .clone()
            .with("slot", Attr::Int(slot as i64))
            .with("to", Attr::Space(space));
        b.push(super::COMBINATION_INDEX, &[offsets], attrs).first(b)
    };
    (space, (0..n).map(member).collect())
}

/// Records the pairs of elements of two levels.
pub(crate) fn cartesian<'b>(
    b: &'b Builder,
    left: Sym<'b>,
    right: Sym<'b>,
    name: &str,
) -> (Space, Sym<'b>, Sym<'b>) {
    let made = b
        .push(super::CARTESIAN_OFFSETS, &[left, right], Attrs::NONE)
        .first(b);
    if b.failure().is_some() {
        return (left.space(), left, right);
    }
    let space = b.ragged_by(name, made);
    let member = |slot: i64| {
        let attrs = Attrs::NONE
            .with("slot", Attr::Int(slot))
            .with("to", Attr::Space(space));
        b.push(super::CARTESIAN_INDEX, &[left, right], attrs)
            .first(b)
    };
    (space, member(0), member(1))
}
