//! Dual numbers whose tangents are vector registers, for the Jacobian driver.
//!
//! [`Dual<f64, 8>`](crate::Dual) leaves the vectorisation of its lanes to LLVM, which finds it or not: the Jacobian of the 57-operation orbit
//! in `benches` takes 5.5 times its value that way and 1.9 times in registers (AVX-512; AVX2 4.7 and 2.5). The registers come from `pulp`, whose operations are safe
//! to call because its tokens exist only on processors that have them.
#![allow(
    clippy::suspicious_arithmetic_impl,
    reason = "the product and quotient rules mix the operators"
)]

use core::cmp::Ordering;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use pulp::bytemuck;
use pulp::{NullaryFnOnce, Simd};

use crate::custom::{CustomJvp, CustomVjp};
use crate::drivers::Function;
use crate::error::Error;
use crate::real::{Real, Scalar};
use crate::table::{Binary, BinaryRule, Family, UnaryRule};

/// Tangents that are copied together: a cache line.
const LINE: usize = 8;

/// A token of `pulp` that can be had from nothing where one exists already.
pub trait Token: Simd {
    /// The token; `None` on a processor without these instructions.
    fn find() -> Option<Self>;
}

impl Token for pulp::x86::V3 {
    #[inline(always)]
    fn find() -> Option<Self> {
        Self::try_new()
    }
}

impl Token for pulp::x86::V4 {
    #[inline(always)]
    fn find() -> Option<Self> {
        Self::try_new()
    }
}

/// A value with tangents in R registers. Aligned, because a register that crosses cache lines can't be read soon after it was written.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub struct Packed<S: Token, const R: usize> {
    eps: [S::f64s; R],
    re: f64,
    simd: S,
}

/// p·t where neither vanishes exactly, else 0; see [`Real::times_tangent`].
#[inline(always)]
fn times_tangent<S: Simd>(simd: S, p: S::f64s, t: S::f64s) -> S::f64s {
    let zero = simd.splat_f64s(0.0);
    let none = simd.or_m64s(simd.equal_f64s(p, zero), simd.equal_f64s(t, zero));
    simd.select_f64s(none, zero, simd.mul_f64s(p, t))
}

impl<S: Token, const R: usize> Packed<S, R> {
    /// Tangents that travel together, a multiple of [`LINE`].
    pub const LANES: usize = R * size_of::<S::f64s>() / size_of::<f64>();

    #[inline(always)]
    fn lift(simd: S, re: f64) -> Self {
        Self {
            eps: [simd.splat_f64s(0.0); R],
            re,
            simd,
        }
    }

    #[inline(always)]
    fn lanes(&self) -> &[f64] {
        bytemuck::cast_slice(&self.eps)
    }

    #[inline(always)]
    fn lanes_mut(&mut self) -> &mut [f64] {
        bytemuck::cast_slice_mut(&mut self.eps)
    }

    // Loops, not `array::from_fn`: what the standard library calls back is not compiled for the instruction set unless it is inlined, and with
    // more than one register it is not.
    #[inline(always)]
    fn with(self, re: f64, f: impl Fn(S, S::f64s) -> S::f64s) -> Self {
        let mut eps = self.eps;
        for eps in &mut eps {
            *eps = f(self.simd, *eps);
        }
        Self { eps, re, ..self }
    }

    #[inline(always)]
    fn zip(self, other: Self, re: f64, f: impl Fn(S, S::f64s, S::f64s) -> S::f64s) -> Self {
        let mut eps = self.eps;
        for (eps, other) in eps.iter_mut().zip(&other.eps) {
            *eps = f(self.simd, *eps, *other);
        }
        Self { eps, re, ..self }
    }

    /// `re` with the tangents scaled by a derivative.
    #[inline(always)]
    fn chain(self, re: f64, slope: f64) -> Self {
        let slope = self.simd.splat_f64s(slope);
        self.with(re, |s, t| times_tangent(s, slope, t))
    }
}

impl<S: Token, const R: usize> Add for Packed<S, R> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, self.re + other.re, S::add_f64s)
    }
}

impl<S: Token, const R: usize> Sub for Packed<S, R> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, self.re - other.re, S::sub_f64s)
    }
}

impl<S: Token, const R: usize> Mul for Packed<S, R> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let (p, q) = (
            self.simd.splat_f64s(self.re),
            self.simd.splat_f64s(other.re),
        );
        self.zip(other, self.re * other.re, |s, a, b| {
            s.mul_add_f64s(a, q, s.mul_f64s(p, b))
        })
    }
}

