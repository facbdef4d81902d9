//! What an optimisation may choose, and what for: the table `[optimize]`.

use pullback_stats::objective::counting::Formula;

use super::document::Entry;
use super::model::position;
use super::types::AnalysisFile;
use crate::error::Result;

/// What is optimised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// The median expected upper limit on the parameter of interest (CLs), to be small.
    Limit {
        /// One minus the confidence level.
        alpha: f64,
    },
    /// The median expected significance of a discovery, to be large.
    Significance,
    /// The expected error of the parameter of interest at 1, to be small.
    Uncertainty,
    /// A counting formula over all bins, with background uncertainties of the number of simulated events if so asked for; to be large.
    Counting {
        /// The formula.
        formula: Formula,
        /// Whether the background has its uncertainty.
        uncertain: bool,
    },
}

/// The names of goals in the file, and what is said about the number.
const GOALS: [(&str, Goal, &str); 7] = [
    ("limit", Goal::Limit { alpha: 0.05 }, "expected limit"),
    ("significance", Goal::Significance, "expected significance"),
    ("uncertainty", Goal::Uncertainty, "expected uncertainty"),
    (
        "asimov",
        counting(Formula::Asimov, false),
        "counting significance",
    ),
    (
        "asimov_uncertain",
        counting(Formula::Asimov, true),
        "counting significance with uncertain background",
    ),
    (
        "s/sqrt(b)",
        counting(Formula::SignalOverRootBackground, false),
        "S/√B",
    ),
    (
        "s/sqrt(s+b)",
        counting(Formula::SignalOverRootTotal, false),
        "S/√(S+B)",
    ),
];

const fn counting(formula: Formula, uncertain: bool) -> Goal {
    Goal::Counting { formula, uncertain }
}

impl Goal {
    /// Whether a small number is good.
    pub fn is_small(self) -> bool {
        !matches!(self, Self::Significance | Self::Counting { .. })
    }

    /// What the number is, in words.
    pub fn title(self) -> &'static str {
        let same = |g: &Goal| match (*g, self) {
            (Self::Limit { .. }, Self::Limit { .. }) => true,
            (a, b) => a == b,
        };
        let found = GOALS.iter().find(|(_, g, _)| same(g));
        found.map_or("objective", |(_, _, title)| title)
    }
}

/// How decisions become soft while the optimisation looks for its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Softening {
    /// Degrees by the logistic function.
    Sigmoid,
    /// Degrees by the normal distribution: histograms are kernel density estimates.
    Normal,
    /// None: values are exact, and derivatives are estimates of what thresholds contribute, from the events near them.
    Surface,
}

/// What may move.
#[derive(Debug, Clone, PartialEq)]
pub enum Free {
    /// A parameter, inside its range.
    Parameter {
        /// Its name.
        name: String,
        /// Where it begins.
        start: f64,
        /// Where it may go.
        range: [f64; 2],
    },
    /// The weights of a network.
    Network {
        /// Its name.
        name: String,
    },
    /// The interior edges of a histogram.
    Edges {
        /// Position of the histogram.
        plot: usize,
        /// The narrowest bin.
        width: f64,
    },
}

/// Who chooses steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Adam; widths fall from step to step.
    Adam,
    /// L-BFGS; widths fall in a few phases, in each of which the objective is one function.
    Lbfgs,
}

/// The table `[optimize]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimisation {
    /// What for.
    pub goal: Goal,
    /// What may move.
    pub free: Vec<Free>,
    /// Who chooses steps.
    pub method: Method,
    /// Most steps.
    pub steps: usize,
    /// Length of the first steps of Adam, in coordinates in which a range has length 4 or so.
    pub rate: f64,
    /// The smoothing.
    pub softening: Softening,
    /// Widths of decisions relative to the spread of what they compare (for bins, to the mean bin), at the first and at the last step.
    pub widths: [f64; 2],
    /// Parts of the events for training, validation and test.
    pub split: [f64; 3],
    /// Into how many folds events are divided, one for the test after the other; without, `split` says which are.
    pub folds: Option<usize>,
    /// Into how many batches the training events are divided, of which a step sees one.
    pub batches: usize,
    /// Steps between validations.
    pub every: usize,
    /// Validations without improvement after which it ends.
    pub patience: usize,
    /// The smallest number of simulated background events in a bin.
    pub min_entries: f64,
    /// The largest relative uncertainty of the background in a bin from the number of simulated events.
    pub max_mc_error: f64,
    /// How many starts are tried.
    pub starts: usize,
    /// Steps of Adam on the cross-entropy before, for networks.
    pub pretrain: usize,
    /// Seed of the split.
    pub seed: u64,
}

