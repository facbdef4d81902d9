//! The Schur complement of a diagonal block with sparse coupling.

use std::ops::Range;

use crate::linalg;
use crate::parallel::for_each;

/// Rows of a panel at most.
const ROWS: usize = 128;
/// Multiplications below which the dense product serves.
const SMALL: usize = 1 << 23;

/// Rows of E that are different from zero in (nearly) the same columns.
struct Panel {
    rows: Range<usize>,
    columns: Vec<u32>,
}

/// Upper triangle of C ← C − Eᵀ D⁻¹ E: what is left of a symmetric matrix when the variables of its diagonal block D are eliminated.
///
/// `c` is m × m, `e` a row of m per element of `d`. Zeros of E are not multiplied where rows share them: the γ parameters of a channel couple to the
/// parameters of that channel only. Results are the same for any number of threads. Allocates scratch.
///
/// ```
/// let mut c = [4.0, 1.0, 0.0, 3.0];
/// pullback_array::schur_complement(&mut c, &[2.0, 1.0], &[2.0], 2, 1)?;
/// assert_eq!(c, [2.0, 0.0, 0.0, 2.5]);
/// # Ok::<(), pullback_array::linalg::LinalgError>(())
/// ```
///
/// # Errors
/// [`linalg::LinalgError::Shape`].
///
/// Reference: B. Triggs et al., LNCS 1883 (2000) 298, section 6.1.
pub fn schur_complement(
    c: &mut [f64],
    e: &[f64],
    d: &[f64],
    m: usize,
    threads: usize,
) -> Result<(), linalg::LinalgError> {
    let s = d.len();
    let fits = c.len() == m * m && e.len() == s * m;
    let panels = if fits && s * m * m >= SMALL {
        panels(e, m, s)
    } else {
        Vec::new()
    };
    let products = || panels.iter().map(|p| p.columns.len() * p.columns.len());
    // Hardly any zeros: the products of the panels would take more memory than the matrix.
    if panels.is_empty() || products().sum::<usize>() > 4 * m * m {
        let mut scaled = Vec::with_capacity(s * m);
        for (row, d) in e.chunks_exact(m.max(1)).zip(d) {
            scaled.extend(row.iter().map(|e| e / d));
        }
        return linalg::gram_update(c, -1.0, e, &scaled, s, m);
    }
    let mut storage = vec![0.0; products().sum()];
    let mut rest = &mut storage[..];
    let mut tasks = Vec::new();
    for (panel, size) in panels.iter().zip(products()) {
        let (part, others) = rest.split_at_mut(size);
        rest = others;
        tasks.push((panel, part));
    }
    for_each(
        threads,
        tasks,
        |scratch: &mut [Vec<f64>; 2], (panel, product)| {
            let k = panel.columns.len();
            let [dense, scaled] = scratch;
            dense.clear();
            scaled.clear();
            for r in panel.rows.clone() {
                let row = &e[r * m..(r + 1) * m];
                let values = || panel.columns.iter().map(|c| row[*c as usize]);
                dense.extend(values());
                scaled.extend(values().map(|e| e / d[r]));
            }
            // Lengths fit by construction.
            let _ = linalg::gram_update(product, -1.0, dense, scaled, panel.rows.len(), k);
        },
    );
    let parts = if threads > 1 { 4 * threads } else { 1 };
    let per_part = m.div_ceil(parts).max(1);
    for_each(
        threads,
        c.chunks_mut(per_part * m).enumerate(),
        |(): &mut (), (k, rows)| {
            let (first, mut at) = (k * per_part, 0);
            for panel in &panels {
                let n = panel.columns.len();
                let product = &storage[at..at + n * n];
                at += n * n;
                let find = |i: usize| panel.columns.partition_point(|c| (*c as usize) < i);
                for q in find(first)..find(first + per_part) {
                    let row = &mut rows[(panel.columns[q] as usize - first) * m..][..m];
                    for (&j, x) in panel.columns[q..].iter().zip(&product[q * n + q..]) {
                        row[j as usize] += x;
                    }
                }
            }
        },
    );
    Ok(())
}

fn panels(e: &[f64], m: usize, s: usize) -> Vec<Panel> {
    let mut out: Vec<Panel> = Vec::new();
    // Entries of the rows of the last panel.
    let mut entries = 0;
    for r in 0..s {
        let row = &e[r * m..(r + 1) * m];
        let own: Vec<u32> = (0..m)
            .filter(|&j| row[j] != 0.0)
            .map(|j| j as u32)
            .collect();
        if let Some(last) = out.last_mut() {
            let joint = if own == last.columns {
                own.clone()
            } else {
                let mut joint = [&own[..], &last.columns].concat();
                joint.sort_unstable();
                joint.dedup();
                joint
            };
            let count = last.rows.len() + 1;
            if count <= ROWS && 4 * count * joint.len() <= 5 * (entries + own.len()) {
                entries += own.len();
                last.columns = joint;
                last.rows.end = r + 1;
                continue;
            }
        }
        entries = own.len();
        out.push(Panel {
            rows: r..r + 1,
            columns: own,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_and_the_dense_product_agree_and_threads_change_nothing() {
        let (m, s) = (420, 60);
        let mut state = 1_u64;
        let mut noise = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.3
        };
        // Three groups of rows; each couples to a third of the variables, here and there to one less.
        let e: Vec<f64> = (0..s * m)
            .map(|k| {
                let (r, j) = (k / m, k % m);
                let coupled = j / 140 == r / 20 && (r + j) % 17 != 0;
                if coupled { noise() } else { 0.0 }
            })
            .collect();
        let d: Vec<f64> = (0..s).map(|_| 1.5 + noise()).collect();
        let start: Vec<f64> = (0..m * m).map(|_| noise()).collect();
        assert!(s * m * m > SMALL && panels(&e, m, s).len() < 10);
        let mut one = start.clone();
        schur_complement(&mut one, &e, &d, m, 1).unwrap();
        for threads in [2, 3] {
            let mut several = start.clone();
            schur_complement(&mut several, &e, &d, m, threads).unwrap();
            assert!(
                one.iter()
                    .zip(&several)
                    .all(|(a, b)| a.to_bits() == b.to_bits())
            );
        }
        for i in 0..m {
            for j in 0..m {
                let sum: f64 = (0..s).map(|r| e[r * m + i] * e[r * m + j] / d[r]).sum();
                let expected = start[i * m + j] - if j >= i { sum } else { 0.0 };
                assert!((one[i * m + j] - expected).abs() < 1e-13);
            }
        }
    }
}
