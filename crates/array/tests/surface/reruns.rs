//! The surface part of a derivative is Σ K(m/h)/h · dm · (F with the element − F without it), where F is that of the exact program with the element of the
//! input column moved far above or far below the threshold: no copies, no kernels of the library.

use pullback_ad::Real;
use pullback_array::registry::Registry;
use pullback_array::transform::{self, Surface, SurfaceKernel};
use pullback_array::{DType, Flow, Last, Lowered, Owned, Program, Space, Sym};

use crate::case::{Case, On, S, THRESHOLD, X, record, sample};
use crate::harness::{Random, bits, run_with};

fn column(inputs: &[Owned], k: usize) -> &[f64] {
    match &inputs[k] {
        Owned::F64(d) => d,
        _ => panic!("a column of doubles"),
    }
}

/// A threshold of the moving value, and values on both sides of it that stand for having passed it and not.
struct Step {
    at: f64,
    width: f64,
    above: f64,
    below: f64,
}

/// The surface term of each output by running the exact program again for each element near each threshold.
fn expected(program: &Program, inputs: &[Owned], steps: &[Step]) -> (Vec<Vec<f64>>, usize) {
    let lowered = Lowered::new(program.clone()).unwrap();
    let (x, s) = (column(inputs, X).to_vec(), column(inputs, S)[0]);
    let mut sums: Vec<Vec<f64>> = run_with(&lowered, inputs, 1, 1024)
        .iter()
        .map(|y| vec![0.0; y.len()])
        .collect();
    let mut near = 0;
    for i in 0..x.len() {
        for step in steps {
            let u = (x[i] * s - step.at) / step.width;
            if u.abs() >= 1.0 {
                continue;
            }
            near += 1;
            let weight = 0.75 * (1.0 - u * u) / step.width * x[i];
            let mut at = |moved: f64, sign: f64| {
                let mut x = x.clone();
                x[i] = moved / s;
                let mut inputs = inputs.to_vec();
                inputs[X] = Owned::F64(x);
                for (sum, y) in sums.iter_mut().zip(run_with(&lowered, &inputs, 1, 1024)) {
                    for (sum, y) in sum.iter_mut().zip(y) {
                        *sum += sign * weight * y;
                    }
                }
            };
            at(step.above, 1.0);
            at(step.below, -1.0);
        }
    }
    (sums, near)
}

/// Checks the surface part of both modes, the pathwise part and values; returns how many elements carried it.
fn check(program: &Program, on: On, surface: &Surface, steps: &[Step]) -> usize {
    let names: Vec<String> = program
        .outputs()
        .iter()
        .map(|(n, _)| n.to_string())
        .collect();
    let of: Vec<&str> = names.iter().map(String::as_str).collect();
    let forward =
        Lowered::new(transform::jvp_total(program, &of, &["s"], surface).unwrap()).unwrap();
    let reverse =
        Lowered::new(transform::vjp_total(program, &of, &["s", "x"], surface).unwrap()).unwrap();
    let plain = Lowered::new(transform::jvp(program, &["s"]).unwrap()).unwrap();
    let inputs = sample(on, 5);
    let (sums, near) = expected(program, &inputs, steps);
    let n = of.len();
    let mut tangent = inputs.clone();
    tangent.push(Owned::F64(vec![1.0]));
    let found = run_with(&forward, &tangent, 1, 1024);
    for (threads, block) in [(2, 256), (1, 64)] {
        let again = run_with(&forward, &tangent, threads, block);
        assert_eq!(bits(&found), bits(&again), "{threads} threads, {block}");
    }
    let exact = run_with(&plain, &tangent, 1, 1024);
    assert_eq!(bits(&found[..n]), bits(&exact[..n]), "values");
    let close = |a: f64, b: f64, scale: f64| (a - b).abs() <= 1e-9 * (scale + 1.0);
    let scale = sums.iter().flatten().fold(0.0_f64, |m, x| m.max(x.abs()));
    assert!(scale > 0.1, "nothing jumps: {sums:?}");
    for (k, name) in of.iter().enumerate() {
        let (total, pathwise, jump) = (
            &found[n + 3 * k],
            &found[n + 3 * k + 1],
            &found[n + 3 * k + 2],
        );
        for i in 0..total.len() {
            assert!(
                close(jump[i], sums[k][i], scale),
                "{name}[{i}]: {}, expected {}",
                jump[i],
                sums[k][i]
            );
            assert!(
                close(pathwise[i], exact[n + k][i], scale),
                "{name}[{i}]: pathwise"
            );
            assert!(
                close(total[i], pathwise[i] + jump[i], scale),
                "{name}[{i}]: total"
            );
        }
    }
    assert_eq!(
        found[n + 3 * n][0],
        near as f64,
        "elements near the threshold"
    );
    // <ct, J v> = <Jᵀ ct, v> for the surface parts, along s; the gradient for every x along x is that for s.
    let mut random = Random(17);
    let cotangents: Vec<Vec<f64>> = found[..n]
        .iter()
        .map(|y| random.values(y.len(), -1.0, 1.0))
        .collect();
    let mut pulled = inputs.clone();
    pulled.extend(cotangents.iter().map(|c| Owned::F64(c.clone())));
    let back = run_with(&reverse, &pulled, 1, 1024);
    let forwards: f64 = (0..n)
        .map(|k| {
            let pairs = cotangents[k].iter().zip(&found[n + 3 * k + 2]);
            pairs.map(|(c, t)| c * t).sum::<f64>()
        })
        .sum();
    let size = scale * cotangents.len() as f64;
    assert!(close(back[n + 2][0], forwards, size), "in reverse");
    let s = column(&inputs, S)[0];
    let along: f64 = back[n + 5]
        .iter()
        .zip(column(&inputs, X))
        .map(|(g, x)| g * x)
        .sum::<f64>();
    assert!(close(along / s, forwards, size), "for every element");
    near
}

