//! The likelihood of a run with event weights that follow, and its fit.

use pullback_stats::fit::{Covariance, FitOptions, FitResult, Moved, Moving, fit_moving};
use pullback_stats::spec::{self, Effect as Modifier, ModelSpec};
use pullback_stats::workspace::{Limits, Workspace};
use pullback_stats::{Data, Model};
use serde_json::{Value, json};

use super::events::{Follows, Opened, Set, Yields};
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, Effect};
use crate::run::{Progress, Results, RunOptions};

/// The modifier in which what follows the events stands: always at 1.
const CARRIER: &str = "exact_weights";

/// An analysis whose exact systematics are evaluated on the events.
///
/// # Example
/// A weight 1 + 0.2 θ x: at one standard deviation up, the yields are those of the weight 1 + 0.2 x.
/// ```
/// use pullback_analysis::exact::Exact;
/// use pullback_analysis::file::AnalysisFile;
/// use pullback_analysis::run::RunOptions;
/// let folder = std::env::temp_dir().join(format!("pullback-exact-{}", std::process::id()));
/// std::fs::create_dir_all(&folder).unwrap();
/// std::fs::write(folder.join("b.csv"), "x\n0.5\n1.0\n1.5\n").unwrap();
/// let text = "[datasets.b]\nfiles = 'b.csv'\nweight = '1 + 0.2 * tilt * x'\n[parameters]\ntilt = 0\n[regions.SR]\ncuts = ['x > 0']\n\
///     [histograms.x]\nedges = [0, 0.75, 2]\n[systematics]\ntilt = { parameter = 'tilt', exact = true }\n[fit]\nsignal = 'b'\nchannels = { SR = 'x' }\n";
/// let file = AnalysisFile::from_text("a.toml", text, &folder)?;
/// let options = RunOptions::default();
/// let results = file.run(&options, &mut |_| true)?.unwrap();
/// let mut exact = Exact::open(&results, &options, &mut |_| true)?.unwrap();
/// assert_eq!(exact.yields(&[1.0])?[0][0], [1.1, 1.2 + 1.3]);
/// let fit = exact.fit(&mut Default::default())?;
/// assert!((fit.parameters.iter().find(|p| p.name == "tilt").unwrap().value).abs() < 1e-6);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), pullback_analysis::Error>(())
/// ```
pub struct Exact {
    model: Model,
    weights: Weights,
    data: Data,
}

/// What moves the templates.
struct Weights {
    follows: Vec<Follows>,
    sets: Vec<Set>,
    /// For each process and channel, the yields that do not follow anything.
    fixed: Vec<Vec<Vec<f64>>>,
    /// Positions of the parameters in the model.
    parameters: Vec<usize>,
    /// The slot as it is without events: what other systematics have in it.
    base: Vec<f64>,
    /// Where in the slot the bins of a process in a channel begin.
    places: Vec<(usize, usize, usize)>,
    failure: Option<Error>,
}

impl AnalysisFile {
    /// The systematics that are exact, with the parameters that they move.
    fn follows(&self) -> Result<Vec<Follows>> {
        let mut out = Vec::new();
        for (k, systematic) in self.systematics.iter().enumerate() {
            let (Some(place), Effect::Parameter { name, up, down, .. }) =
                (&systematic.exact, &systematic.effect)
            else {
                continue;
            };
            if out.iter().any(|f: &Follows| f.parameter == *name) {
                return Err(Error::Meaning {
                    place: place.clone(),
                    message: format!("`{name}` is moved by two exact systematics"),
                    help: "a parameter of the analysis follows one parameter of the likelihood"
                        .into(),
                });
            }
            out.push(Follows {
                systematic: k,
                parameter: name.clone(),
                half: 0.5 * (up - down),
                place: place.clone(),
            });
        }
        Ok(out)
    }

    /// Whether a systematic is exact.
    pub fn has_exact(&self) -> bool {
        self.systematics.iter().any(|s| s.exact.is_some())
    }
}

