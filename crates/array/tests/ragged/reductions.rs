//! Reductions along levels.

use pullback_ad::Real;
use pullback_array::{DType, Owned, Program, Sym};

use crate::harness::{
    Random, assert_close, check_derivatives, offsets, record, run, run_any_cut, segments,
};

fn ragged(f: impl for<'b> Fn(Sym<'b>, pullback_array::LevelId) -> Vec<Sym<'b>>) -> Program {
    record(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        f(b.input("x", muons), muons.last().unwrap())
    })
}

fn data(n: usize, giant: usize) -> (Vec<i64>, Vec<f64>) {
    let mut random = Random(23);
    let o = offsets(&mut random, n, giant);
    let x = random.values(*o.last().unwrap() as usize, -3.0, 3.0);
    (o, x)
}

#[test]
fn reductions_of_segments_are_those_of_a_loop() {
    let program = ragged(|x, over| {
        let mask = x.gt(0.0.into());
        vec![
            x.max_over(over),
            x.min_over(over),
            x.logsumexp(over),
            mask.any(over),
            mask.all(over),
            mask.count(over).cast(DType::F64),
            x.at(x.argmax()),
            x.exp().leading(x),
            x.at(x.argmin()),
        ]
    });
    for giant in [0, 100, 200, 5000] {
        let (o, x) = data(1200, giant);
        let out = run_any_cut(
            &program,
            &[Owned::Offsets(o.clone()), Owned::F64(x.clone())],
        );
        let each = |f: &dyn Fn(&[f64]) -> f64| segments(&o, &x).map(f).collect::<Vec<f64>>();
        let max = |s: &[f64]| s.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let min = |s: &[f64]| s.iter().copied().fold(f64::INFINITY, f64::min);
        let found = |s: &[f64], x: f64| if s.is_empty() { f64::NAN } else { x };
        assert_eq!(out[0], each(&max));
        assert_eq!(out[1], each(&min));
        assert_close(
            &out[2],
            &each(&|s| s.iter().map(|x| x.exp()).sum::<f64>().ln()),
            1e-13,
            "logsumexp",
        );
        assert_eq!(out[3], each(&|s| f64::from(s.iter().any(|x| *x > 0.0))));
        assert_eq!(out[4], each(&|s| f64::from(s.iter().all(|x| *x > 0.0))));
        assert_eq!(
            out[5],
            each(&|s| s.iter().filter(|x| **x > 0.0).count() as f64)
        );
        assert_close(&out[6], &each(&|s| found(s, max(s))), 0.0, "argmax");
        assert_close(
            &out[7],
            &each(&|s| found(s, max(s).exp())),
            1e-15,
            "leading",
        );
        assert_close(&out[8], &each(&|s| found(s, min(s))), 0.0, "argmin");
    }
}

#[test]
fn reductions_of_a_stream() {
    let program = record(|b| {
        let events = b.stream("events");
        let x = b.input("x", events);
        let over = events.last().unwrap();
        let mask = x.gt(2.9.into());
        vec![
            x.logsumexp(over),
            x.max_over(over),
            x.min_over(over),
            mask.any(over),
            mask.all(over),
            mask.count(over).cast(DType::F64),
        ]
    });
    let x = Random(9).values(5000, -3.0, 3.0);
    let out = run_any_cut(&program, &[Owned::F64(x.clone())]);
    assert_close(
        &out[0],
        &[x.iter().map(|x| x.exp()).sum::<f64>().ln()],
        1e-13,
        "logsumexp",
    );
    assert_eq!(
        out[1],
        [x.iter().copied().fold(f64::NEG_INFINITY, f64::max)]
    );
    assert_eq!(out[2], [x.iter().copied().fold(f64::INFINITY, f64::min)]);
    assert_eq!((out[3][0], out[4][0]), (1.0, 0.0));
    assert_eq!(out[5], [x.iter().filter(|x| **x > 2.9).count() as f64]);
    check_derivatives(&program, &[Owned::F64(x)], &[0], 1e-8);
    let empty = run_any_cut(&program, &[Owned::F64(vec![])]);
    let inf = f64::INFINITY;
    assert_eq!(
        empty,
        [
            vec![-inf],
            vec![-inf],
            vec![inf],
            vec![0.0],
            vec![1.0],
            vec![0.0]
        ]
    );
}

