//! From bins to the templates of the likelihood and back, and what constrains bins.

use pullback_ad::{Real, Tape};
use pullback_stats::spec::{Effect, ModelSpec};

use super::layout::{Kind, Layout};
use crate::error::Result;
use crate::file::{self, AnalysisFile, Combine, Optimisation};
use crate::run::{Shift, smoothed};

/// Smallest uncertainty of a bin, in events: the root has a derivative at zero.
const SMALLEST: f64 = 1e-9;

/// What the weight of the constraints is, beside the logarithm of the objective.
const WEIGHT: f64 = 5.0;

/// What is done to the shape of a variation.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// Whether the change of the yield is a factor of its own.
    factored: bool,
    /// Whether it is smoothed.
    smooth: bool,
}

/// What an entry of the workspace is made of.
#[derive(Debug, Clone)]
enum Source {
    /// Factors of a norm.
    Norm {
        systematic: usize,
        up: f64,
        down: f64,
    },
    /// Bins of the nominal yield and of variations; without a downward one the upward one is mirrored.
    Bins {
        nominal: usize,
        up: usize,
        down: Option<usize>,
        shape: Shape,
    },
    /// Bins of the nominal yield and of the members of a vector of weights, which are combined.
    Members {
        nominal: usize,
        members: Vec<usize>,
        combine: Combine,
        shape: Shape,
    },
    /// Bins of the variance.
    Variance { start: usize },
    /// Nothing that moves.
    Nothing,
}

impl Source {
    /// The nominal bins, those up and down, and what is done to their shape.
    fn bins<R: Real>(&self, list: &[R], bins: usize) -> Option<(Vec<R>, [Vec<R>; 2], Shape)> {
        let part = |start: usize| list[start..start + bins].to_vec();
        match self {
            Self::Bins {
                nominal,
                up,
                down,
                shape,
            } => {
                let (n, up) = (part(*nominal), part(*up));
                let mirrored = || n.iter().zip(&up).map(|(n, u)| *n * 2.0 - *u).collect();
                let down = down.map_or_else(mirrored, part);
                Some((n, [up, down], *shape))
            }
            Self::Members {
                nominal,
                members,
                combine,
                shape,
            } => {
                let n = part(*nominal);
                let members: Vec<Vec<R>> = members.iter().map(|m| part(*m)).collect();
                let both = combine.apply(&n, &members);
                Some((n, both, *shape))
            }
            _ => None,
        }
    }
}

