//! Variations along tangents: the total derivative of each histogram by a parameter, and how far the lines along it are from what the selection gives where it is
//! evaluated again.

use pullback_array::transform::{Surface, SurfaceKernel, interface, jvp_total, simplify};
use pullback_array::{Column, Lowered, Workspace};
use pullback_io::{Chunk, Dataset};

use super::collect::Scale;
use super::plan::{Plan, Quantity, Shift, Values, Weighting};
use super::result::{Bins, Filled, Results};
use super::sweep::{accumulate, widened};
use crate::draws::Drawn;
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, Effect, Input};

/// Events of a data set that are looked at for the widths of windows.
const LOOKED_AT: usize = 50_000;

/// Block of the sweep: each event near a threshold is there twice more.
const BLOCK: usize = 256;

/// The derivative of a histogram in a region by the parameter of a systematic, at its start.
#[derive(Debug, Clone, PartialEq)]
pub struct Derivative {
    /// Position of the systematic.
    pub systematic: usize,
    /// Position of the histogram.
    pub plot: usize,
    /// Position of the region.
    pub region: usize,
    /// The value of the parameter there.
    pub at: f64,
    /// For each process, in the order of [`Results::processes`], the derivative of each bin; nothing for those that the systematic does not act on.
    pub bins: Vec<Option<Vec<f64>>>,
}

/// How far a variation along a tangent is from the one that is evaluated again, in standard deviations of the nominal yield from the number of simulated events.
#[derive(Debug, Clone, PartialEq)]
pub struct Bias {
    /// Position of the systematic.
    pub systematic: usize,
    /// Position of the histogram.
    pub plot: usize,
    /// Position of the region.
    pub region: usize,
    /// Position of the process.
    pub process: usize,
    /// Direction.
    pub shift: Shift,
    /// The yield along the tangent, and evaluated again.
    pub yields: [f64; 2],
    /// Their difference, in standard deviations of the yield. Nothing where no event is selected.
    pub total: Option<f64>,
    /// The bin in which they differ most, and the difference in standard deviations of this bin. Nothing where every bin is empty.
    pub worst: Option<(usize, f64)>,
}

/// The derivatives of a data set by the parameters of systematics whose variations are lines.
pub(super) struct Tangents<'a> {
    plan: &'a Plan,
    each: Vec<Tangent>,
}

/// By one of them.
struct Tangent {
    systematic: usize,
    at: f64,
    lowered: Lowered,
    memory: Workspace,
    /// Region and histogram of each output.
    places: Vec<(usize, usize)>,
    sums: Vec<Vec<f64>>,
}

impl<'a> Tangents<'a> {
    /// Records the derivatives. Windows about thresholds are as wide as a first look at the events says, at most [`LOOKED_AT`] of them.
    pub fn new(
        file: &AnalysisFile,
        input: &Input,
        plan: &'a Plan,
        data: &Dataset,
        threads: usize,
    ) -> Result<Self> {
        let mut each = Vec::new();
        let mut sample = None;
        for (s, systematic) in file.systematics.iter().enumerate() {
            let Effect::Parameter { name, .. } = &systematic.effect else {
                continue;
            };
            if !systematic.effect.is_tangent() || !plan.moves(s) {
                continue;
            }
            if sample.is_none() {
                sample = Some(look(file, input, plan, data)?);
            }
            let chunk = sample.as_ref().and_then(Option::as_ref);
            // Without events there is nothing to differentiate.
            let Some(chunk) = chunk else { continue };
            let events = data.entries() as f64 / chunk.entries as f64;
            let refused = |error| refused(&systematic.name, error);
            let one = Tangent::new(plan, s, name, chunk, events, threads).map_err(refused)?;
            each.push(one);
        }
        Ok(Self { plan, each })
    }

    /// Adds a chunk.
    pub fn add(&mut self, chunk: &Chunk, values: &Values) -> Result<()> {
        let point = self.plan.point_at(values);
        for tangent in &mut self.each {
            let program = tangent.lowered.program();
            let along = [Column::F64(&[1.0])];
            let bindings = self.plan.compiled.bind_to(program, chunk, &point, &along)?;
            tangent.lowered.run(&mut tangent.memory, &bindings)?;
            for (k, sum) in tangent.sums.iter_mut().enumerate() {
                accumulate(sum, tangent.memory.f64(k));
            }
        }
        Ok(())
    }

