//! The reference interpreter's structure: filters, combinations, positions, sorts, bins; and reductions that choose.
//!
//! An index for a gather is the number of an element among all elements of its level (below the same lane); the whole stream is one block.

use std::collections::HashMap;

use pullback_array::{LevelId, LevelKind, Node, Space};

use super::complex::{C, c};
use super::interpreter::{Array, Coordinates, Interpreter};

fn subsets(a: i64, b: i64, n: usize) -> Vec<Vec<i64>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let mut out = Vec::new();
    for i in a..b {
        for mut rest in subsets(i + 1, b, n - 1) {
            rest.insert(0, i);
            out.push(rest);
        }
    }
    out
}

impl Interpreter<'_> {
    /// For each element of a path, its number for a gather along its level `over`.
    fn ranks(&self, space: &Space, over: LevelId) -> Vec<i64> {
        let k = space.position(over).expect("the level is on the path");
        let lanes = match self.program.level(over).kind {
            LevelKind::Ragged { parent, .. } => k - parent.depth(),
            _ => k,
        };
        let mut next: HashMap<Coordinates, i64> = HashMap::new();
        let mut rank: HashMap<Coordinates, i64> = HashMap::new();
        self.coordinates(space)
            .iter()
            .map(|at| {
                *rank.entry(at[..=k].to_vec()).or_insert_with(|| {
                    let n = next.entry(at[..lanes].to_vec()).or_default();
                    *n += 1;
                    *n - 1
                })
            })
            .collect()
    }

    /// Structure and choices, by name.
    pub fn structure(&self, node: &Node) -> Option<Array> {
        let arg = |i: usize| self.get(node.args[i]);
        let space = |i: usize| self.program.ty(node.args[i]).space;
        let out = self.program.ty(node.first).space;
        let attrs = &node.attrs;
        let lines = || Some(self.lines(&space(0), attrs.level("over")?).0);
        Some(match node.primitive.name() {
            "filter_offsets" => {
                let parents = self.flat(&out);
                let mut counts = vec![0; parents.len()];
                for (at, m) in self.coordinates(&space(0)).iter().zip(arg(0).bool()) {
                    counts[parents[&at[..out.depth()]]] += i64::from(*m);
                }
                offsets(&counts)
            }
            "filter_index" => {
                let ranks = self.ranks(&space(0), space(0).last()?);
                let kept = ranks.iter().zip(arg(0).bool()).filter(|(_, m)| **m);
                Array::Int(kept.map(|(r, _)| *r).collect())
            }
            "combination_offsets" | "combination_index" => {
                let n = attrs.int("n")? as usize;
                let each: Vec<Vec<Vec<i64>>> = arg(0)
                    .int()
                    .windows(2)
                    .map(|w| subsets(w[0], w[1], n))
                    .collect();
                match attrs.int("slot") {
                    None => offsets(&each.iter().map(|s| s.len() as i64).collect::<Vec<_>>()),
                    Some(slot) => {
                        Array::Int(each.iter().flatten().map(|s| s[slot as usize]).collect())
                    }
                }
            }
            "cartesian_offsets" | "cartesian_index" => {
                let (l, r) = (arg(0).int(), arg(1).int());
                let parents = l.len().max(r.len()) - 1;
                let of = |d: &[i64], p: usize| {
                    let p = p % (d.len() - 1);
                    d[p]..d[p + 1]
                };
                let each: Vec<Vec<(i64, i64)>> = (0..parents)
                    .map(|p| {
                        of(l, p)
                            .flat_map(|i| of(r, p).map(move |j| (i, j)))
                            .collect()
                    })
                    .collect();
                match attrs.int("slot") {
                    None => offsets(&each.iter().map(|s| s.len() as i64).collect::<Vec<_>>()),
                    Some(0) => Array::Int(each.iter().flatten().map(|p| p.0).collect()),
                    Some(_) => Array::Int(each.iter().flatten().map(|p| p.1).collect()),
                }
            }
            "position" => {
                let k = out.position(attrs.level("over")?)?;
                Array::Int(
                    self.coordinates(&out)
                        .iter()
                        .map(|at| at[k] as i64)
                        .collect(),
                )
            }
            "offsets_of" => offsets(arg(0).int()),
            "counts" => Array::Int(arg(0).int().windows(2).map(|w| w[1] - w[0]).collect()),
            "locate" => {
                let parents = space(1);
                let lanes = parents
                    .root()
                    .map_or(0, |root| space(0).position(root).unwrap_or(0));
                let flat = self.flat(&parents);
                let start = arg(1).int();
                let place = |(at, i): (&Coordinates, &i64)| {
                    let p = flat[&at[lanes..lanes + parents.depth()]];
                    // Offsets of their own lanes are counted through; shared ones within the lane, as here.
                    if *i < 0 { *i } else { i + start[p] }
                };
                Array::Int(
                    self.coordinates(&space(0))
                        .iter()
                        .zip(arg(0).int())
                        .map(place)
                        .collect(),
                )
            }
            "find" => {
                let (x, value) = (arg(0).num(), arg(1).num());
                let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
                let stream = matches!(
                    self.program.level(attrs.level("over")?).kind,
                    LevelKind::Stream
                );
                let none = if stream { i64::MAX } else { -1 };
                let found = |(line, v): (&Vec<usize>, &C)| {
                    line.iter()
                        .position(|i| same(x[*i].re, v.re))
                        .map_or(none, |k| k as i64)
                };
                Array::Int(lines()?.iter().zip(value).map(found).collect())
            }
            name @ ("argmax" | "argmin" | "argsort") => {
                let (ranks, x) = (self.ranks(&space(0), attrs.level("over")?), arg(0).num());
                let falling = name == "argmax" || attrs.int("descending") == Some(1);
                // NaN stands first for the choices, as in NumPy, and last for the sort.
                let order = |i: &usize, j: &usize| {
                    let (a, b) = (x[*i].re, x[*j].re);
                    let nan = b.is_nan().cmp(&a.is_nan());
                    let nan = if name == "argsort" {
                        nan.reverse()
                    } else {
                        nan
                    };
                    let by = a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal);
                    nan.then(if falling { by.reverse() } else { by })
                };
                let mut sorted = lines()?;
                for l in &mut sorted {
                    l.sort_by(order);
                }
                if name == "argsort" {
                    let mut all = vec![0; x.len()];
                    for (line, sorted) in lines()?.iter().zip(&sorted) {
                        line.iter()
                            .zip(sorted)
                            .for_each(|(at, i)| all[*at] = ranks[*i]);
                    }
                    Array::Int(all)
                } else {
                    Array::Int(
                        sorted
                            .iter()
                            .map(|l| l.first().map_or(-1, |i| ranks[*i]))
                            .collect(),
                    )
                }
            }
            "any" => Array::Bool(
                lines()?
                    .iter()
                    .map(|l| l.iter().any(|i| arg(0).bool()[*i]))
                    .collect(),
            ),
            "all" => Array::Bool(
                lines()?
                    .iter()
                    .map(|l| l.iter().all(|i| arg(0).bool()[*i]))
                    .collect(),
            ),
            "count" => Array::Int(
                lines()?
                    .iter()
                    .map(|l| l.iter().filter(|i| arg(0).bool()[**i]).count() as i64)
                    .collect(),
            ),
            name @ ("max_over" | "min_over") => {
                let x = arg(0).num();
                let largest = name == "max_over";
                let best = |line: &Vec<usize>| {
                    let start = c(
                        if largest {
                            f64::NEG_INFINITY
                        } else {
                            f64::INFINITY
                        },
                        0.0,
                    );
                    line.iter().map(|i| x[*i]).fold(start, |a, b| {
                        let better = if largest { b.re > a.re } else { b.re < a.re };
                        if !a.re.is_nan() && (better || b.re.is_nan()) {
                            b
                        } else {
                            a
                        }
                    })
                };
                Array::Num(lines()?.iter().map(best).collect())
            }
            "logsumexp" => {
                let x = arg(0).num();
                let one = |line: &Vec<usize>| {
                    let top = line
                        .iter()
                        .map(|i| x[*i].re)
                        .fold(f64::NEG_INFINITY, f64::max);
                    let sum = line
                        .iter()
                        .fold(c(0.0, 0.0), |s, i| s + (x[*i] - c(top, 0.0)).exp());
                    sum.ln() + c(top, 0.0)
                };
                Array::Num(lines()?.iter().map(one).collect())
            }
            name @ ("bin_index" | "nearest_edge") => {
                let lanes = space(1).prefix(space(1).depth() - 1);
                let flat = self.flat(&lanes);
                let per_lane = arg(1).len() / flat.len().max(1);
                let at = self.coordinates(&space(0));
                let of = |(at, x): (&Coordinates, &C)| {
                    let lane = flat[&at[..lanes.depth()]];
                    let edges: Vec<f64> = arg(1).num()[lane * per_lane..(lane + 1) * per_lane]
                        .iter()
                        .map(|e| e.re)
                        .collect();
                    if name == "bin_index" {
                        bin(
                            x.re,
                            &edges,
                            attrs.int("flow").unwrap_or(0),
                            attrs.int("closed") == Some(1),
                        )
                    } else if x.re.is_nan() {
                        -1
                    } else {
                        let mut best = 0;
                        for k in 1..edges.len() {
                            if (x.re - edges[k]).abs() < (x.re - edges[best]).abs() {
                                best = k;
                            }
                        }
                        best as i64
                    }
                };
                Array::Int(at.iter().zip(arg(0).num()).map(of).collect())
            }
            "contract" => {
                let (a, b) = (space(0), space(1));
                let to = self.flat(&out);
                let mut sums = vec![C::from(0.0); to.len()];
                let (at_a, at_b) = (self.coordinates(&a), self.coordinates(&b));
                for (p, x) in at_a.iter().zip(arg(0).num()) {
                    for (q, y) in at_b.iter().zip(arg(1).num()) {
                        let agree = a
                            .iter()
                            .enumerate()
                            .all(|(i, l)| b.position(l).is_none_or(|j| p[i] == q[j]));
                        if agree {
                            let at: Coordinates = out
                                .iter()
                                .map(|l| {
                                    a.position(l)
                                        .map_or_else(|| q[b.position(l).expect("in one")], |i| p[i])
                                })
                                .collect();
                            let s = &mut sums[to[&at]];
                            *s = *s + *x * *y;
                        }
                    }
                }
                Array::Num(sums)
            }
            _ => return None,
        })
    }
}

fn offsets(counts: &[i64]) -> Array {
    let mut out = vec![0];
    for n in counts {
        out.push(out[out.len() - 1] + n);
    }
    Array::Int(out)
}

fn bin(x: f64, edges: &[f64], flow: i64, closed: bool) -> i64 {
    let bins = edges.len() as i64 - 1;
    let (low, high) = (edges[0], edges[edges.len() - 1]);
    let first = i64::from(flow == 2);
    if x.is_nan() {
        return if flow == 2 { bins + 1 } else { -1 };
    }
    if closed && x == high {
        return bins - 1 + first;
    }
    if x < low || x >= high {
        return match (flow, x < low) {
            (0, _) => -1,
            (_, true) => 0,
            (1, false) => bins - 1,
            (_, false) => bins + 1,
        };
    }
    edges
        .windows(2)
        .position(|w| w[0] <= x && x < w[1])
        .map_or(-1, |k| k as i64)
        + first
}
