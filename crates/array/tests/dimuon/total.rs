//! The total derivative, pathwise and surface part, against differences of the exact F.

use pullback_array::transform::{Surface, Width, grad_total, jvp_total};
use pullback_array::{Bindings, Column, Lowered, Program, Space, transform};

use crate::by_hand;
use crate::program::{Events, generate, record, record_with};

/// Mean of a sample and the standard error of the mean.
fn mean(x: &[f64]) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

pub const S: f64 = 1.01;

/// A program of the cut alone: its derivative to `s_cut` has no pathwise part.
pub fn record_cut() -> Program {
    record_with(|b, _| b.input("s_cut", Space::SCALAR), false)
}

/// What chunks of events say about one derivative.
struct Comparison {
    /// Central differences of the exact F, for each step.
    differences: Vec<Vec<f64>>,
    /// Total derivatives, for each width.
    totals: Vec<Vec<f64>>,
    pathwise: Vec<f64>,
    near: f64,
    events: usize,
}

/// Steps of s, each twice the one before, and half-widths of the window in GeV.
const STEPS: [f64; 2] = [0.005, 0.01];
const WIDTHS: [f64; 3] = [0.5, 1.0, 2.0];

/// The inputs of a program, the last of which is the scale that varies.
fn columns<'a>(program: &Program, sample: &'a Events, s: &'a f64) -> Vec<Column<'a>> {
    let mut columns = sample.columns(&S);
    columns.resize(program.inputs().len(), Column::from(s));
    columns[program.inputs().len() - 1] = Column::from(s);
    columns
}

