//! Adaptive repeats: the minimum over rounds, where a round is a batch of calls long enough for the clock.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::clock::{Clock, Stopwatch};

/// Seconds per call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// The fastest round: what the tables quote, because noise only ever adds.
    pub min: f64,
    /// The median round: how noisy the machine was.
    pub median: f64,
    /// How many rounds were run.
    pub rounds: usize,
}

impl Stats {
    fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let rounds = samples.len();
        Self {
            min: samples.first().copied().unwrap_or(f64::NAN),
            median: samples.get(rounds / 2).copied().unwrap_or(f64::NAN),
            rounds,
        }
    }
}

/// Two measurements whose rounds alternated, so that a slow second hits both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paired {
    /// The first function.
    pub ours: Stats,
    /// The second function.
    pub reference: Stats,
}

impl Paired {
    /// `min(ours) / min(reference)`.
    pub fn ratio(&self) -> f64 {
        self.ours.min / self.reference.min
    }
}

/// How long to try, and on which clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// What is counted.
    pub clock: Clock,
    /// A round lasts at least this long, by repeating the call (not where each call has fresh inputs).
    pub round: Duration,
    /// Rounds that are run however slow the function is.
    pub min_rounds: usize,
    /// Wall time after which a minimum that still moves is accepted.
    pub max_time: Duration,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            clock: Clock::Thread,
            round: Duration::from_micros(200),
            min_rounds: 7,
            max_time: Duration::from_secs(2),
        }
    }
}

/// Rounds in a row without a better minimum after which a measurement has settled.
const SETTLED_ROUNDS: usize = 100;
/// An improvement below this fraction is not a better minimum.
const SETTLED_FRACTION: f64 = 2e-3;

/// Seconds per call of `routine`, with the default [`Effort`].
pub fn measure<T>(mut routine: impl FnMut() -> T) -> Stats {
    let effort = Effort::default();
    let mut round = batch(effort, &mut routine);
    let [samples] = settle(effort, [&mut round]);
    Stats::of(samples)
}

/// Seconds per call of `ours` and of `reference`, rounds interleaved, with the default [`Effort`].
pub fn paired<A, B>(mut ours: impl FnMut() -> A, mut reference: impl FnMut() -> B) -> Paired {
    let effort = Effort::default();
    let mut first = batch(effort, &mut ours);
    let mut second = batch(effort, &mut reference);
    let [ours, reference] = settle(effort, [&mut first, &mut second]);
    Paired {
        ours: Stats::of(ours),
        reference: Stats::of(reference),
    }
}

/// Seconds per call of `routine`, each call on its own input; making inputs and dropping results is not counted.
///
/// A round is one call, so that the clock (a fraction of a microsecond) limits this to routines of some 20 µs and more.
pub fn measure_with<I, T>(
    effort: Effort,
    setup: impl FnMut() -> I,
    routine: impl FnMut(I) -> T,
) -> Stats {
    let mut round = single(effort, setup, routine);
    let [samples] = settle(effort, [&mut round]);
    Stats::of(samples)
}

/// [`measure_with`] of two routines, rounds interleaved, both on inputs of the same `setup`.
pub fn paired_with<I, A, B>(
    effort: Effort,
    setup: impl Fn() -> I,
    ours: impl FnMut(I) -> A,
    reference: impl FnMut(I) -> B,
) -> Paired {
    let mut first = single(effort, &setup, ours);
    let mut second = single(effort, &setup, reference);
    let [ours, reference] = settle(effort, [&mut first, &mut second]);
    Paired {
        ours: Stats::of(ours),
        reference: Stats::of(reference),
    }
}

/// A round of as many calls as fill `effort.round`.
fn batch<T>(effort: Effort, routine: &mut impl FnMut() -> T) -> impl FnMut() -> f64 {
    let mut calls = 1_usize;
    loop {
        let watch = Stopwatch::start(Clock::Wall);
        for _ in 0..calls {
            black_box(routine());
        }
        let seconds = watch.seconds();
        let wanted = effort.round.as_secs_f64();
        if seconds >= wanted || calls >= 1 << 30 {
            break;
        }
        // The first calls are the slowest, so the estimate of what fills a round is approached in steps.
        let factor = (wanted / seconds.max(1e-9)).clamp(1.5, 10.0);
        calls = (calls as f64 * factor).ceil() as usize;
    }
    move || {
        let watch = Stopwatch::start(effort.clock);
        for _ in 0..calls {
            black_box(routine());
        }
        watch.seconds() / calls as f64
    }
}

/// A round of one call on a fresh input.
fn single<I, T>(
    effort: Effort,
    mut setup: impl FnMut() -> I,
    mut routine: impl FnMut(I) -> T,
) -> impl FnMut() -> f64 {
    move || {
        let input = black_box(setup());
        let watch = Stopwatch::start(effort.clock);
        let output = black_box(routine(input));
        let seconds = watch.seconds();
        drop(output);
        seconds
    }
}

/// Runs the rounds in turn until no minimum improves any more, or the time is over.
fn settle<const N: usize>(
    effort: Effort,
    mut rounds: [&mut dyn FnMut() -> f64; N],
) -> [Vec<f64>; N] {
    let mut samples = [const { Vec::new() }; N];
    let mut best = [f64::INFINITY; N];
    for round in &mut rounds {
        round();
    }
    let start = Instant::now();
    let (mut done, mut quiet) = (0_usize, 0_usize);
    while done < effort.min_rounds || (quiet < SETTLED_ROUNDS && start.elapsed() < effort.max_time)
    {
        let mut improved = false;
        for lane in 0..N {
            // Each round starts with another lane: none is always the one that runs on a cold cache.
            let lane = (lane + done) % N;
            let seconds = rounds[lane]();
            samples[lane].push(seconds);
            if seconds < best[lane] * (1.0 - SETTLED_FRACTION) {
                best[lane] = seconds;
                improved = true;
            }
        }
        done += 1;
        quiet = if improved { 0 } else { quiet + 1 };
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(n: u64) -> u64 {
        (0..n).fold(0, |acc, i| black_box(acc ^ i.wrapping_mul(31)))
    }

    #[test]
    fn min_and_median_of_samples() {
        let stats = Stats::of(vec![3.0, 1.0, 2.0]);
        assert_eq!((stats.min, stats.median, stats.rounds), (1.0, 2.0, 3));
    }

    /// The order of what differs by a thousand, not a figure: a machine may be busy.
    #[test]
    fn more_work_costs_more() {
        let effort = Effort {
            max_time: Duration::from_millis(50),
            ..Effort::default()
        };
        let pair = paired_with(effort, || (), |()| work(1_000_000), |()| work(1_000));
        assert!(pair.ratio() > 1.0, "ratio {}", pair.ratio());
    }

    #[test]
    fn a_cheap_call_is_batched_below_the_resolution_of_the_clock() {
        let stats = measure(|| black_box(1.0_f64) * black_box(2.0));
        assert!(stats.min > 0.0 && stats.min < 1e-3, "{stats:?}");
    }

    #[test]
    fn setup_is_not_counted() {
        let effort = Effort {
            max_time: Duration::from_millis(30),
            ..Effort::default()
        };
        let with = measure_with(effort, || work(100_000), |x| x + 1);
        let all = measure_with(effort, || (), |()| work(100_000));
        assert!(with.min < all.min, "{with:?} {all:?}");
    }
}
