//! Every primitive of the registry: documentation, samples, conventions at special points, derivatives against independent ones, second order,
//! instruction sets, threads, block sizes, lanes.

mod support;

use std::collections::HashSet;
use std::sync::Arc;

use pullback_ad::isa::Level as Isa;
use pullback_array::{
    Builder, Call, DType, Nature, Owned, Point, PrimitiveRef, Program, Sample, registry, transform,
};
use support::interpreter::{Unknown, arrays, interpret};
use support::{
    STEP, deviation, differences, differentiable, direction, dot, double_outputs, names, run,
    run_sized, run_with,
};

/// Collects failures, so that one run shows all of them.
#[derive(Default)]
struct Report(Vec<String>);

impl Report {
    fn check(&mut self, ok: bool, message: impl FnOnce() -> String) {
        if !ok {
            self.0.push(message());
        }
    }

    fn finish(self) {
        assert!(
            self.0.is_empty(),
            "{} failures:\n{}",
            self.0.len(),
            self.0.join("\n")
        );
    }
}

/// Every sample with the primitive it belongs to and a name for messages.
fn samples() -> Vec<(PrimitiveRef, Sample, String)> {
    registry::all()
        .into_iter()
        .flat_map(|p| {
            p.samples()
                .into_iter()
                .map(move |s| (p, s.clone(), format!("{}, {}", p.name(), s.what)))
        })
        .collect()
}

/// Functions with a rule for one mode only have tests of their own, in `custom.rs`.
fn carries_derivatives(p: PrimitiveRef) -> bool {
    p.nature() != Nature::Structure && p.name() != "custom_vjp"
}

#[test]
fn every_primitive_is_documented_and_sampled() {
    let mut report = Report::default();
    let mut seen = HashSet::new();
    for p in registry::all() {
        let name = p.name();
        report.check(seen.insert(name), || format!("{name}: the name is taken"));
        report.check(p.doc().len() > 3 && p.doc().ends_with(['.', '…']), || {
            format!("{name}: no documentation")
        });
        report.check(p.convention().len() > 8, || {
            format!("{name}: no convention for special points")
        });
        let samples = p.samples();
        let has = |point| samples.iter().any(|s| s.point == point);
        report.check(has(Point::Special), || {
            format!("{name}: no sample at a special point")
        });
        report.check(!carries_derivatives(p) || has(Point::Generic), || {
            format!("{name}: carries derivatives and has no generic sample")
        });
        for s in &samples {
            let used = s.program.nodes().iter().any(|n| n.primitive == p);
            report.check(used, || {
                format!(
                    "{name}, {}: the sample does not apply the primitive",
                    s.what
                )
            });
            report.check(s.point == Point::Generic || s.expected.is_some(), || {
                format!("{name}, {}: a special sample without its values", s.what)
            });
        }
        report.check(registry::find(name) == Some(p), || {
            format!("{name}: not found by its name")
        });
    }
    report.finish();
}

/// Zeros, infinities and NaN must be exactly what the convention says; other numbers may differ by the bound of the vectorised functions.
fn follows_convention(found: f64, expected: f64) -> bool {
    if expected.is_nan() || expected.is_infinite() || expected == 0.0 {
        return found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
    }
    found.is_finite() && found.to_bits().abs_diff(expected.to_bits()) <= 4
}

#[test]
fn samples_run_and_follow_their_conventions() {
    let mut report = Report::default();
    for (_, s, what) in samples() {
        for isa in Isa::available() {
            let found = match run_with(&s.program, &s.inputs, isa, 1, 1024) {
                Ok(found) => found,
                Err(e) => {
                    report.0.push(format!("{what}: {e}"));
                    continue;
                }
            };
            for (found, expected) in found.iter().zip(s.expected.iter().flatten()) {
                report.check(found.len() == expected.len(), || {
                    format!(
                        "{what}: {} elements, expected {}",
                        found.len(),
                        expected.len()
                    )
                });
                for (i, (f, e)) in found.iter().zip(expected).enumerate() {
                    report.check(follows_convention(*f, *e), || {
                        format!(
                            "{what} ({}): element {i} is {f:e}, the convention says {e:e}",
                            isa.name()
                        )
                    });
                }
            }
            report.check(
                s.point == Point::Special || found.iter().flatten().all(|x| x.is_finite()),
                || format!("{what}: a generic sample gives {found:?}"),
            );
        }
    }
    report.finish();
}

