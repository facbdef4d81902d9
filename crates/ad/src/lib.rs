//! Scalars for differentiable programs: dual numbers, jets, complex step, tape, special functions.
pub mod isa;
pub mod math;
