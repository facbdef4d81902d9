//! Resolutions, efficiencies and the b-tag: what the detector makes of one particle.
//!
//! Shapes and sizes are those of a general-purpose detector at the LHC, in formulas short enough to write down. p_T and E in GeV.

use pullback_ad::Real;

/// Muons are measured to this |η|, above this p_T.
pub const MUON_ETA: f64 = 2.4;
/// See [`MUON_ETA`].
pub const MUON_PT: f64 = 3.0;
/// Electrons are measured to this |η|, above this p_T.
pub const ELECTRON_ETA: f64 = 2.5;
/// See [`ELECTRON_ETA`].
pub const ELECTRON_PT: f64 = 5.0;
/// Jets are measured to this |η|, above this p_T.
pub const JET_ETA: f64 = 4.7;
/// See [`JET_ETA`].
pub const JET_PT: f64 = 15.0;
/// The calorimeter ends at this |η|: what flies further is missing.
pub const CALORIMETER_ETA: f64 = 5.0;
/// b-tags need the tracker, which ends at this |η|.
pub const TAG_ETA: f64 = 2.5;
/// The electron calorimeter has a gap between barrel and endcap.
const GAP: [f64; 2] = [1.4442, 1.566];

/// σ(1/p_T) p_T of muons, a ⊕ b p_T: a = 0.008 + 0.003 η² from scattering, b = 5·10⁻⁵ (1 + 0.3 η²)/GeV from the sagitta.
///
/// # Example
/// ```
/// assert!((pullback_sim::response::muon_resolution(45.0, 0.0) - 0.00831).abs() < 1e-5);
/// ```
#[inline]
pub fn muon_resolution<R: Real>(pt: R, eta: R) -> R {
    let square = eta * eta;
    let scattering = square * 0.003 + 0.008;
    let sagitta = pt * (square * 0.3 + 1.0) * 5e-5;
    (scattering * scattering + sagitta * sagitta).sqrt()
}

/// The efficiency of muons: 0.97 σ((p_T − 4)/0.8).
#[inline]
pub fn muon_efficiency<R: Real>(pt: R) -> R {
    ((pt - 4.0) / 0.8).sigmoid() * 0.97
}

/// σ(E)/E of electrons: 0.08/√E ⊕ 0.35/E ⊕ c, c = 0.009 in the barrel and 0.02 beyond |η| = 1.5.
#[inline]
pub fn electron_resolution<R: Real>(energy: R, eta: R) -> R {
    let constant = R::select(
        eta.abs().lt(R::constant(1.5)),
        R::constant(0.009),
        R::constant(0.02),
    );
    let noise = R::constant(0.35) / energy;
    (R::constant(0.0064) / energy + noise * noise + constant * constant).sqrt()
}

/// The efficiency of electrons: 0.90 σ((p_T − 8)/2.5), of which the gap at 1.4442 < |η| < 1.566 leaves 0.6 and the endcap beyond it 0.93.
#[inline]
pub fn electron_efficiency<R: Real>(pt: R, eta: R) -> R {
    let eta = eta.abs();
    let after_gap = R::select(
        eta.lt(R::constant(GAP[1])),
        R::constant(0.6),
        R::constant(0.93),
    );
    let region = R::select(eta.lt(R::constant(GAP[0])), R::constant(1.0), after_gap);
    ((pt - 8.0) / 2.5).sigmoid() * region * 0.9
}

/// σ(p_T)/p_T of jets: 4/p_T ⊕ 0.8/√p_T ⊕ 0.04 (noise, stochastic, constant term).
///
/// # Example
/// ```
/// assert!((pullback_sim::response::jet_resolution(100.0) - 0.0979).abs() < 1e-4);
/// ```
#[inline]
pub fn jet_resolution<R: Real>(pt: R) -> R {
    let noise = R::constant(4.0) / pt;
    (noise * noise + R::constant(0.64) / pt + 0.0016).sqrt()
}

/// σ of each component of the missing momentum, from vertices n and the sum of hadronic p_T: 3 ⊕ 3√n ⊕ 0.5 √ΣE_T.
#[inline]
pub fn met_resolution<R: Real>(vertices: f64, sum_et: R) -> R {
    (sum_et * 0.25 + (9.0 + 9.0 * vertices)).sqrt()
}

/// The loose, medium and tight working points of the b-tag: scores above them are tagged.
pub const TAG_THRESHOLDS: [f64; 3] = [0.0490, 0.2783, 0.7100];

/// Their efficiencies for b, c and light jets.
pub const TAG_EFFICIENCIES: [[f64; 3]; 3] =
    [[0.92, 0.80, 0.66], [0.40, 0.15, 0.03], [0.10, 0.010, 0.001]];

fn cube(x: f64) -> f64 {
    x * x * x
}

/// The b-tag score at a uniform number, for a flavour (5, 4, or anything else for light quarks and gluons); it increases in u.
///
/// Exactly the fraction ε of [`TAG_EFFICIENCIES`] lies above each threshold. Between the thresholds the density is flat; below the first it is as x^(−2/3) from 0, above
/// the last it rises in the same way towards 1.
///
/// # Example
/// ```
/// use pullback_sim::response::btag_score;
///
/// assert!((btag_score(1.0 - 0.80, 5) - 0.2783).abs() < 1e-12);
/// assert!((btag_score(1.0 - 0.010, 21) - 0.2783).abs() < 1e-12);
/// ```
#[inline]
pub fn btag_score(u: f64, flavour: i32) -> f64 {
    let [e1, e2, e3] = match flavour.abs() {
        5 => TAG_EFFICIENCIES[0],
        4 => TAG_EFFICIENCIES[1],
        _ => TAG_EFFICIENCIES[2],
    };
    let [t1, t2, t3] = TAG_THRESHOLDS;
    let between = |low: f64, high: f64| (u - low) / (high - low);
    if u < 1.0 - e1 {
        t1 * cube(between(0.0, 1.0 - e1))
    } else if u < 1.0 - e2 {
        t1 + (t2 - t1) * between(1.0 - e1, 1.0 - e2)
    } else if u < 1.0 - e3 {
        t2 + (t3 - t2) * between(1.0 - e2, 1.0 - e3)
    } else {
        let left = 1.0 - between(1.0 - e3, 1.0);
        1.0 - (1.0 - t3) * cube(left)
    }
}
