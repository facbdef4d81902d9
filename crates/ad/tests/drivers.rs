//! The drivers against each other and against functions with known derivatives.

use proptest::prelude::*;
use pullback_ad::{
    CustomJvp, CustomVjp, Dual, Error, Function, JacobianWorkspace, Jet, Real, Scalar, Tape, Unary,
    checkpoint, custom_jvp, custom_vjp, derivative, function, grad, hessian, hvp, jacobian, jvp,
    linearize, value_and_grad, vjp,
};

/// n inputs, n outputs, a bit of everything.
#[derive(Clone, Copy)]
struct Mixture(usize);

impl Function for Mixture {
    fn outputs(&self) -> usize {
        self.0
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        let n = x.len();
        for (i, y) in y.iter_mut().enumerate() {
            let (a, b, c) = (x[i % n], x[(i + 1) % n], x[(3 * i + 2) % n]);
            let r = a.hypot(b) + 0.5;
            let branch = if a > b {
                (a - b).sin() * c
            } else {
                (b - a).tanh() / r
            };
            *y = branch
                + (c * 0.3).exp().ln_1p() * a.atan2(r)
                + r.powf(1.5).xlogy(c.square() + 0.1).max(a);
            *y -= b.powi(3) * 0.01 + (a * b).erf().logaddexp(c.norm_cdf());
        }
        Ok(())
    }
}

/// The sum of squares of the outputs of [`Mixture`].
#[derive(Clone, Copy)]
struct Energy(usize);

impl Function for Energy {
    fn outputs(&self) -> usize {
        1
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        let mut parts = vec![S::constant(0.0); self.0];
        Mixture(self.0).eval(x, &mut parts)?;
        y[0] = parts.iter().fold(S::constant(0.0), |sum, &p| sum + p * p);
        Ok(())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn size(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a * b).abs())
        .sum::<f64>()
        .max(1.0)
}

fn vectors(n: usize) -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Vec<f64>)> {
    let vector = move || prop::collection::vec(-2.0..2.0f64, n..=n);
    (vector(), vector(), vector())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn dot_products_of_jvp_and_vjp_agree((x, v, w) in (1usize..12).prop_flat_map(vectors)) {
        let f = Mixture(x.len());
        let (y, forward) = jvp(&f, &x, &v)?;
        let (z, reverse) = vjp(&f, &x, &w)?;
        prop_assert_eq!(&y, &z);
        let (left, right) = (dot(&w, &forward), dot(&reverse, &v));
        let scale = size(&w, &forward) + size(&reverse, &v);
        prop_assert!((left - right).abs() <= 1e-13 * scale, "{} is not {}", left, right);
        let at = linearize(&f, &x)?;
        for (a, b) in at.jvp(&v)?.iter().zip(&forward) {
            prop_assert!((a - b).abs() <= 1e-13 * (b.abs() + size(&forward, &forward).sqrt()));
        }
    }

    #[test]
    fn hessian_is_symmetric_and_is_the_derivative_of_the_gradient((x, v, _) in (1usize..12).prop_flat_map(vectors)) {
        let f = Energy(x.len());
        let n = x.len();
        let (value, gradient, h) = hessian(&f, &x)?;
        let (value2, gradient2) = value_and_grad(&f, &x)?;
        prop_assert!((value - value2).abs() <= 1e-14 * value.abs());
        let scale = h.as_slice().iter().fold(1.0, |m: f64, h| m.max(h.abs()));
        let (gradient3, hv) = hvp(&f, &x, &v)?;
        // Forward over forward, the way that shares no code with the tape.
        let (inner, direction): (Vec<_>, Vec<_>) = (0..n).map(|i| (Dual::<f64, 1> { re: x[i], eps: [v[i]] }, v[i])).unzip();
        for i in 0..n {
            prop_assert!((gradient[i] - gradient2[i]).abs() <= 1e-12 * scale);
            prop_assert!((gradient[i] - gradient3[i]).abs() <= 1e-12 * scale);
            let row: f64 = (0..n).map(|j| h[(i, j)] * direction[j]).sum();
            prop_assert!((row - hv[i]).abs() <= 1e-11 * scale);
            let nested: Vec<_> =
                inner.iter().enumerate().map(|(k, &re)| Dual::<_, 1> { re, eps: [Dual::constant(f64::from(k == i))] }).collect();
            let mut y = [Dual::constant(0.0)];
            f.eval(&nested, &mut y)?;
            prop_assert!((y[0].eps[0].eps[0] - hv[i]).abs() <= 1e-11 * scale);
            for j in 0..n {
                prop_assert!((h[(i, j)] - h[(j, i)]).abs() <= 1e-12 * scale);
            }
        }
    }
}

