//! From the document to what it says.

use std::path::Path;

use pullback_array::Flow;

use super::campaigns::campaign;
use super::certified::Certified;
use super::document::{Entry, Table};
use super::draws::draw;
use super::energy::energy_unit;
use super::estimates::{all_abcd, estimate};
use super::include::Documents;
use super::model::{fit, position, systematic};
use super::optimisation::{Free, optimisation};
use super::tables::table;
use super::types::{AnalysisFile, Generated, Input, Plot, Region, RegionKind};
use crate::define::{Analysis, Object};
use crate::error::{Error, Result};
use crate::network::{Activation, Network, Weights};
use crate::place::{Place, Source};
use crate::syntax::parse;

impl AnalysisFile {
    /// Reads an analysis file.
    ///
    /// # Errors
    /// A file that cannot be read, and whatever [`AnalysisFile::from_text`] refuses.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| Error::Open {
            path: path.display().to_string(),
            message: e.to_string(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::from_text(&path.display().to_string(), &text, folder)
    }

    /// The analysis that a text describes; `path` names it in messages, files are looked for from `folder` on.
    ///
    /// # Errors
    /// No TOML, a key that is not known, a value of the wrong kind, names that lead nowhere: with their place. Expressions are parsed here, and checked
    /// when the columns of the data are known.
    ///
    /// # Example
    /// ```
    /// use pullback_analysis::file::AnalysisFile;
    /// let text = "[regions.SR]\ncuts = [\"MET.pt > 50 GeV\"]\n[regions.CR]\nkinds = \"control\"\n";
    /// let error = AnalysisFile::from_text("a.toml", text, "".as_ref()).unwrap_err();
    /// assert_eq!(error.to_string(), "there is no key `regions.CR.kinds`; did you mean `kind`? (a.toml, regions.CR, line 4, column 1)");
    /// ```
    pub fn from_text(path: &str, text: &str, folder: &Path) -> Result<Self> {
        let documents = Documents::read(path, text, folder)?;
        let root = Table::root(&documents);
        root.know(&SECTIONS);
        root.finish()?;
        let general = root.get("analysis").map(|e| e.table()).transpose()?;
        let mut file = Self::new(path, definitions(&root)?);
        parameters(&root, &mut file)?;
        let mut weight = None;
        if let Some(table) = general {
            if let Some(title) = table.get("title") {
                title.text()?.clone_into(&mut file.title);
            }
            file.luminosity = table.get("luminosity").map(|e| e.area(-1)).transpose()?;
            weight = table.get("weight").map(|e| expression(&e)).transpose()?;
            if let Some(entry) = table.get("certified") {
                file.certified = Some(Certified::read(entry.path(entry.text()?))?);
            }
            file.blind = table.get("blind").map_or(Ok(true), |e| e.flag())?;
            if let Some(seed) = table.get("seed") {
                file.seed = seed.count(0)? as u64;
            }
            table.finish()?;
        }
        for (name, entry) in section(&root, "draws")? {
            file.draws.push(draw(name, &entry)?);
        }
        let defaults = root.get("defaults").map(|e| e.table()).transpose()?;
        let default = |name| defaults.as_ref().and_then(|d| d.get(name));
        let (of_datasets, of_systematics) = (default("datasets"), default("systematics"));
        if let Some(table) = &defaults {
            table.finish()?;
        }
        for (name, entry) in section(&root, "campaigns")? {
            file.campaigns.push(campaign(name, &entry)?);
        }
        for (name, mut entry) in section(&root, "datasets")? {
            // Observed events have none of what simulated ones share, but the unit of energies.
            let energy = of_datasets.as_ref().map(Entry::table).transpose()?;
            let energy = energy.and_then(|table| table.get("energy"));
            if let Some(defaults) = of_datasets.as_ref().filter(|_| !is_observed(&entry)) {
                entry = entry.or(defaults);
            }
            let mut input = dataset(name, &entry, weight.as_ref(), &file)?;
            if let (None, Some(entry)) = (&input.energy, energy) {
                input.energy = Some(energy_unit(&entry)?);
            }
            file.datasets.push(input);
        }
        for (name, entry) in section(&root, "regions")? {
            file.regions.push(region(name, &entry)?);
        }
        for (name, entry) in section(&root, "histograms")? {
            let plot = histogram(name, &entry, &file.regions)?;
            file.histograms.push(plot);
        }
        for (name, entry) in section(&root, "estimates")? {
            let found = estimate(name, &entry, &file)?;
            file.estimates.push(found);
        }
        all_abcd(&root, &mut file)?;
        for (name, entry) in section(&root, "systematics")? {
            let found = systematic(name, entry, of_systematics.as_ref(), &file)?;
            file.systematics.extend(found);
        }
        if let Some(entry) = root.get("fit") {
            file.fit = Some(fit(&entry, &file)?);
        }
        if let Some(entry) = root.get("optimize") {
            let found = optimisation(&entry, &file)?;
            for free in &found.free {
                if let Free::Edges { plot, .. } = free {
                    file.histograms[*plot].movable = true;
                }
            }
            file.optimisation = Some(found);
        }
        Ok(file)
    }
}

