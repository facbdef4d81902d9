//! The objective as a function of the free quantities: events to bins, bins to the objective, and back.

use super::events::{Options, Set, Setting, free_inputs};
use super::goal::{Evaluation, Objective};
use super::layout::Layout;
use super::networks::standardise;
use super::quantities::Quantities;
use super::soft::{Soft, soften};
use super::split::{Part, Portion};
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, Optimisation};
use crate::run::{Sums, Sweep};

/// An analysis whose events are read and whose programs are made.
pub struct Problem<'a> {
    pub(super) file: &'a AnalysisFile,
    pub(super) optimisation: &'a Optimisation,
    pub(super) sets: Vec<Set<'a>>,
    pub(super) layout: Layout,
    pub(super) quantities: Quantities,
    pub(super) objective: Objective,
    soft: Vec<Soft>,
    plots: Vec<usize>,
    pub(super) threads: usize,
    /// The fold whose events are for the test.
    pub(super) fold: usize,
}

/// The soft objective at a point.
#[derive(Debug, Clone, PartialEq)]
pub struct SoftValue {
    /// The objective.
    pub value: f64,
    /// What the constraints add to its logarithm.
    pub penalty: f64,
    /// What is made small: the logarithm of the objective, with the sign that makes small numbers good, and the penalty.
    pub small: f64,
    /// Derivatives of that by the free quantities.
    pub gradient: Vec<f64>,
}

impl SoftValue {
    /// Where there is none.
    pub(super) fn nothing(quantities: usize) -> Self {
        Self {
            value: f64::NAN,
            penalty: f64::NAN,
            small: f64::NAN,
            gradient: vec![0.0; quantities],
        }
    }
}

impl<'a> Problem<'a> {
    /// Reads all events once and makes the programs. Nothing if `tell`, which hears of data sets and events, says stop.
    ///
    /// # Errors
    /// A file without `[optimize]`, files that cannot be read, expressions that do not fit, and what cannot be soft.
    pub fn open(
        file: &'a AnalysisFile,
        options: &Options,
        tell: &mut dyn FnMut(&str, u64) -> bool,
    ) -> Result<Option<Self>> {
        let Some(optimisation) = &file.optimisation else {
            return Err(Error::Optimisation {
                message: "the file does not say what is to be optimised".into(),
                help: "write `[optimize]` with `objective` and `free`".into(),
            });
        };
        let estimated = file.processes();
        if let Some(name) = estimated.get(file.simulated().len()) {
            return Err(Error::Optimisation {
                message: format!(
                    "`{name}` is estimated from observed events, which an optimisation does not look at"
                ),
                help: "optimise with simulated events in its place".into(),
            });
        }
        let free = free_inputs(file, optimisation);
        if let Some(systematic) = file.systematics.iter().find(|s| s.effect.is_tangent())
            && let Some(moves) = free.first()
        {
            return Err(Error::Optimisation {
                message: format!(
                    "`{}` varies along a tangent, which has no derivative by `{moves}`: the surface terms of thresholds are estimates of first order",
                    systematic.name
                ),
                help: "leave out `method` of the systematic while something is free; `pullback run --at` has tangents of the optimum".into(),
            });
        }
        for systematic in &file.systematics {
            if let crate::file::Effect::Parameter { name, .. } = &systematic.effect
                && free.contains(name)
            {
                return Err(Error::Optimisation {
                    message: format!(
                        "`{name}` is moved by the systematic `{}`, and is free",
                        systematic.name
                    ),
                    help: "what is uncertain cannot be chosen".into(),
                });
            }
        }
        let mut quantities = Quantities::new(file, optimisation)?;
        let mut sets = Vec::new();
        let mut memory = options.memory;
        let setting = Setting {
            file,
            optimisation,
            free: &free,
            options,
        };
        let nominal = file.datasets.iter().filter(|d| !d.observed);
        let variants = file.variants().into_iter();
        let variants = variants.map(|v| (v.input, Some((v.systematic, v.shift))));
        for (input, variant) in nominal.map(|d| (d, None)).chain(variants) {
            let set = Set::open(&setting, input, variant, &mut memory, tell)?;
            let Some(set) = set else { return Ok(None) };
            sets.push(set);
        }
        if sets.iter().all(|s| s.kept(Part::Training) == Some(0)) {
            return Err(Error::Optimisation {
                message: "no event of any process passes the cuts that do not move".into(),
                help: "look at the cutflow of `pullback run`".into(),
            });
        }
        let layout = Layout::new(file, &sets);
        let start = quantities.values(&quantities.start);
        quantities.fixed = standardise(file, optimisation, &mut sets, &start)?;
        let start = quantities.values(&quantities.start);
        let soft = soften(
            &mut sets,
            &layout,
            &free,
            &start,
            optimisation.softening,
            options.threads,
        )?;
        let objective = Objective::new(optimisation, &layout);
        Ok(Some(Self {
            file,
            optimisation,
            objective,
            sets,
            layout,
            quantities,
            soft,
            plots: file.plots(),
            threads: options.threads,
            fold: options.fold,
        }))
    }

    /// Names and places of the free quantities that are numbers for people: all but weights of networks.
    pub fn names(&self) -> impl Iterator<Item = (&str, usize)> {
        self.quantities
            .list
            .iter()
            .map(|q| (q.name.as_str(), q.place))
    }

    /// Names and places of the networks that may move.
    pub fn networks(&self) -> &[(String, std::ops::Range<usize>)] {
        &self.quantities.networks
    }

    /// The starts of all.
    pub fn start(&self) -> &[f64] {
        &self.quantities.start
    }