impl Exact {
    /// Reads the events of the data sets whose weights follow, and makes the likelihood of a run. Nothing if `progress`, which is told of events, says stop.
    ///
    /// # Errors
    /// An analysis without `[fit]` or without an exact systematic; one that moves no weight, or more than weights; values that are not the same distance from the start; what
    /// reading events can come to.
    pub fn open(
        results: &Results,
        options: &RunOptions,
        progress: &mut dyn FnMut(Progress<'_>) -> bool,
    ) -> Result<Option<Self>> {
        Self::open_with(results, &spec::Options::default(), options, progress)
    }

    /// The same with other choices for the likelihood: how other systematics are interpolated, what is held.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(
        results: &Results,
        model: &spec::Options,
        options: &RunOptions,
        progress: &mut dyn FnMut(Progress<'_>) -> bool,
    ) -> Result<Option<Self>> {
        let file = &results.file;
        let follows = file.follows()?;
        let refuse = |message: &str, help: &str| Error::Optimisation {
            message: message.into(),
            help: help.into(),
        };
        let Some(workspace) = results.workspace().filter(|_| !follows.is_empty()) else {
            return Err(refuse(
                "there is no fit with exact systematics",
                "it needs `[fit]` and a systematic with `exact = true`",
            ));
        };
        if file.folds.is_some() {
            return Err(refuse(
                "events with the values of their folds have no exact weights",
                "leave out `exact`, or the folds",
            ));
        }
        let mut sets: Vec<Set> = Vec::new();
        let (mut done, mut events) = (0, 0);
        let simulated = |k: usize| !file.datasets[k].observed;
        for (k, (n, _)) in results.datasets.iter().enumerate() {
            events += if simulated(k) { *n } else { 0 };
        }
        let named = file.datasets.iter().zip(&results.datasets);
        for (input, (_, scale)) in named.filter(|(input, _)| !input.observed) {
            let process = results.processes.iter().position(|p| *p == input.process);
            let mut tell = |more: u64| {
                done += more;
                progress(Progress {
                    dataset: &input.name,
                    done,
                    events,
                })
            };
            let place = (process.unwrap_or(0), *scale);
            match Set::open(file, input, &follows, place, options, &mut tell)? {
                Opened::Stopped => return Ok(None),
                Opened::Fixed => {}
                Opened::Held(set) => sets.push(*set),
            }
        }
        check(file, &follows, &sets)?;
        let workspace = carried(file, &follows, &sets, workspace, &results.processes);
        let (workspace, _) = Workspace::from_value(&workspace, &Limits::default())?;
        let mut spec = spec::resolve(&workspace, model)?;
        hold(&mut spec);
        let mut weights = Weights::new(results, follows, sets, &spec)?;
        weights.settle(results)?;
        let mut model = Model::open(spec)?;
        model.set_threads(options.threads);
        let data = model.observed();
        Ok(Some(Self {
            model,
            weights,
            data,
        }))
    }

    /// The model. Options of fits count its parameters, which are those of results and `exact_weights`, held at 1.
    pub fn spec(&self) -> &ModelSpec {
        self.model.spec()
    }

    /// The names of the parameters that events follow, in the order of [`Self::yields`].
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        let spec = self.model.spec();
        let all = self.weights.parameters.iter();
        all.map(|k| spec.parameters[*k].name.as_str())
    }

    /// The yields of each process in each channel at values of these parameters, in standard deviations; empty of processes whose weights follow none.
    ///
    /// # Errors
    /// Another number of values; weights that are not finite there.
    pub fn yields(&mut self, values: &[f64]) -> Result<Vec<Vec<Vec<f64>>>> {
        if values.len() != self.weights.parameters.len() {
            return Err(Error::Optimisation {
                message: format!(
                    "{} values for {} parameters",
                    values.len(),
                    self.weights.parameters.len()
                ),
                help: String::new(),
            });
        }
        let (bins, _) = self.weights.all(values)?;
        Ok(bins)
    }

    /// Fits the observed data of the run (expected ones in regions that are blind). −2 ln L is that of a workspace that interpolates instead, with the same constants.
    ///
    /// # Errors
    /// What [`fit_moving`] refuses; weights that are not finite at the start.
    pub fn fit(&mut self, options: &mut FitOptions<'_>) -> Result<FitResult> {
        let found = fit_moving(&mut self.model, &self.data, &mut self.weights, options);
        if let (Err(_), Some(error)) = (&found, self.weights.failure.take()) {
            return Err(error);
        }
        Ok(without_carrier(found?))
    }
}

/// The result without the parameter that is always at 1, and without the constant of its constraint, ln 2π.
fn without_carrier(mut result: FitResult) -> FitResult {
    let Some(place) = result.parameters.iter().position(|p| p.name == CARRIER) else {
        return result;
    };
    let n = result.parameters.len();
    result.parameters.remove(place);
    result.twice_nll -= (2.0 * std::f64::consts::PI).ln();
    result.poi = result.poi.map(|k| if k > place { k - 1 } else { k });
    result.covariance = result.covariance.take().and_then(|c| {
        let kept: Vec<usize> = (0..n).filter(|k| *k != place).collect();
        let values = kept.iter().flat_map(|i| kept.iter().map(|j| c.get(*i, *j)));
        Covariance::from_rows(n - 1, values.collect())
    });
    result
}

