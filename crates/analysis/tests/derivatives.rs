//! What is compiled is differentiated, relaxed and explained by name.

mod support;

use std::collections::HashMap;

use pullback_ad::{Complex, Real, complex_step};
use pullback_analysis::{Analysis, Compiled, Histogram, Input, Object};
use pullback_array::transform::{Relaxation, Smoothing, jvp, relax, vmap};
use pullback_array::{Bindings, Builder, Column, Lowered, margin};
use pullback_sim::Process;
use support::{Data, close};

fn sample(events: usize) -> Data {
    Data::generated(Process::ZToLL, 7, events)
}

/// A histogram of one bin whose weights depend on the parameters.
fn analysis() -> Analysis {
    Analysis::new()
        .parameter("scale", "0.01")
        .parameter("threshold", "30 GeV")
        .object("mu", Object::from("Muon").filter("pt > threshold"))
        .object(
            "mm",
            Object::combine("mu as a, mu as b").filter("a.charge != b.charge"),
        )
        .column("m", "mass((1 + scale * mm.a.eta ** 2) * mm.a + mm.b)")
        .column("z", "argmin(abs(m - 91.2 GeV))")
        .column("w", "default(exp(-((z.m - 91.2) / 5) ** 2), 0)")
        .region(
            "SR",
            ["count(mu) >= 2", "any(60 < m < 120)", "MET.pt < threshold"],
        )
        .histogram("shape", Histogram::new("0 * w", [-1.0, 1.0]).weight("w"))
        .histogram(
            "met",
            Histogram::uniform("MET.pt", 5, 0.0, 100.0).region("SR"),
        )
        .histogram(
            "yield",
            Histogram::new("0 * MET.pt", [-1.0, 1.0]).region("SR"),
        )
}

fn compiled(data: &Data, names: &[&str]) -> Compiled {
    let model = analysis().check(&data.schema());
    model
        .and_then(|m| m.compile(names))
        .unwrap_or_else(|e| panic!("{e}"))
}

fn run(data: &Data, program: &Compiled, parameters: &[(&str, f64)]) -> Vec<f64> {
    let parameters: HashMap<&str, f64> = parameters.iter().copied().collect();
    data.run(program, &parameters).1.f64(0).to_vec()
}

/// The first bin where membership among the muons is soft, 2 GeV wide.
fn soft(data: &Data, hard: &Compiled) -> f64 {
    let policy = Relaxation::only(Smoothing::Sigmoid).with("mu", 2.0);
    let program = relax(&hard.program, &policy).unwrap();
    let soft = Compiled {
        program,
        ..hard.clone()
    };
    run(data, &soft, &[])[0]
}

