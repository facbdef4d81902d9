//! One pass over the events of each data set.

use std::num::NonZero;

use pullback_array::Workspace;
use pullback_io::{Chunk, Dataset};

use super::plan::{Pass, Plan, Quantity, Scope, Shift, Values, Weighting, is_seen};
use super::result::{Bins, Cutflow, Filled, Results, Step};
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, Generated, Input};
use crate::place::Source;
use crate::schema::Schema;

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
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
            data: pullback_io::Options::default(),
        }
    }
}

/// Sums of the outputs of each pass, at each of its points.
pub(crate) type Sums = Vec<Vec<Vec<Vec<f64>>>>;

/// What sums are multiplied by: weights, and what follows from their number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// Of weights.
    pub weights: f64,
    /// The part of all events that was summed. Yields stand for all of them, and so do variances and numbers of entries.
    pub fraction: f64,
}

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
        let mut opened = Vec::new();
        for input in &self.datasets {
            let patterns: Vec<String> = (input.files.iter())
                .map(|p| p.to_string_lossy().into_owned())
                .collect();
            let data = Dataset::with_options(&patterns, options.data)?;
            let schema = Schema::of_table(data.schema());
            let plan = Plan::new(self, input, &schema, Scope::Everything)?;
            opened.push((input, data, plan));
        }
        let events = opened.iter().map(|(_, data, _)| data.entries()).sum();
        let plots = self.plots();
        let mut moved: Vec<(usize, &str)> = Vec::new();
        for (input, _, plan) in &opened {
            let systematics = 0..self.systematics.len();
            moved.extend(
                systematics
                    .filter(|s| plan.moves(*s))
                    .map(|s| (s, input.process.as_str())),
            );
        }
        moved.sort_unstable();
        moved.dedup();
        let mut done = 0;
        let mut results = self.empty();
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
            let names = plan.nominal.compiled.columns();
            let chunks = data.chunks(&names)?.map(widened);
            let mut sweep = Sweep::new(plan, &plots, options.threads);
            for chunk in chunks {
                let chunk = chunk?;
                sweep.add(&chunk, &Values::new())?;
                if !tell(chunk.entries as u64) {
                    return Ok(None);
                }
            }
            let sums = sweep.finish();
            let scale = self.scale(input, data.entries(), plan, &sums[0][0])?;
            results.datasets.push((data.entries(), scale));
            check(plan, &sums, input)?;
            let scale = Scale {
                weights: scale,
                fraction: 1.0,
            };
            self.put(&mut results, input, plan, &sums, scale, &moved);
        }
        self.warn(&mut results);
        Ok(Some(results))
    }

    /// Numbers of bins of the histograms.
    pub(crate) fn plots(&self) -> Vec<usize> {
        let all = self.histograms.iter();
        all.map(|h| h.edges.len() - 1).collect()
    }

    pub(crate) fn empty(&self) -> Results {
        let processes: Vec<String> = self.processes().iter().map(|p| (*p).to_owned()).collect();
        let yields = |n: usize| vec![Bins::zeros(n); processes.len()];
        let cutflow = |(r, region): (usize, &crate::file::Region)| Cutflow {
            region: r,
            steps: std::iter::once("")
                .chain(region.cuts.iter().map(Source::text))
                .map(|cut| Step {
                    cut: cut.to_owned(),
                    yields: yields(1),
                })
                .collect(),
        };
        let cutflows: Vec<Cutflow> = self.regions.iter().enumerate().map(cutflow).collect();
        let mut histograms = Vec::new();
        for region in 0..self.regions.len() {
            for (plot, of) in self.histograms.iter().enumerate() {
                if of.regions.contains(&region) {
                    histograms.push(Filled {
                        plot,
                        region,
                        nominal: yields(of.edges.len() - 1),
                        variations: Vec::new(),
                        observed: None,
                    });
                }
            }
        }
        Results {
            file: self.clone(),
            processes,
            datasets: Vec::new(),
            observed: vec![None; self.regions.len()],
            cutflows,
            histograms,
            warnings: Vec::new(),
        }
    }

    /// What the weights of a data set are multiplied by.
    pub(crate) fn scale(
        &self,
        input: &Input,
        entries: u64,
        plan: &Plan,
        nominal: &[Vec<f64>],
    ) -> Result<f64> {
        let (Some(cross_section), Some(luminosity)) = (input.cross_section, self.luminosity) else {
            return Ok(1.0);
        };
        let all = (plan.nominal).item(Quantity::Generated, Weighting::Nominal);
        let generated = match &input.generated {
            Generated::Number(n) => *n,
            Generated::Events => entries as f64,
            Generated::Sum(_) => all.map_or(f64::NAN, |item| nominal[item.outputs.0][0]),
        };
        if generated > 0.0 && generated.is_finite() {
            return Ok(cross_section * luminosity / generated);
        }
        Err(Error::Meaning {
            place: input.place.clone(),
            message: format!(
                "the weights of `{}` add up to {generated}, by which a cross-section cannot be divided",
                input.name
            ),
            help: "look at `generated`, and whether the files have events".into(),
        })
    }

    /// Puts the sums of a data set where they belong.
    pub(crate) fn put(
        &self,
        results: &mut Results,
        input: &Input,
        plan: &Plan,
        sums: &Sums,
        scale: Scale,
        moved: &[(usize, &str)],
    ) {
        let process = results.processes.iter().position(|p| *p == input.process);
        let bins = |pass: &Pass, sums: &[Vec<f64>], quantity, weighting| -> Option<Bins> {
            let raw = pass.item(quantity, Weighting::Raw)?;
            let weighted = pass.item(quantity, weighting).unwrap_or(raw);
            let values = |output: usize, factor: f64| {
                let each = sums[output].iter();
                each.map(|x| x * factor).collect()
            };
            Some(Bins {
                sums: values(weighted.outputs.0, scale.weights / scale.fraction),
                variances: values(weighted.outputs.1, scale.weights.powi(2) / scale.fraction),
                entries: values(raw.outputs.0, 1.0 / scale.fraction),
            })
        };
        let nominal_bins =
            |quantity, weighting| bins(&plan.nominal, &sums[0][0], quantity, weighting);
        for (r, cutflow) in results.cutflows.iter_mut().enumerate() {
            for (cuts, step) in cutflow.steps.iter_mut().enumerate() {
                let found = nominal_bins(Quantity::Step { region: r, cuts }, Weighting::Nominal);
                let Some(found) = found else { continue };
                if input.observed {
                    let n = self.regions[r].cuts.len() + 1;
                    let seen = results.observed[r].get_or_insert_with(|| vec![0.0; n]);
                    seen[cuts] += found.entries[0];
                } else if let Some(p) = process {
                    step.yields[p].add(&found);
                }
            }
        }
        let counts = results.processes.len();
        for filled in &mut results.histograms {
            let quantity = Quantity::Plot {
                plot: filled.plot,
                region: filled.region,
            };
            let Some(nominal) = nominal_bins(quantity, Weighting::Nominal) else {
                continue;
            };
            if input.observed {
                debug_assert!(is_seen(self, input, filled.region));
                let n = nominal.sums.len();
                filled
                    .observed
                    .get_or_insert_with(|| Bins::zeros(n))
                    .add(&nominal);
                continue;
            }
            let Some(p) = process else { continue };
            filled.nominal[p].add(&nominal);
            let mut vary = |systematic: usize, shift: Shift, found: &Bins| {
                let place = filled
                    .variations
                    .iter()
                    .position(|(s, d, _)| (*s, *d) == (systematic, shift));
                let place = place.unwrap_or_else(|| {
                    filled
                        .variations
                        .push((systematic, shift, vec![None; counts]));
                    filled.variations.len() - 1
                });
                filled.variations[place].2[p]
                    .get_or_insert_with(|| Bins::zeros(found.sums.len()))
                    .add(found);
            };
            for (pass, sums) in plan.shifted.iter().zip(sums.iter().skip(1)) {
                for ((which, _), sums) in pass.points.iter().zip(sums) {
                    let found = bins(pass, sums, quantity, Weighting::Nominal);
                    if let (Some((s, shift)), Some(found)) = (*which, found) {
                        vary(s, shift, &found);
                    }
                }
            }
            // What a systematic moves in other data sets of the process alone is here as it was.
            for (s, of) in moved.iter().filter(|(s, _)| !plan.moves(*s)) {
                if *of == input.process {
                    vary(*s, Shift::Up, &nominal);
                    vary(*s, Shift::Down, &nominal);
                }
            }
            for item in plan.nominal.items.iter().filter(|i| i.quantity == quantity) {
                if let Weighting::Factor { systematic, shift } = item.weighting
                    && let Some(found) = nominal_bins(quantity, item.weighting)
                {
                    vary(systematic, shift, &found);
                }
            }
        }
    }

    /// What is easily overlooked.
    fn warn(&self, results: &mut Results) {
        let channels = self.fit.iter().flat_map(|fit| &fit.channels);
        let has_data = self.datasets.iter().any(|d| d.observed);
        for &(region, plot) in channels.filter(|_| has_data) {
            let filled = results.histogram(plot, region);
            if filled.is_some_and(|f| f.observed.is_none()) {
                let name = &self.regions[region].name;
                let message = format!(
                    "`{name}` is blind: in the workspace its observations are the expected yields"
                );
                results.warnings.push(message);
            }
        }
        for (s, systematic) in self.systematics.iter().enumerate() {
            let mut filled = results.histograms.iter();
            let moves = filled.any(|h| h.variations.iter().any(|(k, ..)| *k == s));
            if !moves && !matches!(systematic.effect, crate::file::Effect::Norm { .. }) {
                let name = &systematic.name;
                let message = format!("the systematic `{name}` moves no histogram");
                results.warnings.push(message);
            }
        }
        for cutflow in &results.cutflows {
            let region = &self.regions[cutflow.region].name;
            let Some(last) = cutflow.steps.last() else {
                continue;
            };
            for (process, bins) in results.processes.iter().zip(&last.yields) {
                if bins.entries[0] == 0.0 {
                    let message = format!("no event of `{process}` is selected in `{region}`");
                    results.warnings.push(message);
                }
            }
        }
        for filled in &results.histograms {
            let (plot, region) = (
                &self.histograms[filled.plot].name,
                &self.regions[filled.region].name,
            );
            for (process, bins) in results.processes.iter().zip(&filled.nominal) {
                let negative = bins.sums.iter().filter(|x| **x < 0.0).count();
                if negative > 0 {
                    results.warnings.push(format!(
                        "`{plot}` of `{process}` in `{region}` is negative in {negative} of {} bins",
                        bins.sums.len()
                    ));
                }
            }
        }
    }
}

