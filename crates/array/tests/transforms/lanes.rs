//! Lanes beside a program: what is moved is recorded again, the rest is there once, and nothing changes a bit.

use pullback_ad::Real;
use pullback_array::transform::{
    Lane, Relaxation, Smoothing, Width, lanes, relax, simplify, vjp, vmap,
};
use pullback_array::{Bindings, Builder, Column, DType, Lowered, Program, Space, Type, Workspace};

const OFFSETS: [i64; 6] = [0, 3, 3, 4, 8, 9];
const PT: [f64; 9] = [31.0, 12.0, 55.0, 29.5, 88.0, 30.5, 44.0, 2.0, 61.0];
const MET: [f64; 5] = [10.0, 44.0, 71.0, 38.0, 5.0];
const EDGES: [f64; 4] = [0.0, 40.0, 80.0, 400.0];

/// Jets above a threshold after a scale; a histogram of their sum, of events with enough missing momentum after another scale.
fn program() -> Program {
    let b = Builder::new();
    let events = b.stream("events");
    let jets = b.ragged("jets", events);
    let pt = b.input_of("pt", Type::f64(jets));
    let met = b.input("met", events);
    let (jes, scale) = (
        b.input("jes", Space::SCALAR),
        b.input("scale", Space::SCALAR),
    );
    let cut = b.input("cut", Space::SCALAR);
    let varied = pt * jes;
    let (good, index) = varied.gt(cut.broadcast(jets)).named("good").filter("good");
    let ht = varied
        .gather_over(jets.last().expect("a level"), index)
        .total(good);
    let passed = (met * scale).gt(cut.broadcast(events)).named("passed");
    let weight = passed.select((met * 0.01).exp(), 0.0.into());
    let bins = b.dense_of("bins", EDGES.len() - 1);
    let edges = b.constant_f64(&EDGES, b.dense_of("edges", EDGES.len()));
    let index = ht.bin_index(
        edges,
        pullback_array::Flow::Drop,
        pullback_array::Last::Open,
    );
    let n = b.counts(good).cast(DType::F64).sum_all();
    b.finish(&[("h", weight.scatter_add(index, bins)), ("n", n)])
        .expect("well-formed")
}

fn lane(name: &str, moved: &[&str], outputs: &[&str]) -> Lane {
    let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    Lane {
        name: name.into(),
        moved: own(moved),
        outputs: own(outputs),
    }
}

fn run(lowered: &Lowered, numbers: &[&[f64]]) -> Workspace {
    let mut columns = vec![
        Column::Offsets(&OFFSETS),
        Column::F64(&PT),
        Column::F64(&MET),
    ];
    columns.extend(numbers.iter().map(|x| Column::F64(x)));
    let mut ws = lowered.workspace();
    lowered
        .run(&mut ws, &Bindings::ordered(&columns))
        .expect("runs");
    ws
}

fn count(program: &Program, primitive: &str) -> usize {
    let names = program.nodes().iter().map(|n| n.primitive.name());
    names.filter(|n| *n == primitive).count()
}

fn all() -> Vec<Lane> {
    vec![
        lane("up", &["jes"], &["h", "n"]),
        lane("down", &["jes"], &["h"]),
        lane("met", &["scale"], &["h", "n"]),
        lane("both", &["jes", "scale"], &["h"]),
    ]
}

#[test]
fn lanes_have_the_bits_of_runs_and_structure_of_their_own() {
    let program = program();
    let alone = Lowered::new(program.clone()).expect("lowers");
    let both = lanes(&program, &all()).expect("lanes");
    for both in [both.clone(), simplify(&both).expect("simple")] {
        let inputs: Vec<&str> = both.inputs().iter().map(|(n, _)| &**n).collect();
        let own = ["jets", "pt", "met", "jes", "scale", "cut"];
        let more = ["jes up", "jes down", "scale met", "jes both", "scale both"];
        assert_eq!(inputs, [&own[..], &more[..]].concat());
        let lowered = Lowered::new(both).expect("lowers");
        let (up, down, met) = ([1.1], [0.9], [0.8]);
        let ws = run(
            &lowered,
            &[&[1.0], &[1.0], &[30.0], &up, &down, &met, &up, &met],
        );
        let at = |jes: f64, scale: f64| run(&alone, &[&[jes], &[scale], &[30.0]]);
        let nominal = at(1.0, 1.0);
        assert_eq!((ws.f64(0), ws.f64(1)), (nominal.f64(0), nominal.f64(1)));
        let expected = at(1.1, 1.0);
        assert_eq!((ws.f64(2), ws.f64(3)), (expected.f64(0), expected.f64(1)));
        assert_ne!(ws.f64(3), nominal.f64(1), "a lane has jets of its own");
        assert_eq!(ws.f64(4), at(0.9, 1.0).f64(0));
        let expected = at(1.0, 0.8);
        assert_eq!((ws.f64(5), ws.f64(6)), (expected.f64(0), expected.f64(1)));
        assert_eq!(ws.f64(7), at(1.1, 0.8).f64(0));
    }
}