/// Σ exp(−((m − 91.2)/5)²) over events with a pair, by loops.
fn shape<R: Real>(data: &Data, scale: R) -> R {
    let column = |name: &str| data.get(name).0.f64();
    let (pt, eta, phi) = (column("Muon_pt"), column("Muon_eta"), column("Muon_phi"));
    let (mass, charge) = (column("Muon_mass"), column("Muon_charge"));
    let p4 = |i: usize, s: R| {
        let pz = pt[i] * eta[i].sinh();
        let e = (pt[i] * pt[i] + pz * pz + mass[i] * mass[i]).sqrt();
        [pt[i] * phi[i].cos(), pt[i] * phi[i].sin(), pz, e].map(|x| s * R::constant(x))
    };
    let mut total = R::constant(0.0);
    for w in data.get("Muon_pt").1.windows(2) {
        let mut good: Vec<usize> = (w[0] as usize..w[1] as usize)
            .filter(|i| pt[*i] > 30.0)
            .collect();
        good.sort_by(|a, b| pt[*b].total_cmp(&pt[*a]));
        let mut best: Option<(f64, R)> = None;
        for (k, &i) in good.iter().enumerate() {
            for &j in good.iter().skip(k + 1).filter(|j| charge[**j] != charge[i]) {
                // The choice of the pair is that of the value: it has no derivative.
                let m = |s: R| {
                    let first = s * R::constant(eta[i] * eta[i]) + R::constant(1.0);
                    let (a, b) = (p4(i, first), p4(j, R::constant(1.0)));
                    let [x, y, z, e] = [0, 1, 2, 3].map(|c| a[c] + b[c]);
                    (e * e - x * x - y * y - z * z).sqrt()
                };
                let plain = {
                    let first = 0.01 * eta[i] * eta[i] + 1.0;
                    let p = |i: usize, s: f64| {
                        let pz = pt[i] * eta[i].sinh();
                        let e = (pt[i] * pt[i] + pz * pz + mass[i] * mass[i]).sqrt();
                        [pt[i] * phi[i].cos(), pt[i] * phi[i].sin(), pz, e].map(|x| s * x)
                    };
                    let (a, b) = (p(i, first), p(j, 1.0));
                    let [x, y, z, e] = [0, 1, 2, 3].map(|c| a[c] + b[c]);
                    ((e * e - x * x - y * y - z * z).sqrt() - 91.2).abs()
                };
                if best.as_ref().is_none_or(|b| plain < b.0) {
                    best = Some((plain, m(scale)));
                }
            }
        }
        if let Some((_, m)) = best {
            let u = (m - R::constant(91.2)) / R::constant(5.0);
            total += (-(u * u)).exp();
        }
    }
    total
}

#[test]
fn values_and_derivatives_equal_loops_and_the_complex_step() {
    let data = sample(2000);
    let compiled = compiled(&data, &["shape"]);
    let value = shape(&data, 0.01_f64);
    let derivative = complex_step(|s| shape::<Complex>(&data, s), 0.01);
    assert!(
        value > 100.0 && derivative.abs() > 10.0,
        "{value}, {derivative}"
    );
    assert!(close(&run(&data, &compiled, &[]), &[value], 1e-12));
    let tangent = jvp(&compiled.program, &["scale"]).unwrap();
    let lowered = Lowered::new(tangent).unwrap();
    let mut ws = lowered.workspace();
    let mut inputs = compiled.inputs.clone();
    inputs.push(pullback_analysis::Input::Parameter {
        name: lowered.program().inputs().last().unwrap().0.to_string(),
        start: vec![1.0],
    });
    data.run_again(&lowered, &mut ws, &inputs, &HashMap::new());
    let found = lowered
        .program()
        .outputs()
        .iter()
        .position(|o| &*o.0 != "shape" && o.0.contains("shape") && !o.0.contains('²'));
    let found = ws.f64(found.unwrap());
    assert!(
        close(found, &[derivative], 1e-11),
        "{found:?}, {derivative}"
    );
}

#[test]
fn a_relaxed_region_has_the_derivative_of_its_value() {
    let data = sample(2000);
    let hard = compiled(&data, &["yield"]);
    let exact = run(&data, &hard, &[])[0];
    let at = |width: f64, threshold: f64| {
        let program = relax(&hard.program, &Relaxation::all(Smoothing::Sigmoid, width)).unwrap();
        let soft = Compiled {
            program,
            ..hard.clone()
        };
        run(&data, &soft, &[("threshold", threshold)])[0]
    };
    // Narrow decisions are the hard ones.
    assert!(
        (at(1e-4, 30.0) - exact).abs() < 1e-3 * exact,
        "{} {exact}",
        at(1e-4, 30.0)
    );
    let program = relax(&hard.program, &Relaxation::all(Smoothing::Sigmoid, 2.0)).unwrap();
    let lowered = Lowered::new(jvp(&program, &["threshold"]).unwrap()).unwrap();
    let mut ws = lowered.workspace();
    let mut inputs = hard.inputs.clone();
    inputs.push(pullback_analysis::Input::Parameter {
        name: lowered.program().inputs().last().unwrap().0.to_string(),
        start: vec![1.0],
    });
    data.run_again(&lowered, &mut ws, &inputs, &HashMap::new());
    let outputs = lowered.program().outputs();
    let found = outputs
        .iter()
        .position(|o| &*o.0 != "yield" && o.0.contains("yield") && !o.0.contains('²'));
    let found = ws.f64(found.unwrap())[0];
    let step = 1e-3;
    let difference = (at(2.0, 30.0 + step) - at(2.0, 30.0 - step)) / (2.0 * step);
    assert!(found.abs() > 0.1, "{found}");
    assert!(
        (found - difference).abs() < 1e-6 * found.abs(),
        "{found} {difference}"
    );
}

