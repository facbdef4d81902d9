//! Fits of models whose templates are functions of some of their parameters.

use std::ops::ControlFlow;
use std::time::Instant;

use pullback_optim::{Minimiser, Newton, Objective, OptimError, Progress, Unavailable, covariance};

use super::run::{check_rates, outcome, problem, with_errors};
use super::yields::{Moves, channel_yields};
use super::{FitOptions, FitResult};
use crate::error::{Error, Result};
use crate::model::{Data, Model, Pullback, Slots};

/// Step of differences of gradients, in the units of a parameter: those of constrained ones are standard deviations. The cut-off of central differences, h²/6 times a
/// third derivative, and their rounding, ε/h, are then both below 1e-8 of the curvature.
const STEP: f64 = 1e-4;

/// Numbers of templates, and their derivatives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moved {
    /// Numbers by slot, as [`crate::spec::ModelSpec::set_templates`] takes them; slots that are not named stay.
    pub slots: Slots,
    /// For each parameter, the derivatives of the numbers in these slots, in the same layout.
    pub by: Vec<Slots>,
}

/// Templates that are functions of parameters of the model: sums of event weights, each a function of these.
pub trait Moving {
    /// The parameters, by position in the model.
    fn parameters(&self) -> &[usize];

    /// The templates at values of these parameters. Nothing where there are none: who says so keeps the reason, the fit takes it for a place outside the domain.
    fn at(&mut self, values: &[f64]) -> Option<Moved>;
}

/// −2 ln L with templates that follow.
struct Following<'a> {
    model: &'a mut Model,
    data: &'a Data,
    moving: &'a mut dyn Moving,
    parameters: Vec<usize>,
    pullback: Pullback,
    separable: Vec<usize>,
    /// Where the templates are, and what they are there.
    last: Option<(Vec<f64>, Moved)>,
    failure: Option<Error>,
}

impl<'a> Following<'a> {
    fn new(model: &'a mut Model, data: &'a Data, moving: &'a mut dyn Moving) -> Result<Self> {
        let parameters = moving.parameters().to_vec();
        let pullback = Pullback::new(model.spec())?;
        let mut separable = model.separable().to_vec();
        separable.retain(|k| !parameters.contains(k));
        Ok(Self {
            model,
            data,
            moving,
            parameters,
            pullback,
            separable,
            last: None,
            failure: None,
        })
    }

    /// Gives the model the templates of a point. False outside the domain.
    fn follow(&mut self, x: &[f64]) -> Result<bool> {
        let values: Vec<f64> = self.parameters.iter().map(|k| x[*k]).collect();
        if self.last.as_ref().is_some_and(|(at, _)| *at == values) {
            return Ok(true);
        }
        let Some(moved) = self.moving.at(&values) else {
            self.last = None;
            return Ok(false);
        };
        self.model.set_templates(&moved.slots)?;
        self.pullback.replace(&moved.slots);
        self.last = Some((values, moved));
        Ok(true)
    }

    /// The total gradient: that of the model, and by the templates.
    fn total(&mut self, x: &[f64], g: &mut [f64]) -> Result<f64> {
        if !self.follow(x)? {
            return Ok(f64::NAN);
        }
        let value = self.model.value_and_gradient(x, self.data, g)?;
        let nothing = vec![0.0; self.data.main.len()];
        let by_slot = self.pullback.run(x, self.data, 1.0, &nothing)?.slots;
        if let Some((_, moved)) = &self.last {
            for (&k, by) in self.parameters.iter().zip(&moved.by) {
                g[k] += inner(&by_slot, by);
            }
        }
        Ok(value)
    }

