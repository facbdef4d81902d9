//! Total derivatives: pathwise and surface parts, side by side.

use std::sync::Arc;

use super::attach::{Attached, attach};
use super::options::Surface;
use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::prim::{self, binary::join};
use crate::primitive::ill_formed;
use crate::program::{Program, ValueId};
use crate::transform::forward::{Tangents, differentiable_input, push_forward_with, upstream};
use crate::transform::linear_part::{LinearPart, stand_in};
use crate::transform::reverse::{adjoints, differentiable_output};
use crate::transform::{names, prune};

fn ends(program: &Program, of: &[&str], wrt: &[&str]) -> Result<(Vec<ValueId>, Vec<ValueId>)> {
    let of = of.iter().map(|n| differentiable_output(program, n));
    let wrt = wrt.iter().map(|n| differentiable_input(program, n));
    Ok((of.collect::<Result<_>>()?, wrt.collect::<Result<_>>()?))
}

fn attached(program: &Program, of: &[&str], wrt: &[&str], surface: &Surface) -> Result<Attached> {
    let (of, wrt) = ends(program, of, wrt)?;
    attach(program, &of, &wrt, surface)
}

/// The program with surface terms: the same values to the bit, and derivatives that are total, thresholds included.
///
/// [`jvp`](crate::transform::jvp), [`vjp`](crate::transform::vjp) and [`grad`](crate::transform::grad) of it have both parts in one sum;
/// [`jvp_total`], [`vjp_total`] and [`grad_total`] keep them apart. For each input that a width names, there is one more input.
///
/// Sums, histograms and counts carry the terms out of the stream; a count does where it becomes a double by `cast`, repeated before it or not, and may be compared
/// outside the stream.
///
/// Equality has no term (it never holds but by accident), nor has a comparison of single numbers (it is no sum over a sample: the derivative is that of the side
/// it is on), nor the step of 2π of `atan2` (it is an angle).
///
/// # Differentiability
/// Once. A second derivative that meets a surface term is [`Error::NotDifferentiable`](crate::Error::NotDifferentiable).
///
/// # Errors
/// An unknown name; a decision without a width; [`Error::Refused`](crate::Error::Refused), with name and label, for a structure whose surface terms are not known.
pub fn with_surface_terms(
    program: &Program,
    of: &[&str],
    wrt: &[&str],
    surface: &Surface,
) -> Result<Program> {
    attached(program, of, wrt, surface).map(|a| a.program)
}

/// A decision that has a surface term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    /// Label of the mask or bin index; without one, the primitive and the number of the value, as in `gt%12`.
    pub label: String,
    /// The primitive that decides.
    pub primitive: &'static str,
    /// Path of its elements.
    pub space: String,
}

/// The decisions whose surface terms the total derivative contains.
///
/// # Errors
/// As [`with_surface_terms`], but for widths.
pub fn thresholds(
    program: &Program,
    of: &[&str],
    wrt: &[&str],
    surface: &Surface,
) -> Result<Vec<Threshold>> {
    let (of, wrt) = ends(program, of, wrt)?;
    let found = super::decide::decisions(program, &of, &wrt, surface)?;
    Ok(found
        .list
        .into_iter()
        .map(|d| Threshold {
            label: d.label,
            primitive: program.node(d.value).primitive.name(),
            space: program.space_name(&program.ty(d.value).space),
        })
        .collect())
}

/// Pathwise tangents of every value, and what surface terms add to them.
struct Parts<'b> {
    pathwise: Tangents<'b>,
    surface: Tangents<'b>,
}

impl<'b> Parts<'b> {
    /// Pushes tangents forward through a program with surface terms; `wanted` says which nodes matter.
    fn forward(
        b: &'b Builder,
        program: &Program,
        starts: Tangents<'b>,
        wanted: &[bool],
    ) -> Result<Self> {
        let mut pathwise = starts;
        push_forward_with(b, program, &mut pathwise, wanted, |node, _| {
            (node.primitive == prim::SURFACE).then_some(None)
        })?;
        let mut surface: Tangents<'b> = vec![None; program.value_count()];
        push_forward_with(b, program, &mut surface, wanted, |node, surface| {
            (node.primitive == prim::SURFACE).then(|| {
                let margin = node.args[0].index();
                let moves = join(pathwise[margin], surface[margin])?;
                let args = [b.sym(node.args[1]), moves];
                Some(b.push(prim::FROZEN_MUL, &args, Attrs::NONE).first(b))
            })
        })?;
        Ok(Self { pathwise, surface })
    }
}

/// A tangent or cotangent, zeros where there is none.
fn or_zero<'b>(b: &'b Builder, found: Option<Sym<'b>>, like: &Program, v: ValueId) -> ValueId {
    b.id(found.unwrap_or_else(|| b.broadcast(Sym::from(0.0), like.ty(v).space)))
}