impl<S: Token, const R: usize> Div for Packed<S, R> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let y = self.re / other.re;
        let (minus_y, inverse) = (
            self.simd.splat_f64s(-y),
            self.simd.splat_f64s(1.0 / other.re),
        );
        self.zip(other, y, |s, a, b| {
            s.mul_f64s(s.mul_add_f64s(minus_y, b, a), inverse)
        })
    }
}

impl<S: Token, const R: usize> Neg for Packed<S, R> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.with(-self.re, S::neg_f64s)
    }
}

impl<S: Token, const R: usize> Add<f64> for Packed<S, R> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: f64) -> Self {
        Self {
            re: self.re + other,
            ..self
        }
    }
}

impl<S: Token, const R: usize> Sub<f64> for Packed<S, R> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: f64) -> Self {
        Self {
            re: self.re - other,
            ..self
        }
    }
}

impl<S: Token, const R: usize> Mul<f64> for Packed<S, R> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: f64) -> Self {
        self.with(self.re * other, |s, a| s.mul_f64s(a, s.splat_f64s(other)))
    }
}

impl<S: Token, const R: usize> Div<f64> for Packed<S, R> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: f64) -> Self {
        self.with(self.re / other, |s, a| {
            s.mul_f64s(a, s.splat_f64s(1.0 / other))
        })
    }
}

impl<S: Token, const R: usize> AddAssign for Packed<S, R> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<S: Token, const R: usize> SubAssign for Packed<S, R> {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl<S: Token, const R: usize> MulAssign for Packed<S, R> {
    #[inline(always)]
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl<S: Token, const R: usize> DivAssign for Packed<S, R> {
    #[inline(always)]
    fn div_assign(&mut self, other: Self) {
        *self = *self / other;
    }
}

impl<S: Token, const R: usize> Real for Packed<S, R> {
    type Mask = bool;

    #[inline(always)]
    fn constant(value: f64) -> Self {
        match S::find() {
            Some(simd) => Self::lift(simd, value),
            // The driver makes this type only with a token in hand.
            None => unreachable!("a packed scalar on a processor without its registers"),
        }
    }

    #[inline(always)]
    fn unary<F: UnaryRule>(self) -> Self {
        let y = F::value(self.re);
        self.chain(y, F::derivative(self.re, y))
    }

    #[inline(always)]
    fn binary<F: BinaryRule>(self, other: Self) -> Self {
        match F::OP {
            Binary::Add => self + other,
            Binary::Sub => self - other,
            Binary::Mul => self * other,
            Binary::Div => self / other,
            _ => {
                let y = F::value(self.re, other.re);
                let (da, db) = F::partials(self.re, other.re, y);
                let (da, db) = (self.simd.splat_f64s(da), self.simd.splat_f64s(db));
                self.zip(other, y, |s, a, b| {
                    s.add_f64s(times_tangent(s, da, a), times_tangent(s, db, b))
                })
            }
        }
    }

    #[inline(always)]
    fn family(self, family: Family) -> Self {
        self.chain(family.value(self.re), family.derivative(self.re))
    }

    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        let (sin, cos) = Real::sin_cos(self.re);
        (self.chain(sin, cos), self.chain(cos, -sin))
    }

    #[inline(always)]
    fn lt(self, other: Self) -> bool {
        self.re < other.re
    }

    #[inline(always)]
    fn le(self, other: Self) -> bool {
        self.re <= other.re
    }

    #[inline(always)]
    fn gt(self, other: Self) -> bool {
        self.re > other.re
    }

    #[inline(always)]
    fn ge(self, other: Self) -> bool {
        self.re >= other.re
    }

    #[inline(always)]
    fn eq(self, other: Self) -> bool {
        self.re == other.re
    }

    #[inline(always)]
    fn select(mask: bool, a: Self, b: Self) -> Self {
        if mask { a } else { b }
    }

    #[inline(always)]
    fn stop_gradient(self) -> Self {
        Self::lift(self.simd, self.re)
    }
}

impl<S: Token, const R: usize> PartialEq for Packed<S, R> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.re == other.re
    }
}

impl<S: Token, const R: usize> PartialOrd for Packed<S, R> {
    #[inline(always)]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.re.partial_cmp(&other.re)
    }
}

impl<S: Token, const R: usize> Scalar for Packed<S, R> {
    const NAME: &'static str = "Dual (forward mode)";
    const DIFFERENTIATED: bool = true;

    #[inline(always)]
    fn value(self) -> f64 {
        self.re
    }

