//! −2 ln L of a sample: value, gradient and Hessian, as an objective.

use pullback_array::attr::Data;
use pullback_array::{Bindings, Column, DType, Lowered, Program, Workspace, transform};
use pullback_optim::{Objective, Unavailable};

use super::calibration::{Calibration, Layout, Peak};
use super::error::DimuonError;
use super::hessian::ByPairs;
use super::muons::Muons;
use super::plain::{Member, Pair};
use super::record::{record, record_columns, record_selection};

/// How a gradient is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derivative {
    /// The program's own.
    Exact,
    /// Central differences of the value, two per parameter, with steps of 6·10⁻⁶ of the larger of 1 and the parameter.
    Differences,
}

/// Events (or pairs, of which each has some hundred points) in a block: what fits into the cache.
const BLOCK: usize = 256;

/// A lowered program with its memory.
struct Ready {
    lowered: Lowered,
    memory: Workspace,
}

impl Ready {
    fn new(program: Program, threads: usize) -> Result<Self, DimuonError> {
        let lowered = Lowered::new(program)?;
        let memory = lowered.workspace_with(threads, BLOCK);
        Ok(Self { lowered, memory })
    }
}

/// What the program starts from.
enum Source<'m> {
    /// Muons of all events.
    Muons(&'m Muons),
    /// Columns of selected pairs, and the same as rows.
    Pairs(Vec<Data>, [Vec<Pair>; 2]),
}

/// −2 ln L of the pairs of a sample.
pub struct Likelihood<'m> {
    calibration: Calibration,
    source: Source<'m>,
    program: Program,
    threads: usize,
    derivative: Derivative,
    value: Ready,
    gradient: Option<Ready>,
    selection: Ready,
    hessian: Option<ByPairs>,
    failure: Option<DimuonError>,
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
        Self::of(
            calibration,
            &record(calibration)?,
            Source::Muons(muons),
            threads,
        )
    }

    /// From columns of the selected pairs, which a program of their own makes once: what does not depend on the parameters is not computed again.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of_pairs(
        calibration: &Calibration,
        muons: &Muons,
        threads: usize,
    ) -> Result<Likelihood<'static>, DimuonError> {
        let mut selection = ready_selection(calibration, threads)?;
        selection.run(&Bindings::ordered(&muons.columns()))?;
        let outputs = selection.lowered.program().outputs().iter();
        let columns = outputs.enumerate().map(|(k, (_, value))| {
            match selection.lowered.program().ty(*value).dtype {
                DType::F64 => Data::F64(selection.memory.f64(k).into()),
                _ => Data::I64(selection.memory.i64(k).into()),
            }
        });
        let source = Source::Pairs(columns.collect(), selected(&selection.memory));
        Likelihood::of(calibration, &record_columns(calibration)?, source, threads)
    }

    fn of(
        calibration: &Calibration,
        program: &Program,
        source: Source<'m>,
        threads: usize,
    ) -> Result<Self, DimuonError> {
        let program = transform::simplify(program)?;
        let value = Ready::new(program.clone(), threads)?;
        let mut out = Self {
            calibration: calibration.clone(),
            source,
            program,
            threads,
            derivative: Derivative::Exact,
            value,
            gradient: None,
            selection: ready_selection(calibration, threads)?,
            hessian: None,
            failure: None,
        };
        out.value_at(&vec![0.0; calibration.layout().count()])?;
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
        self.calibration.layout()
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
        self.ready_hessian()
    }

    /// What went wrong in a call of the objective, which can only say NaN.
    pub fn take_failure(&mut self) -> Option<DimuonError> {
        self.failure.take()
    }

    fn ready_gradient(&mut self) -> Result<(), DimuonError> {
        if self.gradient.is_none() {
            let program = transform::value_and_grad(&self.program, "twice_nll", &["theta"])?;
            let program = transform::simplify(&program)?;
            self.gradient = Some(Ready::new(program, self.threads)?);
        }
        Ok(())
    }

    fn ready_hessian(&mut self) -> Result<(), DimuonError> {
        if self.hessian.is_none() {
            self.hessian = Some(ByPairs::new(&self.calibration, self.threads)?);
        }
        Ok(())
    }

    fn value_at(&mut self, theta: &[f64]) -> Result<f64, DimuonError> {
        self.value.run(&self.source.bindings(theta))?;
        Ok(self.value.memory.scalar(0))
    }

    fn exact_gradient(&mut self, theta: &[f64], g: &mut [f64]) -> Result<f64, DimuonError> {
        self.ready_gradient()?;
        let Some(ready) = &mut self.gradient else {
            return Ok(f64::NAN);
        };
        ready.run(&self.source.bindings(theta))?;
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

    /// Second derivatives, or their expectation.
    fn second(&mut self, theta: &[f64], exact: bool, out: &mut [f64]) -> Result<(), DimuonError> {
        self.ready_hessian()?;
        let Some(by_pairs) = &mut self.hessian else {
            return Ok(());
        };
        let again;
        let pairs = match &self.source {
            Source::Pairs(_, pairs) => pairs,
            Source::Muons(muons) => {
                self.selection.run(&Bindings::ordered(&muons.columns()))?;
                again = selected(&self.selection.memory);
                &again
            }
        };
        if exact {
            by_pairs.run(&self.calibration, theta, pairs, out)
        } else {
            by_pairs.information(&self.calibration, theta, pairs, out)
        }
    }
}

