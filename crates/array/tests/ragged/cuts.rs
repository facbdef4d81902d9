//! Where a sweep is cut does not depend on what else it adds up.

use pullback_ad::Real;
use pullback_array::{Bindings, Builder, Column, DType, Lowered, Program, Type, transform};

/// Σ sin(x t[k]) over events, with the table t as large as asked for.
fn program(table: usize) -> Program {
    let b = Builder::new();
    let events = b.stream("events");
    let x = b.input("x", events);
    let k = b.input_of("k", Type::new(DType::I64, events));
    let t = b.input("t", b.dense_of("table", table));
    let y = (x * t.gather(k)).sin().sum_all();
    b.finish(&[("y", y)]).expect("well-formed")
}

#[test]
fn a_large_gradient_changes_no_bit_of_the_value() {
    for (events, table) in [
        (70_000, 3),
        (70_000, 20_000),
        (70_000, 300_000),
        (5_000, 5_000),
    ] {
        let noise = |i: usize| ((i * 7919 + 13) % 10_007) as f64 / 10_007.0 - 0.3;
        let x: Vec<f64> = (0..events).map(noise).collect();
        let k: Vec<i64> = (0..events).map(|i| (i * 31 % table) as i64).collect();
        let t: Vec<f64> = (0..table).map(|i| 1.0 + noise(i + 5)).collect();
        let inputs = Bindings::ordered(&[Column::from(&x), Column::I64(&k), Column::from(&t)]);
        let p = program(table);
        let value = Lowered::new(p.clone()).expect("lowers");
        let gradient = Lowered::new(transform::grad(&p, "y", &["t"]).expect("differentiable"));
        let gradient = gradient.expect("lowers");
        let mut one = value.workspace();
        value.run(&mut one, &inputs).expect("runs");
        let mut bits: Option<Vec<u64>> = None;
        for threads in [1, 2, 8] {
            let mut ws = gradient.workspace_with(threads, 512);
            gradient.run(&mut ws, &inputs).expect("runs");
            assert_eq!(
                ws.scalar(0).to_bits(),
                one.scalar(0).to_bits(),
                "{events} events, a table of {table}, {threads} threads"
            );
            let found: Vec<u64> = ws.f64(1).iter().map(|g| g.to_bits()).collect();
            assert!(bits.get_or_insert_with(|| found.clone()) == &found);
        }
        // The gradient is that of a loop.
        let mut expected = vec![0.0; table];
        for (x, k) in x.iter().zip(&k) {
            expected[*k as usize] += x * (x * t[*k as usize]).cos();
        }
        let mut ws = gradient.workspace();
        gradient.run(&mut ws, &inputs).expect("runs");
        let scale = expected.iter().fold(1.0, |m: f64, e| m.max(e.abs()));
        for (g, e) in ws.f64(1).iter().zip(&expected) {
            assert!((g - e).abs() < 1e-11 * scale, "{g} {e}");
        }
    }
}
