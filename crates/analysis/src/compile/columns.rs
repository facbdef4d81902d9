//! Inputs: the columns that are used, the offsets of their lists, the parameters.

use pullback_array::{DType, Space, Sym, Type};

use super::express::Compiler;
use super::program::Input;
use super::value::{Maybe, Value};

impl<'b> Compiler<'b> {
    /// The level of the lists of a group.
    pub fn list(&self, group: usize) -> Space {
        if let Some(space) = self.lists.borrow().get(&group) {
            return *space;
        }
        let found = self.model.schema.groups().get(group);
        let name = found.map_or("", |g| g.name.as_str());
        let input = format!("{name}.offsets");
        // Any column of the group tells where the lists begin.
        let first = self.model.schema.columns().iter().enumerate();
        let first = first.filter(|(k, _)| self.model.schema.group_of(*k) == Some(group));
        let column = first.map(|(_, c)| c.name.clone()).next();
        let offsets = self
            .b
            .input_of(&input, Type::new(DType::Offsets, self.events));
        let space = self.b.ragged_by(name, offsets);
        self.inputs.borrow_mut().push(Input::Offsets {
            name: input,
            column: column.unwrap_or_default(),
        });
        self.lists.borrow_mut().insert(group, space);
        space
    }

    /// A column of the data, in the units of the house.
    pub fn column(&self, k: usize) -> Maybe<'b> {
        if let Some(known) = self.columns.borrow().get(&k) {
            return *known;
        }
        let Some(column) = self.model.schema.columns().get(k) else {
            return self.nothing();
        };
        let space = match self.model.schema.group_of(k) {
            Some(group) => self.list(group),
            None => self.events,
        };
        let raw = self
            .b
            .input_of(&column.name, Type::new(column.dtype, space));
        self.inputs.borrow_mut().push(Input::Column {
            name: column.name.clone(),
            dtype: column.dtype,
            list: column.list,
        });
        let label = Some(column.name.as_str().into());
        let value = self.b.labelled(label, || match column.dtype {
            DType::Bool => Value::Bool { yes: raw, no: None },
            _ if column.is_whole() => Value::Int(raw.cast(DType::I64)),
            _ => {
                let x = raw.cast(DType::F64);
                let factor = column.factor();
                Value::Real(if factor == 1.0 { x } else { x * factor })
            }
        });
        let value = Maybe::new(value);
        self.columns.borrow_mut().insert(k, value);
        value
    }

    /// A parameter.
    pub fn parameter(&self, name: &str) -> Maybe<'b> {
        if let Some(known) = self.parameters.borrow().get(name) {
            return Maybe::new(Value::Real(*known));
        }
        let input: Sym<'b> = self.b.input(name, Space::SCALAR);
        let start = self.model.start(name).unwrap_or(f64::NAN);
        self.input(name, vec![start], input);
        Maybe::new(Value::Real(input))
    }

    /// Remembers an input of numbers that can vary.
    pub fn input(&self, name: &str, start: Vec<f64>, input: Sym<'b>) {
        let name = name.to_owned();
        self.parameters.borrow_mut().insert(name.clone(), input);
        self.inputs
            .borrow_mut()
            .push(Input::Parameter { name, start });
    }
}
