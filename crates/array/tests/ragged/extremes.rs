//! The executor at its edges: nothing to do, more than fits, columns that do not belong together, memory that is used again.

use pullback_ad::Real;
use pullback_array::{
    Bindings, Builder, Column, DType, Error, Lowered, Owned, Program, Space, Type, registry,
    transform,
};

use crate::harness::{Random, assert_close, bits, offsets, record, run, run_any_cut, run_with};

/// Cuts, pairs and sums: most kinds of instructions.
fn dimuon() -> Program {
    record(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        let (pt, s) = (b.input("pt", muons), b.input("s", Space::SCALAR));
        let pt = pt * s;
        let (good, index) = pt.gt(20.0.into()).filter("good");
        let pt = pt.at(index).sort(true);
        let (pairs, i, j) = b.pairs(good, "pairs");
        let m = (pt.at(i) * pt.at(j)).sqrt();
        vec![
            m.sum_all(),
            m.sum(pairs.last().unwrap()),
            pt.max_over(good.last().unwrap()),
            m,
        ]
    })
}

fn columns(events: usize, giant: usize, seed: u64) -> [Owned; 3] {
    let mut random = Random(seed);
    let o = offsets(&mut random, events, giant);
    let n = *o.last().unwrap() as usize;
    [
        Owned::Offsets(o),
        Owned::F64(random.values(n, 5.0, 60.0)),
        Owned::F64(vec![1.0]),
    ]
}

#[test]
fn a_workspace_of_another_program_is_refused() {
    let program = dimuon();
    let (one, other) = (
        Lowered::new(program.clone()).unwrap(),
        Lowered::new(program).unwrap(),
    );
    let inputs = columns(3, 2, 1);
    let all: Vec<_> = inputs.iter().map(Owned::column).collect();
    let mut ws = one.workspace();
    one.run(&mut ws, &Bindings::ordered(&all)).unwrap();
    let error = other.run(&mut ws, &Bindings::ordered(&all)).unwrap_err();
    assert_eq!(error, Error::Workspace);
    assert!(error.to_string().starts_with("[PB0211]"));
    // Its own program still runs on it.
    one.run(&mut ws, &Bindings::ordered(&all)).unwrap();
}

/// One workspace over chunks of all sizes gives the bits of a new one each time, also after a run that failed.
#[test]
fn a_workspace_is_used_again_for_any_chunk() {
    let gradient = transform::vjp(&dimuon(), &["out0"], &["pt", "s"]).unwrap();
    for program in [dimuon(), gradient] {
        let lowered = Lowered::new(program).unwrap();
        for (threads, block) in [(1, 1024), (2, 256)] {
            let mut ws = lowered.workspace_with(threads, block);
            for (k, (events, giant)) in [
                (5, 2),
                (0, 0),
                (3000, 40),
                (1, 900),
                (1, 0),
                (3000, 40),
                (2, 1),
                (700, 3),
            ]
            .into_iter()
            .enumerate()
            {
                let mut inputs = columns(events, giant, k as u64).to_vec();
                if lowered.program().inputs().len() > 3 {
                    inputs.push(Owned::F64(vec![0.5]));
                }
                let all: Vec<_> = inputs.iter().map(Owned::column).collect();
                let mut wrong = all.clone();
                wrong[1] = Column::F64(&[1.0]);
                let failed = lowered.run(&mut ws, &Bindings::ordered(&wrong));
                assert!(failed.is_err() || all[1].len() == 1);
                lowered.run(&mut ws, &Bindings::ordered(&all)).unwrap();
                let found: Vec<Vec<f64>> = (0..lowered.program().outputs().len())
                    .map(|k| ws.f64(k).to_vec())
                    .collect();
                let fresh = run_with(&lowered, &inputs, 1, 1024);
                assert_eq!(
                    bits(&found),
                    bits(&fresh),
                    "{events} events, {threads} threads"
                );
            }
        }
    }
}

