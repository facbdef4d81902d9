//! Variables of reverse mode.

use core::cmp::Ordering;

use crate::custom::{CustomJvp, CustomVjp};
use crate::drivers::Function;
use crate::error::Error;
use crate::real::{Real, Scalar};
use crate::table::{Binary, BinaryRule, Family, UnaryRule};
use crate::tape::{CONSTANT, Pullback, Tape};

/// A value on a [`Tape`]; a constant has no tape and costs nothing there.
///
/// Variables of two tapes can't be mixed: an operation on both is recorded on the tape of its first argument, and
/// [`Tape::gradient`] sees nothing of the other. The lifetimes of the drivers rule it out.
#[derive(Debug, Clone, Copy)]
pub struct Var<'t, T = f64> {
    value: T,
    tape: Option<&'t Tape<T>>,
    number: u32,
}

impl<T: Scalar> Var<'_, T> {
    /// The value with the derivatives that `T` carries.
    pub fn inner(self) -> T {
        self.value
    }

    /// The number of the node; `u32::MAX` for a constant.
    pub(crate) fn number(self) -> u32 {
        self.number
    }

    #[inline(always)]
    fn one(self, value: T, partial: T) -> Self {
        match self.tape {
            None => Self {
                value,
                tape: None,
                number: CONSTANT,
            },
            Some(tape) => {
                let number = tape.push([self.number, CONSTANT], [partial, T::constant(0.0)]);
                Self {
                    value,
                    tape: Some(tape),
                    number,
                }
            }
        }
    }

    #[inline(always)]
    fn two(self, other: Self, value: T, partials: (T, T)) -> Self {
        match self.tape.or(other.tape) {
            None => Self {
                value,
                tape: None,
                number: CONSTANT,
            },
            Some(tape) => {
                let number = tape.push([self.number, other.number], [partials.0, partials.1]);
                Self {
                    value,
                    tape: Some(tape),
                    number,
                }
            }
        }
    }

    /// Puts a call with values `y` on the tape of its inputs.
    fn call(
        x: &[Self],
        values: &[T],
        y: &mut [Self],
        rule: impl FnOnce() -> Box<dyn Pullback<T>>,
    ) -> Result<(), Error> {
        let tape = x.iter().find_map(|x| x.tape);
        let first = match tape {
            Some(tape) => tape.push_call(x.iter().map(|x| x.number).collect(), y.len(), rule())?,
            None => CONSTANT,
        };
        for (k, (y, &value)) in y.iter_mut().zip(values).enumerate() {
            let number = if tape.is_some() {
                first + k as u32
            } else {
                CONSTANT
            };
            *y = Self {
                value,
                tape,
                number,
            };
        }
        Ok(())
    }
}

impl<T: Scalar> Tape<T> {
    /// A new independent variable.
    pub fn variable(&self, value: T) -> Var<'_, T> {
        let number = self.push([CONSTANT; 2], [T::constant(0.0); 2]);
        Var {
            value,
            tape: Some(self),
            number,
        }
    }

    /// The derivatives of `y` to the variables `x` (any nodes of the tape).
    ///
    /// Errors: those of custom rules on the way; [`Error::TapeFull`].
    pub fn gradient(&self, y: Var<'_, T>, x: &[Var<'_, T>]) -> Result<Vec<T>, Error> {
        let mut adjoints = Vec::new();
        self.pull([(y.number(), T::constant(1.0))], &mut adjoints)?;
        let zero = T::constant(0.0);
        Ok(x.iter()
            .map(|x| adjoints.get(x.number() as usize).copied().unwrap_or(zero))
            .collect())
    }
}

