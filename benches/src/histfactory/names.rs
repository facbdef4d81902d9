//! Parameters of a generated workspace.

use std::collections::HashMap;

use super::generate::Constraint;

/// A parameter: component `component` of the set `set`, as in pyhf.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Name of the modifier.
    pub set: String,
    /// Bin of a staterror or shapesys, else 0.
    pub component: usize,
    /// Its constraint term.
    pub constraint: Constraint,
}

impl Parameter {
    /// A parameter of one component.
    pub fn scalar(set: impl Into<String>, constraint: Constraint) -> Self {
        Self {
            set: set.into(),
            component: 0,
            constraint,
        }
    }
}

impl super::Generated {
    /// For each (set, component) the number of that parameter here.
    ///
    /// # Panics
    /// If there is no such parameter: the names are ours.
    pub fn order<'a>(&self, names: impl Iterator<Item = (&'a str, usize)>) -> Vec<usize> {
        let known: HashMap<(&str, usize), usize> = (self.parameters.iter().enumerate())
            .map(|(k, p)| ((p.set.as_str(), p.component), k))
            .collect();
        names.map(|name| known[&name]).collect()
    }
}
