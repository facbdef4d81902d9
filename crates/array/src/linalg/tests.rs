//! Against definitions, on matrices from a seed.

use super::*;

/// A reproducible matrix with entries in (−1, 1).
fn noise(rows: usize, columns: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..rows * columns)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect()
}

fn positive(n: usize, seed: u64) -> Vec<f64> {
    let a = noise(n + 3, n, seed);
    let mut c = vec![0.0; n * n];
    weighted_gram(&mut c, &a, &vec![1.0; n + 3], n, &mut Vec::new()).unwrap();
    mirror_upper(&mut c, n);
    c
}

const ORDERS: [usize; 11] = [
    0,
    1,
    2,
    3,
    4,
    5,
    17,
    64,
    BLOCKED_FROM - 1,
    BLOCKED_FROM,
    150,
];

#[test]
fn cholesky_reconstructs_and_leaves_the_lower_triangle() {
    for n in ORDERS {
        let a = positive(n, 7);
        let mut r = a.clone();
        for i in 0..n {
            r[i * n..i * n + i].fill(f64::NAN);
        }
        cholesky(&mut r, n).unwrap();
        let scale = a.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
        for i in 0..n {
            assert!(r[i * n..i * n + i].iter().all(|x| x.is_nan()), "order {n}");
            for j in i..n {
                let sum: f64 = (0..=i).map(|k| r[k * n + i] * r[k * n + j]).sum();
                assert!(
                    (sum - a[i * n + j]).abs() < 1e-14 * scale * n as f64,
                    "order {n}: {sum} {}",
                    a[i * n + j]
                );
            }
        }
    }
}

#[test]
fn solves_agree_with_the_product() {
    for n in ORDERS {
        let a = positive(n, 11);
        let mut r = a.clone();
        cholesky(&mut r, n).unwrap();
        let x = noise(n, 1, 5);
        let mut b = vec![0.0; n];
        matvec(&a, &x, &mut b).unwrap();
        let mut pair: Vec<f64> = b.iter().flat_map(|&b| [b, 2.0 * b]).collect();
        let mut lu_b = b.clone();
        cholesky_solve(&r, n, &mut b).unwrap();
        cholesky_solve_many(&r, n, &mut pair, 2).unwrap();
        let mut inverse = vec![0.0; n * n];
        cholesky_inverse(&r, n, &mut inverse).unwrap();
        let lu = Lu::new(&a, n).unwrap();
        let tolerance = 1e-14 / lu.rcond();
        let rhs = lu_b.clone();
        lu.solve(&mut lu_b).unwrap();
        for i in 0..n {
            assert!((b[i] - x[i]).abs() < tolerance, "order {n}");
            assert!(
                (pair[2 * i] - x[i]).abs() < tolerance
                    && (pair[2 * i + 1] - 2.0 * x[i]).abs() < 2.0 * tolerance
            );
            assert!((lu_b[i] - x[i]).abs() < tolerance);
            assert!((dot(&inverse[i * n..(i + 1) * n], &rhs) - x[i]).abs() < tolerance);
        }
    }
}

#[test]
fn failing_pivots_are_named() {
    for n in [6, BLOCKED_FROM + 10] {
        for bad in [0, 3, 4, n - 1] {
            let mut a = positive(n, 3);
            a[bad * (n + 1)] = -1.0;
            let error = cholesky(&mut a, n).unwrap_err();
            assert!(
                matches!(error, LinalgError::NotPositiveDefinite { pivot, .. } if pivot == bad),
                "{error} {bad}"
            );
            let mut a = positive(n, 3);
            a[bad * (n + 1)] = f64::NAN;
            assert!(matches!(
                cholesky(&mut a, n),
                Err(LinalgError::NotPositiveDefinite { .. })
            ));
        }
    }
    assert!(matches!(
        cholesky(&mut [1.0; 3], 2),
        Err(LinalgError::Shape {
            found: 3,
            expected: 4,
            ..
        })
    ));
    assert!(matches!(
        Lu::new(&[1.0, 2.0, 2.0, 4.0], 2),
        Err(LinalgError::Singular { pivot: 1, .. })
    ));
}

