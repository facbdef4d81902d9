//! Scans: how often a step is evaluated, against the optimal counts; what is refused; text; second order; long chains.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use pullback_ad::Real;
use pullback_ad::schedule::{Schedule, forward_steps};
use pullback_array::attr::Attrs;
use pullback_array::exec::{Io, Kernel, LowerCx};
use pullback_array::region::{self, Policy, Scan};
use pullback_array::registry::Registry;
use pullback_array::{
    Builder, Call, Error, Nature, Owned, Primitive, PrimitiveRef, Program, Result, Sample, Space,
    Sym, Type, text, transform,
};
use support::interpreter::{arrays, interpret};
use support::{STEP, deviation, direction, run};

/// eˣ − 1, counting how often it is evaluated; its derivative needs its value.
struct Counted {
    name: &'static str,
    count: AtomicUsize,
}

impl Primitive for Counted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        "eˣ − 1, counted."
    }

    fn convention(&self) -> &'static str {
        "IEEE arithmetic."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, _program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        Ok(args.to_vec())
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Ok(vec![tangents[0].map(|t| (call.outs[0] + 1.0) * t)])
    }

    fn lower(&self, _cx: &LowerCx<'_>) -> Result<Kernel> {
        let count: &'static AtomicUsize = COUNTERS
            .iter()
            .find(|c| c.name == self.name)
            .map(|c| &c.count)
            .expect("listed");
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            count.fetch_add(1, Ordering::Relaxed);
            for (y, x) in io.out::<f64>(0).iter_mut().zip(io.arg::<f64>(0)) {
                *y = x.exp_m1();
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        Vec::new()
    }
}

const fn counter(name: &'static str) -> Counted {
    Counted {
        name,
        count: AtomicUsize::new(0),
    }
}

/// One for each test: tests run side by side.
static COUNTERS: [Counted; 3] = [
    counter("counted_a"),
    counter("counted_b"),
    counter("counted_c"),
];

fn counted<'b>(b: &'b Builder, k: usize, x: Sym<'b>) -> Sym<'b> {
    b.push(PrimitiveRef(&COUNTERS[k]), &[x], Attrs::NONE)
        .first(b)
}

/// How often primitive `k` runs in `f`.
fn evaluations<T>(k: usize, f: impl FnOnce() -> T) -> (usize, T) {
    COUNTERS[k].count.store(0, Ordering::Relaxed);
    let found = f();
    (COUNTERS[k].count.load(Ordering::Relaxed), found)
}

/// y ← y + h (e^{a y} − 1) for each h, with a counted exponential.
fn chain(policy: Policy, reverse: bool) -> Program {
    let b = Builder::new();
    let steps = b.dense("steps");
    let (y, a, h) = (
        b.input("y", Space::SCALAR),
        b.input("a", Space::SCALAR),
        b.input("h", steps),
    );
    let scan = Scan::along(steps).checkpoint(policy);
    let scan = if reverse { scan.reversed() } else { scan };
    let found = scan
        .record(&b, &[y], &[h], &[a], |b, y, h, a| {
            (vec![y[0] + h[0] * counted(b, 0, a[0] * y[0])], vec![])
        })
        .expect("well-formed");
    b.finish(&[("out", found.carries[0])]).expect("well-formed")
}

fn inputs(steps: usize) -> Vec<Owned> {
    vec![
        Owned::F64(vec![0.4]),
        Owned::F64(vec![-0.7]),
        Owned::F64(direction(steps, 3).iter().map(|x| 0.05 * x).collect()),
    ]
}

#[test]
fn steps_are_evaluated_as_often_as_the_optimal_schedules_say() {
    for reverse in [false, true] {
        for steps in [1, 2, 7, 30, 101] {
            let mut expected: Option<Vec<Vec<f64>>> = None;
            for policy in [
                Policy::Store,
                Policy::Every(1),
                Policy::Every(5),
                Policy::Every(10),
                Policy::Binomial(1),
                Policy::Binomial(3),
                Policy::Binomial(6),
            ] {
                let program = chain(policy, reverse);
                let (value, _) = evaluations(0, || run(&program, &inputs(steps)).expect("runs"));
                assert_eq!(value, steps);
                let gradient = transform::grad(&program, "out", &["y", "a", "h"]).expect("grad");
                let gradient = transform::simplify(&gradient).expect("simplifies");
                let (count, found) =
                    evaluations(0, || run(&gradient, &inputs(steps)).expect("runs"));
                // The value; what the schedule runs again; the reversed steps themselves. States that the scan itself stores cost nothing.
                let again = match policy {
                    Policy::Store => 0,
                    Policy::Binomial(s) => forward_steps(steps, s),
                    policy @ Policy::Every(_) => {
                        Schedule::new(policy, steps).expect("valid").forward_steps()
                    }
                };
                assert_eq!(count, steps + again + steps, "{policy:?}, {steps} steps");
                match &expected {
                    Some(expected) => {
                        for (f, e) in found.iter().zip(expected) {
                            assert!(deviation(f, e) < 1e-14, "{policy:?}: {f:?} {e:?}");
                        }
                    }
                    None => expected = Some(found),
                }
            }
        }
    }
}

