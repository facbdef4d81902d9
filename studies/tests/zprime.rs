//! The Z' study on few events.

use pullback_studies::zprime::{Samples, analysis, compare, gradients};

#[test]
fn both_ways_run_on_the_same_events_and_the_gradient_is_that_of_differences() {
    let folder = std::env::temp_dir().join(format!("pullback-zprime-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    Samples([3000, 12000, 3000, 2000])
        .generate(&folder, 5)
        .expect("written");
    let settings = "steps = 12\npretrain = 10\nvalidate = 4\nmin_entries = 2\nmax_mc_error = 1";
    let file = analysis(&folder, settings).expect("an analysis");
    let found = gradients(&file, 1).unwrap_or_else(|e| panic!("{e}"));
    assert!(found.rows.len() > 20 && found.events > 100);
    for (name, gradient, difference) in &found.rows {
        let near = (gradient - difference).abs() < 1e-5 * difference.abs().max(1e-3);
        assert!(near, "{name}: {gradient} {difference}");
    }
    let c = compare(&file, 5, 1).unwrap_or_else(|e| panic!("{e}"));
    std::fs::remove_dir_all(&folder).expect("removed");
    assert_eq!(c.steps[0], 12);
    assert!(c.steps[1] > 0 && c.seconds.iter().all(|s| *s > 0.0));
    for quote in [&c.start, &c.evolved, &c.cuts_alone, &c.gradient] {
        assert!(quote.value > 0.0 && quote.uncertainty > 0.0, "{quote:?}");
    }
}
