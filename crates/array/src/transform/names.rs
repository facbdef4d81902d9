//! Names that transforms add at the border of a program.
//!
//! A transform calls what it adds after what it belongs to: `d_x`, `ct_y`, `grad_x`. Where the program has an input or an output of such a name already, because
//! it is a derivative itself or because someone called it so, all that this transform adds is counted: `d2_x`, `d2_y`, …, then `d3_x`. What the program had
//! keeps its name, so that derivatives of derivatives are told apart:
//!
//! ```text
//! y(x)              inputs x              outputs y
//! jvp               inputs x, d_x         outputs y, d_y
//! jvp of it         inputs x, d_x, d2_x   outputs y, d_y, d2_y, d2_d_y
//! ```

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::program::Program;
use crate::ty::DType;

/// The word before the names that a transform adds: `word`, or `word2`, `word3`, … where a name made with it is taken.
///
/// # Errors
/// Two names that would be the same with any word.
pub(super) fn fresh<S: AsRef<str>>(
    program: &Program,
    word: &str,
    inputs: &[S],
    outputs: &[S],
) -> Result<String> {
    let named = |n: &S| format!("{word}_{}", n.as_ref());
    let outputs_named: Vec<String> = outputs.iter().map(named).collect();
    if let Some(error) = twice(&outputs_named) {
        return Err(error);
    }
    let free = |word: &str| {
        let name = |n: &S| format!("{word}_{}", n.as_ref());
        !inputs
            .iter()
            .any(|n| program.find_input(&name(n)).is_some())
            && !outputs
                .iter()
                .any(|n| program.find_output(&name(n)).is_some())
    };
    let counted = (2..).map(|k: usize| format!("{word}{k}"));
    let mut words = std::iter::once(word.to_owned()).chain(counted);
    // Each word that is not free is the beginning of a name of the program: there is an end.
    Ok(words.find(|w| free(w)).unwrap_or_default())
}

/// The error of the first of the names that is there twice.
pub(super) fn twice<S: AsRef<str>>(outputs: &[S]) -> Option<Error> {
    let mut seen = HashSet::new();
    let mut names = outputs.iter().map(AsRef::as_ref);
    let name = names.find(|n| !seen.insert(*n))?;
    Some(Error::Twice {
        kind: "output",
        name: name.to_owned(),
    })
}

/// The word for tangents of the inputs `wrt` and of all outputs that have one.
pub(super) fn of_tangents(program: &Program, wrt: &[&str]) -> Result<String> {
    let doubles = program
        .outputs()
        .iter()
        .filter(|(_, v)| program.ty(*v).dtype == DType::F64);
    let outputs: Vec<&str> = doubles.map(|(n, _)| &**n).collect();
    fresh(program, "d", wrt, &outputs)
}

/// The word for cotangents of the outputs `of` and of the inputs `wrt`.
pub(super) fn of_cotangents(program: &Program, of: &[&str], wrt: &[&str]) -> Result<String> {
    fresh(program, "ct", of, wrt)
}

/// The word for gradients with respect to the inputs `wrt`.
pub(super) fn of_gradients(program: &Program, wrt: &[&str]) -> Result<String> {
    fresh(program, "grad", &[], wrt)
}
