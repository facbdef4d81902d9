//! Where the numbers of all templates are in one list, and how sums of outputs become them.

use std::collections::HashMap;

use super::events::Set;
use crate::file::AnalysisFile;
use crate::run::{Bins, Filled, Item, Quantity, Results, Shift, Sums, Weighting};

/// What a block of bins holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Expected events.
    Yield,
    /// Their variance from the number of simulated events.
    Variance,
    /// Simulated events.
    Entries,
    /// Expected events with a systematic at one standard deviation.
    Varied(usize, Shift),
    /// Their variance from the number of simulated events, of a variation from other files.
    Spread(usize, Shift),
    /// Expected events with a member of a vector of weights, by systematic and position in the vector.
    Member(usize, usize),
}

impl Kind {
    /// What a variation by weights fills.
    fn of(weighting: Weighting) -> Option<Self> {
        match weighting {
            Weighting::Factor { systematic, shift } => Some(Self::Varied(systematic, shift)),
            Weighting::Member { systematic, member } => Some(Self::Member(systematic, member)),
            Weighting::Raw | Weighting::Nominal => None,
        }
    }
}

/// Bins of one kind, of a process in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Block {
    pub process: usize,
    pub channel: usize,
    pub kind: Kind,
}

/// An output of a program of a data set, and the block that it is a part of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    pub output: usize,
    pub start: usize,
    pub bins: usize,
    pub kind: Kind,
    /// What a campaign changes by, where that is all that a variation does to it; else 1.
    pub factor: f64,
}

/// The list: blocks of bins.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// Region, histogram and number of bins of each channel.
    pub channels: Vec<(usize, usize, usize)>,
    /// Names of the processes.
    pub processes: Vec<String>,
    /// Which processes are signal.
    pub signal: Vec<bool>,
    blocks: HashMap<Block, usize>,
    len: usize,
    /// For each data set.
    pub routes: Vec<Vec<Route>>,
}

impl Layout {
    pub fn new(file: &AnalysisFile, sets: &[Set<'_>]) -> Self {
        let processes: Vec<String> = file.processes().iter().map(|p| (*p).to_owned()).collect();
        let fit = file.fit.iter();
        let channels = fit.clone().flat_map(|fit| &fit.channels);
        let mut layout = Self {
            channels: channels
                .map(|(r, p)| (*r, *p, file.histograms[*p].edges.len() - 1))
                .collect(),
            signal: (processes.iter())
                .map(|p| fit.clone().any(|fit| fit.signal.contains(p)))
                .collect(),
            processes,
            ..Self::default()
        };
        for set in sets {
            let routes = layout.routes_of(file, set, sets);
            layout.routes.push(routes);
        }
        layout
    }

    fn routes_of(&mut self, file: &AnalysisFile, set: &Set<'_>, all: &[Set<'_>]) -> Vec<Route> {
        let mut routes = Vec::new();
        let Some(process) = self.processes.iter().position(|p| *p == set.input.process) else {
            return routes;
        };
        let nominal = all.iter().filter(|s| s.variant.is_none());
        let moved: Vec<(usize, &str)> = nominal
            .flat_map(|s| {
                let moved = (0..file.systematics.len()).filter(|k| s.plan.moves(*k));
                moved.map(|k| (k, s.input.process.as_str()))
            })
            .collect();
        let standing = file.standing(set.input, &set.plan, &moved);
        for channel in 0..self.channels.len() {
            let (region, plot, bins) = self.channels[channel];
            let quantity = Quantity::Plot { plot, region };
            let mut add = |layout: &mut Self, kind, output, factor| {
                let block = Block {
                    process,
                    channel,
                    kind,
                };
                let start = layout.take(block);
                routes.push(Route {
                    output,
                    start,
                    bins,
                    kind,
                    factor,
                });
            };
            let plan = &set.plan;
            let Some(raw) = plan.item(quantity, Weighting::Raw) else {
                continue;
            };
            let weighted = plan.item(quantity, Weighting::Nominal).unwrap_or(raw);
            if let Some((s, shift)) = set.variant {
                add(self, Kind::Varied(s, shift), weighted.outputs.0, 1.0);
                add(self, Kind::Spread(s, shift), weighted.outputs.1, 1.0);
                continue;
            }
            add(self, Kind::Yield, weighted.outputs.0, 1.0);
            add(self, Kind::Variance, weighted.outputs.1, 1.0);
            add(self, Kind::Entries, raw.outputs.0, 1.0);
            let fixed = |i: &&Item| i.quantity == quantity && i.moved.is_none();
            for item in plan.items.iter().filter(fixed) {
                if let Some(kind) = Kind::of(item.weighting) {
                    add(self, kind, item.outputs.0, 1.0);
                }
            }
            // A data set that a variation does not move is as it was.
            for &(weighting, factor) in &standing {
                if let Some(kind) = Kind::of(weighting) {
                    add(self, kind, weighted.outputs.0, factor);
                }
            }
            for v in &plan.variations {
                let of =
                    |weighting| plan.item_of(Some((v.systematic, v.shift)), quantity, weighting);
                if let Some(item) = of(Weighting::Nominal).or_else(|| of(Weighting::Raw)) {
                    add(
                        self,
                        Kind::Varied(v.systematic, v.shift),
                        item.outputs.0,
                        1.0,
                    );
                }
            }
        }
        routes
    }

