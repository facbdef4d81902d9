//! Keys: a seed and a name.

use crate::philox;
use crate::stream::Stream;

/// The seed and the name of a family of draws; with an event and a step it addresses one draw.
///
/// A name becomes 64 bits by FNV-1a (offset basis 14695981039346656037, prime 1099511628211, over its UTF-8 bytes), and the key is the first half of the Philox block
/// at the counter (hash, hash ≫ 32, 0, 2³² − 1) under the seed as key: `Key::new(seed, name)`. A key is the seed of its children in the same way, so that parts of a
/// program can name draws without knowing the names of others. This derivation is frozen: a seed gives the same numbers in every version.
///
/// Draws under different keys are independent. Two of n keys are the same with probability n²/2⁶⁵, which is 3e-12 for 10⁴ keys.
///
/// # Example
/// ```
/// use pullback_prob::Key;
///
/// const KEY: Key = Key::new(42, "muon.resolution");
/// assert_ne!(KEY, Key::new(43, "muon.resolution"));
/// assert_ne!(KEY, Key::new(42, "muon.efficiency"));
/// assert_eq!(KEY.words(), [0xbe4a_cd39, 0x7185_17f9]);
/// ```
///
/// Reference: G. Fowler, L. C. Noll, K.-P. Vo, D. Eastlake, *The FNV non-cryptographic hash algorithm*, IETF draft-eastlake-fnv, for the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key([u32; 2]);

/// FNV-1a with 64 bits.
const fn hash(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        i += 1;
    }
    hash
}

impl Key {
    /// The key of the draws called `name` under a seed.
    pub const fn new(seed: u64, name: &str) -> Self {
        Self([seed as u32, (seed >> 32) as u32]).child(name)
    }

    /// The key of draws called `name` that belong to this one.
    pub const fn child(self, name: &str) -> Self {
        let hash = hash(name);
        // Streams count blocks from 0 in the last word and never come to its largest value.
        let counter = [hash as u32, (hash >> 32) as u32, 0, u32::MAX];
        let [a, b, ..] = philox::block(counter, self.0);
        Self([a, b])
    }

    /// The words that Philox is keyed with.
    pub const fn words(self) -> [u32; 2] {
        self.0
    }

    /// The random words of one draw.
    #[inline]
    pub const fn stream(self, event: u64, step: u32) -> Stream {
        Stream::new(self, event, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hashed_as_published() {
        // Test vectors of FNV-1a 64 in draft-eastlake-fnv.
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
