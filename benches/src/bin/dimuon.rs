//! The dimuon program: muon pt scaled by s, cut pt > 20 GeV, all opposite-charge pairs, F = Σ exp(−((m − 91.2)/5)²). Value and pathwise derivative to s
//! next to the same by hand: one loop over events that carries (value, tangent).
//!
//! `cargo run --release -p pullback-benches --bin dimuon`

use std::hint::black_box;
use std::time::Duration;

#[path = "../../../crates/array/tests/dimuon/program.rs"]
mod program;

use pullback_array::transform::{Surface, Width};
use pullback_array::{Bindings, Column, Lowered, Workspace, explain, transform};
use pullback_benches::{
    Clock, Effort, Row, measure, measure_with, paired, peak_rss_bytes, reset_peak_rss,
};

use program::{CUT, Events, MUON, PEAK, WIDTH, generate, record};

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
    let bindings = Bindings::ordered(&events.columns(&s));
    let with_tangent = Bindings::ordered(
        &events
            .columns(&s)
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
    total_derivative(&program, &events, s, &value);
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
        let all: Vec<Column<'_>> = events.columns(&s).into_iter().chain(tangent).collect();
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

/// The total derivative to s, with the surface term of the cut from windows of 1 GeV: value, pathwise and surface part, over the value alone.
fn total_derivative(program: &pullback_array::Program, events: &Events, s: f64, value: &Lowered) {
    let surface = Surface::new(Width::input("h"));
    let forward = transform::jvp_total(program, &["F"], &["s"], &surface).expect("known terms");
    let reverse = transform::grad_total(program, "F", &["s"], &surface).expect("known terms");
    let forward = Lowered::new(forward).expect("lowers");
    let reverse = Lowered::new(reverse).expect("lowers");
    let (width, one) = (1.0, 1.0);
    let bindings = Bindings::ordered(&events.columns(&s));
    let mut columns = events.columns(&s);
    columns.push(Column::from(&width));
    let of_reverse = Bindings::ordered(&columns);
    columns.push(Column::from(&one));
    let of_forward = Bindings::ordered(&columns);
    let (mut ws, mut ws_forward, mut ws_reverse) =
        (value.workspace(), forward.workspace(), reverse.workspace());
    forward.run(&mut ws_forward, &of_forward).expect("runs");
    println!(
        "dF/ds = {} = {} pathwise + {} surface, from {} muons within 1 GeV of the cut",
        ws_forward.scalar(1),
        ws_forward.scalar(2),
        ws_forward.scalar(3),
        ws_forward.scalar(4)
    );
    let pair = paired(
        || forward.run(&mut ws_forward, &of_forward).expect("runs"),
        || value.run(&mut ws, &bindings).expect("runs"),
    );
    Row::paired("dimuon, total derivative to s, over our value", &pair).report();
    let pair = paired(
        || reverse.run(&mut ws_reverse, &of_reverse).expect("runs"),
        || value.run(&mut ws, &bindings).expect("runs"),
    );
    Row::paired(
        "dimuon, total gradient to s in reverse, over our value",
        &pair,
    )
    .report();
    println!(
        "{}",
        explain(program, &bindings, "F", &["s"]).expect("explained")
    );
    let stats = measure(|| explain(program, &bindings, "F", &["s"]).expect("explained"));
    Row::stats("dimuon, explain dF/ds, lowering included", &stats).report();
}
