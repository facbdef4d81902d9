//! Systematic variations and what is fitted.

use super::campaigns::Reach;
use super::document::Entry;
use super::types::{AnalysisFile, Combine, Effect, Evaluated, FitModel, Prune, Systematic};
use super::variants::Sides;
use crate::error::{Error, Result};
use crate::place::Source;
use crate::syntax::parse;

/// Where a name is among others.
pub(super) fn position<'a>(
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

/// Processes by name, or simulated ones by patterns with `*`.
fn processes(entry: &Entry<'_>, file: &AnalysisFile) -> Result<Vec<String>> {
    let simulated = file.simulated();
    chosen(entry, "process", &file.processes(), &simulated)
}

/// Names of things that there are, by name or by patterns with `*`, which stand for those of `wild`.
pub(super) fn chosen(
    entry: &Entry<'_>,
    what: &str,
    known: &[&str],
    wild: &[&str],
) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for pattern in entry.texts()? {
        if pattern.contains('*') {
            let matching = wild.iter().filter(|p| matches(&pattern, p));
            found.extend(matching.map(|p| (*p).to_owned()));
        } else {
            position(entry, what, &pattern, known.iter().copied())?;
            found.push(pattern);
        }
    }
    if found.is_empty() {
        return Err(entry.refuse(
            format!("no {what} is meant"),
            format!("there are {}", known.join(", ")),
        ));
    }
    Ok(found)
}

/// Whether a name fits to a pattern in which `*` stands for anything.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    if !pattern.contains('*') {
        return pattern == name;
    }
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

/// A systematic, or one for each campaign. What it does not say is said by the defaults.
pub(super) fn systematic(
    name: &str,
    own: Entry<'_>,
    defaults: Option<&Entry<'_>>,
    file: &AnalysisFile,
) -> Result<Vec<Systematic>> {
    let split_by_itself = own.table()?.get("correlated").is_some();
    let entry = &match defaults {
        Some(defaults) => own.or(defaults),
        None => own,
    };
    let table = entry.table()?;
    let acts_on = table.get("processes");
    let kinds = (
        table.get("norm"),
        table.get("weight"),
        table.get("parameter"),
    );
    let files = Sides::of(&table);
    let reach = Reach::of(&table, split_by_itself);
    let values = table.get("values");
    let (vector, which) = (table.get("vector"), table.get("members"));
    let combine = table.get("combine");
    let (one_sided, exact) = (table.get("one_sided"), table.get("exact"));
    let method = table.get("method");
    table.finish()?;
    if let (Some(entry), None) = (which.as_ref().or(combine.as_ref()), &vector) {
        return Err(entry.refuse(
            "members are those of a `vector` of weights",
            "write `vector = \"LHEPdfWeight\"`, or leave it out",
        ));
    }
    let acts_on = match acts_on {
        Some(entry) => processes(&entry, file)?,
        None => file.simulated().iter().map(|p| (*p).to_owned()).collect(),
    };
    if files.any() {
        let others = [&kinds.0, &kinds.1, &kinds.2, &vector, &values];
        if let Some(other) = others.into_iter().flatten().next() {
            return Err(other.refuse(
                "a systematic of other files does nothing else",
                "leave this out, or give it a name of its own",
            ));
        }
        let found = files.systematic(name, entry, &acts_on, one_sided.as_ref(), file)?;
        return reach.split(entry, found, file);
    }
    let mut campaigns = Vec::new();
    let effect = match (kinds, vector) {
        ((None, None, None), Some(vector)) => members(entry, &vector, which, combine)?,
        ((Some(norm), None, None), None) if norm.is_table() => {
            let names = file.campaigns.iter().map(|c| c.name.as_str());
            let mut factors = Vec::new();
            for (name, entry) in norm.table()?.entries() {
                position(&entry, "campaign", name, names.clone())?;
                factors.push((name.to_owned(), factors_of(&entry)?));
            }
            campaigns = factors.iter().map(|(name, _)| name.clone()).collect();
            Effect::Norms { factors }
        }
        ((Some(norm), None, None), None) => {
            let [down, up] = factors_of(&norm)?;
            Effect::Norm { up, down }
        }
        ((None, Some(weight), None), None) => {
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
            let nominal = match &one_sided {
                Some(entry) if entry.flag()? => Some(Source::new(weight.key.as_str(), "1")),
                _ => None,
            };
            if let (Some(_), Some(_), Some(entry)) = (&down, &nominal, &one_sided) {
                return Err(entry.refuse(
                    "a variation with two factors has two sides",
                    "leave out the second factor, or `one_sided`",
                ));
            }
            let down = down.or(nominal);
            Effect::Weight { up, down }
        }
        ((None, None, Some(parameter)), None) => {
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
            let evaluated = method.as_ref().map(evaluated).transpose()?;
            Effect::Parameter {
                name: name.into(),
                up,
                down,
                evaluated: evaluated.unwrap_or_default(),
            }
        }
        _ => {
            return Err(entry.refuse(
                format!("`{}` has to say what it does", entry.key),
                "give it one of `norm` (a relative change of yields), `weight` (factors of event weights), `vector` (members of a vector of factors), `parameter` (a parameter that is moved) and `files` (other events)",
            ));
        }
    };
    if let (Some(entry), false) = (&one_sided, matches!(effect, Effect::Weight { .. })) {
        return Err(entry.refuse(
            "only a weight of one factor, or files of one side, are one-sided by a word",
            "write the side that is nominal: `norm = [0, 0.1]`, `values = [0, 1]`",
        ));
    }
    if let (Some(method), true) = (method, !matches!(effect, Effect::Parameter { .. })) {
        return Err(method.refuse("only a parameter has a method", "leave it out"));
    }
    if let (Some(values), true) = (values, !matches!(effect, Effect::Parameter { .. })) {
        return Err(values.refuse("only a parameter has values", "leave them out"));
    }
    let norm = matches!(effect, Effect::Norm { .. });
    let fitted = |p: &&String| file.abcd.iter().any(|e| e.name == **p);
    if let (Some(process), false) = (acts_on.iter().find(fitted), norm) {
        return Err(entry.refuse(
            format!("`{process}` has no events that could be varied"),
            "an ABCD estimate has `norm` uncertainties alone; they are those of A",
        ));
    }
    let exact = exact.filter(|e| e.flag() != Ok(false));
    if let Some(entry) = &exact
        && entry.flag()?
        && !matches!(effect, Effect::Parameter { .. })
    {
        return Err(entry.refuse(
            "only a parameter by which weights change can be exact",
            "write the weight of the data sets as an expression of a parameter, and `parameter = ..` here",
        ));
    }
    let found = Systematic {
        name: name.into(),
        processes: acts_on,
        campaigns,
        effect,
        exact: exact.map(|e| e.place()),
    };
    reach.split(entry, found, file)
}

