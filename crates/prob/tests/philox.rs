//! The random function itself.

use pullback_prob::philox::block;
use pullback_prob::rand_core::Rng;
use pullback_prob::{Key, unit};

mod support;
use support::{P_MIN, chi2_p};

/// Pairs of words compared.
const N: u64 = 20_000;

/// Random123 1.14, `tests/kat_vectors`: counter, key, result.
const KNOWN: &str = "
philox4x32 10 00000000 00000000 00000000 00000000 00000000 00000000   6627e8d5 e169c58d bc57ac4c 9b00dbd8
philox4x32 10 ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff   408f276d 41c83b0e a20bc7c6 6d5451fd
philox4x32 10 243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0   d16cfe09 94fdcceb 5001e420 24126ea1
";

#[test]
fn known_answers_of_random123() {
    let mut lines = 0;
    for line in KNOWN.lines().filter(|line| !line.is_empty()) {
        let words: Vec<u32> = line
            .split_whitespace()
            .skip(2)
            .map(|word| u32::from_str_radix(word, 16).unwrap())
            .collect();
        let [a, b, c, d, k0, k1, rest @ ..] = &words[..] else {
            panic!("a line of ten words");
        };
        assert_eq!(block([*a, *b, *c, *d], [*k0, *k1]), rest, "{line}");
        lines += 1;
    }
    assert_eq!(lines, 3);
}

/// A stream is blocks at counted addresses, however it is read.
#[test]
fn streams_are_consecutive_blocks() {
    let key = Key::new(9, "stream");
    let event = 0x0123_4567_89ab_cdef;
    let mut expected = Vec::new();
    for n in 0..4 {
        let counter = [0x89ab_cdef, 0x0123_4567, 3, n];
        expected.extend(block(counter, key.words()));
    }
    let mut stream = key.stream(event, 3);
    let words: Vec<u32> = (0..16).map(|_| stream.next_u32()).collect();
    assert_eq!(words, expected);
    let mut bytes = [0; 63];
    key.stream(event, 3).fill_bytes(&mut bytes);
    for (chunk, word) in bytes.chunks(4).zip(&expected) {
        assert_eq!(chunk, &word.to_le_bytes()[..chunk.len()]);
    }
}

#[test]
fn uniform_numbers_stay_inside_at_the_ends() {
    assert_eq!(unit(0), 2f64.powi(-54));
    assert_eq!(unit((1 << 11) - 1), 2f64.powi(-54));
    assert_eq!(unit(1 << 11), 2f64.powi(-53));
    assert_eq!(unit(u64::MAX), 1.0 - 2f64.powi(-53));
    assert!(unit(u64::MAX) < 1.0);
}

/// Neighbouring addresses (events, steps, names, seeds) give uncorrelated bits: each of 64 bits flips in half of the pairs.
#[test]
fn neighbouring_addresses_are_independent() {
    type Pair = fn(u64) -> (u64, u64);
    let pairs: [(&str, Pair); 4] = [
        ("event", |n| {
            let key = Key::new(1, "a");
            (key.stream(n, 0).next_u64(), key.stream(n + 1, 0).next_u64())
        }),
        ("step", |n| {
            let key = Key::new(1, "a");
            (key.stream(n, 0).next_u64(), key.stream(n, 1).next_u64())
        }),
        ("name", |n| {
            let (a, b) = (Key::new(1, "a"), Key::new(1, "b"));
            (a.stream(n, 0).next_u64(), b.stream(n, 0).next_u64())
        }),
        ("seed", |n| {
            let (a, b) = (Key::new(n, "a"), Key::new(n + 1, "a"));
            (a.stream(0, 0).next_u64(), b.stream(0, 0).next_u64())
        }),
    ];
    for (name, pair) in pairs {
        let mut flips = [0_u64; 64];
        for n in 0..N {
            let (a, b) = pair(n);
            for (bit, count) in flips.iter_mut().enumerate() {
                *count += (a ^ b) >> bit & 1;
            }
        }
        let quarter = N as f64 / 4.0;
        let chi2: f64 = flips
            .iter()
            .map(|n| (*n as f64 - N as f64 / 2.0).powi(2) / quarter)
            .sum();
        let p = chi2_p(chi2, 64);
        assert!(p > P_MIN && p < 1.0 - P_MIN, "{name}: p = {p}");
    }
}
