//! Every entry of the tables against oracles that do not use it: complex step, differences, Taylor recurrences, num-dual.
#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "closures keep the rows alike"
)]

use num_dual::DualNum;
use pullback_ad::{
    Binary, Complex, Dual, Family, Jet, Kind, Real, Scalar, Tape, Unary, complex_step,
};

/// Points spread over an interval without a pattern (multiples of the golden ratio).
fn points((low, high): (f64, f64), count: u32) -> impl Iterator<Item = f64> {
    (1..=count).map(move |i| low + (high - low) * (f64::from(i) * 0.618_033_988_749_894_8).fract())
}

fn dual(f: impl Fn(Dual<f64, 1>) -> Dual<f64, 1>, x: f64) -> (f64, f64) {
    let y = f(Dual::variable(x, 0));
    (y.re, y.eps[0])
}

/// f, f′, f″ by nested dual numbers.
fn second(f: impl Fn(Dual<Dual<f64, 1>, 1>) -> Dual<Dual<f64, 1>, 1>, x: f64) -> [f64; 3] {
    let y = f(Dual {
        re: Dual::variable(x, 0),
        eps: [Dual::constant(1.0)],
    });
    assert_eq!(
        y.re.eps[0].to_bits(),
        y.eps[0].re.to_bits(),
        "the two first derivatives are one"
    );
    [y.re.re, y.re.eps[0], y.eps[0].eps[0]]
}

#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: {found:e} is not {expected:e} (± {tolerance:e})"
    );
}

/// 1e-12 relative, and what a rounding of the argument does.
fn tolerance(slope: f64, x: f64, curvature: f64) -> f64 {
    1e-12 * slope.abs() + 4.0 * f64::EPSILON * (x * curvature).abs()
}

#[test]
fn unary_derivatives_agree_with_the_complex_step() {
    for &f in Unary::ALL {
        for x in f.domain().iter().flat_map(|&i| points(i, 40)) {
            let what = format!("{}({x})", f.name());
            let [y, slope, curvature] = second(|x| f.apply(x), x);
            assert_eq!(y.to_bits(), f.value(x).to_bits());
            let oracle = complex_step(|z| f.apply(z), x);
            assert_close(slope, oracle, tolerance(oracle, x, curvature), &what);
            assert_eq!(dual(|x| f.apply(x), x), (y, slope));
            let real_part = f.apply(Complex::constant(x)).re;
            assert_close(
                y,
                real_part,
                1e-13 * real_part.abs() + 4.0 * f64::EPSILON * ((x * slope).abs() + 1.0),
                &what,
            );
            if f.kind() == Kind::Structure {
                assert_eq!(slope, 0.0);
            }
        }
    }
}

#[test]
fn unary_second_derivatives_agree_with_the_oracle() {
    for &f in Unary::ALL {
        for x in f.domain().iter().flat_map(|&i| points(i, 12)) {
            let what = format!("{}''({x})", f.name());
            let [_, _, curvature] = second(|x| f.apply(x), x);
            // The complex step through the table's own derivative: the chain rule.
            let chained = complex_step(|z| f.derivative(z, f.apply(z)), x);
            assert_close(curvature, chained, 1e-11 * chained.abs() + 1e-13, &what);
            // Differences of the independent first derivative.
            let h = 1e-5 * x.abs().max(0.1);
            let difference = (complex_step(|z| f.apply(z), x + h)
                - complex_step(|z| f.apply(z), x - h))
                / (2.0 * h);
            assert_close(
                curvature,
                difference,
                1e-5 * difference.abs() + 1e-7 * f.value(x).abs().max(1.0),
                &what,
            );
        }
    }
}

#[test]
fn binary_partials_agree_with_the_complex_step() {
    for &f in Binary::ALL {
        for &(ia, ib) in f.domain() {
            for (a, b) in points(ia, 40).zip(points(ib, 97).skip(5)) {
                let what = format!("{}({a}, {b})", f.name());
                let y = f.apply(Dual::<f64, 2>::variable(a, 0), Dual::variable(b, 1));
                assert_eq!(y.re.to_bits(), f.value(a, b).to_bits());
                let da = complex_step(|z| f.apply(z, Complex::constant(b)), a);
                let db = complex_step(|z| f.apply(Complex::constant(a), z), b);
                // Both partials together: what a rounding of an argument changes is of their size.
                let size = da.abs().max(db.abs());
                assert_close(y.eps[0], da, 1e-12 * da.abs() + 1e-14 * size, &what);
                assert_close(y.eps[1], db, 1e-12 * db.abs() + 1e-14 * size, &what);
                let real_part = f.apply(Complex::constant(a), Complex::constant(b)).re;
                assert_close(y.re, real_part, 1e-13 * real_part.abs() + 1e-13, &what);
                let (pa, pb) = f.partials(a, b, y.re);
                assert_close(pa, da, 1e-12 * da.abs() + 1e-14 * size, &what);
                assert_close(pb, db, 1e-12 * db.abs() + 1e-14 * size, &what);
            }
        }
    }
}

