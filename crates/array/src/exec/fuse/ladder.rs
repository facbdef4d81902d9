//! The derivative of a product along a level of rows with eight lanes: what stands before a row times what stands after it, in one climb up and one down,
//! without storing the product of the others.

use pullback_ad::Binary;
use pullback_ad::isa::Isa;

use super::step::{Site, Step};
use crate::exec::{Axis, Io, Kernel, LowerCx, Segments};
use crate::prim;
use crate::prim::rows::{LANES, Rows};
use crate::primitive::{PrimitiveRef, ill_formed};
use crate::program::{Node, ValueId};
use crate::space::LevelId;

fn mul() -> PrimitiveRef {
    prim::binary::binary(Binary::Mul)
}

/// The factors of a product one of which is the product of the others along `over`: (its node, its argument, the other factor).
fn others(site: &Site<'_, '_>, product: &Node, over: LevelId) -> Option<(u32, ValueId, ValueId)> {
    let [a, b] = product.args[..] else {
        return None;
    };
    let find = |v: ValueId, other: ValueId| {
        let (k, node) = site.inner(v, prim::EXCLUSIVE_PROD)?;
        let program = site.program();
        let space = program.ty(v).space;
        // Rows, then eight lanes, and nothing below.
        let fits = node.attrs.level("over") == Some(over)
            && space.position(over)? + 2 == space.depth()
            && program.level(space.last()?).len == Some(LANES)
            && program.stream_root(&space).is_none();
        fits.then_some((k, node.args[0], other))
    };
    find(a, b).or_else(|| find(b, a))
}

fn axis(cx: &LowerCx<'_>, f: ValueId, over: LevelId) -> crate::error::Result<Axis> {
    cx.axis(cx.program().ty(f).space, over)
        .ok_or_else(|| ill_formed("exclusive_prod", "the level is not on the path"))
}

/// `rows_dot(exclusive_prod(f)·g, c)`: the sums over lanes of `c g Πⱼ≠ᵢ fⱼ`.
pub(super) fn rows_of_a_product(site: &Site<'_, '_>, k: u32) -> Option<Step> {
    let dot = site.node(k);
    let over = dot.attrs.level("over")?;
    if dot.primitive != Rows::Dot.primitive() {
        return None;
    }
    let (m, product) = site.inner(dot.args[0], mul())?;
    let (e, f, g) = others(site, product, over)?;
    let room = site.node(e).first;
    let make = move |cx: &LowerCx<'_>| {
        let (axis, kernel) = (axis(cx, f, over)?, rows_at(cx.isa()));
        let _ = rows_here;
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            kernel(
                io.segments(&axis),
                io.arg(0),
                io.arg(1),
                io.arg(2),
                io.out(1),
                io.out(0),
            );
            Ok(())
        })))
    };
    Step::chain(
        site.program(),
        vec![e, m, k],
        vec![f, g, dot.args[1]],
        vec![room],
        Box::new(make),
    )
}

/// `exclusive_prod(f)·expand(c)`: `c Πⱼ≠ᵢ fⱼ` in each lane.
pub(super) fn lanes_of_a_product(site: &Site<'_, '_>, k: u32) -> Option<Step> {
    let product = site.node(k);
    if product.primitive != mul() {
        return None;
    }
    let over = product.args.iter().find_map(|a| {
        let (_, node) = site.inner(*a, prim::EXPAND)?;
        node.attrs.level("over")
    })?;
    let (e, f, repeated) = others(site, product, over)?;
    let (r, expand) = site.inner(repeated, prim::EXPAND)?;
    let make = move |cx: &LowerCx<'_>| {
        let (axis, kernel) = (axis(cx, f, over)?, lanes_at(cx.isa()));
        let _ = lanes_here;
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            kernel(io.segments(&axis), io.arg(0), io.arg(1), io.out(0));
            Ok(())
        })))
    };
    Step::chain(
        site.program(),
        vec![e, r, k],
        vec![f, expand.args[0]],
        Vec::new(),
        Box::new(make),
    )
}

/// Products of the rows before each of `f`.
#[inline(always)]
fn climb(f: &[[f64; LANES]], before: &mut [[f64; LANES]]) {
    let mut acc = [1.0; LANES];
    for (row, before) in f.iter().zip(before) {
        *before = acc;
        for j in 0..LANES {
            acc[j] *= row[j];
        }
    }
}

