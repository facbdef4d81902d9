//! Processes that are estimated from observed events instead of simulated ones.

use super::document::{Entry, Table};
use super::model::position;
use super::types::{AnalysisFile, RegionKind};
use crate::error::Result;
use crate::place::{Place, Source};
use crate::syntax::parse;

/// A process whose events are the observed ones of other regions, each with a weight, without those of simulated processes there: the fake-factor method.
///
/// In a bin of a region, N = Σ_observed f − Σ_simulated w f over the events of the region that stands for it, with the variance Σ f² + Σ w² f².
///
/// Reference: ATLAS collaboration, *Tools for estimating fake/non-prompt lepton backgrounds*, JINST 18 (2023) T11004.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// Its name.
    pub name: String,
    /// Pairs of a region in which it is a process, and the region whose events stand for it, by position.
    pub regions: Vec<(usize, usize)>,
    /// The weight of an event.
    pub weight: Source,
    /// The simulated processes that are subtracted.
    pub minus: Vec<String>,
}

impl Estimate {
    /// A process of the name in regions, made of the events of others with this weight; nothing is subtracted.
    pub fn new(name: &str, regions: &[(usize, usize)], weight: impl Into<Source>) -> Self {
        let weight = weight.into().keyed(&format!("estimates.{name}.weight"));
        Self {
            name: name.into(),
            regions: regions.to_vec(),
            weight,
            minus: Vec::new(),
        }
    }

    /// Without the simulated events of these processes.
    pub fn minus(mut self, processes: &[&str]) -> Self {
        self.minus = processes.iter().map(|p| (*p).to_owned()).collect();
        self
    }
}

/// A process whose yield in A follows from those in three other regions: A = B · C/D.
///
/// In the likelihood B and D have free bins, and C/D is one free factor, or a factor per bin, that A shares with C:
/// A_i = b_i t, B_i = b_i, C_j = d_j t, D_j = d_j. Data of all four are fitted together, so that signal and other processes in B, C and D are part of it.
///
/// Reference: K. Cranmer et al., *HistFactory*, CERN-OPEN-2012-016, for factors that several channels share; CMS collaboration, *The CMS statistical analysis and combination
/// tool*, Comput. Softw. Big Sci. 8 (2024) 19, for the same by `rateParam`.
#[derive(Debug, Clone)]
pub struct Abcd {
    /// Its name.
    pub name: String,
    /// Positions of the regions A, B, C and D.
    pub regions: [usize; 4],
    /// Whether C/D is a factor per bin: then all four have the same bins.
    pub by_bin: bool,
    pub(crate) place: Place,
}

impl Abcd {
    /// Of the regions A, B, C and D by position, with one factor C/D.
    pub fn new(name: &str, regions: [usize; 4]) -> Self {
        Self {
            name: name.into(),
            regions,
            by_bin: false,
            place: Source::new(format!("fit.abcd.{name}"), name).everywhere(),
        }
    }
}

impl AnalysisFile {
    /// Names of the simulated processes, in the order of the data sets.
    pub fn simulated(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for input in self.datasets.iter().filter(|d| !d.observed) {
            if !names.contains(&input.process.as_str()) {
                names.push(&input.process);
            }
        }
        names
    }

    /// Names of all processes that are no observed data: the simulated ones, then the estimated ones.
    pub fn processes(&self) -> Vec<&str> {
        let mut names = self.simulated();
        names.extend(self.estimates.iter().map(|e| e.name.as_str()));
        names.extend(self.abcd.iter().map(|e| e.name.as_str()));
        names
    }

    /// Whether a process is estimated from observed events.
    pub(crate) fn is_estimated(&self, process: &str) -> bool {
        self.estimates.iter().any(|e| e.name == process)
            || self.abcd.iter().any(|e| e.name == process)
    }
}