/// Checks a case whose decision is the cut.
fn cut(on: On, case: impl for<'b> Fn(Case<'b>) -> Vec<Sym<'b>>) {
    let step = Step {
        at: THRESHOLD,
        width: 0.1,
        above: 5.0,
        below: -5.0,
    };
    let near = check(&record(on, case), on, &Surface::new(0.1), &[step]);
    assert!(near > 10, "only {near} elements are near the threshold");
}

fn last(space: Space) -> pullback_array::LevelId {
    space.last().unwrap()
}

#[test]
fn events_chosen_by_a_select() {
    cut(On::Events, |c| {
        let sum = c.mask.select(c.w.square(), c.w).sum_all();
        vec![sum, (!c.mask).select(c.w, 0.0.into()).sum_all()]
    });
}

#[test]
fn programs_with_surface_terms_have_a_text_form() {
    let program = record(On::Muons, |c| {
        let (_, index) = c.mask.filter("good");
        vec![c.v.at(index).sum_all()]
    });
    let total = transform::grad_total(&program, "y0", &["s"], &Surface::new(0.1)).unwrap();
    let text = pullback_array::text::print(&total);
    let again = pullback_array::text::parse(&text, &Registry::standard()).unwrap();
    let inputs = sample(On::Muons, 5);
    let run = |p: &Program| run_with(&Lowered::new(p.clone()).unwrap(), &inputs, 1, 1024);
    assert_eq!(bits(&run(&total)), bits(&run(&again)));
    // Simplified, it says the same.
    let simple = run(&transform::simplify(&total).unwrap());
    for (a, b) in run(&total).iter().flatten().zip(simple.iter().flatten()) {
        assert!((a - b).abs() <= 1e-12 * a.abs(), "{a} {b}");
    }
}

#[test]
fn what_follows_a_sum_follows_the_chain_rule() {
    let program = record(On::Events, |c| {
        let sum = c.mask.select(c.w, 0.0.into()).sum_all();
        // The sum feeds back into events, whose weights it normalises.
        let shares = (c.w / sum.broadcast(c.events)).square().sum_all();
        vec![sum, sum.ln(), shares]
    });
    let of = ["y0", "y1", "y2"];
    let total = transform::jvp_total(&program, &of, &["s"], &Surface::new(0.1)).unwrap();
    let mut inputs = sample(On::Events, 5);
    inputs.push(Owned::F64(vec![1.0]));
    let found = run_with(&Lowered::new(total).unwrap(), &inputs, 1, 1024);
    let (sum, shares, d_sum) = (found[0][0], found[2][0], found[5][0]);
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * b.abs(), "{a} {b}");
    close(found[8][0], d_sum / sum);
    close(found[11][0], -2.0 * shares / sum * d_sum);
}

