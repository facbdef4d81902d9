//! The dimuon program: muon pt scaled by s, cut pt > 20 GeV, all opposite-charge pairs, F = Σ exp(−((m − 91.2)/5)²); and events for it.
//! Shared with the bench `dimuon`.

use pullback_ad::Real;
use pullback_array::{Builder, Column, DType, Program, Space, Sym, Type};

/// Mass of the muon in GeV (PDG 2022).
pub const MUON: f64 = 0.1056583755;
pub const CUT: f64 = 20.0;
pub const PEAK: f64 = 91.2;
pub const WIDTH: f64 = 5.0;

/// Columns of events with muons.
pub struct Events {
    pub offsets: Vec<i64>,
    pub pt: Vec<f64>,
    pub eta: Vec<f64>,
    pub phi: Vec<f64>,
    pub charge: Vec<i32>,
}

impl Events {
    /// The inputs of the program.
    pub fn columns<'a>(&'a self, s: &'a f64) -> Vec<Column<'a>> {
        vec![
            Column::Offsets(&self.offsets),
            Column::F64(&self.pt),
            Column::F64(&self.eta),
            Column::F64(&self.phi),
            Column::I32(&self.charge),
            s.into(),
        ]
    }
}

/// Uniform in (0, 1): splitmix64 (Steele, Lea & Flood 2014).
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (((z ^ (z >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// A normal number (Box & Muller 1958).
fn normal(state: &mut u64) -> f64 {
    (-2.0 * uniform(state).ln()).sqrt() * (std::f64::consts::TAU * uniform(state)).cos()
}

/// Events like those of the CMS open data of 2012 with two muons (CERN Open Data record 12341, first 100,000 events): the same multiplicities, 2.35 muons on
/// average and up to 39; transverse momenta log-normal about 11.5 GeV, 22% above 20 GeV; a pair near the Z in a tenth of the events.
pub fn generate(events: usize, seed: u64) -> Events {
    /// Fraction of events with at most that many muons.
    const AT_MOST: [f64; 10] = [
        0.0321, 0.1666, 0.6563, 0.8736, 0.9538, 0.9813, 0.9920, 0.9961, 0.9981, 0.9989,
    ];
    let mut state = seed;
    let mut out = Events {
        offsets: vec![0],
        pt: vec![],
        eta: vec![],
        phi: vec![],
        charge: vec![],
    };
    for event in 0..events {
        let u = uniform(&mut state);
        let n = AT_MOST.iter().position(|f| u < *f).unwrap_or_else(|| {
            10 + if event % 1000 == 17 {
                29
            } else {
                (uniform(&mut state) * 8.0) as usize
            }
        });
        let n = if event == events / 2 { 39 } else { n };
        let pair = n >= 2 && uniform(&mut state) < 0.11;
        let phi = uniform(&mut state);
        for k in 0..n {
            let near_z = pair && k < 2;
            let turn = if near_z {
                phi + 0.49 * k as f64
            } else {
                uniform(&mut state)
            };
            out.phi.push(std::f64::consts::TAU * (turn.fract() - 0.5));
            out.pt.push(if near_z {
                45.6 + 5.0 * normal(&mut state)
            } else {
                (2.37 + 0.7 * normal(&mut state)).exp().max(3.0)
            });
            out.eta
                .push(if near_z { 0.3 } else { 2.2 } * (2.0 * uniform(&mut state) - 1.0));
            let positive = if near_z {
                k == 0
            } else {
                uniform(&mut state) < 0.5
            };
            out.charge.push(if positive { 1 } else { -1 });
        }
        out.offsets.push(out.pt.len() as i64);
    }
    out
}

/// The product of both members of each pair.
fn pair_product<'b>(left: Sym<'b>, right: Sym<'b>) -> impl Fn(Sym<'b>) -> Sym<'b> {
    move |x| x.at(left) * x.at(right)
}

/// Records the program: inputs muons (offsets), pt, eta, phi, charge, s; output F.
pub fn record() -> Program {
    record_with(|_, s| s, false)
}

/// The same with a scale of its own for the cut, made of the builder and the scale of the momenta; with a shape of 1, the number of pairs.
pub fn record_with(
    of_cut: impl for<'b> Fn(&'b Builder, Sym<'b>) -> Sym<'b>,
    count: bool,
) -> Program {
    let b = Builder::new();
    let muons = b.ragged("muons", b.stream("events"));
    let (pt, eta, phi) = (
        b.input("pt", muons),
        b.input("eta", muons),
        b.input("phi", muons),
    );
    let charge = b.input_of("charge", Type::new(DType::I32, muons));
    let s = b.input("s", Space::SCALAR);
    let scaled = pt * s;
    let compared = pt * of_cut(&b, s);
    let (good, index) = compared.gt(CUT.into()).named("pt > 20").filter("good");
    let (pt, eta, phi, charge) = (
        scaled.at(index),
        eta.at(index),
        phi.at(index),
        charge.cast(DType::F64).at(index),
    );
    let (px, py, pz) = (pt * phi.cos(), pt * phi.sin(), pt * eta.sinh());
    let energy = (px * px + py * py + pz * pz + MUON * MUON).sqrt();
    let (_, left, right) = b.pairs(good, "pairs");
    let product = pair_product(left, right);
    let dot = product(energy) - product(px) - product(py) - product(pz);
    let mass = (dot * 2.0 + 2.0 * MUON * MUON).sqrt();
    let pull = (mass - PEAK) / WIDTH;
    let shape = if count {
        b.broadcast(1.0.into(), pull.space())
    } else {
        (-(pull * pull)).exp()
    };
    let f = product(charge)
        .lt(0.0.into())
        .select(shape, 0.0.into())
        .sum_all();
    b.finish(&[("F", f)]).expect("well-formed")
}
