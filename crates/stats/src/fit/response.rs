//! The second-order response of a likelihood at a point: Hessian solves, and derivatives of quadratic forms of the Hessian.

use pullback_array::attr::Data as ArrayData;
use pullback_array::{Bindings, Column, Lowered, Workspace as Memory, linalg, transform};

use crate::error::{Error, Result};
use crate::model::{Data, Layout, Model, Part, Slots, column, keep, record, templates};
use crate::spec::ModelSpec;

/// The Hessian of the free parameters, H = RᵀR.
pub(crate) struct Factor<'a> {
    free: &'a [usize],
    r: Vec<f64>,
}

impl<'a> Factor<'a> {
    /// `Err(Ok(k))` where it is not positive definite along parameter `k`.
    pub fn new(
        model: &mut Model,
        data: &Data,
        free: &'a [usize],
        x: &[f64],
    ) -> std::result::Result<Self, NotPositive> {
        let (n, m) = (x.len(), free.len());
        let hessian = model.hessian(x, data)?;
        let mut r: Vec<f64> = free
            .iter()
            .flat_map(|&i| free.iter().map(move |&j| (i, j)))
            .map(|(i, j)| hessian[i * n + j])
            .collect();
        linalg::cholesky(&mut r, m).map_err(|error| {
            NotPositive::Along(match error {
                linalg::LinalgError::NotPositiveDefinite { pivot, .. } => free.get(pivot).copied(),
                _ => None,
            })
        })?;
        Ok(Self { free, r })
    }

    /// H⁻¹b in the free directions, zero in the others.
    pub fn solve(&self, b: &[f64]) -> Result<Vec<f64>> {
        let mut y: Vec<f64> = self.free.iter().map(|&k| b[k]).collect();
        linalg::cholesky_solve(&self.r, self.free.len(), &mut y).map_err(|e| Error::Minimiser {
            message: e.to_string(),
        })?;
        let mut out = vec![0.0; b.len()];
        self.free.iter().zip(y).for_each(|(&k, y)| out[k] = y);
        Ok(out)
    }
}

/// Why there is no [`Factor`].
pub(crate) enum NotPositive {
    /// The Hessian is not positive definite along this parameter, if it is known.
    Along(Option<usize>),
    /// It could not be computed.
    Failed(Error),
}

impl From<Error> for NotPositive {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// For a direction w: wᵀ∂g/∂d and the derivatives of φ = wᵀHw, w held, with respect to parameters, data and the slots that were asked for.
pub(crate) struct Response {
    lowered: Lowered,
    memory: Memory,
    slots: Slots,
}

/// Derivatives with respect to each kind of number.
#[derive(Default)]
pub(crate) struct By {
    pub parameters: Vec<f64>,
    pub main: Vec<f64>,
    pub aux: Vec<f64>,
    pub slots: Slots,
}

/// What [`Response`] returns; `gradient.parameters` is Hw.
pub(crate) struct Directional {
    pub gradient: By,
    pub phi: By,
}

impl Response {
    /// The program of the likelihood with these template slots (all if `None`) as inputs, also where a number, or its effect, is zero.
    pub fn new(spec: &ModelSpec, slots: Option<&[&str]>) -> Result<Self> {
        let layout = Layout::new(spec, true);
        let (open, bound): (Slots, Slots) = templates(spec, &layout)
            .into_iter()
            .partition(|(name, _)| slots.is_none_or(|s| s.contains(name)));
        let bound: Vec<(&str, ArrayData)> = bound
            .into_iter()
            .map(|(name, values)| (name, ArrayData::F64(values.into())))
            .collect();
        let likelihood = transform::bind(&record(spec, &layout, Part::Full)?, &bound)?;
        let mut wrt = vec!["parameters", "observations"];
        if likelihood.find_input("auxdata").is_some() {
            wrt.push("auxdata");
        }
        wrt.extend(open.iter().map(|(name, _)| *name));
        let likelihood = keep(&likelihood, &["twice_nll"])?;
        // g and its directional derivative: Hw along the parameters, (∂g/∂d)ᵀw along all else.
        let gradient = transform::grad(&likelihood, "twice_nll", &wrt)?;
        let derivatives: Vec<String> = wrt.iter().map(|name| format!("grad_{name}")).collect();
        let directional = transform::jvp(&keep(&gradient, &derivatives)?, &["parameters"])?;
        let derivatives: Vec<String> = wrt.iter().map(|name| format!("d_grad_{name}")).collect();
        // The pullback of w through Hw is the gradient of wᵀHw with w held.
        let third = transform::vjp(
            &keep(&directional, &derivatives)?,
            &["d_grad_parameters"],
            &wrt,
        )?;
        let lowered = Lowered::new(third)?;
        let memory = lowered.workspace();
        Ok(Self {
            lowered,
            memory,
            slots: open,
        })
    }

    /// Takes the templates of a model of the same structure.
    pub fn refresh(&mut self, spec: &ModelSpec) {
        for (name, values) in templates(spec, &Layout::new(spec, true)) {
            if let Some(slot) = self.slots.iter_mut().find(|(n, _)| *n == name) {
                slot.1 = values;
            }
        }
    }

    pub fn run(&mut self, x: &[f64], data: &Data, direction: &[f64]) -> Result<Directional> {
        let columns: Vec<Column<'_>> = self
            .lowered
            .program()
            .inputs()
            .iter()
            .map(|(name, _)| match &**name {
                "parameters" => Ok(Column::F64(x)),
                "observations" => Ok(Column::F64(&data.main)),
                "auxdata" => Ok(Column::F64(&data.aux)),
                "d_parameters" | "ct_d_grad_parameters" => Ok(Column::F64(direction)),
                slot => column(&self.slots, slot),
            })
            .collect::<Result<_>>()?;
        self.lowered
            .run(&mut self.memory, &Bindings::ordered(&columns))?;
        Ok(Directional {
            gradient: self.by("d_grad_"),
            phi: self.by("ct_"),
        })
    }

    /// The outputs with this prefix.
    fn by(&self, prefix: &str) -> By {
        let outputs = self.lowered.program().outputs();
        let values = |wanted: &str| {
            let place = outputs
                .iter()
                .position(|(name, _)| name.strip_prefix(prefix) == Some(wanted));
            place.map_or_else(Vec::new, |k| self.memory.f64(k).to_vec())
        };
        By {
            parameters: values("parameters"),
            main: values("observations"),
            aux: values("auxdata"),
            slots: self
                .slots
                .iter()
                .map(|(name, _)| (*name, values(name)))
                .collect(),
        }
    }
}
