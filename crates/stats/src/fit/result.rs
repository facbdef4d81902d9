//! What a fit returns: plain numbers and names, ready to print or to serialise.
//!
//! A number that could not be computed is `None` (`null` in JSON), never NaN.

use serde::{Serialize, Serializer};

use crate::spec::ParameterKind;

/// The result of a maximum-likelihood fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FitResult {
    /// −2 ln L at the best fit, with all constant terms (as pyhf's `twice_nll`).
    pub twice_nll: f64,
    /// Whether the minimiser reached its tolerance, with a Hessian that is positive definite in the free directions.
    pub converged: bool,
    /// What happened, in words: one sentence without a full stop.
    pub status: String,
    /// Estimated vertical distance to the minimum of `twice_nll`, ½ gᵀH⁻¹g over the free directions (as MIGRAD's edm).
    pub edm: f64,
    /// Steps of the minimiser.
    pub iterations: usize,
    /// Evaluations of the likelihood, with or without derivatives.
    pub evaluations: usize,
    /// The parameters in pyhf's order.
    pub parameters: Vec<FittedParameter>,
    /// Covariance of the parameters, 2 H⁻¹ of `twice_nll` in the free directions; `None` with a reason in `covariance_note`.
    pub covariance: Option<Covariance>,
    /// Why there is no covariance, or what to know about it.
    pub covariance_note: Option<String>,
    /// The parameter of interest, an index into `parameters`.
    pub poi: Option<usize>,
    /// Name of the measurement.
    pub measurement: String,
    /// SHA-256 of the workspace document, as pyhf's digest; whoever read the document sets it.
    pub digest: Option<String>,
    /// Where the time went.
    pub seconds: Seconds,
    /// Observed and expected yields of each channel, in the order of the model.
    pub yields: Vec<ChannelYields>,
    /// What to look at in the fit, one sentence each; what to look at in the workspace is in [`crate::spec::ModelSpec::warnings`].
    pub warnings: Vec<String>,
}

/// A parameter at the best fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedParameter {
    /// Its name, as pyhf writes it.
    pub name: String,
    /// What it is.
    #[serde(serialize_with = "kind_as_str")]
    pub kind: ParameterKind,
    /// Its value.
    pub value: f64,
    /// Its standard error from the covariance; `None` where it is fixed, at a bound, or the covariance is missing.
    pub error: Option<f64>,
    /// Where the fit started.
    pub init: f64,
    /// Lower and upper bound; an infinite one is `null` in JSON.
    pub bounds: [f64; 2],
    /// Whether it was held.
    pub fixed: bool,
    /// The bound it lies on, if the data push it against one.
    pub at_bound: Option<Side>,
    /// (value − prefit centre) / prefit width, for a constrained parameter.
    pub pull: Option<f64>,
    /// Post-fit error / prefit width, for a constrained parameter: below 1 where the data say something about it.
    pub constraint: Option<f64>,
}

/// A bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The lower one.
    Lower,
    /// The upper one.
    Upper,
}

impl Side {
    /// `lower` or `upper`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Upper => "upper",
        }
    }
}

/// A covariance matrix over all parameters; rows and columns of fixed ones are zero. In JSON a list of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    n: usize,
    values: Vec<f64>,
}

impl Covariance {
    /// From n × n values in row-major order; `None` if there are not that many.
    ///
    /// ```
    /// use pullback_stats::fit::Covariance;
    /// let c = Covariance::from_rows(2, vec![4.0, 1.0, 1.0, 1.0]).unwrap();
    /// assert_eq!(c.error(0), 2.0);
    /// assert_eq!(c.correlation(0, 1), 0.5);
    /// ```
    pub fn from_rows(n: usize, values: Vec<f64>) -> Option<Self> {
        (n.checked_mul(n) == Some(values.len())).then_some(Self { n, values })
    }

    /// Number of parameters.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there is no parameter.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// All values in row-major order.
    pub fn as_slice(&self) -> &[f64] {
        &self.values
    }

    /// The covariance of two parameters.
    ///
    /// # Panics
    /// If an index is not below [`Covariance::len`].
    pub fn get(&self, i: usize, j: usize) -> f64 {
        self.row(i)[j]
    }

