//! The primitives that other modules refer to by name.

use crate::primitive::PrimitiveRef;

pub(crate) const CONST: PrimitiveRef = PrimitiveRef(&super::constant::Const);
pub(crate) const DATA: PrimitiveRef = PrimitiveRef(&super::constant::DataArray);
pub(crate) const INPUT: PrimitiveRef = PrimitiveRef(&super::input::Input);
pub(crate) const SPLAT: PrimitiveRef = PrimitiveRef(&super::splat::Splat);
pub(crate) const TOTAL: PrimitiveRef = PrimitiveRef(&super::total::Total);
pub(crate) const EXPAND: PrimitiveRef = PrimitiveRef(&super::expand::Expand);
pub(crate) const SUM: PrimitiveRef = PrimitiveRef(&super::sum::Sum);
pub(crate) const SELECT: PrimitiveRef = PrimitiveRef(&super::select::Select);
pub(crate) const GATHER: PrimitiveRef = PrimitiveRef(&super::gather::Gather);
pub(crate) const SCATTER_ADD: PrimitiveRef = PrimitiveRef(&super::scatter::ScatterAdd);
pub(crate) const STOP_GRADIENT: PrimitiveRef = PrimitiveRef(&super::stop_gradient::StopGradient);
pub(crate) const PROD: PrimitiveRef = PrimitiveRef(&super::prod::Prod);
pub(crate) const EXCLUSIVE_PROD: PrimitiveRef = PrimitiveRef(&super::prod::ExclusiveProd);
pub(crate) const PREFIX_PROD: PrimitiveRef = PrimitiveRef(&super::recurrence::PrefixProd);
pub(crate) const RECURRENCE: PrimitiveRef = PrimitiveRef(&super::recurrence::Recurrence);
pub(crate) const FILTER_OFFSETS: PrimitiveRef = PrimitiveRef(&super::filter::FilterOffsets);
pub(crate) const FILTER_INDEX: PrimitiveRef = PrimitiveRef(&super::filter::FilterIndex);
pub(crate) const COMBINATION_OFFSETS: PrimitiveRef =
    PrimitiveRef(&super::combine::CombinationOffsets);
pub(crate) const COMBINATION_INDEX: PrimitiveRef = PrimitiveRef(&super::combine::CombinationIndex);
pub(crate) const CARTESIAN_OFFSETS: PrimitiveRef = PrimitiveRef(&super::combine::CartesianOffsets);
pub(crate) const CARTESIAN_INDEX: PrimitiveRef = PrimitiveRef(&super::combine::CartesianIndex);
pub(crate) const POSITION: PrimitiveRef = PrimitiveRef(&super::structure::Position);
pub(crate) const COUNTS: PrimitiveRef = PrimitiveRef(&super::structure::Counts);
pub(crate) const LOCATE: PrimitiveRef = PrimitiveRef(&super::structure::Locate);
pub(crate) const FIND: PrimitiveRef = PrimitiveRef(&super::extreme::Find);
pub(crate) const LOGSUMEXP: PrimitiveRef = PrimitiveRef(&super::logsumexp::LogSumExp);
pub(crate) const ARGSORT: PrimitiveRef = PrimitiveRef(&super::sort::ArgSort);
pub(crate) const BIN_INDEX: PrimitiveRef = PrimitiveRef(&super::bin::BinIndex);
pub(crate) const NEAREST_EDGE: PrimitiveRef = PrimitiveRef(&super::bin::NearestEdge);
pub(crate) const CALL: PrimitiveRef = PrimitiveRef(&super::call::Call);
pub(crate) const CUSTOM_JVP: PrimitiveRef = PrimitiveRef(&super::custom::CustomJvp);
pub(crate) const CUSTOM_VJP: PrimitiveRef = PrimitiveRef(&super::custom::CustomVjp);
pub(crate) const CUSTOM_TANGENT: PrimitiveRef = PrimitiveRef(&super::custom::CustomTangent);
pub(crate) const PERMUTE: PrimitiveRef = PrimitiveRef(&super::permute::Permute);
pub(crate) const STACK: PrimitiveRef = PrimitiveRef(&super::stack::Stack);
pub(crate) const ELEMENT: PrimitiveRef = PrimitiveRef(&super::stack::Element);
pub(crate) const SCAN: PrimitiveRef = PrimitiveRef(&super::scan::ScanOp);
pub(crate) const SCAN_ADJOINT: PrimitiveRef = PrimitiveRef(&super::scan::AdjointOp);
pub(crate) const CONTRACT: PrimitiveRef = PrimitiveRef(&super::contract::Contract);
pub(crate) const CHOLESKY: PrimitiveRef = PrimitiveRef(&super::cholesky::Cholesky);
pub(crate) const TRIANGULAR_SOLVE: PrimitiveRef =
    PrimitiveRef(&super::triangular_solve::TriangularSolve);
pub(crate) const MATRIX_APPLY: PrimitiveRef = PrimitiveRef(&super::matrix_apply::MatrixApply);
pub(crate) const MATRIX_OUTER: PrimitiveRef = PrimitiveRef(&super::matrix_outer::MatrixOuter);
pub(crate) const LU: PrimitiveRef = PrimitiveRef(&super::lu::Lu);
pub(crate) const LU_SOLVE: PrimitiveRef = PrimitiveRef(&super::lu_solve::LuSolve);
pub(crate) const SLOGDET: PrimitiveRef = PrimitiveRef(&super::lu_solve::SlogDet);
pub(crate) const OFFSETS_OF: PrimitiveRef = PrimitiveRef(&super::offsets::OffsetsOf);
pub(crate) const SURFACE: PrimitiveRef = PrimitiveRef(&super::surface::Surface);
pub(crate) const MASKED_MUL: PrimitiveRef = PrimitiveRef(&super::masked_mul::MaskedMul);
pub(crate) const FROZEN_MUL: PrimitiveRef = PrimitiveRef(&super::surface::FrozenMul);