impl Optimisation {
    /// With the settings that a file has if it says nothing.
    pub fn new(goal: Goal, free: Vec<Free>) -> Self {
        Self {
            goal,
            free,
            method: Method::Adam,
            steps: 200,
            rate: 0.05,
            softening: Softening::Sigmoid,
            widths: [0.3, 0.03],
            split: [0.5, 0.25, 0.25],
            folds: None,
            batches: 1,
            every: 10,
            patience: 8,
            min_entries: 10.0,
            max_mc_error: 0.3,
            starts: 1,
            pretrain: 100,
            seed: 1,
        }
    }
}

pub(super) fn optimisation(entry: &Entry<'_>, file: &AnalysisFile) -> Result<Optimisation> {
    let table = entry.table()?;
    let (goal, level, free) = (
        table.get("objective"),
        table.get("confidence"),
        table.get("free"),
    );
    let (steps, rate, starts) = (table.get("steps"), table.get("rate"), table.get("starts"));
    let (smoothing, widths) = (table.get("smoothing"), table.get("widths"));
    let (split, seed) = (table.get("split"), table.get("seed"));
    let (folds, batches) = (table.get("folds"), table.get("batches"));
    let (every, patience) = (table.get("validate"), table.get("patience"));
    let (entries, error) = (table.get("min_entries"), table.get("max_mc_error"));
    let (pretrain, method) = (table.get("pretrain"), table.get("method"));
    table.finish()?;
    if file.fit.is_none() {
        return Err(entry.refuse(
            "there is nothing to optimise for without a fit",
            "write a `[fit]` with `signal` and `channels`",
        ));
    }
    let goal = goal_of(goal.as_ref(), level.as_ref())?;
    let what = "what may move: `free = [\"met_cut\", \"m_ll\"]`, parameters with a range and histograms whose edges move";
    let wanted = table.needed(free, "free", what)?;
    let names = wanted.texts()?;
    let free: Vec<Free> = names
        .iter()
        .map(|name| free_of(&wanted, name, file))
        .collect::<Result<_>>()?;
    let mut o = Optimisation::new(goal, free);
    let count = |entry: Option<Entry<'_>>, into: &mut usize| -> Result<()> {
        *into = entry.map_or(Ok(*into), |e| e.count(1))?;
        Ok(())
    };
    count(steps, &mut o.steps)?;
    count(every, &mut o.every)?;
    count(patience, &mut o.patience)?;
    count(starts, &mut o.starts)?;
    let number = |entry: Option<Entry<'_>>, into: &mut f64| -> Result<()> {
        if let Some(entry) = entry {
            *into = entry.number()?;
            if !(*into > 0.0 && into.is_finite()) {
                return Err(entry.refuse(format!("{into} is not positive"), ""));
            }
        }
        Ok(())
    };
    number(rate, &mut o.rate)?;
    number(entries, &mut o.min_entries)?;
    number(error, &mut o.max_mc_error)?;
    o.pretrain = pretrain.map_or(Ok(o.pretrain), |e| e.count(0))?;
    o.seed = seed.map_or(Ok(o.seed), |e| e.count(0).map(|n| n as u64))?;
    o.softening = chosen(smoothing, "smoothing", o.softening, &SOFTENINGS)?;
    o.method = chosen(method, "method", o.method, &METHODS)?;
    if let Some(entry) = folds {
        o.folds = Some(entry.count(2)?);
    }
    if let Some(entry) = batches {
        o.batches = entry.count(1)?;
        if o.batches > 1 && o.method == Method::Lbfgs {
            return Err(entry.refuse(
                "L-BFGS needs the same events in each step",
                "leave `batches` out, or take `method = \"adam\"`",
            ));
        }
    }
    if let Some(entry) = widths {
        o.widths = match *entry.numbers()? {
            [from, to] if from >= to && to > 0.0 && from.is_finite() => [from, to],
            _ => {
                return Err(entry.refuse(
                    "two falling positive numbers are expected",
                    "the widths of the first and of the last step: `widths = [0.3, 0.03]`",
                ));
            }
        };
    }
    if let Some(entry) = split {
        o.split = match *entry.numbers()? {
            [a, b, c] if [a, b, c].iter().all(|x| *x > 0.0) && a + b + c < 1.0 + 1e-9 => [a, b, c],
            _ => {
                return Err(entry.refuse(
                    "three positive parts of one are expected",
                    "for training, validation and test: `split = [0.5, 0.25, 0.25]`",
                ));
            }
        };
    }
    Ok(o)
}

