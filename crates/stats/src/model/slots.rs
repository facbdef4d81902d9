//! Derivatives with respect to the numbers of the workspace.

use super::likelihood::{Data, Model};
use super::pullback::{Pullback, Slots};
use crate::error::Result;

impl Model {
    /// The gradient of −2 ln L with respect to every template number, by slot:
    ///
    /// | slot | entries |
    /// |---|---|
    /// | `nominal` | cells, as [`crate::spec::ModelSpec::nominal`] |
    /// | `histosys_hi`, `histosys_lo` | bins of each histosys in the order of [`crate::spec::ModelSpec::applications`] |
    /// | `normsys_hi`, `normsys_lo` | each normsys in that order |
    /// | `uncertainty` | bins of each staterror and shapesys in that order |
    ///
    /// Slots without entries are left out. What follows from templates moves with them: the width of a staterror, the τ of a shapesys. Parameters and data,
    /// auxiliary data among them, are held. At a best fit this is the total derivative of the smallest −2 ln L (envelope rule).
    ///
    /// The likelihood is recorded with its templates as inputs, and differentiated, for this call: it is meant for the solution, not for a loop.
    ///
    /// Differentiability: entries without effect (`hi = lo`) have a derivative too. A staterror or shapesys that gives no width (its parameter is then fixed)
    /// does not move with its uncertainty.
    ///
    /// # Errors
    /// Lengths that do not fit.
    ///
    /// # Example
    /// ∂/∂b of 2 (b − n ln b) is 2 (1 − n/b).
    /// ```
    /// use pullback_stats::{Model, spec, workspace::Workspace};
    /// let text = r#"{"version": "1.0.0", "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
    ///   "channels": [{"name": "c", "samples": [
    ///     {"name": "b", "data": [50.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": null}]}]}],
    ///   "observations": [{"name": "c", "data": [64.0]}]}"#;
    /// let (workspace, _) = Workspace::from_slice(text.as_bytes())?;
    /// let mut model = Model::new(spec::resolve(&workspace, &spec::Options::default())?)?;
    /// let data = model.observed();
    /// let gradient = model.template_gradient(&[1.0], &data)?;
    /// assert_eq!(gradient, [("nominal", vec![2.0 * (1.0 - 64.0 / 50.0)])]);
    /// # Ok::<(), pullback_stats::Error>(())
    /// ```
    pub fn template_gradient(&mut self, parameters: &[f64], data: &Data) -> Result<Slots> {
        self.check(parameters, data)?;
        let nothing = vec![0.0; data.main.len()];
        let mut pullback = Pullback::new(self.spec())?;
        Ok(pullback.run(parameters, data, 1.0, &nothing)?.slots)
    }
}
