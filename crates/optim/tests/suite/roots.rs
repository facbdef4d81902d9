//! Zeros of functions and of systems.

use crate::functions::Residuals as Generic;
use crate::mgh_functions::*;
use crate::number::Jet;
use pullback_optim::{NewtonRoot, OptimError, Residuals, root};

/// Function, bracket, zero.
type Case = (fn(f64) -> f64, f64, f64, f64);

/// Functions with known zeros from G. Alefeld, F. Potra & Y. Shi (1995), table I, and brackets given there.
#[test]
fn toms748_finds_the_zeros_of_its_paper() {
    let pi = std::f64::consts::PI;
    let cases: [Case; 8] = [
        // No. 1: sin x − x/2
        (|x| x.sin() - x / 2.0, pi / 2.0, pi, 1.895494267033981),
        // No. 6: 2x e^{−n} − 2e^{−nx} + 1, n = 1
        (
            |x| 2.0 * x * (-1f64).exp() - 2.0 * (-x).exp() + 1.0,
            0.0,
            1.0,
            0.4224777096412367,
        ),
        // No. 7 (n = 5): (1 + (1 − n)²) x − (1 − nx)²
        (
            |x| 17.0 * x - (1.0 - 5.0 * x).powi(2),
            0.0,
            1.0,
            0.03840255184062192,
        ),
        // No. 8 (n = 2): x² − (1 − x)ⁿ
        (|x| x * x - (1.0 - x).powi(2), 0.0, 1.0, 0.5),
        // xⁿ − 1/n on [0, 1]: the classic for Brent's method
        (|x| x.powi(9), -1.0, 4.0, 0.0),
        (|x| x.exp() - 2.0, 0.0, 1.0, std::f64::consts::LN_2),
        (|x| x.tanh() - 0.999_999, 0.0, 50.0, 7.254328619260727),
        (|x| if x < 0.3 { -1.0 } else { 1.0 }, 0.0, 1.0, 0.3),
    ];
    for (k, (f, a, b, expected)) in cases.into_iter().enumerate() {
        // A ninefold zero at 0 has no relative precision to reach.
        let accuracy = if k == 4 { 1e-12 } else { 0.0 };
        let r = root::toms748(f, a, b, accuracy).unwrap();
        let tolerance = if expected == 0.0 {
            1e-12
        } else {
            4e-16 * expected.abs().max(1e-300) * if k == 6 { 1e5 } else { 4.0 }
        };
        assert!(
            r.converged && (r.x - expected).abs() <= tolerance,
            "case {k}: {r:?}"
        );
        assert!(
            r.evaluations < if k == 4 || k == 7 { 200 } else { 20 },
            "case {k}: {r:?}"
        );
        // The order of the ends does not matter.
        assert_eq!(root::toms748(f, b, a, accuracy).unwrap().x, r.x);
    }
}

#[test]
fn tolerance_is_respected_and_saves_calls() {
    let exact = root::toms748(|x| x.cos() - x, 0.0, 1.0, 0.0).unwrap();
    let rough = root::toms748(|x| x.cos() - x, 0.0, 1.0, 1e-2).unwrap();
    assert!((exact.x - rough.x).abs() < 2e-2 && rough.evaluations < exact.evaluations);
}

#[test]
fn newton_stays_in_its_bracket() {
    // tanh sends Newton's method away from |x| > 1.09.
    let f = |x: f64| (x.tanh(), 1.0 - x.tanh().powi(2));
    let r = root::newton_bracketed(f, -3.0, 10.0, 9.0, 0.0).unwrap();
    assert!(r.converged && r.x.abs() < 1e-15, "{r:?}");
    let r =
        root::newton_bracketed(|x| (x.powi(3) - 2.0, 3.0 * x * x), 0.0, 5.0, 1e-3, 0.0).unwrap();
    assert!(
        r.converged && (r.x - 2f64.cbrt()).abs() < 4e-16 && r.evaluations < 25,
        "{r:?}"
    );
}