#[test]
fn values_agree_with_the_reference_interpreter() {
    let mut report = Report::default();
    // At special points the complex formulas of functions have conventions of their own; structure has one.
    let comparable = |p: PrimitiveRef, s: &Sample| {
        s.point == Point::Generic || (!carries_derivatives(p) && !p.is_elementwise())
    };
    for (_, s, what) in samples().into_iter().filter(|(p, s, _)| comparable(*p, s)) {
        let Ok(expected) = interpret(&s.program, &arrays(&s.inputs, &[])) else {
            continue;
        };
        let found = run(&s.program, &s.inputs).expect("samples run");
        // The complex formulas of special functions are written for the imaginary part: their own accuracy is a few 1e-14.
        for (found, expected) in found.iter().zip(&expected) {
            let d = deviation(found, &expected.reals());
            report.check(d < 1e-12, || format!("{what}: deviates by {d:e}"));
        }
    }
    report.finish();
}

/// Derivatives of the double outputs along directions, from an oracle that knows no derivative rule, and the tolerance it deserves.
fn oracle(
    program: &Program,
    inputs: &[Owned],
    wrt: &[(usize, String)],
    directions: &[Vec<f64>],
) -> (Vec<Vec<f64>>, f64) {
    let mut step = vec![None; inputs.len()];
    for ((k, _), v) in wrt.iter().zip(directions) {
        step[*k] = Some(v.iter().map(|v| v * STEP).collect());
    }
    match interpret(program, &arrays(inputs, &step)) {
        Ok(values) => {
            let outputs = double_outputs(program);
            (
                outputs
                    .iter()
                    .map(|(k, _)| values[*k].num().iter().map(|z| z.im / STEP).collect())
                    .collect(),
                1e-12,
            )
        }
        // A primitive that the interpreter does not know: extrapolated differences of values.
        Err(Unknown(_)) => (
            differences(program, inputs, wrt, directions).expect("samples run"),
            1e-7,
        ),
    }
}

struct Derivatives {
    wrt: Vec<(usize, String)>,
    of: Vec<(usize, String)>,
    directions: Vec<Vec<f64>>,
    cotangents: Vec<Vec<f64>>,
}

impl Derivatives {
    fn of(s: &Sample, seed: u64) -> Option<Self> {
        let (wrt, of) = (differentiable(&s.program), double_outputs(&s.program));
        if wrt.is_empty() || of.is_empty() {
            return None;
        }
        let values = run(&s.program, &s.inputs).expect("samples run");
        let directions = wrt
            .iter()
            .enumerate()
            .map(|(i, (k, _))| direction(support::length(&s.inputs[*k]), seed + i as u64))
            .collect();
        let cotangents = of
            .iter()
            .enumerate()
            .map(|(i, (k, _))| direction(values[*k].len(), seed + 100 + i as u64))
            .collect();
        Some(Self {
            wrt,
            of,
            directions,
            cotangents,
        })
    }
}

fn with(inputs: &[Owned], more: &[Vec<f64>]) -> Vec<Owned> {
    inputs
        .iter()
        .cloned()
        .chain(more.iter().map(|d| Owned::F64(d.clone())))
        .collect()
}

