//! Indices that count from the start of a block: what they gather does not depend on the cut, and a program that would show them is refused.

use pullback_ad::Real;
use pullback_array::attr::Attrs;
use pullback_array::{Builder, DType, Error, Lowered, Owned, Sym, Type, registry};

use crate::harness::{Random, offsets, record, run_any_cut, segments};

/// The message with which lowering refuses the program that `f` records.
fn refusal(f: impl for<'b> Fn(&'b Builder) -> Sym<'b>) -> String {
    match Lowered::new(record(|b| vec![f(b)])) {
        Err(
            e @ Error::Refused {
                transform: "lowering",
                ..
            },
        ) => e.to_string(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("lowered, although its result depends on the size of blocks"),
    }
}

fn compare<'b>(b: &'b Builder, op: &str, x: Sym<'b>, y: Sym<'b>) -> Sym<'b> {
    let op = registry::find(op).unwrap();
    b.push(op, &[x, y.broadcast(x.space())], Attrs::NONE)
        .first(b)
}

#[test]
fn positions_in_a_block_are_no_outputs() {
    let filtered = refusal(|b| {
        let pt = b.input("pt", b.ragged("muons", b.stream("events")));
        pt.gt(20.0.into()).filter("good").1.named("which")
    });
    assert!(filtered.contains("filter_index (which)"), "{filtered}");
    assert!(filtered.contains("output `out0` would number the elements of `muons`"));
    refusal(|b| {
        b.input("x", b.stream("events"))
            .gt(0.0.into())
            .filter("kept")
            .1
    });
    refusal(|b| b.input("x", b.ragged("muons", b.stream("events"))).argmax());
    refusal(|b| {
        b.input("x", b.ragged("muons", b.stream("events")))
            .argsort(true)
    });
    refusal(|b| b.pairs(b.ragged("muons", b.stream("events")), "pairs").1);
    refusal(|b| {
        let events = b.stream("events");
        b.cartesian(b.ragged("a", events), b.ragged("b", events), "ab")
            .2
    });
    refusal(|b| {
        let events = b.stream("events");
        let (jets, muons) = (b.ragged("jets", events), b.ragged("muons", events));
        b.locate(b.input_of("jet", Type::new(DType::I64, muons)), jets)
    });
    // Through broadcasts, choices and gathers it is still one.
    refusal(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        let best = b.input("x", muons).argmax();
        let other = b.input("y", muons).argmax();
        let mask = b.input("z", best.space()).gt(0.0.into());
        mask.select(best, other).broadcast(muons)
    });
    refusal(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        let x = b.input("x", muons);
        x.argsort(true).at(x.argmax())
    });
}

#[test]
fn nothing_is_computed_from_positions_in_a_block() {
    let cast = refusal(|b| {
        b.input("x", b.ragged("muons", b.stream("events")))
            .argmax()
            .cast(DType::F64)
    });
    assert!(
        cast.contains("cast") && cast.contains("position(space, level).at(index)"),
        "{cast}"
    );
    refusal(|b| {
        let best = b.input("x", b.ragged("muons", b.stream("events"))).argmax();
        compare(b, "lt", best, b.integer(3))
    });
    refusal(|b| {
        let best = b.input("x", b.ragged("muons", b.stream("events"))).argmax();
        let mask = compare(b, "ge", best, b.integer(0));
        mask.select(best, b.integer(0).broadcast(best.space()))
    });
}

#[test]
fn an_index_is_used_along_the_level_that_it_numbers() {
    let other = refusal(|b| {
        let events = b.stream("events");
        let (x, y) = (
            b.input("x", b.ragged("a", events)),
            b.input("y", b.ragged("b", events)),
        );
        y.at(x.argmax())
    });
    assert!(
        other.contains("numbers the elements of `a`, but is used along `b`"),
        "{other}"
    );
    // A number from a column means one thing in the first block and another in the next: `locate` is for those.
    let column = refusal(|b| {
        let events = b.stream("events");
        let index = b.input_of("index", Type::new(DType::I64, events));
        b.input("x", b.ragged("muons", events)).at(index)
    });
    assert!(column.contains("`locate`"), "{column}");
    refusal(|b| {
        let events = b.stream("events");
        let events_level = events.last().unwrap();
        b.input("x", events).at(b.position(events, events_level))
    });
    refusal(|b| {
        let events = b.stream("events");
        let index = b.input_of("index", Type::new(DType::I64, events));
        b.input("x", events).scatter_add(index, events)
    });
}

/// Whole values are one block: there, a position is a number like any other.
#[test]
fn positions_of_whole_values_are_outputs() {
    let program = record(|b| {
        let rows = b.ragged("rows", b.dense("cells"));
        let x = b.input("x", rows);
        vec![
            x.gt(0.0.into()).filter("kept").1,
            x.argmax().cast(DType::F64),
            x.at(b.input_of("index", Type::new(DType::I64, rows.prefix(1)))),
        ]
    });
    let inputs = [
        Owned::Offsets(vec![0, 2, 3]),
        Owned::F64(vec![-1.0, 1.0, 2.0]),
        Owned::I64(vec![2, 0]),
    ];
    let out = run_any_cut(&program, &inputs);
    assert_eq!(out[0], [1.0, 2.0]);
    assert_eq!(out[1], [1.0, 2.0]);
    assert_eq!(out[2], [2.0, -1.0]);
}

/// What may be done: tests for nothing found, comparisons of two indices along one level, the number in the segment.
#[test]
fn what_does_not_depend_on_blocks_is_allowed() {
    let program = record(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        let (x, y) = (b.input("x", muons), b.input("y", muons));
        let (first, second) = (x.argmax(), y.argmax());
        let same = compare(b, "eq", first, second);
        let none = compare(b, "lt", first, b.integer(0));
        let found = none.select(b.integer(-1).broadcast(first.space()), second);
        let number = b.position(muons, muons.last().unwrap());
        vec![
            same,
            none,
            x.at(found),
            number.at(found),
            compare(b, "lt", second, first),
        ]
    });
    let mut random = Random(5);
    let o = offsets(&mut random, 2100, 700);
    let n = *o.last().unwrap() as usize;
    let (x, y) = (random.values(n, 0.0, 1.0), random.values(n, 0.0, 1.0));
    let out = run_any_cut(
        &program,
        &[
            Owned::Offsets(o.clone()),
            Owned::F64(x.clone()),
            Owned::F64(y.clone()),
        ],
    );
    let best = |s: &[f64]| (0..s.len()).max_by(|&i, &j| s[i].total_cmp(&s[j]));
    for (e, (x, y)) in segments(&o, &x).zip(segments(&o, &y)).enumerate() {
        let (i, j) = (best(x), best(y));
        assert_eq!(out[0][e], f64::from(u8::from(i == j)));
        assert_eq!(out[1][e], f64::from(u8::from(i.is_none())));
        assert_eq!(out[3][e], j.map_or(-1.0, |j| j as f64));
        assert_eq!(out[4][e], f64::from(u8::from(j < i)));
        match j {
            Some(j) => assert_eq!(out[2][e], x[j]),
            None => assert!(out[2][e].is_nan()),
        }
    }
}
