//! Zero, NaN and infinite derivatives are explained by operation, name and element.

use pullback_ad::Real;
use pullback_array::{
    Bindings, Builder, Column, DType, Explanation, Flow, Last, Program, Space, Stage, Steps, Sym,
    Why, explain, explain_with, region,
};

/// A program of events (x, y), muons (z), and two parameters.
#[derive(Clone, Copy)]
struct Case<'b> {
    b: &'b Builder,
    x: Sym<'b>,
    z: Sym<'b>,
    s: Sym<'b>,
    t: Sym<'b>,
}

fn record(f: impl for<'b> Fn(Case<'b>) -> Sym<'b>) -> Program {
    let b = Builder::new();
    let events = b.stream("events");
    let muons = b.ragged("muons", events);
    let (x, z) = (b.input("x", events), b.input("z", muons));
    let (s, t) = (b.input("s", Space::SCALAR), b.input("t", Space::SCALAR));
    let out = f(Case { b: &b, x, z, s, t });
    b.finish(&[("F", out)]).unwrap()
}

const X: [f64; 4] = [-1.0, 0.5, 2.0, 4.0];
const Z: [f64; 5] = [1.0, -2.0, 3.0, 0.9995, 5.0];

fn columns() -> Vec<Column<'static>> {
    vec![
        Column::Offsets(&[0, 2, 2, 4, 5]),
        (&X).into(),
        (&Z).into(),
        (&1.0).into(),
        (&2.0).into(),
    ]
}

fn explained(wrt: &[&str], f: impl for<'b> Fn(Case<'b>) -> Sym<'b>) -> Explanation {
    explain(&record(f), &Bindings::ordered(&columns()), "F", wrt).unwrap()
}

#[test]
fn a_derivative_without_a_fault_is_clean() {
    let found = explained(&["s", "z"], |c| (c.z * c.s).exp().sum_all());
    assert!(found.is_clean(), "{found}");
    assert_eq!(found.components[1].elements, 5);
}

#[test]
fn what_decides_is_named_with_the_elements_near_switching() {
    let found = explained(&["s", "t"], |c| {
        let cut = (c.z * c.s).gt(1.0.into()).named("z > 1");
        let (_, index) = cut.filter("good");
        let edges = c.b.constant_f64(&[0.0, 2.0, 6.0], c.b.dense_of("edges", 3));
        let bin = (c.z * c.t)
            .bin_index(edges, Flow::Drop, Last::Open)
            .named("bin");
        let n = c.b.broadcast(1.0.into(), c.z.space());
        let filled = n.scatter_add(bin, c.b.dense_of("bins", 2)).sum_all();
        c.z.at(index).sum_all() + filled + (c.t.stop_gradient() * c.z).sum_all()
    });
    let [s, t] = &found.components[..] else {
        panic!("two components")
    };
    assert!(!s.has_path && s.zero == 1 && s.value == Some(0.0));
    let cut = &s.blockers[0];
    assert_eq!(s.blockers.len(), 1, "{found}");
    assert_eq!(
        (cut.why, cut.label.as_deref()),
        (Why::Decision, Some("z > 1"))
    );
    // 1.0 is on the threshold, 0.9995 less than a thousandth below it.
    assert_eq!((cut.elements, cut.within_step), (5, Some(2)));
    let whys: Vec<_> = t
        .blockers
        .iter()
        .map(|b| (b.why, b.label.as_deref()))
        .collect();
    assert_eq!(
        whys,
        [(Why::BinIndex, Some("bin")), (Why::StopGradient, None)]
    );
    // 2·1.0 and 2·0.9995 are within a thousandth of the edge 2, and of 6 is 2·3.0.
    assert_eq!(t.blockers[0].within_step, Some(3));
    let moving: Vec<_> = found
        .decisions
        .iter()
        .map(|d| (d.label.as_deref().unwrap(), d.elements, d.within_step))
        .collect();
    assert_eq!(moving, [("z > 1", 5, 2), ("bin", 5, 3)]);
    let text = found.to_string();
    for line in [
        "dF/ds = 0.0: no path carries a derivative",
        "  gt `z > 1` decides: no derivative passes; 5 elements, 2 within a step of switching",
        "  bin_index `bin` is a bin index: no derivative passes; 5 elements, 3 within a step",
        "  stop_gradient stops the derivative, as asked for",
        "pathwise derivatives are at frozen selection; not seen by them:",
    ] {
        assert!(text.contains(line), "{text}\nlacks: {line}");
    }
}

