//! Every primitive of the crate on its samples, as the engine's registry test does for its own.

use pullback_ad::isa::Level as Isa;
use pullback_array::{Nature, Owned, Point, Sample, text, transform};
use pullback_optim::implicit::{PRIMITIVES, registry};

use crate::support::{
    deviation, differences, differentiable, direction, dot, double_outputs, length, names, run,
    run_with,
};

fn samples(point: Option<Point>) -> Vec<(Sample, String)> {
    PRIMITIVES
        .iter()
        .flat_map(|p| {
            p.samples()
                .into_iter()
                .map(|s| (s.clone(), format!("{}, {}", p.name(), s.what)))
        })
        .filter(|(s, _)| point.is_none_or(|p| s.point == p))
        .collect()
}

fn with(inputs: &[Owned], more: &[Vec<f64>]) -> Vec<Owned> {
    inputs
        .iter()
        .cloned()
        .chain(more.iter().map(|d| Owned::F64(d.clone())))
        .collect()
}

#[test]
fn they_are_documented_and_sampled() {
    for p in PRIMITIVES {
        assert!(
            p.doc().ends_with('.')
                && p.convention().ends_with('.')
                && p.nature() != Nature::Structure,
            "{}",
            p.name()
        );
        for point in [Point::Generic, Point::Special] {
            assert!(p.samples().iter().any(|s| s.point == point && s.program.nodes().iter().any(|n| n.primitive == p)), "{}: {point:?}", p.name());
        }
        assert_eq!(registry().find(p.name()), Some(p));
    }
}

#[test]
fn samples_run_and_follow_their_conventions() {
    for (s, what) in samples(None) {
        let first = run(&s.program, &s.inputs).expect("runs");
        assert!(
            first.iter().flatten().all(|x| x.is_finite()),
            "{what}: {first:?}"
        );
        for (found, expected) in first.iter().zip(s.expected.iter().flatten()) {
            assert_eq!(found.len(), expected.len(), "{what}");
            for (f, e) in found.iter().zip(expected) {
                assert!(
                    f.to_bits().abs_diff(e.to_bits()) <= 4,
                    "{what}: {f:e}, the convention says {e:e}"
                );
            }
        }
        for (isa, threads, block) in [(Isa::current(), 4, 256), (Isa::current(), 1, 4096)] {
            assert_eq!(
                run_with(&s.program, &s.inputs, isa, threads, block).expect("runs"),
                first,
                "{what}"
            );
        }
    }
}

#[test]
fn programs_with_regions_round_trip_as_text() {
    for (s, what) in samples(None) {
        let wrt = differentiable(&s.program);
        for program in [
            (*s.program).clone(),
            transform::jvp(&s.program, &names(&wrt)).expect("differentiates"),
        ] {
            let printed = text::print(&program);
            let parsed = text::parse(&printed, &registry())
                .unwrap_or_else(|e| panic!("{what}: {e}\n{printed}"));
            assert_eq!(text::print(&parsed), printed, "{what}");
            assert_eq!(parsed, program, "{what}");
        }
    }
}