    /// The covariances of one parameter with all.
    ///
    /// # Panics
    /// If the index is not below [`Covariance::len`].
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.n..(i + 1) * self.n]
    }

    /// The standard error of a parameter, zero for a fixed one.
    ///
    /// # Panics
    /// If the index is not below [`Covariance::len`].
    pub fn error(&self, i: usize) -> f64 {
        self.get(i, i).max(0.0).sqrt()
    }

    /// The linear correlation of two parameters in [−1, 1]; zero if one of them is fixed.
    ///
    /// # Panics
    /// If an index is not below [`Covariance::len`].
    pub fn correlation(&self, i: usize, j: usize) -> f64 {
        let scale = self.error(i) * self.error(j);
        if scale > 0.0 {
            (self.get(i, j) / scale).clamp(-1.0, 1.0)
        } else {
            0.0
        }
    }
}

impl Serialize for Covariance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((0..self.n).map(|i| self.row(i)))
    }
}

/// Seconds of wall time, by what they were spent on. The fit sets `fit` and `covariance`, whoever read and compiled the workspace the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Seconds {
    /// Reading, checking and patching the workspace.
    pub read: f64,
    /// From the workspace to a likelihood that can be evaluated.
    pub compile: f64,
    /// The minimisation.
    pub fit: f64,
    /// Covariance and yields.
    pub covariance: f64,
}

/// An expected yield.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Yield {
    /// The expectation.
    pub value: f64,
    /// Its uncertainty, by linear propagation: post-fit from the covariance, pre-fit from the widths of the constraints (free parameters do not
    /// enter).
    pub error: Option<f64>,
}

/// Yields of a channel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelYields {
    /// Name of the channel.
    pub channel: String,
    /// The data that were fitted, one per bin.
    pub observed: Vec<f64>,
    /// Expected yields at the initial values, one per bin.
    pub prefit: Vec<Yield>,
    /// Expected yields at the best fit, one per bin.
    pub postfit: Vec<Yield>,
    /// The same by sample, in the order of the model.
    pub samples: Vec<SampleYields>,
    /// Sum of the bins before the fit, with correlations in the error.
    pub prefit_total: Yield,
    /// Sum of the bins after the fit, with correlations in the error.
    pub postfit_total: Yield,
}

/// Yields of a sample in a channel, one per bin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleYields {
    /// Name of the sample.
    pub name: String,
    /// At the initial values.
    pub prefit: Vec<f64>,
    /// At the best fit.
    pub postfit: Vec<f64>,
}

/// How the estimate of the parameter of interest and its error move with the data and with the nominal yields of the signal, by implicit
/// differentiation of the best fit.
///
/// With g the gradient and H the Hessian of `twice_nll` in the free directions, dx̂/dd = −H⁻¹ ∂g/∂d; σ² = 2 (H⁻¹)_µµ and
/// dσ²/dd = −2 vᵀ(dH/dd)v at fixed v = H⁻¹e_µ, with the total derivative of H along the fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sensitivities {
    /// dµ̂/dn for each bin of the main data.
    pub poi_by_data: Vec<f64>,
    /// dσ_µ/dn for each bin of the main data.
    pub sigma_by_data: Vec<f64>,
    /// The cells that the parameter of interest scales, as indices into [`crate::spec::ModelSpec::nominal`].
    pub signal_cells: Vec<usize>,
    /// dµ̂/ds for each of these cells.
    pub poi_by_signal: Vec<f64>,
    /// dσ_µ/ds for each of these cells.
    pub sigma_by_signal: Vec<f64>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn kind_as_str<S: Serializer>(kind: &ParameterKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covariance_wants_a_square() {
        assert_eq!(Covariance::from_rows(2, vec![0.0; 3]), None);
        assert_eq!(Covariance::from_rows(usize::MAX, vec![]), None);
    }

    #[test]
    fn a_fixed_parameter_has_no_correlation() {
        let c = Covariance::from_rows(2, vec![4.0, 0.0, 0.0, 0.0]).unwrap();
        assert_eq!(
            (c.error(1), c.correlation(0, 1), c.correlation(1, 1)),
            (0.0, 0.0, 0.0)
        );
        assert_eq!(serde_json::to_string(&c).unwrap(), "[[4.0,0.0],[0.0,0.0]]");
    }
}
