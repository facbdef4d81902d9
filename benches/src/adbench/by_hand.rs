//! Objective and derivative of the mixture and of bundle adjustment by hand, after ADBench's *manual* C++: what the benches compare with.
//!
//! Scalar loops with the derivative of every line written out, in the same order as there; the compiler vectorises what it can.

#![allow(clippy::needless_range_loop, reason = "indices as in the original")]

use super::{Bundle, Gmm};

/// The log-posterior of a mixture and its gradient (α, μ, q, l in one vector).
///
/// Reference: GradBench, tools/manual/gmm_d.hpp.
pub fn gmm(problem: &Gmm, points: &[f64], gradient: &mut [f64]) -> f64 {
    let (d, k) = (problem.d, problem.k);
    let below = d * (d - 1) / 2;
    let diagonal: Vec<f64> = problem.q.iter().map(|q| q.exp()).collect();
    let log_determinant: Vec<f64> = problem.q.chunks(d).map(|q| q.iter().sum()).collect();
    gradient.fill(0.0);
    let (d_alpha, rest) = gradient.split_at_mut(k);
    let (d_mu, rest) = rest.split_at_mut(k * d);
    let (d_q, d_l) = rest.split_at_mut(k * d);
    let mut beta = vec![0.0; k];
    let (mut centred, mut whitened) = (vec![0.0; d], vec![0.0; d]);
    let (mut now_mu, mut now_q, mut now_l) =
        (vec![0.0; k * d], vec![0.0; k * d], vec![0.0; k * below]);
    let mut likelihood = 0.0;
    for x in points.chunks_exact(d) {
        for c in 0..k {
            let (mean, scale) = (
                &problem.mu[c * d..(c + 1) * d],
                &diagonal[c * d..(c + 1) * d],
            );
            let l = &problem.l[c * below..(c + 1) * below];
            for j in 0..d {
                centred[j] = x[j] - mean[j];
                whitened[j] = scale[j] * centred[j];
            }
            let mut at = 0;
            for i in 0..d {
                for j in i + 1..d {
                    whitened[j] += l[at] * centred[i];
                    at += 1;
                }
            }
            let (now_mu, now_q) = (
                &mut now_mu[c * d..(c + 1) * d],
                &mut now_q[c * d..(c + 1) * d],
            );
            let now_l = &mut now_l[c * below..(c + 1) * below];
            let mut square = 0.0;
            at = 0;
            for i in 0..d {
                square += whitened[i] * whitened[i];
                now_q[i] = 1.0 - scale[i] * centred[i] * whitened[i];
                let mut pulled = scale[i] * whitened[i];
                for j in i + 1..d {
                    pulled += l[at] * whitened[j];
                    now_l[at] = -centred[i] * whitened[j];
                    at += 1;
                }
                now_mu[i] = pulled;
            }
            beta[c] = problem.alpha[c] + log_determinant[c] - 0.5 * square;
        }
        likelihood += softmax(&mut beta);
        for (c, &w) in beta.iter().enumerate() {
            d_alpha[c] += w;
            let add = |sum: &mut [f64], now: &[f64]| {
                for (sum, now) in sum.iter_mut().zip(now) {
                    *sum += w * now;
                }
            };
            add(&mut d_mu[c * d..(c + 1) * d], &now_mu[c * d..(c + 1) * d]);
            add(&mut d_q[c * d..(c + 1) * d], &now_q[c * d..(c + 1) * d]);
            add(
                &mut d_l[c * below..(c + 1) * below],
                &now_l[c * below..(c + 1) * below],
            );
        }
    }
    let n = problem.points() as f64;
    let mut weights = problem.alpha.clone();
    let norm = softmax(&mut weights);
    let gamma2 = problem.gamma * problem.gamma;
    let mut frobenius = 0.0;
    for (d_alpha, w) in d_alpha.iter_mut().zip(weights) {
        *d_alpha -= n * w;
    }
    for (d_q, x) in d_q.iter_mut().zip(&diagonal) {
        frobenius += x * x;
        *d_q += problem.m as f64 - gamma2 * x * x;
    }
    for (d_l, x) in d_l.iter_mut().zip(&problem.l) {
        frobenius += x * x;
        *d_l -= gamma2 * x;
    }
    let prior = problem.m as f64 * problem.q.iter().sum::<f64>() - 0.5 * gamma2 * frobenius;
    likelihood - n * norm + prior + problem.constant()
}

/// ln Σ exp x; x becomes its derivative.
fn softmax(x: &mut [f64]) -> f64 {
    let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for x in x.iter_mut() {
        *x = (*x - largest).exp();
        sum += *x;
    }
    for x in x.iter_mut() {
        *x /= sum;
    }
    sum.ln() + largest
}

type Square = [[f64; 3]; 3];

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The matrix of v ×.
fn cross_matrix(v: [f64; 3]) -> Square {
    [[0.0, -v[2], v[1]], [v[2], 0.0, -v[0]], [-v[1], v[0], 0.0]]
}

