//! Bad input: one clear error, the right exit code, nothing written, at once.

mod common;

use std::time::{Duration, Instant};

use common::{Folder, Run, TWO_CHANNELS};

/// Runs a fit of a document with outputs asked for, and checks that there is one error and no output.
fn refuse(document: &str, extra: &[&str]) -> Run {
    let folder = Folder::new();
    folder.write("ws.json", document);
    let mut args = vec!["fit", "ws.json", "-o", "out.json", "--report", "out.html"];
    args.extend(extra);
    let start = Instant::now();
    let run = folder.run(&args, "");
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(folder.files(), ["ws.json"]);
    assert_eq!(run.stdout, "");
    assert_eq!(run.stderr.matches("error[").count(), 1, "{}", run.stderr);
    assert_eq!(run.stderr.matches("help").count(), 1, "{}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

/// The workspace with one text replaced by another.
fn with(old: &str, new: &str) -> String {
    assert!(TWO_CHANNELS.contains(old), "{old}");
    TWO_CHANNELS.replacen(old, new, 1)
}

#[test]
fn each_kind_of_bad_input_has_its_code() {
    let bomb = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let deep = with("[4.0, 9.0, 6.0]", &bomb);
    let cases = [
        ("", "PB0302", 3),
        ("{\"channels\": [}", "PB0302", 3),
        (&TWO_CHANNELS[..900], "PB0302", 3),
        (&bomb, "PB0304", 3),
        (&deep, "PB0304", 3),
        (&with("4.0, 9.0", "NaN, 9.0"), "PB0302", 3),
        (&with("4.0, 9.0", "1e999, 9.0"), "PB0303", 3),
        (&with("4.0, 9.0", "\"4\", 9.0"), "PB0304", 3),
        ("[]", "PB0304", 3),
        ("{}", "PB0305", 3),
        (&with("\"data\": [4.0, 9.0, 6.0],", ""), "PB0305", 3),
        (
            &with("\"name\": \"SR\",", "\"name\": \"SR\", \"name\": \"X\","),
            "PB0306",
            3,
        ),
        (
            &with("\"type\": \"histosys\"", "\"type\": \"histosis\""),
            "PB0307",
            3,
        ),
        (
            &with("\"version\": \"1.0.0\"", "\"version\": \"2.0.0\""),
            "PB0308",
            3,
        ),
        (&with("[4.0, 9.0, 6.0]", "[4.0, 9.0]"), "PB0310", 3),
        (&with("[51, 33, 17]", "[51, -33, 17]"), "PB0311", 3),
        (
            &with("\"name\": \"CR_top\"", "\"name\": \"SR\""),
            "PB0312",
            3,
        ),
        (
            &with("{\"name\": \"SR\", \"data\": [51, 33, 17]},", ""),
            "PB0313",
            3,
        ),
        (
            &with(
                "{\"name\": \"norm_top\", \"type\": \"normfactor\", \"data\": null}",
                "{\"name\": \"jes\", \"type\": \"normfactor\", \"data\": null}",
            ),
            "PB0314",
            3,
        ),
        (
            &with(
                "{\"lo\": 0.96, \"hi\": 1.05}",
                "{\"lo\": -0.96, \"hi\": 1.05}",
            ),
            "PB0317",
            3,
        ),
        (&with("\"poi\": \"mu\"", "\"poi\": \"mu_SIG\""), "PB0319", 3),
        (
            &with("\"poi\": \"mu\"", "\"poi\": \"mc_stat_SR\""),
            "PB0320",
            3,
        ),
        (
            &with("[310.0, 190.0]", "[310.0, 0.0]")
                .replace("[318.0, 186.0]", "[318.0, 0.0]")
                .replace("[303.0, 196.0]", "[303.0, 0.0]"),
            "PB0350",
            3,
        ),
    ];
    for (document, code, exit) in cases {
        let run = refuse(document, &[]);
        let start: String = document.chars().take(60).collect();
        assert!(
            run.stderr.starts_with(&format!("error[{code}]: ")),
            "{start}\n{}",
            run.stderr
        );
        assert_eq!(run.code, Some(exit), "{start}\n{}", run.stderr);
    }
}

/// A patch is any JSON: there the depth is limited.
#[test]
fn a_deep_patch_is_refused() {
    let folder = Folder::new();
    folder.write("ws.json", TWO_CHANNELS);
    folder.write(
        "patch.json",
        format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)),
    );
    let run = folder.run(&["fit", "ws.json", "-p", "patch.json"], "");
    assert_eq!(run.code, Some(3));
    assert!(
        run.stderr.starts_with("error[PB0302]") && run.stderr.contains("levels deep"),
        "{}",
        run.stderr
    );
}

