//! Asimov data: what is expected, as if it had been observed.

use super::run::{FitOptions, minimise};
use crate::error::{Error, Result};
use crate::model::{Data, Model};
use crate::spec::Constraint;

/// Where the nuisance parameters of an Asimov data set stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AsimovNuisances {
    /// At their pre-fit values: nothing observed enters.
    #[default]
    Nominal,
    /// At the conditional best fit to the observed data (pyhf's convention).
    Fitted,
}

impl Model {
    /// The Asimov data set at µ (the initial value of the parameter of interest if `None`): main data are the expected rates and auxiliary data the
    /// expectations of the constraint terms, both with the nuisance parameters where `nuisances` says.
    ///
    /// Reference: G. Cowan et al., Eur. Phys. J. C 71 (2011) 1554, section 3.2.
    ///
    /// # Errors
    /// µ without a parameter of interest; for `Fitted`, what [`super::fit`] may return, and a conditional fit that does not converge.
    pub fn asimov(
        &mut self,
        mu: Option<f64>,
        nuisances: AsimovNuisances,
        options: &mut FitOptions<'_>,
    ) -> Result<Data> {
        let mut point = self.spec().inits();
        match (mu, self.spec().poi) {
            (Some(mu), Some(poi)) => point[poi] = mu,
            (Some(_), None) => {
                return Err(Error::Minimiser {
                    message: "an Asimov data set at µ needs a parameter of interest; name one"
                        .into(),
                });
            }
            (None, _) => {}
        }
        if nuisances == AsimovNuisances::Fitted {
            let data = self.observed();
            if let (Some(mu), Some(poi)) = (mu, self.spec().poi) {
                options.fix.push((poi, mu));
            }
            let result = minimise(self, &data, options);
            if mu.is_some() && self.spec().poi.is_some() {
                options.fix.pop();
            }
            let (_, minimum) = result?;
            if !minimum.converged() {
                return Err(Error::Minimiser {
                    message: format!(
                        "the conditional fit for the Asimov data set {}",
                        minimum.status
                    ),
                });
            }
            point = minimum.x;
        }
        let main = self.expected(&point)?;
        let mut aux = vec![0.0; self.spec().auxdata.len()];
        for (k, p) in self.spec().parameters.iter().enumerate() {
            if let Some(a) = p.aux {
                aux[a] = match p.constraint {
                    Constraint::Poisson { tau, .. } => tau * point[k],
                    _ => point[k],
                };
            }
        }
        Ok(Data { main, aux })
    }
}
