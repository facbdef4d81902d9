//! Consumers without a rule for degrees are refused by name and label.

use pullback_ad::Real;
use pullback_array::transform::{Relaxation, Smoothing, relax};
use pullback_array::{DType, Flow, Last, LevelId, Space, Sym};

use crate::case::{Case, On, record};

fn last(space: Space) -> LevelId {
    space.last().unwrap()
}

type Build = for<'b> fn(Case<'b>) -> Vec<Sym<'b>>;

const CASES: [(On, Build, &str); 15] = [
    (
        On::Muons,
        |c| vec![c.v.floor().named("steps").sum_all()],
        "[PB0206] relax refuses floor (steps): it decides, and no degree of that is known",
    ),
    (
        On::Muons,
        |c| {
            let order = c.u.argmax().named("hardest");
            vec![c.v.at(order).sum_all()]
        },
        "[PB0206] relax refuses argmax (hardest): it decides, and no degree of that is known",
    ),
    (
        On::Muons,
        |c| {
            let (_, index) = c.mask.filter("good");
            let order = (c.v * c.moving).at(index).argmax().named("hardest");
            vec![c.u.at(index).at(order).sum_all()]
        },
        "[PB0206] relax refuses argmax (hardest): it decides, and no degree of that is known",
    ),
    (
        On::Muons,
        |c| {
            let (_, index) = c.mask.filter("good");
            vec![c.v.at(index).sort(true).sum_all()]
        },
        "[PB0206] relax refuses argsort: the elements of `good`",
    ),
    (
        On::Events,
        |c| {
            let (good, index) = c.mask.filter("good");
            vec![c.w.at(index).max_over(last(good))]
        },
        "[PB0206] relax refuses max_over: an order of degrees over a whole stream",
    ),
    (
        On::Muons,
        |c| {
            let (good, index) = c.mask.filter("good");
            vec![c.v.at(index).exclusive_prod(last(good)).sum_all()]
        },
        "[PB0206] relax refuses exclusive_prod: the elements of `good`",
    ),
    (
        On::Muons,
        |c| {
            let (good, _) = c.mask.filter("good");
            let rank = c.b.position(good, last(good)).named("rank");
            vec![rank.cast(DType::F64).sum_all()]
        },
        "[PB0206] relax refuses position (rank): the elements of `good`",
    ),
    (
        On::Muons,
        |c| {
            let (_, index) = c.mask.filter("good");
            vec![c.v.at(index).named("kept")]
        },
        "[PB0206] relax refuses gather (kept): output `y0` lives in [events, good]",
    ),
    (
        On::Muons,
        |c| vec![c.mask],
        "[PB0206] relax refuses gt (cut): output `y0` needs a decision that is relaxed",
    ),
    (
        On::Events,
        |c| {
            let edges = c.b.constant_f64(&[0.0, 1.0, 2.0], c.b.dense_of("edges", 3));
            let table = c.b.constant_f64(&[1.0, 2.0], c.b.dense_of("table", 2));
            let bin = c.moving.bin_index(edges, Flow::Clamp, Last::Open);
            vec![table.gather(bin).named("correction").sum_all()]
        },
        "[PB0206] relax refuses gather (correction): needs a decision that is relaxed",
    ),
    (
        On::Events,
        |c| {
            vec![
                c.w.eq(1.0.into())
                    .named("same")
                    .select(c.w, 0.0.into())
                    .sum_all(),
            ]
        },
        "[PB0206] relax refuses eq (same): equality of doubles has no degree",
    ),
    (
        On::Events,
        |c| vec![c.mask.any(last(c.events)).select(1.0.into(), 0.0.into())],
        "[PB0206] relax refuses any: a product of degrees over a whole stream",
    ),
    (
        On::Events,
        |c| {
            let (good, _) = c.mask.filter("good");
            let (_, a, _) = c.b.pairs(good, "pairs");
            vec![c.w.at(a).sum_all()]
        },
        "[PB0206] relax refuses combination_offsets: it combines the elements of a level with degrees",
    ),
    (
        On::Muons,
        |c| {
            let first =
                c.b.locate(c.b.integer(0).broadcast(c.events), c.mask.filter("good").0);
            vec![c.v.at(c.mask.filter("good").1).at(first).sum_all()]
        },
        "[PB0206] relax refuses locate",
    ),
    (
        On::Events,
        |c| {
            let edges = c.b.constant_f64(&[0.0, 1.0, 2.0], c.b.dense_of("edges", 3));
            let bin = c
                .moving
                .bin_index(edges, Flow::Clamp, Last::Open)
                .named("bin");
            vec![bin.cast(DType::F64).named("number").sum_all()]
        },
        "[PB0206] relax refuses cast (number)",
    ),
];

#[test]
fn consumers_without_a_rule_are_refused_by_name_and_label() {
    for (on, build, expected) in CASES {
        let program = record(on, build);
        let policy = Relaxation::all(Smoothing::Sigmoid, 0.1);
        match relax(&program, &policy) {
            Ok(_) => panic!("accepted; expected {expected}"),
            Err(e) => assert!(
                e.to_string().starts_with(expected),
                "{e}\nexpected {expected}"
            ),
        }
    }
}

#[test]
fn widths_and_labels_are_checked() {
    let program = record(On::Events, |c| {
        vec![c.mask.select(c.w, 0.0.into()).sum_all()]
    });
    let cases = [
        (
            Relaxation::all(Smoothing::Sigmoid, -1.0),
            "[PB0207] input `cut`: a decision smoothed over a width of -1",
        ),
        (
            Relaxation::all(Smoothing::Sigmoid, 1.0).hard("trigger"),
            "[PB0208] no decision named `trigger`",
        ),
        (
            Relaxation::all(
                Smoothing::Sigmoid,
                pullback_array::transform::Width::input("w"),
            ),
            "[PB0207] input `w`: a width has the name of an input",
        ),
    ];
    for (policy, expected) in cases {
        let error = relax(&program, &policy).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

/// What compares numbers of members has a degree, whatever the policy says of it: to leave it hard is not possible.
#[test]
fn a_decision_that_must_stay_hard_but_compares_what_is_relaxed_is_refused_by_name() {
    let program = record(On::Muons, |c| {
        let n = c.b.counts(c.mask.filter("good").0);
        let two = n.ge(c.b.integer(2).broadcast(c.events)).named("two");
        vec![two.select(c.w, 0.0.into()).sum_all()]
    });
    let policy = Relaxation::all(Smoothing::Sigmoid, 0.1).hard("two");
    let error = relax(&program, &policy).unwrap_err().to_string();
    let expected =
        "[PB0206] relax refuses ge (two): it is to stay hard, but compares what is relaxed";
    assert!(error.starts_with(expected), "{error}");
    // With what it compares left hard too, it is.
    assert!(relax(&program, &policy.hard("cut")).is_ok());
}
