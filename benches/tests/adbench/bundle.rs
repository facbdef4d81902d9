//! Bundle adjustment.

use pullback_ad::{Complex, JacobianWorkspace, Real, SparseJacobian, SparseMatrix};
use pullback_benches::adbench::{Bundle, Reader};

use crate::{close, plain, random, shared, step, uniform};

fn small() -> Bundle {
    let mut state = 3;
    let (n, m, p) = (3, 5, 11);
    let cameras = (0..n)
        .map(|_| {
            let mut camera = [0.0; 11];
            camera.copy_from_slice(&random(&mut state, 11));
            camera[5] -= 5.0;
            camera[6] += 400.0;
            camera
        })
        .collect();
    Bundle {
        cameras,
        points: (0..m)
            .map(|_| {
                [
                    uniform(&mut state),
                    uniform(&mut state),
                    uniform(&mut state),
                ]
            })
            .collect(),
        weights: random(&mut state, p),
        // Pairs that do not follow the rule of the files.
        seen: (0..p).map(|i| ((i * 2) % n, (i * i) % m)).collect(),
        features: (0..p)
            .map(|_| [uniform(&mut state), uniform(&mut state)])
            .collect(),
    }
}

fn objective<R: Real>(bundle: &Bundle, x: &[R]) -> Vec<R> {
    let (cameras, rest) = x.split_at(11 * bundle.cameras.len());
    let (points, weights) = rest.split_at(3 * bundle.points.len());
    plain::bundle((cameras, points, weights), &bundle.seen, &bundle.features)
}

fn blocks(bundle: &Bundle) -> (Vec<f64>, SparseMatrix) {
    let mut errors = vec![0.0; 3 * bundle.observations()];
    let mut jacobian = bundle.pattern().expect("a pattern");
    bundle
        .jacobian(&mut JacobianWorkspace::new(), &mut errors, &mut jacobian)
        .expect("evaluates");
    (errors, jacobian)
}

#[test]
fn errors_and_jacobian_are_those_of_plain_loops() {
    let bundle = small();
    let x = bundle.flat();
    let (errors, jacobian) = blocks(&bundle);
    close("errors", &errors, &objective(&bundle, &x), 1e-14);
    let mut plain = vec![0.0; errors.len()];
    bundle.objective(&mut plain).expect("evaluates");
    assert_eq!(plain, errors);
    let dense = jacobian.dense();
    let mut coloured = SparseJacobian::new(&bundle, &x).expect("a pattern");
    let mut again = vec![0.0; errors.len()];
    let by_colour = coloured
        .compute(&bundle, &x, &mut again)
        .expect("evaluates")
        .dense();
    for j in 0..x.len() {
        let expected = step(&|x: &[Complex]| objective(&bundle, x), &x, j);
        let column =
            |m: &pullback_ad::Matrix| (0..errors.len()).map(|i| m[(i, j)]).collect::<Vec<_>>();
        close("by blocks", &column(&dense), &expected, 1e-12);
        close("by colours", &column(&by_colour), &expected, 1e-12);
    }
    assert_eq!(again, errors);
}

#[test]
fn a_camera_that_is_not_turned_is_differentiated() {
    let mut bundle = small();
    for camera in &mut bundle.cameras {
        camera[..3].fill(0.0);
    }
    let (errors, jacobian) = blocks(&bundle);
    // Nothing jumps near the point without a rotation.
    for camera in &mut bundle.cameras {
        camera[..3].fill(1e-7);
    }
    let (near, slopes) = blocks(&bundle);
    close("errors", &errors, &near, 1e-6);
    close("jacobian", jacobian.values(), slopes.values(), 1e-5);
}

#[test]
fn rows_have_the_pattern_of_the_problem() {
    let bundle = small();
    let (n, m, p) = (
        bundle.cameras.len(),
        bundle.points.len(),
        bundle.observations(),
    );
    let pattern = bundle.pattern().expect("a pattern");
    assert_eq!(
        (pattern.rows(), pattern.columns()),
        (3 * p, 11 * n + 3 * m + p)
    );
    for (i, &(camera, point)) in bundle.seen.iter().enumerate() {
        let mut expected: Vec<u32> = (0..11).map(|k| (11 * camera + k) as u32).collect();
        expected.extend((0..3).map(|k| (11 * n + 3 * point + k) as u32));
        expected.push((11 * n + 3 * m + i) as u32);
        assert_eq!(pattern.columns_of(2 * i), expected);
        assert_eq!(pattern.columns_of(2 * i + 1), expected);
        assert_eq!(pattern.columns_of(2 * p + i), &expected[14..]);
    }
}

#[test]
fn the_published_input_too() {
    let Some(reader) = shared("ba/ba1_n49_m7776_p31843.txt") else {
        return;
    };
    let bundle = Bundle::read(reader).expect("a bundle");
    let (errors, jacobian) = blocks(&bundle);
    assert_eq!(jacobian.values().len(), 2 * 31843 * 15 + 31843);
    // One observation stands for all.
    let one = Bundle {
        cameras: bundle.cameras[..1].to_vec(),
        points: bundle.points[..1].to_vec(),
        weights: bundle.weights[..1].to_vec(),
        seen: vec![(0, 0)],
        features: bundle.features[..1].to_vec(),
    };
    let x = one.flat();
    close("errors", &errors[..2], &objective(&one, &x)[..2], 1e-11);
    for j in 0..15 {
        let expected = step(&|x: &[Complex]| objective(&one, x), &x, j);
        let last = 2 * (bundle.observations() - 1);
        for i in [0, 1] {
            let found = [
                jacobian.values()[15 * i + j],
                jacobian.values()[15 * (last + i) + j],
            ];
            close("block", &found, &[expected[i]; 2], 1e-11);
        }
    }
}

#[test]
fn files_stand_for_many_observations() {
    let text = "2 3 7\n1 2 3 4 5 6 7 8 9 10 11\n1 2 3\n0.5\n7 8\n";
    let bundle = Bundle::read(Reader::text("ba.txt", text)).expect("a bundle");
    assert_eq!(
        (
            bundle.cameras.len(),
            bundle.points.len(),
            bundle.observations()
        ),
        (2, 3, 7)
    );
    assert_eq!(bundle.seen[5], (1, 2));
    let error = Bundle::read(Reader::text("ba.txt", "2 3 x")).expect_err("no number");
    assert!(
        error
            .to_string()
            .contains("line 1: p, the number of observations"),
        "{error}"
    );
}
