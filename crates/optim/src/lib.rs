//! Minimisers, root finders and implicit differentiation of their solutions.
