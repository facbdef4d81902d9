//! The recorded program.

use std::sync::Arc;

use pullback_ad::Real;
use pullback_array::{Builder, DType, Flow, Last, Program, Sym, Type};
use pullback_sim::response::muon_resolution;

use super::calibration::{Calibration, Momenta, Peak};
use super::density::{Selected, features, twice_nll};
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

/// Names of the columns of selected pairs.
const COLUMNS: [&str; 7] = ["y", "bin_1", "bin_2", "pt_1", "pt_2", "kappa_1", "kappa_2"];

/// Names of the features of a pair.
pub(super) const FEATURES: [&str; 4] = ["shift", "variance", "logit", "slope"];

/// The program of −2 ln L: from all muons of all events, by pairs and cuts, to one number.
///
/// Inputs: `muons` (offsets), `pt`, `eta`, `phi`, `charge`, `theta` (in the order of [`super::Layout`]). Outputs: `twice_nll`, and the numbers of selected pairs
/// `jpsi` and `z`. No mask depends on `theta`: the derivative is the exact one, with no surface term.
///
/// # Errors
/// None that a calibration can cause.
pub fn record(calibration: &Calibration) -> Result<Program, DimuonError> {
    let b = Builder::new();
    let selected = selection(&b, calibration);
    likelihood(&b, calibration, &selected)
}

/// The first half of [`record`] alone: columns of the selected pairs of both peaks, seven each.
///
/// # Errors
/// None that a calibration can cause.
pub fn record_selection(calibration: &Calibration) -> Result<Program, DimuonError> {
    let b = Builder::new();
    let selected = selection(&b, calibration);
    let mut outputs = Vec::new();
    for (peak, selected) in Peak::ALL.into_iter().zip(&selected) {
        for (name, column) in COLUMNS.iter().zip(columns(selected)) {
            outputs.push((Arc::from(format!("{} {name}", peak.name())), b.id(column)));
        }
    }
    Ok(b.finish_ids(outputs)?)
}

/// The second half alone: −2 ln L of columns of pairs, which are inputs in the order in which [`record_selection`] has them as outputs; then `theta`.
///
/// # Errors
/// None that a calibration can cause.
pub fn record_columns(calibration: &Calibration) -> Result<Program, DimuonError> {
    let b = Builder::new();
    let selected = Peak::ALL.map(|peak| {
        let space = b.stream(peak.name());
        let [y, bin_1, bin_2, pt_1, pt_2, kappa_1, kappa_2] = COLUMNS.map(|name| {
            let dtype = if name.starts_with("bin") {
                DType::I64
            } else {
                DType::F64
            };
            b.input_of(&format!("{} {name}", peak.name()), Type::new(dtype, space))
        });
        Selected {
            space,
            y,
            members: [(bin_1, pt_1, kappa_1), (bin_2, pt_2, kappa_2)],
        }
    });
    likelihood(&b, calibration, &selected)
}

fn columns<'b>(pairs: &Selected<'b>) -> [Sym<'b>; 7] {
    let [(a, p, k), (b, q, l)] = pairs.members;
    [pairs.y, a, b, p, q, k, l]
}

