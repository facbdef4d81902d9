//! One pass over the events of each data set.

use std::num::NonZero;

use pullback_array::{Column, Workspace};
use pullback_io::Chunk;

use super::collect::Scale;
use super::compared::Compared;
use super::estimates::acts;
use super::open::Opened;
use super::plan::{Item, Plan, Quantity, Scope, Values};
use super::result::Results;
use super::tangent::Tangents;
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, Input};
use crate::place::Source;

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The data set.
    pub dataset: &'a str,
    /// Events done, of all data sets.
    pub done: u64,
    /// Events of all data sets.
    pub events: u64,
}

/// How an analysis is run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Threads that work on a chunk.
    pub threads: usize,
    /// How files are read.
    pub data: pullback_io::Options,
    /// Whether the distributions of what cuts decide on are wanted. A first look at the events sets their ranges; they are filled together with the rest.
    pub n_minus_one: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
            data: pullback_io::Options::default(),
            n_minus_one: false,
        }
    }
}

/// Sums of the outputs of a program.
pub(crate) type Sums = Vec<Vec<f64>>;

impl AnalysisFile {
    /// Reads all events and fills everything. `progress` is told how far the run is, and stops it by returning false.
    ///
    /// # Errors
    /// Files that cannot be read, expressions that do not fit to their columns, weights that are not finite.
    pub fn run(
        &self,
        options: &RunOptions,
        progress: &mut dyn FnMut(Progress<'_>) -> bool,
    ) -> Result<Option<Results>> {
        self.check_estimates()?;
        let mut opened = Vec::new();
        for input in &self.datasets {
            opened.push(Opened::new(self, input, options)?);
        }
        let compared = self.look(options, &mut opened)?;
        let plain = self.of_variants();
        let mut variants = Vec::new();
        for variant in self.variants() {
            variants.push((variant, Opened::new(&plain, variant.input, options)?));
        }
        let all = opened.iter().chain(variants.iter().map(|(_, o)| o));
        let events = all.map(|o| o.data.entries()).sum();
        let plots = self.plots();
        let mut moved: Vec<(usize, &str)> = Vec::new();
        for Opened { input, plan, .. } in &opened {
            let systematics = 0..self.systematics.len();
            moved.extend(
                systematics
                    .filter(|s| plan.moves(*s) && acts(&self.systematics[*s], input))
                    .map(|s| (s, input.process.as_str())),
            );
        }
        moved.sort_unstable();
        moved.dedup();
        let mut done = 0;
        let mut results = self.empty();
        let processes = results.processes.len();
        results.n_minus_one = compared.iter().map(|c| c.empty(processes)).collect();
        let nominal = opened.iter().map(|o| (None, o));
        let varied = variants.iter().map(|(variant, o)| (Some(*variant), o));
        for (variant, opened) in nominal.chain(varied) {
            let Opened {
                input, data, plan, ..
            } = opened;
            let mut tell = |more: u64| {
                done += more;
                progress(Progress {
                    dataset: &input.name,
                    done,
                    events,
                })
            };
            let mut tangents = Tangents::new(self, input, plan, data, options.threads)?;
            let sums = opened.sums(self, &plots, options, &mut tangents, &mut tell)?;
            let Some(sums) = sums else { return Ok(None) };
            let weights = self.scale(input, data.entries(), plan, &sums)?;
            let scale = Scale {
                weights,
                fraction: 1.0,
            };
            if let Some(variant) = variant {
                let events = data.entries();
                results.variants.push(variant.stood(events, weights));
                results.put_variant(variant, plan, &sums, scale);
            } else {
                results.datasets.push((data.entries(), weights));
                self.put(&mut results, input, plan, &sums, scale, &moved);
                tangents.put(&mut results, input, scale)?;
            }
        }
        self.fill_abcd(&mut results)?;
        results.combine();
        results.linearise();
        self.warn(&mut results);
        Ok(Some(results))
    }

    /// The cuts whose distributions are wanted, in the plans as well.
    fn look(&self, options: &RunOptions, opened: &mut [Opened<'_>]) -> Result<Vec<Compared>> {
        if !options.n_minus_one {
            return Ok(Vec::new());
        }
        let schemas = opened.iter().map(|o| (o.input, &o.data, &o.schema));
        let compared = self.compared(&schemas.collect::<Vec<_>>())?;
        for o in opened {
            o.plan = Plan::with(self, o.input, &o.schema, Scope::Everything, &compared)?;
        }
        Ok(compared)
    }

    /// Numbers of bins of the histograms.
    pub(crate) fn plots(&self) -> Vec<usize> {
        let all = self.histograms.iter();
        all.map(|h| h.edges.len() - 1).collect()
    }
}

/// A chunk whose columns have types of the engine.
pub(crate) fn widened(chunk: pullback_io::Result<Chunk>) -> Result<Chunk> {
    let mut chunk = chunk?;
    let columns = std::mem::take(&mut chunk.columns).into_iter();
    chunk.columns = columns.map(pullback_io::Column::widen).collect();
    Ok(chunk)
}

/// Adds numbers to a sum, which has none at first.
pub(crate) fn accumulate(sum: &mut Vec<f64>, found: &[f64]) {
    sum.resize(found.len(), 0.0);
    sum.iter_mut().zip(found).for_each(|(a, b)| *a += b);
}

/// Sums of all outputs over chunks.
pub(crate) struct Sweep<'a> {
    plan: &'a Plan,
    plots: &'a [usize],
    memory: Workspace,
    sums: Sums,
    any: bool,
}

impl<'a> Sweep<'a> {
    /// `plots` are the numbers of bins of the histograms.
    pub fn new(plan: &'a Plan, plots: &'a [usize], threads: usize) -> Self {
        Self {
            plan,
            plots,
            memory: plan.lowered.workspace_with(threads, 1024),
            sums: plan.sums(),
            any: false,
        }
    }

