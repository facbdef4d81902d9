//! The dimuon program: muon pt scaled by s, cut pt > 20 GeV, all opposite-charge pairs, F = Σ exp(−((m − 91.2)/5)²). Value and pathwise derivative to s
//! next to the same by hand: one loop over events that carries (value, tangent).
//!
//! `cargo run --release -p pullback-benches --bin dimuon`

use std::hint::black_box;
use std::time::Duration;

use pullback_ad::Real;
use pullback_array::{
    Bindings, Builder, Column, DType, Lowered, Program, Space, Sym, Type, Workspace, transform,
};
use pullback_benches::{
    Clock, Effort, Row, measure, measure_with, paired, peak_rss_bytes, reset_peak_rss,
};

/// Mass of the muon in GeV (PDG 2022).
const MUON: f64 = 0.1056583755;
const CUT: f64 = 20.0;
const PEAK: f64 = 91.2;
const WIDTH: f64 = 5.0;

/// Columns of events with muons.
struct Events {
    offsets: Vec<i64>,
    pt: Vec<f64>,
    eta: Vec<f64>,
    phi: Vec<f64>,
    charge: Vec<i32>,
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
fn generate(events: usize, seed: u64) -> Events {
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

fn record() -> Program {
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
    let (good, index) = scaled.gt(CUT.into()).filter("good");
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
    let shape = (-(pull * pull)).exp();
    let f = product(charge)
        .lt(0.0.into())
        .select(shape, 0.0.into())
        .sum_all();
    b.finish(&[("F", f)]).expect("well-formed")
}

/// The same by hand: (F, dF/ds) in one loop over events.
fn by_hand(events: &Events, s: f64) -> (f64, f64) {
    #[derive(Clone, Copy, Default)]
    struct Muon {
        charge: i32,
        p: [f64; 3],
        dp: [f64; 3],
        e: f64,
        de: f64,
    }
    let mut good = [Muon::default(); 64];
    let (mut value, mut tangent) = (0.0, 0.0);
    for w in events.offsets.windows(2) {
        let mut n = 0;
        for i in w[0] as usize..w[1] as usize {
            let pt = events.pt[i] * s;
            if pt > CUT {
                let (sin, cos) = events.phi[i].sin_cos();
                let sinh = events.eta[i].sinh();
                let d = events.pt[i];
                let (p, dp) = (
                    [pt * cos, pt * sin, pt * sinh],
                    [d * cos, d * sin, d * sinh],
                );
                let e = (p[0] * p[0] + p[1] * p[1] + p[2] * p[2] + MUON * MUON).sqrt();
                let de = (p[0] * dp[0] + p[1] * dp[1] + p[2] * dp[2]) / e;
                good[n] = Muon {
                    charge: events.charge[i],
                    p,
                    dp,
                    e,
                    de,
                };
                n += 1;
            }
        }
        for i in 0..n {
            let a = good[i];
            for b in &good[i + 1..n] {
                if a.charge * b.charge < 0 {
                    let dot = a.e * b.e - a.p[0] * b.p[0] - a.p[1] * b.p[1] - a.p[2] * b.p[2];
                    let d_dot = a.de * b.e + a.e * b.de
                        - (a.dp[0] * b.p[0] + a.p[0] * b.dp[0])
                        - (a.dp[1] * b.p[1] + a.p[1] * b.dp[1])
                        - (a.dp[2] * b.p[2] + a.p[2] * b.dp[2]);
                    let mass = (2.0 * dot + 2.0 * MUON * MUON).sqrt();
                    let pull = (mass - PEAK) / WIDTH;
                    let f = (-pull * pull).exp();
                    value += f;
                    tangent += f * -2.0 * pull / WIDTH * (d_dot / mass);
                }
            }
        }
    }
    (value, tangent)
}

fn columns<'a>(events: &'a Events, s: &'a f64) -> Vec<Column<'a>> {
    vec![
        Column::Offsets(&events.offsets),
        Column::F64(&events.pt),
        Column::F64(&events.eta),
        Column::F64(&events.phi),
        Column::I32(&events.charge),
        s.into(),
    ]
}

fn main() {
    let (events, s) = (generate(100_000, 20), 1.01);
    let most = events
        .offsets
        .windows(2)
        .map(|w| w[1] - w[0])
        .max()
        .unwrap_or(0);
    println!(
        "{} events, {:.3} muons per event, at most {most}",
        events.offsets.len() - 1,
        events.pt.len() as f64 / (events.offsets.len() - 1) as f64
    );
    let program = record();
    let value = Lowered::new(program.clone()).expect("lowers");
    let forward =
        Lowered::new(transform::jvp(&program, &["s"]).expect("differentiable")).expect("lowers");
    let reverse = Lowered::new(transform::grad(&program, "F", &["pt"]).expect("differentiable"))
        .expect("lowers");
    println!(
        "instructions: value {:?}, forward {:?}, reverse {:?}",
        value.instruction_counts(),
        forward.instruction_counts(),
        reverse.instruction_counts()
    );

    let (f, df) = by_hand(&events, s);
    let one = 1.0;
    let bindings = Bindings::ordered(&columns(&events, &s));
    let with_tangent = Bindings::ordered(
        &columns(&events, &s)
            .into_iter()
            .chain([Column::from(&one)])
            .collect::<Vec<_>>(),
    );
    let (mut ws, mut ws_forward, mut ws_reverse) =
        (value.workspace(), forward.workspace(), reverse.workspace());
    value.run(&mut ws, &bindings).expect("runs");
    forward.run(&mut ws_forward, &with_tangent).expect("runs");
    reverse.run(&mut ws_reverse, &bindings).expect("runs");
    let along: f64 = ws_reverse
        .f64(1)
        .iter()
        .zip(&events.pt)
        .map(|(g, pt)| g * pt)
        .sum::<f64>()
        / s;
    println!(
        "F = {f}, dF/ds = {df} by hand; {} and {} here, {along} from the gradient",
        ws_forward.scalar(0),
        ws_forward.scalar(1)
    );
    assert!(
        (ws.scalar(0) / f - 1.0).abs() < 1e-11
            && ws.scalar(0).to_bits() == ws_forward.scalar(0).to_bits()
    );
    assert!((ws_forward.scalar(1) / df - 1.0).abs() < 1e-10 && (along / df - 1.0).abs() < 1e-10);

    // For a profiler: one program over and over.
    if std::env::args().nth(1).as_deref() == Some("forward") {
        for _ in 0..1000 {
            forward.run(&mut ws_forward, &with_tangent).expect("runs");
        }
        return;
    }
    let pair = paired(
        || forward.run(&mut ws_forward, &with_tangent).expect("runs"),
        || black_box(by_hand(black_box(&events), s)),
    );
    Row::paired(
        "dimuon, 1e5 events: value + pathwise derivative to s",
        &pair,
    )
    .ratio_at_most(3.0, 1.5)
    .report();
    Row::stats("dimuon, the same, absolute", &pair.ours)
        .value_at_most(2e-3, None)
        .report();
    let plain = measure(|| value.run(&mut ws, &bindings).expect("runs"));
    Row::stats("dimuon, value", &plain).report();
    let pair = paired(
        || reverse.run(&mut ws_reverse, &bindings).expect("runs"),
        || value.run(&mut ws, &bindings).expect("runs"),
    );
    Row::paired("dimuon, gradient for every pt, over our value", &pair)
        .ratio_at_most(3.0, 2.0)
        .report();
    let stats = measure(|| {
        Lowered::new(transform::jvp(&record(), &["s"]).expect("differentiable")).expect("lowers")
    });
    Row::stats("dimuon, record + jvp + lower", &stats).report();
    for (name, events) in [("1e6", 1_000_000), ("1e7", 10_000_000)] {
        at_scale(
            name,
            events,
            &[("to s", &forward), ("for every pt", &reverse)],
        );
    }
}

/// Many events: time per event, what is resident beyond inputs and outputs, one thread and two.
fn at_scale(name: &str, count: usize, programs: &[(&str, &Lowered)]) {
    let (events, s, one) = (generate(count, 21), 1.01, 1.0);
    for (what, lowered) in programs {
        let inputs = lowered.program().inputs().len();
        let tangent = std::iter::once(Column::from(&one));
        let all: Vec<Column<'_>> = columns(&events, &s).into_iter().chain(tangent).collect();
        let bindings = Bindings::ordered(&all[..inputs]);
        reset_peak_rss();
        let before = peak_rss_bytes().unwrap_or(0);
        let mut ws = lowered.workspace();
        lowered.run(&mut ws, &bindings).expect("runs");
        let outputs = 8 * ws.f64(1).len() as u64;
        let grown = peak_rss_bytes()
            .unwrap_or(0)
            .saturating_sub(before + outputs);
        let effort = |clock| Effort {
            clock,
            min_rounds: 3,
            max_time: Duration::from_millis(300),
            ..Effort::default()
        };
        let run = |ws: &mut Workspace, clock| {
            let stats = measure_with(
                effort(clock),
                || (),
                |()| lowered.run(ws, &bindings).expect("runs"),
            );
            stats.min
        };
        let thread = run(&mut ws, Clock::Thread);
        let mut two = lowered.workspace_with(2, 1024);
        let (wall, two_wall) = (run(&mut ws, Clock::Wall), run(&mut two, Clock::Wall));
        let same = |k: usize| {
            let pairs = ws.f64(k).iter().zip(two.f64(k));
            pairs.into_iter().all(|(a, b)| a.to_bits() == b.to_bits())
        };
        assert!(same(0) && same(1));
        let title = format!("dimuon, gradient {what}, {name} events");
        Row::time(format!("{title}, per event"), thread / count as f64).report();
        Row::time(format!("{title}, two threads over one, wall"), two_wall)
            .reference(wall, "")
            .report();
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        Row::value(
            format!("{title}, resident beyond inputs and outputs"),
            mebibytes(grown),
            "MiB",
        )
        .reference(mebibytes(outputs), "outputs")
        .report();
        Row::value(
            format!("{title}, memory of the sweep"),
            mebibytes(ws.scratch_bytes() as u64),
            "MiB",
        )
        .report();
    }
}
