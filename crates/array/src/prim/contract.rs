//! Contractions: the sum over shared levels of a product, with names instead of index letters.

use super::along::expect_parents;
use super::binary::join;
use super::gemm::{DEPTH, Extent, Matrix, gemm_at, matvec, matvec_at, vecmat, vecmat_at};
use pullback_ad::isa::Level as Isa;

use crate::attr::Attrs;
use crate::build::{Builder, Sym, builder_of};
use crate::error::{Error, Result};
use crate::exec::{Io, Kernel, LEAF, LenId, LowerCx, Monoid};
use crate::primitive::{Call, Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::{LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// `out = Σ a · b` over the levels that are not in `to`.
pub struct Contract;

const NAME: &str = "contract";

/// Levels of a contraction by where they appear.
#[derive(Debug, Clone, PartialEq)]
struct Groups {
    /// Leading levels of all three.
    batch: usize,
    /// In the first argument and the result.
    m: Vec<LevelId>,
    /// In the second argument and the result.
    n: Vec<LevelId>,
    /// In both arguments, summed over.
    k: Vec<LevelId>,
    /// Whether `k` stands before `m` in the first argument.
    k_first_in_a: bool,
    /// Whether `k` stands before `n` in the second argument.
    k_first_in_b: bool,
    /// Whether `n` stands before `m` in the result.
    n_first: bool,
}

/// `rest` as two groups one after the other: whether `second` comes first, or `None` if they are interleaved or in another order.
fn order(rest: &[LevelId], first: &[LevelId], second: &[LevelId]) -> Option<bool> {
    let is = |x: &[LevelId], y: &[LevelId]| {
        rest.len() == x.len() + y.len() && rest.starts_with(x) && rest.ends_with(y)
    };
    if is(first, second) {
        Some(false)
    } else {
        is(second, first).then_some(true)
    }
}

fn groups(program: &Program, a: Space, b: Space, to: Space) -> Result<Groups> {
    let depth = a.depth().min(b.depth()).min(to.depth());
    let batch = (0..depth)
        .take_while(|&k| a.level(k) == b.level(k) && a.level(k) == to.level(k))
        .count();
    let rest = |s: Space| s.iter().skip(batch).collect::<Vec<_>>();
    let (ra, rb, ro) = (rest(a), rest(b), rest(to));
    let fail = |message: String| {
        let name = |s: &Space| program.space_name(s);
        Err(ill_formed(
            NAME,
            format!(
                "[{}] and [{}] to [{}]: {message}",
                name(&a),
                name(&b),
                name(&to)
            ),
        ))
    };
    for l in ra.iter().chain(&rb).chain(&ro) {
        let places = [&ra, &rb, &ro].iter().filter(|r| r.contains(l)).count();
        if places != 2 {
            let level = &program.level(*l).name;
            return fail(match places {
                1 => format!(
                    "level `{level}` appears once; sum over it, or broadcast along it, first"
                ),
                _ => format!("level `{level}` is in all three but does not lead them"),
            });
        }
    }
    let both = |x: &[LevelId], y: &[LevelId]| {
        x.iter()
            .copied()
            .filter(|l| y.contains(l))
            .collect::<Vec<_>>()
    };
    let (m, n, k) = (both(&ra, &ro), both(&rb, &ro), both(&ra, &rb));
    let (Some(k_first_in_a), Some(k_first_in_b), Some(n_first)) =
        (order(&ra, &m, &k), order(&rb, &n, &k), order(&ro, &m, &n))
    else {
        return fail("levels that are summed and levels that stay must not be interleaved, and stay in order".into());
    };
    let stream = |l: &LevelId| program.level(*l).kind == LevelKind::Stream;
    if k.iter().skip(1).any(stream) {
        return fail("a stream must be the first level that is summed".into());
    }
    Ok(Groups {
        batch,
        m,
        n,
        k,
        k_first_in_a,
        k_first_in_b,
        n_first,
    })
}

/// Records a contraction, or what it comes down to: a product if nothing is summed; levels of one argument alone are summed first.
pub(crate) fn contract<'b>(a: Sym<'b>, b: Sym<'b>, to: Space) -> Sym<'b> {
    let Some(cx) = builder_of(&[a, b]) else {
        return a * b;
    };
    let alone = |mut x: Sym<'b>, other: Space| {
        // Inner levels first: ragged ones hang below outer ones.
        for level in x.space().iter().rev().collect::<Vec<_>>() {
            if !other.contains(level) && !to.contains(level) {
                x = x.sum(level);
            }
        }
        x
    };
    let (a, b) = (alone(a, b.space()), alone(b, a.space()));
    let (sa, sb) = (a.space(), b.space());
    if sa.iter().all(|l| !sb.contains(l) || to.contains(l)) {
        return a.broadcast(to) * b.broadcast(to);
    }
    let attempt = cx.with_program(|p| groups(p, sa, sb, to));
    if attempt.is_ok() {
        return cx.push(super::CONTRACT, &[a, b], Attrs::to(to)).first(cx);
    }
    // Interleaved levels: multiply where one argument has all levels, then sum.
    if sa.broadcasts_to(&sb) || sb.broadcasts_to(&sa) {
        let mut product = a * b;
        for level in product.space().iter().rev().collect::<Vec<_>>() {
            if !to.contains(level) {
                product = product.sum(level);
            }
        }
        if product.space() == to {
            return product;
        }
    }
    if let Err(error) = attempt {
        cx.fail(error);
    }
    a
}

/// The number of elements of a group: fixed for the block, or different for each element of the leading levels.
#[derive(Clone, Copy)]
enum Size {
    Fixed(LenId),
    Varies,
}

/// What the kernel needs to know; `swap` exchanges the arguments so that the result is stored row by row.
#[allow(clippy::struct_excessive_bools)] // Independent facts, each read on its own.
struct Layout {
    batch: usize,
    swap: bool,
    /// Of the first argument after the exchange: is k its outer group?
    k_outer_a: bool,
    k_outer_b: bool,
    m: Size,
    n: Size,
    k: Size,
    m_is_one: bool,
    /// Depth, in the first argument after the exchange, of the stream that is summed.
    stream: Option<(LevelId, usize)>,
}

impl Layout {
    fn new(cx: &LowerCx<'_>, to: Space) -> Result<Self> {
        let program = cx.program();
        let g = groups(program, cx.arg(0).space, cx.arg(1).space, to)?;
        let size = |levels: &[LevelId]| -> Result<Size> {
            let outside = |l: &LevelId| match program.level(*l).kind {
                LevelKind::Ragged { parent, .. } => parent.iter().any(|p| !levels.contains(&p)),
                _ => false,
            };
            if levels.iter().any(outside) {
                return Ok(Size::Varies);
            }
            let space =
                Space::from_levels(levels).ok_or_else(|| ill_formed(NAME, "too many levels"))?;
            Ok(Size::Fixed(cx.len(space)))
        };
        let (mut m, mut n, k) = (size(&g.m)?, size(&g.n)?, size(&g.k)?);
        if [m, n, k]
            .iter()
            .filter(|s| matches!(s, Size::Varies))
            .count()
            > 1
        {
            return Err(ill_formed(
                NAME,
                "only one ragged level may hang below the common ones",
            ));
        }
        let (mut m_is_one, n_is_one) = (g.m.is_empty(), g.n.is_empty());
        let (mut k_outer_a, mut k_outer_b) = (g.k_first_in_a, g.k_first_in_b);
        // A result with n first is the transposed product. A lone row is a vector times a matrix; a lone column is that of the transposed product.
        let swap = g.n_first || (n_is_one && !m_is_one);
        if swap {
            std::mem::swap(&mut m, &mut n);
            m_is_one = n_is_one;
            std::mem::swap(&mut k_outer_a, &mut k_outer_b);
        }
        let before = g.batch
            + if k_outer_a {
                0
            } else if swap {
                g.n.len()
            } else {
                g.m.len()
            };
        let stream =
            g.k.first()
                .filter(|l| program.level(**l).kind == LevelKind::Stream)
                .map(|l| (*l, before));
        Ok(Self {
            batch: g.batch,
            swap,
            k_outer_a,
            k_outer_b,
            m,
            n,
            k,
            m_is_one,
            stream,
        })
    }

    /// Sizes of the groups for arguments of `a` and `b` elements and a result of `out`.
    fn extent(&self, io: &Io<'_>, a: usize, b: usize, out: usize) -> Extent {
        let fixed = |s: Size| match s {
            Size::Fixed(id) => Some(io.len(id)),
            Size::Varies => None,
        };
        let over = |n: usize, d: usize| n.checked_div(d).unwrap_or(0);
        match (fixed(self.m), fixed(self.n), fixed(self.k)) {
            (None, Some(n), Some(k)) => Extent {
                m: if k == 0 { over(out, n) } else { over(a, k) },
                n,
                k,
            },
            (Some(m), None, Some(k)) => Extent {
                m,
                n: if k == 0 { over(out, m) } else { over(b, k) },
                k,
            },
            (Some(m), Some(n), None) => Extent {
                m,
                n,
                k: if m == 0 { over(b, n) } else { over(a, m) },
            },
            (m, n, k) => Extent {
                m: m.unwrap_or(0),
                n: n.unwrap_or(0),
                k: k.unwrap_or(0),
            },
        }
    }
}

/// The kernels of one instruction set.
#[derive(Clone, Copy)]
struct Kernels {
    gemm: fn(Matrix<'_>, Matrix<'_>, &mut [f64], Extent),
    vecmat: fn(&[f64], usize, &[f64], &mut [f64]),
    matvec: fn(&[f64], usize, &[f64], &mut [f64]),
}

impl Kernels {
    fn new(isa: Isa) -> Self {
        Self {
            gemm: gemm_at(isa),
            vecmat: vecmat_at(isa),
            matvec: matvec_at(isa),
        }
    }

    /// `out += a · b` over the terms `first..end` of the sums.
    fn run(
        &self,
        layout: &Layout,
        a: &[f64],
        b: &[f64],
        out: &mut [f64],
        e: Extent,
        (first, end): (usize, usize),
    ) {
        if e.m == 0 || e.n == 0 || first >= end {
            return;
        }
        let k = end - first;
        if layout.m_is_one {
            // A vector (a, all its elements are terms) and a matrix.
            if layout.k_outer_b {
                (self.vecmat)(&a[first..end], 1, &b[first * e.n..end * e.n], out);
            } else {
                (self.matvec)(&b[first..], e.k, &a[first..end], out);
            }
            return;
        }
        let (ar, ac) = if layout.k_outer_a { (1, e.m) } else { (e.k, 1) };
        let (br, bc) = if layout.k_outer_b { (e.n, 1) } else { (1, e.k) };
        let a = Matrix {
            data: &a[first * ac..],
            rows: ar,
            columns: ac,
        };
        let b = Matrix {
            data: &b[first * br..],
            rows: br,
            columns: bc,
        };
        (self.gemm)(a, b, out, Extent { k, ..e });
    }
}

fn evaluate(io: &Io<'_>, layout: &Layout, kernels: Kernels) {
    let (x, y) = if layout.swap { (1, 0) } else { (0, 1) };
    let (a, b, out) = (io.arg::<f64>(x), io.arg::<f64>(y), io.out::<f64>(0));
    let depth = layout.batch;
    let lanes = if depth == 0 { 1 } else { io.lanes(0, depth) };
    for lane in 0..lanes {
        let range = |i: usize, len: usize| {
            if depth == 0 {
                0..len
            } else {
                io.position(i, depth, lane)..io.position(i, depth, lane + 1)
            }
        };
        let into = if depth == 0 {
            0..out.len()
        } else {
            io.out_position(0, depth, lane)..io.out_position(0, depth, lane + 1)
        };
        let (a, b, out) = (&a[range(x, a.len())], &b[range(y, b.len())], &mut out[into]);
        let extent = layout.extent(io, a.len(), b.len(), out.len());
        let Some((level, before)) = layout.stream else {
            kernels.run(layout, a, b, out, extent, (0, extent.k));
            continue;
        };
        // Terms of a stream are summed in the fixed leaves of all reductions, so that blocks change nothing.
        let events = io.dim(level);
        let mut event = 0;
        while event < events {
            let next = (event + LEAF).min(events);
            let (first, end) = (
                io.position(x, before + 1, event),
                io.position(x, before + 1, next),
            );
            // Positions are those of the terms if the group is inner or nothing else stands below.
            let below = if layout.k_outer_a { extent.m.max(1) } else { 1 };
            kernels.run(layout, a, b, out, extent, (first / below, end / below));
            event = next;
        }
    }
}

/// The kernel of a contraction to rows, each of which starts from the third argument in place of zeros. The bits are those of adding it afterwards: sums
/// in one piece are added to what is there, others are made first. Refuses products in which a stream is summed, or that are no matrix.
pub(crate) fn with_rows(cx: &LowerCx<'_>) -> Result<Kernel> {
    let to = cx.attrs().space("to").unwrap_or(Space::SCALAR);
    let layout = Layout::new(cx, to)?;
    if layout.stream.is_some() || layout.m_is_one || layout.batch > 0 {
        return Err(ill_formed(NAME, "no product of two matrices"));
    }
    let kernels = Kernels::new(cx.isa());
    Ok(Kernel::infallible(move |io: &Io<'_>| {
        let (x, y) = if layout.swap { (1, 0) } else { (0, 1) };
        let (a, b, row) = (io.arg::<f64>(x), io.arg::<f64>(y), io.arg::<f64>(2));
        let out = io.out::<f64>(0);
        let extent = layout.extent(io, a.len(), b.len(), out.len());
        let rows = |out: &mut [f64], f: fn(f64, f64) -> f64| {
            for out in out.chunks_exact_mut(row.len().max(1)) {
                out.iter_mut().zip(row).for_each(|(o, b)| *o = f(*o, *b));
            }
        };
        let product = |out: &mut [f64]| kernels.run(&layout, a, b, out, extent, (0, extent.k));
        if (1..=DEPTH).contains(&extent.k) {
            rows(out, |_, b| b);
            product(out);
        } else {
            out.fill(0.0);
            product(out);
            rows(out, |o, b| o + b);
        }
    }))
}

