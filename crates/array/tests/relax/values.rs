//! Values by plain loops over events.

use pullback_ad::Real;
use pullback_array::transform::{Relaxation, Smoothing, Width, grad, jvp, relax};
use pullback_array::{Bindings, Builder, Column, DType, Flow, Last, Lowered, Owned, Program, Sym};

use crate::case::{Case, On, record, sample};
use crate::harness::{assert_close, run_any_cut};

fn sigmoid(u: f64) -> f64 {
    1.0 / (1.0 + (-u).exp())
}

/// Φ by Simpson's rule: no special function of the library.
fn phi(u: f64) -> f64 {
    if u.is_infinite() {
        return if u > 0.0 { 1.0 } else { 0.0 };
    }
    let n = 2000;
    let h = u / f64::from(n);
    let density = |t: f64| (-0.5 * t * t).exp() / std::f64::consts::TAU.sqrt();
    let weight = |k: i32| match k {
        0 => 1.0,
        k if k == n => 1.0,
        k if k % 2 == 1 => 4.0,
        _ => 2.0,
    };
    0.5 + h / 3.0
        * (0..=n)
            .map(|k| weight(k) * density(f64::from(k) * h))
            .sum::<f64>()
}

fn doubles(o: &Owned) -> &[f64] {
    match o {
        Owned::F64(d) => d,
        _ => panic!("a column of doubles"),
    }
}

/// A program relaxed with the width as an input, on the sample: the outputs, and (muons of each event, jets of each event, columns w v u j x).
fn soft(program: &Program, policy: &Relaxation, on: On, width: f64) -> (Vec<Vec<f64>>, Vec<Owned>) {
    let mut inputs = sample(on, 5);
    let relaxed = relax(program, policy).unwrap();
    let sizes: Vec<_> = relaxed
        .inputs()
        .iter()
        .map(|(n, _)| n.to_string())
        .collect();
    assert_eq!(sizes.last().unwrap(), "T", "{sizes:?}");
    inputs.push(Owned::F64(vec![width]));
    (run_any_cut(&relaxed, &inputs), inputs)
}

fn ranges(inputs: &[Owned], k: usize) -> Vec<std::ops::Range<usize>> {
    let Owned::Offsets(o) = &inputs[k] else {
        panic!("offsets")
    };
    o.windows(2).map(|w| w[0] as usize..w[1] as usize).collect()
}

fn all(smoothing: Smoothing) -> Relaxation {
    Relaxation::all(smoothing, Width::input("T"))
}

#[test]
fn pairs_triples_and_pairs_of_two_levels_multiply_degrees() {
    let program = record(On::Muons, |c: Case<'_>| {
        let (good, index) = c.mask.filter("good");
        let (v, u) = (c.v.at(index), c.u.at(index));
        let (_, a, b) = c.b.pairs(good, "pairs");
        let (_, three) = c.b.combinations(good, 3, "triples");
        let triple = three.iter().fold(Sym::from(1.0), |p, m| p * v.at(*m));
        let (_, muon, jet) = c.b.cartesian(good, c.j.space(), "both");
        vec![
            (v.at(a) * u.at(b)).sum_all(),
            triple.sum_all(),
            (v.at(muon) * c.j.at(jet)).sum_all(),
        ]
    });
    for smoothing in [Smoothing::Sigmoid, Smoothing::Normal] {
        let (found, inputs) = soft(&program, &all(smoothing), On::Muons, 0.3);
        let [v, u, j, x, s] = [3, 4, 5, 6, 7].map(|k| doubles(&inputs[k]));
        let degree = |i: usize| {
            let m = (x[i] * s[0] - 1.0) / 0.3;
            match smoothing {
                Smoothing::Sigmoid => sigmoid(m),
                Smoothing::Normal => phi(m),
            }
        };
        let mut sums = [0.0; 3];
        for (muons, jets) in ranges(&inputs, 0).into_iter().zip(ranges(&inputs, 1)) {
            for a in muons.clone() {
                for b in a + 1..muons.end {
                    sums[0] += degree(a) * degree(b) * v[a] * u[b];
                    for c in b + 1..muons.end {
                        sums[1] += degree(a) * degree(b) * degree(c) * v[a] * v[b] * v[c];
                    }
                }
                for k in jets.clone() {
                    sums[2] += degree(a) * v[a] * j[k];
                }
            }
        }
        for (found, sum) in found.iter().zip(sums) {
            assert_close(found, &[sum], 1e-11, "sum over members");
        }
    }
}

