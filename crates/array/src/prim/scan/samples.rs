//! Small scans for tests.

use std::sync::Arc;

use pullback_ad::Real;
use pullback_ad::schedule::Policy;

use crate::build::Sym;
use crate::exec::Lowered;
use crate::program::ValueId;
use crate::region::{Scan, Scanned};
use crate::sample::{Owned, Point, Sample, Sampler};
use crate::space::Space;
use crate::transform;
use crate::ty::DType;

fn outputs(s: &Sampler, found: &Scanned<'_>) -> Vec<(String, ValueId)> {
    let carries = found
        .carries
        .iter()
        .enumerate()
        .map(|(k, c)| (format!("carry{k}"), s.b.id(*c)));
    let ys = found
        .ys
        .iter()
        .enumerate()
        .map(|(k, y)| (format!("y{k}"), s.b.id(*y)));
    carries.chain(ys).collect()
}

/// Two carried vectors, a row, a captured vector and a captured number; none of it linear.
fn record<'b>(s: &'b Sampler, scan: Scan, args: &[Sym<'b>; 5]) -> Option<Scanned<'b>> {
    let [h, c, x, w, scale] = *args;
    let made = scan.record(
        &s.b,
        &[h, c],
        &[x],
        &[w, scale],
        |_, carried, x, captured| {
            let (h, c, x, w, scale) = (carried[0], carried[1], x[0], captured[0], captured[1]);
            let gate = (h * w + x).tanh();
            let c = c * 0.9 + gate * scale;
            let h = (c * gate).sin() + h.sum_all() * 0.1;
            (vec![h, c], vec![h * c, gate.sum_all()])
        },
    );
    made.map_err(|e| s.b.fail(e)).ok()
}

fn build(s: &Sampler, make: impl Fn(Space) -> Scan) -> Option<Scanned<'_>> {
    let (steps, n) = (s.b.dense_of("steps", 4), s.b.dense_of("n", 2));
    let args = [
        s.f64("h", n, &[0.3, -0.2]),
        s.f64("c", n, &[0.5, 0.1]),
        s.f64(
            "x",
            s.b.join(steps, n),
            &[0.3, -0.2, 0.9, 1.1, 0.4, -0.7, 0.2, 0.6],
        ),
        s.f64("w", n, &[0.8, -1.2]),
        s.f64("scale", Space::SCALAR, &[0.7]),
    ];
    record(s, make(steps), &args)
}

fn laned(s: &Sampler, policy: Policy) -> Option<Scanned<'_>> {
    let (lanes, steps, n) = (
        s.b.dense_of("lanes", 2),
        s.b.dense_of("steps", 3),
        s.b.dense_of("n", 2),
    );
    let own = s.b.join(lanes, n);
    let args = [
        s.f64("h", own, &[0.3, -0.2, 0.1, 0.4]),
        s.f64("c", n, &[0.5, 0.1]),
        s.f64(
            "x",
            s.b.join(s.b.join(lanes, steps), n),
            &[
                0.3, -0.2, 0.9, 1.1, 0.4, -0.7, 0.2, 0.6, -0.4, 0.8, 0.5, -0.1,
            ],
        ),
        s.f64("w", n, &[0.8, -1.2]),
        s.f64("scale", lanes, &[0.7, 1.1]),
    ];
    record(s, Scan::along(steps).lanes(lanes).checkpoint(policy), &args)
}

/// Integers, masks and values that are passed on: what carries no derivative.
fn counting(s: &Sampler) -> Option<Scanned<'_>> {
    let (steps, n) = (s.b.dense_of("steps", 5), s.b.dense_of("n", 2));
    let x = s.f64(
        "x",
        s.b.join(steps, n),
        &[0.3, -0.2, 0.9, 1.1, 0.4, -0.7, 0.2, 0.6, -1.4, 0.8],
    );
    let (sum, count) = (s.f64("sum", n, &[0.1, 0.2]), s.i64("count", n, &[0, 0]));
    let made =
        Scan::along(steps).record(&s.b, &[sum, sum, count], &[x], &[], |b, carried, x, _| {
            let (sum, last, count) = (carried[0], carried[1], carried[2]);
            let large = x[0].gt(sum * 0.5);
            let next = b.broadcast(b.integer(1), count.space());
            let grown = large.select(sum + x[0] * x[0], sum);
            let counted = large.select(next, count);
            (
                vec![grown, sum, counted],
                vec![last, counted.cast(DType::F64)],
            )
        });
    made.map_err(|e| s.b.fail(e)).ok()
}

fn all(what: &str, f: impl for<'s> Fn(&'s Sampler) -> Option<Scanned<'s>>) -> Sample {
    Sample::new(what, Point::Generic, |s| {
        f(s).map_or_else(Vec::new, |found| outputs(s, &found))
    })
}

