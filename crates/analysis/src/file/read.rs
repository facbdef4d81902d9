//! From the document to what it says.

use std::path::Path;

use pullback_array::Flow;

use super::document::{Document, Entry, Table};
use super::types::{
    AnalysisFile, Effect, FitModel, Generated, Input, Plot, Region, RegionKind, Systematic,
};
use crate::define::{Analysis, Object};
use crate::error::{Error, Result};
use crate::place::Source;
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
        let (document, toml) = Document::new(path, text)?;
        let root = Table::root(&document, &toml);
        root.know(&SECTIONS);
        root.finish()?;
        let general = root.get("analysis").map(|e| e.table()).transpose()?;
        let mut file = Self {
            title: path.into(),
            luminosity: None,
            blind: true,
            datasets: Vec::new(),
            regions: Vec::new(),
            histograms: Vec::new(),
            systematics: Vec::new(),
            fit: None,
            definitions: definitions(&root)?,
        };
        let mut weight = None;
        if let Some(table) = general {
            if let Some(title) = table.get("title") {
                title.text()?.clone_into(&mut file.title);
            }
            file.luminosity = table.get("luminosity").map(|e| e.area(-1)).transpose()?;
            weight = table.get("weight").map(|e| expression(&e)).transpose()?;
            file.blind = table.get("blind").map_or(Ok(true), |e| e.flag())?;
            table.finish()?;
        }
        for (name, entry) in section(&root, "datasets")? {
            let input = dataset(name, &entry, folder, weight.as_ref(), file.luminosity)?;
            file.datasets.push(input);
        }
        for (name, entry) in section(&root, "regions")? {
            file.regions.push(region(name, &entry)?);
        }
        for (name, entry) in section(&root, "histograms")? {
            let plot = histogram(name, &entry, &file.regions)?;
            file.histograms.push(plot);
        }
        for (name, entry) in section(&root, "systematics")? {
            let systematic = systematic(name, &entry, &file)?;
            file.systematics.push(systematic);
        }
        if let Some(entry) = root.get("fit") {
            file.fit = Some(fit(&entry, &file)?);
        }
        Ok(file)
    }
}

/// The tables of the document.
const SECTIONS: [&str; 9] = [
    "analysis",
    "datasets",
    "objects",
    "columns",
    "parameters",
    "regions",
    "histograms",
    "systematics",
    "fit",
];

/// The entries of a table of the document, none if it is missing.
fn section<'a>(root: &Table<'a>, name: &'static str) -> Result<Vec<(&'a str, Entry<'a>)>> {
    Ok(match root.get(name) {
        Some(entry) => entry.table()?.entries(),
        None => Vec::new(),
    })
}