#[test]
fn filters_of_filters_counts_quantifiers_and_choices() {
    let program = record(On::Muons, |c: Case<'_>| {
        let (good, index) = c.mask.filter("good");
        let u = c.u.at(index);
        let central = u.lt(0.2.into()).named("central");
        let (inner, again) = central.filter("inner");
        let over = good.last().unwrap();
        let n = c.b.counts(inner);
        let two = n.ge(c.b.integer(2).broadcast(c.events));
        vec![
            c.v.at(index).at(again).sum_all(),
            n.cast(DType::F64).square().sum_all(),
            two.select(c.w, -c.w).sum_all(),
            central.any(over).cast(DType::F64).sum_all(),
            central.all(over).cast(DType::F64).sum_all(),
            central.count(over).cast(DType::F64).square().sum_all(),
            (c.mask ^ c.u.lt(0.2.into())).select(c.v, c.u).sum_all(),
            (c.mask | !c.u.lt(0.2.into())).cast(DType::F64).sum_all(),
        ]
    });
    let (found, inputs) = soft(&program, &all(Smoothing::Sigmoid), On::Muons, 0.25);
    let [w, v, u, x, s] = [2, 3, 4, 6, 7].map(|k| doubles(&inputs[k]));
    let good = |i: usize| sigmoid((x[i] * s[0] - 1.0) / 0.25);
    let central = |i: usize| sigmoid((0.2 - u[i]) / 0.25);
    let mut sums = [0.0; 8];
    for (event, muons) in ranges(&inputs, 0).into_iter().enumerate() {
        let (mut n, mut none, mut every) = (0.0, 1.0, 1.0);
        for i in muons {
            let both = good(i) * central(i);
            sums[0] += both * v[i];
            n += both;
            none *= 1.0 - both;
            every *= 1.0 - good(i) * (1.0 - central(i));
            let xor = good(i) * (1.0 - central(i)) + central(i) * (1.0 - good(i));
            sums[6] += xor * v[i] + (1.0 - xor) * u[i];
            sums[7] += 1.0 - (1.0 - good(i)) * central(i);
        }
        let two = sigmoid((n - 1.5) / 0.25);
        sums[1] += n * n;
        sums[2] += two * w[event] - (1.0 - two) * w[event];
        sums[3] += 1.0 - none;
        sums[4] += every;
        sums[5] += n * n;
    }
    for (k, (found, sum)) in found.iter().zip(sums).enumerate() {
        assert_close(found, &[sum], 1e-11, &format!("output {k}"));
    }
}

#[test]
fn extremes_are_means_over_members_that_are_there_independently() {
    let program = record(On::Muons, |c: Case<'_>| {
        let (good, index) = c.mask.filter("good");
        let (over, v) = (good.last().unwrap(), c.v.at(index));
        // What stands at the hardest one, in the level that the members come from and through an index into it.
        let hardest = v.argmax();
        let sign = c.u.lt(0.2.into());
        vec![
            v.max_over(over),
            v.min_over(over),
            c.u.at(index).at(hardest),
            c.u.at(index.at(hardest)),
            sign.at(index).at(hardest).cast(DType::F64),
        ]
    });
    // What is chosen by does not move: only the cut is soft.
    let policy = Relaxation::only(Smoothing::Sigmoid).with("cut", Width::input("T"));
    let (found, inputs) = soft(&program, &policy, On::Muons, 0.3);
    let [v, u, x, s] = [3, 4, 6, 7].map(|k| doubles(&inputs[k]));
    let degree = |i: usize| sigmoid((x[i] * s[0] - 1.0) / 0.3);
    for (event, muons) in ranges(&inputs, 0).into_iter().enumerate() {
        // Over all sets of members.
        let all: Vec<usize> = muons.collect();
        let (mut sums, mut total) = ([0.0; 5], 0.0);
        for set in 1_u32..1 << all.len() {
            let (mut p, mut members) = (1.0, Vec::new());
            for (k, i) in all.iter().enumerate() {
                let there = set >> k & 1 == 1;
                p *= if there { degree(*i) } else { 1.0 - degree(*i) };
                members.extend(there.then_some(*i));
            }
            let by = |a: &&usize, b: &&usize| v[**a].total_cmp(&v[**b]);
            let hard = *members.iter().max_by(by).unwrap();
            let weak = *members.iter().min_by(by).unwrap();
            total += p;
            let at = [
                v[hard],
                v[weak],
                u[hard],
                u[hard],
                f64::from(u8::from(u[hard] < 0.2)),
            ];
            sums.iter_mut().zip(at).for_each(|(s, x)| *s += p * x);
        }
        for (k, sum) in sums.into_iter().enumerate() {
            let expected = match (all.is_empty(), k) {
                (false, _) => sum / total,
                (true, 0) => f64::NEG_INFINITY,
                (true, 1) => f64::INFINITY,
                (true, 4) => 0.0,
                (true, _) => f64::NAN,
            };
            // A mask is false where there is none.
            let expected = if k == 4 { sum } else { expected };
            let one = found[k][event];
            let same = one == expected || (one.is_nan() && expected.is_nan());
            assert!(
                same || (one - expected).abs() < 1e-12,
                "{k} {event}: {one} {expected}"
            );
        }
    }
}