impl Primitive for Contract {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doc(&self) -> &'static str {
        "The sum, over the levels that are not in the path `to`, of the product of both arguments: dot, matrix-vector and matrix products by the names of levels."
    }

    fn convention(&self) -> &'static str {
        "An empty sum is 0. Terms are summed from first to last with fused multiply-adds (dot products in 16 lanes); those of a stream in leaves of 256 of its elements."
    }

    fn nature(&self) -> Nature {
        Nature::Linear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let ([a, b], Some(to)) = (args, attrs.space("to")) else {
            return Err(ill_formed(NAME, "expects two arguments and a space `to`"));
        };
        for (index, arg) in args.iter().enumerate() {
            if arg.dtype != DType::F64 {
                return Err(Error::DType {
                    primitive: NAME,
                    index,
                    found: arg.dtype.to_string(),
                    expected: DType::F64.to_string(),
                });
            }
        }
        groups(program, a.space, b.space, to)?;
        expect_parents(NAME, program, to)?;
        Ok(vec![Type::f64(to)])
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let to = call.outs[0].space();
        let (a, b) = (call.args[0], call.args[1]);
        Ok(vec![join(
            tangents[0].map(|t| contract(t, b, to)),
            tangents[1].map(|t| contract(a, t, to)),
        )])
    }

    fn transpose<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (a, b) = (call.args[0], call.args[1]);
        let Some(c) = cotangents[0] else {
            return Ok(vec![None, None]);
        };
        Ok(vec![
            linear[0].then(|| contract(c, b, a.space())),
            linear[1].then(|| contract(a, c, b.space())),
        ])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let Some(to) = cx.attrs().space("to") else {
            return Err(ill_formed(NAME, "expects a space `to`"));
        };
        let _ = (vecmat, matvec);
        let layout = Layout::new(cx, to)?;
        let kernels = Kernels::new(cx.isa());
        Ok(Kernel::Accumulate(
            Monoid::Add,
            Box::new(move |io: &Io<'_>| {
                evaluate(io, &layout, kernels);
                Ok(())
            }),
        ))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("a layer", |s| {
                let (events, i, j) = (
                    s.b.stream("events"),
                    s.b.dense_of("i", 2),
                    s.b.dense_of("j", 3),
                );
                let x = s.f64("x", s.b.join(events, i), &[1.0, 2.0, -1.0, 0.5]);
                let w = s.f64("w", s.b.join(i, j), &[0.1, 0.2, 0.3, -0.4, 0.5, 0.6]);
                x.contract(w, s.b.join(events, j))
            }),
            Sample::generic("over a stream", |s| {
                let (events, i, j) = (
                    s.b.stream("events"),
                    s.b.dense_of("i", 2),
                    s.b.dense_of("j", 2),
                );
                let x = s.f64("x", s.b.join(events, i), &[1.0, 2.0, -1.0, 0.5]);
                let y = s.f64("y", s.b.join(events, j), &[0.1, 0.2, 0.3, -0.4]);
                x.contract(y, s.b.join(i, j))
            }),
            Sample::generic("a dot product in each event", |s| {
                let events = s.b.stream("events");
                let muons = s.ragged("muons", events, &[0, 2, 2, 3]);
                s.f64("x", muons, &[1.0, 2.0, 3.0])
                    .contract(s.f64("y", muons, &[0.5, -1.0, 2.0]), events)
            }),
            Sample::special("over nothing", &[0.0], |s| {
                let n = s.b.dense("n");
                s.f64("x", n, &[])
                    .contract(s.f64("y", n, &[]), Space::SCALAR)
            }),
        ]
    }
}
