//! Explaining a program at a point.

use std::sync::Arc;

use pullback_ad::Real;

use super::births::{bad_counts, candidates, suspects};
use super::blocked::{Influence, Moving, follow, moving};
use super::probe::{Counted, Probe, Reading, is_infinite, is_nan, is_zero, size};
use super::report::{Component, Explanation};
use crate::build::Builder;
use crate::error::Result;
use crate::exec::Bindings;
use crate::program::{Program, ValueId};
use crate::transform::{differentiable_input, differentiable_output, grad};

/// How far inputs may move when elements near a threshold are counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Steps {
    /// By this fraction of their values.
    Relative(f64),
    /// By this number.
    Absolute(f64),
}

impl Default for Steps {
    fn default() -> Self {
        Self::Relative(1e-3)
    }
}

/// Explains an output and its pathwise derivatives at a point: which are zero, NaN or infinite, and where that comes from; with steps of a thousandth.
///
/// Two sweeps over the data at most: one that counts, and, where something is NaN or infinite, one that finds out where it was born.
///
/// # Errors
/// An unknown name; a primitive without a rule; a run that fails.
///
/// # Example
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Bindings, Builder, Space, explain};
/// let b = Builder::new();
/// let (pt, cut) = (b.input("pt", b.stream("events")), b.input("cut", Space::SCALAR));
/// let n = pt.gt(cut).named("pt > cut").select(1.0.into(), 0.0.into()).sum_all();
/// let program = b.finish(&[("N", n)]).unwrap();
/// let inputs = Bindings::ordered(&[(&[10.0, 20.01, 30.0]).into(), (&20.0).into()]);
/// let found = explain(&program, &inputs, "N", &["cut"]).unwrap();
/// assert_eq!(
///     found.to_string(),
///     "N = 2.0\n\
///      dN/dcut = 0.0: no path carries a derivative\n  \
///        gt `pt > cut` decides: no derivative passes; 3 elements, 1 within a step of switching\n\
///      pathwise derivatives are at frozen selection; not seen by them:\n  \
///        gt `pt > cut`: 3 elements, 1 within a step of switching\n"
/// );
/// ```
pub fn explain(
    program: &Program,
    inputs: &Bindings<'_>,
    of: &str,
    wrt: &[&str],
) -> Result<Explanation> {
    explain_with(program, inputs, of, wrt, Steps::default())
}

/// The counts of one derivative.
struct Counts {
    elements: Reading,
    zero: Reading,
    nan: Reading,
    infinite: Reading,
    value: Reading,
}

/// [`explain`] with other steps.
///
/// # Errors
/// As [`explain`].
pub fn explain_with(
    program: &Program,
    inputs: &Bindings<'_>,
    of: &str,
    wrt: &[&str],
    steps: Steps,
) -> Result<Explanation> {
    let gradient = gradient(program, of, wrt)?;
    let value = differentiable_output(&gradient, RESULT)?;
    let derivatives = wrt
        .iter()
        .map(|n| differentiable_output(&gradient, &format!("grad_{n}")))
        .collect::<Result<Vec<_>>>()?;
    let on_value = crate::transform::upstream_with_structure(&gradient, [value].into_iter());

    let b = Builder::resume(&gradient);
    let (outputs, first) = {
        let mut probe = Probe::new(&b);
        let first = first_sweep(
            &mut probe,
            &gradient,
            wrt,
            (value, &derivatives),
            &on_value,
            steps,
        )?;
        (probe.into_outputs(), first)
    };
    let counted = Counted::run(&b, outputs, inputs)?;
    let components = wrt
        .iter()
        .zip(&first.counts)
        .zip(&first.influences)
        .map(|((name, c), (has_path, blockers))| {
            let elements = counted.count(c.elements);
            let scalar = gradient
                .find_input(name)
                .is_some_and(|v| gradient.ty(v).space.is_scalar());
            Component {
                input: (*name).to_owned(),
                elements,
                zero: counted.count(c.zero),
                nan: counted.count(c.nan),
                infinite: counted.count(c.infinite),
                value: scalar.then(|| counted.number(c.value)),
                has_path: *has_path,
                blockers: if counted.count(c.zero) == 0 {
                    Vec::new()
                } else {
                    blockers
                        .iter()
                        .filter_map(|s| s.settle(&gradient, &counted))
                        .collect()
                },
            }
        })
        .collect();
    let decisions = first
        .moving
        .iter()
        .map(|m| m.settle(&gradient, &counted))
        .collect();
    let bad: Vec<usize> = first
        .bad
        .iter()
        .map(|r| r.map_or(0, |r| counted.count(r)))
        .collect();
    let nodes = candidates(&gradient, &bad);
    let births = if nodes.is_empty() {
        Vec::new()
    } else {
        let b = Builder::resume(&gradient);
        let (outputs, found) = {
            let mut probe = Probe::new(&b);
            let found = suspects(&mut probe, &gradient, &nodes, value, &derivatives)?;
            (probe.into_outputs(), found)
        };
        let counted = Counted::run(&b, outputs, inputs)?;
        found
            .iter()
            .filter_map(|s| s.settle(&gradient, &on_value, &counted))
            .collect()
    };
    Ok(Explanation {
        of: of.to_owned(),
        value: counted.number(first.value),
        components,
        births,
        decisions,
    })
}

/// Name of the number that is differentiated.
const RESULT: &str = "the sum of the output";

/// The program with the gradient of the output, or of the sum of its elements.
fn gradient(program: &Program, of: &str, wrt: &[&str]) -> Result<Program> {
    let out = differentiable_output(program, of)?;
    let b = Builder::resume(program);
    let sum = b.sym(out).sum_all();
    let outputs = vec![(Arc::from(RESULT), b.id(sum))];
    grad(&b.finish_ids(outputs)?, RESULT, wrt)
}

/// What the first sweep reads.
struct First {
    value: Reading,
    counts: Vec<Counts>,
    influences: Vec<(bool, Vec<super::blocked::Suspect>)>,
    moving: Vec<Moving>,
    bad: Vec<Option<Reading>>,
}

fn first_sweep<'b>(
    probe: &mut Probe<'b>,
    gradient: &Program,
    wrt: &[&str],
    (value, derivatives): (ValueId, &[ValueId]),
    on_value: &[bool],
    steps: Steps,
) -> Result<First> {
    let b = probe.b;
    let counts = derivatives
        .iter()
        .map(|v| {
            let g = b.sym(*v);
            Counts {
                elements: probe.value(size(b, g)),
                zero: probe.count(is_zero(g)),
                nan: probe.count(is_nan(g)),
                infinite: probe.count(is_infinite(g)),
                value: probe.value(g.sum_all()),
            }
        })
        .collect();
    let influences = wrt
        .iter()
        .map(|name| {
            let input = differentiable_input(gradient, name)?;
            let x = b.sym(input);
            let step = match steps {
                Steps::Relative(r) => x.abs() * r,
                Steps::Absolute(a) => b.broadcast(a.into(), x.space()),
            };
            follow(probe, gradient, input, step, on_value, value)
        })
        .collect::<Result<Vec<Influence<'b>>>>()?;
    let moving = moving(probe, gradient, &influences, on_value)?;
    let bad = bad_counts(probe, gradient);
    Ok(First {
        value: probe.value(b.sym(value)),
        counts,
        influences: influences
            .into_iter()
            .map(|i| (i.has_path, i.suspects))
            .collect(),
        moving,
        bad,
    })
}
