//! The dimuon program, recorded once: values and both derivatives on several samples and at several scales, against plain loops and differences.

mod agc;
mod by_hand;
mod program;
mod total;
mod values;
