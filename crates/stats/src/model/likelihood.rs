//! A model ready to be evaluated: its programs, specialised for fitting, with their memory.

use pullback_ad::SparseMatrix;
use std::sync::Arc;

use pullback_array::attr::Data as ArrayData;
use pullback_array::transform::{self, HessianPlan, JacobianPlan};
use pullback_array::{Bindings, Column, Lowered, Workspace as Memory};

use super::layout::Layout;
use super::pullback::Slots;
use super::record::{Part, record, templates};
use crate::error::{Error, Result};
use crate::spec::{Constraint, ModelSpec};

/// Observed data: main data per bin and auxiliary data, in pyhf's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// Events per bin, over all channels.
    pub main: Vec<f64>,
    /// Auxiliary data of the constrained parameters.
    pub aux: Vec<f64>,
}

impl Data {
    /// Whether all numbers are the same to the bit, without a branch for each.
    fn has_bits_of(&self, other: &Self) -> bool {
        let same = |a: &[f64], b: &[f64]| {
            let differ = |d: u64, (x, y): (&f64, &f64)| d | (x.to_bits() ^ y.to_bits());
            a.len() == b.len() && a.iter().zip(b).fold(0, differ) == 0
        };
        same(&self.main, &other.main) && same(&self.aux, &other.aux)
    }
}

/// A program with its memory.
struct Evaluator {
    lowered: Lowered,
    memory: Memory,
}

impl Evaluator {
    fn new(program: pullback_array::Program) -> Result<Self> {
        let lowered = Lowered::new(program)?;
        let memory = lowered.workspace();
        Ok(Self { lowered, memory })
    }

    fn run(&mut self, columns: &[Column<'_>]) -> Result<()> {
        Ok(self
            .lowered
            .run(&mut self.memory, &Bindings::ordered(columns))?)
    }
}

/// A HistFactory likelihood.
///
/// The programs are specialised: templates are constants of them. They differ in what they compute and are made when first needed.
pub struct Model {
    spec: ModelSpec,
    layout: Layout,
    kernel: pullback_array::Program,
    constants: Evaluator,
    value: Option<Evaluator>,
    gradient: Option<Evaluator>,
    hessian: Option<Evaluator>,
    full: Option<Evaluator>,
    jacobian: Option<JacobianPlan>,
    /// The Hessian by layers; `None` inside if a node refuses, then directional derivatives serve.
    #[allow(clippy::option_option)] // Not tried yet, refused, ready.
    layers: Option<Option<HessianPlan>>,
    /// The data for which `constant` holds.
    last_data: Option<(Data, f64)>,
    separable: Vec<usize>,
    threads: usize,
    /// Templates that are inputs of the programs; none where they are constants.
    slots: Arc<Slots>,
}

impl Model {
    /// Compiles the likelihood of a resolved model.
    ///
    /// # Errors
    /// Only for a bug: a resolved model always compiles.
    pub fn new(spec: ModelSpec) -> Result<Self> {
        let layout = Layout::new(&spec, false);
        Self::with_layout(spec, layout, Slots::new())
    }

    /// The likelihood with its templates as inputs of the programs: [`Self::set_templates`] then costs nothing, an evaluation more than that of [`Self::new`].
    ///
    /// # Errors
    /// Only for a bug: a resolved model always compiles.
    pub fn open(spec: ModelSpec) -> Result<Self> {
        // Rows without effect are kept: the next templates may give them one.
        let layout = Layout::new(&spec, true);
        let slots = templates(&spec, &layout);
        Self::with_layout(spec, layout, slots)
    }

    fn with_layout(spec: ModelSpec, layout: Layout, slots: Slots) -> Result<Self> {
        let kernel = compiled(&spec, &layout, &slots, Part::Kernel)?;
        let constants = compiled(&spec, &layout, &slots, Part::Constant)?;
        Ok(Self {
            separable: spec.separable(),
            threads: 1,
            slots: Arc::new(slots),
            spec,
            layout,
            kernel,
            constants: Evaluator::new(constants)?,
            value: None,
            gradient: None,
            hessian: None,
            full: None,
            jacobian: None,
            layers: None,
            last_data: None,
        })
    }

    /// [`ModelSpec::set_templates`], without another program if the model is [`Self::open`].
    ///
    /// # Errors
    /// As there; then nothing is changed.
    pub fn set_templates<S: AsRef<[f64]>>(&mut self, slots: &[(&str, S)]) -> Result<()> {
        let mut spec = self.spec.clone();
        spec.set_templates(slots)?;
        if self.slots.is_empty() {
            let threads = self.threads;
            *self = Self::new(spec)?;
            self.set_threads(threads);
            return Ok(());
        }
        let known = Arc::make_mut(&mut self.slots);
        for (name, values) in slots {
            if let Some((_, held)) = known.iter_mut().find(|(n, _)| n == name) {
                held.copy_from_slice(values.as_ref());
            }
        }
        self.spec = spec;
        self.last_data = None;
        Ok(())
    }

