//! The primitive `scan`.

use super::super::SCAN;
use super::form::Form;
use super::{NAME, kernel, rules, samples};
use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::{Kernel, LowerCx};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::region::{self, lane_arguments};
use crate::sample::Sample;
use crate::space::LevelId;
use crate::transform::LaneCall;
use crate::ty::Type;

/// A step that runs again and again along a level.
pub(crate) struct ScanOp;

/// Inner types with one more level where an argument has rows.
pub(super) fn with_row_levels(
    primitive: &'static str,
    mut inner: Vec<Type>,
    is_row: impl Fn(usize) -> bool,
) -> Result<Vec<Type>> {
    for (_, ty) in inner.iter_mut().enumerate().filter(|(k, _)| is_row(*k)) {
        ty.space = ty
            .space
            .with(0, LevelId(u16::MAX))
            .ok_or_else(|| ill_formed(primitive, "too many levels"))?;
    }
    Ok(inner)
}

impl Primitive for ScanOp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doc(&self) -> &'static str {
        "The sub-program `body` along the level `over`: carry_{k+1}, y_k = body(carry_k, x_k, captures); arguments are initial carried values, rows and captures, results the carried values at the end, the rows y, and the carried values before each step."
    }

    fn convention(&self) -> &'static str {
        "Without elements the carried values stay what they are. With `running`, a step for which no element of that mask is true is left out: its rows are zero."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, around: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        Form::of(attrs)?.results(around, args)
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        node: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        rules::jvp(cx, node, tangents)
    }

    fn transpose<'b>(
        &self,
        cx: &'b Builder,
        node: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        rules::transpose(cx, node, cotangents, linear)
    }

    fn vmap<'b>(&self, cx: &'b Builder, node: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        let form = Form::of(node.attrs)?;
        let rows = form.carries..form.carries + form.xs;
        let inner = with_row_levels(NAME, region::input_types(&form.body), |k| rows.contains(&k))?;
        let args = lane_arguments(cx, node, &inner)?;
        Ok(cx.push(SCAN, &args, node.attrs.clone()).all(cx))
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        kernel::lower(cx, &Form::of(cx.attrs())?)
    }

    fn samples(&self) -> Vec<Sample> {
        samples::scans()
    }
}
