//! Offsets from counts: a ragged level with as many children as numbers say.

use crate::attr::Attrs;
use crate::error::{Error, Result};
use crate::exec::{Io, Kernel, LowerCx};
use crate::primitive::{Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::ty::{DType, Type};

/// Offsets of a level in which each parent has the given number of children.
pub struct OffsetsOf;

impl Primitive for OffsetsOf {
    fn name(&self) -> &'static str {
        "offsets_of"
    }

    fn doc(&self) -> &'static str {
        "Offsets of a ragged level from the number of children of each parent: out[0] = 0, out[p + 1] = out[p] + counts[p]."
    }

    fn convention(&self) -> &'static str {
        "A negative count, and more than 2⁶³ children in a block, are errors. The inverse of `counts`. No derivative."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, _program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        match args {
            [counts] if counts.dtype == DType::I64 => Ok(vec![counts.with(DType::Offsets)]),
            [counts] => Err(Error::DType {
                primitive: self.name(),
                index: 0,
                found: counts.dtype.to_string(),
                expected: DType::I64.to_string(),
            }),
            _ => Err(ill_formed(self.name(), "expects counts")),
        }
    }

    fn lower(&self, _cx: &LowerCx<'_>) -> Result<Kernel> {
        Ok(Kernel::Run(Box::new(|io: &Io<'_>| {
            let (counts, out) = (io.arg::<i64>(0), io.out::<i64>(0));
            let mut total = 0_i64;
            out[0] = 0;
            for (o, &n) in out[1..].iter_mut().zip(counts) {
                if n < 0 {
                    return Err(format!("a parent with {n} children"));
                }
                total = total
                    .checked_add(n)
                    .ok_or_else(|| format!("too many children: {total} and {n}"))?;
                *o = total;
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::special("two, none, one", &[0.0, 2.0, 2.0, 3.0], |s| {
                let counts = s.i64("counts", s.b.stream("events"), &[2, 0, 1]);
                s.b.push(super::OFFSETS_OF, &[counts], Attrs::NONE)
                    .first(&s.b)
            }),
            Sample::special("what hangs below it", &[1.0, 1.0, 3.0], |s| {
                let events = s.b.stream("events");
                let counts = s.i64("counts", events, &[2, 0, 1]);
                let offsets =
                    s.b.push(super::OFFSETS_OF, &[counts], Attrs::NONE)
                        .first(&s.b);
                let copies = s.b.ragged_by("copies", offsets);
                s.f64("x", events, &[1.0, 2.0, 3.0]).broadcast(copies)
            }),
        ]
    }
}