    /// The Hessian: by layers in the parameters of the model at fixed templates; rows of the others by central differences of the total gradient.
    fn total_hessian(&mut self, x: &[f64], h: &mut [f64]) -> Result<bool> {
        if !self.follow(x)? {
            return Ok(false);
        }
        self.model.hessian_into(x, self.data, h)?;
        let n = x.len();
        let (mut up, mut down) = (vec![0.0; n], vec![0.0; n]);
        let mut rows = Vec::new();
        for &k in &self.parameters.clone() {
            let mut at = |step: f64, g: &mut [f64]| {
                let mut x = x.to_vec();
                x[k] += step;
                self.total(&x, g)
            };
            let sides = (
                at(STEP, &mut up)?.is_finite(),
                at(-STEP, &mut down)?.is_finite(),
            );
            // At the edge of the domain there is one side.
            let width = match sides {
                (true, true) => 2.0 * STEP,
                (true, false) => {
                    at(0.0, &mut down)?;
                    STEP
                }
                (false, true) => {
                    at(0.0, &mut up)?;
                    STEP
                }
                (false, false) => return Ok(false),
            };
            let each = up.iter().zip(&down).map(|(u, d)| (u - d) / width);
            rows.push((k, each.collect::<Vec<_>>()));
        }
        for (k, row) in &rows {
            for (i, value) in row.iter().enumerate() {
                // Of two of these parameters there are two differences.
                let other = rows.iter().find(|(j, _)| *j == i).map(|(_, r)| r[*k]);
                let mean = 0.5 * (value + other.unwrap_or(*value));
                h[k * n + i] = mean;
                h[i * n + k] = mean;
            }
        }
        self.follow(x)
    }

    fn keep<T>(&mut self, result: Result<T>, otherwise: T) -> T {
        result.unwrap_or_else(|error| {
            self.failure.get_or_insert(error);
            otherwise
        })
    }
}

/// Σ over all numbers of all slots.
fn inner(a: &Slots, b: &Slots) -> f64 {
    let of = |(name, by): &(&'static str, Vec<f64>)| {
        let found = a.iter().find(|(n, _)| n == name);
        let pairs = found.map(|(_, a)| a.iter().zip(by).map(|(a, b)| a * b).sum());
        pairs.unwrap_or(0.0)
    };
    b.iter().map(of).sum()
}

impl Objective for Following<'_> {
    fn dim(&self) -> usize {
        self.model.spec().parameters.len()
    }

    fn value(&mut self, x: &[f64]) -> f64 {
        let value = match self.follow(x) {
            Ok(true) => self.model.twice_nll(x, self.data),
            Ok(false) => Ok(f64::NAN),
            Err(error) => Err(error),
        };
        self.keep(value, f64::NAN)
    }

    fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
        let value = self.total(x, g);
        self.keep(value, f64::NAN)
    }

    fn hessian(&mut self, x: &[f64], h: &mut [f64]) -> std::result::Result<(), Unavailable> {
        let found = self.total_hessian(x, h);
        if self.keep(found, false) {
            Ok(())
        } else {
            Err(Unavailable)
        }
    }

    fn separable(&self) -> &[usize] {
        &self.separable
    }

    fn threads(&self) -> usize {
        self.model.threads()
    }
}

/// The rates of a model whose templates follow, with their derivatives by what they follow.
struct Rates<'a>(&'a mut dyn Moving);

impl Moves for Rates<'_> {
    fn rates(&mut self, model: &mut Model, point: &[f64]) -> Result<Vec<(usize, Vec<f64>)>> {
        let parameters = self.0.parameters().to_vec();
        let values: Vec<f64> = parameters.iter().map(|k| point[*k]).collect();
        let Some(moved) = self.0.at(&values) else {
            // Rates would be those of another point.
            return Err(Error::Minimiser {
                message: format!(
                    "there are no templates where the followed parameters are {values:?}"
                ),
            });
        };
        let mut out = Vec::new();
        for (k, by) in parameters.into_iter().zip(&moved.by) {
            // Along the derivatives of the templates: rates are smooth in these.
            let mut at = |step: f64| -> Result<Vec<f64>> {
                let slots = moved.slots.iter().map(|(name, values)| {
                    let found = by.iter().find(|(n, _)| n == name);
                    let d = |i: usize| found.and_then(|(_, d)| d.get(i)).copied().unwrap_or(0.0);
                    let each = values.iter().enumerate();
                    (
                        *name,
                        each.map(|(i, v)| v + step * d(i)).collect::<Vec<_>>(),
                    )
                });
                model.set_templates(&slots.collect::<Vec<_>>())?;
                model.expected(point)
            };
            let (up, down) = (at(STEP)?, at(-STEP)?);
            let each = up.iter().zip(&down);
            out.push((k, each.map(|(u, d)| (u - d) / (2.0 * STEP)).collect()));
        }
        model.set_templates(&moved.slots)?;
        Ok(out)
    }
}

