//! A program with other names at its border: what regions need, whose derivatives are differentiated again.

use std::sync::Arc;

use crate::attr::Attr;
use crate::error::{Error, Result};
use crate::prim;
use crate::program::Program;

/// The program with its inputs renamed (in order; `None` leaves one out) and with these outputs only, `(old name, new name)`, in the given order.
///
/// # Errors
/// As many names as inputs are expected; an unknown output; an input that is left out but needed.
///
/// # Example
/// ```
/// use pullback_array::{Builder, transform};
/// use pullback_ad::Real;
/// let b = Builder::new();
/// let n = b.dense("n");
/// let (x, w) = (b.input("x", n), b.input("w", n));
/// let program = b.finish(&[("sum", x.sum_all()), ("product", (x * w).sum_all())]).unwrap();
/// let part = transform::interface(&program, &[Some("a"), None], &[("sum", "y")]).unwrap();
/// assert_eq!((part.inputs().len(), &*part.outputs()[0].0), (1, "y"));
/// assert!(transform::interface(&program, &[Some("a"), None], &[("product", "y")]).is_err());
/// ```
pub fn interface(
    program: &Program,
    inputs: &[Option<&str>],
    outputs: &[(&str, &str)],
) -> Result<Program> {
    if inputs.len() != program.inputs().len() {
        let (found, expected) = (inputs.len(), program.inputs().len());
        return Err(Error::Input {
            input: "*".into(),
            message: format!("{found} names for {expected} inputs"),
        });
    }
    let mut out = program.clone();
    let mut kept = Vec::new();
    for ((_, value), name) in program.inputs().iter().zip(inputs) {
        let Some(name) = name else { continue };
        let name: Arc<str> = Arc::from(*name);
        let node = program.value(*value).node as usize;
        // The name is the only word among the parameters of an input.
        out.nodes[node].attrs.for_each_mut(|a| {
            if let Attr::Str(s) = a {
                *s = name.clone();
            }
        });
        kept.push((name, *value));
    }
    out.inputs = kept;
    out.outputs = outputs
        .iter()
        .map(|(old, new)| {
            let value = program.find_output(old).ok_or_else(|| Error::Unknown {
                kind: "output",
                name: (*old).into(),
                known: program
                    .outputs()
                    .iter()
                    .map(|(n, _)| n.to_string())
                    .collect::<Vec<_>>()
                    .join(", "),
            })?;
            Ok((Arc::from(*new), value))
        })
        .collect::<Result<_>>()?;
    let out = super::prune(&out)?;
    let unlisted = |v| !out.inputs().iter().any(|(_, i)| *i == v);
    match out
        .nodes()
        .iter()
        .find(|n| n.primitive == prim::INPUT && unlisted(n.first))
    {
        Some(node) => Err(Error::Input {
            input: out.value(node.first).label.as_deref().unwrap_or("?").into(),
            message: "is left out of the interface, but an output needs it".into(),
        }),
        None => Ok(out),
    }
}