/// The tables of the document.
const SECTIONS: [&str; 17] = [
    "include",
    "defaults",
    "analysis",
    "campaigns",
    "datasets",
    "draws",
    "objects",
    "columns",
    "parameters",
    "tables",
    "networks",
    "regions",
    "histograms",
    "estimates",
    "systematics",
    "fit",
    "optimize",
];

/// The entries of a table of the document, none if it is missing.
fn section<'a>(root: &Table<'a>, name: &'static str) -> Result<Vec<(&'a str, Entry<'a>)>> {
    Ok(match root.get(name) {
        Some(entry) => entry.table()?.entries(),
        None => Vec::new(),
    })
}

/// An expression that is well-formed.
pub(super) fn expression(entry: &Entry<'_>) -> Result<Source> {
    let source = entry.expression()?;
    parse(&source)?;
    Ok(source)
}

fn definitions(root: &Table<'_>) -> Result<Analysis> {
    let mut analysis = Analysis::new();
    for (name, entry) in section(root, "objects")? {
        analysis = analysis.object(name, object(&entry)?);
    }
    for (name, entry) in section(root, "columns")? {
        analysis = analysis.column(name, expression(&entry)?);
    }
    for (name, entry) in section(root, "tables")? {
        analysis = analysis.table(name, table(name, &entry)?);
    }
    for (name, entry) in section(root, "networks")? {
        analysis = analysis.network(name, network(&entry)?);
    }
    Ok(analysis)
}

/// Parameters: a start, or a start and the range in which an optimisation may move them.
fn parameters(root: &Table<'_>, file: &mut AnalysisFile) -> Result<()> {
    for (name, entry) in section(root, "parameters")? {
        let mut start = None;
        if entry.is_table() {
            let table = entry.table()?;
            let (given, range) = (table.get("start"), table.get("range"));
            table.finish()?;
            let what = "its value without an optimisation";
            let given = table.needed(given, "start", what)?;
            if let Some(entry) = range {
                let range = range_of(&entry)?;
                let value = given.number()?;
                if !(range[0] < value && value < range[1]) {
                    return Err(given.refuse(
                        format!("the start of `{name}` is not inside its range"),
                        "an optimisation begins at the start, and never reaches the ends of the range",
                    ));
                }
                file.ranges.push((name.to_owned(), value, range));
            }
            start = Some(expression(&given)?);
        }
        let start = start.map_or_else(|| expression(&entry), Ok)?;
        file.definitions = std::mem::take(&mut file.definitions).parameter(name, start);
    }
    Ok(())
}

/// Two rising ends.
fn range_of(entry: &Entry<'_>) -> Result<[f64; 2]> {
    match *entry.numbers()? {
        [low, high] if low < high => Ok([low, high]),
        _ => Err(entry.refuse(
            "a range has two ends, the upper one is larger",
            "write `range = [0, 200]`",
        )),
    }
}

fn object(entry: &Entry<'_>) -> Result<Object> {
    if !entry.is_table() {
        return Ok(Object::from(expression(entry)?));
    }
    let table = entry.table()?;
    let parts = (table.get("from"), table.get("combine"), table.get("union"));
    let (filter, sort, fields) = (table.get("where"), table.get("sort"), table.get("fields"));
    table.finish()?;
    let mut object = match parts {
        (Some(from), None, None) => Object::from(expression(&from)?),
        (None, Some(members), None) => Object::combine(members.expression()?),
        (None, None, Some(members)) => Object::union(members.expression()?),
        _ => {
            return Err(entry.refuse(
                format!("`{}` has to say where its objects come from", entry.key),
                "give it one of `from` (a collection), `combine` (`\"mu as a, mu as b\"`) and `union` (`\"Electron, Muon\"`)",
            ));
        }
    };
    if let Some(fields) = fields {
        for (name, value) in fields.table()?.entries() {
            object = object.field(name, expression(&value)?);
        }
    }
    if let Some(condition) = filter {
        object = object.filter(expression(&condition)?);
    }
    if let Some(key) = sort {
        object = object.sort(expression(&key)?);
    }
    Ok(object)
}

