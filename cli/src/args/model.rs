//! Options that say which model.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pullback_stats::spec::{HistosysCode, ModifierSettings, NormsysCode, Options, PoiChoice};
use pullback_stats::workspace::Limits;

use super::parse::{parse_bounds, parse_fix, parse_init, parse_size};

/// A workspace, and what to make of it.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// The workspace (pyhf JSON); `-` is stdin
    #[arg(
        value_name = "WORKSPACE",
        default_value = "-",
        hide_default_value = true
    )]
    pub workspace: PathBuf,

    /// Apply a JSON Patch, or a patch of a patchset: FILE or PATCHSET#NAME (NAME may be its values, like 1000,205,60); repeatable
    #[arg(short, long, value_name = "FILE[#NAME]")]
    pub patch: Vec<String>,

    /// The measurement [default: the first one]
    #[arg(long, value_name = "NAME")]
    pub measurement: Option<String>,

    /// The parameter of interest, '' for none [default: that of the measurement]
    #[arg(long, value_name = "NAME")]
    pub poi: Option<String>,

    /// Use only these channels, the control regions for example; the others are not looked at
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        conflicts_with = "exclude"
    )]
    pub channels: Vec<String>,

    /// Use all channels but these
    #[arg(long, value_name = "C,D", value_delimiter = ',')]
    pub exclude: Vec<String>,

    /// Hold a parameter, at a value or at its initial value; repeatable
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = parse_fix)]
    pub fix: Vec<(String, Option<f64>)>,

    /// Free a parameter that the measurement holds; repeatable
    #[arg(long, value_name = "NAME")]
    pub free: Vec<String>,

    /// Start a parameter at this value; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_init)]
    pub init: Vec<(String, f64)>,

    /// Bounds of a parameter (`inf` and `-inf` for none); repeatable
    #[arg(long, value_name = "NAME=LO,HI", value_parser = parse_bounds)]
    pub bounds: Vec<(String, [f64; 2])>,

    /// Interpolation of normsys
    #[arg(long, value_enum, value_name = "CODE", default_value_t = NormsysArg::Code4, help_heading = "Model")]
    pub normsys: NormsysArg,

    /// Interpolation of histosys
    #[arg(long, value_enum, value_name = "CODE", default_value_t = HistosysArg::Code4p, help_heading = "Model")]
    pub histosys: HistosysArg,

    /// Refuse documents larger than this, in bytes or with K, M, G (powers of 1024)
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "256M", help_heading = "Limits")]
    pub max_size: u64,

    /// Refuse models with more parameters
    #[arg(long, value_name = "N", default_value_t = Limits::default().parameters, help_heading = "Limits")]
    pub max_parameters: u64,

    /// Refuse models with more cells (bins of samples)
    #[arg(long, value_name = "N", default_value_t = Limits::default().cells, help_heading = "Limits")]
    pub max_cells: u64,

    /// Refuse models with more uses of modifiers
    #[arg(long, value_name = "N", default_value_t = Limits::default().modifiers, help_heading = "Limits")]
    pub max_modifiers: u64,
}

impl ModelArgs {
    /// The limits.
    pub fn limits(&self) -> Limits {
        Limits {
            bytes: self.max_size,
            cells: self.max_cells,
            modifiers: self.max_modifiers,
            parameters: self.max_parameters,
        }
    }

    /// How the workspace is to be resolved.
    pub fn options(&self) -> Options {
        Options {
            measurement: self.measurement.clone(),
            poi: match self.poi.as_deref() {
                None => PoiChoice::Measurement,
                Some("") => PoiChoice::Without,
                Some(name) => PoiChoice::Named(name.to_owned()),
            },
            modifiers: ModifierSettings {
                normsys: self.normsys.into(),
                histosys: self.histosys.into(),
            },
            inits: self.init.clone(),
            bounds: self.bounds.clone(),
            fix: self.fix.clone(),
            free: self.free.clone(),
            limits: self.limits(),
        }
    }
}

/// Codes of normsys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NormsysArg {
    /// Exponential.
    Code1,
    /// Exponential, polynomial inside ±1.
    Code4,
}

impl From<NormsysArg> for NormsysCode {
    fn from(code: NormsysArg) -> Self {
        match code {
            NormsysArg::Code1 => Self::Code1,
            NormsysArg::Code4 => Self::Code4,
        }
    }
}

/// Codes of histosys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistosysArg {
    /// Piecewise linear.
    Code0,
    /// Quadratic inside ±1.
    Code2,
    /// Polynomial inside ±1.
    Code4p,
}

impl From<HistosysArg> for HistosysCode {
    fn from(code: HistosysArg) -> Self {
        match code {
            HistosysArg::Code0 => Self::Code0,
            HistosysArg::Code2 => Self::Code2,
            HistosysArg::Code4p => Self::Code4p,
        }
    }
}