#[test]
fn jvp_agrees_with_differences_and_vjp_with_jvp() {
    for (s, what) in samples(Some(Point::Generic)) {
        let (wrt, of) = (differentiable(&s.program), double_outputs(&s.program));
        let directions: Vec<Vec<f64>> = wrt
            .iter()
            .enumerate()
            .map(|(i, (k, _))| direction(length(&s.inputs[*k]), 7 + i as u64))
            .collect();
        let plain = run(&s.program, &s.inputs).expect("runs");
        let jvp = transform::jvp(&s.program, &names(&wrt)).expect("has a jvp");
        let results = run(&jvp, &with(&s.inputs, &directions)).expect("the jvp runs");
        let tangents = &results[plain.len()..];
        assert_eq!(results[..plain.len()], plain, "{what}: the value changes");
        let expected = differences(&s.program, &s.inputs, &wrt, &directions).expect("runs");
        for (found, expected) in tangents.iter().zip(&expected) {
            let e = deviation(found, expected);
            assert!(
                e < 1e-8,
                "{what}: jvp deviates by {e:e}: {found:?}, expected {expected:?}"
            );
        }

        let cotangents: Vec<Vec<f64>> = of
            .iter()
            .enumerate()
            .map(|(i, (k, _))| direction(plain[*k].len(), 100 + i as u64))
            .collect();
        let vjp = transform::vjp(&s.program, &names(&of), &names(&wrt)).expect("has a vjp");
        let results = run(&vjp, &with(&s.inputs, &cotangents)).expect("the vjp runs");
        let pulled = &results[plain.len()..];
        let (mut forward, mut backward, mut size) = (0.0, 0.0, 0.0);
        for (c, t) in cotangents.iter().zip(tangents) {
            let (sum, terms) = dot(c, t);
            (forward, size) = (forward + sum, size + terms);
        }
        for (c, v) in pulled.iter().zip(&directions) {
            let (sum, terms) = dot(c, v);
            (backward, size) = (backward + sum, size + terms);
        }
        assert!(
            (forward - backward).abs() <= 1e-12 * size,
            "{what}: <ct, jvp> = {forward:e}, <vjp, v> = {backward:e}"
        );
    }
}

#[test]
fn second_derivatives_agree_with_differences_of_first_ones() {
    for (s, what) in samples(Some(Point::Generic)) {
        let (wrt, of) = (differentiable(&s.program), double_outputs(&s.program));
        let plain = run(&s.program, &s.inputs).expect("runs");
        let cotangents: Vec<Vec<f64>> = of
            .iter()
            .enumerate()
            .map(|(i, (k, _))| direction(plain[*k].len(), 100 + i as u64))
            .collect();
        let gradient = transform::vjp(&s.program, &names(&of), &names(&wrt)).expect("has a vjp");
        let inputs = with(&s.inputs, &cotangents);
        let directions: Vec<Vec<f64>> = wrt
            .iter()
            .enumerate()
            .map(|(i, (k, _))| direction(length(&s.inputs[*k]), 7 + i as u64))
            .collect();
        let hvp = transform::jvp(&gradient, &names(&wrt)).expect("has second derivatives");
        let found = run(&hvp, &with(&inputs, &directions)).expect("runs");
        let expected = differences(&gradient, &inputs, &wrt, &directions).expect("runs");
        let tangents = &found[gradient.outputs().len()..];
        for (found, expected) in tangents.iter().zip(&expected) {
            let e = deviation(found, expected);
            assert!(
                e < 1e-7,
                "{what}: deviates by {e:e}: {found:?}, expected {expected:?}"
            );
        }
    }
}

#[test]
fn lanes_equal_a_loop() {
    for (s, what) in samples(Some(Point::Generic)) {
        let all = differentiable(&s.program);
        // Every input alone, and all of them.
        let mut choices: Vec<Vec<(usize, String)>> =
            all.iter().map(|one| vec![one.clone()]).collect();
        choices.push(all);
        for axes in choices {
            let lanes = transform::vmap(&s.program, &names(&axes), "batch").expect("has lanes");
            let shifted = |lane: usize| -> Vec<Owned> {
                let mut inputs = s.inputs.clone();
                for (k, _) in &axes {
                    let data = crate::support::doubles(&s.inputs[*k]);
                    inputs[*k] = Owned::F64(data.iter().map(|x| x + 0.05 * lane as f64).collect());
                }
                inputs
            };
            let mut stacked = s.inputs.clone();
            for (k, _) in &axes {
                stacked[*k] = Owned::F64(
                    (0..3)
                        .flat_map(|lane| crate::support::doubles(&shifted(lane)[*k]).to_vec())
                        .collect(),
                );
            }
            let found = run(&lanes, &stacked).expect("runs");
            for lane in 0..3 {
                let expected = run(&s.program, &shifted(lane)).expect("runs");
                for (f, e) in found.iter().zip(&expected) {
                    assert_eq!(f.len(), 3 * e.len(), "{what}, {axes:?}");
                    let d = deviation(&f[lane * e.len()..(lane + 1) * e.len()], e);
                    assert!(d < 1e-13, "{what}, {axes:?}, lane {lane}: {d:e}");
                }
            }
        }
    }
}
