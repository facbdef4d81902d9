//! Forward mode: Jacobian times vector, and the Jacobian in chunks of lanes.

use crate::drivers::{Function, Matrix, reverse};
use crate::dual::Dual;
use crate::error::Error;
use crate::isa::Isa;
#[cfg(target_arch = "x86_64")]
use crate::isa::Level;
#[cfg(target_arch = "x86_64")]
use crate::packed::Buffers;
use crate::real::{Real, Scalar};

/// The value and its derivative along `dx`: (f(x), J·dx).
///
/// Errors: [`Error::Shape`] if `dx` and `x` differ in length; those of `f`.
///
/// # Example
/// ```
/// use pullback_ad::{function, jvp, Real};
/// function! {
///     struct Product;
///     fn eval(x: [2]) -> [1] { [x[0] * x[1]] }
/// }
/// assert_eq!(jvp(&Product, &[2.0, 5.0], &[1.0, 0.0])?, (vec![10.0], vec![5.0]));
/// # Ok::<(), pullback_ad::Error>(())
/// ```
pub fn jvp<F: Function>(f: &F, x: &[f64], dx: &[f64]) -> Result<(Vec<f64>, Vec<f64>), Error> {
    if dx.len() != x.len() {
        return Err(Error::Shape {
            what: "dx",
            expected: x.len(),
            found: dx.len(),
        });
    }
    let inputs: Vec<Dual<f64, 1>> = x
        .iter()
        .zip(dx)
        .map(|(&re, &dx)| Dual { re, eps: [dx] })
        .collect();
    let mut outputs = vec![Dual::constant(0.0); f.outputs()];
    f.eval(&inputs, &mut outputs)?;
    Ok((
        outputs.iter().map(|y| y.re).collect(),
        outputs.iter().map(|y| y.eps[0]).collect(),
    ))
}

/// The derivative of a function of one variable, with a closure.
///
/// # Example
/// ```
/// use pullback_ad::{Real, derivative};
/// assert_eq!(derivative(|x| x * x * x, 2.0), (8.0, 12.0));
/// ```
pub fn derivative(f: impl FnOnce(Dual<f64, 1>) -> Dual<f64, 1>, x: f64) -> (f64, f64) {
    let y = f(Dual::variable(x, 0));
    (y.re, y.eps[0])
}

/// The m × n Jacobian matrix.
///
/// Forward mode in chunks of 16 (in registers), 8, 4, 2 or 1 lanes; reverse mode where a recorded tape is swept for far fewer outputs than there are inputs,
/// and for functions that only have a reverse rule.
///
/// # Example
/// See [`Function`].
pub fn jacobian<F: Function>(f: &F, x: &[f64]) -> Result<Matrix, Error> {
    let mut workspace = JacobianWorkspace::new();
    let mut matrix = Matrix::zeros(f.outputs(), x.len());
    let mut value = vec![0.0; f.outputs()];
    // A pass of 8 lanes costs about as much as recording; a reverse sweep about a fifth of it.
    if x.len() > 8 * (f.outputs() + 1) {
        return reverse::jacobian_by_rows(f, x);
    }
    match workspace.jacobian(f, x, &mut value, matrix.as_mut_slice()) {
        Ok(()) => Ok(matrix),
        Err(Error::ReverseOnly { .. }) => reverse::jacobian_by_rows(f, x),
        Err(other) => Err(other),
    }
}

/// Memory for Jacobians by forward mode: after the first call nothing is allocated.
///
/// # Example
/// ```
/// use pullback_ad::{JacobianWorkspace, Real, function};
/// function! {
///     struct Swap;
///     fn eval(x: [2]) -> [2] { [x[1] * 2.0, x[0]] }
/// }
/// let mut workspace = JacobianWorkspace::new();
/// let (mut y, mut j) = ([0.0; 2], [0.0; 4]);
/// workspace.jacobian(&Swap, &[1.0, 3.0], &mut y, &mut j)?;
/// assert_eq!((y, j), ([6.0, 1.0], [0.0, 2.0, 1.0, 0.0]));
/// # Ok::<(), pullback_ad::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct JacobianWorkspace {
    registers: Registers,
    eight: Lanes<8>,
    four: Lanes<4>,
    two: Lanes<2>,
    one: Lanes<1>,
}

/// Tangents in vector registers, where there are such: 8 or 16 together. What a function computes of values alone is done once per pass, so 16
/// cost 1.3 to 1.6 times 8.
#[derive(Debug, Default)]
enum Registers {
    #[default]
    None,
    #[cfg(target_arch = "x86_64")]
    Avx2(Buffers<pulp::x86::V3, 2>, Buffers<pulp::x86::V3, 4>),
    #[cfg(target_arch = "x86_64")]
    Avx512(Buffers<pulp::x86::V4, 1>, Buffers<pulp::x86::V4, 2>),
}