/// Refuses what moves nothing, and what does not move by the same up and down.
fn check(file: &AnalysisFile, follows: &[Follows], sets: &[Set]) -> Result<()> {
    for (k, f) in follows.iter().enumerate() {
        let systematic = &file.systematics[f.systematic];
        let Some(start) = sets.iter().find_map(|set| set.start(k)) else {
            return Err(Error::Meaning {
                place: f.place.clone(),
                message: format!("`{}` moves no weight of its processes", systematic.name),
                help: format!("write weights as expressions of `{}`", f.parameter),
            });
        };
        if let Effect::Parameter { up, down, .. } = systematic.effect
            && ((up - start) - (start - down)).abs() > 1e-9 * (up - down).abs()
        {
            return Err(Error::Meaning {
                place: f.place.clone(),
                message: format!("{down} and {up} are not equally far from the start {start}"),
                help: "an exact weight is a function of one number: choose `values` so that one standard deviation is the same in both directions".into(),
            });
        }
    }
    Ok(())
}

/// The workspace in which exact systematics have a constraint and no effect, and what follows events a modifier of its own.
fn carried(
    file: &AnalysisFile,
    follows: &[Follows],
    sets: &[Set],
    mut workspace: Value,
    processes: &[String],
) -> Value {
    let exact: Vec<&str> = (follows.iter())
        .map(|f| file.systematics[f.systematic].name.as_str())
        .collect();
    let list = |value: &mut Value, key: &str| value[key].as_array_mut().map(std::mem::take);
    let mut channels = list(&mut workspace, "channels").unwrap_or_default();
    for channel in &mut channels {
        let mut samples = list(channel, "samples").unwrap_or_default();
        for sample in &mut samples {
            let of = sample["name"].as_str().unwrap_or_default();
            let process = processes.iter().position(|p| p == of);
            let own = sets.iter().filter(|set| Some(set.process) == process);
            let mut reads: Vec<usize> = own.flat_map(|set| set.reads().to_vec()).collect();
            reads.sort_unstable();
            reads.dedup();
            let mut modifiers = list(sample, "modifiers").unwrap_or_default();
            modifiers.retain(|m| {
                let name = m["name"].as_str().unwrap_or_default();
                let k = exact.iter().position(|e| *e == name);
                k.is_none_or(|k| !reads.contains(&k))
            });
            for k in &reads {
                let data = json!({"hi": 1.0, "lo": 1.0});
                modifiers.push(json!({"name": exact[*k], "type": "normsys", "data": data}));
            }
            if !reads.is_empty() {
                let data = json!({"hi_data": sample["data"], "lo_data": sample["data"]});
                modifiers.push(json!({"name": CARRIER, "type": "histosys", "data": data}));
            }
            sample["modifiers"] = modifiers.into();
        }
        channel["samples"] = samples.into();
    }
    workspace["channels"] = channels.into();
    let config = &mut workspace["measurements"][0]["config"];
    if let Some(parameters) = config["parameters"].as_array_mut() {
        // At one, with its constraint there: what follows is the whole of what it adds.
        parameters.push(json!({"name": CARRIER, "inits": [1.0], "auxdata": [1.0], "fixed": true}));
    }
    workspace
}

/// Holds free parameters that no yield depends on: a signal strength where there is no signal.
fn hold(spec: &mut ModelSpec) {
    let inert = spec::summarise(spec).parameters_without_effect;
    for p in &mut spec.parameters {
        let free = p.constraint == spec::Constraint::None;
        p.fixed |= free && inert.contains(&p.name);
    }
}

