//! The four objectives in plain loops over numbers, with nothing in common with the code under test.

#![allow(clippy::needless_range_loop, reason = "matrices by their indices")]

use pullback_ad::Real;

fn sum<R: Real>(terms: impl IntoIterator<Item = R>) -> R {
    terms.into_iter().fold(R::constant(0.0), |sum, x| sum + x)
}

/// ln Σ exp x, shifted by `shift`.
fn logsumexp<R: Real>(x: &[R], shift: f64) -> R {
    sum(x.iter().map(|&x| (x - shift).exp())).ln() + shift
}

/// The log-posterior by the densities of the definition: a determinant from a product, the Wishart density of QᵀQ from its trace.
pub fn gmm<R: Real>(
    [d, k, m]: [usize; 3],
    gamma: f64,
    [alpha, mu, q, l]: [&[R]; 4],
    points: &[Vec<f64>],
) -> R {
    let below = d * (d - 1) / 2;
    let matrix = |c: usize| -> Vec<Vec<R>> {
        let mut entries = l[c * below..(c + 1) * below].iter();
        let mut rows = vec![vec![R::constant(0.0); d]; d];
        for j in 0..d {
            rows[j][j] = q[c * d + j].exp();
            for row in rows.iter_mut().skip(j + 1) {
                row[j] = *entries.next().expect("enough entries");
            }
        }
        rows
    };
    let matrices: Vec<Vec<Vec<R>>> = (0..k).map(matrix).collect();
    let norm = logsumexp(alpha, 0.0);
    let likelihood = sum(points.iter().map(|x| {
        let parts: Vec<R> = (0..k)
            .map(|c| {
                let centred: Vec<R> = (0..d).map(|j| -mu[c * d + j] + x[j]).collect();
                // xᵀ (QᵀQ) x from the precision itself.
                let precision =
                    |a: usize, b: usize| sum(matrices[c].iter().map(|row| row[a] * row[b]));
                let form = sum((0..d)
                    .flat_map(|a| (0..d).map(move |b| (a, b)))
                    .map(|(a, b)| centred[a] * precision(a, b) * centred[b]));
                let determinant =
                    (0..d).fold(R::constant(1.0), |p, j| p * matrices[c][j][j].square());
                let gauss = form * -0.5 + determinant.ln() * 0.5
                    - 0.5 * d as f64 * std::f64::consts::TAU.ln();
                alpha[c] - norm + gauss
            })
            .collect();
        logsumexp(&parts, -10.0)
    }));
    // V = 1/γ², n = D + m + 1.
    let n = (d + m + 1) as f64;
    let df = d as f64;
    let multivariate = 0.25 * df * (df - 1.0) * std::f64::consts::PI.ln()
        + (1..=d)
            .map(|j| ln_gamma_of(0.5 * (n + 1.0 - j as f64)))
            .sum::<f64>();
    let prior = sum(matrices.iter().map(|q| {
        let trace = sum(q.iter().flatten().map(|x| x.square())) * (gamma * gamma);
        let determinant = (0..d).fold(R::constant(1.0), |p, j| p * q[j][j].square());
        let constant = -0.5 * n * df * 2.0_f64.ln() + n * df * gamma.ln() - multivariate;
        determinant.ln() * (0.5 * m as f64) - trace * 0.5 + constant
    }));
    likelihood + prior
}

/// ln Γ by Stirling's series after a shift (Abramowitz & Stegun 6.1.40).
fn ln_gamma_of(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 20.0 {
        shift += x.ln();
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y / 1680.0))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - shift
}

type Rows<R> = Vec<Vec<R>>;

fn product<R: Real>(a: &Rows<R>, b: &Rows<R>) -> Rows<R> {
    a.iter()
        .map(|row| {
            (0..b[0].len())
                .map(|j| sum(row.iter().zip(b).map(|(&x, b)| x * b[j])))
                .collect()
        })
        .collect()
}

fn lifted<R: Real>(a: &[Vec<f64>]) -> Rows<R> {
    a.iter()
        .map(|row| row.iter().map(|&x| R::constant(x)).collect())
        .collect()
}

/// I + sin θ K + (1 − cos θ) K² for the rotation vector r, with K its cross-product matrix over θ.
fn turn<R: Real>(r: &[R]) -> Rows<R> {
    let theta = sum(r.iter().map(|r| r.square())).sqrt();
    let [x, y, z] = [r[0] / theta, r[1] / theta, r[2] / theta];
    let zero = R::constant(0.0);
    let k = vec![vec![zero, -z, y], vec![z, zero, -x], vec![-y, x, zero]];
    let k2 = product(&k, &k);
    let mut out = lifted(&[
        vec![1.0, 0.0, 0.0],
        vec![0.0, 1.0, 0.0],
        vec![0.0, 0.0, 1.0],
    ]);
    for i in 0..3 {
        for j in 0..3 {
            out[i][j] += theta.sin() * k[i][j] + (-theta.cos() + 1.0) * k2[i][j];
        }
    }
    out
}

