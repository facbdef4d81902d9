//! Which elements of a program's values are known to be 0 or 1 whatever the inputs are: what partial evaluation drops from sums and products.
//!
//! Exact zeros win here over what IEEE arithmetic would make of 0·inf and 0·NaN: the entry of a model that a coefficient of 0 switches off has no effect,
//! also where the switched-off part is not finite.

use std::collections::HashMap;

use pullback_ad::{Binary, Unary};

use crate::attr::Data;
use crate::prim;
use crate::program::{Node, Program, ValueId};
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::DType;

/// What is known of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Nothing,
    Zero,
    One,
}
use Known::{Nothing, One, Zero};

/// Sizes and element maps of spaces whose structure is constant.
pub(super) struct Layout<'p> {
    program: &'p Program,
    /// Number of elements of a level: of one segment for a dense one, of all for a ragged one.
    dims: Vec<Option<usize>>,
    /// For a ragged level: the parent of each element, and the number of parents.
    parents: HashMap<LevelId, (Vec<usize>, usize)>,
}

impl<'p> Layout<'p> {
    pub fn new(program: &'p Program) -> Self {
        let mut dims = Vec::new();
        let mut parents = HashMap::new();
        for (k, level) in program.levels().iter().enumerate() {
            dims.push(match level.kind {
                LevelKind::Dense => level.len,
                LevelKind::Ragged { offsets, .. } => match program.node(offsets).attrs.data("data")
                {
                    Some(Data::I64(d)) => {
                        let count = d.len() - 1;
                        let of = (0..count)
                            .flat_map(|p| std::iter::repeat_n(p, (d[p + 1] - d[p]) as usize))
                            .collect();
                        parents.insert(LevelId(k as u16), (of, count));
                        d.last().map(|n| *n as usize)
                    }
                    _ => None,
                },
                LevelKind::Stream | LevelKind::Batch => None,
            });
        }
        Self {
            program,
            dims,
            parents,
        }
    }

    pub fn dim(&self, level: LevelId) -> Option<usize> {
        self.dims[usize::from(level.0)]
    }

    /// Number of elements of a path.
    pub fn elements(&self, space: &Space) -> Option<usize> {
        crate::exec::counted(self.program, space)
            .into_iter()
            .map(|l| self.dim(l))
            .try_fold(1_usize, |n, d| d.map(|d| n * d))
    }

    /// Elements below one element of the level at depth `k`, for a level on which nothing ragged hangs.
    pub fn below(&self, space: &Space, k: usize) -> Option<usize> {
        let mut tail = Space::SCALAR;
        for level in space.iter().skip(k + 1) {
            tail = tail.child(level)?;
        }
        self.elements(&tail)
    }

    /// The number along the level at depth `k` of element `e`.
    pub fn row(&self, space: &Space, k: usize, e: usize) -> Option<usize> {
        let dim = self.dim(space.level(k)?)?;
        Some((e / self.below(space, k)?) % dim)
    }

    /// For each element of `space`, the element of the path without the level at depth `k` that it lies below.
    fn without(&self, space: &Space, k: usize) -> Option<Vec<usize>> {
        let (count, below, level) = (
            self.elements(space)?,
            self.below(space, k)?,
            space.level(k)?,
        );
        let dim = self.dim(level)?;
        Some(match self.parents.get(&level) {
            None => (0..count)
                .map(|e| e / (below * dim) * below + e % below)
                .collect(),
            Some((of, parents)) => (0..count)
                .map(|e| {
                    let row = e / below;
                    (row / dim * parents + of[row % dim]) * below + e % below
                })
                .collect(),
        })
    }

    /// For each element of `space`, the element of its beginning `to` that it lies below.
    fn prefix(&self, space: &Space, to: &Space) -> Option<Vec<usize>> {
        let mut map: Vec<usize> = (0..self.elements(space)?).collect();
        let mut path = *space;
        while path != *to {
            let k = path.depth().checked_sub(1)?;
            let up = self.without(&path, k)?;
            for e in &mut map {
                *e = up[*e];
            }
            path = path.prefix(k);
        }
        Some(map)
    }
}

/// What is known of the elements of every value; `None` where nothing is.
pub(super) fn known(program: &Program, layout: &Layout<'_>) -> Vec<Option<Vec<Known>>> {
    let mut all: Vec<Option<Vec<Known>>> = vec![None; program.value_count()];
    for node in program.nodes() {
        if node.outputs == 1 && program.ty(node.first).dtype == DType::F64 {
            let found = of_node(program, layout, &all, node);
            all[node.first.index()] = found.filter(|k| k.iter().any(|k| *k != Nothing));
        }
    }
    all
}

fn number(x: f64) -> Known {
    if x == 0.0 {
        Zero
    } else if x == 1.0 {
        One
    } else {
        Nothing
    }
}

