//! The model as loops over muons and pairs, over any scalar: what the recorded program must equal, and what predictions and toys are made of.

use std::f64::consts::TAU;

use pullback_ad::Real;
use pullback_sim::response::muon_resolution;

use super::calibration::{Calibration, Momenta, Peak, UNITS, way};
use super::line_shape::MUON;
use super::muons::Muons;

/// A muon of a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member {
    /// Its bin of |η|.
    pub bin: usize,
    /// Its constrained p_T.
    pub pt: f64,
    /// κ = ∂ln m/∂ln p_T.
    pub kappa: f64,
}

/// A selected pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Which peak.
    pub peak: Peak,
    /// ln(m/M).
    pub y: f64,
    /// Both muons, in the order of the sample.
    pub members: [Member; 2],
}

impl Pair {
    /// The bin of the muon with the larger |η|.
    pub fn category(&self) -> usize {
        self.members[0].bin.max(self.members[1].bin)
    }
}

/// The selected pairs, event by event, those of J/ψ and those of Z.
pub fn pairs(calibration: &Calibration, muons: &Muons) -> [Vec<Pair>; 2] {
    candidates(calibration, muons).map(|list| list.into_iter().map(|c| c.0).collect())
}

/// A pair, and which muons of the sample it is made of.
pub(super) type Candidate = (Pair, [usize; 2]);

/// [`pairs`], with their muons.
pub(super) fn candidates(calibration: &Calibration, muons: &Muons) -> [Vec<Candidate>; 2] {
    let mut out = [Vec::new(), Vec::new()];
    let last = calibration.edges.len() - 1;
    let bin = |eta: f64| {
        let mut edges = calibration.edges.iter();
        edges
            .rposition(|edge| eta.abs() >= *edge)
            .filter(|k| *k < last)
    };
    for event in muons.offsets.windows(2) {
        let (from, to) = (event[0] as usize, event[1] as usize);
        for i in from..to {
            for j in i + 1..to {
                let good = |k: usize| muons.pt[k] > calibration.loosest;
                let (Some(a), Some(b)) = (bin(muons.eta[i]), bin(muons.eta[j])) else {
                    continue;
                };
                if !(good(i) && good(j)) || muons.charge[i] * muons.charge[j] >= 0 {
                    continue;
                }
                for peak in Peak::ALL {
                    let found = pair(calibration, muons, peak, [i, j], [a, b]);
                    out[peak as usize].extend(found.map(|pair| (pair, [i, j])));
                }
            }
        }
    }
    out
}

/// The four-momentum of a muon of the sample.
pub fn muon(muons: &Muons, i: usize) -> [f64; 4] {
    let (pt, eta, phi) = (muons.pt[i], muons.eta[i], muons.phi[i]);
    let p = [pt * phi.cos(), pt * phi.sin(), pt * eta.sinh()];
    let square: f64 = p.iter().map(|x| x * x).sum();
    [p[0], p[1], p[2], (square + MUON * MUON).sqrt()]
}

fn pair(
    calibration: &Calibration,
    muons: &Muons,
    peak: Peak,
    index: [usize; 2],
    bins: [usize; 2],
) -> Option<Pair> {
    let lattice = calibration.lattice(peak);
    let [p, q] = index.map(|k| muon(muons, k));
    let dot = p[3] * q[3] - p[0] * q[0] - p[1] * q[1] - p[2] * q[2];
    let m2 = 2.0 * dot + 2.0 * MUON * MUON;
    let [low, high] = lattice.squares();
    let y = 0.5 * (m2 / (lattice.shape.mass * lattice.shape.mass)).ln();
    if !(m2 >= low && m2 < high) {
        return None;
    }
    // ∂m²/∂ln p₁ = 2 (E₂ p₁²/E₁ − p₁·p₂).
    let mu2 = 2.0 * MUON * MUON;
    let kappa = [p[3] / q[3], q[3] / p[3]].map(|r| 0.5 * (1.0 - mu2 * (1.0 + 1.0 / r) / m2));
    let pull = [0, 1].map(|k| {
        let i = index[k];
        let sigma = muon_resolution(muons.pt[i], muons.eta[i]);
        kappa[k] * sigma * sigma
    });
    let variance = kappa[0] * pull[0] + kappa[1] * pull[1];
    let moved = if calibration.momenta == Momenta::Constrained {
        y
    } else {
        0.0
    };
    let members = [0, 1].map(|k| Member {
        bin: bins[k],
        pt: muons.pt[index[k]] * (-(pull[k] / variance) * moved).exp(),
        kappa: kappa[k],
    });
    let cut = calibration.cuts[peak as usize];
    let pair = Pair { peak, y, members };
    members.iter().all(|m| m.pt > cut).then_some(pair)
}

