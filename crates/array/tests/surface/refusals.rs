//! What has no surface term that is known is refused by name and label, and derivatives of estimates are refused.

use pullback_ad::Real;
use pullback_array::transform::{self, HessianPlan, Surface, Width};
use pullback_array::{Builder, DType, Error, LevelId, Program, Space, Sym};

fn last(space: Space) -> LevelId {
    space.last().unwrap()
}

/// A program of events and muons; `f` gets both columns, already moved by s, and returns the output.
fn record(f: impl for<'b> Fn(&'b Builder, Sym<'b>, Sym<'b>) -> Sym<'b>) -> Program {
    let b = Builder::new();
    let events = b.stream("events");
    let muons = b.ragged("muons", events);
    let (x, y) = (b.input("x", events), b.input("y", muons));
    let s = b.input("s", Space::SCALAR);
    let out = f(&b, x * s, y * s);
    b.finish(&[("F", out)]).unwrap()
}

fn refusal(program: &Program, surface: &Surface) -> String {
    transform::jvp_total(program, &["F"], &["s"], surface)
        .unwrap_err()
        .to_string()
}

#[test]
fn structures_without_known_surface_terms_are_refused_by_name_and_label() {
    type Case = for<'b> fn(&'b Builder, Sym<'b>, Sym<'b>) -> Sym<'b>;
    let cases: [(Case, &str); 10] = [
        (
            |_, x, _| {
                x.gt(1.0.into())
                    .named("cut")
                    .select(x, 0.0.into())
                    .max_over(last(x.space()))
            },
            "[PB0206] surface refuses max_over: it takes what the threshold `cut` decides out of the stream",
        ),
        (
            |_, x, _| x.gt(1.0.into()).named("cut").select(x, 0.0.into()),
            "[PB0206] surface refuses select: it is an output for each element of a stream, which jumps at the threshold `cut`",
        ),
        (
            |_, x, _| x.floor().named("steps").sum_all(),
            "[PB0206] surface refuses floor (steps): it jumps",
        ),
        (
            |_, _, y| {
                let other = y.square() + 1.0;
                let chosen = y.argmax().named("leading");
                other.at(chosen).sum_all()
            },
            "[PB0206] surface refuses argmax (leading): another element is chosen where two are equal",
        ),
        (
            |_, _, y| {
                let order = y.argsort(true).named("order");
                (y.square().at(order)).sum_all()
            },
            "[PB0206] surface refuses argsort (order)",
        ),
        (
            |b, x, _| {
                let three = b.constant_f64(&[1.0, 2.0, 3.0], b.dense_of("grid", 3));
                let s = x.sum_all();
                let mask = (three * s).gt(2.0.into()).named("on a grid");
                mask.select(three * s, 0.0.into()).sum_all()
            },
            "[PB0206] surface refuses gt (on a grid): it decides in [grid], which is no stream",
        ),
        (
            |_, x, _| {
                x.gt(1.0.into())
                    .named("cut")
                    .any(last(x.space()))
                    .select(1.0.into(), 0.0.into())
            },
            "[PB0206] surface refuses any: it takes what the threshold `cut` decides out of the stream",
        ),
        (
            |b, x, y| {
                let n = b.dense_of("n", 2);
                let path = b.join(y.space(), n);
                let deep = y.broadcast(path).gt(1.0.into()).named("deep");
                let _ = x;
                deep.select(y.broadcast(path), 0.0.into()).sum_all()
            },
            "[PB0206] surface refuses gt (deep): it decides in [events, muons, n]",
        ),
        (
            |b, x, _| {
                let n = x.gt(1.0.into()).named("cut").count(last(x.space()));
                let some = n.ge(b.integer(3));
                let n = some.select(n, b.integer(0)).named("enough");
                n.cast(DType::F64)
            },
            "[PB0206] surface refuses select (enough): it takes a count of the threshold `cut` further as an integer",
        ),
        (
            |b, x, y| {
                let n = x.gt(1.0.into()).named("cut").count(last(x.space()));
                let muons = b.counts(y.space());
                let fewer = muons.lt(n.broadcast(x.space())).named("fewer");
                fewer.select(x, 0.0.into()).sum_all()
            },
            "[PB0206] surface refuses lt (fewer): it takes a count of the threshold `cut` further as an integer",
        ),
    ];
    for (case, expected) in cases {
        let found = refusal(&record(case), &Surface::new(0.1));
        assert!(found.starts_with(expected), "{found}\nexpected {expected}");
    }
}