#[test]
fn binary_second_derivatives_agree_with_the_complex_step_of_the_partials() {
    for &f in Binary::ALL {
        for &(ia, ib) in f.domain() {
            for (a, b) in points(ia, 20).zip(points(ib, 50).skip(3)) {
                type D = Dual<Dual<f64, 2>, 2>;
                let one = [Dual::constant(1.0), Dual::constant(0.0)];
                let x = D {
                    re: Dual::variable(a, 0),
                    eps: one,
                };
                let y = D {
                    re: Dual::variable(b, 1),
                    eps: [one[1], one[0]],
                };
                let z = f.apply(x, y);
                let through = |za: Complex, zb: Complex| f.partials(za, zb, f.apply(za, zb));
                let hessian = [
                    complex_step(|z| through(z, Complex::constant(b)).0, a),
                    complex_step(|z| through(Complex::constant(a), z).0, b),
                    complex_step(|z| through(z, Complex::constant(b)).1, a),
                    complex_step(|z| through(Complex::constant(a), z).1, b),
                ];
                let size = hessian.iter().fold(0.0, |m: f64, h| m.max(h.abs()));
                for (k, expected) in hessian.into_iter().enumerate() {
                    let found = z.eps[k / 2].eps[k % 2];
                    assert_close(
                        found,
                        expected,
                        1e-11 * size + 1e-13,
                        &format!("{}({a}, {b}) entry {k}", f.name()),
                    );
                }
            }
        }
    }
}

#[test]
fn families_agree_with_the_complex_step() {
    let members = [-3, -1, 0, 1, 2, 3, 7].map(Family::Powi).into_iter();
    let members = members.chain([-1.5, 0.0, 0.5, 1.0, 2.0, 2.7].map(Family::Powf));
    let members = members.chain([1, 2, 3, 6].map(Family::Polygamma));
    for f in members {
        for x in points((0.2, 8.0), 30) {
            let [_, slope, curvature] = second(|x| f.apply(x), x);
            let oracle = complex_step(|z| f.apply(z), x);
            assert_close(
                slope,
                oracle,
                4.0 * tolerance(oracle, x, curvature),
                &format!("{f:?}({x})"),
            );
        }
    }
    for x in [-2.5, -0.7, -1.25] {
        for f in [
            Family::Powi(3),
            Family::Powi(-2),
            Family::Powf(3.0),
            Family::Polygamma(1),
            Family::Polygamma(2),
        ] {
            let oracle = complex_step(|z| f.apply(z), x);
            assert_close(
                dual(|x| f.apply(x), x).1,
                oracle,
                1e-11 * oracle.abs(),
                &format!("{f:?}({x})"),
            );
        }
    }
}

#[test]
fn reverse_mode_agrees_with_forward_mode() {
    let mut tape = Tape::new();
    for &f in Unary::ALL {
        for x in f.domain().iter().flat_map(|&i| points(i, 8)) {
            let v = tape.variable(x);
            let y = f.apply(v);
            assert_eq!(
                (y.value(), tape.gradient(y, &[v]).unwrap()[0]),
                dual(|x| f.apply(x), x),
                "{}",
                f.name()
            );
            tape.clear();
        }
    }
    for &f in Binary::ALL {
        let ((a, _), (b, _)) = f.domain()[0];
        let (va, vb) = (tape.variable(a), tape.variable(b));
        let forward = f.apply(Dual::<f64, 2>::variable(a, 0), Dual::variable(b, 1));
        assert_eq!(
            tape.gradient(f.apply(va, vb), &[va, vb]).unwrap(),
            forward.eps,
            "{}",
            f.name()
        );
        tape.clear();
    }
}

#[test]
fn jets_agree_with_nested_dual_numbers() {
    type Third = Dual<Dual<Dual<f64, 1>, 1>, 1>;
    for &f in Unary::ALL {
        for x in f.domain().iter().flat_map(|&i| points(i, 12)) {
            let inner = Dual {
                re: Dual::variable(x, 0),
                eps: [Dual::constant(1.0)],
            };
            let y = f.apply(Third {
                re: inner,
                eps: [Dual::constant(1.0)],
            });
            let jet = f.apply(Jet::<4>::variable(x));
            let expected = [
                y.re.re.re,
                y.eps[0].re.re,
                y.eps[0].eps[0].re,
                y.eps[0].eps[0].eps[0],
            ];
            for (k, expected) in expected.into_iter().enumerate() {
                assert_close(
                    jet.derivative(k),
                    expected,
                    1e-10 * expected.abs() + 1e-12,
                    &format!("{} order {k} at {x}", f.name()),
                );
            }
        }
    }
}

