//! Runs of consecutive rows with (nearly) equal columns.

use std::ops::Range;

use super::pattern::Pattern;

/// Rows that a column must have to stand in panels.
const COMMON: u32 = 8;
/// Rows of a panel at most, and rows of a run without a panel.
const ROWS: usize = 256;
/// A panel has at least so many rows, and its product takes at least so many multiplications: below that, pairs are faster.
const LEAST: (usize, usize) = (4, 1024);
/// The slot of an entry outside the panel.
pub(super) const OUTSIDE: u32 = u32::MAX;

/// Rows, and the columns of the panel of each side.
type Run = (Range<usize>, [Vec<u32>; 2]);

/// A column and how often it stood in the row before: entries that are not merged can share one.
type Key = (u32, u32);

/// Sorted lists as one, each key once.
fn union(a: &[Key], b: &[Key]) -> Vec<Key> {
    if a == b {
        return a.to_vec();
    }
    let mut out = [a, b].concat();
    out.sort_unstable();
    out.dedup();
    out
}

/// Columns of a row that enough rows have.
fn keys(pattern: &Pattern, r: usize, common: &[bool]) -> Vec<Key> {
    let mut out: Vec<Key> = Vec::new();
    for &c in &pattern.columns[pattern.row(r)] {
        if common[c as usize] {
            let before = out.iter().rev().take_while(|k| k.0 == c).count();
            out.push((c, before as u32));
        }
    }
    out
}

/// A run that still grows.
#[derive(Default)]
struct Growing {
    start: usize,
    columns: [Vec<Key>; 2],
    entries: usize,
}

/// Cuts the rows of one or two patterns into runs; and for each entry of each side its column in the panel. Columns
/// from `m` on are never in one.
pub(super) fn runs(sides: &[Option<&Pattern>; 2], m: usize) -> (Vec<Run>, [Vec<u32>; 2]) {
    let rows = sides[0].map_or(0, Pattern::rows);
    let common: Vec<Vec<bool>> = sides
        .iter()
        .map(|pattern| {
            let columns = pattern.map_or(&[][..], |p| &p.columns);
            let n = columns.iter().max().map_or(0, |c| *c as usize + 1);
            let mut count = vec![0_u32; n];
            for &c in columns {
                count[c as usize] += 1;
            }
            (count.iter().enumerate())
                .map(|(c, k)| c < m && *k >= COMMON)
                .collect()
        })
        .collect();
    let of = |side: usize, r: usize| {
        sides[side].map_or(Vec::new(), |pattern| keys(pattern, r, &common[side]))
    };
    let mut out: Vec<Run> = Vec::new();
    let mut slots = sides.map(|p| vec![OUTSIDE; p.map_or(0, |p| p.columns.len())]);
    let mut growing = Growing::default();
    for r in 0..rows {
        let sets = [of(0, r), of(1, r)];
        let joint = [0, 1].map(|s| union(&growing.columns[s], &sets[s]));
        let entries = growing.entries + sets[0].len() + sets[1].len();
        let count = r + 1 - growing.start;
        // A quarter more than there are entries is the most that zeros may add.
        let dense = count * (joint[0].len() + joint[1].len());
        if count > 1 && (count > ROWS || 4 * dense > 5 * entries) {
            close(&growing, r, sides, &common, &mut out, &mut slots);
            growing = Growing {
                start: r,
                entries: sets[0].len() + sets[1].len(),
                columns: sets,
            };
        } else {
            growing.columns = joint;
            growing.entries = entries;
        }
    }
    close(&growing, rows, sides, &common, &mut out, &mut slots);
    (out, slots)
}

/// Ends a run before row `end`.
fn close(
    run: &Growing,
    end: usize,
    sides: &[Option<&Pattern>; 2],
    common: &[Vec<bool>],
    out: &mut Vec<Run>,
    slots: &mut [Vec<u32>; 2],
) {
    let rows = run.start..end;
    if rows.is_empty() {
        return;
    }
    let [k, l] = [&run.columns[0], &run.columns[1]].map(Vec::len);
    let work = rows.len() * k * if sides[1].is_some() { l } else { k };
    if rows.len() < LEAST.0 || work < LEAST.1 {
        match out.last_mut() {
            Some((before, [left, right]))
                if left.is_empty() && right.is_empty() && end - before.start <= ROWS =>
            {
                before.end = end;
            }
            _ => out.push((rows, [Vec::new(), Vec::new()])),
        }
        return;
    }
    for s in 0..2 {
        let Some(pattern) = sides[s] else { continue };
        for r in rows.clone() {
            let mut list = keys(pattern, r, &common[s]).into_iter();
            for e in pattern.row(r) {
                if common[s][pattern.columns[e] as usize]
                    && let Some(key) = list.next()
                    && let Ok(k) = run.columns[s].binary_search(&key)
                {
                    slots[s][e] = k as u32;
                }
            }
        }
    }
    let columns = [0, 1].map(|s| run.columns[s].iter().map(|k| k.0).collect());
    out.push((rows, columns));
}
