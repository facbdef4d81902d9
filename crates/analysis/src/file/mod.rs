//! The analysis file: one TOML document that a physicist reads without a manual.
//!
//! ```toml
//! [analysis]
//! title      = "Z to mu mu"
//! luminosity = "10 /fb"
//! weight     = "genWeight"                   # of simulated events
//!
//! [datasets.zmm]
//! files = "zmm_*.parquet"                    # relative to this file; `file.root:Events` names a table
//! cross_section = "2.0 nb"
//! generated = "genWeight"                    # summed over all events; or a number; without it events are counted
//! [datasets.data]
//! files = "data.root"
//! observed = true
//!
//! [parameters]                               # numbers that can vary: thresholds, scales
//! muon_scale = 0
//! [objects]
//! mu = { from = "Muon", fields = { pt = "pt * (1 + 0.001 * muon_scale)" }, where = "pt > 25 GeV and abs(eta) < 2.4" }
//! ll = { combine = "mu as a, mu as b", where = "a.charge != b.charge" }
//! [columns]
//! m_ll = "max(mass(ll.a + ll.b))"
//!
//! [networks.nn]                              # a column per event, between 0 and 1
//! inputs = ["m_ll", "MET.pt", "sum(Jet.pt)"]
//! hidden = [32, 16]
//! activation = "tanh"                        # tanh, relu, silu, sigmoid, softplus
//! weights = "nn.json"                        # from a training; without it, drawn from `seed`
//!
//! [regions.SR]
//! kind = "signal"                            # signal (blind to observed data), control, validation
//! cuts = ["count(mu) >= 2", "60 GeV < m_ll < 120 GeV"]
//!
//! [histograms.m_ll]
//! of    = "m_ll"
//! bins  = 30
//! range = ["60 GeV", "120 GeV"]              # or edges = [60, 80, 100, 120]
//! label = "m(ll) [GeV]"
//!
//! [systematics]
//! luminosity = { norm = 0.02 }
//! pileup     = { weight = ["puWeightUp / puWeight", "puWeightDown / puWeight"] }
//! muon_scale = { parameter = "muon_scale", processes = "zmm" }
//!
//! [fit]
//! poi      = "mu"
//! signal   = "zmm"
//! channels = { SR = "m_ll" }
//!
//! [optimize]                                 # what `pullback optimize` does
//! objective = "limit"                        # limit, significance, uncertainty, asimov, ..
//! free = ["pt_cut", "m_ll"]                  # parameters with a range; histograms, whose edges move
//! ```
//!
//! A parameter that can be free says where: `pt_cut = { start = "25 GeV", range = ["20 GeV", "80 GeV"] }`.
//!
//! Expressions are those of the [crate]; a key that is not known is an error with the nearest ones.

mod at;
mod document;
mod model;
mod optimisation;
mod read;
mod types;

pub use document::LARGEST;
pub use optimisation::{Free, Goal, Method, Optimisation, Softening};
pub use types::{
    AnalysisFile, Effect, FitModel, Generated, Input, Plot, Region, RegionKind, Systematic,
};