/// How bins become the numbers of a model, slot by slot.
#[derive(Debug, Clone)]
pub(super) struct Templates {
    /// Where the bins of each sample begin, and how many there are.
    samples: Vec<(usize, usize)>,
    /// For each application: its kind, its source, its bins.
    applications: Vec<(Slot, Source, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Histosys,
    Normsys,
    Uncertainty,
    None,
}

/// Numbers by slot.
pub(super) type Slots<R> = Vec<(&'static str, Vec<R>)>;

/// The factor by which a yield changes; 1 where there is no yield to speak of, so that the change itself is the shape.
fn ratio<R: Real>(varied: R, nominal: R) -> R {
    let (zero, one) = (R::constant(0.0), R::constant(1.0));
    let some = nominal.gt(R::constant(SMALLEST)) & varied.gt(nominal * 1e-3);
    let nominal = R::select(some, nominal, one);
    R::select(some, R::select(some, varied, zero) / nominal, one)
}

/// The bins of a systematic that varies them.
fn varied(s: usize, shape: Shape, at: &dyn Fn(Kind) -> Option<usize>) -> Source {
    match (at(Kind::Yield), at(Kind::Varied(s, Shift::Up))) {
        (Some(nominal), Some(up)) => Source::Bins {
            nominal,
            up,
            down: at(Kind::Varied(s, Shift::Down)),
            shape,
        },
        _ => Source::Nothing,
    }
}

impl Templates {
    pub fn new(file: &AnalysisFile, layout: &Layout, spec: &ModelSpec) -> Self {
        let place = |sample: usize| {
            let sample = &spec.samples[sample];
            let channel = &spec.channels[sample.channel].name;
            let process = &spec.processes[sample.process];
            let process = layout.processes.iter().position(|p| p == process);
            let mut channels = layout.channels.iter();
            let channel = channels.position(|(r, ..)| file.regions[*r].name == *channel);
            (process.unwrap_or(0), channel.unwrap_or(0))
        };
        let start = |sample: usize, kind: Kind| {
            let (process, channel) = place(sample);
            layout.start(process, channel, kind)
        };
        let samples = (spec.samples.iter().enumerate())
            .map(|(k, s)| (start(k, Kind::Yield).unwrap_or(0), s.cells.len()))
            .collect();
        let applications = spec.applications.iter().map(|a| {
            let slot = match &a.effect {
                Effect::Histosys { .. } => Slot::Histosys,
                Effect::Normsys { .. } => Slot::Normsys,
                Effect::Staterror { .. } | Effect::Shapesys { .. } => Slot::Uncertainty,
                _ => Slot::None,
            };
            let name = &spec.modifiers[a.modifier].name;
            let systematic = file.systematics.iter().position(|s| s.name == *name);
            let source = match (slot, systematic) {
                (Slot::Uncertainty, _) => start(a.sample, Kind::Variance)
                    .map_or(Source::Nothing, |start| Source::Variance { start }),
                (Slot::Histosys | Slot::Normsys, Some(systematic)) => {
                    if let Some((up, down)) = file.systematics[systematic].factors() {
                        Source::Norm {
                            systematic,
                            up,
                            down,
                        }
                    } else {
                        let factored = spec.applications.iter().any(|other| {
                            other.sample == a.sample
                                && spec.modifiers[other.modifier].name == *name
                                && matches!(other.effect, Effect::Normsys { .. })
                        });
                        let smooth = |fit: &file::FitModel| fit.smooth.contains(&systematic);
                        let shape = Shape {
                            factored,
                            smooth: file.fit.as_ref().is_some_and(smooth),
                        };
                        let at = |kind| start(a.sample, kind);
                        match &file.systematics[systematic].effect {
                            file::Effect::Members {
                                members, combine, ..
                            } => {
                                let of = |m: &usize| at(Kind::Member(systematic, *m));
                                let members: Vec<usize> = members.iter().filter_map(of).collect();
                                match at(Kind::Yield) {
                                    Some(nominal) if !members.is_empty() => Source::Members {
                                        nominal,
                                        members,
                                        combine: *combine,
                                        shape,
                                    },
                                    _ => Source::Nothing,
                                }
                            }
                            _ => varied(systematic, shape, &at),
                        }
                    }
                }
                _ => Source::Nothing,
            };
            (slot, source, spec.samples[a.sample].cells.len())
        });
        Self {
            samples,
            applications: applications.collect(),
        }
    }

    /// The numbers of the slots, in the order of the model.
    pub fn slots<R: Real>(&self, list: &[R]) -> Slots<R> {
        let cells = self
            .samples
            .iter()
            .flat_map(|(start, n)| &list[*start..start + n]);
        let nominal: Vec<R> = cells.copied().collect();
        let mut shapes = [const { Vec::new() }; 2];
        let mut factors = [const { Vec::new() }; 2];
        let mut uncertainty = Vec::new();
        for (slot, source, bins) in &self.applications {
            match (slot, source) {
                (Slot::Uncertainty, Source::Variance { start }) => {
                    let v = list[*start..start + bins].iter();
                    let root = |v: &R| {
                        let zero = R::constant(0.0);
                        (R::select(v.gt(zero), *v, zero) + SMALLEST * SMALLEST).sqrt()
                    };
                    uncertainty.extend(v.map(root));
                }
                (Slot::Normsys, Source::Norm { up, down, .. }) => {
                    factors[0].push(R::constant(*up));
                    factors[1].push(R::constant(*down));
                }
                (Slot::Normsys | Slot::Histosys, source) => {
                    let Some((n, mut both, shape)) = source.bins(list, *bins) else {
                        continue;
                    };
                    if shape.smooth {
                        both = both.map(|varied| smoothed(&n, &varied));
                    }
                    let sum = |v: &[R]| v.iter().fold(R::constant(0.0), |s, x| s + *x);
                    for (k, varied) in both.into_iter().enumerate() {
                        let ratio = ratio(sum(&varied), sum(&n));
                        match slot {
                            Slot::Normsys => factors[k].push(ratio),
                            _ if shape.factored => {
                                shapes[k].extend(varied.iter().map(|x| *x / ratio));
                            }
                            _ => shapes[k].extend(varied),
                        }
                    }
                }
                _ => {}
            }
        }
        let [hi, lo] = shapes;
        let [up, down] = factors;
        let all = [
            ("nominal", nominal),
            ("histosys_hi", hi),
            ("histosys_lo", lo),
            ("normsys_hi", up),
            ("normsys_lo", down),
            ("uncertainty", uncertainty),
        ];
        all.into_iter().filter(|(_, v)| !v.is_empty()).collect()
    }

    /// Derivatives by the logarithms of the sizes of norms, by systematic.
    pub fn by_norm(&self, by: &[(&'static str, Vec<f64>)]) -> Vec<f64> {
        let slot = |name: &str| by.iter().find(|(n, _)| *n == name).map(|(_, v)| v);
        let (Some(hi), Some(lo)) = (slot("normsys_hi"), slot("normsys_lo")) else {
            return Vec::new();
        };
        let factors = self.applications.iter().filter(|(slot, source, _)| {
            *slot == Slot::Normsys && !matches!(source, Source::Nothing)
        });
        let mut out = Vec::new();
        for (k, (_, source, _)) in factors.enumerate() {
            if let Source::Norm {
                systematic,
                up,
                down,
            } = source
            {
                if out.len() <= *systematic {
                    out.resize(systematic + 1, 0.0);
                }
                out[*systematic] += hi[k] * (up - 1.0) + lo[k] * (down - 1.0);
            }
        }
        out
    }

    /// Derivatives by the bins of Σ derivative × number of the slots.
    pub fn pull(&self, list: &[f64], by: &[(&'static str, Vec<f64>)]) -> Result<Vec<f64>> {
        pull(list, |x| {
            let mut sum = x[0] * 0.0;
            for (name, values) in self.slots(x) {
                let by = by.iter().find(|(n, _)| *n == name);
                for (value, by) in values.iter().zip(by.iter().flat_map(|(_, v)| v)) {
                    sum += *value * *by;
                }
            }
            sum
        })
    }
}

/// The gradient of a function of the list, by the tape.
fn pull(
    list: &[f64],
    f: impl for<'t> Fn(&[pullback_ad::Var<'t>]) -> pullback_ad::Var<'t>,
) -> Result<Vec<f64>> {
    let tape = Tape::new();
    let variables: Vec<_> = list.iter().map(|x| tape.variable(*x)).collect();
    let value = f(&variables);
    Ok(tape.gradient(value, &variables)?)
}

/// What bins have to have, so that the number of simulated events does not pass for sensitivity.
#[derive(Debug, Clone)]
pub(super) struct Constraints {
    /// For each bin of each channel, where yields, variances and entries of the backgrounds are.
    bins: Vec<Vec<[usize; 3]>>,
    min_entries: f64,
    max_mc_error: f64,
}

impl Constraints {
    pub fn new(layout: &Layout, optimisation: &Optimisation) -> Self {
        let mut bins = Vec::new();
        for (channel, &(.., n)) in layout.channels.iter().enumerate() {
            for bin in 0..n {
                let of = |process: usize| {
                    let at = |kind| layout.start(process, channel, kind);
                    let kinds = [Kind::Yield, Kind::Variance, Kind::Entries];
                    let [a, b, c] = kinds.map(at);
                    Some([a? + bin, b? + bin, c? + bin])
                };
                let backgrounds = (0..layout.processes.len()).filter(|p| !layout.signal[*p]);
                bins.push(backgrounds.filter_map(of).collect());
            }
        }
        Self {
            bins,
            min_entries: optimisation.min_entries,
            max_mc_error: optimisation.max_mc_error,
        }
    }

    /// Yields, variances and entries of the background of each bin.
    pub fn background<R: Real>(&self, list: &[R]) -> Vec<[R; 3]> {
        let sum = |of: &Vec<[usize; 3]>, k: usize| {
            of.iter().fold(R::constant(0.0), |s, at| s + list[at[k]])
        };
        let each = self.bins.iter();
        each.map(|of| [sum(of, 0), sum(of, 1), sum(of, 2)])
            .collect()
    }

    /// Σ (1 − N/N_min)²₊ + (1 − max/relative error)²₊ over bins, times a weight.
    pub fn penalty<R: Real>(&self, list: &[R]) -> R {
        let (zero, one) = (R::constant(0.0), R::constant(1.0));
        let square = |x: R| R::select(x.gt(zero), x, zero).square();
        let mut sum = zero;
        for [n, v, entries] in self.background(list) {
            let few = one - entries / self.min_entries;
            // The error is infinite where nothing is expected.
            let some = n.gt(zero);
            let n = R::select(some, n, zero);
            let root = (R::select(v.gt(zero), v, zero) + SMALLEST * SMALLEST).sqrt();
            let rough = one - n * self.max_mc_error / root;
            sum = sum + square(few) + square(rough);
        }
        sum * WEIGHT
    }

    pub fn gradient(&self, list: &[f64]) -> Result<Vec<f64>> {
        pull(list, |x| self.penalty(x))
    }

    /// The bins that do not have it: channel by channel, with entries and relative error.
    pub fn violated(&self, list: &[f64]) -> Vec<(usize, f64, f64)> {
        let each = self.background(list).into_iter().enumerate();
        each.map(|(k, [n, v, entries])| (k, entries, v.max(0.0).sqrt() / n.max(0.0)))
            .filter(|(_, entries, error)| {
                *entries < self.min_entries || error.is_nan() || *error > self.max_mc_error
            })
            .collect()
    }
}
