//! The HistFactory likelihood as one program: parameters, observations, auxiliary data and templates are its inputs.
//!
//! ```text
//! rate[bin]  = Σ_sample (nominal + Σ histosys) · Π normsys · Π factors
//! twice_nll  = 2 Σ (rate − n ln rate + ln n!) + Σ ((aux − θ)/σ)² + 2 ln(σ√2π) + 2 Σ (τθ − aux ln τθ + ln aux!)
//! ```
//!
//! Reference: HistFactory manual CERN-OPEN-2012-016, equation (1); pyhf 0.7 for defaults and the treatment of n = 0.

use pullback_ad::Real;
use pullback_array::attr::Data;
use pullback_array::{Builder, Program, Space, Sym};

use super::interp::{coefficients, factor, histosys_basis};
use super::layout::{LANES, Layout, RowTable};
use crate::spec::{Constraint, Derived, Effect, HistosysCode, ModelSpec, NormsysCode};

/// What of the likelihood is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Everything: `twice_nll` with all its constants, `rate` and `cells`.
    Full,
    /// What depends on the parameters; terms of the data alone are the input `constant`.
    Kernel,
    /// The terms of the data alone.
    Constant,
}

/// Names of the template inputs, with their nominal values, in the order in which [`record`] declares them.
pub fn templates(spec: &ModelSpec, layout: &Layout) -> Vec<(&'static str, Vec<f64>)> {
    let mut out = vec![("nominal", spec.nominal.clone())];
    if !layout.histosys[0].is_empty() {
        out.push(("histosys_hi", layout.histosys[0].clone()));
        out.push(("histosys_lo", layout.histosys[1].clone()));
    }
    if !layout.normsys_values[0].is_empty() {
        out.push(("normsys_hi", layout.normsys_values[0].clone()));
        out.push(("normsys_lo", layout.normsys_values[1].clone()));
    }
    let uncertainty = uncertainties(spec).0;
    if !uncertainty.is_empty() {
        out.push(("uncertainty", uncertainty));
    }
    out
}

/// Uncertainties of staterror and shapesys, one entry per (application, bin), and the first entry of each application.
fn uncertainties(spec: &ModelSpec) -> (Vec<f64>, Vec<usize>) {
    let mut values = Vec::new();
    let first = spec
        .applications
        .iter()
        .map(|a| {
            let first = values.len();
            if let Effect::Staterror { uncertainty } | Effect::Shapesys { uncertainty } = &a.effect
            {
                values.extend_from_slice(uncertainty);
            }
            first
        })
        .collect();
    (values, first)
}

/// Records a part of the likelihood.
///
/// # Errors
/// Only for a bug: a resolved model always gives a well-formed program.
pub fn record(spec: &ModelSpec, layout: &Layout, part: Part) -> pullback_array::Result<Program> {
    let b = Builder::new();
    let recorder = Recorder {
        b: &b,
        spec,
        layout,
    };
    recorder.run(part)
}

struct Recorder<'a> {
    b: &'a Builder,
    spec: &'a ModelSpec,
    layout: &'a Layout,
}

