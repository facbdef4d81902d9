//! Functions with their own derivative rule: what they give in each mode, and where they refuse.

mod support;

use pullback_ad::Real;
use pullback_array::region::{HostFunction, Policy, Scan, custom_jvp, custom_vjp};
use pullback_array::registry::Registry;
use pullback_array::{Builder, Error, Owned, Program, Result, Space, text, transform};
use support::{direction, run};

/// Σ (x² w) with a rule that is three times the derivative, so that it shows where it was used.
fn tripled(reverse: bool) -> Program {
    let b = Builder::new();
    let n = b.dense("n");
    let (x, w) = (b.input("x", n), b.input("w", Space::SCALAR));
    let found = if reverse {
        custom_vjp(
            &b,
            Space::SCALAR,
            &[x, w],
            |_, v| vec![v[0] * v[0] * v[1]],
            |_, (v, out, ct)| {
                let by_w = (out[0] * ct[0]).sum_all() / v[1];
                vec![v[0] * v[1] * ct[0] * 6.0, by_w * 3.0]
            },
        )
    } else {
        custom_jvp(
            &b,
            Space::SCALAR,
            &[x, w],
            |_, v| vec![v[0] * v[0] * v[1]],
            |_, (v, _, d)| vec![(v[0] * v[1] * d[0] * 2.0 + v[0] * v[0] * d[1]) * 3.0],
        )
    };
    let y = found.expect("well-formed")[0];
    b.finish(&[("y", y.sum_all())]).expect("well-formed")
}

fn inputs() -> Vec<Owned> {
    vec![Owned::F64(vec![1.0, 2.0]), Owned::F64(vec![5.0])]
}

#[test]
fn both_rules_are_used_in_reverse_mode_and_once_more_in_reverse_over_reverse() {
    for reverse in [false, true] {
        let gradient = transform::grad(&tripled(reverse), "y", &["x", "w"]).expect("grad");
        let found = run(&gradient, &inputs()).expect("runs");
        assert_eq!(found, [vec![25.0], vec![30.0, 60.0], vec![15.0]]);
        let twice = transform::vjp(&gradient, &["grad_x"], &["x", "w"]).expect("again");
        let with: Vec<Owned> = inputs()
            .into_iter()
            .chain([Owned::F64(vec![1.0, 0.0])])
            .collect();
        let found = run(&twice, &with).expect("runs");
        // The rule itself is differentiated: 6 x w.
        assert_eq!(found[3..], [vec![30.0, 0.0], vec![6.0]]);
    }
}

#[test]
fn the_tangent_rule_is_used_in_forward_mode() {
    let jvp = transform::jvp(&tripled(false), &["x"]).expect("jvp");
    let with = [inputs(), vec![Owned::F64(vec![1.0, 10.0])]].concat();
    assert_eq!(run(&jvp, &with).expect("runs")[1], [630.0]);
}

