//! The likelihood at a point.

use serde::Serialize;

/// A name and a number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NamedValue {
    /// The name.
    pub name: String,
    /// The number.
    pub value: f64,
}

/// What `eval` gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// −2 ln L with all constants.
    pub twice_nll: f64,
    /// The point.
    pub parameters: Vec<NamedValue>,
    /// The gradient of `twice_nll`, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient: Option<Vec<f64>>,
    /// The rows of the Hessian of `twice_nll`, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hessian: Option<Vec<Vec<f64>>>,
}