/// The recurrences of the jets against the derivative table, order by order: d/dx of coefficient k is (k + 1) times coefficient k + 1.
#[test]
fn jets_of_order_20_are_consistent_with_the_derivative_table() {
    const K: usize = 22;
    for &f in Unary::ALL {
        for x in f.domain().iter().flat_map(|&i| points(i, 4)) {
            let mut seed = Dual::<Jet<K>, 1>::lift(Jet::variable(x));
            seed.eps[0] = Jet::constant(1.0);
            let y = f.apply(seed);
            for k in 0..K - 1 {
                let (found, expected) = (y.eps[0].c[k], (k + 1) as f64 * y.re.c[k + 1]);
                // Orders lose a digit or two to cancellation between neighbours.
                let size = expected.abs().max(y.re.c[k].abs() / x.abs().max(1.0));
                assert_close(
                    found,
                    expected,
                    1e-8 * size + 1e-14,
                    &format!("{} coefficient {k} at {x}", f.name()),
                );
            }
        }
    }
}

#[test]
fn jets_of_two_arguments_agree_with_dual_numbers() {
    // Along (a + t, b − 2t + t²).
    for &f in Binary::ALL {
        for &(ia, ib) in f.domain() {
            for (a, b) in points(ia, 10).zip(points(ib, 30).skip(4)) {
                let ja = Jet { c: [a, 1.0, 0.0] };
                let jb = Jet { c: [b, -2.0, 1.0] };
                let y = f.apply(ja, jb);
                let lift = |c: [f64; 3]| Dual::<Dual<f64, 1>, 1> {
                    re: Dual {
                        re: c[0],
                        eps: [c[1]],
                    },
                    eps: [Dual {
                        re: c[1],
                        eps: [2.0 * c[2]],
                    }],
                };
                let z = f.apply(lift(ja.c), lift(jb.c));
                let expected = [z.re.re, z.eps[0].re, z.eps[0].eps[0] / 2.0];
                let size = expected.iter().fold(1.0, |m: f64, e| m.max(e.abs()));
                for (found, expected) in y.c.into_iter().zip(expected) {
                    assert_close(
                        found,
                        expected,
                        1e-12 * size,
                        &format!("{}({a}, {b})", f.name()),
                    );
                }
            }
        }
    }
}

#[test]
fn common_functions_agree_with_num_dual() {
    type Pair = (Unary, fn(num_dual::Dual2_64) -> num_dual::Dual2_64);
    let table: [Pair; 21] = [
        (Unary::Recip, |x| x.recip()),
        (Unary::Sqrt, |x| x.sqrt()),
        (Unary::Cbrt, |x| x.cbrt()),
        (Unary::Exp, |x| x.exp()),
        (Unary::Expm1, |x| x.exp_m1()),
        (Unary::Ln, |x| x.ln()),
        (Unary::Ln1p, |x| x.ln_1p()),
        (Unary::Sin, |x| x.sin()),
        (Unary::Cos, |x| x.cos()),
        (Unary::Tan, |x| x.tan()),
        (Unary::Asin, |x| x.asin()),
        (Unary::Acos, |x| x.acos()),
        (Unary::Atan, |x| x.atan()),
        (Unary::Sinh, |x| x.sinh()),
        (Unary::Cosh, |x| x.cosh()),
        (Unary::Tanh, |x| x.tanh()),
        (Unary::Asinh, |x| x.asinh()),
        (Unary::Acosh, |x| x.acosh()),
        (Unary::Atanh, |x| x.atanh()),
        (Unary::Neg, |x| -x),
        (Unary::Square, |x| x * x),
    ];
    for (f, peer) in table {
        for x in f.domain().iter().flat_map(|&i| points(i, 20)) {
            let [y, slope, curvature] = second(|x| f.apply(x), x);
            let theirs = peer(num_dual::Dual2_64::from_re(x).derivative());
            let what = format!("{}({x})", f.name());
            assert_close(y, theirs.re, 1e-15 * y.abs() + 1e-16, &what);
            assert_close(slope, theirs.v1, 1e-13 * slope.abs() + 1e-14, &what);
            assert_close(curvature, theirs.v2, 1e-12 * curvature.abs() + 1e-13, &what);
        }
    }
}

#[test]
fn names_are_unique_and_every_entry_is_complete() {
    let mut names: Vec<_> = Unary::ALL
        .iter()
        .map(|f| f.name())
        .chain(Binary::ALL.iter().map(|f| f.name()))
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Unary::ALL.len() + Binary::ALL.len());
    for f in Unary::ALL {
        assert!(
            !f.domain().is_empty()
                && f.doc().ends_with('.')
                && f.differentiability().ends_with('.'),
            "{}",
            f.name()
        );
    }
    for f in Binary::ALL {
        assert!(
            !f.domain().is_empty()
                && f.doc().ends_with('.')
                && f.differentiability().ends_with('.'),
            "{}",
            f.name()
        );
    }
}
