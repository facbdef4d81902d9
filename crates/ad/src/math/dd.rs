//! Error-free sums and products: pairs (h, l) whose sum is exact (Dekker 1971; Ogita, Rump and Oishi 2005, algorithms 3.1 to 3.3).
use crate::isa::Isa;

/// a + b = h + l exactly.
#[inline(always)]
pub(crate) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let h = a + b;
    let t = h - a;
    (h, (a - (h - t)) + (b - t))
}

/// a + b = h + l exactly, for |a| ≥ |b| or a = 0.
#[inline(always)]
pub(crate) fn quick_two_sum(a: f64, b: f64) -> (f64, f64) {
    let h = a + b;
    (h, b - (h - a))
}

/// a × b = h + l exactly (without a fused multiply-add for |a|, |b| < 2⁹⁹⁵).
#[inline(always)]
pub(crate) fn two_prod<I: Isa>(a: f64, b: f64) -> (f64, f64) {
    let h = a * b;
    if I::HAS_FMA {
        return (h, I::fma(a, b, -h));
    }
    let (a1, a2) = halves(a);
    let (b1, b2) = halves(b);
    (h, a2 * b2 - (((h - a1 * b1) - a2 * b1) - a1 * b2))
}

/// Veltkamp's split in 26 + 27 bits.
#[inline(always)]
fn halves(a: f64) -> (f64, f64) {
    let t = 134217729.0 * a;
    let h = t - (t - a);
    (h, a - h)
}
