//! Expected yields before and after the fit, with their uncertainties.

use pullback_ad::SparseMatrix;

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
    let prefit = |row: &[(usize, f64)]| -> Option<f64> {
        let variance: f64 = row.iter().map(|(i, j)| (j * widths[*i]).powi(2)).sum();
        Some(variance.sqrt())
    };
    let postfit = |row: &[(usize, f64)]| -> Option<f64> {
        let c = covariance?;
        let variance: f64 = row
            .iter()
            .map(|&(i, x)| x * row.iter().map(|&(j, y)| y * c.get(i, j)).sum::<f64>())
            .sum();
        Some(variance.max(0.0).sqrt())
    };
    let spec = model.spec();
    Ok(spec
        .channels
        .iter()
        .map(|channel| {
            let bins = channel.bins.clone();
            let total = |state: &State, error: &RowError<'_>| {
                let mut row = vec![0.0; n];
                for (i, x) in bins.clone().flat_map(|b| state.jacobian.row(b)) {
                    row[i] += x;
                }
                let row: Vec<(usize, f64)> = row
                    .into_iter()
                    .enumerate()
                    .filter(|(_, x)| *x != 0.0)
                    .collect();
                Yield {
                    value: state.rates[bins.clone()].iter().sum(),
                    error: error(&row),
                }
            };
            let list = |state: &State, error: &RowError<'_>| {
                bins.clone()
                    .map(|b| Yield {
                        value: state.rates[b],
                        error: error(&state.jacobian.row(b).collect::<Vec<_>>()),
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

/// The error of a yield from its derivatives, (parameter, derivative).
type RowError<'a> = dyn Fn(&[(usize, f64)]) -> Option<f64> + 'a;

/// Rates, cells and the Jacobian of the rates at a point.
struct State {
    rates: Vec<f64>,
    cells: Vec<f64>,
    jacobian: SparseMatrix,
}

impl State {
    fn new(model: &mut Model, point: &[f64]) -> Result<Self> {
        Ok(Self {
            rates: model.expected(point)?,
            cells: model.cells(point)?,
            jacobian: model.rate_jacobian(point)?,
        })
    }
}
