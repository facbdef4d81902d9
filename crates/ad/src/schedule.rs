//! Checkpoint schedules: which states of a chain to store, and which steps to run again, so that it can be reversed within a memory bound.

use crate::error::Error;

/// How a chain of steps is reversed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Every state is stored; no step runs twice.
    Store,
    /// Every k-th state is stored, and inside a block all of them while it is reversed: ⌈l/k⌉ + k − 1 states, less than 2l forward steps.
    Every(usize),
    /// At most s states, the fewest forward steps possible (the *revolve* algorithm).
    Binomial(usize),
}

/// One thing to do. States are numbered 0 to l; step i leads from state i to state i + 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Store the current state, number `state`, in `slot`.
    Store {
        /// The state.
        state: usize,
        /// Where to.
        slot: usize,
    },
    /// Make the stored state number `state` current; the slot keeps it.
    Restore {
        /// The state.
        state: usize,
        /// Where from.
        slot: usize,
    },
    /// Run the steps `from` to `to` − 1 without recording.
    Advance {
        /// The current state.
        from: usize,
        /// The state afterwards.
        to: usize,
    },
    /// Run step `step` from the current state with recording and pull the cotangents back through it: l of these come, the last step first.
    Reverse {
        /// The step.
        step: usize,
    },
}

/// The actions that reverse a chain of `steps` steps, in order. State 0 is current at the start.
///
/// A slot may be overwritten by a later `Store`; no more than [`slots`](Schedule::slots) are in use at once.
///
/// # Example
/// ```
/// use pullback_ad::schedule::{Action, Policy, Schedule};
///
/// let actions: Vec<Action> = Schedule::new(Policy::Binomial(2), 3)?.collect();
/// assert_eq!(actions, [
///     Action::Store { state: 0, slot: 0 },
///     Action::Advance { from: 0, to: 1 },
///     Action::Store { state: 1, slot: 1 },
///     Action::Advance { from: 1, to: 2 },
///     Action::Reverse { step: 2 },
///     Action::Restore { state: 1, slot: 1 },
///     Action::Reverse { step: 1 },
///     Action::Restore { state: 0, slot: 0 },
///     Action::Reverse { step: 0 },
/// ]);
/// # Ok::<(), pullback_ad::Error>(())
/// ```
///
/// Reference: Griewank & Walther, *Algorithm 799: revolve*, ACM Transactions on Mathematical Software 26 (2000) 19.
#[derive(Debug, Clone)]
pub struct Schedule {
    policy: Policy,
    steps: usize,
    /// Ranges of steps still to reverse, the innermost last; the lowest state of each is stored, in the slot of its place here.
    ranges: Vec<Range>,
    /// The number of the current state.
    current: usize,
    slots: usize,
    started: bool,
}

/// The steps `begin..end`, with state `begin` stored.
#[derive(Debug, Clone, Copy)]
struct Range {
    begin: usize,
    end: usize,
}

/// C(n, k), or `usize::MAX` where that is too small.
fn binomial(n: usize, k: usize) -> usize {
    let mut value: u128 = 1;
    for i in 0..k.min(n.saturating_sub(k)) as u128 {
        value = value * (n as u128 - i) / (i + 1);
        if value > usize::MAX as u128 {
            return usize::MAX;
        }
    }
    if k > n { 0 } else { value as usize }
}

/// β(s, r) = C(s + r, s): the longest chain that s states reverse with at most r runs of each step.
fn beta(slots: usize, repeats: usize) -> usize {
    binomial(slots + repeats, slots)
}

/// The smallest r with β(s, r) ≥ `steps`.
fn repetitions(steps: usize, slots: usize) -> usize {
    let mut r = 0;
    while beta(slots, r) < steps {
        r += 1;
    }
    r
}

