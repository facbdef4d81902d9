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
pub(crate) mod prod;
pub(crate) mod quantify;
pub(crate) mod recurrence;
pub(crate) mod rows;
pub(crate) mod scatter;
pub(crate) mod select;
pub(crate) mod sort;
pub(crate) mod splat;
pub(crate) mod stop_gradient;
pub(crate) mod structure;
pub(crate) mod sum;
pub(crate) mod total;
pub(crate) mod unary;

use crate::primitive::PrimitiveRef;

pub(crate) const CONST: PrimitiveRef = PrimitiveRef(&constant::Const);
pub(crate) const DATA: PrimitiveRef = PrimitiveRef(&constant::DataArray);
pub(crate) const INPUT: PrimitiveRef = PrimitiveRef(&input::Input);
pub(crate) const SPLAT: PrimitiveRef = PrimitiveRef(&splat::Splat);
pub(crate) const TOTAL: PrimitiveRef = PrimitiveRef(&total::Total);
pub(crate) const EXPAND: PrimitiveRef = PrimitiveRef(&expand::Expand);
pub(crate) const SUM: PrimitiveRef = PrimitiveRef(&sum::Sum);
pub(crate) const SELECT: PrimitiveRef = PrimitiveRef(&select::Select);
pub(crate) const GATHER: PrimitiveRef = PrimitiveRef(&gather::Gather);
pub(crate) const SCATTER_ADD: PrimitiveRef = PrimitiveRef(&scatter::ScatterAdd);
pub(crate) const STOP_GRADIENT: PrimitiveRef = PrimitiveRef(&stop_gradient::StopGradient);
pub(crate) const PROD: PrimitiveRef = PrimitiveRef(&prod::Prod);
pub(crate) const EXCLUSIVE_PROD: PrimitiveRef = PrimitiveRef(&prod::ExclusiveProd);
pub(crate) const PREFIX_PROD: PrimitiveRef = PrimitiveRef(&recurrence::PrefixProd);
pub(crate) const RECURRENCE: PrimitiveRef = PrimitiveRef(&recurrence::Recurrence);
pub(crate) const FILTER_OFFSETS: PrimitiveRef = PrimitiveRef(&filter::FilterOffsets);
pub(crate) const FILTER_INDEX: PrimitiveRef = PrimitiveRef(&filter::FilterIndex);
pub(crate) const COMBINATION_OFFSETS: PrimitiveRef = PrimitiveRef(&combine::CombinationOffsets);
pub(crate) const COMBINATION_INDEX: PrimitiveRef = PrimitiveRef(&combine::CombinationIndex);
pub(crate) const CARTESIAN_OFFSETS: PrimitiveRef = PrimitiveRef(&combine::CartesianOffsets);
pub(crate) const CARTESIAN_INDEX: PrimitiveRef = PrimitiveRef(&combine::CartesianIndex);
pub(crate) const POSITION: PrimitiveRef = PrimitiveRef(&structure::Position);
pub(crate) const COUNTS: PrimitiveRef = PrimitiveRef(&structure::Counts);
pub(crate) const LOCATE: PrimitiveRef = PrimitiveRef(&structure::Locate);
pub(crate) const FIND: PrimitiveRef = PrimitiveRef(&extreme::Find);
pub(crate) const LOGSUMEXP: PrimitiveRef = PrimitiveRef(&logsumexp::LogSumExp);
pub(crate) const ARGSORT: PrimitiveRef = PrimitiveRef(&sort::ArgSort);
pub(crate) const BIN_INDEX: PrimitiveRef = PrimitiveRef(&bin::BinIndex);
pub(crate) const NEAREST_EDGE: PrimitiveRef = PrimitiveRef(&bin::NearestEdge);
pub(crate) const CONTRACT: PrimitiveRef = PrimitiveRef(&contract::Contract);

/// The larger of two; NaN if either is; the first at a tie.
#[inline(always)]
pub(crate) fn maximum(a: f64, b: f64) -> f64 {
    if a >= b || a.is_nan() { a } else { b }
}

/// The smaller of two; NaN if either is; the first at a tie.
#[inline(always)]
pub(crate) fn minimum(a: f64, b: f64) -> f64 {
    if a <= b || a.is_nan() { a } else { b }
}