impl<'a> Recorder<'a> {
    fn run(&self, part: Part) -> pullback_array::Result<Program> {
        let (b, spec) = (self.b, self.spec);
        let parameters = (part != Part::Constant)
            .then(|| b.input("parameters", b.dense_of("parameter", spec.parameters.len())));
        let bins = b.dense_of("bin", spec.bins());
        let observations = b.input("observations", bins);
        let auxdata = (!spec.auxdata.is_empty())
            .then(|| b.input("auxdata", b.dense_of("aux", spec.auxdata.len())));
        let mut levels: Vec<(&str, Space)> = Vec::new();
        let mut slots: Vec<(&str, Sym<'a>)> = Vec::new();
        for (name, data) in templates(spec, self.layout) {
            // The two variations of a systematic share their level of entries.
            let level = match name {
                "nominal" => "cell",
                _ => name.trim_end_matches("_hi").trim_end_matches("_lo"),
            };
            let known = levels.iter().find(|(l, _)| *l == level).map(|(_, s)| *s);
            let space = known.unwrap_or_else(|| b.dense_of(level, data.len()));
            if known.is_none() {
                levels.push((level, space));
            }
            slots.push((name, b.input(name, space)));
        }
        let slot = |name: &str| slots.iter().find(|(n, _)| *n == name).map(|(_, s)| *s);

        let mut constant = Sym::from(0.0);
        let mut outputs: Vec<(&str, Sym<'a>)> = Vec::new();
        let mut terms: Vec<Sym<'a>> = Vec::new();
        if let Some(theta) = parameters {
            let cells = self.cells(theta, &slot).named("cells");
            let index = self.index(&self.layout.bin, cells.space());
            let rate = cells.scatter_add(index, bins).named("rate");
            terms.push(
                (rate - observations.xlogy(rate))
                    .named("main term")
                    .sum_all()
                    * 2.0,
            );
            if part == Part::Full {
                outputs.push(("rate", rate));
                // Padding lanes stand after the last cell; positions in the layout's order.
                outputs.push(("cells", self.in_order(cells)));
            }
        }
        if part != Part::Kernel {
            constant += (observations + 1.0).lgamma().sum_all() * 2.0;
        }
        for (term, fixed) in self.constraints(parameters, auxdata, part, &slot) {
            terms.extend(term);
            if let Some(fixed) = fixed {
                constant += fixed;
            }
        }
        if part == Part::Kernel {
            constant = b.input("constant", Space::SCALAR);
        }
        let total = terms.into_iter().fold(constant, |sum, t| sum + t);
        outputs.insert(
            0,
            (
                if part == Part::Constant {
                    "constant"
                } else {
                    "twice_nll"
                },
                total,
            ),
        );
        b.finish(&outputs)
    }

    fn index(&self, data: &[i64], space: Space) -> Sym<'a> {
        self.b.constant_i64(data, space)
    }

    /// Values of a table at constant indices, and `other` where the index is negative.
    fn pick(&self, table: Sym<'a>, index: &[i64], space: Space, other: f64) -> Sym<'a> {
        let found = table.gather(self.index(index, space));
        if index.iter().all(|i| *i >= 0) {
            return found;
        }
        let mask = self
            .b
            .constant(Data::Bool(index.iter().map(|i| *i >= 0).collect()), space);
        mask.select(found, Sym::from(other))
    }

    /// Yields of all cells, in tiles and lanes.
    fn cells(&self, theta: Sym<'a>, slot: &dyn Fn(&str) -> Option<Sym<'a>>) -> Sym<'a> {
        let (b, layout) = (self.b, self.layout);
        let tiles = b.dense_of("tile", layout.tiles);
        let lanes = b.dense_of("lane", LANES);
        let space = b.join(tiles, lanes);
        let nan = Sym::from(f64::NAN);
        let nominal = slot("nominal").unwrap_or(nan);
        let mut yields = self.pick(nominal, &layout.cell, space, 0.0);

        if let (Some(hi), Some(lo)) = (slot("histosys_hi"), slot("histosys_lo")) {
            let base = nominal.gather(self.index(&layout.histosys_cell, hi.space()));
            let parts = [
                (&layout.linear, (hi - lo) * 0.5, "linear"),
                (&layout.even, hi + lo - base * 2.0, "even"),
            ];
            for (k, (table, values, name)) in parts.into_iter().enumerate() {
                if table.parameter.is_empty() {
                    continue;
                }
                let (rows, full) = self.rows(table, tiles, lanes, &format!("histosys_{name}"));
                let m = self.pick(values, &table.entry, full, 0.0);
                let level = rows.last().unwrap_or(pullback_array::LevelId(0));
                let (g, place) = self.basis(theta, &table.parameter, k);
                yields += g
                    .rows_sum_at(self.index(&place, rows), m, level)
                    .named("histosys");
            }
        }
        if let (Some(hi), Some(lo), false) = (
            slot("normsys_hi"),
            slot("normsys_lo"),
            layout.normsys.parameter.is_empty(),
        ) {
            let (rows, full) = self.rows(&layout.normsys, tiles, lanes, "normsys");
            let alpha = theta
                .gather(self.index(&layout.normsys.parameter, rows))
                .named("alpha of normsys");
            let (hi, lo) = (
                self.pick(hi, &layout.normsys.entry, full, 1.0),
                self.pick(lo, &layout.normsys.entry, full, 1.0),
            );
            let code = if self.spec.settings.normsys == NormsysCode::Code1 {
                1
            } else {
                4
            };
            let f = factor(b, alpha, &coefficients(hi, lo), code).named("normsys");
            yields *= f.prod(rows.last().unwrap_or(pullback_array::LevelId(0)));
        }
        if !layout.factors.parameter.is_empty() {
            let (rows, full) = self.rows(&layout.factors, tiles, lanes, "factor");
            let f = self
                .pick(theta, &layout.factors.entry, full, 1.0)
                .named("factors");
            yields *= f.prod(rows.last().unwrap_or(pullback_array::LevelId(0)));
        }
        yields
    }

    /// Function `k` of α in the interpolation of a histosys, once for each parameter that rows have, and the place of each row's parameter in it.
    fn basis(&self, theta: Sym<'a>, parameter: &[i64], k: usize) -> (Sym<'a>, Vec<i64>) {
        let code = self.spec.settings.histosys;
        if k == 0 && code != HistosysCode::Code2 {
            // The odd function of the other codes is α itself.
            return (theta, parameter.to_vec());
        }
        let mut distinct = parameter.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let level = ["histosys_odd", "histosys_even"][k.min(1)];
        let space = self.b.dense_of(level, distinct.len());
        let alpha = theta
            .gather(self.index(&distinct, space))
            .named("alpha of histosys");
        let (g1, g2) = histosys_basis(self.b, alpha, code);
        let place = parameter
            .iter()
            .map(|p| distinct.partition_point(|d| d < p) as i64)
            .collect();
        (if k == 0 { g1 } else { g2 }, place)
    }

    /// The level of a row table below tiles, and that with lanes.
    fn rows(&self, table: &RowTable, tiles: Space, lanes: Space, name: &str) -> (Space, Space) {
        let offsets = self.b.constant_offsets(&table.offsets, tiles);
        let rows = self.b.ragged_by(name, offsets);
        (rows, self.b.join(rows, lanes))
    }

    /// Cells in the order of the model.
    fn in_order(&self, cells: Sym<'a>) -> Sym<'a> {
        let n = self.spec.cells();
        let out = self.b.dense_of("cell", n);
        let flat = cells.scatter_add(self.index(&self.layout.cell, cells.space()), out);
        flat.named("cells")
    }

    /// Constraint terms: what depends on the parameters, and what depends on data and widths alone.
    #[allow(clippy::type_complexity)] // A list of (term, constant), used once.
    fn constraints(
        &self,
        theta: Option<Sym<'a>>,
        auxdata: Option<Sym<'a>>,
        part: Part,
        slot: &dyn Fn(&str) -> Option<Sym<'a>>,
    ) -> Vec<(Option<Sym<'a>>, Option<Sym<'a>>)> {
        let (b, spec) = (self.b, self.spec);
        let mut out = Vec::new();
        let Some(auxdata) = auxdata else { return out };
        let (mut normal, mut poisson) = (Vec::new(), Vec::new());
        for (k, p) in spec.parameters.iter().enumerate() {
            match (p.constraint, p.aux) {
                (Constraint::Normal { sigma, .. }, Some(aux)) => {
                    normal.push((k as i64, aux as i64, sigma));
                }
                (Constraint::Poisson { tau, .. }, Some(aux)) => {
                    poisson.push((k as i64, aux as i64, tau));
                }
                _ => {}
            }
        }
        let columns = |list: &[(i64, i64, f64)]| -> (Vec<i64>, Vec<i64>, Vec<f64>) {
            (
                list.iter().map(|x| x.0).collect(),
                list.iter().map(|x| x.1).collect(),
                list.iter().map(|x| x.2).collect(),
            )
        };
        if !normal.is_empty() {
            let (which, aux, given) = columns(&normal);
            let space = b.dense_of("normal", normal.len());
            let sigma = self
                .staterror_widths(&which, &given, space, slot)
                .named("sigma");
            let datum = self.pick(auxdata, &aux, space, 0.0);
            // A width is a constant of a fit: a weight costs no division there.
            let weight = sigma.square().recip();
            let term = theta.map(|t| {
                let pull = datum - self.pick(t, &which, space, 0.0);
                (pull.square() * weight)
                    .named("normal constraints")
                    .sum_all()
            });
            // ln(σ√2π) twice.
            let fixed = (part != Part::Kernel)
                .then(|| (sigma.ln() * 2.0 + std::f64::consts::TAU.ln()).sum_all());
            out.push((term, fixed));
        }
        if !poisson.is_empty() {
            let (which, aux, given) = columns(&poisson);
            let space = b.dense_of("poisson", poisson.len());
            let tau = self
                .shapesys_rates(&which, &given, space, slot)
                .named("tau");
            let datum = self.pick(auxdata, &aux, space, 0.0);
            let term = theta.map(|t| {
                let mean = tau * self.pick(t, &which, space, 0.0);
                (mean - datum.xlogy(mean))
                    .named("poisson constraints")
                    .sum_all()
                    * 2.0
            });
            let fixed = (part != Part::Kernel).then(|| (datum + 1.0).lgamma().sum_all() * 2.0);
            out.push((term, fixed));
        }
        out
    }

    /// σ of the normal constraints: those of staterrors follow from the templates, σ = √(Σ unc²)/Σ nominal.
    fn staterror_widths(
        &self,
        which: &[i64],
        given: &[f64],
        space: Space,
        slot: &dyn Fn(&str) -> Option<Sym<'a>>,
    ) -> Sym<'a> {
        let (b, spec) = (self.b, self.spec);
        let fixed = b.constant_f64(given, space);
        let first = uncertainties(spec).1;
        let (mut target, mut entry, mut cell) = (Vec::new(), Vec::new(), Vec::new());
        for (k, &p) in which.iter().enumerate() {
            if let Derived::Staterror { applications, bin } = &spec.parameters[p as usize].derived {
                for &a in applications {
                    target.push(k as i64);
                    entry.push((first[a] + bin) as i64);
                    cell.push((spec.samples[spec.applications[a].sample].cells.start + bin) as i64);
                }
            }
        }
        let (Some(uncertainty), Some(nominal), false) =
            (slot("uncertainty"), slot("nominal"), target.is_empty())
        else {
            return fixed;
        };
        let terms = b.dense_of("staterror", target.len());
        let sum = |values: Sym<'a>| values.scatter_add(self.index(&target, terms), space);
        let squares = sum(uncertainty.gather(self.index(&entry, terms)).square());
        let yields = sum(nominal.gather(self.index(&cell, terms)));
        let derived: Vec<bool> = (0..which.len())
            .map(|k| target.contains(&(k as i64)))
            .collect();
        if derived.iter().all(|d| *d) {
            return squares.sqrt() / yields;
        }
        let mask = b.constant(Data::Bool(derived.into()), space);
        // The guard keeps 0/0 out of rows that are given.
        mask.select(
            mask.select(squares, Sym::from(1.0)).sqrt() / mask.select(yields, Sym::from(1.0)),
            fixed,
        )
    }

    /// τ of the Poisson constraints: (nominal/uncertainty)² where the templates give it.
    fn shapesys_rates(
        &self,
        which: &[i64],
        given: &[f64],
        space: Space,
        slot: &dyn Fn(&str) -> Option<Sym<'a>>,
    ) -> Sym<'a> {
        let (b, spec) = (self.b, self.spec);
        let fixed = b.constant_f64(given, space);
        let first = uncertainties(spec).1;
        let (mut entry, mut cell) = (Vec::new(), Vec::new());
        for &p in which {
            if let Derived::Shapesys {
                application: a,
                bin,
                tau: true,
                ..
            } = spec.parameters[p as usize].derived
            {
                entry.push((first[a] + bin) as i64);
                cell.push((spec.samples[spec.applications[a].sample].cells.start + bin) as i64);
            } else {
                entry.push(-1);
                cell.push(-1);
            }
        }
        let (Some(uncertainty), Some(nominal), true) = (
            slot("uncertainty"),
            slot("nominal"),
            entry.iter().any(|e| *e >= 0),
        ) else {
            return fixed;
        };
        let ratio =
            self.pick(nominal, &cell, space, 1.0) / self.pick(uncertainty, &entry, space, 1.0);
        if entry.iter().all(|e| *e >= 0) {
            return ratio.square();
        }
        let mask = b.constant(Data::Bool(entry.iter().map(|e| *e >= 0).collect()), space);
        mask.select(ratio.square(), fixed)
    }
}
