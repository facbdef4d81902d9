//! Filters, combinations, positions.

use pullback_ad::Real;
use pullback_array::{Bindings, Builder, Column, DType, Lowered, Owned, Type};

use crate::harness::{
    Random, assert_close, check_derivatives, offsets, record, run, run_any_cut, segments,
};

/// Events with muons: offsets, transverse momenta, charges.
fn events(n: usize, giant: usize) -> (Vec<i64>, Vec<f64>, Vec<f64>) {
    let mut random = Random(11);
    let o = offsets(&mut random, n, giant);
    let count = *o.last().unwrap() as usize;
    let pt = random.values(count, 5.0, 60.0);
    let q = (0..count)
        .map(|_| if random.uniform() < 0.5 { -1.0 } else { 1.0 })
        .collect();
    (o, pt, q)
}

#[test]
fn a_filter_keeps_what_the_mask_keeps() {
    let program = record(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        let pt = b.input("pt", muons);
        let (good, index) = pt.gt(20.0.into()).filter("good");
        let kept = pt.at(index);
        vec![
            kept,
            kept.sum(good.last().unwrap()),
            b.counts(good).cast(DType::F64),
            b.position(good, good.last().unwrap()).cast(DType::F64),
        ]
    });
    let (o, pt, _) = events(1300, 3000);
    let out = run_any_cut(
        &program,
        &[Owned::Offsets(o.clone()), Owned::F64(pt.clone())],
    );
    assert_eq!(
        out[0],
        pt.iter().copied().filter(|x| *x > 20.0).collect::<Vec<_>>()
    );
    let counts: Vec<f64> = segments(&o, &pt)
        .map(|s| s.iter().filter(|x| **x > 20.0).count() as f64)
        .collect();
    assert_eq!(out[2], counts);
    let sums: Vec<f64> = segments(&o, &pt)
        .map(|s| s.iter().filter(|x| **x > 20.0).sum())
        .collect();
    assert_close(&out[1], &sums, 1e-12, "sums");
    let positions: Vec<f64> = counts
        .iter()
        .flat_map(|&n| (0..n as usize).map(|i| i as f64))
        .collect();
    assert_eq!(out[3], positions);
}

#[test]
fn a_filter_of_the_stream_and_of_a_filter() {
    let program = record(|b| {
        let events = b.stream("events");
        let x = b.input("x", events);
        let (_, index) = x.gt(0.0.into()).filter("positive");
        let x = x.at(index);
        let (_, index) = x.lt(0.5.into()).filter("small");
        vec![x.at(index), x.at(index).sum_all()]
    });
    let x = Random(3).values(2000, -1.0, 1.0);
    let out = run_any_cut(&program, &[Owned::F64(x.clone())]);
    let kept: Vec<f64> = x.into_iter().filter(|x| *x > 0.0 && *x < 0.5).collect();
    assert_eq!(out[0], kept);
    assert_close(&out[1], &[kept.iter().sum()], 1e-12, "sum");
}

#[test]
fn a_filter_of_rows_has_rows_of_different_length() {
    let program = record(|b| {
        let (rows, columns) = (b.dense_of("rows", 3), b.dense_of("columns", 4));
        let x = b.input("x", b.join(rows, columns));
        let (kept, index) = x.gt(0.0.into()).filter("kept");
        vec![x.at(index).square().sum(kept.last().unwrap()), x.at(index)]
    });
    let x = vec![
        1.0, -1.0, 2.0, 3.0, -1.0, -1.0, -1.0, -1.0, 5.0, -2.0, -2.0, 7.0,
    ];
    let out = run(&program, &[Owned::F64(x.clone())]);
    assert_eq!(out[1], [1.0, 2.0, 3.0, 5.0, 7.0]);
    assert_eq!(out[0], [14.0, 0.0, 74.0]);
    check_derivatives(&program, &[Owned::F64(x)], &[0], 1e-9);
}

fn pairs_program(n: usize) -> pullback_array::Program {
    record(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        let pt = b.input("pt", muons);
        let (space, members) = b.combinations(muons, n, "sets");
        let value = members
            .iter()
            .map(|m| pt.at(*m).ln())
            .reduce(|a, b| a * b)
            .unwrap();
        vec![value.sum(space.last().unwrap()), value]
    })
}

