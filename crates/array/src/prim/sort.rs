//! The order of the elements of each segment.

use std::cmp::Ordering;

use super::along::{axis, within};
use crate::attr::{Attr, Attrs};
use crate::build::Sym;
use crate::error::Result;
use crate::exec::{Io, Kernel, LowerCx};
use crate::primitive::{Nature, Primitive, ill_formed};
use crate::program::{Node, Program};
use crate::sample::Sample;
use crate::space::LevelId;
use crate::ty::{DType, Type};

/// The positions, for a gather, of the elements of each segment in order.
pub struct ArgSort;

/// Order of two elements: NaN stands last whichever way the order runs; equal ones keep their places.
fn order(x: &[f64], descending: bool, i: i64, j: i64) -> Ordering {
    let (a, b) = (x[i as usize], x[j as usize]);
    let ordered = match a.partial_cmp(&b) {
        Some(o) if descending => o.reverse(),
        Some(o) => o,
        None => a.is_nan().cmp(&b.is_nan()),
    };
    ordered.then(i.cmp(&j))
}

/// Records the order of the innermost level.
pub(crate) fn argsort(x: Sym<'_>, descending: bool) -> Sym<'_> {
    let attrs = |over| Attrs::over(over).with("descending", Attr::Int(i64::from(descending)));
    x.space()
        .last()
        .map_or(x, |over| x.apply(super::ARGSORT, attrs(over)))
}

impl Primitive for ArgSort {
    fn name(&self) -> &'static str {
        "argsort"
    }

    fn doc(&self) -> &'static str {
        "The positions, for a gather, of the elements of each segment of the innermost level `over` in rising order, or in falling order with `descending`."
    }

    fn convention(&self) -> &'static str {
        "Equal elements keep their order, 0 equals -0, NaN stands last both ways. Counted from the start of the block along a ragged level. No derivative."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn numbers(&self, _program: &Program, node: &Node) -> Option<LevelId> {
        node.attrs.level("over")
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        within(self.name(), program, args, attrs, DType::F64)?;
        if args[0].space.last() != attrs.level("over")
            || !matches!(attrs.int("descending"), Some(0 | 1))
        {
            return Err(ill_formed(
                self.name(),
                "the level must be the innermost one, and `descending` 0 or 1",
            ));
        }
        Ok(vec![args[0].with(DType::I64)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (axis, descending) = (
            axis(self.name(), cx, 0)?,
            cx.attrs().int("descending") == Some(1),
        );
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let (segments, x, out) = (io.segments(&axis), io.arg::<f64>(0), io.out::<i64>(0));
            let per_lane = segments
                .offsets
                .map_or(segments.dense, |o| o[o.len() - 1] as usize)
                .max(1);
            for s in 0..segments.count {
                let (a, b) = segments.range(s);
                if a == b {
                    continue;
                }
                let base = a / per_lane * per_lane;
                let (x, out) = (&x[base..], &mut out[a..b]);
                for (i, o) in ((a - base) as i64..).zip(out.iter_mut()) {
                    *o = i;
                }
                // Ties are broken by position, so the unstable sort, which needs no memory, is stable here.
                out.sort_unstable_by(|&i, &j| order(x, descending, i, j));
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let sorted = |what: &str, expected: &[f64], descending: bool| {
            Sample::special(what, expected, move |s| {
                let muons = s.ragged("muons", s.b.stream("events"), &[0, 0, 4, 7]);
                let x = s.f64(
                    "x",
                    muons,
                    &[2.0, 1.0, f64::NAN, 2.0, 3.0, f64::INFINITY, -0.0],
                );
                s.f64("table", muons, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
                    .at(argsort(x, descending))
            })
        };
        vec![
            sorted("rising", &[1.0, 0.0, 3.0, 2.0, 6.0, 4.0, 5.0], false),
            sorted("falling", &[0.0, 3.0, 1.0, 2.0, 5.0, 4.0, 6.0], true),
        ]
    }
}
