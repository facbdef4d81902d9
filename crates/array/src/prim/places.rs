//! Indices that are constants of a program, analysed once: which elements move where.

/// Pairs of places in two arrays: element `.1` of one belongs to element `.0` of the other.
#[derive(Debug)]
pub(crate) struct Places {
    /// In the order of the first place.
    pairs: Vec<(u32, u32)>,
    /// The same as stretches `(first, second, length)`, where that is much shorter.
    runs: Option<Vec<(u32, u32, u32)>>,
    /// Elements that the first array must have.
    firsts: usize,
    /// Elements that the second array must have.
    seconds: usize,
    /// The second places alone, where the first ones are 0, 1, 2 … without a gap.
    filling: Option<Vec<u32>>,
    /// The other way round, unless no second place occurs twice: each second place and one past the last of its first places.
    heads: Option<Vec<(u32, u32)>>,
    /// First places by second place, in order.
    by_second: Vec<u32>,
}

impl Places {
    /// Place `i` belongs to `index[i]`, unless that is negative.
    pub fn new(index: &[i64]) -> Self {
        let found = |(i, k): (usize, &i64)| Some((i as u32, u32::try_from(*k).ok()?));
        Self {
            // Also where one is larger than any array: it is past the end, not absent.
            seconds: index
                .iter()
                .max()
                .and_then(|k| usize::try_from(*k).ok())
                .map_or(0, |k| k + 1),
            ..Self::of(index.iter().enumerate().filter_map(found).collect())
        }
    }

    /// The places among those of `index` that `keep`; the others must be there, too.
    pub fn among(index: &[i64], keep: &[bool]) -> Self {
        let mut places = Self::new(index);
        places.pairs.retain(|(i, _)| keep[*i as usize]);
        Self {
            seconds: places.seconds,
            ..Self::of(places.pairs)
        }
    }

    fn of(pairs: Vec<(u32, u32)>) -> Self {
        let mut runs: Vec<(u32, u32, u32)> = Vec::new();
        for &(i, k) in &pairs {
            match runs.last_mut() {
                Some((a, b, n)) if *a + *n == i && *b + *n == k => *n += 1,
                _ => runs.push((i, k, 1)),
            }
        }
        let mut sorted = pairs.clone();
        sorted.sort_by_key(|p| p.1);
        let mut heads: Vec<(u32, u32)> = Vec::new();
        for (n, (_, k)) in sorted.iter().enumerate() {
            match heads.last_mut() {
                Some((last, end)) if last == k => *end = n as u32 + 1,
                _ => heads.push((*k, n as u32 + 1)),
            }
        }
        let gapless = pairs.iter().enumerate().all(|(n, p)| p.0 as usize == n);
        let one_past = |last: Option<u32>| last.map_or(0, |k| k as usize + 1);
        Self {
            firsts: one_past(pairs.last().map(|p| p.0)),
            seconds: one_past(sorted.last().map(|p| p.1)),
            filling: gapless.then(|| pairs.iter().map(|p| p.1).collect()),
            heads: (heads.len() < sorted.len()).then_some(heads),
            by_second: sorted.iter().map(|p| p.0).collect(),
            // A stretch costs about as much as a few single elements.
            runs: (8 * runs.len() <= pairs.len()).then_some(runs),
            pairs,
        }
    }

    /// Whether they move in stretches.
    pub fn has_runs(&self) -> bool {
        self.runs.is_some()
    }

    /// Whether all `n` first places belong somewhere.
    pub fn fills(&self, n: usize) -> bool {
        self.pairs.len() == n
    }

    /// `out[i] = table[k]` for all pairs (i, k).
    pub fn read<T: Copy>(&self, table: &[T], out: &mut [T]) -> Result<(), String> {
        self.check(out.len(), table.len())?;
        if let Some(runs) = &self.runs {
            for &(i, k, n) in runs {
                let (i, k, n) = (i as usize, k as usize, n as usize);
                out[i..i + n].copy_from_slice(&table[k..k + n]);
            }
        } else if let Some(filling) = &self.filling {
            for (o, k) in out.iter_mut().zip(filling) {
                *o = table[*k as usize];
            }
        } else {
            for &(i, k) in &self.pairs {
                out[i as usize] = table[k as usize];
            }
        }
        Ok(())
    }

    /// `out[k] += x[i]` for all pairs (i, k), in order.
    pub fn add(&self, x: &[f64], out: &mut [f64]) -> Result<(), String> {
        self.check(x.len(), out.len())?;
        if let Some(heads) = &self.heads {
            // Place by place: a sum stays in a register.
            let mut start = 0;
            for &(k, end) in heads {
                let end = end as usize;
                let mut sum = out[k as usize];
                for i in &self.by_second[start..end] {
                    sum += x[*i as usize];
                }
                (out[k as usize], start) = (sum, end);
            }
        } else if let Some(runs) = &self.runs {
            for &(i, k, n) in runs {
                let (i, k, n) = (i as usize, k as usize, n as usize);
                for (o, x) in out[k..k + n].iter_mut().zip(&x[i..i + n]) {
                    *o += x;
                }
            }
        } else {
            for &(i, k) in &self.pairs {
                out[k as usize] += x[i as usize];
            }
        }
        Ok(())
    }

    fn check(&self, firsts: usize, seconds: usize) -> Result<(), String> {
        if seconds < self.seconds {
            return Err(format!(
                "index {} is past the end: the level has {seconds} elements here",
                self.seconds - 1
            ));
        }
        if firsts < self.firsts {
            return Err(format!("{firsts} elements for {} indices", self.firsts));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_and_single_places_read_and_add_the_same() {
        // Two stretches with a hole, and a permutation without stretches.
        let long: Vec<i64> = (5..40).chain([-1]).chain(50..90).collect();
        let mixed: Vec<i64> = (0..40).map(|i| i * 7 % 40).collect();
        let twice: Vec<i64> = (0..32).chain(0..32).collect();
        for index in [long, mixed, twice] {
            let places = Places::new(&index);
            let table: Vec<f64> = (0..100).map(|k| f64::from(k) * 1.5).collect();
            let (mut out, mut sums) = (vec![-1.0; index.len()], vec![0.0; 100]);
            places.read(&table, &mut out).unwrap();
            places.add(&out, &mut sums).unwrap();
            let mut expected = vec![0.0; 100];
            for (o, i) in out.iter().zip(&index) {
                let Ok(k) = usize::try_from(*i) else {
                    assert_eq!(*o, -1.0);
                    continue;
                };
                assert_eq!(*o, table[k]);
                expected[k] += o;
            }
            assert_eq!(sums, expected);
        }
    }

    #[test]
    fn an_index_past_the_end_is_an_error() {
        let places = Places::new(&[0, 3]);
        let message = places.read(&[1.0; 3], &mut [0.0; 2]).unwrap_err();
        assert!(message.contains("index 3 is past the end"), "{message}");
        assert!(places.add(&[1.0; 2], &mut [0.0; 3]).is_err());
        assert!(places.read(&[1.0; 4], &mut [0.0; 2]).is_ok());
    }

    #[test]
    fn kept_places_alone_are_used() {
        let places = Places::among(&[1, 0, -1, 2], &[true, false, true, true]);
        let mut out = [9.0; 4];
        places.read(&[10.0, 11.0, 12.0], &mut out).unwrap();
        assert_eq!(out, [11.0, 9.0, 9.0, 12.0]);
        assert!(!places.fills(4));
    }
}
