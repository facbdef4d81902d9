//! Simplification is exact, stops, and finds what it should.

use pullback_ad::Real;
use pullback_array::attr::{Attrs, Data};
use pullback_array::{
    Builder, DType, LevelId, Owned, Program, Space, Sym, registry, text, transform,
};

use crate::support::{bits, differentiable, direction, double_outputs, length, names, run};

fn primitives(program: &Program) -> Vec<&'static str> {
    program
        .nodes()
        .iter()
        .map(|n| n.primitive.name())
        .filter(|n| *n != "input")
        .collect()
}

/// Numbers at which identities break that hold for real numbers.
const ODD: [f64; 12] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    -3.5,
    5e-324,
    -1e-310,
    1.7e308,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// Same bits, any NaN for a NaN.
fn same(a: &[Vec<f64>], b: &[Vec<f64>]) -> bool {
    let plain = |v: &[Vec<f64>]| -> Vec<Vec<f64>> {
        v.iter()
            .map(|o| {
                o.iter()
                    .map(|x| if x.is_nan() { f64::NAN } else { *x })
                    .collect()
            })
            .collect()
    };
    bits(&plain(a)) == bits(&plain(b))
}

/// Simplifies `f` of two arrays of odd numbers and a scalar; checks the primitives that are left and the values to the bit.
fn becomes(
    expected: &[&str],
    f: impl for<'b> Fn(&'b Builder, Sym<'b>, Sym<'b>, Sym<'b>) -> Sym<'b>,
) {
    let b = Builder::new();
    let n = b.dense_of("n", ODD.len() * ODD.len());
    let (x, y, s) = (
        b.input("x", n),
        b.input("y", n),
        b.input("s", Space::SCALAR),
    );
    let out = f(&b, x, y, s);
    let program = b.finish(&[("out", out)]).unwrap();
    let simple = transform::simplify(&program).unwrap();
    assert_eq!(
        primitives(&simple),
        expected,
        "{}became\n{}",
        text::print(&program),
        text::print(&simple)
    );
    let (xs, ys): (Vec<f64>, Vec<f64>) = ODD
        .iter()
        .flat_map(|x| ODD.iter().map(move |y| (*x, *y)))
        .unzip();
    for s in ODD {
        let inputs = [
            Owned::F64(xs.clone()),
            Owned::F64(ys.clone()),
            Owned::F64(vec![s]),
        ];
        let (a, b) = (
            run(&program, &inputs).unwrap(),
            run(&simple, &inputs).unwrap(),
        );
        assert!(same(&a, &b), "{}{a:?}\n{b:?}", text::print(&program));
    }
}