fn ready_selection(calibration: &Calibration, threads: usize) -> Result<Ready, DimuonError> {
    let program = transform::simplify(&record_selection(calibration)?)?;
    Ready::new(program, threads)
}

/// The outputs of [`record_selection`] as rows.
fn selected(memory: &Workspace) -> [Vec<Pair>; 2] {
    Peak::ALL.map(|peak| {
        let first = 7 * peak as usize;
        let [y, pt_1, pt_2, kappa_1, kappa_2] = [0, 3, 4, 5, 6].map(|k| memory.f64(first + k));
        let [bin_1, bin_2] = [1, 2].map(|k| memory.i64(first + k));
        let member = |bin: i64, pt, kappa| Member {
            bin: bin.max(0) as usize,
            pt,
            kappa,
        };
        let pair = |k: usize| Pair {
            peak,
            y: y[k],
            members: [
                member(bin_1[k], pt_1[k], kappa_1[k]),
                member(bin_2[k], pt_2[k], kappa_2[k]),
            ],
        };
        (0..y.len()).map(pair).collect()
    })
}

impl Ready {
    fn run(&mut self, bindings: &Bindings<'_>) -> Result<(), DimuonError> {
        Ok(self.lowered.run(&mut self.memory, bindings)?)
    }
}

impl Source<'_> {
    fn bindings<'a>(&'a self, theta: &'a [f64]) -> Bindings<'a> {
        let mut columns: Vec<Column<'a>> = match self {
            Self::Muons(muons) => muons.columns().to_vec(),
            Self::Pairs(columns, _) => columns.iter().map(as_column).collect(),
        };
        columns.push(Column::F64(theta));
        Bindings::ordered(&columns)
    }
}

fn as_column(data: &Data) -> Column<'_> {
    match data {
        Data::F64(x) => Column::F64(x),
        Data::I64(x) => Column::I64(x),
        Data::Bool(x) => Column::Bool(x),
    }
}

impl Objective for Likelihood<'_> {
    fn dim(&self) -> usize {
        self.layout().count()
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
        self.second(x, true, h).map_err(|error| {
            self.failure.get_or_insert(error);
            Unavailable
        })
    }

    fn curvature(&mut self, x: &[f64], h: &mut [f64]) -> Result<(), Unavailable> {
        self.second(x, false, h).map_err(|error| {
            self.failure.get_or_insert(error);
            Unavailable
        })
    }
}
