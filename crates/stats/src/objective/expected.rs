//! Expected sensitivities with nuisance parameters profiled on Asimov data, and their derivatives with respect to every template.

use super::asimov::{Asimov, Profile};
use crate::error::{Error, Result};
use crate::fit::{Factor, NotPositive, Response};
use crate::model::{Model, Pullback, Slots};
use crate::spec::ModelSpec;

/// The value of an objective and its derivatives.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// The value.
    pub value: f64,
    /// Its derivatives with respect to every template number, by slot and in the order of [`Model::template_gradient`].
    pub gradient: Slots,
    /// What to know about the derivatives, one sentence each: parameters at bounds, bins without expectation.
    pub notes: Vec<String>,
    /// Fits that were made.
    pub fits: usize,
}

/// An expected limit, [`Expected::limit`].
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Which quantile of the background-only hypothesis, in standard deviations: 0 is the median.
    pub n_sigma: f64,
    /// The limit.
    pub limit: Expectation,
}

/// The objectives of one model.
///
/// All are taken on *nominal* Asimov data: main data are the rates and auxiliary data the expectations of the constraint terms, with the parameters at their
/// initial values and the parameter of interest at µ_A. Nothing observed enters.
///
/// | objective | µ_A | value |
/// |---|---|---|
/// | [`Self::sigma`] | µ | σ_µ = √(2 (H⁻¹)_µµ), H the Hessian of −2 ln L, at µ |
/// | [`Self::cross_section_uncertainty`] | µ | σ_µ/µ |
/// | [`Self::discovery_significance`] | 1 | √q₀, the median significance of a discovery |
/// | [`Self::limit`] | 0 | µ with CLs(µ) = α from the asymptotic distributions of q̃_µ |
///
/// A derivative says what happens when a number of the workspace changes and the Asimov data, which are made of it, change with it: nominal yields,
/// variations of histosys and normsys, uncertainties of staterror and shapesys (with the widths and rates that follow from them).
///
/// ```text
/// q(µ) = f(x̂(µ)) − f(x_A)      dq = ∂f(x̂) − ∂f(x_A)  with x̂ held (envelope rule), over templates and data; data by dn = ∂rate(x_A)
/// limit q(µ) = c²              dµ = −∂q/(∂q/∂µ), which is −∂CLs/(∂CLs/∂µ)
/// σ² = 2 (H⁻¹)_µµ              dσ² = −2 d(vᵀHv) at fixed v = H⁻¹e_µ; x_A is the minimum for all templates, so nothing else moves
/// ```
///
/// Differentiability: a value of −2 ln L at its smallest is differentiable also where a nuisance parameter is at a bound, as long as the minimum is unique. σ holds
/// parameters that start at a bound, and its derivative then holds on that side only; [`Expectation::notes`] names both. Where q is exactly zero
/// (no signal) the significance is 0 with derivative 0, as in [`super::counting`]. Bins that expect nothing at all have data that cannot move smoothly: their data are
/// held, and a note says so.
///
/// # Example
/// One bin without systematics: the counting formula, and its derivatives by s (second cell) and b.
/// ```
/// use pullback_stats::objective::Expected;
/// use pullback_stats::{spec, workspace::Workspace};
/// let text = r#"{"version": "1.0.0", "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
///   "channels": [{"name": "c", "samples": [
///     {"name": "b", "data": [50.0], "modifiers": []},
///     {"name": "s", "data": [10.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": null}]}]}],
///   "observations": [{"name": "c", "data": [64.0]}]}"#;
/// let (workspace, _) = Workspace::from_slice(text.as_bytes())?;
/// let mut expected = Expected::new(spec::resolve(&workspace, &spec::Options::default())?)?;
/// let z = expected.discovery_significance()?;
/// let q = 2.0 * (60.0 * 1.2_f64.ln() - 10.0);
/// assert!((z.value - q.sqrt()).abs() < 1e-12);
/// assert!((z.gradient[0].1[1] - 1.2_f64.ln() / q.sqrt()).abs() < 1e-12);
/// assert!((expected.sigma(1.0)?.value - 60.0_f64.sqrt() / 10.0).abs() < 1e-12);
/// # Ok::<(), pullback_stats::Error>(())
/// ```
///
/// Reference: G. Cowan et al., Eur. Phys. J. C 71 (2011) 1554, sections 3.2, 3.4 and 4; A. Read, J. Phys. G 28 (2002) 2693 (CLs); J. Danskin, SIAM J. Appl.
/// Math. 14 (1966) 641 (the envelope rule with bounds).
pub struct Expected {
    pub(super) model: Model,
    poi: usize,
    pullback: Option<Pullback>,
    response: Option<Response>,
    /// The solution of the last conditional fit on background-only data, where the next one starts.
    pub(super) warm: Option<Profile>,
}

