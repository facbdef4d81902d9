//! What stands for the tangent of a function that has a rule for cotangents only: it has a transpose, and no value.

use super::super::CUSTOM_TANGENT;
use super::form::{Form, Way, complete, no_tangent, spread};
use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::{Kernel, LowerCx};
use crate::primitive::{Call, Nature, Primitive};
use crate::program::Program;
use crate::region::{self, lane_arguments, without_lanes};
use crate::sample::Sample;
use crate::transform::LaneCall;
use crate::ty::{DType, Type};

/// The tangent of a [`super::CustomVjp`].
pub(crate) struct CustomTangent;

const NAME: &str = "custom_tangent";

impl CustomTangent {
    fn form(attrs: &Attrs) -> Result<Form> {
        Form::of("custom_vjp", attrs, Way::Reverse)
    }

    /// Types inside for arguments, results and tangents.
    fn inner(form: &Form) -> Vec<Type> {
        let [args, outs, d_args, _] = form.sides();
        [args, outs, d_args].concat()
    }
}

/// The error for a program with a tangent that has no value, if there is one.
pub(crate) fn reverse_only(program: &Program) -> Option<Error> {
    program.nodes().iter().find_map(|node| {
        if node.primitive == CUSTOM_TANGENT {
            return Some(no_tangent("custom_vjp", &program.label_of(node.first)));
        }
        node.attrs.iter().find_map(|(_, attr)| match attr {
            Attr::Program(p) => reverse_only(p),
            _ => None,
        })
    })
}

impl Primitive for CustomTangent {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doc(&self) -> &'static str {
        "The tangent of `custom_vjp`, which only its transpose gives a meaning: arguments are those of the function, its results, and tangents."
    }

    fn convention(&self) -> &'static str {
        "It has no value: lowering it is an error."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, around: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let form = Self::form(attrs)?;
        let signature = form.matched(around, Self::inner(&form), args)?;
        let [_, _, _, d_outs] = form.sides();
        d_outs
            .into_iter()
            .map(|ty| signature.outer(NAME, &form.body, ty))
            .collect()
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        node: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let form = Self::form(node.attrs)?;
        let fixed = form.body.inputs().len() + form.body.outputs().len();
        if tangents[..fixed].iter().any(Option::is_some) {
            let label = cx.with_program(|p| p.label_of(cx.id(node.outs[0])));
            return Err(no_tangent("custom_vjp", &label));
        }
        // It is linear in the tangents that it has.
        let given = complete(cx, &node.args[fixed..], &tangents[fixed..]);
        let args = [&node.args[..fixed], &given].concat();
        let found = cx.push(CUSTOM_TANGENT, &args, node.attrs.clone()).all(cx);
        Ok(spread(node.outs, found))
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        node: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let form = Self::form(node.attrs)?;
        let types: Vec<Type> = node
            .args
            .iter()
            .map(|a| Type::new(a.dtype(), a.space()))
            .collect();
        let signature = cx.with_program(|p| form.matched(p, Self::inner(&form), &types))?;
        let (n, m) = (form.body.inputs().len(), form.body.outputs().len());
        let given = complete(cx, node.outs, cotangents);
        let args = [&node.args[..n + m], &given].concat();
        let found = region::call(cx, &form.rule, &args);
        let mut out = vec![None; n + m];
        let tangents: Vec<Sym<'b>> = node.args[n + m..].to_vec();
        debug_assert!(tangents.iter().all(|t| t.dtype() == DType::F64));
        let pulled = spread(&tangents, found);
        out.extend(pulled.into_iter().enumerate().map(|(k, ct)| {
            let k = n + m + k;
            ct.filter(|_| linear[k])
                .map(|ct| without_lanes(ct, signature.lanes, signature.laned[k]))
        }));
        Ok(out)
    }

    fn vmap<'b>(&self, cx: &'b Builder, node: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        let form = Self::form(node.attrs)?;
        let args = lane_arguments(cx, node, &Self::inner(&form))?;
        Ok(cx.push(CUSTOM_TANGENT, &args, node.attrs.clone()).all(cx))
    }

    fn lower(&self, _cx: &LowerCx<'_>) -> Result<Kernel> {
        Err(no_tangent("custom_vjp", ""))
    }

    fn samples(&self) -> Vec<Sample> {
        Vec::new()
    }
}
