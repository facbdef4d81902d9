//! The loops of [`super::Interp`]: derivatives of one or several orders in one sweep over the coefficients.

use pullback_ad::isa::{Isa, Level};
use pullback_ad::math::exp::exp;
use pullback_array::attr::Attrs;

/// Coefficients of the polynomial.
pub(super) const TERMS: usize = 6;
/// Orders of derivatives that have loops of their own and can be computed together.
pub(super) const FEW: usize = 3;
const LANES: usize = 8;

/// k (k−1) … (k−n+1): what the n-th derivative makes of αᵏ.
pub(super) fn falling(k: usize, n: usize) -> f64 {
    (0..n).map(|j| k as f64 - j as f64).product()
}

/// |α| from which on the exponentials hold.
pub(super) fn edge(attrs: &Attrs) -> Option<f64> {
    match attrs.int("code")? {
        4 => Some(1.0),
        1 => Some(0.0),
        _ => None,
    }
}

/// Which orders are computed, as a type: bit n for order n.
trait Orders: 'static {
    const MASK: u8;
}

struct Of<const MASK: u8>;

impl<const MASK: u8> Orders for Of<MASK> {
    const MASK: u8 = MASK;
}

/// What the loops read: α by row, then by row and lane a₁ … a₆, ln hi and ln lo.
#[derive(Clone, Copy)]
pub(super) struct Arrays<'a> {
    pub lanes: usize,
    pub alpha: &'a [f64],
    pub coefficients: [&'a [f64]; TERMS + 2],
}

/// `1 + Σ aₖ xᵏ` and its first two derivatives by Horner's rule, each order from the ones below it: an order has the same bits whatever else is computed.
#[inline(always)]
fn polynomial<I: Isa, O: Orders, const W: usize>(x: f64, a: [&[f64; W]; TERMS]) -> [[f64; W]; FEW] {
    let mut out = [[0.0; W]; FEW];
    for j in 0..W {
        let (mut p, mut d, mut h) = (a[TERMS - 1][j], 0.0, 0.0);
        for k in (0..TERMS).rev() {
            if O::MASK & 4 != 0 {
                h = I::fma(h, x, d);
            }
            if O::MASK & 6 != 0 {
                d = if k == TERMS - 1 { p } else { I::fma(d, x, p) };
            }
            p = I::fma(p, x, if k == 0 { 1.0 } else { a[k - 1][j] });
        }
        out[0][j] = p;
        out[1][j] = d;
        out[2][j] = 2.0 * h;
    }
    out
}

/// `exp(L x)` with L = ln hi above 0 and −ln lo below, and its first two derivatives.
#[inline(always)]
fn exponential<I: Isa, const W: usize>(x: f64, up: &[f64; W], down: &[f64; W]) -> [[f64; W]; FEW] {
    let (logs, sign) = if x >= 0.0 { (up, 1.0) } else { (down, -1.0) };
    let mut out = [[0.0; W]; FEW];
    for j in 0..W {
        let slope = sign * logs[j];
        let y = exp::<I>(slope * x);
        out[0][j] = y;
        out[1][j] = y * slope;
        out[2][j] = y * slope * slope;
    }
    out
}

#[inline(always)]
fn row<I: Isa, O: Orders, const W: usize>(
    edge: f64,
    x: f64,
    c: [&[f64; W]; TERMS + 2],
) -> [[f64; W]; FEW] {
    let [a1, a2, a3, a4, a5, a6, up, down] = c;
    if x.abs() < edge {
        polynomial::<I, O, W>(x, [a1, a2, a3, a4, a5, a6])
    } else {
        exponential::<I, W>(x, up, down)
    }
}

#[inline(always)]
fn few_body<I: Isa, O: Orders>(edge: f64, arrays: Arrays<'_>, mut outs: [&mut [f64]; FEW]) {
    let Arrays { lanes, alpha, .. } = arrays;
    if lanes == LANES {
        let n = alpha.len();
        let [a1, a2, a3, a4, a5, a6, up, down] = arrays.coefficients;
        // One by one: a map over the array would be a call for each row.
        let rows = |c| &<[f64]>::as_chunks::<LANES>(c).0[..n];
        let (a1, a2, a3, a4) = (rows(a1), rows(a2), rows(a3), rows(a4));
        let (a5, a6, up, down) = (rows(a5), rows(a6), rows(up), rows(down));
        let [f, d, h] = outs.map(|out| out.as_chunks_mut::<LANES>().0);
        let (wanted_f, wanted_d, wanted_h) = (O::MASK & 1 != 0, O::MASK & 2 != 0, O::MASK & 4 != 0);
        let f = if wanted_f { &mut f[..n] } else { f };
        let d = if wanted_d { &mut d[..n] } else { d };
        let h = if wanted_h { &mut h[..n] } else { h };
        for i in 0..n {
            let c = [
                &a1[i], &a2[i], &a3[i], &a4[i], &a5[i], &a6[i], &up[i], &down[i],
            ];
            let y = row::<I, O, LANES>(edge, alpha[i], c);
            if wanted_f {
                f[i] = y[0];
            }
            if wanted_d {
                d[i] = y[1];
            }
            if wanted_h {
                h[i] = y[2];
            }
        }
        return;
    }
    for (i, &x) in alpha.iter().enumerate() {
        for j in i * lanes..(i + 1) * lanes {
            let y = row::<I, O, 1>(
                edge,
                x,
                arrays.coefficients.map(|c| std::array::from_ref(&c[j])),
            );
            for (n, out) in outs.iter_mut().enumerate() {
                if O::MASK & (1 << n) != 0 {
                    out[j] = y[n][0];
                }
            }
        }
    }
}

