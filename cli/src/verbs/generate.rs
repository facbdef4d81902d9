//! `pullback generate`.

use std::time::Instant;

use pullback_analysis::generated;
use pullback_io::parquet::{Codec, WriteOptions, Writer};
use pullback_sim::{Events, Generator, Process};

use crate::app::Outcome;
use crate::args::{CodecArg, GenerateArgs};
use crate::failure::Failure;
use crate::output::NewFile;
use crate::progress::Bar;
use crate::{interrupt, json, output, text};

/// What was generated.
#[derive(Debug)]
pub struct Generated {
    /// The file.
    pub path: String,
    /// Name of the process, with its parameters.
    pub process: String,
    /// The seed.
    pub seed: u64,
    /// Id of the first event.
    pub first: u64,
    /// How many there are.
    pub events: u64,
    /// Number of columns.
    pub columns: usize,
    /// Number of row groups.
    pub row_groups: u64,
    /// Length of the file.
    pub bytes: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Generates events and writes them, a row group at a time.
pub fn generate(args: &GenerateArgs) -> Result<Outcome, Failure> {
    output::check_folder(Some(&args.output))?;
    let done = interrupt::watched(|| write(args))?;
    output::print(&if args.json {
        json::generate(&done)
    } else {
        text::generate(&done)
    })?;
    Ok(Outcome::Good)
}

/// Writes the events.
pub(super) fn write(args: &GenerateArgs) -> Result<Generated, Failure> {
    let start = Instant::now();
    let process: Process = args.process.parse()?;
    let generator = Generator::new(process, args.seed)?.keep_truth(args.truth);
    if args.events > 0 && args.first.checked_add(args.events - 1).is_none() {
        return Err(pullback_sim::SimError::Events {
            first: args.first,
            count: args.events,
        }
        .into());
    }
    let mut generators = vec![generator; threads()];
    // A sample without events has all columns.
    let fields = generated::fields(&sample(&mut generators, args.first, 0)?);
    let file = NewFile::create(&args.output)?;
    let options = WriteOptions {
        codec: match args.compression {
            CodecArg::Zstd => Codec::Zstd,
            CodecArg::Snappy => Codec::Snappy,
            CodecArg::None => Codec::None,
        },
        about: about(args, process),
        ..WriteOptions::default()
    };
    let of_file = |error| named(error, args);
    let mut writer = Writer::new(file, &fields, options).map_err(of_file)?;
    let mut bar = Bar::start(args.events);
    let mut row_groups = 0;
    while writer.rows() < args.events {
        if interrupt::requested() {
            let during = format!(" after {} of {} events", writer.rows(), args.events);
            return Err(Failure::Interrupted { during });
        }
        let count = (args.events - writer.rows()).min(u64::from(args.row_group));
        let events = sample(&mut generators, args.first + writer.rows(), count as usize)?;
        writer
            .write(&generated::columns(&events)?)
            .map_err(of_file)?;
        row_groups += 1;
        bar.set(writer.rows());
    }
    drop(bar);
    let rows = writer.rows();
    let (file, bytes) = writer.finish_counted().map_err(of_file)?;
    file.commit()?;
    Ok(Generated {
        path: args.output.display().to_string(),
        process: process.to_string(),
        seed: args.seed,
        first: args.first,
        events: rows,
        columns: fields.len(),
        row_groups,
        bytes,
        seconds: start.elapsed().as_secs_f64(),
    })
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What the file says about itself: enough to make it again.
fn about(args: &GenerateArgs, process: Process) -> Vec<(String, String)> {
    [
        ("pullback.process", process.to_string()),
        ("pullback.seed", args.seed.to_string()),
        ("pullback.first_event", args.first.to_string()),
        ("pullback.version", env!("CARGO_PKG_VERSION").to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// Consecutive events, in equal parts on all threads: an event depends on its id alone.
fn sample(generators: &mut [Generator], first: u64, count: usize) -> Result<Events, Failure> {
    let part = count.div_ceil(generators.len().max(1)).max(1);
    let parts = std::thread::scope(|scope| {
        let mut running = Vec::new();
        for (k, generator) in generators.iter_mut().enumerate() {
            let start = (k * part).min(count);
            let here = part.min(count - start);
            if here > 0 || k == 0 {
                let work = move || generator.generate(first + start as u64, here);
                running.push(scope.spawn(work));
            }
        }
        let joined = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.collect::<Vec<_>>()
    });
    let mut all: Option<Events> = None;
    for part in parts {
        let part = part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        match &mut all {
            Some(all) => all.append(&part),
            None => all = Some(part),
        }
    }
    Ok(all.unwrap_or_default())
}

/// Errors of the sink have the name of the file.
fn named(error: pullback_io::Error, args: &GenerateArgs) -> Failure {
    match error {
        pullback_io::Error::Write { message } => Failure::Write {
            path: args.output.display().to_string(),
            message,
        },
        error => error.into(),
    }
}
