//! A Cholesky factorisation by tiles, on several threads.

use super::{LinalgError, cholesky, solve_upper_transposed_many, transposed_product};
use crate::parallel::for_each;

/// Rows and columns of a tile.
const TILE: usize = 128;
/// Order from which tiles pay.
const TILED_FROM: usize = 512;

/// A rectangle of a row-major matrix of `stride` columns, packed.
fn pack(a: &[f64], stride: usize, columns: std::ops::Range<usize>) -> Vec<f64> {
    let rows = a.chunks_exact(stride);
    rows.flat_map(|row| &row[columns.clone()])
        .copied()
        .collect()
}

fn unpack(tile: &[f64], a: &mut [f64], stride: usize, columns: std::ops::Range<usize>) {
    let rows = a.chunks_exact_mut(stride);
    for (row, from) in rows.zip(tile.chunks_exact(columns.len())) {
        row[columns.clone()].copy_from_slice(from);
    }
}

/// As [`cholesky`], on `threads` threads. Their number changes no bit of the result.
///
/// Shape: `a` is n × n; the strict lower triangle is neither read nor kept.
///
/// ```
/// let mut a = [4.0, 2.0, 0.0, 3.0];
/// pullback_array::linalg::cholesky_on(&mut a, 2, 2)?;
/// assert_eq!(a[..2], [2.0, 1.0]);
/// # Ok::<(), pullback_array::linalg::LinalgError>(())
/// ```
///
/// # Errors
/// As [`cholesky`].
///
/// Reference: A. Buttari, J. Langou, J. Kurzak, J. Dongarra, Parallel Computing 35 (2009) 38 (right-looking, by tiles).
pub fn cholesky_on(a: &mut [f64], n: usize, threads: usize) -> Result<(), LinalgError> {
    if n < TILED_FROM || a.len() != n * n {
        return cholesky(a, n);
    }
    for k in (0..n).step_by(TILE) {
        let end = (k + TILE).min(n);
        let rows = &mut a[k * n..end * n];
        let mut corner = pack(rows, n, k..end);
        cholesky(&mut corner, end - k).map_err(|error| match error {
            LinalgError::NotPositiveDefinite { pivot, value } => LinalgError::NotPositiveDefinite {
                pivot: k + pivot,
                value,
            },
            other => other,
        })?;
        unpack(&corner, rows, n, k..end);
        let columns = |j: usize| j..(j + TILE).min(n);
        let mut tiles: Vec<Vec<f64>> = (end..n)
            .step_by(TILE)
            .map(|j| pack(rows, n, columns(j)))
            .collect();
        for_each(threads, tiles.iter_mut(), |(): &mut (), tile| {
            let width = tile.len() / (end - k);
            // Lengths fit by construction.
            let _ = solve_upper_transposed_many(&corner, end - k, tile, width);
        });
        for (tile, j) in tiles.iter().zip((end..n).step_by(TILE)) {
            unpack(tile, rows, n, columns(j));
        }
        let (tiles, rest) = (&tiles, &mut a[end * n..]);
        for_each(
            threads,
            rest.chunks_mut(TILE * n).enumerate(),
            |product: &mut Vec<f64>, (i, rows)| {
                let height = rows.len() / n;
                for (tile, j) in tiles[i..].iter().zip((end + i * TILE..n).step_by(TILE)) {
                    let width = columns(j).len();
                    product.clear();
                    product.resize(height * width, 0.0);
                    let _ = transposed_product(product, &tiles[i], tile, end - k, height, width);
                    for (row, p) in rows.chunks_exact_mut(n).zip(product.chunks_exact(width)) {
                        for (x, p) in row[columns(j)].iter_mut().zip(p) {
                            *x -= p;
                        }
                    }
                }
            },
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(n: usize) -> Vec<f64> {
        // Diagonally dominant: positive definite.
        (0..n * n)
            .map(|k| {
                let (i, j) = (k / n, k % n);
                if i == j {
                    n as f64
                } else {
                    ((i * j + i + j) % 17) as f64 / 17.0 - 0.4
                }
            })
            .collect()
    }

    #[test]
    fn tiles_reconstruct_and_threads_change_nothing() {
        for n in [TILED_FROM, TILED_FROM + 77] {
            let a = matrix(n);
            let mut one = a.clone();
            cholesky_on(&mut one, n, 1).unwrap();
            let mut two = a.clone();
            cholesky_on(&mut two, n, 2).unwrap();
            let mut whole = a.clone();
            cholesky(&mut whole, n).unwrap();
            for i in 0..n {
                for k in i * n + i..(i + 1) * n {
                    assert_eq!(one[k].to_bits(), two[k].to_bits());
                    assert!((one[k] - whole[k]).abs() < 1e-11);
                }
            }
        }
    }

    #[test]
    fn failing_pivots_are_named() {
        let n = TILED_FROM + 5;
        for bad in [0, 300, n - 1] {
            let mut a = matrix(n);
            a[bad * (n + 1)] = -1.0;
            let error = cholesky_on(&mut a, n, 2).unwrap_err();
            assert!(
                matches!(error, LinalgError::NotPositiveDefinite { pivot, .. } if pivot == bad)
            );
        }
    }
}