/// A rotated vector, and its derivatives to the rotation vector and to the vector.
fn rotate(r: [f64; 3], x: [f64; 3]) -> ([f64; 3], Square, Square) {
    let theta2 = dot(r, r);
    if theta2 == 0.0 {
        let turned = cross(r, x);
        let mut to_r = cross_matrix(x);
        let mut to_x = cross_matrix(r);
        for i in 0..3 {
            to_r[i] = to_r[i].map(|e| -e);
            to_x[i][i] += 1.0;
        }
        return (std::array::from_fn(|i| x[i] + turned[i]), to_r, to_x);
    }
    let theta = theta2.sqrt();
    let (sin, cos) = theta.sin_cos();
    let inverse = 1.0 / theta;
    let w = r.map(|r| r * inverse);
    // ∂w/∂r.
    let mut w_r: Square = std::array::from_fn(|i| std::array::from_fn(|j| -w[i] * w[j] * inverse));
    for (i, row) in w_r.iter_mut().enumerate() {
        row[i] += inverse;
    }
    let (turned, along) = (cross(w, x), dot(w, x));
    let tmp = (1.0 - cos) * along;
    let out = std::array::from_fn(|i| x[i] * cos + turned[i] * sin + w[i] * tmp);
    // ∂tmp/∂r.
    let tmp_r: [f64; 3] = std::array::from_fn(|j| {
        (1.0 - cos) * (x[0] * w_r[0][j] + x[1] * w_r[1][j] + x[2] * w_r[2][j]) + along * sin * w[j]
    });
    // −sin θ [x]× + tmp, times ∂w/∂r.
    let mut m = cross_matrix(x).map(|row| row.map(|e| -sin * e));
    for (i, row) in m.iter_mut().enumerate() {
        row[i] += tmp;
    }
    let to_r = std::array::from_fn(|i| {
        let slope = cos * turned[i] - sin * x[i];
        std::array::from_fn(|j| {
            slope * w[j]
                + m[i][0] * w_r[0][j]
                + m[i][1] * w_r[1][j]
                + m[i][2] * w_r[2][j]
                + w[i] * tmp_r[j]
        })
    });
    let mut to_x = cross_matrix(w).map(|row| row.map(|e| sin * e));
    for i in 0..3 {
        for j in 0..3 {
            to_x[i][j] += (1.0 - cos) * w[i] * w[j];
        }
        to_x[i][i] += cos;
    }
    (out, to_r, to_x)
}

/// Errors of a bundle adjustment and the values of its Jacobian, in the order of [`Bundle::pattern`].
///
/// Reference: GradBench, tools/manual/ba_d.hpp.
pub fn bundle(problem: &Bundle, errors: &mut [f64], values: &mut [f64]) {
    let p = problem.observations();
    let (reprojection, weight_errors) = errors.split_at_mut(2 * p);
    let (blocks, slopes) = values.split_at_mut(30 * p);
    for (i, (error, block)) in reprojection
        .as_chunks_mut::<2>()
        .0
        .iter_mut()
        .zip(blocks.as_chunks_mut::<15>().0.as_chunks_mut::<2>().0)
        .enumerate()
    {
        let (camera, point) = problem.seen[i];
        let (c, x, w) = (
            &problem.cameras[camera],
            problem.points[point],
            problem.weights[i],
        );
        let moved = [x[0] - c[3], x[1] - c[4], x[2] - c[5]];
        let (seen, to_r, to_x) = rotate([c[0], c[1], c[2]], moved);
        let (f, k1, k2) = (c[6], c[9], c[10]);
        let inverse = 1.0 / seen[2];
        let q = [seen[0] * inverse, seen[1] * inverse];
        let rho = q[0] * q[0] + q[1] * q[1];
        let l = 1.0 + k1 * rho + k2 * rho * rho;
        let slope = 2.0 * k1 + 4.0 * k2 * rho;
        let distorted: [[f64; 2]; 2] = std::array::from_fn(|a| {
            std::array::from_fn(|b| slope * q[a] * q[b] + if a == b { l } else { 0.0 })
        });
        for (a, row) in block.iter_mut().enumerate() {
            // To the point in the camera's coordinates.
            let to_seen = [
                distorted[a][0] * inverse,
                distorted[a][1] * inverse,
                -(distorted[a][0] * q[0] + distorted[a][1] * q[1]) * inverse,
            ];
            for j in 0..3 {
                let chain =
                    |m: &Square| to_seen[0] * m[0][j] + to_seen[1] * m[1][j] + to_seen[2] * m[2][j];
                row[j] = w * f * chain(&to_r);
                row[11 + j] = w * f * chain(&to_x);
                row[3 + j] = -row[11 + j];
            }
            row[6] = w * q[a] * l;
            row[7] = if a == 0 { w } else { 0.0 };
            row[8] = if a == 1 { w } else { 0.0 };
            row[9] = w * f * rho * q[a];
            row[10] = w * f * rho * rho * q[a];
            let e = q[a] * l * f + c[7 + a] - problem.features[i][a];
            row[14] = e;
            error[a] = w * e;
        }
    }
    for ((error, slope), w) in weight_errors.iter_mut().zip(slopes).zip(&problem.weights) {
        *error = 1.0 - w * w;
        *slope = -2.0 * w;
    }
}
