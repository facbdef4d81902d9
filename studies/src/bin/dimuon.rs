//! scratch
use pullback_sim::Detector;
use pullback_studies::dimuon::*;
use std::time::Instant;

fn summary(c: &Calibration, what: &str, p: &Pulls) {
    let l = c.layout();
    let b = l.bins;
    println!("{what}");
    for (n, r) in [
        ("scale", 0..b),
        ("offset", b..2 * b),
        ("scattering", 2 * b..3 * b),
        ("sagitta", 3 * b..4 * b),
        ("background", 4 * b..l.count()),
    ] {
        let s = p.of(r.clone());
        print!("  {n:12} {} mean {:.3} rms {:.3} |", s.count, s.mean, s.rms);
        for k in r {
            let s = p.of(k..k + 1);
            print!(" {:.2}/{:.2}", s.mean, s.rms);
        }
        println!();
    }
}

fn main() {
    let c = Calibration::new(Truth::Collisions).unwrap();
    let muons = open_data(std::path::Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/data/agc-dimuon/open-data-example.root"
    )))
    .unwrap();
    let g = Calibration::new(Truth::Generator).unwrap();
    println!(
        "points {} {}",
        g.lattices[0].points.len(),
        g.lattices[1].points.len()
    );
    let d = Detector {
        muon_eta_edges: g.edges.clone(),
        muon_scale: vec![1e-3, -0.5e-3, 0.8e-3, -1.5e-3, 2e-3, -3e-3],
        muon_offset: vec![0.005, -0.01, 0.0, 0.015, -0.01, 0.02],
        muon_resolution: vec![1.0, 1.1, 0.95, 1.2, 1.05, 1.15],
        ..Detector::default()
    };
    let t = Instant::now();
    let (p, n) = of_generator(&g, &d, [75_000, 34_000], 20, 11).unwrap();
    println!("{n:?} {:?}", t.elapsed());
    summary(&g, "generator", &p);
    let t = Instant::now();
    let mut l = Likelihood::of_pairs(&c, &muons, 2).unwrap();
    let f = fit(&mut l, &start(&c, false)).unwrap();
    println!("fit {:?}", t.elapsed());
    let p = of_model(&c, &f.minimum.x, &muons, 20, 100).unwrap();
    println!("{:?}", t.elapsed());
    summary(&c, "model", &p);
    let p = bootstrap(&c, &f.minimum.x, &muons, 20, 1000).unwrap();
    println!("{:?}", t.elapsed());
    summary(&c, "bootstrap", &p);
}
