//! Small matrix products on slices: `out += a · b` with any storage order, in SIMD tiles.
//!
//! Each element of the result is a sum over k from first to last with fused multiply-adds (within runs of [`DEPTH`]), whatever the tile it falls into: rows and
//! columns may be cut anywhere without changing a bit.

use std::cell::RefCell;

use pullback_ad::isa::{Isa, Level};
#[cfg(target_arch = "x86_64")]
use pulp::{NullaryFnOnce, Simd};

/// Elements of k per pass: a panel of rows stays in the first-level cache. A sum of no more terms is made before it is added to what is there.
pub(crate) const DEPTH: usize = 256;
/// Columns per pass: the packed block of `b` stays in the second-level cache.
const WIDTH: usize = 128;

thread_local! {
    /// Packed panels; grown once per thread, then reused.
    static PACKED: RefCell<(Vec<f64>, Vec<f64>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// A matrix in memory: element (i, j) is `data[i · rows + j · columns]`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub data: &'a [f64],
    pub rows: usize,
    pub columns: usize,
}

/// Numbers of rows of the result, of columns of the result, of terms in each sum.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

#[inline(always)]
fn tile<I: Isa, const MR: usize, const NR: usize>(
    a: &[[f64; MR]],
    b: &[[f64; NR]],
) -> [[f64; NR]; MR] {
    let mut acc = [[0.0; NR]; MR];
    for (a, b) in a.iter().zip(b) {
        for r in 0..MR {
            for j in 0..NR {
                acc[r][j] = I::fma(a[r], b[j], acc[r][j]);
            }
        }
    }
    acc
}

/// Copies `count × k` elements in panels of `W` next to each other, padded with zeros: panel by panel, `W` elements per k.
#[inline(always)]
fn pack<const W: usize>(
    out: &mut Vec<f64>,
    data: &[f64],
    count: usize,
    step: usize,
    k: usize,
    k_step: usize,
) {
    out.clear();
    out.resize(count.div_ceil(W) * W * k, 0.0);
    let (chunks, _) = out.as_chunks_mut::<W>();
    for (p, panel) in chunks.chunks_exact_mut(k.max(1)).enumerate() {
        let w = (count - p * W).min(W);
        if w == W && step == 1 {
            for (t, chunk) in panel.iter_mut().enumerate() {
                chunk.copy_from_slice(&data[t * k_step + p * W..t * k_step + p * W + W]);
            }
        } else {
            for (t, chunk) in panel.iter_mut().enumerate() {
                for (j, c) in chunk[..w].iter_mut().enumerate() {
                    *c = data[t * k_step + (p * W + j) * step];
                }
            }
        }
    }
}

#[inline(always)]
fn tiles<I: Isa, const MR: usize, const NR: usize>(
    a: Matrix<'_>,
    b: Matrix<'_>,
    out: &mut [f64],
    extent: Extent,
) {
    PACKED.with_borrow_mut(|(pa, pb)| {
        let Extent { m, n, k } = extent;
        let mut k0 = 0;
        while k0 < k {
            let kc = (k - k0).min(DEPTH);
            let mut n0 = 0;
            while n0 < n {
                let nc = (n - n0).min(WIDTH);
                pack::<NR>(
                    pb,
                    &b.data[k0 * b.rows + n0 * b.columns..],
                    nc,
                    b.columns,
                    kc,
                    b.rows,
                );
                let mut m0 = 0;
                while m0 < m {
                    let mc = (m - m0).min(MR);
                    pack::<MR>(
                        pa,
                        &a.data[m0 * a.rows + k0 * a.columns..],
                        mc,
                        a.rows,
                        kc,
                        a.columns,
                    );
                    let (rows, _) = pa.as_chunks::<MR>();
                    for (s, strip) in pb.as_chunks::<NR>().0.chunks_exact(kc).enumerate() {
                        let acc = tile::<I, MR, NR>(rows, strip);
                        let w = (nc - s * NR).min(NR);
                        for (r, acc) in acc.iter().enumerate().take(mc) {
                            let at = (m0 + r) * n + n0 + s * NR;
                            if w == NR {
                                for (o, x) in out[at..at + NR].iter_mut().zip(acc) {
                                    *o += x;
                                }
                            } else {
                                for (o, x) in out[at..at + w].iter_mut().zip(acc) {
                                    *o += x;
                                }
                            }
                        }
                    }
                    m0 += mc;
                }
                n0 += nc;
            }
            k0 += kc;
        }
    });
}

/// `out += a · b` for m × k and k × n; the result is stored row by row. What runs where there are no vector registers to hold a tile: LLVM vectorises
/// this over the rows, with gathers, at an eighth of the speed of [`Product`].
#[inline(always)]
pub(crate) fn gemm_body<I: Isa>(a: Matrix<'_>, b: Matrix<'_>, out: &mut [f64], extent: Extent) {
    // Accumulators fill half of the registers.
    if I::NAME == "avx512" {
        tiles::<I, 8, 16>(a, b, out, extent);
    } else {
        tiles::<I, 4, 8>(a, b, out, extent);
    }
}

/// Columns `j..j + W` of `x · b`.
#[inline(always)]
fn columns<I: Isa, const W: usize>(
    x: &[f64],
    step: usize,
    b: &[f64],
    n: usize,
    j: usize,
) -> [f64; W] {
    let mut acc = [0.0; W];
    for (x, row) in x.iter().step_by(step).zip(b.chunks_exact(n)) {
        let row = &row[j..j + W];
        for c in 0..W {
            acc[c] = I::fma(*x, row[c], acc[c]);
        }
    }
    acc
}

/// `out += x · b` for a row x (every `step`-th element) and a k × n matrix stored row by row.
#[inline(always)]
pub(crate) fn vecmat_body<I: Isa>(x: &[f64], step: usize, b: &[f64], out: &mut [f64]) {
    let n = out.len();
    let mut j = 0;
    while j + 32 <= n {
        let acc = columns::<I, 32>(x, step, b, n, j);
        out[j..j + 32]
            .iter_mut()
            .zip(acc)
            .for_each(|(o, a)| *o += a);
        j += 32;
    }
    while j + 8 <= n {
        let acc = columns::<I, 8>(x, step, b, n, j);
        out[j..j + 8].iter_mut().zip(acc).for_each(|(o, a)| *o += a);
        j += 8;
    }
    while j < n {
        out[j] += columns::<I, 1>(x, step, b, n, j)[0];
        j += 1;
    }
}

/// Σ x y, in 16 lanes that are added pairwise.
#[inline(always)]
pub(crate) fn dot_body<I: Isa>(x: &[f64], y: &[f64]) -> f64 {
    let ((xs, x), (ys, y)) = (x.as_chunks::<16>(), y.as_chunks::<16>());
    let mut acc = [0.0; 16];
    for (x, y) in xs.iter().zip(ys) {
        for j in 0..16 {
            acc[j] = I::fma(x[j], y[j], acc[j]);
        }
    }
    let mut rest = 0.0;
    for (x, y) in x.iter().zip(y) {
        rest = I::fma(*x, *y, rest);
    }
    let mut half = 8;
    while half > 0 {
        for j in 0..half {
            acc[j] += acc[j + half];
        }
        half /= 2;
    }
    acc[0] + rest
}

/// `out[i] += Σ a[i, k] x[k]` for rows that start every `stride` elements.
#[inline(always)]
pub(crate) fn matvec_body<I: Isa>(a: &[f64], stride: usize, x: &[f64], out: &mut [f64]) {
    for (i, o) in out.iter_mut().enumerate() {
        *o += dot_body::<I>(&a[i * stride..i * stride + x.len()], x);
    }
}

/// A product with its tiles of MR rows × NV vectors in registers.
#[cfg(target_arch = "x86_64")]
struct Product<'a, S, const MR: usize, const NV: usize> {
    simd: S,
    a: Matrix<'a>,
    b: Matrix<'a>,
    out: &'a mut [f64],
    extent: Extent,
}

