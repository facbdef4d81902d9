//! The reference interpreter's regions: calls, scans and their adjoints, lane by lane and step by step, everything stored.

use std::collections::HashMap;

use pullback_array::{LevelId, Node, Program, Space};

use super::complex::C;
use super::interpreter::{Array, Interpreter};

impl Array {
    fn slice(&self, from: usize, n: usize) -> Self {
        match self {
            Self::Num(d) => Self::Num(d[from..from + n].to_vec()),
            Self::Int(d) => Self::Int(d[from..from + n].to_vec()),
            Self::Bool(d) => Self::Bool(d[from..from + n].to_vec()),
        }
    }

    fn append(&mut self, other: &Self) {
        match (self, other) {
            (Self::Num(a), Self::Num(b)) => a.extend(b),
            (Self::Int(a), Self::Int(b)) => a.extend(b),
            (Self::Bool(a), Self::Bool(b)) => a.extend(b),
            (a, b) => panic!("{a:?} and {b:?}"),
        }
    }

    fn plus(&self, other: &Self) -> Self {
        Self::Num(
            self.num()
                .iter()
                .zip(other.num())
                .map(|(a, b)| *a + *b)
                .collect(),
        )
    }

    fn zeros_like(&self) -> Self {
        match self {
            Self::Num(d) => Self::Num(vec![C::from(0.0); d.len()]),
            Self::Int(d) => Self::Int(vec![0; d.len()]),
            Self::Bool(d) => Self::Bool(vec![false; d.len()]),
        }
    }

    fn any(&self) -> bool {
        self.bool().contains(&true)
    }
}

/// Pieces next to each other; nothing of no pieces.
fn joined(pieces: &[Array], like: &Array) -> Array {
    let mut out = like.slice(0, 0);
    for p in pieces {
        out.append(p);
    }
    out
}

/// Rows of a lane in the order of the steps.
type Rows = Vec<Array>;

fn rows_of(array: &Array, steps: usize) -> Rows {
    let n = array.len().checked_div(steps).unwrap_or(0);
    (0..steps).map(|k| array.slice(k * n, n)).collect()
}

