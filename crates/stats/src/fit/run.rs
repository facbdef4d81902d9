//! The maximum-likelihood fit of a model.

use std::ops::ControlFlow;
use std::time::Instant;

use pullback_optim::{
    Bordered, HessianState, Minimiser, Minimum, Newton, NewtonOptions, Objective, OptimError,
    Problem, Progress, Unavailable, covariance,
};

use super::yields::channel_yields;
use super::{Covariance, FitResult, FittedParameter, Seconds, Side};
use crate::error::{Error, Result};
use crate::model::{Data, Model};
use crate::spec::{Constraint, ModelSpec, Parameter};

/// Called once per iteration; `Break` ends the fit with the best point so far.
pub type Hook<'a> = Box<dyn FnMut(&Progress<'_>) -> ControlFlow<()> + 'a>;

/// How to fit.
#[derive(Default)]
pub struct FitOptions<'a> {
    /// When to stop.
    pub minimiser: NewtonOptions,
    /// Start values in pyhf's order, instead of the model's.
    pub start: Option<Vec<f64>>,
    /// Parameters to hold at a value, besides those that the model holds.
    pub fix: Vec<(usize, f64)>,
    /// Leave out covariance, errors and yields.
    pub minimum_only: bool,
    /// Watches and stops the fit.
    pub hook: Option<Hook<'a>>,
}

/// The likelihood as an objective. An engine error is kept and shown to the minimiser as a point outside the domain.
pub(crate) struct TwiceNll<'a> {
    pub model: &'a mut Model,
    pub data: &'a Data,
    separable: Vec<usize>,
    pub failure: Option<Error>,
}

impl<'a> TwiceNll<'a> {
    pub fn new(model: &'a mut Model, data: &'a Data) -> Self {
        let separable = model.separable().to_vec();
        Self {
            model,
            data,
            separable,
            failure: None,
        }
    }

    /// A curvature that is not finite is none.
    fn finite(&mut self, result: Result<bool>) -> std::result::Result<(), Unavailable> {
        if self.keep(result, false) {
            Ok(())
        } else {
            Err(Unavailable)
        }
    }

    fn keep<T>(&mut self, result: Result<T>, otherwise: T) -> T {
        result.unwrap_or_else(|error| {
            self.failure.get_or_insert(error);
            otherwise
        })
    }
}

impl Objective for TwiceNll<'_> {
    fn dim(&self) -> usize {
        self.model.spec().parameters.len()
    }

    fn value(&mut self, x: &[f64]) -> f64 {
        let value = self.model.twice_nll(x, self.data);
        self.keep(value, f64::NAN)
    }

    fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
        let value = self.model.value_and_gradient(x, self.data, g);
        self.keep(value, f64::NAN)
    }

    fn hessian(&mut self, x: &[f64], h: &mut [f64]) -> std::result::Result<(), Unavailable> {
        self.model.hessian_into(x, self.data, h).map_err(|e| {
            self.failure.get_or_insert(e);
            Unavailable
        })
    }

    fn curvature(&mut self, x: &[f64], h: &mut [f64]) -> std::result::Result<(), Unavailable> {
        let result = self.model.fisher_into(x, h);
        self.finite(result)
    }

    fn separable(&self) -> &[usize] {
        &self.separable
    }

    fn threads(&self) -> usize {
        self.model.threads()
    }

    fn hessian_bordered(
        &mut self,
        x: &[f64],
        h: &mut Bordered,
    ) -> std::result::Result<(), Unavailable> {
        let (a, e, d) = h.blocks_mut();
        match self.model.hessian_blocks(x, self.data, a, e, d) {
            Ok(true) => Ok(()),
            Ok(false) => h.fill_from_dense(|full| self.hessian(x, full)),
            Err(error) => {
                self.failure.get_or_insert(error);
                Err(Unavailable)
            }
        }
    }

    fn curvature_bordered(
        &mut self,
        x: &[f64],
        h: &mut Bordered,
    ) -> std::result::Result<(), Unavailable> {
        let (a, e, d) = h.blocks_mut();
        let result = self.model.fisher_blocks(x, a, e, d);
        self.finite(result)
    }
}

