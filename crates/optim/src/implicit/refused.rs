//! A tangent that does not exist: an error for whoever needs it, nothing for others.

use pullback_array::attr::{Attr, Attrs};
use pullback_array::exec::{Kernel, LowerCx};
use pullback_array::{
    Builder, Call as Node, Error, Nature, Primitive, PrimitiveRef, Program, Result, Sample, Space,
    Sym, Type,
};

/// Stands where the tangent of a solution would be whose function has first derivatives only.
pub(crate) struct Refused;

/// The primitive.
pub(crate) const REFUSED: PrimitiveRef = PrimitiveRef(&Refused);

/// Records the place of a tangent in `space` that would follow from `tangents`.
pub(crate) fn refused<'b>(b: &'b Builder, tangents: &[Sym<'b>], space: Space) -> Sym<'b> {
    b.push(
        REFUSED,
        tangents,
        Attrs::NONE.with("to", Attr::Space(space)),
    )
    .first(b)
}

fn error() -> Error {
    Error::NotDifferentiable {
        primitive: "minimum",
        what: "derivative of its position",
        message: "the function inside has first derivatives only (a closure of the host?); its smallest value can be differentiated".into(),
    }
}

impl Primitive for Refused {
    fn name(&self) -> &'static str {
        "no_tangent"
    }

    fn doc(&self) -> &'static str {
        "A tangent that does not exist: lowering or transposing it is an error."
    }

    fn convention(&self) -> &'static str {
        "It has no value."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, _around: &Program, _args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let to = attrs.space("to").ok_or_else(|| {
            pullback_array::region::ill_formed(self.name(), "expects a space `to`")
        })?;
        Ok(vec![Type::f64(to)])
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        _node: &Node<'_, 'b>,
        _tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Err(error())
    }

    fn transpose<'b>(
        &self,
        _cx: &'b Builder,
        _node: &Node<'_, 'b>,
        _cotangents: &[Option<Sym<'b>>],
        _linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Err(error())
    }

    fn lower(&self, _cx: &LowerCx<'_>) -> Result<Kernel> {
        Err(error())
    }

    fn samples(&self) -> Vec<Sample> {
        Vec::new()
    }
}
