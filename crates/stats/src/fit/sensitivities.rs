//! How a best fit moves with the data and with the templates, by implicit differentiation: no refit, no differences.

use super::response::{Factor, NotPositive, Response};
use super::{FitResult, Sensitivities};
use crate::error::{Error, Result};
use crate::model::{Data, Model};
use crate::spec::{Derived, Effect, ModelSpec};

/// dµ̂ and dσ_µ with respect to each bin of the main data and to each nominal yield of the cells that the parameter of interest scales.
///
/// With g and H the gradient and the Hessian of `twice_nll` in the free directions (not fixed, not at a bound), v = H⁻¹e_µ, and d a datum or a yield:
///
/// ```text
/// dx̂/dd = −H⁻¹ ∂g/∂d                    so  dµ̂/dd  = −vᵀ ∂g/∂d
/// σ² = 2 (H⁻¹)_µµ,  φ(x, d) = vᵀH(x, d)v  so  dσ²/dd = −2 (∂φ/∂d + ∇φᵀ dx̂/dd) = −2 (∂φ/∂d − uᵀ ∂g/∂d),  u = H⁻¹∇φ
/// ```
///
/// vᵀ∂g/∂d, ∂φ/∂d and ∇φ come from one evaluation of a program that the engine derives from the likelihood with its templates as inputs, uᵀ∂g/∂d from a
/// second one: the cost does not grow with the number of data, and no derivative of the inverse is formed.
///
/// What is varied is a number of the workspace. With a nominal yield therefore vary the width of a staterror, the τ of a shapesys and, where it follows from
/// the templates, its auxiliary datum (which stays in proportion to τ); main data and all other auxiliary data do not.
///
/// Shape: bins of the main data; cells of [`Sensitivities::signal_cells`] in the order of [`ModelSpec::nominal`].
///
/// Differentiability: parameters at a bound stay there. Where one is at a bound with a vanishing gradient ([`FitResult::warnings`] names it), the derivatives
/// hold on that side only. They are those of the interpolation code inside its regions; at α = ±1 the third derivatives of some codes jump.
///
/// # Errors
/// [`Error::NoSensitivities`] without a parameter of interest, with one that is fixed or at a bound, and without a covariance; data that do not fit.
///
/// # Example
/// One bin, n = µ s + b: µ̂ = (n − b)/s, σ_µ = √n/s.
/// ```
/// use pullback_stats::fit::{FitOptions, fit, sensitivities};
/// use pullback_stats::{Model, spec, workspace::Workspace};
/// let text = r#"{"version": "1.0.0", "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
///   "channels": [{"name": "c", "samples": [
///     {"name": "b", "data": [50.0], "modifiers": []},
///     {"name": "s", "data": [5.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": null}]}]}],
///   "observations": [{"name": "c", "data": [64.0]}]}"#;
/// let (workspace, _) = Workspace::from_slice(text.as_bytes())?;
/// let mut model = Model::new(spec::resolve(&workspace, &spec::Options::default())?)?;
/// let data = model.observed();
/// let result = fit(&mut model, &data, &mut FitOptions::default())?;
/// let s = sensitivities(&mut model, &data, &result)?;
/// assert!((s.poi_by_data[0] - 1.0 / 5.0).abs() < 1e-12);
/// assert!((s.sigma_by_data[0] - 0.5 / 8.0 / 5.0).abs() < 1e-12);
/// assert!((s.poi_by_signal[0] + 14.0 / 25.0).abs() < 1e-12);
/// assert!((s.sigma_by_signal[0] + 8.0 / 25.0).abs() < 1e-12);
/// # Ok::<(), pullback_stats::Error>(())
/// ```
///
/// Reference: A. Griewank & A. Walther, Evaluating Derivatives (2nd ed., 2008), section 15.1 (implicit functions).
pub fn sensitivities(model: &mut Model, data: &Data, result: &FitResult) -> Result<Sensitivities> {
    let poi = checked_poi(model.spec(), result)?;
    let mut x: Vec<f64> = result.parameters.iter().map(|p| p.value).collect();
    let free: Vec<usize> = (0..x.len()).filter(|&k| is_free(result, k)).collect();
    polish(model, data, result, &free, &mut x)?;
    let factor = factorise(model, data, &free, &x, result)?;
    let mut unit = vec![0.0; x.len()];
    unit[poi] = 1.0;
    let v = factor.solve(&unit)?;
    let sigma = (2.0 * v[poi]).sqrt();

    let mut program = Response::new(model.spec(), Some(&["nominal"]))?;
    let along_v = program.run(&x, data, &v)?;
    let u = factor.solve(&along_v.phi.parameters)?;
    let along_u = program.run(&x, data, &u)?;
    // dσ = dσ²/2σ with dσ² = −2 (∂φ − uᵀ∂g).
    let of_sigma = |phi: &[f64], u: &[f64]| -> Vec<f64> {
        phi.iter().zip(u).map(|(p, u)| (u - p) / sigma).collect()
    };
    let spec = model.spec();
    let negative = |values: &[f64]| values.iter().map(|v| -v).collect::<Vec<f64>>();
    let follow = |nominal: &mut [f64], aux: &[f64]| auxiliary_data_follow(spec, data, nominal, aux);
    let (v, phi, u) = (&along_v.gradient, &along_v.phi, &along_u.gradient);
    let mut poi_by_nominal = negative(&v.slots[0].1);
    follow(&mut poi_by_nominal, &negative(&v.aux));
    let mut sigma_by_nominal = of_sigma(&phi.slots[0].1, &u.slots[0].1);
    follow(&mut sigma_by_nominal, &of_sigma(&phi.aux, &u.aux));
    let signal_cells = scaled_cells(spec, poi);
    let at_signal = |nominal: &[f64]| signal_cells.iter().map(|&c| nominal[c]).collect();
    Ok(Sensitivities {
        poi_by_data: negative(&v.main),
        sigma_by_data: of_sigma(&phi.main, &u.main),
        poi_by_signal: at_signal(&poi_by_nominal),
        sigma_by_signal: at_signal(&sigma_by_nominal),
        signal_cells,
    })
}

