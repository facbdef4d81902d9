//! A nominal Asimov data set that moves with the templates, and the profile likelihood on it.

use super::counting::m;
use crate::error::{Error, Result};
use crate::fit::{AsimovNuisances, FitOptions, minimise};
use crate::model::{Data, Model, Pullback, Slots};
use crate::spec::{Constraint, Derived, ModelSpec};

/// The data set, and the point that it was made at, which is where −2 ln L is smallest.
pub(super) struct Asimov {
    pub point: Vec<f64>,
    pub data: Data,
    pub names: Vec<String>,
    empty: Vec<usize>,
}

/// The conditional fit at a µ.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Profile {
    pub x: Vec<f64>,
    /// −2 ln of the profile likelihood ratio to the point of the Asimov data.
    pub q: f64,
    /// dq/dµ, along the profile.
    pub slope: f64,
    pub notes: Vec<String>,
}

impl Asimov {
    pub fn new(model: &mut Model, poi: usize, mu: f64) -> Result<Self> {
        let data = model.asimov(
            Some(mu),
            AsimovNuisances::Nominal,
            &mut FitOptions::default(),
        )?;
        let mut point = model.spec().inits();
        point[poi] = mu;
        if let Some((bin, rate)) = data
            .main
            .iter()
            .enumerate()
            .find(|(_, r)| r.is_nan() || **r < 0.0)
        {
            let spec = model.spec();
            let channel = spec.channels.iter().find(|c| c.bins.contains(&bin));
            return Err(Error::RateNotPositive {
                channel: channel.map_or_else(String::new, |c| c.name.clone()),
                bin: bin - channel.map_or(0, |c| c.bins.start),
                rate: *rate,
                observed: *rate,
            });
        }
        let zero = |(bin, rate): (usize, &f64)| (*rate == 0.0).then_some(bin);
        Ok(Self {
            empty: data.main.iter().enumerate().filter_map(zero).collect(),
            names: model
                .spec()
                .parameters
                .iter()
                .map(|p| p.name.clone())
                .collect(),
            point,
            data,
        })
    }

    /// A sentence about bins that expect nothing.
    pub fn notes(&self, spec: &ModelSpec) -> Vec<String> {
        let Some(&first) = self.empty.first() else {
            return Vec::new();
        };
        let channel = spec.channels.iter().find(|c| c.bins.contains(&first));
        let (count, verb) = match self.empty.len() {
            1 => ("1 bin".to_owned(), "expects"),
            n => (format!("{n} bins"), "expect"),
        };
        vec![format!(
            "{count} {verb} nothing, the first is bin {} of `{}`: derivatives there are those at held data",
            first - channel.map_or(0, |c| c.bins.start),
            channel.map_or("", |c| &c.name)
        )]
    }

    /// The smallest −2 ln L at µ, less that at the point of the data.
    pub fn profile(
        &self,
        model: &mut Model,
        poi: usize,
        mu: f64,
        start: Option<&[f64]>,
    ) -> Result<Profile> {
        let mut options = FitOptions {
            minimum_only: true,
            start: Some(start.unwrap_or(&self.point).to_vec()),
            fix: vec![(poi, mu)],
            ..FitOptions::default()
        };
        let (_, minimum) = minimise(model, &self.data, &mut options)?;
        if !minimum.converged() {
            return Err(Error::NoObjective {
                objective: "expected test statistic",
                reason: format!("the fit at µ = {mu} {}", minimum.status),
                help: "hold what the data do not determine",
            });
        }
        let mut notes = Vec::new();
        let at_bound: Vec<&str> = minimum
            .at_bound
            .iter()
            .enumerate()
            .filter(|(k, side)| side.is_some() && *k != poi)
            .map(|(k, _)| self.names[k].as_str())
            .collect();
        if !at_bound.is_empty() {
            notes.push(format!(
                "at a bound in the fit at µ = {mu:.4}, where they stay: {}",
                at_bound.join(", ")
            ));
        }
        Ok(Profile {
            q: self.ratio(model, &minimum.x)?,
            slope: minimum.gradient[poi],
            x: minimum.x,
            notes,
        })
    }

