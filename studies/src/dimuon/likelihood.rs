//! −2 ln L of a sample: value, gradient and Hessian, as an objective.

use std::sync::Arc;

use pullback_array::attr::Data;
use pullback_array::{Bindings, Column, Lowered, Program, Workspace, transform};
use pullback_optim::{Objective, Unavailable};

use super::calibration::{Calibration, Layout};
use super::error::DimuonError;
use super::muons::Muons;
use super::record::record;

/// How a gradient is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derivative {
    /// The program's own.
    Exact,
    /// Central differences of the value, two per parameter, with steps of 6·10⁻⁶ of the larger of 1 and the parameter.
    Differences,
}

/// A lowered program with its memory.
struct Ready {
    lowered: Lowered,
    memory: Workspace,
}

impl Ready {
    fn new(program: Program, threads: usize) -> Result<Self, DimuonError> {
        let lowered = Lowered::new(program)?;
        let memory = lowered.workspace_with(threads, 1024);
        Ok(Self { lowered, memory })
    }
}

/// −2 ln L of the pairs of a sample.
pub struct Likelihood<'m> {
    muons: &'m Muons,
    layout: Layout,
    program: Program,
    threads: usize,
    derivative: Derivative,
    value: Ready,
    gradient: Option<Ready>,
    hessian: Option<Ready>,
    /// Whether events are in the program: then parameters are its only input.
    folded: bool,
    failure: Option<DimuonError>,
    theta: Vec<f64>,
}

impl<'m> Likelihood<'m> {
    /// From the muons at each call: pairs are formed and selected again.
    ///
    /// # Errors
    /// Those of the program; no pair in a window.
    pub fn new(
        calibration: &Calibration,
        muons: &'m Muons,
        threads: usize,
    ) -> Result<Self, DimuonError> {
        Self::of(calibration, record(calibration)?, muons, threads, false)
    }