/// An autonomous oscillator with a gate that switches, a captured matrix, integers and rows.
fn network(policy: Policy) -> Program {
    let b = Builder::new();
    let (steps, n, m) = (b.dense("steps"), b.dense_of("n", 3), b.dense_of("m", 3));
    let (h, c) = (b.input("h", n), b.input("c", n));
    let x = b.input("x", b.join(steps, n));
    let (w, bias) = (b.input("w", b.join(n, m)), b.input("bias", m));
    let outer = (bias * 0.3).exp();
    let to = b.constant_i64(&[2, 0, 1], n);
    let found = Scan::along(steps)
        .checkpoint(policy)
        .record(
            &b,
            &[h, c],
            &[x],
            &[w, outer, to],
            |b, carried, x, captured| {
                let (h, c, x) = (carried[0], carried[1], x[0]);
                let (w, bias, to) = (captured[0], captured[1], captured[2]);
                let m = bias.space();
                let gate = ((h + x).contract(w, m) + bias).tanh();
                // Back to the level of the carried values by a gather.
                let turned = gate.gather(to);
                let kept = c.gt(0.0.into()).select(c * 0.8, c * c);
                let c = kept + turned * x;
                let h = turned * c.sin();
                let _ = b;
                (vec![h, c], vec![h.sum_all(), gate])
            },
        )
        .expect("well-formed");
    let total = (found.ys[0] * found.ys[0]).sum_all() + (found.ys[1] * 0.5).sum_all();
    let out = total + (found.carries[0] * found.carries[1]).sum_all();
    b.finish(&[("out", out)]).expect("well-formed")
}

const WRT: [&str; 5] = ["h", "c", "x", "w", "bias"];

fn network_inputs(steps: usize) -> Vec<Owned> {
    [3, 3, 3 * steps, 9, 3]
        .iter()
        .enumerate()
        .map(|(k, n)| {
            Owned::F64(
                direction(*n, k as u64 + 11)
                    .iter()
                    .map(|x| 0.6 * x)
                    .collect(),
            )
        })
        .collect()
}

fn moved(inputs: &[Owned]) -> (Vec<Owned>, Vec<Option<Vec<f64>>>) {
    let more: Vec<Vec<f64>> = inputs
        .iter()
        .enumerate()
        .map(|(k, c)| direction(support::length(c), 40 + k as u64))
        .collect();
    let all = inputs
        .iter()
        .cloned()
        .chain(more.iter().cloned().map(Owned::F64))
        .collect();
    let step = more
        .into_iter()
        .map(|d| Some(d.iter().map(|x| x * STEP).collect()))
        .collect();
    (all, step)
}

#[test]
fn gradients_of_captures_rows_and_initial_values_agree_with_the_complex_step() {
    let inputs = network_inputs(9);
    let (with, step) = moved(&inputs);
    for policy in [Policy::Store, Policy::Every(3), Policy::Binomial(2)] {
        let program = network(policy);
        let reference = interpret(&program, &arrays(&inputs, &step)).expect("known");
        let expected = reference[0].num()[0].im / STEP;
        let jvp = transform::jvp(&program, &WRT).expect("jvp");
        let tangent = run(&jvp, &with).expect("runs")[1][0];
        assert!(
            (tangent - expected).abs() < 1e-12 * expected.abs(),
            "{policy:?}: {tangent} {expected}"
        );
        let gradient = transform::grad(&program, "out", &WRT).expect("grad");
        let found = run(&gradient, &inputs).expect("runs");
        let along: f64 = found[1..]
            .iter()
            .zip(&with[inputs.len()..])
            .map(|(g, v)| support::dot(g, support::doubles(v)).0)
            .sum();
        assert!(
            (along - expected).abs() < 1e-12 * expected.abs(),
            "{policy:?}: {along} {expected}"
        );
        // The value is that of the plain program to the bit.
        assert_eq!(
            support::bits(&found[..1]),
            support::bits(&run(&program, &inputs).expect("runs"))
        );
    }
}

