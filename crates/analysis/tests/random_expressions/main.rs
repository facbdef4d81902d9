//! Random expressions over the two events of the documentation: nothing panics, what the checker accepts has a program that runs, and the program gives what a
//! plain interpreter gives.

mod interpreter;
#[path = "../support/mod.rs"]
mod support;

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use pullback_analysis::{Analysis, Error, Kind, Object, What, functions, render};
use pullback_array::{DType, Lowered, Workspace};
use support::{close, two_events};

/// Names, and numbers, that make sense in many places.
const ATOMS: [&str; 30] = [
    "Muon",
    "Jet",
    "MET",
    "mu",
    "ll",
    "Muon.pt",
    "Jet.pt",
    "Jet.eta",
    "MET.pt",
    "MET.phi",
    "Muon.charge",
    "Muon.jet",
    "Jet.btag",
    "event",
    "HLT_IsoMu24",
    "LHEWeight",
    "ll.a",
    "ll.b.pt",
    "m_ll",
    "pt",
    "eta",
    "it",
    "a",
    "0",
    "1",
    "2.5",
    "25 GeV",
    "true",
    "leading(Muon)",
    "cut",
];

fn expression() -> impl Strategy<Value = String> {
    let functions: Vec<&str> = functions::all().map(|f| f.name).collect();
    let atom = prop::sample::select(ATOMS.to_vec()).prop_map(str::to_owned);
    atom.prop_recursive(5, 30, 3, move |inner| {
        let operator = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "**", "<", "<=", "==", "!=", "and", "or", "where",
        ]);
        let function = prop::sample::select(functions.clone());
        let two = (inner.clone(), inner.clone());
        let field = prop::sample::select(vec![
            "pt", "eta", "mass", "a", "b", "jet", "source", "m_ll", "energy",
        ]);
        prop_oneof![
            4 => (two.clone(), operator).prop_map(|((a, b), op)| format!("({a}) {op} ({b})")),
            4 => (function.clone(), inner.clone()).prop_map(|(f, x)| format!("{f}({x})")),
            2 => (function, two.clone()).prop_map(|(f, (a, b))| format!("{f}({a}, {b})")),
            2 => (inner.clone(), field).prop_map(|(x, f)| format!("({x}).{f}")),
            1 => inner.clone().prop_map(|x| format!("not ({x})")),
            1 => two.clone().prop_map(|(a, b)| format!("({a})[{b}]")),
            1 => two.clone().prop_map(|(a, b)| format!("({a}) if ({b}) else ({a})")),
            1 => two.prop_map(|(a, b)| format!("({a}) in [({b}), 100]")),
            1 => inner.prop_map(|x| format!("-({x})")),
        ]
    })
}

/// A strategy for numbers, conditions and objects that know of each other.
struct Grammar {
    number: BoxedStrategy<String>,
    condition: BoxedStrategy<String>,
    object: BoxedStrategy<String>,
    collection: BoxedStrategy<String>,
}