/// t(l, s) = r·l − β(s + 1, r − 1): the fewest forward steps (without those that a `Reverse` records) to reverse l steps with s states.
///
/// # Example
/// ```
/// // 10 steps, 3 states: each step runs at most twice.
/// assert_eq!(pullback_ad::schedule::forward_steps(10, 3), 15);
/// ```
///
/// Reference: Griewank & Walther (2000), the formula for t(l, s); *Evaluating Derivatives*, 2nd ed. (2008), section 12.3.
pub fn forward_steps(steps: usize, slots: usize) -> usize {
    if steps == 0 {
        return 0;
    }
    match repetitions(steps, slots.max(1)) {
        0 => 0,
        r => r * steps - beta(slots.max(1) + 1, r - 1),
    }
}

impl Schedule {
    /// The schedule for `steps` steps.
    ///
    /// Errors: [`Error::Schedule`] for `Every(0)` and `Binomial(0)`.
    pub fn new(policy: Policy, steps: usize) -> Result<Self, Error> {
        let slots = match policy {
            Policy::Store => (steps.saturating_sub(1)).max(steps.min(1)),
            Policy::Every(0) => {
                return Err(Error::Schedule {
                    policy: "every k",
                    parameter: "k",
                    found: 0,
                });
            }
            Policy::Binomial(0) => {
                return Err(Error::Schedule {
                    policy: "binomial(s)",
                    parameter: "s",
                    found: 0,
                });
            }
            Policy::Every(k) => (steps.div_ceil(k) + k.min(steps).saturating_sub(1)).min(steps),
            Policy::Binomial(s) => s.min(steps),
        };
        Ok(Self {
            policy,
            steps,
            ranges: Vec::new(),
            current: 0,
            slots,
            started: false,
        })
    }

    /// The number of states that can be stored at once.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// The number of steps in all its `Advance` actions.
    pub fn forward_steps(&self) -> usize {
        let last = self.steps.saturating_sub(1);
        match self.policy {
            Policy::Store => last,
            // All blocks but the last run a second time, without their last step.
            Policy::Every(k) => last + last / k * (k - 1),
            Policy::Binomial(s) => forward_steps(self.steps, s),
        }
    }

    /// Where to store next inside `range`, whose slots are the `used` first ones; `None` to run to the last step.
    fn split(&self, range: Range, used: usize) -> Option<usize> {
        let length = range.end - range.begin;
        match self.policy {
            Policy::Store => Some(range.begin + 1),
            Policy::Every(k) => {
                // Whole blocks first; inside the last block every state.
                let block = (range.begin / k + 1) * k;
                let inside = block >= range.end || !range.begin.is_multiple_of(k);
                Some(if inside { range.begin + 1 } else { block })
            }
            Policy::Binomial(slots) => {
                // Slots for this range, the one of its first state included.
                let slots = slots + 1 - used;
                if slots < 2 {
                    return None;
                }
                let r = repetitions(length, slots);
                // The upper part must be reversible with one slot less in r runs, the lower part with all in r − 1; of the interval of optimal
                // choices (*Evaluating Derivatives*, section 12.3) this is the upper end.
                let upper = beta(slots - 1, r - 1).min(length - 1);
                let lower = beta(slots, r - 1).min(length - upper);
                Some(range.begin + lower.max(1))
            }
        }
    }
}

