//! ADBench: derivatives of a Gaussian mixture, bundle adjustment, hand tracking and an LSTM, next to derivatives by hand in the same run (mixture,
//! bundle adjustment) and to what hand-written C++ and Tapenade were measured to take elsewhere.
//!
//! `cargo run --release -p pullback-benches --bin adbench [DIRECTORY]`, with the data of ADBench (`gmm`, `ba`, `hand`, `lstm`) in DIRECTORY.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use pullback_ad::{Function, JacobianWorkspace, SparseJacobian};
use pullback_array::{Bindings, Lowered};
use pullback_benches::adbench::{Bundle, Gmm, Hand, Lstm, Reader, by_hand};
use pullback_benches::{Row, measure, paired};

type Failure = Box<dyn std::error::Error>;

/// Where the historical figures come from.
const CPP: &str = "hand-written C++";

/// The largest difference, relative to the largest value.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    let size = b.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    a.iter()
        .zip(b)
        .fold(0.0_f64, |m, (a, b)| m.max((a - b).abs() / size))
}

/// Seconds of one call, where it happens once.
fn once<T>(name: &str, f: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = f();
    println!("{name}: {:.3} s", start.elapsed().as_secs_f64());
    result
}

/// Rows of an objective and its gradient as lowered programs.
fn programs(
    name: &str,
    objective: &Lowered,
    gradient: &Lowered,
    bindings: &Bindings<'_>,
) -> Result<(Row, Row), Failure> {
    let (mut ws, mut ws_gradient) = (objective.workspace(), gradient.workspace());
    objective.run(&mut ws, bindings)?;
    gradient.run(&mut ws_gradient, bindings)?;
    assert_eq!(ws.scalar(0).to_bits(), ws_gradient.scalar(0).to_bits());
    let pair = paired(
        || gradient.run(&mut ws_gradient, bindings),
        || objective.run(&mut ws, bindings),
    );
    Ok((
        Row::stats(format!("{name}: objective"), &pair.reference),
        Row::paired(format!("{name}: gradient, over our objective"), &pair),
    ))
}

fn gmm(data: &Path) -> Result<(), Failure> {
    let problem = Gmm::read(Reader::open(&data.join("gmm/gmm_10k_d10_K25.txt"))?)?;
    let (objective, gradient) = (problem.objective()?, problem.gradient()?);
    let bindings = problem.bindings();
    let (one, both) = programs("GMM 10k d10 K25", &objective, &gradient, &bindings)?;
    one.historical(13.6e-3, CPP).report();
    both.report();

    let mut ws = gradient.workspace();
    gradient.run(&mut ws, &bindings)?;
    let ours: Vec<f64> = (1..5).flat_map(|k| ws.f64(k).to_vec()).collect();
    let (n, d) = (problem.points(), problem.d);
    let points: Vec<f64> = (0..n * d).map(|i| problem.x[i % d * n + i / d]).collect();
    let mut hand = vec![0.0; ours.len()];
    let value = by_hand::gmm(&problem, &points, &mut hand);
    assert!((ws.scalar(0) / value - 1.0).abs() < 1e-11 && difference(&ours, &hand) < 1e-11);
    let pair = paired(
        || gradient.run(&mut ws, &bindings),
        || black_box(by_hand::gmm(black_box(&problem), &points, &mut hand)),
    );
    Row::paired("GMM 10k d10 K25: gradient, by hand in Rust", &pair).report();
    Row::stats("GMM 10k d10 K25: gradient", &pair.ours)
        .historical(24.6e-3, CPP)
        .value_at_most(25e-3, 12.5e-3)
        .report();
    let stats = measure(|| problem.gradient().map(|p| p.instruction_counts()));
    Row::stats("GMM: record + grad + lower", &stats).report();
    Ok(())
}

