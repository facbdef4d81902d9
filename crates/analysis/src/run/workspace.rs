//! The pyhf workspace of a run.

use serde_json::{Value, json};

use super::plan::Shift;
use super::result::{Bins, Filled, Results};
use super::smooth::smoothed;
use crate::file::{FitModel, Systematic};

impl Results {
    /// The HistFactory workspace (pyhf JSON 1.0.0) of the analysis; nothing without `[fit]`.
    ///
    /// Norm factors for signal and free processes, `normsys` for the change of a yield, `histosys` for that of its shape at the nominal yield, `staterror` per
    /// channel: of simulated processes where `mc_statistics` says so, of estimates from observed events always. What `prune` says is too small is left out, and what `smooth` names is smoothed. A variation without a downward one is mirrored. Where no observed data are looked at, the observations are the expected yields.
    pub fn workspace(&self) -> Option<Value> {
        self.workspace_of(false)
    }

    /// The same; with `keep` every systematic has a factor and a shape, whatever they are: the structure of the model does not depend on numbers.
    pub(crate) fn workspace_of(&self, keep: bool) -> Option<Value> {
        let fit = self.file.fit.as_ref()?;
        let channels: Vec<(String, &Filled)> = (fit.channels.iter())
            .filter_map(|(region, plot)| {
                let filled = self.histogram(*plot, *region)?;
                Some((self.file.regions[*region].name.clone(), filled))
            })
            .collect();
        let observations: Vec<Value> = (channels.iter())
            .map(|(name, filled)| json!({"name": name, "data": observed(filled)}))
            .collect();
        let listed: Vec<Value> = (channels.iter())
            .map(|(name, filled)| {
                let samples: Vec<Value> = (0..self.processes.len())
                    .filter(|p| !self.file.is_absent(&self.processes[*p], filled.region))
                    .map(|p| self.sample(fit, name, filled, p, keep))
                    .collect();
                json!({"name": name, "samples": samples})
            })
            .collect();
        let mut parameters =
            vec![json!({"name": fit.poi, "bounds": [[0.0, fit.maximum]], "inits": [1.0]})];
        for abcd in &self.file.abcd {
            parameters.extend(self.abcd_begins(abcd));
        }
        Some(json!({
            "version": "1.0.0",
            "channels": listed,
            "observations": observations,
            "measurements": [{
                "name": "pullback",
                "config": {"poi": fit.poi, "parameters": parameters},
            }],
        }))
    }

    fn sample(
        &self,
        fit: &FitModel,
        channel: &str,
        filled: &Filled,
        p: usize,
        keep: bool,
    ) -> Value {
        let (process, nominal) = (&self.processes[p], &filled.nominal[p]);
        let mut modifiers = Vec::new();
        if let Some((template, factors)) = self.abcd_sample(process, filled.region) {
            for (s, systematic) in self.file.systematics.iter().enumerate() {
                // A factor of B, C or D alike would be part of the free bins.
                let mut all = self.file.abcd.iter();
                let in_a = all.any(|e| e.name == *process && e.regions[0] == filled.region);
                if in_a && systematic.processes.contains(process) {
                    modifiers.extend(varied(fit, systematic, s, filled, (p, process), keep));
                }
            }
            modifiers.extend(factors);
            return json!({"name": process, "data": template, "modifiers": modifiers});
        }
        let estimated = self.file.estimates.iter().any(|e| e.name == *process);
        let factors = std::iter::once((&fit.poi, &fit.signal));
        for (name, of) in factors.chain(fit.free.iter().map(|(n, p)| (n, p))) {
            if of.contains(process) {
                modifiers.push(json!({"name": name, "type": "normfactor", "data": null}));
            }
        }
        for (s, systematic) in self.file.systematics.iter().enumerate() {
            if systematic.processes.contains(process) || estimated {
                modifiers.extend(varied(fit, systematic, s, filled, (p, process), keep));
            }
        }
        // The events of an estimate are observed ones: their number is uncertain whatever is said of simulated ones.
        if fit.mc_statistics || estimated {
            let errors: Vec<f64> = nominal.variances.iter().map(|v| v.sqrt()).collect();
            let name = format!("staterror_{channel}");
            modifiers.push(json!({"name": name, "type": "staterror", "data": errors}));
        }
        json!({"name": process, "data": nominal.sums, "modifiers": modifiers})
    }
}

/// The modifiers of a systematic: what it does to the yield, and to the shape at this yield.
fn varied(
    fit: &FitModel,
    systematic: &Systematic,
    s: usize,
    filled: &Filled,
    (p, process): (usize, &String),
    keep: bool,
) -> Vec<Value> {
    let name = &systematic.name;
    let own = systematic.processes.contains(process);
    if let (Some((up, down)), true) = (systematic.factors(), own) {
        return vec![json!({"name": name, "type": "normsys", "data": {"hi": up, "lo": down}})];
    }
    let nominal = &filled.nominal[p].sums;
    let find = |shift| {
        let mut all = filled.variations.iter();
        let found = all.find(|(k, d, _)| (*k, *d) == (s, shift))?;
        Some(&found.2[p].as_ref()?.sums)
    };
    let Some(up) = find(Shift::Up) else {
        return Vec::new();
    };
    let mirrored = || -> Vec<f64> { nominal.iter().zip(up).map(|(n, u)| 2.0 * n - u).collect() };
    let mut both = [
        up.clone(),
        find(Shift::Down).cloned().unwrap_or_else(mirrored),
    ];
    if fit.smooth.contains(&s) {
        both = both.map(|varied| smoothed(nominal, &varied));
    }
    let [up, down] = both;
    let yields: f64 = nominal.iter().sum();
    let ratio = |varied: &[f64]| varied.iter().sum::<f64>() / yields;
    let (hi, lo) = (ratio(&up), ratio(&down));
    if !(hi > 0.0 && lo > 0.0 && hi.is_finite() && lo.is_finite()) {
        // No yield to speak of: the change itself is the shape.
        return vec![
            json!({"name": name, "type": "histosys", "data": {"hi_data": up, "lo_data": down}}),
        ];
    }
    let shape =
        |varied: &[f64], ratio: f64| -> Vec<f64> { varied.iter().map(|x| x / ratio).collect() };
    let shapes = (shape(&up, hi), shape(&down, lo));
    let mut modifiers = Vec::new();
    if keep || (hi - 1.0).abs().max((lo - 1.0).abs()) >= fit.prune.norm {
        modifiers.push(json!({"name": name, "type": "normsys", "data": {"hi": hi, "lo": lo}}));
    }
    let least = fit.prune.shape.max(1e-9);
    let moved = |varied: &[f64]| {
        let mut pairs = varied.iter().zip(nominal);
        pairs.any(|(v, n)| (v - n).abs() > least * n.abs())
    };
    // A shape that rounding alone moves is none.
    if keep || moved(&shapes.0) || moved(&shapes.1) {
        let data = json!({"hi_data": shapes.0, "lo_data": shapes.1});
        modifiers.push(json!({"name": name, "type": "histosys", "data": data}));
    }
    modifiers
}

fn observed(filled: &Filled) -> Vec<f64> {
    if let Some(observed) = &filled.observed {
        return observed.sums.clone();
    }
    let mut sum = Bins::zeros(filled.nominal.first().map_or(0, |b| b.sums.len()));
    for bins in &filled.nominal {
        sum.add(bins);
    }
    sum.sums
}