    /// Threads that an evaluation may use; their number changes no bit of a result. One to begin with.
    pub fn set_threads(&mut self, threads: usize) {
        self.threads = threads.max(1);
        if let Some(Some(plan)) = &mut self.layers {
            plan.set_threads(self.threads);
        }
        if let Some(plan) = &mut self.jacobian {
            plan.set_threads(self.threads);
        }
    }

    /// See [`Self::set_threads`].
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// [`ModelSpec::separable`], found once.
    pub fn separable(&self) -> &[usize] {
        &self.separable
    }

    /// The resolved model.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The specialised program of `twice_nll`: inputs `parameters`, `observations`, `auxdata` (if there is any) and `constant`.
    pub fn program(&self) -> &pullback_array::Program {
        &self.kernel
    }

    /// The observed data.
    pub fn observed(&self) -> Data {
        Data {
            main: self.spec.observations.clone(),
            aux: self.spec.auxdata.clone(),
        }
    }

    pub(super) fn check(&self, parameters: &[f64], data: &Data) -> Result<()> {
        let fits = |what: &'static str, found: usize, expected: usize| {
            if found == expected {
                Ok(())
            } else {
                Err(Error::Size {
                    what,
                    found,
                    expected,
                })
            }
        };
        fits("parameters", parameters.len(), self.spec.parameters.len())?;
        fits("main data", data.main.len(), self.spec.bins())?;
        fits("auxiliary data", data.aux.len(), self.spec.auxdata.len())
    }

    /// The terms that depend on the data alone.
    fn constant(&mut self, data: &Data) -> Result<f64> {
        if let Some((known, value)) = &self.last_data
            && known.has_bits_of(data)
        {
            return Ok(*value);
        }
        let mut columns = vec![Column::F64(&data.main)];
        if !data.aux.is_empty() {
            columns.push(Column::F64(&data.aux));
        }
        columns.extend(self.slots.iter().map(|(_, values)| Column::F64(values)));
        self.constants.run(&columns)?;
        let value = self.constants.memory.scalar(0);
        self.last_data = Some((data.clone(), value));
        Ok(value)
    }

    /// −2 ln L at `parameters` (pyhf's order), with all constant terms.
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn twice_nll(&mut self, parameters: &[f64], data: &Data) -> Result<f64> {
        self.check(parameters, data)?;
        let constant = self.constant(data)?;
        let evaluator = match &mut self.value {
            Some(e) => e,
            slot => slot.insert(Evaluator::new(self.kernel.clone())?),
        };
        evaluator.run(&columns(parameters, data, &self.slots, &constant))?;
        Ok(evaluator.memory.scalar(0))
    }

    /// −2 ln L and its gradient, written into `gradient`.
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn value_and_gradient(
        &mut self,
        parameters: &[f64],
        data: &Data,
        gradient: &mut [f64],
    ) -> Result<f64> {
        self.check(parameters, data)?;
        let constant = self.constant(data)?;
        let evaluator = match &mut self.gradient {
            Some(e) => e,
            slot => slot.insert(Evaluator::new(transform::bind(
                &transform::grad(&self.kernel, "twice_nll", &["parameters"])?,
                &[],
            )?)?),
        };
        evaluator.run(&columns(parameters, data, &self.slots, &constant))?;
        gradient.copy_from_slice(evaluator.memory.f64(1));
        Ok(evaluator.memory.scalar(0))
    }

    /// −2 ln L and its gradient.
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn gradient(&mut self, parameters: &[f64], data: &Data) -> Result<(f64, Vec<f64>)> {
        let mut gradient = vec![0.0; parameters.len()];
        let value = self.value_and_gradient(parameters, data, &mut gradient)?;
        Ok((value, gradient))
    }

    /// The exact Hessian of −2 ln L, row-major n × n.
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn hessian(&mut self, parameters: &[f64], data: &Data) -> Result<Vec<f64>> {
        let n = parameters.len();
        let mut out = vec![0.0; n * n];
        self.hessian_into(parameters, data, &mut out)?;
        Ok(out)
    }

    /// [`Self::hessian`] into a given matrix.
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn hessian_into(&mut self, parameters: &[f64], data: &Data, out: &mut [f64]) -> Result<()> {
        self.check(parameters, data)?;
        let constant = self.constant(data)?;
        let slots = Arc::clone(&self.slots);
        if let Some(plan) = self.plan()
            && plan.run(
                &Bindings::ordered(&columns(parameters, data, &slots, &constant)),
                out,
            )?
        {
            return Ok(());
        }
        self.hessian_by_directions(parameters, data, out)
    }

