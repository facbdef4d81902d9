//! The functions over slices, compiled for each instruction set.
//!
//! Each kernel works on chunks of [`CHUNK`] values through a local array, so several vectors are in flight, destination and source can't alias inside,
//! and a remainder costs one chunk. `NAME(dst, src)` runs on the widest instruction set of the machine; `NAME_at(level)` is the instance for one of them,
//! a plain `fn` for a table of kernels. Both panic where the lengths differ.
//!
//! # Example
//! ```
//! use pullback_ad::math::slice;
//!
//! let mut y = [0.0; 3];
//! slice::exp(&mut y, &[0.0, 1.0, f64::NEG_INFINITY]);
//! assert_eq!(y, [1.0, std::f64::consts::E, 0.0]);
//! ```
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
    /// f(x, y): without branches for every pair that is not [`rare`](Map2::is_rare).
    fn eval<I: Isa>(x: f64, y: f64) -> f64;

    /// Whether `eval` doesn't hold for x and y.
    #[inline(always)]
    fn is_rare(_x: f64, _y: f64) -> bool {
        false
    }

    /// f(x, y) for a rare pair.
    fn rare(x: f64, _y: f64) -> f64 {
        x
    }
}

type Chunk = [f64; CHUNK];

#[cold]
#[inline(never)]
fn redo1<F: Map1>(dst: &mut Chunk, src: &Chunk) {
    for (d, s) in dst.iter_mut().zip(src) {
        if F::is_rare(*s) {
            *d = F::rare(*s);
        }
    }
}

#[cold]
#[inline(never)]
fn redo2<F: Map2>(dst: &mut Chunk, x: &Chunk, y: &Chunk) {
    for ((d, x), y) in dst.iter_mut().zip(x).zip(y) {
        if F::is_rare(*x, *y) {
            *d = F::rare(*x, *y);
        }
    }
}

#[inline(always)]
fn chunk1<I: Isa, F: Map1>(src: &Chunk) -> Chunk {
    let mut out = [0.0; CHUNK];
    for i in 0..CHUNK {
        out[i] = F::eval::<I>(src[i]);
    }
    let mut any = false;
    for s in src {
        any |= F::is_rare(*s);
    }
    if any {
        redo1::<F>(&mut out, src);
    }
    out
}

#[inline(always)]
fn chunk2<I: Isa, F: Map2>(x: &Chunk, y: &Chunk) -> Chunk {
    let mut out = [0.0; CHUNK];
    for i in 0..CHUNK {
        out[i] = F::eval::<I>(x[i], y[i]);
    }
    let mut any = false;
    for i in 0..CHUNK {
        any |= F::is_rare(x[i], y[i]);
    }
    if any {
        redo2::<F>(&mut out, x, y);
    }
    out
}

#[inline(always)]
fn padded(src: &[f64]) -> Chunk {
    let mut full = [1.0; CHUNK];
    full[..src.len()].copy_from_slice(src);
    full
}

/// dst\[i\] = F(src\[i\]): the body of a kernel, to be compiled by [`multiversion!`](crate::multiversion).
#[inline(always)]
pub fn map1<I: Isa, F: Map1>(dst: &mut [f64], src: &[f64]) {
    assert_eq!(dst.len(), src.len(), "lengths of destination and source");
    let (chunks, rest) = src.as_chunks::<CHUNK>();
    let (outs, out_rest) = dst.as_chunks_mut::<CHUNK>();
    let padded = [padded(rest)];
    let mut last = [[0.0; CHUNK]];
    // The remainder takes a second turn of the same loop, so that the function is compiled once.
    let (mut d, mut s) = (outs, chunks);
    let mut turns = if rest.is_empty() { 1 } else { 2 };
    loop {
        for (d, s) in d.iter_mut().zip(s) {
            *d = chunk1::<I, F>(s);
        }
        turns -= 1;
        if turns == 0 {
            break;
        }
        (d, s) = (&mut last, &padded);
    }
    out_rest.copy_from_slice(&last[0][..rest.len()]);
}