fn network(entry: &Entry<'_>) -> Result<Network> {
    let table = entry.table()?;
    let (inputs, hidden) = (table.get("inputs"), table.get("hidden"));
    let (activation, seed) = (table.get("activation"), table.get("seed"));
    let weights = table.get("weights");
    table.finish()?;
    let what = "a list of expressions, numbers per event";
    let inputs = table.needed(inputs, "inputs", what)?.expressions()?;
    for input in &inputs {
        parse(input)?;
    }
    let what = "the sizes of its hidden layers: `[32, 16]`";
    let hidden = table.needed(hidden, "hidden", what)?.counts(1)?;
    let mut network = Network::new(inputs, hidden);
    if let Some(entry) = activation {
        let name = entry.text()?;
        let found = Activation::named(name).ok_or_else(|| Error::Unknown {
            place: entry.place(),
            what: "activation".into(),
            name: name.into(),
            nearest: pullback_io::nearest(name, Activation::ALL.iter().map(|a| a.name())),
            help: format!(
                "known are {}",
                Activation::ALL.map(Activation::name).join(", ")
            ),
        });
        network = network.activation(found?);
    }
    if let Some(seed) = seed {
        network = network.seed(seed.count(0)? as u64);
    }
    match weights {
        Some(entry) => Ok(network.weights(Weights::read(entry.path(entry.text()?))?)),
        None => Ok(network),
    }
}

/// Whether a data set says of itself that it is observed.
fn is_observed(entry: &Entry<'_>) -> bool {
    let observed = entry.table().ok().and_then(|t| t.get("observed"));
    observed.is_some_and(|e| e.flag().unwrap_or(false))
}

fn dataset(
    name: &str,
    entry: &Entry<'_>,
    weight: Option<&Source>,
    file: &AnalysisFile,
) -> Result<Input> {
    let table = entry.table()?;
    let (patterns, observed, process) = (
        table.get("files"),
        table.get("observed"),
        table.get("process"),
    );
    let process = process.map_or(Ok(name), |e| e.text())?.to_owned();
    let of = table.get("campaign");
    let cross_section = table.get("cross_section");
    let own = table.get("weight");
    let sum = table.get("generated");
    let (energy, links) = (table.get("energy"), table.get("links"));
    table.finish()?;
    let what = "a pattern such as `\"data/*.root\"`, or several";
    let patterns = table.needed(patterns, "files", what)?;
    let files: Vec<_> = patterns.texts()?.iter().map(|p| patterns.path(p)).collect();
    let observed = observed.map_or(Ok(false), |e| e.flag())?;
    if observed {
        let mut weights = [&cross_section, &own, &sum].into_iter().flatten();
        if let Some(entry) = weights.next() {
            return Err(entry.refuse(
                "observed events have no weight",
                "leave it out, or leave out `observed`",
            ));
        }
    }
    let mut campaign = None;
    if let Some(entry) = of {
        let names = file.campaigns.iter().map(|c| c.name.as_str());
        campaign = Some(&file.campaigns[position(&entry, "campaign", entry.text()?, names)?]);
    }
    let masked = file.campaigns.iter().any(|c| c.certified.is_some());
    if observed && campaign.is_none() && file.certified.is_none() && masked {
        return Err(entry.refuse(
            format!(
                "`{name}` has no campaign, and only campaigns say which sections are certified"
            ),
            "write the `campaign` whose data these are",
        ));
    }
    if let (Some(entry), None, None) = (&cross_section, campaign, file.luminosity) {
        return Err(entry.refuse(
            "a cross-section needs a luminosity",
            "write `luminosity = \"140 /fb\"` under `[analysis]`, or `campaign = \"2018\"` with `[campaigns.2018]`",
        ));
    }
    let weight = campaign.and_then(|c| c.weight.as_ref()).or(weight);
    if let (Some(entry), None) = (&sum, &cross_section) {
        return Err(entry.refuse(
            "the sum of generated weights is what a cross-section is divided by, and there is none",
            "give a `cross_section`, or leave it out",
        ));
    }
    let cross_section = cross_section.map(|e| e.area(1)).transpose()?;
    let generated = sum.map_or(Ok(Generated::Events), |entry| generated(&entry))?;
    let own = own.map(|e| expression(&e)).transpose()?;
    let place = table.place();
    Ok(Input {
        name: name.into(),
        process,
        campaign: campaign.map(|c| c.name.clone()),
        files,
        observed,
        cross_section,
        generated,
        weight: if observed {
            None
        } else {
            own.or_else(|| weight.cloned())
        },
        energy: energy.map(|e| energy_unit(&e)).transpose()?,
        links: links.map_or(Ok(Vec::new()), |e| links_of(&e))?,
        place,
    })
}