fn is_free(result: &FitResult, k: usize) -> bool {
    let p = &result.parameters[k];
    !p.fixed && p.at_bound.is_none() && p.value > p.bounds[0] && p.value < p.bounds[1]
}

fn checked_poi(spec: &ModelSpec, result: &FitResult) -> Result<usize> {
    let (found, expected) = (result.parameters.len(), spec.parameters.len());
    if found != expected {
        return Err(Error::Size {
            what: "parameters of the fit",
            found,
            expected,
        });
    }
    let Some(poi) = result.poi.filter(|&k| k < expected) else {
        return Err(Error::NoSensitivities {
            parameter: None,
            reason: "the model has no parameter of interest".into(),
            help: "name a parameter of interest",
        });
    };
    let parameter = &result.parameters[poi];
    let refuse = |reason: String, help: &'static str| {
        Err(Error::NoSensitivities {
            parameter: Some(parameter.name.clone()),
            reason,
            help,
        })
    };
    if parameter.fixed {
        return refuse(
            format!("the parameter of interest `{}` is fixed", parameter.name),
            "let it float",
        );
    }
    if !is_free(result, poi) {
        let reason = format!(
            "the parameter of interest `{}` is at its bound {}, where it does not move",
            parameter.name, parameter.value
        );
        return refuse(
            reason,
            "widen its bounds, or differentiate a test statistic instead",
        );
    }
    if result.covariance.is_none() {
        let note = result
            .covariance_note
            .clone()
            .unwrap_or_else(|| "the fit has no covariance".into());
        return refuse(
            note,
            "fit with the covariance, and hold what the data do not determine",
        );
    }
    Ok(poi)
}

/// A Newton step in the free directions, if it stays inside the bounds: the rules hold exactly at the minimum only.
fn polish(
    model: &mut Model,
    data: &Data,
    result: &FitResult,
    free: &[usize],
    x: &mut [f64],
) -> Result<()> {
    let factor = factorise(model, data, free, x, result)?;
    let (_, gradient) = model.gradient(x, data)?;
    let step = factor.solve(&gradient)?;
    let inside = |k: usize, value: f64| {
        value > result.parameters[k].bounds[0] && value < result.parameters[k].bounds[1]
    };
    if free.iter().all(|&k| inside(k, x[k] - step[k])) {
        x.iter_mut().zip(&step).for_each(|(x, s)| *x -= s);
    }
    Ok(())
}

/// The Hessian at `x`, or a sentence about the parameter along which it is not positive definite.
fn factorise<'a>(
    model: &mut Model,
    data: &Data,
    free: &'a [usize],
    x: &[f64],
    result: &FitResult,
) -> Result<Factor<'a>> {
    Factor::new(model, data, free, x).map_err(|error| match error {
        NotPositive::Failed(error) => error,
        NotPositive::Along(k) => {
            let parameter = k.map(|k| result.parameters[k].name.clone());
            let along = parameter
                .as_deref()
                .map(|p| format!(" along `{p}`"))
                .unwrap_or_default();
            Error::NoSensitivities {
                parameter,
                reason: format!("the Hessian is not positive definite{along}"),
                help: "hold what the data do not determine, and fit again",
            }
        }
    })
}

/// Adds to the derivatives by nominal yields what comes through auxiliary data that the workspace does not give: a = τ = (nominal/uncertainty)² for a
/// shapesys (pyhf `shapesys.py`), so da/dnominal = 2a/nominal.
fn auxiliary_data_follow(spec: &ModelSpec, data: &Data, by_nominal: &mut [f64], by_aux: &[f64]) {
    for parameter in &spec.parameters {
        if let (
            Derived::Shapesys {
                application,
                bin,
                tau: true,
                aux: true,
            },
            Some(k),
        ) = (&parameter.derived, parameter.aux)
        {
            let cell = spec.samples[spec.applications[*application].sample]
                .cells
                .start
                + bin;
            by_nominal[cell] += by_aux[k] * 2.0 * data.aux[k] / spec.nominal[cell];
        }
    }
}

/// The cells that a parameter multiplies.
fn scaled_cells(spec: &ModelSpec, parameter: usize) -> Vec<usize> {
    let mut cells: Vec<usize> = spec
        .applications
        .iter()
        .filter(|a| !matches!(a.effect, Effect::Histosys { .. } | Effect::Normsys { .. }))
        .flat_map(|a| {
            spec.samples[a.sample]
                .cells
                .clone()
                .enumerate()
                .filter(|(b, _)| a.parameter_of_bin(*b) == parameter)
                .map(|(_, c)| c)
        })
        .collect();
    cells.sort_unstable();
    cells.dedup();
    cells
}
