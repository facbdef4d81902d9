//! The recorded density of a pair: [`super::density`] for whole columns.

use std::f64::consts::TAU;

use pullback_ad::Real;
use pullback_array::{Builder, DType, Space, Sym};

use super::calibration::{Calibration, Peak, UNITS, way};

/// The selected pairs of a peak: what the density needs of them.
pub(super) struct Selected<'b> {
    pub space: Space,
    pub y: Sym<'b>,
    /// Of each muon: bin, constrained p_T, κ.
    pub members: [(Sym<'b>, Sym<'b>, Sym<'b>); 2],
}

/// `count` parameters from `first` on.
fn block<'b>(b: &'b Builder, theta: Sym<'b>, first: usize, count: usize) -> Sym<'b> {
    let places: Vec<i64> = (first..first + count).map(|k| k as i64).collect();
    let level = b.dense_of("block", count);
    theta.gather(b.constant_i64(&places, level))
}

/// Shift, variance, logit of the background's fraction and slope of each pair: [`super::plain::moments`].
pub(super) fn features<'b>(
    b: &'b Builder,
    calibration: &Calibration,
    theta: Sym<'b>,
    peak: Peak,
    pairs: &Selected<'b>,
) -> [Sym<'b>; 4] {
    let layout = calibration.layout();
    let bins = layout.bins;
    let [scale, offset, low, high] = [
        layout.scale(0),
        layout.offset(0),
        layout.low(0),
        layout.high(0),
    ]
    .map(|first| block(b, theta, first, bins));
    let (mut shift, mut variance) = (Sym::constant(0.0), Sym::constant(0.0));
    for (bin, pt, kappa) in pairs.members {
        let t = way(pt);
        let own = low.gather(bin) * ((-t + 1.0) * UNITS[2]) + high.gather(bin) * (t * UNITS[3]);
        let delta = scale.gather(bin) * UNITS[0] + offset.gather(bin) * (pt.recip() * UNITS[1]);
        shift += (delta + own * 0.5) * kappa;
        variance += own * (kappa * kappa);
    }
    let [first, second] = pairs.members.map(|(bin, ..)| bin.cast(DType::F64));
    let category = first.max(second).cast(DType::I64);
    let logit = block(b, theta, layout.background(peak, 0), bins).gather(category);
    let slope = match peak {
        Peak::JPsi => block(b, theta, layout.slope(peak, 0), bins).gather(category),
        Peak::Z => block(b, theta, layout.slope(peak, 0), 1)
            .sum_all()
            .broadcast(pairs.space),
    };
    [shift, variance, logit, slope]
}

/// −2 Σ ln p(y) over the pairs of a peak.
pub(super) fn twice_nll<'b>(
    b: &'b Builder,
    calibration: &Calibration,
    peak: Peak,
    space: Space,
    y: Sym<'b>,
    [shift, variance, logit, slope]: [Sym<'b>; 4],
) -> Sym<'b> {
    let lattice = calibration.lattice(peak);
    let points = b.dense_of("points", lattice.points.len());
    let weight = b.constant_f64(&lattice.weights, points);
    let inverse = variance.sqrt().recip();
    // Points are even: where they are is counted, which is cheaper than a table repeated for each pair.
    let wide = b.join(space, points);
    let [from, step] = [
        (y - shift - lattice.first()) * inverse,
        inverse * lattice.spacing,
    ];
    let [from, step] = [from, step].map(|x| b.broadcast(x, wide));
    let number = points
        .last()
        .map_or(Sym::constant(f64::NAN), |level| b.position(wide, level));
    let pull = from - step * number.cast(DType::F64);
    let sum = (pull * pull * -0.5).exp().contract(weight, space);
    let signal = sum * inverse / lattice.norm(shift, variance) / TAU.sqrt();
    let u = (y - lattice.window[0]) / lattice.width();
    let background = (slope * (u * 2.0 - 1.0) + 1.0) / lattice.width();
    let density = signal + (background - signal) * logit.sigmoid();
    (density.ln() * -2.0).sum_all()
}