    /// Puts the derivatives where they belong.
    ///
    /// # Errors
    /// A derivative that is not finite: what is compared has none for some event.
    pub fn put(self, results: &mut Results, input: &Input, scale: Scale) -> Result<()> {
        let process = results.processes.iter().position(|p| *p == input.process);
        let Some(process) = process else {
            return Ok(());
        };
        let counts = results.processes.len();
        for tangent in self.each {
            if let Some(bin) = tangent.undefined() {
                let (region, plot) = tangent.places[bin.0];
                let file = &results.file;
                return Err(Error::Tangent {
                    systematic: file.systematics[tangent.systematic].name.clone(),
                    message: format!(
                        "the derivative of bin {} of `{}` in `{}` is NaN or infinite: some selected event of `{}` is where an expression has none",
                        bin.1, file.histograms[plot].name, file.regions[region].name, input.name
                    ),
                });
            }
            for ((region, plot), sums) in tangent.places.into_iter().zip(tangent.sums) {
                let same = |d: &Derivative| {
                    (d.systematic, d.plot, d.region) == (tangent.systematic, plot, region)
                };
                let place = results.derivatives.iter().position(same);
                let place = place.unwrap_or_else(|| {
                    results.derivatives.push(Derivative {
                        systematic: tangent.systematic,
                        plot,
                        region,
                        at: tangent.at,
                        bins: vec![None; counts],
                    });
                    results.derivatives.len() - 1
                });
                let scaled = sums.iter().map(|x| x * scale.weights / scale.fraction);
                let into = results.derivatives[place].bins[process].get_or_insert_with(Vec::new);
                accumulate(into, &scaled.collect::<Vec<_>>());
            }
        }
        Ok(())
    }
}

impl Tangent {
    /// The first bin whose derivative is not finite.
    fn undefined(&self) -> Option<(usize, usize)> {
        let mut bins = self.sums.iter().enumerate().filter_map(|(k, sums)| {
            let bin = sums.iter().position(|x| !x.is_finite())?;
            Some((k, bin))
        });
        bins.next()
    }

    fn new(
        plan: &Plan,
        systematic: usize,
        parameter: &str,
        chunk: &Chunk,
        events: f64,
        threads: usize,
    ) -> Result<Self> {
        let whole = &plan.compiled.program;
        let mut places = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for item in plan.items.iter().filter(|i| i.moved.is_none()) {
            let Quantity::Plot { plot, region } = item.quantity else {
                continue;
            };
            let weighted = plan.item(item.quantity, Weighting::Nominal);
            let wanted = match item.weighting {
                Weighting::Nominal => true,
                Weighting::Raw => weighted.is_none(),
                _ => false,
            };
            if wanted {
                places.push((region, plot));
                names.push(&whole.outputs()[item.outputs.0].0);
            }
        }
        let kept: Vec<Option<&str>> = whole.inputs().iter().map(|(n, _)| Some(&**n)).collect();
        let same: Vec<(&str, &str)> = names.iter().map(|n| (*n, *n)).collect();
        let program = simplify(&interface(whole, &kept, &same)?)?;
        let point = plan.point_at(&Values::new());
        let inputs = plan.compiled.bind_to(&program, chunk, &point, &[])?;
        let kernel = SurfaceKernel::default();
        let surface = Surface::from_sample(&program, &names, &[parameter], kernel, &inputs)?;
        // The best width falls with the fifth root of the number of events.
        let surface = surface.narrowed(events.powf(0.2));
        let total = jvp_total(&program, &names, &[parameter], &surface)?;
        let inputs = total.inputs().iter().map(|(n, _)| Some(&**n));
        let inputs: Vec<Option<&str>> = inputs.collect();
        // Each sum is followed by its two parts.
        let sums = total.outputs().iter().skip(names.len()).step_by(3);
        let sums = sums.take(names.len()).map(|(n, _)| (&**n, &**n));
        let program = interface(&total, &inputs, &sums.collect::<Vec<_>>())?;
        let lowered = Lowered::new(simplify(&program)?)?;
        let mut starts = plan.compiled.parameters();
        let start = starts.find(|(name, _)| *name == parameter);
        Ok(Self {
            systematic,
            at: start.map_or(f64::NAN, |(_, start)| start[0]),
            memory: lowered.workspace_with(threads, BLOCK),
            lowered,
            sums: vec![Vec::new(); places.len()],
            places,
        })
    }
}

/// A structure whose surface terms are not known, or a threshold that no event compares anything with: the plain derivative would leave them out.
fn refused(systematic: &str, error: Error) -> Error {
    match error {
        Error::Engine(error) => Error::Tangent {
            systematic: systematic.into(),
            message: error.to_string(),
        },
        other => other,
    }
}

