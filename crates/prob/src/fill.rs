//! Columns of draws, vectorised over events.
//!
//! The bodies are compiled for each instruction set, but always with the portable arithmetic (no fused multiply-add), so that the bits do not depend on it.

use pullback_ad::isa::{Isa, Portable};
use pullback_ad::math::ln::ln_1p;
use pullback_ad::math::normal::{is_norm_far, norm_quantile_16, norm_quantile_16_near};

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

/// A uniform number that the vector code cannot do: less than one in 10¹⁰.
#[cold]
#[inline(never)]
fn redo_far(z: &mut [f64], u: &[f64]) {
    for (z, u) in z.iter_mut().zip(u) {
        if is_norm_far(*u) {
            *z = norm_quantile_16::<Portable>(*u);
        }
    }
}

#[inline(always)]
fn normal_body<I: Isa>(out: &mut [f64], key: [u32; 2], first_event: u64, step: u32) {
    let mut event = first_event;
    let mut uniform = [0.5; CHUNK];
    for chunk in out.chunks_mut(CHUNK) {
        let u = &mut uniform[..chunk.len()];
        uniform_body::<I>(u, key, event, step);
        event = event.wrapping_add(CHUNK as u64);
        let mut far = false;
        for (z, u) in chunk.iter_mut().zip(&*u) {
            *z = norm_quantile_16_near::<Portable>(*u);
            far |= is_norm_far(*u);
        }
        if far {
            redo_far(chunk, u);
        }
    }
}

#[inline(always)]
fn exponential_body<I: Isa>(out: &mut [f64], key: [u32; 2], first_event: u64, step: u32) {
    let mut event = first_event;
    for chunk in out.chunks_mut(CHUNK) {
        uniform_body::<I>(chunk, key, event, step);
        event = event.wrapping_add(CHUNK as u64);
        for x in chunk {
            *x = -ln_1p::<Portable>(-*x);
        }
    }
}

pullback_ad::multiversion! {
    fn uniforms, uniforms_at(out: &mut [f64], key: [u32; 2], first_event: u64, step: u32) = uniform_body;
    fn pairs, pairs_at(first: &mut [f64], second: &mut [f64], key: [u32; 2], first_event: u64, step: u32) = pair_body;
    fn exponentials, exponentials_at(out: &mut [f64], key: [u32; 2], first_event: u64, step: u32) = exponential_body;
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

/// Exponential numbers of mean 1: the quantile −ln(1 − u) of [`fill_uniform`].
pub fn fill_exponential(out: &mut [f64], key: Key, first_event: u64, step: u32) {
    exponentials(out, key.words(), first_event, step);
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
        let mut x = vec![0.0; 301];
        exponentials_at(Level::PORTABLE)(&mut x, words, first, 5);
        for level in Level::available() {
            let mut other = vec![0.0; 301];
            exponentials_at(level)(&mut other, words, first, 5);
            assert_eq!(other, x, "{}", level.name());
            let mut z = vec![0.0; 301];
            normals_at(level)(&mut z, words, first, 5);
            assert_eq!(z, plain, "{}", level.name());
        }
    }

    #[test]
    fn far_numbers_are_done_again() {
        let u = [1e-12, 0.3, 1.0 - 1e-13, 2f64.powi(-54), 0.99];
        let mut z = u.map(norm_quantile_16_near::<Portable>);
        redo_far(&mut z, &u);
        assert_eq!(z, u.map(norm_quantile_16::<Portable>));
        assert!((z[3] + 8.29236).abs() < 1e-5);
    }
}