    /// Coordinates in which every point is legal: thresholds inside their ranges, edges in order.
    ///
    /// # Errors
    /// Quantities that are not inside.
    pub fn coordinates(&self, x: &[f64]) -> Result<Vec<f64>> {
        self.quantities.coordinates(x)
    }

    /// The quantities at coordinates.
    pub fn at(&self, coordinates: &[f64]) -> Vec<f64> {
        self.quantities.at(coordinates)
    }

    /// The inputs of the programs at quantities.
    pub fn values(&self, x: &[f64]) -> crate::run::Values {
        self.quantities.values(x)
    }

    /// Events of a part that can matter, where they are held in memory; else all of them.
    pub fn events(&self, part: Part) -> usize {
        let own = |s: &Set<'_>| s.kept(part).unwrap_or(s.entries[part as usize] as usize);
        self.sets.iter().map(own).sum()
    }

    /// What a training makes small, of the exact analysis: the logarithm of the objective, with the sign that makes small numbers good, and the constraints.
    ///
    /// # Errors
    /// A model that cannot be fitted.
    pub fn exact(&mut self, part: Part, x: &[f64]) -> Result<f64> {
        Ok(self.hard(part, x)?.0.small)
    }

    /// What is soft in the first data set, and the spread of what it compares, of which widths are parts.
    pub fn spreads(&self) -> Vec<(String, f64)> {
        self.soft.first().map_or_else(Vec::new, Soft::spreads)
    }

    /// How many decisions are soft, of the data set that has most of them.
    pub fn decisions(&self) -> usize {
        self.soft.iter().map(Soft::decisions).max().unwrap_or(0)
    }

    /// The soft objective and its gradient at free quantities, on a part of the events; widths are `temperature` times the spreads.
    ///
    /// # Errors
    /// A model that cannot be fitted.
    pub fn soft(&mut self, part: Part, x: &[f64], temperature: f64) -> Result<SoftValue> {
        self.soft_of(part.into(), x, temperature)
    }

    /// The soft objective and its gradient, of some events that stand for all.
    pub(super) fn soft_of(
        &mut self,
        of: Portion,
        x: &[f64],
        temperature: f64,
    ) -> Result<SoftValue> {
        let values = self.quantities.values(x);
        let list = self.soft_list(of, x, temperature)?;
        let found = self.objective.soft(self.file, &self.layout, &list)?;
        let mut gradient = crate::run::Values::new();
        for (k, (set, soft)) in self.sets.iter_mut().zip(&mut self.soft).enumerate() {
            let fraction = set.fraction(of);
            let by = cotangents(&self.layout, k, set, fraction, &found.small_by_list);
            soft.backward(set, of, &values, temperature, &by, &mut gradient)?;
        }
        Ok(SoftValue {
            value: found.value,
            penalty: found.penalty,
            small: found.small,
            gradient: self.quantities.gradient(&gradient),
        })
    }

    /// The soft objective alone.
    ///
    /// # Errors
    /// As [`Self::soft`].
    pub fn soft_value(&mut self, part: Part, x: &[f64], temperature: f64) -> Result<f64> {
        let list = self.soft_list(part.into(), x, temperature)?;
        Ok(self.objective.soft(self.file, &self.layout, &list)?.small)
    }

    fn soft_list(&mut self, of: Portion, x: &[f64], temperature: f64) -> Result<Vec<f64>> {
        let values = self.quantities.values(x);
        let mut list = vec![0.0; self.layout.len()];
        for (k, (set, soft)) in self.sets.iter_mut().zip(&mut self.soft).enumerate() {
            let sums = soft.forward(set, of, &values, temperature)?;
            let fraction = set.fraction(of);
            self.layout.add(&mut list, k, set, fraction, &sums);
        }
        Ok(list)
    }

    /// The bins of the exact analysis on a part of the events; if `whole`, as if it were all of them.
    pub(super) fn hard_bins(&mut self, part: Part, x: &[f64], whole: bool) -> Result<Vec<f64>> {
        let values = self.quantities.values(x);
        let mut list = vec![0.0; self.layout.len()];
        for (k, set) in self.sets.iter_mut().enumerate() {
            let plan = std::sync::Arc::clone(&set.plan);
            let mut sweep = Sweep::new(&plan, &self.plots, self.threads);
            set.each(part, &mut |chunk| sweep.add(chunk, &values))?;
            let fraction = if whole { set.fraction(part) } else { 1.0 };
            let sums = sweep.finish();
            self.layout.add(&mut list, k, set, fraction, &sums);
        }
        Ok(list)
    }

    /// The exact objective at free quantities, on a part of the events.
    pub(super) fn hard(&mut self, part: Part, x: &[f64]) -> Result<(Evaluation, Vec<f64>)> {
        let list = self.hard_bins(part, x, true)?;
        let found = self.objective.hard(self.file, &self.layout, &list)?;
        Ok((found, list))
    }

    /// Makes the next soft value independent of the last one, to the bit.
    pub(super) fn forget(&mut self) {
        self.objective.forget();
    }
}

/// Derivatives by the sums of outputs from those by the list.
fn cotangents(layout: &Layout, k: usize, set: &Set<'_>, fraction: f64, by: &[f64]) -> Sums {
    let mut out = set.plan.sums();
    for route in &layout.routes[k] {
        let factor = Layout::factor(route, set, fraction);
        let into = &mut out[route.output];
        into.resize(route.bins, 0.0);
        let by = &by[route.start..route.start + route.bins];
        into.iter_mut().zip(by).for_each(|(a, b)| *a += factor * b);
    }
    out
}