/// The names of smoothings and methods; the default comes first.
const SOFTENINGS: [(&str, Softening); 3] = [
    ("sigmoid", Softening::Sigmoid),
    ("normal", Softening::Normal),
    ("surface", Softening::Surface),
];
const METHODS: [(&str, Method); 2] = [("adam", Method::Adam), ("lbfgs", Method::Lbfgs)];

/// One of several by name.
fn chosen<T: Copy>(
    entry: Option<Entry<'_>>,
    what: &str,
    default: T,
    known: &[(&str, T)],
) -> Result<T> {
    let Some(entry) = entry else {
        return Ok(default);
    };
    let names = known.iter().map(|(name, _)| *name);
    Ok(known[position(&entry, what, entry.text()?, names)?].1)
}

fn goal_of(goal: Option<&Entry<'_>>, level: Option<&Entry<'_>>) -> Result<Goal> {
    let mut found = Goal::Limit { alpha: 0.05 };
    if let Some(entry) = goal {
        let names = GOALS.iter().map(|(name, ..)| *name);
        let k = position(entry, "objective", entry.text()?, names)?;
        found = GOALS[k].1;
    }
    match (level, &mut found) {
        (None, _) => {}
        (Some(entry), Goal::Limit { alpha }) => match entry.number()? {
            x if x > 0.5 && x < 1.0 => *alpha = 1.0 - x,
            x => {
                return Err(entry.refuse(
                    format!("{x} is no confidence level"),
                    "0.95 is the usual one",
                ));
            }
        },
        (Some(entry), _) => {
            return Err(entry.refuse("only a limit has a confidence level", "leave it out"));
        }
    }
    Ok(found)
}

/// What a name in the list of free quantities means.
fn free_of(entry: &Entry<'_>, name: &str, file: &AnalysisFile) -> Result<Free> {
    let parameters = file.definitions.parameters();
    if parameters.contains(&name) {
        let range = file.ranges.iter().find(|(n, ..)| n == name);
        return match range {
            Some((_, start, range)) => Ok(Free::Parameter {
                name: name.into(),
                start: *start,
                range: *range,
            }),
            None => Err(entry.refuse(
                format!("the parameter `{name}` has no range to move in"),
                format!("write `{name} = {{ start = .., range = [.., ..] }}` under `[parameters]`"),
            )),
        };
    }
    let networks = file.definitions.networks();
    if networks.contains(&name) {
        return Ok(Free::Network { name: name.into() });
    }
    let plots = file.histograms.iter().map(|h| h.name.as_str());
    let what = "parameter, network or histogram";
    let known = parameters.into_iter().chain(networks).chain(plots.clone());
    let plot = position(entry, what, name, known)?;
    let plot = plots.clone().position(|n| n == name).unwrap_or(plot);
    let of = &file.histograms[plot];
    if of.edges.len() < 3 {
        return Err(entry.refuse(
            format!("`{name}` has one bin: no edge can move"),
            "give it more bins",
        ));
    }
    let narrowest = of.edges.windows(2).map(|w| w[1] - w[0]);
    let narrowest = narrowest.fold(f64::INFINITY, f64::min);
    let bins = (of.edges.len() - 1) as f64;
    let mean = (of.edges[of.edges.len() - 1] - of.edges[0]) / bins;
    Ok(Free::Edges {
        plot,
        width: (0.1 * mean).min(0.5 * narrowest),
    })
}