crate::impl_real_operators!(['t, T: Scalar + 'static] Var<'t, T>);
crate::impl_real_constant_operators!(['t, T: Scalar + 'static] Var<'t, T>);

impl<T: Scalar + 'static> Real for Var<'_, T> {
    type Mask = bool;

    #[inline(always)]
    fn constant(value: f64) -> Self {
        Self {
            value: T::constant(value),
            tape: None,
            number: CONSTANT,
        }
    }

    #[inline(always)]
    fn unary<F: UnaryRule>(self) -> Self {
        let y = self.value.unary::<F>();
        self.one(y, F::derivative(self.value, y))
    }

    #[inline(always)]
    fn binary<F: BinaryRule>(self, other: Self) -> Self {
        let y = self.value.binary::<F>(other.value);
        match F::OP {
            // Taking a side is no operation.
            Binary::Min | Binary::Max => Self::select(
                F::partials(self.value, other.value, y).1.value() == 0.0,
                self,
                other,
            ),
            _ => self.two(other, y, F::partials(self.value, other.value, y)),
        }
    }

    #[inline(always)]
    fn family(self, family: Family) -> Self {
        self.one(self.value.family(family), family.derivative(self.value))
    }

    #[inline(always)]
    fn lt(self, other: Self) -> bool {
        self.value < other.value
    }

    #[inline(always)]
    fn le(self, other: Self) -> bool {
        self.value <= other.value
    }

    #[inline(always)]
    fn gt(self, other: Self) -> bool {
        self.value > other.value
    }

    #[inline(always)]
    fn ge(self, other: Self) -> bool {
        self.value >= other.value
    }

    #[inline(always)]
    fn eq(self, other: Self) -> bool {
        self.value == other.value
    }

    #[inline(always)]
    fn select(mask: bool, a: Self, b: Self) -> Self {
        if mask { a } else { b }
    }

    #[inline(always)]
    fn stop_gradient(self) -> Self {
        Self {
            value: self.value.stop_gradient(),
            tape: None,
            number: CONSTANT,
        }
    }
}

impl<T: Scalar> PartialEq for Var<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Scalar> PartialOrd for Var<'_, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: Scalar + 'static> Scalar for Var<'_, T> {
    const NAME: &'static str = "Var (reverse mode)";
    const DIFFERENTIATED: bool = true;

    #[inline(always)]
    fn value(self) -> f64 {
        self.value.value()
    }

    fn custom_jvp<F: CustomJvp>(f: &F, x: &[Self], y: &mut [Self]) -> Result<(), Error> {
        let zero = T::constant(0.0);
        let primal: Vec<T> = x.iter().map(|x| x.value).collect();
        let mut value = vec![zero; y.len()];
        T::custom_jvp(f, &primal, &mut value)?;
        // The rule is linear in the tangents: its columns are its values at unit tangents.
        let mut columns = Vec::with_capacity(x.len() * y.len());
        let mut dx = vec![zero; x.len()];
        let mut dy = vec![zero; y.len()];
        for i in 0..x.len() {
            dx[i] = T::constant(1.0);
            f.jvp(&primal, &value, &dx, &mut dy)?;
            columns.extend_from_slice(&dy);
            dx[i] = zero;
        }
        Self::call(x, &value, y, || Box::new(Columns(columns)))
    }

    fn custom_vjp<F: CustomVjp + Clone + 'static>(
        f: &F,
        x: &[Self],
        y: &mut [Self],
    ) -> Result<(), Error> {
        if T::DIFFERENTIATED {
            return Err(Error::ReverseOnly {
                name: f.name(),
                scalar: "a tape over a differentiated scalar (second order)",
            });
        }
        let primal: Vec<f64> = x.iter().map(|x| x.value.value()).collect();
        let mut value = vec![0.0; y.len()];
        f.value(&primal, &mut value)?;
        let values: Vec<T> = value.iter().map(|&v| T::constant(v)).collect();
        Self::call(x, &values, y, || {
            Box::new(Cotangent {
                f: f.clone(),
                x: primal,
                y: value,
            })
        })
    }

    fn checkpoint<F: Function + Clone + 'static>(
        f: &F,
        x: &[Self],
        y: &mut [Self],
    ) -> Result<(), Error> {
        let primal: Vec<T> = x.iter().map(|x| x.value).collect();
        let mut value = vec![T::constant(0.0); y.len()];
        f.eval(&primal, &mut value)?;
        Self::call(x, &value, y, || {
            Box::new(Segment {
                f: f.clone(),
                x: primal,
            })
        })
    }
}

