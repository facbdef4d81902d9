//! Surface terms of thresholds: against events that are run again one by one, in both modes; edges of samples; what is refused.

#[path = "../ragged/harness.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod harness;

mod case;
mod estimates;
mod refusals;
mod reruns;
