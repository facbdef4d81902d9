//! Widths that a transformed program has in addition: of windows around thresholds, of smoothed decisions.

use std::sync::Arc;

use pullback_ad::Real;

use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::program::Program;
use crate::space::Space;

/// A width: of the window around a threshold, or of the smoothing of a decision. In the units of the margin: of what is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Width {
    /// A number, fixed when the program is transformed.
    Value(f64),
    /// A scalar input of that name, which the transformed program has in addition: to be changed between runs. Several decisions may share one. Where it is not
    /// a positive finite number when it runs, what depends on it is NaN, and so are derivatives.
    Input(Arc<str>),
}

impl Width {
    /// An input of that name.
    pub fn input(name: &str) -> Self {
        Self::Input(Arc::from(name))
    }

    /// True for the name of the input that it adds.
    pub(super) fn is_input(&self, name: &str) -> bool {
        matches!(self, Self::Input(n) if &**n == name)
    }

    /// The width as a value of the program: a number, or an input that is declared once, and NaN where that is no width. `what` has it, called `label`.
    pub(super) fn record<'b>(&self, b: &'b Builder, label: &str, what: &str) -> Result<Sym<'b>> {
        match self {
            Self::Value(h) if h.is_finite() && *h > 0.0 => Ok(Sym::from(*h)),
            Self::Value(h) => Err(Error::Input {
                input: label.into(),
                message: format!("{what} {h}, expected a positive number"),
            }),
            Self::Input(name) => {
                let known = b.with_program(|p| p.find_input(name));
                let h = known.map_or_else(|| b.input(name, Space::SCALAR), |v| b.sym(v));
                let valid = h.gt(Sym::from(0.0)) & h.lt(Sym::from(f64::INFINITY));
                // As a factor, so that its derivative is NaN, too.
                Ok(h * valid.select(Sym::from(1.0), Sym::from(f64::NAN)))
            }
        }
    }
}

impl From<f64> for Width {
    fn from(value: f64) -> Self {
        Self::Value(value)
    }
}

/// `out` with the inputs of `program` first, and those that widths add after them.
pub(super) fn inputs_first(out: &mut Program, program: &Program) {
    out.inputs.sort_by_key(|(name, _)| {
        let place = program.inputs().iter().position(|(n, _)| n == name);
        place.unwrap_or(usize::MAX)
    });
}