fn likelihood(
    b: &Builder,
    calibration: &Calibration,
    selected: &[Selected<'_>; 2],
) -> Result<Program, DimuonError> {
    let theta = b.input(
        "theta",
        b.dense_of("parameters", calibration.layout().count()),
    );
    let [jpsi, z] = Peak::ALL.map(|peak| {
        let selected = &selected[peak as usize];
        let at = features(b, calibration, theta, peak, selected);
        twice_nll(b, calibration, peak, selected.space, selected.y, at)
    });
    let [pairs_jpsi, pairs_z] =
        [0, 1].map(|k| b.broadcast(1.0.into(), selected[k].space).sum_all());
    Ok(b.finish(&[
        ("twice_nll", jpsi + z),
        ("jpsi", pairs_jpsi),
        ("z", pairs_z),
    ])?)
}

/// −2 ln L as a function of the four features of each pair (shift, variance, logit and slope), which are inputs after its y, peak by peak. Features are linear in the
/// parameters and no two pairs share one: second derivatives are four by four for each pair.
///
/// # Errors
/// None that a calibration can cause.
pub(super) fn record_features(calibration: &Calibration) -> Result<Program, DimuonError> {
    let b = Builder::new();
    let [jpsi, z] = Peak::ALL.map(|peak| {
        let space = b.stream(peak.name());
        let input = |name: &str| b.input(&format!("{} {name}", peak.name()), space);
        let (y, at) = (input("y"), FEATURES.map(input));
        twice_nll(&b, calibration, peak, space, y, at)
    });
    Ok(b.finish(&[("twice_nll", jpsi + z)])?)
}

/// Muons, pairs, and the pairs of both peaks.
fn selection<'b>(b: &'b Builder, calibration: &Calibration) -> [Selected<'b>; 2] {
    let muons = b.ragged("muons", b.stream("events"));
    let (pt, eta, phi) = (
        b.input("pt", muons),
        b.input("eta", muons),
        b.input("phi", muons),
    );
    let charge = b
        .input_of("charge", Type::new(DType::I64, muons))
        .cast(DType::F64);
    let bins = calibration.layout().bins;
    let last = calibration.edges[bins];
    let inside = eta.abs().lt(last.into()).named("|eta| inside");
    let hard = pt.gt(calibration.loosest.into()).named("loosest pt");
    let (good, index) = (inside & hard).filter("good");
    let edges = b.constant_f64(&calibration.edges, b.dense_of("edges", bins + 1));
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
    let opposite = (muon.charge.at(left) * muon.charge.at(right)).lt(0.0.into());
    let (_, index) = opposite.named("opposite charges").filter("opposite");
    let (left, right) = (left.at(index), right.at(index));
    let m2 = mass_squared(muon, left, right);
    Peak::ALL.map(|peak| select(calibration, peak, muon, m2, [left, right]))
}

/// The pairs of one peak, as [`Calibration`] says. Columns of muons are looked up for pairs in the window only.
fn select<'b>(
    calibration: &Calibration,
    peak: Peak,
    muon: Columns<'b>,
    m2: Sym<'b>,
    members: [Sym<'b>; 2],
) -> Selected<'b> {
    let lattice = calibration.lattice(peak);
    let [low, high] = lattice.squares();
    let window = m2.ge(low.into()) & m2.lt(high.into());
    let (_, near) = window.filter(&format!("near {}", peak.name()));
    let m0 = lattice.shape.mass;
    let m2 = m2.at(near);
    let y = (m2 / (m0 * m0)).ln() * 0.5;
    let index = members.map(|member| member.at(near));
    let [l, r] = index.map(|member| muon.energy.at(member));
    let mu2 = 2.0 * MUON * MUON;
    let kappa = [(l, r), (r, l)].map(|(own, other)| (-(other / own + 1.0) * mu2 / m2 + 1.0) * 0.5);
    let pt = index.map(|member| muon.pt.at(member));
    let pull = [0, 1].map(|k| kappa[k] * muon_resolution(pt[k], muon.eta.at(index[k])).square());
    let variance = kappa[0] * pull[0] + kappa[1] * pull[1];
    let constrained = match calibration.momenta {
        Momenta::Constrained => [0, 1].map(|k| pt[k] * (-(pull[k] / variance) * y).exp()),
        Momenta::Measured => [pt[0], pt[1]],
    };
    let cut = calibration.cuts[peak as usize];
    let hard = constrained[0].gt(cut.into()) & constrained[1].gt(cut.into());
    let (space, selected) = hard.named("constrained pt").filter(peak.name());
    let members = [0, 1].map(|k| {
        let bin = muon.bin.at(index[k].at(selected));
        (bin, constrained[k].at(selected), kappa[k].at(selected))
    });
    Selected {
        space,
        y: y.at(selected),
        members,
    }
}

/// The squared mass of pairs of muons.
fn mass_squared<'b>(muon: Columns<'b>, left: Sym<'b>, right: Sym<'b>) -> Sym<'b> {
    let product = |x: Sym<'b>| x.at(left) * x.at(right);
    let [x, y, z] = muon.p.map(product);
    (product(muon.energy) - x - y - z) * 2.0 + 2.0 * MUON * MUON
}