fn of_node(
    program: &Program,
    layout: &Layout<'_>,
    all: &[Option<Vec<Known>>],
    node: &Node,
) -> Option<Vec<Known>> {
    let space = program.ty(node.first).space;
    let arg = |i: usize| node.args.get(i).and_then(|a| all[a.index()].as_deref());
    if node.primitive == prim::CONST {
        return Some(vec![number(node.attrs.f64("value")?)]);
    }
    if node.primitive == prim::DATA {
        let Data::F64(d) = node.attrs.data("data")? else {
            return None;
        };
        return Some(d.iter().map(|x| number(*x)).collect());
    }
    if node.primitive == prim::EXPAND {
        let (from, k) = (arg(0)?, space.position(node.attrs.level("over")?)?);
        return Some(
            layout
                .without(&space, k)?
                .into_iter()
                .map(|e| from[e])
                .collect(),
        );
    }
    if node.primitive == prim::SPLAT {
        let from = arg(0)?;
        return Some(
            layout
                .prefix(&space, &program.ty(node.args[0]).space)?
                .into_iter()
                .map(|e| from[e])
                .collect(),
        );
    }
    if node.primitive == prim::SUM || node.primitive == prim::TOTAL {
        // A sum of zeros is zero.
        let source = program.ty(node.args[0]).space;
        let map = match node.attrs.level("over") {
            Some(over) => layout.without(&source, source.position(over)?)?,
            None => layout.prefix(&source, &space)?,
        };
        let mut out = vec![Zero; layout.elements(&space)?];
        for (e, k) in map.into_iter().zip(arg(0)?) {
            if *k != Zero {
                out[e] = Nothing;
            }
        }
        return Some(out);
    }
    if node.primitive == prim::GATHER {
        let (from, table) = (arg(0)?, program.ty(node.args[0]).space);
        let Data::I64(index) = program.node(node.args[1]).attrs.data("data")? else {
            return None;
        };
        // A plain table only: one level, no lanes.
        (table.depth() == 1 && layout.parents.is_empty() || table.depth() == 1).then_some(())?;
        return Some(
            index
                .iter()
                .map(|i| {
                    usize::try_from(*i)
                        .ok()
                        .and_then(|i| from.get(i))
                        .copied()
                        .unwrap_or(Nothing)
                })
                .collect(),
        );
    }
    if !node.primitive.is_elementwise() {
        return power(node, arg(0)?);
    }
    elementwise(node, arg(0), arg(1), arg(2))
}

fn power(node: &Node, x: &[Known]) -> Option<Vec<Known>> {
    let positive = match node.primitive.name() {
        "powi" => node.attrs.int("n")? > 0,
        "powf" => node.attrs.f64("value")? > 0.0,
        _ => return None,
    };
    Some(
        x.iter()
            .map(|k| if *k == Zero && !positive { Nothing } else { *k })
            .collect(),
    )
}

fn elementwise(
    node: &Node,
    a: Option<&[Known]>,
    b: Option<&[Known]>,
    c: Option<&[Known]>,
) -> Option<Vec<Known>> {
    let n = a.or(b).or(c)?.len();
    let at = |x: Option<&[Known]>, i: usize| x.map_or(Nothing, |x| x[i]);
    if node.primitive == prim::SELECT {
        return Some(
            (0..n)
                .map(|i| {
                    if at(b, i) == at(c, i) {
                        at(b, i)
                    } else {
                        Nothing
                    }
                })
                .collect(),
        );
    }
    if node.primitive == prim::STOP_GRADIENT {
        return a.map(<[Known]>::to_vec);
    }
    if let Some(f) = Unary::ALL
        .iter()
        .copied()
        .find(|f| prim::unary::unary(*f) == node.primitive)
    {
        return Some(a?.iter().map(|k| unary(f, *k)).collect());
    }
    let f = Binary::ALL
        .iter()
        .copied()
        .find(|f| prim::binary::binary(*f) == node.primitive)?;
    Some((0..n).map(|i| binary(f, at(a, i), at(b, i))).collect())
}

/// A function at 0 and 1, where the value is exact.
fn unary(f: Unary, k: Known) -> Known {
    match (f, k) {
        (
            Unary::Neg
            | Unary::Sin
            | Unary::Tan
            | Unary::Asin
            | Unary::Atan
            | Unary::Sinh
            | Unary::Tanh
            | Unary::Asinh
            | Unary::Atanh
            | Unary::Expm1
            | Unary::Ln1p
            | Unary::Erf,
            Zero,
        )
        | (Unary::Ln, One) => Zero,
        (
            Unary::Abs
            | Unary::Square
            | Unary::Sqrt
            | Unary::Cbrt
            | Unary::Sign
            | Unary::Floor
            | Unary::Ceil
            | Unary::Round,
            known,
        ) => known,
        (Unary::Exp | Unary::Cos | Unary::Cosh, Zero) | (Unary::Recip, One) => One,
        _ => Nothing,
    }
}

fn binary(f: Binary, a: Known, b: Known) -> Known {
    match (f, a, b) {
        (Binary::Mul | Binary::Div | Binary::Xlogy, Zero, _)
        | (Binary::Mul, _, Zero)
        | (Binary::Add | Binary::Sub, Zero, Zero)
        | (Binary::Sub, One, One) => Zero,
        (Binary::Mul | Binary::Div, One, One)
        | (Binary::Add, Zero, One)
        | (Binary::Add | Binary::Sub, One, Zero)
        | (Binary::Pow, One, _)
        | (Binary::Pow, _, Zero) => One,
        _ => Nothing,
    }
}

/// The known elements of a value, or nothing.
pub(super) fn at(all: &[Option<Vec<Known>>], v: ValueId, e: usize) -> Known {
    all[v.index()]
        .as_ref()
        .and_then(|k| k.get(e))
        .copied()
        .unwrap_or(Nothing)
}
