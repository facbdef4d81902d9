//! Second order: forward over reverse.

use crate::drivers::forward::expect_objective;
use crate::drivers::reverse::record;
use crate::drivers::{Function, Matrix};
use crate::dual::Dual;
use crate::error::Error;
use crate::real::{Real, Scalar};
use crate::tape::Tape;

/// Gradient and N columns of the Hessian: a tape over dual numbers, swept once.
fn columns<const N: usize, F: Function>(
    tape: &mut Tape<Dual<f64, N>>,
    f: &F,
    x: &[Dual<f64, N>],
) -> Result<(f64, Vec<Dual<f64, N>>), Error> {
    tape.clear();
    let (value, outputs) = record(tape, f, x)?;
    let mut adjoints = Vec::new();
    tape.pull(
        outputs.iter().map(|&y| (y, Dual::constant(1.0))),
        &mut adjoints,
    )?;
    adjoints.truncate(x.len());
    Ok((value.first().map_or(f64::NAN, |y| y.value()), adjoints))
}

/// Gradient and Hessian times vector of a function with one output: (∇f, ∇²f·v), at the cost of a few gradients.
///
/// Errors: [`Error::Shape`]; [`Error::ReverseOnly`] if a function with only a first-order rule is on the way.
///
/// # Example
/// ```
/// use pullback_ad::{function, hvp, Real};
/// function! {
///     struct Cubic;
///     fn eval(x: [2]) -> [1] { [x[0].powi(3) + x[0] * x[1]] }
/// }
/// assert_eq!(hvp(&Cubic, &[2.0, 5.0], &[1.0, 0.0])?, (vec![17.0, 2.0], vec![12.0, 1.0]));
/// # Ok::<(), pullback_ad::Error>(())
/// ```
pub fn hvp<F: Function>(f: &F, x: &[f64], v: &[f64]) -> Result<(Vec<f64>, Vec<f64>), Error> {
    expect_objective(f)?;
    if v.len() != x.len() {
        return Err(Error::Shape {
            what: "v",
            expected: x.len(),
            found: v.len(),
        });
    }
    let x: Vec<Dual<f64, 1>> = x
        .iter()
        .zip(v)
        .map(|(&re, &v)| Dual { re, eps: [v] })
        .collect();
    let (_, adjoints) = columns(&mut Tape::new(), f, &x)?;
    Ok((
        adjoints.iter().map(|a| a.re).collect(),
        adjoints.iter().map(|a| a.eps[0]).collect(),
    ))
}

/// Value, gradient and Hessian of a function with one output: forward over reverse, 8 columns at a time.
///
/// Errors: [`Error::Shape`]; [`Error::ReverseOnly`] if a function with only a first-order rule is on the way.
///
/// # Example
/// ```
/// use pullback_ad::{function, hessian, Real};
/// function! {
///     struct Cubic;
///     fn eval(x: [2]) -> [1] { [x[0].powi(3) + x[0] * x[1]] }
/// }
/// let (value, gradient, h) = hessian(&Cubic, &[2.0, 5.0])?;
/// assert_eq!((value, gradient, h.as_slice()), (18.0, vec![17.0, 2.0], &[12.0, 1.0, 1.0, 0.0][..]));
/// # Ok::<(), pullback_ad::Error>(())
/// ```
pub fn hessian<F: Function>(f: &F, x: &[f64]) -> Result<(f64, Vec<f64>, Matrix), Error> {
    match x.len() {
        0..=1 => hessian_in_lanes::<1, F>(f, x),
        2 => hessian_in_lanes::<2, F>(f, x),
        3..=4 => hessian_in_lanes::<4, F>(f, x),
        _ => hessian_in_lanes::<8, F>(f, x),
    }
}

fn hessian_in_lanes<const N: usize, F: Function>(
    f: &F,
    x: &[f64],
) -> Result<(f64, Vec<f64>, Matrix), Error> {
    expect_objective(f)?;
    let n = x.len();
    let mut matrix = Matrix::zeros(n, n);
    let (mut value, mut gradient) = (f64::NAN, Vec::new());
    let mut tape = Tape::new();
    for first in (0..n.max(1)).step_by(N) {
        let inputs: Vec<Dual<f64, N>> = x
            .iter()
            .enumerate()
            .map(|(i, &re)| Dual::variable(re, if i >= first { i - first } else { N }))
            .collect();
        let (y, adjoints) = columns(&mut tape, f, &inputs)?;
        value = y;
        gradient = adjoints.iter().map(|a| a.re).collect();
        for (row, a) in matrix
            .as_mut_slice()
            .chunks_exact_mut(n.max(1))
            .zip(&adjoints)
        {
            for (entry, &eps) in row[first..].iter_mut().zip(&a.eps) {
                *entry = eps;
            }
        }
    }
    Ok((value, gradient, matrix))
}
