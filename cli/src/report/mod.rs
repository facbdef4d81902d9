//! Fits, runs and optimisations as self-contained pages of HTML with plots: no scripts, no network.

mod analysis;
mod channels;
mod correlations;
mod derivatives;
mod drawing;
mod image;
mod legend;
mod page;
mod palette;
mod pdf;
mod poisson;
mod pulls;
mod scale;
mod sheet;
mod svg;
mod template;
mod yields;

pub use analysis::{Picture, optimize, pictures_of_optimisation, pictures_of_run, run};
pub use page::{Page, render};
