//! The primitive `custom_vjp`.

use pullback_ad::Real;

use super::super::{CUSTOM_TANGENT, CUSTOM_VJP};
use super::form::{Form, Way, complete, spread};
use super::record::custom_vjp;
use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Kernel, LowerCx};
use crate::prim::call;
use crate::primitive::{Call, Nature, Primitive};
use crate::program::Program;
use crate::region::{self, lane_arguments};
use crate::sample::Sample;
use crate::space::Space;
use crate::transform::LaneCall;
use crate::ty::Type;

/// A function with its own cotangent rule.
pub(crate) struct CustomVjp;

const NAME: &str = "custom_vjp";

impl CustomVjp {
    fn form(attrs: &Attrs) -> Result<Form> {
        Form::of(NAME, attrs, Way::Reverse)
    }
}

impl Primitive for CustomVjp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doc(&self) -> &'static str {
        "The results of the sub-program `body`; cotangents of the arguments are those of the sub-program `rule`, from arguments, results and cotangents of the results."
    }

    fn convention(&self) -> &'static str {
        "What the operations of the sub-programs say; a result without a cotangent has cotangent zero. Tangents are an error."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, around: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let form = Self::form(attrs)?;
        call::results(NAME, &form.body, &form.signature(around, args)?)
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        node: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let given = complete(cx, node.args, tangents);
        let args = [node.args, node.outs, &given].concat();
        let found = cx.push(CUSTOM_TANGENT, &args, node.attrs.clone()).all(cx);
        Ok(spread(node.outs, found))
    }

    fn vmap<'b>(&self, cx: &'b Builder, node: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        let inner = region::input_types(&Self::form(node.attrs)?.body);
        let args = lane_arguments(cx, node, &inner)?;
        Ok(cx.push(CUSTOM_VJP, &args, node.attrs.clone()).all(cx))
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let form = Self::form(cx.attrs())?;
        let args: Vec<Type> = (0..form.body.inputs().len()).map(|i| cx.arg(i)).collect();
        call::kernel(cx, &form.body, &form.signature(cx.program(), &args)?)
    }

    fn samples(&self) -> Vec<Sample> {
        let clipped = Sample::special("a clipped cotangent", &[3.0, -2.0], |s| {
            let n = s.b.dense_of("n", 2);
            let x = s.f64("x", n, &[3.0, -2.0]);
            let made = custom_vjp(
                &s.b,
                Space::SCALAR,
                &[x],
                |_, v| vec![v[0] * 1.0],
                |_, (_, _, ct)| vec![ct[0].min(1.0.into())],
            );
            made.map_err(|e| s.b.fail(e)).map_or(x, |found| found[0])
        });
        vec![clipped]
    }
}
