//! The samples of the primitives: the values that conventions fix.

use pullback_array::{Point, registry};

use crate::harness::{assert_close, run_any_cut};

#[test]
fn conventions_hold() {
    let mut fixed = 0;
    for primitive in registry::all() {
        for sample in primitive.samples() {
            let out = run_any_cut(&sample.program, &sample.inputs);
            assert!(
                sample.point == Point::Special || out.iter().flatten().all(|x| x.is_finite()),
                "{}: {}",
                primitive.name(),
                sample.what
            );
            if let Some(expected) = &sample.expected {
                for (found, expected) in out.iter().zip(expected) {
                    assert_close(
                        found,
                        expected,
                        1e-13,
                        &format!("{}: {}", primitive.name(), sample.what),
                    );
                }
                fixed += 1;
            }
        }
    }
    assert!(fixed > 20, "{fixed} samples with fixed values");
}
