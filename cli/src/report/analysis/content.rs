//! From the results of a run to histograms that can be drawn.

use pullback_analysis::run::{Bins, Filled, Results};

use super::super::palette;
use super::stack::{Layer, Stack};

/// The processes of a run in the order in which they are drawn, and their colours: the same in all drawings.
#[derive(Debug, Clone)]
pub struct Colours {
    /// Positions of the processes, from the bottom of the stacks to the top, signals last.
    order: Vec<usize>,
    /// How many of the last ones are lines: signals, unless they are most of what is fitted.
    lines: usize,
    /// By process.
    each: Vec<&'static str>,
}

/// Colours of signals, after the first one.
const SIGNALS: [&str; 3] = [palette::SIGNAL, "#111111", "#5b3a8c"];

impl Colours {
    /// Backgrounds by falling yields.
    pub fn new(results: &Results) -> Self {
        let signal = results.file.fit.as_ref().map(|fit| &fit.signal);
        let is_signal = |p: usize| signal.is_some_and(|s| s.contains(&results.processes[p]));
        let filled = results.histograms.iter().map(|h| &h.nominal);
        let selected = results.cutflows.iter().filter_map(|c| c.steps.last());
        let yields: Vec<&Vec<Bins>> = filled.chain(selected.map(|s| &s.yields)).collect();
        let size = |p: usize| yields.iter().map(|y| y[p].total().0).sum::<f64>();
        let mut sized: Vec<(usize, f64)> =
            (0..results.processes.len()).map(|p| (p, size(p))).collect();
        sized.sort_by(|a, b| (is_signal(a.0).cmp(&is_signal(b.0))).then(b.1.total_cmp(&a.1)));
        let order: Vec<usize> = sized.into_iter().map(|(p, _)| p).collect();
        let signals = order.iter().filter(|p| is_signal(**p)).count();
        let lines = if is_measured(results, &is_signal) {
            0
        } else {
            signals
        };
        let backgrounds = order.len() - signals;
        let mut colours = vec![""; order.len()];
        for (rank, p) in order.iter().enumerate() {
            colours[*p] = match rank.checked_sub(backgrounds) {
                Some(k) => SIGNALS[k % SIGNALS.len()],
                None => palette::sample(rank),
            };
        }
        Self {
            order,
            lines,
            each: colours,
        }
    }

    /// The colour of a process.
    pub fn of(&self, process: usize) -> &'static str {
        self.each[process]
    }

    /// What is stacked, from the bottom to the top.
    pub fn stacked(&self) -> &[usize] {
        &self.order[..self.order.len() - self.lines]
    }

    /// What is drawn as a line: signals.
    pub fn lines(&self) -> &[usize] {
        &self.order[self.order.len() - self.lines..]
    }

    /// Names, colours, and whether it is a line: for a legend.
    pub fn legend(&self, results: &Results) -> Vec<(String, &'static str, bool)> {
        let each = self.order.iter().map(|p| {
            let line = self.lines().contains(p);
            (results.processes[*p].clone(), self.of(*p), line)
        });
        each.collect()
    }

    /// The processes of a histogram, to be drawn.
    pub fn stack(&self, results: &Results, edges: &[f64], bins: &[Bins]) -> Stack {
        let layer = |p: &usize| Layer {
            name: results.processes[*p].clone(),
            colour: self.of(*p),
            sums: bins[*p].sums.clone(),
        };
        let mut variances = vec![0.0; edges.len().saturating_sub(1)];
        for p in self.stacked() {
            let each = variances.iter_mut().zip(&bins[*p].variances);
            each.for_each(|(a, b)| *a += b);
        }
        Stack {
            edges: edges.to_vec(),
            stacked: self.stacked().iter().map(layer).collect(),
            lines: self.lines().iter().map(layer).collect(),
            variances,
            ..Stack::default()
        }
    }

    /// A histogram of a region.
    pub fn histogram(&self, results: &Results, filled: &Filled) -> Stack {
        let plot = &results.file.histograms[filled.plot];
        let region = &results.file.regions[filled.region].name;
        let unit = &results.units[filled.plot];
        // Labels for people often have it already.
        let shown = if plot.label.contains('[') { "" } else { unit };
        Stack {
            about: format!("{} in {region}", plot.name),
            axis: axis(&plot.label, shown),
            unit: unit.clone(),
            observed: filled.observed.as_ref().map(|o| o.sums.clone()),
            ..self.stack(results, &plot.edges, &filled.nominal)
        }
    }
}

/// Whether the signal is more than the backgrounds in a fitted histogram: it is measured there, not looked for, and stands in the stack as all else does.
fn is_measured(results: &Results, is_signal: &dyn Fn(usize) -> bool) -> bool {
    let fitted = results.file.fit.iter().flat_map(|f| &f.channels);
    let mut fitted = fitted.filter_map(|(region, plot)| results.histogram(*plot, *region));
    fitted.any(|filled| {
        let part = |signal: bool| -> f64 {
            let all = filled.nominal.iter().enumerate();
            let of = all.filter(|(p, _)| is_signal(*p) == signal);
            of.map(|(_, b)| b.total().0).sum()
        };
        part(true) > part(false)
    })
}

/// `m_ll [GeV]`.
pub fn axis(label: &str, unit: &str) -> String {
    if unit.is_empty() {
        label.to_owned()
    } else {
        format!("{label} [{unit}]")
    }
}
