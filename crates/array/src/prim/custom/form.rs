//! Parameters of functions with their own rule.

use std::sync::Arc;

use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::primitive::ill_formed;
use crate::program::Program;
use crate::region::{self, BODY, Signature, body, doubles};
use crate::ty::{DType, Type};

/// Which way a rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// From tangents of arguments to those of results.
    Forward,
    /// From cotangents of results to those of arguments.
    Reverse,
}

/// A function and its rule.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub primitive: &'static str,
    pub body: Arc<Program>,
    pub rule: Arc<Program>,
    pub way: Way,
}

impl Form {
    pub fn of(primitive: &'static str, attrs: &Attrs, way: Way) -> Result<Self> {
        let rule = attrs
            .program("rule")
            .ok_or_else(|| ill_formed(primitive, "expects a sub-program `rule`"))?;
        let form = Self {
            primitive,
            body: body(primitive, attrs)?.clone(),
            rule: rule.clone(),
            way,
        };
        form.check()?;
        Ok(form)
    }

    pub fn attrs(&self) -> Attrs {
        Attrs::NONE
            .with(BODY, Attr::Program(self.body.clone()))
            .with("rule", Attr::Program(self.rule.clone()))
    }

    /// Types of arguments, of results, and of those of both that carry derivatives.
    pub fn sides(&self) -> [Vec<Type>; 4] {
        let (args, outs) = (
            region::input_types(&self.body),
            region::output_types(&self.body),
        );
        let carry = |types: &[Type]| doubles(types).into_iter().map(|k| types[k]).collect();
        let (d_args, d_outs) = (carry(&args), carry(&outs));
        [args, outs, d_args, d_outs]
    }

    /// Types that the rule takes and returns, in terms of the levels of the body.
    pub fn rule_types(&self) -> (Vec<Type>, Vec<Type>) {
        let [args, outs, d_args, d_outs] = self.sides();
        let (given, made) = match self.way {
            Way::Forward => (d_args, d_outs),
            Way::Reverse => (d_outs, d_args),
        };
        ([args, outs, given].concat(), made)
    }

    fn check(&self) -> Result<()> {
        let (expected, made) = self.rule_types();
        let like = |found: &[Type], expected: &[Type]| {
            found.len() == expected.len()
                && found
                    .iter()
                    .zip(expected)
                    .all(|(f, e)| f.dtype == e.dtype && f.space.depth() == e.space.depth())
        };
        let takes = region::input_types(&self.rule);
        let returns = region::output_types(&self.rule);
        if !like(&takes, &expected) {
            return Err(ill_formed(
                self.primitive,
                format!(
                    "the rule has {} inputs, expected {}: the arguments, the results, and a derivative for each that is made of doubles",
                    takes.len(),
                    expected.len()
                ),
            ));
        }
        if !like(&returns, &made) {
            let expected: Vec<String> = made
                .iter()
                .map(|t| format!("[{}]", self.body.space_name(&t.space)))
                .collect();
            return Err(ill_formed(
                self.primitive,
                format!(
                    "the rule returns {} values, expected doubles in {}",
                    returns.len(),
                    expected.join(", ")
                ),
            ));
        }
        Ok(())
    }

    /// How the region sits in the program around it.
    pub fn signature(&self, around: &Program, args: &[Type]) -> Result<Signature> {
        let inner = region::input_types(&self.body);
        self.matched(around, inner, args)
    }

    /// Matches types of the body with those of arguments.
    pub fn matched(&self, around: &Program, inner: Vec<Type>, args: &[Type]) -> Result<Signature> {
        if inner.len() != args.len() {
            return Err(ill_formed(
                self.primitive,
                format!("{} arguments, expected {}", args.len(), inner.len()),
            ));
        }
        let pairs: Vec<(Type, Type)> = inner.into_iter().zip(args.iter().copied()).collect();
        Signature::new(self.primitive, around, &self.body, &pairs)
    }
}

/// Derivatives for all values that carry them, zeros where none is given.
pub(super) fn complete<'b>(
    cx: &'b Builder,
    values: &[Sym<'b>],
    given: &[Option<Sym<'b>>],
) -> Vec<Sym<'b>> {
    values
        .iter()
        .zip(given)
        .filter(|(v, _)| v.dtype() == DType::F64)
        .map(|(v, d)| {
            d.unwrap_or_else(|| {
                let zero = cx.broadcast(Sym::from(0.0), v.space());
                cx.sym(cx.id(zero))
            })
        })
        .collect()
}

/// Spreads values over the places that carry derivatives.
pub(super) fn spread<'b>(
    values: &[Sym<'b>],
    found: impl IntoIterator<Item = Sym<'b>>,
) -> Vec<Option<Sym<'b>>> {
    let mut found = found.into_iter();
    values
        .iter()
        .map(|v| {
            if v.dtype() == DType::F64 {
                found.next()
            } else {
                None
            }
        })
        .collect()
}

/// The error for a tangent of a function that has a rule for cotangents only.
pub(super) fn no_tangent(primitive: &'static str, label: &str) -> Error {
    Error::NotDifferentiable {
        primitive,
        what: "tangent",
        message: format!(
            "its rule{label} is for reverse mode only; differentiate in reverse mode, or give the rule as `custom_jvp`"
        ),
    }
}
