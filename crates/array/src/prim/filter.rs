//! Filters: a mask makes a ragged level of the elements for which it holds, and the index that gathers them.

use std::cell::RefCell;

use pullback_ad::isa::Isa;

use super::along::expect_structure;
use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::{Axis, Io, Kernel, LowerCx};
use crate::primitive::{Nature, Primitive, PrimitiveRef, ill_formed};
use crate::program::{Node, Program};
use crate::sample::{Sample, Sampler};
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// Number of elements, summed up, for which a mask holds in each segment of its last level.
pub struct FilterOffsets;

/// Positions of the elements for which a mask holds.
pub struct FilterIndex;

thread_local! {
    /// How many elements hold before each element of a block; grown once per thread, then reused.
    static BEFORE: RefCell<Vec<i64>> = const { RefCell::new(vec![]) };
}

/// Positions of the bits that are set in a byte, the lowest first.
static SET: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut n) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                table[byte][n] = bit as u8;
                n += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    table
};

/// Writes the positions of the elements that hold to `out[n..]`; returns the new `n`. Eight elements at a time, without a branch on them: eight positions are
/// written, those that are too much are overwritten by the next.
#[inline(always)]
#[allow(
    clippy::extra_unused_type_parameters,
    reason = "the instruction set tells the compiled instances apart"
)]
fn compress_body<I: Isa>(mask: &[u8], out: &mut [i64], mut n: usize) -> usize {
    let (words, rest) = mask.as_chunks::<8>();
    let mut first = 0_i64;
    for word in words {
        // Bit j of the key is byte j of the word: each product puts one byte into the top byte.
        let key = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        let set = &SET[key as usize];
        if let Some(out) = out.get_mut(n..n + 8) {
            for (o, s) in out.iter_mut().zip(set) {
                *o = first + i64::from(*s);
            }
            n += key.count_ones() as usize;
        } else {
            for s in &set[..key.count_ones() as usize] {
                out[n] = first + i64::from(*s);
                n += 1;
            }
        }
        first += 8;
    }
    for (i, m) in (first..).zip(rest) {
        if *m != 0 {
            out[n] = i;
            n += 1;
        }
    }
    n
}

pullback_ad::multiversion! {
    fn compress_here, compress_at(mask: &[u8], out: &mut [i64], n: usize) -> usize = compress_body;
}

/// The path below which the elements go that a mask keeps: elements of a stream become children of themselves (one or none), so that the stream stays the
/// root of the program; elements of another level stay below the same parent.
fn parent(primitive: &'static str, program: &Program, mask: Type) -> Result<Space> {
    if mask.dtype != DType::Bool {
        return Err(Error::DType {
            primitive,
            index: 0,
            found: mask.dtype.to_string(),
            expected: DType::Bool.to_string(),
        });
    }
    match mask.space.last() {
        None => Err(ill_formed(
            primitive,
            "a single mask filters nothing; use `select`",
        )),
        Some(level) if program.level(level).kind == LevelKind::Stream => Ok(mask.space),
        Some(_) => Ok(mask.space.prefix(mask.space.depth() - 1)),
    }
}

/// The segments of a mask: those of its last level, or none where each element of a stream is one.
fn segments_of(primitive: &'static str, cx: &LowerCx<'_>) -> Result<Option<Axis>> {
    let mask = cx.arg(0);
    if parent(primitive, cx.program(), mask)? == mask.space {
        return Ok(None);
    }
    let axis = mask.space.last().and_then(|last| cx.axis(mask.space, last));
    axis.map(Some)
        .ok_or_else(|| ill_formed(primitive, "expects a mask along a level"))
}

