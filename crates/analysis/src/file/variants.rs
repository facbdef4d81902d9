//! Variations whose events come from other files.

use super::document::{Entry, Table};
use super::model::position;
use super::read::{expression, generated};
use super::types::{AnalysisFile, Effect, Generated, Input, Systematic};
use crate::error::Result;

/// What a systematic says about files: `files`, or `up` and `down`.
pub(super) struct Sides<'a> {
    files: Option<Entry<'a>>,
    up: Option<Entry<'a>>,
    down: Option<Entry<'a>>,
}

impl<'a> Sides<'a> {
    pub fn of(table: &Table<'a>) -> Self {
        Self {
            files: table.get("files"),
            up: table.get("up"),
            down: table.get("down"),
        }
    }

    /// Whether it says anything.
    pub fn any(&self) -> bool {
        [&self.files, &self.up, &self.down]
            .into_iter()
            .any(Option::is_some)
    }

    /// The systematic; `chosen` are the processes that it names, all where it names none.
    pub fn systematic(
        &self,
        name: &str,
        entry: &Entry<'_>,
        chosen: &[String],
        one_sided: Option<&Entry<'_>>,
        file: &AnalysisFile,
    ) -> Result<Systematic> {
        let (up, down) = match (&self.files, &self.up, &self.down) {
            (Some(files), None, None) => (files, None),
            (None, Some(up), down) => (up, down.as_ref()),
            _ => {
                return Err(entry.refuse(
                    format!("`{}` has to say which side its files are", entry.key),
                    "write `files = { tt = \"tt_herwig.root\" }` for one variation, or `up = { .. }` and `down = { .. }`",
                ));
            }
        };
        if let (Some(_), Some(entry)) = (down, one_sided) {
            return Err(entry.refuse(
                "a variation with files upwards and downwards has two sides",
                "leave out `down`, or `one_sided`",
            ));
        }
        let one_sided = one_sided.map_or(Ok(false), Entry::flag)?;
        let upwards = variants(up, chosen, file)?;
        let downwards = down.map_or(Ok(Vec::new()), |down| variants(down, chosen, file))?;
        if let Some(down) = down {
            let has = |of: &[Input], name: &str| of.iter().any(|v| v.name == name);
            let up_alone = upwards.iter().find(|v| !has(&downwards, &v.name));
            let down_alone = downwards.iter().find(|v| !has(&upwards, &v.name));
            if let Some(alone) = up_alone.or(down_alone) {
                return Err(down.refuse(
                    format!("`{}` has files on one side alone", alone.name),
                    "name the same data sets under `up` and `down`, or leave out `down`",
                ));
            }
        }
        let mut processes: Vec<String> = upwards.iter().map(|v| v.process.clone()).collect();
        processes.sort_unstable();
        processes.dedup();
        Ok(Systematic {
            name: name.into(),
            processes,
            campaigns: Vec::new(),
            effect: Effect::Files {
                up: upwards,
                down: downwards,
                one_sided,
            },
            exact: None,
        })
    }
}

/// The data sets of one side.
fn variants(entry: &Entry<'_>, chosen: &[String], file: &AnalysisFile) -> Result<Vec<Input>> {
    let mut found = Vec::new();
    for (name, entry) in entry.table()?.entries() {
        let names = file.datasets.iter().map(|d| d.name.as_str());
        let nominal = &file.datasets[position(&entry, "data set", name, names)?];
        if nominal.observed {
            return Err(entry.refuse(
                format!("`{name}` has observed events, which have no variations"),
                "name a simulated data set",
            ));
        }
        if !chosen.contains(&nominal.process) {
            return Err(entry.refuse(
                format!(
                    "`{name}` belongs to `{}`, on which the systematic does not act",
                    nominal.process
                ),
                "leave out `processes`: they are those of the data sets",
            ));
        }
        found.push(variant(&entry, nominal)?);
    }
    if found.is_empty() {
        return Err(entry.refuse(
            "no data set is meant",
            "write `{ tt = \"tt_herwig.root\" }`: the name of a data set, and the files instead of its own",
        ));
    }
    Ok(found)
}

/// A data set with other files, and what it says of itself: all else is as of the nominal one.
fn variant(entry: &Entry<'_>, nominal: &Input) -> Result<Input> {
    let mut input = nominal.clone();
    input.place = entry.place();
    let (mut patterns, mut sum) = (None, None);
    if entry.is_table() {
        let table = entry.table()?;
        let (files, cross_section) = (table.get("files"), table.get("cross_section"));
        sum = table.get("generated");
        let weight = table.get("weight");
        table.finish()?;
        let what = "a pattern such as `\"data/*.root\"`, or several";
        patterns = Some(table.needed(files, "files", what)?);
        if let Some(weight) = weight {
            input.weight = Some(expression(&weight)?);
        }
        let scales = cross_section.as_ref().or(sum.as_ref());
        if let (Some(entry), None) = (scales, nominal.cross_section) {
            return Err(entry.refuse(
                format!(
                    "`{}` has no cross-section: its weights are taken as they are",
                    nominal.name
                ),
                "give the data set a `cross_section`, or scale the variation by its `weight`",
            ));
        }
        if let Some(entry) = &cross_section {
            input.cross_section = Some(entry.area(1)?);
        }
    }
    match sum {
        Some(entry) => input.generated = generated(&entry)?,
        None => {
            if let (Generated::Number(n), Some(_)) = (&input.generated, input.cross_section) {
                return Err(entry.refuse(
                    format!(
                        "the sum {n} of generated weights is that of the files of `{}`",
                        nominal.name
                    ),
                    "give these files their own: `{ files = \"..\", generated = .. }`",
                ));
            }
        }
    }
    let patterns = patterns.as_ref().unwrap_or(entry);
    let files = patterns.texts()?;
    input.files = files.iter().map(|p| patterns.path(p)).collect();
    Ok(input)
}
