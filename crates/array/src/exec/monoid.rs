//! Partial results of accumulators: their identity, and how two are combined.
#![allow(unsafe_code)] // Slots are raw memory.
#![allow(clippy::cast_ptr_alignment)] // Slots are aligned for every element type.

use super::kernel::Monoid;
use crate::prim;
use crate::ty::DType;

fn identity(monoid: Monoid) -> f64 {
    match monoid {
        Monoid::Max => f64::NEG_INFINITY,
        Monoid::Min => f64::INFINITY,
        _ => 0.0,
    }
}

/// Sets `n` elements to the identity.
pub(super) fn initialise(ptr: *mut u8, n: usize, dtype: DType, monoid: Monoid) {
    // SAFETY: callers pass slots reserved for `n` elements of `dtype`.
    unsafe {
        match dtype {
            DType::F64 => {
                std::slice::from_raw_parts_mut(ptr.cast::<f64>(), n).fill(identity(monoid));
            }
            DType::Bool => {
                std::slice::from_raw_parts_mut(ptr, n).fill(u8::from(monoid == Monoid::And));
            }
            DType::I64 => std::slice::from_raw_parts_mut(ptr.cast::<i64>(), n).fill(match monoid {
                Monoid::Max => i64::MIN,
                Monoid::Min => i64::MAX,
                _ => 0,
            }),
            _ => std::slice::from_raw_parts_mut(ptr, n * dtype.bytes()).fill(0),
        }
    }
}

/// Combines `n` elements of `src` into those of `dst`.
pub(super) fn combine(dst: *mut u8, src: *const u8, n: usize, dtype: DType, monoid: Monoid) {
    // SAFETY: both were reserved for `n` elements of `dtype` and are distinct buffers.
    unsafe {
        match dtype {
            DType::F64 => {
                let (dst, src) = (
                    std::slice::from_raw_parts_mut(dst.cast::<f64>(), n),
                    std::slice::from_raw_parts(src.cast::<f64>(), n),
                );
                for (d, s) in dst.iter_mut().zip(src) {
                    *d = match monoid {
                        Monoid::Max => prim::maximum(*d, *s),
                        Monoid::Min => prim::minimum(*d, *s),
                        _ => *d + *s,
                    };
                }
            }
            DType::I64 => {
                let (dst, src) = (
                    std::slice::from_raw_parts_mut(dst.cast::<i64>(), n),
                    std::slice::from_raw_parts(src.cast::<i64>(), n),
                );
                for (d, s) in dst.iter_mut().zip(src) {
                    *d = match monoid {
                        Monoid::Max => (*d).max(*s),
                        Monoid::Min => (*d).min(*s),
                        _ => *d + *s,
                    };
                }
            }
            _ => {
                let (dst, src) = (
                    std::slice::from_raw_parts_mut(dst, n),
                    std::slice::from_raw_parts(src, n),
                );
                for (d, s) in dst.iter_mut().zip(src) {
                    *d = if monoid == Monoid::And {
                        *d & *s
                    } else {
                        *d | *s
                    };
                }
            }
        }
    }
}
