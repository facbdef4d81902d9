//! How a workspace is to be resolved.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::workspace::{Limits, ModifierType};

/// Interpolation of a normsys between its two factors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum NormsysCode {
    /// Exponential: `hi^α` for α ≥ 0, `lo^(−α)` below. Code 1 of CERN-OPEN-2012-016, equation (5).
    Code1,
    /// Exponential outside [−1, 1], a polynomial of degree 6 inside that matches value and two derivatives. The default of pyhf.
    #[default]
    Code4,
}

/// Interpolation of a histosys between its two histograms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum HistosysCode {
    /// Piecewise linear. Code 0 of CERN-OPEN-2012-016, equation (4).
    Code0,
    /// Quadratic inside [−1, 1], linear outside.
    Code2,
    /// Polynomial of degree 6 inside [−1, 1], linear outside. The default of pyhf.
    #[default]
    Code4p,
}

impl NormsysCode {
    /// The name in pyhf.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code1 => "code1",
            Self::Code4 => "code4",
        }
    }
}

impl HistosysCode {
    /// The name in pyhf.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code0 => "code0",
            Self::Code2 => "code2",
            Self::Code4p => "code4p",
        }
    }
}

impl fmt::Display for NormsysCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for HistosysCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for NormsysCode {
    type Err = Error;

    /// Reads `code1`, `code4`, `1` or `4`.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text.strip_prefix("code").unwrap_or(text) {
            "1" => Ok(Self::Code1),
            "4" => Ok(Self::Code4),
            _ => Err(Error::Interpolation {
                modifier: ModifierType::Normsys,
                code: text.to_owned(),
            }),
        }
    }
}

impl FromStr for HistosysCode {
    type Err = Error;

    /// Reads `code0`, `code2`, `code4p`, `0`, `2` or `4p`.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text.strip_prefix("code").unwrap_or(text) {
            "0" => Ok(Self::Code0),
            "2" => Ok(Self::Code2),
            "4p" => Ok(Self::Code4p),
            _ => Err(Error::Interpolation {
                modifier: ModifierType::Histosys,
                code: text.to_owned(),
            }),
        }
    }
}

/// The interpolation codes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ModifierSettings {
    /// For normsys.
    pub normsys: NormsysCode,
    /// For histosys.
    pub histosys: HistosysCode,
}

/// Which parameter is the parameter of interest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PoiChoice {
    /// The one that the measurement names; an empty name there means none.
    #[default]
    Measurement,
    /// None.
    Without,
    /// The parameter of this name.
    Named(String),
}

/// How a workspace is to be resolved. The default is pyhf's: first measurement, its parameter of interest, codes 4 and 4p, nothing overridden.
///
/// Parameters are named as in [`super::Parameter::name`] (`mu`, `staterror_SR[2]`) or by their modifier (`staterror_SR`: all its components).
/// Overrides win over the measurement's configuration; a later one wins over an earlier one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// Name of the measurement; the first one if `None`.
    pub measurement: Option<String>,
    /// The parameter of interest.
    pub poi: PoiChoice,
    /// Interpolation codes.
    pub modifiers: ModifierSettings,
    /// Initial values.
    pub inits: Vec<(String, f64)>,
    /// Bounds, lower and upper.
    pub bounds: Vec<(String, [f64; 2])>,
    /// Parameters to hold, at a value or at their initial value.
    pub fix: Vec<(String, Option<f64>)>,
    /// Parameters to free that the measurement holds.
    pub free: Vec<String>,
    /// How large a model may be.
    pub limits: Limits,
}
