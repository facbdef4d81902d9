//! Elementwise loops, compiled for each instruction set.
#![allow(unsafe_code)] // Kernels receive raw operands; see `slices`.

use pullback_ad::isa::{Isa, Level, Portable};
use pullback_ad::multiversion;

use super::buffer::GROUP;
use super::kernel::{MapArgs, MapFn};

/// A function of up to three elements, evaluated lane by lane.
pub trait Lane: 'static {
    /// Types of the arguments (unused ones are `()`).
    type A: Copy + 'static;
    /// Second argument.
    type B: Copy + 'static;
    /// Third argument.
    type C: Copy + 'static;
    /// Type of the result.
    type Out: Copy + 'static;
    /// Whether it is a long chain of operations, worth several vectors in flight.
    const HEAVY: bool = false;
    /// The function.
    fn eval<I: Isa>(a: Self::A, b: Self::B, c: Self::C) -> Self::Out;

    /// Whether `eval` does not hold for these arguments; only asked of a heavy function.
    #[inline(always)]
    fn is_rare(_a: Self::A, _b: Self::B) -> bool {
        false
    }

    /// The function where `eval` does not hold.
    fn rare(a: Self::A, b: Self::B, c: Self::C) -> Self::Out {
        Self::eval::<Portable>(a, b, c)
    }
}

/// Whether arguments are scalars, as a type.
pub trait Scalars: 'static {
    /// Bit `i` is set if argument `i` is a single element.
    const MASK: u8;
}

/// Arguments of `MASK` are scalars.
pub struct Are<const MASK: u8>;

impl<const MASK: u8> Scalars for Are<MASK> {
    const MASK: u8 = MASK;
}

/// An argument: an array of whole groups, or a repeated scalar.
enum Arg<'a, T> {
    Array(&'a [T]),
    Scalar(T),
}

#[inline(always)]
fn argument<'a, T: Copy>(p: *const u8, n: usize, scalar: bool) -> Arg<'a, T> {
    // SAFETY: slots are padded to whole groups and zero-initialised; a scalar slot holds one element; zero-sized `()` is never read.
    unsafe {
        if size_of::<T>() == 0 {
            Arg::Scalar(std::mem::zeroed())
        } else if scalar {
            Arg::Scalar(*p.cast::<T>())
        } else {
            Arg::Array(std::slice::from_raw_parts(p.cast::<T>(), n))
        }
    }
}

#[inline(always)]
fn run_body<I: Isa, F: Lane, S: Scalars>(args: MapArgs) {
    let n = args.n.next_multiple_of(GROUP);
    // SAFETY: the destination is padded to whole groups, owned by this call and distinct from the sources.
    let dst = unsafe { std::slice::from_raw_parts_mut(args.dst.cast::<F::Out>(), n) };
    let a = argument::<F::A>(args.src[0], n, S::MASK & 1 != 0);
    let b = argument::<F::B>(args.src[1], n, S::MASK & 2 != 0);
    let c = argument::<F::C>(args.src[2], n, S::MASK & 4 != 0);
    match (a, b, c) {
        (Arg::Array(a), Arg::Scalar(b), Arg::Scalar(c)) if F::HEAVY => {
            chunks::<I, F>(dst, a, b, c, args.n);
        }
        (Arg::Array(a), Arg::Array(b), Arg::Scalar(c)) if F::HEAVY => {
            chunks2::<I, F>(dst, a, b, c, args.n);
        }
        (Arg::Scalar(a), Arg::Array(b), Arg::Scalar(c)) if F::HEAVY => {
            chunks_right::<I, F>(dst, a, b, c, args.n);
        }
        (Arg::Array(a), Arg::Scalar(b), Arg::Scalar(c)) => zip1(dst, a, |a| F::eval::<I>(a, b, c)),
        (Arg::Array(a), Arg::Array(b), Arg::Scalar(c)) => {
            zip2(dst, a, b, |a, b| F::eval::<I>(a, b, c));
        }
        (Arg::Scalar(a), Arg::Array(b), Arg::Scalar(c)) => zip1(dst, b, |b| F::eval::<I>(a, b, c)),
        (Arg::Array(a), Arg::Array(b), Arg::Array(c)) => {
            zip3(dst, a, b, c, |a, b, c| F::eval::<I>(a, b, c));
        }
        (Arg::Scalar(a), Arg::Array(b), Arg::Array(c)) => {
            zip2(dst, b, c, |b, c| F::eval::<I>(a, b, c));
        }
        (Arg::Array(a), Arg::Scalar(b), Arg::Array(c)) => {
            zip2(dst, a, c, |a, c| F::eval::<I>(a, b, c));
        }
        _ => {}
    }
}

