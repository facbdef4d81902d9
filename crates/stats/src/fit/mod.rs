//! Maximum-likelihood fits and what they return.

mod asimov;
mod moving;
mod response;
mod result;
mod run;
mod sensitivities;
mod yields;

pub use asimov::AsimovNuisances;
pub use moving::{Moved, Moving, fit_moving};
pub use pullback_optim::{NewtonOptions, Progress};
pub(crate) use response::{Factor, NotPositive, Response};
pub use result::{
    ChannelYields, Covariance, FitResult, FittedParameter, SampleYields, Seconds, Sensitivities,
    Side, Yield,
};
pub(crate) use run::minimise;
pub use run::{FitOptions, Hook, fit};
pub use sensitivities::sensitivities;
