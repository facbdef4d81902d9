//! Zeros, infinities, NaN, saturated tails, ties: nothing hangs or panics, and the stated conventions hold in every mode.

use pullback_ad::{Binary, Complex, Dual, Family, Jet, Real, Tape, Unary};

const COMMON: [f64; 14] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    -2.0,
    0.5,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    f64::MIN_POSITIVE,
    5e-324,
    f64::MAX,
    f64::MIN,
];

type Second = Dual<Dual<f64, 2>, 2>;

fn second(x: f64) -> Second {
    Dual {
        re: Dual::variable(x, 0),
        eps: [Dual::constant(1.0), Dual::constant(0.0)],
    }
}

fn slope(f: impl Fn(Dual<f64, 1>) -> Dual<f64, 1>, x: f64) -> f64 {
    f(Dual::variable(x, 0)).eps[0]
}

/// The gradient of f(a, b) by forward mode, which reverse mode must share (NaN included).
fn partials(f: Binary, a: f64, b: f64) -> [f64; 2] {
    let forward = f
        .apply(Dual::<f64, 2>::variable(a, 0), Dual::variable(b, 1))
        .eps;
    let tape = Tape::new();
    let (va, vb) = (tape.variable(a), tape.variable(b));
    let reverse = tape.gradient(f.apply(va, vb), &[va, vb]).unwrap();
    for (forward, reverse) in forward.iter().zip(&reverse) {
        assert!(
            forward == reverse || (forward.is_nan() && reverse.is_nan()),
            "{}({a}, {b})",
            f.name()
        );
    }
    forward
}

#[test]
fn every_scalar_survives_every_point() {
    for &f in Unary::ALL {
        for &x in COMMON.iter().chain(f.special_points()) {
            let y = f.value(x);
            let dual = f.apply(Dual::<f64, 4>::variable(x, 0));
            let nested = f.apply(second(x));
            let jet = f.apply(Jet::<6>::variable(x));
            let complex = f.apply(Complex::new(x, 1e-100));
            for other in [dual.re, nested.re.re, jet.c[0]] {
                assert!(
                    other == y || (other.is_nan() && y.is_nan()),
                    "{}({x}): {other} is not {y}",
                    f.name()
                );
            }
            assert_eq!(
                dual.eps[1..],
                [0.0; 3],
                "{}({x}): an argument that does not vary",
                f.name()
            );
            if x.is_nan() {
                assert!(
                    y.is_nan() && complex.re.is_nan(),
                    "{}(NaN) = {y}, {}",
                    f.name(),
                    complex.re
                );
            }
        }
    }
    for &f in Binary::ALL {
        let pairs = COMMON
            .iter()
            .flat_map(|&a| COMMON.iter().map(move |&b| (a, b)));
        for (a, b) in pairs.chain(f.special_points().iter().copied()) {
            let y = f.value(a, b);
            let nested = f.apply(second(a), second(b)).re.re;
            let jet = f.apply(Jet::<5>::variable(a), Jet::constant(b)).c[0];
            let _ = f.apply(Complex::new(a, 1e-100), Complex::new(b, 0.0));
            for other in [nested, jet] {
                assert!(
                    other == y || (other.is_nan() && y.is_nan()),
                    "{}({a}, {b}): {other} is not {y}",
                    f.name()
                );
            }
        }
    }
    for f in [
        Family::Powi(0),
        Family::Powi(i32::MIN),
        Family::Powi(i32::MAX),
        Family::Powf(0.5),
        Family::Powf(f64::NAN),
    ] {
        for x in COMMON {
            let _ = (
                f.apply(second(x)),
                f.apply(Jet::<5>::variable(x)),
                f.apply(Complex::new(x, 1e-100)),
            );
        }
    }
    for f in [0, 1, 2, 40, 400, u32::MAX - 1, u32::MAX].map(Family::Polygamma) {
        for x in COMMON {
            let _ = (
                f.apply(second(x)),
                f.apply(Jet::<5>::variable(x)),
                f.apply(Complex::new(x, 1e-100)),
            );
        }
    }
}

#[test]
fn kinks_and_ties_follow_the_stated_conventions() {
    assert_eq!(slope(Real::abs, 0.0), 0.0);
    assert_eq!(slope(Real::abs, -0.0), 0.0);
    assert_eq!(slope(Real::sign, 0.0), 0.0);
    assert_eq!(slope(Real::floor, 2.0), 0.0);
    assert_eq!(partials(Binary::Max, 1.0, 1.0), [1.0, 0.0]);
    assert_eq!(partials(Binary::Min, 1.0, 1.0), [1.0, 0.0]);
    assert_eq!(partials(Binary::Max, 1.0, 2.0), [0.0, 1.0]);
    assert_eq!(partials(Binary::Min, 1.0, 2.0), [1.0, 0.0]);
    assert!(Binary::Max.value(f64::NAN, 1.0).is_nan() && Binary::Max.value(1.0, f64::NAN).is_nan());
    assert!(Binary::Min.value(f64::NAN, 1.0).is_nan() && Binary::Min.value(1.0, f64::NAN).is_nan());
    assert_eq!(partials(Binary::Copysign, -2.0, 1.0), [-1.0, 0.0]);
    assert_eq!(Unary::Round.value(2.5), 2.0);
    assert_eq!(Unary::Round.value(-0.5), 0.0);
}