/// A chunk whose columns have types of the engine.
pub(crate) fn widened(chunk: pullback_io::Result<Chunk>) -> Result<Chunk> {
    let mut chunk = chunk?;
    let columns = std::mem::take(&mut chunk.columns).into_iter();
    chunk.columns = columns.map(pullback_io::Column::widen).collect();
    Ok(chunk)
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
        let zeros =
            |pass: &Pass| vec![vec![Vec::new(); pass.compiled.outputs.len()]; pass.points.len()];
        Self {
            plan,
            plots,
            memory: (plan.passes())
                .map(|pass| pass.lowered.workspace_with(threads, 1024))
                .collect(),
            sums: plan.passes().map(zeros).collect(),
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
                    let found = ws.f64(k);
                    sum.resize(found.len(), 0.0);
                    sum.iter_mut().zip(found).for_each(|(a, b)| *a += b);
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
                        Quantity::Plot { plot, .. } => self.plots[plot],
                        _ => 1,
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
pub(crate) fn check(plan: &Plan, sums: &Sums, input: &Input) -> Result<()> {
    let finite = |(pass, sums): (&Pass, &Vec<Vec<Vec<f64>>>)| {
        sums.iter().all(|sums| {
            let mut of = pass.items.iter().map(|item| &sums[item.outputs.0]);
            of.all(|sum| sum.iter().all(|x| x.is_finite()))
        })
    };
    if plan.passes().zip(sums).all(finite) {
        return Ok(());
    }
    let weight = input.weight.as_ref().map(Source::everywhere);
    Err(Error::Meaning {
        place: weight.unwrap_or_else(|| input.place.clone()),
        message: format!("some weights of `{}` are NaN or infinite", input.name),
        help: "where such events are to count for nothing, write the weight as `w if abs(w) < 1e10 else 0`".into(),
    })
}
