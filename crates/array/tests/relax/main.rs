//! Relaxed programs: their values by plain loops, their limit, their derivatives, what is refused.

#[path = "../surface/case.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod case;
#[path = "../ragged/harness.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod harness;

mod consumers;
mod moving;
mod refusals;
mod values;