#[test]
fn lu_of_general_matrices() {
    for n in ORDERS {
        let a = noise(n, n, 23);
        let Ok(lu) = Lu::new(&a, n) else {
            panic!("order {n}")
        };
        let x = noise(n, 1, 9);
        let mut b = vec![0.0; n];
        matvec(&a, &x, &mut b).unwrap();
        lu.solve(&mut b).unwrap();
        let mut c: Vec<f64> = (0..n)
            .map(|j| (0..n).map(|i| a[i * n + j] * x[i]).sum())
            .collect();
        lu.solve_transposed(&mut c).unwrap();
        let tolerance = 1e-14 / lu.rcond();
        for i in 0..n {
            assert!(
                (b[i] - x[i]).abs() < tolerance && (c[i] - x[i]).abs() < tolerance,
                "order {n}"
            );
        }
    }
}

#[test]
fn condition_number_of_the_hilbert_matrix() {
    // ‖H‖₁ ‖H⁻¹‖₁ for n = 6 is 29070279 (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 28.1; by exact fractions).
    let n = 6;
    let a: Vec<f64> = (0..n * n)
        .map(|k| 1.0 / (k / n + k % n + 1) as f64)
        .collect();
    let rcond = Lu::new(&a, n).unwrap().rcond();
    assert!((rcond * 29070279.0 - 1.0).abs() < 1e-8, "{}", 1.0 / rcond);
}

#[test]
fn eigenvectors_diagonalise() {
    for n in ORDERS {
        let a = noise(n, n, 31);
        let full: Vec<f64> = (0..n * n)
            .map(|k| a[(k / n).min(k % n) * n + (k / n).max(k % n)])
            .collect();
        let (mut values, mut vectors) = (vec![0.0; n], vec![0.0; n * n]);
        symmetric_eigen(&a, n, &mut values, &mut vectors).unwrap();
        let mut image = vec![0.0; n];
        for k in 0..n {
            let v = &vectors[k * n..(k + 1) * n];
            matvec(&full, v, &mut image).unwrap();
            for i in 0..n {
                assert!((image[i] - values[k] * v[i]).abs() < 1e-12, "order {n}");
            }
            assert!(k == 0 || values[k] >= values[k - 1]);
        }
    }
}

#[test]
fn singular_vectors_reconstruct() {
    for n in ORDERS {
        let rows = n + n / 3 + 1;
        let a = noise(rows, n, 41);
        let (mut values, mut left, mut right) =
            (vec![0.0; n], vec![0.0; n * rows], vec![0.0; n * n]);
        thin_svd(&a, rows, n, &mut values, &mut left, &mut right).unwrap();
        for i in 0..rows {
            for j in 0..n {
                let sum: f64 = (0..n)
                    .map(|k| values[k] * left[k * rows + i] * right[k * n + j])
                    .sum();
                assert!((sum - a[i * n + j]).abs() < 1e-12, "order {n}");
            }
        }
        assert!(values.windows(2).all(|v| v[0] >= v[1]));
    }
    assert!(
        thin_svd(
            &[1.0, 2.0],
            1,
            2,
            &mut [0.0; 2],
            &mut [0.0; 2],
            &mut [0.0; 4]
        )
        .is_err()
    );
}

#[test]
fn gram_equals_loops() {
    let (rows, n) = (13, 9);
    let (a, w) = (noise(rows, n, 1), noise(rows, 1, 2));
    let mut c = vec![0.5; n * n];
    weighted_gram(&mut c, &a, &w, n, &mut Vec::new()).unwrap();
    for i in 0..n {
        for j in 0..n {
            let sum: f64 = (0..rows).map(|k| w[k] * a[k * n + i] * a[k * n + j]).sum();
            let expected = if j >= i { 0.5 + sum } else { 0.5 };
            assert!((c[i * n + j] - expected).abs() < 1e-14);
        }
    }
}