/// A mask at the hardest member is false where there is none, a number that is missing at an element counts for nothing, and NaN comes first.
#[test]
fn what_stands_at_the_hardest_member_of_few() {
    let b = Builder::new();
    let muons = b.ragged("muons", b.stream("events"));
    let (x, v, flag) = (
        b.input("x", muons),
        b.input("v", muons),
        b.input("u", muons),
    );
    let (good, index) = x.gt(0.0.into()).named("cut").filter("good");
    let hardest = v.at(index).argmax();
    let top = v.at(index).max_over(good.last().unwrap());
    let tight = flag.gt(0.5.into()).at(index).at(hardest).cast(DType::F64);
    let program = b.finish(&[
        ("tight", tight),
        ("flag", flag.at(index).at(hardest)),
        ("top", top),
    ]);
    let policy = Relaxation::only(Smoothing::Sigmoid).with("cut", Width::input("T"));
    let relaxed = relax(&program.unwrap(), &policy).unwrap();
    let gradient = grad(&relaxed, "tight", &["x"]);
    assert!(gradient.is_err(), "one number per event is no scalar");
    let lowered = Lowered::new(relaxed).unwrap();
    let mut ws = lowered.workspace();
    let nan = f64::NAN;
    let [by, flags] = [[30.0, 40.0, 20.0, nan, 7.0], [1.0, 1.0, nan, 1.0, 0.0]];
    // One muon ten widths below the cut; two of which the second has no flag; NaN and a number.
    let columns = [
        Column::Offsets(&[0, 1, 3, 5]),
        (&[-10.0, 1.0, 2.0, 50.0, 50.0]).into(),
        (&by).into(),
        (&flags).into(),
        (&1.0).into(),
    ];
    lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
    let (far, first) = (sigmoid(-10.0), sigmoid(1.0));
    assert_close(&ws.f64(0)[..2], &[far, first], 1e-13, "mask");
    assert_close(&ws.f64(1)[..2], &[1.0, 1.0], 1e-13, "number");
    assert!(ws.f64(2)[2].is_nan(), "as the exact one");
    let second = sigmoid(2.0) * (1.0 - first);
    let mean = (40.0 * first + 20.0 * second) / (first + second);
    assert_close(&ws.f64(2)[1..2], &[mean], 1e-13, "largest");
}

/// Members so improbable that their number has no reciprocal.
#[test]
fn what_is_all_but_impossible_has_finite_derivatives() {
    let b = Builder::new();
    let muons = b.ragged("muons", b.stream("events"));
    let x = b.input("x", muons);
    let (good, index) = x.gt(0.0.into()).named("cut").filter("good");
    // Beyond all of them: where there is none, this is zero.
    let y = x.at(index).max_over(good.last().unwrap()).exp().sum_all();
    let program = b.finish(&[("y", y)]).unwrap();
    let policy = Relaxation::only(Smoothing::Normal).with("cut", Width::input("T"));
    let first = grad(&relax(&program, &policy).unwrap(), "y", &["x"]).unwrap();
    let name = first.outputs()[1].0.to_string();
    let lowered = Lowered::new(jvp(&first, &["x"]).unwrap()).unwrap();
    let outputs: Vec<_> = lowered
        .program()
        .outputs()
        .iter()
        .map(|o| o.0.to_string())
        .collect();
    assert!(outputs.contains(&format!("d_{name}")), "{outputs:?}");
    let mut ws = lowered.workspace();
    for far in [-20.0, -27.0, -38.0, -40.0] {
        let x = [far];
        let columns = [
            Column::Offsets(&[0, 1]),
            (&x).into(),
            (&1.0).into(),
            (&[1.0]).into(),
        ];
        lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
        for (k, name) in outputs.iter().enumerate() {
            assert!(ws.f64(k).iter().all(|x| x.is_finite()), "{far} {name}");
        }
    }
}