fn refused<T>(result: Result<T>) {
    match result {
        Err(Error::NotDifferentiable {
            primitive: "custom_vjp",
            message,
            ..
        }) => assert!(message.contains("reverse mode only"), "{message}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("must be refused"),
    }
}

#[test]
fn a_cotangent_rule_refuses_tangents_and_never_gives_a_zero() {
    let program = tripled(true);
    refused(transform::jvp(&program, &["x"]));
    let gradient = transform::grad(&program, "y", &["x", "w"]).expect("grad");
    // The rule for w needs the result, whose tangent does not exist.
    refused(transform::jvp(&gradient, &["x"]));
    // Inside a scan, where the tangent is in a region.
    let b = Builder::new();
    let steps = b.dense("steps");
    let (x, h) = (b.input("x", steps), b.input("h", Space::SCALAR));
    let found = Scan::along(steps)
        .record(&b, &[h], &[x], &[], |b, h, x, _| {
            let next = custom_vjp(
                b,
                Space::SCALAR,
                &[h[0] * x[0]],
                |_, v| vec![v[0].sin()],
                |_, (v, _, ct)| vec![v[0].cos() * ct[0]],
            );
            (next.expect("well-formed"), vec![])
        })
        .expect("well-formed");
    let program = b.finish(&[("y", found.carries[0])]).expect("well-formed");
    refused(transform::jvp(&program, &["x"]));
    let gradient = transform::grad(&program, "y", &["x", "h"]).expect("grad");
    let found = run(
        &gradient,
        &[Owned::F64(vec![0.5, 2.0]), Owned::F64(vec![0.7])],
    )
    .expect("runs");
    let (h1, h2) = (0.35_f64.sin(), 2.0 * 0.35_f64.sin());
    let expected = [h2.cos() * 2.0 * 0.35_f64.cos() * 0.7, h2.cos() * h1];
    for (f, e) in found[1].iter().zip(expected) {
        assert!((f - e).abs() < 1e-15);
    }
}

#[test]
fn the_text_is_read_back() {
    for reverse in [false, true] {
        let program = tripled(reverse);
        let gradient = transform::grad(&program, "y", &["x", "w"]).expect("grad");
        for program in [program, gradient] {
            let again = text::parse(&text::print(&program), &Registry::standard());
            assert!(again.expect("reads") == program);
        }
    }
}

#[test]
fn lanes_equal_a_loop() {
    for reverse in [false, true] {
        let gradient = transform::grad(&tripled(reverse), "y", &["x", "w"]).expect("grad");
        let lanes = transform::vmap(&gradient, &["w"], "lanes").expect("lanes");
        let w = direction(3, 9);
        let all = vec![Owned::F64(vec![1.0, 2.0]), Owned::F64(w.clone())];
        let found = run(&lanes, &all).expect("runs");
        for (k, w) in w.iter().enumerate() {
            let one = vec![Owned::F64(vec![1.0, 2.0]), Owned::F64(vec![*w])];
            let one = run(&gradient, &one).expect("runs");
            assert_eq!(found[1][2 * k..2 * k + 2], one[1][..]);
            assert_eq!(found[2][k], one[2][0]);
        }
    }
}

#[test]
fn rules_of_the_wrong_shape_are_refused() {
    let b = Builder::new();
    let x = b.input("x", b.dense("n"));
    let short = custom_jvp(
        &b,
        Space::SCALAR,
        &[x],
        |_, v| vec![v[0].sin(), v[0].cos()],
        |_, (_, _, d)| vec![d[0]],
    );
    let message = short.expect_err("one tangent for two results").to_string();
    assert!(
        message.contains("the rule returns 1 values, expected doubles in [n], [n]"),
        "{message}"
    );
}

/// Closures of the host have no text that could be read back: the name is refused, with what to do.
#[test]
fn closures_of_the_host_are_refused_by_the_text_form() {
    let host = HostFunction::register(
        "host_twice",
        "2 x, by the host.",
        |x, y| y[0] = 2.0 * x[0],
        |_, j| j[0] = 2.0,
    );
    let b = Builder::new();
    let steps = b.dense("steps");
    let x = b.input("x", steps);
    let found = Scan::along(steps)
        .checkpoint(Policy::Every(2))
        .record(&b, &[0.0.into()], &[x], &[], |b, y, x, _| {
            (vec![y[0] + host.call(b, x[0], Space::SCALAR)], vec![])
        })
        .expect("well-formed");
    let program = b.finish(&[("y", found.carries[0])]).expect("well-formed");
    assert_eq!(
        run(&program, &[Owned::F64(vec![1.0, 2.0])]).expect("runs"),
        [[6.0]]
    );
    let printed = text::print(&program);
    let error = text::parse(&printed, &Registry::standard()).expect_err("a closure");
    assert!(
        error
            .to_string()
            .contains("no primitive named `host_twice` in the registry")
    );
    // Who has the closure can read the text.
    let registry = Registry::standard().with(host.primitive().0);
    assert!(text::parse(&printed, &registry).expect("reads") == program);
}
