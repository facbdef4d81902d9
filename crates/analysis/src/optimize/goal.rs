//! The objective and its derivatives by the numbers of all templates.

use pullback_ad::{Real, Scalar, Tape};
use pullback_stats::objective::counting::{significance, sum, with_uncertainty};
use pullback_stats::objective::{Expectation, Expected};
use pullback_stats::spec::{self, ModelSpec};
use pullback_stats::workspace::{Limits, Workspace};

use super::layout::Layout;
use super::templates::{Constraints, Templates};
use crate::error::{Error, Result};
use crate::file::{AnalysisFile, Goal, Optimisation};

/// An objective, with what an optimiser makes small.
#[derive(Debug, Clone)]
pub(super) struct Evaluation {
    /// The objective.
    pub value: f64,
    /// Its derivatives by the numbers of the list.
    pub by_list: Vec<f64>,
    /// Its derivatives by the logarithms of the sizes of norms, for each systematic.
    pub by_norm: Vec<f64>,
    /// What the constraints add to the logarithm.
    pub penalty: f64,
    /// The logarithm of the objective, large being good turned round, and the penalty.
    pub small: f64,
    /// Derivatives of that.
    pub small_by_list: Vec<f64>,
}

/// The objective of an analysis.
pub(super) struct Objective {
    goal: Goal,
    signal: Vec<Vec<usize>>,
    pub constraints: Constraints,
    model: Option<(Expected, Templates)>,
}

/// The model of a list of bins. `keep` gives every systematic its factor and its shape, whatever they are.
pub(super) fn spec_of(
    file: &AnalysisFile,
    layout: &Layout,
    list: &[f64],
    keep: bool,
) -> Result<ModelSpec> {
    let results = layout.results(file, list);
    let json = results.workspace_of(keep).unwrap_or_default();
    let (workspace, _) = Workspace::from_value(&json, &Limits::default())?;
    Ok(spec::resolve(&workspace, &spec::Options::default())?)
}

impl Objective {
    pub fn new(optimisation: &Optimisation, layout: &Layout) -> Self {
        let mut signal = Vec::new();
        for (channel, &(.., bins)) in layout.channels.iter().enumerate() {
            for bin in 0..bins {
                let of =
                    |p: usize| Some(layout.start(p, channel, super::layout::Kind::Yield)? + bin);
                let all = (0..layout.processes.len()).filter(|p| layout.signal[*p]);
                signal.push(all.filter_map(of).collect());
            }
        }
        Self {
            goal: optimisation.goal,
            signal,
            constraints: Constraints::new(layout, optimisation),
            model: None,
        }
    }

    /// The objective of soft bins: the model is made once, for the first list, and gets other numbers after that.
    pub fn soft(
        &mut self,
        file: &AnalysisFile,
        layout: &Layout,
        list: &[f64],
    ) -> Result<Evaluation> {
        if let Goal::Counting { .. } = self.goal {
            return self.counting(list);
        }
        if self.model.is_none() {
            let spec = spec_of(file, layout, list, true)?;
            let templates = Templates::new(file, layout, &spec);
            self.model = Some((Expected::open(spec)?, templates));
        }
        let Some((mut expected, templates)) = self.model.take() else {
            return self.counting(list);
        };
        let slots = templates.slots(list);
        let found = expected
            .set_templates(&slots)
            .map_err(Error::from)
            .and_then(|()| self.expectation(&mut expected));
        let result = found.and_then(|e| self.evaluation(list, &templates, &e));
        self.model = Some((expected, templates));
        result
    }

    /// Forgets where the last fit ended, so that values do not depend on it.
    pub fn forget(&mut self) {
        if let Some((expected, _)) = &mut self.model {
            expected.forget();
        }
    }

    /// The objective of hard bins, with a model of their own.
    pub fn hard(&self, file: &AnalysisFile, layout: &Layout, list: &[f64]) -> Result<Evaluation> {
        if let Goal::Counting { .. } = self.goal {
            return self.counting(list);
        }
        let spec = spec_of(file, layout, list, false)?;
        let templates = Templates::new(file, layout, &spec);
        let mut expected = Expected::new(spec)?;
        let found = self.expectation(&mut expected)?;
        self.evaluation(list, &templates, &found)
    }

    fn expectation(&self, expected: &mut Expected) -> Result<Expectation> {
        Ok(match self.goal {
            Goal::Limit { alpha } => {
                let bands = expected.limit(alpha, &[0.0])?;
                let median = bands.into_iter().next().map(|b| b.limit);
                median.ok_or_else(|| nothing("no limit"))?
            }
            Goal::Significance => expected.discovery_significance()?,
            Goal::Uncertainty | Goal::Counting { .. } => expected.sigma(1.0)?,
        })
    }

    fn evaluation(
        &self,
        list: &[f64],
        templates: &Templates,
        found: &Expectation,
    ) -> Result<Evaluation> {
        let by_list = templates.pull(list, &found.gradient)?;
        let mut evaluation = self.finish(list, found.value, by_list)?;
        evaluation.by_norm = templates.by_norm(&found.gradient);
        Ok(evaluation)
    }

    /// The logarithm and the penalty.
    fn finish(&self, list: &[f64], value: f64, by_list: Vec<f64>) -> Result<Evaluation> {
        if !(value > 0.0 && value.is_finite()) {
            return Err(nothing(&format!("the objective is {value}")));
        }
        let sign = if self.goal.is_small() { 1.0 } else { -1.0 };
        let penalty = self.constraints.penalty(list);
        let mut small_by_list = self.constraints.gradient(list)?;
        for (a, b) in small_by_list.iter_mut().zip(&by_list) {
            *a += sign / value * b;
        }
        Ok(Evaluation {
            value,
            penalty,
            small: sign * value.ln() + penalty,
            by_list,
            by_norm: Vec::new(),
            small_by_list,
        })
    }

    /// The objective that a logarithm stands for, constraints left aside.
    pub fn of_small(&self, small: f64) -> f64 {
        if self.goal.is_small() {
            small.exp()
        } else {
            (-small).exp()
        }
    }

    fn counting(&self, list: &[f64]) -> Result<Evaluation> {
        let tape = Tape::new();
        let variables: Vec<_> = list.iter().map(|x| tape.variable(*x)).collect();
        let z = self.count(&variables);
        let by_list = tape.gradient(z, &variables)?;
        self.finish(list, z.value(), by_list)
    }

    fn count<R: Real>(&self, list: &[R]) -> R {
        let Goal::Counting { formula, uncertain } = self.goal else {
            return R::constant(f64::NAN);
        };
        let background = self.constraints.background(list);
        let terms = self
            .signal
            .iter()
            .zip(background)
            .map(|(signal, [b, v, _])| {
                let s = signal.iter().fold(R::constant(0.0), |s, at| s + list[*at]);
                if uncertain {
                    with_uncertainty(s, b, (v + 1e-18).sqrt())
                } else {
                    formula.term(s, b)
                }
            });
        significance(sum(terms).q)
    }
}

fn nothing(message: &str) -> Error {
    Error::Optimisation {
        message: message.to_owned(),
        help: "is there signal and background in the channels of the fit?".into(),
    }
}
