//! Columns that were read, as inputs of the program.

use pullback_array::{Bindings, Column, DType, Program};
use pullback_io as io;

use super::program::{Compiled, Input};
use crate::error::{Error, Result};

impl Compiled {
    /// The columns of the data that are needed, each once.
    pub fn columns(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.inputs.iter().filter_map(Input::column) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Names and starts of the parameters that are needed, in the order in which [`Self::bind`] takes them.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &[f64])> {
        self.inputs.iter().filter_map(|i| match i {
            Input::Parameter { name, start } => Some((name.as_str(), start.as_slice())),
            _ => None,
        })
    }

    /// The inputs of the program from a chunk, whose columns were widened ([`io::Column::widen`]), and the parameters.
    ///
    /// # Errors
    /// [`Error::Column`] for a column that is missing or of another type than the schema said.
    pub fn bind<'a>(
        &self,
        chunk: &'a io::Chunk,
        parameters: &'a [Vec<f64>],
    ) -> Result<Bindings<'a>> {
        self.bind_to(&self.program, chunk, parameters, &[])
    }

    /// The same for a program that was made of this one and has further inputs after its own: widths, cotangents.
    ///
    /// # Errors
    /// As [`Self::bind`].
    pub fn bind_to<'a>(
        &self,
        program: &Program,
        chunk: &'a io::Chunk,
        parameters: &'a [Vec<f64>],
        more: &[Column<'a>],
    ) -> Result<Bindings<'a>> {
        let mut numbers = parameters.iter();
        let mut columns: Vec<Column<'a>> = Vec::with_capacity(self.inputs.len() + more.len());
        for input in &self.inputs {
            columns.push(match input {
                Input::Offsets { column, .. } => {
                    let found = find(chunk, column)?;
                    let offsets = found
                        .offsets()
                        .ok_or_else(|| refused(column, "is no list per event".into()))?;
                    Column::Offsets(offsets)
                }
                Input::Column { name, dtype, list } => {
                    let found = find(chunk, name)?;
                    if *list != found.offsets().is_some() {
                        let kind = if *list { "no list" } else { "a list" };
                        return Err(refused(
                            name,
                            format!("is {kind} per event, unlike the schema says"),
                        ));
                    }
                    values(name, found.values(), *dtype)?
                }
                Input::Parameter { name, start } => {
                    let values = numbers.next().filter(|v| v.len() == start.len());
                    let refuse = || refused(name, "is a parameter without a value".into());
                    Column::F64(values.ok_or_else(refuse)?)
                }
            });
        }
        columns.extend_from_slice(more);
        // A program may need no column at all.
        Ok(Bindings::ordered(&columns).size(program, "events", chunk.entries)?)
    }
}

fn refused(column: &str, message: String) -> Error {
    Error::Column {
        column: column.into(),
        message,
    }
}

fn find<'a>(chunk: &'a io::Chunk, name: &str) -> Result<&'a io::Column> {
    chunk
        .column(name)
        .ok_or_else(|| refused(name, format!("is not in what was read of {}", chunk.file)))
}

fn values<'a>(name: &str, values: &'a io::Values, dtype: DType) -> Result<Column<'a>> {
    let column = match values {
        io::Values::F64(v) => Column::F64(v),
        io::Values::F32(v) => Column::F32(v),
        io::Values::I64(v) => Column::I64(v),
        io::Values::I32(v) => Column::I32(v),
        io::Values::U64(v) => Column::U64(v),
        io::Values::Bool(v) => Column::Bool(v),
        other => {
            let message = format!("is {}, which has to be widened to {dtype}", other.dtype());
            return Err(refused(name, message));
        }
    };
    if column.dtype() == dtype {
        return Ok(column);
    }
    let message = format!("is {}; the schema says {dtype}", column.dtype());
    Err(refused(name, message))
}
