//! Functions of two arguments: one primitive per entry of the table in `pullback_ad`.

use pullback_ad::isa::{Isa, Level};
use pullback_ad::math::slice::Map2;
use pullback_ad::{Binary, BinaryRule, binary_functions, functions};

use crate::attr::Attrs;
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::map::{Lane, select};
use crate::exec::{Kernel, LowerCx, MapFn};
use crate::primitive::{Call, Nature, Primitive, PrimitiveRef, ill_formed};
use crate::program::Program;
use crate::sample::{Point, Sample, Sampler};
use crate::space::Space;
use crate::ty::{DType, Type};

/// A function of the table as a primitive.
#[derive(Clone, Copy)]
pub struct BinaryOp(pub Binary);

const COUNT: usize = Binary::ALL.len();

static TABLE: [BinaryOp; COUNT] = {
    let mut table = [BinaryOp(Binary::ALL[0]); COUNT];
    let mut k = 0;
    while k < COUNT {
        table[k] = BinaryOp(Binary::ALL[k]);
        k += 1;
    }
    table
};

/// The primitive of a function.
pub fn binary(f: Binary) -> PrimitiveRef {
    PrimitiveRef(&TABLE[f as usize])
}

/// All of them.
pub fn all() -> impl Iterator<Item = PrimitiveRef> {
    TABLE.iter().map(|op| PrimitiveRef(op))
}

struct BinaryLane<F>(F);

impl<F: BinaryRule> Lane for BinaryLane<F> {
    type A = f64;
    type B = f64;
    type C = ();
    type Out = f64;
    const HEAVY: bool = matches!(
        F::OP,
        Binary::Pow | Binary::Hypot | Binary::Atan2 | Binary::Logaddexp | Binary::Xlogy
    );

    #[inline(always)]
    fn eval<I: Isa>(a: f64, b: f64, (): ()) -> f64 {
        <F::Lane as Map2>::eval::<I>(a, b)
    }

    #[inline(always)]
    fn is_rare(a: f64, b: f64) -> bool {
        <F::Lane as Map2>::is_rare(a, b)
    }

    fn rare(a: f64, b: f64, (): ()) -> f64 {
        <F::Lane as Map2>::rare(a, b)
    }
}

macro_rules! kernels {
    ($(($variant:ident, $method:ident, $doc:literal, $note:literal, $kind:ident,
        [$($domain:expr),*], [$($special:expr),*], |$a:ident, $b:ident, $y:ident| $d:expr);)*) => {
        fn kernel(f: Binary, isa: Level, mask: u8) -> Option<MapFn> {
            match f {
                $(Binary::$variant => select::<BinaryLane<functions::$variant>>(isa, 2, mask),)*
            }
        }
    };
}
binary_functions!(kernels);

/// Checks that all arguments live in one space and have the given element types; returns the space.
pub(crate) fn same_space(
    primitive: &'static str,
    args: &[Type],
    dtypes: &[DType],
) -> Result<Space> {
    if args.len() != dtypes.len() {
        return Err(ill_formed(
            primitive,
            format!("{} arguments, expected {}", args.len(), dtypes.len()),
        ));
    }
    for (index, (arg, want)) in args.iter().zip(dtypes).enumerate() {
        if arg.dtype != *want {
            return Err(Error::DType {
                primitive,
                index,
                found: arg.dtype.to_string(),
                expected: want.to_string(),
            });
        }
        if arg.space != args[0].space {
            return Err(ill_formed(
                primitive,
                format!("argument {index} lives in another space; broadcast it first"),
            ));
        }
    }
    Ok(args[0].space)
}

/// The type of a function of two doubles in one space.
pub(crate) fn two_doubles(primitive: &'static str, args: &[Type]) -> Result<Vec<Type>> {
    same_space(primitive, args, &[DType::F64, DType::F64]).map(|space| vec![Type::f64(space)])
}

