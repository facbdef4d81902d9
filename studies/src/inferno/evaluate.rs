//! Held-out events, hard assignment: what is quoted.

use pullback_array::{Bindings, Column, Lowered, Workspace};

use super::benchmark::Benchmark;
use super::error::InfernoError;
use super::network::Network;
use super::sigma::Sigma;
use super::templates::{Readout, record_templates};
use super::toy::{Batch, Row, Toy};
use super::train::BLOCK;

/// Groups of events: leaving one out after the other gives the error of what is quoted.
pub const GROUPS: usize = 20;
/// How far parameters move for shape templates, r ± 0.2 and λ ± 0.5: `template_model.py` of the authors.
const SHIFTS: [f64; 2] = [0.2, 0.5];

/// What assigns events to bins.
#[derive(Debug, Clone, Copy)]
pub enum Classes<'a> {
    /// The largest output of a network with these weights.
    Largest(&'a Network, &'a [f64]),
    /// The probability of the last class of a network, between edges.
    Edges(&'a Network, &'a [f64], &'a [f64]),
    /// f_s/(f_s + f_b) of the densities, between edges.
    Densities(&'a [f64]),
}

/// Where the derivatives of templates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tangents {
    /// Half the difference of templates of events at r ± 0.2 and λ ± 0.5: the slope at the centre of the authors' quadratic interpolation (and of pyhf's
    /// codes 2 and 4p).
    Templates,
    /// Exact: each event weighted by its score.
    Exact,
}

/// Templates of held-out events: for each group the rows of [`Row`], and of the background at r ± 0.2 and λ ± 0.5.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    bins: usize,
    /// Per group 8 × bins: the four rows, r up, r down, λ up, λ down.
    groups: Vec<Vec<f64>>,
}

const ROWS: usize = Row::COUNT + 4;

/// Templates of `events` of each component, from a sample that no training has seen (seeds are kept apart by their names of draws and by `seed`).
pub fn evaluate(
    toy: &Toy,
    classes: Classes<'_>,
    events: usize,
    seed: u64,
) -> Result<Held, InfernoError> {
    let mut assign = Assign::new(toy, classes)?;
    let each = events / GROUPS;
    if each == 0 {
        return Err(InfernoError::Batch {
            batch: each,
            events,
        });
    }
    let mut batch = Batch::default();
    let mut groups = Vec::with_capacity(GROUPS);
    for g in 0..GROUPS {
        let first = (g * each) as u64;
        let signal = toy.signal(seed, first, each)?;
        let background = toy.background(seed, first, each)?;
        let of = |data| <[f64]>::chunks_exact(data, Toy::FEATURES);
        batch.fill(of(&signal), of(&background));
        let mut rows = assign.templates(&batch.x, &batch.weights)?;
        let weights = [0.0, 1.0 / each as f64, 0.0, 0.0].repeat(each);
        let [dr, dl] = SHIFTS;
        let l = Toy::LAMBDA;
        for (r, lambda) in [(dr, l), (-dr, l), (0.0, l + dl), (0.0, l - dl)] {
            let moved = Toy::moved(&background, r, lambda);
            let templates = assign.templates(&moved, &weights)?;
            let bins = assign.bins;
            rows.extend_from_slice(&templates[bins..2 * bins]);
        }
        groups.push(rows);
    }
    Ok(Held {
        bins: assign.bins,
        groups,
    })
}

impl Held {
    /// The four templates of all groups but one.
    fn templates(&self, tangents: Tangents, without: Option<usize>) -> [Vec<f64>; Row::COUNT] {
        let kept = self.groups.len() - usize::from(without.is_some());
        let mut sum = vec![0.0; ROWS * self.bins];
        for (_, group) in (self.groups.iter().enumerate()).filter(|(g, _)| Some(*g) != without) {
            for (s, x) in sum.iter_mut().zip(group) {
                *s += x / kept as f64;
            }
        }
        let row = |k: usize| sum[k * self.bins..(k + 1) * self.bins].to_vec();
        let half = |k: usize, shift: f64| -> Vec<f64> {
            (row(k).iter().zip(row(k + 1)))
                .map(|(up, down)| (up - down) / (2.0 * shift))
                .collect()
        };
        match tangents {
            Tangents::Exact => [row(0), row(1), row(2), row(3)],
            Tangents::Templates => {
                let [r, l] = SHIFTS;
                [row(0), row(1), half(4, r), half(6, l)]
            }
        }
    }

    /// The four templates, in the order of [`Row`].
    pub fn rows(&self, tangents: Tangents) -> [Vec<f64>; Row::COUNT] {
        self.templates(tangents, None)
    }

    /// The background and what it is at r ± 0.2 and λ ± 0.5: nominal, r up, r down, λ up, λ down.
    pub fn variations(&self) -> [Vec<f64>; 5] {
        let n = self.groups.len() as f64;
        [1, 4, 5, 6, 7].map(|k| {
            (0..self.bins)
                .map(|i| {
                    self.groups
                        .iter()
                        .map(|g| g[k * self.bins + i])
                        .sum::<f64>()
                        / n
                })
                .collect()
        })
    }