impl Interpreter<'_> {
    /// The lengths that the arguments of a node tell to the levels of its region; `more` levels stand before those of an input.
    fn inner_dims(&self, body: &Program, node: &Node, first: usize) -> HashMap<LevelId, usize> {
        let mut dims = HashMap::new();
        for ((_, v), arg) in body.inputs().iter().zip(&node.args[first..]) {
            let (inner, outer) = (body.ty(*v).space, self.program.ty(*arg).space);
            for (i, o) in inner.iter().rev().zip(outer.iter().rev()) {
                if let Some(n) = self.dims.get(&o) {
                    dims.insert(i, *n);
                }
            }
        }
        dims
    }

    fn lanes_of(&self, result: Space, inner: usize) -> usize {
        self.coordinates(&result.prefix(result.depth() - inner))
            .len()
    }

    /// Argument `k` in a lane: all of it if it has none.
    fn in_lane(&self, node: &Node, k: usize, inner: usize, lane: usize, lanes: usize) -> Array {
        let array = self.get(node.args[k]);
        if self.program.ty(node.args[k]).space.depth() > inner {
            let n = array.len() / lanes;
            array.slice(lane * n, n)
        } else {
            array.clone()
        }
    }

    fn evaluate(
        &self,
        body: &Program,
        args: &[Array],
        dims: &HashMap<LevelId, usize>,
    ) -> Option<Vec<Array>> {
        let (values, fragile) = super::interpreter::interpret_inside(body, args, dims).ok()?;
        if fragile {
            self.note_fragile();
        }
        Some(values)
    }

    /// The results of a node with regions.
    pub fn region(&self, node: &Node) -> Option<Vec<Array>> {
        match node.primitive.name() {
            "call" | "custom_jvp" | "custom_vjp" => self.call(node),
            "scan" => self.scan(node),
            "scan_adjoint" => self.scan_adjoint(node),
            _ => None,
        }
    }

    fn call(&self, node: &Node) -> Option<Vec<Array>> {
        let body = node.attrs.program("body")?;
        let dims = self.inner_dims(body, node, 0);
        let depth = |k: usize| body.ty(body.inputs()[k].1).space.depth();
        let result = body.ty(body.outputs()[0].1).space.depth();
        let lanes = self.lanes_of(self.program.ty(node.first).space, result);
        let mut out: Option<Vec<Array>> = None;
        for lane in 0..lanes {
            let args: Vec<Array> = (0..node.args.len())
                .map(|k| self.in_lane(node, k, depth(k), lane, lanes))
                .collect();
            let found = self.evaluate(body, &args, &dims)?;
            match &mut out {
                Some(out) => out.iter_mut().zip(&found).for_each(|(o, f)| o.append(f)),
                None => out = Some(found),
            }
        }
        Some(out.unwrap_or_else(|| vec![Array::Num(Vec::new()); body.outputs().len()]))
    }

    fn scan(&self, node: &Node) -> Option<Vec<Array>> {
        let attrs = &node.attrs;
        let body = attrs.program("body")?;
        let (c, m) = (attrs.int("carries")? as usize, attrs.int("xs")? as usize);
        let over = attrs.level("over")?;
        let steps = *self.dims.get(&over)?;
        let dims = self.inner_dims(body, node, 0);
        let depth = |k: usize| body.ty(body.inputs()[k].1).space.depth();
        let outs = body.outputs().len();
        let inner = body.ty(body.outputs()[0].1).space.depth() + usize::from(c == 0);
        let lanes = self.lanes_of(self.program.ty(node.first).space, inner);
        let mut pieces: Vec<Vec<Array>> = vec![Vec::new(); outs + c];
        for lane in 0..lanes {
            let own = |k: usize, more: usize| self.in_lane(node, k, depth(k) + more, lane, lanes);
            let mut carried: Vec<Array> = (0..c).map(|k| own(k, 0)).collect();
            let xs: Vec<Rows> = (c..c + m).map(|k| rows_of(&own(k, 1), steps)).collect();
            let captures: Vec<Array> = (c + m..node.args.len()).map(|k| own(k, 0)).collect();
            let mut ys: Vec<Rows> = vec![Vec::new(); outs - c];
            let mut before: Vec<Rows> = vec![Vec::new(); c];
            let mut last: Option<Vec<Array>> = None;
            for t in 0..steps {
                let k = if attrs.int("reverse")? == 1 {
                    steps - 1 - t
                } else {
                    t
                };
                before
                    .iter_mut()
                    .zip(&carried)
                    .for_each(|(b, c)| b.push(c.clone()));
                let args: Vec<Array> = carried
                    .iter()
                    .cloned()
                    .chain(xs.iter().map(|x| x[k].clone()))
                    .chain(captures.iter().cloned())
                    .collect();
                let runs = attrs.int("running").is_none_or(|r| args[r as usize].any());
                let found = self.evaluate(body, &args, &dims)?;
                for (y, f) in ys.iter_mut().zip(&found[c..]) {
                    y.push(if runs { f.clone() } else { f.zeros_like() });
                }
                if runs {
                    carried = found[..c].to_vec();
                }
                last = Some(found);
            }
            let _ = last;
            if attrs.int("reverse")? == 1 {
                ys.iter_mut().chain(&mut before).for_each(|y| y.reverse());
            }
            let all = carried.into_iter().map(|c| vec![c]).chain(ys).chain(before);
            pieces.iter_mut().zip(all).for_each(|(p, a)| p.extend(a));
        }
        Some(self.assembled(node, &pieces))
    }

    /// Pieces of results as arrays of their types.
    fn assembled(&self, node: &Node, pieces: &[Vec<Array>]) -> Vec<Array> {
        node.results()
            .zip(pieces)
            .map(|(v, p)| {
                let empty = match self.program.ty(v).dtype {
                    pullback_array::DType::I64 => Array::Int(Vec::new()),
                    pullback_array::DType::Bool => Array::Bool(Vec::new()),
                    _ => Array::Num(Vec::new()),
                };
                joined(p, &empty)
            })
            .collect()
    }

    fn scan_adjoint(&self, node: &Node) -> Option<Vec<Array>> {
        let attrs = &node.attrs;
        let int = |name: &str| attrs.int(name).map(|n| n as usize);
        let (step, body) = (attrs.program("step")?, attrs.program("body")?);
        let (n, m, c) = (int("carries")?, int("xs")?, int("cotangents")?);
        let (ys, pulled) = (int("ys")?, int("pulled")?);
        let fixed = step.inputs().len();
        let steps = *self.dims.get(&attrs.level("over")?)?;
        let step_dims = self.inner_dims(step, node, 0);
        let dims = self.inner_dims(body, node, 0);
        let depth = |k: usize| {
            let k = if k < body.inputs().len() {
                k
            } else {
                k - c - ys
            };
            body.ty(body.inputs()[k].1).space.depth()
        };
        let inner = body.ty(body.outputs()[0].1).space.depth() + usize::from(c == 0);
        let lanes = self.lanes_of(self.program.ty(node.first).space, inner);
        let mut pieces: Vec<Vec<Array>> = vec![Vec::new(); body.outputs().len()];
        for lane in 0..lanes {
            let own = |k: usize, more: usize| self.in_lane(node, k, depth(k) + more, lane, lanes);
            let rows = |k: usize| rows_of(&own(k, 1), steps);
            let xs: Vec<Rows> = (n..n + m).map(rows).collect();
            let captures: Vec<Array> = (n + m..fixed).map(|k| own(k, 0)).collect();
            let order: Vec<usize> = if int("reverse")? == 1 {
                (0..steps).rev().collect()
            } else {
                (0..steps).collect()
            };
            let with = |carried: &[Array], k: usize| -> Vec<Array> {
                let rows = xs.iter().map(|x| x[k].clone());
                carried
                    .iter()
                    .cloned()
                    .chain(rows)
                    .chain(captures.iter().cloned())
                    .collect()
            };
            let mut carried: Vec<Array> = (0..n).map(|k| own(k, 0)).collect();
            let mut before = Vec::new();
            for k in &order {
                let args = with(&carried, *k);
                let runs = attrs.int("running").is_none_or(|r| args[r as usize].any());
                if runs {
                    carried = self.evaluate(step, &args, &step_dims)?;
                }
                before.push((*k, args, runs));
            }
            let mut ct: Vec<Array> = (fixed..fixed + c).map(|k| own(k, 0)).collect();
            let ct_ys: Vec<Rows> = (fixed + c..fixed + c + ys).map(rows).collect();
            let stacks: Vec<Rows> = (fixed + c + ys..node.args.len()).map(rows).collect();
            let mut ct_xs: Vec<Rows> = vec![vec![Array::Num(Vec::new()); steps]; pulled];
            let mut sums: Option<Vec<Array>> = None;
            for (k, mut args, runs) in before.into_iter().rev() {
                args.extend(ct.iter().cloned());
                args.extend(ct_ys.iter().map(|y| y[k].clone()));
                let mut found = self.evaluate(body, &args, &dims)?;
                if runs {
                    for (f, s) in found.iter_mut().zip(&stacks) {
                        *f = f.plus(&s[k]);
                    }
                } else {
                    for f in &mut found {
                        *f = f.zeros_like();
                    }
                    found[..c].clone_from_slice(&ct);
                }
                let more = found.split_off(c + pulled);
                sums = Some(match sums {
                    Some(sums) => sums.iter().zip(&more).map(|(a, b)| a.plus(b)).collect(),
                    None => more,
                });
                for (rows, x) in ct_xs.iter_mut().zip(found.split_off(c)) {
                    rows[k] = x;
                }
                ct = found;
            }
            let all = ct.into_iter().map(|c| vec![c]).chain(ct_xs);
            let all = all.chain(sums.into_iter().flatten().map(|s| vec![s]));
            pieces.iter_mut().zip(all).for_each(|(p, a)| p.extend(a));
        }
        Some(self.assembled(node, &pieces))
    }
}