#[test]
fn events_counted_and_weighted_by_what_they_moved() {
    cut(On::Events, |c| {
        vec![
            c.mask.count(last(c.events)).cast(DType::F64),
            c.mask.cast(DType::F64).sum_all(),
        ]
    });
}

#[test]
fn counts_that_are_broadcast_before_they_are_numbers() {
    cut(On::Events, |c| {
        let n = c.mask.count(last(c.events));
        let q = c.b.constant_f64(&[1.0, -0.5], c.b.dense_of("q", 2));
        let each = n.broadcast(q.space()).cast(DType::F64) * q;
        // Back into the stream, and both ways at once.
        let shares = n.broadcast(c.events).cast(DType::F64) * c.w;
        vec![each, shares.sum_all() + n.cast(DType::F64)]
    });
}

#[test]
fn counts_along_events_for_each_of_a_dense_level() {
    cut(On::Sides, |c| {
        let n = c.mask.count(c.events.last().unwrap());
        let q = c.b.constant_f64(&[1.0, -0.5, 2.0], c.b.dense_of("q", 3));
        let both = c.b.join(n.space(), q.space());
        let each = n.broadcast(both).cast(DType::F64) * q.broadcast(both);
        vec![n.cast(DType::F64), each, each.sum_last()]
    });
}

#[test]
fn events_filtered_with_what_hangs_below_them() {
    cut(On::Events, |c| {
        let (good, index) = c.mask.filter("good");
        let of_muons = (c.v * c.u).sum_last();
        let kept = c.w.at(index) * of_muons.at(index);
        // Broadcast back from the filtered level: an expand along it.
        let both = kept + c.w.broadcast(good);
        vec![kept.sum_all(), both.square().sum_all()]
    });
}

#[test]
fn objects_filtered_and_combined() {
    cut(On::Muons, |c| {
        let (good, index) = c.mask.filter("good");
        let (v, u) = (c.v.at(index), c.u.at(index));
        let (pairs, a, b) = c.b.pairs(good, "pairs");
        let mass = (v.at(a) * v.at(b) + u.at(a) * u.at(b)).abs().sqrt();
        let (_, three) = c.b.combinations(good, 3, "triples");
        let triple = v.at(three[0]) * v.at(three[1]) * u.at(three[2]);
        vec![
            mass.sum_all(),
            triple.sum_all() + 1.0,
            (mass.sum(last(pairs)) * c.w).square().sum_all(),
        ]
    });
}

#[test]
fn objects_of_two_levels() {
    cut(On::Muons, |c| {
        let (good, index) = c.mask.filter("good");
        let jets = c.j.space();
        let (_, muon, jet) = c.b.cartesian(good, jets, "muon and jet");
        vec![(c.v.at(index).at(muon) * c.j.at(jet)).sum_all()]
    });
}

#[test]
fn objects_filtered_twice_and_sorted() {
    cut(On::Muons, |c| {
        let (_, index) = c.mask.filter("good");
        let (v, u) = (c.v.at(index), c.u.at(index));
        let (central, again) = u.gt(0.0.into()).filter("central");
        let (v, u) = (v.at(again), u.at(again));
        let order = u.argsort(true);
        let rank = c.b.position(central, last(central)).cast(DType::F64);
        vec![
            (v.at(order) / (rank + 1.0)).sum_all(),
            v.prod(last(central)).sum_all(),
        ]
    });
}

#[test]
fn leading_objects_and_extremes_of_those_that_pass() {
    cut(On::Muons, |c| {
        let (good, index) = c.mask.filter("good");
        let (v, u) = (c.v.at(index), c.u.at(index));
        let any = c.mask.any(last(c.muons));
        let best = v.max_over(last(good));
        vec![
            any.select(best, 0.0.into()).sum_all(),
            any.select(u.leading(v), 0.0.into()).sum_all(),
        ]
    });
}

#[test]
fn numbers_of_objects_decide_about_events() {
    cut(On::Muons, |c| {
        let (good, _) = c.mask.filter("good");
        let n = c.b.counts(good);
        let two = n.ge(c.b.integer(2).broadcast(c.events));
        let n = n.cast(DType::F64);
        let all = c.mask.all(last(c.muons));
        vec![
            two.select(c.w, 0.0.into()).sum_all(),
            (n * n * c.w).sum_all(),
            (n.gt(1.5.into()) & !all)
                .count(last(c.events))
                .cast(DType::F64),
        ]
    });
}

