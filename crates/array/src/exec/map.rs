//! Elementwise loops, compiled for each instruction set.
#![allow(unsafe_code)] // Kernels receive raw operands; see `slices`.

use pullback_ad::isa::{Isa, Level};
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
    /// The function.
    fn eval<I: Isa>(a: Self::A, b: Self::B, c: Self::C) -> Self::Out;
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

/// A group of lanes of an argument: a chunk of the array, or a repeated scalar.
#[inline(always)]
fn group<T: Copy>(p: *const u8, g: usize, scalar: bool) -> [T; GROUP] {
    // SAFETY: slots are padded to whole groups and zero-initialised; a scalar slot holds one element; zero-sized `()` reads nothing.
    unsafe {
        if size_of::<T>() == 0 || scalar {
            [if size_of::<T>() == 0 { std::mem::zeroed() } else { *p.cast::<T>() }; GROUP]
        } else {
            *p.cast::<[T; GROUP]>().add(g)
        }
    }
}

#[inline(always)]
fn run_body<I: Isa, F: Lane, S: Scalars>(args: MapArgs) {
    let groups = args.n.div_ceil(GROUP);
    // SAFETY: the destination is padded to whole groups, owned by this call and distinct from the sources.
    let dst = unsafe { std::slice::from_raw_parts_mut(args.dst.cast::<[F::Out; GROUP]>(), groups) };
    lanes::<I, F, S>(dst, args.src);
}

#[inline(always)]
fn lanes<I: Isa, F: Lane, S: Scalars>(dst: &mut [[F::Out; GROUP]], src: [*const u8; 3]) {
    for (g, out) in dst.iter_mut().enumerate() {
        let a = group::<F::A>(src[0], g, S::MASK & 1 != 0);
        let b = group::<F::B>(src[1], g, S::MASK & 2 != 0);
        let c = group::<F::C>(src[2], g, S::MASK & 4 != 0);
        for j in 0..GROUP {
            out[j] = F::eval::<I>(a[j], b[j], c[j]);
        }
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