fn select(from: &[&'static str]) -> BoxedStrategy<&'static str> {
    prop::sample::select(from.to_vec()).boxed()
}

/// Expressions whose kinds fit, and mostly their levels.
fn grammar(depth: u32) -> Grammar {
    if depth == 0 {
        let text = |from: &[&'static str]| select(from).prop_map(str::to_owned).boxed();
        return Grammar {
            number: text(&[
                "Jet.pt",
                "Jet.eta",
                "MET.pt",
                "MET.phi",
                "m_ll",
                "mu.pt",
                "Muon.jet.pt",
                "1",
                "2.5",
                "25 GeV",
                "cut",
                "event",
                "Jet.btag",
                "LHEWeight",
            ]),
            condition: text(&[
                "HLT_IsoMu24",
                "true",
                "MET.pt > 10",
                "Jet.pt > 30",
                "mu.charge > 0",
                "exists(Muon.jet)",
            ]),
            object: text(&[
                "leading(Muon)",
                "leading(Jet)",
                "Jet[1]",
                "Muon.jet",
                "ll.a",
                "ll.b",
                "Jet",
                "mu",
            ]),
            collection: text(&["Jet", "Muon", "mu", "ll", "pairs(Jet)", "union(Muon, Jet)"]),
        };
    }
    let below = grammar(depth - 1);
    let (n, c, o, l) = (
        below.number,
        below.condition,
        below.object,
        below.collection,
    );
    let reduction = select(&["sum", "min", "max", "mean"]);
    let quantifier = select(&["any", "all"]);
    let plain = select(&["abs", "exp", "cosh", "floor", "tanh"]);
    let component = select(&["pt", "eta", "phi", "mass", "energy", "px", "rapidity"]);
    let distance = select(&["delta_r", "delta_phi", "transverse_mass"]);
    let number = prop_oneof![
        2 => n.clone(),
        3 => (n.clone(), n.clone(), select(&["+", "-", "*", "/"])).prop_map(|(a, b, op)| format!("({a}) {op} ({b})")),
        3 => (n.clone(), reduction).prop_map(|(x, f)| format!("{f}({x})")),
        1 => (n.clone(), plain).prop_map(|(x, f)| format!("{f}({x})")),
        2 => (o.clone(), component).prop_map(|(x, f)| format!("({x}).{f}")),
        1 => (o.clone(), o.clone(), distance).prop_map(|(a, b, f)| format!("{f}({a}, {b})")),
        1 => (n.clone(), c.clone(), n.clone()).prop_map(|(a, c, b)| format!("({a}) if ({c}) else ({b})")),
        2 => (n.clone(), c.clone()).prop_map(|(a, c)| format!("({a}) where ({c})")),
        1 => (n.clone(), n.clone()).prop_map(|(a, b)| format!("default({a}, {b})")),
        1 => n.clone().prop_map(|a| format!("(Jet.pt)[argmax({a})]")),
        1 => (o.clone(), l.clone()).prop_map(|(a, b)| format!("min_delta_r({a}, {b})")),
        1 => c.clone().prop_map(|a| format!("count({a})")),
        1 => l.clone().prop_map(|a| format!("count({a})")),
    ];
    let condition = prop_oneof![
        2 => c.clone(),
        3 => (n.clone(), n.clone(), select(&["<", ">=", "==", "!="])).prop_map(|(a, b, op)| format!("({a}) {op} ({b})")),
        3 => (c.clone(), c.clone(), select(&["and", "or"])).prop_map(|(a, b, op)| format!("({a}) {op} ({b})")),
        2 => c.clone().prop_map(|a| format!("not ({a})")),
        2 => (c.clone(), quantifier).prop_map(|(a, f)| format!("{f}({a})")),
        1 => (n.clone(), n.clone()).prop_map(|(a, b)| format!("({a}) in [({b}), 100)")),
        1 => o.clone().prop_map(|a| format!("exists({a})")),
        1 => (o.clone(), l.clone()).prop_map(|(a, b)| format!("near({a}, {b}, 1.2)")),
        1 => o.clone().prop_map(|a| format!("({a}) == leading(Jet)")),
    ];
    let object = prop_oneof![
        2 => o.clone(),
        2 => l.clone().prop_map(|a| format!("leading({a})")),
        1 => l.clone().prop_map(|a| format!("({a})[1]")),
        1 => n.clone().prop_map(|a| format!("argmin({a})")),
        1 => (o.clone(), o.clone()).prop_map(|(a, b)| format!("({a}) + ({b})")),
        1 => (o.clone(), n.clone()).prop_map(|(a, b)| format!("({a}) * ({b})")),
        1 => (o.clone(), c.clone()).prop_map(|(a, c)| format!("({a}) where ({c})")),
        1 => l.clone(),
    ];
    let inside = select(&[
        "pt > 35",
        "eta < 0.3",
        "not near(Muon, 0.4)",
        "it != leading(Jet)",
        "a.pt > b.pt",
        "source == 1",
        "count(mu) > 1",
    ]);
    let collection = prop_oneof![
        2 => l.clone(),
        2 => (l.clone(), inside).prop_map(|(a, c)| format!("({a}) where ({c})")),
        1 => (l.clone(), c).prop_map(|(a, c)| format!("({a}) where ({c})")),
        1 => (l.clone(), select(&["-pt", "eta", "-a.pt"])).prop_map(|(a, k)| format!("sorted({a}, {k})")),
        1 => l.clone().prop_map(|a| format!("take({a}, 2)")),
        1 => (l.clone(), l.clone()).prop_map(|(a, b)| format!("union({a}, {b})")),
        1 => l.clone().prop_map(|a| format!("pairs({a})")),
        1 => (l.clone(), l).prop_map(|(a, b)| format!("combine({a}, {b})")),
    ];
    Grammar {
        number: number.boxed(),
        condition: condition.boxed(),
        object: object.boxed(),
        collection: collection.boxed(),
    }
}

fn fitting() -> BoxedStrategy<String> {
    let g = grammar(3);
    prop_oneof![4 => g.number, 4 => g.condition, 1 => g.object].boxed()
}

fn analysis(text: &str) -> Analysis {
    Analysis::new()
        .parameter("cut", "20 GeV")
        .object("mu", Object::from("Muon").filter("pt > cut").sort("-pt"))
        .object("ll", Object::combine("mu as a, mu as b"))
        .column("m_ll", "mass(ll.a + ll.b)")
        .column("value", text)
        .column("accepted", "exists(value)")
}

/// Some thousand by default; about as many as are done in the seconds that `PULLBACK_FUZZ_SECONDS` says.
fn cases() -> u32 {
    let seconds = std::env::var("PULLBACK_FUZZ_SECONDS").ok();
    let seconds: Option<u32> = seconds.and_then(|s| s.parse().ok());
    seconds.map_or(2000, |s| s.saturating_mul(2000).max(2000))
}

/// The same expressions in every run of the suite; others, and many more, where `PULLBACK_FUZZ_SECONDS` is set.
fn seed() -> RngSeed {
    match std::env::var("PULLBACK_FUZZ_SECONDS") {
        Ok(_) => RngSeed::Random,
        Err(_) => RngSeed::Fixed(20_251),
    }
}

/// The values of a program beside those of the interpreter; false if these hang on rounding.
fn compare_with_interpreter(
    text: &str,
    kind: Kind,
    lowered: &Lowered,
    ws: &Workspace,
) -> Result<bool, TestCaseError> {
    let Some(mut expected) = interpreter::evaluate(&two_events(), text) else {
        return Ok(false);
    };
    let (_, v) = lowered.program().outputs()[0];
    let ty = lowered.program().ty(v);
    let found: Vec<f64> = match ty.dtype {
        DType::F64 => ws.f64(0).to_vec(),
        DType::I64 => ws.i64(0).iter().map(|x| *x as f64).collect(),
        _ => ws.bool(0).iter().map(|x| f64::from(*x)).collect(),
    };
    if kind == Kind::Bool {
        // What is written out is whether it is true.
        expected
            .iter_mut()
            .filter(|x| x.is_nan())
            .for_each(|x| *x = 0.0);
    }
    if ty.space.is_scalar() {
        expected.truncate(1);
    }
    prop_assert!(
        close(&found, &expected, 1e-8),
        "{text} is {found:?}, not {expected:?}"
    );
    Ok(true)
}

/// Whether the expression was accepted, and whether its values were compared.
fn try_out(text: &str, interpreted: bool) -> Result<(bool, bool), TestCaseError> {
    let data = two_events();
    let model = match analysis(text).check(&data.schema()) {
        Ok(model) => model,
        Err(error) => {
            prop_assert!(
                !matches!(error, Error::Engine(_) | Error::Column { .. }),
                "{text}: {error}"
            );
            let drawn = render(&error, false);
            prop_assert!(drawn.contains(error.code()), "{drawn}");
            return Ok((false, false));
        }
    };
    let ty = model.ty("value").expect("it was checked");
    let objects = matches!(ty.kind, Kind::Object(_) | Kind::Vector);
    let names: &[&str] = if objects {
        &["accepted"]
    } else {
        &["value", "accepted"]
    };
    let compiled = model.compile(names);
    prop_assert!(compiled.is_ok(), "{text}: {}", compiled.unwrap_err());
    let compiled = compiled.unwrap();
    let lowered = Lowered::new(compiled.program.clone());
    prop_assert!(lowered.is_ok(), "{text}: {}", lowered.err().unwrap());
    let (_, ws) = data.run(&compiled, &HashMap::new());
    let mut compared = false;
    if interpreted && !objects {
        compared = compare_with_interpreter(text, ty.kind, &lowered.unwrap(), &ws)?;
    }
    // A number that is missing is NaN.
    if let (Some(values), Some(there), Kind::Int | Kind::Real) = (
        compiled.output("value", What::Values),
        compiled.output("value", What::There),
        ty.kind,
    ) {
        prop_assert!(ty.optional, "{text}");
        for (x, there) in ws.f64(values).iter().zip(ws.bool(there)) {
            prop_assert!(*there != 0 || x.is_nan(), "{text}");
        }
    }
    Ok((true, compared))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), rng_seed: seed(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fuzz_what_is_accepted_has_a_program_that_runs(text in expression()) {
        try_out(&text, false)?;
    }

    #[test]
    fn fuzz_programs_give_what_an_interpreter_gives(text in fitting()) {
        try_out(&text, true)?;
    }
}

#[test]
fn many_random_expressions_are_accepted_and_compared() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, TestRunner};
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let texts = (0..600).map(|_| fitting().new_tree(&mut runner).expect("a text").current());
    let results = texts.map(|text| try_out(&text, true).unwrap_or_else(|e| panic!("{e}")));
    let results: Vec<(bool, bool)> = results.collect();
    let accepted = results.iter().filter(|r| r.0).count();
    let compared = results.iter().filter(|r| r.1).count();
    assert!(
        accepted > 150 && compared > 100,
        "{accepted}, {compared} of 600"
    );
}