#[test]
fn jvp_agrees_with_an_independent_oracle_and_vjp_with_jvp() {
    let mut report = Report::default();
    for (p, s, what) in samples()
        .into_iter()
        .filter(|(_, s, _)| s.point == Point::Generic)
    {
        let Some(d) = Derivatives::of(&s, 7) else {
            continue;
        };
        let jvp = match transform::jvp(&s.program, &names(&d.wrt)) {
            Ok(jvp) => jvp,
            Err(e) if carries_derivatives(p) => {
                report.0.push(format!("{what}: {e}"));
                continue;
            }
            Err(_) => continue,
        };
        let results = run(&jvp, &with(&s.inputs, &d.directions)).expect("the jvp runs");
        let tangents = &results[s.program.outputs().len()..];
        let (expected, tolerance) = oracle(&s.program, &s.inputs, &d.wrt, &d.directions);
        for (found, expected) in tangents.iter().zip(&expected) {
            let e = deviation(found, expected);
            report.check(e < tolerance, || {
                format!("{what}: jvp deviates by {e:e}: {found:?}, expected {expected:?}")
            });
        }
        // Differentiation does not touch the primal.
        let plain = run(&s.program, &s.inputs).expect("samples run");
        report.check(
            support::bits(&results[..plain.len()]) == support::bits(&plain),
            || format!("{what}: jvp changes the value"),
        );

        let vjp = match transform::vjp(&s.program, &names(&d.of), &names(&d.wrt)) {
            Ok(vjp) => vjp,
            Err(e) => {
                report.0.push(format!("{what}: {e}"));
                continue;
            }
        };
        let results = run(&vjp, &with(&s.inputs, &d.cotangents)).expect("the vjp runs");
        report.check(
            support::bits(&results[..plain.len()]) == support::bits(&plain),
            || format!("{what}: vjp changes the value"),
        );
        let pulled = &results[plain.len()..];
        let forward = d.cotangents.iter().zip(tangents).map(|(c, t)| dot(c, t));
        let backward = pulled.iter().zip(&d.directions).map(|(c, v)| dot(c, v));
        let add = |(a, b): (f64, f64), (x, y)| (a + x, b + y);
        let ((f, size), (b, size_b)) = (
            forward.fold((0.0, 0.0), add),
            backward.fold((0.0, 0.0), add),
        );
        report.check((f - b).abs() <= 1e-13 * (size + size_b), || {
            format!("{what}: <ct, jvp> = {f:e}, <vjp, v> = {b:e}")
        });
    }
    report.finish();
}

#[test]
fn second_order_is_symmetric_and_agrees_with_the_oracle() {
    let mut report = Report::default();
    for (_, s, what) in samples()
        .into_iter()
        .filter(|(_, s, _)| s.point == Point::Generic)
    {
        let (Some(d), Some(e)) = (Derivatives::of(&s, 7), Derivatives::of(&s, 23)) else {
            continue;
        };
        let Ok(gradient) = transform::vjp(&s.program, &names(&d.of), &names(&d.wrt)) else {
            continue;
        };
        // Outputs of the gradient alone.
        let n = s.program.outputs().len();
        let hvp = match transform::jvp(&gradient, &names(&d.wrt)) {
            Ok(hvp) => hvp,
            Err(error) => {
                report.0.push(format!("{what}: {error}"));
                continue;
            }
        };
        let base = with(&s.inputs, &d.cotangents);
        let apply = |v: &[Vec<f64>]| {
            let results = run(&hvp, &with(&base, v)).expect("the hvp runs");
            let first = gradient.outputs().len() + double_outputs(&s.program).len();
            results[first..].to_vec()
        };
        let (hd, he) = (apply(&d.directions), apply(&e.directions));
        let (a, size_a) = he
            .iter()
            .zip(&d.directions)
            .map(|(h, v)| dot(h, v))
            .fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        let (b, size_b) = hd
            .iter()
            .zip(&e.directions)
            .map(|(h, v)| dot(h, v))
            .fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        report.check((a - b).abs() <= 1e-12 * (size_a + size_b), || {
            format!("{what}: not symmetric, {a:e} and {b:e}")
        });

        let (expected, tolerance) = oracle(&gradient, &base, &d.wrt, &d.directions);
        for (found, expected) in hd.iter().zip(&expected[expected.len() - d.wrt.len()..]) {
            let e = deviation(found, expected);
            report.check(e < 10.0 * tolerance, || {
                format!("{what}: second order deviates by {e:e}: {found:?}, expected {expected:?}")
            });
        }

        // Reverse over reverse: the gradient of <gradient, v>.
        let grads: Vec<String> = gradient.outputs()[n..]
            .iter()
            .map(|(n, _)| n.to_string())
            .collect();
        let grads: Vec<&str> = grads.iter().map(String::as_str).collect();
        let twice = match transform::vjp(&gradient, &grads, &names(&d.wrt)) {
            Ok(twice) => twice,
            Err(error) => {
                report
                    .0
                    .push(format!("{what}: reverse over reverse: {error}"));
                continue;
            }
        };
        let results = run(&twice, &with(&base, &d.directions)).expect("the second vjp runs");
        for (found, expected) in results[gradient.outputs().len()..].iter().zip(&hd) {
            let e = deviation(found, expected);
            report.check(e < 1e-12, || {
                format!("{what}: reverse over reverse deviates from forward over reverse by {e:e}")
            });
        }
    }
    report.finish();
}

