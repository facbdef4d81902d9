//! From a workspace to a resolved, checked description of the model.
//!
//! [`resolve`] chooses a measurement, orders channels, samples and parameters as pyhf does, finds the constraint of each parameter and says which
//! parameter acts on which cells. A *cell* is one bin of one sample in one channel. The expected rate of bin b is (HistFactory, CERN-OPEN-2012-016;
//! pyhf, JOSS 6 (2021) 2823)
//!
//! ```text
//! ν_b = Σ_samples (nominal + Σ_histosys Δ(α)) · Π_factors κ
//! ```
//!
//! with factors from normfactor, normsys, lumi, shapefactor, shapesys and staterror.

mod inspect;
mod layout;
mod model;
mod options;
mod parameters;
mod resolve;
mod templates;

pub use inspect::{ChannelSummary, Inert, ModifierSummary, ParameterSummary, Summary, summarise};
pub use model::{
    Application, ChannelSpec, Constraint, Derived, Effect, ModelSpec, ModifierSpec, Parameter,
    ParameterKind, ParameterSet, SampleSpec,
};
pub use options::{HistosysCode, ModifierSettings, NormsysCode, Options, PoiChoice};
pub use resolve::resolve;