    /// With the muons bound to the program: what does not depend on the parameters (pairs, cuts, masses) is computed once, by partial evaluation.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn folded(
        calibration: &Calibration,
        muons: &'m Muons,
        threads: usize,
    ) -> Result<Self, DimuonError> {
        let program = record(calibration)?;
        let charge: Vec<i64> = muons.charge.iter().map(|q| i64::from(*q)).collect();
        let known = [
            ("muons", Data::I64(Arc::from(muons.offsets.as_slice()))),
            ("pt", Data::F64(Arc::from(muons.pt.as_slice()))),
            ("eta", Data::F64(Arc::from(muons.eta.as_slice()))),
            ("phi", Data::F64(Arc::from(muons.phi.as_slice()))),
            ("charge", Data::I64(Arc::from(charge))),
        ];
        let bound = transform::bind(&program, &known)?;
        Self::of(calibration, bound, muons, threads, true)
    }

    fn of(
        calibration: &Calibration,
        program: Program,
        muons: &'m Muons,
        threads: usize,
        folded: bool,
    ) -> Result<Self, DimuonError> {
        let layout = calibration.layout();
        let program = transform::simplify(&program)?;
        let value = Ready::new(program.clone(), threads)?;
        let mut out = Self {
            muons,
            layout,
            program,
            threads,
            derivative: Derivative::Exact,
            value,
            gradient: None,
            hessian: None,
            folded,
            failure: None,
            theta: vec![0.0; layout.count()],
        };
        out.value
            .run(&Bindings::ordered(&columns(muons, folded, &out.theta)))?;
        for (k, peak) in [(1, "J/psi"), (2, "Z")] {
            if out.value.memory.scalar(k) < 1.0 {
                return Err(DimuonError::Empty { peak });
            }
        }
        Ok(out)
    }

    /// With another way to gradients.
    #[must_use]
    pub fn with_derivative(mut self, derivative: Derivative) -> Self {
        self.derivative = derivative;
        self
    }

    /// The numbers of selected pairs of J/ψ and Z.
    pub fn counts(&self) -> [f64; 2] {
        [1, 2].map(|k| self.value.memory.scalar(k))
    }

    /// Where the parameters stand.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The program of the value.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Makes the programs of gradient and Hessian now, so that the first call does not pay for them.
    ///
    /// # Errors
    /// Those of the transforms.
    pub fn prepare(&mut self) -> Result<(), DimuonError> {
        self.ready_gradient()?;
        self.ready_hessian()?;
        Ok(())
    }

    /// What went wrong in a call of the objective, which can only say NaN.
    pub fn take_failure(&mut self) -> Option<DimuonError> {
        self.failure.take()
    }

    fn ready_gradient(&mut self) -> Result<&mut Ready, DimuonError> {
        let ready = match self.gradient.take() {
            Some(ready) => ready,
            None => {
                let program = transform::value_and_grad(&self.program, "twice_nll", &["theta"])?;
                Ready::new(transform::simplify(&program)?, self.threads)?
            }
        };
        Ok(self.gradient.insert(ready))
    }

    fn ready_hessian(&mut self) -> Result<&mut Ready, DimuonError> {
        let ready = match self.hessian.take() {
            Some(ready) => ready,
            None => {
                let program = transform::hessian(&self.program, "twice_nll", &["theta"])?;
                Ready::new(transform::simplify(&program)?, self.threads)?
            }
        };
        Ok(self.hessian.insert(ready))
    }

    fn value_at(&mut self, theta: &[f64]) -> Result<f64, DimuonError> {
        self.value
            .run(&Bindings::ordered(&columns(self.muons, self.folded, theta)))?;
        Ok(self.value.memory.scalar(0))
    }

    fn exact_gradient(&mut self, theta: &[f64], g: &mut [f64]) -> Result<f64, DimuonError> {
        let (muons, folded) = (self.muons, self.folded);
        let ready = self.ready_gradient()?;
        ready.run(&Bindings::ordered(&columns(muons, folded, theta)))?;
        g.copy_from_slice(ready.memory.f64(1));
        Ok(ready.memory.scalar(0))
    }

    fn differences(&mut self, theta: &[f64], g: &mut [f64]) -> Result<f64, DimuonError> {
        let mut at = theta.to_vec();
        for (k, g) in g.iter_mut().enumerate() {
            let h = 6e-6 * theta[k].abs().max(1.0);
            at[k] = theta[k] + h;
            let above = self.value_at(&at)?;
            at[k] = theta[k] - h;
            *g = (above - self.value_at(&at)?) / (2.0 * h);
            at[k] = theta[k];
        }
        self.value_at(theta)
    }

    fn exact_hessian(&mut self, theta: &[f64], h: &mut [f64]) -> Result<(), DimuonError> {
        let (muons, folded) = (self.muons, self.folded);
        let ready = self.ready_hessian()?;
        ready.run(&Bindings::ordered(&columns(muons, folded, theta)))?;
        h.copy_from_slice(ready.memory.f64(0));
        Ok(())
    }
}

impl Ready {
    fn run(&mut self, bindings: &Bindings<'_>) -> Result<(), DimuonError> {
        Ok(self.lowered.run(&mut self.memory, bindings)?)
    }
}

fn columns<'a>(muons: &'a Muons, folded: bool, theta: &'a [f64]) -> Vec<Column<'a>> {
    let data = muons.columns();
    let own: &[Column<'_>] = if folded { &[] } else { &data };
    own.iter().copied().chain([Column::F64(theta)]).collect()
}

impl Objective for Likelihood<'_> {
    fn dim(&self) -> usize {
        self.layout.count()
    }

    fn value(&mut self, x: &[f64]) -> f64 {
        self.value_at(x).unwrap_or_else(|error| {
            self.failure.get_or_insert(error);
            f64::NAN
        })
    }

    fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
        let result = match self.derivative {
            Derivative::Exact => self.exact_gradient(x, g),
            Derivative::Differences => self.differences(x, g),
        };
        result.unwrap_or_else(|error| {
            self.failure.get_or_insert(error);
            f64::NAN
        })
    }

    fn hessian(&mut self, x: &[f64], h: &mut [f64]) -> Result<(), Unavailable> {
        self.exact_hessian(x, h).map_err(|error| {
            self.failure.get_or_insert(error);
            Unavailable
        })
    }
}
