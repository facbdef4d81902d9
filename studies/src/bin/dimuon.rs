//! scratch
use pullback_optim::Objective;
use pullback_studies::dimuon::*;
use std::time::Instant;

fn show(c: &Calibration, f: &Fitted) {
    let l = c.layout();
    println!("{}", f.minimum);
    for b in 0..l.bins {
        let p = |k: usize| {
            let (x, e) = f.of(k);
            format!("{x:8.3} ± {e:6.3}")
        };
        println!(
            "{b}: {} | {} | {} | {} | {} | {} | {}",
            p(l.scale(b)),
            p(l.offset(b)),
            p(l.scattering(b)),
            p(l.sagitta(b)),
            p(l.background(Peak::JPsi, b)),
            p(l.background(Peak::Z, b)),
            p(l.slope(Peak::JPsi, b))
        );
    }
    println!("slope Z {:?}", f.of(l.slope(Peak::Z, 0)));
}

fn main() {
    let c = Calibration::new(Truth::Collisions).unwrap();
    let muons = open_data(std::path::Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/data/agc-dimuon/open-data-example.root"
    )))
    .unwrap();
    let pp = pairs(&c, &muons);
    let problem = start(&c, false);
    let plain = twice_nll(&c, &problem.start, &pp);
    for folded in [false, true] {
        let t = Instant::now();
        let mut l = if folded {
            Likelihood::of_pairs(&c, &muons, 1)
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
    }
    let t = Instant::now();
    let mut l = Likelihood::of_pairs(&c, &muons, 2).unwrap();
    let f = fit(&mut l, &problem).unwrap();
    println!("fit {:?}", t.elapsed());
    show(&c, &f);
    for peak in Peak::ALL {
        let g = goodness(&c, &f.minimum.x, &pp[peak as usize], peak, 40);
        println!("{} chi2 {} / 40", peak.name(), g.chi2);
        for b in &g.bins {
            println!(
                "{:.3} {} {:.1} {:.2}",
                b.low,
                b.observed,
                b.expected,
                (b.observed - b.expected) / b.expected.sqrt()
            );
        }
    }
}
