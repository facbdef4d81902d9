//! Transforms of what transforms made: names at the border stay apart, and values are those of formulas.

use pullback_ad::Real;
use pullback_array::transform::{self, Surface};
use pullback_array::{Builder, Error, Owned, Program, Space, Sym};

use crate::support::run;

/// y = Σ x³, s = Σ x.
fn cubes() -> Program {
    let b = Builder::new();
    let x = b.input("x", b.dense_of("n", 2));
    b.finish(&[("y", (x * x * x).sum_all())]).unwrap()
}

fn names(program: &Program) -> (String, String) {
    let list = |list: &[(std::sync::Arc<str>, pullback_array::ValueId)]| {
        let names: Vec<&str> = list.iter().map(|(n, _)| &**n).collect();
        names.join(" ")
    };
    (list(program.inputs()), list(program.outputs()))
}

fn named(program: &Program, inputs: &str, outputs: &str) {
    assert_eq!(names(program), (inputs.to_owned(), outputs.to_owned()));
}

const X: [f64; 2] = [0.5, -2.0];
const V: [f64; 2] = [1.0, 3.0];
const W: [f64; 2] = [-0.25, 2.0];

fn column(x: &[f64]) -> Owned {
    Owned::F64(x.to_vec())
}

fn sum(f: impl Fn(usize) -> f64) -> f64 {
    (0..2).map(f).sum()
}

#[test]
fn tangents_of_tangents() {
    let once = transform::jvp(&cubes(), &["x"]).unwrap();
    let twice = transform::jvp(&once, &["x"]).unwrap();
    named(&twice, "x d_x d2_x", "y d_y d2_y d2_d_y");
    let found = run(&twice, &[column(&X), column(&V), column(&W)]).unwrap();
    let expected = [
        sum(|i| X[i].powi(3)),
        sum(|i| 3.0 * X[i] * X[i] * V[i]),
        sum(|i| 3.0 * X[i] * X[i] * W[i]),
        sum(|i| 6.0 * X[i] * V[i] * W[i]),
    ];
    assert_eq!(found.concat(), expected);
    // A third time, and along the tangent.
    let thrice = transform::jvp(&twice, &["x", "d_x"]).unwrap();
    named(
        &thrice,
        "x d_x d2_x d3_x d3_d_x",
        "y d_y d2_y d2_d_y d3_y d3_d_y d3_d2_y d3_d2_d_y",
    );
    let more = [
        column(&X),
        column(&V),
        column(&W),
        column(&[1.0, 1.0]),
        column(&[0.0, 0.0]),
    ];
    let found = run(&thrice, &more).unwrap();
    assert_eq!(found[7], [sum(|i| 6.0 * V[i] * W[i])]);
}

#[test]
fn cotangents_of_cotangents() {
    let once = transform::vjp(&cubes(), &["y"], &["x"]).unwrap();
    named(&once, "x ct_y", "y ct_x");
    let twice = transform::vjp(&once, &["ct_x"], &["x", "ct_y"]).unwrap();
    named(&twice, "x ct_y ct2_ct_x", "y ct_x ct2_x ct2_ct_y");
    let found = run(&twice, &[column(&X), column(&[2.0]), column(&W)]).unwrap();
    for i in 0..2 {
        assert_eq!(found[1][i], 6.0 * X[i] * X[i]);
        assert_eq!(found[2][i], 12.0 * X[i] * W[i]);
    }
    assert_eq!(found[3], [sum(|i| 3.0 * X[i] * X[i] * W[i])]);
    // Of the value again: the cotangent of y is there already.
    let again = transform::vjp(&once, &["y"], &["x"]).unwrap();
    named(&again, "x ct_y ct2_y", "y ct_x ct2_x");
}

#[test]
fn tangents_of_cotangents_and_cotangents_of_tangents() {
    let over = transform::jvp(
        &transform::vjp(&cubes(), &["y"], &["x"]).unwrap(),
        &["x", "ct_y"],
    )
    .unwrap();
    named(&over, "x ct_y d_x d_ct_y", "y ct_x d_y d_ct_x");
    let found = run(
        &over,
        &[column(&X), column(&[2.0]), column(&V), column(&[0.5])],
    )
    .unwrap();
    for i in 0..2 {
        assert_eq!(found[3][i], 12.0 * X[i] * V[i] + 1.5 * X[i] * X[i]);
    }
    let under = transform::vjp(
        &transform::jvp(&cubes(), &["x"]).unwrap(),
        &["d_y"],
        &["x", "d_x"],
    )
    .unwrap();
    named(&under, "x d_x ct_d_y", "y d_y ct_x ct_d_x");
    let found = run(&under, &[column(&X), column(&V), column(&[2.0])]).unwrap();
    for i in 0..2 {
        assert_eq!(found[2][i], 12.0 * X[i] * V[i]);
        assert_eq!(found[3][i], 6.0 * X[i] * X[i]);
    }
}