/// One group of a heavy function: several vectors, so that the long chains of operations overlap. Only the first `n` elements are meant.
#[inline(always)]
fn group<I: Isa, F: Lane>(
    out: &mut [F::Out; GROUP],
    a: &[F::A; GROUP],
    b: &[F::B; GROUP],
    c: F::C,
    n: usize,
) {
    for j in 0..GROUP {
        out[j] = F::eval::<I>(a[j], b[j], c);
    }
    let mut rare = false;
    for j in 0..GROUP {
        rare |= F::is_rare(a[j], b[j]);
    }
    if rare {
        redo::<F>(out, a, b, c, n.min(GROUP));
    }
}

/// The elements that the vectorised form does not cover.
#[cold]
#[inline(never)]
fn redo<F: Lane>(
    out: &mut [F::Out; GROUP],
    a: &[F::A; GROUP],
    b: &[F::B; GROUP],
    c: F::C,
    n: usize,
) {
    for j in 0..n {
        if F::is_rare(a[j], b[j]) {
            out[j] = F::rare(a[j], b[j], c);
        }
    }
}

/// One array under a heavy function.
#[inline(always)]
fn chunks<I: Isa, F: Lane>(dst: &mut [F::Out], a: &[F::A], b: F::B, c: F::C, mut n: usize) {
    let outs = dst.as_chunks_mut::<GROUP>().0;
    for (out, a) in outs.iter_mut().zip(a.as_chunks::<GROUP>().0) {
        group::<I, F>(out, a, &[b; GROUP], c, n);
        n = n.saturating_sub(GROUP);
    }
}

/// One array and a scalar before it.
#[inline(always)]
fn chunks_right<I: Isa, F: Lane>(dst: &mut [F::Out], a: F::A, b: &[F::B], c: F::C, mut n: usize) {
    let outs = dst.as_chunks_mut::<GROUP>().0;
    for (out, b) in outs.iter_mut().zip(b.as_chunks::<GROUP>().0) {
        group::<I, F>(out, &[a; GROUP], b, c, n);
        n = n.saturating_sub(GROUP);
    }
}

/// Two arrays under a heavy function.
#[inline(always)]
fn chunks2<I: Isa, F: Lane>(dst: &mut [F::Out], a: &[F::A], b: &[F::B], c: F::C, mut n: usize) {
    let outs = dst.as_chunks_mut::<GROUP>().0;
    let (a, b) = (a.as_chunks::<GROUP>().0, b.as_chunks::<GROUP>().0);
    for ((out, a), b) in outs.iter_mut().zip(a).zip(b) {
        group::<I, F>(out, a, b, c, n);
        n = n.saturating_sub(GROUP);
    }
}

/// One array under a cheap function: a plain loop (chunks make the compiler gather over the chunks).
#[inline(always)]
fn zip1<A: Copy, O>(dst: &mut [O], a: &[A], f: impl Fn(A) -> O) {
    for (out, a) in dst.iter_mut().zip(a) {
        *out = f(*a);
    }
}

#[inline(always)]
fn zip2<A: Copy, B: Copy, O>(dst: &mut [O], a: &[A], b: &[B], f: impl Fn(A, B) -> O) {
    for ((out, a), b) in dst.iter_mut().zip(a).zip(b) {
        *out = f(*a, *b);
    }
}

#[inline(always)]
fn zip3<A: Copy, B: Copy, C: Copy, O>(
    dst: &mut [O],
    a: &[A],
    b: &[B],
    c: &[C],
    f: impl Fn(A, B, C) -> O,
) {
    for (((out, a), b), c) in dst.iter_mut().zip(a).zip(b).zip(c) {
        *out = f(*a, *b, *c);
    }
}

multiversion! {
    fn run_here, run_at [F: Lane, S: Scalars](args: MapArgs) = run_body;
}

/// The loop for `F` whose arguments are scalars as in `mask`; cases without a loop of their own give `None`.
pub fn select<F: Lane>(level: Level, arity: usize, mask: u8) -> Option<MapFn> {
    let _ = run_here::<F, Are<0>>; // The instance for the current level is reached through the table.
    Some(match (arity, mask) {
        (_, 0) => run_at::<F, Are<0>>(level),
        (2 | 3, 1) => run_at::<F, Are<1>>(level),
        (2 | 3, 2) => run_at::<F, Are<2>>(level),
        (3, 4) => run_at::<F, Are<4>>(level),
        (3, 6) => run_at::<F, Are<6>>(level),
        _ => return None,
    })
}

/// The loop for `F` over arrays only: for functions that are rarely applied to broadcast scalars.
pub fn select_arrays<F: Lane>(level: Level, mask: u8) -> Option<MapFn> {
    (mask == 0).then(|| run_at::<F, Are<0>>(level))
}