#[test]
fn no_bracket_no_root() {
    let error = root::toms748(|x| x * x + 1.0, -1.0, 1.0, 0.0).unwrap_err();
    assert_eq!(
        error,
        OptimError::NoBracket {
            a: -1.0,
            fa: 2.0,
            b: 1.0,
            fb: 2.0
        }
    );
    assert!(root::toms748(|_| f64::NAN, 0.0, 1.0, 0.0).is_err());
    assert!(
        !root::toms748(
            |x| if x == 0.0 {
                -1.0
            } else if x == 1.0 {
                1.0
            } else {
                f64::NAN
            },
            0.0,
            1.0,
            0.0
        )
        .unwrap()
        .converged
    );
    assert!(root::bracket(|x| x * x + 1.0, 0.0, 1.0, -1e3, 1e3).is_err());
    let (a, b) = root::bracket(|x| 1.0 - x.exp(), 5.0, 6.0, -10.0, 10.0).unwrap();
    assert!(a <= 0.0 && b >= 0.0);
}

/// Residuals of the test functions as systems.
struct System<R>(R);

impl<R: Generic<10>> Residuals for System<R> {
    fn parameters(&self) -> usize {
        10
    }
    fn observations(&self) -> usize {
        10
    }
    fn residuals(&mut self, x: &[f64], r: &mut [f64]) {
        r.copy_from_slice(&self.0.residuals(x));
    }
    fn jacobian(&mut self, x: &[f64], j: &mut [f64]) {
        let x: Vec<Jet<10>> = x
            .iter()
            .enumerate()
            .map(|(i, x)| Jet::variable(*x, i))
            .collect();
        for (r, j) in self.0.residuals(&x).iter().zip(j.chunks_exact_mut(10)) {
            j.copy_from_slice(&r.g);
        }
    }
}

/// Square systems among the functions of Moré, Garbow & Hillstrom, from their starts.
#[test]
fn newton_solves_the_square_systems() {
    fn check(name: &str, system: &mut dyn Residuals, start: [f64; 10]) {
        let r = NewtonRoot::default().solve(system, &start).unwrap();
        assert!(
            r.converged && r.residuals.iter().all(|r| r.abs() < 1e-12) && r.rcond > 1e-6,
            "{name}: {r:?}"
        );
        assert!(r.iterations < 30, "{name}: {r:?}");
    }
    let t = |j: usize| (j as f64 + 1.0) / 11.0;
    check(
        "DiscreteBoundaryValue",
        &mut System(DiscreteBoundaryValue),
        std::array::from_fn(|j| t(j) * (t(j) - 1.0)),
    );
    check(
        "DiscreteIntegral",
        &mut System(DiscreteIntegral),
        std::array::from_fn(|j| t(j) * (t(j) - 1.0)),
    );
    check(
        "BroydenTridiagonal",
        &mut System(BroydenTridiagonal),
        [-1.0; 10],
    );
    check("BroydenBanded", &mut System(BroydenBanded), [-1.0; 10]);
    check(
        "BrownAlmostLinear",
        &mut System(BrownAlmostLinear),
        [0.5; 10],
    );
    check(
        "ExtendedRosenbrock",
        &mut System(ExtendedRosenbrock),
        std::array::from_fn(|j| if j % 2 == 0 { -1.2 } else { 1.0 }),
    );
}

#[test]
fn a_system_without_a_zero_is_not_solved() {
    struct Apart;
    impl Residuals for Apart {
        fn parameters(&self) -> usize {
            2
        }
        fn observations(&self) -> usize {
            2
        }
        fn residuals(&mut self, x: &[f64], r: &mut [f64]) {
            r.copy_from_slice(&[x[0] * x[0] + x[1] * x[1] + 1.0, x[0] - x[1]]);
        }
        fn jacobian(&mut self, x: &[f64], j: &mut [f64]) {
            j.copy_from_slice(&[2.0 * x[0], 2.0 * x[1], 1.0, -1.0]);
        }
    }
    let r = NewtonRoot::default()
        .solve(&mut Apart, &[1.0, 0.5])
        .unwrap();
    assert!(!r.converged, "{r:?}");
}