impl Primitive for BinaryOp {
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
        match self.0 {
            Binary::Add | Binary::Sub | Binary::Mul | Binary::Div => Nature::Linear,
            _ => Nature::NonLinear,
        }
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn infer(&self, _program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        two_doubles(self.name(), args)
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (a, b, y) = (call.args[0], call.args[1], call.outs[0]);
        let out = match (self.0, tangents[0], tangents[1]) {
            (Binary::Add, Some(s), Some(t)) => Some(s + t),
            (Binary::Sub, Some(s), Some(t)) => Some(s - t),
            (Binary::Sub, None, Some(t)) => Some(-t),
            (Binary::Add | Binary::Sub, Some(t), None) | (Binary::Add, None, Some(t)) => Some(t),
            (Binary::Mul, s, t) => join(s.map(|s| s * b), t.map(|t| a * t)),
            (Binary::Div, Some(s), None) => Some(s / b),
            (f, s, t) => {
                let (da, db) = f.partials(a, b, y);
                join(s.map(|s| da * s), t.map(|t| db * t))
            }
        };
        Ok(vec![out])
    }

    fn transpose<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        cotangents: &[Option<Sym<'b>>],
        linear: &[bool],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let Some(c) = cotangents[0] else {
            return Ok(vec![None, None]);
        };
        let (a, b) = (call.args[0], call.args[1]);
        Ok(match (self.0, linear) {
            (Binary::Add, _) => vec![Some(c), Some(c)],
            (Binary::Sub, [_, true]) => vec![Some(c), Some(-c)],
            (Binary::Sub, _) => vec![Some(c), None],
            (Binary::Mul, [true, false]) => vec![Some(c * b), None],
            (Binary::Mul, [false, true]) => vec![None, Some(a * c)],
            (Binary::Div, [true, false]) => vec![Some(c / b), None],
            _ => {
                return Err(Error::NotDifferentiable {
                    primitive: self.name(),
                    what: "transpose",
                    message: "it is not linear here".into(),
                });
            }
        })
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (f, isa) = (self.0, cx.isa());
        Ok(Kernel::Map(Box::new(move |mask| kernel(f, isa, mask))))
    }

    fn samples(&self) -> Vec<Sample> {
        let f = self.0;
        let apply = move |points: Vec<(f64, f64)>| {
            move |s: &Sampler| {
                let n = s.b.dense("n");
                let a = s.f64("a", n, &points.iter().map(|p| p.0).collect::<Vec<_>>());
                let b = s.f64("b", n, &points.iter().map(|p| p.1).collect::<Vec<_>>());
                vec![("out".to_owned(), s.b.id(a.binary_op(f, b)))]
            }
        };
        let mut points = Vec::new();
        for ((alo, ahi), (blo, bhi)) in f.domain() {
            for k in 0..7 {
                let (u, v) = (
                    (f64::from(k) + 0.5) / 7.0,
                    (f64::from(k * 3 % 7) + 0.4) / 7.0,
                );
                points.push((alo + (ahi - alo) * u, blo + (bhi - blo) * v));
            }
        }
        let edge = [
            0.0,
            -0.0,
            1.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            1e-310,
        ];
        let mut special: Vec<(f64, f64)> = edge
            .iter()
            .flat_map(|&a| edge.iter().map(move |&b| (a, b)))
            .collect();
        special.extend_from_slice(f.special_points());
        let mut at_special = Sample::new("special points", Point::Special, apply(special.clone()));
        at_special.expected = Some(vec![special.iter().map(|(a, b)| f.value(*a, *b)).collect()]);
        vec![
            Sample::new("its domain", Point::Generic, apply(points)),
            at_special,
        ]
    }
}

/// The sum of two optional terms.
pub(crate) fn join<'b>(a: Option<Sym<'b>>, b: Option<Sym<'b>>) -> Option<Sym<'b>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, None) => a,
        (None, b) => b,
    }
}
