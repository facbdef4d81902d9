//! In what unit the energies of a data set are.

use super::document::Entry;
use super::model::matches;
use super::types::EnergyUnit;
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::units::{Dimension, Unit};

/// `"MeV"`, or `{ unit = "MeV", columns = ["lep_iso*"] }`.
pub(super) fn energy_unit(entry: &Entry<'_>) -> Result<EnergyUnit> {
    let mut columns = Vec::new();
    let mut given = None;
    if entry.is_table() {
        let table = entry.table()?;
        let (unit, names) = (table.get("unit"), table.get("columns"));
        table.finish()?;
        given = Some(table.needed(unit, "unit", "a unit of energy: `\"MeV\"`")?);
        columns = names.map_or(Ok(Vec::new()), |e| e.texts())?;
    }
    let given = given.as_ref().unwrap_or(entry);
    let name = given.text()?;
    let energies: Vec<Unit> = Unit::all()
        .filter(|u| u.dimension() == Dimension::ENERGY)
        .collect();
    let names = energies.iter().map(|u| u.name());
    let unit = energies.iter().find(|u| u.name() == name).copied();
    let unit = unit.ok_or_else(|| Error::Unknown {
        place: given.place(),
        what: "unit of energy".into(),
        name: name.into(),
        nearest: pullback_io::nearest(name, names.clone()),
        help: format!("known are {}", names.collect::<Vec<_>>().join(", ")),
    })?;
    Ok(EnergyUnit {
        unit,
        columns,
        place: entry.place(),
    })
}

impl EnergyUnit {
    /// The schema of a table with this unit.
    ///
    /// # Errors
    /// A column that the table does not have.
    pub(crate) fn schema(&self, table: &pullback_io::Schema) -> Result<Schema> {
        for pattern in &self.columns {
            let mut fields = table.fields().iter().map(|f| f.name.as_str());
            if !fields.any(|name| matches(pattern, name)) {
                let names = table.fields().iter().map(|f| f.name.as_str());
                return Err(Error::Unknown {
                    place: self.place.clone(),
                    what: "column".into(),
                    name: pattern.clone(),
                    nearest: pullback_io::nearest(pattern, names),
                    help: "columns are named as in the file, or by patterns with `*`".into(),
                });
            }
        }
        let named = |name: &str| self.columns.iter().any(|pattern| matches(pattern, name));
        Ok(Schema::with_energies(table, self.unit, named))
    }
}