#[test]
fn jacobian_in_any_chunks_equals_its_columns_and_rows() {
    for n in 0..=20 {
        let f = Mixture(n);
        let x: Vec<f64> = (0..n).map(|i| ((i + 1) as f64 * 0.7).sin() * 1.5).collect();
        let j = jacobian(&f, &x).unwrap();
        assert_eq!((j.rows(), j.columns()), (n, n));
        let mut unit = vec![0.0; n];
        for c in 0..n {
            unit[c] = 1.0;
            let (_, column) = jvp(&f, &x, &unit).unwrap();
            let (_, row) = vjp(&f, &x, &unit).unwrap();
            for i in 0..n {
                assert!(
                    (j[(i, c)] - column[i]).abs() <= 1e-14 * (1.0 + column[i].abs()),
                    "n = {n}"
                );
                assert!(
                    (j[(c, i)] - row[i]).abs() <= 1e-12 * (1.0 + row[i].abs()),
                    "n = {n}"
                );
            }
            unit[c] = 0.0;
        }
    }
}

#[test]
fn a_wide_jacobian_takes_the_reverse_way_and_agrees() {
    let x: Vec<f64> = (0..60).map(|i| f64::from(i).cos()).collect();
    let f = Energy(60);
    let j = jacobian(&f, &x).unwrap();
    let gradient = grad(&f, &x).unwrap();
    assert_eq!(j.row(0), gradient);
    let (_, along) = jvp(&f, &x, &vec![1.0; 60]).unwrap();
    assert!((gradient.iter().sum::<f64>() - along[0]).abs() < 1e-12 * size(&gradient, &gradient));
}

#[test]
fn idle_lanes_reach_nothing() {
    function! {
        /// Square roots at 0, and a branch that would see a NaN.
        struct Roots;
        fn eval(x: [5]) -> [2] {
            let r = x[0].sqrt() + x[1] * x[2];
            [if r >= S::constant(0.0) { r } else { S::constant(-1.0) }, x[3] + x[4]]
        }
    }
    let j = jacobian(&Roots, &[0.0, 1.0, 2.0, 3.0, 4.0]).unwrap();
    assert_eq!(j.row(0), [f64::INFINITY, 2.0, 1.0, 0.0, 0.0]);
    assert_eq!(j.row(1), [0.0, 0.0, 0.0, 1.0, 1.0]);
}

function! {
    /// A step of a chain: a rotation with a twist.
    struct Twist { angle: f64 }
    fn eval(x: [2]) -> [2] {
        let (s, c) = (S::constant(angle).sin(), S::constant(angle).cos());
        [x[0] * c - x[1] * s + x[0].sin() * 0.1, x[0] * s + x[1] * c]
    }
}

#[derive(Clone, Copy)]
struct Chain {
    steps: usize,
    stored: bool,
}

impl Function for Chain {
    fn outputs(&self) -> usize {
        1
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        let mut state = [x[0], x[1]];
        for _ in 0..self.steps {
            let before = state;
            if self.stored {
                Twist { angle: 0.3 }.eval(&before, &mut state)?;
            } else {
                checkpoint(&Twist { angle: 0.3 }, &before, &mut state)?;
            }
        }
        y[0] = state[0] * state[1];
        Ok(())
    }
}

/// A checkpoint around a chain.
#[derive(Clone, Copy)]
struct Outer(Chain);
impl Function for Outer {
    fn outputs(&self) -> usize {
        1
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        checkpoint(&self.0, x, y)
    }
}

