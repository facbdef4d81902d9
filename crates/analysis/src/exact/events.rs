//! The selected events of a data set, and its yields as functions of the parameters.

use pullback_array::{Column, Lowered, Workspace, transform};
use pullback_io::{Chunk, Dataset};
use transform::{Relaxation, Smoothing, decisions, interface, jvp, simplify};

use crate::compile::{Compiled, What};
use crate::define::Histogram;
use crate::draws::Drawn;
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, Input, Region};
use crate::place::Place;
use crate::run::{RunOptions, accumulate, widened};
use crate::schema::Schema;
use crate::types::Model;

/// A parameter of the analysis that follows a parameter of the likelihood: start + half · θ.
#[derive(Debug, Clone)]
pub(super) struct Follows {
    /// Position of the systematic.
    pub systematic: usize,
    /// The parameter of the analysis.
    pub parameter: String,
    pub half: f64,
    pub place: Place,
}

/// Yields of each channel, and their derivatives by each parameter.
pub(super) type Yields = (Vec<Vec<f64>>, Vec<Vec<Vec<f64>>>);

/// A data set whose weights follow parameters.
pub(super) struct Set {
    /// Position of its process.
    pub process: usize,
    /// What sums are multiplied by.
    pub scale: f64,
    compiled: Compiled,
    lowered: Lowered,
    memory: Workspace,
    /// Which of the parameters it reads, with the inputs of its tangents in order.
    reads: Vec<usize>,
    /// For each parameter that it reads, its place among the numbers that the program takes, and its start.
    places: Vec<(usize, f64)>,
    /// Outputs: of each channel its bins and their tangents, where there are some.
    outputs: Vec<(usize, Option<usize>)>,
    starts: Vec<Vec<f64>>,
    held: Vec<Chunk>,
}

fn name(channel: usize) -> String {
    format!("_t{channel}")
}

/// What became of a data set.
pub(super) enum Opened {
    /// It was asked to stop.
    Stopped,
    /// No weight of it follows anything.
    Fixed,
    /// Its events are held.
    Held(Box<Set>),
}

