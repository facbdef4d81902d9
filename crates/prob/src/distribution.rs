//! What every distribution can do.

use rand_core::Rng;

use crate::key::Key;

/// A distribution with checked parameters.
///
/// [`draw`](Distribution::draw) and [`fill`](Distribution::fill) give the same bits, in any order and by any number of threads.
pub trait Distribution {
    /// What is drawn.
    type Value;

    /// A value from the words of a stream, or of any other generator.
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Self::Value;

    /// The value at (key, event, step).
    #[inline]
    fn draw(&self, key: Key, event: u64, step: u32) -> Self::Value {
        self.sample(&mut key.stream(event, step))
    }

    /// The values of the events `first_event`, `first_event + 1`, … (ids wrap at 2⁶⁴), one per element.
    ///
    /// # Example
    /// ```
    /// use pullback_prob::{Distribution, Key, Poisson};
    ///
    /// let (key, poisson) = (Key::new(0, "pile-up"), Poisson::new(32.0)?);
    /// let (mut whole, mut part) = ([0; 100], [0; 10]);
    /// poisson.fill(&mut whole, key, 0, 0);
    /// poisson.fill(&mut part, key, 90, 0);
    /// assert_eq!(whole[90..], part);
    /// # Ok::<(), pullback_prob::ProbError>(())
    /// ```
    fn fill(&self, out: &mut [Self::Value], key: Key, first_event: u64, step: u32) {
        for (i, value) in out.iter_mut().enumerate() {
            *value = self.draw(key, first_event.wrapping_add(i as u64), step);
        }
    }
}
