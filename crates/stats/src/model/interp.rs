//! Interpolation between the templates of a systematic: `normsys` codes 1 and 4 as a primitive of the array engine, `histosys` codes 0, 2 and 4p as two
//! functions of α.
//!
//! References: HistFactory manual CERN-OPEN-2012-016, section 4.1; pyhf 0.7 `pyhf.interpolators`.

use super::even::even_basis;
use crate::spec::HistosysCode;
use pullback_ad::Real;
use pullback_ad::isa::Isa;
use pullback_array::attr::{Attr, Attrs};
use pullback_array::exec::{Axis, Io, Kernel, LowerCx};
use pullback_array::{
    Builder, Call, Error, LevelId, Nature, Point, Primitive, PrimitiveRef, Program, Sample, Space,
    Sym, Type,
};

/// The factor of a `normsys` at α, and its derivatives with respect to α.
///
/// Arguments: α (rows), then with one more level of lanes: the coefficients a₁ … a₆ of the polynomial inside |α| < 1, ln hi and ln lo for outside.
/// Parameters: `order` of the derivative; `code`: 4, or 1 for which the exponentials hold everywhere. With `f(α) = 1 + Σ aₖ αᵏ` inside and
/// `exp(α ln hi)` or `exp(−α ln lo)` outside, the result is `dⁿf/dαⁿ`, of which the JVP is order n + 1 again: closed under differentiation.
pub struct Interp;

/// The primitive.
pub const INTERP: PrimitiveRef = PrimitiveRef(&Interp);

const TERMS: usize = 6;
const LANES: usize = 8;

/// k (k−1) … (k−n+1): what the n-th derivative makes of αᵏ.
fn falling(k: usize, n: usize) -> f64 {
    (0..n).map(|j| k as f64 - j as f64).product()
}

/// The order of the derivative when it is known to the compiler, so that loops over it unroll.
trait Order: 'static {
    /// The order, or none if it is only known at run time.
    const N: Option<usize>;
}

struct Known<const N: usize>;

struct Unknown;

impl<const N: usize> Order for Known<N> {
    const N: Option<usize> = Some(N);
}

impl Order for Unknown {
    const N: Option<usize> = None;
}

/// Everything a call needs besides its arrays.
#[derive(Clone, Copy)]
struct Shape {
    order: usize,
    /// α from which on the exponentials hold.
    edge: f64,
    /// Factors of the coefficients in this derivative.
    factors: [f64; TERMS],
}

impl Shape {
    /// The constant term and the weights of the coefficients at α: `k (k−1) … αᵏ⁻ⁿ`.
    #[inline(always)]
    fn weights<O: Order>(&self, x: f64) -> [f64; TERMS + 1] {
        let n = O::N.unwrap_or(self.order);
        let mut weights = [0.0; TERMS + 1];
        let mut power = 1.0;
        for k in 0..=TERMS {
            if k == 0 {
                weights[0] = if n == 0 { 1.0 } else { 0.0 };
            } else if k >= n {
                weights[k] = if n == 0 {
                    power * x
                } else {
                    power * self.factors[k - 1]
                };
            }
            if k >= n && (k > 0 || n > 0) {
                power *= x;
            }
        }
        weights
    }

    fn new(attrs: &Attrs) -> Option<Self> {
        let order = usize::try_from(attrs.int("order")?).ok()?;
        let edge = match attrs.int("code")? {
            4 => 1.0,
            1 => 0.0,
            _ => return None,
        };
        Some(Self {
            order,
            edge,
            factors: std::array::from_fn(|k| falling(k + 1, order)),
        })
    }
}

