//! Reading elements at indices.

use pullback_ad::isa::Isa;

use super::places::Places;
use crate::attr::{Attrs, Data};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::{Axis, Element, Io, Kernel, LenId, LowerCx, Run};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// `out[i.., q] = table[.., index[i..], q]`.
pub struct Gather;

/// The path of the gathered values: the index's path, then what stands below the level in the table.
pub(crate) fn gathered(
    primitive: &'static str,
    program: &Program,
    table: Space,
    index: Space,
    over: LevelId,
) -> Result<Space> {
    let Some(k) = table.position(over) else {
        let (level, space) = (&program.level(over).name, program.space_name(&table));
        return Err(ill_formed(
            primitive,
            format!("the table lives in [{space}], which has no level `{level}`"),
        ));
    };
    if index.prefix(k) != table.prefix(k) {
        let (t, i) = (
            program.space_name(&table.prefix(k)),
            program.space_name(&index),
        );
        return Err(ill_formed(
            primitive,
            format!("the index lives in [{i}], which does not begin with [{t}]"),
        ));
    }
    let mut out = index;
    for level in table.iter().skip(k + 1) {
        if matches!(program.level(level).kind, LevelKind::Ragged { .. }) {
            return Err(ill_formed(
                primitive,
                "a ragged level hangs below the gathered one",
            ));
        }
        out = out
            .child(level)
            .ok_or_else(|| ill_formed(primitive, "too many levels"))?;
    }
    Ok(out)
}

/// Where the elements of a table start that an index refers to: lanes stand before the level, whose elements are counted from the start of the block.
#[derive(Clone, Copy)]
pub(crate) struct Lanes {
    axis: Axis,
    index: LenId,
    /// Levels before the one that is read, or before the parents of a ragged one: each of their elements is a lane.
    pub(crate) depth: usize,
}

impl Lanes {
    pub(crate) fn new(cx: &LowerCx<'_>, table: Space, index: Space, over: LevelId) -> Option<Self> {
        let parents = match cx.program().level(over).kind {
            LevelKind::Ragged { parent, .. } => parent.depth(),
            _ => 0,
        };
        Some(Self {
            axis: cx.axis(table, over)?,
            index: cx.len(index),
            depth: table.position(over)?.checked_sub(parents)?,
        })
    }

    /// (lanes, elements of the level per lane, contiguous values per element).
    pub(crate) fn get(&self, io: &Io<'_>) -> (usize, usize, usize) {
        let segments = io.segments(&self.axis);
        let (lanes, per_lane) = match segments.offsets {
            Some(o) => (
                (segments.count).checked_div(o.len() - 1).unwrap_or(0),
                o[o.len() - 1] as usize,
            ),
            None => (segments.count, segments.dense),
        };
        (lanes, per_lane, segments.inner)
    }

    /// The index (argument 1) of one lane.
    pub(crate) fn index(&self, io: &Io<'_>, lanes: usize, lane: usize) -> std::ops::Range<usize> {
        if lanes == 1 {
            0..io.len(self.index)
        } else {
            // The number of indices may differ from lane to lane: a filter of rows.
            io.position(1, self.depth, lane)..io.position(1, self.depth, lane + 1)
        }
    }
}

impl Primitive for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn doc(&self) -> &'static str {
        "The elements of a table (argument 0) at indices along the level `over` (argument 1): out[i, q] = table[index[i], q]."
    }

    fn convention(&self) -> &'static str {
        "A negative index (nothing found) gives NaN, false or -1 and carries no derivative; an index past the end is an error."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let ([table, index], Some(over)) = (args, attrs.level("over")) else {
            return Err(ill_formed(
                self.name(),
                "expects a table, an index and a level `over`",
            ));
        };
        if index.dtype != DType::I64 {
            return Err(Error::DType {
                primitive: self.name(),
                index: 1,
                found: index.dtype.to_string(),
                expected: "i64".into(),
            });
        }
        gathered(self.name(), program, table.space, index.space, over)
            .map(|space| vec![Type::new(table.dtype, space)])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Ok(vec![tangents[0].map(|t| {
            cx.push(super::GATHER, &[t, call.args[1]], call.attrs.clone())
                .first(cx)
        })])
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        _linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (table, attrs) = (call.args[0].space(), call.attrs.clone());
        let attrs = attrs.with("to", crate::attr::Attr::Space(table));
        Ok(vec![
            cotangents[0].map(|c| {
                cx.push(super::SCATTER_ADD, &[c, call.args[1]], attrs)
                    .first(cx)
            }),
            None,
        ])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let Some(over) = cx.attrs().level("over") else {
            return Err(ill_formed(self.name(), "expects a level `over`"));
        };
        let lanes = Lanes::new(cx, cx.arg(0).space, cx.arg(1).space, over)
            .ok_or_else(|| ill_formed(self.name(), "the level is not on the path"))?;
        if let (Some(kernel), true) = (constant(cx), cx.arg(0).space.depth() == 1) {
            return Ok(kernel);
        }
        let _ = pick::<f64>;
        let isa = cx.isa();
        Ok(match cx.out(0).dtype {
            DType::F64 => Kernel::Run(kernel(lanes, f64::NAN, pick_at(isa))),
            DType::I64 => Kernel::Run(kernel(lanes, -1_i64, pick_at(isa))),
            DType::Bool => Kernel::Run(kernel(lanes, 0_u8, pick_at(isa))),
            other => {
                return Err(ill_formed(
                    self.name(),
                    format!("{other} is not supported; convert it with `cast`"),
                ));
            }
        })
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("from a small table", |s| {
                let (bins, events) = (s.b.dense("bins"), s.b.stream("events"));
                let table = s.f64("table", bins, &[1.0, 2.0, 4.0]);
                table.gather(s.i64("index", events, &[2, 0, 0, 1]))
            }),
            Sample::generic("rows of a table", |s| {
                let (a, b) = (s.b.dense_of("a", 2), s.b.dense_of("b", 3));
                let table = s.f64("table", s.b.join(a, b), &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
                table.gather_over(
                    a.last().unwrap_or(LevelId(0)),
                    s.i64("index", s.b.dense("n"), &[1, 1, 0, 1]),
                )
            }),
            Sample::special("nothing found", &[f64::NAN, 1.0], |s| {
                s.f64("table", s.b.dense("bins"), &[1.0, 2.0]).gather(s.i64(
                    "index",
                    s.b.dense("n"),
                    &[-1, 0],
                ))
            }),
        ]
    }
}