/// A count that is compared outside the stream is a number at a threshold by accident only, as every number is.
#[test]
fn counts_may_be_compared_where_they_are_numbers() {
    let program = record(|b, x, _| {
        let n = x.gt(1.0.into()).named("cut").count(last(x.space()));
        let grid = b.constant_i64(&[1, 2, 3], b.dense_of("grid", 3));
        let at_least = n.broadcast(grid.space()).ge(grid);
        at_least.cast(DType::F64).sum_all() * x.sum_all()
    });
    assert!(transform::jvp_total(&program, &["F"], &["s"], &Surface::new(0.1)).is_ok());
}

#[test]
fn what_the_caller_takes_responsibility_for_is_left_out() {
    let program = record(|_, x, y| {
        let steps = x.floor().named("steps").sum_all();
        let order = y.argsort(true).named("order");
        steps + (y.square().at(order)).sum_all()
    });
    let surface = Surface::by_label().pathwise("steps").pathwise("order");
    assert!(transform::jvp_total(&program, &["F"], &["s"], &surface).is_ok());
    let unknown = refusal(&program, &surface.pathwise("stairs"));
    assert!(
        unknown.starts_with("[PB0208] no decision named `stairs`"),
        "{unknown}"
    );
}

#[test]
fn choices_that_gather_what_they_compare_do_not_jump() {
    let program = record(|_, _, y| {
        let sorted = y.sort(true);
        (sorted * y.stop_gradient()).sum_all() + y.leading(y).sum_all()
    });
    let total = transform::jvp_total(&program, &["F"], &["s"], &Surface::by_label()).unwrap();
    assert_eq!(total.outputs().len(), 4);
}

#[test]
fn widths_are_positive_named_and_known() {
    let program = record(|_, x, _| {
        x.gt(1.0.into())
            .named("cut")
            .select(x, 0.0.into())
            .sum_all()
    });
    let cases = [
        (
            Surface::by_label(),
            "[PB0208] no width for the decision named `cut`",
        ),
        (
            Surface::new(0.0),
            "[PB0207] input `cut`: a window of half-width 0",
        ),
        (
            Surface::new(f64::NAN),
            "[PB0207] input `cut`: a window of half-width NaN",
        ),
        (
            Surface::new(Width::input("x")),
            "[PB0207] input `x`: a width has the name of an input",
        ),
    ];
    for (surface, expected) in cases {
        let found = refusal(&program, &surface);
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn second_derivatives_of_estimates_are_refused_and_those_of_the_rest_are_not() {
    let program = record(|_, x, _| {
        let cut = x.gt(1.0.into()).named("cut");
        cut.select(x.square(), 0.0.into()).sum_all()
    });
    let surface = Surface::new(0.1);
    let refused = |result: Result<Program, Error>| {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::NotDifferentiable { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.starts_with("[PB0205] frozen_mul has no second derivative"),
            "{text}"
        );
    };
    let jvp = transform::jvp_total(&program, &["F"], &["s"], &surface).unwrap();
    refused(transform::jvp(&jvp, &["x"]));
    refused(transform::vjp(&jvp, &["d_F"], &["s"]));
    let grad = transform::grad_total(&program, "F", &["s"], &surface).unwrap();
    refused(transform::jvp(&grad, &["s"]));
    refused(transform::grad(&grad, "grad_s_surface", &["x"]));
    let open = transform::with_surface_terms(&program, &["F"], &["s"], &surface).unwrap();
    refused(transform::grad(
        &transform::grad(&open, "F", &["s"]).unwrap(),
        "grad_s",
        &["s"],
    ));
    assert!(HessianPlan::new(&open, "F", "s").is_err());
    // The pathwise part is a derivative like any other.
    assert!(transform::vjp(&jvp, &["d_F_pathwise"], &["s"]).is_ok());
    // And first derivatives of the open form are total ones.
    assert!(transform::grad(&open, "F", &["s"]).is_ok());
}
