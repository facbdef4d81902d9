//! Programs of a data set in which what moves with the free inputs is soft, forward and back; or exact forward, with surface terms back.

use std::collections::HashMap;
use std::sync::Arc;

use pullback_array::{Column, Lowered, Program, Workspace, transform};
use pullback_io::Chunk;
use transform::{
    Relaxation, Smoothing, Surface, SurfaceKernel, Width, decisions, interface, relax, simplify,
    vjp, vjp_total,
};

use super::events::Set;
use super::layout::{Layout, Route};
use super::split::{Part, Portion};
use crate::error::Result;
use crate::file::Softening;
use crate::run::{Pass, Sums, Values, accumulate};

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

/// The two programs of a pass.
struct SoftPass {
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

/// The soft programs of a data set.
pub(super) struct Soft {
    passes: Vec<SoftPass>,
}

/// The part of a pass that matters here, and what it decides.
struct Prepared {
    program: Program,
    outputs: Vec<usize>,
    wrt: Vec<String>,
    smoothing: Smoothing,
    /// Where decisions stay as they are: how what they contribute to derivatives is estimated.
    surface: Option<Surface>,
    list: Vec<transform::Decision>,
    margins: Program,
    keys: Vec<Key>,
}

impl Prepared {
    fn new(
        pass: &Pass,
        number: usize,
        routes: &[Route],
        free: &[String],
        softening: Softening,
    ) -> Result<Self> {
        let mut outputs: Vec<usize> = routes
            .iter()
            .filter(|r| r.pass == number)
            .map(|r| r.output)
            .collect();
        outputs.sort_unstable();
        outputs.dedup();
        let whole = &pass.compiled.program;
        let names: Vec<&str> = whole.inputs().iter().map(|(n, _)| &**n).collect();
        let kept: Vec<Option<&str>> = names.iter().map(|n| Some(*n)).collect();
        let wanted = outputs.iter().map(|k| &*whole.outputs()[*k].0);
        let wanted: Vec<(&str, &str)> = wanted.map(|n| (n, n)).collect();
        let program = simplify(&interface(whole, &kept, &wanted)?)?;
        let own = pass.compiled.parameters().map(|(n, _)| n.to_owned());
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
        pass: &Pass,
        chunk: &Chunk,
        start: &Values,
        spreads: &mut Spreads,
    ) -> Result<()> {
        if self.margins.outputs().is_empty() {
            return Ok(());
        }
        let lowered = Lowered::new(self.margins.clone())?;
        let mut ws = lowered.workspace();
        let point = &pass.points_at(start)[0];
        let bindings = pass.compiled.bind_to(&self.margins, chunk, point, &[])?;
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
    fn surface(&self, pass: &Pass, chunk: &Chunk, start: &Values) -> Result<Option<Surface>> {
        let of: Vec<&str> = self.program.outputs().iter().map(|(n, _)| &**n).collect();
        let wrt: Vec<&str> = self.wrt.iter().map(String::as_str).collect();
        let point = &pass.points_at(start)[0];
        let inputs = pass.compiled.bind_to(&self.program, chunk, point, &[])?;
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

    fn finish(self, spreads: &Spreads, threads: usize) -> Result<SoftPass> {
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
        let forward = Lowered::new(soft.clone())?;
        let mut backward = None;
        if !self.wrt.is_empty() {
            let of: Vec<&str> = soft.outputs().iter().map(|(n, _)| &**n).collect();
            let both = match &self.surface {
                Some(surface) => vjp_total(&soft, &of, &moving, surface)?,
                None => vjp(&soft, &of, &moving)?,
            };
            let kept: Vec<Option<&str>> = both.inputs().iter().map(|(n, _)| Some(&**n)).collect();
            // Of a total derivative its two parts follow on their sum.
            let parts = if self.surface.is_some() { 3 } else { 1 };
            let outputs = both.outputs().iter().skip(of.len()).step_by(parts);
            let cotangents = outputs.take(moving.len()).map(|(n, _)| (&**n, &**n));
            let only = interface(&both, &kept, &cotangents.collect::<Vec<_>>())?;
            backward = Some(Lowered::new(simplify(&only)?)?);
        }
        let memory = (
            forward.workspace_with(threads, 1024),
            backward.as_ref().map(|b| b.workspace_with(threads, BLOCK)),
        );
        Ok(SoftPass {
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
    let mut prepared = Vec::new();
    for (set, routes) in sets.iter().zip(&layout.routes) {
        let passes = set.plan.passes().enumerate();
        let passes = passes.map(|(k, pass)| Prepared::new(pass, k, routes, free, softening));
        prepared.push(passes.collect::<Result<Vec<_>>>()?);
    }
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
        if softening != Softening::Surface {
            // Of the nominal pass: widths are the same for all.
            prepared[0].measure(&set.plan.nominal, &chunk, start, &mut spreads)?;
        } else if chunk.entries > most.0 {
            let surface = prepared[0].surface(&set.plan.nominal, &chunk, start)?;
            most = (chunk.entries, surface);
        }
    }
    for pass in prepared.iter_mut().flatten() {
        pass.surface.clone_from(&most.1);
    }
    let finish = |passes: Vec<Prepared>| -> Result<Soft> {
        let passes = passes.into_iter().map(|p| p.finish(&spreads, threads));
        Ok(Soft {
            passes: passes.collect::<Result<_>>()?,
        })
    };
    prepared.into_iter().map(finish).collect()
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
        let points: Vec<_> = set.plan.passes().map(|p| p.points_at(values)).collect();
        let widths: Vec<Vec<f64>> = self.widths(temperature);
        let plan = Arc::clone(&set.plan);
        let exact: Vec<&Pass> = plan.passes().collect();
        set.each(of, &mut |chunk| {
            for (k, pass) in self.passes.iter_mut().enumerate() {
                for (point, sums) in points[k].iter().zip(&mut sums[k]) {
                    let more: Vec<Column<'_>> = widths[k].iter().map(Column::from).collect();
                    let program = pass.forward.program();
                    let bindings = exact[k].compiled.bind_to(program, chunk, point, &more)?;
                    let ws = &mut pass.memory.0;
                    pass.forward.run(ws, &bindings)?;
                    for (j, output) in pass.outputs.iter().enumerate() {
                        accumulate(&mut sums[*output], ws.f64(j));
                    }
                }
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
        let points: Vec<_> = set.plan.passes().map(|p| p.points_at(values)).collect();
        let widths: Vec<Vec<f64>> = self.widths(temperature);
        let plan = Arc::clone(&set.plan);
        let exact: Vec<&Pass> = plan.passes().collect();
        set.each(of, &mut |chunk| {
            for (k, pass) in self.passes.iter_mut().enumerate() {
                let (Some(backward), Some(ws)) = (&pass.backward, &mut pass.memory.1) else {
                    continue;
                };
                for (point, by) in points[k].iter().zip(&by[k]) {
                    let cotangents = pass.outputs.iter().map(|o| Column::F64(&by[*o]));
                    let more: Vec<Column<'_>> = widths[k]
                        .iter()
                        .map(Column::from)
                        .chain(cotangents)
                        .collect();
                    let program = backward.program();
                    let bindings = exact[k].compiled.bind_to(program, chunk, point, &more)?;
                    backward.run(ws, &bindings)?;
                    for (j, name) in pass.wrt.iter().enumerate() {
                        accumulate(gradient.entry(name.clone()).or_default(), ws.f64(j));
                    }
                }
            }
            Ok(())
        })
    }

    fn widths(&self, temperature: f64) -> Vec<Vec<f64>> {
        let each = |pass: &SoftPass| pass.spreads.iter().map(|s| s * temperature).collect();
        self.passes.iter().map(each).collect()
    }

    /// What is soft, and the spread of what it compares.
    pub fn spreads(&self) -> Vec<(String, f64)> {
        let of = |p: &SoftPass| {
            p.labels
                .iter()
                .cloned()
                .zip(p.spreads.iter().copied())
                .collect()
        };
        self.passes.first().map_or_else(Vec::new, of)
    }

    /// How many decisions are soft.
    pub fn decisions(&self) -> usize {
        self.passes.first().map_or(0, |p| p.spreads.len())
    }
}
