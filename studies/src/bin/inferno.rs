//! INFERNO's toy at full length: the table of benchmarks 0 to 4 beside the published one.
//!
//! `cargo xtask study inferno [--json] [--threads N] [--seeds N] [--authors N] [--toy run|written|both]`

use std::process::ExitCode;

use pullback_studies::inferno::{Benchmark, Job, Run, Toy, jobs, json, markdown, run};

/// Held-out events of each component.
const EVENTS: usize = 1_000_000;

struct Options {
    json: bool,
    threads: usize,
    seeds: u64,
    authors: u64,
    toys: Vec<Toy>,
}

fn options() -> Result<Options, String> {
    let mut found = Options {
        json: false,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        seeds: 3,
        authors: 1,
        toys: vec![Toy::AS_RUN, Toy::AS_WRITTEN],
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        if name == "--json" {
            found.json = true;
            continue;
        }
        let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{name} {value}: expected a whole number"))
        };
        match name.as_str() {
            "--threads" => found.threads = usize::try_from(number()?).unwrap_or(1).max(1),
            "--seeds" => found.seeds = number()?,
            "--authors" => found.authors = number()?,
            "--toy" => {
                found.toys = match value.as_str() {
                    "run" => vec![Toy::AS_RUN],
                    "written" => vec![Toy::AS_WRITTEN],
                    "both" => found.toys,
                    _ => return Err(format!("--toy {value}: expected run, written or both")),
                };
            }
            _ => {
                return Err(format!(
                    "{name} is unknown; there are --json, --threads, --seeds, --authors, --toy"
                ));
            }
        }
    }
    Ok(found)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    let all: Vec<Job> = (options.toys.iter())
        .flat_map(|toy| {
            let authors = if *toy == Toy::AS_RUN {
                options.authors
            } else {
                0
            };
            jobs(*toy, options.seeds, authors)
        })
        .collect();
    let two = Benchmark::Two.number();
    let found = run(&all, EVENTS, options.threads, |job, entry| {
        eprintln!(
            "signal at {:?}, {}, seed {}: benchmark 2 {:.3} ± {:.3}, {:.0} s, {:.0} ns per event and step",
            job.toy.signal_mean,
            entry.kind.label(),
            entry.seed,
            entry.templates[two].0,
            entry.templates[two].1,
            entry.seconds,
            entry.nanoseconds,
        );
    });
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let runs: Vec<Run> = (options.toys.iter())
        .map(|toy| Run {
            toy: *toy,
            entries: (found.iter().filter(|(t, _)| t == toy))
                .map(|(_, entry)| entry.clone())
                .collect(),
        })
        .collect();
    if options.json {
        let all: Vec<_> = runs.iter().map(json).collect();
        println!("{:#}", serde_json::Value::from(all));
        // The tables are for people all the same.
        for run in &runs {
            eprintln!("{}", markdown(run));
        }
    } else {
        for run in &runs {
            println!("{}", markdown(run));
        }
    }
    ExitCode::SUCCESS
}