    fn custom_jvp<F: CustomJvp>(f: &F, x: &[Self], y: &mut [Self]) -> Result<(), Error> {
        let primal: Vec<f64> = x.iter().map(|x| x.re).collect();
        let mut value = vec![0.0; y.len()];
        f.value(&primal, &mut value)?;
        for (y, &value) in y.iter_mut().zip(&value) {
            *y = Self::constant(value);
        }
        let mut dy = value.clone();
        for lane in 0..Self::LANES {
            let dx: Vec<f64> = x.iter().map(|x| x.lanes()[lane]).collect();
            f.jvp(&primal, &value, &dx, &mut dy)?;
            for (y, &dy) in y.iter_mut().zip(&dy) {
                y.lanes_mut()[lane] = dy;
            }
        }
        Ok(())
    }

    fn custom_vjp<F: CustomVjp + Clone + 'static>(
        f: &F,
        _: &[Self],
        _: &mut [Self],
    ) -> Result<(), Error> {
        Err(Error::ReverseOnly {
            name: f.name(),
            scalar: Self::NAME,
        })
    }
}

/// Inputs and outputs of one function, kept between calls.
#[derive(Debug)]
pub struct Buffers<S: Token, const R: usize> {
    simd: S,
    x: Vec<Packed<S, R>>,
    y: Vec<Packed<S, R>>,
    /// The column of the first unit tangent in `x`.
    seeded: Option<usize>,
}

/// Neighbouring columns of a Jacobian.
struct Chunk<'a, F, S: Token, const R: usize> {
    f: &'a F,
    x: &'a [f64],
    first: usize,
    value: &'a mut [f64],
    matrix: &'a mut [f64],
    buffers: &'a mut Buffers<S, R>,
}