#[inline(always)]
fn interp_body<I: Isa, O: Order>(
    shape: Shape,
    lanes: usize,
    alpha: &[f64],
    c: [&[f64]; 8],
    out: &mut [f64],
) {
    if lanes == LANES {
        let [a1, a2, a3, a4, a5, a6, up, down] = c.map(|c| c.as_chunks::<LANES>().0);
        let n = alpha.len();
        let inside = [a1, a2, a3, a4, a5, a6].map(|a| &a[..n]);
        let (up, down) = (&up[..n], &down[..n]);
        let out = &mut out.as_chunks_mut::<LANES>().0[..n];
        for i in 0..n {
            let x = alpha[i];
            if x.abs() < shape.edge {
                let w = shape.weights::<O>(x);
                let [a1, a2, a3, a4, a5, a6] = inside;
                let (a1, a2, a3) = (&a1[i], &a2[i], &a3[i]);
                let (a4, a5, a6) = (&a4[i], &a5[i], &a6[i]);
                for j in 0..LANES {
                    let low = I::fma(w[1], a1[j], I::fma(w[2], a2[j], w[3] * a3[j]));
                    let high = I::fma(w[4], a4[j], I::fma(w[5], a5[j], w[6] * a6[j]));
                    out[i][j] = w[0] + (low + high);
                }
            } else {
                exponential::<I, O>(shape, x, &up[i], &down[i], &mut out[i]); // eight lanes
            }
        }
        return;
    }
    for (i, &x) in alpha.iter().enumerate() {
        let w = shape.weights::<O>(x);
        for j in i * lanes..(i + 1) * lanes {
            if x.abs() < shape.edge {
                out[j] = (1..=TERMS).fold(w[0], |sum, k| I::fma(w[k], c[k - 1][j], sum));
            } else {
                exponential::<I, O>(shape, x, &c[6][j..=j], &c[7][j..=j], &mut out[j..=j]);
            }
        }
    }
}

#[inline(always)]
fn exponential<I: Isa, O: Order>(shape: Shape, x: f64, up: &[f64], down: &[f64], out: &mut [f64]) {
    let (logs, sign) = if x >= 0.0 { (up, 1.0) } else { (down, -1.0) };
    for (o, log) in out.iter_mut().zip(logs) {
        let slope = sign * log;
        let mut y = pullback_ad::math::exp::exp::<I>(slope * x);
        for _ in 0..O::N.unwrap_or(shape.order) {
            y *= slope;
        }
        *o = y;
    }
}

pullback_ad::multiversion! {
    fn interp_here, interp_at [O: Order](shape: Shape, lanes: usize, alpha: &[f64], c: [&[f64]; 8], out: &mut [f64]) = interp_body;
}

/// The factor at α for coefficients from [`coefficients`].
pub fn factor<'b>(
    b: &'b Builder,
    alpha: Sym<'b>,
    coefficients: &[Sym<'b>; 8],
    code: i64,
) -> Sym<'b> {
    derivative(b, alpha, coefficients, code, 0)
}

fn derivative<'b>(
    b: &'b Builder,
    alpha: Sym<'b>,
    coefficients: &[Sym<'b>],
    code: i64,
    order: i64,
) -> Sym<'b> {
    let mut args = vec![alpha];
    args.extend_from_slice(coefficients);
    b.push(
        INTERP,
        &args,
        Attrs::NONE
            .with("order", Attr::Int(order))
            .with("code", Attr::Int(code)),
    )
    .first(b)
}

/// Coefficients a₁ … a₆ of code 4 (the polynomial that continues the exponentials with two derivatives at α = ±1), then ln hi and ln lo.
///
/// `a = A⁻¹ b` with b = (hi − 1, lo − 1, hi ln hi, −lo ln lo, hi ln² hi, lo ln² lo), A⁻¹ as in `pyhf.interpolators.code4`.
pub fn coefficients<R: Real>(hi: R, lo: R) -> [R; 8] {
    let (log_hi, log_lo) = (hi.ln(), lo.ln());
    let (b1, b2) = (hi - 1.0, lo - 1.0);
    let (b3, b4) = (log_hi * hi, -(log_lo * lo));
    let (b5, b6) = (log_hi * log_hi * hi, log_lo * log_lo * lo);
    let (even1, odd1) = (b1 + b2, b1 - b2);
    let (even2, odd2) = (b3 - b4, b3 + b4);
    let (even3, odd3) = (b5 + b6, b5 - b6);
    [
        odd1 * (15.0 / 16.0) - odd2 * (7.0 / 16.0) + odd3 * (1.0 / 16.0),
        even1 * 1.5 - even2 * (9.0 / 16.0) + even3 * (1.0 / 16.0),
        -(odd1 * (5.0 / 8.0)) + odd2 * (5.0 / 8.0) - odd3 * (1.0 / 8.0),
        -(even1 * 1.5) + even2 * (7.0 / 8.0) - even3 * (1.0 / 8.0),
        odd1 * (3.0 / 16.0) - odd2 * (3.0 / 16.0) + odd3 * (1.0 / 16.0),
        even1 * 0.5 - even2 * (5.0 / 16.0) + even3 * (1.0 / 16.0),
        log_hi,
        log_lo,
    ]
}

