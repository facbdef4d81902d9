//! Sorts, bins, margins.

use pullback_ad::Real;
use pullback_array::{Bindings, Builder, DType, Flow, Last, Lowered, Owned, margin};

use crate::harness::{
    Random, assert_close, check_derivatives, offsets, record, run, run_any_cut, segments,
};

#[test]
fn sorted_segments_are_those_of_a_library_sort() {
    let program = record(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        let (x, y) = (b.input("x", muons), b.input("y", muons));
        vec![x.sort(false), y.at(x.argsort(true))]
    });
    let mut random = Random(31);
    let o = offsets(&mut random, 1000, 2500);
    let n = *o.last().unwrap() as usize;
    // Many ties.
    let x: Vec<f64> = (0..n).map(|_| random.below(20) as f64).collect();
    let y: Vec<f64> = (0..n).map(|i| i as f64).collect();
    let out = run_any_cut(
        &program,
        &[
            Owned::Offsets(o.clone()),
            Owned::F64(x.clone()),
            Owned::F64(y.clone()),
        ],
    );
    let (mut rising, mut falling) = (Vec::new(), Vec::new());
    for (xs, ys) in segments(&o, &x).zip(segments(&o, &y)) {
        let mut pairs: Vec<(f64, f64)> = xs.iter().copied().zip(ys.iter().copied()).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        rising.extend(pairs.iter().map(|p| p.0));
        let mut pairs: Vec<(f64, f64)> = xs.iter().copied().zip(ys.iter().copied()).collect();
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        falling.extend(pairs.iter().map(|p| p.1));
    }
    assert_eq!(out[0], rising);
    assert_eq!(out[1], falling);
}

#[test]
fn derivative_of_a_sort_follows_the_elements() {
    let program = record(|b| {
        let (rows, columns) = (b.dense_of("rows", 4), b.dense_of("columns", 9));
        let x = b.input("x", b.join(rows, columns));
        let rank = b
            .position(b.join(rows, columns), columns.last().unwrap())
            .cast(DType::F64);
        vec![(x.sort(true) * (rank + 1.0)).square()]
    });
    let x: Vec<f64> = (0..36).map(|i| f64::from(i * 17 % 37) * 0.1).collect();
    check_derivatives(&program, &[Owned::F64(x)], &[0], 1e-8);
}

fn histogram(edges: &[f64], closed: Last) -> pullback_array::Program {
    record(|b| {
        let events = b.stream("events");
        let (x, w) = (b.input("x", events), b.input("w", events));
        let edges = b.constant_f64(edges, b.dense_of("edges", edges.len()));
        let bins = b.dense_of(
            "bins",
            edges
                .space()
                .last()
                .map_or(0, |l| b.with_program(|p| p.level(l).len.unwrap_or(1)))
                - 1,
        );
        let index = x.bin_index(edges, Flow::Drop, closed);
        vec![w.scatter_add(index, bins), index.cast(DType::F64)]
    })
}

#[test]
fn bins_are_those_of_a_search_through_all_edges() {
    let mut random = Random(5);
    let uniform: Vec<f64> = (0..=30).map(|k| 0.1 * f64::from(k)).collect();
    let mut uneven = random.values(24, 0.0, 3.0);
    uneven.sort_by(f64::total_cmp);
    for edges in [uniform, uneven, vec![0.0, 3.0]] {
        let mut x = random.values(3000, -0.5, 3.5);
        // On the edges and next to them.
        for (k, e) in edges.iter().enumerate() {
            x[3 * k] = *e;
            x[3 * k + 1] = f64::from_bits(e.to_bits().wrapping_sub(1));
            x[3 * k + 2] = f64::from_bits(e.to_bits() + 1);
        }
        let w = random.values(x.len(), 0.0, 2.0);
        let out = run_any_cut(
            &histogram(&edges, Last::Closed),
            &[Owned::F64(x.clone()), Owned::F64(w.clone())],
        );
        let last = edges.len() - 2;
        let bin = |x: f64| {
            (0..=last)
                .find(|&k| edges[k] <= x && (x < edges[k + 1] || (k == last && x == edges[k + 1])))
        };
        let mut expected = vec![0.0; last + 1];
        for (k, (x, w)) in x.iter().zip(&w).enumerate() {
            assert_eq!(out[1][k], bin(*x).map_or(-1.0, |b| b as f64), "{x}");
            if let Some(k) = bin(*x) {
                expected[k] += w;
            }
        }
        assert_close(&out[0], &expected, 1e-12, "histogram");
        check_derivatives(
            &histogram(&edges, Last::Open),
            &[Owned::F64(x), Owned::F64(w)],
            &[1],
            1e-8,
        );
    }
}

#[test]
fn edges_that_do_not_rise_are_an_error() {
    let lowered = Lowered::new(histogram(&[0.0, 2.0, 1.0], Last::Open)).unwrap();
    let error = lowered
        .run(
            &mut lowered.workspace(),
            &Bindings::ordered(&[(&[0.5]).into(), (&[1.0]).into()]),
        )
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("edges must rise: edge 2 is 1 after 2"),
        "{error}"
    );
}

#[test]
fn margins_change_sign_where_masks_switch() {
    fn masks(
        x: pullback_array::Sym<'_>,
        over: pullback_array::LevelId,
    ) -> [pullback_array::Sym<'_>; 7] {
        let (a, b) = (x.gt(0.5.into()), (x * x).le(2.0.into()));
        [a, !a, a & b, a | b, a ^ b, a.any(over), b.all(over)]
    }
    let program = record(|b| {
        let muons = b.ragged("muons", b.stream("events"));
        let x = b.input("x", muons);
        let over = muons.last().unwrap();
        masks(x, over)
            .into_iter()
            .flat_map(|m| [m, margin(b, m).unwrap()])
            .collect()
    });
    let mut random = Random(8);
    let o = offsets(&mut random, 400, 7);
    let x = random.values(*o.last().unwrap() as usize, -2.0, 2.0);
    let out = run_any_cut(&program, &[Owned::Offsets(o), Owned::F64(x)]);
    for pair in out.chunks(2) {
        for (mask, margin) in pair[0].iter().zip(&pair[1]) {
            assert_eq!(*mask == 1.0, *margin > 0.0);
        }
    }
}

#[test]
fn margin_of_a_bin_is_the_distance_to_its_nearest_edge_and_has_a_derivative() {
    let program = record(|b| {
        let x = b.input("x", b.dense("n"));
        let edges = b.input("edges", b.dense("edges"));
        vec![margin(b, x.bin_index(edges, Flow::Separate, Last::Open)).unwrap()]
    });
    let inputs = [
        Owned::F64(vec![-1.0, 0.25, 1.75, 9.0]),
        Owned::F64(vec![0.0, 1.0, 4.0]),
    ];
    assert_eq!(run(&program, &inputs)[0], [1.0, 0.25, 0.75, 5.0]);
    check_derivatives(&program, &inputs, &[0, 1], 1e-9);
}

#[test]
fn an_input_mask_has_no_margin() {
    let b = Builder::new();
    let mask = b.input_of(
        "trigger",
        pullback_array::Type::new(DType::Bool, b.stream("events")),
    );
    let error = margin(&b, mask).unwrap_err().to_string();
    assert!(
        error.starts_with("[PB0206] margin refuses input (trigger)"),
        "{error}"
    );
}
