//! The recorded program.

use std::f64::consts::TAU;

use pullback_ad::Real;
use pullback_array::{Builder, DType, Flow, Last, Program, Space, Sym, Type};
use pullback_sim::response::muon_resolution;

use super::calibration::{Calibration, Peak, UNITS};
use super::error::DimuonError;
use super::line_shape::MUON;

/// Columns of muons in one space.
#[derive(Clone, Copy)]
struct Columns<'b> {
    pt: Sym<'b>,
    eta: Sym<'b>,
    bin: Sym<'b>,
    energy: Sym<'b>,
    p: [Sym<'b>; 3],
    charge: Sym<'b>,
}

impl<'b> Columns<'b> {
    fn at(self, index: Sym<'b>) -> Self {
        Self {
            pt: self.pt.at(index),
            eta: self.eta.at(index),
            bin: self.bin.at(index),
            energy: self.energy.at(index),
            p: self.p.map(|x| x.at(index)),
            charge: self.charge.at(index),
        }
    }
}

/// The program of −2 ln L: from all muons of all events, by pairs and cuts, to one number.
///
/// Inputs: `muons` (offsets), `pt`, `eta`, `phi`, `charge`, `theta` (in the order of [`super::Layout`]). Outputs: `twice_nll`, and the numbers of selected pairs
/// `jpsi` and `z`. No mask depends on `theta`: the derivative is the exact one, with no surface term.
///
/// # Errors
/// None that a calibration can cause.
pub fn record(calibration: &Calibration) -> Result<Program, DimuonError> {
    let b = Builder::new();
    let muons = b.ragged("muons", b.stream("events"));
    let (pt, eta, phi) = (
        b.input("pt", muons),
        b.input("eta", muons),
        b.input("phi", muons),
    );
    let charge = b
        .input_of("charge", Type::new(DType::I32, muons))
        .cast(DType::F64);
    let layout = calibration.layout();
    let theta = b.input("theta", b.dense_of("parameters", layout.count()));
    let last = calibration.edges[layout.bins];
    let inside = eta.abs().lt(last.into()).named("|eta| inside");
    let hard = pt.gt(calibration.loosest.into()).named("loosest pt");
    let (good, index) = (inside & hard).filter("good");
    let edges = b.constant_f64(&calibration.edges, b.dense_of("edges", layout.bins + 1));
    let (pt, eta, phi) = (pt.at(index), eta.at(index), phi.at(index));
    let p = [pt * phi.cos(), pt * phi.sin(), pt * eta.sinh()];
    let muon = Columns {
        pt,
        eta,
        bin: eta.abs().bin_index(edges, Flow::Clamp, Last::Open),
        energy: (p[0] * p[0] + p[1] * p[1] + p[2] * p[2] + MUON * MUON).sqrt(),
        p,
        charge: charge.at(index),
    };
    let (_, left, right) = b.pairs(good, "pairs");
    let both = [muon.at(left), muon.at(right)];
    let jpsi = peak(&b, calibration, theta, Peak::JPsi, both);
    let z = peak(&b, calibration, theta, Peak::Z, both);
    let program = b.finish(&[
        ("twice_nll", jpsi.twice_nll + z.twice_nll),
        ("jpsi", jpsi.count),
        ("z", z.count),
    ])?;
    Ok(program)
}

/// What a peak contributes.
struct Contribution<'b> {
    twice_nll: Sym<'b>,
    count: Sym<'b>,
}

