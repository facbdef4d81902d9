//! What must hold for a program: text, simplification, cuts into blocks and threads, derivatives.

use pullback_ad::isa::Level as Isa;
use pullback_array::registry::Registry;
use pullback_array::{LevelKind, Owned, Program, check, text, transform};

use crate::grow::Case;
use crate::lanes::lanes;
use crate::support::interpreter::{arrays, interpret, interpret_decisions};
use crate::support::{
    self, STEP, bits, deviation, differentiable, direction, dot, double_bits, double_outputs,
    names, run, run_with, tile,
};

/// The part of a program that its outputs need, as text.
pub fn shown(program: &Program) -> String {
    transform::prune(program).map_or_else(|e| e.to_string(), |p| text::print(&p))
}

/// Any NaN as the same NaN.
fn plain(v: &[Vec<f64>]) -> Vec<Vec<u64>> {
    let one = |x: &f64| if x.is_nan() { f64::NAN } else { *x };
    bits(
        &v.iter()
            .map(|o| o.iter().map(one).collect())
            .collect::<Vec<_>>(),
    )
}

/// Everything that must hold for a program. The error says what does not; a panic is one, too.
pub fn properties(case: &Case) -> Result<(), String> {
    let hold = std::panic::AssertUnwindSafe(|| all_properties(case));
    std::panic::catch_unwind(hold).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map_or("a panic", String::as_str);
        Err(format!("{message}\n{}", shown(&case.program)))
    })
}

fn all_properties(case: &Case) -> Result<(), String> {
    let Case { program, inputs } = case;
    let fail = |what: &str, detail: String| Err(format!("{what}: {detail}\n{}", shown(program)));
    check::check(program).map_err(|e| e.to_string())?;

    let printed = text::print(program);
    match text::parse(&printed, &Registry::standard()) {
        Ok(parsed) if parsed == *program => {}
        other => return fail("text", format!("{:?}", other.map(|p| text::print(&p)))),
    }

    let values = match run(program, inputs) {
        Ok(values) => values,
        Err(e) => return fail("run", e),
    };
    let mut fragile = false;
    match interpret_decisions(program, &arrays(inputs, &[])) {
        Err(unknown) => return fail("interpreter", format!("{unknown:?}")),
        Ok((_, true)) => fragile = true,
        Ok((reference, false)) => {
            for ((name, _), (found, expected)) in
                program.outputs().iter().zip(values.iter().zip(&reference))
            {
                let d = deviation(found, &expected.reals());
                let close = found
                    .iter()
                    .zip(expected.reals())
                    .all(|(f, e)| (f - e).abs() < 1e-10);
                if d > 1e-9 && !close {
                    return fail(
                        "interpreter",
                        format!(
                            "`{name}` deviates by {d:e}: {found:?}, expected {:?}",
                            expected.reals()
                        ),
                    );
                }
            }
        }
    }

    let simple = transform::simplify(program).map_err(|e| e.to_string())?;
    match run(&simple, inputs) {
        Ok(found) if plain(&found) == plain(&values) => {}
        other => {
            return fail(
                "simplify",
                format!("{other:?}, expected {values:?}\n{}", text::print(&simple)),
            );
        }
    }
    if transform::simplify(&simple).map_err(|e| e.to_string())? != simple {
        return fail("simplify", "twice is more than once".into());
    }

    let many = tile(program, inputs, 200).ok_or("no stream")?;
    let expected = match run_with(program, &many, Isa::current(), 1, 256) {
        Ok(expected) => bits(&expected),
        Err(e) => return fail("blocks", e),
    };
    for (threads, block) in [(2, 512), (8, 4096)] {
        match run_with(program, &many, Isa::current(), threads, block) {
            Ok(found) if bits(&found) == expected => {}
            other => {
                return fail(
                    "blocks",
                    format!(
                        "{threads} threads and blocks of {block} give other bits: {}",
                        other.is_ok()
                    ),
                );
            }
        }
    }

    if !fragile {
        derivatives(case, &values)?;
    }
    lanes(case, &[(1, 1024)])?;
    // The same over many blocks: lanes stand before the stream, which is cut below them.
    let long = Case {
        program: program.clone(),
        inputs: many,
    };
    lanes(&long, &[(1, 256), (2, 512), (8, 4096)])
}

