//! What the parameters of a scan say, and how its arguments and results are laid out.

use std::sync::Arc;

use pullback_ad::schedule::Policy;

use crate::attr::{Attr, Attrs};
use crate::error::{Error, Result};
use crate::primitive::ill_formed;
use crate::program::Program;
use crate::region::{self, BODY, Signature, body};
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// Name of the primitive.
pub(super) const NAME: &str = "scan";

/// A policy as it stands in the text form.
pub(crate) fn policy_text(policy: Policy) -> String {
    match policy {
        Policy::Store => "store".to_owned(),
        Policy::Every(k) => format!("every {k}"),
        Policy::Binomial(s) => format!("binomial {s}"),
    }
}

/// The policy of such a text.
pub(crate) fn policy_of(primitive: &'static str, attrs: &Attrs) -> Result<Policy> {
    let Some(Attr::Str(text)) = attrs.get("checkpoint") else {
        return Err(ill_formed(primitive, "expects a policy `checkpoint`"));
    };
    let number = |prefix: &str| {
        text.strip_prefix(prefix)
            .and_then(|n| n.parse::<usize>().ok())
            .filter(|n| *n > 0)
    };
    match &**text {
        "store" => Some(Policy::Store),
        _ => number("every ")
            .map(Policy::Every)
            .or_else(|| number("binomial ").map(Policy::Binomial)),
    }
    .ok_or_else(|| {
        ill_formed(
            primitive,
            format!(
                "`checkpoint` is `{text}`, expected `store`, `every k` or `binomial s` with a positive number"
            ),
        )
    })
}

/// A number among the parameters that counts something.
pub(crate) fn count(primitive: &'static str, attrs: &Attrs, name: &str) -> Result<usize> {
    attrs
        .int(name)
        .and_then(|n| usize::try_from(n).ok())
        .ok_or_else(|| {
            ill_formed(
                primitive,
                format!("expects a number `{name}`, not negative"),
            )
        })
}

/// The parameters of a scan.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    /// The step.
    pub body: Arc<Program>,
    /// The level of the steps.
    pub over: LevelId,
    /// From the last element to the first.
    pub reverse: bool,
    /// Number of carried values.
    pub carries: usize,
    /// Number of inputs that are rows.
    pub xs: usize,
    pub policy: Policy,
    /// The input of the step that says which elements still run; where none does, the step is left out.
    pub running: Option<usize>,
}

impl Form {
    pub fn of(attrs: &Attrs) -> Result<Self> {
        let body = body(NAME, attrs)?.clone();
        let (Some(over), Some(reverse @ (0 | 1))) = (attrs.level("over"), attrs.int("reverse"))
        else {
            return Err(ill_formed(
                NAME,
                "expects a level `over` and `reverse`, 0 or 1",
            ));
        };
        let form = Self {
            over,
            reverse: reverse == 1,
            carries: count(NAME, attrs, "carries")?,
            xs: count(NAME, attrs, "xs")?,
            policy: policy_of(NAME, attrs)?,
            running: match attrs.get("running") {
                Some(_) => Some(count(NAME, attrs, "running")?),
                None => None,
            },
            body,
        };
        form.check()?;
        Ok(form)
    }

    pub fn attrs(&self) -> Attrs {
        let attrs = Attrs::NONE
            .with(BODY, Attr::Program(self.body.clone()))
            .with("over", Attr::Level(self.over))
            .with("reverse", Attr::Int(i64::from(self.reverse)))
            .with("carries", Attr::Int(self.carries as i64))
            .with("xs", Attr::Int(self.xs as i64))
            .with("checkpoint", Attr::Str(policy_text(self.policy).into()));
        match self.running {
            Some(k) => attrs.with("running", Attr::Int(k as i64)),
            None => attrs,
        }
    }

    /// Number of results that are rows.
    pub fn ys(&self) -> usize {
        self.body.outputs().len() - self.carries
    }

