//! Runs the stages in order, a line each, and sums up.

use std::io::{self, Write as _};
use std::time::Instant;

use super::count::first_failure;
use super::{python, snippets, stages};
use crate::process::Log;
use crate::workspace::Workspace;

/// What a stage has to say.
pub enum Outcome {
    /// So many checks passed.
    Passed(usize, String),
    /// So many passed, so many failed (at least one).
    Failed(usize, usize),
    /// A tool that is not on this machine.
    Skipped(String),
}

impl Outcome {
    /// One check.
    pub fn of(ok: bool, note: impl Into<String>) -> Self {
        if ok {
            Self::Passed(1, note.into())
        } else {
            Self::Failed(0, 1)
        }
    }
}

struct Stage {
    name: &'static str,
    /// Left out by `--fast`.
    slow: bool,
    run: fn(&Workspace, &Log) -> Result<Outcome, String>,
}

/// In the order of what is quickest to fail. Format, tidy and clippy need no code generation; clippy and rustdoc share
/// the metadata of the dependencies, tests and doctests the dev build, readme and demo the release build.
const STAGES: [Stage; 10] = [
    Stage {
        name: "fmt",
        slow: false,
        run: stages::fmt,
    },
    Stage {
        name: "tidy",
        slow: false,
        run: stages::tidy,
    },
    Stage {
        name: "clippy",
        slow: false,
        run: stages::clippy,
    },
    Stage {
        name: "data",
        slow: false,
        run: python::data,
    },
    Stage {
        name: "tests",
        slow: false,
        run: stages::tests,
    },
    Stage {
        name: "doctests",
        slow: false,
        run: stages::doctests,
    },
    Stage {
        name: "python",
        slow: false,
        run: python::run,
    },
    Stage {
        name: "rustdoc",
        slow: true,
        run: stages::rustdoc,
    },
    Stage {
        name: "readme",
        slow: true,
        run: snippets::run,
    },
    Stage {
        name: "demo",
        slow: true,
        run: stages::demo,
    },
];

/// Runs all stages, or those named.
pub fn run(workspace: &Workspace, args: &[String]) -> Result<bool, String> {
    let fast = args.iter().any(|arg| arg == "--fast");
    let names: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .filter(|arg| *arg != "--fast")
        .collect();
    if let Some(name) = names
        .iter()
        .find(|name| STAGES.iter().all(|stage| stage.name != **name))
    {
        let known: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
        return Err(format!(
            "there is no stage '{name}'; there are {}",
            known.join(", ")
        ));
    }
    let chosen = STAGES.iter().filter(|stage| {
        if names.is_empty() {
            !(fast && stage.slow)
        } else {
            names.contains(&stage.name)
        }
    });
    let (mut passed, mut failed) = (0, 0);
    let mut first = None;
    for stage in chosen {
        print!("{:<10}", stage.name);
        let _ = io::stdout().flush();
        let log = Log::create(workspace, stage.name)?;
        let start = Instant::now();
        let outcome = (stage.run)(workspace, &log).or_else(|message| {
            log.line(&format!("error: {message}"))
                .map(|()| Outcome::Failed(0, 1))
        })?;
        let seconds = start.elapsed().as_secs_f64();
        match outcome {
            Outcome::Passed(count, note) => {
                passed += count;
                println!("ok      {seconds:>6.1} s  {note}");
            }
            Outcome::Skipped(reason) => println!("skipped {seconds:>6.1} s  {reason}"),
            Outcome::Failed(good, bad) => {
                passed += good;
                failed += bad;
                println!("FAILED  {seconds:>6.1} s  {}", log.path().display());
                let text = log.text();
                println!("{}\n", last_lines(&text));
                first.get_or_insert_with(|| (stage.name, first_failure(&text)));
            }
        }
    }
    if let Some((name, text)) = first {
        println!("\nfirst failure, in {name}:\n\n{text}\n");
    }
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0)
}

/// Lines of a failed stage that go to the terminal; the log has all of them.
const SHOWN: usize = 400;

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let hidden = lines.len().saturating_sub(SHOWN);
    let head = if hidden > 0 {
        format!("({hidden} lines above are in the log)\n")
    } else {
        String::new()
    };
    head + &lines[hidden..].join("\n")
}