#[test]
fn infinite_slopes_and_guarded_zeros() {
    assert_eq!(slope(Real::sqrt, 0.0), f64::INFINITY);
    assert_eq!(slope(Real::cbrt, 0.0), f64::INFINITY);
    assert_eq!(slope(Real::asin, 1.0), f64::INFINITY);
    assert_eq!(slope(Real::acos, 1.0), f64::NEG_INFINITY);
    assert_eq!(slope(Real::ln, 0.0), f64::INFINITY);
    assert_eq!(slope(Real::recip, 0.0), f64::NEG_INFINITY);
    assert_eq!(partials(Binary::Pow, 0.0, 2.0), [0.0, 0.0]);
    assert_eq!(partials(Binary::Pow, 0.0, 1.0), [1.0, 0.0]);
    assert_eq!(partials(Binary::Pow, 0.0, 0.0)[0], 0.0);
    assert_eq!(partials(Binary::Pow, -2.0, 3.0)[0], 12.0);
    assert!(partials(Binary::Pow, -2.0, 3.0)[1].is_nan());
    assert_eq!(partials(Binary::Xlogy, 0.0, 0.0), [f64::NEG_INFINITY, 0.0]);
    assert_eq!(Binary::Xlogy.value(0.0, f64::INFINITY), 0.0);
    assert!(partials(Binary::Atan2, 0.0, 0.0).iter().all(|d| d.is_nan()));
    assert!(partials(Binary::Hypot, 0.0, 0.0).iter().all(|d| d.is_nan()));
    // 0 counts observed where 0 are expected: a constant count does not spoil the derivative to the expectation.
    let expectation = Dual::<f64, 1>::variable(0.0, 0);
    assert_eq!(Dual::constant(0.0).xlogy(expectation).eps[0], 0.0);
    // A negative base to a constant integer exponent, in the form with two arguments.
    assert_eq!(
        Dual::<f64, 1>::variable(-2.0, 0)
            .pow(Dual::constant(3.0))
            .eps[0],
        12.0
    );
    // The slope of √x at 0 does not reach what does not depend on x.
    let (x, y) = (Dual::<f64, 2>::variable(0.0, 0), Dual::variable(1.0, 1));
    assert_eq!((x.sqrt() + y).eps, [f64::INFINITY, 1.0]);
}

#[test]
fn mixed_second_derivative_of_a_power_survives_a_zero_exponent() {
    // ∂²(a^b)/∂a∂b = a^(b−1)·(1 + b ln a) = 1/a at b = 0.
    let a = Second {
        re: Dual::variable(4.0, 0),
        eps: [Dual::constant(1.0), Dual::constant(0.0)],
    };
    let b = Second {
        re: Dual::variable(0.0, 1),
        eps: [Dual::constant(0.0), Dual::constant(1.0)],
    };
    let y = a.pow(b);
    assert_eq!((y.eps[0].eps[1], y.eps[1].eps[0]), (0.25, 0.25));
    // A tangent whose value vanishes keeps its own derivative: (sin x)² at 0 has second derivative 2.
    assert_eq!(second(0.0).cos().eps[0].eps[0], -1.0);
    assert_eq!(second(0.0).sin().square().eps[0].eps[0], 2.0);
}

#[test]
fn select_lets_nothing_of_the_other_side_through() {
    fn safe_sqrt<R: Real>(x: R) -> R {
        let zero = R::constant(0.0);
        R::select(x.gt(zero), x.sqrt(), zero)
    }
    let mut tape = Tape::new();
    for x in [0.0, -1.0, f64::NEG_INFINITY] {
        assert_eq!(slope(safe_sqrt, x), 0.0);
        assert_eq!(safe_sqrt(second(x)).eps[0].eps, [0.0; 2]);
        assert_eq!(safe_sqrt(Jet::<5>::variable(x)).c, [0.0; 5]);
        assert_eq!(safe_sqrt(Complex::new(x, 1e-100)).im, 0.0);
        let v = tape.variable(x);
        let y = safe_sqrt(v) + v;
        assert_eq!(tape.gradient(y, &[v]).unwrap(), [1.0]);
        tape.clear();
    }
    // The untaken side of a maximum has an infinite slope.
    let x = Dual::<f64, 1>::variable(0.0, 0);
    assert_eq!(x.sqrt().max(x + 1.0).eps[0], 1.0);
}

#[test]
fn saturated_tails_are_zero_and_not_nan() {
    for x in [40.0, 800.0, f64::INFINITY] {
        for x in [x, -x] {
            for f in [
                Unary::Tanh,
                Unary::Sigmoid,
                Unary::Erf,
                Unary::Erfc,
                Unary::NormCdf,
            ] {
                let y = f.apply(second(x));
                assert!(y.eps[0].re.is_finite(), "{}'({x})", f.name());
                if x.is_finite() {
                    assert!(y.eps[0].eps[0].is_finite(), "{}''({x})", f.name());
                }
            }
            assert_eq!(
                slope(Real::softplus, x),
                if x > 0.0 {
                    1.0
                } else {
                    (x).exp() / (1.0 + x.exp())
                }
            );
        }
    }
}
