//! Bounded loops: elements that stop on their own, bounds that are reached, margins, derivatives, counts.

mod support;

use pullback_ad::Real;
use pullback_ad::schedule::forward_steps;
use pullback_array::region::{Policy, While};
use pullback_array::registry::Registry;
use pullback_array::{Builder, DType, Owned, Program, Space, text, transform};
use support::interpreter::{arrays, interpret};
use support::{STEP, bits, deviation, run};

/// √a by Newton's iteration from `start`, each element until it moves no more.
fn roots(bound: usize, policy: Policy) -> Program {
    let b = Builder::new();
    let n = b.dense("n");
    let (start, a) = (b.input("start", n), b.input("a", n));
    let found = While::at_most(bound)
        .checkpoint(policy)
        .record(
            &b,
            &[start],
            &[a],
            |_, x, a| (x[0] * x[0] - a[0]).abs().gt(a[0] * 1e-8),
            |_, x, a| vec![(x[0] + a[0] / x[0]) * 0.5],
        )
        .expect("well-formed");
    let outputs = [
        ("sum", found.carries[0].sum_all()),
        ("root", found.carries[0]),
        ("steps", found.steps),
        ("cut", found.bound_hit),
        ("margin", found.margin.expect("a comparison of doubles")),
    ];
    b.finish(&outputs).expect("well-formed")
}

fn inputs() -> Vec<Owned> {
    vec![
        Owned::F64(vec![1.0, 1.0, 3.0, 0.5]),
        Owned::F64(vec![1.0, 2.0, 4.0, 900.0]),
    ]
}

/// The same by hand: root, steps, whether the bound was hit, margin, and the derivative of the iteration with respect to a.
fn by_hand(bound: usize, start: f64, a: f64) -> (f64, f64, f64, f64, f64) {
    let (mut x, mut dx, mut steps) = (start, 0.0, 0);
    let distance = |x: f64| (x * x - a).abs() - 1e-8 * a;
    let mut margin = distance(x).abs();
    while distance(x) > 0.0 && steps < bound {
        (x, dx) = (0.5 * (x + a / x), 0.5 * (dx + 1.0 / x - a * dx / (x * x)));
        steps += 1;
        margin = margin.min(distance(x).abs());
    }
    let cut = f64::from(u8::from(distance(x) > 0.0));
    (x, steps as f64, cut, margin, dx)
}

#[test]
fn elements_stop_on_their_own_and_say_when_and_whether() {
    for bound in [0, 1, 3, 50] {
        for policy in [Policy::Store, Policy::Every(2), Policy::Binomial(1)] {
            let program = roots(bound, policy);
            let gradient = transform::grad(&program, "sum", &["a"]).expect("grad");
            let found = run(&gradient, &inputs()).expect("runs");
            let (starts, values) = (
                support::doubles(&inputs()[0]).to_vec(),
                support::doubles(&inputs()[1]).to_vec(),
            );
            for (k, (start, a)) in starts.into_iter().zip(values).enumerate() {
                let (x, steps, cut, margin, dx) = by_hand(bound, start, a);
                assert_eq!(
                    (found[1][k], found[2][k], found[3][k]),
                    (x, steps, cut),
                    "{bound}"
                );
                assert!(
                    (found[4][k] - margin).abs() <= 1e-15 * a,
                    "{bound}: {} {margin}",
                    found[4][k]
                );
                assert!(
                    (found[5][k] - dx).abs() < 1e-14,
                    "{bound} {policy:?}: {} {dx}",
                    found[5][k]
                );
            }
            let plain = run(
                &transform::simplify(&program).expect("simplifies"),
                &inputs(),
            );
            assert_eq!(bits(&plain.expect("runs")), bits(&found[..5]));
        }
    }
}