impl Expected {
    /// Compiles the likelihood. Programs of derivatives are made when first needed, and kept.
    ///
    /// # Errors
    /// [`Error::NoObjective`] without a parameter of interest.
    pub fn new(spec: ModelSpec) -> Result<Self> {
        Self::with_model(Model::new(spec)?)
    }

    /// The likelihood with its templates as inputs ([`Model::open`]): for a loop of [`Self::set_templates`], in which nothing is recorded or compiled again.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn open(spec: ModelSpec) -> Result<Self> {
        Self::with_model(Model::open(spec)?)
    }

    fn with_model(model: Model) -> Result<Self> {
        let Some(poi) = model.spec().poi else {
            return Err(Error::NoObjective {
                objective: "expected sensitivity",
                reason: "the model has no parameter of interest".into(),
                help: "name a parameter of interest",
            });
        };
        Ok(Self {
            model,
            poi,
            pullback: None,
            response: None,
            warm: None,
        })
    }

    /// The model.
    pub fn spec(&self) -> &ModelSpec {
        self.model.spec()
    }

    /// The parameter of interest, an index into [`ModelSpec::parameters`].
    pub fn poi(&self) -> usize {
        self.poi
    }

    /// [`Model::set_templates`]: the next step of an optimisation. Programs of derivatives are kept.
    ///
    /// # Errors
    /// As there; then nothing is changed.
    pub fn set_templates<S: AsRef<[f64]>>(&mut self, slots: &[(&str, S)]) -> Result<()> {
        self.model.set_templates(slots)?;
        let spec = self.model.spec();
        if let Some(pullback) = &mut self.pullback {
            pullback.refresh(spec);
        }
        if let Some(response) = &mut self.response {
            response.refresh(spec);
        }
        Ok(())
    }

    /// Forgets the last limit, from which the search for the next one starts. A value then does not depend on what was computed before, to the bit: for runs that are
    /// resumed. It costs a few fits.
    pub fn forget(&mut self) {
        self.warm = None;
    }

    /// The error of the parameter of interest on Asimov data at µ.
    ///
    /// # Errors
    /// [`Error::NoObjective`] where the Hessian is not positive definite, or the parameter of interest is fixed.
    pub fn sigma(&mut self, mu: f64) -> Result<Expectation> {
        let (spec, poi) = (self.spec(), self.poi);
        let name = "expected error";
        let refuse = |reason: String, help| Error::NoObjective {
            objective: name,
            reason,
            help,
        };
        if spec.parameters[poi].fixed {
            return Err(refuse(
                format!("`{}` is fixed", spec.parameters[poi].name),
                "let it float",
            ));
        }
        let asimov = Asimov::new(&mut self.model, poi, mu)?;
        let spec = self.model.spec();
        let mut notes = asimov.notes(spec);
        let inside = |k: usize, x: f64| {
            let [lower, upper] = spec.parameters[k].bounds;
            x > lower && x < upper
        };
        let mut free = Vec::new();
        for (k, &x) in asimov.point.iter().enumerate() {
            if spec.parameters[k].fixed {
                continue;
            }
            if k == poi || inside(k, x) {
                free.push(k);
            } else {
                notes.push(format!(
                    "`{}` starts at a bound and is held there: derivatives hold on that side only",
                    spec.parameters[k].name
                ));
            }
        }
        let factor =
            Factor::new(&mut self.model, &asimov.data, &free, &asimov.point).map_err(|e| match e {
                NotPositive::Failed(error) => error,
                NotPositive::Along(k) => {
                    let along = k.map(|k| format!(" along `{}`", asimov.names[k]));
                    refuse(
                        format!(
                            "the Hessian is not positive definite{}",
                            along.unwrap_or_default()
                        ),
                        "hold what the data do not determine, and give the parameter of interest some signal",
                    )
                }
            })?;
        let mut unit = vec![0.0; asimov.point.len()];
        unit[poi] = 1.0;
        let v = factor.solve(&unit)?;
        let sigma = (2.0 * v[poi]).sqrt();
        let spec = self.model.spec();
        let response = match &mut self.response {
            Some(response) => response,
            slot => slot.insert(Response::new(spec, None)?),
        };
        let phi = response.run(&asimov.point, &asimov.data, &v)?.phi;
        let pullback = pullback(&mut self.pullback, spec)?;
        // dσ = dσ²/2σ = −dφ/σ.
        let mut gradient = phi.slots;
        asimov.follow(spec, pullback, &phi.main, &phi.aux, &mut gradient)?;
        scale(&mut gradient, -1.0 / sigma);
        Ok(Expectation {
            value: sigma,
            gradient,
            notes,
            fits: 0,
        })
    }

    /// The relative error σ_µ/µ of the parameter of interest on Asimov data at µ: of a cross-section, if that is what it scales.
    ///
    /// # Errors
    /// As [`Self::sigma`], and at µ = 0.
    pub fn cross_section_uncertainty(&mut self, mu: f64) -> Result<Expectation> {
        if mu == 0.0 || !mu.is_finite() {
            return Err(Error::NoObjective {
                objective: "cross-section uncertainty",
                reason: format!("an error relative to µ = {mu} has no meaning"),
                help: "take it at µ = 1",
            });
        }
        let mut out = self.sigma(mu)?;
        out.value /= mu.abs();
        scale(&mut out.gradient, 1.0 / mu.abs());
        Ok(out)
    }

    /// The median significance with which the signal at µ = 1 is discovered, √q₀ on Asimov data at µ = 1.
    ///
    /// # Errors
    /// A conditional fit that does not converge, or that starts where something is observed and nothing expected (signal without background).
    pub fn discovery_significance(&mut self) -> Result<Expectation> {
        let asimov = Asimov::new(&mut self.model, self.poi, 1.0)?;
        let profile = asimov.profile(&mut self.model, self.poi, 0.0, None)?;
        let spec = self.model.spec();
        let pullback = pullback(&mut self.pullback, spec)?;
        let mut gradient = asimov.gradient_of_q(spec, pullback, &profile)?;
        let z = profile.q.sqrt();
        scale(&mut gradient, if z > 0.0 { 0.5 / z } else { 0.0 });
        let mut notes = asimov.notes(spec);
        notes.extend(profile.notes);
        Ok(Expectation {
            value: z,
            gradient,
            notes,
            fits: 1,
        })
    }

    pub(super) fn pullback(&mut self) -> Result<(&ModelSpec, &mut Pullback)> {
        let spec = self.model.spec();
        Ok((spec, pullback(&mut self.pullback, spec)?))
    }
}

fn pullback<'a>(slot: &'a mut Option<Pullback>, spec: &ModelSpec) -> Result<&'a mut Pullback> {
    Ok(match slot {
        Some(pullback) => pullback,
        None => slot.insert(Pullback::new(spec)?),
    })
}

pub(super) fn scale(gradient: &mut Slots, by: f64) {
    for value in gradient.iter_mut().flat_map(|(_, values)| values) {
        // An exact zero is the convention at the origin, whatever it multiplies.
        *value = if by == 0.0 { 0.0 } else { *value * by };
    }
}