impl Set {
    /// Reads a data set. `tell` hears of events, and stops it by saying false.
    pub fn open(
        file: &AnalysisFile,
        input: &Input,
        follows: &[Follows],
        (process, scale): (usize, f64),
        options: &RunOptions,
        tell: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Opened> {
        let (data, schema) = file.opened(input, options.data)?;
        let (model, names) = channels(file, input, &schema)?;
        let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
        let compiled = model.compile(&wanted)?;
        let known: Vec<(&str, &[f64])> = compiled.parameters().collect();
        let place = |f: &Follows| known.iter().position(|(n, _)| *n == f.parameter);
        let acts = |f: &Follows| file.systematics[f.systematic].acts_on(input);
        let (mut reads, mut places) = (Vec::new(), Vec::new());
        for (k, f) in follows.iter().enumerate().filter(|(_, f)| acts(f)) {
            if let Some(at) = place(f) {
                reads.push(k);
                places.push((at, known[at].1.first().copied().unwrap_or(f64::NAN)));
            }
        }
        if reads.is_empty() {
            return Ok(Opened::Fixed);
        }
        let starts = known.iter().map(|(_, s)| s.to_vec()).collect();
        let program = bins_alone(&compiled, &wanted)?;
        for k in &reads {
            refuse_decisions(file, input, &follows[*k], &program)?;
        }
        let wrt: Vec<&str> = (reads.iter().map(|k| follows[*k].parameter.as_str())).collect();
        let lowered = Lowered::new(simplify(&jvp(&program, &wrt)?)?)?;
        let output = |name: &str| {
            let mut all = lowered.program().outputs().iter();
            all.position(|(n, _)| **n == *name)
        };
        let outputs = names.iter();
        let outputs = outputs.filter_map(|n| Some((output(n)?, output(&format!("d_{n}")))));
        let outputs = outputs.collect();
        let Some(held) = select(file, input, &data, (&model, &compiled), tell)? else {
            return Ok(Opened::Stopped);
        };
        let memory = lowered.workspace_with(options.threads, 1024);
        Ok(Opened::Held(Box::new(Self {
            process,
            scale,
            compiled,
            lowered,
            memory,
            reads,
            places,
            outputs,
            starts,
            held,
        })))
    }

    /// Which of the parameters it reads.
    pub fn reads(&self) -> &[usize] {
        &self.reads
    }

    /// The start of a parameter of the analysis, by its position among those that follow.
    pub fn start(&self, follows: usize) -> Option<f64> {
        let place = self.reads.iter().position(|k| *k == follows)?;
        Some(self.places[place].1)
    }

    /// Yields at values of θ, scaled, with derivatives by θ of all that follow.
    pub fn at(&mut self, theta: &[f64], follows: &[Follows]) -> Result<Yields> {
        let mut point = self.starts.clone();
        for (k, (place, start)) in self.reads.iter().zip(&self.places) {
            point[*place] = vec![start + follows[*k].half * theta[*k]];
        }
        let channels = self.outputs.len();
        let (mut bins, mut by) = (
            vec![Vec::new(); channels],
            vec![vec![Vec::new(); channels]; follows.len()],
        );
        for chunk in &self.held {
            // One direction after the other: the sums come with each of them.
            for (pass, direction) in self.reads.iter().enumerate() {
                let along: Vec<f64> = self
                    .reads
                    .iter()
                    .map(|k| {
                        if k == direction {
                            follows[*k].half
                        } else {
                            0.0
                        }
                    })
                    .collect();
                let more: Vec<Column<'_>> = along.iter().map(Column::from).collect();
                let bindings =
                    self.compiled
                        .bind_to(self.lowered.program(), chunk, &point, &more)?;
                self.lowered.run(&mut self.memory, &bindings)?;
                for (c, (value, tangent)) in self.outputs.iter().enumerate() {
                    if pass == 0 {
                        accumulate(&mut bins[c], self.memory.f64(*value));
                    }
                    if let Some(tangent) = tangent {
                        accumulate(&mut by[*direction][c], self.memory.f64(*tangent));
                    }
                }
            }
        }
        let all = bins.iter_mut().chain(by.iter_mut().flatten()).flatten();
        all.for_each(|x| *x *= self.scale);
        Ok((bins, by))
    }
}

/// The histograms of the channels as a model, with their names.
fn channels(file: &AnalysisFile, input: &Input, schema: &Schema) -> Result<(Model, Vec<String>)> {
    let (mut analysis, mut names) = (file.definitions.clone(), Vec::new());
    for region in regions(file) {
        analysis = analysis.region(&region.name, region.cuts.iter().cloned());
    }
    let channels = file.fit.iter().flat_map(|fit| &fit.channels);
    for (k, &(region, plot)) in channels.enumerate() {
        let plot = &file.histograms[plot];
        let one = Histogram::new(plot.of.clone(), plot.edges.clone()).outside(plot.flow);
        let one = one.region(&file.regions[region].name);
        let weight = input.weight.iter().cloned();
        analysis = analysis.histogram(name(k), weight.fold(one, Histogram::weight));
        names.push(name(k));
    }
    Ok((analysis.check(schema)?, names))
}

/// The regions of the channels, each once.
fn regions(file: &AnalysisFile) -> Vec<&Region> {
    let mut positions: Vec<usize> = (file.fit.iter().flat_map(|fit| &fit.channels))
        .map(|c| c.0)
        .collect();
    positions.sort_unstable();
    positions.dedup();
    positions.into_iter().map(|r| &file.regions[r]).collect()
}

/// The events that some channel has: others count for nothing, whatever their weights are. Nothing if it was asked to stop.
fn select(
    file: &AnalysisFile,
    input: &Input,
    data: &Dataset,
    (model, compiled): (&Model, &Compiled),
    tell: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<Vec<Chunk>>> {
    let wanted: Vec<&str> = regions(file).iter().map(|r| r.name.as_str()).collect();
    let selection = model.compile(&wanted)?;
    let lowered = Lowered::new(simplify(&selection.program)?)?;
    let mut ws = lowered.workspace();
    let point: Vec<Vec<f64>> = selection.parameters().map(|(_, s)| s.to_vec()).collect();
    let mut needed = compiled.columns();
    needed.extend(selection.columns());
    needed.sort_unstable();
    needed.dedup();
    let drawn = Drawn::new(file, input, data.schema(), &needed)?;
    let mut held = Vec::new();
    for chunk in data.chunks(&drawn.names())?.map(widened) {
        let chunk = drawn.add(chunk?)?;
        let bindings = selection.bind_to(lowered.program(), &chunk, &point, &[])?;
        lowered.run(&mut ws, &bindings)?;
        let mut keep = vec![false; chunk.entries];
        for k in 0..selection.outputs.len() {
            let passed = ws.bool(k);
            keep.iter_mut().zip(passed).for_each(|(a, b)| *a |= *b != 0);
        }
        held.push(chunk.take(&keep));
        if !tell(chunk.entries as u64) {
            return Ok(None);
        }
    }
    Ok(Some(held))
}

/// The program with the contents of the bins as its outputs.
fn bins_alone(compiled: &Compiled, names: &[&str]) -> Result<pullback_array::Program> {
    let whole = &compiled.program;
    let kept: Vec<Option<&str>> = whole.inputs().iter().map(|(n, _)| Some(&**n)).collect();
    let bins = names.iter().filter_map(|n| {
        let output = compiled.output(n, What::Bins)?;
        let (name, _) = &whole.outputs()[output];
        Some((&**name, *n))
    });
    let bins: Vec<(&str, &str)> = bins.collect();
    Ok(simplify(&interface(whole, &kept, &bins)?)?)
}

/// Refuses a parameter that moves a cut, a bin or a choice.
fn refuse_decisions(
    file: &AnalysisFile,
    input: &Input,
    follows: &Follows,
    program: &pullback_array::Program,
) -> Result<()> {
    let policy = Relaxation::moving(Smoothing::Sigmoid, &[&follows.parameter]);
    let what = match decisions(program, &policy) {
        Ok((list, _)) if list.is_empty() => return Ok(()),
        Ok((list, _)) => {
            let named = list.iter().find_map(|d| d.label(program));
            named.map_or_else(|| "a decision".to_owned(), |n| format!("`{n}`"))
        }
        Err(error) => error.to_string(),
    };
    let systematic = &file.systematics[follows.systematic].name;
    Err(Error::Meaning {
        place: follows.place.clone(),
        message: format!(
            "`{systematic}` cannot be exact: `{}` moves more than weights of `{}`: {what}",
            follows.parameter, input.name
        ),
        help: "leave out `exact`: the selection is then evaluated again at both values, and interpolated".into(),
    })
}