fn push_parts<'b>(
    b: &'b Builder,
    outputs: &mut Vec<(Arc<str>, ValueId)>,
    name: &str,
    like: (&Program, ValueId),
    pathwise: Option<Sym<'b>>,
    surface: Option<Sym<'b>>,
) {
    let parts = [
        (String::new(), join(pathwise, surface)),
        ("_pathwise".to_owned(), pathwise),
        ("_surface".to_owned(), surface),
    ];
    for (what, part) in parts {
        let id = or_zero(b, part, like.0, like.1);
        outputs.push((Arc::from(format!("{name}{what}")), id));
    }
}

/// The names of both parts and of their sum.
fn parts_of(names: &[&str]) -> Vec<String> {
    let parts = ["", "_pathwise", "_surface"];
    names
        .iter()
        .flat_map(|n| parts.map(|part| format!("{n}{part}")))
        .collect()
}

fn push_counts(outputs: &mut Vec<(Arc<str>, ValueId)>, attached: &Attached) -> Result<()> {
    let labels: Vec<&str> = attached.near.iter().map(|(l, _)| l.as_str()).collect();
    let word = names::fresh(&attached.program, "near", &[], &labels)?;
    for (label, v) in &attached.near {
        outputs.push((Arc::from(format!("{word}_{label}")), *v));
    }
    Ok(())
}

/// Total tangents: for each input `x` of `wrt` one more input `d_x`; for each output `y` of `of` three more outputs, `d_y` = `d_y_pathwise` + `d_y_surface`;
/// for each threshold one, `near_LABEL`, the number of elements that carry its surface term.
///
/// dF = Σ ∂f/∂x·dx + Σ δ(m)·dm·Δf, where Δf is what the sum gains when the element passes: the event is run again with and without it.
///
/// # Differentiability
/// The pathwise part is exact, at frozen selection. The surface part is a kernel estimate (bias O(h²), variance O(1/nh)) of first order only: a second
/// derivative is [`Error::NotDifferentiable`](crate::Error::NotDifferentiable). Values are exact.
///
/// # Errors
/// As [`with_surface_terms`].
///
/// # Example
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Bindings, Builder, Lowered, Space, transform};
/// use transform::{Surface, jvp_total};
/// let b = Builder::new();
/// let (x, s) = (b.input("x", b.stream("events")), b.input("s", Space::SCALAR));
/// let above = (x * s).gt(1.0.into()).named("cut");
/// let n = above.select(1.0.into(), 0.0.into()).sum_all();
/// let program = b.finish(&[("N", n)]).unwrap();
/// let total = jvp_total(&program, &["N"], &["s"], &Surface::new(0.1)).unwrap();
/// let lowered = Lowered::new(total).unwrap();
/// let mut ws = lowered.workspace();
/// // 1000 events per unit of x: N = 1000 (2 - 1/s), dN/ds = 1000 at s = 1, all of it from the threshold.
/// let x: Vec<f64> = (0..2000).map(|i| (f64::from(i) + 0.5) / 1000.0).collect();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&x).into(), (&1.0).into(), (&1.0).into()])).unwrap();
/// assert_eq!((ws.scalar(0), ws.scalar(2)), (1000.0, 0.0));
/// assert!((ws.scalar(1) - 1000.0).abs() < 0.1);
/// assert_eq!(ws.scalar(4), 200.0); // events within 0.1 of the threshold
/// ```
///
/// # Reference
/// Wang, Fu, Hu & Marcus 2012, "A new stochastic derivative estimator for discontinuous payoff functions with application to financial derivatives",
/// Operations Research 60, 447, <https://doi.org/10.1287/opre.1110.1018>; Hong 2009, "Estimating quantile sensitivities", Operations Research 57, 118,
/// <https://doi.org/10.1287/opre.1080.0531> (kernels in place of δ: Liu & Hong 2011, <https://doi.org/10.1287/opre.1110.0950>).
pub fn jvp_total(
    program: &Program,
    of: &[&str],
    wrt: &[&str],
    surface: &Surface,
) -> Result<Program> {
    let attached = attached(program, of, wrt, surface)?;
    let program = &attached.program;
    let (of_values, wrt_values) = ends(program, of, wrt)?;
    let b = Builder::resume(program);
    let mut outputs = program.outputs().to_vec();
    {
        let mut starts: Tangents<'_> = vec![None; program.value_count()];
        let directions: Vec<String> = wrt.iter().map(|n| (*n).to_owned()).collect();
        let word = names::fresh(program, "d", &directions, &parts_of(of))?;
        for (name, id) in wrt.iter().zip(&wrt_values) {
            starts[id.index()] = Some(b.input_of(&format!("{word}_{name}"), program.ty(*id)));
        }
        let wanted = upstream(program, of_values.iter().copied());
        let parts = Parts::forward(&b, program, starts, &wanted)?;
        for (name, id) in of.iter().zip(&of_values) {
            let k = id.index();
            let (p, s) = (parts.pathwise[k], parts.surface[k]);
            let name = format!("{word}_{name}");
            push_parts(&b, &mut outputs, &name, (program, *id), p, s);
        }
    }
    push_counts(&mut outputs, &attached)?;
    prune(&without_terms(&b.finish_ids(outputs)?))
}

