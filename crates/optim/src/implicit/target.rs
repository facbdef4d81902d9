//! Regions as functions to minimise and as systems to solve.

use pullback_array::region;
use pullback_array::transform::HessianPlan;
use pullback_array::{
    Bindings, Column, DType, Error, Lowered, Nature, Program, Result, Space, Type, Workspace,
};

use crate::{Objective, Residuals, Unavailable};

/// A lowered region with its memory.
struct Runner {
    lowered: Lowered,
    memory: Workspace,
}

impl Runner {
    fn new(program: impl Into<std::sync::Arc<Program>>) -> Result<Self> {
        let lowered = Lowered::new(program)?;
        let memory = lowered.workspace();
        Ok(Self { lowered, memory })
    }

    fn run(&mut self, columns: &[Column<'_>]) -> Result<()> {
        self.lowered
            .run(&mut self.memory, &Bindings::ordered(columns))
    }
}

/// The first input, the captures, and perhaps a direction.
fn columns<'a>(
    x: &'a [f64],
    captures: &[Column<'a>],
    direction: Option<&'a [f64]>,
) -> Vec<Column<'a>> {
    let mut out = Vec::with_capacity(captures.len() + 2);
    out.push(Column::F64(x));
    out.extend_from_slice(captures);
    out.extend(direction.map(Column::F64));
    out
}

/// The programs of a function to minimise: its first input is varied.
pub(crate) struct Programs {
    value: Runner,
    gradient: Runner,
    /// The directional derivative of the gradient; absent where a derivative exists to first order only.
    directional: Option<Runner>,
    layers: Option<HessianPlan>,
}

impl Programs {
    pub fn new(body: &Program) -> Result<Self> {
        let value = Runner::new(body.clone())?;
        let gradient = Runner::new(region::value_and_gradient(body)?)?;
        let second = region::gradient(body).and_then(|g| {
            let mut wrt = vec![false; g.inputs().len()];
            wrt[0] = true;
            region::tangent(&g, &wrt, &[0])
        });
        let directional = match second {
            Ok(program) => Some(Runner::new(program)?),
            Err(Error::NotDifferentiable { .. }) => None,
            Err(error) => return Err(error),
        };
        // The plan keeps the structure of the first run, so that may not depend on inputs.
        let layers = if directional.is_some() && has_fixed_structure(body) {
            plan(body)
        } else {
            None
        };
        Ok(Self {
            value,
            gradient,
            directional,
            layers,
        })
    }

    /// Whether a Hessian exists.
    pub fn has_hessian(&self) -> bool {
        self.directional.is_some()
    }
}

fn plan(body: &Program) -> Option<HessianPlan> {
    let (of, wrt) = (&body.outputs().first()?.0, &body.inputs().first()?.0);
    HessianPlan::new(body, of, wrt).ok()
}

/// Whether masks, indices and offsets are constants.
fn has_fixed_structure(body: &Program) -> bool {
    let mut varies = vec![false; body.value_count()];
    body.inputs()
        .iter()
        .for_each(|(_, v)| varies[v.index()] = true);
    for node in body.nodes() {
        if node.args.iter().any(|a| varies[a.index()]) {
            if node.primitive.nature() == Nature::Structure {
                return false;
            }
            node.results().for_each(|r| varies[r.index()] = true);
        }
    }
    body.inputs()
        .iter()
        .all(|(_, v)| body.ty(*v).dtype == DType::F64)
}

/// A region at given captures as an objective.
pub(crate) struct Target<'a> {
    pub programs: &'a mut Programs,
    pub captures: Vec<Column<'a>>,
    pub n: usize,
    /// What failed first: to the minimiser it is a point outside the domain.
    pub failure: Option<String>,
}

impl Target<'_> {
    fn keep(&mut self, result: Result<()>) -> bool {
        if let Err(error) = result {
            self.failure.get_or_insert(error.to_string());
            return false;
        }
        true
    }
}