    /// The exact Hessian by blocks: A (m × m) of all parameters that are not [`ModelSpec::separable`], E (s × m) and the diagonal D (s) of those that are,
    /// in that order. False where it cannot be computed by layers: then [`Self::hessian_into`] serves.
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn hessian_blocks(
        &mut self,
        parameters: &[f64],
        data: &Data,
        a: &mut [f64],
        e: &mut [f64],
        d: &mut [f64],
    ) -> Result<bool> {
        self.check(parameters, data)?;
        let constant = self.constant(data)?;
        let slots = Arc::clone(&self.slots);
        let Some(plan) = self.plan() else {
            return Ok(false);
        };
        let columns = columns(parameters, data, &slots, &constant);
        Ok(plan.run_blocks(&Bindings::ordered(&columns), a, e, d)?)
    }

    fn plan(&mut self) -> Option<&mut HessianPlan> {
        let (kernel, separable, threads) = (&self.kernel, &self.separable, self.threads);
        self.layers
            .get_or_insert_with(|| {
                let plan = HessianPlan::new(kernel, "twice_nll", "parameters").ok()?;
                let mut plan = plan.with_separable(separable);
                plan.set_threads(threads);
                Some(plan)
            })
            .as_mut()
    }

    /// Whether the last Hessian was (or the next will be) computed by layers.
    pub fn has_layers(&self) -> bool {
        !matches!(self.layers, Some(None))
    }

    /// The Hessian column by column, as directional derivatives of the gradient: slower than by layers, and independent of it.
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn hessian_by_directions(
        &mut self,
        parameters: &[f64],
        data: &Data,
        out: &mut [f64],
    ) -> Result<()> {
        self.check(parameters, data)?;
        let constant = self.constant(data)?;
        let evaluator = match &mut self.hessian {
            Some(e) => e,
            slot => {
                let gradient = transform::grad(&self.kernel, "twice_nll", &["parameters"])?;
                slot.insert(Evaluator::new(transform::jvp(&gradient, &["parameters"])?)?)
            }
        };
        let n = parameters.len();
        let mut direction = vec![0.0; n];
        let program = evaluator.lowered.program();
        let position = program
            .outputs()
            .iter()
            .position(|(name, _)| &**name == "d_grad_parameters")
            .unwrap_or(0);
        for j in 0..n {
            direction[j] = 1.0;
            let mut columns = columns(parameters, data, &self.slots, &constant);
            columns.push(Column::F64(&direction));
            evaluator.run(&columns)?;
            for (i, h) in evaluator.memory.f64(position).iter().enumerate() {
                out[i * n + j] = *h;
            }
            direction[j] = 0.0;
        }
        for i in 0..n {
            for j in 0..i {
                let mean = 0.5 * (out[i * n + j] + out[j * n + i]);
                (out[i * n + j], out[j * n + i]) = (mean, mean);
            }
        }
        Ok(())
    }

    /// Jacobian of the rates: bins × parameters, sparse.
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn rate_jacobian(&mut self, parameters: &[f64]) -> Result<SparseMatrix> {
        let observed = self.observed();
        self.check(parameters, &observed)?;
        let slots = Arc::clone(&self.slots);
        let columns = full_columns(parameters, &observed, &slots);
        Ok(self.jacobian_plan()?.run(&Bindings::ordered(&columns))?)
    }

    fn jacobian_plan(&mut self) -> Result<&mut JacobianPlan> {
        if self.jacobian.is_none() {
            let program = compiled(&self.spec, &self.layout, &self.slots, Part::Full)?;
            let plan = JacobianPlan::new(&program, "rate", "parameters")?;
            let plan = self.jacobian.insert(plan.with_separable(&self.separable));
            plan.set_threads(self.threads);
        }
        self.jacobian.as_mut().ok_or(Error::Size {
            what: "the Jacobian",
            found: 0,
            expected: 1,
        })
    }

