//! Reverse mode: vector times Jacobian, gradients, linearisation.

use crate::drivers::forward::expect_objective;
use crate::drivers::{Function, JacobianWorkspace, Matrix};
use crate::error::Error;
use crate::real::{Real, Scalar};
use crate::tape::Tape;
use crate::var::Var;

/// Inputs up to this many are differentiated in one forward pass: cheaper than a tape.
const ONE_PASS: usize = 8;

/// Records `f` at `x` on `tape`; gives values and node numbers of the outputs. The inputs are the nodes 0 to n − 1.
pub(super) fn record<T: Scalar + 'static, F: Function>(
    tape: &Tape<T>,
    f: &F,
    x: &[T],
) -> Result<(Vec<T>, Vec<u32>), Error> {
    let inputs: Vec<Var<'_, T>> = x.iter().map(|&x| tape.variable(x)).collect();
    let mut outputs = vec![Var::constant(0.0); f.outputs()];
    f.eval(&inputs, &mut outputs)?;
    Ok((
        outputs.iter().map(|y| y.inner()).collect(),
        outputs.iter().map(|y| y.number()).collect(),
    ))
}

/// The value and its pullback: (f(x), ȳᵀ·J).
///
/// Errors: [`Error::Shape`] if `y_bar` does not have one entry per output; those of `f`.
///
/// # Example
/// ```
/// use pullback_ad::{function, vjp, Real};
/// function! {
///     struct Product;
///     fn eval(x: [2]) -> [1] { [x[0] * x[1]] }
/// }
/// assert_eq!(vjp(&Product, &[2.0, 5.0], &[1.0])?, (vec![10.0], vec![5.0, 2.0]));
/// # Ok::<(), pullback_ad::Error>(())
/// ```
pub fn vjp<F: Function>(f: &F, x: &[f64], y_bar: &[f64]) -> Result<(Vec<f64>, Vec<f64>), Error> {
    let linear = linearize(f, x)?;
    let x_bar = linear.vjp(y_bar)?;
    Ok((linear.value, x_bar))
}

/// The gradient of a function with one output. See [`value_and_grad`].
pub fn grad<F: Function>(f: &F, x: &[f64]) -> Result<Vec<f64>, Error> {
    Ok(value_and_grad(f, x)?.1)
}

/// Value and gradient of a function with one output: one forward pass for up to 8 inputs, else reverse mode.
///
/// Errors: [`Error::Shape`] if there is not exactly one output; those of `f`.
///
/// # Example
/// See [`function!`](crate::function).
pub fn value_and_grad<F: Function>(f: &F, x: &[f64]) -> Result<(f64, Vec<f64>), Error> {
    expect_objective(f)?;
    if x.len() <= ONE_PASS {
        let (mut value, mut gradient) = ([0.0], vec![0.0; x.len()]);
        match JacobianWorkspace::new().jacobian(f, x, &mut value, &mut gradient) {
            Err(Error::ReverseOnly { .. }) => {}
            result => return result.map(|()| (value[0], gradient)),
        }
    }
    let (value, gradient) = vjp(f, x, &[1.0])?;
    Ok((value[0], gradient))
}

/// A function at a point: its value and its derivative there as a linear map, recorded once and applied many times.
///
/// # Example
/// ```
/// use pullback_ad::{function, linearize, Real};
/// function! {
///     struct Product;
///     fn eval(x: [2]) -> [1] { [x[0] * x[1]] }
/// }
/// let at = linearize(&Product, &[2.0, 5.0])?;
/// assert_eq!(at.value(), [10.0]);
/// assert_eq!(at.jvp(&[1.0, 1.0])?, [7.0]);
/// assert_eq!(at.vjp(&[3.0])?, [15.0, 6.0]);
/// # Ok::<(), pullback_ad::Error>(())
/// ```
#[derive(Debug)]
pub struct Linearized {
    tape: Tape,
    inputs: usize,
    value: Vec<f64>,
    outputs: Vec<u32>,
}

/// Records `f` at `x`. Errors: those of `f`.
pub fn linearize<F: Function>(f: &F, x: &[f64]) -> Result<Linearized, Error> {
    let tape = Tape::new();
    let (value, outputs) = record(&tape, f, x)?;
    Ok(Linearized {
        tape,
        inputs: x.len(),
        value,
        outputs,
    })
}

impl Linearized {
    /// f(x).
    pub fn value(&self) -> &[f64] {
        &self.value
    }

    /// The number of operations recorded, without the inputs.
    pub fn operations(&self) -> usize {
        self.tape.len() - self.inputs
    }

    /// J·dx. Errors: [`Error::Shape`]; [`Error::ReverseOnly`] if a function with only a reverse rule is on the way.
    pub fn jvp(&self, dx: &[f64]) -> Result<Vec<f64>, Error> {
        if dx.len() != self.inputs {
            return Err(Error::Shape {
                what: "dx",
                expected: self.inputs,
                found: dx.len(),
            });
        }
        let mut tangents = Vec::new();
        self.tape
            .push_forward((0..).zip(dx.iter().copied()), &mut tangents)?;
        Ok(self
            .outputs
            .iter()
            .map(|&y| tangents.get(y as usize).copied().unwrap_or(0.0))
            .collect())
    }

    /// ȳᵀ·J. Errors: [`Error::Shape`]; those of custom rules.
    pub fn vjp(&self, y_bar: &[f64]) -> Result<Vec<f64>, Error> {
        let mut adjoints = Vec::new();
        self.pull(y_bar, &mut adjoints)?;
        adjoints.truncate(self.inputs);
        Ok(adjoints)
    }

    pub(crate) fn pull(&self, y_bar: &[f64], adjoints: &mut Vec<f64>) -> Result<(), Error> {
        if y_bar.len() != self.outputs.len() {
            return Err(Error::Shape {
                what: "y_bar",
                expected: self.outputs.len(),
                found: y_bar.len(),
            });
        }
        self.tape.pull(
            self.outputs.iter().copied().zip(y_bar.iter().copied()),
            adjoints,
        )
    }
}

/// The Jacobian by one reverse sweep per output.
pub(super) fn jacobian_by_rows<F: Function>(f: &F, x: &[f64]) -> Result<Matrix, Error> {
    let at = linearize(f, x)?;
    let mut matrix = Matrix::zeros(at.outputs.len(), x.len());
    let mut y_bar = vec![0.0; at.outputs.len()];
    let mut adjoints = Vec::new();
    for (i, row) in matrix
        .as_mut_slice()
        .chunks_exact_mut(x.len().max(1))
        .enumerate()
    {
        y_bar[i] = 1.0;
        at.pull(&y_bar, &mut adjoints)?;
        row.copy_from_slice(&adjoints[..x.len()]);
        y_bar[i] = 0.0;
    }
    Ok(matrix)
}