/// An expression that is well-formed.
fn expression(entry: &Entry<'_>) -> Result<Source> {
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
    for (name, entry) in section(root, "parameters")? {
        analysis = analysis.parameter(name, expression(&entry)?);
    }
    Ok(analysis)
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

fn dataset(
    name: &str,
    entry: &Entry<'_>,
    folder: &Path,
    weight: Option<&Source>,
    luminosity: Option<f64>,
) -> Result<Input> {
    let table = entry.table()?;
    let (patterns, observed, process) = (
        table.get("files"),
        table.get("observed"),
        table.get("process"),
    );
    let process = process.map_or(Ok(name), |e| e.text())?.to_owned();
    let cross_section = table.get("cross_section");
    let own = table.get("weight");
    let generated = table.get("generated");
    table.finish()?;
    let patterns = match patterns {
        Some(patterns) => patterns,
        None => table.need("files", "a pattern such as `\"data/*.root\"`, or several")?,
    };
    let files: Vec<_> = patterns.texts()?.iter().map(|p| folder.join(p)).collect();
    let observed = observed.map_or(Ok(false), |e| e.flag())?;
    if observed {
        for entry in [&cross_section, &own, &generated].into_iter().flatten() {
            return Err(entry.refuse(
                "observed events have no weight",
                "leave it out, or leave out `observed`",
            ));
        }
    }
    if let (Some(entry), None) = (&cross_section, luminosity) {
        return Err(entry.refuse(
            "a cross-section needs a luminosity",
            "write `luminosity = \"140 /fb\"` under `[analysis]`",
        ));
    }
    if let (Some(entry), None) = (&generated, &cross_section) {
        return Err(entry.refuse(
            "the sum of generated weights is what a cross-section is divided by, and there is none",
            "give a `cross_section`, or leave it out",
        ));
    }
    let cross_section = cross_section.map(|e| e.area(1)).transpose()?;
    let generated = match generated {
        None => Generated::Events,
        Some(entry) => match entry.number() {
            Ok(n) if n > 0.0 && n.is_finite() => Generated::Number(n),
            Ok(n) => {
                return Err(entry.refuse(
                    format!("{n} is no sum of weights to divide by"),
                    "it has to be positive",
                ));
            }
            Err(_) => Generated::Sum(expression(&entry)?),
        },
    };
    let own = own.map(|e| expression(&e)).transpose()?;
    let place = table.place();
    Ok(Input {
        name: name.into(),
        process,
        files,
        observed,
        cross_section,
        generated,
        weight: if observed {
            None
        } else {
            own.or_else(|| weight.cloned())
        },
        place,
    })
}

fn region(name: &str, entry: &Entry<'_>) -> Result<Region> {
    let table = entry.table()?;
    let kind = match table.get("kind") {
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
    let cuts = table.need("cuts", "a list of conditions; all of them have to hold")?;
    let cuts = cuts.expressions()?;
    for cut in &cuts {
        parse(cut)?;
    }
    table.finish()?;
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
        flow,
        regions: chosen,
    })
}

fn uniform(n: usize, range: &Entry<'_>) -> Result<Vec<f64>> {
    const MOST: usize = 1 << 16;
    let ends = range.numbers()?;
    let &[low, high] = ends.as_slice() else {
        return Err(range.refuse("a range has two ends", "write `range = [0, 200]`"));
    };
    if !(low < high) || n > MOST {
        return Err(range.refuse(
            format!("{n} bins from {low} to {high} cannot be made"),
            format!("the upper end is larger, and there are at most {MOST} bins"),
        ));
    }
    let edge = |k: usize| low + (high - low) * k as f64 / n as f64;
    Ok((0..n).map(edge).chain([high]).collect())
}

/// Where a name is among others.
fn position<'a>(
    entry: &Entry<'_>,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Result<usize> {
    known
        .clone()
        .position(|k| k == name)
        .ok_or_else(|| Error::Unknown {
            place: entry.place(),
            what: what.into(),
            name: name.into(),
            nearest: pullback_io::nearest(name, known),
            help: String::new(),
        })
}

/// Processes by name or by patterns with `*`.
fn processes(entry: &Entry<'_>, file: &AnalysisFile) -> Result<Vec<String>> {
    let known = file.processes();
    let mut found = Vec::new();
    for pattern in entry.texts()? {
        if pattern.contains('*') {
            let matching = known.iter().filter(|p| matches(&pattern, p));
            found.extend(matching.map(|p| (*p).to_owned()));
        } else {
            position(entry, "process", &pattern, known.iter().copied())?;
            found.push(pattern);
        }
    }
    if found.is_empty() {
        return Err(entry.refuse(
            "no process is meant",
            format!("there are {}", known.join(", ")),
        ));
    }
    Ok(found)
}

/// Whether a name fits to a pattern in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut rest = rest;
    let mut last = "";
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        last = part;
    }
    last.is_empty() || name.ends_with(last)
}

