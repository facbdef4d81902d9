//! What people see.

mod common;

use common::{Folder, folder_with_workspace, stable};

fn stdout(args: &[&str], columns: usize) -> String {
    let run = folder_with_workspace().run_wide(args, "", columns);
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (Some(0), ""),
        "{args:?}\n{}",
        run.stdout
    );
    let widest = run.stdout.lines().map(|l| l.chars().count()).max();
    assert!(
        widest <= Some(columns.max(80)),
        "{widest:?} columns:\n{}",
        run.stdout
    );
    stable(&run.stdout)
}

#[test]
fn inspect() {
    insta::assert_snapshot!(stdout(&["ws", "inspect", "ws.json"], 80));
    assert_eq!(
        stdout(&["inspect", "ws.json"], 80),
        stdout(&["ws", "inspect", "ws.json"], 80)
    );
}

#[test]
fn fit() {
    insta::assert_snapshot!(stdout(&["fit", "ws.json"], 100));
}

#[test]
fn fit_with_all_tables_on_a_narrow_terminal() {
    insta::assert_snapshot!(stdout(&["fit", "ws.json", "--all"], 60));
}

/// The first fit of a blinded analysis: nothing of the signal region shows.
#[test]
fn fit_of_control_regions_only() {
    let folder = folder_with_workspace();
    for args in [
        ["fit", "ws.json", "--exclude", "SR"],
        ["fit", "ws.json", "--channels", "CR_top"],
    ] {
        let run = folder.run(&args, "");
        assert_eq!(run.code, Some(0));
        insta::assert_snapshot!("control_regions_only", stable(&run.stdout));
        insta::assert_snapshot!("control_regions_only_stderr", run.stderr);
    }
}

/// A signal strength that no yield depends on is held, with a note.
#[test]
fn a_parameter_without_effect_is_held() {
    let folder = Folder::new();
    folder.write(
        "ws.json",
        common::TWO_CHANNELS.replace("[4.0, 9.0, 6.0]", "[0.0, 0.0, 0.0]"),
    );
    let run = folder.run(&["fit", "ws.json"], "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("mu = 1 (held)"), "{}", run.stdout);
    assert!(
        run.stderr.contains("no yield depends on it: `mu`"),
        "{}",
        run.stderr
    );
}

#[test]
fn fit_to_asimov_data() {
    let text = stdout(&["fit", "ws.json", "--asimov", "1"], 80);
    assert!(text.replace('\n', " ").contains("Fitted to Asimov data at mu = 1, with nominal nuisance parameters, not to the observed data."), "{text}");
    // On its own Asimov data the model is at rest: nothing is pulled.
    assert!(text.contains("  mu = 1.0 ± 0.5\n"), "{text}");
    let pulls: Vec<&str> = text
        .split_whitespace()
        .filter(|w| w.starts_with(['+', '-']) && w.contains('.'))
        .collect();
    assert!(
        pulls.len() >= 8 && pulls.iter().all(|p| *p == "+0.00"),
        "{pulls:?}"
    );
    let fitted = stdout(
        &[
            "fit",
            "ws.json",
            "--asimov",
            "1",
            "--asimov-nuisances",
            "fitted",
        ],
        80,
    );
    assert!(
        fitted
            .replace('\n', " ")
            .contains("with nuisance parameters fitted to the observed data"),
        "{fitted}"
    );
    assert_ne!(fitted, text);
}

#[test]
fn eval() {
    insta::assert_snapshot!(stdout(&["eval", "ws.json", "--gradient"], 80));
    let text = stdout(&["eval", "ws.json", "--hessian"], 80);
    assert!(
        text.contains("The Hessian has 12 × 12 entries: --json prints it"),
        "{text}"
    );
}

#[test]
fn a_small_hessian_is_printed() {
    let run = folder_with_workspace().run(
        &["eval", "ws.json", "--channels", "CR_top", "--hessian"],
        "",
    );
    assert_eq!(run.code, Some(0));
    insta::assert_snapshot!(stable(&run.stdout));
}

/// A fit that is stopped says so first, and ends with exit code 1.
#[test]
fn a_fit_that_does_not_converge_says_so() {
    let run = folder_with_workspace().run(&["fit", "ws.json", "--max-iterations", "1"], "");
    assert_eq!(run.code, Some(1));
    assert!(
        run.stdout
            .starts_with("The fit did NOT converge: the limit of iterations was reached.\n"),
        "{}",
        run.stdout
    );
}

/// Long tables are cut with a note, and `--all` shows all rows.
#[test]
fn long_tables_are_cut() {
    let bins = 30;
    let list = |x: f64| vec![x.to_string(); bins].join(", ");
    let folder = Folder::new();
    folder.write(
        "ws.json",
        format!(
            r#"{{"version": "1.0.0", "measurements": [{{"name": "m", "config": {{"poi": "mu", "parameters": []}}}}],
            "channels": [{{"name": "SR", "samples": [{{"name": "s", "data": [{}], "modifiers": [{{"name": "mu", "type": "normfactor", "data": null}}]}},
                {{"name": "b", "data": [{}], "modifiers": [{{"name": "stat", "type": "staterror", "data": [{}]}}]}}]}}],
            "observations": [{{"name": "SR", "data": [{}]}}]}}"#,
            list(1.0), list(50.0), list(3.0), list(52.0)
        ),
    );
    let cut = folder.run(&["fit", "ws.json"], "").stdout;
    assert!(
        cut.contains("(20 of 30, largest pulls first)")
            && cut.contains("… and 10 more: --all shows them"),
        "{cut}"
    );
    let all = folder.run(&["fit", "ws.json", "--all"], "").stdout;
    assert!(
        all.contains("  stat[29]") && !all.contains("more: --all"),
        "{all}"
    );
}
