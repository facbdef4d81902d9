//! Events of the model itself: pairs of a sample with masses drawn anew.

use pullback_prob::{Distribution, Key, Normal, Uniform};
use pullback_sim::response::muon_resolution;

use super::calibration::Calibration;
use super::error::DimuonError;
use super::muons::Muons;
use super::plain::{Pair, candidates, moments, muon};

/// Attempts for one mass; one in a few is inside the window.
const ATTEMPTS: u32 = 1000;

/// One event for each selected pair of the sample: its muons, with a mass that the model at θ draws for them and the constrained momenta that they have. Radiation and
/// resonance are drawn from their closed forms, not from the lattice that the fit uses.
///
/// The toys pass the selection with the same constrained momenta, but for the mass of the muon and for what the nominal resolution depends on the momentum.
///
/// # Errors
/// None that a model can cause; those of the distributions.
pub fn toy(
    calibration: &Calibration,
    theta: &[f64],
    muons: &Muons,
    seed: u64,
) -> Result<Muons, DimuonError> {
    let mut out = Muons::default();
    let uniform = Uniform::new(0.0, 1.0)?;
    let normal = Normal::new(0.0, 1.0)?;
    let keys =
        ["dimuon.kind", "dimuon.resonance", "dimuon.radiation"].map(|name| Key::new(seed, name));
    let error = Key::new(seed, "dimuon.error");
    let layout = calibration.layout();
    let shapes = calibration
        .lattices
        .each_ref()
        .map(|lattice| lattice.shape.masses());
    for (event, (pair, index)) in candidates(calibration, muons).iter().flatten().enumerate() {
        let lattice = calibration.lattice(pair.peak);
        let masses = &shapes[pair.peak as usize];
        let (shift, variance) = moments(calibration, theta, pair);
        let fraction = 1.0 / (1.0 + (-theta[layout.background(pair.peak, pair.category())]).exp());
        let slope = theta[layout.slope(pair.peak, pair.category())];
        let id = event as u64;
        let [lo, hi] = lattice.window;
        let background = uniform.draw(keys[0], id, 0) < fraction;
        let y = (1..ATTEMPTS).find_map(|step| {
            let u = |k: usize| uniform.draw(keys[k], id, step);
            if background {
                // Accept or reject below the larger end of the line.
                let x = u(1);
                let accept = u(2) * (1.0 + slope.abs()) < 1.0 + slope * (2.0 * x - 1.0);
                return accept.then_some(lo + (hi - lo) * x);
            }
            let radiated = lattice.shape.radiation.map_or(0.0, |r| r.quantile(u(2)));
            let truth = masses.resonance_quantile(u(1)) + 0.5 * (-radiated).ln_1p();
            let y = truth + shift + variance.sqrt() * normal.draw(error, id, step);
            (y >= lo && y < hi).then_some(y)
        });
        let Some(y) = y else {
            return Err(DimuonError::Value {
                what: "a toy's chance to lie in its window",
                value: 0.0,
                expected: "above one in a thousand",
            });
        };
        out.push(rescaled(muons, pair, *index, lattice.shape.mass * y.exp()));
    }
    Ok(out)
}

/// The muons of a pair with the mass `mass` and the constrained momenta that they have: the momentum of muon i times f^s_i, where s_i is the share that the constraint gives
/// to it ([`Calibration`]).
fn rescaled(muons: &Muons, pair: &Pair, index: [usize; 2], mass: f64) -> [(f64, f64, f64, i64); 2] {
    let [a, b] = [0, 1].map(|k| {
        let sigma = muon_resolution(muons.pt[index[k]], muons.eta[index[k]]);
        pair.members[k].kappa * sigma * sigma
    });
    let total = pair.members[0].kappa * a + pair.members[1].kappa * b;
    let shares = [a / total, b / total];
    let scaled = |factor: f64| {
        [0, 1].map(|k| {
            let i = index[k];
            let pt = muons.pt[i] * factor.powf(shares[k]);
            (pt, muons.eta[i], muons.phi[i], muons.charge[i])
        })
    };
    let mass_at = |factor: f64| {
        let mut event = Muons::default();
        event.push(scaled(factor));
        let (p, q) = (muon(&event, 0), muon(&event, 1));
        let sum: [f64; 4] = std::array::from_fn(|k| p[k] + q[k]);
        let space = sum[0] * sum[0] + sum[1] * sum[1] + sum[2] * sum[2];
        (sum[3] * sum[3] - space).max(0.0).sqrt()
    };
    let mut factor = 1.0;
    // The mass is almost proportional to the factor: a fixed point in a few steps.
    for _ in 0..6 {
        factor *= mass / mass_at(factor);
    }
    scaled(factor)
}