#[test]
fn checkpointed_and_stored_chains_have_the_same_derivatives() {
    let (x, v) = ([0.4, -1.2], [1.0, 0.5]);
    let [stored, recomputed] = [true, false].map(|stored| Chain { steps: 30, stored });
    // Reverse mode by way of vjp, since the drivers would choose one forward pass here.
    assert_eq!(
        vjp(&stored, &x, &[1.0]).unwrap(),
        vjp(&recomputed, &x, &[1.0]).unwrap()
    );
    assert_eq!(
        hvp(&stored, &x, &v).unwrap(),
        hvp(&recomputed, &x, &v).unwrap()
    );
    let (a, b) = (
        linearize(&stored, &x).unwrap(),
        linearize(&recomputed, &x).unwrap(),
    );
    assert_eq!(a.jvp(&v).unwrap(), b.jvp(&v).unwrap());
    assert!(
        b.operations() * 2 < a.operations(),
        "{} of {} operations on the tape",
        b.operations(),
        a.operations()
    );
    // A checkpoint inside a checkpoint.
    assert_eq!(
        vjp(&Outer(recomputed), &x, &[1.0]).unwrap(),
        vjp(&stored, &x, &[1.0]).unwrap()
    );
}

/// (a·b, sin a) with a hand-written rule.
#[derive(Clone, Copy)]
struct Rule;

