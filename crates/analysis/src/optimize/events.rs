//! The events of a data set in three parts, and those of them that can matter.

use std::num::NonZero;
use std::sync::Arc;

use pullback_array::{Column, Lowered, Workspace, transform};
use pullback_io::{Chunk, Dataset};
use transform::{Relaxation, Smoothing};

use super::split::{Part, Portion, Split};
use crate::compile::Compiled;
use crate::define::Analysis;
use crate::draws::Drawn;
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, Draws, Free, Generated, Input, Optimisation, ToldApart};
use crate::run::{
    Plan, Quantity, Scope, Shift, Sweep, Values, Variation, Weighting, edges_name, shared, widened,
};
use crate::schema::Schema;

/// How an optimisation works.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads that work on a chunk.
    pub threads: usize,
    /// How files are read.
    pub data: pullback_io::Options,
    /// Bytes of events that may be held in memory; what is beyond is read again in each step.
    pub memory: usize,
    /// Whether events that fail cuts which do not move are left out of what is held.
    pub skim: bool,
    /// The fold whose events are for the test, where there are folds.
    pub fold: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
            data: pullback_io::Options::default(),
            memory: 4 << 30,
            skim: true,
            fold: 0,
        }
    }
}

/// What all data sets of an optimisation have in common.
pub(super) struct Setting<'s> {
    pub file: &'s AnalysisFile,
    pub optimisation: &'s Optimisation,
    /// The inputs that may move.
    pub free: &'s [String],
    pub options: &'s Options,
}

/// A simulated data set.
pub(super) struct Set<'a> {
    pub input: &'a Input,
    /// The variation that it is; nothing for a nominal one.
    pub variant: Option<(usize, Shift)>,
    pub plan: Arc<Plan>,
    /// What the weights of all events are multiplied by.
    pub weights: f64,
    /// For each part, its number of events.
    pub entries: [u64; 3],
    /// For each part, its share of the weights of all generated events.
    fractions: [f64; 3],
    /// For each batch, its share of the training events.
    batches: Vec<f64>,
    data: Dataset,
    schema: Schema,
    drawn: Drawn,
    skim: Option<Skim>,
    split: Split,
    /// Chunks, each of one slot of the split.
    held: Option<Vec<(usize, Chunk)>>,
}

/// The names of the inputs that may move.
pub(super) fn free_inputs(file: &AnalysisFile, optimisation: &Optimisation) -> Vec<String> {
    let name = |free: &Free| match free {
        Free::Parameter { name, .. } | Free::Network { name } => name.clone(),
        Free::Edges { plot, .. } => edges_name(&file.histograms[*plot].name),
    };
    optimisation.free.iter().map(name).collect()
}

