//! Products along levels.

use pullback_array::{Owned, transform};

use crate::harness::{
    Random, assert_close, check_derivatives, offsets, record, run, run_any_cut, segments,
};

/// A ragged product below a stream, followed by something non-linear.
fn events_program() -> pullback_array::Program {
    record(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        let x = b.input("x", muons);
        vec![
            x.prod(muons.last().unwrap()),
            x.exclusive_prod(muons.last().unwrap()),
        ]
    })
}

#[test]
fn products_of_segments_are_those_of_a_loop() {
    let mut random = Random(1);
    let o = offsets(&mut random, 1500, 2000);
    let x = random.values(*o.last().unwrap() as usize, 0.9, 1.1);
    let out = run_any_cut(
        &events_program(),
        &[Owned::Offsets(o.clone()), Owned::F64(x.clone())],
    );
    let products: Vec<f64> = segments(&o, &x).map(|s| s.iter().product()).collect();
    assert_eq!(out[0], products);
    let others: Vec<f64> = segments(&o, &x)
        .flat_map(|s| {
            (0..s.len()).map(|i| {
                s.iter()
                    .enumerate()
                    .filter(|(j, _)| *j != i)
                    .map(|(_, x)| x)
                    .product::<f64>()
            })
        })
        .collect();
    assert_close(&out[1], &others, 1e-12, "product of the others");
}

#[test]
fn no_events_and_no_elements() {
    assert_eq!(
        run_any_cut(
            &events_program(),
            &[Owned::Offsets(vec![0]), Owned::F64(vec![])]
        ),
        [vec![], vec![]] as [Vec<f64>; 2]
    );
    assert_eq!(
        run_any_cut(
            &events_program(),
            &[Owned::Offsets(vec![0, 0]), Owned::F64(vec![])]
        )[0],
        [1.0]
    );
}

#[test]
fn tiles_of_eight_lanes_match_single_columns() {
    for lanes in [1, 3, 8, 16, 21] {
        let program = record(|b| {
            let rows = b.ragged("rows", b.dense("tiles"));
            let cells = b.join(rows, b.dense_of("lanes", lanes));
            let x = b.input("x", cells);
            vec![
                x.prod(rows.last().unwrap()),
                x.exclusive_prod(rows.last().unwrap()),
            ]
        });
        let mut random = Random(3);
        let o = offsets(&mut random, 30, 11);
        let n = *o.last().unwrap() as usize;
        let x = random.values(n * lanes, 0.5, 1.5);
        let out = run(
            &program,
            &[Owned::Offsets(o.clone()), Owned::F64(x.clone())],
        );
        for lane in 0..lanes {
            let column: Vec<f64> = (0..n).map(|i| x[i * lanes + lane]).collect();
            let products: Vec<f64> = segments(&o, &column).map(|s| s.iter().product()).collect();
            let found: Vec<f64> = (0..30).map(|s| out[0][s * lanes + lane]).collect();
            assert_eq!(found, products, "{lanes} lanes");
        }
        check_derivatives(&program, &[Owned::Offsets(o), Owned::F64(x)], &[1], 1e-7);
    }
}

#[test]
fn derivatives_of_ragged_products() {
    let program = record(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        let x = b.input("x", muons);
        vec![x.prod(muons.last().unwrap()).sum_all()]
    });
    let mut random = Random(5);
    let o = offsets(&mut random, 700, 9);
    let mut x = random.values(*o.last().unwrap() as usize, -1.0, 1.0);
    // Exact zeros: none, one or several in a segment.
    for k in (0..x.len()).step_by(3) {
        x[k] = 0.0;
    }
    check_derivatives(
        &program,
        &[Owned::Offsets(o.clone()), Owned::F64(x.clone())],
        &[1],
        1e-7,
    );
    let others = record(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        vec![b.input("x", muons).exclusive_prod(muons.last().unwrap())]
    });
    check_derivatives(&others, &[Owned::Offsets(o), Owned::F64(x)], &[1], 1e-7);
}

#[test]
fn gradient_at_zeros_is_exact() {
    let program = record(|b| {
        let n = b.dense("n");
        vec![b.input("x", n).prod(n.last().unwrap())]
    });
    let grad = transform::grad(&program, "out0", &["x"]).unwrap();
    assert_eq!(
        run(&grad, &[Owned::F64(vec![2.0, 0.0, 5.0])])[1],
        [0.0, 10.0, 0.0]
    );
    assert_eq!(
        run(&grad, &[Owned::F64(vec![0.0, 0.0, 5.0])])[1],
        [0.0, 0.0, 0.0]
    );
    // No overflow on the way: 1e200 · 1e200 never stands alone.
    assert_eq!(
        run(&grad, &[Owned::F64(vec![1e200, 1e-200, 1e200])])[1],
        [1.0, f64::INFINITY, 1.0]
    );
}

#[test]
fn a_product_over_a_stream_is_refused() {
    let b = pullback_array::Builder::new();
    let events = b.stream("events");
    let y = b.input("x", events).prod(events.last().unwrap());
    let error = b.finish(&[("y", y)]).unwrap_err().to_string();
    assert!(error.contains("`events` is a stream"), "{error}");
}