/// Links and where they lead.
fn links_of(entry: &Entry<'_>) -> Result<Vec<(String, String, Place)>> {
    let each = entry.table()?.entries().into_iter();
    each.map(|(link, to)| Ok((link.to_owned(), to.text()?.to_owned(), to.place())))
        .collect()
}

/// What generated weights add up to.
pub(super) fn generated(entry: &Entry<'_>) -> Result<Generated> {
    match entry.number() {
        Ok(n) if n > 0.0 && n.is_finite() => Ok(Generated::Number(n)),
        Ok(n) => Err(entry.refuse(
            format!("{n} is no sum of weights to divide by"),
            "it has to be positive",
        )),
        Err(_) => Ok(Generated::Sum(expression(entry)?)),
    }
}

fn region(name: &str, entry: &Entry<'_>) -> Result<Region> {
    let table = entry.table()?;
    let (kind, cuts) = (table.get("kind"), table.get("cuts"));
    table.finish()?;
    let kind = match kind {
        None => RegionKind::Signal,
        Some(kind) => match kind.text()? {
            "signal" => RegionKind::Signal,
            "control" => RegionKind::Control,
            "validation" => RegionKind::Validation,
            other => {
                return Err(kind.refuse(
                    format!("there is no kind of region `{other}`"),
                    "it is one of `signal` (the default), `control` and `validation`",
                ));
            }
        },
    };
    let cuts = table.needed(
        cuts,
        "cuts",
        "a list of conditions; all of them have to hold",
    )?;
    let cuts = cuts.expressions()?;
    for cut in &cuts {
        parse(cut)?;
    }
    Ok(Region {
        name: name.into(),
        kind,
        cuts,
    })
}

fn histogram(name: &str, entry: &Entry<'_>, regions: &[Region]) -> Result<Plot> {
    let table = entry.table()?;
    let of = table.get("of");
    // A histogram is of the column of its name.
    let own = || Ok(Source::new(format!("{}.of", entry.key), name));
    let of = of.map_or_else(own, |e| expression(&e))?;
    let label = table.get("label");
    let label = label.map_or(Ok(name), |e| e.text())?.to_owned();
    let (bins, range, edges) = (table.get("bins"), table.get("range"), table.get("edges"));
    let (outside, chosen) = (table.get("outside"), table.get("regions"));
    table.finish()?;
    let edges = match (bins, range, edges) {
        (None, None, Some(entry)) => {
            let edges = entry.numbers()?;
            if edges.len() < 2 || !edges.windows(2).all(|w| w[0] < w[1]) {
                return Err(
                    entry.refuse("edges have to rise", "give at least two, the lowest first")
                );
            }
            edges
        }
        (Some(bins), Some(range), None) => uniform(bins.count(1)?, &range)?,
        _ => {
            return Err(entry.refuse(
                format!("`{}` has no bins", entry.key),
                "give it `bins` and `range`, or `edges`",
            ));
        }
    };
    let flow = match outside {
        None => Flow::Drop,
        Some(entry) => match entry.text()? {
            "drop" => Flow::Drop,
            "clamp" => Flow::Clamp,
            other => {
                return Err(entry.refuse(
                    format!("there is no policy `{other}`"),
                    "values outside are left out (`drop`, the default) or put into the first or last bin (`clamp`)",
                ));
            }
        },
    };
    let chosen = match chosen {
        None => (0..regions.len()).collect(),
        Some(entry) => {
            let names = entry.texts()?;
            names
                .iter()
                .map(|n| position(&entry, "region", n, regions.iter().map(|r| r.name.as_str())))
                .collect::<Result<_>>()?
        }
    };
    Ok(Plot {
        name: name.into(),
        label,
        of,
        edges,
        movable: false,
        flow,
        regions: chosen,
    })
}

fn uniform(n: usize, range: &Entry<'_>) -> Result<Vec<f64>> {
    const MOST: usize = 1 << 16;
    let [low, high] = range_of(range)?;
    if n > MOST {
        return Err(range.refuse(
            format!("{n} bins from {low} to {high} cannot be made"),
            format!("there are at most {MOST}"),
        ));
    }
    let edge = |k: usize| low + (high - low) * k as f64 / n as f64;
    Ok((0..n).map(edge).chain([high]).collect())
}