#[test]
fn masks_without_a_filter_and_gathers_of_what_they_chose() {
    cut(On::Muons, |c| {
        let chosen = c.mask.select(c.v, c.u);
        let (_, a, b) = c.b.pairs(c.muons, "pairs");
        vec![
            (chosen.at(a) * chosen.at(b)).sum_all(),
            (c.mask ^ c.u.gt(0.0.into()))
                .select(c.v, 0.0.into())
                .sum_all(),
        ]
    });
}

#[test]
fn histograms_of_pairs() {
    cut(On::Muons, |c| {
        let (good, index) = c.mask.filter("good");
        let v = c.v.at(index);
        let (_, a, b) = c.b.pairs(good, "pairs");
        let mass = v.at(a) * v.at(b);
        let edges =
            c.b.constant_f64(&[0.0, 1.0, 2.0, 3.5], c.b.dense_of("edges", 4));
        let bins = c.b.dense_of("bins", 3);
        let index = mass.bin_index(edges, Flow::Drop, Last::Open);
        vec![mass.scatter_add(index, bins)]
    });
}

#[test]
fn sums_over_events_for_each_of_a_dense_level() {
    cut(On::Muons, |c| {
        let q = c.b.constant_f64(&[1.0, -0.5, 2.0], c.b.dense_of("q", 3));
        let chosen = c.mask.select(c.v, 0.0.into()).sum_last();
        let path = c.b.join(c.events, q.space());
        let each = (chosen.broadcast(path) * q.broadcast(path)).square();
        vec![each.sum(last(c.events))]
    });
}

#[test]
fn decisions_along_a_dense_level_of_events() {
    cut(On::Sides, |c| {
        let both = c.mask.all(last(c.mask.space()));
        let w = c.w.broadcast(c.mask.space());
        vec![
            both.select(c.w, 0.0.into()).sum_all(),
            c.mask.select(w, 0.0.into()).sum_last().square().sum_all(),
        ]
    });
}

/// The thresholds of bins: windows as wide as half of the narrower bin beside an edge at most.
fn bins(on: On, flow: Flow) -> usize {
    let edges = [0.5, 0.6, 1.0, 1.7];
    let program = record(on, |c| {
        let e = c.b.constant_f64(&edges, c.b.dense_of("edges", 4));
        let bins = c.b.dense_of("bins", 5);
        let index = c.moving.bin_index(e, flow, Last::Open).named("bin");
        let weight = if on == On::Muons { c.v * c.u } else { c.w };
        // A table that is read at the bin of each element, on the way to a sum of squares of sums.
        let table =
            c.b.constant_f64(&[1.0, 3.0, -2.0, 0.5, 2.5], c.b.dense_of("table", 5));
        let found = index.ge(c.b.integer(0).broadcast(index.space()));
        let read = found.select(table.gather(index), 0.0.into());
        let per_event = if on == On::Muons {
            read.sum_last()
        } else {
            read
        };
        vec![
            weight.scatter_add(index, bins),
            per_event.square().sum_all(),
        ]
    });
    let steps: Vec<Step> = (0..4)
        .map(|k| {
            let up = edges.get(k + 1).map_or(9.0, |e| *e);
            let down = if k == 0 { -9.0 } else { edges[k - 1] };
            Step {
                at: edges[k],
                width: ((up - edges[k]).min(edges[k] - down) / 2.0).min(0.15),
                above: 0.5 * (up + edges[k]),
                below: 0.5 * (down + edges[k]),
            }
        })
        .collect();
    check(&program, on, &Surface::new(0.15), &steps)
}

#[test]
fn bins_of_events_and_of_objects() {
    for on in [On::Events, On::Muons] {
        for flow in [Flow::Drop, Flow::Clamp, Flow::Separate] {
            assert!(bins(on, flow) > 40);
        }
    }
}