impl<F: Function, S: Token, const R: usize> NullaryFnOnce for Chunk<'_, F, S, R> {
    type Output = Result<(), Error>;

    #[inline(always)]
    fn call(self) -> Self::Output {
        let Self {
            f,
            x,
            first,
            value,
            matrix,
            buffers,
        } = self;
        let Buffers {
            simd,
            x: inputs,
            y: outputs,
            seeded,
        } = buffers;
        let (n, zero) = (x.len(), Packed::lift(*simd, 0.0));
        if *seeded != Some(first) || inputs.len() != n {
            seed(*simd, inputs, n, first);
            *seeded = Some(first);
        }
        outputs.resize(value.len(), zero);
        for (input, &x) in inputs.iter_mut().zip(x) {
            input.re = x;
        }
        f.eval(inputs, outputs)?;
        // Whole lines at once (fewer lanes would be a call of `memcpy`): what is too much lies at the start of the next row, which is written
        // later. Only the last row ends where it must.
        let width = Packed::<S, R>::LANES.min(n - first);
        let last = outputs.len().saturating_sub(1);
        for (i, (output, value)) in outputs.iter().zip(value).enumerate() {
            *value = output.re;
            let begin = i * n + first;
            for (line, lanes) in output.lanes().as_chunks::<LINE>().0.iter().enumerate() {
                let done = line * LINE;
                match matrix
                    .get_mut(begin + done..)
                    .and_then(|rest| rest.first_chunk_mut::<LINE>())
                {
                    Some(entries) if i < last && done < width => *entries = *lanes,
                    _ => {
                        let left = width.saturating_sub(done).min(LINE);
                        for (k, lane) in lanes[..left].iter().enumerate() {
                            matrix[begin + done + k] = *lane;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// Values and tangents of outputs for inputs that share lanes by colour.
struct Compressed<'a, F, S: Token, const R: usize> {
    f: &'a F,
    x: &'a [f64],
    colours: &'a [u32],
    first: u32,
    buffers: &'a mut Buffers<S, R>,
}

impl<F: Function, S: Token, const R: usize> NullaryFnOnce for Compressed<'_, F, S, R> {
    type Output = Result<(), Error>;

    #[inline(always)]
    fn call(self) -> Self::Output {
        let Buffers {
            simd,
            x: inputs,
            y: outputs,
            seeded,
        } = self.buffers;
        let zero = Packed::lift(*simd, 0.0);
        *seeded = None;
        inputs.clear();
        inputs.extend(self.x.iter().zip(self.colours).map(|(&x, &colour)| {
            let mut input = Packed::lift(*simd, x);
            let lane = colour.wrapping_sub(self.first) as usize;
            if lane < Packed::<S, R>::LANES {
                input.lanes_mut()[lane] = 1.0;
            }
            input
        }));
        outputs.resize(self.f.outputs(), zero);
        self.f.eval(inputs, outputs)
    }
}

/// A Jacobian whose shape the compiler knows: a pass stays in registers.
struct Fixed<'a, F, S: Token, const R: usize, const N: usize, const M: usize> {
    simd: S,
    f: &'a F,
    x: &'a [f64; N],
    value: &'a mut [f64; M],
    matrix: &'a mut [[f64; N]; M],
}

impl<F: Function, S: Token, const R: usize, const N: usize, const M: usize> NullaryFnOnce
    for Fixed<'_, F, S, R, N, M>
{
    type Output = Result<(), Error>;

    #[inline(always)]
    fn call(mut self) -> Self::Output {
        // Written out, so that the place of the units is known to the compiler.
        self.pass(0)?;
        if N > Packed::<S, R>::LANES {
            self.pass(Packed::<S, R>::LANES)?;
        }
        if N > 2 * Packed::<S, R>::LANES {
            self.pass(2 * Packed::<S, R>::LANES)?;
        }
        for first in (3 * Packed::<S, R>::LANES..N).step_by(Packed::<S, R>::LANES) {
            self.pass(first)?;
        }
        Ok(())
    }
}

impl<F: Function, S: Token, const R: usize, const N: usize, const M: usize>
    Fixed<'_, F, S, R, N, M>
{
    /// The columns from `first` on.
    #[inline(always)]
    fn pass(&mut self, first: usize) -> Result<(), Error> {
        let mut inputs = [Packed::<S, R>::lift(self.simd, 0.0); N];
        #[allow(
            clippy::needless_range_loop,
            reason = "unrolled, so that the units are constants: 3.3 instead of 4.3 ms for the bundle adjustment of `benches`"
        )]
        for i in 0..N {
            inputs[i].re = self.x[i];
            if i >= first && i < first + Packed::<S, R>::LANES {
                inputs[i].lanes_mut()[i - first] = 1.0;
            }
        }
        let mut outputs = [Packed::lift(self.simd, 0.0); M];
        self.f.eval(&inputs, &mut outputs)?;
        for (i, output) in outputs.iter().enumerate() {
            self.value[i] = output.re;
            for (entry, &eps) in self.matrix[i].iter_mut().skip(first).zip(output.lanes()) {
                *entry = eps;
            }
        }
        Ok(())
    }
}

/// n inputs of which those from `first` on vary in a lane each.
#[inline(always)]
fn seed<S: Token, const R: usize>(simd: S, inputs: &mut Vec<Packed<S, R>>, n: usize, first: usize) {
    inputs.clear();
    inputs.resize(n, Packed::lift(simd, 0.0));
    let varying = inputs.iter_mut().skip(first).take(Packed::<S, R>::LANES);
    for (lane, input) in varying.enumerate() {
        input.lanes_mut()[lane] = 1.0;
    }
}

impl<S: Token, const R: usize> Buffers<S, R> {
    /// Value and Jacobian of a shape known to the compiler.
    #[inline]
    pub fn fixed<F: Function, const N: usize, const M: usize>(
        &self,
        f: &F,
        x: &[f64; N],
        value: &mut [f64; M],
        matrix: &mut [[f64; N]; M],
    ) -> Result<(), Error> {
        self.simd.vectorize(Fixed::<F, S, R, N, M> {
            simd: self.simd,
            f,
            x,
            value,
            matrix,
        })
    }

    /// Buffers, where the processor has the registers.
    pub fn find() -> Option<Self> {
        Some(Self {
            simd: S::find()?,
            x: Vec::new(),
            y: Vec::new(),
            seeded: None,
        })
    }

    /// The value, and the columns from `first` on (one per lane, or as many as there are) of the Jacobian by rows.
    ///
    /// Columns are to be computed from the right: fewer than a line leave something at the start of the next row, which the chunk there replaces.
    pub fn chunk<F: Function>(
        &mut self,
        f: &F,
        x: &[f64],
        first: usize,
        value: &mut [f64],
        matrix: &mut [f64],
    ) -> Result<(), Error> {
        self.simd.vectorize(Chunk {
            f,
            x,
            first,
            value,
            matrix,
            buffers: self,
        })
    }

    /// Evaluates `f` with the inputs of colour `first + k` varying together in lane k; `take(i, value, lanes)` sees each output.
    pub fn compressed<F: Function>(
        &mut self,
        f: &F,
        x: &[f64],
        colours: &[u32],
        first: u32,
        mut take: impl FnMut(usize, f64, &[f64]),
    ) -> Result<(), Error> {
        self.simd.vectorize(Compressed {
            f,
            x,
            colours,
            first,
            buffers: self,
        })?;
        for (i, output) in self.y.iter().enumerate() {
            take(i, output.re, output.lanes());
        }
        Ok(())
    }
}