fn bundle(data: &Path) -> Result<(), Failure> {
    let problem = Bundle::read(Reader::open(&data.join("ba/ba1_n49_m7776_p31843.txt"))?)?;
    let mut errors = vec![0.0; problem.outputs()];
    let mut jacobian = problem.pattern()?;
    let mut workspace = JacobianWorkspace::new();
    let stats = measure(|| problem.objective(black_box(&mut errors)));
    Row::stats("BA ba1: objective", &stats)
        .historical(0.64e-3, CPP)
        .report();
    problem.jacobian(&mut workspace, &mut errors, &mut jacobian)?;
    let (mut hand_errors, mut hand) = (errors.clone(), vec![0.0; jacobian.values().len()]);
    by_hand::bundle(&problem, &mut hand_errors, &mut hand);
    assert!(
        difference(&errors, &hand_errors) < 1e-12 && difference(jacobian.values(), &hand) < 1e-12
    );
    let pair = paired(
        || problem.jacobian(&mut workspace, &mut errors, black_box(&mut jacobian)),
        || by_hand::bundle(&problem, &mut hand_errors, black_box(&mut hand)),
    );
    Row::paired("BA ba1: sparse Jacobian by blocks, by hand in Rust", &pair).report();
    Row::stats("BA ba1: sparse Jacobian", &pair.ours)
        .historical(3.59e-3, CPP)
        .value_at_most(3.6e-3, 1.8e-3)
        .report();

    let x = problem.flat();
    let mut sparse = once("BA ba1: pattern and colouring", || {
        SparseJacobian::new(&problem, &x)
    })?;
    println!(
        "BA ba1: {} colours, {} entries ({} with the structural zeros of the blocks)",
        sparse.colours(),
        sparse.matrix().values().len(),
        jacobian.values().len()
    );
    sparse.compute(&problem, &x, &mut errors)?;
    let dx: Vec<f64> = (0..x.len()).map(|i| (i as f64).sin()).collect();
    assert!(difference(&sparse.matrix().times(&dx)?, &jacobian.times(&dx)?) < 1e-12);
    let pair = paired(
        || sparse.compute(&problem, &x, &mut errors).map(|_| ()),
        || problem.jacobian(&mut workspace, &mut hand_errors, &mut jacobian),
    );
    Row::paired("BA ba1: sparse Jacobian by colouring, over blocks", &pair).report();
    Ok(())
}

fn hand(data: &Path) -> Result<(), Failure> {
    for (name, file) in [
        ("c100", "hand/hand1_t26_c100.txt"),
        ("c800", "hand/hand5_t26_c800.txt"),
    ] {
        let model = data.join("hand/model_small");
        let problem = Hand::read(
            [
                Reader::open(&model.join("bones.txt"))?,
                Reader::open(&model.join("vertices.txt"))?,
                Reader::open(&model.join("triangles.txt"))?,
                Reader::open(&data.join(file))?,
            ],
            false,
        )?;
        let (m, n) = (problem.outputs(), problem.theta.len());
        let (mut y, mut value, mut jacobian) = (vec![0.0; m], vec![0.0; m], vec![0.0; m * n]);
        let mut workspace = JacobianWorkspace::new();
        let pair = paired(
            || {
                workspace.jacobian(
                    &problem,
                    black_box(&problem.theta),
                    &mut value,
                    &mut jacobian,
                )
            },
            || problem.eval(black_box(&problem.theta), &mut y),
        );
        assert_eq!(y, value);
        let objective = Row::stats(format!("HAND small {name}: objective"), &pair.reference);
        let over = Row::paired(
            format!("HAND small {name}: dense Jacobian, over our objective"),
            &pair,
        );
        let row = Row::stats(format!("HAND small {name}: dense Jacobian"), &pair.ours);
        if name == "c100" {
            objective.historical(83e-6, CPP).report();
            over.report();
            row.historical(377e-6, CPP)
                .value_at_most(0.5e-3, 0.25e-3)
                .report();
        } else {
            objective.report();
            over.report();
            row.report();
        }
    }
    Ok(())
}

fn lstm(data: &Path) -> Result<(), Failure> {
    let problem = Lstm::read(Reader::open(&data.join("lstm/lstm_l2_c1024.txt"))?)?;
    let (objective, gradient) = once(
        "LSTM l2 c1024: record + grad + lower",
        || -> Result<_, Failure> { Ok((problem.objective()?, problem.gradient()?)) },
    )?;
    println!(
        "LSTM l2 c1024: {:?} instructions, {:?} with the gradient",
        objective.instruction_counts(),
        gradient.instruction_counts()
    );
    let (one, both) = programs("LSTM l2 c1024", &objective, &gradient, &problem.bindings())?;
    one.historical(0.94e-3, "Tapenade C").report();
    both.report();
    let mut ws = gradient.workspace();
    let stats = measure(|| gradient.run(&mut ws, &problem.bindings()));
    Row::stats("LSTM l2 c1024: gradient", &stats)
        .historical(4.18e-3, "Tapenade C")
        .value_at_most(5e-3, 2.5e-3)
        .report();
    Ok(())
}

fn main() -> Result<(), Failure> {
    let data = std::env::args_os().nth(1).map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/adbench"),
        PathBuf::from,
    );
    if !data.is_dir() {
        println!(
            "skipped: {} is not there; give the folder with ADBench's data",
            data.display()
        );
        return Ok(());
    }
    gmm(&data)?;
    bundle(&data)?;
    hand(&data)?;
    lstm(&data)
}
