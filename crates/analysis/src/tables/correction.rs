//! Tables from correctionlib JSON, schema version 2: what is constant in bins.
//!
//! Nodes may nest in any way, and inner bins may differ from outer bin to outer bin: the table has all edges of each input, and each of its bins the number that
//! the tree has in the middle of it, which is the number of the whole bin.
//!
//! Reference: correctionlib, schema version 2, <https://cms-nanoaod.github.io/correctionlib/schemav2.html>.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::define::{MOST, Outside, Table};
use super::files::Select;
use crate::error::{Error, Result};

/// How deep nodes may nest.
const DEEPEST: usize = 32;

/// What the nodes of a correction share.
struct Reader<'a> {
    shown: String,
    with: &'a BTreeMap<String, String>,
    outside: Option<Outside>,
    edges: BTreeMap<String, Vec<f64>>,
}

pub(super) fn read(path: &Path, name: &str, select: &Select) -> Result<Table> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| Error::Open {
        path: shown.clone(),
        message: e.to_string(),
    })?;
    let mut reader = Reader {
        shown: format!("{shown}:{name}"),
        with: &select.with,
        outside: None,
        edges: BTreeMap::new(),
    };
    let json: Value =
        serde_json::from_str(&text).map_err(|e| reader.refuse(format!("is not JSON: {e}"), ""))?;
    if json["schema_version"] != 2 {
        return Err(reader.refuse(
            "is no correctionlib file of schema 2".into(),
            "other versions are converted by correctionlib",
        ));
    }
    let corrections = json["corrections"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let Some(correction) = corrections.iter().find(|c| c["name"] == name) else {
        let names: Vec<&str> = corrections
            .iter()
            .filter_map(|c| c["name"].as_str())
            .collect();
        return Err(reader.refuse(
            "is not in the file".into(),
            &format!("there are {}", names.join(", ")),
        ));
    };
    let mut axes = Vec::new();
    for input in correction["inputs"]
        .as_array()
        .map_or(&[][..], Vec::as_slice)
    {
        if let (Some(name), Some("real" | "int")) = (input["name"].as_str(), input["type"].as_str())
            && !select.with.contains_key(name)
        {
            axes.push(name.to_owned());
        }
    }
    let mut all = vec![(None, select.with.clone())];
    for (variation, other) in &select.variations {
        let mut with = select.with.clone();
        with.extend(other.clone());
        all.push((Some(variation.as_str()), with));
    }
    let root = &correction["data"];
    for (_, with) in &all {
        Reader {
            with,
            ..reader.clone_empty()
        }
        .collect(root, 0, &mut reader)?;
    }
    let mut table_axes = Vec::new();
    for name in axes {
        let Some(mut edges) = reader.edges.remove(&name) else {
            return Err(reader.refuse(
                format!("does not depend on its input `{name}`"),
                &format!("give it a value: `with = {{ {name} = .. }}`"),
            ));
        };
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        table_axes.push((name, edges));
    }
    let cells = table_axes
        .iter()
        .map(|(_, e)| e.len() - 1)
        .fold(1, usize::saturating_mul);
    if cells > MOST {
        return Err(reader.refuse(
            format!("has {cells} bins"),
            &format!("there are at most {MOST}"),
        ));
    }
    let outside = reader.outside.unwrap_or_default();
    let mut made: Option<Table> = None;
    for (variation, with) in &all {
        let here = Reader {
            with,
            outside: Some(outside),
            ..reader.clone_empty()
        };
        let mut values = Vec::with_capacity(cells);
        for k in 0..cells {
            let mut rest = k;
            let mut at = BTreeMap::new();
            for (name, edges) in table_axes.iter().rev() {
                let bin = rest % (edges.len() - 1);
                rest /= edges.len() - 1;
                at.insert(name.as_str(), 0.5 * edges[bin] + 0.5 * edges[bin + 1]);
            }
            values.push(here.value(root, &at)?);
        }
        made = Some(match (made, variation) {
            (None, _) => Table::new(values),
            (Some(table), Some(name)) => table.variation(*name, values),
            (Some(table), None) => table,
        });
    }
    let mut table = made.unwrap_or_else(|| Table::new([])).outside(outside);
    for (name, edges) in table_axes {
        table = table.axis(name, edges);
    }
    Ok(table)
}

/// The edges of an axis: a list, or a number of equal bins; infinite ones are as far as numbers go.
fn edges_of(value: &Value) -> Option<Vec<f64>> {
    if let Some(list) = value.as_array() {
        let number = |v: &Value| match v.as_str() {
            Some("inf" | "+inf" | "Infinity") => Some(f64::MAX),
            Some("-inf" | "-Infinity") => Some(f64::MIN),
            Some(_) => None,
            None => v.as_f64(),
        };
        let edges: Option<Vec<f64>> = list.iter().map(number).collect();
        return edges.filter(|e| e.len() > 1 && e.windows(2).all(|w| w[0] < w[1]));
    }
    let n = value["n"]
        .as_u64()
        .filter(|n| (1..=MOST as u64).contains(n))?;
    let (low, high) = (value["low"].as_f64()?, value["high"].as_f64()?);
    let edge = |k: u64| low + (high - low) * k as f64 / n as f64;
    (low < high).then(|| (0..n).map(edge).chain([high]).collect())
}

