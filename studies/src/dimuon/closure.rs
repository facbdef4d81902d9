//! Known values, found again: toys of the model, events of the generator, and the spread of resampled events.

use pullback_prob::{Distribution, Key, Poisson};
use pullback_sim::{Detector, response};

use super::calibration::{Calibration, Peak, way};
use super::error::DimuonError;
use super::fit::{Fitted, fit, start};
use super::likelihood::Likelihood;
use super::muons::{Muons, generated};
use super::plain::pairs;
use super::toys::toy;

/// Differences of fitted to expected values over their errors: a row per sample, a column per parameter (NaN where it is fixed).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pulls {
    /// The rows.
    pub rows: Vec<Vec<f64>>,
}

/// What a list of numbers is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// How many there are.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their root mean square about zero.
    pub rms: f64,
}

impl Pulls {
    /// Adds a fit, beside what it should have found. Fits that did not converge are a row of NaN: they show as missing in every count.
    pub fn push(&mut self, fitted: &Fitted, expected: &[f64]) {
        let row = expected.iter().enumerate().map(|(k, expected)| {
            let (value, error) = fitted.of(k);
            let known = fitted.minimum.converged() && fitted.covariance.free[k];
            if known {
                (value - expected) / error
            } else {
                f64::NAN
            }
        });
        self.rows.push(row.collect());
    }

    /// Those of some parameters, all rows together.
    pub fn of(&self, parameters: std::ops::Range<usize>) -> Sample {
        let all = self.rows.iter().flat_map(|row| &row[parameters.clone()]);
        let known: Vec<f64> = all.copied().filter(|x| x.is_finite()).collect();
        let n = known.len() as f64;
        Sample {
            count: known.len(),
            mean: known.iter().sum::<f64>() / n,
            rms: (known.iter().map(|x| x * x).sum::<f64>() / n).sqrt(),
        }
    }
}

fn fit_of(calibration: &Calibration, muons: &Muons, pure: bool) -> Result<Fitted, DimuonError> {
    let mut likelihood = Likelihood::of_pairs(calibration, muons, 1)?;
    fit(&mut likelihood, &start(calibration, pure))
}

/// Fits to toys of the model at θ, for the muons of the selected pairs of a sample.
///
/// # Errors
/// Those of the fits.
pub fn of_model(
    calibration: &Calibration,
    theta: &[f64],
    muons: &Muons,
    toys: usize,
    seed: u64,
) -> Result<Pulls, DimuonError> {
    let mut pulls = Pulls::default();
    for k in 0..toys {
        let events = toy(calibration, theta, muons, seed + k as u64)?;
        pulls.push(&fit_of(calibration, &events, false)?, theta);
    }
    Ok(pulls)
}

/// Fits to resampled events (a Poisson number of each with mean one), beside θ of all: their spread is that of the estimate, whatever the model.
///
/// Reference: B. Efron, Ann. Stat. 7 (1979) 1.
///
/// # Errors
/// Those of the fits.
pub fn bootstrap(
    calibration: &Calibration,
    theta: &[f64],
    muons: &Muons,
    samples: usize,
    seed: u64,
) -> Result<Pulls, DimuonError> {
    let mut pulls = Pulls::default();
    let poisson = Poisson::new(1.0)?;
    for k in 0..samples {
        let key = Key::new(seed + k as u64, "dimuon.bootstrap");
        let again = |event: usize| (0..poisson.draw(key, event as u64, 0)).map(move |_| event);
        let events = muons.choose((0..muons.events()).flat_map(again));
        pulls.push(&fit_of(calibration, &events, false)?, theta);
    }
    Ok(pulls)
}

/// The parameters that a biased detector has: scales and offsets as they are; v and w by least squares
/// of the true variance of the muons of selected pairs, all with the weight that a fit of one variance gives to each.
pub fn expected_of(calibration: &Calibration, detector: &Detector, muons: &Muons) -> Vec<f64> {
    let layout = calibration.layout();
    let mut theta = start(calibration, true).start;
    // Of each bin, with t from small to large p_T and the variance s: Σ(1−t)², Σt(1−t), Σt², Σ(1−t)s, Σts.
    let mut sums = vec![[0.0; 5]; layout.bins];
    for (pair, index) in super::plain::candidates(calibration, muons)
        .iter()
        .flatten()
    {
        for (member, i) in pair.members.iter().zip(index) {
            let t = way(member.pt);
            let sigma = response::muon_resolution(member.pt, muons.eta[*i]);
            let s = (detector.muon_resolution[member.bin] * sigma).powi(2);
            let r = 1.0 - t;
            let terms = [r * r, r * t, t * t, r * s, t * s];
            sums[member.bin]
                .iter_mut()
                .zip(terms)
                .for_each(|(a, t)| *a += t);
        }
    }
    for (bin, [n, x, xx, s, xs]) in sums.into_iter().enumerate() {
        let det = n * xx - x * x;
        theta[layout.scale(bin)] = detector.muon_scale[bin] / 1e-3;
        theta[layout.offset(bin)] = detector.muon_offset[bin] / 1e-2;
        theta[layout.low(bin)] = (xx * s - x * xs) / det / 1e-4;
        theta[layout.high(bin)] = (n * xs - x * s) / det / 1e-4;
    }
    theta
}

/// Fits to generated events of a biased detector, `counts` of J/ψ and Z each time, and the numbers of selected pairs of the last.
///
/// # Errors
/// Those of the generator and of the fits.
pub fn of_generator(
    calibration: &Calibration,
    detector: &Detector,
    counts: [usize; 2],
    samples: usize,
    seed: u64,
) -> Result<(Pulls, [usize; 2]), DimuonError> {
    let mut pulls = Pulls::default();
    let mut last = [0; 2];
    for k in 0..samples {
        let first = (k * counts[0].max(counts[1])) as u64;
        let events = generated(detector, seed, first, counts)?;
        let expected = expected_of(calibration, detector, &events);
        pulls.push(&fit_of(calibration, &events, true)?, &expected);
        last = Peak::ALL.map(|peak| pairs(calibration, &events)[peak as usize].len());
    }
    Ok((pulls, last))
}
