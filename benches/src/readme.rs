//! The Rust examples of the README are doctests of this crate, the only one that knows all others.
#![doc = include_str!("../../README.md")]
