//! Derivatives of solutions inside larger programs.

use pullback_ad::Real;
use pullback_array::{
    Bindings, Builder, Column, Error, Lowered, Owned, Program, Space, Sym, transform,
};
use pullback_optim::implicit::{HostFunction, argmin, linear_solve, region, root, solve};

use crate::support::{deviation, differences, differentiable, direction, names, run};

fn close(found: f64, expected: f64, allowed: f64) {
    assert!(
        (found - expected).abs() <= allowed * expected.abs().max(1.0),
        "{found} against {expected}"
    );
}

/// A chain: events, bins (captures of a fit), the fit, and a figure of merit of solution and minimum.
fn fit_in_a_chain(bounded: bool) -> (Program, Vec<Owned>) {
    let b = Builder::new();
    let (bins, n) = (b.dense_of("bins", 6), b.dense_of("n", 2));
    let (scale, shape) = (b.input("scale", Space::SCALAR), b.input("shape", bins));
    let observed = b.input("observed", bins);
    // What enters the fit is computed in the program.
    let template = (shape * scale).exp();
    let start = b.constant_f64(&[1.0, 0.0], n);
    let index = b.constant_i64(&[0; 6], bins);
    let slope = b.constant_f64(&[-1.0, -0.6, -0.2, 0.2, 0.6, 1.0], bins);
    let second = b.constant_i64(&[1; 6], bins);
    let f = region(
        Space::SCALAR,
        &[start, template, observed, slope, index, second],
        |_, v| {
            let rate = v[0].gather(v[4]) * v[1] * (1.0 + v[3] * v[0].gather(v[5]) * 0.3) + 1.0;
            (rate - v[2] * rate.ln()).sum_all() * 2.0 + v[0].square().sum_all() * 0.5
        },
    )
    .expect("a region");
    let bounds = bounded.then(|| {
        [
            b.constant_f64(&[-10.0, -0.05], n),
            b.constant_f64(&[10.0, 0.05], n),
        ]
    });
    let found = argmin(
        &b,
        &f,
        start,
        bounds,
        &[template, observed, slope, index, second],
    );
    let figure = (found.x.square().sum_all() + found.value * 0.01 + scale).sin()
        + (found.x * template.gather(b.constant_i64(&[1, 4], n))).sum_all();
    let program = b
        .finish(&[("figure", figure), ("x", found.x), ("value", found.value)])
        .expect("records");
    let inputs = vec![
        Owned::F64(vec![0.7]),
        Owned::F64(vec![0.9, 1.1, 1.4, 1.2, 0.8, 0.5]),
        Owned::F64(vec![5.0, 6.0, 7.0, 9.0, 6.0, 5.0]),
    ];
    (program, inputs)
}

#[test]
fn a_fit_inside_a_program_has_exact_derivatives() {
    for bounded in [false, true] {
        let (program, inputs) = fit_in_a_chain(bounded);
        let values = run(&program, &inputs).expect("runs");
        let at_bound = values[1][1].abs() == 0.05;
        assert_eq!(at_bound, bounded, "{:?}", values[1]);
        let wrt = differentiable(&program);
        let directions: Vec<Vec<f64>> = wrt
            .iter()
            .enumerate()
            .map(|(i, (k, _))| direction(crate::support::length(&inputs[*k]), 3 + i as u64))
            .collect();
        let jvp = transform::jvp(&program, &names(&wrt)).expect("differentiates");
        let mut more = inputs.clone();
        more.extend(directions.iter().map(|d| Owned::F64(d.clone())));
        let tangents = run(&jvp, &more).expect("runs")[3..].to_vec();
        let expected = differences(&program, &inputs, &wrt, &directions).expect("runs");
        for (t, e) in tangents.iter().zip(&expected) {
            let d = deviation(t, e);
            assert!(d < 1e-8, "bounded {bounded}: {d:e}: {t:?}, expected {e:?}");
        }
        let gradient = transform::grad(&program, "figure", &names(&wrt)).expect("differentiates");
        let found = run(&gradient, &inputs).expect("runs");
        let along: f64 = found[3..]
            .iter()
            .zip(&directions)
            .flat_map(|(g, d)| g.iter().zip(d))
            .map(|(g, d)| g * d)
            .sum();
        close(along, tangents[0][0], 1e-12);
    }
}

