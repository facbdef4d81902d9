//! Weights of an event: the generator's, and those of varied scales and parton densities.

use std::f64::consts::{LN_2, PI};

use pullback_ad::Real;
use pullback_ad::math::scalar::{cos, exp, ln};

use crate::draws::{Draw, Draws};
use crate::pdg;
use crate::truth::Truth;

/// Variations of the renormalisation and factorisation scales (µ_R, µ_F): the envelope of seven points.
pub const SCALES: [(f64, f64); 7] = [
    (0.5, 0.5),
    (0.5, 1.0),
    (1.0, 0.5),
    (1.0, 1.0),
    (1.0, 2.0),
    (2.0, 1.0),
    (2.0, 2.0),
];
/// Members of the set of parton densities.
pub const PDF_MEMBERS: usize = 10;

/// 0.02/√k.
const SIZES: [f64; PDF_MEMBERS] = [
    0.02,
    0.014_142_135_623_730_95,
    0.011_547_005_383_792_516,
    0.01,
    0.008_944_271_909_999_16,
    0.008_164_965_809_277_26,
    0.007_559_289_460_184_544,
    0.007_071_067_811_865_475,
    0.006_666_666_666_666_667,
    0.006_324_555_320_336_759,
];
/// ln 0.01.
const LN_HUNDREDTH: f64 = -4.605_170_185_988_091;

/// α_s at the mass of the Z boson.
const ALPHA_S: f64 = 0.118;
/// The first coefficient of the β function with five flavours, (33 − 2·5)/(12π).
const B0: f64 = 23.0 / (12.0 * PI);
/// Spread of the generator's weights.
const SPREAD: f64 = 0.1;

/// The generator's weight: ±exp(σz − σ²/2) with σ = 0.1, whose size has mean 1; negative in a stated fraction of events, whatever else happens in them.
pub fn generator(negative: f64, draws: &mut Draws) -> f64 {
    let [sign, _] = draws.pair(Draw::Sign, 0);
    let size = exp(SPREAD * draws.normal(Draw::Weight, 0) - 0.5 * SPREAD * SPREAD);
    if sign < negative { -size } else { size }
}

/// α_s at a scale in GeV, to one loop.
///
/// Reference: PDG, *Review of particle physics* (2024), chapter "Quantum chromodynamics".
///
/// # Example
/// ```
/// assert!((pullback_sim::alpha_s(1000.0) - 0.0877).abs() < 1e-4);
/// ```
pub fn alpha_s(scale: f64) -> f64 {
    ALPHA_S / (1.0 + ALPHA_S * B0 * 2.0 * ln(scale / pdg::Z.mass))
}

/// The weights of [`SCALES`], relative to the nominal one.
///
/// µ_R: (α_s(kQ)/α_s(Q))ⁿ, n the order of the process plus the radiated jets. µ_F: k^γ with γ = 0.013 ln(0.01/(x₁x₂)): densities grow with the scale at small
/// x and shrink at large x. Not a prediction, but the sign and size of one.
pub fn scales(order: i32, truth: &Truth, ln_x: [f64; 2]) -> [f32; 7] {
    let order = order + truth.emissions as i32;
    let step = alpha_s(truth.scale) * B0 * 2.0 * LN_2;
    // Not `f64::powi`, whose bits may depend on the machine.
    let (down, up) = (
        Real::powi((1.0 - step).recip(), order),
        Real::powi((1.0 + step).recip(), order),
    );
    let gamma = 0.013 * (LN_HUNDREDTH - ln_x[0] - ln_x[1]);
    let grown = exp(gamma * LN_2);
    let shrunk = grown.recip();
    // In the order of `SCALES`.
    [
        (down * shrunk) as f32,
        down as f32,
        shrunk as f32,
        1.0,
        grown as f32,
        up as f32,
        (up * grown) as f32,
    ]
}

/// The weights of the members of the densities, relative to the nominal one: 1 + 0.02/√k (cos kπξ₁ + cos kπξ₂), k = 1, …, 10, with ξ = −ln x/16 in (0, 1).
///
/// Each member bends the densities in its own way in ln x; all together change a rate by about 3 %.
pub fn densities(ln_x: [f64; 2]) -> [f32; PDF_MEMBERS] {
    let c = ln_x.map(|ln_x| cos(PI * (-ln_x / 16.0).clamp(0.0, 1.0)));
    // cos kφ by recurrence.
    let (mut before, mut here) = ([1.0; 2], c);
    let mut weights = [1.0; PDF_MEMBERS];
    for (weight, size) in weights.iter_mut().zip(SIZES) {
        *weight = (1.0 + size * (here[0] + here[1])) as f32;
        let next = [
            2.0 * c[0] * here[0] - before[0],
            2.0 * c[1] * here[1] - before[1],
        ];
        (before, here) = (here, next);
    }
    weights
}