/// Refuses a name that is taken, and an analysis without observed events.
fn check(name: &str, entry: &Entry<'_>, file: &AnalysisFile) -> Result<()> {
    if file.processes().contains(&name) {
        return Err(entry.refuse(
            format!("there is a process `{name}` already"),
            "an estimate is a process of its own: choose another name",
        ));
    }
    if file.datasets.iter().any(|d| d.observed) {
        return Ok(());
    }
    Err(entry.refuse(
        format!("`{name}` is estimated from observed events, and there are none"),
        "a data set with `observed = true` has them",
    ))
}

/// The position of a region whose observed events may be looked at.
fn open(entry: &Entry<'_>, name: &str, file: &AnalysisFile) -> Result<usize> {
    let known = file.regions.iter().map(|r| r.name.as_str());
    let region = position(entry, "region", name, known)?;
    if file.regions[region].kind == RegionKind::Signal {
        return Err(entry.refuse(
            format!("`{name}` is a signal region, whose observed events an estimate may not use"),
            "write `kind = \"control\"` there if they may be looked at",
        ));
    }
    Ok(region)
}

/// `[estimates.fakes]`.
pub(super) fn estimate(name: &str, entry: &Entry<'_>, file: &AnalysisFile) -> Result<Estimate> {
    check(name, entry, file)?;
    let table = entry.table()?;
    let (from, regions) = (table.get("from"), table.get("regions"));
    let (weight, minus) = (table.get("weight"), table.get("minus"));
    table.finish()?;
    let from = table.needed(from, "from", "the region whose events stand for it")?;
    let target = |entry: &Entry<'_>, name: &str| {
        let known = file.regions.iter().map(|r| r.name.as_str());
        position(entry, "region", name, known)
    };
    let mut pairs = Vec::new();
    if from.is_table() {
        if let Some(entry) = regions {
            return Err(entry.refuse(
                "`from` names the regions",
                "leave out `regions`, or write one region as `from`",
            ));
        }
        for (name, entry) in from.table()?.entries() {
            pairs.push((target(&entry, name)?, open(&entry, entry.text()?, file)?));
        }
    } else {
        let source = open(&from, from.text()?, file)?;
        let what = "the regions in which it is a process: `[\"SR\"]`";
        let regions = table.needed(regions, "regions", what)?;
        for name in regions.texts()? {
            pairs.push((target(&regions, &name)?, source));
        }
    }
    if let Some((target, _)) = pairs.iter().find(|(target, source)| target == source) {
        let region = &file.regions[*target].name;
        return Err(from.refuse(
            format!("`{region}` cannot stand for itself"),
            "take the events of another region",
        ));
    }
    let what = "what an event there counts for: `\"ff(lep.pt)\"`";
    let weight = table.needed(weight, "weight", what)?.expression()?;
    parse(&weight)?;
    let mut subtracted = Vec::new();
    if let Some(entry) = minus {
        let known = file.simulated();
        for name in entry.texts()? {
            position(&entry, "simulated process", &name, known.iter().copied())?;
            subtracted.push(name);
        }
    }
    Ok(Estimate {
        name: name.into(),
        regions: pairs,
        weight,
        minus: subtracted,
    })
}

/// `[fit.abcd.multijet]`.
pub(super) fn abcd(name: &str, entry: &Entry<'_>, file: &AnalysisFile) -> Result<Abcd> {
    check(name, entry, file)?;
    let table = entry.table()?;
    let places = ["A", "B", "C", "D"].map(|key| (key, table.get(key)));
    let transfer = table.get("transfer");
    table.finish()?;
    let mut regions = [0; 4];
    for (k, (key, entry)) in places.into_iter().enumerate() {
        let what = "the name of a region; A = B · C/D";
        let entry = table.needed(entry, key, what)?;
        regions[k] = if k == 0 {
            let known = file.regions.iter().map(|r| r.name.as_str());
            position(&entry, "region", entry.text()?, known)?
        } else {
            open(&entry, entry.text()?, file)?
        };
        if regions[..k].contains(&regions[k]) {
            return Err(entry.refuse(
                format!("`{}` is named twice", entry.text()?),
                "A, B, C and D are four regions without common events",
            ));
        }
    }
    let by_bin = match transfer {
        None => false,
        Some(entry) => match entry.text()? {
            "one" => false,
            "bins" => true,
            other => {
                return Err(entry.refuse(
                    format!("there is no transfer `{other}`"),
                    "C/D is `one` factor (the default), or one for each of the `bins`",
                ));
            }
        },
    };
    Ok(Abcd {
        name: name.into(),
        regions,
        by_bin,
        place: entry.place(),
    })
}

