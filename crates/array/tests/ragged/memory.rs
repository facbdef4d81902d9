//! What a sweep holds besides inputs and outputs does not grow with the number of events.

use pullback_ad::Real;
use pullback_array::{Bindings, Builder, Column, Lowered, Program, Space, transform};

/// Pairs of muons above a cut, as in the dimuon program but shorter.
fn record() -> Program {
    let b = Builder::new();
    let muons = b.ragged("muons", b.stream("events"));
    let (pt, s) = (b.input("pt", muons), b.input("s", Space::SCALAR));
    let scaled = pt * s;
    let (good, index) = scaled.gt(20.0.into()).filter("good");
    let pt = scaled.at(index);
    let (_, left, right) = b.pairs(good, "pairs");
    let f = (pt.at(left) * pt.at(right)).sqrt().sum_all();
    b.finish(&[("F", f)]).expect("well-formed")
}

/// The same 256 events over and over, so that all blocks have equal sizes.
fn events(n: usize) -> (Vec<i64>, Vec<f64>) {
    let (mut offsets, mut pt) = (vec![0], Vec::new());
    for event in 0..n {
        let count = event % 256 % 5;
        pt.extend((0..count).map(|k| 10.0 + ((event % 256) * 7 + k * 13) as f64 % 50.0));
        offsets.push(pt.len() as i64);
    }
    (offsets, pt)
}

#[test]
fn memory_of_a_sweep_does_not_grow_with_the_events() {
    let program = record();
    let every_pt = transform::grad(&program, "F", &["pt"]).expect("differentiable");
    let along_s = transform::jvp(&program, &["s"]).expect("differentiable");
    let scale = 1.1;
    for (what, program, tangent) in [("every pt", every_pt, false), ("s", along_s, true)] {
        let mut of_one = 0;
        for threads in [1, 2] {
            let lowered = Lowered::new(program.clone()).expect("lowers");
            let held = [1 << 16, 1 << 18].map(|n| {
                let (offsets, pt) = events(n);
                let one = 1.0;
                let mut columns = vec![
                    Column::Offsets(&offsets),
                    Column::F64(&pt),
                    Column::from(&scale),
                ];
                if tangent {
                    columns.push(Column::from(&one));
                }
                let mut memory = lowered.workspace_with(threads, 1024);
                lowered
                    .run(&mut memory, &Bindings::ordered(&columns))
                    .expect("runs");
                if !tangent {
                    assert_eq!(memory.f64(1).len(), pt.len());
                }
                memory.scratch_bytes()
            });
            if threads == 1 {
                assert_eq!(held[0], held[1], "{what}");
                assert!(held[0] > 0);
                of_one = held[0];
            }
            // A thread that came too late for any block holds nothing.
            assert!(
                held.iter().all(|h| *h <= threads * of_one),
                "{what}: {held:?}"
            );
        }
    }
}

#[test]
fn outputs_in_place_are_those_of_any_cut() {
    let program = transform::grad(&record(), "F", &["pt"]).expect("differentiable");
    let (offsets, pt) = events(5000);
    let scale = 1.1;
    let columns = [
        Column::Offsets(&offsets),
        Column::F64(&pt),
        Column::from(&scale),
    ];
    let lowered = Lowered::new(program).expect("lowers");
    let run = |threads, block| {
        let mut memory = lowered.workspace_with(threads, block);
        lowered
            .run(&mut memory, &Bindings::ordered(&columns))
            .expect("runs");
        memory.f64(1).to_vec()
    };
    let one = run(1, 1024);
    // Σ over pairs of √(pₐ p_b): the derivative to pₐ is s Σ √(p_b/pₐ)/2 over the partners above the cut.
    for w in offsets.windows(2) {
        let range = w[0] as usize..w[1] as usize;
        for a in range.clone() {
            let expected: f64 = if pt[a] * scale > 20.0 {
                range
                    .clone()
                    .filter(|&b| b != a && pt[b] * scale > 20.0)
                    .map(|b| 0.5 * scale * (pt[b] / pt[a]).sqrt())
                    .sum()
            } else {
                0.0
            };
            assert!((one[a] - expected).abs() < 1e-12);
        }
    }
    for (threads, block) in [(1, 256), (2, 512), (3, 4096)] {
        let other = run(threads, block);
        assert!(
            one.iter()
                .zip(&other)
                .all(|(a, b)| a.to_bits() == b.to_bits())
        );
    }
}
