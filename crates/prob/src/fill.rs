//! Columns of draws, vectorised over events.
//!
//! The bodies are compiled for each instruction set, but always with the portable arithmetic (no fused multiply-add), so that the bits do not depend on it.

use pullback_ad::isa::{Isa, Portable};
use pullback_ad::math::normal::norm_quantile_16;

use crate::key::Key;
use crate::philox::{join, wide};
use crate::uniform::unit;

/// Values per inner loop.
const CHUNK: usize = 64;

/// The first block of a draw, in wide registers.
#[inline(always)]
fn first_block(key: [u32; 2], event: u64, step: u32) -> [u64; 4] {
    wide([event, event >> 32, u64::from(step), 0], key)
}

#[allow(clippy::extra_unused_type_parameters)] // What `multiversion!` asks of a body.
#[inline(always)]
fn uniform_body<I: Isa>(out: &mut [f64], key: [u32; 2], first_event: u64, step: u32) {
    for (i, u) in out.iter_mut().enumerate() {
        let [a, b, ..] = first_block(key, first_event.wrapping_add(i as u64), step);
        *u = unit(join(a, b));
    }
}

#[allow(clippy::extra_unused_type_parameters)] // What `multiversion!` asks of a body.
#[inline(always)]
fn pair_body<I: Isa>(
    first: &mut [f64],
    second: &mut [f64],
    key: [u32; 2],
    first_event: u64,
    step: u32,
) {
    for (i, (u, v)) in first.iter_mut().zip(second).enumerate() {
        let [a, b, c, d] = first_block(key, first_event.wrapping_add(i as u64), step);
        *u = unit(join(a, b));
        *v = unit(join(c, d));
    }
}

#[inline(always)]
fn normal_body<I: Isa>(out: &mut [f64], key: [u32; 2], first_event: u64, step: u32) {
    let mut event = first_event;
    for chunk in out.chunks_mut(CHUNK) {
        uniform_body::<I>(chunk, key, event, step);
        event = event.wrapping_add(CHUNK as u64);
        for z in chunk {
            *z = norm_quantile_16::<Portable>(*z);
        }
    }
}

pullback_ad::multiversion! {
    fn uniforms, uniforms_at(out: &mut [f64], key: [u32; 2], first_event: u64, step: u32) = uniform_body;
    fn pairs, pairs_at(first: &mut [f64], second: &mut [f64], key: [u32; 2], first_event: u64, step: u32) = pair_body;
    fn normals, normals_at(out: &mut [f64], key: [u32; 2], first_event: u64, step: u32) = normal_body;
}

/// The first uniform number of the draws at (key, event, step) for consecutive events, ids wrapping at 2⁶⁴.
///
/// # Example
/// ```
/// use pullback_prob::{Key, fill_uniform, rand_core::Rng, unit};
///
/// let key = Key::new(3, "x");
/// let mut u = [0.0; 5];
/// fill_uniform(&mut u, key, 10, 0);
/// assert_eq!(u[4], unit(key.stream(14, 0).next_u64()));
/// ```
pub fn fill_uniform(out: &mut [f64], key: Key, first_event: u64, step: u32) {
    uniforms(out, key.words(), first_event, step);
}

/// The first two uniform numbers of each draw, for the price of one: a block holds both.
///
/// The shorter of the two slices counts.
pub fn fill_uniform_pair(
    first: &mut [f64],
    second: &mut [f64],
    key: Key,
    first_event: u64,
    step: u32,
) {
    let count = first.len().min(second.len());
    pairs(
        &mut first[..count],
        &mut second[..count],
        key.words(),
        first_event,
        step,
    );
}

/// Standard normal numbers: the quantile of [`fill_uniform`].
pub fn fill_normal(out: &mut [f64], key: Key, first_event: u64, step: u32) {
    normals(out, key.words(), first_event, step);
}

#[cfg(test)]
mod tests {
    use pullback_ad::isa::Level;

    use super::*;

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let words = Key::new(11, "levels").words();
        let first = u64::MAX - 100; // Wraps, and carries into the upper word.
        let mut plain = vec![0.0; 301];
        for (i, z) in plain.iter_mut().enumerate() {
            let [a, b, ..] = first_block(words, first.wrapping_add(i as u64), 5);
            *z = norm_quantile_16::<Portable>(unit(join(a, b)));
        }
        for level in Level::available() {
            let mut z = vec![0.0; 301];
            normals_at(level)(&mut z, words, first, 5);
            assert_eq!(z, plain, "{}", level.name());
        }
    }
}
