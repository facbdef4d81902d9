//! What the primitives of dense linear algebra share: where a square matrix stands in a path, and what it acts on.
//!
//! A matrix is the last two levels of a path, as many rows as columns; what stands before are lanes. It acts along one level of another value, and what comes
//! out has the path of that value: the levels of rows and columns count the same things.

use std::cell::RefCell;

use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::{Axis, Io, LowerCx};
use crate::primitive::ill_formed;
use crate::program::Program;
use crate::space::{LevelId, LevelKind, Space};
use crate::transform::LaneCall;
use crate::ty::{DType, Type};

/// Which elements of a matrix are read; the others count as zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All.
    Full,
    /// Those on and below the diagonal.
    Lower,
    /// Those on and above the diagonal.
    Upper,
}

impl Part {
    /// The parameter `part` of a node.
    pub(crate) fn of(primitive: &'static str, attrs: &Attrs) -> Result<Self> {
        match attrs.int("part") {
            Some(0) => Ok(Self::Full),
            Some(1) => Ok(Self::Lower),
            Some(2) => Ok(Self::Upper),
            _ => Err(ill_formed(
                primitive,
                "expects `part`: 0 all, 1 the lower, 2 the upper triangle",
            )),
        }
    }

    /// As the parameter of a node.
    pub(crate) fn attr(self) -> crate::attr::Attr {
        crate::attr::Attr::Int(match self {
            Self::Full => 0,
            Self::Lower => 1,
            Self::Upper => 2,
        })
    }

    /// Columns of row `r` that are read, of `n`.
    pub(crate) fn columns(self, r: usize, n: usize) -> std::ops::Range<usize> {
        match self {
            Self::Full => 0..n,
            Self::Lower => 0..r + 1,
            Self::Upper => r..n,
        }
    }
}

/// A parameter that is 0 or 1.
pub(crate) fn flag(primitive: &'static str, attrs: &Attrs, name: &'static str) -> Result<bool> {
    match attrs.int(name) {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(ill_formed(primitive, format!("expects `{name}`, 0 or 1"))),
    }
}

/// Checks that every argument is of doubles.
pub(crate) fn doubles(primitive: &'static str, args: &[Type], count: usize) -> Result<()> {
    if args.len() != count {
        return Err(ill_formed(
            primitive,
            format!("{} arguments, expected {count}", args.len()),
        ));
    }
    match args.iter().position(|a| a.dtype != DType::F64) {
        None => Ok(()),
        Some(index) => Err(Error::DType {
            primitive,
            index,
            found: args[index].dtype.to_string(),
            expected: DType::F64.to_string(),
        }),
    }
}

/// The levels of rows and columns of a matrix in `space`.
pub(crate) fn square(
    primitive: &'static str,
    program: &Program,
    space: Space,
) -> Result<(LevelId, LevelId)> {
    let depth = space.depth();
    let dense = |l: &LevelId| program.level(*l).kind == LevelKind::Dense;
    let last = |k: usize| depth.checked_sub(k).and_then(|k| space.level(k));
    let (Some(rows), Some(columns)) = (last(2).filter(dense), last(1).filter(dense)) else {
        return Err(ill_formed(
            primitive,
            format!(
                "the matrix lives in [{}], expected two dense levels at the end",
                program.space_name(&space)
            ),
        ));
    };
    let (r, c) = (program.level(rows), program.level(columns));
    match (r.len, c.len) {
        (Some(m), Some(n)) if m != n => Err(ill_formed(
            primitive,
            format!(
                "the matrix has {m} rows (`{}`) and {n} columns (`{}`), expected as many",
                r.name, c.name
            ),
        )),
        _ => Ok((rows, columns)),
    }
}

/// Checks that a matrix in `matrix` can act along the level `over` of a value in `x`: its lanes lead the path, nothing ragged hangs below the level.
pub(crate) fn acts(
    primitive: &'static str,
    program: &Program,
    matrix: Space,
    x: Space,
    over: LevelId,
) -> Result<()> {
    let (rows, _) = square(primitive, program, matrix)?;
    let lanes = matrix.depth() - 2;
    let names = |s: &Space| program.space_name(s);
    if x.prefix(lanes) != matrix.prefix(lanes) {
        return Err(ill_formed(
            primitive,
            format!(
                "the operand lives in [{}], which does not begin with [{}], the lanes of the matrix",
                names(&x),
                names(&matrix.prefix(lanes))
            ),
        ));
    }
    let level = program.level(over);
    let Some(k) = x.position(over).filter(|k| *k >= lanes) else {
        return Err(ill_formed(
            primitive,
            format!(
                "[{}] has no level `{}` after the lanes",
                names(&x),
                level.name
            ),
        ));
    };
    if level.kind != LevelKind::Dense {
        return Err(ill_formed(
            primitive,
            format!(
                "level `{}` is not dense: a matrix acts on a fixed number of elements",
                level.name
            ),
        ));
    }
    let below = |l: LevelId| match program.level(l).kind {
        LevelKind::Ragged { parent, .. } => parent.contains(over),
        kind => kind == LevelKind::Stream,
    };
    if let Some(l) = x.iter().skip(k + 1).find(|l| below(*l)) {
        return Err(ill_formed(
            primitive,
            format!(
                "level `{}` stands below `{}`: a stream or a ragged level must stand before the level that a matrix acts on",
                program.level(l).name,
                level.name
            ),
        ));
    }
    match (level.len, program.level(rows).len) {
        (Some(m), Some(n)) if m != n => Err(ill_formed(
            primitive,
            format!(
                "a matrix of order {n} cannot act on the {m} elements of `{}`",
                level.name
            ),
        )),
        _ => Ok(()),
    }
}