/// The factors downwards and upwards of relative changes.
fn factors_of(norm: &Entry<'_>) -> Result<[f64; 2]> {
    let (down, up) = match norm.numbers()?.as_slice() {
        [size] => (1.0 - size, 1.0 + size),
        [down, up] => (1.0 + down, 1.0 + up),
        _ => {
            return Err(norm.refuse(
                "one or two numbers are expected",
                "write `norm = 0.05`, or `norm = [-0.04, 0.06]`",
            ));
        }
    };
    if down > 0.0 && up > 0.0 {
        return Ok([down, up]);
    }
    Err(norm.refuse(
        format!("factors {down} and {up} are not positive"),
        "they are relative: 0.05 is 5 %",
    ))
}

fn evaluated(entry: &Entry<'_>) -> Result<Evaluated> {
    match entry.text()? {
        "rerun" => Ok(Evaluated::Again),
        "tangent" => Ok(Evaluated::Tangent),
        other => Err(entry.refuse(
            format!("there is no method `{other}`"),
            "`rerun` evaluates the selection again at both values, `tangent` follows the derivative at nominal",
        )),
    }
}

/// Members of a vector of weights: which ones, and what is made of them.
fn members(
    entry: &Entry<'_>,
    vector: &Entry<'_>,
    chosen: Option<Entry<'_>>,
    combine: Option<Entry<'_>>,
) -> Result<Effect> {
    const MOST: usize = 4096;
    let source = vector.expression()?;
    parse(&source)?;
    let missing = |what: &str, help: &str| {
        let message = format!("`{}` has no `{what}`", entry.key);
        Err(entry.refuse(message, help))
    };
    let Some(chosen) = chosen else {
        return missing(
            "members",
            "positions in the vector: `[0, 1, 3]`, or `{ from = 1, to = 100 }`",
        );
    };
    let members: Vec<usize> = if chosen.is_table() {
        let table = chosen.table()?;
        let (from, to) = (table.get("from"), table.get("to"));
        table.finish()?;
        let from = table.needed(from, "from", "the first position")?.count(0)?;
        let to = table.needed(to, "to", "the last position, which is one of them")?;
        (from..=to.count(0)?.min(from.saturating_add(MOST))).collect()
    } else {
        chosen.counts(0)?
    };
    let twice = (members.iter().enumerate()).any(|(k, m)| members[..k].contains(m));
    if members.is_empty() || members.len() > MOST || twice {
        return Err(chosen.refuse(
            format!("{} members, or one of them twice", members.len()),
            format!("there is at least one, at most {MOST}, each once"),
        ));
    }
    let Some(combine) = combine else {
        return missing("combine", "one of `envelope`, `rms` and `hessian`");
    };
    let combine_as = match combine.text()? {
        "envelope" => Combine::Envelope,
        "rms" if members.len() > 1 => Combine::Rms,
        "rms" => return Err(combine.refuse("one replica has no spread", "name more `members`")),
        "hessian" => Combine::Hessian,
        other => {
            return Err(combine.refuse(
                format!("there is no combination `{other}`"),
                "members are combined by `envelope` (scales), `rms` (replicas) or `hessian` (symmetric Hessian sets)",
            ));
        }
    };
    Ok(Effect::Members {
        vector: source,
        members,
        combine: combine_as,
    })
}

