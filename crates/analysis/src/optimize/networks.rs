//! Networks before the optimisation: the scale of their inputs, and the cross-entropy.
//!
//! A network that starts from random numbers is first trained to tell signal from background, as it would be without all this: Adam on the cross-entropy of the
//! training events that pass the cuts which do not move, signal and background having the same total weight; the best step on validation events is kept.

use pullback_array::{Column, Lowered, Workspace, transform};
use pullback_optim::training::{Adam, AdamOptions, EarlyStopping, Optimiser, Schedule, Verdict};
use transform::{interface, simplify, vjp};

use super::events::Set;
use super::problem::Problem;
use super::split::Part;
use crate::compile::{Compiled, What};
use crate::define::Histogram;
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, Free, Optimisation};
use crate::place::Source;
use crate::run::Values;
use crate::schema::Schema;

/// Steps between looks at validation events.
const EVERY: usize = 10;

/// Means and deviations of the inputs of networks over the training events, each event counting once; of a network that was trained before, those of then.
pub(super) fn standardise(
    file: &AnalysisFile,
    optimisation: &Optimisation,
    sets: &mut [Set<'_>],
    start: &Values,
) -> Result<Values> {
    let mut fixed = Values::new();
    for free in &optimisation.free {
        let Free::Network { name } = free else {
            continue;
        };
        let network = file.definitions.perceptron(name)?;
        if network.is_trained() {
            fixed.insert(network.standard_input(), network.standardisation().to_vec());
            continue;
        }
        let mut moments = network.moments();
        let columns: Vec<String> = network.columns().collect();
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        for set in sets.iter_mut().filter(|s| s.variant.is_none()) {
            let model = file.definitions.check(set.schema())?;
            let compiled = model.compile(&names)?;
            let lowered = Lowered::new(simplify(&compiled.program)?)?;
            let mut ws = lowered.workspace();
            let outputs = columns.iter().map(|c| compiled.output(c, What::Values));
            let outputs: Vec<usize> = outputs.flatten().collect();
            let point = point(&compiled, start);
            set.each(Part::Training, &mut |chunk| {
                let bindings = compiled.bind_to(lowered.program(), chunk, &point, &[])?;
                lowered.run(&mut ws, &bindings)?;
                let lists: Vec<&[f64]> = outputs.iter().map(|k| ws.f64(*k)).collect();
                moments.add(&lists, None)
            })?;
        }
        fixed.insert(network.standard_input(), moments.standardisation());
    }
    Ok(fixed)
}

/// Values of the inputs of a program: those that are given, and starts.
fn point(compiled: &Compiled, values: &Values) -> Vec<Vec<f64>> {
    let each = compiled.parameters();
    each.map(|(name, start)| {
        values
            .get(name)
            .map_or_else(|| start.to_vec(), Clone::clone)
    })
    .collect()
}

/// The cross-entropy of a network on a data set.
struct Entropy {
    compiled: Compiled,
    forward: Lowered,
    backward: Lowered,
    memory: [Workspace; 2],
    signal: bool,
}

const ENTROPY: &str = "_entropy";
const WEIGHTS: &str = "_weights";

impl Entropy {
    fn new(
        file: &AnalysisFile,
        set: &Set<'_>,
        schema: &Schema,
        network: &str,
        threads: usize,
    ) -> Result<Self> {
        let fit = file.fit.as_ref();
        let signal = fit.is_some_and(|fit| fit.signal.contains(&set.input.process));
        let sign = if signal { "-" } else { "" };
        let weight = set.input.weight.as_ref().map_or("1", Source::text);
        let one = |weight: String| Histogram::new("0", [-0.5, 0.5]).weight(weight);
        let analysis = (file.definitions.clone())
            .histogram(
                ENTROPY,
                one(format!("({weight}) * softplus({sign}logit({network}))")),
            )
            .histogram(WEIGHTS, one(weight.to_owned()));
        let compiled = analysis.check(schema)?.compile(&[ENTROPY, WEIGHTS])?;
        let of = |part: &str| (part.to_owned(), part.to_owned());
        let both = vjp(&compiled.program, &[ENTROPY], &[network])?;
        let names: Vec<String> = both.inputs().iter().map(|(n, _)| n.to_string()).collect();
        let kept: Vec<Option<&str>> = names.iter().map(|n| Some(n.as_str())).collect();
        let last = both
            .outputs()
            .last()
            .map_or_else(String::new, |(n, _)| n.to_string());
        let back = interface(&both, &kept, &[(&last, &last)])?;
        let own: Vec<Option<&str>> = kept[..compiled.inputs.len()].to_vec();
        let wanted = [of(ENTROPY), of(WEIGHTS)];
        let wanted = wanted.each_ref().map(|(a, b)| (a.as_str(), b.as_str()));
        let front = interface(&compiled.program, &own, &wanted)?;
        let (forward, backward) = (
            Lowered::new(simplify(&front)?)?,
            Lowered::new(simplify(&back)?)?,
        );
        let memory = [
            forward.workspace_with(threads, 1024),
            backward.workspace_with(threads, 256),
        ];
        Ok(Self {
            compiled,
            forward,
            backward,
            memory,
            signal,
        })
    }

    /// The sums over a part: cross-entropy, weights.
    fn value(&mut self, set: &mut Set<'_>, part: Part, values: &Values) -> Result<[f64; 2]> {
        let point = point(&self.compiled, values);
        let mut sums = [0.0; 2];
        set.each(part, &mut |chunk| {
            let program = self.forward.program();
            let bindings = self.compiled.bind_to(program, chunk, &point, &[])?;
            self.forward.run(&mut self.memory[0], &bindings)?;
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum += self.memory[0].f64(k)[0];
            }
            Ok(())
        })?;
        Ok(sums)
    }

    /// Adds the gradient of the sum over training events, times a factor.
    fn pull(
        &mut self,
        set: &mut Set<'_>,
        values: &Values,
        factor: f64,
        into: &mut [f64],
    ) -> Result<()> {
        let point = point(&self.compiled, values);
        let seed = [factor];
        set.each(Part::Training, &mut |chunk| {
            let more = [Column::F64(&seed)];
            let program = self.backward.program();
            let bindings = self.compiled.bind_to(program, chunk, &point, &more)?;
            self.backward.run(&mut self.memory[1], &bindings)?;
            let found = self.memory[1].f64(0);
            into.iter_mut().zip(found).for_each(|(a, b)| *a += b);
            Ok(())
        })
    }
}

