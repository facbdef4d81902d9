//! Partial evaluation keeps the function, drops what has no effect, and stops.

use pullback_ad::Real;
use pullback_array::attr::Data;
use pullback_array::{Builder, Error, LevelId, Owned, Program, Space, text, transform};

use crate::support::{deviation, run};

fn length_of(program: &Program, level: &str) -> Option<usize> {
    program.find_level(level).and_then(|l| program.level(l).len)
}

/// A likelihood in miniature: bins with ragged lists of factors and terms that refer to parameters.
fn model() -> Program {
    let b = Builder::new();
    let parameters = b.dense("parameters");
    let theta = b.input("theta", parameters);
    let bins = b.dense_of("bins", 3);
    // Factors: 1 + c·θ, with c an input slot.
    let factors = b.ragged("factors", bins);
    let (c, which) = (
        b.input("c", factors),
        b.input_of(
            "which",
            pullback_array::Type::new(pullback_array::DType::I64, factors),
        ),
    );
    let factor = (c * theta.gather(which) + 1.0).prod(LevelId(2));
    // Terms: d·θ².
    let terms = b.dense_of("terms", 4);
    let both = b.join(bins, terms);
    let d = b.input("d", both);
    let of = b.constant_i64(&[0, 1, 2, 0], terms);
    let shift = (d * theta.gather(of).square().broadcast(both)).sum(terms.last().unwrap());
    let rate = (factor * b.input("nominal", bins) + shift).named("rate");
    b.finish(&[("rate", rate), ("sum", rate.sum_all())])
        .unwrap()
}

fn known() -> Vec<(&'static str, Data)> {
    vec![
        ("factors", Data::I64([0, 3, 3, 5].into())),
        ("c", Data::F64([0.5, 0.0, -0.25, 0.0, 2.0].into())),
        ("which", Data::I64([0, 1, 2, 2, 0].into())),
        // The column of term 1 is zero in every bin, that of term 3 in none.
        (
            "d",
            Data::F64([1.0, 0.0, 0.0, 0.5, 0.0, 0.0, 2.0, 1.0, 3.0, -0.0, 0.0, 0.25].into()),
        ),
    ]
}

fn columns(program: &Program, theta: &[f64], nominal: &[f64]) -> Vec<Owned> {
    program
        .inputs()
        .iter()
        .map(
            |(name, _)| match (&**name, known().into_iter().find(|(n, _)| *n == &**name)) {
                ("theta", _) => Owned::F64(theta.to_vec()),
                ("nominal", _) => Owned::F64(nominal.to_vec()),
                ("factors", Some((_, Data::I64(d)))) => Owned::Offsets(d.to_vec()),
                (_, Some((_, Data::I64(d)))) => Owned::I64(d.to_vec()),
                (_, Some((_, Data::F64(d)))) => Owned::F64(d.to_vec()),
                other => panic!("{other:?}"),
            },
        )
        .collect()
}

#[test]
fn rows_without_effect_are_dropped_and_nothing_else_changes() {
    let plain = model();
    let kernel = transform::specialise(&plain, &known()).unwrap();
    assert_eq!(
        length_of(&kernel, "terms"),
        Some(3),
        "{}",
        text::print(&kernel)
    );
    // The factors with c = 0 are 1: two of five go, and their bins keep the others.
    let offsets: Vec<&Data> = kernel
        .nodes()
        .iter()
        .filter(|n| kernel.ty(n.first).dtype == pullback_array::DType::Offsets)
        .filter_map(|n| n.attrs.data("data"))
        .collect();
    assert_eq!(offsets, [&Data::I64([0, 2, 2, 3].into())]);
    for (theta, nominal) in [
        ([0.3, -1.0, 2.0], [10.0, 5.0, 1.0]),
        ([0.0, 0.0, 0.0], [1.0, 1.0, 0.0]),
    ] {
        let a = run(&plain, &columns(&plain, &theta, &nominal)).unwrap();
        let b = run(&kernel, &columns(&kernel, &theta, &nominal)).unwrap();
        for (a, b) in a.iter().zip(&b) {
            assert!(deviation(b, a) < 1e-15, "{a:?} {b:?}");
        }
    }
    assert_eq!(transform::specialise(&kernel, &[]).unwrap(), kernel);
}

#[test]
fn derivatives_of_a_specialised_program_are_those_of_the_program() {
    let plain = model();
    let kernel = transform::specialise(&plain, &known()).unwrap();
    let gradient =
        |p: &Program| transform::simplify(&transform::grad(p, "sum", &["theta"]).unwrap()).unwrap();
    let (theta, nominal) = ([0.3, -1.0, 2.0], [10.0, 5.0, 1.0]);
    let (plain, kernel) = (gradient(&plain), gradient(&kernel));
    let a = run(&plain, &columns(&plain, &theta, &nominal)).unwrap();
    let b = run(&kernel, &columns(&kernel, &theta, &nominal)).unwrap();
    assert!(deviation(&b[2], &a[2]) < 1e-14, "{a:?} {b:?}");
}

#[test]
fn levels_that_are_seen_stay_whole() {
    let b = Builder::new();
    let terms = b.dense("terms");
    let (c, x) = (b.input("c", terms), b.input("x", terms));
    let y = c * x;
    let program = b.finish(&[("y", y), ("sum", y.sum_all())]).unwrap();
    let kernel = transform::specialise(&program, &[("c", Data::F64([0.0, 1.0].into()))]).unwrap();
    assert_eq!(length_of(&kernel, "terms"), Some(2));
    assert_eq!(
        run(&kernel, &[Owned::F64(vec![3.0, 4.0])]).unwrap(),
        [vec![0.0, 4.0], vec![4.0]]
    );
}

#[test]
fn everything_may_become_constant() {
    let b = Builder::new();
    let n = b.dense("n");
    let y = (b.input("x", n).exp() * b.input("c", Space::SCALAR)).sum_all();
    let program = b.finish(&[("y", y)]).unwrap();
    let known = [
        ("x", Data::F64([0.0, 1.0].into())),
        ("c", Data::F64([2.0].into())),
    ];
    let kernel = transform::specialise(&program, &known).unwrap();
    assert_eq!(kernel.nodes().len(), 1);
    assert_eq!(run(&kernel, &[]).unwrap(), [[2.0 * (1.0 + 1f64.exp())]]);
}

#[test]
fn wrong_bindings_are_refused() {
    let program = model();
    let bind =
        |name: &str, data: Data| transform::specialise(&program, &[(name, data)]).unwrap_err();
    assert!(matches!(
        bind("nothing", Data::F64([].into())),
        Error::Unknown { .. }
    ));
    assert!(matches!(
        bind("d", Data::F64([1.0].into())),
        Error::IllFormed { .. } | Error::Input { .. }
    ));
    assert!(matches!(
        bind("which", Data::F64([1.0].into())),
        Error::DType { .. } | Error::Input { .. }
    ));
}