/// The expected shift of ln m and its variance, at parameters θ.
///
/// ```text
/// µ = Σᵢ κᵢ (a + c/pᵢ + ½ σᵢ²),   σ² = Σᵢ κᵢ² σᵢ²,   σᵢ² = v (1 − tᵢ) + w tᵢ,   tᵢ = pᵢ²/(pᵢ² + p₀²)
/// ```
///
/// with a, c, v, w of the bin of muon i. The curvature, not the momentum, has a normal error, so that the mean of ln p is raised by ½ σ². Measured momenta are
/// p(1 + a) + c: a is a wrong field or length, c a wrong energy loss, which does not depend on the momentum to first order.
///
/// Reference: ATLAS, Eur. Phys. J. C 74 (2014) 3130, the corrections of scale (s₀, s₁) and resolution; CMS, JINST 7 (2012) P10002.
pub fn moments<R: Real>(calibration: &Calibration, theta: &[R], pair: &Pair) -> (R, R) {
    let layout = calibration.layout();
    let (mut shift, mut variance) = (R::constant(0.0), R::constant(0.0));
    for member in &pair.members {
        let (b, pt, kappa) = (member.bin, member.pt, member.kappa);
        let t = way(pt);
        let own =
            theta[layout.low(b)] * (UNITS[2] * (1.0 - t)) + theta[layout.high(b)] * (UNITS[3] * t);
        let delta = theta[layout.scale(b)] * UNITS[0] + theta[layout.offset(b)] * (UNITS[1] / pt);
        shift += (delta + own * 0.5) * kappa;
        variance += own * (kappa * kappa);
    }
    (shift, variance)
}

/// The density of ln(m/M) at `y` for a pair with these muons, normalised in the window.
///
/// ```text
/// p(y) = (1 − f) S(y; µ, σ) / ∫S + f (1 + λ (2u − 1)) / (b − a),   u = (y − a)/(b − a)
/// ```
pub fn density<R: Real>(calibration: &Calibration, theta: &[R], pair: &Pair, y: f64) -> R {
    let lattice = calibration.lattice(pair.peak);
    let layout = calibration.layout();
    let (shift, variance) = moments(calibration, theta, pair);
    let inverse = variance.sqrt().recip();
    let mut sum = R::constant(0.0);
    for (point, weight) in lattice.points.iter().zip(&lattice.weights) {
        let pull = (-shift + (y - point)) * inverse;
        sum += (pull * pull * -0.5).exp() * *weight;
    }
    let signal = sum * inverse / lattice.norm(shift, variance) / TAU.sqrt();
    let u = (y - lattice.window[0]) / lattice.width();
    let slope = theta[layout.slope(pair.peak, pair.category())];
    let background = (slope * (2.0 * u - 1.0) + 1.0) / lattice.width();
    let fraction = theta[layout.background(pair.peak, pair.category())].sigmoid();
    signal + (background - signal) * fraction
}

/// −2 ln L of pairs.
pub fn twice_nll<R: Real>(calibration: &Calibration, theta: &[R], pairs: &[Vec<Pair>; 2]) -> R {
    let mut sum = R::constant(0.0);
    for pair in pairs.iter().flatten() {
        sum += density(calibration, theta, pair, pair.y).ln() * -2.0;
    }
    sum
}
