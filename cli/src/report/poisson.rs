//! Error bars of observed counts.

/// The central interval of 68.27 % for the mean, given a count n; for non-integer n its continuation.
///
/// Garwood's interval, n_lo = ½ χ²(α/2; 2n) and n_hi = ½ χ²(1 − α/2; 2n + 2), with the quantiles of χ² by the cube-root transformation of Wilson and
/// Hilferty for one standard deviation: good to 2 % of the distance from n, for error bars enough.
///
/// References: F. Garwood, Biometrika 28 (1936) 437; E. Wilson & M. Hilferty, PNAS 17 (1931) 684; N. Gehrels, Astrophys. J. 303 (1986) 336.
pub fn interval(n: f64) -> (f64, f64) {
    if !(n >= 0.0 && n.is_finite()) {
        return (n, n);
    }
    let lower = if n > 0.0 {
        n * (1.0 - 1.0 / (9.0 * n) - 1.0 / (3.0 * n.sqrt()))
            .max(0.0)
            .powi(3)
    } else {
        0.0
    };
    let m = n + 1.0;
    (
        lower,
        m * (1.0 - 1.0 / (9.0 * m) + 1.0 / (3.0 * m.sqrt())).powi(3),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exact intervals: `scipy.stats.chi2.ppf([a, 1 - a], [2 * n, 2 * n + 2]) / 2` with `a = scipy.stats.norm.sf(1)`, SciPy 1.15.
    #[test]
    fn intervals_are_those_of_garwood() {
        for (n, lower, upper) in [
            (0.0, 0.0, 1.8410),
            (1.0, 0.17275, 3.2995),
            (3.0, 1.3673, 5.9182),
            (10.0, 6.8910, 14.2669),
            (100.0, 90.0226, 111.0333),
        ] {
            let (lo, hi) = interval(n);
            assert!((lo - lower).abs() <= 0.02 * (n - lower), "{n}: {lo}");
            assert!((hi - upper).abs() <= 0.02 * (upper - n), "{n}: {hi}");
        }
    }
}
