//! What is in a file of events or histograms.

use pullback_io::Level;
use pullback_io::root::Object;
use serde_json::{Value, json};

use crate::verbs::{FileOverview, TableOverview};

/// The JSON of an overview.
pub fn data(overview: &FileOverview) -> String {
    let unread = |object: &Object, reason: &str| json!({"name": object.path, "class": object.class, "error": reason});
    let tables = overview.tables.iter().map(|read| match read {
        Ok(read) => table(read),
        Err((object, reason)) => unread(object, reason),
    });
    let histograms = overview.histograms.iter().map(|read| match read {
        Ok((object, histogram)) => {
            let axes = histogram.axes.iter().map(
                |axis| json!({"title": axis.title, "edges": axis.edges, "labels": axis.labels}),
            );
            json!({
                "name": object.path,
                "class": object.class,
                "title": histogram.title,
                "entries": histogram.entries,
                "sum": histogram.inner_values().iter().sum::<f64>(),
                "weighted": histogram.sumw2.is_some(),
                "axes": axes.collect::<Vec<Value>>(),
            })
        }
        Err((object, reason)) => unread(object, reason),
    });
    let others = overview
        .others
        .iter()
        .map(|o| json!({"name": o.path, "class": o.class}));
    super::write(&json!({
        "file": overview.path,
        "format": overview.format,
        "bytes": overview.bytes,
        "writer": overview.writer,
        "root_version": overview.root_version,
        "tables": tables.collect::<Vec<Value>>(),
        "histograms": histograms.collect::<Vec<Value>>(),
        "others": others.collect::<Vec<Value>>(),
        "version": env!("CARGO_PKG_VERSION"),
    }))
}

fn table(table: &TableOverview) -> Value {
    let columns = table.shown.as_ref().map(|shown| {
        let columns = shown.iter().map(|(field, sizes)| {
            let levels = field.levels.iter().map(|level| match level {
                Level::List => json!("list"),
                Level::Option => json!("option"),
                Level::Fixed(n) => json!(n),
            });
            json!({
                "name": field.name,
                "dtype": field.dtype.name(),
                "levels": levels.collect::<Vec<Value>>(),
                "type": field.type_name,
                "title": field.title,
                "counter": field.counter,
                "bytes": sizes.uncompressed,
                "compressed_bytes": sizes.compressed,
            })
        });
        columns.collect::<Vec<Value>>()
    });
    let unreadable = table
        .unreadable
        .iter()
        .map(|part| json!({"name": part.name, "type": part.type_name, "reason": part.reason}));
    json!({
        "name": table.path,
        "kind": table.kind,
        "title": table.title,
        "entries": table.entries,
        "compression": table.compression,
        "column_count": table.columns,
        "columns": columns,
        "unreadable": unreadable.collect::<Vec<Value>>(),
    })
}