#[test]
fn derivatives_agree_with_the_complex_step_to_second_order() {
    let inputs = inputs();
    let v = vec![0.3, -0.2, 0.5, 20.0];
    let step = vec![None, Some(v.iter().map(|x| x * STEP).collect())];
    let with: Vec<Owned> = inputs.iter().cloned().chain([Owned::F64(v)]).collect();
    for policy in [Policy::Store, Policy::Every(3), Policy::Binomial(2)] {
        let program = roots(40, policy);
        let jvp = transform::jvp(&program, &["a"]).expect("jvp");
        let reference = interpret(&program, &arrays(&inputs, &step)).expect("known");
        let expected = reference[0].num()[0].im / STEP;
        let found = run(&jvp, &with).expect("runs")[5][0];
        assert!(
            (found - expected).abs() < 1e-13 * expected.abs(),
            "{found} {expected}"
        );
        let gradient = transform::value_and_grad(&program, "sum", &["a"]).expect("grad");
        let reference = interpret(&gradient, &arrays(&inputs, &step)).expect("known");
        let hvp = transform::hvp(&program, "sum", &["a"]).expect("hvp");
        let found = run(&hvp, &with).expect("runs");
        let e: Vec<f64> = reference[1].num().iter().map(|z| z.im / STEP).collect();
        assert!(
            deviation(&found[0], &e) < 1e-11,
            "{policy:?}: {:?} {e:?}",
            found[0]
        );
        let printed = text::print(&hvp);
        assert!(text::parse(&printed, &Registry::standard()).expect("reads") == hvp);
    }
}

/// x ← √(x − 1) while x > 1: an element that stops at 1 has an infinite derivative there, which nobody may see.
#[test]
fn an_infinite_derivative_where_an_element_has_stopped_is_not_seen() {
    let b = Builder::new();
    let x = b.input("x", b.dense("n"));
    let found = While::at_most(10)
        .record(
            &b,
            &[x],
            &[],
            |_, x, _| x[0].gt(1.0.into()),
            |_, x, _| vec![(x[0] - 1.0).sqrt()],
        )
        .expect("well-formed");
    let program = b
        .finish(&[("sum", found.carries[0].sum_all()), ("steps", found.steps)])
        .expect("well-formed");
    let gradient = transform::grad(&program, "sum", &["x"]).expect("grad");
    let found = run(&gradient, &[Owned::F64(vec![1.25, 5.0, 26.0, 0.2])]).expect("runs");
    assert_eq!(found[1], [1.0, 2.0, 3.0, 0.0]);
    assert_eq!(found[2], [1.0, 0.125, 0.0125, 1.0]);
    let tangent = transform::jvp(&program, &["x"]).expect("jvp");
    let with = [vec![1.25, 5.0, 26.0, 0.2], vec![1.0, 8.0, 80.0, 1.0]].map(Owned::F64);
    assert_eq!(run(&tangent, &with).expect("runs")[2], [4.0]);
}

/// One number doubles until it passes a limit, with an integer beside it.
fn doubling() -> Program {
    let b = Builder::new();
    let (x, limit) = (b.input("x", Space::SCALAR), b.input("limit", Space::SCALAR));
    let count = b.input_of(
        "count",
        pullback_array::Type::new(DType::I64, Space::SCALAR),
    );
    let found = While::at_most(30)
        .record(
            &b,
            &[x, count],
            &[limit],
            |_, v, limit| v[0].lt(limit[0]),
            |_, v, _| vec![v[0] * 2.0, (v[1].cast(DType::F64) + 1.0).cast(DType::I64)],
        )
        .expect("well-formed");
    b.finish(&[
        ("x", found.carries[0]),
        ("count", found.carries[1]),
        ("steps", found.steps),
    ])
    .expect("well-formed")
}

#[test]
fn lanes_have_their_own_number_of_steps() {
    let gradient = transform::grad(&doubling(), "x", &["x"]).expect("grad");
    let lanes = transform::vmap(&gradient, &["x"], "lanes").expect("lanes");
    let starts = vec![1.0, 3.0, 100.0];
    let all = [
        Owned::F64(starts.clone()),
        Owned::F64(vec![10.0]),
        Owned::I64(vec![4]),
    ];
    let found = run(&lanes, &all).expect("runs");
    assert_eq!(found[0], [16.0, 12.0, 100.0]);
    assert_eq!(found[1], [8.0, 6.0, 4.0]);
    assert_eq!(found[2], [4.0, 2.0, 0.0]);
    assert_eq!(found[3], [16.0, 4.0, 1.0]);
}