fn systematic(name: &str, entry: &Entry<'_>, file: &AnalysisFile) -> Result<Systematic> {
    let table = entry.table()?;
    let acts_on = table.get("processes");
    let kinds = (
        table.get("norm"),
        table.get("weight"),
        table.get("parameter"),
    );
    let values = table.get("values");
    table.finish()?;
    let acts_on = match acts_on {
        Some(entry) => processes(&entry, file)?,
        None => file.processes().iter().map(|p| (*p).to_owned()).collect(),
    };
    let effect = match kinds {
        (Some(norm), None, None) => {
            let (down, up) = match norm.numbers()?.as_slice() {
                &[size] => (1.0 - size, 1.0 + size),
                &[down, up] => (1.0 + down, 1.0 + up),
                _ => {
                    return Err(norm.refuse(
                        "one or two numbers are expected",
                        "write `norm = 0.05`, or `norm = [-0.04, 0.06]`",
                    ));
                }
            };
            if !(down > 0.0 && up > 0.0) {
                return Err(norm.refuse(
                    format!("factors {down} and {up} are not positive"),
                    "they are relative: 0.05 is 5 %",
                ));
            }
            Effect::Norm { up, down }
        }
        (None, Some(weight), None) => {
            let mut factors = weight.expressions()?.into_iter();
            let (Some(up), down, None) = (factors.next(), factors.next(), factors.next()) else {
                return Err(weight.refuse(
                    "one or two factors are expected",
                    "the first one is upwards, the second one downwards",
                ));
            };
            for factor in std::iter::once(&up).chain(&down) {
                parse(factor)?;
            }
            Effect::Weight { up, down }
        }
        (None, None, Some(parameter)) => {
            let names = file.definitions.parameters();
            let name = parameter.text()?;
            position(&parameter, "parameter", name, names.iter().copied())?;
            let (down, up) = match values.as_ref().map(Entry::numbers).transpose()?.as_deref() {
                None => (-1.0, 1.0),
                Some(&[down, up]) => (down, up),
                Some(_) => {
                    return Err(entry.refuse(
                        "`values` are two numbers",
                        "the value downwards and the one upwards",
                    ));
                }
            };
            Effect::Parameter {
                name: name.into(),
                up,
                down,
            }
        }
        _ => {
            return Err(entry.refuse(
                format!("`{}` has to say what it does", entry.key),
                "give it one of `norm` (a relative change of yields), `weight` (factors of event weights) and `parameter` (a parameter that is moved)",
            ));
        }
    };
    if let (Some(values), true) = (values, !matches!(effect, Effect::Parameter { .. })) {
        return Err(values.refuse("only a parameter has values", "leave them out"));
    }
    Ok(Systematic {
        name: name.into(),
        processes: acts_on,
        effect,
    })
}

fn fit(entry: &Entry<'_>, file: &AnalysisFile) -> Result<FitModel> {
    let table = entry.table()?;
    let poi = table.get("poi").map_or(Ok("mu"), |e| e.text())?.to_owned();
    let maximum = table.get("maximum").map_or(Ok(10.0), |e| e.number())?;
    let signal = processes(
        &table.need(
            "signal",
            "the processes that the parameter of interest scales",
        )?,
        file,
    )?;
    let mut free = Vec::new();
    if let Some(entry) = table.get("free") {
        for (name, entry) in entry.table()?.entries() {
            free.push((name.to_owned(), processes(&entry, file)?));
        }
    }
    let wanted = table.need(
        "channels",
        "pairs of a region and a histogram: `{ SR = \"m_ll\" }`",
    )?;
    let mut channels = Vec::new();
    for (name, entry) in wanted.table()?.entries() {
        let region = position(
            &entry,
            "region",
            name,
            file.regions.iter().map(|r| r.name.as_str()),
        )?;
        let plots = file.histograms.iter().map(|h| h.name.as_str());
        let plot = position(&entry, "histogram", entry.text()?, plots)?;
        if !file.histograms[plot].regions.contains(&region) {
            return Err(entry.refuse(
                format!("`{}` is not filled in `{name}`", entry.text()?),
                "name the region in its `regions`",
            ));
        }
        channels.push((region, plot));
    }
    let mc_statistics = table.get("mc_statistics").map_or(Ok(true), |e| e.flag())?;
    table.finish()?;
    Ok(FitModel {
        poi,
        maximum,
        signal,
        free,
        channels,
        mc_statistics,
    })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("*", "zmm", true),
            ("z*", "zmm", true),
            ("*mm", "zmm", true),
            ("z*m", "zmm", true),
            ("z*x", "zmm", false),
            ("w*", "zmm", false),
            ("*a*b", "xaybxab", true),
            ("*a*b", "xayb!", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
