//! New numbers for the templates of a resolved model, with what follows from them.

use super::{Constraint, Derived, Effect, ModelSpec};
use crate::error::{Error, Result};

/// Names of the template slots.
const SLOTS: [&str; 6] = [
    "nominal",
    "histosys_hi",
    "histosys_lo",
    "normsys_hi",
    "normsys_lo",
    "uncertainty",
];

impl ModelSpec {
    /// Replaces templates by slot, in the order of [`crate::Model::template_gradient`], and what follows from them: widths of staterrors, τ and auxiliary data of
    /// shapesys. Slots that are not named keep their numbers. On an error nothing is changed.
    ///
    /// What the templates decided about the *structure* of the model stays as it was resolved: a bin whose uncertainty was zero has no parameter, so a bin that
    /// has one must keep an uncertainty and a yield above zero.
    ///
    /// # Errors
    /// [`Error::Template`] for an unknown slot, a number that is not finite, a normsys factor or an uncertainty that is not positive where it must be;
    /// [`Error::Size`].
    pub fn set_templates<S: AsRef<[f64]>>(&mut self, slots: &[(&str, S)]) -> Result<()> {
        let mut out = self.clone();
        for (name, values) in slots {
            let Some(slot) = SLOTS.iter().find(|s| *s == name) else {
                return Err(refused(name, 0, f64::NAN, "there is no such slot"));
            };
            let values = values.as_ref();
            if let Some(k) = values.iter().position(|v| !v.is_finite()) {
                return Err(refused(slot, k, values[k], "it must be finite"));
            }
            out.replace(slot, values)?;
        }
        out.follow()?;
        *self = out;
        Ok(())
    }

    fn replace(&mut self, slot: &'static str, values: &[f64]) -> Result<()> {
        let mut places: Vec<&mut [f64]> = Vec::new();
        if slot == "nominal" {
            places.push(&mut self.nominal);
        } else {
            for a in &mut self.applications {
                match (&mut a.effect, slot) {
                    (Effect::Histosys { hi_data, .. }, "histosys_hi") => places.push(hi_data),
                    (Effect::Histosys { lo_data, .. }, "histosys_lo") => places.push(lo_data),
                    (Effect::Normsys { hi, .. }, "normsys_hi") => {
                        places.push(std::slice::from_mut(hi));
                    }
                    (Effect::Normsys { lo, .. }, "normsys_lo") => {
                        places.push(std::slice::from_mut(lo));
                    }
                    (
                        Effect::Staterror { uncertainty } | Effect::Shapesys { uncertainty },
                        "uncertainty",
                    ) => places.push(uncertainty),
                    _ => {}
                }
            }
        }
        let expected = places.iter().map(|p| p.len()).sum();
        if values.len() != expected {
            return Err(Error::Size {
                what: slot,
                found: values.len(),
                expected,
            });
        }
        if let (true, Some(k)) = (
            slot.starts_with("normsys"),
            values.iter().position(|v| *v <= 0.0),
        ) {
            return Err(refused(slot, k, values[k], "a factor must be positive"));
        }
        let mut rest = values;
        for place in places {
            let (here, next) = rest.split_at(place.len());
            place.copy_from_slice(here);
            rest = next;
        }
        Ok(())
    }

    /// σ and τ from the templates, as they are resolved.
    fn follow(&mut self) -> Result<()> {
        let (samples, applications, nominal) = (&self.samples, &self.applications, &self.nominal);
        let at = |application: usize, bin: usize| {
            let a = &applications[application];
            let uncertainty = match &a.effect {
                Effect::Staterror { uncertainty } | Effect::Shapesys { uncertainty } => {
                    uncertainty[bin]
                }
                _ => f64::NAN,
            };
            (nominal[samples[a.sample].cells.start + bin], uncertainty)
        };
        for p in &mut self.parameters {
            let bad = |what, value| Error::ParameterValue {
                name: p.name.clone(),
                what,
                value,
            };
            match (&p.derived, &mut p.constraint) {
                (Derived::Staterror { applications, bin }, Constraint::Normal { sigma, .. }) => {
                    let cells = || applications.iter().map(|&a| at(a, *bin));
                    let total: f64 = cells().map(|(n, _)| n).sum();
                    let squares: f64 = cells().map(|(_, u)| (u / total).powi(2)).sum();
                    *sigma = squares.sqrt();
                    if !(total > 0.0 && *sigma > 0.0 && sigma.is_finite()) {
                        return Err(bad("constraint width", *sigma));
                    }
                }
                (
                    Derived::Shapesys {
                        application,
                        bin,
                        tau: true,
                        aux: follows,
                    },
                    Constraint::Poisson { tau, aux },
                ) => {
                    let (n, u) = at(*application, *bin);
                    *tau = n.powi(2) / u.powi(2);
                    if !(n > 0.0 && u > 0.0 && *tau > 0.0 && tau.is_finite()) {
                        return Err(bad("rate factor (nominal/uncertainty)²", *tau));
                    }
                    if *follows {
                        *aux = *tau;
                        if let Some(k) = p.aux {
                            self.auxdata[k] = *tau;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn refused(slot: &str, entry: usize, value: f64, reason: &'static str) -> Error {
    Error::Template {
        slot: slot.to_owned(),
        entry,
        value,
        reason,
    }
}