#[test]
fn the_minimum_value_needs_no_solve() {
    let (program, inputs) = fit_in_a_chain(false);
    let gradient = transform::grad(&program, "value", &["shape"]).expect("differentiates");
    let only = transform::interface(
        &gradient,
        &[Some("scale"), Some("shape"), Some("observed")],
        &[("grad_shape", "g")],
    )
    .expect("keeps");
    assert!(
        only.nodes()
            .iter()
            .all(|n| n.primitive.name() != "linear_solve")
    );
    let of_position = transform::grad(&program, "figure", &["shape"]).expect("differentiates");
    assert_eq!(
        of_position
            .nodes()
            .iter()
            .filter(|n| n.primitive.name() == "linear_solve")
            .count(),
        1,
        "one adjoint solve"
    );
    let g = run(&only, &inputs).expect("runs");
    let unit: Vec<Vec<f64>> = vec![vec![0.0, 0.0, 1.0, 0.0, 0.0, 0.0]];
    let wrt: Vec<_> = differentiable(&program)
        .into_iter()
        .filter(|(_, n)| n == "shape")
        .collect();
    let expected = differences(&program, &inputs, &wrt, &unit).expect("runs");
    close(g[0][2], expected[2][0], 1e-9);
}

#[test]
fn a_singular_hessian_spoils_the_position_only() {
    // f = (x + y − c)²: the position is not unique.
    let b = Builder::new();
    let n = b.dense_of("n", 2);
    let (start, c) = (b.constant_f64(&[0.3, 0.1], n), b.input("c", Space::SCALAR));
    let f = region(Space::SCALAR, &[start, c], |_, v| {
        (v[0].sum_all() - v[1]).square() + v[1].square()
    })
    .expect("a region");
    let found = argmin(&b, &f, start, None, &[c]);
    let program = b
        .finish(&[("value", found.value), ("first", found.x.sum_all())])
        .expect("records");
    let value = transform::interface(
        &transform::grad(&program, "value", &["c"]).expect("differentiates"),
        &[Some("c")],
        &[("grad_c", "g")],
    )
    .expect("keeps");
    close(
        run(&value, &[Owned::F64(vec![1.5])]).expect("runs")[0][0],
        3.0,
        1e-12,
    );
    let position = transform::grad(&program, "first", &["c"]).expect("differentiates");
    let error = run(&position, &[Owned::F64(vec![1.5])]).expect_err("is singular");
    assert!(
        error.contains("PB0209") && error.contains("singular"),
        "{error}"
    );
}

#[test]
fn closures_of_the_host_are_first_order() {
    let host = HostFunction::register(
        "test_host_bowl",
        "Σ (xᵢ − i)⁴ + xᵢ², by the host.",
        |x, y| {
            y[0] = x
                .iter()
                .enumerate()
                .map(|(i, x)| (x - i as f64).powi(4) + x * x)
                .sum();
        },
        |x, j| {
            x.iter()
                .zip(j)
                .enumerate()
                .for_each(|(i, (x, j))| *j = 4.0 * (x - i as f64).powi(3) + 2.0 * x);
        },
    );
    let b = Builder::new();
    let n = b.dense_of("n", 2);
    let (start, c) = (b.constant_f64(&[0.5, 0.5], n), b.input("c", n));
    let f = region(Space::SCALAR, &[start, c], |r, v| {
        host.call(r, v[0], Space::SCALAR) + (v[0] * v[1]).sum_all()
    })
    .expect("a region");
    let found = argmin(&b, &f, start, None, &[c]);
    let program = b
        .finish(&[("value", found.value), ("x", found.x)])
        .expect("records");
    let inputs = [Owned::F64(vec![0.4, -0.3])];
    let values = run(&program, &inputs).expect("BFGS finds it");
    let gradient = transform::grad(&program, "value", &["c"]).expect("the value has a derivative");
    let g = run(&gradient, &inputs).expect("runs");
    // Envelope: df*/dc = x*.
    assert!(deviation(&g[2], &values[1]) < 1e-12, "{g:?}");
    let error = transform::vjp(&program, &["x"], &["c"]).expect_err("the position has none");
    assert!(
        matches!(error, Error::NotDifferentiable { .. }) && error.to_string().contains("PB0205"),
        "{error}"
    );
    let lowered = Lowered::new(transform::jvp(&program, &["c"]).expect("records"));
    assert!(matches!(
        lowered.err(),
        Some(Error::NotDifferentiable { .. })
    ));
}