    /// Adds a chunk.
    pub fn add(&mut self, chunk: &Chunk, values: &Values) -> Result<()> {
        self.any = true;
        let plan = self.plan;
        let point = plan.point_at(values);
        let lanes: Vec<Column<'_>> = plan.moved().collect();
        let program = plan.lowered.program();
        let bindings = plan.compiled.bind_to(program, chunk, &point, &lanes)?;
        plan.lowered.run(&mut self.memory, &bindings)?;
        for (k, sum) in self.sums.iter_mut().enumerate() {
            accumulate(sum, self.memory.f64(k));
        }
        Ok(())
    }

    /// The sums: of nothing, where there was no chunk.
    pub fn finish(mut self) -> Sums {
        if self.any {
            return self.sums;
        }
        for item in &self.plan.items {
            let bins = match item.quantity {
                Quantity::Plot { plot, .. }
                | Quantity::Estimate {
                    plot: Some(plot), ..
                } => self.plots[plot],
                Quantity::Compared { bins, .. } => bins,
                Quantity::Step { .. }
                | Quantity::Generated
                | Quantity::Estimate { plot: None, .. } => 1,
            };
            self.sums[item.outputs.0] = vec![0.0; bins];
            self.sums[item.outputs.1] = vec![0.0; bins];
        }
        self.sums
    }
}

/// Weights that are not finite spoil everything that they are added to.
pub(crate) fn check(file: &AnalysisFile, plan: &Plan, sums: &Sums, input: &Input) -> Result<()> {
    let finite = |item: &&Item| sums[item.outputs.0].iter().all(|x| x.is_finite());
    let spoiled = plan.items.iter().find(|item| !finite(item));
    let mut weight = input.weight.as_ref().map(Source::everywhere);
    match spoiled.map(|item| item.quantity) {
        None => return Ok(()),
        // Of an observed event, or where the weight of the process is finite: its own would have been found before.
        Some(Quantity::Estimate { estimate, .. }) => {
            weight = Some(file.estimates[estimate].weight.everywhere());
        }
        Some(_) => {}
    }
    Err(Error::Meaning {
        place: weight.unwrap_or_else(|| input.place.clone()),
        message: format!("some weights of `{}` are NaN or infinite", input.name),
        help: "where such events are to count for nothing, write the weight as `w if abs(w) < 1e10 else 0`".into(),
    })
}