#[test]
fn every_sample_runs_without_events() {
    let mut tested = 0;
    for p in registry::all() {
        for s in p.samples() {
            let streamed = |v| s.program.stream_root(&s.program.ty(v).space);
            let all_first = s.program.inputs().iter().all(|(_, v)| {
                streamed(*v).is_none_or(|l| s.program.ty(*v).space.root() == Some(l))
            });
            if !all_first
                || s.program
                    .inputs()
                    .iter()
                    .all(|(_, v)| streamed(*v).is_none())
            {
                continue;
            }
            let inputs: Vec<Owned> = s
                .program
                .inputs()
                .iter()
                .zip(&s.inputs)
                .map(|((_, v), column)| match (streamed(*v), column) {
                    (None, c) => c.clone(),
                    (_, Owned::F64(_)) => Owned::F64(vec![]),
                    (_, Owned::F32(_)) => Owned::F32(vec![]),
                    (_, Owned::I64(_)) => Owned::I64(vec![]),
                    (_, Owned::I32(_)) => Owned::I32(vec![]),
                    (_, Owned::U64(_)) => Owned::U64(vec![]),
                    (_, Owned::Bool(_)) => Owned::Bool(vec![]),
                    (_, Owned::Offsets(_)) => Owned::Offsets(vec![0]),
                })
                .collect();
            let lowered = Lowered::new(s.program.as_ref().clone()).unwrap();
            let columns: Vec<_> = inputs.iter().map(Owned::column).collect();
            for (threads, block) in [(1, 1024), (4, 256)] {
                let mut ws = lowered.workspace_with(threads, block);
                let result = lowered.run(&mut ws, &Bindings::ordered(&columns));
                assert!(result.is_ok(), "{}, {}: {result:?}", p.name(), s.what);
            }
            tested += 1;
        }
    }
    assert!(tested > 30, "only {tested} samples have a stream");
}

#[test]
fn columns_that_do_not_belong_together_are_named() {
    let lowered = Lowered::new(dimuon()).unwrap();
    let mut ws = lowered.workspace();
    let mut message = |offsets: &[i64], pt: &[f64]| {
        let columns = [Column::Offsets(offsets), pt.into(), (&1.0).into()];
        let result = lowered.run(&mut ws, &Bindings::ordered(&columns));
        result.unwrap_err().to_string()
    };
    let fewer = message(&[0, 2, 3], &[30.0, 40.0]);
    assert!(
        fewer.contains("input `pt`") && fewer.contains("2 elements") && fewer.contains('3'),
        "{fewer}"
    );
    assert!(message(&[0, 2, 1], &[30.0]).contains("offsets decrease at position 2: 1 after 2"));
    assert!(message(&[1, 2], &[30.0]).contains("offsets start at 1, expected 0"));
    assert!(message(&[], &[]).contains("offsets are empty"));
    assert!(message(&[0, i64::MAX], &[30.0]).contains("input `pt`"));
    assert!(message(&[0, -1], &[]).contains("offsets decrease"));
    let sized = |level: &str, n: usize| {
        let b = Builder::new();
        let x =
            b.input("x", b.dense_of("three", 3)).sum_all() + b.input("y", b.dense("any")).sum_all();
        let lowered = Lowered::new(b.finish(&[("x", x)]).unwrap()).unwrap();
        let columns = [(&[1.0, 2.0, 3.0]).into(), (&[1.0, 2.0]).into()];
        let inputs = Bindings::ordered(&columns)
            .size(lowered.program(), level, n)
            .unwrap();
        lowered.run(&mut lowered.workspace(), &inputs)
    };
    assert!(
        sized("three", 4)
            .unwrap_err()
            .to_string()
            .contains("input `three`")
    );
    assert!(
        sized("any", 4)
            .unwrap_err()
            .to_string()
            .contains("input `y`")
    );
    assert!(sized("three", 3).is_ok() && sized("any", 2).is_ok());
}

/// Sizes that no memory holds are errors, not the end of the process; the workspace is of use afterwards.
#[test]
fn more_elements_than_fit_are_an_error() {
    let program = record(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        let s = b.input("s", Space::SCALAR);
        let (pairs, ..) = b.combinations(muons, 3, "triples");
        vec![
            s.broadcast(pairs).sum_all(),
            b.counts(muons).cast(DType::F64),
        ]
    });
    let lowered = Lowered::new(program).unwrap();
    let mut ws = lowered.workspace();
    let mut run = |offsets: &[i64]| {
        let columns = [Column::Offsets(offsets), (&2.0).into()];
        lowered
            .run(&mut ws, &Bindings::ordered(&columns))
            .map(|()| ws.scalar(0))
    };
    assert_eq!(run(&[0, 4]), Ok(8.0));
    // 2⁶⁰ triples and more.
    let error = run(&[0, 2_500_000]).unwrap_err();
    assert!(
        matches!(&error, Error::Memory { space, .. } if space == "events, triples"),
        "{error}"
    );
    assert!(error.to_string().starts_with("[PB0212]"));
    assert!(
        run(&[0, i64::MAX])
            .unwrap_err()
            .to_string()
            .contains("too many combinations")
    );
    assert_eq!(run(&[0, 4]), Ok(8.0));

    let b = Builder::new();
    let (rows, columns) = (b.dense("rows"), b.dense("columns"));
    let y = b
        .input("x", Space::SCALAR)
        .broadcast(b.join(rows, columns))
        .exp();
    let lowered = Lowered::new(b.finish(&[("y", y.sum_all())]).unwrap()).unwrap();
    let mut ws = lowered.workspace();
    let columns = [(&0.0).into()];
    let sized = |m: usize, n: usize| {
        let inputs = Bindings::ordered(&columns).size(lowered.program(), "rows", m);
        inputs
            .unwrap()
            .size(lowered.program(), "columns", n)
            .unwrap()
    };
    for (m, n) in [
        (usize::MAX, 1),
        (1 << 40, 1 << 40),
        (usize::MAX - 1, 2),
        (1 << 58, 2),
    ] {
        let result = lowered.run(&mut ws, &sized(m, n));
        assert!(result.is_err(), "{m} × {n}");
    }
    lowered.run(&mut ws, &sized(2, 3)).unwrap();
    assert_eq!(ws.scalar(0), 6.0);
}

