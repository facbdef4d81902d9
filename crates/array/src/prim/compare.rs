//! Comparisons: decisions, which keep what they compared as their arguments (their margin is `a - b`).

use pullback_ad::isa::{Isa, Level};

use crate::attr::Attrs;
use crate::error::Result;
use crate::exec::map::{Lane, select};
use crate::exec::{Kernel, LowerCx, MapFn};
use crate::prim::binary::same_space;
use crate::primitive::{Nature, Primitive, PrimitiveRef};
use crate::program::Program;
use crate::sample::Sample;
use crate::ty::{DType, Type};

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `a < b`.
    Lt,
    /// `a ≤ b`.
    Le,
    /// `a > b`.
    Gt,
    /// `a ≥ b`.
    Ge,
    /// `a = b`.
    Eq,
    /// `a ≠ b`.
    Ne,
}

impl Compare {
    /// All comparisons.
    pub const ALL: [Self; 6] = [Self::Lt, Self::Le, Self::Gt, Self::Ge, Self::Eq, Self::Ne];

    /// The primitive.
    pub fn primitive(self) -> PrimitiveRef {
        match self {
            Self::Lt => PrimitiveRef(&Self::Lt),
            Self::Le => PrimitiveRef(&Self::Le),
            Self::Gt => PrimitiveRef(&Self::Gt),
            Self::Ge => PrimitiveRef(&Self::Ge),
            Self::Eq => PrimitiveRef(&Self::Eq),
            Self::Ne => PrimitiveRef(&Self::Ne),
        }
    }

    /// The comparison with its arguments exchanged.
    pub(crate) fn mirrored(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            same => same,
        }
    }
}

macro_rules! lanes {
    ($($name:ident: $op:tt),*) => {$(
        struct $name<T>(T);

        impl<T: Copy + PartialOrd + 'static> Lane for $name<T> {
            type A = T;
            type B = T;
            type C = ();
            type Out = u8;

            #[inline(always)]
            fn eval<I: Isa>(a: T, b: T, (): ()) -> u8 {
                u8::from(a $op b)
            }
        }
    )*};
}
lanes!(Lt: <, Le: <=, Gt: >, Ge: >=, EqLane: ==, NeLane: !=);

fn kernel<T: Copy + PartialOrd + 'static>(op: Compare, isa: Level, mask: u8) -> Option<MapFn> {
    match op {
        Compare::Lt => select::<Lt<T>>(isa, 2, mask),
        Compare::Le => select::<Le<T>>(isa, 2, mask),
        Compare::Gt => select::<Gt<T>>(isa, 2, mask),
        Compare::Ge => select::<Ge<T>>(isa, 2, mask),
        Compare::Eq => select::<EqLane<T>>(isa, 2, mask),
        Compare::Ne => select::<NeLane<T>>(isa, 2, mask),
    }
}

impl Primitive for Compare {
    fn name(&self) -> &'static str {
        match self {
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Eq => "eq",
            Self::Ne => "ne",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Self::Lt => "`a < b`.",
            Self::Le => "`a ≤ b`.",
            Self::Gt => "`a > b`.",
            Self::Ge => "`a ≥ b`.",
            Self::Eq => "`a = b`.",
            Self::Ne => "`a ≠ b`.",
        }
    }

    fn convention(&self) -> &'static str {
        "Comparisons with NaN are false, `ne` is true. The pathwise derivative is zero; the margin a - b says how far the decision is from switching."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn infer(&self, _program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        let dtype = args.first().map_or(DType::F64, |t| {
            if t.dtype == DType::I64 {
                DType::I64
            } else {
                DType::F64
            }
        });
        same_space(self.name(), args, &[dtype, dtype])
            .map(|space| vec![Type::new(DType::Bool, space)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (op, isa, ints) = (*self, cx.isa(), cx.arg(0).dtype == DType::I64);
        Ok(Kernel::Map(Box::new(move |mask| {
            if ints {
                kernel::<i64>(op, isa, mask)
            } else {
                kernel::<f64>(op, isa, mask)
            }
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let op = *self;
        let (a, b) = (
            [1.0, 2.0, 3.0, f64::NAN, 0.0, f64::INFINITY],
            [2.0, 2.0, 1.0, f64::NAN, -0.0, f64::INFINITY],
        );
        let truth = |(a, b): (&f64, &f64)| match op {
            Self::Lt => a < b,
            Self::Le => a <= b,
            Self::Gt => a > b,
            Self::Ge => a >= b,
            Self::Eq => a == b,
            Self::Ne => a != b,
        };
        let expected: Vec<f64> = a.iter().zip(&b).map(truth).map(f64::from).collect();
        vec![Sample::special(
            "ties, NaN, signed zeros, infinities",
            &expected,
            move |s| {
                let n = s.b.dense("n");
                let mask = s.f64("a", n, &a).compare(op, s.f64("b", n, &b));
                mask.select(crate::Sym::from(1.0), crate::Sym::from(0.0))
            },
        )]
    }
}