#[test]
fn what_a_lane_does_not_move_is_there_once() {
    let program = program();
    let both = lanes(&program, &all()).expect("lanes");
    assert_eq!(count(&both, "exp"), 1);
    // Jets are filtered again where their scale moves: once for each value that it has.
    assert_eq!(count(&program, "filter_index"), 1);
    assert_eq!(count(&both, "filter_index"), 4);
    let met = lanes(&program, &[lane("met", &["scale"], &["h", "n"])]).expect("lanes");
    assert_eq!(count(&met, "filter_index"), 1);
    // An output that is not asked for costs nothing.
    let fewer = lanes(&program, &[lane("up", &["jes"], &["n"])]).expect("lanes");
    assert_eq!(count(&fewer, "scatter_add"), 1);
}

#[test]
fn the_derivative_of_lanes_is_the_sum_of_theirs() {
    let program = {
        let b = Builder::new();
        let x = b.input("x", b.stream("events"));
        let (s, t) = (b.input("s", Space::SCALAR), b.input("t", Space::SCALAR));
        let y = (x * s).exp() * (t * x + 1.0).square();
        b.finish(&[("y", y.sum_all())]).expect("well-formed")
    };
    let both = lanes(&program, &[lane("up", &["s"], &["y"])]).expect("lanes");
    let back = Lowered::new(vjp(&both, &["y", "y up"], &["t"]).expect("vjp")).expect("lowers");
    let x = [0.5, -1.0, 2.0, 0.25];
    let go = |lowered: &Lowered, numbers: &[f64]| {
        let mut columns = vec![Column::F64(&x)];
        columns.extend(numbers.iter().map(|v| Column::F64(std::slice::from_ref(v))));
        let mut ws = lowered.workspace();
        lowered
            .run(&mut ws, &Bindings::ordered(&columns))
            .expect("runs");
        let last = lowered.program().outputs().len() - 1;
        ws.f64(last)[0]
    };
    let found = go(&back, &[0.3, 0.7, 0.4, 2.0, -0.5]);
    let by_hand: f64 = [(0.3, 2.0), (0.4, -0.5)]
        .iter()
        .map(|(s, ct)| -> f64 {
            let each = x
                .iter()
                .map(|x| ct * (s * x).exp() * 2.0 * (0.7 * x + 1.0) * x);
            each.sum()
        })
        .sum();
    assert!(
        (found - by_hand).abs() < 1e-12 * by_hand.abs(),
        "{found} {by_hand}"
    );
}

/// What is soft has lanes, too: the widths are those of all.
#[test]
fn lanes_of_a_relaxed_program_have_the_bits_of_runs() {
    let policy = Relaxation::only(Smoothing::Sigmoid)
        .with("good", Width::input("width"))
        .with("passed", 4.0);
    let soft = relax(&program(), &policy).expect("relaxes");
    let alone = Lowered::new(simplify(&soft).expect("simple")).expect("lowers");
    let lane = [
        lane("up", &["jes"], &["h"]),
        lane("met", &["scale"], &["h"]),
    ];
    let both = simplify(&lanes(&soft, &lane).expect("lanes")).expect("simple");
    let both = Lowered::new(both).expect("lowers");
    let numbers: [&[f64]; 6] = [&[1.0], &[1.0], &[30.0], &[5.0], &[1.1], &[0.8]];
    let found = run(&both, &numbers);
    let at = |jes: f64, scale: f64| run(&alone, &[&[jes], &[scale], &[30.0], &[5.0]]);
    assert_eq!(found.f64(0), at(1.0, 1.0).f64(0));
    assert_eq!(found.f64(2), at(1.1, 1.0).f64(0));
    assert_eq!(found.f64(3), at(1.0, 0.8).f64(0));
    assert_ne!(found.f64(2), found.f64(0));
    assert_ne!(found.f64(3), found.f64(0));
}

/// The other form: a level of lanes. Both have the same bits.
#[test]
fn a_level_of_lanes_has_the_same_bits() {
    let program = program();
    let level = Lowered::new(vmap(&program, &["jes"], "lanes").expect("vmap")).expect("lowers");
    let beside = lanes(&program, &[lane("up", &["jes"], &["h"])]).expect("lanes");
    let beside = Lowered::new(beside).expect("lowers");
    let a = run(&level, &[&[1.0, 1.1], &[1.0], &[30.0]]);
    let b = run(&beside, &[&[1.0], &[1.0], &[30.0], &[1.1]]);
    assert_eq!(a.f64(0), [b.f64(0), b.f64(2)].concat());
}

#[test]
fn what_is_not_there_and_what_is_taken_is_named() {
    let program = program();
    for (lanes_wanted, words) in [
        (vec![lane("up", &["jet"], &["h"])], "`jet`"),
        (vec![lane("up", &["jes"], &["m"])], "`m`"),
        (
            vec![lane("up", &["jes"], &["h"]), lane("up", &["scale"], &["h"])],
            "`h up`",
        ),
        (vec![lane("up", &["jes"], &["h"]); 2], "jes up"),
    ] {
        let error = lanes(&program, &lanes_wanted).expect_err(words).to_string();
        assert!(error.contains(words), "{error}, expected {words}");
    }
}
