//! A fit as a self-contained page of HTML with plots: no scripts, no network.

mod channels;
mod correlations;
mod derivatives;
mod image;
mod legend;
mod page;
mod palette;
mod poisson;
mod pulls;
mod scale;
mod svg;
mod yields;

pub use page::{Page, render};
