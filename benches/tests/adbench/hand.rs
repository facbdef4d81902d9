//! Hand tracking.

use pullback_ad::{Complex, Function, JacobianWorkspace, Real, SparseJacobian};
use pullback_benches::adbench::{Anchor, Hand, Reader};

use crate::{close, plain, random, shared, step};

#[allow(clippy::format_push_string, reason = "a text of a few lines")]
/// The text of a model of 22 bones and 8 vertices, and of points that belong to them.
fn texts(complicated: bool) -> [String; 4] {
    let mut state = 11;
    let mut number = || format!("{:.6}", random(&mut state, 1)[0]);
    let transform = |number: &mut dyn FnMut() -> String| {
        let rows: Vec<String> = (0..12).map(|_| number()).collect();
        format!("{}:0.0:-0.0:0.0:1.0", rows.join(":"))
    };
    let mut bones = String::new();
    for i in 0..22_i32 {
        let parent = if i == 0 {
            -1
        } else if i % 4 == 1 {
            0
        } else {
            i - 1
        };
        bones += &format!(
            "bone{i}:{parent}:{}:{}\n",
            transform(&mut number),
            transform(&mut number)
        );
    }
    let mut vertices = String::new();
    for v in 0..8 {
        let place: Vec<String> = (0..8).map(|_| number()).collect();
        vertices += &format!(
            "{}:3:{v}:{}:{}:{}:21:{}\n",
            place.join(":"),
            number(),
            9 + v,
            number(),
            number()
        );
    }
    let triangles = "0:1:2\n3:4:5\n6:7:0\n".to_owned();
    let mut points = "5 26\n".to_owned();
    for i in 0..5 {
        let anchor = if complicated { i % 3 } else { (3 * i) % 8 };
        points += &format!("{anchor} {} {} {}\n", number(), number(), number());
    }
    for _ in 0..if complicated { 36 } else { 26 } {
        points += &format!("{}\n", number());
    }
    [bones, vertices, triangles, points]
}

const NAMES: [&str; 4] = ["bones.txt", "vertices.txt", "triangles.txt", "hand.txt"];

fn small(complicated: bool) -> Hand {
    let texts = texts(complicated);
    let readers = std::array::from_fn(|i| Reader::text(NAMES[i], &texts[i]));
    Hand::read(readers, complicated).expect("a hand")
}

/// The plain objective.
fn objective<R: Real>(hand: &Hand, theta: &[R]) -> Vec<R> {
    let square = |rows: &[[f64; 4]; 3]| {
        let mut rows: Vec<Vec<f64>> = rows.iter().map(|row| row.to_vec()).collect();
        rows.push(vec![0.0, 0.0, 0.0, 1.0]);
        rows
    };
    let bones: Vec<plain::PlainBone> = hand
        .bones
        .iter()
        .map(|bone| plain::PlainBone {
            parent: bone.parent,
            relative: square(&bone.relative),
            inverse: square(&bone.inverse),
        })
        .collect();
    let rest: Vec<[f64; 3]> = hand.skin.iter().map(|v| v.position).collect();
    let mut weights = vec![vec![0.0; rest.len()]; bones.len()];
    for (v, vertex) in hand.skin.iter().enumerate() {
        for &(bone, w) in &vertex.weights {
            weights[bone][v] += w;
        }
    }
    let skin = plain::skin(&bones, &rest, &weights, &theta[..26]);
    let mut out = Vec::new();
    for (i, (anchor, point)) in hand.points.iter().enumerate() {
        for k in 0..3 {
            let place = match *anchor {
                Anchor::Vertex(v) => skin[v][k],
                Anchor::Triangle([a, b, c]) => {
                    let (u, v) = (theta[26 + 2 * i], theta[27 + 2 * i]);
                    u * skin[a][k] + v * skin[b][k] + (R::constant(1.0) - u - v) * skin[c][k]
                }
            };
            out.push(R::constant(point[k]) - place);
        }
    }
    out
}

fn check(hand: &Hand, tolerance: f64) {
    let (m, n) = (hand.outputs(), hand.theta.len());
    let (mut y, mut jacobian) = (vec![0.0; m], vec![0.0; m * n]);
    JacobianWorkspace::new()
        .jacobian(hand, &hand.theta, &mut y, &mut jacobian)
        .expect("evaluates");
    close("differences", &y, &objective(hand, &hand.theta), tolerance);
    for j in 0..n {
        let expected = step(&|x: &[Complex]| objective(hand, x), &hand.theta, j);
        let found: Vec<f64> = (0..m).map(|i| jacobian[i * n + j]).collect();
        close("column", &found, &expected, tolerance);
    }
}

#[test]
fn differences_and_jacobian_are_those_of_plain_matrices() {
    check(&small(false), 1e-12);
    check(&small(true), 1e-12);
}

#[test]
fn coordinates_on_triangles_and_fingers_that_never_meet_share_colours() {
    let hand = small(true);
    let mut sparse = SparseJacobian::new(&hand, &hand.theta).expect("a pattern");
    // 36 columns: a point has two coordinates of its own, and no vertex follows all fingers.
    assert_eq!(hand.theta.len(), 36);
    assert_eq!((sparse.colours(), sparse.is_reverse()), (16, false));
    let (m, n) = (hand.outputs(), hand.theta.len());
    let (mut y, mut dense) = (vec![0.0; m], vec![0.0; m * n]);
    JacobianWorkspace::new()
        .jacobian(&hand, &hand.theta, &mut y, &mut dense)
        .expect("evaluates");
    let found = sparse
        .compute(&hand, &hand.theta, &mut y)
        .expect("evaluates")
        .dense();
    close("jacobian", found.as_slice(), &dense, 1e-15);
}

#[test]
fn the_published_inputs_too() {
    for file in ["hand/test.txt", "hand/hand1_t26_c100.txt"] {
        let model = ["bones.txt", "vertices.txt", "triangles.txt"]
            .map(|f| shared(&format!("hand/model_small/{f}")));
        let ([Some(a), Some(b), Some(c)], Some(d)) = (model, shared(file)) else {
            return;
        };
        let hand = Hand::read([a, b, c, d], false).expect("a hand");
        assert_eq!((hand.bones.len(), hand.skin.len()), (22, 544));
        check(&hand, 1e-12);
    }
}

#[test]
fn errors_tell_what_is_wrong_with_a_model() {
    let broken = |file: usize, from: &str, to: &str| {
        let mut texts = texts(false);
        assert!(texts[file].contains(from));
        texts[file] = texts[file].replacen(from, to, 1);
        let readers = std::array::from_fn(|i| Reader::text(NAMES[i], &texts[i]));
        Hand::read(readers, false)
            .expect_err("a broken file")
            .to_string()
    };
    let error = broken(0, "bone3:2", "bone3:3");
    assert!(
        error.contains(
            "bones.txt, line 4: a bone's parent: expected -1 or an index below 3, found `3`"
        ),
        "{error}"
    );
    let error = broken(0, ":1.0", ":2.0");
    assert!(
        error.contains("bones.txt, line 1") && error.contains("expected 1, found `2.0`"),
        "{error}"
    );
    let error = broken(1, ":21:", ":22:");
    assert!(
        error.contains("vertices.txt, line 1: a vertex's bone: expected an index below 22"),
        "{error}"
    );
    let error = broken(3, "5 26", "5 28");
    assert!(error.contains("expected 26, found `28`"), "{error}");
}
