//! Generated events as columns of files.

use std::sync::Arc;

use pullback_io::parquet::{WriteOptions, Writer};
use pullback_io::{Axis, Column, DType, Field, Level, Values};
use pullback_sim::{ColumnData, Events, Generator};

use crate::error::{Error, Result};

/// Events in a row group.
const GROUP: usize = 1 << 16;

fn dtype(data: ColumnData<'_>) -> DType {
    match data {
        ColumnData::F32(_) => DType::F32,
        ColumnData::I32(_) => DType::I32,
        ColumnData::I64(_) => DType::I64,
        ColumnData::U64(_) => DType::U64,
        ColumnData::Bool(_) => DType::Bool,
    }
}

/// NanoAOD's columns: one value per event, or lists; numbers of objects are columns too.
pub fn fields(events: &Events) -> Vec<Field> {
    let field = |column: &pullback_sim::Column<'_>| {
        let list = column.offsets.map(|_| Level::List);
        Field::new(column.info.name, dtype(column.data), list.as_slice())
    };
    events.columns().iter().map(field).collect()
}

/// The columns, in the order of [`fields`].
///
/// # Errors
/// Offsets that do not fit, which a generator does not make.
pub fn columns(events: &Events) -> pullback_io::Result<Vec<Column>> {
    let mut shared: Option<(&str, Arc<Vec<i64>>)> = None;
    let mut columns = Vec::new();
    for column in events.columns() {
        let values = match column.data {
            ColumnData::F32(list) => Values::F32(list.to_vec()),
            ColumnData::I32(list) => Values::I32(list.to_vec()),
            ColumnData::I64(list) => Values::I64(list.to_vec()),
            ColumnData::U64(list) => Values::U64(list.to_vec()),
            ColumnData::Bool(list) => Values::Bool(list.to_vec()),
        };
        columns.push(match (column.offsets, column.info.collection) {
            (Some(offsets), Some(name)) => {
                let known = shared.take().filter(|(of, _)| *of == name);
                let (_, list) = known.unwrap_or_else(|| (name, Arc::new(offsets.to_vec())));
                shared = Some((name, list.clone()));
                Column::new(events.len(), vec![Axis::List(list)], values)?
            }
            _ => Column::flat(values),
        });
    }
    Ok(columns)
}

/// Writes the first events of a sample as Parquet, for examples and tests; `pullback generate` does it with threads, and leaves nothing behind where it fails.
///
/// # Errors
/// A file that cannot be written.
pub fn write(path: &std::path::Path, generator: &mut Generator, events: usize) -> Result<()> {
    let failed = |message: String| Error::Open {
        path: path.display().to_string(),
        message,
    };
    let sample = |generator: &mut Generator, first: u64, n: usize| {
        let found = generator.generate(first, n);
        found.map_err(|e| failed(e.to_string()))
    };
    let file = std::fs::File::create(path).map_err(|e| failed(e.to_string()))?;
    let sink = std::io::BufWriter::new(file);
    let fields = fields(&sample(generator, 0, 0)?);
    let mut writer = Writer::new(sink, &fields, WriteOptions::default())?;
    let mut done = 0;
    while done < events {
        let here = GROUP.min(events - done);
        writer.write(&columns(&sample(generator, done as u64, here)?)?)?;
        done += here;
    }
    writer.finish()?;
    Ok(())
}
