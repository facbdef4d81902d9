//! The primitive `custom_jvp`.

use pullback_ad::Real;

use super::super::CUSTOM_JVP;
use super::form::{Form, Way, complete, spread};
use super::record::custom_jvp;
use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Kernel, LowerCx};
use crate::prim::call;
use crate::primitive::{Call, Nature, Primitive};
use crate::program::Program;
use crate::region::{self, inline, lane_arguments};
use crate::sample::{Sample, Sampler};
use crate::space::Space;
use crate::transform::LaneCall;
use crate::ty::Type;

/// A function with its own tangent rule.
pub(crate) struct CustomJvp;

const NAME: &str = "custom_jvp";

impl CustomJvp {
    fn form(attrs: &Attrs) -> Result<Form> {
        Form::of(NAME, attrs, Way::Forward)
    }
}

impl Primitive for CustomJvp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doc(&self) -> &'static str {
        "The results of the sub-program `body`; their tangents are those of the sub-program `rule`, from arguments, results and tangents of the arguments."
    }

    fn convention(&self) -> &'static str {
        "What the operations of the sub-programs say; an argument without a tangent has tangent zero."
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
        let form = Self::form(node.attrs)?;
        let given = complete(cx, node.args, tangents);
        let args = [node.args, node.outs, &given].concat();
        Ok(spread(node.outs, region::call(cx, &form.rule, &args)))
    }

    fn vmap<'b>(&self, cx: &'b Builder, node: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        let inner = region::input_types(&Self::form(node.attrs)?.body);
        let args = lane_arguments(cx, node, &inner)?;
        Ok(cx.push(CUSTOM_JVP, &args, node.attrs.clone()).all(cx))
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let form = Self::form(cx.attrs())?;
        let args: Vec<Type> = (0..form.body.inputs().len()).map(|i| cx.arg(i)).collect();
        call::kernel(cx, &form.body, &form.signature(cx.program(), &args)?)
    }

    fn samples(&self) -> Vec<Sample> {
        fn record<'s>(s: &'s Sampler, lanes: Space, args: &[Sym<'s>]) -> Option<Vec<Sym<'s>>> {
            // x e^{y}, whose rule is its true derivative in other words.
            let made = custom_jvp(
                &s.b,
                lanes,
                args,
                |_, v| vec![v[0] * v[1].exp()],
                |_, (v, out, d)| vec![v[1].exp() * d[0] + out[0] * d[1]],
            );
            made.map_err(|e| s.b.fail(e)).ok()
        }
        vec![
            Sample::generic("a product", |s| {
                let n = s.b.dense_of("n", 3);
                let x = s.f64("x", n, &[0.3, -0.7, 1.2]);
                let y = s.f64("y", Space::SCALAR, &[0.4]);
                record(s, Space::SCALAR, &[x, y]).map_or(x, |found| found[0])
            }),
            Sample::generic("lanes", |s| {
                let (lanes, n) = (s.b.dense_of("lanes", 2), s.b.dense_of("n", 2));
                let x = s.f64("x", n, &[0.3, -0.7]);
                let y = s.f64("y", lanes, &[0.4, -0.2]);
                record(s, lanes, &[x, y]).map_or(x, |found| found[0])
            }),
            Sample::special("zero times infinity", &[f64::NAN], |s| {
                let n = s.b.dense("n");
                let x = s.f64("x", n, &[0.0]);
                let y = s.f64("y", Space::SCALAR, &[f64::INFINITY]);
                record(s, Space::SCALAR, &[x, y]).map_or(x, |found| found[0])
            }),
        ]
    }

    fn decompose<'b>(&self, cx: &'b Builder, node: &Call<'_, 'b>) -> Option<Vec<Sym<'b>>> {
        // With lanes the levels of arguments and inputs differ.
        inline(cx, &Self::form(node.attrs).ok()?.body, node.args).ok()
    }
}
