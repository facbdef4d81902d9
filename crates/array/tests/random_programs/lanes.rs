//! `vmap` against a loop.

use pullback_ad::isa::Level as Isa;
use pullback_array::{LevelKind, Owned, text, transform};

use crate::grow::Case;
use crate::properties::shown;
use crate::support::{self, bits, deviation, run, run_sized};

/// `vmap` over a scalar and the muons against a loop over the lanes; every cut (threads, elements per block) must give the same bits.
pub fn lanes(case: &Case, cuts: &[(usize, usize)]) -> Result<(), String> {
    const LANES: usize = 2;
    let Case { program, inputs } = case;
    let fail = |detail: String| Err(format!("vmap: {detail}\n{}", shown(program)));
    // One scalar and the muons.
    let axes = ["x0", "x6"];
    let batched = match transform::vmap(program, &axes, "lanes") {
        Ok(batched) => batched,
        Err(e) => return fail(e.to_string()),
    };
    let lane = |l: usize| -> Vec<Owned> {
        let moved = |k: usize| match &inputs[k] {
            Owned::F64(d) => Owned::F64(d.iter().map(|x| x * (1.0 + 0.1 * l as f64)).collect()),
            other => other.clone(),
        };
        (0..inputs.len())
            .map(|k| {
                if axes.contains(&&*program.inputs()[k].0) {
                    moved(k)
                } else {
                    inputs[k].clone()
                }
            })
            .collect()
    };
    let each: Vec<Vec<Owned>> = (0..LANES).map(lane).collect();
    let stacked: Vec<Owned> = (0..inputs.len())
        .map(|k| {
            if axes.contains(&&*program.inputs()[k].0) {
                Owned::F64(
                    each.iter()
                        .flat_map(|l| support::doubles(&l[k]).to_vec())
                        .collect(),
                )
            } else {
                inputs[k].clone()
            }
        })
        .collect();
    let mut all = Vec::new();
    for &(threads, block) in cuts {
        let sizes = [("lanes", LANES)];
        match run_sized(&batched, &stacked, Isa::current(), threads, block, &sizes) {
            Ok(found) => all.push(found),
            Err(e) => return fail(format!("{e}\n{}", text::print(&batched))),
        }
    }
    let found = all.swap_remove(0);
    for (other, cut) in all.iter().zip(&cuts[1..]) {
        if bits(other) != bits(&found) {
            return fail(format!(
                "{cut:?} (threads, block) gives other bits than {:?}\n{}",
                cuts[0],
                text::print(&batched)
            ));
        }
    }
    let mut expected = Vec::new();
    for l in &each {
        expected.push(run(program, l)?);
    }
    for (k, (name, v)) in batched.outputs().iter().enumerate() {
        let root = batched.ty(*v).space.root();
        let has_lanes = root.is_some_and(|l| batched.level(l).kind == LevelKind::Batch);
        let loop_: Vec<f64> = if has_lanes {
            expected.iter().flat_map(|l| l[k].clone()).collect()
        } else {
            expected[0][k].clone()
        };
        if found[k].len() != loop_.len() || deviation(&found[k], &loop_) > 1e-13 {
            return fail(format!(
                "`{name}` is {:?}, the loop gives {loop_:?}\n{}",
                found[k],
                text::print(&batched)
            ));
        }
    }
    Ok(())
}
