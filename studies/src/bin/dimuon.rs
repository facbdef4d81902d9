//! scratch
use pullback_optim::Objective;
use pullback_studies::dimuon::*;
use std::time::Instant;

fn main() {
    let c = Calibration::new(Truth::Collisions).unwrap();
    let muons = open_data(std::path::Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/data/agc-dimuon/open-data-example.root"
    )))
    .unwrap();
    let t = Instant::now();
    let pairs = pairs(&c, &muons);
    println!(
        "pairs {} {} in {:?}",
        pairs[0].len(),
        pairs[1].len(),
        t.elapsed()
    );
    println!(
        "points {} {}",
        c.lattices[0].points.len(),
        c.lattices[1].points.len()
    );
    for l in &c.lattices {
        for (s, v) in [(0.0, 1e-4), (0.002, 0.6e-4), (-0.01, 3e-4)] {
            println!(
                "{:?} norm {} {}",
                l.shape.mass,
                l.norm(s, v),
                l.norm_by_gaussians(s, v)
            );
        }
    }
    let problem = start(&c, false);
    let plain = twice_nll(&c, &problem.start, &pairs);
    for folded in [false, true] {
        let t = Instant::now();
        let mut l = if folded {
            Likelihood::folded(&c, &muons, 1)
        } else {
            Likelihood::new(&c, &muons, 1)
        }
        .unwrap();
        println!(
            "made {:?} counts {:?} nodes {}",
            t.elapsed(),
            l.counts(),
            l.program().nodes().len()
        );
        let t = Instant::now();
        l.prepare().unwrap();
        println!("prepared {:?}", t.elapsed());
        let mut g = vec![0.0; l.dim()];
        let mut h = vec![0.0; l.dim() * l.dim()];
        for _ in 0..3 {
            let t = Instant::now();
            let v = l.value(&problem.start);
            println!("value {v} plain {plain} {:?}", t.elapsed());
            let t = Instant::now();
            let v = l.value_and_gradient(&problem.start, &mut g);
            println!("grad {v} {:?}", t.elapsed());
        }
        let t = Instant::now();
        l.hessian(&problem.start, &mut h).unwrap();
        println!("hess {:?} {:?}", t.elapsed(), l.take_failure());
        match pullback_array::transform::HessianPlan::new(l.program(), "twice_nll", "theta") {
            Ok(mut plan) => {
                let t = Instant::now();
                let cols: Vec<_> = if folded {
                    vec![]
                } else {
                    muons.columns().to_vec()
                };
                let cols: Vec<_> = cols
                    .into_iter()
                    .chain([pullback_array::Column::F64(&problem.start)])
                    .collect();
                let mut h2 = h.clone();
                println!(
                    "plan run {:?} {:?}",
                    plan.run(&pullback_array::Bindings::ordered(&cols), &mut h2),
                    t.elapsed()
                );
                let t = Instant::now();
                println!(
                    "plan run {:?} {:?}",
                    plan.run(&pullback_array::Bindings::ordered(&cols), &mut h2),
                    t.elapsed()
                );
                let d = h
                    .iter()
                    .zip(&h2)
                    .map(|(a, b)| (a - b).abs())
                    .fold(0.0, f64::max);
                println!("max diff {d}");
            }
            Err(e) => println!("no plan: {e}"),
        }
    }
}
