//! Opening and reading ROOT files, beside uproot in the same run where Python has it.
//!
//! `cargo run --release -p pullback-benches --bin root_files`; `PULLBACK_PYTHON` names a Python with uproot, otherwise `.venv/bin/python` and
//! `python3` are tried. Processor time of all threads of a process on both sides; files that are not there are left out.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pullback_benches::{Clock, Effort, Row, measure_with};
use pullback_io::{Table, root};

/// What is read.
struct Job {
    name: &'static str,
    file: PathBuf,
    tree: &'static str,
    columns: &'static [&'static str],
    /// uproot 5.7.7 (Python 3.11) on a virtual machine with two cores, seconds: to open, to open and read.
    historical: [f64; 2],
}

fn shared(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(file)
}

const MUONS: &[&str] = &[
    "Muon_pt",
    "Muon_eta",
    "Muon_phi",
    "Muon_mass",
    "Muon_charge",
];

fn jobs(generated: Option<PathBuf>) -> Vec<Job> {
    let job = |name, file, tree, columns, historical| Job {
        name,
        file,
        tree,
        columns,
        historical,
    };
    let hzz = |compression: &str| shared(&format!("skhep-testdata/uproot-HZZ-{compression}.root"));
    let nano = shared("skhep-testdata/nanoAOD_2015_CMS_Open_Data_ttbar.root");
    let agc = shared("agc-dimuon/open-data-example.root");
    let dy = shared("coffea-samples/nano_dy.root");
    let mut jobs = vec![
        job(
            "947 branches (NanoAOD)",
            nano,
            "Events",
            &["*"],
            HISTORICAL[0],
        ),
        job(
            "1499 branches (NanoAOD)",
            dy,
            "Events",
            &["*"],
            HISTORICAL[1],
        ),
        job(
            "dimuons, 5 jagged columns",
            agc,
            "Events",
            MUONS,
            HISTORICAL[2],
        ),
        job(
            "HZZ, 51 columns, zlib",
            hzz("zlib"),
            "events",
            &["*"],
            HISTORICAL[3],
        ),
        job(
            "HZZ, 51 columns, lz4",
            hzz("lz4"),
            "events",
            &["*"],
            HISTORICAL[4],
        ),
        job(
            "HZZ, 51 columns, zstd",
            hzz("zstd"),
            "events",
            &["*"],
            HISTORICAL[5],
        ),
        job(
            "HZZ, 51 columns, lzma",
            hzz("lzma"),
            "events",
            &["*"],
            HISTORICAL[6],
        ),
    ];
    if let Some(file) = generated {
        let columns = &["Muon_pt", "Muon_eta", "Muon_phi"];
        jobs.push(job(
            "600,000 muons, 90 baskets",
            file,
            "Events",
            columns,
            HISTORICAL[7],
        ));
    }
    jobs.retain(|job| {
        let there = job.file.is_file();
        if !there {
            println!("left out: {} is not there", job.file.display());
        }
        there
    });
    jobs
}

/// By job: seconds to open, seconds to open and read; measured with `scripts/uproot_timing.py`.
const HISTORICAL: [[f64; 2]; 8] = [
    [184e-3, 432e-3],
    [320e-3, 678e-3],
    [30.3e-3, 29.2e-3],
    [8.95e-3, 22.7e-3],
    [8.84e-3, 21.2e-3],
    [8.65e-3, 22.6e-3],
    [8.80e-3, 32.0e-3],
    [1.08e-3, 83.9e-3],
];

/// A Python that has uproot.
fn python() -> Option<PathBuf> {
    let given = std::env::var_os("PULLBACK_PYTHON").map(PathBuf::from);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin/python");
    let candidates = given.into_iter().chain([own, PathBuf::from("python3")]);
    let has_uproot = |python: &PathBuf| {
        let import = Command::new(python).args(["-c", "import uproot"]).output();
        import.is_ok_and(|output| output.status.success())
    };
    candidates.into_iter().find(has_uproot)
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/io/scripts/uproot_timing.py")
}

/// Seconds of uproot by job, of this run.
fn uproot(python: &Path, jobs: &[Job]) -> Result<Vec<[f64; 2]>, Box<dyn Error>> {
    let mut command = Command::new(python);
    command.arg(script());
    for job in jobs {
        let columns = match job.columns {
            ["*"] => String::new(),
            columns => format!(":{}", columns.join(",")),
        };
        command.arg(format!("{}:{}{columns}", job.file.display(), job.tree));
    }
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    // `[{"open": 0.1, "read": 0.2}, ..]`: the numbers in their order.
    let text = String::from_utf8(output.stdout)?;
    let numbers = text.split(['{', '}', ':', ',', '[', ']']);
    let numbers: Vec<f64> = numbers.filter_map(|n| n.trim().parse().ok()).collect();
    Ok(numbers.as_chunks::<2>().0.to_vec())
}

fn open(job: &Job) -> Result<root::Tree, pullback_io::Error> {
    root::File::open(&job.file)?.tree(job.tree)
}

fn read(job: &Job) -> Result<usize, pullback_io::Error> {
    let tree = open(job)?;
    let columns = tree.select(job.columns)?;
    let read = tree.read(&columns, 0..tree.entries())?;
    Ok(read.iter().map(|column| column.values().len()).sum())
}

fn main() -> Result<(), Box<dyn Error>> {
    let python = python();
    let mut generated = None;
    if let Some(python) = &python {
        let path = std::env::temp_dir().join(format!("pullback-bench-{}.root", std::process::id()));
        let made = Command::new(python)
            .arg(script())
            .arg("--make")
            .arg(&path)
            .status()?;
        generated = made.success().then_some(path);
    } else {
        println!(
            "no Python with uproot: figures of another run are quoted (PULLBACK_PYTHON names one)"
        );
    }
    let jobs = jobs(generated.clone());
    let measured = match &python {
        Some(python) => Some(uproot(python, &jobs)?),
        None => None,
    };
    let effort = Effort {
        clock: Clock::Process,
        max_time: Duration::from_secs(3),
        ..Effort::default()
    };
    for (k, job) in jobs.iter().enumerate() {
        let opened = measure_with(effort, || (), |()| open(job).map(|tree| tree.entries()));
        let done = measure_with(effort, || (), |()| read(job));
        read(job)?;
        let own = measured.as_ref().and_then(|m| m.get(k));
        for (what, stats, k) in [("open", &opened, 0), ("open and read", &done, 1)] {
            let row = Row::stats(format!("{what}: {}", job.name), stats);
            let row = match own {
                Some(seconds) => row.reference(seconds[k], "uproot, same run"),
                None => row.historical(job.historical[k], "uproot 5.7.7"),
            };
            // Opening many branches at least ten times as fast; reading faster. The dimuon file keeps its data in the description of
            // the tree, so that opening it decompresses everything.
            let inside = job.columns == MUONS;
            match (k, inside) {
                (0, false) => row.ratio_at_most(0.1, 0.05),
                (0, true) => row,
                _ => row.ratio_at_most(1.0, 0.25),
            }
            .report();
        }
    }
    if let Some(path) = generated {
        std::fs::remove_file(path)?;
    }
    Ok(())
}
