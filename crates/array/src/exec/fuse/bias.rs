//! A product of matrices with the same numbers added to each of its rows, as in a layer of a network: `add(contract(a, b), expand(v))`. The sums start from
//! `v`, which is not repeated.

use pullback_ad::Binary;

use super::step::{Site, Step};
use crate::prim::{self, binary::binary, contract};

pub(super) fn of_a_product(site: &Site<'_, '_>, k: u32) -> Option<Step> {
    let add = site.node(k);
    if add.primitive != binary(Binary::Add) {
        return None;
    }
    let program = site.program();
    [0, 1].into_iter().find_map(|place| {
        let (p, product) = site.inner(add.args[place], prim::CONTRACT)?;
        let (e, repeated) = site.inner(add.args[1 - place], prim::EXPAND)?;
        let to = program.ty(product.first).space;
        // Rows are the elements of the first of two levels.
        if to.depth() != 2 || repeated.attrs.level("over") != to.root() {
            return None;
        }
        let args = vec![product.args[0], product.args[1], repeated.args[0]];
        if contract::with_rows(&site.cx.at(p)).is_err() {
            return None;
        }
        let make = move |cx: &crate::exec::LowerCx<'_>| contract::with_rows(&cx.at(p));
        let mut nodes = vec![p, e, k];
        nodes.sort_unstable();
        Step::chain(program, nodes, args, Vec::new(), Box::new(make))
    })
}
