//! Regions at run time: arguments of a kernel as columns, lane by lane, and memory that is reused.

use std::sync::{Mutex, PoisonError};

use super::signature::Signature;
use crate::exec::{Column, Io, LenId, LowerCx};
use crate::ty::DType;

/// Things that one run at a time uses and the next one uses again.
pub struct Pool<T>(Mutex<Vec<T>>);

impl<T> Pool<T> {
    /// With one of them.
    pub fn new(first: T) -> Self {
        Self(Mutex::new(vec![first]))
    }

    /// Runs `f` with one of them; `make` makes another where all are in use.
    pub fn with<R>(
        &self,
        make: impl FnOnce() -> Result<T, String>,
        f: impl FnOnce(&mut T) -> Result<R, String>,
    ) -> Result<R, String> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = lock().pop();
        let mut item = match taken {
            Some(item) => item,
            None => make()?,
        };
        let result = f(&mut item);
        lock().push(item);
        result
    }
}

/// What a kernel needs to know about lanes.
pub struct Lanes {
    count: Option<LenId>,
    laned: Vec<bool>,
    dtypes: Vec<DType>,
}

impl Lanes {
    /// From the node that is lowered.
    pub fn new(cx: &LowerCx<'_>, signature: &Signature) -> Self {
        let count = (!signature.lanes.is_scalar()).then(|| cx.len(signature.lanes));
        Self {
            count,
            laned: signature.laned.clone(),
            dtypes: (0..signature.laned.len())
                .map(|i| cx.arg(i).dtype)
                .collect(),
        }
    }

    /// Whether any of these arguments differs between lanes.
    pub fn differ(&self, mut arguments: std::ops::Range<usize>) -> bool {
        arguments.any(|i| self.laned[i])
    }

    /// The arguments in the current block.
    pub fn arguments<'a>(&'a self, io: &Io<'a>) -> Arguments<'a> {
        let columns = self
            .dtypes
            .iter()
            .enumerate()
            .map(|(i, dtype)| match dtype {
                DType::F64 => Argument::F64(io.arg(i)),
                DType::F32 => Argument::F32(io.arg(i)),
                DType::I64 => Argument::I64(io.arg(i)),
                DType::I32 => Argument::I32(io.arg(i)),
                DType::U64 => Argument::U64(io.arg(i)),
                DType::Offsets => Argument::Offsets(io.arg(i)),
                DType::Bool => Argument::Bool(io.arg::<u8>(i).iter().map(|b| *b != 0).collect()),
            })
            .collect();
        Arguments {
            count: self.count.map_or(1, |id| io.len(id)),
            laned: &self.laned,
            columns,
        }
    }
}

enum Argument<'a> {
    F64(&'a [f64]),
    F32(&'a [f32]),
    I64(&'a [i64]),
    I32(&'a [i32]),
    U64(&'a [u64]),
    Offsets(&'a [i64]),
    Bool(Vec<bool>),
}

/// Arguments of a kernel.
pub struct Arguments<'a> {
    /// Number of lanes.
    pub count: usize,
    laned: &'a [bool],
    columns: Vec<Argument<'a>>,
}

impl Arguments<'_> {
    /// Argument `i` in a lane.
    pub fn column(&self, i: usize, lane: usize) -> Column<'_> {
        let part = |n: usize| {
            if self.laned[i] {
                part(n, self.count, lane)
            } else {
                0..n
            }
        };
        match &self.columns[i] {
            Argument::F64(d) => Column::F64(&d[part(d.len())]),
            Argument::F32(d) => Column::F32(&d[part(d.len())]),
            Argument::I64(d) => Column::I64(&d[part(d.len())]),
            Argument::I32(d) => Column::I32(&d[part(d.len())]),
            Argument::U64(d) => Column::U64(&d[part(d.len())]),
            Argument::Offsets(d) => Column::Offsets(d),
            Argument::Bool(d) => Column::Bool(&d[part(d.len())]),
        }
    }

    /// Argument `i` in a lane, which is known to be doubles.
    pub fn doubles(&self, i: usize, lane: usize) -> &[f64] {
        match self.column(i, lane) {
            Column::F64(d) => d,
            _ => &[],
        }
    }

    /// Arguments from `first` on in a lane.
    pub fn columns_from(&self, first: usize, lane: usize) -> Vec<Column<'_>> {
        (first..self.columns.len())
            .map(|i| self.column(i, lane))
            .collect()
    }
}

/// Elements of a lane among `n` elements of `count` lanes.
pub fn part(n: usize, count: usize, lane: usize) -> std::ops::Range<usize> {
    let each = n.checked_div(count).unwrap_or(0);
    lane * each..(lane + 1) * each
}
