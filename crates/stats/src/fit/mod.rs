//! Maximum-likelihood fits and what they return.

mod result;

pub use result::{
    ChannelYields, Covariance, FitResult, FittedParameter, SampleYields, Seconds, Sensitivities,
    Side, Yield,
};
