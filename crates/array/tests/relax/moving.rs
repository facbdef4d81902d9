//! Only what moves with some inputs is relaxed.

use pullback_ad::Real;
use pullback_array::transform::{Relaxation, Smoothing, Width, decisions, relax, vjp};
use pullback_array::{Bindings, Builder, Column, Flow, Last, Lowered, Program, Space, Sym};

const OFFSETS: [i64; 4] = [0, 3, 4, 6];
const PT: [f64; 6] = [31.0, 24.0, 12.0, 40.0, 26.0, 55.0];
const ETA: [f64; 6] = [0.1, 2.0, 1.0, 2.6, 0.3, 1.2];

/// Events with two muons above a threshold and |η| < 2.4 (which does not move), one of them beyond 1.5, in bins of Σ p_T.
fn program() -> Program {
    let b = Builder::new();
    let events = b.stream("events");
    let muons = b.ragged("muons", events);
    let (pt, eta) = (b.input("pt", muons), b.input("eta", muons));
    let cut = b.input("cut", Space::SCALAR);
    let (good, index) = (pt.gt(cut) & eta.lt(2.4.into())).filter("good");
    let level = good.last().unwrap();
    let two = b.counts(good).ge(b.integer(2));
    let far = eta.at(index).gt(1.5.into()).any(level);
    let sum = pt.at(index).sum(level);
    let edges = b.constant_f64(&[0.0, 50.0, 100.0], b.dense_of("edges", 3));
    let bins = b.dense_of("bins", 2);
    let w = (two & far).select(1.0.into(), 0.0.into());
    let filled = w.scatter_add(sum.bin_index(edges, Flow::Drop, Last::Open), bins);
    b.finish(&[("h", filled)]).unwrap()
}

fn run(program: Program, more: &[f64]) -> Vec<f64> {
    let lowered = Lowered::new(program).unwrap();
    let mut ws = lowered.workspace();
    let mut columns = vec![Column::Offsets(&OFFSETS), (&PT).into(), (&ETA).into()];
    columns.extend(more.iter().map(Column::from));
    lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
    ws.f64(0).to_vec()
}

fn policy(widths: &[f64]) -> Relaxation {
    let policy = Relaxation::moving(Smoothing::Sigmoid, &["cut"]);
    let (list, _) = decisions(&program(), &policy).unwrap();
    assert_eq!(list.len(), 3);
    assert_eq!(list.iter().filter(|d| d.counts).count(), 1);
    assert_eq!(list.iter().filter(|d| d.is_bin(&program())).count(), 1);
    list.iter()
        .zip(widths)
        .fold(policy, |p, (d, w)| p.decision(d.value, *w))
}

/// By loops: only the threshold, the count and the bins are soft.
fn expected(cut: f64, [t_pt, t_count, t_bin]: [f64; 3]) -> Vec<f64> {
    let s = |m: f64, t: f64| 1.0 / (1.0 + (-m / t).exp());
    let mut bins = vec![0.0; 2];
    for w in OFFSETS.windows(2) {
        let muons = w[0] as usize..w[1] as usize;
        let degree = |k: usize| {
            if ETA[k] < 2.4 {
                s(PT[k] - cut, t_pt)
            } else {
                0.0
            }
        };
        let n: f64 = muons.clone().map(degree).sum();
        let none: f64 = muons
            .clone()
            .map(|k| 1.0 - if ETA[k] > 1.5 { degree(k) } else { 0.0 })
            .product();
        let sum: f64 = muons.map(|k| degree(k) * PT[k]).sum();
        let weight = s(n - 1.5, t_count) * (1.0 - none);
        for (k, bin) in bins.iter_mut().enumerate() {
            let edge = |e: usize| s(50.0 * e as f64 - sum, t_bin);
            *bin += weight * (edge(k + 1) - edge(k));
        }
    }
    bins
}

#[test]
fn what_does_not_move_stays_hard() {
    let widths = [2.0, 0.3, 5.0];
    let relaxed = relax(&program(), &policy(&widths)).unwrap();
    let found = run(relaxed, &[25.0]);
    for (a, b) in found.iter().zip(expected(25.0, widths)) {
        assert!((a - b).abs() < 1e-13, "{a} {b}");
    }
    let exact = relax(&program(), &policy(&[1e-4; 3])).unwrap();
    assert_eq!(run(exact, &[25.0]), run(program(), &[25.0]));
}