/// A dense Jacobian, column by column.
struct Columns<T>(Vec<T>);

impl<T: Scalar> Pullback<T> for Columns<T> {
    fn pull(&self, y_bar: &[T], x_bar: &mut [T]) -> Result<(), Error> {
        for (x_bar, column) in x_bar
            .iter_mut()
            .zip(self.0.chunks_exact(y_bar.len().max(1)))
        {
            for (&partial, &y_bar) in column.iter().zip(y_bar) {
                *x_bar += partial.times_tangent(y_bar);
            }
        }
        Ok(())
    }

    fn push(&self, x_dot: &[T], y_dot: &mut [T]) -> Result<(), Error> {
        for (&x_dot, column) in x_dot.iter().zip(self.0.chunks_exact(y_dot.len().max(1))) {
            for (&partial, y_dot) in column.iter().zip(y_dot.iter_mut()) {
                *y_dot += partial.times_tangent(x_dot);
            }
        }
        Ok(())
    }
}

/// A function with its own cotangent rule, at a point.
struct Cotangent<F> {
    f: F,
    x: Vec<f64>,
    y: Vec<f64>,
}

impl<T: Scalar, F: CustomVjp> Pullback<T> for Cotangent<F> {
    fn pull(&self, y_bar: &[T], x_bar: &mut [T]) -> Result<(), Error> {
        let y_bar: Vec<f64> = y_bar.iter().map(|y| y.value()).collect();
        let mut out = vec![0.0; x_bar.len()];
        self.f.vjp(&self.x, &self.y, &y_bar, &mut out)?;
        for (x_bar, &out) in x_bar.iter_mut().zip(&out) {
            *x_bar = T::constant(out);
        }
        Ok(())
    }

    fn push(&self, _: &[T], _: &mut [T]) -> Result<(), Error> {
        Err(Error::ReverseOnly {
            name: self.f.name(),
            scalar: "a forward sweep of the tape",
        })
    }
}

/// A piece of a program that is recorded when its cotangents are wanted.
struct Segment<F, T> {
    f: F,
    x: Vec<T>,
}

impl<F: Function, T: Scalar + 'static> Segment<F, T> {
    /// Records the piece; gives the node numbers of its inputs (0 to n − 1) and outputs.
    fn record(&self, tape: &Tape<T>, outputs: usize) -> Result<Vec<u32>, Error> {
        let x: Vec<Var<'_, T>> = self.x.iter().map(|&x| tape.variable(x)).collect();
        let mut y = vec![Var::constant(0.0); outputs];
        self.f.eval(&x, &mut y)?;
        Ok(y.iter().map(|y| y.number()).collect())
    }
}

impl<F: Function, T: Scalar + 'static> Pullback<T> for Segment<F, T> {
    fn pull(&self, y_bar: &[T], x_bar: &mut [T]) -> Result<(), Error> {
        let tape = Tape::new();
        let outputs = self.record(&tape, y_bar.len())?;
        let mut adjoints = Vec::new();
        tape.pull(
            outputs.into_iter().zip(y_bar.iter().copied()),
            &mut adjoints,
        )?;
        x_bar.copy_from_slice(&adjoints[..self.x.len()]);
        Ok(())
    }

    fn push(&self, x_dot: &[T], y_dot: &mut [T]) -> Result<(), Error> {
        let tape = Tape::new();
        let outputs = self.record(&tape, y_dot.len())?;
        let mut tangents = Vec::new();
        tape.push_forward((0..).zip(x_dot.iter().copied()), &mut tangents)?;
        for (y_dot, output) in y_dot.iter_mut().zip(outputs) {
            *y_dot = tangents
                .get(output as usize)
                .copied()
                .unwrap_or(T::constant(0.0));
        }
        Ok(())
    }
}