#[test]
fn events_are_members_with_everything_below_them() {
    let program = record(On::Events, |c: Case<'_>| {
        let (_, index) = c.mask.filter("good");
        let of_muons = (c.v * c.u).sum_last();
        vec![
            (c.w.at(index) * of_muons.at(index)).sum_all(),
            c.mask.count(c.events.last().unwrap()).cast(DType::F64),
        ]
    });
    let (found, inputs) = soft(&program, &all(Smoothing::Sigmoid), On::Events, 0.2);
    let [w, v, u, x, s] = [2, 3, 4, 6, 7].map(|k| doubles(&inputs[k]));
    let mut sums = [0.0; 2];
    for (event, muons) in ranges(&inputs, 0).into_iter().enumerate() {
        let degree = sigmoid((x[event] * s[0] - 1.0) / 0.2);
        sums[0] += degree * w[event] * muons.map(|i| v[i] * u[i]).sum::<f64>();
        sums[1] += degree;
    }
    for (found, sum) in found.iter().zip(sums) {
        assert_close(found, &[sum], 1e-11, "sum");
    }
}

#[test]
fn histograms_spread_each_value_over_the_bins_by_its_distribution_function() {
    for flow in [Flow::Drop, Flow::Clamp, Flow::Separate] {
        let edges = [0.2, 0.5, 1.1, 1.6];
        let program = record(On::Muons, |c: Case<'_>| {
            let e = c.b.constant_f64(&edges, c.b.dense_of("edges", 4));
            let bins =
                c.b.dense_of("bins", if flow == Flow::Separate { 5 } else { 3 });
            let (_, index) = c.u.gt(0.0.into()).named("hard").filter("good");
            let (_, again) = c.mask.at(index).filter("better");
            let (x, v) = (c.moving.at(index).at(again), c.v.at(index).at(again));
            let bin = x.bin_index(e, flow, Last::Open);
            vec![v.scatter_add(bin, bins)]
        });
        let policy = all(Smoothing::Normal).hard("hard");
        let (found, inputs) = soft(&program, &policy, On::Muons, 0.15);
        let [v, u, x, s] = [3, 4, 6, 7].map(|k| doubles(&inputs[k]));
        let inf = f64::INFINITY;
        let cells: Vec<(f64, f64)> = match flow {
            Flow::Drop => vec![(0.2, 0.5), (0.5, 1.1), (1.1, 1.6)],
            Flow::Clamp => vec![(-inf, 0.5), (0.5, 1.1), (1.1, inf)],
            Flow::Separate => {
                vec![(-inf, 0.2), (0.2, 0.5), (0.5, 1.1), (1.1, 1.6), (1.6, inf)]
            }
        };
        let mut sums = vec![0.0; cells.len()];
        for i in (0..x.len()).filter(|i| u[*i] > 0.0) {
            let member = phi((x[i] * s[0] - 1.0) / 0.15) * v[i];
            for (sum, (low, high)) in sums.iter_mut().zip(&cells) {
                let below = |e: f64| phi((e - x[i] * s[0]) / 0.15);
                *sum += member * (below(*high) - below(*low));
            }
        }
        assert_close(&found[0], &sums, 1e-10, "histogram");
    }
}

#[test]
fn what_is_no_member_at_all_contributes_nothing_not_even_nan() {
    let program = record(On::Muons, |c: Case<'_>| {
        let (_, index) = c.mask.filter("good");
        // The root of what fails the cut by far is not a number.
        let root = (c.moving - 0.9).sqrt();
        vec![
            root.at(index).sum_all(),
            c.mask.select(root, 0.0.into()).sum_all(),
        ]
    });
    let (found, inputs) = soft(&program, &all(Smoothing::Sigmoid), On::Muons, 1e-6);
    let [x, s] = [6, 7].map(|k| doubles(&inputs[k]));
    let sum: f64 = x
        .iter()
        .filter(|x| *x * s[0] > 1.0)
        .map(|x| (x * s[0] - 0.9).sqrt())
        .sum();
    for found in found {
        assert_close(&found, &[sum], 1e-9, "sum");
    }
}