/// `out[i] = table[index[i]]`, `missing` where the index is negative; returns the first index past the end.
///
/// Four at a time with plain loads, which are as fast as vector gathers or faster.
#[inline(always)]
#[allow(
    clippy::extra_unused_type_parameters,
    reason = "the instruction set tells the compiled instances apart"
)]
fn pick_body<I: Isa, T: Element>(
    table: &[T],
    index: &[i64],
    out: &mut [T],
    missing: T,
) -> Option<i64> {
    let one = |o: &mut T, i: i64| {
        *o = match table.get(i as usize) {
            Some(x) => *x,
            None if i < 0 => missing,
            None => return false,
        };
        true
    };
    let ((outs, out), (indices, index)) = (out.as_chunks_mut::<4>(), index.as_chunks::<4>());
    for (o, i) in outs.iter_mut().zip(indices) {
        if let (Some(a), Some(b), Some(c), Some(d)) = (
            table.get(i[0] as usize),
            table.get(i[1] as usize),
            table.get(i[2] as usize),
            table.get(i[3] as usize),
        ) {
            *o = [*a, *b, *c, *d];
        } else {
            for (o, i) in o.iter_mut().zip(i) {
                if !one(o, *i) {
                    return Some(*i);
                }
            }
        }
    }
    for (o, i) in out.iter_mut().zip(index) {
        if !one(o, *i) {
            return Some(*i);
        }
    }
    None
}

pullback_ad::multiversion! {
    fn pick, pick_at[T: Element](table: &[T], index: &[i64], out: &mut [T], missing: T) -> Option<i64> = pick_body;
}

fn kernel<T: Element + Send + Sync>(lanes: Lanes, missing: T, pick: Pick<T>) -> Box<dyn Run> {
    Box::new(move |io: &Io<'_>| gather::<T>(io, &lanes, missing, pick))
}

/// The kernel for indices that are constants and stand in stretches, into a table of doubles of one level.
fn constant(cx: &LowerCx<'_>) -> Option<Kernel> {
    let Some(Data::I64(index)) = cx.constant(1).filter(|_| cx.out(0).dtype == DType::F64) else {
        return None;
    };
    let places = Places::new(index);
    // Single elements are read as fast, or faster, by the loop for given indices.
    if !places.has_runs() {
        return None;
    }
    let all = places.fills(index.len());
    Some(Kernel::Run(Box::new(move |io: &Io<'_>| {
        let out = io.out::<f64>(0);
        if !all {
            out.fill(f64::NAN);
        }
        places.read(io.arg(0), out)
    })))
}

/// The loop over single elements for one instruction set.
type Pick<T> = fn(&[T], &[i64], &mut [T], T) -> Option<i64>;

fn gather<T: Element>(
    io: &Io<'_>,
    lanes: &Lanes,
    missing: T,
    pick: Pick<T>,
) -> std::result::Result<(), String> {
    let (count, per_lane, inner) = lanes.get(io);
    let (table, index, out) = (io.arg::<T>(0), io.arg::<i64>(1), io.out::<T>(0));
    let past_end =
        |i: i64| format!("index {i} is past the end: the level has {per_lane} elements here");
    for lane in 0..count {
        let table = &table[lane * per_lane * inner..(lane + 1) * per_lane * inner];
        let range = lanes.index(io, count, lane);
        let out = &mut out[range.start * inner..range.end * inner];
        let index = &index[range];
        if inner == 1 {
            if let Some(i) = pick(table, index, out, missing) {
                return Err(past_end(i));
            }
            continue;
        }
        for (o, &i) in out.chunks_exact_mut(inner.max(1)).zip(index) {
            match usize::try_from(i) {
                Ok(i) if i < per_lane => o.copy_from_slice(&table[i * inner..(i + 1) * inner]),
                Ok(_) => return Err(past_end(i)),
                Err(_) => o.fill(missing),
            }
        }
    }
    Ok(())
}
