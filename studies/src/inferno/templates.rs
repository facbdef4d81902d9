//! From events to templates: the network, what is read off it, sums over events.

use pullback_ad::Real;
use pullback_array::{Builder, Program, Result, Space, Sym, transform};

use super::benchmark::Benchmark;
use super::network::Network;
use super::sigma::record_sigma;
use super::toy::{Row, Toy};

/// How an event is shared among bins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Readout {
    /// softmax(logits/τ): the paper, equation (6).
    Softmax {
        /// The temperature τ.
        temperature: f64,
    },
    /// All of it in the bin with the largest logit.
    Largest,
    /// All of it in the bin of the probability of the last class; lower and upper edges are the inputs `lower` and `upper`.
    Edges {
        /// Number of bins.
        bins: usize,
    },
}

/// The levels and inputs that all programs here have in common.
struct Inputs<'b> {
    events: Space,
    x: Sym<'b>,
}

impl<'b> Inputs<'b> {
    fn new(b: &'b Builder) -> Self {
        let events = b.stream("events");
        let x = b.input("x", b.join(events, b.dense_of("features", Toy::FEATURES)));
        Self { events, x }
    }

    fn logits(&self, b: &'b Builder, network: &Network, last: &str) -> (Sym<'b>, Space) {
        let outputs = network.sizes.last().copied().unwrap_or(0);
        let last = b.dense_of(last, outputs);
        (network.record(b, self.x, self.events, last), last)
    }
}

/// exp(x − ln Σ exp x) along the innermost level.
fn softmax(x: Sym<'_>) -> Sym<'_> {
    let normalisation = x.space().last().map_or(x, |over| x.logsumexp(over));
    (x - normalisation).exp()
}

/// The probability of the last class, per event.
fn last_class<'b>(b: &'b Builder, logits: Sym<'b>, classes: Space, events: Space) -> Sym<'b> {
    let count = b.with_program(|p| classes.last().and_then(|l| p.level(l).len).unwrap_or(0));
    let mut chosen = vec![0.0; count];
    if let Some(last) = chosen.last_mut() {
        *last = 1.0;
    }
    softmax(logits).contract(b.constant_f64(&chosen, classes), events)
}

/// Adds up what events have in each bin, with the weights of each row.
fn sums<'b>(b: &'b Builder, events: Space, shares: Sym<'b>, bins: Space) -> Sym<'b> {
    let rows = b.dense_of("rows", Row::COUNT);
    let weights = b.input("weights", b.join(events, rows));
    weights
        .contract(shares, b.join(rows, bins))
        .named("templates")
}

fn shared<'b>(
    b: &'b Builder,
    inputs: &Inputs<'b>,
    network: &Network,
    readout: Readout,
) -> (Sym<'b>, Space) {
    let one_or_none = |mask: Sym<'b>| mask.select(1.0.into(), 0.0.into());
    match readout {
        Readout::Softmax { temperature } => {
            let (logits, bins) = inputs.logits(b, network, "bins");
            (softmax(logits * (1.0 / temperature)), bins)
        }
        Readout::Largest => {
            let (logits, bins) = inputs.logits(b, network, "bins");
            let largest = bins.last().map_or(logits, |over| logits.max_over(over));
            (one_or_none(logits.ge(largest)), bins)
        }
        Readout::Edges { bins } => {
            let (logits, classes) = inputs.logits(b, network, "classes");
            let p = last_class(b, logits, classes, inputs.events);
            let bins = b.dense_of("bins", bins);
            let p = p.broadcast(b.join(inputs.events, bins));
            let (lower, upper) = (b.input("lower", bins), b.input("upper", bins));
            (one_or_none(p.ge(lower) & p.lt(upper)), bins)
        }
    }
}

/// The program of `templates`, `rows > bins`, from `x` and `weights` of a stream of events and the weights of the network.
pub fn record_templates(network: &Network, readout: Readout) -> Result<Program> {
    let b = Builder::new();
    let inputs = Inputs::new(&b);
    let (shares, bins) = shared(&b, &inputs, network, readout);
    let templates = sums(&b, inputs.events, shares, bins);
    b.finish(&[("templates", templates)])
}

/// The program of `scores`, the probability of the last class for each event of `x`.
pub(super) fn record_scores(network: &Network) -> Result<Program> {
    let b = Builder::new();
    let inputs = Inputs::new(&b);
    let (logits, classes) = inputs.logits(&b, network, "classes");
    let scores = last_class(&b, logits, classes, inputs.events);
    b.finish(&[("scores", scores)])
}

/// The program of a training, `objective` and its gradient by the weights of the network: σ(s) of soft templates for a benchmark, or the cross-entropy of two classes.
///
/// It is one program with one gradient: events → templates → information → σ(s), and cotangents of the templates back through the events.
pub fn record_training(
    network: &Network,
    goal: Option<(Benchmark, f64)>,
) -> Result<(Program, Program)> {
    let b = Builder::new();
    let inputs = Inputs::new(&b);
    let objective = match goal {
        Some((benchmark, temperature)) => {
            let readout = Readout::Softmax { temperature };
            let (shares, bins) = shared(&b, &inputs, network, readout);
            record_sigma(&b, sums(&b, inputs.events, shares, bins), benchmark)
        }
        None => cross_entropy(&b, &inputs, network),
    };
    let value = b.finish(&[("objective", objective)])?;
    let names = network.names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let gradient = transform::simplify(&transform::grad(&value, "objective", &names)?)?;
    Ok((value, gradient))
}

/// Σ t (ln Σ exp logits − logit), with the input `targets` t for each event and class.
fn cross_entropy<'b>(b: &'b Builder, inputs: &Inputs<'b>, network: &Network) -> Sym<'b> {
    let (logits, classes) = inputs.logits(b, network, "classes");
    let targets = b.input("targets", b.join(inputs.events, classes));
    let normalisation = classes.last().map_or(logits, |over| logits.logsumexp(over));
    (targets * (normalisation - logits)).sum_all()
}