/// The two functions of α in `histosys`: the change of the yield is `S g₁(α) + A g₂(α)` with S = (hi − lo)/2 and A = hi + lo − 2 nominal.
///
/// - code 0: piecewise linear, g₂ = |α|/2;
/// - code 2: g₂ = α²/2 inside |α| ≤ 1; outside as pyhf has it, (b ± 2a)(α ∓ 1);
/// - code 4p: g₂ = α²(15 − 10α² + 3α⁴)/16 inside, |α|/2 outside.
pub fn histosys_basis<'b>(
    b: &'b Builder,
    alpha: Sym<'b>,
    code: HistosysCode,
) -> (Sym<'b>, Sym<'b>) {
    let one = Sym::from(1.0);
    match code {
        HistosysCode::Code0 => (alpha, even_basis(b, alpha, 0)),
        HistosysCode::Code2 => {
            let (above, below) = (alpha.gt(one), alpha.lt(Sym::from(-1.0)));
            let g1 = above.select(alpha - 1.0, below.select(alpha + 1.0, alpha));
            let g2 = above.select(
                alpha - 1.0,
                below.select(-(alpha + 1.0), alpha * alpha * 0.5),
            );
            (g1, g2)
        }
        HistosysCode::Code4p => (alpha, even_basis(b, alpha, 4)),
    }
}

impl Interp {
    fn ill_formed(message: &str) -> Error {
        Error::IllFormed {
            primitive: "interp",
            message: message.into(),
        }
    }

    /// The weights of the coefficients in a derivative: `order!`-like factor times a power of α, zero outside.
    fn weights(alpha: Sym<'_>, order: usize, to: Space) -> Vec<Option<Sym<'_>>> {
        (1..=TERMS)
            .map(|k| {
                let factor = falling(k, order);
                (factor != 0.0).then(|| (alpha.powi((k - order) as i32) * factor).broadcast(to))
            })
            .collect()
    }
}

impl Primitive for Interp {
    fn name(&self) -> &'static str {
        "interp"
    }

