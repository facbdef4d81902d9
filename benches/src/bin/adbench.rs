//! ADBench
use std::path::PathBuf;
use pullback_benches::adbench::{Gmm, Reader};
use pullback_benches::{Row, measure, paired};

fn main() {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/adbench");
    let gmm = Gmm::read(Reader::open(&data.join("gmm/gmm_10k_d10_K25.txt")).unwrap()).unwrap();
    let objective = gmm.objective().unwrap();
    let gradient = gmm.gradient().unwrap();
    println!("{:?} {:?}", objective.instruction_counts(), gradient.instruction_counts());
    let block: usize = std::env::var("BLOCK").ok().and_then(|b| b.parse().ok()).unwrap_or(1024);
    let (mut a, mut b) = (objective.workspace_with(1, block), gradient.workspace_with(1, block));
    objective.run(&mut a, &gmm.bindings()).unwrap();
    gradient.run(&mut b, &gmm.bindings()).unwrap();
    println!("F {} {} grad_alpha0 {} mu0 {} q0 {} l0 {}", a.scalar(0), b.scalar(0), b.f64(1)[0], b.f64(2)[0], b.f64(3)[0], b.f64(4)[0]);
    if std::env::args().nth(1).as_deref() == Some("loop") {
        for _ in 0..20 { gradient.run(&mut b, &gmm.bindings()).unwrap(); }
        return;
    }
    let o = measure(|| objective.run(&mut a, &gmm.bindings()).unwrap());
    Row::stats("GMM 10k d10 K25: objective", &o).report();
    let o = measure(|| gradient.run(&mut b, &gmm.bindings()).unwrap());
    Row::stats("GMM 10k d10 K25: gradient", &o).value_at_most(25e-3, 12.5e-3).report();
}