#[test]
fn offsets_with_levels_before_the_stream_are_refused() {
    let b = Builder::new();
    let (rows, events) = (b.dense_of("rows", 2), b.stream("events"));
    let muons = b.ragged("muons", b.join(rows, events));
    let y = b.input("x", muons).sum_all();
    let error = b.finish(&[("y", y)]).unwrap_err().to_string();
    assert!(
        error.contains("[rows, events]") && error.contains("before the stream"),
        "{error}"
    );
}

/// A ragged level before the stream has fewer lanes than the product of its lengths: the rest was once copied past the end of the column.
#[test]
fn ragged_lanes_before_the_stream() {
    let program = record(|b| {
        let rows = b.ragged("rows", b.dense("cells"));
        let events = b.stream("events");
        let x = b.input("x", b.join(rows, events));
        let y = x * 2.0 + b.input("w", events);
        vec![y.sum(events.last().unwrap()), y]
    });
    let n = 1500;
    let mut random = Random(3);
    let (x, w) = (random.values(3 * n, 0.0, 1.0), random.values(n, 0.0, 1.0));
    let inputs = [
        Owned::Offsets(vec![0, 2, 2, 3]),
        Owned::F64(x.clone()),
        Owned::F64(w.clone()),
    ];
    let out = run_any_cut(&program, &inputs);
    let y: Vec<f64> = (0..3 * n).map(|k| x[k] * 2.0 + w[k % n]).collect();
    assert_eq!(out[1], y);
    let sums: Vec<f64> = y.chunks(n).map(|y| y.iter().sum()).collect();
    assert_close(&out[0], &sums, 1e-13, "sums");
}

#[test]
fn levels_without_elements() {
    let program = record(|b| {
        let (events, hidden) = (b.stream("events"), b.dense("hidden"));
        let muons = b.ragged("muons", events);
        let x = b.input("x", b.join(muons, hidden));
        let w = b.input("w", hidden);
        let y = (x * w).tanh();
        let last = muons.last().unwrap();
        vec![
            y.sum_last(),
            y.sum(last),
            y.max_over(hidden.last().unwrap()),
            y.sum_all(),
            y,
        ]
    });
    let gradient = transform::vjp(&program, &["out0", "out3"], &["x", "w"]).unwrap();
    let mut inputs = vec![
        Owned::Offsets(vec![0, 2, 2, 3]),
        Owned::F64(vec![]),
        Owned::F64(vec![]),
    ];
    let out = run_any_cut(&program, &inputs);
    assert_eq!(out[0], [0.0; 3]);
    assert_eq!(out[1], [] as [f64; 0]);
    assert_eq!(out[2], [f64::NEG_INFINITY; 3]);
    assert_eq!(out[3], [0.0]);
    inputs.extend([Owned::F64(vec![1.0; 3]), Owned::F64(vec![1.0])]);
    let out = run_any_cut(&gradient, &inputs);
    assert!(out[5].is_empty() && out[6].is_empty());
}

/// The error of a block tells the label, and the first chunk's error is the one that is reported.
#[test]
fn an_index_past_the_end_is_an_error_with_a_name() {
    let program = record(|b| {
        let events = b.stream("events");
        let index = b.input_of("bin", Type::new(DType::I64, events));
        let table = b.input("table", b.dense("bins"));
        vec![table.gather(index).named("scale factor")]
    });
    let lowered = Lowered::new(program).unwrap();
    for bad in [3, i64::MAX] {
        let mut index = vec![0_i64; 40_000];
        (index[11_000], index[30_000], index[5]) = (bad, 77, i64::MIN);
        for threads in [1, 4] {
            let mut ws = lowered.workspace_with(threads, 256);
            let columns = [Column::I64(&index), (&[1.0, 2.0, 3.0]).into()];
            let error = lowered
                .run(&mut ws, &Bindings::ordered(&columns))
                .unwrap_err();
            let message = error.to_string();
            assert!(message.contains("gather (scale factor)"), "{message}");
            assert!(
                message.contains(&format!("index {bad} is past the end")),
                "{message}"
            );
            for i in &mut index {
                *i = (*i).min(2);
            }
            let columns = [Column::I64(&index), (&[1.0, 2.0, 3.0]).into()];
            lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
            assert!(ws.f64(0)[5].is_nan() && ws.f64(0)[11_000] == 3.0);
            index[11_000] = bad;
        }
    }
}