fn peak<'b>(
    b: &'b Builder,
    calibration: &Calibration,
    theta: Sym<'b>,
    peak: Peak,
    both: [Columns<'b>; 2],
) -> Contribution<'b> {
    let lattice = calibration.lattice(peak);
    let m0 = lattice.shape.mass;
    let [l, r] = both;
    let m2 = mass_squared(l, r);
    let y = (m2 / (m0 * m0)).ln() * 0.5;
    let opposite = (l.charge * r.charge)
        .lt(0.0.into())
        .named("opposite charges");
    let window = y.ge(lattice.window[0].into()) & y.lt(lattice.window[1].into());
    let (_, near) = (opposite & window).filter(&format!("near {}", peak.name()));
    let (y, m2, l, r) = (y.at(near), m2.at(near), l.at(near), r.at(near));
    let mu2 = 2.0 * MUON * MUON;
    let kappa = |own: Columns<'b>, other: Columns<'b>| {
        (-(other.energy / own.energy + 1.0) * mu2 / m2 + 1.0) * 0.5
    };
    let kappa = [kappa(l, r), kappa(r, l)];
    let pull = [(l, kappa[0]), (r, kappa[1])]
        .map(|(muon, kappa)| kappa * muon_resolution(muon.pt, muon.eta).square());
    let variance = kappa[0] * pull[0] + kappa[1] * pull[1];
    let constrained =
        [(l, pull[0]), (r, pull[1])].map(|(muon, pull)| muon.pt * (-(pull / variance) * y).exp());
    let cut = calibration.cuts[peak as usize];
    let hard = constrained[0].gt(cut.into()) & constrained[1].gt(cut.into());
    let (selected, index) = hard.filter(peak.name());
    let members = [0, 1].map(|k| {
        let bin = [l, r][k].bin.at(index);
        (bin, constrained[k].at(index), kappa[k].at(index))
    });
    let density = density(b, calibration, theta, peak, selected, y.at(index), members);
    let one = b.broadcast(1.0.into(), selected);
    Contribution {
        twice_nll: (density.ln() * -2.0).sum_all(),
        count: one.sum_all(),
    }
}

fn mass_squared<'b>(l: Columns<'b>, r: Columns<'b>) -> Sym<'b> {
    let dot = l.energy * r.energy - l.p[0] * r.p[0] - l.p[1] * r.p[1] - l.p[2] * r.p[2];
    dot * 2.0 + 2.0 * MUON * MUON
}

/// `count` parameters from `first` on.
fn block<'b>(b: &'b Builder, theta: Sym<'b>, first: usize, count: usize) -> Sym<'b> {
    let places: Vec<i64> = (first..first + count).map(|k| k as i64).collect();
    let level = b.dense_of("block", count);
    theta.gather(b.constant_i64(&places, level))
}

/// The density of each selected pair at its y: [`super::density`].
fn density<'b>(
    b: &'b Builder,
    calibration: &Calibration,
    theta: Sym<'b>,
    peak: Peak,
    selected: Space,
    y: Sym<'b>,
    members: [(Sym<'b>, Sym<'b>, Sym<'b>); 2],
) -> Sym<'b> {
    let (lattice, layout) = (calibration.lattice(peak), calibration.layout());
    let bins = layout.bins;
    let [scale, offset, scattering, sagitta] = [
        layout.scale(0),
        layout.offset(0),
        layout.scattering(0),
        layout.sagitta(0),
    ]
    .map(|first| block(b, theta, first, bins));
    let (mut shift, mut variance) = (Sym::constant(0.0), Sym::constant(0.0));
    for (bin, pt, kappa) in members {
        let own = scattering.gather(bin) * UNITS[2] + sagitta.gather(bin) * (pt * pt * UNITS[3]);
        let delta = scale.gather(bin) * UNITS[0] + offset.gather(bin) * (pt.recip() * UNITS[1]);
        shift += (delta + own * 0.5) * kappa;
        variance += own * (kappa * kappa);
    }
    let points = b.dense_of("points", lattice.points.len());
    let at = b.constant_f64(&lattice.points, points);
    let weight = b.constant_f64(&lattice.weights, points);
    let inverse = variance.sqrt().recip();
    let wide = b.join(selected, points);
    let [y_wide, at, shift_wide, inverse_wide, weight] =
        [y, at, shift, inverse, weight].map(|x| b.broadcast(x, wide));
    let pull = (y_wide - at - shift_wide) * inverse_wide;
    let sum = ((pull * pull * -0.5).exp() * weight).sum_last();
    let signal = sum * inverse / lattice.norm(shift, variance) / TAU.sqrt();
    let [(first, ..), (second, ..)] = members;
    let category = second
        .cast(DType::F64)
        .max(first.cast(DType::F64))
        .cast(DType::I64);
    let fraction = block(b, theta, layout.background(peak, 0), bins)
        .gather(category)
        .sigmoid();
    let slope = match peak {
        Peak::JPsi => block(b, theta, layout.slope(peak, 0), bins).gather(category),
        Peak::Z => block(b, theta, layout.slope(peak, 0), 1)
            .sum_all()
            .broadcast(selected),
    };
    let u = (y - lattice.window[0]) / lattice.width();
    let background = (slope * (u * 2.0 - 1.0) + 1.0) / lattice.width();
    signal + (background - signal) * fraction
}
