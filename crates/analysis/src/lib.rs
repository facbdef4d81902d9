//! Expressions over events, compiled to one differentiable program.
//!
//! A physicist writes what a value is; this crate finds out what it is one of, and records it in the array engine: a selection is data (filters,
//! combinations, sorts are nodes), so that the program is recorded once, runs on any chunk of events, and is differentiated, relaxed and explained like any other.
//!
//! ```text
//! [objects]
//! mu   = { from = "Muon", where = "pt > 25 GeV and abs(eta) < 2.4 and pfRelIso04_all < 0.15", sort = "-pt" }
//! jets = { from = "Jet", fields = { pt = "pt * jes" }, where = "pt > 30 and abs(eta) < 2.5 and not near(mu, 0.4)" }
//! ll   = { combine = "mu as a, mu as b", where = "a.charge != b.charge" }
//! [columns]
//! m_ll = "mass(ll.a + ll.b)"                        # per pair
//! z    = "argmin(abs(m_ll - 91.2 GeV))"             # the best pair of each event
//! z_pt = "(z.a + z.b).pt"
//! ht   = "sum(jets.pt where jets.pt > 30)"
//! mt   = "transverse_mass(leading(mu), MET)"
//! [regions.SR]
//! cuts = ["count(mu) >= 2", "any(abs(m_ll - 91.2) < 10)", "MET.pt > 50"]
//! ```
//!
//! The values of that file are expressions; [`Analysis`] holds the definitions, [`Analysis::check`] gives them types against a [`Schema`] of columns,
//! [`Model::compile`] records what is asked for. The functions are listed in `docs/functions.md`, which [`functions::documentation`] writes.
//!
//! # The language, and why it is so
//!
//! - **The words are those of Python**, which the people who will write this know: `and`, `or`, `not`, `**`, `%`, chained comparisons (`60 < m < 120`),
//!   `a if c else b`, and its order of operators ([`syntax`] has the table). Three things are added: units (`91.2 GeV`), ranges as they are written on paper
//!   (`m in [60, 120)`), and `where`.
//! - **A value knows what there is one of**: one for everything, per event, per object of a collection. Coarser values repeat along finer ones. Two collections
//!   that have nothing to do with each other do not mix: `mu.pt + jets.pt` is an error that says so, not a cross product and not a broadcast by accident.
//!   A collection made of another by leaving out or sorting is finer than that one: `m_ll` fits to any selection of `ll`.
//! - **`x where c`** is the same for objects (`jets where pt > 30`), values per object (`jets.pt where btag > 0.5`) and values per event (`MET.pt where
//!   count(mu) > 1`). In the condition on objects the names of their fields stand alone, and `it` is the object itself.
//! - **Objects are values.** `argmin(..)`, `leading(mu)`, `mu[0]`, `mu.jet`, `ll.a` are objects: they have fields, sums of them are four-vectors, `==` asks
//!   whether two are the same one. So the best pair is found once and everything is asked of it. A column that is defined for the objects of a
//!   collection is a field of theirs: `z.m_ll`.
//! - **Fields can be replaced** (`fields = { pt = "pt * jes" }`): a calibrated momentum goes wherever a momentum goes, and a variation of `jes` is a lane of the
//!   whole selection.
//! - **Missing values** are stated once: what is computed from something missing is missing; a condition on it is neither true nor false (`and`, `or`, `not` as in
//!   Kleene's logic), and *what decides asks whether it is true*: a cut on the leading muon of an event without muons is not passed, nor is its opposite.
//!   `sum`, `count`, `min`, .. leave out what is missing; `exists(x)` and `default(x, y)` ask.
//! - **Units are checked where they are known on both sides.** A number without one fits everywhere and is in GeV, mm, ns or radian; columns of momenta and angles
//!   have theirs from their names.
//! - **A definition needs no order**, as in the file; circles are found. Each one is recorded once.
//! - **Binned tables are functions**: `muon_sf(mu.pt, abs(mu.eta))`, and `muon_sf.up(..)` is a variation ([`tables`]). `product(..)` makes one weight per event of them.
//! - **Every function is one entry of one table**: name, signature, documentation, types, program, an example that is a test.
//!
//! # What is differentiable
//!
//! Whatever is computed from columns and parameters, at a fixed selection; cuts, choices (`argmin`, `leading`), orders and counts have no pathwise derivative. The engine's
//! relaxations and surface terms take them as they take any program: every cut has its region and text as label, every object definition its name, and masks
//! keep their margins. `near` asks about
//! a soft selection by its masks; a sort, a union and `min_delta_r` of one are refused there by name.
//!
//! # Errors
//! Every [`enum@Error`] has its place in the expression and, where the text came from a file, in that ([`Source::within`]); [`render`] draws it.
//!
//! # Rooms
//! [`syntax`] (text to tree and back), `types` (names, types, collections), [`functions`] (the table), [`network`] (neural networks), `compile` (the program),
//! [`schema`], [`tables`] (binned scale factors), [`draws`] (random numbers of objects and events), [`units`].

mod compile;
mod define;
pub mod draws;
mod error;
pub mod exact;
pub mod file;
pub mod functions;
pub mod generated;
mod links;
pub mod network;
pub mod optimize;
mod place;
mod render;
pub mod run;
pub mod schema;
pub mod syntax;
pub mod tables;
mod types;
pub mod units;

pub use compile::{Compiled, Input, Output, What};
pub use define::{Analysis, Histogram, Object};
pub use draws::Draw;
pub use error::{Error, Result};
pub use place::{Place, Source, Span};
pub use render::{draw, render};
pub use schema::Schema;
pub use types::{CollectionId, Kind, Model, Per, Type};