impl Iterator for Schedule {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        if !self.started {
            self.started = true;
            if self.steps == 0 {
                return None;
            }
            self.ranges.push(Range {
                begin: 0,
                end: self.steps,
            });
            return Some(Action::Store { state: 0, slot: 0 });
        }
        let slot = self.ranges.len().checked_sub(1)?;
        let range = *self.ranges.last()?;
        let last = range.end - 1;
        if self.current > last || self.current < range.begin {
            self.current = range.begin;
            return Some(Action::Restore {
                state: range.begin,
                slot,
            });
        }
        if self.current == last {
            // The range ends here from now on; one that is used up leaves its slot.
            for open in self.ranges.iter_mut().rev() {
                open.end = last;
            }
            while self.ranges.last().is_some_and(|r| r.begin >= r.end) {
                self.ranges.pop();
            }
            self.current = last + 1;
            return Some(Action::Reverse { step: last });
        }
        if self.current > range.begin {
            // An advance ended at a place to store.
            self.ranges.push(Range {
                begin: self.current,
                end: range.end,
            });
            return Some(Action::Store {
                state: self.current,
                slot: slot + 1,
            });
        }
        let to = self.split(range, slot + 1).unwrap_or(last).min(last);
        let from = self.current;
        self.current = to;
        Some(Action::Advance { from, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a schedule on a chain of integers and checks every action; gives (forward steps, most states stored).
    fn run(policy: Policy, steps: usize) -> (usize, usize) {
        let schedule = Schedule::new(policy, steps).unwrap();
        let (promised, slots) = (schedule.forward_steps(), schedule.slots());
        let mut stored: Vec<Option<usize>> = vec![None; slots];
        let (mut current, mut forward, mut next, mut most) = (Some(0), 0, steps, 0);
        for action in schedule {
            match action {
                Action::Store { state, slot } => {
                    assert_eq!(current, Some(state));
                    stored[slot] = Some(state);
                }
                Action::Restore { state, slot } => {
                    assert_eq!(stored[slot], Some(state));
                    current = Some(state);
                }
                Action::Advance { from, to } => {
                    assert_eq!(current, Some(from));
                    assert!(from < to);
                    forward += to - from;
                    current = Some(to);
                }
                Action::Reverse { step } => {
                    assert_eq!((current, step + 1), (Some(step), next));
                    next = step;
                    current = None;
                    for slot in &mut stored {
                        *slot = slot.filter(|&s| s < step);
                    }
                }
            }
            most = most.max(stored.iter().flatten().count());
        }
        assert_eq!(next, 0, "{policy:?} left steps of {steps}");
        assert_eq!(forward, promised, "{policy:?}, {steps} steps");
        (forward, most)
    }

    /// t(l, s) by the recursion that defines it: the upper part first, with one state less.
    fn fewest(
        steps: usize,
        slots: usize,
        known: &mut std::collections::HashMap<(usize, usize), usize>,
    ) -> usize {
        if steps <= 1 {
            return 0;
        }
        if slots == 1 {
            return steps * (steps - 1) / 2;
        }
        if let Some(&t) = known.get(&(steps, slots)) {
            return t;
        }
        let t = (1..steps)
            .map(|m| m + fewest(steps - m, slots - 1, known) + fewest(m, slots, known))
            .min()
            .unwrap();
        known.insert((steps, slots), t);
        t
    }

    #[test]
    fn binomial_counts_are_the_optimal_ones() {
        let mut known = std::collections::HashMap::new();
        for steps in 1..=70 {
            for slots in 1..=9 {
                let (forward, most) = run(Policy::Binomial(slots), steps);
                assert_eq!(
                    forward,
                    fewest(steps, slots, &mut known),
                    "l = {steps}, s = {slots}"
                );
                assert!(most <= slots);
            }
        }
    }

    #[test]
    fn binomial_reaches_the_formula_on_long_chains() {
        for (steps, slots) in [(1000, 3), (1000, 10), (5000, 25), (10_000, 4), (123, 200)] {
            let (forward, most) = run(Policy::Binomial(slots), steps);
            assert_eq!(forward, forward_steps(steps, slots));
            assert!(most <= slots);
        }
        // With 3 states a chain of up to 10 steps runs each step at most twice.
        assert_eq!(forward_steps(10, 3), 15);
        assert_eq!(beta(3, 2), 10);
    }

    #[test]
    fn store_runs_nothing_twice() {
        for steps in 0..20_usize {
            // The state before the last step is used at once and never stored.
            let states = steps.saturating_sub(1).max(steps.min(1));
            assert_eq!(run(Policy::Store, steps), (steps.saturating_sub(1), states));
        }
    }

    #[test]
    fn every_k_runs_blocks_twice_within_its_memory() {
        for steps in 0..60 {
            for k in 1..12 {
                let (forward, most) = run(Policy::Every(k), steps);
                assert!(forward <= 2 * steps);
                assert!(most < steps.div_ceil(k) + k);
            }
        }
    }

    #[test]
    fn a_budget_of_nothing_is_an_error() {
        for policy in [Policy::Every(0), Policy::Binomial(0)] {
            assert_eq!(Schedule::new(policy, 5).unwrap_err().code(), "PB0103");
        }
    }
}