/// The first events, whatever the chunks are.
fn look(file: &AnalysisFile, input: &Input, plan: &Plan, data: &Dataset) -> Result<Option<Chunk>> {
    let drawn = Drawn::new(file, input, data.schema(), &plan.compiled.columns())?;
    let mut parts = Vec::new();
    let mut left = LOOKED_AT;
    for chunk in data.chunks(&drawn.names())?.map(widened) {
        let chunk = drawn.add(chunk?)?;
        let first: Vec<bool> = (0..chunk.entries).map(|k| k < left).collect();
        left = left.saturating_sub(chunk.entries);
        parts.push(chunk.take(&first));
        if left == 0 {
            break;
        }
    }
    Ok(Chunk::concat(parts))
}

impl Results {
    /// Puts lines along tangents in the place of the variations that were evaluated again, and keeps how far they are apart.
    pub(super) fn linearise(&mut self) {
        let derivatives = std::mem::take(&mut self.derivatives);
        for d in &derivatives {
            let effect = &self.file.systematics[d.systematic].effect;
            let Effect::Parameter { up, down, .. } = effect else {
                continue;
            };
            let mut all = self.histograms.iter_mut();
            let filled = all.find(|h| (h.plot, h.region) == (d.plot, d.region));
            if let Some(filled) = filled {
                for (shift, by) in [(Shift::Up, up - d.at), (Shift::Down, down - d.at)] {
                    self.biases.extend(along(filled, d, shift, by));
                }
            }
        }
        self.derivatives = derivatives;
        self.warn_of_biases();
    }

    fn warn_of_biases(&mut self) {
        let file = &self.file;
        for (s, systematic) in file.systematics.iter().enumerate() {
            let own = self.biases.iter().filter(|b| b.systematic == s);
            let most = own
                .filter_map(|b| Some((b, b.worst?)))
                .max_by(|(_, a), (_, b)| a.1.abs().total_cmp(&b.1.abs()));
            let Some((bias, (bin, size))) = most.filter(|(_, worst)| worst.1.abs() > LARGE) else {
                continue;
            };
            self.warnings.push(format!(
                "the tangent of `{}` is {size:+.1} standard deviations of simulated events off in bin {bin} of `{}` of `{}` in `{}`",
                systematic.name,
                file.histograms[bias.plot].name,
                self.processes[bias.process],
                file.regions[bias.region].name,
            ));
        }
    }
}

/// Standard deviations from which on a difference is worth a warning.
const LARGE: f64 = 3.0;

/// Puts lines in the place of one variation. What the derivative is not of, a process that the systematic does not act on, stays.
fn along(filled: &mut Filled, d: &Derivative, shift: Shift, by: f64) -> Vec<Bias> {
    let mut all = filled.variations.iter_mut();
    let varied = all.find(|(s, of, _)| (*s, *of) == (d.systematic, shift));
    let Some((.., varied)) = varied else {
        return Vec::new();
    };
    let mut biases = Vec::new();
    for (process, slope) in d.bins.iter().enumerate() {
        let (Some(slope), Some(again)) = (slope, &mut varied[process]) else {
            continue;
        };
        let nominal = &filled.nominal[process];
        let sums = nominal.sums.iter().zip(slope).map(|(n, d)| n + d * by);
        let line = Bins {
            sums: sums.collect(),
            ..Bins::zeros(slope.len())
        };
        let apart = line.sums.iter().zip(&again.sums).map(|(a, b)| a - b);
        let apart: Vec<f64> = apart.collect();
        // Where nothing is nominally, the events that come are what is known.
        let errors = nominal.variances.iter().zip(&again.variances);
        let errors = errors.map(|(a, b)| if *a > 0.0 { *a } else { *b }.sqrt());
        let in_errors = apart.iter().zip(errors).map(|(x, e)| x / e).enumerate();
        let worst = in_errors
            .filter(|(_, x)| x.is_finite())
            .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        let error = [nominal, &*again].map(|bins| bins.total().1);
        let error = error.into_iter().find(|e| *e > 0.0);
        biases.push(Bias {
            systematic: d.systematic,
            plot: d.plot,
            region: d.region,
            process,
            shift,
            yields: [line.sums.iter().sum(), again.sums.iter().sum()],
            total: error.map(|e| apart.iter().sum::<f64>() / e),
            worst,
        });
        *again = line;
    }
    biases
}
