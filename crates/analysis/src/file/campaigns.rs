//! Campaigns of data taking, and systematics of some of them.

use super::certified::Certified;
use super::document::{Entry, Table};
use super::model::chosen;
use super::read::expression;
use super::types::{AnalysisFile, Campaign, Effect, Input, Systematic};
use crate::error::Result;

/// What a file says of a campaign.
pub(super) fn campaign(name: &str, entry: &Entry<'_>) -> Result<Campaign> {
    let table = entry.table()?;
    let (luminosity, weight) = (table.get("luminosity"), table.get("weight"));
    let certified = table.get("certified");
    table.finish()?;
    let what = "its integrated luminosity: `\"59.8 /fb\"`";
    let luminosity = table.needed(luminosity, "luminosity", what)?.area(-1)?;
    let read = |e: &Entry<'_>| Certified::read(e.path(e.text()?));
    Ok(Campaign {
        name: name.into(),
        luminosity,
        weight: weight.map(|e| expression(&e)).transpose()?,
        certified: certified.map(|e| read(&e)).transpose()?,
    })
}

/// On which campaigns a systematic acts: `campaigns`, and `correlated`.
pub(super) struct Reach<'a> {
    campaigns: Option<Entry<'a>>,
    correlated: Option<Entry<'a>>,
    /// Whether the systematic itself says `correlated`, and not the defaults of all.
    by_itself: bool,
}

impl<'a> Reach<'a> {
    pub fn of(table: &Table<'a>, by_itself: bool) -> Self {
        Self {
            campaigns: table.get("campaigns"),
            correlated: table.get("correlated"),
            by_itself,
        }
    }

    /// Whether it stays one, though the defaults split systematics by campaign: it is of estimates alone, and these have no campaign.
    ///
    /// # Errors
    /// Estimates in a systematic that is limited to campaigns or split by them.
    fn is_of_estimates(
        &self,
        entry: &Entry<'_>,
        systematic: &Systematic,
        correlated: bool,
        file: &AnalysisFile,
    ) -> Result<bool> {
        let mut estimated = systematic.processes.iter();
        let Some(name) = estimated.find(|p| file.is_estimated(p)) else {
            return Ok(false);
        };
        let norms = matches!(systematic.effect, Effect::Norms { .. });
        let limit = self.campaigns.as_ref().or(norms.then_some(entry));
        let alone = systematic.processes.iter().all(|p| file.is_estimated(p));
        let limit = match (limit, &self.correlated) {
            (None, Some(_)) if !correlated && alone && !self.by_itself => return Ok(true),
            (None, split) if !correlated => split.as_ref(),
            (limit, _) => limit,
        };
        match limit {
            None => Ok(false),
            Some(limit) => Err(limit.refuse(
                format!("`{name}` is estimated from observed events, and belongs to no campaign"),
                "name it in a systematic of its own, of all campaigns, with one size",
            )),
        }
    }

    /// The systematic of these campaigns; one for each of them where they are not correlated.
    pub fn split(
        &self,
        entry: &Entry<'_>,
        mut systematic: Systematic,
        file: &AnalysisFile,
    ) -> Result<Vec<Systematic>> {
        let known: Vec<&str> = file.campaigns.iter().map(|c| c.name.as_str()).collect();
        if let (None, Some(entry)) = (
            known.first(),
            self.campaigns.as_ref().or(self.correlated.as_ref()),
        ) {
            return Err(entry.refuse(
                "there are no campaigns",
                "write `[campaigns.2018]` with its `luminosity`, and `campaign = \"2018\"` in data sets",
            ));
        }
        if let Some(entry) = &self.campaigns {
            if let Effect::Norms { .. } = systematic.effect {
                return Err(entry.refuse(
                    "the campaigns are those that `norm` has sizes for",
                    "leave out `campaigns`",
                ));
            }
            systematic.campaigns = chosen(entry, "campaign", &known, &known)?;
        }
        let correlated = self.correlated.as_ref().map_or(Ok(true), Entry::flag)?;
        let whole = self.is_of_estimates(entry, &systematic, correlated, file)?;
        let found = if correlated || whole {
            limited(systematic, file).into_iter().collect()
        } else {
            apart(entry, &systematic, &known, file)?
        };
        if found.is_empty() {
            return Err(entry.refuse(
                format!("`{}` acts on no data set of its campaigns", entry.key),
                "look at `campaign` of the data sets, and at `processes`",
            ));
        }
        Ok(found)
    }
}

