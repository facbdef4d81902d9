//! The words for derivatives that are made of others, against each other and against independent ones.

mod support;

use pullback_ad::Real;
use pullback_array::{Builder, Error, Owned, Program, Space, transform};
use support::{deviation, direction, run};

/// A vector function of a vector and a matrix, and a scalar one.
fn program() -> Program {
    let b = Builder::new();
    let (n, m) = (b.dense_of("n", 3), b.dense_of("m", 2));
    let (x, a) = (b.input("x", n), b.input("a", b.join(m, n)));
    let y = (a * x.sin()).sum_last().exp() * x.sum_all();
    let z = (y * y).sum_all() + (x * x * x).sum_all() * 0.3;
    b.finish(&[("y", y), ("z", z), ("x2", x * x)])
        .expect("well-formed")
}

fn inputs() -> Vec<Owned> {
    vec![
        Owned::F64(direction(3, 5).iter().map(|x| 0.4 * x).collect()),
        Owned::F64(direction(6, 6).iter().map(|x| 0.5 * x).collect()),
    ]
}

/// Columns of a Jacobian by single directions.
fn columns(program: &Program, of: usize, wrt: &str, n: usize) -> Vec<Vec<f64>> {
    let jvp = transform::jvp(program, &[wrt]).expect("jvp");
    let outputs = program.outputs().len();
    let doubles = support::double_outputs(program);
    let place = doubles
        .iter()
        .position(|(i, _)| *i == of)
        .expect("a double");
    (0..n)
        .map(|j| {
            let mut v = vec![0.0; n];
            v[j] = 1.0;
            let with: Vec<Owned> = inputs().into_iter().chain([Owned::F64(v)]).collect();
            run(&jvp, &with).expect("runs")[outputs + place].clone()
        })
        .collect()
}

#[test]
fn jacobians_have_rows_of_outputs_and_columns_of_inputs_in_both_modes() {
    let p = program();
    // 2 × 3 in reverse mode, 2 × (2 × 3) in reverse mode, 3 × 3 in forward mode.
    for (k, of, wrt, n) in [
        (0, "y", "x", 3),
        (0, "y", "a", 6),
        (2, "x2", "x", 3),
        (1, "z", "x", 3),
    ] {
        let jacobian = transform::jacobian(&p, of, &[wrt]).expect("jacobian");
        let found = run(&jacobian, &inputs()).expect("runs")[0].clone();
        let columns = columns(&p, k, wrt, n);
        let rows = columns[0].len();
        let expected: Vec<f64> = (0..rows)
            .flat_map(|i| columns.iter().map(move |c| c[i]))
            .collect();
        assert!(
            deviation(&found, &expected) < 1e-14,
            "{of} {wrt}: {found:?} {expected:?}"
        );
        let name = &jacobian.outputs()[0].0;
        assert_eq!(&**name, format!("jac_{of}_{wrt}"));
    }
}

#[test]
fn a_hessian_is_symmetric_and_its_products_are_those_of_hvp() {
    let p = program();
    let hessian = transform::hessian(&p, "z", &["x", "a"]).expect("hessian");
    let names: Vec<&str> = hessian.outputs().iter().map(|(n, _)| &**n).collect();
    assert_eq!(names, ["hess_x_x", "hess_x_a", "hess_a_x", "hess_a_a"]);
    let found = run(&hessian, &inputs()).expect("runs");
    let (xx, xa, ax, aa) = (&found[0], &found[1], &found[2], &found[3]);
    for i in 0..3 {
        for j in 0..6 {
            assert!((xa[i * 6 + j] - ax[j * 3 + i]).abs() < 1e-12);
        }
    }
    let hvp = transform::hvp(&p, "z", &["x", "a"]).expect("hvp");
    let (v, w) = (direction(3, 1), direction(6, 2));
    let with: Vec<Owned> = inputs()
        .into_iter()
        .chain([Owned::F64(v.clone()), Owned::F64(w.clone())])
        .collect();
    let products = run(&hvp, &with).expect("runs");
    let times = |h: &[f64], v: &[f64]| -> Vec<f64> {
        h.chunks(v.len())
            .map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum())
            .collect()
    };
    let plus =
        |a: Vec<f64>, b: Vec<f64>| -> Vec<f64> { a.iter().zip(&b).map(|(a, b)| a + b).collect() };
    assert!(deviation(&products[0], &plus(times(xx, &v), times(xa, &w))) < 1e-13);
    assert!(deviation(&products[1], &plus(times(ax, &v), times(aa, &w))) < 1e-13);
}

