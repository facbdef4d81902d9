//! Maximum-likelihood fits and what they return.

mod asimov;
mod result;
mod run;
mod sensitivities;
mod yields;

pub use asimov::AsimovNuisances;
pub use pullback_optim::{NewtonOptions, Progress};
pub use result::{
    ChannelYields, Covariance, FitResult, FittedParameter, SampleYields, Seconds, Sensitivities,
    Side, Yield,
};
pub use run::{FitOptions, Hook, fit};
pub use sensitivities::sensitivities;