/// Limits are stated, and the option that raises them is named.
#[test]
fn limits() {
    for (option, value, what) in [
        ("--max-size", "1K", "bytes of the document"),
        ("--max-parameters", "5", "parameters of the model"),
        ("--max-cells", "5", "cells"),
        ("--max-modifiers", "5", "modifiers of samples"),
    ] {
        let run = refuse(TWO_CHANNELS, &[option, value]);
        assert_eq!(run.code, Some(4), "{}", run.stderr);
        assert!(
            run.stderr.contains("error[PB0301]")
                && run.stderr.contains(what)
                && run.stderr.contains(option),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn errors_show_the_place() {
    insta::assert_snapshot!(
        "syntax",
        refuse(&with("4.0, 9.0, 6.0]", "4.0, 9.0, 6.0,]"), &[]).stderr
    );
    insta::assert_snapshot!(
        "schema",
        refuse(&with("4.0, 9.0", "4.0, \"nine\""), &[]).stderr
    );
    insta::assert_snapshot!(
        "modifier",
        refuse(
            &with("\"type\": \"histosys\"", "\"type\": \"histosis\""),
            &[]
        )
        .stderr
    );
    insta::assert_snapshot!(
        "duplicate",
        refuse(&with("\"name\": \"CR_top\"", "\"name\": \"SR\""), &[]).stderr
    );
    insta::assert_snapshot!(
        "poi",
        refuse(&with("\"poi\": \"mu\"", "\"poi\": \"nu\""), &[]).stderr
    );
    let minified: String = with("[51, 33, 17]", "[51, -33, 17]")
        .split_whitespace()
        .collect();
    insta::assert_snapshot!("one_line", refuse(&minified, &[]).stderr);
}

/// What published files have: accepted, negative nominal yields with a warning.
#[test]
fn negative_templates_and_counts_that_are_not_integer_are_accepted() {
    let folder = Folder::new();
    folder.write(
        "ws.json",
        with("[5.0, 3.0, 0.0]", "[5.0, -0.1, 0.0]").replace("[51, 33, 17]", "[51.5, 33, 17.25]"),
    );
    let run = folder.run(&["fit", "ws.json"], "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("1 nominal yield(s) of the sample at /channels/0/samples/2/data (line 27, column 19) are negative"), "{}", run.stderr);
}

#[test]
fn points_that_do_not_fit() {
    for (point, code, exit) in [
        ("[1, 2]", "PB0310", 3),
        ("{\"mu\": \"one\"}", "PB0304", 3),
        ("{\"mus\": 1}", "PB0321", 2),
        ("{\"mc_stat_SR\": [1, 1]}", "PB0310", 3),
        ("7", "PB0304", 3),
        ("{", "PB0302", 3),
    ] {
        let folder = Folder::new();
        folder.write("ws.json", TWO_CHANNELS);
        folder.write("point.json", point);
        let run = folder.run(
            &[
                "eval",
                "ws.json",
                "--parameters",
                "point.json",
                "-o",
                "out.json",
            ],
            "",
        );
        assert!(
            run.stderr.contains(&format!("error[{code}]")) && run.stderr.contains("point.json"),
            "{point}: {}",
            run.stderr
        );
        assert_eq!(run.code, Some(exit));
        assert_eq!(folder.files(), ["point.json", "ws.json"]);
    }
}