impl Weights {
    fn new(
        results: &Results,
        follows: Vec<Follows>,
        sets: Vec<Set>,
        spec: &ModelSpec,
    ) -> Result<Self> {
        let file = &results.file;
        let fit = file.fit.iter().flat_map(|fit| &fit.channels);
        let names: Vec<&str> = fit.map(|(r, _)| file.regions[*r].name.as_str()).collect();
        let (mut base, mut places) = (Vec::new(), Vec::new());
        for a in &spec.applications {
            let Modifier::Histosys { hi_data, .. } = &a.effect else {
                continue;
            };
            if spec.modifiers[a.modifier].name == CARRIER {
                let sample = &spec.samples[a.sample];
                let channel = &spec.channels[sample.channel].name;
                let process = &spec.processes[sample.process];
                let channel = names.iter().position(|n| n == channel);
                let process = results.processes.iter().position(|p| p == process);
                if let (Some(process), Some(channel)) = (process, channel) {
                    places.push((process, channel, base.len()));
                }
            }
            base.extend_from_slice(hi_data);
        }
        let parameters = follows.iter().map(|f| {
            let name = &file.systematics[f.systematic].name;
            let found = spec.parameters.iter().position(|p| p.name == *name);
            found.ok_or_else(|| Error::Meaning {
                place: f.place.clone(),
                message: format!("`{name}` is no parameter of the fit"),
                help: "its processes have no events in any channel".into(),
            })
        });
        Ok(Self {
            parameters: parameters.collect::<Result<_>>()?,
            fixed: vec![vec![Vec::new(); names.len()]; results.processes.len()],
            follows,
            sets,
            base,
            places,
            failure: None,
        })
    }

    /// Finds what does not follow: the nominal yields of the run less those of the sets.
    fn settle(&mut self, results: &Results) -> Result<()> {
        let (at_start, _) = self.all(&vec![0.0; self.follows.len()])?;
        let fit = results.file.fit.iter().flat_map(|fit| &fit.channels);
        for (c, (region, plot)) in fit.enumerate() {
            let Some(filled) = results.histogram(*plot, *region) else {
                continue;
            };
            for (p, at) in at_start
                .iter()
                .enumerate()
                .filter(|(_, at)| !at[c].is_empty())
            {
                let pairs = filled.nominal[p].sums.iter().zip(&at[c]);
                self.fixed[p][c] = pairs.map(|(n, t)| n - t).collect();
            }
        }
        Ok(())
    }

    /// Yields of processes in channels and their derivatives.
    #[allow(clippy::type_complexity)] // Process, channel and bin; parameter before these.
    fn all(&mut self, theta: &[f64]) -> Result<(Vec<Vec<Vec<f64>>>, Vec<Vec<Vec<Vec<f64>>>>)> {
        let add = |into: &mut Vec<f64>, from: &[f64]| {
            if into.is_empty() {
                into.resize(from.len(), 0.0);
            }
            into.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        };
        let mut bins = self.fixed.clone();
        let empty: Vec<Vec<Vec<f64>>> = bins.iter().map(|c| vec![Vec::new(); c.len()]).collect();
        let mut by = vec![empty; self.follows.len()];
        for set in &mut self.sets {
            let (found, tangents): Yields = set.at(theta, &self.follows)?;
            for (c, found) in found.iter().enumerate() {
                add(&mut bins[set.process][c], found);
            }
            for (by, tangents) in by.iter_mut().zip(&tangents) {
                for (c, found) in tangents.iter().enumerate() {
                    add(&mut by[set.process][c], found);
                }
            }
        }
        let mut numbers = bins.iter().chain(by.iter().flatten()).flatten().flatten();
        if numbers.all(|x| x.is_finite()) {
            return Ok((bins, by));
        }
        Err(Error::Meaning {
            place: self.follows[0].place.clone(),
            message: format!("some weights are NaN or infinite at {theta:?} standard deviations of the exact systematics"),
            help: "write weights that are finite wherever the fit may go, as `exp(..)` instead of `1 + ..` under a root or a logarithm".into(),
        })
    }
}

impl Moving for Weights {
    fn parameters(&self) -> &[usize] {
        &self.parameters
    }

    fn at(&mut self, values: &[f64]) -> Option<Moved> {
        let (bins, by) = match self.all(values) {
            Ok(found) => found,
            Err(error) => {
                self.failure = Some(error);
                return None;
            }
        };
        let mut slot = self.base.clone();
        let mut tangents = vec![vec![0.0; slot.len()]; by.len()];
        for &(process, channel, start) in &self.places {
            let found = &bins[process][channel];
            slot[start..start + found.len()].copy_from_slice(found);
            for (into, by) in tangents.iter_mut().zip(&by) {
                let found = &by[process][channel];
                into[start..start + found.len()].copy_from_slice(found);
            }
        }
        let slots = |values: Vec<f64>| vec![("histosys_hi", values)];
        Some(Moved {
            slots: slots(slot),
            by: tangents.into_iter().map(slots).collect(),
        })
    }
}
