//! Elementary and special functions that vectorise.
pub mod exp;
pub mod ln;
mod poly;
pub mod scalar;
pub mod slice;