/// `c g` times the product of the other rows: `before` times `after`, which takes in the row.
#[inline(always)]
fn step_down(
    (f, g, before): (&[f64; LANES], &[f64; LANES], &[f64; LANES]),
    c: &[f64; LANES],
    after: &mut [f64; LANES],
) -> [f64; LANES] {
    let mut out = [0.0; LANES];
    for j in 0..LANES {
        out[j] = ((before[j] * after[j]) * g[j]) * c[j];
        after[j] *= f[j];
    }
    out
}

#[inline(always)]
fn rows_body<I: Isa>(
    s: Segments<'_>,
    f: &[f64],
    g: &[f64],
    c: &[f64],
    room: &mut [f64],
    out: &mut [f64],
) {
    let rows = |x| <[f64]>::as_chunks::<LANES>(x).0;
    let (f, g, c) = (rows(f), rows(g), rows(c));
    let room = room.as_chunks_mut::<LANES>().0;
    for p in 0..s.count {
        let (a, b) = s.range(p);
        let n = b - a;
        // The same room for all segments: it stays in the first cache.
        let (f, g, before, out) = (&f[a..b], &g[a..b], &mut room[..n], &mut out[a..b]);
        climb(f, before);
        let mut after = [1.0; LANES];
        let mut end = n;
        while end > 0 {
            let start = end.saturating_sub(8);
            let c = &c[p];
            let (f, g, before) = (&f[start..end], &g[start..end], &before[start..end]);
            if let (Some(f), Some(g), Some(before)) = (
                f.first_chunk::<8>(),
                g.first_chunk::<8>(),
                before.first_chunk::<8>(),
            ) {
                // Written out, so that the rows stay in registers.
                let h = step_down((&f[7], &g[7], &before[7]), c, &mut after);
                let t = step_down((&f[6], &g[6], &before[6]), c, &mut after);
                let u = step_down((&f[5], &g[5], &before[5]), c, &mut after);
                let v = step_down((&f[4], &g[4], &before[4]), c, &mut after);
                let w = step_down((&f[3], &g[3], &before[3]), c, &mut after);
                let x = step_down((&f[2], &g[2], &before[2]), c, &mut after);
                let y = step_down((&f[1], &g[1], &before[1]), c, &mut after);
                let z = step_down((&f[0], &g[0], &before[0]), c, &mut after);
                let sums = I::row_sums(&[z, y, x, w, v, u, t, h]);
                out[start..end].copy_from_slice(&sums);
            } else {
                let mut group = [[0.0; LANES]; 8];
                for k in (0..end - start).rev() {
                    group[k] = step_down((&f[k], &g[k], &before[k]), c, &mut after);
                }
                let sums = I::row_sums(&group);
                out[start..end].copy_from_slice(&sums[..end - start]);
            }
            end = start;
        }
    }
}

/// `c` times the product of the other rows.
#[inline(always)]
fn lane_down(
    f: &[f64; LANES],
    c: &[f64; LANES],
    before: &[f64; LANES],
    after: &mut [f64; LANES],
) -> [f64; LANES] {
    let mut out = [0.0; LANES];
    for j in 0..LANES {
        out[j] = (before[j] * after[j]) * c[j];
        after[j] *= f[j];
    }
    out
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // Tells the instances apart.
fn lanes_body<I: Isa>(s: Segments<'_>, f: &[f64], c: &[f64], out: &mut [f64]) {
    let rows = |x| <[f64]>::as_chunks::<LANES>(x).0;
    let (f, c, out) = (rows(f), rows(c), out.as_chunks_mut::<LANES>().0);
    for (p, c) in c[..s.count].iter().enumerate() {
        let (a, b) = s.range(p);
        let (f, out) = (&f[a..b], &mut out[a..b]);
        climb(f, out);
        let mut after = [1.0; LANES];
        for (f, o) in f.iter().zip(out).rev() {
            *o = lane_down(f, c, &*o, &mut after);
        }
    }
}

pullback_ad::multiversion! {
    fn rows_here, rows_at(s: Segments<'_>, f: &[f64], g: &[f64], c: &[f64], room: &mut [f64], out: &mut [f64]) = rows_body;
    fn lanes_here, lanes_at(s: Segments<'_>, f: &[f64], c: &[f64], out: &mut [f64]) = lanes_body;
}