#[test]
fn second_derivatives_agree_with_the_complex_step_of_the_gradient() {
    let inputs = network_inputs(6);
    let (with, step) = moved(&inputs);
    let mut first: Option<Vec<Vec<f64>>> = None;
    for policy in [Policy::Store, Policy::Every(2), Policy::Binomial(2)] {
        let gradient = transform::grad(&network(policy), "out", &WRT).expect("grad");
        let reference = interpret(&gradient, &arrays(&inputs, &step)).expect("known");
        let hvp = transform::jvp(&gradient, &WRT).expect("forward over reverse");
        let found = run(&transform::simplify(&hvp).expect("simplifies"), &with).expect("runs");
        let hvp = &found[gradient.outputs().len() + 1..];
        for (f, e) in hvp.iter().zip(&reference[1..]) {
            let e: Vec<f64> = e.num().iter().map(|z| z.im / STEP).collect();
            assert!(deviation(f, &e) < 1e-11, "{policy:?}: {f:?} {e:?}");
        }
        match &first {
            Some(first) => {
                for (f, e) in hvp.iter().zip(first) {
                    assert!(deviation(f, e) < 1e-12, "{policy:?}");
                }
            }
            None => first = Some(hvp.to_vec()),
        }
    }
}

#[test]
fn the_text_of_derivatives_is_read_back_and_runs_alike() {
    let registry = Registry::standard();
    let inputs = network_inputs(5);
    for policy in [Policy::Store, Policy::Every(2), Policy::Binomial(2)] {
        let program = network(policy);
        let gradient = transform::grad(&program, "out", &WRT).expect("grad");
        let hessian = transform::grad(
            &transform::jvp(&program, &WRT).expect("jvp"),
            "d_out",
            &["h", "w"],
        )
        .expect("reverse over forward");
        for program in [&program, &gradient, &hessian] {
            let again = text::parse(&text::print(program), &registry).expect("reads");
            assert!(again == *program);
        }
        let again = text::parse(&text::print(&gradient), &registry).expect("reads");
        assert_eq!(
            support::bits(&run(&again, &inputs).expect("runs")),
            support::bits(&run(&gradient, &inputs).expect("runs"))
        );
    }
}

#[test]
fn a_workspace_runs_on_other_numbers_of_steps() {
    let program = transform::grad(&network(Policy::Every(3)), "out", &WRT).expect("grad");
    let lowered = pullback_array::Lowered::new(program.clone()).expect("lowers");
    let mut ws = lowered.workspace();
    for steps in [4, 11, 1, 0, 7] {
        let inputs = network_inputs(steps);
        let columns: Vec<_> = inputs.iter().map(Owned::column).collect();
        lowered
            .run(&mut ws, &pullback_array::Bindings::ordered(&columns))
            .expect("runs");
        let expected = run(&program, &inputs).expect("runs");
        for (k, e) in expected.iter().enumerate() {
            assert_eq!(ws.f64(k), e, "{steps} steps, output {k}");
        }
    }
}