#[test]
fn combinations_are_those_of_nested_loops() {
    let (o, pt, _) = events(600, 60);
    for n in 1..=4 {
        let out = run_any_cut(
            &pairs_program(n),
            &[Owned::Offsets(o.clone()), Owned::F64(pt.clone())],
        );
        let mut expected = Vec::new();
        for s in segments(&o, &pt) {
            match n {
                1 => expected.extend(s.iter().map(|x| x.ln())),
                2 => {
                    for (i, x) in s.iter().enumerate() {
                        expected.extend(s[i + 1..].iter().map(|y| x.ln() * y.ln()));
                    }
                }
                3 => {
                    for (i, x) in s.iter().enumerate() {
                        for (j, y) in s.iter().enumerate().skip(i + 1) {
                            expected.extend(s[j + 1..].iter().map(|z| x.ln() * y.ln() * z.ln()));
                        }
                    }
                }
                _ => {
                    let count = s.len()
                        * s.len().saturating_sub(1)
                        * s.len().saturating_sub(2)
                        * s.len().saturating_sub(3)
                        / 24;
                    expected.resize(expected.len() + count, f64::NAN);
                }
            }
        }
        assert_eq!(out[1].len(), expected.len(), "subsets of {n}");
        if n < 4 {
            assert_close(&out[1], &expected, 1e-12, "subsets");
        }
    }
}

#[test]
fn derivatives_through_filter_and_pairs() {
    let program = record(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        let (pt, scale) = (
            b.input("pt", muons),
            b.input("scale", pullback_array::Space::SCALAR),
        );
        let q = b.input("q", muons);
        let scaled = pt * scale;
        let (good, index) = scaled.gt(20.0.into()).filter("good");
        let (scaled, q) = (scaled.at(index), q.at(index));
        let (_, left, right) = b.pairs(good, "pairs");
        let opposite = (q.at(left) * q.at(right)).lt(0.0.into());
        let value = (scaled.at(left) * scaled.at(right)).sqrt() * 0.1;
        vec![opposite.select(value, 0.0.into()).sum_all()]
    });
    let (o, mut pt, q) = events(900, 40);
    // Nothing within a step of the cut.
    pt.iter_mut()
        .filter(|x| (**x - 20.0).abs() < 0.2)
        .for_each(|x| *x = 21.0);
    let inputs = [
        Owned::Offsets(o),
        Owned::F64(pt),
        Owned::F64(vec![1.0]),
        Owned::F64(q),
    ];
    check_derivatives(&program, &inputs, &[1, 2], 1e-7);
}

#[test]
fn cartesian_pairs_and_file_indices() {
    let program = record(|b| {
        let events = b.stream("events");
        let (muons, jets) = (b.ragged("muons", events), b.ragged("jets", events));
        let (m, j) = (b.input("m", muons), b.input("j", jets));
        let number = b.input_of("number", Type::new(DType::I64, muons));
        let (_, left, right) = b.cartesian(muons, jets, "both");
        vec![m.at(left) - j.at(right), j.at(b.locate(number, jets))]
    });
    let mut random = Random(2);
    let (om, oj) = (
        offsets(&mut random, 1000, 3),
        offsets(&mut random, 1000, 900),
    );
    let m = random.values(*om.last().unwrap() as usize, 0.0, 1.0);
    let j = random.values(*oj.last().unwrap() as usize, 0.0, 1.0);
    let mut number = Vec::new();
    let (mut pairs, mut found) = (Vec::new(), Vec::new());
    for (ms, js) in segments(&om, &m).zip(segments(&oj, &j)) {
        for x in ms {
            pairs.extend(js.iter().map(|y| x - y));
            let k = random.below(js.len() + 1) as i64 - 1;
            number.push(k);
            found.push(if k < 0 { f64::NAN } else { js[k as usize] });
        }
    }
    let inputs = [
        Owned::Offsets(om),
        Owned::Offsets(oj),
        Owned::F64(m),
        Owned::F64(j),
        Owned::I64(number),
    ];
    let out = run_any_cut(&program, &inputs);
    assert_eq!(out[0], pairs);
    assert_close(&out[1], &found, 0.0, "located");
}

#[test]
fn a_number_past_its_segment_is_an_error_with_a_name() {
    let b = Builder::new();
    let events = b.stream("events");
    let jets = b.ragged("jets", events);
    let x = b.input("x", jets);
    let number = b.input_of("number", Type::new(DType::I64, events));
    let y = x.at(b.locate(number, jets).named("my jet"));
    let lowered = Lowered::new(b.finish(&[("y", y)]).unwrap()).unwrap();
    let columns = [
        Column::Offsets(&[0, 1, 3]),
        (&[1.0, 2.0, 3.0]).into(),
        Column::I64(&[1, 0]),
    ];
    let error = lowered
        .run(&mut lowered.workspace(), &Bindings::ordered(&columns))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("locate (my jet): number 1 in a segment of 1 elements"),
        "{error}"
    );
}

#[test]
fn no_events_anywhere() {
    let out = run_any_cut(
        &pairs_program(2),
        &[Owned::Offsets(vec![0]), Owned::F64(vec![])],
    );
    assert_eq!(out, [vec![], vec![]] as [Vec<f64>; 2]);
}

#[test]
fn pairs_of_something_dense_are_refused() {
    let b = Builder::new();
    let (_, left, _) = b.pairs(b.dense("bins"), "pairs");
    let error = b.finish(&[("left", left)]).unwrap_err().to_string();
    assert!(
        error.contains("[bins] does not end with a ragged level"),
        "{error}"
    );
}
