//! The functions over slices, compiled for each instruction set.
//!
//! Each kernel works on chunks of 32 values through a local array, so several vectors are in flight and a remainder costs one chunk. `NAME_at(level)`
//! returns the instance for an instruction set. Panics where the lengths differ.
use crate::isa::Isa;

/// Values per inner loop: four AVX-512 vectors, eight of AVX2.
pub const CHUNK: usize = 32;

/// An elementwise function of one argument, as a type.
pub trait Map1 {
    /// f(x): without branches for every x that is not [`rare`](Map1::is_rare).
    fn eval<I: Isa>(x: f64) -> f64;

    /// Whether `eval` doesn't hold for x.
    #[inline(always)]
    fn is_rare(_x: f64) -> bool {
        false
    }

    /// f(x) for a rare x.
    fn rare(x: f64) -> f64 {
        x
    }
}

/// An elementwise function of two arguments, as a type.
pub trait Map2 {
    /// f(x, y), without branches.
    fn eval<I: Isa>(x: f64, y: f64) -> f64;
}

#[cold]
#[inline(never)]
fn redo<F: Map1>(dst: &mut [f64; CHUNK], src: &[f64; CHUNK]) {
    for (d, s) in dst.iter_mut().zip(src) {
        if F::is_rare(*s) {
            *d = F::rare(*s);
        }
    }
}

#[inline(always)]
fn chunk<I: Isa, F: Map1>(src: &[f64; CHUNK]) -> [f64; CHUNK] {
    let mut out = [0.0; CHUNK];
    for i in 0..CHUNK {
        out[i] = F::eval::<I>(src[i]);
    }
    let mut any = false;
    for s in src {
        any |= F::is_rare(*s);
    }
    if any {
        redo::<F>(&mut out, src);
    }
    out
}

/// dst\[i\] = F(src\[i\]): the body of a kernel, to be compiled by [`multiversion!`](crate::multiversion).
#[inline(always)]
pub fn map1<I: Isa, F: Map1>(dst: &mut [f64], src: &[f64]) {
    assert_eq!(dst.len(), src.len(), "lengths of destination and source");
    let (heads, head) = src.as_chunks::<CHUNK>();
    let (outs, out) = dst.as_chunks_mut::<CHUNK>();
    for (d, s) in outs.iter_mut().zip(heads) {
        *d = chunk::<I, F>(s);
    }
    if !head.is_empty() {
        let mut padded = [1.0; CHUNK];
        padded[..head.len()].copy_from_slice(head);
        let full = chunk::<I, F>(&padded);
        out.copy_from_slice(&full[..head.len()]);
    }
}

macro_rules! unary {
    ($($(#[$meta:meta])* $name:ident, $at:ident, $ty:ident in $file:ident;)*) => {
        $(
            #[doc = concat!("[`", stringify!($name), "`](fn@", "super::", stringify!($file), "::", stringify!($name), ") as a type.")]
            #[derive(Clone, Copy, Debug)]
            pub struct $ty;

            impl Map1 for $ty {
                #[inline(always)]
                fn eval<I: Isa>(x: f64) -> f64 {
                    super::$file::$name::<I>(x)
                }
            }

            crate::multiversion! {
                #[doc = concat!("dst\\[i\\] = ", stringify!($name), "(src\\[i\\]); see [`", "super::", stringify!($file), "::", stringify!($name), "`].")]
                pub fn $name, $at(dst: &mut [f64], src: &[f64]) = bodies::$name;
            }
        )*
        mod bodies {
            use super::*;
            $(
                #[inline(always)]
                pub(super) fn $name<I: Isa>(dst: &mut [f64], src: &[f64]) {
                    map1::<I, $ty>(dst, src);
                }
            )*
        }
    };
}
unary! {
    exp, exp_at, Exp in exp;
    ln, ln_at, Ln in ln;
}