/// A node without the shortcuts of the operators.
fn raw<'b>(b: &'b Builder, name: &str, args: &[Sym<'b>]) -> Sym<'b> {
    let space = args[0].space();
    let args: Vec<Sym<'b>> = args.iter().map(|a| b.broadcast(*a, space)).collect();
    b.push(registry::find(name).unwrap(), &args, Attrs::NONE)
        .first(b)
}

#[test]
fn every_identity_is_found_and_exact() {
    let c = Sym::from;
    becomes(&[], |b, x, _, _| raw(b, "mul", &[x, c(1.0)]));
    becomes(&[], |b, x, _, _| raw(b, "div", &[x, c(1.0)]));
    becomes(&[], |b, x, _, _| raw(b, "sub", &[x, c(0.0)]));
    becomes(&[], |b, x, _, _| raw(b, "add", &[x, c(-0.0)]));
    // These are not identities: −0 + 0 is 0, −0 − (−0) is 0.
    becomes(&["const", "splat", "add"], |b, x, _, _| {
        raw(b, "add", &[x, c(0.0)])
    });
    becomes(&["const", "splat", "sub"], |b, x, _, _| {
        raw(b, "sub", &[x, c(-0.0)])
    });
    becomes(&["const", "splat", "mul"], |b, x, _, _| {
        raw(b, "mul", &[x, c(0.0)])
    });
    becomes(&["sub"], |b, x, _, _| raw(b, "sub", &[x, x]));

    becomes(&[], |_, x, _, _| -(-x));
    becomes(&["sub"], |b, x, y, _| raw(b, "add", &[x, -y]));
    becomes(&["sub"], |b, x, y, _| raw(b, "add", &[-x, y]));
    becomes(&["add"], |b, x, y, _| raw(b, "sub", &[x, -y]));
    becomes(&["mul"], |b, x, y, _| raw(b, "mul", &[-x, -y]));
    becomes(&["div"], |b, x, y, _| raw(b, "div", &[-x, -y]));
    becomes(&["const", "splat", "mul"], |b, x, _, _| {
        raw(b, "mul", &[-x, c(3.0)])
    });
    becomes(&["neg"], |b, x, _, _| raw(b, "mul", &[x, c(-1.0)]));
    becomes(&["neg"], |b, x, _, _| raw(b, "div", &[x, c(-1.0)]));

    becomes(&["const", "splat", "mul"], |b, x, _, _| {
        raw(b, "div", &[x, c(8.0)])
    });
    becomes(&["const", "splat", "div"], |b, x, _, _| {
        raw(b, "div", &[x, c(3.0)])
    });
    // 2^1023 has a subnormal inverse.
    becomes(&["const", "splat", "div"], |b, x, _, _| {
        raw(b, "div", &[x, c(8.98846567431158e307)])
    });

    becomes(&["abs"], |_, x, _, _| (-x).abs().abs());
    becomes(&["square"], |_, x, _, _| (-x).square());
    becomes(&["square"], |_, x, _, _| x.abs().square());
    becomes(&["ceil"], |_, x, _, _| x.ceil().floor().round());
    becomes(&[], |_, x, _, _| x.max(x).min(x));

    becomes(&[], |_, x, _, _| x.powi(1));
    becomes(&["square"], |_, x, _, _| x.powi(2));
    becomes(&["recip"], |_, x, _, _| x.powi(-1));
    becomes(&["const", "splat"], |_, x, _, _| x.powi(0));

    // Choices and masks.
    becomes(&[], |_, x, y, _| Real::lt(x, y).select(x, x));
    becomes(&["lt", "select"], |_, x, y, _| {
        (!Real::lt(x, y)).select(x, y)
    });
    becomes(&["lt", "select"], |_, x, y, _| {
        let m = Real::lt(x, y);
        m.select(m.select(x, y), y)
    });
    becomes(&["lt", "select"], |_, x, y, _| {
        let m = !!Real::lt(x, y);
        (m & m | m).select(x, y)
    });
    becomes(&["ne", "select"], |_, x, y, _| {
        (!Real::eq(x, y)).select(x, y)
    });
    becomes(&[], |_, x, y, _| Real::lt(x, x).select(x, y));
    becomes(&[], |b, x, y, _| {
        let yes = b
            .constant(Data::Bool([true].into()), Space::SCALAR)
            .broadcast(x.space());
        (Real::lt(x, y) | yes).select(x, y)
    });
    becomes(&["lt", "cast"], |_, x, y, _| {
        Real::lt(x, y).cast(DType::I64).cast(DType::F64)
    });
    becomes(&["lt", "select"], |_, x, y, _| {
        Real::lt(x, y)
            .cast(DType::F64)
            .cast(DType::Bool)
            .select(x, y)
    });

    // Repetition.
    becomes(&["exp", "splat"], |_, x, _, s| s.broadcast(x.space()).exp());
    becomes(&["sin", "const", "mul", "splat", "add"], |b, x, _, s| {
        let s = s.broadcast(x.space());
        x + raw(b, "mul", &[s.sin(), c(3.0)])
    });
    becomes(&["const"], |b, x, _, _| {
        b.broadcast(c(0.0), x.space()).sum_all()
    });
    becomes(&["stop_gradient"], |_, x, _, _| {
        x.stop_gradient().stop_gradient()
    });
    becomes(&["const", "splat", "mul"], |b, x, _, _| {
        x * b.constant_f64(&[2.5; ODD.len() * ODD.len()], x.space())
    });

    // Equal nodes, constants, dead code.
    becomes(&["exp", "square"], |b, x, y, _| {
        let dead = y.exp();
        let _ = dead;
        b.push(registry::find("exp").unwrap(), &[x], Attrs::NONE)
            .first(b)
            * x.exp()
    });
    becomes(&["data", "mul"], |b, x, _, _| {
        let table = b.constant_f64(&direction(ODD.len() * ODD.len(), 1), x.space());
        x * (table.exp() + 1.0).ln()
    });
}

#[test]
fn repetition_over_levels_is_done_once_and_last() {
    let b = Builder::new();
    let (rows, columns) = (b.dense("rows"), b.dense("columns"));
    let both = b.join(rows, columns);
    let (x, y, s) = (
        b.input("x", rows),
        b.input("y", rows),
        b.input("s", Space::SCALAR),
    );
    let z = (x.broadcast(both) * y.broadcast(both) + s).exp();
    let program = b.finish(&[("z", z)]).unwrap();
    let simple = transform::simplify(&program).unwrap();
    assert_eq!(
        primitives(&simple),
        ["mul", "splat", "add", "exp", "expand"]
    );
    assert_eq!(
        simple.node(simple.outputs()[0].1).attrs.level("over"),
        Some(LevelId(1))
    );
    let inputs = [
        Owned::F64(vec![1.0, 2.0]),
        Owned::F64(vec![0.5, -0.25]),
        Owned::F64(vec![3.0]),
    ];
    let sized = |p: &Program| {
        crate::support::run_sized(
            p,
            &inputs,
            pullback_ad::isa::Level::current(),
            1,
            1024,
            &[("columns", 3)],
        )
        .unwrap()
    };
    assert_eq!(sized(&program), sized(&simple));
}

#[test]
fn names_survive() {
    let b = Builder::new();
    let x = b.input("x", b.dense("n"));
    let mass = raw(&b, "mul", &[x.exp(), 1.0.into()]).named("mass");
    let program = b.finish(&[("out", mass)]).unwrap();
    let simple = transform::simplify(&program).unwrap();
    assert_eq!(
        simple.value(simple.outputs()[0].1).label.as_deref(),
        Some("mass")
    );
}

#[test]
fn folding_respects_its_limit() {
    let b = Builder::new();
    let (rows, columns) = (b.dense_of("rows", 1000), b.dense_of("columns", 1000));
    let both = b.join(rows, columns);
    let table = b.constant_f64(&direction(1000, 2), rows).broadcast(both);
    let y = (table * b.input("x", both)).sum_all();
    let program = b.finish(&[("y", y)]).unwrap();
    let simple = transform::simplify(&program).unwrap();
    let largest = simple
        .nodes()
        .iter()
        .filter_map(|n| n.attrs.data("data"))
        .map(Data::len)
        .max();
    assert_eq!(largest, Some(1000), "{}", text::print(&simple).len());
}

/// Every sample and its derivatives: same values to the bit, nothing left to do the second time.
#[test]
fn samples_and_their_derivatives_keep_their_values_to_the_bit() {
    let (mut before, mut after) = (0, 0);
    for p in registry::all() {
        for s in p.samples() {
            let (wrt, of) = (differentiable(&s.program), double_outputs(&s.program));
            let mut all = vec![((*s.program).clone(), s.inputs.clone())];
            if let Ok(vjp) = transform::vjp(&s.program, &names(&of), &names(&wrt)) {
                let values = run(&s.program, &s.inputs).unwrap();
                let mut inputs = s.inputs.clone();
                inputs.extend(
                    of.iter()
                        .map(|(k, _)| Owned::F64(direction(values[*k].len(), 4))),
                );
                if let Ok(hvp) = transform::jvp(&vjp, &names(&wrt)) {
                    let mut more = inputs.clone();
                    more.extend(
                        wrt.iter()
                            .map(|(k, _)| Owned::F64(direction(length(&s.inputs[*k]), 9))),
                    );
                    all.push((hvp, more));
                }
                all.push((vjp, inputs));
            }
            for (program, inputs) in all {
                let simple = transform::simplify(&program).unwrap();
                before += program.nodes().len();
                after += simple.nodes().len();
                let (a, b) = (
                    run(&program, &inputs).unwrap(),
                    run(&simple, &inputs).unwrap(),
                );
                assert!(
                    same(&a, &b),
                    "{}, {}\n{}{}{a:?}\n{b:?}",
                    p.name(),
                    s.what,
                    text::print(&program),
                    text::print(&simple)
                );
                assert_eq!(
                    transform::simplify(&simple).unwrap(),
                    simple,
                    "{}, {}",
                    p.name(),
                    s.what
                );
            }
        }
    }
    assert!(after <= before, "{before} nodes became {after}");
}

#[test]
fn a_gradient_reads_well() {
    let b = Builder::new();
    let bins = b.dense("bins");
    let (observed, expected) = (b.input("observed", bins), b.input("expected", bins));
    let mu = b.input("mu", Space::SCALAR);
    let rate = expected * mu;
    let nll = (rate - observed.xlogy(rate)).sum_all() * 2.0;
    let program = b.finish(&[("twice_nll", nll)]).unwrap();
    let gradient = transform::grad(&program, "twice_nll", &["mu"]).unwrap();
    insta::assert_snapshot!(
        "simplified gradient",
        text::print(&transform::simplify(&gradient).unwrap())
    );
}

#[test]
fn identities_are_listed() {
    let listed: Vec<&str> = transform::identities().collect();
    assert_eq!(
        listed.len(),
        listed
            .iter()
            .collect::<std::collections::HashSet<_>>()
            .len()
    );
}