#[test]
fn decisions_of_pairs_that_the_program_made() {
    // Of the surface term of a cut on pairs nothing is run again but the pair itself.
    let program = record(On::Muons, |c| {
        let (pairs, a, b) = c.b.pairs(c.muons, "pairs");
        let y = c.moving.at(a) + c.moving.at(b);
        let (kept, index) = y.gt(2.0.into()).named("pair").filter("kept");
        let shape = (c.v.at(a) * c.u.at(b)).at(index);
        let per_event = shape.sum(last(kept));
        let _ = pairs;
        vec![per_event.square().sum_all()]
    });
    let inputs = sample(On::Muons, 5);
    let surface = Surface::new(0.2).kernel(SurfaceKernel::Biweight);
    let lowered =
        Lowered::new(transform::jvp_total(&program, &["y0"], &["s"], &surface).unwrap()).unwrap();
    let mut tangent = inputs.clone();
    tangent.push(Owned::F64(vec![1.0]));
    let found = run_with(&lowered, &tangent, 1, 256);
    let Owned::Offsets(muons) = &inputs[0] else {
        panic!("offsets first")
    };
    let (v, u, x, s) = (
        column(&inputs, 3),
        column(&inputs, 4),
        column(&inputs, X),
        column(&inputs, S)[0],
    );
    let mut sum = 0.0;
    for w in muons.windows(2) {
        let range = w[0] as usize..w[1] as usize;
        let pairs: Vec<(f64, f64)> = range
            .clone()
            .flat_map(|i| (i + 1..range.end).map(move |j| (i, j)))
            .map(|(i, j)| (x[i] + x[j], v[i] * u[j]))
            .collect();
        for (k, (y, shape)) in pairs.iter().enumerate() {
            let m = (y * s - 2.0) / 0.2;
            if m.abs() < 1.0 {
                let others: f64 = (0..pairs.len())
                    .filter(|l| *l != k && pairs[*l].0 * s > 2.0)
                    .map(|l| pairs[l].1)
                    .sum();
                let kernel = 15.0 / 16.0 * (1.0 - m * m).powi(2) / 0.2;
                sum += kernel * y * ((others + shape).powi(2) - others.powi(2));
            }
        }
    }
    assert!(sum.abs() > 1.0);
    assert!(
        (found[3][0] - sum).abs() < 1e-9 * sum.abs(),
        "{} and {sum}",
        found[3][0]
    );
}

#[test]
fn two_decisions_each_run_again_with_the_other_as_it_is() {
    let program = record(On::Muons, |c| {
        let (good, index) = c.mask.filter("good");
        let sum = c.v.at(index).sum(last(good));
        // A decision about events whose margin depends on what passed the first, and moves with s.
        let s = c.b.sym(c.b.with_program(|p| p.find_input("s").unwrap()));
        let heavy = (sum * s).gt(2.0.into()).named("heavy");
        vec![heavy.select(c.w, 0.0.into()).sum_all()]
    });
    let labels: Vec<String> =
        transform::thresholds(&program, &["y0"], &["s"], &Surface::by_label())
            .unwrap()
            .into_iter()
            .map(|t| format!("{} {} [{}]", t.primitive, t.label, t.space))
            .collect();
    assert_eq!(labels, ["gt cut [events, muons]", "gt heavy [events]"]);
    let only = |keep: &str, out: &str| {
        let surface = Surface::by_label().width(keep, 0.1).pathwise(out);
        transform::jvp_total(&program, &["y0"], &["s"], &surface).unwrap()
    };
    let both = Surface::by_label().width("cut", 0.1).width("heavy", 0.1);
    let both = transform::jvp_total(&program, &["y0"], &["s"], &both).unwrap();
    let mut inputs = sample(On::Muons, 5);
    inputs.push(Owned::F64(vec![1.0]));
    let surface = |p: &Program| {
        let lowered = Lowered::new(p.clone()).unwrap();
        run_with(&lowered, &inputs, 1, 1024)[3][0]
    };
    let (cut, heavy) = (
        surface(&only("cut", "heavy")),
        surface(&only("heavy", "cut")),
    );
    assert!(cut.abs() > 1.0 && heavy.abs() > 1.0, "{cut} {heavy}");
    assert!((surface(&both) - cut - heavy).abs() < 1e-9 * cut.abs());
    // The first by running the exact program again.
    let step = Step {
        at: THRESHOLD,
        width: 0.1,
        above: 5.0,
        below: -5.0,
    };
    let (sums, _) = expected(&program, &inputs[..8], &[step]);
    assert!((sums[0][0] - cut).abs() < 1e-9 * cut.abs());
}
