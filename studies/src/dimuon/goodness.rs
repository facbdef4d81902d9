//! How well the fitted densities describe the masses.

use super::calibration::{Calibration, Peak};
use super::plain::{Pair, density};

/// A bin of masses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Its lower end in GeV.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Pairs in it.
    pub observed: f64,
    /// What the model expects: the sum over all pairs of the probability of the bin.
    pub expected: f64,
}

/// χ² of a histogram.
#[derive(Clone, Debug, PartialEq)]
pub struct Goodness {
    /// The bins, even in ln m.
    pub bins: Vec<Bin>,
    /// Σ (observed − expected)²/expected.
    pub chi2: f64,
}

/// Panels of Simpson's rule in a bin.
const PANELS: usize = 2;

/// The masses of pairs of one peak in `count` bins, beside the model at θ.
///
/// Fitted parameters make χ² smaller than the number of bins by at most their number; the histogram is one of many that they were not fitted to.
pub fn goodness(
    calibration: &Calibration,
    theta: &[f64],
    pairs: &[Pair],
    peak: Peak,
    count: usize,
) -> Goodness {
    let lattice = calibration.lattice(peak);
    let h = lattice.width() / count as f64;
    let mut bins: Vec<Bin> = (0..count)
        .map(|k| {
            let low = lattice.window[0] + k as f64 * h;
            let mass = |y: f64| lattice.shape.mass * y.exp();
            let observed = pairs.iter().filter(|p| p.y >= low && p.y < low + h).count();
            Bin {
                low: mass(low),
                high: mass(low + h),
                observed: observed as f64,
                expected: 0.0,
            }
        })
        .collect();
    for pair in pairs {
        let at = |y: f64| density(calibration, theta, pair, y);
        for (k, bin) in bins.iter_mut().enumerate() {
            let panel = h / PANELS as f64;
            for j in 0..PANELS {
                let y = lattice.window[0] + k as f64 * h + j as f64 * panel;
                bin.expected += panel / 6.0 * (at(y) + 4.0 * at(y + 0.5 * panel) + at(y + panel));
            }
        }
    }
    let chi2 = bins
        .iter()
        .map(|b| (b.observed - b.expected).powi(2) / b.expected)
        .sum();
    Goodness { bins, chi2 }
}
