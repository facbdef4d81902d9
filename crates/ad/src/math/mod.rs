//! Elementary and special functions that vectorise.
#[macro_use]
mod table;

pub(crate) mod dd;
pub mod erf;
pub mod exp;
pub mod gamma;
pub mod hyperbolic;
pub mod inverse_trig;
pub mod ln;
pub mod logistic;
pub mod normal;
mod poly;
pub mod power;
pub mod scalar;
pub mod slice;
pub mod trig;