#[test]
fn a_jacobian_of_a_jacobian_is_a_program_like_any_other() {
    let b = Builder::new();
    let n = b.dense_of("n", 2);
    let x = b.input("x", n);
    let p = b.finish(&[("y", x * x * x)]).expect("well-formed");
    let first = transform::jacobian(&p, "y", &["x"]).expect("first");
    let second = transform::jacobian(&first, "jac_y_x", &["x"]).expect("second");
    let found = run(&second, &[Owned::F64(vec![1.0, 2.0])]).expect("runs");
    assert_eq!(found[0], [6.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 12.0]);
    let gradient = transform::grad(&first_sum(&first), "sum", &["x"]).expect("grad");
    let found = run(&gradient, &[Owned::F64(vec![1.0, 2.0])]).expect("runs");
    assert_eq!(found[1], [6.0, 12.0]);
}

/// The sum of a Jacobian's elements.
fn first_sum(jacobian: &Program) -> Program {
    let b = Builder::resume(jacobian);
    let sum = b.sym(jacobian.outputs()[0].1).sum_all();
    b.finish(&[("sum", sum)]).expect("well-formed")
}

#[test]
fn a_jacobian_of_a_stream_is_refused_by_name() {
    let b = Builder::new();
    let x = b.input("x", b.stream("events"));
    let p = b.finish(&[("y", x * x)]).expect("well-formed");
    let error = transform::jacobian(&p, "y", &["x"]).expect_err("a stream");
    assert!(
        matches!(error, Error::Refused { .. }) && error.to_string().contains("events"),
        "{error}"
    );
}

/// Dimuon-like: a cut, pairs, a sum over all of them, all below a stream.
fn events() -> Program {
    let b = Builder::new();
    let events = b.stream("events");
    let muons = b.ragged("muons", events);
    let (s, pt) = (b.input("s", Space::SCALAR), b.input("pt", muons));
    let scaled = pt * s;
    let (kept, index) = scaled.gt(1.0.into()).filter("kept");
    let own = scaled.at(index);
    let (_, i, j) = b.pairs(kept, "pairs");
    let mass = (own.at(i) * own.at(j)).sqrt();
    b.finish(&[("sum", mass.exp().sum_all()), ("own", scaled.sin())])
        .expect("well-formed")
}

#[test]
fn a_linearised_program_gives_the_tangents_of_jvp_also_where_it_makes_structure() {
    let p = events();
    let pt: Vec<f64> = direction(9, 4).iter().map(|x| 1.2 * x.abs()).collect();
    let inputs = vec![
        Owned::Offsets(vec![0, 4, 4, 9]),
        Owned::F64(vec![1.1]),
        Owned::F64(pt),
    ];
    let wrt = ["s", "pt"];
    let cut = transform::linearize(&p, &wrt).expect("linearize");
    let values = run(&cut.value, &inputs).expect("runs");
    assert_eq!(
        support::bits(&values[..2]),
        support::bits(&run(&p, &inputs).expect("runs"))
    );
    let given: Vec<Owned> = cut
        .value
        .outputs()
        .iter()
        .zip(&values)
        .skip(2)
        .map(|((_, v), d)| match cut.value.ty(*v).dtype {
            pullback_array::DType::Offsets => Owned::Offsets(d.iter().map(|x| *x as i64).collect()),
            pullback_array::DType::I64 => Owned::I64(d.iter().map(|x| *x as i64).collect()),
            pullback_array::DType::Bool => Owned::Bool(d.iter().map(|x| *x != 0.0).collect()),
            _ => Owned::F64(d.clone()),
        })
        .collect();
    assert_eq!(given.len(), cut.residuals);
    let jvp = transform::jvp(&p, &wrt).expect("jvp");
    for seed in 0..3 {
        let tangents = [direction(1, seed), direction(9, seed + 7)].map(Owned::F64);
        let with: Vec<Owned> = inputs.iter().cloned().chain(tangents.clone()).collect();
        let expected = run(&jvp, &with).expect("runs");
        let with: Vec<Owned> = given.iter().cloned().chain(tangents).collect();
        let found = run(&cut.linear, &with).expect("runs");
        for (f, e) in found.iter().zip(&expected[2..]) {
            assert!(deviation(f, e) < 1e-14);
        }
    }
    // Columns of a stream cross; what lives where the program makes structure is computed again.
    let names: Vec<&str> = cut
        .linear
        .nodes()
        .iter()
        .map(|n| n.primitive.name())
        .collect();
    assert!(
        !names.contains(&"sin") && !names.contains(&"cos"),
        "{names:?}"
    );
    let back = transform::vjp(&cut.linear, &["d_sum"], &["d_s"]);
    assert!(
        back.is_ok(),
        "the linear part is transposed like any program"
    );
}