/// A high order, one element at a time: needed for derivatives of derivatives in tests of the rules, never in a fit.
#[inline(always)]
fn high_body<I: Isa>(edge: f64, order: usize, arrays: Arrays<'_>, out: &mut [f64]) {
    let (lanes, c) = (arrays.lanes, arrays.coefficients);
    for (i, &x) in arrays.alpha.iter().enumerate() {
        for j in i * lanes..(i + 1) * lanes {
            out[j] = if x.abs() < edge {
                (order.max(1)..=TERMS).rev().fold(0.0, |sum, k| {
                    I::fma(sum, x, falling(k, order) * c[k - 1][j])
                })
            } else {
                let slope = if x >= 0.0 { c[6][j] } else { -c[7][j] };
                (0..order).fold(exp::<I>(slope * x), |y, _| y * slope)
            };
        }
    }
}

pullback_ad::multiversion! {
    fn few, few_at [O: Orders](edge: f64, arrays: Arrays<'_>, outs: [&mut [f64]; FEW]) = few_body;
    fn high, high_at(edge: f64, order: usize, arrays: Arrays<'_>, out: &mut [f64]) = high_body;
}

type Few = fn(f64, Arrays<'_>, [&mut [f64]; FEW]);
type High = fn(f64, usize, Arrays<'_>, &mut [f64]);

/// The loop for a set of orders.
#[derive(Clone, Copy)]
pub(super) enum Kernels {
    Few(Few),
    High(High, usize),
}

impl Kernels {
    /// The loop for these orders, if there is one.
    pub fn new(isa: Level, orders: &[usize]) -> Option<Self> {
        let _ = (few::<Of<1>>, high);
        if let [order] = orders
            && *order >= FEW
        {
            return Some(Self::High(high_at(isa), *order));
        }
        let mut mask = 0;
        for order in orders {
            if *order >= FEW || mask & (1 << order) != 0 {
                return None;
            }
            mask |= 1 << order;
        }
        Some(Self::Few(match mask {
            1 => few_at::<Of<1>>(isa),
            2 => few_at::<Of<2>>(isa),
            3 => few_at::<Of<3>>(isa),
            4 => few_at::<Of<4>>(isa),
            6 => few_at::<Of<6>>(isa),
            7 => few_at::<Of<7>>(isa),
            _ => return None,
        }))
    }

    /// Evaluates it: the result of order n goes to `outs[n]`, or that of a high order to wherever there is room.
    pub fn run(self, edge: f64, arrays: Arrays<'_>, outs: [&mut [f64]; FEW]) {
        match self {
            Self::Few(kernel) => kernel(edge, arrays, outs),
            Self::High(kernel, order) => {
                for (n, out) in outs.into_iter().enumerate() {
                    if n == order % FEW {
                        kernel(edge, order, arrays, out);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coefficients of some size for `n` rows of `lanes`, α on both sides of the edges.
    fn data(n: usize, lanes: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
        let alpha = (0..n).map(|i| (i as f64 * 0.37).sin() * 1.6).collect();
        let wave = |k: usize| {
            (0..n * lanes)
                .map(|j| ((j * 7 + k * 3) as f64 * 0.61).sin() * 0.3)
                .collect()
        };
        (alpha, (0..TERMS + 2).map(wave).collect())
    }

    fn evaluate(isa: Level, orders: &[usize], lanes: usize) -> Vec<Vec<f64>> {
        let (alpha, c) = data(11, lanes);
        let kernels = Kernels::new(isa, orders).expect("a loop");
        let mut outs = vec![vec![0.0; 11 * lanes]; FEW];
        let [a, b, c2] = &mut outs[..] else { panic!() };
        let arrays = Arrays {
            lanes,
            alpha: &alpha,
            coefficients: std::array::from_fn(|k| c[k].as_slice()),
        };
        kernels.run(edge_of_code_4(), arrays, [a, b, c2]);
        outs
    }

    fn edge_of_code_4() -> f64 {
        1.0
    }

    #[test]
    fn orders_have_the_same_bits_alone_and_together() {
        for isa in Level::available() {
            for lanes in [8, 3] {
                let alone: Vec<Vec<f64>> = (0..FEW)
                    .map(|n| evaluate(isa, &[n], lanes)[n].clone())
                    .collect();
                for orders in [&[0, 1][..], &[1, 2], &[0, 1, 2]] {
                    let together = evaluate(isa, orders, lanes);
                    for &n in orders {
                        let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                        assert_eq!(bits(&together[n]), bits(&alone[n]), "{orders:?}, order {n}");
                    }
                }
            }
        }
    }

    #[test]
    fn low_orders_equal_the_formula_of_high_ones() {
        let (alpha, c) = data(11, 8);
        let arrays = Arrays {
            lanes: 8,
            alpha: &alpha,
            coefficients: std::array::from_fn(|k| c[k].as_slice()),
        };
        for n in 0..FEW {
            let mut expected = vec![0.0; 88];
            high_at(Level::PORTABLE)(1.0, n, arrays, &mut expected);
            for (i, (found, expected)) in evaluate(Level::current(), &[n], 8)[n]
                .iter()
                .zip(&expected)
                .enumerate()
            {
                // Order 0 has a constant term, and a power of α more.
                let x = alpha[i / 8];
                let expected = if n == 0 && x.abs() < 1.0 {
                    1.0 + x * expected
                } else {
                    *expected
                };
                assert!(
                    (found - expected).abs() < 1e-14 * (1.0 + expected.abs()),
                    "order {n}, element {i}: {found} against {expected}"
                );
            }
        }
    }
}