#[test]
fn derivatives_at_special_points_run() {
    let mut report = Report::default();
    for (_, s, what) in samples()
        .into_iter()
        .filter(|(_, s, _)| s.point == Point::Special)
    {
        let Some(d) = Derivatives::of(&s, 3) else {
            continue;
        };
        if let Ok(vjp) = transform::vjp(&s.program, &names(&d.of), &names(&d.wrt))
            && let Err(e) = run(&vjp, &with(&s.inputs, &d.cotangents))
        {
            report.0.push(format!("{what}: {e}"));
        }
    }
    report.finish();
}

#[test]
fn instruction_sets_agree() {
    let mut report = Report::default();
    for (_, s, what) in samples()
        .into_iter()
        .filter(|(_, s, _)| s.point == Point::Generic)
    {
        let expected =
            run_with(&s.program, &s.inputs, Isa::PORTABLE, 1, 1024).expect("samples run");
        for isa in Isa::available() {
            let found = run_with(&s.program, &s.inputs, isa, 1, 1024).expect("samples run");
            for (f, e) in found.iter().zip(&expected) {
                let d = deviation(f, e);
                report.check(d < 2e-15, || {
                    format!("{what}: {} deviates by {d:e} from portable", isa.name())
                });
            }
        }
    }
    report.finish();
}

#[test]
fn threads_and_blocks_do_not_change_a_bit() {
    let mut report = Report::default();
    let mut tested = 0;
    // An index for a gather counts from the start of a block: it is compared where it is used, in the samples of a gather and in random programs.
    let index = |p: &PrimitiveRef| p.convention().contains("start of the block");
    for (_, s, what) in samples().into_iter().filter(|(p, ..)| !index(p)) {
        let mut programs: Vec<(Arc<Program>, Vec<Owned>)> = Vec::new();
        let Some(inputs) = support::tile(&s.program, &s.inputs, 700) else {
            continue;
        };
        programs.push((Arc::clone(&s.program), inputs.clone()));
        let tiled = Sample {
            inputs: inputs.clone(),
            ..s.clone()
        };
        if let Some(d) = Derivatives::of(&tiled, 5)
            && let Ok(vjp) = transform::vjp(&s.program, &names(&d.of), &names(&d.wrt))
        {
            programs.push((Arc::new(vjp), with(&inputs, &d.cotangents)));
        }
        for (program, inputs) in programs {
            let run = |threads, block| {
                support::bits(
                    &run_with(&program, &inputs, Isa::current(), threads, block)
                        .expect("samples run"),
                )
            };
            let expected = run(1, 256);
            for (threads, block) in [(1, 512), (1, 4096), (2, 256), (8, 1024)] {
                report.check(run(threads, block) == expected, || {
                    format!("{what}: {threads} threads and blocks of {block} give other bits")
                });
            }
        }
        tested += 1;
    }
    assert!(tested >= 5, "only {tested} samples live on a stream");
    report.finish();
}

