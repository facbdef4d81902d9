//! The generator: a process, a seed, a detector.

use std::ops::Range;

use crate::columns::GenPartColumns;
use crate::detector::Detector;
use crate::draws::{Draws, LANES};
use crate::error::SimError;
use crate::events::Events;
use crate::hard::Hard;
use crate::process::Process;
use crate::reconstruct::Reconstruction;
use crate::truth::Truth;
use crate::weights;

/// Generates events of a process, by their global ids.
///
/// An event depends on the process, the seed, the detector and its id, and on nothing else: any range can be generated alone, in any order, on any number of threads and
/// on any machine, with the same bits. The generator is a workspace; clone it for each thread.
///
/// # Example
/// ```
/// use pullback_sim::{Generator, Process};
///
/// let mut generator = Generator::new(Process::TTbar, 42)?;
/// let all = generator.generate(0, 300)?;
/// let some = generator.generate(200, 100)?;
/// let from = all.jet.offsets[200] as usize;
/// assert_eq!(all.jet.pt[from..], some.jet.pt);
/// # Ok::<(), pullback_sim::SimError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    process: Process,
    seed: u64,
    detector: Detector,
    keep_truth: bool,
    hard: Hard,
    draws: Draws,
    truth: Truth,
    seen: Reconstruction,
}

impl Generator {
    /// With an unbiased detector.
    pub fn new(process: Process, seed: u64) -> Result<Self, SimError> {
        Self::with_detector(process, seed, Detector::default())
    }

    /// With conditions and biases.
    pub fn with_detector(
        process: Process,
        seed: u64,
        detector: Detector,
    ) -> Result<Self, SimError> {
        let process = process.check()?;
        Ok(Self {
            process,
            seed,
            detector: detector.check()?,
            keep_truth: false,
            hard: Hard::new(process)?,
            draws: Draws::new(seed, process.name()),
            truth: Truth::default(),
            seen: Reconstruction::default(),
        })
    }

    /// Whether samples hold the generator's record (`GenPart_*`); by default they do not.
    pub fn keep_truth(mut self, keep: bool) -> Self {
        self.keep_truth = keep;
        self
    }

    /// The process.
    pub fn process(&self) -> Process {
        self.process
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The detector.
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    /// The events `first_event`, …, `first_event + count − 1`.
    pub fn generate(&mut self, first_event: u64, count: usize) -> Result<Events, SimError> {
        let mut events = Events::default();
        self.generate_into(&mut events, first_event, count)?;
        Ok(events)
    }

    /// The same in memory that is there: the events of `events` are replaced. In steady state nothing is allocated.
    ///
    /// # Example
    /// ```
    /// use pullback_sim::{Events, Generator, Process};
    ///
    /// let mut generator = Generator::new(Process::ZToLL, 1)?;
    /// let mut events = Events::default();
    /// for chunk in 0..3 {
    ///     generator.generate_into(&mut events, 1000 * chunk, 1000)?;
    ///     assert_eq!(events.len(), 1000);
    /// }
    /// # Ok::<(), pullback_sim::SimError>(())
    /// ```
    pub fn generate_into(
        &mut self,
        events: &mut Events,
        first_event: u64,
        count: usize,
    ) -> Result<(), SimError> {
        // The last id may be used, the one after it does not exist.
        if count > 0 && first_event.checked_add(count as u64 - 1).is_none() {
            return Err(SimError::Events {
                first: first_event,
                count: count as u64,
            });
        }
        events.clear();
        if events.gen_part.is_some() != self.keep_truth {
            events.gen_part = self.keep_truth.then(GenPartColumns::default);
        }
        let order = self.hard.order();
        for start in (0..count).step_by(LANES) {
            let lanes = LANES.min(count - start);
            let first = first_event + start as u64;
            self.draws.load(first, lanes);
            for lane in 0..lanes {
                self.draws.look_at(lane);
                self.hard.generate(&mut self.draws, &mut self.truth);
                self.seen
                    .event(&self.detector, &self.truth, &mut self.draws);
                let weight = weights::generator(self.hard.negative(), &mut self.draws);
                let id = first + lane as u64;
                events.push(id, weight, order, &self.truth, &self.seen);
            }
        }
        Ok(())
    }

    /// The generator's record of one event.
    pub fn truth(&mut self, event: u64) -> Truth {
        self.draws.load(event, 1);
        self.hard.generate(&mut self.draws, &mut self.truth);
        self.truth.clone()
    }

    /// A range of ids in samples of at most `chunk` events: more events than memory holds.
    ///
    /// # Example
    /// ```
    /// use pullback_sim::{Generator, Process};
    ///
    /// let generator = Generator::new(Process::ZToLL, 1)?;
    /// let sizes: Vec<usize> = generator.chunks(10..35, 10).map(|events| events.len()).collect();
    /// assert_eq!(sizes, [10, 10, 5]);
    /// # Ok::<(), pullback_sim::SimError>(())
    /// ```
    pub fn chunks(self, events: Range<u64>, chunk: usize) -> Chunks {
        Chunks {
            generator: self,
            left: events,
            chunk: chunk.max(1),
        }
    }
}

/// Samples of consecutive events; see [`Generator::chunks`].
#[derive(Clone, Debug)]
pub struct Chunks {
    generator: Generator,
    left: Range<u64>,
    chunk: usize,
}

impl Iterator for Chunks {
    type Item = Events;

    fn next(&mut self) -> Option<Events> {
        let left = self.left.end.saturating_sub(self.left.start);
        if left == 0 {
            return None;
        }
        let count = left.min(self.chunk as u64);
        let first = self.left.start;
        self.left.start += count;
        // A range that ends at an id exists.
        self.generator.generate(first, count as usize).ok()
    }
}