impl<'a> Set<'a> {
    /// Opens a data set, which may be a variation, and reads its events once; nothing if `tell`, which hears of events, says stop.
    pub fn open(
        setting: &Setting<'_>,
        input: &'a Input,
        variant: Option<(usize, Shift)>,
        memory: &mut usize,
        tell: &mut dyn FnMut(&str, u64) -> bool,
    ) -> Result<Option<Self>> {
        let Setting {
            optimisation,
            free,
            options,
            ..
        } = *setting;
        let plain = variant.map(|_| setting.file.of_variants());
        let file = plain.as_ref().unwrap_or(setting.file);
        let (data, schema) = file.opened(input, options.data)?;
        let plan = Plan::new(file, input, &schema, Scope::Channels)?;
        let mut skim = if options.skim {
            Skim::new(file, &schema, free, &plan)?
        } else {
            None
        };
        let mut names = plan.compiled.columns();
        let more = skim.iter().flat_map(|s| s.compiled.columns());
        names.extend(more);
        let networks = network_columns(file, optimisation, &schema)?;
        names.extend(networks.iter().map(String::as_str));
        let mut names: Vec<String> = names.into_iter().map(String::from).collect();
        let folds = optimisation.folds.is_some();
        let identity = shared(setting.file, input, options.data, folds)?;
        let draws = Draws::new(optimisation.seed, &input.name, identity);
        let split = Split::new(optimisation, draws, options.fold);
        names.extend(split.columns().iter().map(|name| (*name).to_owned()));
        names.sort_unstable();
        names.dedup();
        let plots = file.plots();
        let mut sums = Part::ALL.map(|_| Sweep::new(&plan, &plots, options.threads));
        let mut entries = [0_u64; 3];
        let mut slots = vec![0_u64; split.slots()];
        let mut held = Some(Vec::new());
        let columns: Vec<&str> = names.iter().map(String::as_str).collect();
        let drawn = Drawn::new(file, input, data.schema(), &columns)?;
        for chunk in data.chunks(&drawn.names())?.map(widened) {
            let chunk = drawn.add(chunk?)?;
            let own = split.of(&chunk)?;
            for (k, part) in Part::ALL.into_iter().enumerate() {
                let range = split.range(part.into());
                let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<bool> {
                    own.iter().map(|slot| wanted(*slot)).collect()
                };
                let whole = chunk.take(&of(&|slot| range.contains(&slot)));
                entries[k] += whole.entries as u64;
                sums[k].add(&whole, &Values::new())?;
                for slot in range.clone() {
                    let share = chunk.take(&of(&|s| s == slot));
                    slots[slot] += share.entries as u64;
                    let kept = match &mut skim {
                        Some(skim) => share.take(&skim.keep(&share)?),
                        None => share,
                    };
                    if let Some(held) = &mut held {
                        *memory = memory.saturating_sub(kept.bytes());
                        held.push((slot, kept));
                    }
                }
            }
            if *memory == 0 {
                held = None;
            }
            if !tell(&input.name, chunk.entries as u64) {
                return Ok(None);
            }
        }
        let sums = sums.map(Sweep::finish);
        let all = plan
            .item(Quantity::Generated, Weighting::Nominal)
            .map(|item| item.outputs.0);
        let generated = |k: usize| match (all, &input.generated) {
            (Some(output), Generated::Sum(_)) => sums[k][output][0],
            _ => entries[k] as f64,
        };
        let parts = [generated(0), generated(1), generated(2)];
        let mut total = sums[0].clone();
        if let Some(output) = all {
            total[output] = vec![parts.iter().sum()];
        }
        let weights = file.scale(input, data.entries(), &plan, &total)?;
        for sums in &sums {
            crate::run::check(file, &plan, sums, input)?;
        }
        let whole: f64 = parts.iter().sum();
        let slots = &slots[split.range(Part::Training.into())];
        for (part, sum) in Part::ALL.into_iter().zip(parts) {
            // Each part stands for the whole, by its share.
            if !(sum > 0.0 && sum.is_finite()) {
                return Err(few(input, &format!("its {} part", part.name())));
            }
        }
        if slots.contains(&0) {
            return Err(few(input, "a batch of its training part"));
        }
        Ok(Some(Self {
            input,
            variant,
            plan: Arc::new(plan),
            weights,
            entries,
            fractions: parts.map(|p| p / whole),
            batches: slots
                .iter()
                .map(|n| *n as f64 / entries[0] as f64)
                .collect(),
            data,
            schema,
            drawn,
            skim,
            split,
            held,
        }))
    }

    /// How its events are told apart.
    pub fn told_apart(&self) -> ToldApart {
        let columns = self.split.columns().iter();
        ToldApart {
            columns: columns.map(|name| (*name).to_owned()).collect(),
            events: self.data.entries(),
        }
    }

    /// The events that can matter, chunk by chunk.
    pub fn each(
        &mut self,
        of: impl Into<Portion>,
        f: &mut dyn FnMut(&Chunk) -> Result<()>,
    ) -> Result<()> {
        let range = self.split.range(of.into());
        if let Some(held) = &self.held {
            let own = held.iter().filter(|(slot, _)| range.contains(slot));
            return own.map(|(_, chunk)| chunk).try_for_each(f);
        }
        for chunk in self.data.chunks(&self.drawn.names())?.map(widened) {
            let chunk = self.drawn.add(chunk?)?;
            let slots = self.split.of(&chunk)?;
            // Slot by slot, as they would be held: what is a function of the pieces is the same.
            for slot in range.clone() {
                let own: Vec<bool> = slots.iter().map(|s| *s == slot).collect();
                let chunk = chunk.take(&own);
                match &mut self.skim {
                    Some(skim) => f(&chunk.take(&skim.keep(&chunk)?))?,
                    None => f(&chunk)?,
                }
            }
        }
        Ok(())
    }

    /// Its share of the weights of all generated events; of a batch, by the number of its events.
    pub fn fraction(&self, of: impl Into<Portion>) -> f64 {
        match of.into() {
            Portion::Whole(part) => self.fractions[part as usize],
            Portion::Batch(k) => self.fractions[Part::Training as usize] * self.batches[k],
        }
    }

    /// What the columns of its events are.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// How many events of a part are held; nothing where they are read again.
    pub fn kept(&self, part: Part) -> Option<usize> {
        let range = self.split.range(part.into());
        let held = self.held.as_ref()?;
        let own = held.iter().filter(|(slot, _)| range.contains(slot));
        Some(own.map(|(_, chunk)| chunk.entries).sum())
    }
}

