//! What `pullback demo` shows.

mod workspace;

pub use workspace::WORKSPACE;
