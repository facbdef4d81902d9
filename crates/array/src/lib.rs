//! The program IR, its transforms, ragged arrays and the block executor.

pub mod linalg;
