//! Larger and smaller of two doubles, as all kernels decide it.

/// The larger of two; NaN if either is; the first at a tie.
#[inline(always)]
pub(crate) fn maximum(a: f64, b: f64) -> f64 {
    if a >= b || a.is_nan() { a } else { b }
}

/// The smaller of two; NaN if either is; the first at a tie.
#[inline(always)]
pub(crate) fn minimum(a: f64, b: f64) -> f64 {
    if a <= b || a.is_nan() { a } else { b }
}
