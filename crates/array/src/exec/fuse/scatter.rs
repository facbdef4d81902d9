//! Sums at constant indices of what is chosen, where nothing else has a place: `scatter_add(select(mask, x, 0), index)`.

use super::pick::{indices, mask, number};
use super::step::{Site, Step};
use crate::exec::{Io, Kernel};
use crate::prim;
use crate::prim::places::Places;

pub(super) fn of_a_choice(site: &Site<'_, '_>, k: u32) -> Option<Step> {
    let scatter = site.node(k);
    if scatter.primitive != prim::SCATTER_ADD {
        return None;
    }
    let index = indices(site, scatter.args[1])?;
    let (s, select) = site.inner(scatter.args[0], prim::SELECT)?;
    let chosen = mask(site, select.args[0])?;
    // Zeros are added nowhere, so that leaving them out changes no bit.
    let nowhere = |(i, c): (&i64, &bool)| *c || *i < 0;
    if number(site, select.args[2])? != 0.0
        || site.program().ty(scatter.first).space.depth() != 1
        || index.len() != chosen.len()
        || !index.iter().zip(chosen).all(nowhere)
    {
        return None;
    }
    let index = index.to_vec();
    let make = move |_: &crate::exec::LowerCx<'_>| {
        let places = Places::new(&index);
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let out = io.out::<f64>(0);
            out.fill(0.0);
            places.add(io.arg(0), out)
        })))
    };
    Step::chain(
        site.program(),
        vec![s, k],
        vec![select.args[1]],
        Vec::new(),
        Box::new(make),
    )
}
