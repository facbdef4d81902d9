//! Philox4x32-10: 128 random bits as a function of a 128-bit counter and a 64-bit key.
//!
//! Ten rounds of multiplications to 64 bits and exclusive ors, a bijection of the counter for each key. It passes BigCrush also where counters differ in
//! few bits, which is how they are used here.
//!
//! Reference: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC '11 (2011); known answers
//! from the authors' Random123.

/// The two multipliers of Philox4x32.
const M: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What the key grows by from round to round: the golden ratio and √3 − 1.
const W: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const LOW: u64 = 0xFFFF_FFFF;

/// How many rounds.
pub const ROUNDS: usize = 10;

/// The block of four random words at a counter, least significant word first.
///
/// # Example
/// ```
/// use pullback_prob::philox::block;
///
/// assert_eq!(block([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
/// ```
#[inline]
pub const fn block(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let wide = wide(
        [
            counter[0] as u64,
            counter[1] as u64,
            counter[2] as u64,
            counter[3] as u64,
        ],
        key,
    );
    [
        wide[0] as u32,
        wide[1] as u32,
        wide[2] as u32,
        wide[3] as u32,
    ]
}

/// The same in registers of 64 bits, whose upper halves are ignored and come back as garbage: a loop over this body becomes one over vectors, with the
/// product of two 32-bit numbers as one instruction.
#[inline(always)]
pub(crate) const fn wide(counter: [u64; 4], key: [u32; 2]) -> [u64; 4] {
    let [mut a, mut b, mut c, mut d] = counter;
    let [mut k0, mut k1] = key;
    let mut round = 0;
    while round < ROUNDS {
        let first = M[0] * (a & LOW);
        let second = M[1] * (c & LOW);
        a = (second >> 32) ^ b ^ k0 as u64;
        c = (first >> 32) ^ d ^ k1 as u64;
        b = second;
        d = first;
        k0 = k0.wrapping_add(W[0]);
        k1 = k1.wrapping_add(W[1]);
        round += 1;
    }
    [a, b, c, d]
}

/// Two words as one of 64 bits, the first one low.
#[inline(always)]
pub(crate) const fn join(low: u64, high: u64) -> u64 {
    (low & LOW) | (high << 32)
}