    fn check(&self) -> Result<()> {
        let (inputs, outputs) = (
            region::input_types(&self.body),
            region::output_types(&self.body),
        );
        if inputs.len() < self.carries + self.xs || outputs.len() < self.carries {
            return Err(ill_formed(
                NAME,
                format!(
                    "the step has {} inputs and {} results for {} carried values and {} rows",
                    inputs.len(),
                    outputs.len(),
                    self.carries,
                    self.xs
                ),
            ));
        }
        if outputs.len() + self.carries > 64 {
            return Err(ill_formed(NAME, "more than 64 results"));
        }
        for (k, (i, o)) in inputs.iter().zip(&outputs[..self.carries]).enumerate() {
            if i != o {
                return Err(ill_formed(
                    NAME,
                    format!(
                        "carried value {k} enters a step as {} in [{}] and leaves it as {} in [{}]",
                        i.dtype,
                        self.body.space_name(&i.space),
                        o.dtype,
                        self.body.space_name(&o.space)
                    ),
                ));
            }
        }
        for ty in outputs {
            if !matches!(ty.dtype, DType::F64 | DType::I64 | DType::Bool) {
                return Err(ill_formed(
                    NAME,
                    format!("the step returns {}; expected f64, i64 or bool", ty.dtype),
                ));
            }
        }
        match self.running.map(|k| inputs.get(k)) {
            Some(Some(ty)) if ty.dtype == DType::Bool => Ok(()),
            None => Ok(()),
            _ => Err(ill_formed(NAME, "`running` is no mask of the step")),
        }
    }

    /// How the step sits in the program around it.
    pub fn signature(&self, around: &Program, args: &[Type]) -> Result<Signature> {
        let rows = self.carries..self.carries + self.xs;
        let inner = region::input_types(&self.body);
        signature(NAME, around, &self.body, inner, args, self.over, |k| {
            rows.contains(&k)
        })
    }

    /// Types of the results: carried values at the end, rows, carried values before each step.
    pub fn results(&self, around: &Program, args: &[Type]) -> Result<Vec<Type>> {
        let signature = self.signature(around, args)?;
        let outputs = region::output_types(&self.body);
        let (carried, rows) = outputs.split_at(self.carries);
        let finals = carried
            .iter()
            .map(|ty| signature.outer(NAME, &self.body, *ty));
        let ys = rows.iter().chain(carried).map(|ty| {
            let outer = signature.outer(NAME, &self.body, *ty)?;
            with_rows(NAME, outer, &signature, self.over)
        });
        finals.chain(ys).collect()
    }
}

/// A type with one value for each step, behind the lanes.
pub(crate) fn with_rows(
    primitive: &'static str,
    ty: Type,
    signature: &Signature,
    over: LevelId,
) -> Result<Type> {
    let space = ty
        .space
        .with(signature.lanes.depth(), over)
        .ok_or_else(|| ill_formed(primitive, "too many levels"))?;
    Ok(Type::new(ty.dtype, space))
}

/// Matches types inside a step with the arguments of its node, of which those that `is_row` names have one value for each element of `over`.
pub(crate) fn signature(
    primitive: &'static str,
    around: &Program,
    body: &Program,
    inner: Vec<Type>,
    args: &[Type],
    over: LevelId,
    is_row: impl Fn(usize) -> bool,
) -> Result<Signature> {
    if inner.len() != args.len() {
        let message = format!("{} arguments, expected {}", args.len(), inner.len());
        return Err(ill_formed(primitive, message));
    }
    let Some(level) = around.levels().get(usize::from(over.0)) else {
        return Err(ill_formed(
            primitive,
            "the level of the steps is not declared",
        ));
    };
    if !matches!(level.kind, LevelKind::Dense | LevelKind::Batch) {
        let message = format!(
            "level `{}` is not dense: steps have a fixed number",
            level.name
        );
        return Err(ill_formed(primitive, message));
    }
    let mut pairs = Vec::with_capacity(args.len());
    for (k, (inner, arg)) in inner.into_iter().zip(args).enumerate() {
        if arg.dtype == DType::Offsets {
            return Err(Error::DType {
                primitive,
                index: k,
                found: arg.dtype.to_string(),
                expected: "numbers or masks".into(),
            });
        }
        let space = match (is_row(k), arg.space.position(over)) {
            (true, Some(at)) if at + inner.space.depth() + 1 == arg.space.depth() => {
                arg.space.without(at)
            }
            (false, None) => arg.space,
            (row, _) => {
                let expected = if row {
                    "right before the levels of a row"
                } else {
                    "in rows only: make it one, or copy it to another level"
                };
                return Err(ill_formed(
                    primitive,
                    format!(
                        "argument {k} lives in [{}], the level `{}` of the steps stands {expected}",
                        around.space_name(&arg.space),
                        level.name
                    ),
                ));
            }
        };
        pairs.push((inner, Type::new(arg.dtype, space)));
    }
    Signature::new(primitive, around, body, &pairs)
}

/// The space of an argument without its lanes.
pub(crate) fn unlaned(space: Space, signature: &Signature, k: usize) -> Space {
    let lanes = if signature.laned[k] {
        signature.lanes.depth()
    } else {
        0
    };
    let levels: Vec<LevelId> = space.iter().skip(lanes).collect();
    Space::from_levels(&levels).unwrap_or(space)
}
