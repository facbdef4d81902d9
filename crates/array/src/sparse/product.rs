//! A matrix with many zeros times a dense one.

use crate::linalg;
use crate::parallel::for_each;

/// A B for an `a` (rows × k) of which most elements are zero, and a dense `b` (k × n), all row-major.
///
/// Where at most a quarter of `a` is filled, its zeros are not multiplied: what is infinite or NaN in a row of `b` that they alone would meet is not seen. An `a`
/// with more goes through the dense product, where 0·∞ is NaN. Results are the same for any number of threads.
///
/// ```
/// let c = pullback_array::sparse_product(&[0.0, 2.0], &[1.0, 3.0], 1, 2, 1, 1);
/// assert_eq!(c, [6.0]);
/// ```
///
/// # Panics
/// If a length does not fit.
pub fn sparse_product(
    a: &[f64],
    b: &[f64],
    rows: usize,
    k: usize,
    n: usize,
    threads: usize,
) -> Vec<f64> {
    assert!(
        a.len() == rows * k && b.len() == k * n,
        "lengths do not fit"
    );
    let mut out = vec![0.0; rows * n];
    if n == 0 || k == 0 {
        return out;
    }
    let filled = a.iter().filter(|x| **x != 0.0).count();
    if 4 * filled > rows * k {
        let _ = linalg::matmul(&mut out, false, a, b, rows, k, n);
        return out;
    }
    let threads = if filled * n < 1 << 18 { 1 } else { threads };
    for_each(
        threads,
        out.chunks_mut(n).zip(a.chunks(k)),
        |(): &mut (), (to, row)| {
            for (x, from) in row
                .iter()
                .zip(b.chunks_exact(n))
                .filter(|(x, _)| **x != 0.0)
            {
                for (to, y) in to.iter_mut().zip(from) {
                    *to += x * y;
                }
            }
        },
    );
    out
}