/// Inputs with their edges, and contents.
type Bins<'v> = (Vec<(&'v str, Vec<f64>)>, &'v [Value]);

/// A node of bins.
fn bins(node: &Value) -> Option<Bins<'_>> {
    let content = node["content"].as_array()?;
    let axes: Vec<(&str, Vec<f64>)> = match node["nodetype"].as_str()? {
        "binning" => vec![(node["input"].as_str()?, edges_of(&node["edges"])?)],
        "multibinning" => {
            let (inputs, edges) = (node["inputs"].as_array()?, node["edges"].as_array()?);
            let pairs = inputs.iter().zip(edges);
            let axes: Option<Vec<_>> = pairs
                .map(|(i, e)| Some((i.as_str()?, edges_of(e)?)))
                .collect();
            axes.filter(|a| a.len() == inputs.len() && !a.is_empty())?
        }
        _ => return None,
    };
    let cells = axes
        .iter()
        .map(|(_, e)| e.len() - 1)
        .fold(1, usize::saturating_mul);
    (cells == content.len()).then_some((axes, content))
}

impl Reader<'_> {
    /// One with nothing seen.
    fn clone_empty(&self) -> Self {
        Self {
            shown: self.shown.clone(),
            with: self.with,
            outside: None,
            edges: BTreeMap::new(),
        }
    }

    fn refuse(&self, message: String, help: &str) -> Error {
        Error::Table {
            table: self.shown.clone(),
            message,
            help: help.into(),
        }
    }

    fn kind(&self, node: &Value) -> Error {
        let kind = node["nodetype"].as_str().unwrap_or("of no kind");
        self.refuse(
            format!("has a node that is `{kind}`, or not well-formed"),
            "tables are made of `binning`, `multibinning` and `category`; formulas are written as columns",
        )
    }

    /// The content of a category for what is selected.
    fn chosen<'v>(&self, node: &'v Value) -> Result<&'v Value> {
        let input = node["input"].as_str().unwrap_or("");
        let list = node["content"].as_array().map_or(&[][..], Vec::as_slice);
        let key = |c: &Value| match &c["key"] {
            Value::String(s) => s.clone(),
            other => other.to_string(),
        };
        let keys = || list.iter().map(key).collect::<Vec<_>>().join(", ");
        let Some(wanted) = self.with.get(input) else {
            return Err(self.refuse(
                format!("depends on `{input}`, which is one of {}", keys()),
                &format!("say which: `with = {{ {input} = \"..\" }}`"),
            ));
        };
        if let Some(found) = list.iter().find(|c| key(c) == *wanted) {
            return Ok(&found["value"]);
        }
        match &node["default"] {
            Value::Null => Err(self.refuse(
                format!("has no `{wanted}` for `{input}`"),
                &format!("there are {}", keys()),
            )),
            default => Ok(default),
        }
    }

    /// Takes down edges and what is said outside of them.
    fn collect(&self, node: &Value, depth: usize, into: &mut Reader<'_>) -> Result<()> {
        if depth > DEEPEST {
            return Err(self.refuse("nests too deep".into(), ""));
        }
        if node.is_number() {
            return Ok(());
        }
        if node["nodetype"] == "category" {
            return self.collect(self.chosen(node)?, depth + 1, into);
        }
        let (axes, content) = bins(node).ok_or_else(|| self.kind(node))?;
        let outside = match (&node["flow"], node["flow"].as_f64()) {
            (_, Some(x)) => Outside::Value(x),
            (Value::String(s), _) if s == "clamp" => Outside::Clamp,
            (Value::String(s), _) if s == "error" => Outside::Error,
            _ => {
                return Err(self.refuse(
                    format!("says `{}` outside its bins", node["flow"]),
                    "known are \"clamp\", \"error\" and a number",
                ));
            }
        };
        if into.outside.is_some_and(|known| known != outside) {
            return Err(self.refuse(
                "says different things outside its bins".into(),
                "its nodes have one `flow`",
            ));
        }
        into.outside = Some(outside);
        for (input, edges) in axes {
            into.edges
                .entry(input.to_owned())
                .or_default()
                .extend(edges);
        }
        content
            .iter()
            .try_for_each(|c| self.collect(c, depth + 1, into))
    }

    /// The number of the tree at a point.
    fn value(&self, node: &Value, at: &BTreeMap<&str, f64>) -> Result<f64> {
        if let Some(x) = node.as_f64() {
            return Ok(x);
        }
        if node["nodetype"] == "category" {
            return self.value(self.chosen(node)?, at);
        }
        let (axes, content) = bins(node).ok_or_else(|| self.kind(node))?;
        let mut cell = 0;
        for (input, edges) in axes {
            let Some(x) = at.get(input) else {
                return Err(self.refuse(
                    format!("has bins of `{input}`, which is no input of numbers"),
                    "",
                ));
            };
            let bins = edges.len() - 1;
            let above = edges.iter().take_while(|e| *e <= x).count();
            let bin = match self.outside {
                _ if (1..=bins).contains(&above) => above - 1,
                Some(Outside::Error) => return Ok(f64::NAN),
                Some(Outside::Value(x)) => return Ok(x),
                _ if above == 0 => 0,
                _ => bins - 1,
            };
            cell = cell * bins + bin;
        }
        self.value(&content[cell], at)
    }
}
