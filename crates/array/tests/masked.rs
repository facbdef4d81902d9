//! Nothing of the side that a `select` does not take passes back, not even 0·inf or 0·NaN, however far behind the `select` the slope stands; and what is not
//! masked is not silenced.

mod support;

use pullback_ad::Real;
use pullback_array::transform::{self, HessianPlan};
use pullback_array::{Bindings, Builder, Owned, Program, Sym};
use support::run;

fn program(f: impl for<'b> Fn(&'b Builder, Sym<'b>) -> Sym<'b>) -> Program {
    let b = Builder::new();
    let x = b.input("x", b.dense("n"));
    let y = f(&b, x).sum_all();
    b.finish(&[("y", y)]).expect("well-formed")
}

fn gradient(f: impl for<'b> Fn(&'b Builder, Sym<'b>) -> Sym<'b>, x: &[f64]) -> Vec<f64> {
    let gradient = transform::grad(&program(f), "y", &["x"]).expect("differentiable");
    run(&gradient, &[Owned::F64(x.to_vec())]).expect("runs")[1].clone()
}

const X: [f64; 4] = [-1.0, 0.0, 0.25, 4.0];

fn root(x: Sym<'_>) -> Sym<'_> {
    x.gt(0.0.into()).select(x.sqrt(), 0.0.into())
}

#[test]
fn slopes_of_the_side_not_taken_are_not_met() {
    assert_eq!(gradient(|_, x| root(x), &X), [0.0, 0.0, 1.0, 0.25]);
    // On the other side.
    let other = gradient(|_, x| x.le(0.0.into()).select(0.0.into(), x.sqrt()), &X);
    assert_eq!(other, [0.0, 0.0, 1.0, 0.25]);
    // A chain of slopes, a quotient, and the value beside it.
    let chain = gradient(
        |_, x| {
            x.gt(0.0.into())
                .select((x.ln() * 2.0).exp() / x.sqrt(), 1.0.into())
                * 3.0
        },
        &X,
    );
    for (found, x) in chain.iter().zip(X) {
        let expected = if x > 0.0 { 4.5 * x.sqrt() } else { 0.0 };
        assert!((found - expected).abs() < 1e-13, "{found} at {x}");
    }
}

#[test]
fn masks_within_masks_and_masks_that_meet() {
    let within = gradient(
        |_, x| {
            let inner = x
                .lt(1.0.into())
                .select((1.0 - x).sqrt() * x.sqrt(), 2.0.into());
            x.gt(0.0.into()).select(inner, 0.0.into())
        },
        &X,
    );
    let slope = |x: f64| (1.0 - 2.0 * x) / (2.0 * (x * (1.0 - x)).sqrt());
    assert!((within[2] - slope(0.25)).abs() < 1e-15);
    assert_eq!([within[0], within[1], within[3]], [0.0; 3]);
    // The same root behind two masks, and behind one twice.
    let meet = gradient(
        |_, x| {
            let t = x.sqrt();
            x.gt(0.0.into()).select(t, 0.0.into()) + x.gt(1.0.into()).select(t * 2.0, 0.0.into())
        },
        &X,
    );
    assert_eq!(meet, [0.0, 0.0, 1.0, 0.75]);
    let twice = gradient(
        |_, x| {
            let t = x.sqrt();
            x.gt(0.0.into()).select(t + t * 2.0, 0.0.into())
        },
        &X,
    );
    assert_eq!(twice, [0.0, 0.0, 3.0, 0.75]);
}

#[test]
fn masks_of_pairs_reach_what_the_pairs_are_made_of() {
    let b = Builder::new();
    let muons = b.ragged("muons", b.stream("events"));
    let x = b.input("x", muons);
    let t = x.sqrt();
    let (_, left, right) = b.pairs(muons, "pairs");
    let both = x.at(left).gt(0.0.into()) & x.at(right).gt(0.0.into());
    let y = both.select(t.at(left) * t.at(right), 0.0.into()).sum_all();
    let p = b.finish(&[("y", y)]).expect("well-formed");
    let gradient = transform::grad(&p, "y", &["x"]).expect("differentiable");
    let inputs = [
        Owned::Offsets(vec![0, 3, 4]),
        Owned::F64(vec![-1.0, 4.0, 9.0, -2.0]),
    ];
    let found = run(&gradient, &inputs).expect("runs");
    assert_eq!(found[0], [6.0]);
    assert_eq!(found[1], [0.0, 0.75, 1.0 / 3.0, 0.0]);
}

#[test]
fn what_is_not_masked_is_not_silenced() {
    assert!(gradient(|_, x| x.sqrt(), &X)[0].is_nan());
    let both = gradient(|_, x| root(x) + x.sqrt(), &X);
    assert!(both[0].is_nan() && both[1] == f64::INFINITY && both[3] == 0.5);
    // The masked path alone is zero; the other one has the slope of its own.
    let beside = gradient(|_, x| root(x) + x * x, &X);
    assert_eq!(beside, [-2.0, 0.0, 1.5, 8.25]);
}

#[test]
fn second_derivatives_are_masked_too() {
    let p = program(|_, x| root(x));
    let hvp = transform::hvp(&p, "y", &["x"]).expect("differentiable");
    let inputs = [Owned::F64(X.to_vec()), Owned::F64(vec![1.0; 4])];
    let found = run(&hvp, &inputs).expect("runs");
    let second = found.last().expect("a product");
    assert_eq!(second[..], [0.0, 0.0, -2.0, -0.03125]);
    let grad = transform::grad(&p, "y", &["x"]).expect("differentiable");
    let twice = transform::vjp(&grad, &["grad_x"], &["x"]).expect("differentiable");
    let found = run(&twice, &inputs).expect("runs");
    assert_eq!(
        found.last().expect("a product")[..],
        [0.0, 0.0, -2.0, -0.03125]
    );
}

#[test]
fn hessians_by_layers_are_masked_too() {
    let b = Builder::new();
    let x = b.input("x", b.dense_of("n", X.len()));
    let y = (root(x) + x * x).sum_all();
    let p = b.finish(&[("y", y)]).expect("well-formed");
    let mut plan = HessianPlan::new(&p, "y", "x").expect("has layers");
    let mut h = [0.0; 16];
    plan.run(&Bindings::ordered(&[(&X).into()]), &mut h)
        .expect("runs");
    for (k, expected) in [2.0, 2.0, 0.0, 1.96875].into_iter().enumerate() {
        assert!((h[5 * k] - expected).abs() < 1e-15, "{h:?}");
    }
}

#[test]
fn a_cotangent_that_happens_to_be_zero_still_moves() {
    // y = (z − 2)² at z = Σ exp x = 2: the first derivative is zero by value, the second one is not.
    let b = Builder::new();
    let x = b.input("x", b.dense_of("n", 2));
    let s = x.exp().sum_all();
    let z = s.gt(1.0.into()).select(s, 0.0.into());
    let y = (z - 2.0) * (z - 2.0);
    let p = b.finish(&[("y", y)]).expect("well-formed");
    let hvp = transform::hvp(&p, "y", &["x"]).expect("differentiable");
    let inputs = [Owned::F64(vec![0.0; 2]), Owned::F64(vec![1.0, 0.0])];
    let found = run(&hvp, &inputs).expect("runs");
    assert_eq!(found.last().expect("a product")[..], [2.0, 2.0]);
    let grad = transform::grad(&p, "y", &["x"]).expect("differentiable");
    let twice = transform::vjp(&grad, &["grad_x"], &["x"]).expect("differentiable");
    let found = run(&twice, &inputs).expect("runs");
    assert_eq!(found.last().expect("a product")[..], [2.0, 2.0]);
    let mut plan = HessianPlan::new(&p, "y", "x").expect("has layers");
    let mut h = [0.0; 4];
    plan.run(&Bindings::ordered(&[(&[0.0, 0.0]).into()]), &mut h)
        .expect("runs");
    assert_eq!(h, [2.0; 4]);
}