#[test]
fn a_sorted_collection_can_have_a_soft_threshold() {
    let data = sample(500);
    let analysis = Analysis::new()
        .parameter("threshold", "30 GeV")
        .object(
            "mu",
            Object::from("Muon").filter("pt > threshold").sort("-pt"),
        )
        .histogram("n", Histogram::new("0 * mu.pt", [-1.0, 1.0]));
    let model = analysis.check(&data.schema()).unwrap();
    let hard = model.compile(&["n"]).unwrap();
    let soft = soft(&data, &hard);
    let pt = data.get("Muon_pt").0.f64();
    let expected: f64 = pt
        .iter()
        .map(|x| 1.0 / (1.0 + (-(x - 30.0) / 2.0).exp()))
        .sum();
    assert!(close(&[soft], &[expected], 1e-12), "{soft} {expected}");
}

/// Jets that are not near a muon, whose threshold is soft: each counts Π(1 − w).
#[test]
fn overlap_removal_can_be_soft() {
    let data = sample(1000);
    let analysis = Analysis::new()
        .parameter("threshold", "30 GeV")
        .object("mu", Object::from("Muon").filter("pt > threshold"))
        .object("el", Object::from("Electron").filter("pt > 10"))
        .object(
            "jets",
            Object::from("Jet").filter("not near(union(mu, el), 0.4)"),
        )
        .histogram("n", Histogram::new("0 * jets.pt", [-1.0, 1.0]));
    let model = analysis.check(&data.schema()).unwrap();
    let hard = model.compile(&["n"]).unwrap();
    let soft = soft(&data, &hard);
    let column = |name: &str| data.get(name).0.f64();
    let objects = |name: &str| {
        let (pt, eta, phi) = (
            column(&format!("{name}_pt")),
            column(&format!("{name}_eta")),
            column(&format!("{name}_phi")),
        );
        let offsets = data.get(&format!("{name}_pt")).1;
        let object = |i: usize| (pt[i], eta[i], phi[i]);
        offsets
            .windows(2)
            .map(|w| (w[0] as usize..w[1] as usize).map(object).collect())
            .collect::<Vec<Vec<_>>>()
    };
    let (jets, muons, electrons) = (objects("Jet"), objects("Muon"), objects("Electron"));
    let near = |a: (f64, f64, f64), b: (f64, f64, f64)| {
        let phi = (a.2 - b.2).abs();
        (a.1 - b.1).hypot(phi.min(std::f64::consts::TAU - phi)) < 0.4
    };
    let (mut total, mut plain) = (0.0, 0.0);
    for ((jets, muons), electrons) in jets.iter().zip(&muons).zip(&electrons) {
        for jet in jets {
            let far = !electrons.iter().any(|e| e.0 > 10.0 && near(*jet, *e));
            let muons = muons.iter().filter(|m| near(*jet, **m));
            let weights = muons
                .clone()
                .map(|m| 1.0 - 1.0 / (1.0 + (-(m.0 - 30.0) / 2.0).exp()));
            total += if far { weights.product::<f64>() } else { 0.0 };
            plain += if far && !muons.clone().any(|m| m.0 > 30.0) {
                1.0
            } else {
                0.0
            };
        }
    }
    assert!((total - plain).abs() > 1.0, "{total} {plain}");
    assert!(close(&[soft], &[total], 1e-12), "{soft} {total}");
    assert_eq!(run(&data, &hard, &[])[0], plain);
}