#[test]
fn fused_primitives_equal_their_decomposition() {
    let mut report = Report::default();
    for (p, s, what) in samples()
        .into_iter()
        .filter(|(_, s, _)| s.point == Point::Generic)
    {
        let b = Builder::resume(&s.program);
        let mut outputs = Vec::new();
        for node in s.program.nodes().iter().filter(|n| n.primitive == p) {
            let args: Vec<_> = node.args.iter().map(|a| b.sym(*a)).collect();
            let outs: Vec<_> = node.results().map(|r| b.sym(r)).collect();
            let call = Call {
                primitive: p,
                args: &args,
                outs: &outs,
                attrs: &node.attrs,
            };
            for (plain, parts) in outs
                .iter()
                .zip(p.decompose(&b, &call).into_iter().flatten())
            {
                outputs.push((Arc::from("fused"), b.id(*plain)));
                outputs.push((Arc::from("parts"), b.id(parts)));
            }
        }
        if outputs.is_empty() {
            continue;
        }
        let program = b
            .finish_ids(outputs)
            .expect("a decomposition is well-formed");
        let results = run(&program, &s.inputs).expect("a decomposition runs");
        for pair in results.chunks(2) {
            let d = deviation(&pair[0], &pair[1]);
            report.check(d < 1e-13, || {
                format!("{what}: deviates from its decomposition by {d:e}")
            });
        }
    }
    report.finish();
}

/// Another set of inputs of the same lengths: doubles a little larger, the rest the same elements in reverse.
fn lane(inputs: &[Owned], k: usize) -> Vec<Owned> {
    fn turn<T: Clone>(d: &[T], k: usize) -> Vec<T> {
        if k.is_multiple_of(2) {
            d.to_vec()
        } else {
            d.iter().rev().cloned().collect()
        }
    }
    inputs
        .iter()
        .map(|column| match column {
            Owned::F64(d) => Owned::F64(d.iter().map(|x| x * (1.0 + 1e-3 * k as f64)).collect()),
            Owned::F32(d) => Owned::F32(turn(d, k)),
            Owned::I64(d) => Owned::I64(turn(d, k)),
            Owned::I32(d) => Owned::I32(turn(d, k)),
            Owned::U64(d) => Owned::U64(turn(d, k)),
            Owned::Bool(d) => Owned::Bool(turn(d, k)),
            Owned::Offsets(d) => Owned::Offsets(d.clone()),
        })
        .collect()
}

/// Columns one after the other.
fn stack(columns: &[&Owned]) -> Owned {
    macro_rules! concat {
        ($($kind:ident),*) => {
            match columns[0] {
                $(Owned::$kind(_) => Owned::$kind(
                    columns.iter().flat_map(|c| if let Owned::$kind(d) = c { d.clone() } else { Vec::new() }).collect(),
                ),)*
                Owned::Offsets(_) => columns[0].clone(),
            }
        };
    }
    concat!(F64, F32, I64, I32, U64, Bool)
}

