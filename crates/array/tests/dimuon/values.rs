//! Value and pathwise derivative.

use pullback_array::{Bindings, Column, Lowered, transform};

use crate::by_hand;
use crate::program::{generate, record};

#[test]
fn one_recording_serves_samples_of_any_multiplicity_and_any_scale() {
    let program = record();
    let forward = Lowered::new(transform::jvp(&program, &["s"]).unwrap()).unwrap();
    let reverse = Lowered::new(transform::grad(&program, "F", &["s", "pt"]).unwrap()).unwrap();
    let (mut ws, mut ws_reverse) = (forward.workspace(), reverse.workspace());
    let one = 1.0;
    for (events, seed) in [(20_000, 1), (1, 2), (7_001, 3), (0, 4)] {
        let sample = generate(events, seed);
        for s in [0.9, 1.0, 1.01, 1.5] {
            let (f, df) = by_hand::all(&sample, s);
            let mut columns = sample.columns(&s);
            reverse
                .run(&mut ws_reverse, &Bindings::ordered(&columns))
                .unwrap();
            columns.push(Column::from(&one));
            forward.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
            let close = |found: f64, expected: f64, what: &str| {
                let error = (found - expected).abs();
                assert!(
                    error <= 1e-10 * expected.abs().max(1.0),
                    "{events} events, s = {s}: {what} is {found}, expected {expected}"
                );
            };
            close(ws.scalar(0), f, "F");
            close(ws.scalar(1), df, "dF/ds");
            close(ws_reverse.scalar(0), f, "F in reverse");
            close(ws_reverse.scalar(1), df, "dF/ds in reverse");
            let along: f64 = ws_reverse
                .f64(2)
                .iter()
                .zip(&sample.pt)
                .map(|(g, pt)| g * pt)
                .sum();
            close(along / s, df, "the gradient for every pt along pt");
        }
    }
}
