//! Generated likelihoods: the engine against the same by hand, Hessians against the gradient, fits that converge, the same bits on any number of threads.

use pullback_benches::histfactory::{ByHand, Generated, Size};
use pullback_stats::fit::{FitOptions, fit};
use pullback_stats::{Model, spec, workspace::Workspace};

fn made(parameters: usize, bins: usize, samples: usize, seed: u64) -> (Generated, Model) {
    let generated = Generated::new(Size {
        parameters,
        bins,
        samples,
        seed,
    });
    let (workspace, warnings) = Workspace::from_slice(generated.json().as_bytes()).expect("reads");
    assert!(warnings.is_empty(), "{warnings:?}");
    let spec = spec::resolve(&workspace, &spec::Options::default()).expect("resolves");
    (generated, Model::new(spec).expect("compiles"))
}

fn point(model: &Model) -> Vec<f64> {
    let parameters = model.spec().parameters.iter().enumerate();
    // Some beyond |α| = 1, where the exponentials hold.
    parameters
        .map(|(k, p)| {
            let wide = if p.init == 0.0 { 1.5 } else { 0.05 };
            p.init + wide * ((k * 7919 % 13) as f64 - 6.0) / 6.0
        })
        .collect()
}

#[test]
fn sizes_are_those_that_were_asked_for() {
    for (parameters, bins, samples) in [(50, 50, 4), (120, 300, 6), (400, 200, 3)] {
        let (generated, model) = made(parameters, bins, samples, 1);
        assert_eq!(generated.parameters.len(), parameters);
        assert_eq!(model.spec().parameters.len(), parameters);
        assert_eq!(model.spec().bins(), bins);
        assert_eq!(model.spec().processes.len(), samples);
        assert_eq!(
            generated,
            Generated::new(Size {
                parameters,
                bins,
                samples,
                seed: 1
            })
        );
    }
}

#[test]
fn the_engine_equals_the_loops() {
    for (parameters, bins, samples, seed) in [(30, 20, 2, 3), (120, 300, 6, 4), (300, 900, 8, 5)] {
        let (generated, mut model) = made(parameters, bins, samples, seed);
        let order = generated.order(model.spec().parameters.iter().map(|p| {
            let set = &model.spec().sets[p.set];
            (set.name.as_str(), p.component)
        }));
        let (at, data) = (point(&model), model.observed());
        let (value, gradient) = model.gradient(&at, &data).expect("evaluates");
        let (mut theta, mut mixed) = (vec![0.0; at.len()], vec![0.0; at.len()]);
        for (x, &k) in at.iter().zip(&order) {
            theta[k] = *x;
        }
        let by_hand = ByHand::new(&generated).value_and_gradient(&theta, &mut mixed);
        assert!((value / by_hand - 1.0).abs() < 1e-12, "{value} {by_hand}");
        let scale = gradient.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        for (g, &k) in gradient.iter().zip(&order) {
            assert!((g - mixed[k]).abs() < 1e-11 * scale);
        }
    }
}

#[test]
fn hessians_equal_directional_derivatives_and_threads_change_nothing() {
    for (parameters, bins, samples) in [(120, 300, 6), (340, 900, 8)] {
        hessian_of(parameters, bins, samples);
    }
}

fn hessian_of(parameters: usize, bins: usize, samples: usize) {
    let (_, mut model) = made(parameters, bins, samples, 6);
    let (at, data) = (point(&model), model.observed());
    let n = at.len();
    let one = model.hessian(&at, &data).expect("evaluates");
    assert!(model.has_layers());
    let mut slow = vec![0.0; n * n];
    model
        .hessian_by_directions(&at, &data, &mut slow)
        .expect("evaluates");
    for i in 0..n {
        for j in 0..n {
            let scale = (slow[i * n + i] * slow[j * n + j]).abs().sqrt();
            let (a, b) = (one[i * n + j], slow[i * n + j]);
            assert!((a - b).abs() < 1e-10 * scale, "({i}, {j}): {a} {b}");
        }
    }
    for threads in [2, 3] {
        model.set_threads(threads);
        let several = model.hessian(&at, &data).expect("evaluates");
        assert!(
            one.iter()
                .zip(&several)
                .all(|(a, b)| a.to_bits() == b.to_bits())
        );
    }
}

#[test]
fn fisher_information_is_the_hessian_on_asimov_data() {
    let (_, mut model) = made(120, 300, 6, 7);
    let at = model.spec().inits();
    let mut data = model.observed();
    data.main = model.expected(&at).expect("evaluates");
    let n = at.len();
    let hessian = model.hessian(&at, &data).expect("evaluates");
    let mut fisher = vec![0.0; n * n];
    model.fisher_into(&at, &mut fisher).expect("evaluates");
    for i in 0..n {
        for j in 0..n {
            let scale = (hessian[i * n + i] * hessian[j * n + j]).sqrt();
            assert!((hessian[i * n + j] - fisher[i * n + j]).abs() < 1e-10 * scale);
        }
    }
}

#[test]
fn fits_converge_to_the_same_bits_on_any_number_of_threads() {
    for (parameters, bins, samples, seed) in [(60, 80, 4, 8), (340, 900, 8, 9)] {
        let (_, mut model) = made(parameters, bins, samples, seed);
        let data = model.observed();
        let one = fit(&mut model, &data, &mut FitOptions::default()).expect("fits");
        assert!(one.converged && one.edm < 1e-8, "{}", one.status);
        let v = one.covariance.as_ref().expect("a covariance");
        // The inverse of half the Hessian, on parameters that are free.
        let best: Vec<f64> = one.parameters.iter().map(|p| p.value).collect();
        let h = model.hessian(&best, &data).expect("evaluates");
        let n = best.len();
        let free: Vec<usize> = (0..n)
            .filter(|&k| one.parameters[k].error.is_some())
            .collect();
        for &i in free.iter().step_by(7) {
            for &j in free.iter().step_by(11) {
                let product: f64 = free.iter().map(|&k| 0.5 * h[i * n + k] * v.get(k, j)).sum();
                let expected = f64::from(u8::from(i == j));
                let scale = (h[i * n + i] / h[j * n + j]).sqrt();
                assert!((product - expected).abs() < 1e-9 * scale.max(1.0));
            }
        }
        model.set_threads(2);
        let two = fit(&mut model, &data, &mut FitOptions::default()).expect("fits");
        assert_eq!(one.twice_nll.to_bits(), two.twice_nll.to_bits());
        for (a, b) in one.parameters.iter().zip(&two.parameters) {
            assert_eq!(a.value.to_bits(), b.value.to_bits());
            assert_eq!(a.error.map(f64::to_bits), b.error.map(f64::to_bits));
        }
    }
}
