//! Minimisers and root finders against published problems with known answers.

mod bounds;
mod functions;
mod hard_places;
mod mgh;
mod mgh_functions;
mod nist;
mod number;
mod roots;
