//! Expected limits.

use pullback_ad::Real;

use super::asimov::{Asimov, Profile};
use super::expected::{Band, Expectation, Expected, scale};
use crate::error::{Error, Result};

/// Most conditional fits for one limit.
const FITS: usize = 60;

/// Relative size of the last Newton step on µ; convergence is quadratic, and the step is taken.
const STEP: f64 = 1e-8;

impl Expected {
    /// The expected upper limit on µ at confidence level 1 − `alpha`: the median and other quantiles, `n_sigma` in standard deviations, of CLs limits from the
    /// asymptotic distributions of q̃_µ, on background-only Asimov data.
    ///
    /// With q_A(µ) on that data set CLs_N(µ) = Φ(N − √q_A)/Φ(N), so that each quantile is a crossing of the same curve: √q_A(µ) = N + Φ⁻¹(1 − αΦ(N)), found by Newton
    /// steps with the exact slope inside a bracket. Where the curve jumps over the crossing, because the likelihood has several minima, the limit is the jump, and
    /// [`Expectation::notes`] says so. A limit may lie beyond the upper bound of the parameter of interest.
    ///
    /// # Errors
    /// [`Error::NoObjective`] for α outside (0, 1), where the data say nothing about µ, and for fits that do not converge.
    ///
    /// # Example
    /// Without systematics and with s ≪ b, the median limit is 1.96 √b/s.
    /// ```
    /// use pullback_stats::objective::Expected;
    /// use pullback_stats::{spec, workspace::Workspace};
    /// let text = r#"{"version": "1.0.0", "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
    ///   "channels": [{"name": "c", "samples": [
    ///     {"name": "b", "data": [1e8], "modifiers": []},
    ///     {"name": "s", "data": [1e4], "modifiers": [{"name": "mu", "type": "normfactor", "data": null}]}]}],
    ///   "observations": [{"name": "c", "data": [1e8]}]}"#;
    /// let (workspace, _) = Workspace::from_slice(text.as_bytes())?;
    /// let mut expected = Expected::new(spec::resolve(&workspace, &spec::Options::default())?)?;
    /// let bands = expected.limit(0.05, &[0.0])?;
    /// assert!((bands[0].limit.value - 1.960).abs() < 1e-3);
    /// # Ok::<(), pullback_stats::Error>(())
    /// ```
    ///
    /// Reference: G. Cowan et al., Eur. Phys. J. C 71 (2011) 1554, sections 3.6.2 and 4.3, eq. 89; A. Read, J. Phys. G 28 (2002) 2693.
    pub fn limit(&mut self, alpha: f64, n_sigma: &[f64]) -> Result<Vec<Band>> {
        if !(alpha > 0.0 && alpha < 1.0) {
            return Err(refused(
                format!("α = {alpha} is not between 0 and 1"),
                "0.05 gives a limit at 95 % confidence level",
            ));
        }
        let poi = self.poi();
        let asimov = Asimov::new(&mut self.model, poi, 0.0)?;
        let mut bands = Vec::with_capacity(n_sigma.len());
        for &n in n_sigma {
            let crossing = n - (alpha * n.norm_cdf()).norm_quantile();
            if !(crossing > 0.0 && crossing.is_finite()) {
                return Err(refused(
                    format!("at {n} standard deviations there is no crossing for α = {alpha}"),
                    "quantiles within ±5 standard deviations",
                ));
            }
            let (mu, profile, fits) = self.crossing(&asimov, crossing)?;
            let (spec, pullback) = self.pullback()?;
            let mut gradient = asimov.gradient_of_q(spec, pullback, &profile)?;
            scale(&mut gradient, -1.0 / profile.slope);
            let mut notes = asimov.notes(spec);
            notes.extend(profile.notes.iter().cloned());
            self.warm = Some(profile);
            bands.push(Band {
                n_sigma: n,
                limit: Expectation {
                    value: mu,
                    gradient,
                    notes,
                    fits,
                },
            });
        }
        Ok(bands)
    }

    /// µ where √q_A = `wanted`, the fit next to it, and the number of fits.
    fn crossing(&mut self, asimov: &Asimov, wanted: f64) -> Result<(f64, Profile, usize)> {
        let poi = self.poi();
        let (mut lower, mut upper) = (0.0, f64::INFINITY);
        let known = self.warm.as_ref().filter(|p| p.q > 0.0 && p.x[poi] > 0.0);
        let mut start = known.map(|p| p.x.clone());
        // √q is nearly proportional to µ.
        let mut mu = known.map_or(1.0, |p| p.x[poi] * wanted / p.q.sqrt());
        for fits in 1..=FITS {
            let profile = match asimov.profile(&mut self.model, poi, mu, start.as_deref()) {
                // Far from the last solution, or with other templates, its point may be illegal.
                Err(Error::RateNotPositive { .. }) if start.is_some() => {
                    asimov.profile(&mut self.model, poi, mu, None)?
                }
                other => other?,
            };
            let root = profile.q.sqrt();
            if root < wanted {
                lower = mu;
            } else {
                upper = mu;
            }
            let step = (wanted - root) * 2.0 * root / profile.slope;
            let next = mu + step;
            if step.abs() <= STEP * mu {
                return Ok((next, profile, fits));
            }
            if upper - lower <= STEP * mu {
                // Another minimum takes over there: what is above is excluded, what is below is not.
                let mut profile = profile;
                profile.notes.push(format!(
                    "the profile likelihood jumps at {} = {mu:.4}, where another minimum takes over: the derivatives hold on one side of it",
                    asimov.names[poi]
                ));
                return Ok((mu, profile, fits));
            }
            if lower > 1e12 {
                break;
            }
            mu = if next > lower && next < upper {
                next.min(20.0 * mu)
            } else if upper.is_finite() {
                0.5 * (lower + upper)
            } else {
                4.0 * mu
            };
            start = Some(profile.x);
        }
        Err(refused(
            format!(
                "no µ below {lower:.3e} is excluded: the data say too little about `{}`",
                asimov.names[poi]
            ),
            "give the parameter of interest some signal",
        ))
    }
}

fn refused(reason: String, help: &'static str) -> Error {
    Error::NoObjective {
        objective: "expected limit",
        reason,
        help,
    }
}