#[test]
fn steps_may_be_absolute() {
    let program = record(|c| {
        let cut = (c.z * c.s).gt(1.0.into()).named("z > 1");
        cut.select(c.z * c.s, 0.0.into()).sum_all()
    });
    let inputs = Bindings::ordered(&columns());
    let found = explain_with(&program, &inputs, "F", &["z"], Steps::Absolute(2.0)).unwrap();
    // 1.0, 0.9995 and 3.0 change sides within 2.
    assert_eq!(found.decisions[0].within_step, 3);
}

#[test]
fn elements_that_are_dropped_not_taken_and_flat_are_counted() {
    let found = explained(&["z"], |c| {
        let (_, index) = c.z.gt(0.0.into()).named("positive").filter("good");
        let kept = c.z.at(index);
        let capped = kept.min(4.0.into()).named("cap");
        let saturated = (kept * 100.0).sigmoid().named("score");
        let small = kept.lt(2.0.into()).select(capped * saturated, 0.0.into());
        small.sum_all()
    });
    let z = &found.components[0];
    // −2 is dropped; 3 and 5 are not taken.
    assert_eq!((z.elements, z.zero), (5, 3), "{found}");
    assert!(z.has_path);
    let blockers: Vec<_> = z
        .blockers
        .iter()
        .map(|b| (b.why, b.label.as_deref(), b.elements, b.of))
        .collect();
    assert!(
        blockers.contains(&(Why::NotPicked, Some("positive"), 1, 5)),
        "{found}"
    );
    assert!(
        blockers.contains(&(Why::Flat, Some("cap"), 1, 4)),
        "{found}"
    );
    assert!(
        blockers.contains(&(Why::Flat, Some("score"), 4, 4)),
        "{found}"
    );
    assert!(blockers.contains(&(Why::NotTaken, None, 2, 4)), "{found}");
}

#[test]
fn a_zero_factor_and_an_empty_selection_are_named() {
    let found = explained(&["s", "t"], |c| {
        let (_, none) = c.z.gt(100.0.into()).named("z > 100").filter("good");
        let empty = (c.z.at(none) * c.s).sum_all();
        empty + (c.x.lt(Sym::from(-5.0)).cast(DType::F64).sum_all() * c.t).named("weighted")
    });
    let text = found.to_string();
    assert!(text.contains("total has nothing to sum"), "{text}");
    assert!(
        text.contains("mul `weighted` multiplies by zero; 1 elements"),
        "{text}"
    );
}

#[test]
fn nan_is_traced_to_operation_name_element_and_arguments() {
    let found = explained(&["s"], |c| {
        let root = (c.z * c.s).sqrt().named("root");
        (root * 2.0).sum_all()
    });
    assert!(found.value.is_nan());
    assert_eq!(found.components[0].nan, 1);
    let birth = &found.births[0];
    assert_eq!((birth.stage, birth.primitive), (Stage::Value, "sqrt"));
    assert_eq!(birth.label.as_deref(), Some("root"));
    assert_eq!((birth.nan, birth.infinite, birth.reach_value), (1, 0, 1));
    let place: Vec<_> = birth
        .place
        .iter()
        .map(|p| (p.level.as_str(), p.number))
        .collect();
    assert_eq!(place, [("events", 0), ("muons", 1)]);
    assert_eq!(birth.arguments, [-2.0]);
    let text = found.to_string();
    assert!(
        text.contains("1 NaN born in sqrt `root`, first at events 0, muons 1 from (-2.0)"),
        "{text}"
    );
    // What only passes it on is not accused.
    assert!(
        !found
            .births
            .iter()
            .any(|b| b.primitive == "total" || b.primitive == "mul")
    );
}

