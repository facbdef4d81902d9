//! Logical operations on masks.

use pullback_ad::isa::Isa;

use crate::attr::Attrs;
use crate::error::Result;
use crate::exec::map::{Lane, select, select_arrays};
use crate::exec::{Kernel, LowerCx};
use crate::prim::binary::same_space;
use crate::primitive::{Nature, Primitive, PrimitiveRef};
use crate::program::Program;
use crate::sample::Sample;
use crate::ty::{DType, Type};

/// A logical operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logic {
    /// `a ∧ b`.
    And,
    /// `a ∨ b`.
    Or,
    /// `a ≠ b`.
    Xor,
    /// `¬a`.
    Not,
}

impl Logic {
    /// All operations.
    pub const ALL: [Self; 4] = [Self::And, Self::Or, Self::Xor, Self::Not];

    /// The primitive.
    pub fn primitive(self) -> PrimitiveRef {
        match self {
            Self::And => PrimitiveRef(&Self::And),
            Self::Or => PrimitiveRef(&Self::Or),
            Self::Xor => PrimitiveRef(&Self::Xor),
            Self::Not => PrimitiveRef(&Self::Not),
        }
    }
}

macro_rules! lanes {
    ($($name:ident: |$a:ident, $b:ident| $e:expr),*) => {$(
        struct $name;

        impl Lane for $name {
            type A = u8;
            type B = u8;
            type C = ();
            type Out = u8;

            #[inline(always)]
            fn eval<I: Isa>($a: u8, $b: u8, (): ()) -> u8 {
                $e
            }
        }
    )*};
}
lanes!(And: |a, b| a & b, Or: |a, b| a | b, Xor: |a, b| a ^ b);

struct Not;

impl Lane for Not {
    type A = u8;
    type B = ();
    type C = ();
    type Out = u8;

    #[inline(always)]
    fn eval<I: Isa>(a: u8, (): (), (): ()) -> u8 {
        a ^ 1
    }
}

impl Primitive for Logic {
    fn name(&self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Xor => "xor",
            Self::Not => "not",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Self::And => "Both masks hold.",
            Self::Or => "At least one mask holds.",
            Self::Xor => "Exactly one mask holds.",
            Self::Not => "The mask does not hold.",
        }
    }

    fn convention(&self) -> &'static str {
        "Both sides are always evaluated. No derivative."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn infer(&self, _program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        let want: &[DType] = if *self == Self::Not {
            &[DType::Bool]
        } else {
            &[DType::Bool, DType::Bool]
        };
        same_space(self.name(), args, want).map(|space| vec![Type::new(DType::Bool, space)])
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (op, isa) = (*self, cx.isa());
        Ok(Kernel::Map(Box::new(move |mask| match op {
            Self::And => select::<And>(isa, 2, mask),
            Self::Or => select::<Or>(isa, 2, mask),
            Self::Xor => select::<Xor>(isa, 2, mask),
            Self::Not => select_arrays::<Not>(isa, mask),
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let op = *self;
        let (a, b) = ([true, true, false, false], [true, false, true, false]);
        let truth = |(a, b): (&bool, &bool)| match op {
            Self::And => a & b,
            Self::Or => a | b,
            Self::Xor => a ^ b,
            Self::Not => !a,
        };
        let expected: Vec<f64> = a.iter().zip(&b).map(truth).map(f64::from).collect();
        vec![Sample::special("truth table", &expected, move |s| {
            let n = s.b.dense("n");
            let (x, y) = (s.bool("a", n, &a), s.bool("b", n, &b));
            let args = if op == Self::Not { vec![x] } else { vec![x, y] };
            s.b.elementwise(op.primitive(), &args)
                .select(crate::Sym::from(1.0), crate::Sym::from(0.0))
        })]
    }
}