#[test]
fn gradients_of_gradients_and_linear_parts_of_linear_parts() {
    let b = Builder::new();
    let x = b.input("x", Space::SCALAR);
    let p = b.finish(&[("y", x.powi(4))]).unwrap();
    let once = transform::grad(&p, "y", &["x"]).unwrap();
    let twice = transform::grad(&once, "grad_x", &["x"]).unwrap();
    named(&twice, "x", "y grad_x grad2_x");
    assert_eq!(
        run(&twice, &[column(&[2.0])]).unwrap().concat(),
        [16.0, 32.0, 48.0]
    );
    let both = transform::value_and_grad(&once, "grad_x", &["x"]).unwrap();
    named(&both, "x", "grad_x grad2_x");

    let first = transform::linearize(&transform::jvp(&p, &["x"]).unwrap(), &["x"]).unwrap();
    assert_eq!(names(&first.value).0, "x d_x");
    assert!(
        names(&first.linear).0.ends_with(" d2_x"),
        "{:?}",
        names(&first.linear)
    );
    assert_eq!(names(&first.linear).1, "d2_y d2_d_y");
    let second = transform::linearize(&first.value, &["x", "d_x"]).unwrap();
    let (_, outputs) = names(&second.value);
    assert!(
        outputs.starts_with("y d_y res_0") && outputs.contains(" res2_0"),
        "{outputs}"
    );
    assert!(
        names(&second.linear).0.starts_with("res2_0 "),
        "{:?}",
        names(&second.linear)
    );
    // The linear part at a point: what the value gave, and a direction.
    let inputs = [column(&[2.0]), column(&[1.0])];
    let values = run(&first.value, &inputs).unwrap();
    let given: Vec<Owned> = values[2..]
        .iter()
        .map(|r| column(r))
        .chain([column(&[0.5])])
        .collect();
    assert_eq!(run(&first.linear, &given).unwrap().concat(), [16.0, 24.0]);
}

/// Inputs and outputs that someone called as transforms do.
#[test]
fn names_that_a_program_has_already_stay_and_what_is_added_is_counted() {
    let b = Builder::new();
    let (x, d, ct) = (
        b.input("x", Space::SCALAR),
        b.input("d_x", Space::SCALAR),
        b.input("ct_y", Space::SCALAR),
    );
    let y = x * x * d + ct * x;
    let p = b
        .finish(&[("y", y), ("grad_x", d + 1.0), ("ct_x", ct + 1.0)])
        .unwrap();
    named(
        &transform::jvp(&p, &["x"]).unwrap(),
        "x d_x ct_y d2_x",
        "y grad_x ct_x d2_y d2_grad_x d2_ct_x",
    );
    named(
        &transform::vjp(&p, &["y"], &["x", "d_x"]).unwrap(),
        "x d_x ct_y ct2_y",
        "y grad_x ct_x ct2_x ct2_d_x",
    );
    named(
        &transform::grad(&p, "y", &["x"]).unwrap(),
        "x d_x ct_y",
        "y grad_x ct_x grad2_x",
    );
    named(
        &transform::value_and_grad(&p, "y", &["x"]).unwrap(),
        "x d_x ct_y",
        "y grad_x",
    );
    let hvp = transform::hvp(&p, "y", &["x", "d_x"]).unwrap();
    named(&hvp, "x d_x ct_y d2_x d2_d_x", "hvp_x hvp_d_x");
    let at = [2.0, 3.0, 5.0, 1.0, 10.0].map(|x| column(&[x]));
    assert_eq!(run(&hvp, &at).unwrap().concat(), [6.0 + 40.0, 4.0]);
    let hessian = transform::hessian(&p, "y", &["x", "d_x"]).unwrap();
    named(
        &hessian,
        "x d_x ct_y",
        "hess_x_x hess_x_d_x hess_d_x_x hess_d_x_d_x",
    );
    assert_eq!(
        run(&hessian, &at[..3]).unwrap().concat(),
        [6.0, 4.0, 4.0, 0.0]
    );
    let jacobian = transform::jacobian(&p, "y", &["x", "ct_y"]).unwrap();
    assert_eq!(run(&jacobian, &at[..3]).unwrap().concat(), [17.0, 2.0]);

    let events = Builder::new();
    let x = events.input("x", events.stream("events"));
    let s = events.input("s", Space::SCALAR);
    let d = events.input("d_s", Space::SCALAR);
    let above = (x * s).gt(1.0.into()).named("cut");
    let n = above.select(x * d, 0.0.into()).sum_all();
    let p = events
        .finish(&[("N", n), ("grad_s_surface", d * 2.0)])
        .unwrap();
    let surface = Surface::new(0.1);
    named(
        &transform::jvp_total(&p, &["N"], &["s"], &surface).unwrap(),
        "x s d_s d2_s",
        "N grad_s_surface d2_N d2_N_pathwise d2_N_surface near_cut",
    );
    let total = transform::grad_total(&p, "N", &["s"], &surface).unwrap();
    named(
        &total,
        "x s d_s",
        "N grad_s_surface grad2_s grad2_s_pathwise grad2_s_surface near_cut",
    );
    named(
        &transform::vjp_total(&total, &["N"], &["d_s"], &surface.pathwise("cut")).unwrap(),
        "x s d_s ct_N",
        "N grad_s_surface grad2_s grad2_s_pathwise grad2_s_surface near_cut ct_d_s ct_d_s_pathwise ct_d_s_surface",
    );
}