#[test]
fn a_maximum_over_a_stream_with_hidden_units_and_its_derivative() {
    let program = record(|b| {
        let events = b.stream("events");
        let x = b.input("x", b.join(events, b.dense_of("units", 3)));
        let over = events.last().unwrap();
        vec![x.max_over(over) * x.min_over(over)]
    });
    let mut x = Random(10).values(3 * 900, -3.0, 3.0);
    for (k, peak) in [
        (3 * 700, 3.5),
        (3 * 20 + 1, 3.5),
        (3 * 899 + 2, 3.5),
        (3 * 300, -3.5),
        (1, -3.5),
        (3 * 256 + 2, -3.5),
    ] {
        x[k] = peak;
    }
    let out = run_any_cut(&program, &[Owned::F64(x.clone())]);
    let column = |j: usize| x.iter().skip(j).step_by(3).copied();
    let expected: Vec<f64> = (0..3)
        .map(|j| column(j).fold(-9.0, f64::max) * column(j).fold(9.0, f64::min))
        .collect();
    assert_eq!(out[0], expected);
    check_derivatives(&program, &[Owned::F64(x)], &[0], 1e-8);
}

#[test]
fn derivatives_of_reductions() {
    let (o, mut x) = data(700, 60);
    // Nothing changes places within a step: elements of a segment are at least 0.06 apart.
    for w in o.windows(2) {
        for (i, x) in x[w[0] as usize..w[1] as usize].iter_mut().enumerate() {
            *x = 0.1 * ((i * 37 + 5) % 61) as f64 - 3.0 + 0.01 * *x / 3.0;
        }
    }
    for program in [
        ragged(|x, over| vec![x.max_over(over).atan()]),
        ragged(|x, over| vec![x.min_over(over).atan()]),
        ragged(|x, over| vec![x.logsumexp(over).exp()]),
    ] {
        check_derivatives(
            &program,
            &[Owned::Offsets(o.clone()), Owned::F64(x.clone())],
            &[1],
            1e-7,
        );
    }
    // A leading element exists where an event is not empty: count the others as zero.
    let leading = ragged(|x, over| {
        let some = x.eq(x).any(over);
        vec![some.select(x.square().leading(x), 0.0.into())]
    });
    check_derivatives(&leading, &[Owned::Offsets(o), Owned::F64(x)], &[1], 1e-8);
}

#[test]
fn outer_levels_match_inner_ones() {
    let (rows, columns) = (7, 19);
    let x = Random(4).values(rows * columns, -2.0, 2.0);
    let transposed: Vec<f64> = (0..columns)
        .flat_map(|j| (0..rows).map(move |i| i * columns + j))
        .map(|k| x[k])
        .collect();
    let program = |outer: bool| {
        record(|b| {
            let (r, c) = (
                b.dense_of("r", if outer { rows } else { columns }),
                b.dense_of("c", if outer { columns } else { rows }),
            );
            let x = b.input("x", b.join(r, c));
            let over = if outer {
                r.last().unwrap()
            } else {
                c.last().unwrap()
            };
            vec![
                x.max_over(over),
                x.min_over(over),
                x.logsumexp(over),
                x.prod(over),
            ]
        })
    };
    let (a, b) = (
        run(&program(true), &[Owned::F64(x)]),
        run(&program(false), &[Owned::F64(transposed)]),
    );
    for k in 0..4 {
        assert_close(&a[k], &b[k], 1e-13, "outer against inner");
    }
}

#[test]
fn ties_give_the_derivative_to_the_first() {
    let program = record(|b| {
        let n = b.dense("n");
        vec![b.input("x", n).max_over(n.last().unwrap())]
    });
    let grad = pullback_array::transform::grad(&program, "out0", &["x"]).unwrap();
    assert_eq!(
        run(&grad, &[Owned::F64(vec![1.0, 5.0, 5.0])])[1],
        [0.0, 1.0, 0.0]
    );
    assert_eq!(run(&grad, &[Owned::F64(vec![])])[1], [] as [f64; 0]);
}