    fn take(&mut self, block: Block) -> usize {
        let bins = self.channels[block.channel].2;
        let end = self.len;
        let start = *self.blocks.entry(block).or_insert(end);
        self.len = self.len.max(start + bins);
        start
    }

    /// Number of entries of the list.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Where a block begins.
    pub fn start(&self, process: usize, channel: usize, kind: Kind) -> Option<usize> {
        let block = Block {
            process,
            channel,
            kind,
        };
        self.blocks.get(&block).copied()
    }

    /// What an output is multiplied by, of a part of the events: the numbers stand for all of them.
    pub fn factor(route: &Route, set: &Set<'_>, fraction: f64) -> f64 {
        let w = set.weights * route.factor;
        match route.kind {
            Kind::Yield | Kind::Varied(..) | Kind::Member(..) => w / fraction,
            Kind::Variance | Kind::Spread(..) => w * w / fraction,
            Kind::Entries => 1.0 / fraction,
        }
    }

    /// Adds the sums of a data set to the list.
    pub fn add(&self, into: &mut [f64], k: usize, set: &Set<'_>, fraction: f64, sums: &Sums) {
        for route in &self.routes[k] {
            let factor = Self::factor(route, set, fraction);
            let found = &sums[route.output];
            let into = into[route.start..].iter_mut();
            into.zip(found).for_each(|(a, b)| *a += factor * b);
        }
    }

    fn bins(&self, list: &[f64], process: usize, channel: usize) -> Bins {
        let bins = self.channels[channel].2;
        let of = |kind| {
            let start = self.start(process, channel, kind);
            start.map_or_else(|| vec![0.0; bins], |s| list[s..s + bins].to_vec())
        };
        Bins {
            sums: of(Kind::Yield),
            variances: of(Kind::Variance),
            entries: of(Kind::Entries),
        }
    }

    /// The results of a run that has the channels alone.
    pub fn results(&self, file: &AnalysisFile, list: &[f64]) -> Results {
        let mut results = file.empty();
        for (channel, &(region, plot, bins)) in self.channels.iter().enumerate() {
            let own = |h: &&mut Filled| h.plot == plot && h.region == region;
            let Some(filled) = results.histograms.iter_mut().find(own) else {
                continue;
            };
            for process in 0..self.processes.len() {
                filled.nominal[process] = self.bins(list, process, channel);
            }
            let of = |kind: Kind| -> Option<Vec<Option<Bins>>> {
                let of = |process: usize| {
                    let start = self.start(process, channel, kind)?;
                    Some(Bins {
                        sums: list[start..start + bins].to_vec(),
                        ..Bins::zeros(bins)
                    })
                };
                let found: Vec<Option<Bins>> = (0..self.processes.len()).map(of).collect();
                found.iter().any(Option::is_some).then_some(found)
            };
            for (s, systematic) in file.systematics.iter().enumerate() {
                for shift in [Shift::Up, Shift::Down] {
                    let found = of(Kind::Varied(s, shift));
                    filled.variations.extend(found.map(|f| (s, shift, f)));
                }
                for &member in systematic.effect.members() {
                    let found = of(Kind::Member(s, member));
                    filled.members.extend(found.map(|f| (s, member, f)));
                }
            }
        }
        results.combine();
        results
    }
}
