//! Developer commands: `cargo xtask test | tidy | bench | fuzz | validate | sanitize | study`.
//!
//! Std only, one file per verb, so that a fresh clone runs it after a second of compiling.

mod bench;
mod json;
mod long;
mod process;
mod sanitize;
mod study;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask VERB

  test [--fast] [STAGE]...  everything that continuous integration runs; --fast leaves out
                            the documentation and the release build (rustdoc, readme, demo)
  tidy                      the rules of the house: sizes, arrows between crates, unsafe, licences, ..
  bench [NAME] [--json]     benches/src/bin/*.rs (those whose name contains NAME), one table
  fuzz [SECONDS]            the tests named *fuzz*, in release, each for SECONDS (default 60)
  validate                  the tests named *validate*, in release, at full length
  sanitize [TOOL]...        the tests of unsafe code under the tools that are installed: address, thread, miri, valgrind
  study [NAME ..]           physics that pullback is judged by, at full length (studies/src/bin/NAME.rs)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (verb, rest) = match args.split_first() {
        Some((verb, rest)) => (verb.as_str(), rest),
        None => ("help", &[][..]),
    };
    let verb: fn(&Workspace, &[String]) -> Result<bool, String> = match verb {
        "test" => test::run,
        "tidy" => tidy::run,
        "bench" => bench::run,
        "fuzz" => long::fuzz,
        "validate" => long::validate,
        "sanitize" => sanitize::run,
        "study" => study::run,
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => {
            eprint!("xtask: there is no verb '{other}'\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match Workspace::find().and_then(|workspace| verb(&workspace, rest)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::from(2)
        }
    }
}