    /// The Fisher information as curvature of −2 ln L: 2 Jᵀ diag(1/rate) J with the Jacobian J of the rates, and the curvature of the constraint terms,
    /// 2/σ² and 2τ/θ. On Asimov data at its own point it equals the Hessian.
    ///
    /// False if it is not finite.
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn fisher_into(&mut self, parameters: &[f64], out: &mut [f64]) -> Result<bool> {
        let n = parameters.len();
        let (dense, separable) = (self.dense(), self.separable.clone());
        let (m, s) = (dense.len(), separable.len());
        let (mut a, mut e, mut d) = (vec![0.0; m * m], vec![0.0; s * m], vec![0.0; s]);
        let finite = self.fisher_blocks(parameters, &mut a, &mut e, &mut d)?;
        out.fill(0.0);
        for (&i, row) in dense.iter().zip(a.chunks(m.max(1))) {
            for (&j, x) in dense.iter().zip(row) {
                out[i * n + j] = *x;
            }
        }
        for (k, &i) in separable.iter().enumerate() {
            out[i * n + i] = d[k];
            for (&j, x) in dense.iter().zip(&e[k * m..]) {
                out[i * n + j] = *x;
                out[j * n + i] = *x;
            }
        }
        Ok(finite)
    }

    /// Parameters that are not separable.
    fn dense(&self) -> Vec<usize> {
        let mut separable = vec![false; self.spec.parameters.len()];
        self.separable.iter().for_each(|&i| separable[i] = true);
        (0..separable.len()).filter(|&i| !separable[i]).collect()
    }

    /// [`Self::fisher_into`] by the blocks of [`Self::hessian_blocks`]. False if it is not finite.
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn fisher_blocks(
        &mut self,
        parameters: &[f64],
        a: &mut [f64],
        e: &mut [f64],
        d: &mut [f64],
    ) -> Result<bool> {
        let weights: Vec<f64> = self
            .expected(parameters)?
            .into_iter()
            .map(|rate| 2.0 / rate.abs().max(f64::MIN_POSITIVE))
            .collect();
        let observed = self.observed();
        let slots = Arc::clone(&self.slots);
        let columns = full_columns(parameters, &observed, &slots);
        let plan = self.jacobian_plan()?;
        let finite = plan.run_gram(&Bindings::ordered(&columns), &weights, a, e, d)?;
        let curvature = |k: usize| match self.spec.parameters[k].constraint {
            Constraint::None => 0.0,
            Constraint::Normal { sigma, .. } => 2.0 / (sigma * sigma),
            Constraint::Poisson { tau, .. } => {
                2.0 * tau / parameters[k].abs().max(f64::MIN_POSITIVE)
            }
        };
        let dense = self.dense();
        for (x, &k) in a.iter_mut().step_by(dense.len() + 1).zip(&dense) {
            *x += curvature(k);
        }
        for (x, &k) in d.iter_mut().zip(&self.separable) {
            *x += curvature(k);
        }
        Ok(finite)
    }

    fn expectation(&mut self, parameters: &[f64]) -> Result<&Evaluator> {
        let observed = self.observed();
        self.check(parameters, &observed)?;
        let evaluator = match &mut self.full {
            Some(e) => e,
            slot => slot.insert(Evaluator::new(compiled(
                &self.spec,
                &self.layout,
                &self.slots,
                Part::Full,
            )?)?),
        };
        evaluator.run(&full_columns(parameters, &observed, &self.slots))?;
        Ok(evaluator)
    }

    /// Expected rate of each bin.
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn expected(&mut self, parameters: &[f64]) -> Result<Vec<f64>> {
        Ok(self.expectation(parameters)?.memory.f64(1).to_vec())
    }

    /// Expected yield of each cell.
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn cells(&mut self, parameters: &[f64]) -> Result<Vec<f64>> {
        Ok(self.expectation(parameters)?.memory.f64(2).to_vec())
    }
}

fn columns<'a>(
    parameters: &'a [f64],
    data: &'a Data,
    slots: &'a Slots,
    constant: &'a f64,
) -> Vec<Column<'a>> {
    let mut out = full_columns(parameters, data, slots);
    out.push(Column::from(constant));
    out
}

/// Columns of the full likelihood, in the order in which [`record`] declares them.
fn full_columns<'a>(parameters: &'a [f64], data: &'a Data, slots: &'a Slots) -> Vec<Column<'a>> {
    let mut out = vec![Column::F64(parameters), Column::F64(&data.main)];
    if !data.aux.is_empty() {
        out.push(Column::F64(&data.aux));
    }
    out.extend(slots.iter().map(|(_, values)| Column::F64(values)));
    out
}

/// A part of the likelihood: with these slots as inputs, or with all templates bound to their values.
fn compiled(
    spec: &ModelSpec,
    layout: &Layout,
    slots: &Slots,
    part: Part,
) -> Result<pullback_array::Program> {
    let bound: Vec<(&str, ArrayData)> = if slots.is_empty() {
        templates(spec, layout)
            .into_iter()
            .map(|(name, data)| (name, ArrayData::F64(data.into())))
            .collect()
    } else {
        Vec::new()
    };
    Ok(transform::bind(&record(spec, layout, part)?, &bound)?)
}