#[test]
fn failures_are_errors_with_a_reason() {
    let b = Builder::new();
    let (start, c) = (
        b.constant_f64(&[1.0], b.dense_of("n", 1)),
        b.input("c", Space::SCALAR),
    );
    let f = region(Space::SCALAR, &[start, c], |_, v| (v[0] * v[1]).sum_all()).expect("a region");
    let found = argmin(&b, &f, start, None, &[c]);
    let unbounded = b.finish(&[("x", found.x)]).expect("records");
    let error = run(&unbounded, &[Owned::F64(vec![1.0])]).expect_err("has no minimum");
    assert!(error.contains("PB0209"), "{error}");

    let b = Builder::new();
    let (start, c) = (
        b.constant_f64(&[1.0], b.dense_of("n", 1)),
        b.input("c", Space::SCALAR),
    );
    let f = region(Space::SCALAR, &[start, c], |_, v| v[0].square() + v[1]).expect("a region");
    let rootless = b
        .finish(&[("x", root(&b, &f, start, &[c]))])
        .expect("records");
    assert!(
        run(&rootless, &[Owned::F64(vec![1.0])])
            .expect_err("x² + 1 has no root")
            .contains("no root")
    );
    close(
        run(&rootless, &[Owned::F64(vec![-4.0])]).expect("runs")[0][0],
        2.0,
        1e-15,
    );

    // Ill-formed nodes are refused while recording.
    let b = Builder::new();
    let (x, y) = (
        b.input("x", b.dense_of("n", 2)),
        b.input("y", b.dense_of("m", 3)),
    );
    let f = region(Space::SCALAR, &[x, x], |_, v| (v[0] * v[1]).sum_all()).expect("a region");
    let _ = argmin(&b, &f, x, None, &[y]);
    assert!(
        matches!(b.failure(), Some(Error::IllFormed { .. })),
        "{:?}",
        b.failure()
    );
    let b = Builder::new();
    let x = b.input("x", b.stream("events"));
    assert!(region(Space::SCALAR, &[x], |_, v| v[0].sum_all()).is_err());
    assert!(solve(&b, x, x).is_err());
}

#[test]
fn one_fit_per_event_of_a_stream() {
    // Per event, x minimises (x − a)² + (x² − b)²/10: a lane per element of the stream, blocks and all.
    let b = Builder::new();
    let events = b.stream("events");
    let (a, c) = (b.input("a", events), b.input("c", Space::SCALAR));
    let start = a.stop_gradient();
    let f = region(events, &[start, a, c], |_, v| {
        (v[0] - v[1]).square() + (v[0].square() - v[2]).square() * 0.1
    })
    .expect("a region");
    let found = argmin(&b, &f, start, None, &[a, c]);
    let program = b.finish(&[("sum", found.x.sum_all())]).expect("records");
    let gradient = transform::grad(&program, "sum", &["a", "c"]).expect("differentiates");
    let lowered = Lowered::new(gradient).expect("lowers");
    let n = 2000;
    let column: Vec<f64> = (0..n)
        .map(|k| 0.5 + (k as f64 * 0.37).sin() * 0.3)
        .collect();
    let mut memory = lowered.workspace_with(2, 256);
    let mut at = |c: f64| {
        lowered
            .run(
                &mut memory,
                &Bindings::ordered(&[Column::F64(&column), Column::from(&c)]),
            )
            .expect("runs");
        (memory.scalar(0), memory.f64(1).to_vec(), memory.scalar(2))
    };
    let (_, by_a, by_c) = at(1.3);
    let h = 1e-4;
    close(by_c, (at(1.3 + h).0 - at(1.3 - h).0) / (2.0 * h), 1e-7);
    assert_eq!(by_a.len(), n);
    // dx/da = 2/f″ with f″ = 2 + 1.2 x² − 0.4 c.
    let x = |a: f64| {
        (0..200).fold(a, |x, _| {
            x - ((x - a) * 2.0 + 0.4 * x * (x * x - 1.3)) / (2.0 + 1.2 * x * x - 0.52)
        })
    };
    let x0 = x(column[7]);
    close(by_a[7], 2.0 / (2.0 + 1.2 * x0 * x0 - 0.52), 1e-12);
}

#[test]
fn a_solve_factorises_once_for_all_lanes() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static PRODUCTS: AtomicUsize = AtomicUsize::new(0);
    let host = HostFunction::register(
        "test_host_matrix",
        "Two times the number, counted.",
        |x, y| {
            PRODUCTS.fetch_add(1, Ordering::Relaxed);
            y[0] = 2.0 * x[0];
        },
        |_, j| j[0] = 2.0,
    );
    let b = Builder::new();
    let (lanes, n) = (b.dense_of("lanes", 50), b.dense_of("n", 3));
    let (rhs, d) = (b.input("rhs", b.join(lanes, n)), b.input("d", n));
    let operator = region(lanes, &[d, rhs], |r, v| {
        v[0] * v[1] * host.call(r, Sym::from(0.5), Space::SCALAR)
    })
    .expect("a region");
    let x = linear_solve(&b, &operator, true, rhs, &[d]);
    let program = b.finish(&[("x", x)]).expect("records");
    let inputs = [
        Owned::F64((0..150).map(f64::from).collect()),
        Owned::F64(vec![1.0, 2.0, 4.0]),
    ];
    let found = run(&program, &inputs).expect("runs");
    assert_eq!(&found[0][3..6], &[3.0, 2.0, 1.25]);
    assert_eq!(PRODUCTS.load(Ordering::Relaxed), 3);
}