#[test]
fn lanes_of_each_and_each_of_lanes() {
    let p = cubes();
    let two = |x: &[f64], y: &[f64]| column(&[x, y].concat());
    let jvp = transform::vmap(&transform::jvp(&p, &["x"]).unwrap(), &["d_x"], "lanes").unwrap();
    named(&jvp, "x d_x", "y d_y");
    let found = run(&jvp, &[column(&X), two(&V, &W)]).unwrap();
    assert_eq!(
        found[1],
        [
            sum(|i| 3.0 * X[i] * X[i] * V[i]),
            sum(|i| 3.0 * X[i] * X[i] * W[i])
        ]
    );
    let vjp = transform::vjp(&p, &["y"], &["x"]).unwrap();
    let vjp = transform::vmap(&vjp, &["ct_y"], "lanes").unwrap();
    let found = run(&vjp, &[column(&X), column(&[1.0, -2.0])]).unwrap();
    let gradient = X.map(|x| 3.0 * x * x);
    assert_eq!(
        found[1],
        [
            gradient[0],
            gradient[1],
            -2.0 * gradient[0],
            -2.0 * gradient[1]
        ]
    );
    // Tangents of lanes, lanes of lanes.
    let lanes = transform::vmap(&p, &["x"], "lanes").unwrap();
    let tangents = transform::jvp(&transform::jvp(&lanes, &["x"]).unwrap(), &["x"]).unwrap();
    named(&tangents, "x d_x d2_x", "y d_y d2_y d2_d_y");
    let found = run(&tangents, &[two(&X, &V), two(&V, &X), two(&W, &W)]).unwrap();
    assert_eq!(found[3], [sum(|i| 6.0 * X[i] * V[i] * W[i]); 2]);
    let squared = transform::vmap(&lanes, &["x"], "lanes").unwrap();
    let y = squared.find_output("y").unwrap();
    assert_eq!(squared.space_name(&squared.ty(y).space), "lanes_2, lanes");
    let pulled = transform::vjp(&squared, &["y"], &["x"]).unwrap();
    let x = pulled.find_output("ct_x").unwrap();
    assert_eq!(pulled.space_name(&pulled.ty(x).space), "lanes_2, lanes, n");
}

#[test]
fn names_that_would_be_there_twice_are_refused() {
    let b = Builder::new();
    let (x, y): (Sym<'_>, Sym<'_>) = (b.input("a", Space::SCALAR), b.input("a_b", Space::SCALAR));
    let (u, v) = (b.input("b_c", Space::SCALAR), b.input("c", Space::SCALAR));
    let p = b
        .finish(&[("F", x * y * u * v), ("F_pathwise", x + y)])
        .unwrap();
    let twice = |result: Result<Program, Error>, expected: &str| {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Twice { .. }), "{error}");
        assert!(error.to_string().starts_with(expected), "{error}");
    };
    twice(
        transform::hessian(&p, "F", &["a", "a_b", "b_c", "c"]),
        "[PB0213] output `hess_a_b_c` would be there twice",
    );
    twice(
        transform::jvp_total(&p, &["F", "F_pathwise"], &["a"], &Surface::by_label()),
        "[PB0213] output `d_F_pathwise` would be there twice",
    );
    twice(
        transform::grad(&p, "F", &["a", "a"]),
        "[PB0213] output `grad_a` would be there twice",
    );
}