/// `vmap` over the inputs named in `axes` against a loop over the lanes. Returns the number of outputs compared.
fn lanes_equal_a_loop(
    report: &mut Report,
    program: &Program,
    inputs: &[Owned],
    axes: &[&str],
    what: &str,
    tolerance: f64,
) {
    const LANES: usize = 3;
    let lanes = match transform::vmap(program, axes, "lanes of the registry") {
        Ok(lanes) => lanes,
        Err(e) => {
            report.0.push(format!("{what}: {e}"));
            return;
        }
    };
    let is_axis = |k: usize| axes.contains(&&*program.inputs()[k].0);
    let each: Vec<Vec<Owned>> = (0..LANES)
        .map(|l| {
            let turned: Vec<Owned> = lane(inputs, l)
                .into_iter()
                .zip(inputs)
                .enumerate()
                .map(|(k, (c, plain))| if is_axis(k) { c } else { plain.clone() })
                .collect();
            // Indices may not fit where they were turned to.
            if run(program, &turned).is_ok() {
                turned
            } else {
                inputs.to_vec()
            }
        })
        .collect();
    let stacked: Vec<Owned> = (0..inputs.len())
        .map(|k| {
            if is_axis(k) {
                stack(&each.iter().map(|l| &l[k]).collect::<Vec<_>>())
            } else {
                inputs[k].clone()
            }
        })
        .collect();
    let found = match run_sized(
        &lanes,
        &stacked,
        Isa::current(),
        1,
        1024,
        &[("lanes of the registry", LANES)],
    ) {
        Ok(found) => found,
        Err(e) => {
            report.0.push(format!("{what}: {e}"));
            return;
        }
    };
    let expected: Vec<Vec<Vec<f64>>> = each
        .iter()
        .map(|l| run(program, l).expect("a lane runs"))
        .collect();
    for (k, (name, v)) in lanes.outputs().iter().enumerate() {
        let batched = lanes
            .ty(*v)
            .space
            .root()
            .is_some_and(|l| lanes.level(l).kind == pullback_array::LevelKind::Batch);
        let expected: Vec<f64> = if batched && lanes.ty(*v).dtype == DType::Offsets {
            // One offsets array for all lanes.
            let mut all = vec![0.0];
            for l in &expected {
                let base = all[all.len() - 1];
                all.extend(l[k][1..].iter().map(|o| base + o));
            }
            all
        } else if batched {
            expected.iter().flat_map(|l| l[k].clone()).collect()
        } else {
            expected[0][k].clone()
        };
        report.check(found[k].len() == expected.len(), || {
            format!(
                "{what}: output `{name}` has {} elements, the loop {}",
                found[k].len(),
                expected.len()
            )
        });
        if found[k].len() == expected.len() {
            let d = deviation(&found[k], &expected);
            report.check(d <= tolerance, || {
                format!(
                    "{what}: `{name}` deviates from the loop by {d:e}: {:?}, expected {expected:?}",
                    found[k]
                )
            });
        }
    }
}

/// Names of the inputs that can have lanes.
fn axes(program: &Program) -> Vec<&str> {
    program
        .inputs()
        .iter()
        .filter(|(_, v)| program.ty(*v).dtype != DType::Offsets)
        .map(|(n, _)| &**n)
        .collect()
}

#[test]
fn lanes_equal_a_loop_for_every_primitive() {
    let mut report = Report::default();
    for (_, s, what) in samples() {
        let all = axes(&s.program);
        if all.is_empty() {
            continue;
        }
        lanes_equal_a_loop(
            &mut report,
            &s.program,
            &s.inputs,
            &all,
            &format!("{what}, lanes of all"),
            1e-15,
        );
        for one in &all {
            lanes_equal_a_loop(
                &mut report,
                &s.program,
                &s.inputs,
                &[one],
                &format!("{what}, lanes of {one}"),
                1e-15,
            );
        }
        if let Some(inputs) = support::tile(&s.program, &s.inputs, 300) {
            lanes_equal_a_loop(
                &mut report,
                &s.program,
                &inputs,
                &all,
                &format!("{what}, lanes over blocks"),
                1e-14,
            );
        }
        let Some(d) = Derivatives::of(&s, 11) else {
            continue;
        };
        if s.point == Point::Generic {
            // Lanes of a derivative, a derivative of lanes, lanes of lanes.
            if let Ok(vjp) = transform::vjp(&s.program, &names(&d.of), &names(&d.wrt)) {
                lanes_equal_a_loop(
                    &mut report,
                    &vjp,
                    &with(&s.inputs, &d.cotangents),
                    &axes(&vjp),
                    &format!("{what}, lanes of vjp"),
                    1e-15,
                );
            }
        }
    }
    report.finish();
}
