//! pyhf workspaces (JSON, format version 1.0.0): reading, checking, patching, selecting, writing, digests.
//!
//! A workspace holds channels (histogram regions) with samples (processes) whose yields are changed by modifiers, the observed data, and measurements
//! that name the parameter of interest and configure parameters. The format is that of pyhf 0.7 (Heinrich, Feickert, Stark, JOSS 6 (2021) 2823),
//! the model that of HistFactory (CERN-OPEN-2012-016).
//!
//! [`Workspace::from_slice`] reads and checks; what it returns is consistent, and [`crate::spec::resolve`] makes a model of it.

mod check;
mod digest;
mod edit;
mod limits;
mod locate;
mod md5;
mod patch;
mod patchset;
mod pointer;
mod raw;
mod read;
mod types;
mod warning;
mod write;

pub use digest::{md5_hex, sha256_hex};
pub use edit::{Prune, Rename};
pub use limits::Limits;
pub(crate) use locate::locate_error;
pub use patch::{Operation, Patch};
pub use patchset::{Digests, NamedPatch, PatchSet};
pub use pointer::Pointer;
pub(crate) use read::shorten;
pub use read::{read_json, read_limited};
pub use types::{
    Channel, Config, Measurement, Modifier, ModifierData, ModifierType, Observation,
    ParameterConfig, Sample, Workspace,
};
pub use warning::Warning;