fn few(input: &Input, what: &str) -> Error {
    Error::Optimisation {
        message: format!(
            "`{}` has no event in {what}, or weights that do not add up to something positive",
            input.name
        ),
        help: "more events, fewer folds or batches, or other parts by `split`".into(),
    }
}

/// The columns that the inputs of networks are made of.
fn network_columns(
    file: &AnalysisFile,
    optimisation: &Optimisation,
    schema: &Schema,
) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for free in &optimisation.free {
        if let Free::Network { name } = free {
            let network = file.definitions.perceptron(name)?;
            let columns: Vec<String> = network.columns().collect();
            let wanted: Vec<&str> = columns.iter().map(String::as_str).collect();
            let compiled = file.definitions.check(schema)?.compile(&wanted)?;
            all.extend(compiled.columns().into_iter().map(String::from));
        }
    }
    Ok(all)
}

/// Leaves out events that no region can have, wherever the free inputs go: those that fail cuts which do not move, at every point of the systematics.
struct Skim {
    compiled: Compiled,
    lowered: Lowered,
    memory: Workspace,
    /// What the inputs of its lanes are: the variations that move something here.
    moved: Vec<Vec<f64>>,
}

impl Skim {
    /// Nothing where some region has no cut that stays.
    fn new(
        file: &AnalysisFile,
        schema: &Schema,
        free: &[String],
        plan: &Plan,
    ) -> Result<Option<Self>> {
        let mut analysis = file.definitions.clone();
        let mut wanted = Vec::new();
        let channels = file.fit.iter().flat_map(|fit| &fit.channels);
        for (k, (region, _)) in channels.enumerate() {
            let mut kept = Vec::new();
            for cut in &file.regions[*region].cuts {
                let one = file.definitions.clone().region("_cut", [cut.clone()]);
                if stays(&one, schema, free)? {
                    kept.push(cut.clone());
                }
            }
            if kept.is_empty() {
                return Ok(None);
            }
            let name = format!("_skim{k}");
            analysis = analysis.region(&name, kept);
            wanted.push(name);
        }
        let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let compiled = analysis.check(schema)?.compile(&names)?;
        let read = |v: &&Variation| compiled.parameters().any(|(n, _)| n == v.parameter);
        let variations: Vec<&Variation> = plan.variations.iter().filter(read).collect();
        let outputs: Vec<String> = compiled.outputs.iter().map(|o| o.name.clone()).collect();
        let lanes = variations.iter().map(|v| v.lane(outputs.clone()));
        let program = transform::simplify(&compiled.program)?;
        let program = transform::lanes(&program, &lanes.collect::<Vec<_>>())?;
        let moved = variations.iter().map(|v| v.value.clone()).collect();
        let lowered = Lowered::new(transform::simplify(&program)?)?;
        let memory = lowered.workspace();
        Ok(Some(Self {
            compiled,
            lowered,
            memory,
            moved,
        }))
    }

    fn keep(&mut self, chunk: &Chunk) -> Result<Vec<bool>> {
        let mut keep = vec![false; chunk.entries];
        let program = self.lowered.program();
        let point: Vec<Vec<f64>> = (self.compiled.parameters())
            .map(|(_, start)| start.to_vec())
            .collect();
        let lanes: Vec<Column<'_>> = self.moved.iter().map(Column::from).collect();
        let bindings = self.compiled.bind_to(program, chunk, &point, &lanes)?;
        self.lowered.run(&mut self.memory, &bindings)?;
        for k in 0..program.outputs().len() {
            let passed = self.memory.bool(k);
            keep.iter_mut().zip(passed).for_each(|(a, b)| *a |= *b != 0);
        }
        Ok(keep)
    }
}

/// Whether the one cut of an analysis has the same events wherever the free inputs go.
fn stays(analysis: &Analysis, schema: &Schema, free: &[String]) -> Result<bool> {
    let compiled = analysis.check(schema)?.compile(&["_cut"])?;
    let inputs = compiled.parameters().map(|(name, _)| name);
    let moving: Vec<&str> = inputs.filter(|n| free.iter().any(|f| f == n)).collect();
    if moving.is_empty() {
        return Ok(true);
    }
    // As a weight, since a relaxed mask is no output. What cannot be relaxed moves, too.
    let counted = analysis.clone().histogram(
        "_count",
        crate::define::Histogram::new("0", [-0.5, 0.5]).region("_cut"),
    );
    let program = counted.check(schema)?.compile(&["_count"])?.program;
    let policy = Relaxation::moving(Smoothing::Sigmoid, &moving);
    Ok(transform::decisions(&program, &policy).is_ok_and(|(list, _)| list.is_empty()))
}
