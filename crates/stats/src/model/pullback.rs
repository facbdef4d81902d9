//! Cotangents of −2 ln L and of the expected rates, pulled back to templates and data.

use pullback_array::{Bindings, Builder, Column, Lowered, Program, Workspace as Memory, transform};

use super::layout::Layout;
use super::likelihood::Data;
use super::record::{Part, record, templates};
use crate::error::{Error, Result};
use crate::spec::ModelSpec;

/// Numbers by template slot, in the order of [`super::Model::template_gradient`].
pub type Slots = Vec<(&'static str, Vec<f64>)>;

/// The program of the likelihood with its templates as inputs, in reverse.
pub(crate) struct Pullback {
    lowered: Lowered,
    memory: Memory,
    slots: Slots,
}

/// Derivatives with respect to everything but the parameters.
pub(crate) struct Cotangents {
    pub slots: Slots,
    pub main: Vec<f64>,
    pub aux: Vec<f64>,
}

impl Pullback {
    pub fn new(spec: &ModelSpec) -> Result<Self> {
        let layout = Layout::new(spec, true);
        let slots = templates(spec, &layout);
        let likelihood = keep(&record(spec, &layout, Part::Full)?, &["twice_nll", "rate"])?;
        let mut wrt = vec!["observations"];
        if likelihood.find_input("auxdata").is_some() {
            wrt.push("auxdata");
        }
        wrt.extend(slots.iter().map(|(name, _)| *name));
        let program = transform::vjp(&likelihood, &["twice_nll", "rate"], &wrt)?;
        let wanted: Vec<String> = wrt.iter().map(|name| format!("ct_{name}")).collect();
        let lowered = Lowered::new(keep(&program, &wanted)?)?;
        let memory = lowered.workspace();
        Ok(Self {
            lowered,
            memory,
            slots,
        })
    }

    /// A number of a slot; NaN if there is none.
    pub fn number(&self, slot: &str, entry: usize) -> f64 {
        let values = self.slots.iter().find(|(name, _)| *name == slot);
        values.map_or(f64::NAN, |(_, v)| v.get(entry).copied().unwrap_or(f64::NAN))
    }

    /// Takes other numbers for some slots.
    pub fn replace(&mut self, slots: &Slots) {
        for (name, values) in slots {
            if let Some((_, held)) = self.slots.iter_mut().find(|(n, _)| n == name) {
                held.clone_from(values);
            }
        }
    }

    /// Takes the templates of a model of the same structure.
    pub fn refresh(&mut self, spec: &ModelSpec) {
        self.slots = templates(spec, &Layout::new(spec, true));
    }

    /// `by_value` · ∂(−2 ln L) + `by_rate`ᵀ ∂(rates) at given parameters and data.
    pub fn run(
        &mut self,
        parameters: &[f64],
        data: &Data,
        by_value: f64,
        by_rate: &[f64],
    ) -> Result<Cotangents> {
        let columns: Vec<Column<'_>> = self
            .lowered
            .program()
            .inputs()
            .iter()
            .map(|(name, _)| match &**name {
                "parameters" => Ok(Column::F64(parameters)),
                "observations" => Ok(Column::F64(&data.main)),
                "auxdata" => Ok(Column::F64(&data.aux)),
                "ct_twice_nll" => Ok(Column::from(&by_value)),
                "ct_rate" => Ok(Column::F64(by_rate)),
                slot => column(&self.slots, slot),
            })
            .collect::<Result<_>>()?;
        self.lowered
            .run(&mut self.memory, &Bindings::ordered(&columns))?;
        let mut out = Cotangents {
            slots: Vec::new(),
            main: Vec::new(),
            aux: Vec::new(),
        };
        let outputs = self.lowered.program().outputs();
        let values = |wanted: &str| {
            let place = outputs
                .iter()
                .position(|(name, _)| name.strip_prefix("ct_") == Some(wanted));
            place.map_or_else(Vec::new, |k| self.memory.f64(k).to_vec())
        };
        out.main = values("observations");
        out.aux = values("auxdata");
        out.slots = self
            .slots
            .iter()
            .map(|(name, _)| (*name, values(name)))
            .collect();
        Ok(out)
    }
}

/// The column of a slot.
pub(crate) fn column<'a>(slots: &'a Slots, name: &str) -> Result<Column<'a>> {
    let found = slots.iter().find(|(n, _)| *n == name);
    found.map(|(_, v)| Column::F64(v)).ok_or(Error::Size {
        what: "inputs of a program",
        found: 0,
        expected: 1,
    })
}

/// The program with these outputs only.
pub(crate) fn keep<S: AsRef<str>>(program: &Program, outputs: &[S]) -> Result<Program> {
    let kept = program
        .outputs()
        .iter()
        .filter(|(name, _)| outputs.iter().any(|o| o.as_ref() == &**name))
        .cloned()
        .collect();
    Ok(transform::prune(
        &Builder::resume(program).finish_ids(kept)?,
    )?)
}