/// dst\[i\] = F(x\[i\], y\[i\]): the body of a kernel, to be compiled by [`multiversion!`](crate::multiversion).
#[inline(always)]
pub fn map2<I: Isa, F: Map2>(dst: &mut [f64], x: &[f64], y: &[f64]) {
    assert!(
        dst.len() == x.len() && x.len() == y.len(),
        "lengths of destination and sources"
    );
    let ((x_chunks, x_rest), (y_chunks, y_rest)) = (x.as_chunks::<CHUNK>(), y.as_chunks::<CHUNK>());
    let (outs, out_rest) = dst.as_chunks_mut::<CHUNK>();
    let (x_padded, y_padded) = ([padded(x_rest)], [padded(y_rest)]);
    let mut last = [[0.0; CHUNK]];
    let (mut d, mut x, mut y) = (outs, x_chunks, y_chunks);
    let mut turns = if x_rest.is_empty() { 1 } else { 2 };
    loop {
        for ((d, x), y) in d.iter_mut().zip(x).zip(y) {
            *d = chunk2::<I, F>(x, y);
        }
        turns -= 1;
        if turns == 0 {
            break;
        }
        (d, x, y) = (&mut last, &x_padded, &y_padded);
    }
    out_rest.copy_from_slice(&last[0][..x_rest.len()]);
}

macro_rules! kernels {
    ($map:ident, $trait:ident, $args:tt; $($name:ident, $at:ident, $ty:ident in $file:ident $(: $core:ident, $is_rare:ident, $rare:ident)?;)*) => {
        $(kernels!(@row $map $trait $args $name $at $ty $file $($core $is_rare $rare)?);)*
    };
    (@row $map:ident $trait:ident ($($arg:ident),+) $name:ident $at:ident $ty:ident $file:ident $($range:ident)*) => {
        #[doc = concat!("[`", stringify!($name), "`](fn@super::", stringify!($file), "::", stringify!($name), ") as a type.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $ty;

        impl $trait for $ty {
            kernels!(@eval ($($arg),+) $file $name $($range)*);
        }

        crate::multiversion! {
            #[doc = concat!("[`", stringify!($name), "`](fn@super::", stringify!($file), "::", stringify!($name), ") of each element.")]
            pub fn $name, $at(dst: &mut [f64], $($arg: &[f64]),+) = bodies::$map::$name;
        }
    };
    (@eval ($($arg:ident),+) $file:ident $name:ident) => {
        #[inline(always)]
        fn eval<I: Isa>($($arg: f64),+) -> f64 {
            super::$file::$name::<I>($($arg),+)
        }
    };
    (@eval ($($arg:ident),+) $file:ident $name:ident $core:ident $is_rare:ident $rare:ident) => {
        #[inline(always)]
        fn eval<I: Isa>($($arg: f64),+) -> f64 {
            super::$file::$core::<I>($($arg),+)
        }

        #[inline(always)]
        fn is_rare($($arg: f64),+) -> bool {
            super::$file::$is_rare($($arg),+)
        }

        fn rare($($arg: f64),+) -> f64 {
            super::$file::$rare($($arg),+)
        }
    };
}

macro_rules! kernel_bodies {
    ($map:ident, $trait:ident, $args:tt; $($name:ident, $at:ident, $ty:ident in $file:ident $(: $core:ident, $is_rare:ident, $rare:ident)?;)*) => {
        pub(super) mod $map {
            use super::super::{$map, $($ty),*};
            use crate::isa::Isa;
            $(kernel_bodies!(@row $map $args $name $ty);)*
        }
    };
    (@row $map:ident ($($arg:ident),+) $name:ident $ty:ident) => {
        #[inline(always)]
        pub(in super::super) fn $name<I: Isa>(dst: &mut [f64], $($arg: &[f64]),+) {
            $map::<I, $ty>(dst, $($arg),+);
        }
    };
}

for_each_unary!(kernels);
for_each_binary!(kernels);
mod bodies {
    for_each_unary!(kernel_bodies);
    for_each_binary!(kernel_bodies);
}
