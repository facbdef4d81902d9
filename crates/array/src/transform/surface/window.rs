//! The elements near a threshold, their margins and kernel weights.

use pullback_ad::Real;

use super::options::{Surface, SurfaceKernel};
use super::rerun::Near;
use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::margin::margin;
use crate::prim::{self, bin::nearest_edge, compare::Compare};
use crate::ty::DType;

/// The elements near the threshold of one decision, each with a copy of its event.
#[derive(Clone, Copy)]
pub(super) struct Window<'b> {
    pub near: Near<'b>,
    /// Signed margin of each: positive where the mask holds, or above the edge.
    pub margin: Sym<'b>,
    /// Kₕ(margin), without a derivative.
    pub weight: Sym<'b>,
    /// How many there are.
    pub count: Sym<'b>,
}

/// The width as a value of the program: a number, or an input that is declared once.
pub(super) fn width<'b>(b: &'b Builder, label: &str, surface: &Surface) -> Result<Sym<'b>> {
    match surface.width_of(label) {
        Some(width) => width.record(b, label, "a window of half-width"),
        None => Err(Error::Unknown {
            kind: "width for the decision",
            name: label.into(),
            known: surface.labels().collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Records the window of a decision: `decision` is its mask or bin index.
pub(super) fn window<'b>(
    b: &'b Builder,
    decision: Sym<'b>,
    label: &str,
    surface: &Surface,
) -> Result<Window<'b>> {
    let id = b.id(decision);
    let (primitive, args) = b.with_program(|p| {
        let node = p.node(id);
        (node.primitive, node.args.clone())
    });
    let given = width(b, label, surface)?;
    let support = surface.support_of(label);
    let edge =
        (primitive == prim::BIN_INDEX).then(|| Edge::new(b, b.sym(args[0]), b.sym(args[1]), given));
    let (signed, h) = match &edge {
        Some(edge) => (edge.margin, edge.width),
        None => (margin(b, decision)?, given.broadcast(decision.space())),
    };
    let mut inside = signed.abs().lt(h);
    if given.as_const().is_none() {
        // An input that is no width: everything is near the threshold, with a weight that is NaN.
        inside = inside | given.compare(Compare::Ne, given).broadcast(inside.space());
    }
    let (path, index) = inside.filter(&format!("near {label}"));
    let count = inside.cast(DType::F64).sum_all();
    let (m, h) = (signed.at(index), h.at(index));
    // Where the sample ends, as a margin.
    let ends = support.map(|(from, to)| match &edge {
        Some(edge) => {
            let edge = edge.at.at(index).stop_gradient();
            (Sym::from(from) - edge, Sym::from(to) - edge)
        }
        None => (Sym::from(from), Sym::from(to)),
    });
    let bins = edge.as_ref().map(|edge| {
        let bin = |x: Sym<'b>| {
            let attrs = b.with_program(|p| p.node(id).attrs.clone());
            b.push(prim::BIN_INDEX, &[x.at(index), b.sym(args[1])], attrs)
                .first(b)
        };
        (bin(edge.above), bin(edge.below))
    });
    let weight = density(
        m.stop_gradient(),
        h.stop_gradient(),
        ends,
        surface.kernel_used(),
    );
    Ok(Window {
        near: Near { path, index, bins },
        margin: m,
        weight,
        count,
    })
}

/// The nearest edge of each value, and a value in the bin on each side of it.
struct Edge<'b> {
    margin: Sym<'b>,
    /// Half-width of the window: not more than half of the bins beside the edge, so that each edge sees all that is near it and nothing twice.
    width: Sym<'b>,
    at: Sym<'b>,
    above: Sym<'b>,
    below: Sym<'b>,
}

impl<'b> Edge<'b> {
    fn new(b: &'b Builder, x: Sym<'b>, edges: Sym<'b>, width: Sym<'b>) -> Self {
        let fixed = edges.stop_gradient();
        let level = edges.space();
        let over = level.last();
        let number = over.map_or(fixed, |l| b.position(level, l).cast(crate::DType::F64));
        let last = (number * 0.0 + 1.0).sum_all() - 1.0;
        // The next edge up and down; beyond the last one everything is one bin.
        let shifted = |by: f64, ends: Sym<'b>, beyond: f64| {
            let inside = number.compare(Compare::Ne, ends.broadcast(level));
            let index = (number + by).cast(crate::DType::I64);
            let index = inside.select(index, b.integer(-1).broadcast(level));
            inside.select(fixed.gather(index), Sym::from(beyond))
        };
        let up = shifted(1.0, last, f64::INFINITY);
        let down = shifted(-1.0, Sym::from(0.0), f64::NEG_INFINITY);
        let half = (up - fixed).min(fixed - down) * 0.5;
        let width = width.broadcast(level);
        // A width that is NaN stays it.
        let half = half.lt(width).select(half, width);
        let middle = |a: Sym<'b>| fixed + (a - fixed) * 0.5;
        let nearest = nearest_edge(x, edges);
        Self {
            margin: x - edges.gather(nearest),
            width: half.gather(nearest),
            at: edges.gather(nearest),
            above: middle(up).gather(nearest),
            below: middle(down).gather(nearest),
        }
    }
}

/// Kₕ(m), with the linear boundary kernel where the sample ends inside the window: (a₂ − a₁u)K(u) / (a₀a₂ − a₁²) with the moments aᵢ of K between the ends.
fn density<'b>(
    m: Sym<'b>,
    h: Sym<'b>,
    ends: Option<(Sym<'b>, Sym<'b>)>,
    kernel: SurfaceKernel,
) -> Sym<'b> {
    let u = m / h;
    let [c0, c1, c2] = kernel.coefficients();
    let square = u * u;
    let plain = (square * c2 + c1) * square + c0;
    let Some((from, to)) = ends else {
        return plain / h;
    };
    let one = Sym::from(1.0);
    let clamp = |x: Sym<'b>| (x / h).max(-one).min(one);
    let (p, q) = (clamp(from), clamp(to));
    // ∫ uⁱ K(u) du from p to q.
    let moment = |i: i32| {
        let at = |x: Sym<'b>| {
            let term = |c: f64, n: i32| x.powi(n + 1) * (c / f64::from(n + 1));
            term(c0, i) + term(c1, i + 2) + term(c2, i + 4)
        };
        at(q) - at(p)
    };
    let (a0, a1, a2) = (moment(0), moment(1), moment(2));
    plain * (a2 - a1 * u) / (a0 * a2 - a1 * a1) / h
}

/// A number for each copy of an event as a surface term: zero, whose derivative is the weight of the window times the jump times that of the margin.
pub(super) fn term<'b>(b: &'b Builder, window: &Window<'b>, jump: Sym<'b>) -> Sym<'b> {
    let space = jump.space();
    let weight = window.weight.broadcast(space) * jump;
    b.push(
        prim::SURFACE,
        &[window.margin.broadcast(space), weight],
        Attrs::NONE,
    )
    .first(b)
}
