//! One pass over the events of each data set.

use std::num::NonZero;

use pullback_array::Workspace;
use pullback_io::{Chunk, Dataset};

use super::collect::Scale;
use super::compared::Compared;
use super::estimates::acts;
use super::plan::{Item, Pass, Plan, Quantity, Scope, Values};
use super::result::Results;
use crate::draws::Drawn;
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, COLUMNS, Input};
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

/// Sums of the outputs of each pass, at each of its points.
pub(crate) type Sums = Vec<Vec<Vec<Vec<f64>>>>;

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
            let patterns: Vec<String> = (input.files.iter())
                .map(|p| p.to_string_lossy().into_owned())
                .collect();
            let data = Dataset::with_options(&patterns, options.data)?;
            let schema = self.schema_of(data.schema())?;
            let plan = Plan::new(self, input, &schema, Scope::Everything)?;
            opened.push((input, data, plan));
        }
        let compared = self.look(options, &mut opened)?;
        let events = opened.iter().map(|(_, data, _)| data.entries()).sum();
        let plots = self.plots();
        let mut moved: Vec<(usize, &str)> = Vec::new();
        for (input, _, plan) in &opened {
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
        for (input, data, plan) in &opened {
            let mut tell = |more: u64| {
                done += more;
                progress(Progress {
                    dataset: &input.name,
                    done,
                    events,
                })
            };
            // What is varied is among what is nominal, and so are its columns.
            let mut names = plan.nominal.compiled.columns();
            let certified = self.certified.as_ref().filter(|_| input.observed);
            if let Some(certified) = certified {
                let known = |column: &str| {
                    let mut fields = data.schema().fields().iter();
                    fields.any(|f| f.name == column)
                };
                if let Some(column) = COLUMNS.into_iter().find(|c| !known(c)) {
                    return Err(certified.missing(column, &input.name));
                }
                let more = COLUMNS.into_iter().filter(|c| !names.contains(c));
                names.extend(more.collect::<Vec<_>>());
            }
            let drawn = Drawn::new(self, input, data.schema(), &names)?;
            let chunks = data.chunks(&drawn.names())?.map(widened);
            let mut sweep = Sweep::new(plan, &plots, options.threads);
            for chunk in chunks {
                let chunk = drawn.add(chunk?)?;
                let read = chunk.entries as u64;
                let none = Values::new();
                let folds = match &self.folds {
                    Some(folds) => folds.of(&input.name, &chunk),
                    None => vec![(chunk, &none)],
                };
                for (chunk, values) in folds {
                    let chunk = match certified {
                        Some(certified) => certified.of(&chunk)?,
                        None => chunk,
                    };
                    sweep.add(&chunk, values)?;
                }
                if !tell(read) {
                    return Ok(None);
                }
            }
            let sums = sweep.finish();
            let scale = self.scale(input, data.entries(), plan, &sums[0][0])?;
            results.datasets.push((data.entries(), scale));
            check(self, plan, &sums, input)?;
            let scale = Scale {
                weights: scale,
                fraction: 1.0,
            };
            self.put(&mut results, input, plan, &sums, scale, &moved);
        }
        self.fill_abcd(&mut results)?;
        results.combine();
        self.warn(&mut results);
        Ok(Some(results))
    }

    /// The cuts whose distributions are wanted, in the plans as well.
    fn look(
        &self,
        options: &RunOptions,
        opened: &mut [(&Input, Dataset, Plan)],
    ) -> Result<Vec<Compared>> {
        if !options.n_minus_one {
            return Ok(Vec::new());
        }
        let schemas = opened.iter().map(|(input, data, _)| {
            let schema = self.schema_of(data.schema())?;
            Ok((*input, data, schema))
        });
        let compared = self.compared(&schemas.collect::<Result<Vec<_>>>()?)?;
        for (input, data, plan) in opened {
            let schema = self.schema_of(data.schema())?;
            *plan = Plan::with(self, input, &schema, Scope::Everything, &compared)?;
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

/// Sums of all outputs over chunks, at each point of the parameters.
pub(crate) struct Sweep<'a> {
    plan: &'a Plan,
    plots: &'a [usize],
    memory: Vec<Workspace>,
    sums: Sums,
    any: bool,
}

impl<'a> Sweep<'a> {
    /// `plots` are the numbers of bins of the histograms.
    pub fn new(plan: &'a Plan, plots: &'a [usize], threads: usize) -> Self {
        Self {
            plan,
            plots,
            memory: (plan.passes())
                .map(|pass| pass.lowered.workspace_with(threads, 1024))
                .collect(),
            sums: plan.sums(),
            any: false,
        }
    }

    /// Adds a chunk.
    pub fn add(&mut self, chunk: &Chunk, values: &Values) -> Result<()> {
        self.any = true;
        let passes = self.plan.passes().zip(&mut self.memory);
        for ((pass, ws), sums) in passes.zip(&mut self.sums) {
            for (point, sums) in pass.points_at(values).iter().zip(sums) {
                let program = pass.lowered.program();
                let bindings = pass.compiled.bind_to(program, chunk, point, &[])?;
                pass.lowered.run(ws, &bindings)?;
                for (k, sum) in sums.iter_mut().enumerate() {
                    accumulate(sum, ws.f64(k));
                }
            }
        }
        Ok(())
    }

    /// The sums: of nothing, where there was no chunk.
    pub fn finish(mut self) -> Sums {
        if self.any {
            return self.sums;
        }
        for (pass, sums) in self.plan.passes().zip(&mut self.sums) {
            for sums in sums {
                for item in &pass.items {
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
                    sums[item.outputs.0] = vec![0.0; bins];
                    sums[item.outputs.1] = vec![0.0; bins];
                }
            }
        }
        self.sums
    }
}

/// Weights that are not finite spoil everything that they are added to.
pub(crate) fn check(file: &AnalysisFile, plan: &Plan, sums: &Sums, input: &Input) -> Result<()> {
    let spoiled = |(pass, sums): (&Pass, &Vec<Vec<Vec<f64>>>)| {
        let finite = |item: &Item| {
            let mut of = sums.iter().flat_map(|sums| &sums[item.outputs.0]);
            of.all(|x| x.is_finite())
        };
        let found = pass.items.iter().find(|item| !finite(item));
        found.map(|item| item.quantity)
    };
    let mut weight = input.weight.as_ref().map(Source::everywhere);
    match plan.passes().zip(sums).find_map(spoiled) {
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
