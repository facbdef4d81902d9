//! What a second is.

use std::time::Instant;

use cpu_time::{ProcessTime, ThreadTime};

/// Which time a measurement counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Clock {
    /// Processor time of the calling thread (the default: the speed tables are in it).
    #[default]
    Thread,
    /// Processor time of all threads of the process.
    Process,
    /// Wall time, for comparisons of one thread with several.
    Wall,
}

/// A running measurement of one [`Clock`].
#[derive(Clone, Copy, Debug)]
pub enum Stopwatch {
    /// Started on [`Clock::Thread`].
    Thread(ThreadTime),
    /// Started on [`Clock::Process`].
    Process(ProcessTime),
    /// Started on [`Clock::Wall`].
    Wall(Instant),
}

impl Stopwatch {
    /// Starts counting.
    pub fn start(clock: Clock) -> Self {
        match clock {
            Clock::Thread => Self::Thread(ThreadTime::now()),
            Clock::Process => Self::Process(ProcessTime::now()),
            Clock::Wall => Self::Wall(Instant::now()),
        }
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        match self {
            Self::Thread(start) => start.elapsed(),
            Self::Process(start) => start.elapsed(),
            Self::Wall(start) => start.elapsed(),
        }
        .as_secs_f64()
    }
}
