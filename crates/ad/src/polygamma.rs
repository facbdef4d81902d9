//! The polygamma functions ψ⁽ⁿ⁾ for n ≥ 1 and any real argument, by way of the Hurwitz zeta function.

use crate::values;

/// B₂ⱼ/(2j)! for j = 1, 2, …: the weights of the Euler–Maclaurin formula (Abramowitz & Stegun 23.1.30 with table 23.2).
const WEIGHTS: [f64; 12] = [
    8.333_333_333_333_333e-2,
    -1.388_888_888_888_889e-3,
    3.306_878_306_878_307e-5,
    -8.267_195_767_195_768e-7,
    2.087_675_698_786_81e-8,
    -5.284_190_138_687_493e-10,
    1.338_253_653_068_467_9e-11,
    -3.389_680_296_322_583e-13,
    8.586_062_056_277_845e-15,
    -2.174_868_698_558_062e-16,
    5.509_002_828_360_229_5e-18,
    -1.395_446_468_581_252_4e-19,
];

/// Largest n with a finite n!.
pub(crate) const LAST_FACTORIAL: u32 = 170;

/// xˢ·ζ(s, x) = Σₖ (1 + k/x)⁻ˢ for an integer s ≥ 2 and x > 0. Scaled so that it neither over- nor underflows.
fn scaled_zeta(s: f64, x: f64) -> f64 {
    // The asymptotic part is accurate to 1e-16 from here on; before that at most s + 12 terms, of which those below 1e-17 are not summed.
    let start = s + 12.0;
    let mut sum = 0.0;
    let mut z = x;
    while z < start {
        let term = (x / z).powf(s);
        sum += term;
        if term < 1e-18 * sum {
            return sum;
        }
        z += 1.0;
    }
    let lead = (x / z).powf(s);
    let w = 1.0 / (z * z);
    let mut factor = s / z;
    let mut tail = 0.0;
    for (j, weight) in WEIGHTS.iter().enumerate() {
        let term = weight * factor;
        tail += term;
        if term.abs() <= 1e-18 * tail.abs() {
            break;
        }
        let m = s + 2.0 * j as f64 + 1.0;
        factor *= m * (m + 1.0) * w;
    }
    sum + lead * (z / (s - 1.0) + 0.5 + tail)
}

/// The Hurwitz zeta function ζ(s, x) = Σₖ (x + k)⁻ˢ for an integer s ≥ 2 and any real x; inf (even s) or NaN (odd s) at 0, −1, −2, …; NaN
/// for s < 2.
///
/// # Example
/// ```
/// assert!((pullback_ad::hurwitz_zeta(3, 1.0) - 1.2020569031595942).abs() < 1e-15);
/// ```
///
/// Reference: Euler–Maclaurin summation, NIST DLMF 25.11.43.
pub fn hurwitz_zeta(s: u32, x: f64) -> f64 {
    let even = s.is_multiple_of(2);
    let exponent = f64::from(s);
    if s < 2 || x.is_nan() {
        return f64::NAN;
    }
    if x > 0.0 {
        return if x.is_infinite() {
            0.0
        } else {
            scaled_zeta(exponent, x) * x.powf(-exponent)
        };
    }
    let turn = x - x.floor();
    if turn == 0.0 || x.is_infinite() {
        return if even && x.is_finite() {
            f64::INFINITY
        } else {
            f64::NAN
        };
    }
    // The sum over all integers has period 1; what it has too much is a zeta function again.
    let sign = if even { 1.0 } else { -1.0 };
    hurwitz_zeta(s, turn) + sign * (hurwitz_zeta(s, 1.0 - turn) - hurwitz_zeta(s, 1.0 - x))
}

/// ψ⁽ⁿ⁾(x)/n! = (−1)ⁿ⁺¹ ζ(n + 1, x) for n ≥ 1: the coefficient that a Taylor series of ψ needs.
pub fn polygamma_over_factorial(n: u32, x: f64) -> f64 {
    let zeta = hurwitz_zeta(n.saturating_add(1), x);
    if n.is_multiple_of(2) { -zeta } else { zeta }
}

/// ψ⁽ⁿ⁾(x); n = 0 is the digamma function (Abramowitz & Stegun 6.4.10 and 6.4.11).
///
/// Relative error: 4e-15 up to n = 170 where the value is not near a zero, 1e-12 above (n! is not representable and logarithms are added).
/// At the poles: inf for odd n, NaN for even n.
///
/// # Example
/// ```
/// let pi = std::f64::consts::PI;
/// assert!((pullback_ad::polygamma(1, 1.0) - pi * pi / 6.0).abs() < 1e-15);
/// ```
pub fn polygamma(n: u32, x: f64) -> f64 {
    match n {
        0 => return values::digamma(x),
        1 => return values::trigamma(x),
        _ => {}
    }
    if n <= LAST_FACTORIAL {
        let factorial = (2..=n).fold(1.0, |f, k| f * f64::from(k));
        return factorial * polygamma_over_factorial(n, x);
    }
    if x > 0.0 && x.is_finite() {
        // n!·x^−(n+1) is finite for large x although n! is not.
        let s = f64::from(n) + 1.0;
        let size = (libm::lgamma(s) - s * x.ln() + scaled_zeta(s, x).ln()).exp();
        return if n.is_multiple_of(2) { -size } else { size };
    }
    f64::INFINITY * polygamma_over_factorial(n, x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `reference/polygamma.py`.
    const REFERENCE: [(u32, f64, f64); 18] = [
        (1, 0.5, 4.934802200544679),
        (1, 1.0, 1.6449340668482264),
        (1, 10.0, 0.10516633568168575),
        (1, -2.5, 9.539246644989124),
        (1, 0.001, 1000001.6425331958),
        (1, 100000000.0, 1.000000005e-08),
        (2, 1.0, -2.4041138063191885),
        (2, 0.1, -2001.8614573783436),
        (2, 25.0, -0.001665279318422468),
        (2, -0.75, -124.58699919679619),
        (3, 2.0, 0.49393940226682914),
        (5, 3.5, 0.08704917856718349),
        (8, 1.25, -5440.043915009398),
        (20, 4.0, -558395.585813933),
        (20, 60.0, -3.9139218746436707e-19),
        (60, 90.0, -1.0578202036186586e-37),
        (170, 12.0, -2.093097285096988e+122),
        (200, 900.0, -6.233420562771259e-219),
    ];

    #[test]
    fn agrees_with_reference() {
        for (n, x, expected) in REFERENCE {
            let found = polygamma(n, x);
            // Above n = 170 the exponent n ln x is what is rounded.
            let tolerance = if n > LAST_FACTORIAL { 1e-12 } else { 4e-15 };
            assert!(
                (found - expected).abs() <= tolerance * expected.abs(),
                "polygamma({n}, {x}) = {found:e}, not {expected:e}"
            );
        }
    }
}