pub(super) fn fit(entry: &Entry<'_>, file: &AnalysisFile) -> Result<FitModel> {
    let table = entry.table()?;
    let (poi, maximum) = (table.get("poi"), table.get("maximum"));
    let (signal, free) = (table.get("signal"), table.get("free"));
    let (wanted, mc_statistics) = (table.get("channels"), table.get("mc_statistics"));
    let (pruned, smooth) = (table.get("prune"), table.get("smooth"));
    table.know(&["abcd"]);
    table.finish()?;
    let what = "the processes that the parameter of interest scales";
    let entry = table.needed(signal, "signal", what)?;
    let signal = processes(&entry, file)?;
    file.check_scaled(&signal, true, || entry.place())?;
    let mut factors = Vec::new();
    if let Some(free) = free {
        for (name, entry) in free.table()?.entries() {
            let scaled = processes(&entry, file)?;
            file.check_scaled(&scaled, false, || entry.place())?;
            factors.push((name.to_owned(), scaled));
        }
    }
    let what = "pairs of a region and a histogram: `{ SR = \"m_ll\" }`";
    let wanted = table.needed(wanted, "channels", what)?;
    let mut channels = Vec::new();
    for (name, entry) in wanted.table()?.entries() {
        channels.push(channel(name, &entry, file)?);
    }
    file.check_abcd(&channels)?;
    Ok(FitModel {
        poi: poi.map_or(Ok("mu"), |e| e.text())?.to_owned(),
        maximum: maximum.map_or(Ok(10.0), |e| e.number())?,
        signal,
        free: factors,
        channels,
        mc_statistics: mc_statistics.map_or(Ok(true), |e| e.flag())?,
        prune: pruned.map_or(Ok(Prune::default()), |e| prune(&e))?,
        smooth: smooth.map_or(Ok(Vec::new()), |e| smoothed(&e, file))?,
    })
}

fn prune(entry: &Entry<'_>) -> Result<Prune> {
    let table = entry.table()?;
    let (norm, shape) = (table.get("norm"), table.get("shape"));
    table.finish()?;
    let size = |entry: Option<Entry<'_>>| -> Result<f64> {
        let Some(entry) = entry else { return Ok(0.0) };
        let size = entry.number()?;
        if (0.0..1.0).contains(&size) {
            return Ok(size);
        }
        Err(entry.refuse(
            format!("{size} is no small part of a yield"),
            "it is relative: 0.005 is 0.5 %",
        ))
    };
    Ok(Prune {
        norm: size(norm)?,
        shape: size(shape)?,
    })
}

/// Systematics by name or by patterns, all of which vary histograms.
fn smoothed(entry: &Entry<'_>, file: &AnalysisFile) -> Result<Vec<usize>> {
    let mut found = Vec::new();
    for pattern in entry.texts()? {
        let names = file.systematics.iter().map(|s| s.name.as_str());
        if !pattern.contains('*') {
            let place = position(entry, "systematic", &pattern, names)?;
            if let Effect::Norm { .. } | Effect::Norms { .. } = file.systematics[place].effect {
                return Err(entry.refuse(
                    format!("`{pattern}` changes yields, which have no shape"),
                    "leave it out",
                ));
            }
            found.push(place);
            continue;
        }
        let shaped = file.systematics.iter().enumerate();
        let shaped = shaped.filter(|(_, s)| {
            let norm = matches!(s.effect, Effect::Norm { .. } | Effect::Norms { .. });
            matches(&pattern, &s.name) && !norm
        });
        let before = found.len();
        found.extend(shaped.map(|(k, _)| k));
        if found.len() == before {
            return Err(entry.refuse(
                format!("no systematic that varies shapes fits to `{pattern}`"),
                "see `[systematics]`",
            ));
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Positions of a region and of the histogram that is fitted in it.
fn channel(name: &str, entry: &Entry<'_>, file: &AnalysisFile) -> Result<(usize, usize)> {
    let regions = file.regions.iter().map(|r| r.name.as_str());
    let region = position(entry, "region", name, regions)?;
    let plots = file.histograms.iter().map(|h| h.name.as_str());
    let plot = position(entry, "histogram", entry.text()?, plots)?;
    if file.histograms[plot].regions.contains(&region) {
        return Ok((region, plot));
    }
    Err(entry.refuse(
        format!("`{}` is not filled in `{name}`", entry.text()?),
        "name the region in its `regions`",
    ))
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
            ("zm", "zmm", false),
            ("zmm", "zmm", true),
            ("*a*b", "xaybxab", true),
            ("*a*b", "xayb!", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
