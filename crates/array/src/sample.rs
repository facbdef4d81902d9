//! Small applications of a primitive with inputs: what the tests of every primitive run on.

use std::sync::Arc;

use crate::build::{Builder, Sym};
use crate::exec::{Bindings, Column};
use crate::program::Program;
use crate::space::Space;
use crate::ty::{DType, Type};

/// An input column that owns its data.
#[derive(Debug, Clone)]
pub enum Owned {
    /// Doubles.
    F64(Vec<f64>),
    /// Singles.
    F32(Vec<f32>),
    /// Integers.
    I64(Vec<i64>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// Unsigned integers.
    U64(Vec<u64>),
    /// Masks.
    Bool(Vec<bool>),
    /// Offsets.
    Offsets(Vec<i64>),
}

impl Owned {
    /// As a column.
    pub fn column(&self) -> Column<'_> {
        match self {
            Self::F64(d) => Column::F64(d),
            Self::F32(d) => Column::F32(d),
            Self::I64(d) => Column::I64(d),
            Self::I32(d) => Column::I32(d),
            Self::U64(d) => Column::U64(d),
            Self::Bool(d) => Column::Bool(d),
            Self::Offsets(d) => Column::Offsets(d),
        }
    }
}

/// What kind of point a sample sits at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Derivatives exist around it and are compared with independent ones.
    Generic,
    /// A point where conventions apply: the value must follow them and nothing may hang or panic.
    Special,
}

/// An application of a primitive with data.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What it exercises.
    pub what: String,
    /// Kind of point.
    pub point: Point,
    /// The program.
    pub program: Arc<Program>,
    /// Data of its inputs, in order.
    pub inputs: Vec<Owned>,
    /// Expected outputs, where a convention fixes them.
    pub expected: Option<Vec<Vec<f64>>>,
}

/// Collects inputs while a sample is recorded.
pub struct Sampler {
    /// Records the program.
    pub b: Builder,
    inputs: std::cell::RefCell<Vec<Owned>>,
}

impl Sampler {
    /// A double input with its data.
    pub fn f64(&self, name: &str, space: Space, data: &[f64]) -> Sym<'_> {
        self.inputs.borrow_mut().push(Owned::F64(data.to_vec()));
        self.b.input(name, space)
    }

    /// An integer input with its data.
    pub fn i64(&self, name: &str, space: Space, data: &[i64]) -> Sym<'_> {
        self.inputs.borrow_mut().push(Owned::I64(data.to_vec()));
        self.b.input_of(name, Type::new(DType::I64, space))
    }

    /// A mask with its data.
    pub fn bool(&self, name: &str, space: Space, data: &[bool]) -> Sym<'_> {
        self.inputs.borrow_mut().push(Owned::Bool(data.to_vec()));
        self.b.input_of(name, Type::new(DType::Bool, space))
    }

    /// A column of any type with its data.
    pub fn column(&self, name: &str, space: Space, data: Owned) -> Sym<'_> {
        let dtype = data.column().dtype();
        self.inputs.borrow_mut().push(data);
        self.b.input_of(name, Type::new(dtype, space))
    }

    /// A ragged input level with its offsets.
    pub fn ragged(&self, name: &str, parent: Space, offsets: &[i64]) -> Space {
        self.inputs
            .borrow_mut()
            .push(Owned::Offsets(offsets.to_vec()));
        self.b.ragged(name, parent)
    }
}

impl Sample {
    /// Records a sample; `f` returns the outputs.
    ///
    /// # Panics
    /// If the program is ill-formed: samples are tests.
    pub fn new(
        what: &str,
        point: Point,
        f: impl Fn(&Sampler) -> Vec<(String, crate::program::ValueId)>,
    ) -> Self {
        let sampler = Sampler {
            b: Builder::new(),
            inputs: std::cell::RefCell::default(),
        };
        let outputs = f(&sampler)
            .into_iter()
            .map(|(n, v)| (Arc::from(n.as_str()), v))
            .collect();
        let Sampler { b, inputs } = sampler;
        let program = b
            .finish_ids(outputs)
            .unwrap_or_else(|e| panic!("sample `{what}` is ill-formed: {e}"));
        Self {
            what: what.to_owned(),
            point,
            program: Arc::new(program),
            inputs: inputs.into_inner(),
            expected: None,
        }
    }

    /// A generic sample with one output.
    pub fn generic(what: &str, f: impl for<'b> Fn(&'b Sampler) -> Sym<'b>) -> Self {
        Self::new(what, Point::Generic, |s| {
            vec![("out".to_owned(), s.b.id(f(s)))]
        })
    }

    /// A special sample with one output, whose value the convention fixes.
    pub fn special(
        what: &str,
        expected: &[f64],
        f: impl for<'b> Fn(&'b Sampler) -> Sym<'b>,
    ) -> Self {
        let mut sample = Self::new(what, Point::Special, |s| {
            vec![("out".to_owned(), s.b.id(f(s)))]
        });
        sample.expected = Some(vec![expected.to_vec()]);
        sample
    }

    /// The inputs as bindings.
    pub fn bindings(&self) -> Bindings<'_> {
        Bindings::ordered(&self.inputs.iter().map(Owned::column).collect::<Vec<_>>())
    }
}
