//! Optimisations: the gradient of the whole chain, what is soft, what comes out.

mod events;
mod folds;
mod gradient;
mod refused;
mod training;
mod variants;
