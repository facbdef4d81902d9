//! Minimisers against published problems with known answers.

mod functions;
mod mgh;
mod mgh_functions;
mod number;
