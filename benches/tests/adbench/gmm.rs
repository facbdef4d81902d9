//! The mixture.

use pullback_ad::Real;
use pullback_benches::adbench::{Gmm, Reader};

use crate::{close, plain, random, shared, step};

fn flat(gmm: &Gmm) -> Vec<f64> {
    [&gmm.alpha[..], &gmm.mu, &gmm.q, &gmm.l].concat()
}

/// The plain objective of the parameters in one vector.
fn objective<R: Real>(gmm: &Gmm, x: &[R]) -> R {
    let (alpha, rest) = x.split_at(gmm.alpha.len());
    let (mu, rest) = rest.split_at(gmm.mu.len());
    let (q, l) = rest.split_at(gmm.q.len());
    let n = gmm.points();
    let points: Vec<Vec<f64>> = (0..n)
        .map(|i| (0..gmm.d).map(|j| gmm.x[j * n + i]).collect())
        .collect();
    plain::gmm([gmm.d, gmm.k, gmm.m], gmm.gamma, [alpha, mu, q, l], &points)
}

fn check(gmm: &Gmm, columns: impl Iterator<Item = usize>) {
    let (value, gradient) = (
        gmm.objective().expect("lowers"),
        gmm.gradient().expect("lowers"),
    );
    let (mut ws, mut ws_gradient) = (value.workspace(), gradient.workspace());
    value.run(&mut ws, &gmm.bindings()).expect("runs");
    gradient
        .run(&mut ws_gradient, &gmm.bindings())
        .expect("runs");
    assert_eq!(ws.scalar(0).to_bits(), ws_gradient.scalar(0).to_bits());
    let x = flat(gmm);
    close("F", &[ws.scalar(0)], &[objective(gmm, &x)], 1e-12);
    let found: Vec<f64> = (1..5).flat_map(|k| ws_gradient.f64(k).to_vec()).collect();
    assert_eq!(found.len(), x.len());
    let size = found.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for j in columns {
        let expected = step(&|x| vec![objective(gmm, x)], &x, j)[0];
        assert!(
            (found[j] - expected).abs() < 1e-11 * size,
            "{j}: {} instead of {expected}",
            found[j]
        );
    }
}

fn small(d: usize, k: usize, n: usize) -> Gmm {
    let mut state = 5;
    Gmm {
        d,
        k,
        alpha: random(&mut state, k),
        mu: random(&mut state, k * d),
        q: random(&mut state, k * d),
        l: random(&mut state, k * d * (d - 1) / 2),
        x: random(&mut state, n * d),
        gamma: 1.3,
        m: 2,
    }
}

#[test]
fn log_posterior_and_gradient_are_those_of_the_densities() {
    for (d, k, n) in [(1, 1, 1), (3, 2, 7), (4, 5, 300), (10, 3, 40)] {
        let gmm = small(d, k, n);
        check(&gmm, 0..flat(&gmm).len());
    }
}

#[test]
fn the_published_inputs_too() {
    for file in ["gmm/gmm_1k_d10_K10.txt", "gmm/gmm_10k_d10_K25.txt"] {
        let Some(reader) = shared(file) else { continue };
        let gmm = Gmm::read(reader).expect("a mixture");
        assert_eq!(gmm.d, 10);
        // A parameter of each kind.
        let [a, b, c] = [gmm.alpha.len(), gmm.mu.len(), gmm.q.len()];
        let columns = if gmm.points() > 1000 {
            vec![a + b + c + 17]
        } else {
            vec![0, a + 1, a + b + 9, a + b + c, a + b + c + 100]
        };
        check(&gmm, columns.into_iter());
    }
}

#[test]
fn files_are_read_row_by_row() {
    let text = "2 1 3\n0.5\n1 2\n3 4 5\n10 11\n20 21\n30 31\n0.25 4\n";
    let gmm = Gmm::read(Reader::text("gmm.txt", text)).expect("a mixture");
    assert_eq!((gmm.q, gmm.l), (vec![3.0, 4.0], vec![5.0]));
    assert_eq!(gmm.x, [10.0, 20.0, 30.0, 11.0, 21.0, 31.0]);
    assert_eq!((gmm.gamma, gmm.m), (0.25, 4));
    let error = Gmm::read(Reader::text("gmm.txt", &text[..text.len() - 3])).expect_err("cut off");
    assert!(
        error
            .to_string()
            .contains("gmm.txt ends where m is expected"),
        "{error}"
    );
}
