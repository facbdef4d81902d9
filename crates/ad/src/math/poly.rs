//! Polynomials with the evaluation orders that the functions need.
use crate::isa::Isa;

/// Horner's rule: the fewest operations, for chunks with several vectors in flight.
#[inline(always)]
pub(crate) fn horner<I: Isa, const N: usize>(x: f64, c: &[f64; N]) -> f64 {
    let mut r = c[N - 1];
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        r = I::fma(r, x, c[i]);
    }
    r
}

/// Horner's rule on the even and the odd coefficients: one operation more, half the latency.
#[inline(always)]
pub(crate) fn even_odd<I: Isa, const N: usize>(x: f64, c: &[f64; N]) -> f64 {
    let z = x * x;
    let (mut even, mut odd) = if N % 2 == 1 {
        (c[N - 1], c[N - 2])
    } else {
        (c[N - 2], c[N - 1])
    };
    let mut i = if N % 2 == 1 { N - 2 } else { N - 1 };
    // `i` is the index of the last odd coefficient taken; the last even one is i + 1 or i - 1.
    let mut j = if N % 2 == 1 { N - 1 } else { N - 2 };
    while i >= 2 {
        i -= 2;
        odd = I::fma(odd, z, c[i]);
    }
    while j >= 2 {
        j -= 2;
        even = I::fma(even, z, c[j]);
    }
    I::fma(odd, x, even)
}