impl Primitive for FilterOffsets {
    fn name(&self) -> &'static str {
        "filter_offsets"
    }

    fn doc(&self) -> &'static str {
        "Offsets of the level that a mask selects from its last level: as many children as elements for which it holds."
    }

    fn convention(&self) -> &'static str {
        "A filter of a stream gives each element one child or none. No derivative: what a cut lets through changes by jumps."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        let [mask] = args else {
            return Err(ill_formed(self.name(), "expects one mask"));
        };
        parent(self.name(), program, *mask).map(|space| vec![Type::new(DType::Offsets, space)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let axis = segments_of(self.name(), cx)?;
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let (mask, out) = (io.arg::<u8>(0), io.out::<i64>(0));
            let mut total = 0;
            out[0] = 0;
            match axis {
                None => {
                    for (o, m) in out[1..].iter_mut().zip(mask) {
                        total += i64::from(*m);
                        *o = total;
                    }
                }
                Some(axis) => {
                    let segments = io.segments(&axis);
                    // Segments are short: a loop over each would end in a mispredicted branch.
                    BEFORE.with_borrow_mut(|before| {
                        if before.len() <= mask.len() {
                            before.resize(mask.len() + 1, 0);
                        }
                        for (b, m) in before[1..].iter_mut().zip(mask) {
                            total += i64::from(*m);
                            *b = total;
                        }
                        for (s, o) in out[1..].iter_mut().enumerate() {
                            *o = before[segments.range(s).1];
                        }
                    });
                }
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![Sample::special(
            "some, none, all",
            &[0.0, 1.0, 1.0, 1.0, 3.0],
            |s| {
                let level = s.ragged("muons", s.b.stream("events"), &[0, 2, 3, 3, 5]);
                let mask = s.bool("mask", level, &[false, true, false, true, true]);
                s.b.push(super::FILTER_OFFSETS, &[mask], Attrs::NONE)
                    .first(&s.b)
            },
        )]
    }
}

impl Primitive for FilterIndex {
    fn name(&self) -> &'static str {
        "filter_index"
    }

    fn doc(&self) -> &'static str {
        "Positions, for a gather, of the elements for which a mask holds; `to` is the path whose last level has the offsets of `filter_offsets`."
    }

    fn convention(&self) -> &'static str {
        "In the order of the elements; counted from the start of the block. No derivative."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn numbers(&self, program: &Program, node: &Node) -> Option<LevelId> {
        program.ty(node.args[0]).space.last()
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let ([mask], Some(to)) = (args, attrs.space("to")) else {
            return Err(ill_formed(self.name(), "expects one mask and a space `to`"));
        };
        expect_structure(
            self.name(),
            program,
            to,
            parent(self.name(), program, *mask)?,
            super::FILTER_OFFSETS,
        )?;
        Ok(vec![Type::new(DType::I64, to)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let mask = cx.arg(0).space;
        let axis = mask.last().and_then(|last| cx.axis(mask, last));
        let axis = axis.ok_or_else(|| ill_formed(self.name(), "expects a mask along a level"))?;
        let _ = compress_here;
        let compress = compress_at(cx.isa());
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let (mask, out) = (io.arg::<u8>(0), io.out::<i64>(0));
            // As a gather counts: within the segment of a dense level or a stream, within the lane of a ragged one.
            let lane = io.segments(&axis).per_lane();
            if out.is_empty() {
                return Ok(());
            }
            let mut n = 0;
            for chunk in mask.chunks(lane.max(1)) {
                n = compress(chunk, out, n);
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        // The index itself depends on blocks; what it gathers does not.
        fn kept<'b>(s: &'b Sampler, space: Space, mask: &[bool]) -> Sym<'b> {
            let table: Vec<f64> = (0..mask.len()).map(|k| k as f64).collect();
            let (_, index) = s.bool("mask", space, mask).filter("kept");
            s.f64("table", space, &table).at(index)
        }
        vec![
            Sample::special("of segments", &[1.0, 3.0, 4.0], |s| {
                kept(
                    s,
                    s.ragged("muons", s.b.stream("events"), &[0, 2, 3, 3, 5]),
                    &[false, true, false, true, true],
                )
            }),
            Sample::special("of a stream", &[1.0, 2.0], |s| {
                kept(s, s.b.stream("events"), &[false, true, true])
            }),
            Sample::special("of rows", &[1.0, 2.0, 3.0], |s| {
                let (a, b) = (s.b.dense_of("a", 2), s.b.dense_of("b", 2));
                kept(s, s.b.join(a, b), &[false, true, true, true])
            }),
            Sample::special("nothing", &[], |s| {
                kept(s, s.b.dense("bins"), &[false, false])
            }),
        ]
    }
}

/// Records a filter: the path of what is kept and the index that gathers it.
pub(crate) fn filter<'b>(b: &'b Builder, mask: Sym<'b>, name: &str) -> (Space, Sym<'b>) {
    let offsets: PrimitiveRef = super::FILTER_OFFSETS;
    let offsets = b.push(offsets, &[mask], Attrs::NONE).first(b);
    if b.failure().is_some() {
        return (mask.space(), mask);
    }
    let space = b.ragged_by(name, offsets);
    (
        space,
        b.push(super::FILTER_INDEX, &[mask], Attrs::to(space))
            .first(b),
    )
}