#[test]
fn margins_are_those_of_comparisons_and_values_those_of_bins() {
    let policy = Relaxation::moving(Smoothing::Sigmoid, &["cut"]);
    let (list, margins) = decisions(&program(), &policy).unwrap();
    let names = margins.outputs().iter().map(|(n, _)| &**n);
    let names: Vec<&str> = names.filter(|n| !n.ends_with("edges")).collect();
    let wanted: Vec<String> = (0..list.len())
        .filter(|k| !list[*k].counts)
        .map(|k| k.to_string())
        .collect();
    assert_eq!(names, wanted);
    assert_eq!(run(margins, &[25.0]), PT.map(|x| x - 25.0));
}

#[test]
fn what_chooses_by_something_that_moves_is_refused_and_the_rest_is_left_alone() {
    let record = |scaled: bool| {
        let b = Builder::new();
        let muons = b.ragged("muons", b.stream("events"));
        let (pt, scale) = (b.input("pt", muons), b.input("scale", Space::SCALAR));
        let key = if scaled { pt * scale } else { pt };
        let best = pt.at(key.argmax().named("hardest")) * scale;
        let kept = best.gt(30.0.into()).select(best, Sym::from(0.0));
        b.finish(&[("sum", kept.sum_all())]).unwrap()
    };
    let policy = Relaxation::moving(Smoothing::Normal, &["scale"]);
    let error = decisions(&record(true), &policy).unwrap_err();
    assert!(error.to_string().contains("argmax (hardest)"), "{error}");
    assert_eq!(decisions(&record(false), &policy).unwrap().0.len(), 1);
    let unknown = Relaxation::moving(Smoothing::Normal, &["scal"]);
    let error = decisions(&record(false), &unknown).unwrap_err();
    assert!(error.to_string().contains("scal"), "{error}");
}

#[test]
fn a_width_is_an_input_and_its_absence_an_error() {
    let soft = Relaxation::moving(Smoothing::Sigmoid, &["cut"]);
    let (list, _) = decisions(&program(), &soft).unwrap();
    let error = relax(&program(), &soft).unwrap_err();
    assert!(error.to_string().contains("width"), "{error}");
    let annealed = list.iter().enumerate().fold(soft, |p, (k, d)| {
        p.decision(d.value, Width::input(&format!("width {k}")))
    });
    let relaxed = relax(&program(), &annealed).unwrap();
    let widths = [2.0, 0.3, 5.0];
    let found = run(relaxed.clone(), &[[25.0].as_slice(), &widths].concat());
    assert!((found[0] - expected(25.0, widths)[0]).abs() < 1e-13);
    // There is a derivative.
    let gradient = vjp(&relaxed, &["h"], &["cut"]).unwrap();
    let lowered = Lowered::new(gradient).unwrap();
    let mut ws = lowered.workspace();
    let mut columns = vec![Column::Offsets(&OFFSETS), (&PT).into(), (&ETA).into()];
    let more = [[25.0].as_slice(), &widths].concat();
    columns.extend(more.iter().map(Column::from));
    columns.push((&[1.0, 0.0]).into());
    lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
    let h = 1e-5;
    let difference = (expected(25.0 + h, widths)[0] - expected(25.0 - h, widths)[0]) / (2.0 * h);
    assert!(difference.abs() > 1e-3);
    assert!((ws.f64(1)[0] - difference).abs() < 1e-8, "{difference}");
}

#[test]
fn widths_stay_behind_the_inputs_when_a_relaxed_program_is_simplified() {
    let soft = Relaxation::moving(Smoothing::Sigmoid, &["cut"]);
    let (list, _) = decisions(&program(), &soft).unwrap();
    let annealed = list.iter().enumerate().fold(soft, |p, (k, d)| {
        p.decision(d.value, Width::input(&format!("width {k}")))
    });
    let relaxed = relax(&program(), &annealed).unwrap();
    let simple = pullback_array::transform::simplify(&relaxed).unwrap();
    let names = |p: &Program| -> Vec<String> {
        let inputs = p.inputs().iter();
        inputs.map(|(n, _)| n.to_string()).collect()
    };
    assert_eq!(names(&relaxed), names(&simple));
    assert_eq!(names(&simple)[4], "width 0");
}