impl Objective for Target<'_> {
    fn dim(&self) -> usize {
        self.n
    }

    fn value(&mut self, x: &[f64]) -> f64 {
        let result = self.programs.value.run(&columns(x, &self.captures, None));
        if self.keep(result) {
            self.programs.value.memory.scalar(0)
        } else {
            f64::NAN
        }
    }

    fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
        let result = self
            .programs
            .gradient
            .run(&columns(x, &self.captures, None));
        if !self.keep(result) {
            return f64::NAN;
        }
        let memory = &self.programs.gradient.memory;
        g.copy_from_slice(memory.f64(1));
        memory.scalar(0)
    }

    fn hessian(&mut self, x: &[f64], h: &mut [f64]) -> std::result::Result<(), Unavailable> {
        let inputs = columns(x, &self.captures, None);
        if let Some(plan) = &mut self.programs.layers
            && plan.run(&Bindings::ordered(&inputs), h) == Ok(true)
        {
            return Ok(());
        }
        let Some(runner) = &mut self.programs.directional else {
            return Err(Unavailable);
        };
        let n = self.n;
        let mut direction = vec![0.0; n];
        for j in 0..n {
            direction[j] = 1.0;
            if let Err(error) = runner.run(&columns(x, &self.captures, Some(&direction))) {
                self.failure.get_or_insert(error.to_string());
                return Err(Unavailable);
            }
            runner
                .memory
                .f64(0)
                .iter()
                .enumerate()
                .for_each(|(i, v)| h[i * n + j] = *v);
            direction[j] = 0.0;
        }
        for i in 0..n {
            for j in 0..i {
                let mean = 0.5 * (h[i * n + j] + h[j * n + i]);
                (h[i * n + j], h[j * n + i]) = (mean, mean);
            }
        }
        Ok(())
    }
}

/// The programs of a system of equations.
pub(crate) struct Equations {
    value: Runner,
    directional: Runner,
}

impl Equations {
    pub fn new(body: &Program) -> Result<Self> {
        let mut wrt = vec![false; body.inputs().len()];
        wrt[0] = true;
        Ok(Self {
            value: Runner::new(body.clone())?,
            directional: Runner::new(region::tangent(body, &wrt, &[0])?)?,
        })
    }

    /// Number of equations at given columns.
    pub fn count(&mut self, x: &[f64], captures: &[Column<'_>]) -> Result<usize> {
        self.value.run(&columns(x, captures, None))?;
        Ok(self.value.memory.f64(0).len())
    }
}

/// A region at given captures as a system of equations.
pub(crate) struct System<'a> {
    pub programs: &'a mut Equations,
    pub captures: Vec<Column<'a>>,
    pub n: usize,
    pub equations: usize,
    /// What failed first.
    pub failure: Option<String>,
}

impl Residuals for System<'_> {
    fn parameters(&self) -> usize {
        self.n
    }

    fn observations(&self) -> usize {
        self.equations
    }

    fn residuals(&mut self, x: &[f64], r: &mut [f64]) {
        match self.programs.value.run(&columns(x, &self.captures, None)) {
            Ok(()) => r.copy_from_slice(self.programs.value.memory.f64(0)),
            Err(error) => {
                self.failure.get_or_insert(error.to_string());
                r.fill(f64::NAN);
            }
        }
    }

    fn jacobian(&mut self, x: &[f64], j: &mut [f64]) {
        let n = self.n;
        let mut direction = vec![0.0; n];
        for k in 0..n {
            direction[k] = 1.0;
            match self
                .programs
                .directional
                .run(&columns(x, &self.captures, Some(&direction)))
            {
                Ok(()) => self
                    .programs
                    .directional
                    .memory
                    .f64(0)
                    .iter()
                    .enumerate()
                    .for_each(|(i, v)| j[i * n + k] = *v),
                Err(error) => {
                    self.failure.get_or_insert(error.to_string());
                    j.fill(f64::NAN);
                }
            }
            direction[k] = 0.0;
        }
    }
}

/// Refuses a region that is no function of its first input with one number as its value.
pub(crate) fn check_scalar(primitive: &'static str, body: &Program) -> Result<()> {
    match (body.inputs().first(), body.outputs()) {
        (Some((_, x)), [(_, f)])
            if body.ty(*x).dtype == DType::F64 && body.ty(*f) == Type::f64(Space::SCALAR) =>
        {
            Ok(())
        }
        _ => Err(region::ill_formed(
            primitive,
            "the region has doubles as its first input and one scalar result",
        )),
    }
}