    /// −2 ln of the likelihood ratio of `x` to the point of the data. On these data it is a sum of terms that are zero at the latter and positive elsewhere, so that
    /// nothing cancels, however near the two are: with k(y) = y − ln(1 + y)
    ///
    /// ```text
    /// q = 2 Σ n k(rate/n − 1) + Σ ((θ − θ_A)/σ)² + 2 Σ a k(θ/θ_A − 1)
    /// ```
    fn ratio(&self, model: &mut Model, x: &[f64]) -> Result<f64> {
        // n k(y) with y = rate/n − 1.
        let poisson = |rate: f64, n: f64| {
            if n == 0.0 {
                rate
            } else {
                let y = (rate - n) / n;
                n * y * y * m(y)
            }
        };
        let rates = model.expected(x)?;
        let mut q: f64 = rates
            .iter()
            .zip(&self.data.main)
            .map(|(&rate, &n)| 2.0 * poisson(rate, n))
            .sum();
        for ((p, &x), &centre) in model.spec().parameters.iter().zip(x).zip(&self.point) {
            q += match p.constraint {
                Constraint::None => 0.0,
                Constraint::Normal { sigma, .. } => ((x - centre) / sigma).powi(2),
                Constraint::Poisson { tau, .. } => 2.0 * poisson(tau * x, tau * centre),
            };
        }
        Ok(q)
    }

    /// ∂q with respect to the templates, the data moving with them.
    pub fn gradient_of_q(
        &self,
        spec: &ModelSpec,
        pullback: &mut Pullback,
        profile: &Profile,
    ) -> Result<Slots> {
        let nothing = vec![0.0; self.data.main.len()];
        let there = pullback.run(&profile.x, &self.data, 1.0, &nothing)?;
        let here = pullback.run(&self.point, &self.data, -1.0, &nothing)?;
        let add = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<f64>>();
        let mut gradient = there.slots;
        accumulate(&mut gradient, &here.slots);
        let (main, aux) = (add(&there.main, &here.main), add(&there.aux, &here.aux));
        self.follow(spec, pullback, &main, &aux, &mut gradient)?;
        Ok(gradient)
    }

    /// Adds what comes through the data: n = rate(x_A), and a = τ θ_A for a Poisson constraint whose τ = (nominal/uncertainty)² follows from templates (pyhf
    /// `shapesys.py`). A normal constraint has its datum at θ_A, which does not move.
    pub fn follow(
        &self,
        spec: &ModelSpec,
        pullback: &mut Pullback,
        main: &[f64],
        aux: &[f64],
        gradient: &mut Slots,
    ) -> Result<()> {
        let mut main = main.to_vec();
        for &bin in &self.empty {
            main[bin] = 0.0;
        }
        let through = pullback.run(&self.point, &self.data, 0.0, &main)?;
        accumulate(gradient, &through.slots);
        let mut first = 0;
        let mut entry = Vec::with_capacity(spec.applications.len());
        for a in &spec.applications {
            entry.push(first);
            if a.effect.has_uncertainty() {
                first += spec.samples[a.sample].cells.len();
            }
        }
        for p in &spec.parameters {
            let (
                Derived::Shapesys {
                    application,
                    bin,
                    tau: true,
                    ..
                },
                Constraint::Poisson { .. },
                Some(k),
            ) = (&p.derived, p.constraint, p.aux)
            else {
                continue;
            };
            let cell = spec.samples[spec.applications[*application].sample]
                .cells
                .start
                + bin;
            let flow = 2.0 * aux[k] * self.data.aux[k];
            for (name, values) in gradient.iter_mut() {
                match *name {
                    "nominal" => values[cell] += flow / spec.nominal[cell],
                    "uncertainty" => {
                        let k = entry[*application] + bin;
                        values[k] -= flow / pullback.number("uncertainty", k);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

fn accumulate(into: &mut Slots, other: &Slots) {
    for ((_, a), (_, b)) in into.iter_mut().zip(other) {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    }
}