    fn doc(&self) -> &'static str {
        "The n-th derivative with respect to α of the interpolated factor of a normsys: 1 + Σ aₖ αᵏ inside |α| < 1 (code 4), hi^α or lo^(−α) outside."
    }

    fn convention(&self) -> &'static str {
        "At |α| = 1 the exponential side holds (value and two derivatives agree there); NaN in α goes through the exponential."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn infer(
        &self,
        _program: &Program,
        args: &[Type],
        attrs: &Attrs,
    ) -> pullback_array::Result<Vec<Type>> {
        let [alpha, coefficients @ ..] = args else {
            return Err(Self::ill_formed("expects α and eight coefficients"));
        };
        let full = coefficients.first().map_or(Space::SCALAR, |t| t.space);
        let fits = coefficients.len() == 8
            && coefficients.iter().all(|t| *t == Type::f64(full))
            && full.depth() > 0
            && *alpha == Type::f64(full.prefix(full.depth() - 1));
        if !fits || Shape::new(attrs).is_none() {
            return Err(Self::ill_formed(
                "expects α in rows, eight coefficients in rows and lanes, `order` and `code` 1 or 4",
            ));
        }
        Ok(vec![Type::f64(full)])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> pullback_array::Result<Vec<Option<Sym<'b>>>> {
        let (alpha, coefficients) = (call.args[0], &call.args[1..]);
        let (order, code) = (
            call.attrs.int("order").unwrap_or(0),
            call.attrs.int("code").unwrap_or(4),
        );
        let full = call.outs[0].space();
        let mut out: Option<Sym<'b>> = None;
        let mut add = |t: Sym<'b>| out = Some(out.map_or(t, |o| o + t));
        if let Some(t) = tangents[0] {
            add(derivative(cx, alpha, coefficients, code, order + 1) * t.broadcast(full));
        }
        if tangents[1..].iter().any(Option::is_some) {
            let n = order as usize;
            let edge = if code == 4 { 1.0 } else { 0.0 };
            let inside = alpha.abs().lt(Sym::from(edge)).broadcast(full);
            let positive = alpha.ge(Sym::from(0.0)).broadcast(full);
            let zero = Sym::from(0.0);
            for (t, w) in tangents[1..=TERMS]
                .iter()
                .zip(Self::weights(alpha, n, full))
            {
                if let (Some(t), Some(w)) = (t, w) {
                    add(inside.select(w * *t, zero));
                }
            }
            // d/dL of (±L)ⁿ exp(±L α) = ((±1) n (±L)ⁿ⁻¹ + (±L)ⁿ (±α)) exp(±L α).
            for (k, sign) in [(7, 1.0), (8, -1.0)] {
                if let Some(t) = tangents[k] {
                    let slope = call.args[k] * sign;
                    let x = alpha.broadcast(full);
                    let e = (slope * x).exp();
                    let head = if n == 0 {
                        e * x
                    } else {
                        (slope.powi(n as i32 - 1) * (n as f64) + slope.powi(n as i32) * x) * e
                    };
                    let active = if k == 7 {
                        !inside & positive
                    } else {
                        !inside & !positive
                    };
                    add(active.select(head * sign * t, zero));
                }
            }
        }
        Ok(vec![out])
    }

    fn decompose<'b>(&self, _cx: &'b Builder, call: &Call<'_, 'b>) -> Option<Vec<Sym<'b>>> {
        let n = usize::try_from(call.attrs.int("order")?).ok()?;
        let edge = if call.attrs.int("code")? == 4 {
            1.0
        } else {
            0.0
        };
        let (alpha, full) = (call.args[0], call.outs[0].space());
        let x = alpha.broadcast(full);
        let mut inside = Sym::from(if n == 0 { 1.0 } else { 0.0 }).broadcast(full);
        for (a, w) in call.args[1..=TERMS]
            .iter()
            .zip(Self::weights(alpha, n, full))
        {
            if let Some(w) = w {
                inside += w * *a;
            }
        }
        let (up, down) = (call.args[7], -call.args[8]);
        let outside = x.ge(Sym::from(0.0)).select(
            (up * x).exp() * up.powi(n as i32),
            (down * x).exp() * down.powi(n as i32),
        );
        Some(vec![x.abs().lt(Sym::from(edge)).select(inside, outside)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> pullback_array::Result<Kernel> {
        let shape =
            Shape::new(cx.attrs()).ok_or_else(|| Self::ill_formed("expects `order` and `code`"))?;
        let full = cx.out(0).space;
        let lanes: LevelId = full
            .last()
            .ok_or_else(|| Self::ill_formed("expects a level of lanes"))?;
        let axis: Axis = cx
            .axis(full, lanes)
            .ok_or_else(|| Self::ill_formed("the level of lanes is not on the path"))?;
        let _ = interp_here::<Unknown>;
        let kernel = match shape.order {
            0 => interp_at::<Known<0>>(cx.isa()),
            1 => interp_at::<Known<1>>(cx.isa()),
            2 => interp_at::<Known<2>>(cx.isa()),
            3 => interp_at::<Known<3>>(cx.isa()),
            _ => interp_at::<Unknown>(cx.isa()),
        };
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let lanes = io.segments(&axis).uniform().unwrap_or(0);
            kernel(
                shape,
                lanes,
                io.arg(0),
                std::array::from_fn(|k| io.arg(k + 1)),
                io.out(0),
            );
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let at = |what: &str, point: Point, alphas: &'static [f64], code: i64| {
            Sample::new(what, point, move |s| {
                let rows = s.b.dense_of("rows", alphas.len());
                let full = s.b.join(rows, s.b.dense_of("lanes", 3));
                let n = alphas.len() * 3;
                let hi: Vec<f64> = (0..n).map(|k| 1.05 + 0.11 * (k % 5) as f64).collect();
                let lo: Vec<f64> = (0..n).map(|k| 0.97 - 0.06 * (k % 4) as f64).collect();
                let (hi, lo) = (s.f64("hi", full, &hi), s.f64("lo", full, &lo));
                let out = factor(
                    &s.b,
                    s.f64("alpha", rows, alphas),
                    &coefficients(hi, lo),
                    code,
                );
                vec![("out".to_owned(), s.b.id(out))]
            })
        };
        vec![
            at(
                "inside and outside",
                Point::Generic,
                &[0.3, -0.7, 1.6, -2.5],
                4,
            ),
            at("code 1", Point::Generic, &[0.3, -0.7, 1.6, -2.5], 1),
            at(
                "edges, zero, NaN and infinity",
                Point::Special,
                &[1.0, -1.0, 0.0, -0.0, f64::NAN, f64::INFINITY],
                4,
            ),
        ]
    }
}