#[test]
fn ill_formed_scans_are_refused_with_the_reason() {
    let refused = |f: &dyn Fn(&Builder, Space) -> Result<()>, part: &str| {
        let b = Builder::new();
        let steps = b.dense("steps");
        let made = f(&b, steps);
        let error = made.expect_err("must be refused");
        assert!(matches!(error, Error::IllFormed { .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    };
    refused(
        &|b, steps| {
            let x = b.input("x", steps);
            let scan = Scan::along(steps);
            scan.record(b, &[0.0.into()], &[x], &[x], |_, y, x, c| {
                (vec![y[0] + x[0] * c[0]], vec![])
            })?;
            Ok(())
        },
        "in rows only",
    );
    refused(
        &|b, steps| {
            let (x, n) = (b.input("x", steps), b.dense("n"));
            let w = b.input("w", n);
            let scan = Scan::along(steps);
            scan.record(b, &[0.0.into()], &[x], &[w], |_, y, x, w| {
                (vec![y[0] + x[0] * w[0]], vec![])
            })?;
            Ok(())
        },
        "carried value 0 enters a step as f64 in [] and leaves it as f64 in [n]",
    );
    refused(
        &|b, _| {
            let events = b.stream("events");
            let x = b.input("x", events);
            Scan::along(events).record(b, &[0.0.into()], &[x], &[], |_, y, x, _| {
                (vec![y[0] + x[0]], vec![])
            })?;
            Ok(())
        },
        "is not dense",
    );
    refused(
        &|b, steps| {
            let x = b.input("x", steps);
            let scan = Scan::along(steps).checkpoint(Policy::Every(0));
            scan.record(b, &[0.0.into()], &[x], &[], |_, y, x, _| {
                (vec![y[0] + x[0]], vec![])
            })?;
            Ok(())
        },
        "with a positive number",
    );
}

/// Events with a scan of their own: lanes are a stream, and blocks change nothing.
#[test]
fn each_event_may_scan() {
    let b = Builder::new();
    let (events, steps) = (b.stream("events"), b.dense_of("steps", 4));
    let (y, x) = (b.input("y", events), b.input("x", b.join(events, steps)));
    let a = b.input("a", Space::SCALAR);
    let found = Scan::along(steps)
        .lanes(events)
        .checkpoint(Policy::Binomial(2))
        .record(&b, &[y], &[x], &[a], |_, y, x, a| {
            let next = (y[0] * a[0] + x[0]).sin();
            (vec![next], vec![next])
        })
        .expect("well-formed");
    let program = b
        .finish(&[("out", (found.carries[0] + found.ys[0].sum_last()).sum_all())])
        .expect("well-formed");
    let gradient = transform::grad(&program, "out", &["y", "x", "a"]).expect("grad");
    let inputs = vec![
        Owned::F64(direction(1000, 1)),
        Owned::F64(direction(4000, 2)),
        Owned::F64(vec![0.7]),
    ];
    let isa = pullback_ad::isa::Level::current();
    let expected = support::run_with(&gradient, &inputs, isa, 1, 256).expect("runs");
    for (threads, block) in [(2, 256), (8, 1024)] {
        let found = support::run_with(&gradient, &inputs, isa, threads, block).expect("runs");
        assert_eq!(support::bits(&found), support::bits(&expected));
    }
    let mut step = vec![None; 3];
    step[2] = Some(vec![STEP]);
    let reference = interpret(&program, &arrays(&inputs, &step)).expect("known");
    let slope = reference[0].num()[0].im / STEP;
    assert!((expected[3][0] - slope).abs() < 1e-12 * slope.abs());
}

/// A call evaluates its region again in a reverse sweep and keeps nothing but its arguments.
#[test]
fn a_checkpoint_evaluates_its_region_twice() {
    let b = Builder::new();
    let x = b.input("x", Space::SCALAR);
    let y = region::checkpoint(&b, Space::SCALAR, &[x], |b, v| {
        vec![counted(b, 1, v[0]).sin()]
    });
    let y = y.expect("well-formed")[0];
    let program = b.finish(&[("y", y * y)]).expect("well-formed");
    let gradient = transform::grad(&program, "y", &["x"]).expect("grad");
    let (count, found) = evaluations(1, || {
        run(&gradient, &[Owned::F64(vec![0.3])]).expect("runs")
    });
    assert_eq!(count, 2);
    let (u, v) = (0.3_f64.exp_m1().sin(), 0.3_f64.exp_m1().cos());
    assert!((found[1][0] - 2.0 * u * v * 0.3_f64.exp()).abs() < 1e-15);
    let plain = Builder::new();
    let x = plain.input("x", Space::SCALAR);
    let y = counted(&plain, 2, x).sin();
    let program = plain.finish(&[("y", y * y)]).expect("well-formed");
    let gradient = transform::grad(&program, "y", &["x"]).expect("grad");
    let (count, _) = evaluations(2, || {
        run(&gradient, &[Owned::F64(vec![0.3])]).expect("runs")
    });
    assert_eq!(count, 1);
}

/// Kernels tell 64 results apart; a region of more is refused where it is recorded.
#[test]
fn regions_return_at_most_64_results() {
    let record = |n: usize| {
        let b = Builder::new();
        let x = b.input("x", Space::SCALAR);
        let found = region::checkpoint(&b, Space::SCALAR, &[x], |_, v| {
            (0..n).map(|k| v[0] * (k as f64)).collect()
        })?;
        let sum = found.into_iter().fold(Sym::from(0.0), |sum, y| sum + y);
        let program = b.finish(&[("y", sum)])?;
        let found = run(&program, &[Owned::F64(vec![1.0])]).expect("runs");
        Ok::<f64, pullback_array::Error>(found[0][0])
    };
    assert_eq!(record(64).expect("64"), 2016.0);
    let error = record(65).expect_err("65").to_string();
    assert!(
        error.starts_with("[PB0203] call: the region returns 65 results; at most 64"),
        "{error}"
    );
}
