//! Wrong usage, missing files, outputs that cannot be written, Ctrl-C.

mod common;

use common::{Folder, folder_with_workspace};

#[test]
fn wrong_usage_has_exit_code_2() {
    let folder = folder_with_workspace();
    for (args, message) in [
        (
            &["fit", "ws.json", "--fix", "mus=1"][..],
            "did you mean `mu`?",
        ),
        (
            &["fit", "ws.json", "--fix", "mu=one"],
            "`one` is not a number",
        ),
        (
            &["fit", "ws.json", "--bounds", "mu=3"],
            "expected NAME=LO,HI",
        ),
        (
            &["fit", "ws.json", "--channels", "SRR"],
            "did you mean `SR`?",
        ),
        (
            &["fit", "ws.json", "--channels", "SR", "--exclude", "CR_top"],
            "cannot be used with",
        ),
        (
            &["fit", "ws.json", "--exclude", "SR,CR_top"],
            "nothing is left",
        ),
        (
            &["fit", "ws.json", "--measurement", "m"],
            "there is no measurement `m`",
        ),
        (
            &["fit", "ws.json", "--asimov-nuisances", "fitted"],
            "--asimov",
        ),
        (
            &["fit", "ws.json", "--asimov", "1", "--poi", ""],
            "needs a parameter of interest",
        ),
        (&["fit", "-", "-p", "-"], "only one of the inputs"),
        (
            &["eval", "-", "--parameters", "-"],
            "only one of the inputs",
        ),
        (
            &["fit", "ws.json", "-o", "missing/fit.json"],
            "its folder does not exist",
        ),
        (
            &["fit", "ws.json", "--report", "missing/fit.html"],
            "its folder does not exist",
        ),
        (
            &["demo", "--report", "missing/demo.html"],
            "its folder does not exist",
        ),
        (&["fit", "ws.json", "--normsys", "code7"], "code1"),
        (&["fits", "ws.json"], "unrecognized subcommand"),
        (&[], "Usage"),
    ] {
        let run = folder.run(args, "{}");
        assert_eq!(run.code, Some(2), "{args:?}: {}", run.stderr);
        assert!(
            run.stderr.contains(message) && run.stdout.is_empty(),
            "{args:?}: {}",
            run.stderr
        );
        assert_eq!(folder.files(), ["ws.json"]);
    }
}

#[test]
fn files_that_are_not_there() {
    let folder = folder_with_workspace();
    for args in [
        &["fit", "none.json"][..],
        &["fit", "ws.json", "-p", "none.json"],
        &["eval", "ws.json", "--parameters", "none.json"],
        &["ws", "inspect", "."],
    ] {
        let run = folder.run(args, "");
        assert_eq!(run.code, Some(3), "{}", run.stderr);
        assert!(run.stderr.starts_with("error[PB0901]"), "{}", run.stderr);
    }
}

#[test]
fn help_and_version() {
    let folder = Folder::new();
    let run = folder.run(&["--version"], "");
    assert_eq!(
        (run.code, run.stdout),
        (Some(0), format!("pullback {}\n", env!("CARGO_PKG_VERSION")))
    );
    let run = folder.run(&["fit", "--help"], "");
    assert_eq!(run.code, Some(0));
    insta::assert_snapshot!(run.stdout);
}

#[test]
#[cfg(unix)]
fn ctrl_c_has_exit_code_130() {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    let folder = Folder::new();
    // It waits for a workspace that never comes.
    let mut child = folder
        .command(&["fit", "-", "-o", "out.json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Waiting for the child would close its stdin.
    let stdin = child.stdin.take();
    std::thread::sleep(Duration::from_millis(300));
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let status = child.wait().unwrap();
    drop(stdin);
    // On a machine so busy that the program had not started yet, the signal itself ends it, which a shell reports as 130 too.
    assert!(
        status.code() == Some(130) || status.signal() == Some(2),
        "{status:?}"
    );
    assert!(folder.files().is_empty());
}