#[test]
fn value_and_grad_drops_what_was_not_asked_for() {
    let both = transform::value_and_grad(&program(), "z", &["x"]).expect("grad");
    let names: Vec<&str> = both.outputs().iter().map(|(n, _)| &**n).collect();
    assert_eq!(names, ["z", "grad_x"]);
}

/// The derivative of an output that does not move is zeros in a space that nothing else in the linear part has, and a direction may go nowhere.
#[test]
fn a_linearised_program_has_the_structure_of_outputs_and_directions_that_are_not_connected() {
    let b = Builder::new();
    let events = b.stream("events");
    let muons = b.ragged("muons", events);
    let jets = b.ragged("jets", events);
    let (x, w) = (b.input("x", events), b.input("w", muons));
    b.input("j", jets);
    let (_, index) = w.gt(0.0.into()).filter("kept");
    let p = b
        .finish(&[
            ("y", x.sin().sum_all()),
            ("z", w * 2.0),
            ("own", w.at(index) * 3.0),
        ])
        .expect("well-formed");
    let inputs = vec![
        Owned::Offsets(vec![0, 2, 2, 3]),
        Owned::Offsets(vec![0, 1, 2, 4]),
        Owned::F64(vec![0.1, 0.2, 0.3]),
        Owned::F64(vec![1.0, -2.0, 3.0]),
        Owned::F64(vec![4.0, 5.0, 6.0, 7.0]),
    ];
    for wrt in [&["x"][..], &["j"], &["x", "w", "j"]] {
        let cut = transform::linearize(&p, wrt).expect("linearize");
        let values = run(&cut.value, &inputs).expect("runs");
        let outputs = cut.value.outputs().iter().zip(&values).skip(3);
        let mut given: Vec<Owned> = outputs
            .map(|((_, v), d)| match cut.value.ty(*v).dtype {
                pullback_array::DType::Offsets => {
                    Owned::Offsets(d.iter().map(|x| *x as i64).collect())
                }
                _ => Owned::F64(d.clone()),
            })
            .collect();
        let tangents: Vec<Owned> = wrt
            .iter()
            .map(|n| {
                let len = match *n {
                    "j" => 4,
                    _ => 3,
                };
                Owned::F64(direction(len, 3))
            })
            .collect();
        given.extend(tangents.clone());
        let found = run(&cut.linear, &given).expect("runs");
        let with: Vec<Owned> = inputs.iter().cloned().chain(tangents).collect();
        let jvp = transform::jvp(&p, wrt).expect("jvp");
        let expected = run(&jvp, &with).expect("runs");
        assert_eq!(
            support::bits(&found),
            support::bits(&expected[3..]),
            "{wrt:?}"
        );
    }
}

/// An input may be called like a gradient: its blocks keep its name.
#[test]
fn blocks_of_a_hessian_are_named_after_their_inputs() {
    let b = Builder::new();
    let n = b.dense_of("n", 2);
    let (x, g) = (b.input("x", n), b.input("grad_x", n));
    let p = b
        .finish(&[("y", (x * x * g).sum_all() * g.sum_all())])
        .expect("well-formed");
    let hessian = transform::hessian(&p, "y", &["x", "grad_x"]).expect("hessian");
    let names: Vec<&str> = hessian.outputs().iter().map(|(n, _)| &**n).collect();
    assert_eq!(
        names,
        [
            "hess_x_x",
            "hess_x_grad_x",
            "hess_grad_x_x",
            "hess_grad_x_grad_x"
        ]
    );
    let (x, g) = ([1.0, 2.0], [0.5, -3.0]);
    let found = run(&hessian, &[Owned::F64(x.to_vec()), Owned::F64(g.to_vec())]).expect("runs");
    let sum: f64 = g.iter().sum();
    let at = |i: usize, j: usize, same: f64| if i == j { same } else { 0.0 };
    for i in 0..2 {
        for j in 0..2 {
            let k = 2 * i + j;
            assert_eq!(found[0][k], at(i, j, 2.0 * g[i] * sum));
            assert_eq!(found[1][k], at(i, j, 2.0 * x[i] * sum) + 2.0 * x[i] * g[i]);
            assert_eq!(found[2][k], at(i, j, 2.0 * x[i] * sum) + 2.0 * x[j] * g[j]);
            assert_eq!(found[3][k], x[i] * x[i] + x[j] * x[j]);
        }
    }
}
