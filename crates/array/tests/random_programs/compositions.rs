//! Derivatives of derivatives, made in different ways.

use pullback_array::{Owned, transform};

use crate::grow::Case;
use crate::lanes::lanes;
use crate::properties::shown;
use crate::support::interpreter::{arrays, interpret, interpret_decisions};
use crate::support::{self, STEP, deviation, differentiable, direction, dot, names, run};

/// Second derivatives made in different ways, and lanes of gradients.
pub fn compositions(case: &Case) -> Result<(), String> {
    let Case { program, inputs } = case;
    let fail = |what: &str, detail: String| Err(format!("{what}: {detail}\n{}", shown(program)));
    match interpret_decisions(program, &arrays(inputs, &[])) {
        Ok((_, false)) => {}
        _ => return Ok(()),
    }
    let wrt = differentiable(program);
    let names = names(&wrt);
    let gradient =
        transform::value_and_grad(program, "total", &names).map_err(|e| e.to_string())?;
    let hvp = transform::hvp(program, "total", &names).map_err(|e| e.to_string())?;
    let grads: Vec<String> = names.iter().map(|x| format!("grad_{x}")).collect();
    let grads: Vec<&str> = grads.iter().map(String::as_str).collect();
    // Reverse over reverse.
    let twice = transform::vjp(&gradient, &grads, &names).map_err(|e| e.to_string())?;
    let vectors = |seed: u64| -> Vec<Vec<f64>> {
        wrt.iter()
            .map(|(k, _)| direction(support::length(&inputs[*k]), seed + *k as u64))
            .collect()
    };
    let with = |more: &[Vec<f64>]| -> Vec<Owned> {
        let more = more.iter().map(|d| Owned::F64(d.clone()));
        inputs.iter().cloned().chain(more).collect()
    };
    let (u, v) = (vectors(50), vectors(90));
    let forward = match run(&hvp, &with(&v)) {
        Ok(forward) => forward,
        Err(e) => return fail("hvp", e),
    };
    let backward = match run(&twice, &with(&u)) {
        Ok(backward) => backward[1 + names.len()..].to_vec(),
        Err(e) => return fail("reverse over reverse", e),
    };
    let sum = |a: &[Vec<f64>], b: &[Vec<f64>]| {
        a.iter().zip(b).fold((0.0, 0.0), |(s, m), (a, b)| {
            let (x, y) = dot(a, b);
            (s + x, m + y)
        })
    };
    let ((a, size_a), (b, size_b)) = (sum(&u, &forward), sum(&v, &backward));
    if size_a.is_finite() && size_b.is_finite() && (a - b).abs() > 1e-8 * (size_a + size_b) {
        return fail(
            "second order",
            format!("<u, H v> = {a:e}, <H u, v> = {b:e}"),
        );
    }
    // Against the complex step of the gradient.
    let mut step = vec![None; inputs.len()];
    for ((k, _), v) in wrt.iter().zip(&v) {
        step[*k] = Some(v.iter().map(|x| x * STEP).collect());
    }
    let reference = interpret(&gradient, &arrays(inputs, &step)).map_err(|u| format!("{u:?}"))?;
    for (found, e) in forward.iter().zip(&reference[1..]) {
        let e: Vec<f64> = e.num().iter().map(|z| z.im / STEP).collect();
        let close = found.iter().zip(&e).all(|(f, e)| (f - e).abs() < 1e-7);
        if deviation(found, &e) > 1e-6 && !close && e.iter().all(|x| x.is_finite()) {
            return fail(
                "complex step of the gradient",
                format!("{found:?}, expected {e:?}"),
            );
        }
    }
    lanes(
        &Case {
            program: gradient,
            inputs: inputs.clone(),
        },
        &[(1, 1024), (2, 256)],
    )
}
