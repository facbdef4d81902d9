//! Elementary functions of one argument: one primitive per entry of the table in `pullback_ad`.

use pullback_ad::isa::{Isa, Level};
use pullback_ad::math::slice::Map1;
use pullback_ad::{Kind, Unary, UnaryRule, elementary_functions, functions};

use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::Result;
use crate::exec::map::{Lane, select_arrays};
use crate::exec::{Kernel, LowerCx, MapFn};
use crate::prim::binary::same_space;
use crate::primitive::{Call, Nature, Primitive, PrimitiveRef};
use crate::program::Program;
use crate::sample::Sample;
use crate::ty::{DType, Type};

/// A function of the table as a primitive.
#[derive(Clone, Copy)]
pub struct UnaryOp(pub Unary);

const COUNT: usize = Unary::ALL.len();

static TABLE: [UnaryOp; COUNT] = {
    let mut table = [UnaryOp(Unary::ALL[0]); COUNT];
    let mut k = 0;
    while k < COUNT {
        table[k] = UnaryOp(Unary::ALL[k]);
        k += 1;
    }
    table
};

/// The primitive of a function.
pub fn unary(f: Unary) -> PrimitiveRef {
    PrimitiveRef(&TABLE[f as usize])
}

/// All of them.
pub fn all() -> impl Iterator<Item = PrimitiveRef> {
    TABLE.iter().map(|op| PrimitiveRef(op))
}

struct UnaryLane<F>(F);

impl<F: UnaryRule> Lane for UnaryLane<F> {
    type A = f64;
    type B = ();
    type C = ();
    type Out = f64;
    const HEAVY: bool = !matches!(
        F::OP,
        Unary::Neg
            | Unary::Abs
            | Unary::Sign
            | Unary::Recip
            | Unary::Square
            | Unary::Sqrt
            | Unary::Floor
            | Unary::Ceil
            | Unary::Round
    );

    #[inline(always)]
    fn eval<I: Isa>(a: f64, (): (), (): ()) -> f64 {
        <F::Lane as Map1>::eval::<I>(a)
    }

    #[inline(always)]
    fn is_rare(a: f64, (): ()) -> bool {
        <F::Lane as Map1>::is_rare(a)
    }

    fn rare(a: f64, (): (), (): ()) -> f64 {
        <F::Lane as Map1>::rare(a)
    }
}

macro_rules! kernels {
    ($(($variant:ident, $method:ident, $doc:literal, $note:literal, $kind:ident,
        [$($domain:expr),*], [$($special:expr),*], |$x:ident, $y:ident| $d:expr);)*) => {
        fn kernel(f: Unary, isa: Level, mask: u8) -> Option<MapFn> {
            match f {
                $(Unary::$variant => select_arrays::<UnaryLane<functions::$variant>>(isa, mask),)*
            }
        }
    };
}
elementary_functions!(kernels);

impl Primitive for UnaryOp {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn doc(&self) -> &'static str {
        self.0.doc()
    }

    fn convention(&self) -> &'static str {
        self.0.differentiability()
    }

    fn nature(&self) -> Nature {
        if self.0 == Unary::Neg {
            Nature::Linear
        } else {
            Nature::NonLinear
        }
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn infer(&self, _program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        same_space(self.name(), args, &[DType::F64]).map(|space| vec![Type::f64(space)])
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        // A piecewise constant function has a derivative of exactly zero; the audit finds it by its kind.
        let Some(t) = tangents[0].filter(|_| self.0.kind() != Kind::Structure) else {
            return Ok(vec![None]);
        };
        if self.0 == Unary::Neg {
            return Ok(vec![Some(-t)]);
        }
        Ok(vec![Some(
            self.0.derivative(call.args[0], call.outs[0]) * t,
        )])
    }

    fn transpose<'b>(
        &self,
        _cx: &'b Builder,
        _call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        _linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        Ok(vec![cotangents[0].map(|c| -c)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (f, isa) = (self.0, cx.isa());
        Ok(Kernel::Map(Box::new(move |mask| kernel(f, isa, mask))))
    }

    fn samples(&self) -> Vec<Sample> {
        let f = self.0;
        let mut points = Vec::new();
        for (lo, hi) in f.domain() {
            points.extend((0..7).map(|k| lo + (hi - lo) * (f64::from(k) + 0.5) / 7.0));
        }
        let apply = move |points: Vec<f64>| {
            move |s: &crate::sample::Sampler| {
                vec![(
                    "out".to_owned(),
                    s.b.id(s.f64("x", s.b.dense("n"), &points).unary_op(f)),
                )]
            }
        };
        let mut special = vec![
            0.0,
            -0.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
        ];
        special.extend_from_slice(f.special_points());
        let mut at_special = Sample::new(
            "special points",
            crate::sample::Point::Special,
            apply(special.clone()),
        );
        at_special.expected = Some(vec![special.iter().map(|x| f.value(*x)).collect()]);
        vec![
            Sample::new("its domain", crate::sample::Point::Generic, apply(points)),
            at_special,
        ]
    }
}
