//! Writing CSV.

use std::io::Write;

use crate::column::{Axis, Column};
use crate::error::{Error, Result};
use crate::schema::{Field, Level};
use crate::values::Values;

/// Writes columns of one value per row as CSV (RFC 4180, lines end in `\n`); what is missing is an empty cell. Floats are written with as few digits as bring them back, and a
/// point or an exponent, so that they are read as floats.
///
/// ```
/// use pullback_io::{Column, DType, Field, Values, csv};
/// let fields = [Field::new("mass", DType::F64, &[])];
/// let mut writer = csv::Writer::new(Vec::new(), &fields)?;
/// writer.write(&[Column::flat(Values::F64(vec![91.0, 0.1]))])?;
/// assert_eq!(writer.finish()?, b"mass\n91.0\n0.1\n");
/// # Ok::<(), pullback_io::Error>(())
/// ```
pub struct Writer<W> {
    sink: W,
    fields: Vec<Field>,
}

impl<W: Write> Writer<W> {
    /// Starts a file with these columns.
    ///
    /// # Errors
    /// A column of lists, a sink that does not take bytes.
    pub fn new(sink: W, fields: &[Field]) -> Result<Self> {
        for field in fields {
            if !matches!(field.levels.as_slice(), [] | [Level::Option]) {
                return Err(unwritable(&field.name, "CSV has no lists; Parquet has"));
            }
        }
        let mut writer = Self {
            sink,
            fields: fields.to_vec(),
        };
        let mut line = Vec::new();
        for (k, field) in fields.iter().enumerate() {
            if k > 0 {
                line.push(b',');
            }
            quoted(field.name.as_bytes(), &mut line);
        }
        line.push(b'\n');
        writer.put(&line)?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.write_all(bytes).map_err(|e| Error::Write {
            message: e.to_string(),
        })
    }

    /// Writes rows: a column for each field, in their order.
    ///
    /// # Errors
    /// Columns of other types, levels or lengths than announced, a sink that does not take bytes.
    pub fn write(&mut self, columns: &[Column]) -> Result<()> {
        let rows = columns.first().map_or(0, Column::len);
        if columns.len() != self.fields.len() {
            let what = format!("{} columns for {} fields", columns.len(), self.fields.len());
            return Err(unwritable("", &what));
        }
        for (field, column) in self.fields.iter().zip(columns) {
            if !column.has_shape(field) || column.len() != rows {
                let what = format!(
                    "a column that is no {}, or not of {rows} rows",
                    field.shape()
                );
                return Err(unwritable(&field.name, &what));
            }
        }
        // The values of each column that were written so far.
        let mut next = vec![0; columns.len()];
        let mut text = Vec::new();
        for row in 0..rows {
            for (k, (column, next)) in columns.iter().zip(&mut next).enumerate() {
                if k > 0 {
                    text.push(b',');
                }
                let here = match column.axes().first() {
                    Some(Axis::Option(present)) => present.get(row).copied().unwrap_or(false),
                    _ => true,
                };
                if here {
                    cell(column.values(), *next, &mut text);
                    *next += 1;
                }
            }
            text.push(b'\n');
            if text.len() > 1 << 16 {
                self.put(&text)?;
                text.clear();
            }
        }
        self.put(&text)
    }

    /// Gives the sink back.
    ///
    /// # Errors
    /// A sink that does not take bytes.
    pub fn finish(mut self) -> Result<W> {
        self.sink.flush().map_err(|e| Error::Write {
            message: e.to_string(),
        })?;
        Ok(self.sink)
    }
}

fn unwritable(name: &str, what: &str) -> Error {
    Error::Unwritable {
        name: name.to_owned(),
        what: what.to_owned(),
    }
}

fn cell(values: &Values, index: usize, to: &mut Vec<u8>) {
    macro_rules! number {
        ($list:expr, $form:literal) => {
            if let Some(value) = $list.get(index) {
                // Writing to memory does not fail.
                let _ = write!(to, $form, value);
            }
        };
    }
    match values {
        Values::Bool(list) => number!(list, "{}"),
        Values::I8(list) => number!(list, "{}"),
        Values::U8(list) => number!(list, "{}"),
        Values::I16(list) => number!(list, "{}"),
        Values::U16(list) => number!(list, "{}"),
        Values::I32(list) => number!(list, "{}"),
        Values::U32(list) => number!(list, "{}"),
        Values::I64(list) => number!(list, "{}"),
        Values::U64(list) => number!(list, "{}"),
        Values::F32(list) => number!(list, "{:?}"),
        Values::F64(list) => number!(list, "{:?}"),
        Values::Str(texts) => quoted(texts.get(index).unwrap_or_default(), to),
    }
}

fn quoted(text: &[u8], to: &mut Vec<u8>) {
    if !text.iter().any(|b| b",;\t\"\r\n".contains(b)) {
        to.extend_from_slice(text);
        return;
    }
    to.push(b'"');
    for byte in text {
        if *byte == b'"' {
            to.push(b'"');
        }
        to.push(*byte);
    }
    to.push(b'"');
}
