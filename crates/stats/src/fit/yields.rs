//! Expected yields before and after the fit, with their uncertainties.

use super::run::prefit_width;
use super::{ChannelYields, Covariance, SampleYields, Yield};
use crate::error::Result;
use crate::model::{Data, Model};

/// Yields of all channels at the initial values and at `point`.
pub(crate) fn channel_yields(
    model: &mut Model,
    data: &Data,
    point: &[f64],
    covariance: Option<&Covariance>,
) -> Result<Vec<ChannelYields>> {
    let inits = model.spec().inits();
    let n = inits.len();
    let before = State::new(model, &inits)?;
    let after = State::new(model, point)?;
    // Pre-fit, constrained parameters vary independently by their widths; free ones not at all.
    let widths: Vec<f64> = model
        .spec()
        .parameters
        .iter()
        .map(|p| {
            if p.fixed {
                0.0
            } else {
                prefit_width(p).unwrap_or(0.0)
            }
        })
        .collect();
    let prefit = |row: &[f64]| -> Option<f64> {
        Some(
            row.iter()
                .zip(&widths)
                .map(|(j, w)| (j * w).powi(2))
                .sum::<f64>()
                .sqrt(),
        )
    };
    let postfit = |row: &[f64]| -> Option<f64> {
        let c = covariance?;
        let active: Vec<usize> = (0..n).filter(|&i| row[i] != 0.0).collect();
        let variance: f64 = active
            .iter()
            .map(|&i| {
                active
                    .iter()
                    .map(|&j| row[i] * row[j] * c.get(i, j))
                    .sum::<f64>()
            })
            .sum();
        Some(variance.max(0.0).sqrt())
    };
    let spec = model.spec();
    Ok(spec
        .channels
        .iter()
        .map(|channel| {
            let bins = channel.bins.clone();
            let total = |state: &State, error: &dyn Fn(&[f64]) -> Option<f64>| {
                let mut row = vec![0.0; n];
                for b in bins.clone() {
                    row.iter_mut().zip(state.row(b)).for_each(|(r, j)| *r += j);
                }
                Yield {
                    value: state.rates[bins.clone()].iter().sum(),
                    error: error(&row),
                }
            };
            let list = |state: &State, error: &dyn Fn(&[f64]) -> Option<f64>| {
                bins.clone()
                    .map(|b| Yield {
                        value: state.rates[b],
                        error: error(state.row(b)),
                    })
                    .collect()
            };
            ChannelYields {
                channel: channel.name.clone(),
                observed: data.main[bins.clone()].to_vec(),
                prefit: list(&before, &prefit),
                postfit: list(&after, &postfit),
                samples: channel
                    .samples
                    .clone()
                    .map(|s| SampleYields {
                        name: spec.sample_name(s).to_owned(),
                        prefit: before.cells[spec.samples[s].cells.clone()].to_vec(),
                        postfit: after.cells[spec.samples[s].cells.clone()].to_vec(),
                    })
                    .collect(),
                prefit_total: total(&before, &prefit),
                postfit_total: total(&after, &postfit),
            }
        })
        .collect())
}

/// Rates, cells and the Jacobian of the rates at a point.
struct State {
    rates: Vec<f64>,
    cells: Vec<f64>,
    jacobian: Vec<f64>,
    n: usize,
}

impl State {
    fn new(model: &mut Model, point: &[f64]) -> Result<Self> {
        Ok(Self {
            rates: model.expected(point)?,
            cells: model.cells(point)?,
            jacobian: model.rate_jacobian(point)?,
            n: point.len(),
        })
    }

    fn row(&self, bin: usize) -> &[f64] {
        &self.jacobian[bin * self.n..(bin + 1) * self.n]
    }
}
