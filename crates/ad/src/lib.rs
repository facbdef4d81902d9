//! Scalars for differentiable programs: dual numbers, jets, complex step, tape, special functions.
