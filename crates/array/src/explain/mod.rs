//! Why a derivative is zero, NaN or infinite: which operation, under which name, at which element.
//!
//! ```text
//! let found = explain(&program, &columns, "F", &["s", "cut"])?;
//! println!("{found}");
//! // F = 1234.5
//! // dF/ds = -97.3
//! // dF/dcut = 0: no path carries a derivative
//! //   gt `pt > 20` decides: no derivative passes; 235286 elements, 1204 within a step of switching
//! // not seen by pathwise derivatives:
//! //   gt `pt > 20`: 235286 elements, 1204 within a step of switching
//! ```
//!
//! - `report`: what is said; `run`: a value of the program in one sweep of counts; `blocked`: operations that let no derivative pass; `births`: NaN and infinity
//!   where they arise, and whether they reach a result.

mod births;
mod blocked;
mod probe;
mod report;
mod run;

pub use report::{Birth, Blocker, Component, Decides, Explanation, Place, Stage, Why};
pub use run::{Steps, explain, explain_with};