impl CustomJvp for Rule {
    fn value<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        y.copy_from_slice(&[x[0] * x[1], x[0].sin()]);
        Ok(())
    }

    fn jvp<S: Scalar>(&self, x: &[S], y: &[S], dx: &[S], dy: &mut [S]) -> Result<(), Error> {
        // cos from the output where it has a sign, to use `y`.
        let cosine = (-(y[1] * y[1]) + 1.0).sqrt();
        dy.copy_from_slice(&[x[1] * dx[0] + x[0] * dx[1], cosine * dx[0]]);
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct WithRule {
    custom: bool,
}

impl Function for WithRule {
    fn outputs(&self) -> usize {
        1
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        let inputs = [x[0].square(), x[0] + x[1]];
        let mut mid = [S::constant(0.0); 2];
        if self.custom {
            custom_jvp(&Rule, &inputs, &mut mid)?;
        } else {
            Rule.value(&inputs, &mut mid)?;
        }
        y[0] = mid[0].exp() * mid[1];
        Ok(())
    }
}

#[test]
fn a_custom_tangent_rule_has_every_order_in_every_mode() {
    let (x, v) = ([0.6, 0.2], [0.3, -0.8]);
    let [with, without] = [true, false].map(|custom| WithRule { custom });
    let close = |a: &[f64], b: &[f64]| {
        a.iter()
            .zip(b)
            .all(|(a, b)| (a - b).abs() <= 1e-13 * (1.0 + b.abs()))
    };
    assert!(close(
        &jvp(&with, &x, &v).unwrap().1,
        &jvp(&without, &x, &v).unwrap().1
    ));
    assert!(close(
        &vjp(&with, &x, &[1.0]).unwrap().1,
        &vjp(&without, &x, &[1.0]).unwrap().1
    ));
    assert!(close(
        &hvp(&with, &x, &v).unwrap().1,
        &hvp(&without, &x, &v).unwrap().1
    ));
    assert!(close(
        &linearize(&with, &x).unwrap().jvp(&v).unwrap(),
        &jvp(&without, &x, &v).unwrap().1
    ));
    assert!(close(
        hessian(&with, &x).unwrap().2.as_slice(),
        hessian(&without, &x).unwrap().2.as_slice()
    ));
    // Order 7 along a curve.
    let curve = [
        Jet::<8> {
            c: [0.6, 1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0],
        },
        Jet::variable(0.2),
    ];
    let [mut a, mut b] = [[Jet::<8>::constant(0.0)]; 2];
    with.eval(&curve, &mut a).unwrap();
    without.eval(&curve, &mut b).unwrap();
    assert!(close(&a[0].c, &b[0].c), "{a:?} {b:?}");
}

/// x² as a host function would be: numbers in, numbers out.
#[derive(Clone, Copy)]
struct Host;

impl CustomVjp for Host {
    fn name(&self) -> &'static str {
        "host square"
    }

    fn value(&self, x: &[f64], y: &mut [f64]) -> Result<(), Error> {
        y[0] = x[0] * x[0];
        Ok(())
    }

    fn vjp(&self, x: &[f64], _: &[f64], y_bar: &[f64], x_bar: &mut [f64]) -> Result<(), Error> {
        x_bar[0] = 2.0 * x[0] * y_bar[0];
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct WithHost;

impl Function for WithHost {
    fn outputs(&self) -> usize {
        1
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        let inside = [x[0] + x[1]];
        custom_vjp(&Host, &inside, y)?;
        y[0] *= x[1];
        Ok(())
    }
}

#[test]
fn a_custom_cotangent_rule_is_first_order_and_says_so() {
    let x = [1.0, 2.0];
    // d/dx (x+y)²·y = 2(x+y)y, d/dy = 2(x+y)y + (x+y)²; both drivers fall back to reverse mode.
    assert_eq!(
        value_and_grad(&WithHost, &x).unwrap(),
        (18.0, vec![12.0, 21.0])
    );
    assert_eq!(jacobian(&WithHost, &x).unwrap().as_slice(), [12.0, 21.0]);
    for error in [
        jvp(&WithHost, &x, &[1.0, 0.0]).unwrap_err(),
        hvp(&WithHost, &x, &[1.0, 0.0]).unwrap_err(),
        hessian(&WithHost, &x).unwrap_err(),
        linearize(&WithHost, &x)
            .unwrap()
            .jvp(&[1.0, 0.0])
            .unwrap_err(),
        WithHost
            .eval(&[Jet::<3>::variable(1.0); 2], &mut [Jet::constant(0.0)])
            .unwrap_err(),
    ] {
        assert_eq!(error.code(), "PB0101");
        assert!(error.to_string().contains("host square"), "{error}");
    }
}

#[test]
fn a_tape_that_is_reused_keeps_its_memory_and_its_answers() {
    let mut tape = Tape::with_capacity(4);
    for round in 1..5 {
        let x = tape.variable(f64::from(round));
        let y = (0..100).fold(x, |y, _| (y * 0.5 + x).sin());
        let (_, slope) = derivative(
            |x| (0..100).fold(x, |y, _| (y * 0.5 + x).sin()),
            f64::from(round),
        );
        assert!((tape.gradient(y, &[x]).unwrap()[0] - slope).abs() < 1e-15);
        assert_eq!(tape.len(), 301);
        tape.clear();
        assert!(tape.is_empty());
    }
}

#[test]
fn constants_and_stopped_gradients_cost_nothing_and_give_zero() {
    let tape = Tape::new();
    let x = tape.variable(2.0);
    let c = pullback_ad::Var::constant(3.0).exp() * 2.0;
    assert_eq!(tape.len(), 1);
    let y = x * x.stop_gradient() + c;
    assert_eq!(tape.gradient(y, &[x]).unwrap(), [2.0]);
    assert_eq!(tape.gradient(c, &[x]).unwrap(), [0.0]);
    let nested = Dual::<Dual<f64, 1>, 1> {
        re: Dual::variable(2.0, 0),
        eps: [Dual::constant(1.0)],
    };
    assert_eq!((nested * nested.stop_gradient()).eps[0].eps[0], 0.0);
    assert_eq!(Jet::<3>::variable(2.0).stop_gradient().c, [2.0, 0.0, 0.0]);
}

#[test]
fn wrong_lengths_are_errors() {
    let f = Mixture(3);
    let x = [1.0, 2.0, 3.0];
    for error in [
        jvp(&f, &x, &[1.0]).unwrap_err(),
        vjp(&f, &x, &[1.0]).unwrap_err(),
        grad(&f, &x).unwrap_err(),
        hvp(&Energy(3), &x, &[1.0]).unwrap_err(),
        value_and_grad(&Twist { angle: 0.1 }, &x).unwrap_err(),
        jacobian(&Twist { angle: 0.1 }, &x).unwrap_err(),
    ] {
        assert_eq!(error.code(), "PB0102", "{error}");
        assert!(!error.help().is_empty());
    }
}

/// A function that claims to be inlined, so that its Jacobian is computed in vector registers where there are such.
#[derive(Clone, Copy)]
struct InRegisters<F>(F);

impl<F: Function> Function for InRegisters<F> {
    const INLINED: bool = true;

    fn outputs(&self) -> usize {
        self.0.outputs()
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        self.0.eval(x, y)
    }
}

#[test]
fn jacobians_in_registers_and_in_arrays_agree() {
    for n in 1..=20 {
        let f = Mixture(n);
        let x: Vec<f64> = (0..n).map(|i| (i as f64 * 1.3 + 0.4).cos() * 2.0).collect();
        let (a, b) = (
            jacobian(&f, &x).unwrap(),
            jacobian(&InRegisters(f), &x).unwrap(),
        );
        for (a, b) in a.as_slice().iter().zip(b.as_slice()) {
            // Registers fuse a product and a sum.
            assert!(
                (a - b).abs() <= 1e-13 * (1.0 + a.abs()),
                "n = {n}: {a} is not {b}"
            );
        }
    }
    let x = [0.6, 0.2];
    let [with, without] =
        [true, false].map(|custom| jacobian(&InRegisters(WithRule { custom }), &x).unwrap());
    for (a, b) in with.as_slice().iter().zip(without.as_slice()) {
        assert!((a - b).abs() <= 1e-13 * (1.0 + b.abs()));
    }
    assert_eq!(
        jacobian(&InRegisters(WithHost), &[1.0, 2.0])
            .unwrap()
            .as_slice(),
        [12.0, 21.0]
    );
}

/// An entry of the table between arithmetic of all kinds.
#[derive(Clone, Copy)]
struct Entry(Unary);

impl Function for Entry {
    fn outputs(&self) -> usize {
        2
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        y[0] = self.0.apply(x[0] * x[1]) - x[2].stop_gradient() * x[3];
        y[1] = (self.0.apply(x[0]) + 2.0) / x[1] * 0.5 - -x[2] / 4.0 + x[3].powf(1.5).min(x[2]);
        Ok(())
    }
}

#[test]
fn every_function_of_the_table_agrees_in_registers() {
    for &f in Unary::ALL {
        let (low, high) = f.domain()[0];
        let inside = 0.5 * (low + high) + 0.1 * (high - low);
        // At 0, where slopes may be infinite, and at NaN: no lane disturbs another.
        for x0 in [inside, 0.0, f64::NAN, f64::INFINITY] {
            let x = [x0, 0.98, 1.5, 2.5];
            let (a, b) = (
                jacobian(&Entry(f), &x).unwrap(),
                jacobian(&InRegisters(Entry(f)), &x).unwrap(),
            );
            for (a, b) in a.as_slice().iter().zip(b.as_slice()) {
                let same = a == b
                    || (a.is_nan() && b.is_nan())
                    || (a - b).abs() <= 1e-14 * (1.0 + a.abs());
                assert!(same, "{}({x0}): {a} is not {b}", f.name());
            }
        }
    }
}

#[test]
fn fixed_shapes_agree_with_slices() {
    let f = Mixture(11);
    let x: [f64; 11] = core::array::from_fn(|i| (i as f64 * 0.9).sin() + 0.2);
    let slices = jacobian(&f, &x).unwrap();
    let mut workspace = JacobianWorkspace::new();
    let (mut value, mut matrix) = ([0.0; 11], [[0.0; 11]; 11]);
    workspace
        .jacobian_fixed(&f, &x, &mut value, &mut matrix)
        .unwrap();
    assert_eq!(matrix.as_flattened(), slices.as_slice());
    workspace
        .jacobian_fixed(&InRegisters(f), &x, &mut value, &mut matrix)
        .unwrap();
    for (a, b) in matrix.as_flattened().iter().zip(slices.as_slice()) {
        assert!((a - b).abs() <= 1e-13 * (1.0 + b.abs()));
    }
    let error = workspace
        .jacobian_fixed(&f, &x, &mut [0.0; 3], &mut [[0.0; 11]; 3])
        .unwrap_err();
    assert_eq!(error.code(), "PB0102");
}
