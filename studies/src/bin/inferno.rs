//! scratch
use pullback_studies::inferno::*;
use pullback_optim::training::Schedule;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let g = |k: usize, d: f64| a.get(k).and_then(|s| s.parse().ok()).unwrap_or(d);
    let toy = Toy::AS_RUN;
    let h = g(1, 100.0) as usize;
    let steps = g(4, 1000.0) as usize;
    let t = Training { hidden: vec![h, g(2,h as f64) as usize], events: 100_000, batch: g(3, 5000.0) as usize, steps,
        rate: Schedule::Cosine { from: g(5, 1e-3), to: g(5,1e-3)*0.01, steps } };
    let goal = if g(6, 0.1) > 0.0 { Goal::Uncertainty { benchmark: Benchmark::Two, temperature: g(6, 0.1) } } else { Goal::CrossEntropy };
    let r = train(&toy, goal, &t, g(7, 1.0) as u64).unwrap();
    for k in 0..10 { let i = (k + 1) * steps / 10 - 1; let lo = i.saturating_sub(10); print!("{:.3} ", r.history[lo..=i].iter().sum::<f64>() / (i - lo + 1) as f64); }
    println!("\n{} s, {} ns", r.seconds, r.nanoseconds);
    let edges: Vec<f64> = (0..=10).map(|k| f64::from(k) / 10.0).collect();
    let start = std::time::Instant::now();
    let c = if g(6, 0.1) > 0.0 { Classes::Largest(&r.network, &r.weights) } else { Classes::Edges(&r.network, &r.weights, &edges) };
    let held = evaluate(&toy, c, 1_000_000, 1 << 40).unwrap();
    println!("evaluated in {:?}", start.elapsed());
    for b in Benchmark::ALL { println!("{b:?} {:?} {:?}", held.sigma(b, Tangents::Templates).unwrap(), held.sigma(b, Tangents::Exact).unwrap()); }
    println!("{:?}", held.rows(Tangents::Exact));
}
