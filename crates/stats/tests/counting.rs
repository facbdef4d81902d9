//! Counting formulas against values of 120 digits (`data/make_counting.py`), and derivatives of every scalar.

use pullback_ad::{Complex, Dual, Real};
use pullback_array::{Bindings, Builder, Column, Lowered, transform};
use pullback_stats::objective::counting::{
    Formula, Term, evaluate, significance, sum, with_uncertainty,
};

fn rows() -> Vec<[f64; 7]> {
    serde_json::from_str(include_str!("data/counting.json")).expect("rows of seven numbers")
}

/// The formula of a row; its plain form where σ = 0.
fn term<R: Real>(s: R, b: R, sigma: R, plain: bool) -> Term<R> {
    if plain {
        Formula::Asimov.term(s, b)
    } else {
        with_uncertainty(s, b, sigma)
    }
}

#[test]
fn values_equal_those_of_high_precision() {
    let mut worst = (0.0_f64, [0.0; 7]);
    for row in rows() {
        let [s, b, sigma, q, ..] = row;
        let error = (term(s, b, sigma, sigma == 0.0).q / q - 1.0).abs();
        if error > worst.0 {
            worst = (error, row);
        }
    }
    println!("largest relative error {:.1e} at {:?}", worst.0, worst.1);
    assert!(worst.0 <= 1e-14, "{worst:?}");
}

#[test]
fn derivatives_equal_those_of_high_precision() {
    let mut worst = (0.0_f64, [0.0; 7], 0);
    for row in rows() {
        let [s, b, sigma, q, ..] = row;
        let variable = |x, k| Dual::<f64, 3>::variable(x, k);
        let found = term(
            variable(s, 0),
            variable(b, 1),
            variable(sigma, 2),
            sigma == 0.0,
        )
        .q;
        for k in 0..3 {
            // Relative to the larger of the slope and q over the argument: near cancellations of a slope are no errors of the formula.
            let scale = row[4 + k]
                .abs()
                .max(if row[k] == 0.0 { 0.0 } else { q / row[k].abs() });
            let error = (found.eps[k] - row[4 + k]).abs() / scale.max(f64::MIN_POSITIVE);
            if error > worst.0 {
                worst = (error, row, k);
            }
        }
    }
    println!(
        "largest error {:.1e} at {:?}, argument {}",
        worst.0, worst.1, worst.2
    );
    assert!(worst.0 <= 1e-13, "{worst:?}");
}

#[test]
fn complex_steps_equal_dual_numbers() {
    for (s, b, sigma) in [(3.0, 10.0, 1.0), (30.0, 10.0, 4.0), (0.2, 5.0, 8.0)] {
        let point = [s, b, sigma];
        let dual = |k: usize| {
            let v = |i: usize| {
                if i == k {
                    Dual::<f64, 1>::variable(point[i], 0)
                } else {
                    Dual::constant(point[i])
                }
            };
            let z = |t: Term<Dual<f64, 1>>| significance(t.q).eps[0];
            [
                z(with_uncertainty(v(0), v(1), v(2))),
                z(Formula::Asimov.term(v(0), v(1))),
                z(Formula::SignalOverRootBackground.term(v(0), v(1))),
                z(Formula::SignalOverRootTotal.term(v(0), v(1))),
            ]
        };
        let complex = |k: usize| {
            let h = 1e-30;
            let v = |i: usize| Complex::new(point[i], if i == k { h } else { 0.0 });
            let z = |t: Term<Complex>| significance(t.q).im / h;
            [
                z(with_uncertainty(v(0), v(1), v(2))),
                z(Formula::Asimov.term(v(0), v(1))),
                z(Formula::SignalOverRootBackground.term(v(0), v(1))),
                z(Formula::SignalOverRootTotal.term(v(0), v(1))),
            ]
        };
        for k in 0..3 {
            for (a, c) in dual(k).iter().zip(complex(k)) {
                assert!((a - c).abs() <= 1e-13 * c.abs(), "{a} against {c}");
            }
        }
    }
}

