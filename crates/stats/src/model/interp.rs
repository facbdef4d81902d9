//! Interpolation between the templates of a systematic: `normsys` codes 1 and 4 as a primitive of the array engine, `histosys` codes 0, 2 and 4p as two
//! functions of α.
//!
//! References: HistFactory manual CERN-OPEN-2012-016, section 4.1; pyhf 0.7 `pyhf.interpolators`.

use super::even::even_basis;
use super::interp_kernel::{Arrays, FEW, Kernels, TERMS, edge, falling};
use crate::spec::HistosysCode;
use pullback_ad::Real;
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

const EXPECTED: &str =
    "expects α in rows, eight coefficients in rows and lanes, `order` and `code` 1 or 4";

fn order(attrs: &Attrs) -> Option<usize> {
    usize::try_from(attrs.int("order")?).ok()
}

impl Interp {
    /// The kernel for one order, or for several at once (nothing where there is none).
    fn kernel(cx: &LowerCx<'_>, orders: &[usize]) -> pullback_array::Result<Option<Kernel>> {
        let Some(edge) = edge(cx.attrs()) else {
            return Err(Self::ill_formed(EXPECTED));
        };
        let full = cx.out(0).space;
        let lanes: LevelId = full
            .last()
            .ok_or_else(|| Self::ill_formed("expects a level of lanes"))?;
        let axis: Axis = cx
            .axis(full, lanes)
            .ok_or_else(|| Self::ill_formed("the level of lanes is not on the path"))?;
        let Some(kernels) = Kernels::new(cx.isa(), orders) else {
            return Ok(None);
        };
        // Where the result of each order goes.
        let places: Vec<usize> = orders.to_vec();
        Ok(Some(Kernel::Run(Box::new(move |io: &Io<'_>| {
            let mut outs: [&mut [f64]; FEW] = [&mut [], &mut [], &mut []];
            for (k, order) in places.iter().enumerate() {
                outs[order % FEW] = io.out(k);
            }
            kernels.run(
                edge,
                Arrays {
                    lanes: io.segments(&axis).uniform().unwrap_or(0),
                    alpha: io.arg(0),
                    coefficients: std::array::from_fn(|k| io.arg(k + 1)),
                },
                outs,
            );
            Ok(())
        }))))
    }

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
        if !fits || edge(attrs).is_none() || order(attrs).is_none() {
            return Err(Self::ill_formed(EXPECTED));
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
        let order = order(cx.attrs()).ok_or_else(|| Self::ill_formed(EXPECTED))?;
        Self::kernel(cx, &[order])?.ok_or_else(|| Self::ill_formed(EXPECTED))
    }

    fn siblings(
        &self,
        cx: &LowerCx<'_>,
        attrs: &[&Attrs],
    ) -> pullback_array::Result<Option<Kernel>> {
        let code = cx.attrs().int("code");
        let orders: Option<Vec<usize>> = attrs
            .iter()
            .map(|a| order(a).filter(|_| a.int("code") == code))
            .collect();
        orders.map_or(Ok(None), |orders| Self::kernel(cx, &orders))
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