/// The rule of lanes: a matrix without any serves all, otherwise every argument gets them. The first `matrices` arguments belong to the matrix.
pub(crate) fn lanes_of_operand<'b>(
    cx: &'b Builder,
    call: &LaneCall<'_, 'b>,
    matrices: usize,
) -> Result<Vec<Sym<'b>>> {
    let shared = call.lanes[..matrices].iter().all(|l| !l) && call.args[0].space().depth() == 2;
    let args = (0..call.args.len())
        .map(|i| {
            if shared && i < matrices {
                Ok(call.args[i])
            } else {
                call.arg(cx, i)
            }
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(cx.push(call.primitive, &args, call.attrs.clone()).all(cx))
}

/// The matrices of an argument or result: how many, of which order.
#[derive(Clone, Copy)]
pub(crate) struct Square {
    rows: LevelId,
    columns: LevelId,
    /// Number of levels that are lanes.
    pub(crate) lanes: usize,
    /// Whether they begin with a stream.
    streamed: bool,
}

impl Square {
    pub(crate) fn new(primitive: &'static str, cx: &LowerCx<'_>, space: Space) -> Result<Self> {
        let (rows, columns) = square(primitive, cx.program(), space)?;
        Ok(Self {
            rows,
            columns,
            lanes: space.depth() - 2,
            streamed: cx.program().stream_root(&space).is_some(),
        })
    }

    /// The order of the matrices in this run.
    pub(crate) fn order(&self, io: &Io<'_>) -> std::result::Result<usize, String> {
        let (m, n) = (io.dim(self.rows), io.dim(self.columns));
        if m == n {
            Ok(n)
        } else {
            Err(format!(
                "the matrix has {m} rows and {n} columns, expected as many"
            ))
        }
    }

    /// Where matrix number `lane` of argument 0 is, for messages: empty if there is one only. The number in a block says nothing to anybody, so in a stream it is
    /// the element, and the number in it.
    pub(crate) fn place(&self, io: &Io<'_>, lane: usize) -> String {
        if self.lanes == 0 {
            return String::new();
        }
        if !self.streamed {
            return format!(" {lane}");
        }
        let size = (io.dim(self.rows) * io.dim(self.columns)).max(1);
        let first = |element: usize| io.position(0, 1, element) / size;
        let element = (0..io.lanes(0, 1))
            .take_while(|e| first(*e) <= lane)
            .last()
            .unwrap_or(0);
        let event = io.stream_start() + element;
        if self.lanes == 1 {
            format!(" of element {event} of the stream")
        } else {
            format!(
                " {} of element {event} of the stream",
                lane - first(element)
            )
        }
    }
}

/// A matrix that acts along a level of argument `operand`.
#[derive(Clone, Copy)]
pub(crate) struct Action {
    pub(crate) square: Square,
    axis: Axis,
    over: LevelId,
    operand: usize,
    /// Whether the operand comes block by block.
    pub(crate) streamed: bool,
}

/// What one matrix acts on: `count` times `order × inner` elements from `first` on.
#[derive(Clone, Copy)]
pub(crate) struct Operand {
    pub lane: usize,
    pub order: usize,
    pub inner: usize,
    pub first: usize,
    pub end: usize,
}

impl Action {
    pub(crate) fn new(
        primitive: &'static str,
        cx: &LowerCx<'_>,
        matrix: Space,
        operand: usize,
    ) -> Result<Self> {
        let Some(over) = cx.attrs().level("over") else {
            return Err(ill_formed(primitive, "expects a level `over`"));
        };
        let x = cx.arg(operand).space;
        acts(primitive, cx.program(), matrix, x, over)?;
        let axis = cx
            .axis(x, over)
            .ok_or_else(|| ill_formed(primitive, "the level is not on the path"))?;
        Ok(Self {
            square: Square::new(primitive, cx, matrix)?,
            axis,
            over,
            operand,
            streamed: cx.program().stream_root(&x).is_some(),
        })
    }

    /// Order of the matrix, and contiguous elements per element of the level it acts on.
    pub(crate) fn sizes(&self, io: &Io<'_>) -> std::result::Result<(usize, usize), String> {
        let (n, elements) = (self.square.order(io)?, io.dim(self.over));
        if n == elements {
            Ok((n, io.segments(&self.axis).inner))
        } else {
            Err(format!(
                "a matrix of order {n} cannot act on {elements} elements"
            ))
        }
    }

    /// Calls `f` for each matrix with what it acts on.
    pub(crate) fn each(
        &self,
        io: &Io<'_>,
        mut f: impl FnMut(Operand) -> std::result::Result<(), String>,
    ) -> std::result::Result<(), String> {
        let (order, inner) = self.sizes(io)?;
        let (i, depth) = (self.operand, self.square.lanes);
        let count = if depth == 0 { 1 } else { io.lanes(i, depth) };
        for lane in 0..count {
            let (first, end) = if depth == 0 {
                (0, io.arg_len(i))
            } else {
                (io.position(i, depth, lane), io.position(i, depth, lane + 1))
            };
            if first < end && order * inner > 0 {
                f(Operand {
                    lane,
                    order,
                    inner,
                    first,
                    end,
                })?;
            }
        }
        Ok(())
    }
}

thread_local! {
    /// Products that are subtracted, permuted columns; grown once per thread, then reused.
    static SCRATCH: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with `n` elements of any value.
pub(crate) fn with_scratch<R>(n: usize, f: impl FnOnce(&mut [f64]) -> R) -> R {
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < n {
            scratch.resize(n, 0.0);
        }
        f(&mut scratch[..n])
    })
}