/// [`fit`](super::fit) where templates are functions of some parameters: −2 ln L(θ, T(θ)).
///
/// The model has to be [`Model::open`]: no program is compiled when templates move. The gradient is that of the model at fixed templates, and ∂(−2 ln L)/∂T · dT/dθ; the
/// Hessian is exact in parameters that templates do not follow, its other rows are central differences of this gradient, two templates each.
///
/// # Errors
/// As [`fit`](super::fit); templates that the model refuses, and none at the start.
///
/// # Example
/// A yield 50 e^{θ/10} with a normal constraint of θ, of which 64 events are observed.
/// ```
/// use pullback_stats::fit::{FitOptions, Moved, Moving, fit_moving};
/// use pullback_stats::{Model, spec, workspace::Workspace};
/// let text = r#"{"version": "1.0.0", "measurements": [{"name": "m", "config": {"poi": "", "parameters": []}}],
///   "channels": [{"name": "c", "samples": [
///     {"name": "b", "data": [50.0], "modifiers": [{"name": "theta", "type": "normsys", "data": {"hi": 1, "lo": 1}}]}]}],
///   "observations": [{"name": "c", "data": [64.0]}]}"#;
/// struct Yield;
/// impl Moving for Yield {
///     fn parameters(&self) -> &[usize] {
///         &[0]
///     }
///     fn at(&mut self, theta: &[f64]) -> Option<Moved> {
///         let n = 50.0 * (theta[0] / 10.0).exp();
///         Some(Moved { slots: vec![("nominal", vec![n])], by: vec![vec![("nominal", vec![n / 10.0])]] })
///     }
/// }
/// let (workspace, _) = Workspace::from_slice(text.as_bytes())?;
/// let mut model = Model::open(spec::resolve(&workspace, &spec::Options::default())?)?;
/// let data = model.observed();
/// let result = fit_moving(&mut model, &data, &mut Yield, &mut FitOptions::default())?;
/// // θ = (64 − 50 e^{θ/10})/10 at the minimum.
/// let theta = result.parameters[0].value;
/// assert!((theta - (64.0 - 50.0 * (theta / 10.0).exp()) / 10.0).abs() < 1e-6);
/// # Ok::<(), pullback_stats::Error>(())
/// ```
pub fn fit_moving(
    model: &mut Model,
    data: &Data,
    moving: &mut dyn Moving,
    options: &mut FitOptions<'_>,
) -> Result<FitResult> {
    let started = Instant::now();
    let problem = problem(model.spec(), options);
    let mut objective = Following::new(model, data, moving)?;
    if !objective.follow(&problem.start)? {
        return Err(Error::Minimiser {
            message: "there are no templates at the start".into(),
        });
    }
    check_rates(objective.model, data, &problem.start)?;
    let mut newton = Newton::new(options.minimiser);
    let mut nothing = |_: &Progress<'_>| ControlFlow::Continue(());
    let hook: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()> = match &mut options.hook {
        Some(hook) => hook,
        None => &mut nothing,
    };
    let minimum = newton.minimise_watched(&mut objective, &problem, hook);
    if let Some(error) = objective.failure.take() {
        return Err(error);
    }
    let minimum = minimum.map_err(|e: OptimError| Error::Minimiser {
        message: e.to_string(),
    })?;
    let mut result = outcome(objective.model.spec(), &problem, &minimum);
    result.seconds.fit = started.elapsed().as_secs_f64();
    if options.minimum_only {
        return Ok(result);
    }
    let started = Instant::now();
    let found = covariance(&mut objective, &problem, &minimum, 2.0);
    if let Some(error) = objective.failure.take() {
        return Err(error);
    }
    with_errors(&mut result, found, model.spec());
    let point: Vec<f64> = result.parameters.iter().map(|p| p.value).collect();
    let covariance = result.covariance.as_ref();
    result.yields = channel_yields(model, data, &point, covariance, &mut [&mut Rates(moving)])?;
    result.seconds.covariance = started.elapsed().as_secs_f64();
    Ok(result)
}
