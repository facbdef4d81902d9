//! Value, gradient and Hessian of the program against the plain loop.

use pullback_ad::Complex;
use pullback_array::{Bindings, Column, Lowered, transform};
use pullback_optim::Objective;
use pullback_studies::dimuon::{Derivative, Likelihood, pairs, record, twice_nll};

const STEP: f64 = 1e-30;

#[test]
fn values_and_gradients_are_those_of_the_loop_by_complex_step() {
    let calibration = super::of_generator();
    let muons = super::sample(1500, 600);
    let theta = super::somewhere(&calibration);
    let selected = pairs(&calibration, &muons);
    let expected = twice_nll(&calibration, &theta, &selected);
    let slopes: Vec<f64> = (0..theta.len())
        .map(|k| {
            let at = theta.iter().enumerate().map(|(j, x)| Complex {
                re: *x,
                im: if j == k { STEP } else { 0.0 },
            });
            twice_nll(&calibration, &at.collect::<Vec<_>>(), &selected).im / STEP
        })
        .collect();
    let forms = [
        Likelihood::new(&calibration, &muons, 1),
        Likelihood::of_pairs(&calibration, &muons, 1),
        Likelihood::new(&calibration, &muons, 2),
    ];
    for form in forms {
        let mut form = form.expect("pairs are there");
        let mut gradient = vec![0.0; theta.len()];
        let value = form.value_and_gradient(&theta, &mut gradient);
        assert_eq!(value.to_bits(), form.value(&theta).to_bits());
        assert!(
            (value / expected - 1.0).abs() < 1e-12,
            "{value} and {expected}"
        );
        let size = slopes.iter().map(|g| g.abs()).fold(1.0, f64::max);
        for (k, (found, slope)) in gradient.iter().zip(&slopes).enumerate() {
            let name = form.layout().name(k);
            assert!(
                (found - slope).abs() < 1e-10 * (slope.abs() + 1e-2 * size),
                "{name}: {found} and {slope}"
            );
        }
        let mut form = form.with_derivative(Derivative::Differences);
        let mut rough = vec![0.0; theta.len()];
        form.value_and_gradient(&theta, &mut rough);
        for (found, slope) in rough.iter().zip(&slopes) {
            assert!((found - slope).abs() < 1e-5 * size, "{found} and {slope}");
        }
    }
}

#[test]
fn hessians_by_pairs_are_those_of_the_program() {
    let calibration = super::of_generator();
    let muons = super::sample(600, 250);
    let theta = super::somewhere(&calibration);
    let n = theta.len();
    let program = transform::hessian(
        &record(&calibration).expect("recorded"),
        "twice_nll",
        &["theta"],
    )
    .expect("differentiable");
    let lowered = Lowered::new(program).expect("lowers");
    let mut ws = lowered.workspace();
    let mut columns = muons.columns().to_vec();
    columns.push(Column::F64(&theta));
    lowered
        .run(&mut ws, &Bindings::ordered(&columns))
        .expect("runs");
    let expected = ws.f64(0);
    let size = |i: usize, j: usize| (expected[i * n + i] * expected[j * n + j]).abs().sqrt();
    for form in [
        Likelihood::new(&calibration, &muons, 1),
        Likelihood::of_pairs(&calibration, &muons, 1),
    ] {
        let mut form = form.expect("pairs are there");
        let mut h = vec![0.0; n * n];
        form.hessian(&theta, &mut h).expect("offered");
        for i in 0..n {
            for j in 0..n {
                let (found, exact) = (h[i * n + j], expected[i * n + j]);
                let names = (form.layout().name(i), form.layout().name(j));
                assert!(
                    (found - exact).abs() < 1e-10 * (size(i, j) + 1e-3),
                    "{names:?}: {found} and {exact}"
                );
            }
        }
    }
}

/// ½ Σ g gᵀ from the gradients of single pairs by the loop.
#[test]
fn the_information_is_that_of_single_pairs() {
    let calibration = super::of_generator();
    let muons = super::sample(300, 120);
    let theta = super::somewhere(&calibration);
    let n = theta.len();
    let mut expected = vec![0.0; n * n];
    for (peak, list) in pairs(&calibration, &muons).into_iter().enumerate() {
        for pair in list {
            let mut one = [vec![], vec![]];
            one[peak].push(pair);
            let slope = |k: usize| {
                let at = theta.iter().enumerate().map(|(j, x)| Complex {
                    re: *x,
                    im: if j == k { STEP } else { 0.0 },
                });
                twice_nll(&calibration, &at.collect::<Vec<_>>(), &one).im / STEP
            };
            let g: Vec<f64> = (0..n).map(slope).collect();
            for i in 0..n {
                for j in 0..n {
                    expected[i * n + j] += 0.5 * g[i] * g[j];
                }
            }
        }
    }
    let mut form = Likelihood::of_pairs(&calibration, &muons, 1).expect("pairs are there");
    let mut found = vec![0.0; n * n];
    form.curvature(&theta, &mut found).expect("offered");
    let most = expected.iter().copied().fold(0.0, f64::max);
    for (found, expected) in found.iter().zip(&expected) {
        assert!(
            (found - expected).abs() < 1e-10 * most,
            "{found} and {expected}"
        );
    }
}
