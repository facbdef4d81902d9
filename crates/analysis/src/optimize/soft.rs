//! Programs of a data set in which what moves with the free inputs is soft, forward and back; or exact forward, with surface terms back.

use std::collections::HashMap;
use std::sync::Arc;

use pullback_array::{Column, Lowered, Program, Workspace, transform};
use pullback_io::Chunk;
use transform::{
    Lane, Relaxation, Smoothing, Surface, SurfaceKernel, Width, decisions, interface, lanes, relax,
    simplify, vjp, with_surface_terms,
};

use super::events::Set;
use super::layout::{Layout, Route};
use super::split::{Part, Portion};
use crate::error::Result;
use crate::file::Softening;
use crate::run::{Plan, Sums, Values, accumulate};

/// Elements at which the spread of a margin is measured, at most.
const SAMPLE: usize = 1 << 16;

/// Block of a reverse sweep: it keeps more values of a block than a forward one.
const BLOCK: usize = 256;

/// What a decision is called in every program: its label, whether it chooses a bin or counts, and its number among these.
type Key = (String, bool, bool, usize);

/// How far the margins of decisions spread.
#[derive(Debug, Default)]
pub(super) struct Spreads {
    squares: HashMap<Key, (f64, f64)>,
}

impl Spreads {
    /// The spread, 1 for counts.
    fn of(&self, key: &Key) -> f64 {
        let found = self.squares.get(key);
        found.map_or(1.0, |(sum, n)| (sum / n).sqrt())
    }
}

/// The soft programs of a data set: forward, and back. Variations are lanes of them.
pub(super) struct Soft {
    forward: Lowered,
    backward: Option<Lowered>,
    memory: (Workspace, Option<Workspace>),
    /// Positions of the outputs in the exact program.
    outputs: Vec<usize>,
    /// Names of the inputs with derivatives.
    wrt: Vec<String>,
    /// The spread of each width, and what it is the width of.
    spreads: Vec<f64>,
    labels: Vec<String>,
}

/// The part of a program that matters here, without lanes, and what it decides.
struct Prepared {
    program: Program,
    outputs: Vec<usize>,
    lanes: Vec<Lane>,
    wrt: Vec<String>,
    smoothing: Smoothing,
    /// Where decisions stay as they are: how what they contribute to derivatives is estimated.
    surface: Option<Surface>,
    list: Vec<transform::Decision>,
    margins: Program,
    keys: Vec<Key>,
}

impl Prepared {
    fn new(plan: &Plan, routes: &[Route], free: &[String], softening: Softening) -> Result<Self> {
        let mut outputs: Vec<usize> = routes.iter().map(|r| r.output).collect();
        outputs.sort_unstable();
        outputs.dedup();
        let of_lane = |lane: Option<usize>| -> Vec<usize> {
            let own = outputs.iter().map(|k| plan.outputs[*k]);
            own.filter(|o| o.1 == lane).map(|o| o.0).collect()
        };
        // What lanes give is wanted without them, too.
        let recorded = of_lane(None);
        let lanes = (0..plan.variations.len()).map(|v| plan.lane(v, &of_lane(Some(v))));
        let lanes = lanes.collect();
        let whole = &plan.compiled.program;
        let names: Vec<&str> = whole.inputs().iter().map(|(n, _)| &**n).collect();
        let kept: Vec<Option<&str>> = names.iter().map(|n| Some(*n)).collect();
        let wanted = recorded.iter().map(|k| &*whole.outputs()[*k].0);
        let wanted: Vec<(&str, &str)> = wanted.map(|n| (n, n)).collect();
        let program = simplify(&interface(whole, &kept, &wanted)?)?;
        let own = plan.compiled.parameters().map(|(n, _)| n.to_owned());
        let wrt: Vec<String> = own.filter(|n| free.contains(n)).collect();
        let smoothing = match softening {
            Softening::Normal => Smoothing::Normal,
            _ => Smoothing::Sigmoid,
        };
        if softening == Softening::Surface {
            return Ok(Self {
                margins: interface(&program, &kept, &[])?,
                program,
                outputs,
                lanes,
                wrt,
                smoothing,
                surface: Some(Surface::by_label()),
                list: Vec::new(),
                keys: Vec::new(),
            });
        }
        let moving: Vec<&str> = wrt.iter().map(String::as_str).collect();
        let (list, margins) = decisions(&program, &Relaxation::moving(smoothing, &moving))?;
        let mut seen: HashMap<(String, bool, bool), usize> = HashMap::new();
        let keys = list.iter().map(|d| {
            let label = d.label(&program).unwrap_or("").to_owned();
            let kind = (label, d.is_bin(&program), d.counts);
            let number = seen.entry(kind.clone()).or_default();
            *number += 1;
            (kind.0, kind.1, kind.2, *number)
        });
        let keys = keys.collect();
        Ok(Self {
            program,
            outputs,
            lanes,
            wrt,
            smoothing,
            surface: None,
            list,
            margins,
            keys,
        })
    }

