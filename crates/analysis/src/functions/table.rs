//! What an entry of the table is, and the table.

use std::fmt;

use super::{collections, kinematics, numbers, reductions};
use crate::compile::{Compiler, Maybe};
use crate::error::Result;
use crate::place::Span;
use crate::syntax::Expr;
use crate::types::{Checker, Cx, Typed};

/// A call as it was written.
pub(crate) struct Written<'w> {
    pub function: &'static Function,
    pub args: &'w [Expr],
    pub span: Span,
}

/// The type of a call, and its arguments brought into form.
pub(crate) type Check = fn(&mut Checker<'_>, Cx<'_>, &Written<'_>) -> Result<Typed>;

/// The program of a call, from the values of its arguments.
pub(crate) type Compile = for<'b> fn(&Compiler<'b>, &[Maybe<'b>], &[Typed]) -> Maybe<'b>;

/// An expression and its values on the two events of [`super::documentation`]: of each event, or of each object one after the other; NaN where it is missing.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The expression.
    pub text: &'static str,
    /// Its values.
    pub values: &'static [f64],
}

/// A function of the language.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it is called.
    pub signature: &'static str,
    /// What it is, what happens at special points, where its derivative is zero or undefined.
    pub doc: &'static str,
    /// An example.
    pub example: Example,
    pub(crate) check: Check,
    /// Nothing where the checker writes it in other terms.
    pub(crate) compile: Option<Compile>,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.signature)
    }
}

/// All functions, by family.
///
/// # Example
/// ```
/// use pullback_analysis::functions;
/// assert!(functions::all().any(|f| f.name == "delta_r"));
/// ```
pub fn all() -> impl Iterator<Item = &'static Function> {
    let families = [
        numbers::TABLE,
        reductions::TABLE,
        collections::TABLE,
        kinematics::TABLE,
    ];
    families.into_iter().flatten()
}

/// The function of that name.
pub fn find(name: &str) -> Option<&'static Function> {
    all().find(|f| f.name == name)
}
