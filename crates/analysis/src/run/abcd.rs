//! The ABCD estimates of a run: what they come to before any fit, and what they are in the workspace.

use serde_json::{Value, json};

use super::result::{Bins, Filled, Results};
use crate::error::{Error, Result};
use crate::file::{Abcd, AnalysisFile};

impl AnalysisFile {
    /// What the ABCD estimates come to before any fit.
    pub(super) fn fill_abcd(&self, results: &mut Results) -> Result<()> {
        for abcd in &self.abcd {
            let found = results.abcd(abcd)?;
            let of = results.processes.iter().position(|p| *p == abcd.name);
            let (Some(p), Some(fit)) = (of, &self.fit) else {
                continue;
            };
            for (k, (region, mut bins)) in abcd.regions.iter().zip(found.bins).enumerate() {
                let nothing = bins.sums.iter().filter(|x| **x <= 0.0).count();
                bins.sums.iter_mut().for_each(|x| *x = x.max(0.0));
                let total = Bins {
                    sums: vec![bins.sums.iter().sum()],
                    variances: vec![bins.variances.iter().sum()],
                    entries: vec![bins.entries.iter().sum()],
                };
                let (name, all) = (&self.regions[*region].name, bins.sums.len());
                if nothing > 0 && k > 0 {
                    results.warnings.push(format!(
                        "no more is observed in `{name}` than other processes give, in {nothing} of {all} bins: `{}` is zero there before the fit",
                        abcd.name
                    ));
                } else if nothing > 0 {
                    let [b, c] = [1, 2].map(|k| &self.regions[abcd.regions[k]].name);
                    results.warnings.push(format!(
                        "`{}` is 0 in {nothing} of {all} bins of `{name}` before the fit: nothing is left of it in `{b}` or `{c}`; merge bins",
                        abcd.name
                    ));
                }
                let mut cutflows = results.cutflows.iter_mut();
                if let Some(last) = cutflows
                    .find(|c| c.region == *region)
                    .and_then(|c| c.steps.last_mut())
                {
                    last.yields[p] = total;
                }
                let mut all = results.histograms.iter_mut();
                let channel = |h: &&mut Filled| fit.channels.contains(&(h.region, h.plot));
                if let Some(filled) = all.find(|h| h.region == *region && channel(h)) {
                    filled.nominal[p] = bins;
                }
            }
        }
        Ok(())
    }
}

/// Where a factor of nothing begins, in units of its template: at a rate of zero, observed events are impossible, and a minimiser has nowhere to go.
const ABOVE_ZERO: f64 = 0.1;

/// An ABCD estimate before the fit.
pub(super) struct Begin {
    /// The yields in A, B, C and D that data, less other processes, give; in A the product.
    bins: [Bins; 4],
    /// The templates: yields, but where these are less than their error this error, so that factors between 0 and 10 reach everything that is likely.
    pub templates: [Vec<f64>; 4],
    /// Where the factors of the bins of A and B, of those of C and D, and C/D begin: above zero, though the yields are zero where nothing is left.
    pub inits: [Vec<f64>; 3],
}

impl Results {
    /// Data of a channel less other processes that are no signal and no ABCD estimates.
    fn remainder(&self, abcd: &Abcd, region: usize) -> Result<Bins> {
        let fit = self.file.fit.as_ref();
        let channels = fit.iter().flat_map(|fit| &fit.channels);
        let filled = channels
            .filter(|c| c.0 == region)
            .find_map(|c| self.histogram(c.1, c.0));
        let observed = filled.and_then(|f| Some((f, f.observed.as_ref()?)));
        let Some((filled, observed)) = observed else {
            let name = &self.file.regions[region].name;
            return Err(Error::Meaning {
                place: abcd.place.clone(),
                message: format!(
                    "`{}` needs the observed events of `{name}`, which are not looked at",
                    abcd.name
                ),
                help: "B, C and D are control regions, and channels of the fit".into(),
            });
        };
        let mut left = observed.clone();
        let signal = |p: &String| fit.is_some_and(|fit| fit.signal.contains(p));
        let fitted = |p: &String| self.file.abcd.iter().any(|e| e.name == *p);
        for (process, bins) in self.processes.iter().zip(&filled.nominal) {
            if !signal(process) && !fitted(process) {
                left.add(&bins.clone().signed(-1.0));
            }
        }
        left.entries.clone_from(&observed.entries);
        Ok(left)
    }

