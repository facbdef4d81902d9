//! Means and deviations of the inputs of a network.

use super::perceptron::column;
use crate::error::{Error, Result};

/// Means and standard deviations of the inputs, from a sample that comes in chunks; each event counts by the absolute value of its weight.
///
/// mean = Σ|w|x/Σ|w|, deviation² = Σ|w|(x − mean)²/Σ|w|; chunks are joined without cancellation.
///
/// # Errors
/// An input that is not finite in some event: its derivatives would be NaN.
///
/// # Example
/// ```
/// use pullback_analysis::network::Network;
/// use pullback_analysis::{Analysis, Schema, schema::Column};
/// let schema = Schema::new([Column::new("x", pullback_array::DType::F64, false)]);
/// let model = Analysis::new().network("nn", Network::new(["x"], [2])).check(&schema)?;
/// let mut moments = model.network("nn").unwrap().moments();
/// moments.add(&[&[1.0, 2.0]], None)?;
/// moments.add(&[&[6.0]], Some(&[-2.0]))?;
/// // Mean 15/4 and deviation 2.28 of 1, 2, 6, 6.
/// assert_eq!(moments.standardisation(), [3.75, 1.0 / 5.1875_f64.sqrt()]);
/// # Ok::<(), pullback_analysis::Error>(())
/// ```
///
/// Reference: T. Chan, G. Golub and R. LeVeque, The American Statistician 37 (1983) 242, equation (2.1), with weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    network: String,
    inputs: Vec<String>,
    sum: f64,
    means: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    pub(crate) fn new(network: &str, inputs: &[String]) -> Self {
        Self {
            network: network.into(),
            inputs: inputs.to_vec(),
            sum: 0.0,
            means: vec![0.0; inputs.len()],
            squares: vec![0.0; inputs.len()],
        }
    }

    /// Adds events: a column for each input, as [`Perceptron::columns`](super::Perceptron::columns) names them, and perhaps a weight for each event.
    ///
    /// # Errors
    /// [`Error::Column`] for a value or weight that is not finite, or a column that is missing or of another length.
    pub fn add(&mut self, columns: &[&[f64]], weights: Option<&[f64]>) -> Result<()> {
        let events = columns.first().map_or(0, |c| c.len());
        let refuse = |column: String, message: String| Error::Column { column, message };
        let fits = |c: &[f64]| c.len() == events;
        if columns.len() != self.inputs.len() || !columns.iter().copied().chain(weights).all(fits) {
            let message = "has a number of values per event that does not fit".into();
            return Err(refuse(self.network.clone(), message));
        }
        let bad = |list: &[f64]| list.iter().copied().find(|x| !x.is_finite());
        for (k, values) in columns.iter().enumerate() {
            if let Some(x) = bad(values) {
                let message = format!("(`{}`) is {x} in an event", self.inputs[k]);
                return Err(refuse(column(&self.network, k), message));
            }
        }
        if let Some(x) = weights.and_then(bad) {
            let message = format!("is asked for moments with an event of weight {x}");
            return Err(refuse(self.network.clone(), message));
        }
        let weight = |i: usize| weights.map_or(1.0, |w| w[i].abs());
        let sum: f64 = (0..events).map(weight).sum();
        let both = self.sum + sum;
        if sum == 0.0 {
            return Ok(());
        }
        for (k, values) in columns.iter().enumerate() {
            let each = || values.iter().enumerate().map(|(i, x)| (weight(i), *x));
            let mean = each().map(|(w, x)| w * x).sum::<f64>() / sum;
            let squares: f64 = each().map(|(w, x)| w * (x - mean) * (x - mean)).sum();
            let apart = mean - self.means[k];
            self.means[k] += apart * sum / both;
            self.squares[k] += squares + apart * apart * self.sum * sum / both;
        }
        self.sum = both;
        Ok(())
    }

    /// Means, then one over standard deviations: the values of the input `NAME inputs` of the program. An input that is the same in all events has the
    /// deviation 1; without events, the means are 0.
    pub fn standardisation(&self) -> Vec<f64> {
        let inverse = self.squares.iter().map(|s| {
            let deviation = (s / self.sum).sqrt();
            if deviation > 0.0 && deviation.recip().is_finite() {
                deviation.recip()
            } else {
                1.0
            }
        });
        self.means.iter().copied().chain(inverse).collect()
    }
}
