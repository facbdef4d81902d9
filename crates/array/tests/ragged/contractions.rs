//! Contractions against loops over all indices.

use pullback_array::{Builder, LevelId, Owned, Program, Space};

use crate::harness::{Random, assert_close, check_derivatives, offsets, record, run_any_cut};

/// A contraction of dense levels: names are single letters, sizes by letter.
fn dense(a: &str, b: &str, to: &str) -> Program {
    record(|builder| {
        let mut known: Vec<(char, Space)> = Vec::new();
        let mut space = |letters: &str| {
            letters.chars().fold(Space::SCALAR, |space, c| {
                let declared = known.iter().find(|(k, _)| *k == c).map(|(_, s)| *s);
                let level = declared.unwrap_or_else(|| {
                    let level = if c == 'e' {
                        builder.stream("e")
                    } else {
                        builder.dense_of(&c.to_string(), size(c))
                    };
                    known.push((c, level));
                    level
                });
                builder.join(space, level)
            })
        };
        let (a, b, to) = (space(a), space(b), space(to));
        vec![builder.input("a", a).contract(builder.input("b", b), to)]
    })
}

fn size(c: char) -> usize {
    match c {
        'e' => 600,
        'i' => 5,
        'j' => 9,
        'k' => 3,
        'v' => 2,
        _ => 1,
    }
}

/// The same by looping over every index.
fn loops(a: &str, b: &str, to: &str, x: &[f64], y: &[f64]) -> Vec<f64> {
    let mut letters: Vec<char> = a.chars().chain(b.chars()).chain(to.chars()).collect();
    letters.sort_unstable();
    letters.dedup();
    let total: usize = letters.iter().map(|c| size(*c)).product();
    let mut out = vec![0.0; to.chars().map(size).product()];
    for t in 0..total {
        let mut rest = t;
        let mut value = |c: char| -> usize {
            let mut at = rest;
            for l in &letters {
                if *l == c {
                    return at % size(c);
                }
                at /= size(*l);
            }
            rest = 0;
            0
        };
        let mut index = |word: &str| word.chars().fold(0, |k, c| k * size(c) + value(c));
        let (i, j, o) = (index(a), index(b), index(to));
        out[o] += x[i] * y[j];
    }
    out
}

#[test]
fn dense_and_streamed_contractions_match_loops() {
    let cases = [
        ("i", "i", ""),
        ("ij", "j", "i"),
        ("ij", "i", "j"),
        ("j", "ij", "i"),
        ("ij", "jk", "ik"),
        ("ij", "jk", "ki"),
        ("ji", "jk", "ik"),
        ("ij", "kj", "ik"),
        ("ji", "kj", "ki"),
        ("vij", "vjk", "vik"),
        ("vij", "vj", "vi"),
        ("ijk", "jk", "i"),
        ("ij", "ij", ""),
        ("i", "j", "ij"),
        ("ei", "ij", "ej"),
        ("ei", "ji", "ej"),
        ("ei", "ej", "ij"),
        ("ej", "e", "j"),
        ("e", "ej", "j"),
        ("ei", "ei", ""),
        ("ei", "ei", "e"),
        ("e", "e", ""),
        ("ei", "i", "e"),
        ("eij", "ej", "ei"),
        ("ve", "ve", "v"),
        ("eiv", "iv", "e"),
        ("ij", "k", "ik"),
        ("ijk", "j", "ik"),
    ];
    let mut random = Random(77);
    for (a, b, to) in cases {
        let program = dense(a, b, to);
        let x = random.values(a.chars().map(size).product(), -1.0, 1.0);
        let y = random.values(b.chars().map(size).product(), -1.0, 1.0);
        let expected = loops(a, b, to, &x, &y);
        // The order of inputs is that of their first use.
        let inputs = [Owned::F64(x), Owned::F64(y)];
        let out = run_any_cut(&program, &inputs);
        assert_close(&out[0], &expected, 1e-13 * 600.0, &format!("{a},{b}->{to}"));
        check_derivatives(&program, &inputs, &[0, 1], 1e-7);
    }
}

#[test]
fn ragged_contractions_match_loops() {
    let mut random = Random(78);
    let o = offsets(&mut random, 700, 300);
    let n = *o.last().unwrap() as usize;
    let (x, y) = (
        random.values(2 * n, -1.0, 1.0),
        random.values(3 * n, -1.0, 1.0),
    );
    // Σ over muons of x[muon, i] y[muon, j], in each event.
    let program = record(|b: &Builder| {
        let events = b.stream("events");
        let muons = b.ragged("muons", events);
        let (i, j) = (b.dense_of("i", 2), b.dense_of("j", 3));
        let (x, y) = (
            b.input("x", b.join(muons, i)),
            b.input("y", b.join(muons, j)),
        );
        vec![x.contract(y, b.join(b.join(events, i), j))]
    });
    let mut expected = Vec::new();
    for w in o.windows(2) {
        for i in 0..2 {
            for j in 0..3 {
                expected.push(
                    (w[0] as usize..w[1] as usize)
                        .map(|m| x[2 * m + i] * y[3 * m + j])
                        .sum::<f64>(),
                );
            }
        }
    }
    let inputs = [
        Owned::Offsets(o.clone()),
        Owned::F64(x.clone()),
        Owned::F64(y),
    ];
    assert_close(
        &run_any_cut(&program, &inputs)[0],
        &expected,
        1e-12,
        "events of muons",
    );
    check_derivatives(&program, &inputs, &[1, 2], 1e-7);
    // A matrix of each event times each of its muons.
    let program = record(|b: &Builder| {
        let events = b.stream("events");
        let muons = b.ragged("muons", events);
        let (i, j) = (b.dense_of("i", 2), b.dense_of("j", 3));
        let (x, m) = (
            b.input("x", b.join(muons, i)),
            b.input("m", b.join(b.join(events, i), j)),
        );
        vec![x.contract(m, b.join(muons, j))]
    });
    let m = random.values(700 * 6, -1.0, 1.0);
    let inputs = [Owned::Offsets(o), Owned::F64(x), Owned::F64(m)];
    check_derivatives(&program, &inputs, &[1, 2], 1e-7);
    // Everything, over a level and over the stream.
    let total = record(|b: &Builder| {
        let muons = b.ragged("muons", b.stream("events"));
        vec![
            b.input("x", muons)
                .contract(b.input("y", muons), Space::SCALAR),
        ]
    });
    let mut random = Random(1);
    let o = offsets(&mut random, 900, 700);
    let n = *o.last().unwrap() as usize;
    let (x, y) = (random.values(n, -1.0, 1.0), random.values(n, -1.0, 1.0));
    let expected: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
    let inputs = [Owned::Offsets(o), Owned::F64(x), Owned::F64(y)];
    assert_close(
        &run_any_cut(&total, &inputs)[0],
        &[expected],
        1e-12,
        "total",
    );
    check_derivatives(&total, &inputs, &[1, 2], 1e-7);
}

#[test]
fn a_level_that_does_not_fit_is_named() {
    let b = Builder::new();
    let (i, j) = (b.dense_of("i", 2), b.dense_of("j", 2));
    let (x, y) = (
        b.input("x", b.join(b.join(i, j), b.dense_of("k", 2))),
        b.input("y", b.join(j, i)),
    );
    let out = x.contract(y, Space::from_levels(&[LevelId(1)]).unwrap());
    let error = b.finish(&[("out", out)]).unwrap_err().to_string();
    assert!(
        error
            .contains("[i, j] and [j, i] to [j]: level `j` is in all three but does not lead them"),
        "{error}"
    );
}
