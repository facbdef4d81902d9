//! For every consumer with a rule: T → 0 is the exact program, and derivatives of all orders are those of differences.

use pullback_ad::Real;
use pullback_array::transform::{Relaxation, Smoothing, Width, relax};
use pullback_array::{DType, Flow, Last, LevelId, Owned, Space, Sym};

use crate::case::{Case, On, record, sample};
use crate::harness::{assert_close, check_derivatives, run};

fn last(space: Space) -> LevelId {
    space.last().unwrap()
}

type Build = for<'b> fn(Case<'b>) -> Vec<Sym<'b>>;

/// Name, level of the decision, and outputs, which must be doubles.
const CASES: [(&str, On, Build); 13] = [
    ("select", On::Events, |c| {
        vec![c.mask.select(c.w.square(), c.w).sum_all()]
    }),
    ("filter of events", On::Events, |c| {
        let (good, index) = c.mask.filter("good");
        let kept = c.w.at(index) + c.w.broadcast(good).square();
        vec![kept.sum_all().ln()]
    }),
    ("pairs", On::Muons, |c| {
        let (good, index) = c.mask.filter("good");
        let (v, u) = (c.v.at(index), c.u.at(index));
        let (_, a, b) = c.b.pairs(good, "pairs");
        vec![(v.at(a) * v.at(b) + u.at(a) * u.at(b)).sin().sum_all()]
    }),
    ("sums of members", On::Muons, |c| {
        let (good, index) = c.mask.filter("good");
        let sum = c.v.at(index).sum(last(good));
        vec![(sum * c.w).square().sum_all()]
    }),
    ("products of members", On::Muons, |c| {
        let (good, index) = c.mask.filter("good");
        let product = c.v.at(index).prod(last(good));
        vec![(product * c.w).sum_all()]
    }),
    ("largest and smallest of members", On::Muons, |c| {
        let (good, index) = c.mask.filter("good");
        let v = c.v.at(index);
        let some = c.v.at(index).gt(Sym::from(-1e9)).any(last(good));
        let top = some.select(v.max_over(last(good)), 0.0.into());
        vec![(top * c.w + some.select(v.min_over(last(good)).square(), 0.5.into())).sum_all()]
    }),
    ("what stands at the largest member", On::Muons, |c| {
        // It is chosen by what does not move.
        let (good, index) = c.mask.filter("good");
        let order = c.u.at(index).argmax();
        let some = c.u.at(index).gt(Sym::from(-1e9)).any(last(good));
        vec![
            some.select(c.u.at(index).at(order).sin(), 0.0.into())
                .sum_all(),
        ]
    }),
    ("numbers that are missing to a degree", On::Muons, |c| {
        let filled = c.mask.select(c.v, f64::NEG_INFINITY.into());
        let top = filled.max_over(last(c.muons));
        vec![
            c.mask
                .any(last(c.muons))
                .select(top * c.w, 0.0.into())
                .sum_all(),
        ]
    }),
    ("counts and their comparison", On::Muons, |c| {
        let n = c.b.counts(c.mask.filter("good").0);
        let two = n.gt(c.b.integer(1).broadcast(c.events));
        let exactly = n.cast(DType::F64).eq(1.0.into());
        let or = two.select(c.w, 0.0.into()) + exactly.select(c.w.square(), 0.0.into());
        vec![or.sum_all()]
    }),
    ("any and all", On::Muons, |c| {
        let over = last(c.muons);
        let both = c.mask.any(over) & !c.mask.all(over);
        vec![both.select(c.w, 0.0.into()).sum_all()]
    }),
    ("histogram", On::Events, |c| {
        let edges = c.b.constant_f64(&[0.3, 0.8, 1.5], c.b.dense_of("edges", 3));
        let bin = c.moving.bin_index(edges, Flow::Clamp, Last::Open);
        vec![c.w.scatter_add(bin, c.b.dense_of("bins", 2))]
    }),
    ("contraction", On::Events, |c| {
        let (good, index) = c.mask.filter("good");
        let n = c.b.dense_of("n", 2);
        let scale = c.b.constant_f64(&[1.0, -0.5], n);
        let path = c.b.join(good, n);
        let x = c.w.at(index).broadcast(path) * scale.broadcast(path);
        vec![x.contract(c.w.at(index).square(), n)]
    }),
    ("cartesian", On::Muons, |c| {
        let (good, index) = c.mask.filter("good");
        let (_, muon, jet) = c.b.cartesian(good, c.j.space(), "both");
        vec![(c.v.at(index).at(muon) * c.j.at(jet)).sqrt().sum_all()]
    }),
];