pub(super) fn scans() -> Vec<Sample> {
    let nothing = Sample::special("no steps", &[2.0], |s| {
        let (y, x) = (
            s.f64("y", Space::SCALAR, &[2.0]),
            s.f64("x", s.b.dense("steps"), &[]),
        );
        let made = Scan::along(x.space()).record(&s.b, &[y], &[x], &[], |_, y, x, _| {
            (vec![y[0] * x[0]], vec![])
        });
        made.map_err(|e| s.b.fail(e))
            .map_or(y, |found| found.carries[0])
    });
    let product = Sample::special("a running product from the end", &[24.0, 12.0, 4.0], |s| {
        let x = s.f64("x", s.b.dense("steps"), &[2.0, 3.0, 4.0]);
        let made = Scan::along(x.space()).reversed().record(
            &s.b,
            &[1.0.into()],
            &[x],
            &[],
            |_, y, x, _| {
                let next = y[0] * x[0];
                (vec![next], vec![next])
            },
        );
        made.map_err(|e| s.b.fail(e)).map_or(x, |found| found.ys[0])
    });
    vec![
        all("forwards", |s| build(s, Scan::along)),
        all("backwards", |s| {
            build(s, |steps| Scan::along(steps).reversed())
        }),
        all("every 2", |s| {
            build(s, |steps| Scan::along(steps).checkpoint(Policy::Every(2)))
        }),
        all("two states, backwards", |s| {
            build(s, |steps| {
                Scan::along(steps)
                    .reversed()
                    .checkpoint(Policy::Binomial(2))
            })
        }),
        all("lanes", |s| laned(s, Policy::Store)),
        all("lanes with one state", |s| laned(s, Policy::Binomial(1))),
        all("counting", counting),
        nothing,
        product,
    ]
}

/// The pullback of a sample: cotangents are further inputs.
fn pullback(sample: &Sample) -> Sample {
    let program = &sample.program;
    let doubles = |list: &[(Arc<str>, ValueId)]| -> Vec<String> {
        list.iter()
            .filter(|(_, v)| program.ty(*v).dtype == DType::F64)
            .map(|(n, _)| n.to_string())
            .collect()
    };
    let (of, wrt) = (doubles(program.outputs()), doubles(program.inputs()));
    let [of, wrt] = [&of, &wrt].map(|list| list.iter().map(String::as_str).collect::<Vec<_>>());
    let pulled = transform::vjp(program, &of, &wrt)
        .unwrap_or_else(|e| panic!("sample `{}`: {e}", sample.what));
    // Names that a second pullback does not take.
    let inputs: Vec<String> = (0..pulled.inputs().len())
        .map(|k| format!("in{k}"))
        .collect();
    let inputs: Vec<Option<&str>> = inputs.iter().map(|n| Some(n.as_str())).collect();
    let outputs: Vec<(String, String)> = pulled
        .outputs()
        .iter()
        .enumerate()
        .map(|(k, (n, _))| (n.to_string(), format!("out{k}")))
        .collect();
    let outputs: Vec<(&str, &str)> = outputs
        .iter()
        .map(|(old, new)| (old.as_str(), new.as_str()))
        .collect();
    let pulled = transform::interface(&pulled, &inputs, &outputs)
        .unwrap_or_else(|e| panic!("sample `{}`: {e}", sample.what));
    let lowered =
        Lowered::new(program.clone()).unwrap_or_else(|e| panic!("sample `{}`: {e}", sample.what));
    let mut ws = lowered.workspace();
    let run = lowered.run(&mut ws, &sample.bindings());
    run.unwrap_or_else(|e| panic!("sample `{}`: {e}", sample.what));
    let mut inputs = sample.inputs.clone();
    for (k, (_, v)) in program.outputs().iter().enumerate() {
        if program.ty(*v).dtype == DType::F64 {
            let n = ws.f64(k).len();
            inputs.push(Owned::F64(
                (0..n)
                    .map(|i| 0.5 + 0.3 * i as f64 - 0.2 * k as f64)
                    .collect(),
            ));
        }
    }
    Sample {
        what: sample.what.clone(),
        point: sample.point,
        program: Arc::new(pulled),
        inputs,
        expected: None,
    }
}

/// Cotangents of scans that store less than everything.
pub(super) fn adjoints() -> Vec<Sample> {
    let with = |what, reversed: bool, policy| {
        let sample = all(what, move |s| {
            build(s, |steps| {
                let scan = Scan::along(steps).checkpoint(policy);
                if reversed { scan.reversed() } else { scan }
            })
        });
        pullback(&sample)
    };
    let nothing = Sample::special("no steps", &[2.0], |s| {
        let (y, x) = (
            s.f64("y", Space::SCALAR, &[2.0]),
            s.f64("x", s.b.dense("steps"), &[]),
        );
        let scan = Scan::along(x.space()).checkpoint(Policy::Binomial(1));
        let made = scan.record(&s.b, &[y], &[x], &[], |_, y, x, _| {
            (vec![y[0].sin() * x[0]], vec![])
        });
        made.map_err(|e| s.b.fail(e))
            .map_or(y, |found| found.carries[0])
    });
    let mut nothing = pullback(&nothing);
    nothing.expected = Some(vec![vec![2.0], vec![0.5], vec![]]);
    vec![
        with("every 2", false, Policy::Every(2)),
        with("two states, backwards", true, Policy::Binomial(2)),
        pullback(&all("lanes with one state", |s| {
            laned(s, Policy::Binomial(1))
        })),
        nothing,
    ]
}
