//! Speed of the Z' pipeline: `cargo xtask study zprime_speed [PYTHON]`; with a Python that has awkward, pyarrow and JAX, these beside it on the same events.

use std::process::Command;

use cpu_time::ProcessTime;
use pullback_analysis::file::AnalysisFile;
use pullback_analysis::optimize::{Options, Part, Problem};
use pullback_studies::zprime::{Samples, analysis};
use serde_json::json;

type Failure = Box<dyn std::error::Error>;

/// All events for training, no systematic but a factor: one selection.
fn file(folder: &std::path::Path) -> Result<AnalysisFile, Failure> {
    let mut file = analysis(
        folder,
        "split = [0.9998, 0.0001, 0.0001]\nmin_entries = 1e-9\nmax_mc_error = 1e9",
    )?;
    file.systematics.retain(|s| s.name == "luminosity");
    Ok(file)
}

/// Least processor and wall time, in ns per event.
fn time(
    repeats: usize,
    events: f64,
    f: &mut dyn FnMut() -> Result<(), Failure>,
) -> Result<[f64; 2], Failure> {
    let mut least = [f64::INFINITY; 2];
    for _ in 0..repeats {
        let (cpu, wall) = (ProcessTime::now(), std::time::Instant::now());
        f()?;
        let found = [cpu.elapsed().as_secs_f64(), wall.elapsed().as_secs_f64()];
        least = std::array::from_fn(|k| least[k].min(1e9 * found[k] / events));
    }
    Ok(least)
}

fn main() -> Result<(), Failure> {
    let python = std::env::args().nth(1);
    let folder = std::env::temp_dir().join(format!("pullback-speed-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    println!(
        "| events | threads | held | exact value | soft value | value and gradient | wall of the last | memory [MiB] |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (events, held, repeats) in [
        (100_000, true, 9),
        (100_000, false, 3),
        (1_000_000, false, 2),
        (3_000_000, false, 1),
        (10_000_000, false, 1),
    ] {
        let some = events / 1000;
        Samples([some, events, some, some]).generate(&folder, 1)?;
        let file = file(&folder)?;
        let threads = if events > 1_000_000 {
            &[2][..]
        } else {
            &[1, 2]
        };
        for &threads in threads {
            let options = Options {
                threads,
                skim: false,
                memory: if held { 4 << 30 } else { 0 },
                ..Options::default()
            };
            // Generating events takes memory, too: what is quoted begins here.
            let _ = std::fs::write("/proc/self/clear_refs", "5");
            let problem = Problem::open(&file, &options, &mut |_, _| true)?;
            let mut problem = problem.ok_or("stopped")?;
            let x = problem.start().to_vec();
            let n = events as f64;
            let exact = time(repeats, n, &mut || {
                Ok(problem.exact(Part::Training, &x).map(|_| ())?)
            })?;
            let value = time(repeats, n, &mut || {
                Ok(problem.soft_value(Part::Training, &x, 0.1).map(|_| ())?)
            })?;
            let both = time(repeats, n, &mut || {
                Ok(problem.soft(Part::Training, &x, 0.1).map(|_| ())?)
            })?;
            println!(
                "| {events} | {threads} | {held} | {:.0} | {:.0} | {:.0} | {:.0} | {} |",
                exact[0],
                value[0],
                both[0],
                both[1],
                peak()
            );
            if held && threads == 1 {
                let values = problem.values(&x);
                let about = json!({
                    "file": folder.join("tt.parquet"), "values": values,
                    "spreads": problem.spreads(), "temperature": 0.1,
                });
                std::fs::write(folder.join("about.json"), about.to_string())?;
                if let Some(python) = &python {
                    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/zprime_speed.py");
                    let status = Command::new(python)
                        .arg(script)
                        .arg(folder.join("about.json"))
                        .status()?;
                    if !status.success() {
                        return Err("the script failed".into());
                    }
                }
            }
        }
    }
    std::fs::remove_dir_all(&folder)?;
    println!(
        "times are processor time in ns per event, one selection with a network of 449 weights; events that are not held are read again from Parquet in each sweep"
    );
    Ok(())
}

/// Peak resident memory in MiB, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or_else(String::new, |k| format!("{:.0}", k / 1024.0))
}
