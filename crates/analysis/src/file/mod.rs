//! The analysis file: one TOML document that a physicist reads without a manual.
//!
//! ```toml
//! include = "common.toml"                    # or several; what stands here wins, key by key. What is in braces is one value
//!
//! [analysis]
//! title      = "Z to mu mu"
//! luminosity = "10 /fb"
//! weight     = "genWeight"                   # of simulated events
//! certified  = "Cert_271036-284044.json"     # of observed events only these luminosity sections count
//! seed       = 1                             # of the draws
//!
//! [datasets.zmm]
//! files = "zmm_*.parquet"                    # relative to this file; `file.root:Events` names a table
//! cross_section = "2.0 nb"
//! generated = "genWeight"                    # summed over all events; or a number; without it events are counted
//! [datasets.data]
//! files = "data.root"
//! observed = true
//! energy = "MeV"                             # of columns that are energies by name; or { unit = "MeV", columns = ["lep_iso*"] }
//!
//! [campaigns.2018]                           # data sets with `campaign = "2018"` stand for this luminosity
//! luminosity = "59.8 /fb"                    # a `weight` and a `certified` of its own may follow
//!
//! links  = { "AnalysisPhotons.Truth" = "TruthElectrons" }   # of PHYSLITE, where they lead elsewhere than their names say
//!
//! [defaults.datasets]                        # what simulated data sets say if they say nothing; `energy` counts for observed ones, too
//! generated = "genWeight"
//! [defaults.systematics]                     # and systematics
//! processes = ["z*", "tt"]
//!
//! [parameters]                               # numbers that can vary: thresholds, scales
//! muon_scale = 0
//! [draws]                                    # random numbers, the same for an event whatever else is done
//! jer  = { on = "Jet", distribution = "normal" }   # a field of all jets: pt * (1 + 0.1 * jer)
//! boot = "poisson"                           # a number per event: normal, uniform, exponential, poisson
//! [objects]
//! mu = { from = "Muon", fields = { pt = "pt * (1 + 0.001 * muon_scale)" }, where = "pt > 25 GeV and abs(eta) < 2.4" }
//! ll = { combine = "mu as a, mu as b", where = "a.charge != b.charge" }
//! [columns]
//! m_ll = "max(mass(ll.a + ll.b))"
//!
//! [tables.muon_sf]                           # a function: muon_sf(pt, abs(eta)), muon_sf.up(..), muon_sf.down(..)
//! axes   = { pt = ["25 GeV", "40 GeV", "120 GeV"], abseta = [0, 1.2, 2.4] }
//! values = [[0.98, 0.97], [1.00, 0.99]]      # the last axis inside
//! error  = 0.01                              # or `up`, `down`, or any name under `variations`
//! outside = "clamp"                          # the nearest bin; or "error" (a weight that stops the run), or a number
//! [tables.trigger_sf]
//! file = "sf.root:h_trigger"                 # TH1, TH2, TH3; or a CSV; or correctionlib JSON with `with = { year = "2018" }`
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
//! [estimates.fakes]                          # observed events of another region, weighted, make a process
//! from    = "anti"                           # of kind control; or { SR = "anti", VR = "anti_VR" }
//! regions = ["SR"]                           # where it is a process
//! weight  = "fake_factor(lead.pt)"
//! minus   = ["tt", "zmm"]                    # simulated events of these processes there are subtracted, with the same weight
//!
//! [systematics]
//! luminosity = { norm = 0.02 }               # norm = { 2017 = 0.02, 2018 = 0.015 } by campaign; correlated = false: one for each
//! # One factor is mirrored; with `one_sided = true` the other side is nominal.
//! pileup     = { weight = ["puWeightUp / puWeight", "puWeightDown / puWeight"] }
//! scale      = { vector = "LHEScaleWeight", members = [0, 1, 3, 5, 7, 8], combine = "envelope" }
//! pdf        = { vector = "LHEPdfWeight", members = { from = 1, to = 100 }, combine = "hessian" }   # or "rms"
//! muon_scale = { parameter = "muon_scale", processes = "zmm" } # `method = "tangent"`: along the derivative at nominal
//! shower     = { files = { zmm = "zmm_herwig_*.parquet" } }      # mirrored, or one_sided; or up = { zmm = ".." }, down = { zmm = ".." }
//! top_pt     = { parameter = "top_pt", exact = true }   # moves weights alone: evaluated event by event in the fit of `pullback run`
//!
//! [fit]
//! poi      = "mu"
//! signal   = "zmm"
//! channels = { SR = "m_ll" }
//! prune    = { norm = 0.001, shape = 0.005 } # what is smaller is left out of the workspace
//! smooth   = "muon_scale"                    # shapes of these systematics (names or patterns), by 353QH twice
//! [fit.abcd.multijet]                        # a process without simulation: A = B * C / D, fitted to the data of all four channels
//! A = "SR"
//! B = "same_sign"                            # with the bins of A; B, C and D are control regions
//! C = "anti"
//! D = "anti_same_sign"                       # with the bins of C
//! transfer = "one"                           # one factor C / D, or one for each of the "bins"
//!
//! [optimize]                                 # what `pullback optimize` does
//! objective = "limit"                        # limit, significance, uncertainty, asimov, ..
//! free = ["pt_cut", "m_ll"]                  # parameters with a range; histograms, whose edges move
//! folds = 2                                  # odd and even: each event is judged by what was learned without it; without, `split`
//! batches = 10                               # a step sees one of ten parts of the training events; what that does to the objective is said
//! ```
//!
//! A parameter that can be free says where: `pt_cut = { start = "25 GeV", range = ["20 GeV", "80 GeV"] }`.
//!
//! Expressions are those of the [crate]; a key that is not known is an error with the nearest ones.

mod at;
mod build;
mod campaigns;
mod certified;
mod document;
mod draws;
mod energy;
mod estimates;
mod folds;
mod include;
mod model;
mod optimisation;
mod read;
mod tables;
mod types;
mod variants;

pub use certified::Certified;
pub(crate) use certified::{COLUMNS, whole};
pub use document::LARGEST;
pub use estimates::{Abcd, Estimate};
pub(crate) use folds::{Draws, cell};
pub use folds::{Folds, ToldApart};
pub use optimisation::{Free, Goal, Method, Optimisation, Softening};
pub use types::{
    AnalysisFile, Campaign, Combine, Effect, EnergyUnit, Evaluated, FitModel, Generated, Input,
    Plot, Prune, Region, RegionKind, Systematic,
};
