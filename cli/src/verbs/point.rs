//! Parameter values from a file.

use std::path::Path;

use pullback_stats::spec::ModelSpec;
use pullback_stats::workspace::{Limits, read_json};
use pullback_stats::{Error, Place};
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::source;

/// Reads a point: a list in the order of the model, or an object by name, whose missing names keep their initial values.
pub fn read(path: &Path, spec: &ModelSpec, limits: &Limits) -> Result<Vec<f64>, Failure> {
    let bytes = source::read(path, limits)?;
    read_json(&bytes, limits)
        .and_then(|value| from_value(&value, spec))
        .map_err(|error| Failure::document(&path.display().to_string(), error))
}

fn from_value(value: &Value, spec: &ModelSpec) -> Result<Vec<f64>, Error> {
    match value {
        Value::Array(list) => numbers(
            list,
            "",
            spec.parameters.len(),
            "the parameters of the model",
        ),
        Value::Object(map) => by_name(map, spec),
        other => Err(wrong(
            "a list of numbers, or an object of numbers by name",
            other,
            "",
        )),
    }
}

fn by_name(map: &Map<String, Value>, spec: &ModelSpec) -> Result<Vec<f64>, Error> {
    let mut point = spec.inits();
    for (name, value) in map {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        // The name of a modifier stands for all its components.
        if let Some(set) = spec.sets.iter().find(|s| s.name == *name) {
            let values = &mut point[set.parameters.clone()];
            match value {
                Value::Array(list) => {
                    let why = format!("the components of `{name}`");
                    values.copy_from_slice(&numbers(list, &pointer, values.len(), &why)?);
                }
                other => values.fill(number(other, &pointer)?),
            }
        } else if let Some(i) = spec.parameter_index(name) {
            point[i] = number(value, &pointer)?;
        } else {
            return Err(Error::UnknownParameter {
                name: name.clone(),
                available: spec.parameters.iter().map(|p| p.name.clone()).collect(),
            });
        }
    }
    Ok(point)
}

fn numbers(list: &[Value], pointer: &str, expected: usize, why: &str) -> Result<Vec<f64>, Error> {
    if list.len() != expected {
        return Err(Error::Length {
            expected,
            found: list.len(),
            why: why.to_owned(),
            place: Place::at(pointer),
        });
    }
    let element = |(i, value)| number(value, &format!("{pointer}/{i}"));
    list.iter().enumerate().map(element).collect()
}

fn number(value: &Value, pointer: &str) -> Result<f64, Error> {
    value
        .as_f64()
        .ok_or_else(|| wrong("a number", value, pointer))
}

fn wrong(expected: &str, value: &Value, pointer: &str) -> Error {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Error::Schema {
        expected: expected.to_owned(),
        found: found.to_owned(),
        place: Place::at(pointer),
    }
}