pub(crate) fn problem(spec: &ModelSpec, options: &FitOptions<'_>) -> Problem {
    let start = options.start.clone().unwrap_or_else(|| spec.inits());
    let mut problem = Problem::new(start.clone());
    for (k, p) in spec.parameters.iter().enumerate() {
        problem = if p.fixed {
            problem.with_fixed(k, start[k])
        } else {
            problem.with_bounds(k, p.bounds[0], p.bounds[1])
        };
    }
    for &(k, value) in &options.fix {
        problem = problem.with_fixed(k, value);
    }
    problem
}

/// Refuses a start at which something is observed where nothing is expected: there the likelihood is zero or not defined.
pub(super) fn check_rates(model: &mut Model, data: &Data, start: &[f64]) -> Result<()> {
    let rates = model.expected(start)?;
    for channel in &model.spec().channels {
        for (b, bin) in channel.bins.clone().enumerate() {
            let (rate, observed) = (rates[bin], data.main[bin]);
            if observed > 0.0 && (rate <= 0.0 || rate.is_nan()) {
                return Err(Error::RateNotPositive {
                    channel: channel.name.clone(),
                    bin: b,
                    rate,
                    observed,
                });
            }
        }
    }
    Ok(())
}

/// Fits the model to `data`: the maximum of the likelihood inside the bounds, its covariance, errors, pulls and yields.
///
/// # Errors
/// Data that do not fit the model, or an expected rate ≤ 0 where something is observed at the start. A fit that does not converge is no error: the result
/// says so.
pub fn fit(model: &mut Model, data: &Data, options: &mut FitOptions<'_>) -> Result<FitResult> {
    let started = Instant::now();
    let (problem, minimum) = minimise(model, data, options)?;
    let mut result = outcome(model.spec(), &problem, &minimum);
    result.seconds.fit = started.elapsed().as_secs_f64();
    if options.minimum_only {
        return Ok(result);
    }
    let started = Instant::now();
    let mut objective = TwiceNll::new(model, data);
    let found = covariance(&mut objective, &problem, &minimum, 2.0);
    if let Some(error) = objective.failure.take() {
        return Err(error);
    }
    with_errors(&mut result, found, model.spec());
    result.seconds.covariance = started.elapsed().as_secs_f64();
    let point: Vec<f64> = result.parameters.iter().map(|p| p.value).collect();
    result.yields = channel_yields(model, data, &point, result.covariance.as_ref(), &mut [])?;
    Ok(result)
}

/// What a minimum says, without errors.
pub(super) fn outcome(spec: &ModelSpec, problem: &Problem, minimum: &Minimum) -> FitResult {
    FitResult {
        twice_nll: minimum.value,
        converged: minimum.converged(),
        status: minimum.status.to_string(),
        edm: minimum.edm,
        iterations: minimum.iterations,
        evaluations: minimum.evaluations.values
            + minimum.evaluations.gradients
            + minimum.evaluations.hessians
            + minimum.evaluations.curvatures,
        parameters: parameters(spec, problem, minimum),
        covariance: None,
        covariance_note: None,
        poi: spec.poi,
        measurement: spec.measurement.clone(),
        digest: None,
        seconds: Seconds::default(),
        yields: Vec::new(),
        warnings: warnings(spec, minimum),
    }
}

/// Adds the covariance, and errors where there are some.
pub(super) fn with_errors(
    result: &mut FitResult,
    found: std::result::Result<pullback_optim::Covariance, OptimError>,
    spec: &ModelSpec,
) {
    match found {
        Ok(c) => result.covariance = Covariance::from_rows(c.dim(), c.matrix().to_vec()),
        Err(error) => {
            result.converged = false;
            result.covariance_note = Some(describe(&error, spec));
        }
    }
    let Some(c) = &result.covariance else { return };
    for (k, (out, p)) in (result.parameters.iter_mut().zip(&spec.parameters)).enumerate() {
        if out.fixed || out.at_bound.is_some() {
            continue;
        }
        let error = c.error(k);
        out.error = Some(error);
        out.constraint = prefit_width(p).map(|w| error / w);
    }
}