impl Problem<'_> {
    /// Trains the networks of a start on the cross-entropy. Nothing if `go_on` says stop.
    pub(super) fn pretrain(
        &mut self,
        x: &mut [f64],
        go_on: &mut dyn FnMut(usize) -> bool,
    ) -> Result<bool> {
        let networks = self.quantities.networks.clone();
        for (name, places) in networks {
            if self.file.definitions.perceptron(&name)?.is_trained() {
                continue;
            }
            let mut entropies = Vec::new();
            for set in self.sets.iter().filter(|s| s.variant.is_none()) {
                let schema = set.schema();
                entropies.push(Entropy::new(self.file, set, schema, &name, self.threads)?);
            }
            let steps = self.optimisation.pretrain;
            let options = AdamOptions {
                rate: Schedule::Cosine {
                    from: 0.02,
                    to: 0.001,
                    steps,
                },
                ..AdamOptions::default()
            };
            let mut adam = Adam::with_options(x[places.clone()].to_vec(), options);
            let mut stopping = EarlyStopping::new(8, 0.0);
            for step in 0..=steps {
                x[places.clone()].copy_from_slice(adam.point());
                let values = self.quantities.values(x);
                if step % EVERY == 0 || step == steps {
                    let (value, _) = self.entropy(&mut entropies, Part::Validation, &values)?;
                    if stopping.observe(step, value, adam.point()) == Verdict::Stop {
                        break;
                    }
                }
                if step == steps {
                    break;
                }
                let (value, factors) = self.entropy(&mut entropies, Part::Training, &values)?;
                let mut gradient = vec![0.0; places.len()];
                let nominal = self.sets.iter_mut().filter(|s| s.variant.is_none());
                for ((set, entropy), factor) in nominal.zip(&mut entropies).zip(factors) {
                    entropy.pull(set, &values, factor, &mut gradient)?;
                }
                adam.step(value, &gradient)?;
                if !go_on(step + 1) {
                    return Ok(false);
                }
            }
            if let Some(best) = stopping.best() {
                x[places].copy_from_slice(&best.x);
            }
        }
        Ok(true)
    }

    /// The mean cross-entropy, signal and background weighing the same, and what the sum of each data set is multiplied by for it.
    fn entropy(
        &mut self,
        entropies: &mut [Entropy],
        part: Part,
        values: &Values,
    ) -> Result<(f64, Vec<f64>)> {
        let mut sums = Vec::new();
        let mut totals = [0.0; 2];
        let nominal = self.sets.iter_mut().filter(|s| s.variant.is_none());
        for (set, entropy) in nominal.zip(&mut *entropies) {
            let scale = set.weights / set.fraction(part);
            let [value, weights] = entropy.value(set, part, values)?;
            totals[usize::from(entropy.signal)] += scale * weights;
            sums.push((entropy.signal, scale, value));
        }
        for (total, what) in totals.iter().zip(["background", "signal"]) {
            if !(*total > 0.0 && total.is_finite()) {
                return Err(Error::Optimisation {
                    message: format!(
                        "the weights of the {what} that a network is trained on add up to {total}"
                    ),
                    help: "look at the cuts that do not move, and at the weights".into(),
                });
            }
        }
        let factor = |signal: bool, scale: f64| 0.5 * scale / totals[usize::from(signal)];
        let value = sums
            .iter()
            .map(|(s, scale, v)| factor(*s, *scale) * v)
            .sum();
        Ok((
            value,
            sums.iter()
                .map(|(s, scale, _)| factor(*s, *scale))
                .collect(),
        ))
    }
}