/// One systematic for each campaign that has data sets of its processes.
fn apart(
    entry: &Entry<'_>,
    systematic: &Systematic,
    known: &[&str],
    file: &AnalysisFile,
) -> Result<Vec<Systematic>> {
    let own = |d: &&Input| !d.observed && systematic.processes.contains(&d.process);
    let mut all = file.datasets.iter().filter(own);
    if let Some(none) = all.find(|d| d.campaign.is_none()) {
        return Err(entry.refuse(
            format!("`{}` belongs to no campaign", none.name),
            "give it a `campaign`, or name `processes` whose data sets have one",
        ));
    }
    let of = if systematic.campaigns.is_empty() {
        known.iter().map(|c| (*c).to_owned()).collect()
    } else {
        systematic.campaigns.clone()
    };
    let each = of.into_iter().filter_map(|campaign| {
        let mut one = systematic.clone();
        if let Effect::Norms { factors } = &systematic.effect {
            let found = factors.iter().find(|(name, _)| *name == campaign);
            let [down, up] = found.map(|(_, factors)| *factors)?;
            one.effect = Effect::Norm { up, down };
        }
        one.name = format!("{}_{campaign}", systematic.name);
        one.campaigns = vec![campaign];
        limited(one, file)
    });
    Ok(each.collect())
}

/// A systematic of the processes that have data sets of its campaigns; nothing if none has one. One that acts on all of their data sets is not limited.
fn limited(mut systematic: Systematic, file: &AnalysisFile) -> Option<Systematic> {
    if systematic.campaigns.is_empty() {
        return Some(systematic);
    }
    let all = systematic.clone();
    let simulated = || file.datasets.iter().filter(|d| !d.observed);
    systematic.processes.retain(|p| {
        let mut own = simulated().filter(|d| d.process == *p);
        own.any(|d| all.acts_on(d))
    });
    if let Effect::Files { up, down, .. } = &mut systematic.effect {
        for side in [&mut *up, down] {
            side.retain(|v| all.acts_on(v));
        }
        if up.is_empty() {
            return None;
        }
        let varied: Vec<&str> = up.iter().map(|v| v.process.as_str()).collect();
        (systematic.processes).retain(|p| varied.contains(&p.as_str()));
    }
    let mut own = simulated().filter(|d| systematic.processes.contains(&d.process));
    let whole = own.all(|d| all.acts_on(d)) && !matches!(systematic.effect, Effect::Norms { .. });
    if whole {
        systematic.campaigns.clear();
    }
    (!systematic.processes.is_empty()).then_some(systematic)
}

impl Input {
    /// The factors downwards and upwards of its campaign among those of several; 1 where it is in none of them.
    pub(crate) fn factors_among(&self, factors: &[(String, [f64; 2])]) -> [f64; 2] {
        let own = factors
            .iter()
            .find(|(c, _)| self.campaign.as_ref() == Some(c));
        own.map_or([1.0; 2], |(_, both)| *both)
    }
}

impl Systematic {
    /// Whether it moves the events of a data set.
    pub(crate) fn acts_on(&self, input: &Input) -> bool {
        let campaign = input.campaign.as_ref();
        let there = campaign.is_some_and(|c| self.campaigns.contains(c));
        self.processes.contains(&input.process) && (self.campaigns.is_empty() || there)
    }

    /// The factors upwards and downwards of the yields of whole processes, if that is what it is.
    pub(crate) fn factors(&self) -> Option<(f64, f64)> {
        match self.effect {
            Effect::Norm { up, down } if self.campaigns.is_empty() => Some((up, down)),
            _ => None,
        }
    }
}

impl AnalysisFile {
    fn campaign_of(&self, input: &Input) -> Option<&Campaign> {
        let name = input.campaign.as_ref()?;
        self.campaigns.iter().find(|c| c.name == *name)
    }

    /// The luminosity that a data set stands for, in 1/pb.
    pub(crate) fn luminosity_of(&self, input: &Input) -> Option<f64> {
        let campaign = self.campaign_of(input);
        campaign.map(|c| c.luminosity).or(self.luminosity)
    }

    /// The luminosity sections whose events count, of an observed data set.
    pub(crate) fn certified_of(&self, input: &Input) -> Option<&Certified> {
        let own = self.campaign_of(input).and_then(|c| c.certified.as_ref());
        own.or(self.certified.as_ref()).filter(|_| input.observed)
    }

    /// The luminosity of all data, in 1/pb: of the campaigns together, or that of the analysis where there are none.
    pub fn total_luminosity(&self) -> Option<f64> {
        if self.campaigns.is_empty() {
            return self.luminosity;
        }
        Some(self.campaigns.iter().map(|c| c.luminosity).sum())
    }
}