pub(crate) fn minimise(
    model: &mut Model,
    data: &Data,
    options: &mut FitOptions<'_>,
) -> Result<(Problem, Minimum)> {
    let problem = problem(model.spec(), options);
    check_rates(model, data, &problem.start)?;
    let mut newton = Newton::new(options.minimiser);
    let mut objective = TwiceNll::new(model, data);
    let mut nothing = |_: &Progress<'_>| ControlFlow::Continue(());
    let minimum = match &mut options.hook {
        Some(hook) => newton.minimise_watched(&mut objective, &problem, hook),
        None => newton.minimise_watched(&mut objective, &problem, &mut nothing),
    };
    if let Some(error) = objective.failure.take() {
        return Err(error);
    }
    let minimum = minimum.map_err(|e| Error::Minimiser {
        message: e.to_string(),
    })?;
    Ok((problem, minimum))
}

/// The width of a parameter's constraint, in units of the parameter: σ, or 1/√τ for a Poisson constraint.
pub(crate) fn prefit_width(p: &Parameter) -> Option<f64> {
    match p.constraint {
        Constraint::None => None,
        Constraint::Normal { sigma, .. } => Some(sigma),
        Constraint::Poisson { tau, .. } => Some(1.0 / tau.sqrt()),
    }
}

/// The centre of a parameter's constraint.
fn prefit_centre(p: &Parameter) -> Option<f64> {
    match p.constraint {
        Constraint::None => None,
        Constraint::Normal { aux, .. } => Some(aux),
        Constraint::Poisson { aux, tau } => Some(aux / tau),
    }
}

fn parameters(spec: &ModelSpec, problem: &Problem, minimum: &Minimum) -> Vec<FittedParameter> {
    spec.parameters
        .iter()
        .enumerate()
        .map(|(k, p)| {
            let fixed = problem.fixed[k];
            let value = minimum.x[k];
            let pull = prefit_centre(p)
                .zip(prefit_width(p))
                .filter(|_| !fixed)
                .map(|(c, w)| (value - c) / w);
            FittedParameter {
                name: p.name.clone(),
                kind: p.kind,
                value,
                error: None,
                init: problem.start[k],
                bounds: p.bounds,
                fixed,
                at_bound: minimum.at_bound[k]
                    .filter(|_| !fixed)
                    .map(|side| match side {
                        pullback_optim::Side::Lower => Side::Lower,
                        pullback_optim::Side::Upper => Side::Upper,
                    }),
                pull,
                constraint: None,
            }
        })
        .collect()
}

fn names(spec: &ModelSpec, indices: &[usize]) -> String {
    let shown: Vec<&str> = indices
        .iter()
        .take(5)
        .map(|&k| spec.parameters[k].name.as_str())
        .collect();
    let more = indices.len().saturating_sub(5);
    if more > 0 {
        format!("{} and {more} more", shown.join(", "))
    } else {
        shown.join(", ")
    }
}

fn warnings(spec: &ModelSpec, minimum: &Minimum) -> Vec<String> {
    let mut out = Vec::new();
    match &minimum.hessian {
        HessianState::Flat { parameters, .. } => {
            out.push(format!(
                "the data do not determine {}: their values are not unique",
                names(spec, parameters)
            ));
        }
        HessianState::Indefinite {
            parameters,
            eigenvalue,
        } => {
            out.push(format!(
                "the Hessian has the negative eigenvalue {eigenvalue:.3e} along {}",
                names(spec, parameters)
            ));
        }
        _ => {}
    }
    if !minimum.near_zero_multipliers.is_empty() {
        out.push(format!(
            "{} at a bound with a vanishing gradient: derivatives of the fit exist from one side only",
            names(spec, &minimum.near_zero_multipliers)
        ));
    }
    out
}

fn describe(error: &OptimError, spec: &ModelSpec) -> String {
    match error {
        OptimError::NotPositiveDefinite { parameters, .. } => {
            format!(
                "no covariance: the Hessian is not positive definite along {}",
                names(spec, parameters)
            )
        }
        other => format!("no covariance: {other}"),
    }
}
