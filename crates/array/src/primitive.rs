//! What a primitive is: a name, and the rules that each transformation needs.
//!
//! A new primitive is one file in `prim/` that implements [`Primitive`] and one line in [`crate::registry`]. A test goes through the registry and fails if
//! a rule, a sampler, special points, a convention or documentation is missing.

use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::{Kernel, LowerCx};
use crate::program::{Node, Program};
use crate::sample::Sample;
use crate::space::LevelId;
use crate::transform::{LaneCall, lane_by_lane};
use crate::ty::Type;

/// A node seen by a rule: its arguments, results and static parameters.
pub struct Call<'a, 'b> {
    /// Primitive that is applied.
    pub primitive: PrimitiveRef,
    /// Arguments.
    pub args: &'a [Sym<'b>],
    /// Results.
    pub outs: &'a [Sym<'b>],
    /// Static parameters.
    pub attrs: &'a Attrs,
}

/// How a primitive behaves under differentiation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Linear in each differentiable argument that carries a tangent (one at a time or jointly); has a transpose.
    Linear,
    /// Has a JVP rule written in primitives; never needs a transpose.
    NonLinear,
    /// Integer or boolean: carries no tangent. A derivative through it is zero by convention, and the audit reports it.
    Structure,
}

/// A primitive operation.
pub trait Primitive: Sync {
    /// Name in the text form; unique.
    fn name(&self) -> &'static str;

    /// What it computes, in a sentence, with the equation.
    fn doc(&self) -> &'static str;

    /// What happens at special points: empty segments, ties, 0, ±inf, NaN, out of range.
    fn convention(&self) -> &'static str;

    /// Behaviour under differentiation.
    fn nature(&self) -> Nature;

    /// True if element `i` of the result depends on element `i` of the arguments only.
    fn is_elementwise(&self) -> bool {
        false
    }

    /// True if each element of the result depends only on the elements of the arguments that it lies on or below.
    fn is_pointwise(&self) -> bool {
        self.is_elementwise()
    }

    /// The level whose elements the result numbers from the start of the current block, if it does: an index, for a gather along that level and nothing else.
    /// Lowering refuses programs in which such numbers could be seen.
    fn numbers(&self, _program: &Program, _node: &Node) -> Option<LevelId> {
        None
    }

    /// Types of the results, or why the node is ill-formed.
    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>>;

    /// Tangents of the results from those of the arguments (`None` is a symbolic zero). At least one tangent is given.
    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        _call: &Call<'_, 'b>,
        _tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Err(Error::NotDifferentiable {
            primitive: self.name(),
            what: "JVP rule",
            message: "use `stop_gradient`, or give a custom rule".into(),
        })
    }

    /// Cotangents of the arguments flagged in `linear` from those of the results.
    fn transpose<'b>(
        &self,
        _cx: &'b Builder,
        _call: &Call<'_, 'b>,
        _cotangents: &[Option<Sym<'b>>],
        _linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Err(Error::NotDifferentiable {
            primitive: self.name(),
            what: "transpose",
            message: "it is not linear".into(),
        })
    }

    /// The same computation in other primitives, if it is a fused one: its oracle in tests.
    fn decompose<'b>(&self, _cx: &'b Builder, _call: &Call<'_, 'b>) -> Option<Vec<Sym<'b>>> {
        None
    }

    /// The node with lanes as the outermost level of its results. The default gives lanes to every argument and to every space among the parameters,
    /// which suits a kernel that runs over outer levels lane by lane.
    fn vmap<'b>(&self, cx: &'b Builder, call: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        lane_by_lane(cx, call)
    }

    /// The kernel that evaluates it.
    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel>;

    /// One kernel for several nodes with the arguments of this one and the static parameters `attrs`, each with one result, in their order: a function and
    /// its derivatives in one sweep. The bits must be those of [`Self::lower`]. Nothing where there is no such kernel.
    fn siblings(&self, _cx: &LowerCx<'_>, _attrs: &[&Attrs]) -> Result<Option<Kernel>> {
        Ok(None)
    }

    /// Small well-typed applications for tests: generic points and special ones.
    fn samples(&self) -> Vec<Sample>;
}

/// A reference to a registered primitive; two are equal if their names are.
#[derive(Clone, Copy)]
pub struct PrimitiveRef(pub &'static dyn Primitive);

impl PartialEq for PrimitiveRef {
    fn eq(&self, other: &Self) -> bool {
        self.0.name() == other.0.name()
    }
}

impl std::fmt::Debug for PrimitiveRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

impl std::ops::Deref for PrimitiveRef {
    type Target = dyn Primitive;

    fn deref(&self) -> &Self::Target {
        self.0
    }
}

/// Shorthand for [`Error::IllFormed`].
pub fn ill_formed(primitive: &'static str, message: impl Into<String>) -> Error {
    Error::IllFormed {
        primitive,
        message: message.into(),
    }
}
