//! A seeded generator of collider events, with the columns of NanoAOD.
//!
//! Proton-proton collisions at 13 TeV: a hard process with radiation and decays ([`Truth`]), a detector with acceptance, efficiencies and resolutions ([`response`],
//! [`Detector`]), jets, b-tags, missing momentum, weights. The physics is simple, stated, and right in shape; nothing here is a measurement. An event depends on its
//! seed and global id alone, so any range is generated alone, on any number of threads, with the same bits on every machine.
//!
//! | wanted | type |
//! |---|---|
//! | what can be generated | [`Process`] |
//! | events | [`Generator::generate`], [`Generator::chunks`] |
//! | columns, with units and meaning | [`Events::columns`], [`Events::schema`] |
//! | biases to be found again | [`Detector`] |
//! | the generator's record | [`Generator::truth`], [`Generator::keep_truth`] |
//!
//! What is left out: photon exchange and interference, spin correlations (decays are isotropic), fragmentation (a parton is a jet), neutrinos in jets, non-prompt leptons,
//! jets from pile-up.
//!
//! ```
//! use pullback_sim::{Generator, Process};
//!
//! let events = Generator::new(Process::ZToLL, 42)?.generate(0, 1000)?;
//! let pairs = (0..events.len()).filter(|i| events.muon.count[*i] == 2).count();
//! assert!((200..320).contains(&pairs));
//! # Ok::<(), pullback_sim::SimError>(())
//! ```

mod cluster;
mod columns;
mod decay;
mod detector;
mod draws;
mod error;
mod events;
mod four_lepton;
mod generator;
mod hard;
mod lepton;
pub mod pdg;
mod process;
mod reconstruct;
pub mod response;
mod truth;
mod vector;
mod weights;

pub use columns::{
    Column, ColumnData, ColumnInfo, ColumnType, ElectronColumns, EventColumns, GenPartColumns,
    JetColumns, MuonColumns, PdfColumns, ScaleColumns,
};
pub use detector::Detector;
pub use error::SimError;
pub use events::Events;
pub use generator::{Chunks, Generator};
pub use hard::SQRT_S;
pub use process::Process;
pub use truth::{Particle, Truth};
pub use vector::{FourVector, breakup_momentum, delta_phi, direction, two_body};
pub use weights::{PDF_MEMBERS, SCALES, alpha_s};
