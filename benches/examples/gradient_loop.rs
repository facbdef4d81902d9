//! Evaluates value and gradient of one workspace in a loop: something to profile.

use pullback_stats::{Model, spec, workspace::Workspace};

fn main() {
    let path = std::env::args().nth(1).expect("a workspace");
    let bytes = std::fs::read(path).expect("readable");
    let (workspace, _) = Workspace::from_slice(&bytes).expect("a workspace");
    let mut model =
        Model::new(spec::resolve(&workspace, &spec::Options::default()).expect("resolves"))
            .expect("compiles");
    let (inits, data) = (model.spec().inits(), model.observed());
    let mut g = vec![0.0; inits.len()];
    let n: usize = std::env::args()
        .nth(2)
        .and_then(|n| n.parse().ok())
        .unwrap_or(100_000);
    let start = pullback_benches::Stopwatch::start(pullback_benches::Clock::Thread);
    let mut sum = 0.0;
    for _ in 0..n {
        sum += model
            .value_and_gradient(&inits, &data, &mut g)
            .expect("evaluates");
    }
    println!("{:.3} µs, {sum}", start.seconds() / n as f64 * 1e6);
}