    /// Measures margins on a chunk, at the starts.
    fn measure(
        &self,
        plan: &Plan,
        chunk: &Chunk,
        start: &Values,
        spreads: &mut Spreads,
    ) -> Result<()> {
        if self.margins.outputs().is_empty() {
            return Ok(());
        }
        let lowered = Lowered::new(self.margins.clone())?;
        let mut ws = lowered.workspace();
        let point = plan.point_at(start);
        let bindings = plan.compiled.bind_to(&self.margins, chunk, &point, &[])?;
        lowered.run(&mut ws, &bindings)?;
        for (k, (name, _)) in self.margins.outputs().iter().enumerate() {
            let Ok(decision) = name.parse::<usize>() else {
                continue;
            };
            let key = &self.keys[decision];
            let spread = if key.1 {
                let edges = self.edges(decision, &ws);
                edges.map(|e| (e[e.len() - 1] - e[0]) / (e.len() - 1) as f64)
            } else {
                spread(ws.f64(k))
            };
            if let Some(spread) = spread {
                let entry = spreads.squares.entry(key.clone()).or_default();
                entry.0 += spread * spread;
                entry.1 += 1.0;
            }
        }
        Ok(())
    }

    /// Windows about the thresholds, from a chunk.
    fn surface(&self, plan: &Plan, chunk: &Chunk, start: &Values) -> Result<Option<Surface>> {
        let of: Vec<&str> = self.program.outputs().iter().map(|(n, _)| &**n).collect();
        let wrt: Vec<&str> = self.wrt.iter().map(String::as_str).collect();
        let point = plan.point_at(start);
        let inputs = plan.compiled.bind_to(&self.program, chunk, &point, &[])?;
        let kernel = SurfaceKernel::default();
        let found = Surface::from_sample(&self.program, &of, &wrt, kernel, &inputs)?;
        Ok(Some(found))
    }

    fn edges<'w>(&self, decision: usize, ws: &'w Workspace) -> Option<&'w [f64]> {
        let name = format!("{decision} edges");
        let mut outputs = self.margins.outputs().iter();
        let k = outputs.position(|(n, _)| **n == *name)?;
        Some(ws.f64(k)).filter(|e| e.len() > 1)
    }

    fn finish(self, spreads: &Spreads, threads: usize) -> Result<Soft> {
        let moving: Vec<&str> = self.wrt.iter().map(String::as_str).collect();
        let width = |k: usize| format!("width {k}");
        let policy = (self.list.iter().enumerate())
            .fold(Relaxation::moving(self.smoothing, &moving), |p, (k, d)| {
                p.decision(d.value, Width::input(&width(k)))
            });
        let soft = match &self.surface {
            Some(_) => self.program.clone(),
            None => simplify(&relax(&self.program, &policy)?)?,
        };
        // Widths in the order in which the program has them.
        let order = soft.inputs().iter().skip(self.program.inputs().len());
        let places = order.filter_map(|(n, _)| n.strip_prefix("width ")?.parse::<usize>().ok());
        let places: Vec<usize> = places.collect();
        let own = places.iter().map(|k| spreads.of(&self.keys[*k])).collect();
        let labels = places.iter().map(|k| self.keys[*k].0.clone()).collect();
        let beside = |program: &Program| simplify(&lanes(program, &self.lanes)?);
        let forward = Lowered::new(beside(&soft)?)?;
        let mut backward = None;
        if !self.wrt.is_empty() {
            let smooth = match &self.surface {
                Some(surface) => {
                    let of: Vec<&str> = soft.outputs().iter().map(|(n, _)| &**n).collect();
                    beside(&with_surface_terms(&soft, &of, &moving, surface)?)?
                }
                None => Program::clone(forward.program()),
            };
            let of: Vec<&str> = smooth.outputs().iter().map(|(n, _)| &**n).collect();
            let both = vjp(&smooth, &of, &moving)?;
            let kept: Vec<Option<&str>> = both.inputs().iter().map(|(n, _)| Some(&**n)).collect();
            let cotangents = both.outputs().iter().skip(of.len());
            let cotangents = cotangents.map(|(n, _)| (&**n, &**n));
            let only = interface(&both, &kept, &cotangents.collect::<Vec<_>>())?;
            backward = Some(Lowered::new(simplify(&only)?)?);
        }
        let memory = (
            forward.workspace_with(threads, 1024),
            backward.as_ref().map(|b| b.workspace_with(threads, BLOCK)),
        );
        Ok(Soft {
            forward,
            backward,
            memory,
            outputs: self.outputs,
            wrt: self.wrt,
            spreads: own,
            labels,
        })
    }
}

