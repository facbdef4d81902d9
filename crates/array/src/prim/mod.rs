//! The primitives, one file each (or one file for a family), listed in [`crate::registry`].

pub(crate) mod along;
pub(crate) mod bin;
pub(crate) mod binary;
pub(crate) mod cast;
pub(crate) mod combine;
pub(crate) mod compare;
pub(crate) mod constant;
pub(crate) mod contract;
pub(crate) mod expand;
pub(crate) mod extreme;
pub(crate) mod family;
pub(crate) mod filter;
pub(crate) mod gather;
pub(crate) mod gemm;
pub(crate) mod input;
pub(crate) mod logic;
pub(crate) mod logsumexp;
mod names;
mod order;
pub(crate) mod places;
pub(crate) mod prod;
pub(crate) mod quantify;
pub(crate) mod recurrence;
pub(crate) mod rows;
pub(crate) mod rows_at;
pub(crate) mod scatter;
pub(crate) mod select;
pub(crate) mod sort;
pub(crate) mod splat;
pub(crate) mod stop_gradient;
pub(crate) mod structure;
pub(crate) mod sum;
pub(crate) mod total;
pub(crate) mod unary;

pub(crate) use names::*;
pub(crate) use order::{maximum, minimum};