#[test]
fn the_schedule_covers_the_steps_that_were_made() {
    let gradient = |policy| {
        let b = Builder::new();
        let x = b.input("x", Space::SCALAR);
        let found = While::at_most(1000).checkpoint(policy).record(
            &b,
            &[x],
            &[],
            |_, x, _| x[0].lt(3.0.into()),
            |_, x, _| vec![x[0] + x[0].sin() * 0.1 + 0.05],
        );
        let y = found.expect("well-formed").carries[0];
        let program = b.finish(&[("y", y)]).expect("well-formed");
        transform::grad(&program, "y", &["x"]).expect("grad")
    };
    let found: Vec<Vec<Vec<f64>>> = [
        Policy::Store,
        Policy::Binomial(1),
        Policy::Binomial(4),
        Policy::Every(4),
    ]
    .into_iter()
    .map(|p| run(&gradient(p), &[Owned::F64(vec![0.3])]).expect("runs"))
    .collect();
    let (mut x, mut dx, mut steps) = (0.3_f64, 1.0, 0);
    while x < 3.0 {
        dx *= 1.0 + 0.1 * x.cos();
        x = x + x.sin() * 0.1 + 0.05;
        steps += 1;
    }
    assert!(steps > 15 && forward_steps(steps, 1) > steps);
    for f in found {
        assert!((f[0][0] - x).abs() < 1e-13 && (f[1][0] - dx).abs() < 1e-13 * dx);
    }
}

#[test]
fn a_condition_that_is_no_mask_is_refused() {
    let b = Builder::new();
    let x = b.input("x", Space::SCALAR);
    let made = While::at_most(3).record(&b, &[x], &[], |_, x, _| x[0], |_, x, _| vec![x[0]]);
    let message = made.expect_err("no mask").to_string();
    assert!(
        message.contains("while") && message.contains("expected bool"),
        "{message}"
    );
}

/// x ← x/2 + Σ L, L the Cholesky factor of a captured matrix, while x > limit: the factor does not change from step to step.
fn factor_inside() -> Program {
    let b = Builder::new();
    let square = b.join(b.dense_of("i", 2), b.dense_of("j", 2));
    let (x, limit) = (b.input("x", Space::SCALAR), b.input("limit", Space::SCALAR));
    let a = b.input("a", square);
    let found = While::at_most(5)
        .record(
            &b,
            &[x],
            &[limit, a],
            |_, x, c| x[0].gt(c[0]),
            |_, x, c| vec![x[0] * 0.5 + c[1].cholesky().sum_all()],
        )
        .expect("well-formed");
    b.finish(&[("x", found.carries[0]), ("steps", found.steps)])
        .expect("well-formed")
}

#[test]
fn a_loop_that_makes_no_step_works_on_nothing() {
    let program = factor_inside();
    let gradient = transform::grad(&program, "x", &["x", "a"]).expect("grad");
    let with = |x: f64, a: [f64; 4]| {
        vec![
            Owned::F64(vec![x]),
            Owned::F64(vec![1.0]),
            Owned::F64(a.to_vec()),
        ]
    };
    // Not positive definite, and never factorised.
    let found = run(&gradient, &with(0.5, [1.0, 2.0, 2.0, 1.0])).expect("no step is made");
    assert_eq!(found[0], [0.5]);
    assert_eq!(found[1], [0.0]);
    assert_eq!(found[2], [1.0]);
    assert_eq!(found[3], [0.0; 4]);
    assert!(run(&gradient, &with(1.5, [1.0, 2.0, 2.0, 1.0])).is_err());
    assert!(run(&gradient, &with(1.5, [2.0, 0.5, 0.5, 1.0])).is_ok());
}