#[test]
fn as_deep_as_paths_go() {
    let program = record(|b| {
        let mut space = b.stream("events");
        for k in 1..7 {
            space = b.ragged(&format!("level{k}"), space);
        }
        let mut x = b.input("x", space).square();
        let mut out = vec![x.sum_all()];
        while x.space().depth() > 1 {
            x = x.sum_last();
            out.push(x);
        }
        out
    });
    let events = 600;
    let mut inputs = Vec::new();
    let mut n = events;
    for _ in 1..7 {
        let o: Vec<i64> = std::iter::once(0)
            .chain((0..n).scan(0_i64, |at, k| {
                *at += i64::from(k % 3 != 1) + i64::from(k % 5 == 0);
                Some(*at)
            }))
            .collect();
        n = *o.last().unwrap() as usize;
        inputs.push(Owned::Offsets(o));
    }
    let x = Random(2).values(n, 0.0, 1.0);
    inputs.push(Owned::F64(x.clone()));
    let total: f64 = x.iter().map(|x| x * x).sum();
    let out = run_any_cut(&program, &inputs);
    assert_close(&out[0], &[total], 1e-12, "all");
    assert_eq!(out.last().unwrap().len(), events);
    for level in &out[1..] {
        assert_close(&[level.iter().sum()], &[total], 1e-12, "a level");
    }
    // One more is refused.
    let error = transform::vmap(&program, &["x"], "lanes").unwrap_err();
    assert!(error.to_string().contains("too many levels"), "{error}");
}

/// Lanes before the stream: every kind of structure against a loop over the lanes.
#[test]
fn structure_per_lane_is_that_of_a_loop() {
    let program = record(|b| {
        let events = b.stream("events");
        let (muons, jets) = (b.ragged("muons", events), b.ragged("jets", events));
        let (pt, met) = (b.input("pt", muons), b.input("met", events));
        let (jet, s) = (b.input("jet", jets), b.input("s", Space::SCALAR));
        let pt = pt * s;
        let (good, index) = pt.gt(20.0.into()).filter("good");
        let pt = pt.at(index);
        let (pairs, i, j) = b.pairs(good, "pairs");
        let (close, near) = (pt.at(i) - pt.at(j)).abs().lt(15.0.into()).filter("close");
        let mass = (pt.at(i) * pt.at(j)).at(near);
        let (cross, l, r) = b.cartesian(good, jets, "cross");
        let both = pt.at(l) * jet.at(r);
        let (_, kept) = (met * s).gt(30.0.into()).filter("kept");
        let count = pt.gt(25.0.into()).count(good.last().unwrap());
        vec![
            mass.sum(close.last().unwrap()),
            both.sum(cross.last().unwrap()),
            pt.sort(true),
            pt.leading(pt),
            met.at(kept),
            (pt.sum(good.last().unwrap()) * met).at(kept).sum_all(),
            b.counts(pairs).cast(DType::F64),
            b.position(good, good.last().unwrap())
                .at(pt.argmax())
                .cast(DType::F64),
            count.cast(DType::F64),
            mass,
        ]
    });
    let mut random = Random(9);
    let events = 1700;
    let (muons, jets) = (
        offsets(&mut random, events, 90),
        offsets(&mut random, events, 3),
    );
    let (m, j) = (
        *muons.last().unwrap() as usize,
        *jets.last().unwrap() as usize,
    );
    let scales = [0.8, 1.0, 0.0, 1.3];
    let inputs = [
        Owned::Offsets(muons),
        Owned::Offsets(jets),
        Owned::F64(random.values(m, 5.0, 60.0)),
        Owned::F64(random.values(events, 0.0, 80.0)),
        Owned::F64(random.values(j, 20.0, 100.0)),
        Owned::F64(scales.to_vec()),
    ];
    let lanes = transform::vmap(&program, &["s"], "scales").unwrap();
    let found = run_any_cut(&lanes, &inputs);
    let mut expected: Vec<Vec<f64>> = vec![Vec::new(); found.len()];
    for s in scales {
        let mut one = inputs.to_vec();
        one[5] = Owned::F64(vec![s]);
        for (all, lane) in expected.iter_mut().zip(run(&program, &one)) {
            all.extend(lane);
        }
    }
    for (k, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_close(found, expected, 1e-14, &format!("output {k}"));
    }
}
