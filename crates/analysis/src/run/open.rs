//! The events of data sets, opened.

use pullback_io::Dataset;

use super::identity::shared;
use super::plan::{Plan, Scope, Values};
use super::sweep::{RunOptions, Sums, Sweep, check, widened};
use super::tangent::Tangents;
use crate::draws::Drawn;
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, COLUMNS, Draws, Input};
use crate::place::Place;
use crate::schema::{Group, Schema};

impl AnalysisFile {
    /// The events of a data set, and what their columns are: those of the files, and draws.
    pub(crate) fn opened(
        &self,
        input: &Input,
        options: pullback_io::Options,
    ) -> Result<(Dataset, Schema)> {
        let patterns: Vec<String> = (input.files.iter())
            .map(|p| p.to_string_lossy().into_owned())
            .collect();
        let data = Dataset::with_options(&patterns, options)?;
        let plain = match &input.energy {
            Some(energy) => energy.schema(data.schema())?,
            None => Schema::of_table(data.schema()),
        };
        let mut schema = self.with_draws(plain, data.schema())?;
        for (link, to, place) in &input.links {
            let parts = link.split_once('.');
            if !parts.is_some_and(|(from, name)| schema.let_lead(from, name, to)) {
                return Err(not_linked(&schema, link, to, place));
            }
        }
        Ok((data, schema))
    }
}

/// A link or a collection that there is not.
fn not_linked(schema: &Schema, link: &str, to: &str, place: &Place) -> Error {
    let lists = schema.groups().iter().filter(|g| g.list);
    let lists: Vec<&str> = lists.map(|g| g.name.as_str()).collect();
    let of = |g: &Group| {
        let links = g.links().map(|(_, name)| format!("{}.{name}", g.name));
        links.collect::<Vec<_>>()
    };
    let links: Vec<String> = schema.groups().iter().flat_map(of).collect();
    let (what, name, known) = if links.iter().any(|l| l == link) {
        ("collection", to, lists)
    } else {
        ("link", link, links.iter().map(String::as_str).collect())
    };
    Error::Unknown {
        place: place.clone(),
        what: what.into(),
        name: name.into(),
        nearest: pullback_io::nearest(name, known.into_iter()),
        help: "write `\"AnalysisPhotons.Truth\" = \"TruthElectrons\"`: the link, and the collection that it leads to".into(),
    }
}

/// A data set and its programs.
pub(super) struct Opened<'a> {
    pub input: &'a Input,
    pub data: Dataset,
    pub schema: Schema,
    pub plan: Plan,
}

impl<'a> Opened<'a> {
    pub fn new(file: &AnalysisFile, input: &'a Input, options: &RunOptions) -> Result<Self> {
        let (data, schema) = file.opened(input, options.data)?;
        let plan = Plan::new(file, input, &schema, Scope::Everything)?;
        Ok(Self {
            input,
            data,
            schema,
            plan,
        })
    }

    /// Sums over all events; nothing if `tell`, which hears of events, says stop.
    pub fn sums(
        &self,
        file: &AnalysisFile,
        plots: &[usize],
        options: &RunOptions,
        tangents: &mut Tangents<'_>,
        tell: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Option<Sums>> {
        let mut names = self.plan.compiled.columns();
        let certified = file.certified_of(self.input);
        if let Some(certified) = certified {
            let known = |column: &str| {
                let mut fields = self.data.schema().fields().iter();
                fields.any(|f| f.name == column)
            };
            if let Some(column) = COLUMNS.into_iter().find(|c| !known(c)) {
                return Err(certified.missing(column, &self.input.name));
            }
            let more = COLUMNS.into_iter().filter(|c| !names.contains(c));
            names.extend(more.collect::<Vec<_>>());
        }
        let none = Values::new();
        let (mut seed, mut identity) = (0, Vec::new());
        if let Some(folds) = &file.folds {
            seed = folds.seed;
            let then = folds.identity(&self.input.name, self.data.entries())?;
            identity = match then {
                Some(columns) => columns,
                None => shared(file, self.input, options.data, true)?,
            };
            let more = identity.iter().filter(|c| !names.contains(c));
            names.extend(more.copied().collect::<Vec<_>>());
        }
        let draws = Draws::new(seed, &self.input.name, identity);
        let drawn = Drawn::new(file, self.input, self.data.schema(), &names)?;
        let mut sweep = Sweep::new(&self.plan, plots, options.threads);
        for chunk in self.data.chunks(&drawn.names())?.map(widened) {
            let chunk = drawn.add(chunk?)?;
            let read = chunk.entries as u64;
            let folds = match &file.folds {
                Some(folds) => folds.of(&draws, &chunk)?,
                None => vec![(chunk, &none)],
            };
            for (chunk, values) in folds {
                let chunk = match certified {
                    Some(certified) => certified.of(&chunk)?,
                    None => chunk,
                };
                sweep.add(&chunk, values)?;
                tangents.add(&chunk, values)?;
            }
            if !tell(read) {
                return Ok(None);
            }
        }
        let sums = sweep.finish();
        check(file, &self.plan, &sums, self.input)?;
        Ok(Some(sums))
    }
}
