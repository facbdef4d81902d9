//! Constants: a number, or data in a space.

use crate::attr::{Attrs, Data};
use crate::error::Result;
use crate::exec::{Kernel, LowerCx, check_offsets};
use crate::primitive::{Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::Space;
use crate::ty::{DType, Type};

/// A number.
pub struct Const;

impl Primitive for Const {
    fn name(&self) -> &'static str {
        "const"
    }

    fn doc(&self) -> &'static str {
        "A constant number."
    }

    fn convention(&self) -> &'static str {
        "NaN and infinities are kept; 0 and -0 are different constants."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, _program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        if !args.is_empty() || attrs.f64("value").is_none() {
            return Err(ill_formed(
                self.name(),
                "expects no argument and a number `value`",
            ));
        }
        Ok(vec![Type::f64(Space::SCALAR)])
    }

    fn lower(&self, _cx: &LowerCx<'_>) -> Result<Kernel> {
        Ok(Kernel::Source)
    }

    fn samples(&self) -> Vec<Sample> {
        vec![Sample::special(
            "minus zero and infinity",
            &[f64::NEG_INFINITY],
            |s| {
                let x = s.f64("x", Space::SCALAR, &[1.0]);
                x / crate::Sym::from(-0.0)
            },
        )]
    }
}

/// Data in a space.
pub struct DataArray;

impl Primitive for DataArray {
    fn name(&self) -> &'static str {
        "data"
    }

    fn doc(&self) -> &'static str {
        "Constant data in a space."
    }

    fn convention(&self) -> &'static str {
        "The number of elements must be that of the space when the program runs."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let (Some(data), Some(space)) = (attrs.data("data"), attrs.space("to")) else {
            return Err(ill_formed(self.name(), "expects `data` and a space `to`"));
        };
        if !args.is_empty() {
            return Err(ill_formed(self.name(), "expects no argument"));
        }
        if program.stream_root(&space).is_some() {
            return Err(ill_formed(
                self.name(),
                "constant data cannot live on a stream; make it an input",
            ));
        }
        let dtype = match (data, attrs.dtype("dtype")) {
            (Data::I64(_), Some(DType::Offsets)) => DType::Offsets,
            (Data::I64(_), _) => DType::I64,
            (Data::F64(_), _) => DType::F64,
            (Data::Bool(_), _) => DType::Bool,
        };
        if let (Data::I64(d), DType::Offsets) = (data, dtype) {
            check_offsets(d).map_err(|m| ill_formed(self.name(), m))?;
        }
        let fixed: Option<usize> = space.iter().map(|l| program.level(l).len).product();
        let expected = fixed.map(|n| n + usize::from(dtype == DType::Offsets));
        if expected.is_some_and(|n| n != data.len()) {
            let name = program.space_name(&space);
            return Err(ill_formed(
                self.name(),
                format!(
                    "{} elements where [{name}] has {}",
                    data.len(),
                    fixed.unwrap_or(0)
                ),
            ));
        }
        Ok(vec![Type::new(dtype, space)])
    }

    fn lower(&self, _cx: &LowerCx<'_>) -> Result<Kernel> {
        Ok(Kernel::Source)
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("a table", |s| {
                let space = s.b.dense_of("bins", 3);
                let x = s.f64("x", space, &[1.0, 2.0, 3.0]);
                x * s.b.constant_f64(&[0.5, -1.0, 2.0], space)
            }),
            Sample::special(
                "signed zeros, infinities, NaN",
                &[0.0, -0.0, f64::INFINITY, f64::NAN],
                |s| {
                    s.b.constant_f64(
                        &[0.0, -0.0, f64::INFINITY, f64::NAN],
                        s.b.dense_of("bins", 4),
                    )
                },
            ),
        ]
    }
}
