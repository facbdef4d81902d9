//! The even part of the interpolation of a `histosys`, codes 0 and 4p, as a primitive of the array engine.
//!
//! Reference: HistFactory manual CERN-OPEN-2012-016, section 4.1; pyhf 0.7 `pyhf.interpolators.code4p`.

use pullback_ad::isa::Isa;
use pullback_array::attr::{Attr, Attrs};
use pullback_array::exec::{Io, Kernel, LowerCx};
use pullback_array::{
    Builder, Call, Error, Nature, Point, Primitive, PrimitiveRef, Program, Sample, Sym, Type,
};

/// `g(α) = α²(15 − 10α² + 3α⁴)/16` for |α| < 1 and `|α|/2` outside (code 4; code 0 has the outside form everywhere), and its derivatives.
///
/// Parameters: `order` of the derivative and `code`. The JVP of order n is order n + 1: closed under differentiation.
pub struct Even;

/// The primitive.
pub const EVEN: PrimitiveRef = PrimitiveRef(&Even);

/// Coefficients of α², α⁴ and α⁶.
const COEFFICIENTS: [(usize, f64); 3] = [(2, 15.0 / 16.0), (4, -10.0 / 16.0), (6, 3.0 / 16.0)];

#[derive(Clone, Copy)]
struct Shape {
    order: usize,
    edge: f64,
    /// Polynomial of the derivative inside, by rising power.
    inside: [f64; 7],
}

impl Shape {
    fn new(attrs: &Attrs) -> Option<Self> {
        let order = usize::try_from(attrs.int("order")?).ok()?;
        let edge = match attrs.int("code")? {
            4 => 1.0,
            0 => 0.0,
            _ => return None,
        };
        let mut inside = [0.0; 7];
        for (k, c) in COEFFICIENTS {
            if k >= order {
                inside[k - order] = (0..order).fold(c, |c, j| c * (k - j) as f64);
            }
        }
        Some(Self {
            order,
            edge,
            inside,
        })
    }
}

#[inline(always)]
fn even_body<I: Isa>(shape: Shape, alpha: &[f64], out: &mut [f64]) {
    let c = shape.inside;
    let (size, slope) = match shape.order {
        0 => (0.5, 0.0),
        1 => (0.0, 0.5),
        _ => (0.0, 0.0),
    };
    for (o, &x) in out.iter_mut().zip(alpha) {
        let low = I::fma(I::fma(c[2], x, c[1]), x, c[0]);
        let high = I::fma(I::fma(I::fma(c[6], x, c[5]), x, c[4]), x, c[3]);
        let inside = I::fma(high, x * x * x, low);
        // The slope of |α| is 0 at 0.
        let sign = if x > 0.0 {
            1.0
        } else if x < 0.0 {
            -1.0
        } else {
            0.0
        };
        let outside = I::fma(size, x.abs(), slope * sign);
        *o = if x.abs() < shape.edge {
            inside
        } else {
            outside
        };
    }
}

pullback_ad::multiversion! {
    fn even_here, even_at(shape: Shape, alpha: &[f64], out: &mut [f64]) = even_body;
}

/// g(α) for `code` 0 or 4.
pub fn even_basis<'b>(b: &'b Builder, alpha: Sym<'b>, code: i64) -> Sym<'b> {
    derivative(b, alpha, code, 0)
}

fn derivative<'b>(b: &'b Builder, alpha: Sym<'b>, code: i64, order: i64) -> Sym<'b> {
    let attrs = Attrs::NONE
        .with("order", Attr::Int(order))
        .with("code", Attr::Int(code));
    b.push(EVEN, &[alpha], attrs).first(b)
}

impl Primitive for Even {
    fn name(&self) -> &'static str {
        "histosys_even"
    }

    fn doc(&self) -> &'static str {
        "The n-th derivative of the even part of a histosys: α²(15 − 10α² + 3α⁴)/16 inside |α| < 1 (code 4p), |α|/2 outside."
    }

    fn convention(&self) -> &'static str {
        "At |α| = 1 the outside form holds (value and two derivatives agree there); the slope of |α| at 0 is 0; NaN gives NaN in order 0."
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
        match (args, Shape::new(attrs)) {
            ([alpha], Some(_)) if *alpha == Type::f64(alpha.space) => Ok(vec![*alpha]),
            _ => Err(Error::IllFormed {
                primitive: self.name(),
                message: "expects α, `order` and `code` 0 or 4".into(),
            }),
        }
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> pullback_array::Result<Vec<Option<Sym<'b>>>> {
        let (order, code) = (
            call.attrs.int("order").unwrap_or(0),
            call.attrs.int("code").unwrap_or(4),
        );
        Ok(vec![tangents[0].map(|t| {
            derivative(cx, call.args[0], code, order + 1) * t
        })])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> pullback_array::Result<Kernel> {
        let shape = Shape::new(cx.attrs()).ok_or_else(|| Error::IllFormed {
            primitive: self.name(),
            message: "expects `order` and `code` 0 or 4".into(),
        })?;
        let _ = even_here;
        let kernel = even_at(cx.isa());
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            kernel(shape, io.arg(0), io.out(0));
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let at = |what: &str, point: Point, alphas: &'static [f64], code: i64| {
            Sample::new(what, point, move |s| {
                let out = even_basis(&s.b, s.f64("alpha", s.b.dense("n"), alphas), code);
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
            at("code 0", Point::Generic, &[0.3, -0.7, 1.6, -2.5], 0),
            at(
                "edges, zero and NaN",
                Point::Special,
                &[1.0, -1.0, 0.0, f64::NAN],
                4,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(shape: Shape, x: f64) -> f64 {
        let mut out = [0.0];
        even_here(shape, &[x], &mut out);
        out[0]
    }

    #[test]
    fn derivatives_follow_from_each_other() {
        for code in [0, 4] {
            for order in 0..4_i64 {
                let shape = |n| {
                    Shape::new(
                        &Attrs::NONE
                            .with("order", Attr::Int(n))
                            .with("code", Attr::Int(code)),
                    )
                    .unwrap()
                };
                for x in [-2.3, -0.8, -0.2, 0.3, 0.9, 1.7] {
                    let h = 1e-5;
                    let difference =
                        (values(shape(order), x + h) - values(shape(order), x - h)) / (2.0 * h);
                    let exact = values(shape(order + 1), x);
                    assert!(
                        (difference - exact).abs() < 1e-7 * exact.abs().max(1.0),
                        "code {code}, order {order}, at {x}: {difference} against {exact}"
                    );
                }
            }
        }
    }
}