    pub(super) fn abcd(&self, abcd: &Abcd) -> Result<Begin> {
        let [_, b, c, d] = abcd.regions;
        let [b, c, d] = [b, c, d].map(|region| self.remainder(abcd, region));
        let (b, c, d) = (b?, c?, d?);
        // Of a bin, or of all of them together.
        let merged = |x: &Bins| Bins {
            sums: vec![x.sums.iter().sum()],
            variances: vec![x.variances.iter().sum()],
            entries: vec![x.entries.iter().sum()],
        };
        let (upper, lower) = if abcd.by_bin {
            (c.clone(), d.clone())
        } else {
            (merged(&c), merged(&d))
        };
        if let Some(bin) = lower.sums.iter().position(|x| *x <= 0.0) {
            return Err(Error::Meaning {
                place: abcd.place.clone(),
                message: format!(
                    "nothing of `{}` is left in `{}` (bin {bin}), by which C would be divided",
                    abcd.name, self.file.regions[abcd.regions[3]].name
                ),
                help: "choose a larger region as D, or fewer bins".into(),
            });
        }
        let floored = |x: &Bins| -> Vec<f64> {
            let each = x.sums.iter().zip(&x.variances);
            // The error of no event at all is one event.
            each.map(|(s, v)| s.max(v.sqrt().max(1.0))).collect()
        };
        let begin = |x: &Bins, at: &[f64]| -> Vec<f64> {
            let each = x.sums.iter().zip(at);
            let begin = each.map(|(s, t)| if *s > 0.0 { s / t } else { ABOVE_ZERO });
            begin.collect()
        };
        let (tb, td) = (floored(&b), floored(&d));
        // Yields below their error are rare in D: of it all, and so is their floor in the quotient.
        let factors: Vec<f64> = (floored(&upper).iter().zip(&lower.sums))
            .map(|(c, d)| c / d)
            .collect();
        let factor = |k: usize| factors[if abcd.by_bin { k } else { 0 }];
        let scaled = |t: &[f64]| t.iter().enumerate().map(|(k, t)| t * factor(k)).collect();
        let inits = [
            begin(&b, &tb),
            begin(&d, &td),
            begin(&upper, &floored(&upper)),
        ];
        let mut a = Bins::zeros(b.sums.len());
        for k in 0..a.sums.len() {
            let j = if abcd.by_bin { k } else { 0 };
            let t = upper.sums[j] / lower.sums[j];
            a.sums[k] = b.sums[k] * t;
            let of_t = upper.variances[j] + t * t * lower.variances[j];
            a.variances[k] = t * t * b.variances[k] + (b.sums[k] / lower.sums[j]).powi(2) * of_t;
        }
        Ok(Begin {
            templates: [scaled(&tb), tb.clone(), scaled(&td), td.clone()],
            inits,
            bins: [a, b, c, d],
        })
    }

    /// What an ABCD estimate is in a channel: its template and the factors of its bins. Nothing of other processes.
    pub(super) fn abcd_sample(
        &self,
        process: &str,
        region: usize,
    ) -> Option<(Vec<f64>, Vec<Value>)> {
        let abcd = self.file.abcd.iter().find(|e| e.name == process)?;
        let place = abcd.regions.iter().position(|r| *r == region)?;
        let begin = self.abcd(abcd).ok()?;
        let factor = |name: String, kind: &str| json!({"name": name, "type": kind, "data": null});
        let bins = if place < 2 { "bins" } else { "sideband" };
        let mut factors = vec![factor(format!("{process}_{bins}"), "shapefactor")];
        if place % 2 == 0 {
            let kind = if abcd.by_bin {
                "shapefactor"
            } else {
                "normfactor"
            };
            factors.push(factor(format!("{process}_transfer"), kind));
        }
        let [a, b, c, d] = begin.templates;
        Some(([a, b, c, d].into_iter().nth(place)?, factors))
    }

    /// Where the factors of an ABCD estimate begin, if that is not at 1.
    pub(super) fn abcd_begins(&self, abcd: &Abcd) -> Vec<Value> {
        let Ok(begin) = self.abcd(abcd) else {
            return Vec::new();
        };
        let names = ["bins", "sideband", "transfer"]
            .into_iter()
            .zip(begin.inits);
        let moved = names.filter(|(_, inits)| inits.iter().any(|x| *x != 1.0));
        moved
            .map(|(part, inits)| json!({"name": format!("{}_{part}", abcd.name), "inits": inits}))
            .collect()
    }
}
