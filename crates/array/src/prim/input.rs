//! Inputs.

use crate::attr::Attrs;
use crate::error::Result;
use crate::exec::{Kernel, LowerCx};
use crate::primitive::{Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::{LevelKind, Space};
use crate::ty::{DType, Type};

/// A column that is bound at each run.
pub struct Input;

impl Primitive for Input {
    fn name(&self) -> &'static str {
        "input"
    }

    fn doc(&self) -> &'static str {
        "A column that is bound at each run."
    }

    fn convention(&self) -> &'static str {
        "The column has as many elements as its space; offsets have one more than their path, start at 0 and never decrease."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        for level in attrs.space("to").iter().flat_map(Space::iter) {
            if let LevelKind::Ragged { offsets, .. } = program.level(level).kind {
                let source = program.node(offsets).primitive;
                if source != super::INPUT && source != super::DATA {
                    let level = &program.level(level).name;
                    return Err(ill_formed(
                        self.name(),
                        format!(
                            "the program computes the size of level `{level}`; an input cannot live there"
                        ),
                    ));
                }
            }
        }
        match (args, attrs.space("to"), attrs.dtype("dtype")) {
            ([], Some(space), Some(DType::Offsets))
                if program
                    .stream_root(&space)
                    .is_some_and(|l| space.root() != Some(l)) =>
            {
                let path = program.space_name(&space);
                Err(ill_formed(
                    self.name(),
                    format!(
                        "offsets in [{path}], where levels stand before the stream: they are cut into blocks with the stream, so it must come first"
                    ),
                ))
            }
            ([], Some(space), Some(dtype)) => Ok(vec![Type::new(dtype, space)]),
            _ => Err(ill_formed(
                self.name(),
                "expects no argument, a space `to` and an element type `dtype`",
            )),
        }
    }

    fn lower(&self, _cx: &LowerCx<'_>) -> Result<Kernel> {
        Ok(Kernel::Source)
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("a column", |s| {
                let x = s.f64("x", s.b.dense("bins"), &[1.0, 2.0]);
                x + x
            }),
            Sample::special(
                "signed zeros, infinities, NaN, subnormals",
                &[0.0, -0.0, f64::INFINITY, f64::NAN, 5e-324],
                |s| {
                    s.f64(
                        "x",
                        s.b.dense("bins"),
                        &[0.0, -0.0, f64::INFINITY, f64::NAN, 5e-324],
                    )
                },
            ),
        ]
    }
}
