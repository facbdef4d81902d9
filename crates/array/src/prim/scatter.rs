//! Adding elements at indices: the transpose of a gather, and the fill of a histogram.

use super::gather::{Lanes, gathered};
use super::places::Places;
use crate::attr::{Attrs, Data};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::{Io, Kernel, LowerCx, Monoid};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::ty::{DType, Type};

/// `out[j, q] = Σ x[i, q]` over the `i` with `index[i] = j`.
pub struct ScatterAdd;

impl Primitive for ScatterAdd {
    fn name(&self) -> &'static str {
        "scatter_add"
    }

    fn doc(&self) -> &'static str {
        "Adds values (argument 0) at indices (argument 1) along the level `over` of the path `to`: out[j, q] = Σ x[i, q] over index[i] = j. The fill of a histogram."
    }

    fn convention(&self) -> &'static str {
        "A negative index adds nowhere; an index past the end is an error; an element that nothing falls on is 0. Summed in the order of the elements within a fixed cut of the stream."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let ([x, index], Some(over), Some(to)) = (args, attrs.level("over"), attrs.space("to"))
        else {
            return Err(ill_formed(
                self.name(),
                "expects values, an index, a level `over` and a space `to`",
            ));
        };
        for (i, (arg, want)) in [(x, DType::F64), (index, DType::I64)]
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
        let space = gathered(self.name(), program, to, index.space, over)?;
        if space != x.space {
            let (a, b) = (program.space_name(&x.space), program.space_name(&space));
            return Err(ill_formed(
                self.name(),
                format!("the values live in [{a}], expected [{b}]"),
            ));
        }
        Ok(vec![Type::f64(to)])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Ok(vec![tangents[0].map(|t| {
            cx.push(super::SCATTER_ADD, &[t, call.args[1]], call.attrs.clone())
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
        let Some(over) = call.attrs.level("over") else {
            return Ok(vec![None, None]);
        };
        // A value that was added nowhere has no influence: zero, not the NaN that a gather gives.
        let index = call.args[1];
        let pulled = cotangents[0].map(|c| {
            let value = cx
                .push(super::GATHER, &[c, index], Attrs::over(over))
                .first(cx);
            let found = index.compare(super::compare::Compare::Ge, cx.integer(0));
            found.broadcast(value.space()).select(value, Sym::from(0.0))
        });
        Ok(vec![pulled, None])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let Some(over) = cx.attrs().level("over") else {
            return Err(ill_formed(self.name(), "expects a level `over`"));
        };
        if let (Some(Data::I64(index)), 1) = (cx.constant(1), cx.out(0).space.depth()) {
            let places = Places::new(index);
            return Ok(Kernel::Accumulate(
                Monoid::Add,
                Box::new(move |io: &Io<'_>| places.add(io.arg(0), io.out(0))),
            ));
        }
        let lanes = Lanes::new(cx, cx.out(0).space, cx.arg(1).space, over)
            .ok_or_else(|| ill_formed(self.name(), "the level is not on the path"))?;
        Ok(Kernel::Accumulate(
            Monoid::Add,
            Box::new(move |io: &Io<'_>| scatter(io, &lanes)),
        ))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("a histogram of weights", |s| {
                let (bins, events) = (s.b.dense_of("bins", 3), s.b.stream("events"));
                let w = s.f64("w", events, &[1.0, 2.0, 4.0, 8.0]);
                w.scatter_add(s.i64("index", events, &[2, 0, 0, 1]), bins)
            }),
            Sample::special("added nowhere", &[0.0, 3.0], |s| {
                let (bins, n) = (s.b.dense_of("bins", 2), s.b.dense("n"));
                s.f64("w", n, &[1.0, 3.0])
                    .scatter_add(s.i64("index", n, &[-1, 1]), bins)
            }),
        ]
    }
}

fn scatter(io: &Io<'_>, lanes: &Lanes) -> std::result::Result<(), String> {
    let (_, per_lane, inner) = lanes.get(io);
    let (x, index, out) = (io.arg::<f64>(0), io.arg::<i64>(1), io.out::<f64>(0));
    let past_end =
        |i: i64| format!("index {i} is past the end: the level has {per_lane} elements here");
    let mut failure = None;
    // Leaf by leaf, so that the order of the sums does not depend on the block size where levels stand before the stream.
    io.for_leaves(1, lanes.depth, |lane, first, end| {
        let x = &x[first * inner..end * inner];
        let index = &index[first..end];
        let out = &mut out[lane * per_lane * inner..(lane + 1) * per_lane * inner];
        if inner == 1 {
            for (x, &i) in x.iter().zip(index) {
                match out.get_mut(i as usize) {
                    Some(o) => *o += x,
                    None if i < 0 => {}
                    None => failure = failure.or(Some(i)),
                }
            }
        } else {
            for (x, &i) in x.chunks_exact(inner.max(1)).zip(index) {
                match usize::try_from(i) {
                    Ok(at) if at < per_lane => out[at * inner..(at + 1) * inner]
                        .iter_mut()
                        .zip(x)
                        .for_each(|(o, x)| *o += x),
                    Ok(_) => failure = failure.or(Some(i)),
                    Err(_) => {}
                }
            }
        }
    });
    failure.map_or(Ok(()), |i| Err(past_end(i)))
}