impl Registers {
    /// What the level of this process asks for and the processor has.
    #[cfg(target_arch = "x86_64")]
    fn find() -> Self {
        match Level::current().name() {
            "avx512" => match (Buffers::find(), Buffers::find()) {
                (Some(eight), Some(sixteen)) => Self::Avx512(eight, sixteen),
                _ => Self::None,
            },
            "avx2" => match (Buffers::find(), Buffers::find()) {
                (Some(eight), Some(sixteen)) => Self::Avx2(eight, sixteen),
                _ => Self::None,
            },
            _ => Self::None,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn find() -> Self {
        Self::None
    }
}

/// Inputs and outputs with N tangents.
#[derive(Debug, Default)]
struct Lanes<const N: usize> {
    x: Vec<Dual<f64, N>>,
    y: Vec<Dual<f64, N>>,
}

impl JacobianWorkspace {
    /// An empty workspace.
    pub fn new() -> Self {
        Self {
            registers: Registers::find(),
            ..Self::default()
        }
    }

    /// Writes the value into `value` (m entries) and the Jacobian into `matrix` (m × n entries, by rows).
    ///
    /// Errors: [`Error::Shape`] for slices of the wrong length; those of `f`.
    pub fn jacobian<F: Function>(
        &mut self,
        f: &F,
        x: &[f64],
        value: &mut [f64],
        matrix: &mut [f64],
    ) -> Result<(), Error> {
        let (n, m) = (x.len(), f.outputs());
        if value.len() != m {
            return Err(Error::Shape {
                what: "value",
                expected: m,
                found: value.len(),
            });
        }
        if matrix.len() != n * m {
            return Err(Error::Shape {
                what: "matrix",
                expected: n * m,
                found: matrix.len(),
            });
        }
        if n == 0 {
            return f.eval(x, value);
        }
        let in_registers = F::INLINED && !matches!(self.registers, Registers::None);
        let most = if in_registers { 16 } else { 8 };
        // From the right, as the registers want it.
        for first in (0..n).step_by(most).rev() {
            match (&mut self.registers, (n - first).min(most)) {
                (_, 1) => self.one.chunk(f, x, first, value, matrix)?,
                #[cfg(target_arch = "x86_64")]
                (Registers::Avx512(_, sixteen), 9..) => {
                    sixteen.chunk(f, x, first, value, matrix)?;
                }
                #[cfg(target_arch = "x86_64")]
                (Registers::Avx512(eight, _), _) if F::INLINED => {
                    eight.chunk(f, x, first, value, matrix)?;
                }
                #[cfg(target_arch = "x86_64")]
                (Registers::Avx2(_, sixteen), 9..) => {
                    sixteen.chunk(f, x, first, value, matrix)?;
                }
                #[cfg(target_arch = "x86_64")]
                (Registers::Avx2(eight, _), _) if F::INLINED => {
                    eight.chunk(f, x, first, value, matrix)?;
                }
                (_, 2) => self.two.chunk(f, x, first, value, matrix)?,
                (_, 3 | 4) => self.four.chunk(f, x, first, value, matrix)?,
                _ => self.eight.chunk(f, x, first, value, matrix)?,
            }
        }
        Ok(())
    }
}

impl JacobianWorkspace {
    /// [`jacobian`](Self::jacobian) for a shape that the compiler knows: the right-hand side of an ODE, where the bookkeeping of slices would
    /// cost as much as the derivatives.
    ///
    /// Errors: [`Error::Shape`] if `f` does not have M outputs; those of `f`.
    ///
    /// # Example
    /// ```
    /// use pullback_ad::{JacobianWorkspace, function};
    /// function! {
    ///     struct Rotor;
    ///     fn eval(x: [2]) -> [2] { [x[1], -x[0].sin()] }
    /// }
    /// let (mut rate, mut j) = ([0.0; 2], [[0.0; 2]; 2]);
    /// JacobianWorkspace::new().jacobian_fixed(&Rotor, &[0.0, 3.0], &mut rate, &mut j)?;
    /// assert_eq!((rate, j), ([3.0, 0.0], [[0.0, 1.0], [-1.0, 0.0]]));
    /// # Ok::<(), pullback_ad::Error>(())
    /// ```
    #[inline]
    pub fn jacobian_fixed<F: Function, const N: usize, const M: usize>(
        &mut self,
        f: &F,
        x: &[f64; N],
        value: &mut [f64; M],
        matrix: &mut [[f64; N]; M],
    ) -> Result<(), Error> {
        if f.outputs() != M {
            return Err(Error::Shape {
                what: "outputs",
                expected: M,
                found: f.outputs(),
            });
        }
        match &self.registers {
            #[cfg(target_arch = "x86_64")]
            Registers::Avx512(eight, sixteen) if F::INLINED => {
                if N > 8 {
                    sixteen.fixed(f, x, value, matrix)
                } else {
                    eight.fixed(f, x, value, matrix)
                }
            }
            #[cfg(target_arch = "x86_64")]
            Registers::Avx2(eight, sixteen) if F::INLINED => {
                if N > 8 {
                    sixteen.fixed(f, x, value, matrix)
                } else {
                    eight.fixed(f, x, value, matrix)
                }
            }
            _ => self.jacobian(f, x, value, matrix.as_flattened_mut()),
        }
    }
}

impl JacobianWorkspace {
    /// Evaluates `f` with inputs of equal colour varying together, as many colours at a time as there are lanes. For each pass that starts with
    /// colour `first` and each output, `take(output, value, first, tangents)`.
    pub(crate) fn compressed<F: Function>(
        &mut self,
        f: &F,
        x: &[f64],
        (colours, count): (&[u32], u32),
        mut take: impl FnMut(usize, f64, u32, &[f64]),
    ) -> Result<(), Error> {
        let mut first = 0;
        while first < count {
            let left = count - first;
            let mut take = |i: usize, re: f64, lanes: &[f64]| take(i, re, first, lanes);
            let width = match (&mut self.registers, left) {
                #[cfg(target_arch = "x86_64")]
                (Registers::Avx512(_, sixteen), 9..) if F::INLINED => {
                    sixteen.compressed(f, x, colours, first, take)?;
                    16
                }
                #[cfg(target_arch = "x86_64")]
                (Registers::Avx2(_, sixteen), 9..) if F::INLINED => {
                    sixteen.compressed(f, x, colours, first, take)?;
                    16
                }
                #[cfg(target_arch = "x86_64")]
                (Registers::Avx512(eight, _), 2..) if F::INLINED => {
                    eight.compressed(f, x, colours, first, take)?;
                    8
                }
                #[cfg(target_arch = "x86_64")]
                (Registers::Avx2(eight, _), 2..) if F::INLINED => {
                    eight.compressed(f, x, colours, first, take)?;
                    8
                }
                (_, 1) => self.one.compressed(f, x, colours, first, &mut take)?,
                (_, 2) => self.two.compressed(f, x, colours, first, &mut take)?,
                (_, 3 | 4) => self.four.compressed(f, x, colours, first, &mut take)?,
                _ => self.eight.compressed(f, x, colours, first, &mut take)?,
            };
            first += width;
        }
        Ok(())
    }
}

/// Evaluates `f` in lanes; an operation is the same for every instruction set (nothing is fused), so the bits are too.
#[inline(always)]
#[allow(
    clippy::extra_unused_type_parameters,
    reason = "the macro names the instruction set that it compiles for"
)]
fn eval_body<I: Isa, F: Function, L: Scalar>(f: &F, x: &[L], y: &mut [L]) -> Result<(), Error> {
    f.eval(x, y)
}

