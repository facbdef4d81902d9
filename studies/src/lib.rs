//! Studies: physics that pullback is judged by. Each is a module here, small enough to be tested, and a program in `src/bin` that runs it at full size and
//! prints its table beside the published one: `cargo xtask study NAME`.

pub mod cma;
pub mod dimuon;
pub mod inferno;
pub mod zprime;