/// Errors of all observations, then of the weights.
pub fn bundle<R: Real>(
    (cameras, points, weights): (&[R], &[R], &[R]),
    seen: &[(usize, usize)],
    features: &[[f64; 2]],
) -> Vec<R> {
    let mut errors = Vec::new();
    for ((&(camera, point), feature), &w) in seen.iter().zip(features).zip(weights) {
        let c = &cameras[11 * camera..11 * camera + 11];
        let x = &points[3 * point..3 * point + 3];
        let moved: Rows<R> = (0..3).map(|k| vec![x[k] - c[3 + k]]).collect();
        let seen = product(&turn(&c[..3]), &moved);
        let p = [seen[0][0] / seen[2][0], seen[1][0] / seen[2][0]];
        let r2 = p[0].square() + p[1].square();
        let l = R::constant(1.0) + c[9] * r2 + c[10] * r2.square();
        for k in 0..2 {
            errors.push(w * (p[k] * l * c[6] + c[7 + k] - feature[k]));
        }
    }
    errors.extend(weights.iter().map(|w| R::constant(1.0) - w.square()));
    errors
}

/// A bone as 4 × 4 matrices, and its parent.
pub struct PlainBone {
    pub parent: Option<usize>,
    pub relative: Rows<f64>,
    pub inverse: Rows<f64>,
}

/// The posed skin: bones by 4 × 4 matrices, weights for each bone and vertex, as in ADBench's C++.
pub fn skin<R: Real>(
    bones: &[PlainBone],
    rest: &[[f64; 3]],
    weights: &Rows<f64>,
    theta: &[R],
) -> Vec<Vec<R>> {
    let (zero, one) = (R::constant(0.0), R::constant(1.0));
    // Euler angles (x, z) of each bone.
    let mut angles = vec![(zero, zero); bones.len()];
    let mut next = 6;
    for finger in 0..5 {
        for joint in 0..3 {
            let bone = 2 + 4 * finger + joint;
            angles[bone].0 = theta[next];
            next += 1;
            if joint == 0 {
                angles[bone].1 = theta[next];
                next += 1;
            }
        }
    }
    let mut absolute: Vec<Rows<R>> = Vec::new();
    let mut place = vec![vec![zero; 3]; rest.len()];
    for (i, bone) in bones.iter().enumerate() {
        let (x, z) = angles[i];
        let about_x = vec![
            vec![one, zero, zero, zero],
            vec![zero, x.cos(), -x.sin(), zero],
            vec![zero, x.sin(), x.cos(), zero],
            vec![zero, zero, zero, one],
        ];
        let about_z = vec![
            vec![z.cos(), -z.sin(), zero, zero],
            vec![z.sin(), z.cos(), zero, zero],
            vec![zero, zero, one, zero],
            vec![zero, zero, zero, one],
        ];
        let relative = product(&lifted(&bone.relative), &product(&about_z, &about_x));
        let here = match bone.parent {
            Some(parent) => product(&absolute[parent], &relative),
            None => relative,
        };
        let transform = product(&here, &lifted(&bone.inverse));
        absolute.push(here);
        for (v, rest) in rest.iter().enumerate() {
            let homogeneous: Rows<R> = rest
                .iter()
                .chain(&[1.0])
                .map(|&x| vec![R::constant(x)])
                .collect();
            let moved = product(&transform, &homogeneous);
            for k in 0..3 {
                place[v][k] += moved[k][0] * weights[i][v];
            }
        }
    }
    let global = turn(&theta[..3]);
    for p in &mut place {
        let column: Rows<R> = p.iter().map(|&x| vec![x]).collect();
        let turned = product(&global, &column);
        for k in 0..3 {
            p[k] = turned[k][0] + theta[3 + k];
        }
    }
    place
}

/// The mean log-loss of the network, unit by unit.
pub fn lstm<R: Real>(
    [layers, bits]: [usize; 2],
    [main, extra]: [&[R]; 2],
    state: &[f64],
    sequence: &[f64],
) -> R {
    let gate = |layer: usize, kind: usize, gate: usize, i: usize| {
        main[((layer * 2 + kind) * 4 + gate) * bits + i]
    };
    let mut memory: Vec<R> = state.iter().map(|&x| R::constant(x)).collect();
    let characters: Vec<&[f64]> = sequence.chunks(bits).collect();
    let mut total = R::constant(0.0);
    for pair in characters.windows(2) {
        let mut y = Vec::new();
        for i in 0..bits {
            let mut input = extra[i] * pair[0][i];
            for layer in 0..layers {
                let place = layer * 2 * bits + i;
                let (hidden, cell) = (memory[place], memory[place + bits]);
                let value = |g: usize, x: R| gate(layer, 0, g, i) * x + gate(layer, 1, g, i);
                let squash = |x: R| R::constant(1.0) / (R::constant(1.0) + (-x).exp());
                let new = cell * squash(value(0, input))
                    + squash(value(1, hidden)) * value(3, hidden).tanh();
                input = squash(value(2, input)) * new.tanh();
                (memory[place], memory[place + bits]) = (input, new);
            }
            y.push(extra[bits + i] * input + extra[2 * bits + i]);
        }
        let norm = (sum(y.iter().map(|y| y.exp())) + 2.0).ln();
        for (y, x) in y.iter().zip(pair[1]) {
            total += (*y - norm) * *x;
        }
    }
    total * (-1.0 / ((characters.len() - 1) * bits) as f64)
}
