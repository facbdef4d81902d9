//! Expected yields before and after the fit, with their uncertainties.

use pullback_ad::SparseMatrix;

use super::run::prefit_width;
use super::{ChannelYields, Covariance, SampleYields, Yield};
use crate::error::Result;
use crate::model::{Data, Model};

/// Yields of all channels at the initial values and at `point`. `moves` hears where the model is looked at; what it answers are derivatives of the rates that the
/// model itself does not have, by parameter.
pub(crate) fn channel_yields(
    model: &mut Model,
    data: &Data,
    point: &[f64],
    covariance: Option<&Covariance>,
    moves: &mut [&mut dyn Moves],
) -> Result<Vec<ChannelYields>> {
    let inits = model.spec().inits();
    let n = inits.len();
    let before = State::new(model, &inits, moves)?;
    let after = State::new(model, point, moves)?;
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
                for (i, x) in bins.clone().flat_map(|b| state.row(b)) {
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
                        error: error(&state.row(b)),
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

/// Templates that are not those of the model everywhere.
pub(crate) trait Moves {
    /// Gives the model its templates at a point, and says by what parameters rates have further derivatives there.
    fn rates(&mut self, model: &mut Model, point: &[f64]) -> Result<Vec<(usize, Vec<f64>)>>;
}

/// The error of a yield from its derivatives, (parameter, derivative).
type RowError<'a> = dyn Fn(&[(usize, f64)]) -> Option<f64> + 'a;

/// Rates, cells and the Jacobian of the rates at a point.
struct State {
    rates: Vec<f64>,
    cells: Vec<f64>,
    jacobian: SparseMatrix,
    more: Vec<(usize, Vec<f64>)>,
}

impl State {
    fn new(model: &mut Model, point: &[f64], moves: &mut [&mut dyn Moves]) -> Result<Self> {
        let mut more = Vec::new();
        for m in moves {
            more.extend(m.rates(model, point)?);
        }
        Ok(Self {
            more,
            rates: model.expected(point)?,
            cells: model.cells(point)?,
            jacobian: model.rate_jacobian(point)?,
        })
    }
    /// Derivatives of the rate of a bin.
    fn row(&self, bin: usize) -> Vec<(usize, f64)> {
        let more = self.more.iter().map(|(k, d)| (*k, d[bin]));
        let mut row: Vec<(usize, f64)> = self.jacobian.row(bin).collect();
        for (k, d) in more {
            match row.iter_mut().find(|(i, _)| *i == k) {
                Some((_, known)) => *known += d,
                None => row.push((k, d)),
            }
        }
        row
    }
}