    /// σ(s), and its standard error from finite events by the jackknife over groups.
    ///
    /// ```text
    /// error² = (G − 1)/G Σ (σ₍g₎ − mean σ₍g₎)²
    /// ```
    ///
    /// Reference: B. Efron & C. Stein, Ann. Statist. 9 (1981) 586.
    pub fn sigma(
        &self,
        benchmark: Benchmark,
        tangents: Tangents,
    ) -> Result<(f64, f64), InfernoError> {
        let mut sigma = Sigma::new(benchmark)?;
        let mut of = |without| {
            let t = self.templates(tangents, without);
            sigma.of([&t[0], &t[1], &t[2], &t[3]])
        };
        let all = of(None)?;
        let n = self.groups.len();
        let one_out: Vec<f64> = (0..n).map(|g| of(Some(g))).collect::<Result<_, _>>()?;
        let mean = one_out.iter().sum::<f64>() / n as f64;
        let spread: f64 = one_out.iter().map(|s| (s - mean) * (s - mean)).sum();
        Ok((all, (spread * (n - 1) as f64 / n as f64).sqrt()))
    }
}

/// The edges that give bins of equal content in the balanced mixture of two classes, for scores of one network.
pub fn edges_of_equal_content(
    toy: &Toy,
    network: &Network,
    weights: &[f64],
    bins: usize,
    events: usize,
    seed: u64,
) -> Result<Vec<f64>, InfernoError> {
    let mut scores = Vec::with_capacity(2 * events);
    for x in [
        toy.signal(seed, 0, events)?,
        toy.background(seed, 0, events)?,
    ] {
        scores.extend(network_scores(network, weights, &x)?);
    }
    scores.sort_by(f64::total_cmp);
    let mut edges = vec![0.0];
    edges.extend((1..bins).map(|k| scores[k * scores.len() / bins]));
    edges.push(f64::INFINITY);
    Ok(edges)
}

fn network_scores(network: &Network, weights: &[f64], x: &[f64]) -> Result<Vec<f64>, InfernoError> {
    let lowered = Lowered::new(super::templates::record_scores(network)?)?;
    let mut workspace = lowered.workspace_with(1, BLOCK);
    let mut columns = vec![x.into()];
    columns.extend(network.columns(weights));
    lowered.run(&mut workspace, &Bindings::ordered(&columns))?;
    Ok(workspace.f64(0).to_vec())
}

/// Events to bins, and their sums.
struct Assign<'a> {
    toy: Toy,
    classes: Classes<'a>,
    bins: usize,
    program: Option<(Lowered, Workspace)>,
    /// Lower and upper edges; the last bin has no end.
    edges: [Vec<f64>; 2],
}

impl<'a> Assign<'a> {
    fn new(toy: &Toy, classes: Classes<'a>) -> Result<Self, InfernoError> {
        let between = |edges: &[f64]| {
            let bins = edges.len().saturating_sub(1);
            let mut upper = edges[edges.len() - bins..].to_vec();
            if let Some(last) = upper.last_mut() {
                *last = f64::INFINITY;
            }
            [edges[..bins].to_vec(), upper]
        };
        let (program, edges) = match classes {
            Classes::Largest(network, _) => (
                Some(record_templates(network, Readout::Largest)?),
                [Vec::new(), Vec::new()],
            ),
            Classes::Edges(network, _, edges) => {
                let bins = edges.len().saturating_sub(1);
                let program = record_templates(network, Readout::Edges { bins })?;
                (Some(program), between(edges))
            }
            Classes::Densities(edges) => (None, between(edges)),
        };
        let bins = match classes {
            Classes::Largest(network, _) => network.sizes.last().copied().unwrap_or(0),
            Classes::Edges(..) | Classes::Densities(_) => edges[0].len(),
        };
        let program = program.map(Lowered::new).transpose()?;
        Ok(Self {
            toy: *toy,
            classes,
            bins,
            program: program.map(|lowered| {
                let workspace = lowered.workspace_with(1, BLOCK);
                (lowered, workspace)
            }),
            edges,
        })
    }

    /// The rows of templates of events `x` with their `weights`.
    fn templates(&mut self, x: &[f64], weights: &[f64]) -> Result<Vec<f64>, InfernoError> {
        let (network, values) = match self.classes {
            Classes::Largest(network, values) | Classes::Edges(network, values, _) => {
                (network, values)
            }
            Classes::Densities(_) => return Ok(self.by_density(x, weights)),
        };
        let Some((lowered, workspace)) = &mut self.program else {
            return Ok(Vec::new());
        };
        let names = network.names();
        let mut columns: Vec<(&str, Column<'_>)> =
            vec![("x", x.into()), ("weights", weights.into())];
        columns.extend(
            names
                .iter()
                .map(String::as_str)
                .zip(network.columns(values)),
        );
        if matches!(self.classes, Classes::Edges(..)) {
            columns.push(("lower", (&self.edges[0]).into()));
            columns.push(("upper", (&self.edges[1]).into()));
        }
        let bindings = Bindings::named(lowered.program(), &columns)?;
        lowered.run(workspace, &bindings)?;
        Ok(workspace.f64(0).to_vec())
    }

    fn by_density(&self, x: &[f64], weights: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; Row::COUNT * self.bins];
        for (x, w) in (x.chunks_exact(Toy::FEATURES)).zip(weights.chunks_exact(Row::COUNT)) {
            let odds = self.toy.log_ratio(x, 0.0, Toy::LAMBDA).exp();
            let p = odds / (1.0 + odds);
            let bin = self.edges[0].partition_point(|edge| *edge <= p).max(1) - 1;
            for (k, w) in w.iter().enumerate() {
                out[k * self.bins + bin] += w;
            }
        }
        out
    }
}