#[test]
fn columns_of_bins_are_recorded_and_differentiated() {
    let (s, b, sigma) = ([3.0, 0.0, 40.0], [10.0, 5.0, 8.0], [1.0, 0.0, 3.0]);
    let builder = Builder::new();
    let bins = builder.dense_of("bin", 3);
    let column = |name| builder.input(name, bins);
    let terms = with_uncertainty(column("s"), column("b"), column("sigma"));
    let z = significance(terms.q.sum_all());
    let program = builder
        .finish(&[("z", z), ("violation", terms.violation.sum_all())])
        .expect("a program");
    let gradient = transform::grad(&program, "z", &["s", "b", "sigma"]).expect("differentiates");
    let lowered = Lowered::new(gradient).expect("lowers");
    let mut memory = lowered.workspace();
    let columns = [&s, &b, &sigma].map(|c| Column::F64(c));
    lowered
        .run(&mut memory, &Bindings::ordered(&columns))
        .expect("runs");
    let names: Vec<String> = lowered
        .program()
        .outputs()
        .iter()
        .map(|(n, _)| n.to_string())
        .collect();
    let output = |name: &str| {
        let k = names.iter().position(|n| n == name).expect("an output");
        memory.f64(k).to_vec()
    };
    let variable = |x: &[f64; 3], base: usize| -> Vec<Dual<f64, 9>> {
        (0..3).map(|i| Dual::variable(x[i], base + i)).collect()
    };
    let (ds, db, dsigma) = (variable(&s, 0), variable(&b, 3), variable(&sigma, 6));
    let expected = significance(sum((0..3).map(|i| with_uncertainty(ds[i], db[i], dsigma[i]))).q);
    assert!((output("z")[0] - expected.re).abs() <= 1e-14 * expected.re);
    let found = [output("grad_s"), output("grad_b"), output("grad_sigma")].concat();
    for (k, f) in found.iter().enumerate() {
        assert!(
            (f - expected.eps[k]).abs() <= 1e-13,
            "{k}: {f} against {}",
            expected.eps[k]
        );
    }
}

#[test]
fn without_signal_the_value_and_the_derivative_are_zero() {
    let z = |s: f64| {
        let bins = [(s, 10.0), (s, 4.0)]
            .map(|(s, b)| Formula::Asimov.term(Dual::<f64, 1>::variable(s, 0), Dual::constant(b)));
        significance(sum(bins).q)
    };
    assert_eq!((z(0.0).re, z(0.0).eps[0]), (0.0, 0.0));
    // Off the origin it has its slope √Σ 1/b.
    let slope = (1.0 / 10.0 + 1.0 / 4.0_f64).sqrt();
    assert!((z(1e-9).eps[0] - slope).abs() < 1e-9 && (z(-1e-9).eps[0] + slope).abs() < 1e-9);
    // The square root comes after the sum: an empty bin changes no bit.
    let with = evaluate(Formula::Asimov, &[3.0, 0.0], &[10.0, 4.0], &[]).expect("legal");
    let without = evaluate(Formula::Asimov, &[3.0], &[10.0], &[]).expect("legal");
    assert_eq!(with.to_bits(), without.to_bits());
}

#[test]
fn what_makes_no_sense_is_a_violation_and_an_error() {
    let refused = |formula, s: f64, b: f64, sigma: &[f64]| {
        let error = evaluate(formula, &[1.0, s], &[2.0, b], sigma).expect_err("refuses");
        assert_eq!(error.code(), "PB0355", "{error}");
        assert!(error.to_string().starts_with("bin 1 ") && !error.help().is_empty());
        error.to_string()
    };
    assert!(refused(Formula::Asimov, 3.0, 0.0, &[]).contains("without background"));
    assert!(refused(Formula::Asimov, 3.0, 0.0, &[0.1, 0.1]).contains("without background"));
    assert!(refused(Formula::SignalOverRootTotal, 3.0, -1.0, &[]).contains("negative"));
    assert!(refused(Formula::Asimov, -3.0, 1.0, &[]).contains("fewer than no"));
    assert!(refused(Formula::Asimov, f64::NAN, 1.0, &[]).contains("not finite"));
    let mixed =
        evaluate(Formula::SignalOverRootTotal, &[1.0], &[1.0], &[0.1]).expect_err("refuses");
    assert!(mixed.to_string().contains("only the Asimov formula"));
    let short = evaluate(Formula::Asimov, &[1.0], &[], &[]).expect_err("refuses");
    assert_eq!(short.code(), "PB0351");
    // The constraint has slopes that lead back: less signal, more background.
    let [s, b] = [(3.0, 0), (-0.5, 1)].map(|(x, k)| Dual::<f64, 2>::variable(x, k));
    let term = Formula::Asimov.term(s, b);
    assert_eq!((term.q.re, term.q.eps), (0.0, [0.0, 0.0]));
    assert_eq!((term.violation.re, term.violation.eps), (3.5, [1.0, -1.0]));
    // No events at all in a bin with background is legal: q = 2b.
    assert_eq!(Formula::Asimov.term(-4.0, 4.0).q, 8.0);
}
