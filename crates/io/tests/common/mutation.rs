//! Mutations of files, and what whatever is read of them must be.

use pullback_io::{Column, Error, Limits};

use super::check_shape;

/// `xorshift64*` (Vigna 2016, doi:10.1145/2845077): enough for choosing mutations.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

pub const LIMITS: Limits = Limits {
    object_bytes: 8 << 20,
    chunk_bytes: 32 << 20,
    items: 100_000,
    name_bytes: 4 << 20,
    depth: 16,
};

pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Whether columns came out; they must have their shape, and an error its place.
pub fn checked(columns: Result<Vec<Column>, Error>) -> bool {
    match columns {
        Ok(columns) => {
            let bytes: usize = columns.iter().map(Column::bytes).sum();
            assert!(bytes as u64 <= 2 * LIMITS.chunk_bytes, "{bytes} bytes");
            for column in &columns {
                check_shape("fuzz", column);
            }
            true
        }
        Err(error) => {
            assert!(error.place().is_some(), "{error} has no place");
            assert!(!error.help().is_empty());
            false
        }
    }
}

/// Changes a few bytes, cuts the file, or copies a part of it elsewhere.
pub fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..=rng.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = rng.below(bytes.len());
        match rng.below(12) {
            0 => bytes.truncate(at),
            1 => {
                let from = rng.below(bytes.len());
                let len = rng.below(64).min(bytes.len() - from).min(bytes.len() - at);
                bytes.copy_within(from..from + len, at);
            }
            2 => {
                let len = rng.below(16).min(bytes.len() - at);
                bytes.drain(at..at + len);
            }
            3..=5 => {
                // Numbers that are often wrong, in both byte orders.
                let value = [0, 1, -1, 255, 1 << 30, i64::MAX, i64::MIN, 0x4000_0000][rng.below(8)];
                let size = [1, 2, 4, 8][rng.below(4)];
                let big = value.to_be_bytes();
                let little = value.to_le_bytes();
                let number = if rng.below(2) == 0 {
                    &big[8 - size..]
                } else {
                    &little[..size]
                };
                for (to, from) in bytes[at..].iter_mut().zip(number) {
                    *to = *from;
                }
            }
            6..=8 => bytes[at] = bytes[at].wrapping_add([1, 255, 2, 16][rng.below(4)]),
            _ => bytes[at] ^= 1 << rng.below(8),
        }
    }
}

/// Runs `one` on an input, which must neither panic nor take long; one that does is kept in a file of that extension.
pub fn timed(
    bytes: &[u8],
    extension: &str,
    one: impl Fn(&[u8]) -> usize + std::panic::RefUnwindSafe,
) -> usize {
    let start = std::time::Instant::now();
    let result = std::panic::catch_unwind(|| one(bytes));
    let took = start.elapsed();
    // Unmutated files take some ten milliseconds at most; the bound is far from noise.
    if result.is_err() || took > std::time::Duration::from_secs(10) {
        let path = std::env::temp_dir().join(format!("pullback-fuzz-{}.{extension}", bytes.len()));
        let _ = std::fs::write(&path, bytes);
        panic!(
            "input of {} bytes failed or took {took:?}; it is in {}",
            bytes.len(),
            path.display()
        );
    }
    result.unwrap_or(0)
}
