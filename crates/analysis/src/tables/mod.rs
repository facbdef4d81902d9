//! Binned tables: numbers that depend on numbers, as scale factors do. They are made here or read from CSV, ROOT histograms or correctionlib JSON.
//!
//! A table is a function of the language, of one argument per axis: `muon_sf(pt, abs(eta))`; its variations are `muon_sf.up(..)`, `muon_sf.down(..)` and whatever else
//! it has. Lower edges belong to their bin, as in histograms.
//!
//! # Differentiability
//! The numbers are constants, and a bin is a decision: the derivative by an argument is zero, `explain` names the table as the reason, and a relaxation that
//! takes the decision refuses it by that name.

mod correction;
mod csv;
mod define;
mod files;

pub(crate) use define::TableAxis;
pub use define::{Outside, Table};
pub use files::Select;
