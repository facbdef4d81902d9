//! The checker: runs after every transform in debug builds.

use crate::attr::Attr;
use crate::error::{Error, Result};
use crate::program::{Program, ValueId};
use crate::space::{LevelKind, Space};
use crate::ty::DType;

/// Checks that a program is well-formed: arguments come before uses, types are those that the primitives infer, levels are declared by what they say.
///
/// # Errors
/// The first broken node.
pub fn check(program: &Program) -> Result<()> {
    let fail = |value: ValueId, message: String| {
        Err(Error::Check {
            value: value.0,
            primitive: program.node(value).primitive.name(),
            message,
        })
    };
    let mut defined = 0;
    for node in program.nodes() {
        for (i, a) in node.args.iter().enumerate() {
            if a.0 >= defined {
                return fail(
                    node.first,
                    format!("argument {i}, %{}, is not defined before", a.0),
                );
            }
        }
        let types: Vec<_> = node.args.iter().map(|&a| program.ty(a)).collect();
        let inferred = node.primitive.infer(program, &types, &node.attrs)?;
        let found: Vec<_> = node.results().map(|r| program.ty(r)).collect();
        if inferred != found {
            return fail(
                node.first,
                format!("has type {found:?}, expected {inferred:?}"),
            );
        }
        let attrs = node.attrs.iter().filter_map(|(_, a)| {
            if let Attr::Space(space) = a {
                Some(*space)
            } else {
                None
            }
        });
        for space in found.iter().map(|ty| ty.space).chain(attrs) {
            let mut path = Space::SCALAR;
            for level in space.iter() {
                if usize::from(level.0) >= program.levels().len() {
                    return fail(node.first, format!("level {} is not declared", level.0));
                }
                if path.contains(level) {
                    return fail(
                        node.first,
                        format!(
                            "level `{}` stands twice on its path",
                            program.level(level).name
                        ),
                    );
                }
                if program.level(level).kind == LevelKind::Stream
                    && program.stream_root(&path).is_some()
                {
                    return fail(node.first, "two streams stand on its path".into());
                }
                if let LevelKind::Ragged { parent, offsets } = program.level(level).kind {
                    // Lanes may stand before the parents, nothing between them and the level.
                    let lanes = path.depth().saturating_sub(parent.depth());
                    if !path.iter().skip(lanes).eq(parent.iter()) {
                        return fail(
                            node.first,
                            format!(
                                "the parents of level `{}` do not stand right before it",
                                program.level(level).name
                            ),
                        );
                    }
                    if offsets.0 >= defined {
                        return fail(
                            node.first,
                            format!(
                                "the offsets of level `{}` are not defined before",
                                program.level(level).name
                            ),
                        );
                    }
                    if program.ty(offsets).dtype != DType::Offsets
                        || program.ty(offsets).space != parent
                    {
                        return fail(
                            offsets,
                            format!(
                                "level `{}` is not described by it",
                                program.level(level).name
                            ),
                        );
                    }
                }
                path = path.child(level).unwrap_or(path);
            }
        }
        defined = node.first.0 + node.outputs;
    }
    for (name, value) in program.outputs() {
        if value.0 >= defined {
            return Err(Error::Unknown {
                kind: "value",
                name: format!("%{} (output `{name}`)", value.0),
                known: format!("%0 to %{defined}"),
            });
        }
    }
    Ok(())
}