#[test]
fn every_cut_has_its_region_and_text_as_label_and_its_margin() {
    let data = sample(50);
    let compiled = compiled(&data, &["SR"]);
    let labelled = |label: &str| {
        let nodes = compiled.program.nodes().iter();
        let found: Vec<_> = nodes
            .flat_map(pullback_array::Node::results)
            .filter(|v| compiled.program.value(*v).label.as_deref() == Some(label))
            .collect();
        assert!(!found.is_empty(), "no value is called {label}");
        found[found.len() - 1]
    };
    labelled("SR: count(mu) >= 2");
    labelled("mu");
    let cut = labelled("SR: MET.pt < threshold");
    let b = Builder::resume(&compiled.program);
    let m = margin(&b, b.sym(cut)).unwrap();
    let program = b.finish(&[("margin", m)]).unwrap();
    let found = run(
        &data,
        &Compiled {
            program,
            ..compiled.clone()
        },
        &[],
    );
    let met = data.get("MET_pt").0.f64();
    let expected: Vec<f64> = met.iter().map(|x| 30.0 - x).collect();
    assert!(close(&found, &expected, 1e-14));
}

/// Variations as lanes of one program: thresholds, too, and with them what is chosen, combined and near.
#[test]
fn parameters_vary_in_lanes() {
    let data = sample(300);
    let analysis = Analysis::new()
        .parameter("threshold", "30 GeV")
        .parameter("scale", "1")
        .object(
            "mu",
            Object::from("Muon")
                .field("pt", "pt * scale")
                .filter("pt > threshold")
                .sort("-pt"),
        )
        .object("leptons", Object::union("mu, Electron"))
        .object(
            "ll",
            Object::combine("leptons as a, leptons as b")
                .filter("a.source == b.source and a.charge != b.charge"),
        )
        .object(
            "jets",
            Object::from("Jet").filter("pt > threshold and not near(leptons, 0.4)"),
        )
        .column("z", "argmin(abs(mass(ll.a + ll.b) - 91.2 GeV))")
        .column("m", "mass(z.a + z.b)")
        .region("SR", ["count(ll) >= 1", "count(jets) <= 1"])
        .histogram("h", Histogram::uniform("m", 6, 60.0, 120.0).region("SR"));
    let model = analysis.check(&data.schema()).unwrap();
    let one = model.compile(&["h"]).unwrap();
    let thresholds = [20.0, 30.0, 45.0, 30.0];
    let scales = [1.0, 1.0, 1.0, 1.03];
    let program = vmap(&one.program, &["threshold", "scale"], "variations").unwrap();
    let lowered = Lowered::new(program).unwrap_or_else(|e| panic!("{e}"));
    let mut ws = lowered.workspace();
    let columns: Vec<Column<'_>> = one
        .inputs
        .iter()
        .map(|i| match i {
            Input::Offsets { column, .. } => Column::Offsets(data.get(column).1),
            Input::Column { name, .. } => data.get(name).0.column(),
            Input::Parameter { name, .. } if name == "scale" => (&scales).into(),
            Input::Parameter { .. } => (&thresholds).into(),
        })
        .collect();
    lowered
        .run(&mut ws, &Bindings::ordered(&columns))
        .unwrap_or_else(|e| panic!("{e}"));
    let lanes = thresholds.iter().zip(&scales);
    let apart: Vec<Vec<f64>> = lanes
        .map(|(t, s)| run(&data, &one, &[("threshold", *t), ("scale", *s)]))
        .collect();
    assert!(apart[0] != apart[2] && apart[1] != apart[3]);
    assert_eq!(ws.f64(0), apart.concat());
}