crate::multiversion! {
    fn eval, eval_at[F: Function, L: Scalar](f: &F, x: &[L], y: &mut [L]) -> Result<(), Error> = eval_body;
}

impl<const N: usize> Lanes<N> {
    /// Columns `first..first + N` of the Jacobian, as far as there are; lanes beyond the last column stay zero and are not read.
    fn chunk<F: Function>(
        &mut self,
        f: &F,
        x: &[f64],
        first: usize,
        value: &mut [f64],
        matrix: &mut [f64],
    ) -> Result<(), Error> {
        let (n, m) = (x.len(), value.len());
        self.x.clear();
        self.x.extend(x.iter().map(|&x| Dual::lift(x)));
        self.y.resize(m, Dual::lift(0.0));
        let width = N.min(n - first);
        for (lane, x) in self.x[first..first + width].iter_mut().enumerate() {
            x.eps[lane] = 1.0;
        }
        eval(f, &self.x, &mut self.y)?;
        for (i, y) in self.y.iter().enumerate() {
            value[i] = y.re;
            // A loop, because a copy of a few numbers by `memcpy` costs more than computing them.
            for (entry, &eps) in matrix[i * n + first..i * n + first + width]
                .iter_mut()
                .zip(&y.eps)
            {
                *entry = eps;
            }
        }
        Ok(())
    }
}

impl<const N: usize> Lanes<N> {
    /// Inputs of colour `first + k` vary in lane k; gives the number of lanes.
    fn compressed<F: Function>(
        &mut self,
        f: &F,
        x: &[f64],
        colours: &[u32],
        first: u32,
        take: &mut impl FnMut(usize, f64, &[f64]),
    ) -> Result<u32, Error> {
        self.x.clear();
        self.x.extend(
            x.iter()
                .zip(colours)
                .map(|(&x, &colour)| Dual::variable(x, colour.wrapping_sub(first) as usize)),
        );
        self.y.resize(f.outputs(), Dual::lift(0.0));
        eval(f, &self.x, &mut self.y)?;
        for (i, y) in self.y.iter().enumerate() {
            take(i, y.re, &y.eps);
        }
        Ok(N as u32)
    }
}

/// Whether a scalar output exists; the drivers of objectives share the message.
pub(super) fn expect_objective<F: Function>(f: &F) -> Result<(), Error> {
    match f.outputs() {
        1 => Ok(()),
        found => Err(Error::Shape {
            what: "outputs of an objective",
            expected: 1,
            found,
        }),
    }
}
