//! Hessian and Jacobian plans: what has no sparse terms is refused and never left out.

use pullback_ad::Real;
use pullback_array::transform::{HessianPlan, JacobianPlan};
use pullback_array::{Builder, Error};

#[test]
fn a_term_that_no_rule_gives_is_not_left_out_of_a_sum() {
    let b = Builder::new();
    let (n, m) = (b.dense_of("n", 2), b.dense_of("m", 2));
    let x = b.input("x", n);
    let a = b.constant_f64(&[1.0, 2.0, 3.0, 4.0], b.join(n, m));
    // A product with a matrix has no sparse rule; x + A x must not pass for x.
    let y = a.linear_map(x) + x;
    let f = y.square().sum_all();
    let p = b.finish(&[("f", f), ("y", y)]).expect("well-formed");
    let hessian = HessianPlan::new(&p, "f", "x");
    assert!(matches!(hessian, Err(Error::Refused { .. })));
    let jacobian = JacobianPlan::new(&p, "y", "x");
    assert!(matches!(jacobian, Err(Error::Refused { .. })));
}

#[test]
fn parameters_in_two_levels_are_refused() {
    let b = Builder::new();
    let (rows, columns) = (b.dense_of("rows", 2), b.dense_of("columns", 3));
    let theta = b.input("theta", b.join(rows, columns));
    let index = b.constant_i64(&[1, 0], b.dense_of("k", 2));
    let y = theta.gather(index);
    let p = b
        .finish(&[("y", y), ("f", (y * y).sum_all())])
        .expect("well-formed");
    assert!(JacobianPlan::new(&p, "y", "theta").is_err());
    assert!(HessianPlan::new(&p, "f", "theta").is_err());
}
