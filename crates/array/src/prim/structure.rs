//! Positions and counts: integers that follow from the structure alone.

use super::along::{axis_of, described};
use crate::attr::Attrs;
use crate::error::{Error, Result};
use crate::exec::{Io, Kernel, LowerCx};
use crate::primitive::{Nature, Primitive, ill_formed};
use crate::program::{Node, Program};
use crate::sample::{Owned, Sample};
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// The number of each element in its segment.
pub struct Position;

/// The number of children of each parent.
pub struct Counts;

/// Positions for a gather from numbers within a segment.
pub struct Locate;

impl Primitive for Position {
    fn name(&self) -> &'static str {
        "position"
    }

    fn doc(&self) -> &'static str {
        "The number of each element of the path `to` along its level `over`: out[p, i, q] = i, counted from 0 in each segment, and from the start of the whole stream for a stream."
    }

    fn convention(&self) -> &'static str {
        "Independent of blocks. Has no arguments. No derivative."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        match (args, attrs.space("to"), attrs.level("over")) {
            ([], Some(to), Some(over)) if to.contains(over) => {
                // Refuses where a ragged level hangs below.
                super::sum::reduced(
                    self.name(),
                    program,
                    &[Type::new(DType::I64, to)],
                    attrs,
                    DType::I64,
                )?;
                Ok(vec![Type::new(DType::I64, to)])
            }
            _ => Err(ill_formed(
                self.name(),
                "expects no argument, a space `to` and one of its levels `over`",
            )),
        }
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (Some(to), Some(over)) = (cx.attrs().space("to"), cx.attrs().level("over")) else {
            return Err(ill_formed(
                self.name(),
                "expects a space `to` and a level `over`",
            ));
        };
        let axis = axis_of(self.name(), cx, to, over)?;
        let stream = cx.program().level(over).kind == LevelKind::Stream;
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let (segments, out) = (io.segments(&axis), io.out::<i64>(0));
            let (inner, start) = (
                segments.inner,
                if stream { io.stream_start() as i64 } else { 0 },
            );
            for s in 0..segments.count {
                let (a, b) = segments.range(s);
                for (k, row) in
                    (start..).zip(out[a * inner..b * inner].chunks_exact_mut(inner.max(1)))
                {
                    row.fill(k);
                }
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::special("in segments", &[0.0, 1.0, 0.0], |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 2, 2, 3]);
                s.b.position(muons, muons.last().unwrap_or(LevelId(0)))
            }),
            Sample::special("along the outer level", &[0.0, 0.0, 1.0, 1.0], |s| {
                let ab = s.b.join(s.b.dense_of("a", 2), s.b.dense_of("b", 2));
                s.b.position(ab, ab.root().unwrap_or(LevelId(0)))
            }),
        ]
    }
}

impl Primitive for Counts {
    fn name(&self) -> &'static str {
        "counts"
    }

    fn doc(&self) -> &'static str {
        "The number of children of each parent of a ragged level (argument: its offsets)."
    }

    fn convention(&self) -> &'static str {
        "0 for an empty segment. No derivative."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, _program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        match args {
            [offsets] if offsets.dtype == DType::Offsets => Ok(vec![offsets.with(DType::I64)]),
            _ => Err(ill_formed(
                self.name(),
                "expects the offsets of a ragged level",
            )),
        }
    }

    fn lower(&self, _cx: &LowerCx<'_>) -> Result<Kernel> {
        Ok(Kernel::Run(Box::new(|io: &Io<'_>| {
            let (offsets, out) = (io.arg::<i64>(0), io.out::<i64>(0));
            for (o, w) in out.iter_mut().zip(offsets.windows(2)) {
                *o = w[1] - w[0];
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![Sample::special("two, none, one", &[2.0, 0.0, 1.0], |s| {
            let offsets = s.column(
                "muons",
                s.b.stream("events"),
                Owned::Offsets(vec![0, 2, 2, 3]),
            );
            s.b.push(super::COUNTS, &[offsets], Attrs::NONE).first(&s.b)
        })]
    }
}

/// How many levels of the index's path stand before the parents of the level it refers to: lanes that share its offsets.
fn lanes_of(index: Space, parents: Space) -> Option<usize> {
    let lanes = parents
        .root()
        .map_or(Some(0), |root| index.position(root))?;
    index
        .iter()
        .skip(lanes)
        .take(parents.depth())
        .eq(parents.iter())
        .then_some(lanes)
}

impl Primitive for Locate {
    fn name(&self) -> &'static str {
        "locate"
    }

    fn doc(&self) -> &'static str {
        "Positions for a gather from numbers within a segment (argument 0), such as those that files keep, and the offsets of the level (argument 1)."
    }

    fn convention(&self) -> &'static str {
        "A negative number (nothing) stays; a number past the end of the segment is an error. Counted from the start of the block. No derivative."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn numbers(&self, program: &Program, node: &Node) -> Option<LevelId> {
        described(program, node.args[1])
    }

    fn infer(&self, program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        let [index, offsets] = args else {
            return Err(ill_formed(
                self.name(),
                "expects numbers and the offsets of a level",
            ));
        };
        for (i, (arg, want)) in [(index, DType::I64), (offsets, DType::Offsets)]
            .into_iter()
            .enumerate()
        {
            if arg.dtype != want {
                return Err(Error::DType {
                    primitive: self.name(),
                    index: i,
                    found: arg.dtype.to_string(),
                    expected: want.to_string(),
                });
            }
        }
        if lanes_of(index.space, offsets.space).is_none() {
            let (i, o) = (
                program.space_name(&index.space),
                program.space_name(&offsets.space),
            );
            return Err(ill_formed(
                self.name(),
                format!("the numbers live in [{i}], which does not begin with [{o}]"),
            ));
        }
        Ok(vec![*index])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (index, offsets) = (cx.arg(0).space, cx.arg(1).space);
        let lanes = lanes_of(index, offsets)
            .ok_or_else(|| ill_formed(self.name(), "the numbers live elsewhere"))?;
        let depth = lanes + offsets.depth();
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let (index, offsets, out) = (io.arg::<i64>(0), io.arg::<i64>(1), io.out::<i64>(0));
            let parents = offsets.len() - 1;
            for p in 0..io.lanes(0, depth) {
                let (a, b) = (io.position(0, depth, p), io.position(0, depth, p + 1));
                let w = &offsets[p % parents.max(1)..][..2];
                for (o, &i) in out[a..b].iter_mut().zip(&index[a..b]) {
                    if i >= w[1] - w[0] {
                        return Err(format!(
                            "number {i} in a segment of {} elements",
                            w[1] - w[0]
                        ));
                    }
                    *o = if i < 0 { i } else { i + w[0] };
                }
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![Sample::special(
            "jets of muons",
            &[1.0, f64::NAN, 2.0],
            |s| {
                let events = s.b.stream("events");
                let jets = s.ragged("jets", events, &[0, 2, 3]);
                let muons = s.ragged("muons", events, &[0, 2, 3]);
                let x = s.f64("x", jets, &[0.0, 1.0, 2.0]);
                x.at(s.b.locate(s.i64("jet", muons, &[1, -1, 0]), jets))
            },
        )]
    }
}
