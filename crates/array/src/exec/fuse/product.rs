//! The sum of products: `total(mul(a, b))` without the products between.

use pullback_ad::Binary;
use pullback_ad::isa::Isa;

use super::step::{Site, Step};
use crate::exec::{Io, Kernel, LowerCx, Monoid};
use crate::prim::{self, binary::binary, total::leaf};

/// The sum of the products of a leaf, in the order of a total.
#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // Tells the instances apart.
fn products_body<I: Isa>(a: &[f64], b: &[f64]) -> f64 {
    let ((a, rest), (b, more)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut lanes = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for j in 0..8 {
            lanes[j] += a[j] * b[j];
        }
    }
    for (lane, (a, b)) in lanes.iter_mut().zip(rest.iter().zip(more)) {
        *lane += a * b;
    }
    leaf(lanes)
}

pullback_ad::multiversion! {
    fn products, products_at(a: &[f64], b: &[f64]) -> f64 = products_body;
}

pub(super) fn total(site: &Site<'_, '_>, k: u32) -> Option<Step> {
    let _ = products;
    let node = site.node(k);
    if node.primitive != prim::TOTAL {
        return None;
    }
    let (p, product) = site.inner(node.args[0], binary(Binary::Mul))?;
    let depth = site.program().ty(node.first).space.depth();
    let make = move |cx: &LowerCx<'_>| {
        let sum = products_at(cx.isa());
        Ok(Kernel::Accumulate(
            Monoid::Add,
            Box::new(move |io: &Io<'_>| {
                let (a, b, out) = (io.arg::<f64>(0), io.arg::<f64>(1), io.out::<f64>(0));
                io.for_leaves(0, depth, |lane, first, end| {
                    out[lane] += sum(&a[first..end], &b[first..end]);
                });
                Ok(())
            }),
        ))
    };
    Step::chain(
        site.program(),
        vec![p, k],
        product.args.clone(),
        Vec::new(),
        Box::new(make),
    )
}
