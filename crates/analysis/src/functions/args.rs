//! Arguments of calls.

use super::table::Written;
use crate::error::{Error, Result};
use crate::types::{Checker, CollectionId, Cx, Kind, Node, Per, Type, Typed};
use crate::units::Dimension;

impl Written<'_> {
    /// An error about the arguments as a whole.
    pub fn wrong(&self, cx: Cx<'_>, message: String) -> Error {
        Error::Arguments {
            place: cx.place(self.span),
            message,
            signature: self.function.signature,
        }
    }

    /// Checks the number of arguments.
    pub fn count(&self, cx: Cx<'_>, allowed: std::ops::RangeInclusive<usize>) -> Result<()> {
        if allowed.contains(&self.args.len()) {
            return Ok(());
        }
        let (name, given) = (self.function.name, self.args.len());
        let (least, most) = (*allowed.start(), *allowed.end());
        let expected = match (least, most) {
            (a, b) if a == b => a.to_string(),
            (a, usize::MAX) => format!("at least {a}"),
            (a, b) => format!("{a} to {b}"),
        };
        let plural = if expected == "1" { "" } else { "s" };
        Err(self.wrong(
            cx,
            format!("`{name}` takes {expected} argument{plural}, not {given}"),
        ))
    }

    /// The arguments, each checked, N in number.
    pub fn exactly<const N: usize>(
        &self,
        checker: &mut Checker<'_>,
        cx: Cx<'_>,
    ) -> Result<[Typed; N]> {
        self.count(cx, N..=N)?;
        let args = self.args.iter().map(|a| checker.expr(cx, a));
        let args = args.collect::<Result<Vec<_>>>()?;
        args.try_into()
            .map_err(|_| self.wrong(cx, "wrong number of arguments".into()))
    }

    /// The call as a value.
    pub fn call(&self, args: Vec<Typed>, ty: Type) -> Typed {
        Typed {
            node: Node::Call(self.function, args),
            ty,
            span: self.span,
        }
    }

    /// A value per object, which is to be reduced, and its collection.
    pub fn per_object(&self, checker: &Checker<'_>, cx: Cx<'_>, x: &Typed) -> Result<CollectionId> {
        if let Per::Object(id) = x.ty.per {
            return Ok(id);
        }
        let help = format!(
            "`{}` makes one value per event of the values per object",
            self.function.signature
        );
        Err(checker.mistaken(cx, x, "a value per object", &help))
    }
}

/// The type of a function of numbers, elementwise, in the given dimension.
pub(super) fn elementwise<const N: usize>(
    checker: &mut Checker<'_>,
    cx: Cx<'_>,
    call: &Written<'_>,
    dimension: impl Fn(&[Typed; N]) -> Option<Dimension>,
) -> Result<Typed> {
    let args: [Typed; N] = call.exactly(checker, cx)?;
    let mut reals = Vec::with_capacity(N);
    for arg in args {
        reals.push(checker.real(cx, arg)?);
    }
    let reals: [Typed; N] = reals
        .try_into()
        .map_err(|_| call.wrong(cx, "wrong number of arguments".into()))?;
    let dimension = dimension(&reals);
    let (args, per) = checker.align(cx, reals, call.span)?;
    let optional = args.iter().any(|a| a.ty.optional);
    let ty = Type::new(per, Kind::Real)
        .of(dimension)
        .or_missing(optional);
    Ok(call.call(args.into(), ty))
}