/// The entries of `[fit.abcd]`.
pub(super) fn all_abcd(root: &Table<'_>, file: &mut AnalysisFile) -> Result<()> {
    let Some(fit) = root.get("fit") else {
        return Ok(());
    };
    if let Some(entry) = fit.table()?.get("abcd") {
        for (name, entry) in entry.table()?.entries() {
            let found = abcd(name, &entry, file)?;
            file.abcd.push(found);
        }
    }
    Ok(())
}

impl AnalysisFile {
    /// Whether a free factor may scale these processes: not the free bins of an ABCD estimate, and no signal that an estimate subtracts.
    pub(crate) fn check_scaled(
        &self,
        scaled: &[String],
        signal: bool,
        place: impl FnOnce() -> Place,
    ) -> Result<()> {
        let fitted = |p: &&String| self.abcd.iter().any(|e| e.name == **p);
        let (message, help) = if let Some(name) = scaled.iter().find(fitted) {
            let message = format!("`{name}` is an ABCD estimate: its bins are free already");
            (message, "leave it out")
        } else {
            let subtracts = |e: &&Estimate| signal && e.minus.iter().any(|p| scaled.contains(p));
            let Some(estimate) = self.estimates.iter().find(subtracts) else {
                return Ok(());
            };
            let mut minus = estimate.minus.iter();
            let name = minus.find(|p| scaled.contains(p));
            let message = format!(
                "`{}` subtracts `{}`, which is signal: it would stay at its nominal size whatever the fit finds",
                estimate.name,
                name.map_or("", String::as_str)
            );
            (
                message,
                "leave it out of `minus`, and take a region with little of it",
            )
        };
        Err(crate::Error::Meaning {
            place: place(),
            message,
            help: help.into(),
        })
    }

    /// Whether the four regions of each ABCD estimate are channels whose bins fit.
    pub(super) fn check_abcd(&self, channels: &[(usize, usize)]) -> Result<()> {
        for abcd in &self.abcd {
            let refuse = |message: String, help: &str| crate::Error::Meaning {
                place: abcd.place.clone(),
                message,
                help: help.into(),
            };
            let mut edges = [&[][..]; 4];
            for (edges, region) in edges.iter_mut().zip(abcd.regions) {
                let Some((_, plot)) = channels.iter().find(|c| c.0 == region) else {
                    let name = &self.regions[region].name;
                    return Err(refuse(
                        format!("`{name}` is no channel of the fit"),
                        "the four regions are fitted together: name each of them under `channels`",
                    ));
                };
                *edges = &self.histograms[*plot].edges;
            }
            let [a, b, c, d] = edges;
            if a != b || c != d {
                let names = if a == b { "C and D" } else { "A and B" };
                return Err(refuse(
                    format!("{names} do not have the same bins"),
                    "B has the shape of A, and D that of C; a histogram of one bin counts",
                ));
            }
            if abcd.by_bin && a.len() != c.len() {
                return Err(refuse(
                    format!(
                        "{} bins of A and {} of C have no factor in common",
                        a.len() - 1,
                        c.len() - 1
                    ),
                    "leave out `transfer`: then one factor takes all bins from B to A",
                ));
            }
        }
        Ok(())
    }
}