/// Median distance from the median over that of a normal distribution: what lies far out does not count.
fn spread(values: &[f64]) -> Option<f64> {
    let step = values.len().div_ceil(SAMPLE).max(1);
    let finite = values.iter().step_by(step).filter(|m| m.is_finite());
    let mut sorted: Vec<f64> = finite.copied().collect();
    if sorted.len() < 2 {
        return None;
    }
    sorted.sort_by(f64::total_cmp);
    let at = |q: f64| sorted[(q * (sorted.len() - 1) as f64) as usize];
    let quartiles = (at(0.75) - at(0.25)) / 1.349;
    let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
    let variance = sorted.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / sorted.len() as f64;
    let found = if quartiles > 0.0 {
        quartiles
    } else {
        variance.sqrt()
    };
    (found > 0.0 && found.is_finite()).then_some(found)
}

/// Builds the soft programs of all data sets: first what they decide, then widths from training events of all of them, the same for the same decision.
pub(super) fn soften(
    sets: &mut [Set<'_>],
    layout: &Layout,
    free: &[String],
    start: &Values,
    softening: Softening,
    threads: usize,
) -> Result<Vec<Soft>> {
    let prepared = sets.iter().zip(&layout.routes);
    let prepared = prepared.map(|(set, r)| Prepared::new(&set.plan, r, free, softening));
    let mut prepared = prepared.collect::<Result<Vec<_>>>()?;
    let mut spreads = Spreads::default();
    let mut most: (usize, Option<Surface>) = (0, None);
    for (set, prepared) in sets.iter_mut().zip(&mut prepared) {
        let mut largest: Option<Chunk> = None;
        set.each(Part::Training, &mut |chunk| {
            if chunk.entries > largest.as_ref().map_or(0, |c| c.entries) {
                largest = Some(chunk.clone());
            }
            Ok(())
        })?;
        let Some(chunk) = largest else { continue };
        // Widths are those of the nominal events.
        if set.variant.is_some() {
            continue;
        }
        if softening != Softening::Surface {
            prepared.measure(&set.plan, &chunk, start, &mut spreads)?;
        } else if chunk.entries > most.0 {
            let surface = prepared.surface(&set.plan, &chunk, start)?;
            most = (chunk.entries, surface);
        }
    }
    for one in &mut prepared {
        one.surface.clone_from(&most.1);
    }
    let finished = prepared.into_iter().map(|p| p.finish(&spreads, threads));
    finished.collect()
}

impl Soft {
    /// Sums of the soft outputs over events, at their places in the exact program.
    pub fn forward(
        &mut self,
        set: &mut Set<'_>,
        of: Portion,
        values: &Values,
        temperature: f64,
    ) -> Result<Sums> {
        let mut sums = set.plan.sums();
        let plan = Arc::clone(&set.plan);
        let point = plan.point_at(values);
        let widths = self.widths(temperature);
        let more: Vec<Column<'_>> = widths
            .iter()
            .map(Column::from)
            .chain(plan.moved())
            .collect();
        set.each(of, &mut |chunk| {
            let program = self.forward.program();
            let bindings = plan.compiled.bind_to(program, chunk, &point, &more)?;
            let ws = &mut self.memory.0;
            self.forward.run(ws, &bindings)?;
            for (j, output) in self.outputs.iter().enumerate() {
                accumulate(&mut sums[*output], ws.f64(j));
            }
            Ok(())
        })?;
        Ok(sums)
    }

    /// Adds the derivatives by free inputs that follow from derivatives by the sums of outputs.
    pub fn backward(
        &mut self,
        set: &mut Set<'_>,
        of: Portion,
        values: &Values,
        temperature: f64,
        by: &Sums,
        gradient: &mut Values,
    ) -> Result<()> {
        let plan = Arc::clone(&set.plan);
        let point = plan.point_at(values);
        let widths = self.widths(temperature);
        let (Some(backward), Some(ws)) = (&self.backward, &mut self.memory.1) else {
            return Ok(());
        };
        let cotangents = self.outputs.iter().map(|o| Column::F64(&by[*o]));
        let widths = widths.iter().map(Column::from);
        let more: Vec<Column<'_>> = widths.chain(plan.moved()).chain(cotangents).collect();
        set.each(of, &mut |chunk| {
            let program = backward.program();
            let bindings = plan.compiled.bind_to(program, chunk, &point, &more)?;
            backward.run(ws, &bindings)?;
            for (j, name) in self.wrt.iter().enumerate() {
                accumulate(gradient.entry(name.clone()).or_default(), ws.f64(j));
            }
            Ok(())
        })
    }

    fn widths(&self, temperature: f64) -> Vec<Vec<f64>> {
        self.spreads.iter().map(|s| vec![s * temperature]).collect()
    }

    /// What is soft, and the spread of what it compares.
    pub fn spreads(&self) -> Vec<(String, f64)> {
        let spreads = self.spreads.iter().copied();
        self.labels.iter().cloned().zip(spreads).collect()
    }

    /// How many decisions are soft.
    pub fn decisions(&self) -> usize {
        self.spreads.len()
    }
}