#[test]
fn small_widths_give_the_exact_program() {
    for (name, on, build) in CASES {
        let program = record(on, build);
        for smoothing in [Smoothing::Sigmoid, Smoothing::Normal] {
            let mut inputs = sample(on, 9);
            let exact = run(&program, &inputs);
            let policy = Relaxation::all(smoothing, Width::input("T"));
            let relaxed = relax(&program, &policy).unwrap();
            inputs.push(Owned::F64(vec![1e-9]));
            let found = run(&relaxed, &inputs);
            assert_close(&found[0], &exact[0], 1e-12, name);
            // Where the width is felt, the value is another.
            inputs.pop();
            inputs.push(Owned::F64(vec![0.2]));
            let felt = run(&relaxed, &inputs);
            assert!((felt[0][0] - exact[0][0]).abs() > 1e-6, "{name}");
        }
    }
}

#[test]
fn derivatives_to_inputs_and_widths_are_those_of_differences_to_second_order() {
    for (name, on, build) in CASES {
        println!("{name}");
        let program = record(on, build);
        for smoothing in [Smoothing::Sigmoid, Smoothing::Normal] {
            let policy = Relaxation::all(smoothing, Width::input("T"));
            let relaxed = relax(&program, &policy).unwrap();
            let mut inputs = sample(on, 9);
            inputs.push(Owned::F64(vec![0.3]));
            // w, v, x, s, T.
            check_derivatives(&relaxed, &inputs, &[2, 3, 6, 7, 8], 2e-8);
        }
    }
}

#[test]
fn a_number_as_width_and_a_width_for_each_label() {
    let program = record(On::Muons, |c| {
        let loose = c.u.gt(0.0.into()).named("loose");
        vec![(c.mask & loose).select(c.v, 0.0.into()).sum_all()]
    });
    let policy = |cut: Width, loose: Width| {
        Relaxation::only(Smoothing::Sigmoid)
            .with("cut", cut)
            .with("loose", loose)
    };
    let fixed = relax(&program, &policy(0.2.into(), 0.4.into())).unwrap();
    let free = relax(&program, &policy(Width::input("a"), Width::input("b"))).unwrap();
    let mut inputs = sample(On::Muons, 3);
    let expected = run(&fixed, &inputs);
    inputs.extend([0.2, 0.4].map(|t| Owned::F64(vec![t])));
    assert_eq!(run(&free, &inputs), expected);
    let names: Vec<&str> = free.inputs()[8..].iter().map(|(n, _)| &**n).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn decisions_that_the_policy_leaves_out_stay_exact() {
    let program = record(On::Muons, |c| {
        let loose = c.u.gt(0.0.into()).named("loose");
        let (_, index) = loose.filter("loose");
        vec![c.mask.select(c.v, 0.0.into()).at(index).sum_all()]
    });
    let inputs = sample(On::Muons, 3);
    let exact = run(&program, &inputs);
    let none = Relaxation::only(Smoothing::Sigmoid);
    assert_eq!(run(&relax(&program, &none).unwrap(), &inputs), exact);
    // One of two: a sum over the exact selection of soft choices.
    let one = Relaxation::all(Smoothing::Sigmoid, 0.1).hard("loose");
    let found = run(&relax(&program, &one).unwrap(), &inputs);
    let (Owned::F64(v), Owned::F64(u), Owned::F64(x)) = (&inputs[3], &inputs[4], &inputs[6]) else {
        panic!("doubles")
    };
    let sum: f64 = (0..v.len())
        .filter(|i| u[*i] > 0.0)
        .map(|i| v[i] / (1.0 + (-(x[i] * 1.05 - 1.0) / 0.1).exp()))
        .sum();
    assert_close(&found[0], &[sum], 1e-12, "sum");
}

#[test]
fn a_width_that_is_no_width_when_it_runs_gives_nan() {
    let program = record(On::Events, |c| {
        vec![c.mask.select(c.w, 0.0.into()).sum_all()]
    });
    let policy = Relaxation::all(Smoothing::Sigmoid, Width::input("t"));
    let soft = relax(&program, &policy).unwrap();
    let gradient = pullback_array::transform::grad(&soft, "y0", &["s", "t"]).unwrap();
    for (t, finite) in [
        (0.1, true),
        (0.0, false),
        (-0.1, false),
        (f64::NAN, false),
        (f64::INFINITY, false),
    ] {
        let mut inputs = sample(On::Events, 5);
        inputs.push(Owned::F64(vec![t]));
        let found = run(&soft, &inputs)[0][0];
        assert_eq!(found.is_finite(), finite, "{t}: {found}");
        let slopes = run(&gradient, &inputs)[1..].concat();
        assert!(
            slopes.iter().all(|d| d.is_nan() != finite),
            "{t}: {slopes:?}"
        );
    }
}