/// Derivatives of `program` to its last input at S, by samples.
fn compare(program: &Program, samples: impl Iterator<Item = Events>) -> Comparison {
    let wrt = &*program.inputs()[program.inputs().len() - 1].0;
    let value = Lowered::new(program.clone()).unwrap();
    let surface = Surface::new(Width::input("h"));
    let total = Lowered::new(jvp_total(program, &["F"], &[wrt], &surface).unwrap()).unwrap();
    let (mut ws_value, mut ws) = (value.workspace(), total.workspace());
    let mut out = Comparison {
        differences: vec![Vec::new(); STEPS.len()],
        totals: vec![Vec::new(); WIDTHS.len()],
        pathwise: Vec::new(),
        near: 0.0,
        events: 0,
    };
    for sample in samples {
        out.events += sample.offsets.len() - 1;
        let mut f = |s: f64| {
            value
                .run(
                    &mut ws_value,
                    &Bindings::ordered(&columns(program, &sample, &s)),
                )
                .unwrap();
            ws_value.scalar(0)
        };
        for (k, d) in STEPS.iter().enumerate() {
            out.differences[k].push((f(S + d) - f(S - d)) / (2.0 * d));
        }
        for (k, h) in WIDTHS.iter().enumerate() {
            let mut columns = columns(program, &sample, &S);
            columns.extend([Column::from(h), Column::from(&1.0)]);
            total.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
            out.totals[k].push(ws.scalar(1));
            if k == 1 {
                out.pathwise.push(ws.scalar(2));
                out.near += ws.scalar(4);
            }
        }
    }
    out
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// The total derivative agrees with differences of the exact F to within `errors` standard errors of their difference, which come from the scatter of chunks
/// (both see the same events). Differences are extrapolated (4 D(d) − D(2d))/3, so that their bias, of second order in the step, is gone; it is printed
/// together with that of the window, (T(h) − T(2h))/3, which is of second order in the width and not corrected.
///
/// Returns by how much the pathwise part alone is off, and the standard error of that.
pub fn agrees(program: &Program, samples: impl Iterator<Item = Events>, errors: f64) -> (f64, f64) {
    let c = compare(program, samples);
    let chunks = c.pathwise.len();
    let per_event = |(x, e): (f64, f64)| {
        let n = c.events as f64 / chunks as f64;
        format!("{:+.6} ± {:.6}", x / n, e / n)
    };
    println!(
        "{} events in {chunks} chunks, s = {S}, derivatives per event",
        c.events
    );
    println!("pathwise                  {}", per_event(mean(&c.pathwise)));
    println!("{} muons within 1 GeV of the cut", c.near);
    for (d, x) in STEPS.iter().zip(&c.differences) {
        println!("difference, ±{d:<5}        {}", per_event(mean(x)));
    }
    let bias: Vec<f64> = minus(&c.differences[1], &c.differences[0])
        .iter()
        .map(|x| x / 3.0)
        .collect();
    println!("  bias of the first       {}", per_event(mean(&bias)));
    let exact = minus(&c.differences[0], &bias);
    println!("extrapolated              {}", per_event(mean(&exact)));
    for (h, total) in WIDTHS.iter().zip(&c.totals) {
        println!("total, h = {h:<4} GeV       {}", per_event(mean(total)));
        let apart = mean(&minus(total, &exact));
        println!("  total − extrapolated    {}", per_event(apart));
        assert!(apart.0.abs() <= errors * apart.1, "width {h}: {apart:?}");
    }
    for (h, pair) in WIDTHS.iter().zip(c.totals.windows(2)) {
        let bias = minus(&pair[1], &pair[0]);
        let bias: Vec<f64> = bias.iter().map(|x| x / 3.0).collect();
        println!("bias at h = {h}            {}", per_event(mean(&bias)));
    }
    let without = mean(&minus(&c.pathwise, &exact));
    println!("pathwise − extrapolated   {}", per_event(without));
    without
}

/// Checks both derivatives on generated events, and that there the surface term matters.
fn agrees_on_generated(program: &Program, chunks: usize, events: usize) {
    let samples = (0..chunks).map(|chunk| generate(events, 1000 + chunk as u64));
    let without = agrees(program, samples, 4.0);
    assert!(
        without.0.abs() > 5.0 * without.1,
        "the pathwise part alone is not far off, {without:?}: the surface term is not tested"
    );
}

#[test]
fn total_derivative_agrees_with_differences_of_the_exact_value() {
    agrees_on_generated(&record(), 200, 5_000);
}

#[test]
fn derivative_to_the_cut_alone_is_all_surface_and_agrees_with_differences() {
    agrees_on_generated(&record_cut(), 200, 5_000);
}

#[test]
fn validate_total_derivatives_on_more_events() {
    let chunks = if std::env::var_os("PULLBACK_VALIDATE").is_some() {
        2000
    } else {
        60
    };
    agrees_on_generated(&record(), chunks, 10_000);
    agrees_on_generated(&record_cut(), chunks, 10_000);
}

/// The surface term of the cut by hand: Σ over muons near it of K(m/h)/h · dm/ds · (F of the event with the muon − without it).
fn surface_by_hand(sample: &Events, s: f64, h: f64) -> (f64, usize) {
    let (mut sum, mut count) = (0.0, 0);
    for event in 0..sample.offsets.len() - 1 {
        let range = sample.offsets[event] as usize..sample.offsets[event + 1] as usize;
        for near in range.clone() {
            let margin = sample.pt[near] * s - crate::program::CUT;
            if margin.abs() >= h {
                continue;
            }
            count += 1;
            let with_muon = |passes: bool| {
                let mut f = 0.0;
                for i in range.clone() {
                    for j in i + 1..range.end {
                        let good = |k: usize| {
                            if k == near {
                                passes
                            } else {
                                sample.pt[k] * s > crate::program::CUT
                            }
                        };
                        if good(i) && good(j) {
                            f += pair(sample, i, j, s);
                        }
                    }
                }
                f
            };
            let u = margin / h;
            let kernel = 0.75 * (1.0 - u * u) / h;
            sum += kernel * sample.pt[near] * (with_muon(true) - with_muon(false));
        }
    }
    (sum, count)
}

/// The shape of a pair, whatever the cut.
fn pair(sample: &Events, i: usize, j: usize, s: f64) -> f64 {
    let both = |x: &[f64]| vec![x[i], x[j]];
    let two = Events {
        offsets: vec![0, 2],
        pt: both(&sample.pt),
        eta: both(&sample.eta),
        phi: both(&sample.phi),
        charge: vec![sample.charge[i], sample.charge[j]],
    };
    by_hand::uncut(&two, s)
}

#[test]
fn surface_term_is_the_sum_over_muons_near_the_cut_forwards_and_backwards() {
    let (program, h) = (record(), 1.5);
    let surface = Surface::new(h);
    let forward = Lowered::new(jvp_total(&program, &["F"], &["s"], &surface).unwrap()).unwrap();
    let reverse = Lowered::new(grad_total(&program, "F", &["s", "pt"], &surface).unwrap()).unwrap();
    let plain = Lowered::new(transform::jvp(&program, &["s"]).unwrap()).unwrap();
    let (mut ws, mut ws_reverse, mut ws_plain) =
        (forward.workspace(), reverse.workspace(), plain.workspace());
    for (events, seed) in [(5000, 11), (311, 12), (1, 13), (0, 14)] {
        let sample = generate(events, seed);
        for s in [0.8, S] {
            let (expected, near) = surface_by_hand(&sample, s, h);
            let mut columns = sample.columns(&s);
            reverse
                .run(&mut ws_reverse, &Bindings::ordered(&columns))
                .unwrap();
            columns.push(Column::from(&1.0));
            let bindings = Bindings::ordered(&columns);
            forward.run(&mut ws, &bindings).unwrap();
            plain.run(&mut ws_plain, &bindings).unwrap();
            let name = |k: usize| forward.program().outputs()[k].0.to_string();
            let names: Vec<String> = (0..5).map(name).collect();
            assert_eq!(
                names,
                ["F", "d_F", "d_F_pathwise", "d_F_surface", "near_pt > 20"]
            );
            // Values and the pathwise part are those of the program, to the bit.
            assert_eq!(ws.scalar(0).to_bits(), ws_plain.scalar(0).to_bits());
            assert_eq!(ws.scalar(2).to_bits(), ws_plain.scalar(1).to_bits());
            assert_eq!(ws.scalar(1), ws.scalar(2) + ws.scalar(3));
            assert_eq!(ws.scalar(4), near as f64);
            let close = |found: f64, expected: f64, what: &str| {
                assert!(
                    (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
                    "{events} events, s = {s}: {what} is {found}, expected {expected}"
                );
            };
            close(ws.scalar(3), expected, "the surface term");
            // grad_s, _pathwise, _surface, then those of pt, then near.
            close(ws_reverse.scalar(2), ws.scalar(2), "pathwise, in reverse");
            close(ws_reverse.scalar(3), expected, "surface, in reverse");
            let along = |k: usize| -> f64 {
                let gradient = ws_reverse.f64(k).iter().zip(&sample.pt);
                gradient.map(|(g, pt)| g * pt).sum::<f64>() / s
            };
            close(along(4), ws.scalar(1), "the total gradient along pt");
            close(along(6), expected, "the surface gradient along pt");
            assert_eq!(ws_reverse.scalar(7), near as f64);
        }
    }
}

#[test]
fn lanes_of_scales_have_the_total_derivatives_of_each() {
    let (program, h) = (record(), 1.5);
    let total = jvp_total(&program, &["F"], &["s"], &Surface::new(h)).unwrap();
    let lanes = transform::vmap(&total, &["s"], "scales").unwrap();
    let (one, many) = (Lowered::new(total).unwrap(), Lowered::new(lanes).unwrap());
    let sample = generate(3000, 21);
    let scales = [0.9, 1.0, 1.1];
    let mut columns = sample.columns(&S);
    columns[5] = Column::F64(&scales);
    columns.push(Column::from(&1.0));
    let mut ws = many.workspace();
    many.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
    let mut ws_one = one.workspace();
    for (k, s) in scales.iter().enumerate() {
        let mut columns = sample.columns(s);
        columns.push(Column::from(&1.0));
        one.run(&mut ws_one, &Bindings::ordered(&columns)).unwrap();
        for output in 0..5 {
            let (found, expected) = (ws.f64(output)[k], ws_one.scalar(output));
            assert!(
                (found - expected).abs() <= 1e-10 * expected.abs().max(1.0),
                "s = {s}, output {output}: {found}, expected {expected}"
            );
        }
    }
}