/// Total cotangents: for each output `y` of `of` one more input `ct_y`; for each input `x` of `wrt` three more outputs, `ct_x` = `ct_x_pathwise` +
/// `ct_x_surface`; for each threshold `near_LABEL`, as [`jvp_total`].
///
/// # Errors
/// As [`with_surface_terms`].
pub fn vjp_total(
    program: &Program,
    of: &[&str],
    wrt: &[&str],
    surface: &Surface,
) -> Result<Program> {
    reverse(program, of, wrt, surface, None)
}

/// The total gradient of the scalar output `of`: for each input `x` of `wrt` three more outputs, `grad_x` = `grad_x_pathwise` + `grad_x_surface`; for each
/// threshold `near_LABEL`, as [`jvp_total`].
///
/// # Errors
/// As [`with_surface_terms`]; an output that is no scalar.
pub fn grad_total(program: &Program, of: &str, wrt: &[&str], surface: &Surface) -> Result<Program> {
    let id = differentiable_output(program, of)?;
    if !program.ty(id).space.is_scalar() {
        let space = program.space_name(&program.ty(id).space);
        return Err(ill_formed(
            "grad",
            format!("output `{of}` lives in [{space}], expected a scalar; use `vjp_total`"),
        ));
    }
    reverse(program, &[of], wrt, surface, Some(1.0))
}

fn reverse(
    program: &Program,
    of: &[&str],
    wrt: &[&str],
    surface: &Surface,
    seed: Option<f64>,
) -> Result<Program> {
    let attached = attached(program, of, wrt, surface)?;
    let program = &attached.program;
    let (of_values, wrt_values) = ends(program, of, wrt)?;
    let b = Builder::resume(program);
    let mut outputs = program.outputs().to_vec();
    let (what, seeds) = match seed {
        Some(_) => ("grad", Vec::new()),
        None => ("ct", of.iter().map(|n| (*n).to_owned()).collect()),
    };
    let word = names::fresh(program, what, &seeds, &parts_of(wrt))?;
    {
        let seeds: Vec<Sym<'_>> = of
            .iter()
            .zip(&of_values)
            .map(|(name, id)| match seed {
                Some(seed) => Sym::from(seed),
                None => b.input_of(&format!("{word}_{name}"), program.ty(*id)),
            })
            .collect();
        let mut starts: Tangents<'_> = vec![None; program.value_count()];
        for id in &wrt_values {
            starts[id.index()] = Some(stand_in(&b, *id, program.ty(*id)));
        }
        let start_ids: Vec<ValueId> = wrt_values
            .iter()
            .filter_map(|id| starts[id.index()])
            .map(|t| b.id(t))
            .collect();
        let wanted = upstream(program, of_values.iter().copied());
        let parts = Parts::forward(&b, program, starts, &wanted)?;
        let part = LinearPart::since(&b, program.nodes().len());
        let pull = |tangents: &Tangents<'_>| {
            let ends: Vec<_> = of_values
                .iter()
                .zip(&seeds)
                .map(|(out, &seed)| (tangents[out.index()].map(|t| b.id(t)), seed))
                .collect();
            adjoints(&b, &part, &start_ids, &ends)
        };
        let (pathwise, jumps) = (pull(&parts.pathwise)?, pull(&parts.surface)?);
        for ((name, id), start) in wrt.iter().zip(&wrt_values).zip(&start_ids) {
            let (p, s) = (pathwise.get(*start), jumps.get(*start));
            let name = format!("{word}_{name}");
            push_parts(&b, &mut outputs, &name, (program, *id), p, s);
        }
    }
    push_counts(&mut outputs, &attached)?;
    prune(&without_terms(&b.finish_ids(outputs)?))
}

/// The program without the zeros that carried surface terms: `x + 0` becomes `x` where the zero is the sum of surface terms alone.
fn without_terms(program: &Program) -> Program {
    let mut zero = vec![false; program.value_count()];
    let mut replaced: Vec<ValueId> = (0..program.value_count() as u32).map(ValueId).collect();
    let mut out = program.clone();
    let sums = [prim::TOTAL, prim::SUM, prim::SCATTER_ADD];
    let add = prim::binary::binary(pullback_ad::Binary::Add);
    for node in &mut out.nodes {
        node.args.iter_mut().for_each(|a| *a = replaced[a.index()]);
        let first = node.first.index();
        let arg = |i: usize| node.args.get(i).is_some_and(|a| zero[a.index()]);
        let (left, right) = (arg(0), arg(1));
        zero[first] = node.primitive == prim::SURFACE
            || (sums.contains(&node.primitive) && left)
            || (node.primitive == add && left && right);
        if node.primitive == add && right && !left {
            replaced[first] = node.args[0];
        }
    }
    for (_, v) in &mut out.outputs {
        *v = replaced[v.index()];
    }
    out
}
