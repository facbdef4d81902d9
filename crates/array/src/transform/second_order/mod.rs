//! Exact Hessians by layers of second-order adjoints: `H = Σ Jᵀ diag(λ f″) J` over the non-linear nodes of a program, where λ is the adjoint of the node and
//! J the sparse Jacobian of its arguments ([`super::terms`]). One sweep of a program computes all weights and coefficients; rank-k updates add them up.
//!
//! - `rules`: the layers of a node, and those of a program; `partials`: second derivatives of a pointwise node.
//! - `record`: terms and layers while they are collected, and the programs of their weights, coefficients and places.
//! - `plan`: what runs; `order`: where its variables stand in the blocks.
//!
//! References: R. Gower & M. Mello, Optim. Methods Softw. 27 (2012) 251 (edge pushing); A. Griewank & A. Walther, Evaluating Derivatives, ch. 7.

mod order;
mod partials;
mod plan;
mod record;
mod rules;

pub(super) use order::Order;
pub use plan::HessianPlan;
pub(super) use plan::{coefficients, finite, pattern};
pub(super) use record::Recorder;
