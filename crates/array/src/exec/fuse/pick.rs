//! Elements at constant indices, and another value where there is none: `select(mask, gather(table, index), other)`.

use super::step::{Site, Step};
use crate::attr::Data;
use crate::exec::{Io, Kernel};
use crate::prim;
use crate::prim::places::Places;
use crate::program::ValueId;
use crate::ty::DType;

/// The number that a value repeats, if it is a constant.
pub(super) fn number(site: &Site<'_, '_>, v: ValueId) -> Option<f64> {
    let program = site.program();
    let mut node = program.node(v);
    if node.primitive == prim::SPLAT {
        node = program.node(node.args[0]);
    }
    (node.primitive == prim::CONST)
        .then(|| node.attrs.f64("value"))
        .flatten()
}

/// Constant integers.
pub(super) fn indices<'a>(site: &Site<'a, '_>, v: ValueId) -> Option<&'a [i64]> {
    match site.program().node(v).attrs.data("data") {
        Some(Data::I64(d)) => Some(d),
        _ => None,
    }
}

/// A constant mask.
pub(super) fn mask<'a>(site: &Site<'a, '_>, v: ValueId) -> Option<&'a [bool]> {
    match site.program().node(v).attrs.data("data") {
        Some(Data::Bool(d)) => Some(d),
        _ => None,
    }
}

pub(super) fn or_else(site: &Site<'_, '_>, k: u32) -> Option<Step> {
    let select = site.node(k);
    if select.primitive != prim::SELECT {
        return None;
    }
    let chosen = mask(site, select.args[0])?;
    let (g, gather) = site.inner(select.args[1], prim::GATHER)?;
    let (table, index) = (gather.args[0], indices(site, gather.args[1])?);
    let other = number(site, select.args[2])?;
    // Elements of a table of one level, where each place that is chosen has one.
    let ty = site.program().ty(table);
    if ty.dtype != DType::F64
        || ty.space.depth() != 1
        || index.len() != chosen.len()
        || index.iter().zip(chosen).any(|(i, c)| *c && *i < 0)
    {
        return None;
    }
    let (index, chosen) = (index.to_vec(), chosen.to_vec());
    let make = move |_: &crate::exec::LowerCx<'_>| {
        let places = Places::among(&index, &chosen);
        let all = places.fills(index.len());
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let out = io.out::<f64>(0);
            if !all {
                out.fill(other);
            }
            places.read(io.arg(0), out)
        })))
    };
    Step::chain(
        site.program(),
        vec![g, k],
        vec![table],
        Vec::new(),
        Box::new(make),
    )
}
