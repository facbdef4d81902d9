//! The random words of one draw.

use std::convert::Infallible;

use rand_core::TryRng;

use crate::key::Key;
use crate::philox;

/// The words of the draw at (key, event, step): the Philox blocks at the counters (event, event ≫ 32, step, 0), (…, 1), …
///
/// It is a [`rand_core::Rng`], so distributions of other libraries can be drawn from it. A word of 64 bits is two words of 32, the first one low. Most draws need one
/// block; a draw by rejection takes as many as it needs without touching another draw's. After 2³² − 1 blocks a stream starts again.
///
/// # Example
/// ```
/// use pullback_prob::{Key, philox, rand_core::Rng};
///
/// let key = Key::new(1, "x");
/// let mut stream = key.stream(7, 2);
/// let block = philox::block([7, 0, 2, 0], key.words());
/// assert_eq!(stream.next_u32(), block[0]);
/// assert_eq!(stream.next_u64(), u64::from(block[1]) | u64::from(block[2]) << 32);
/// ```
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u32; 2],
    event: u64,
    step: u32,
    /// The next block.
    block: u32,
    words: [u32; 4],
    /// How many of the words are spent.
    spent: usize,
}

impl Stream {
    /// The stream of a draw; [`Key::stream`] is the same.
    #[inline]
    pub const fn new(key: Key, event: u64, step: u32) -> Self {
        Self {
            key: key.words(),
            event,
            step,
            block: 0,
            words: [0; 4],
            spent: 4,
        }
    }

    #[inline]
    fn refill(&mut self) {
        let counter = [
            self.event as u32,
            (self.event >> 32) as u32,
            self.step,
            self.block,
        ];
        self.words = philox::block(counter, self.key);
        self.spent = 0;
        // The last block belongs to the derivation of keys.
        self.block = if self.block == u32::MAX - 1 {
            0
        } else {
            self.block + 1
        };
    }

    #[inline]
    fn word(&mut self) -> u32 {
        if self.spent >= 4 {
            self.refill();
        }
        let word = self.words[self.spent & 3];
        self.spent += 1;
        word
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = self.word();
        let high = self.word();
        Ok(philox::join(u64::from(low), u64::from(high)))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(4) {
            let word = self.word().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}