fn derivatives(case: &Case, values: &[Vec<f64>]) -> Result<(), String> {
    let Case { program, inputs } = case;
    let fail = |what: &str, detail: String| Err(format!("{what}: {detail}\n{}", shown(program)));
    let wrt = differentiable(program);
    // A cotangent cannot be given where the program computes the size; those outputs are summed in `total`.
    let given = |(k, _): &(usize, String)| {
        program
            .ty(program.outputs()[*k].1)
            .space
            .iter()
            .all(|l| match program.level(l).kind {
                LevelKind::Ragged { offsets, .. } => {
                    program.node(offsets).primitive.name() == "input"
                }
                _ => true,
            })
    };
    let of: Vec<(usize, String)> = double_outputs(program).into_iter().filter(given).collect();
    let with = |more: &[Vec<f64>]| -> Vec<Owned> {
        inputs
            .iter()
            .cloned()
            .chain(more.iter().map(|d| Owned::F64(d.clone())))
            .collect()
    };
    let directions: Vec<Vec<f64>> = wrt
        .iter()
        .map(|(k, _)| direction(support::length(&inputs[*k]), 50 + *k as u64))
        .collect();
    let cotangents: Vec<Vec<f64>> = of
        .iter()
        .map(|(k, _)| direction(values[*k].len(), 70 + *k as u64))
        .collect();
    let (jvp, vjp) = match (
        transform::jvp(program, &names(&wrt)),
        transform::vjp(program, &names(&of), &names(&wrt)),
    ) {
        (Ok(jvp), Ok(vjp)) => (jvp, vjp),
        (a, b) => return fail("derivative", format!("{:?} {:?}", a.err(), b.err())),
    };
    for (derivative, more) in [(&jvp, &directions), (&vjp, &cotangents)] {
        let inputs = with(more);
        let fused = double_bits(derivative, &inputs, true);
        if fused != double_bits(derivative, &inputs, false) {
            return fail("fusion", "other bits than node by node".into());
        }
    }
    let (forward, backward) = match (run(&jvp, &with(&directions)), run(&vjp, &with(&cotangents))) {
        (Ok(f), Ok(b)) => (f, b),
        (a, b) => return fail("derivative", format!("{:?} {:?}", a.err(), b.err())),
    };
    let all: Vec<(usize, String)> = double_outputs(program);
    let every = &forward[values.len()..];
    let tangents: Vec<Vec<f64>> = of
        .iter()
        .map(|(k, _)| every[all.iter().position(|(j, _)| j == k).expect("a double")].clone())
        .collect();
    let pulled = &backward[values.len()..];
    for primal in [&forward[..values.len()], &backward[..values.len()]] {
        if plain(primal) != plain(values) {
            return fail("derivative", "the value changed".into());
        }
    }
    let sum = |pairs: Vec<(f64, f64)>| {
        pairs
            .into_iter()
            .fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1))
    };
    let (f, size_f) = sum(cotangents
        .iter()
        .zip(tangents)
        .map(|(c, t)| dot(c, &t))
        .collect());
    let (b, size_b) = sum(pulled
        .iter()
        .zip(&directions)
        .map(|(c, v)| dot(c, v))
        .collect());
    let finite = size_f.is_finite() && size_b.is_finite();
    // The magnitudes of the terms do not show what cancelled inside; 1e-13 holds for single primitives.
    if finite && (f - b).abs() > 1e-10 * (size_f + size_b) {
        return fail(
            "dot product",
            format!("<ct, jvp> = {f:e}, <vjp, v> = {b:e}"),
        );
    }
    let mut step = vec![None; inputs.len()];
    for ((k, _), v) in wrt.iter().zip(&directions) {
        step[*k] = Some(v.iter().map(|x| x * STEP).collect());
    }
    let reference = interpret(program, &arrays(inputs, &step)).map_err(|u| format!("{u:?}"))?;
    for ((k, name), found) in all.iter().zip(every) {
        let expected: Vec<f64> = reference[*k].num().iter().map(|z| z.im / STEP).collect();
        let d = deviation(found, &expected);
        // Saturated functions lose relative precision, to a stated absolute one: 1 − σ is 0 long before it should be.
        let close = found
            .iter()
            .zip(&expected)
            .all(|(f, e)| (f - e).abs() < 1e-9);
        if d > 1e-8 && !close && expected.iter().all(|x| x.is_finite()) {
            return fail(
                "complex step",
                format!("`{name}` deviates by {d:e}: {found:?}, expected {expected:?}"),
            );
        }
    }
    Ok(())
}