/// One tile: row r of the result is Σ `row(r, t)` × (vectors of step t of the strip).
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn tile_in_registers<S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    strip: &[S::f64s],
    row: impl Fn(usize, usize) -> f64,
) -> [[S::f64s; NV]; MR] {
    let mut acc = [[simd.splat_f64s(0.0); NV]; MR];
    for (t, b) in strip.as_chunks::<NV>().0.iter().enumerate() {
        for (r, acc) in acc.iter_mut().enumerate() {
            let a = simd.splat_f64s(row(r, t));
            for (acc, b) in acc.iter_mut().zip(b) {
                *acc = simd.mul_add_f64s(a, *b, *acc);
            }
        }
    }
    acc
}

#[cfg(target_arch = "x86_64")]
impl<S: Simd, const MR: usize, const NV: usize> Product<'_, S, MR, NV> {
    /// Adds the first `rows` rows and `width` columns of a tile to the result, whose rows have `n` elements, from `at` on.
    #[inline(always)]
    fn add(&mut self, tile: &[[S::f64s; NV]; MR], at: usize, rows: usize, width: usize) {
        for (r, row) in tile.iter().enumerate().take(rows) {
            let at = at + r * self.extent.n;
            let out = &mut self.out[at..at + width];
            let (vectors, rest) = S::as_mut_simd_f64s(out);
            for (o, x) in vectors.iter_mut().zip(row) {
                *o = self.simd.add_f64s(*o, *x);
            }
            if let Some(x) = row.get(vectors.len()).filter(|_| !rest.is_empty()) {
                let sum = self.simd.add_f64s(self.simd.partial_load_f64s(rest), *x);
                self.simd.partial_store_f64s(rest, sum);
            }
        }
    }

    /// A strip of columns times rows `m0..m0 + rows`, whose terms start at `k0`.
    #[inline(always)]
    fn strip(
        &self,
        strip: &[f64],
        m0: usize,
        rows: usize,
        (k0, kc): (usize, usize),
    ) -> [[S::f64s; NV]; MR] {
        let (strip, a) = (S::as_simd_f64s(strip).0, self.a);
        // Rows beyond the last repeat it; what they give is not stored.
        let start = |r: usize| (m0 + r.min(rows - 1)) * a.rows + k0 * a.columns;
        if a.columns == 1 {
            let lines: [&[f64]; MR] = std::array::from_fn(|r| &a.data[start(r)..start(r) + kc]);
            tile_in_registers(self.simd, &strip[..kc * NV], |r, t| lines[r][t])
        } else {
            let starts: [usize; MR] = std::array::from_fn(start);
            tile_in_registers(self.simd, strip, |r, t| a.data[starts[r] + t * a.columns])
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl<S: Simd, const MR: usize, const NV: usize> NullaryFnOnce for Product<'_, S, MR, NV> {
    type Output = ();

    #[inline(always)]
    fn call(mut self) {
        // Taken out for the while: a closure would not be compiled for the instruction set.
        let mut packed = PACKED.with_borrow_mut(|(_, packed)| std::mem::take(packed));
        let Extent { m, n, k } = self.extent;
        let width = NV * size_of::<S::f64s>() / size_of::<f64>();
        for k0 in (0..k).step_by(DEPTH) {
            let kc = (k - k0).min(DEPTH);
            for n0 in (0..n).step_by(WIDTH) {
                let nc = (n - n0).min(WIDTH);
                let data = &self.b.data[k0 * self.b.rows + n0 * self.b.columns..];
                match width {
                    16 => pack::<16>(&mut packed, data, nc, self.b.columns, kc, self.b.rows),
                    _ => pack::<8>(&mut packed, data, nc, self.b.columns, kc, self.b.rows),
                }
                for m0 in (0..m).step_by(MR) {
                    let rows = (m - m0).min(MR);
                    for (s, strip) in packed.chunks_exact(kc * width).enumerate() {
                        let tile = self.strip(strip, m0, rows, (k0, kc));
                        let at = m0 * n + n0 + s * width;
                        self.add(&tile, at, rows, (nc - s * width).min(width));
                    }
                }
            }
        }
        PACKED.with_borrow_mut(|(_, place)| *place = packed);
    }
}

/// [`Product`] with registers of 8 doubles; the loops of LLVM on a processor that lacks some of the extensions asked for.
#[cfg(target_arch = "x86_64")]
fn gemm_avx512(a: Matrix<'_>, b: Matrix<'_>, out: &mut [f64], extent: Extent) {
    match pulp::x86::V4::try_new() {
        Some(simd) => simd.vectorize(Product::<_, 8, 2> {
            simd,
            a,
            b,
            out,
            extent,
        }),
        None => gemm_loops(a, b, out, extent),
    }
}

/// [`Product`] with registers of 4 doubles.
#[cfg(target_arch = "x86_64")]
fn gemm_avx2(a: Matrix<'_>, b: Matrix<'_>, out: &mut [f64], extent: Extent) {
    match pulp::x86::V3::try_new() {
        Some(simd) => simd.vectorize(Product::<_, 4, 2> {
            simd,
            a,
            b,
            out,
            extent,
        }),
        None => gemm_loops(a, b, out, extent),
    }
}

/// `out += a · b` for an instruction set.
pub(crate) fn gemm_at(level: Level) -> fn(Matrix<'_>, Matrix<'_>, &mut [f64], Extent) {
    match level.name() {
        #[cfg(target_arch = "x86_64")]
        "avx512" => gemm_avx512,
        #[cfg(target_arch = "x86_64")]
        "avx2" => gemm_avx2,
        _ => gemm_loops_at(level),
    }
}

pullback_ad::multiversion! {
    fn gemm_loops, gemm_loops_at(a: Matrix<'_>, b: Matrix<'_>, out: &mut [f64], extent: Extent) = gemm_body;
    pub(crate) fn vecmat, vecmat_at(x: &[f64], step: usize, b: &[f64], out: &mut [f64]) = vecmat_body;
    pub(crate) fn matvec, matvec_at(a: &[f64], stride: usize, x: &[f64], out: &mut [f64]) = matvec_body;
}

#[cfg(test)]
mod tests {
    use super::*;
    use pullback_ad::isa::Level;

    #[test]
    fn any_storage_order_and_any_size_match_three_loops() {
        let value = |k: usize| ((k * 7919) % 101) as f64 / 50.0 - 1.0;
        for level in Level::available() {
            for (m, n, k) in [
                (1, 1, 1),
                (3, 5, 7),
                (4, 8, 16),
                (9, 17, 33),
                (21, 130, 300),
                (5, 3, 0),
                (0, 4, 4),
            ] {
                let (a, b): (Vec<f64>, Vec<f64>) = (
                    (0..m * k).map(value).collect(),
                    (0..k * n).map(|i| value(i + 13)).collect(),
                );
                for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
                    let a = Matrix {
                        data: &a,
                        rows: if ta { 1 } else { k },
                        columns: if ta { m } else { 1 },
                    };
                    let b = Matrix {
                        data: &b,
                        rows: if tb { 1 } else { n },
                        columns: if tb { k } else { 1 },
                    };
                    let mut out = vec![1.0; m * n];
                    gemm_at(level)(a, b, &mut out, Extent { m, n, k });
                    for i in 0..m {
                        for j in 0..n {
                            let sum: f64 = (0..k)
                                .map(|t| {
                                    a.data[i * a.rows + t * a.columns]
                                        * b.data[t * b.rows + j * b.columns]
                                })
                                .sum();
                            assert!(
                                (out[i * n + j] - 1.0 - sum).abs() < 1e-12,
                                "{} {m}×{n}×{k} {ta} {tb} ({i}, {j})",
                                level.name()
                            );
                        }
                    }
                }
            }
        }
        let _ = (gemm_loops, vecmat, matvec);
    }
}