/// The root of what is positive, 0 for the rest: NaN is born where the root is not taken.
fn guarded(c: Case<'_>) -> Sym<'_> {
    let scaled = c.z * c.s;
    let root = scaled.sqrt().named("root");
    let positive = scaled.gt(0.0.into()).named("guard");
    (positive.select(root, 0.0.into()) * c.t).sum_all()
}

#[test]
fn nan_on_the_side_that_a_select_does_not_take_is_said_to_reach_nothing() {
    let found = explained(&["t"], guarded);
    assert!(found.value.is_finite() && found.components[0].nan == 0);
    let root = &found.births[0];
    assert_eq!((root.primitive, root.nan), ("sqrt", 1), "{found}");
    assert_eq!((root.reach_value, root.reach_derivative), (0, 0), "{found}");
    assert_eq!(root.discarded_by.as_deref(), Some("select `guard`"));
    assert_eq!(root.arguments, [-2.0]);
    let text = found.to_string();
    let line = "none reaches a result: select `guard` does not take them";
    assert!(text.contains(line), "{text}");
}

#[test]
fn nan_on_the_side_not_taken_that_reaches_a_derivative_backwards_is_told_from_the_value() {
    // Backwards, a zero cotangent meets the infinite or undefined slope of the side not taken.
    let found = explained(&["s"], guarded);
    println!("{found}");
    assert!(found.value.is_finite());
    let root = &found.births[0];
    assert_eq!(root.label.as_deref(), Some("root"));
    assert_eq!(root.reach_value, 0, "{found}");
    assert_eq!(root.reach_derivative, found.components[0].nan, "{found}");
}

#[test]
fn an_infinite_derivative_is_born_in_the_derivative() {
    let found = explained(&["s", "x"], |c| {
        let distance = (c.x - 0.5).abs().named("distance");
        (distance.sqrt().named("root") * c.s).sum_all()
    });
    assert!(found.value.is_finite());
    // At x = 0.5 the root has an infinite slope, and |x| a slope of 0: NaN.
    let x = &found.components[1];
    assert_eq!((x.nan, x.infinite), (1, 0), "{found}");
    let slope = found.births.iter().find(|b| b.infinite == 1).unwrap();
    assert_eq!(slope.stage, Stage::Derivative);
    assert_eq!(slope.label.as_deref(), Some("root"));
    let place: Vec<_> = slope
        .place
        .iter()
        .map(|p| (p.level.as_str(), p.number))
        .collect();
    assert_eq!(place, [("events", 1)]);
}

#[test]
fn nothing_found_is_where_a_nan_begins() {
    let found = explained(&["z"], |c| c.z.leading(c.z).named("leading").sum_all());
    let birth = &found.births[0];
    assert_eq!((birth.primitive, birth.nan), ("gather", 1), "{found}");
    assert_eq!(birth.label.as_deref(), Some("leading"));
    let place: Vec<_> = birth
        .place
        .iter()
        .map(|p| (p.level.as_str(), p.number))
        .collect();
    assert_eq!(place, [("events", 1)]);
}

#[test]
fn outputs_of_many_elements_and_data_without_a_stream() {
    let b = Builder::new();
    let n = b.dense("n");
    let (x, s) = (b.input("x", n), b.input("s", Space::SCALAR));
    let y = (x - s).ln().named("log");
    let program = b.finish(&[("y", y)]).unwrap();
    let inputs = Bindings::ordered(&[(&[2.0, 1.0, 0.0]).into(), (&1.0).into()]);
    let found = explain(&program, &inputs, "y", &["x", "s"]).unwrap();
    let log = found
        .births
        .iter()
        .find(|b| b.stage == Stage::Value)
        .unwrap();
    assert_eq!((log.nan, log.infinite), (1, 1), "{found}");
    assert_eq!(log.place[0].number, 1);
    assert_eq!(log.arguments, [0.0]);
    let unknown = explain(&program, &inputs, "z", &["x"]).unwrap_err();
    assert!(unknown.to_string().starts_with("[PB0208]"));
}

#[test]
fn what_is_born_in_a_further_result_of_a_region_is_seen_and_followed() {
    let b = Builder::new();
    let x = b.input("x", Space::SCALAR);
    let y = region::checkpoint(&b, Space::SCALAR, &[x], |_, v| {
        vec![v[0] * v[0], (v[0] - 1.0).ln().sqrt()]
    })
    .unwrap();
    let root = (x - 1.0).sqrt().named("root");
    let (_, again) = (
        y[0],
        region::checkpoint(&b, Space::SCALAR, &[root], |_, v| {
            vec![v[0] * 0.0 + 1.0, v[0] * 2.0]
        })
        .unwrap(),
    );
    let program = b.finish(&[("F", y[0] + y[1]), ("G", again[1])]).unwrap();
    let inputs = Bindings::ordered(&[(&0.5).into()]);
    let found = explain(&program, &inputs, "F", &["x"]).unwrap();
    let births: Vec<_> = found
        .births
        .iter()
        .filter(|b| b.stage == Stage::Value)
        .map(|b| (b.primitive, b.nan, b.reach_value))
        .collect();
    assert_eq!(births, [("call", 1, 1)], "{found}");
    // And what reaches a further result reaches what follows it.
    let found = explain(&program, &inputs, "G", &["x"]).unwrap();
    let birth = found
        .births
        .iter()
        .find(|b| b.label.as_deref() == Some("root"))
        .unwrap();
    assert_eq!((birth.nan, birth.reach_value), (1, 1), "{found}");
}

#[test]
fn edges_that_move_are_within_a_step_of_switching() {
    let b = Builder::new();
    let events = b.stream("events");
    let (x, t) = (b.input("x", events), b.input("t", Space::SCALAR));
    let edges = b.constant_f64(&[0.0, 1.0, 2.0], b.dense_of("edges", 3)) * t;
    let bin = x.bin_index(edges, Flow::Drop, Last::Open).named("bin");
    let ones = b.broadcast(1.0.into(), events);
    let filled = ones.scatter_add(bin, b.dense_of("bins", 2));
    let weights = b.constant_f64(&[1.0, 3.0], filled.space());
    let program = b.finish(&[("F", (filled * weights).sum_all())]).unwrap();
    // Half-way between the edges, at the second, and near the third, whose step is twice as long; at the first nothing moves.
    let columns = [
        (&[0.5, 1.0005, 1.9985, 1.0015, 0.0001]).into(),
        (&1.0).into(),
    ];
    let found = explain(&program, &Bindings::ordered(&columns), "F", &["t"]).unwrap();
    let mut blockers = found.components[0].blockers.iter();
    let blocker = blockers.find(|b| b.why == Why::BinIndex).unwrap();
    assert_eq!(blocker.within_step, Some(2), "{found}");
    assert_eq!(
        (found.decisions.len(), found.decisions[0].within_step),
        (1, 2),
        "{found}"
    );
}

#[test]
fn a_derivative_that_is_a_constant_is_neither_zero_nor_infinite() {
    let b = Builder::new();
    let x = b.input("x", Space::SCALAR);
    let program = b.finish(&[("F", x * 2.0)]).unwrap();
    let inputs = Bindings::ordered(&[(&0.5).into()]);
    let found = explain(&program, &inputs, "F", &["x"]).unwrap();
    let c = &found.components[0];
    assert_eq!((c.zero, c.nan, c.infinite), (0, 0, 0), "{found}");
    assert!(found.is_clean(), "{found}");
}
