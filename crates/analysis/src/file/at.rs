//! An analysis with other values for what can move.

use super::optimisation::Free;
use super::types::AnalysisFile;
use crate::error::{Error, Result};
use crate::network::Weights;
use crate::place::Source;
use crate::run::{Values, edges_name};

impl AnalysisFile {
    /// The same analysis with other starts of parameters, weights of networks and edges of histograms, by the names of the inputs: what an optimisation found.
    ///
    /// # Errors
    /// A name that nothing has; edges that do not rise, or of another number.
    ///
    /// # Example
    /// ```
    /// use pullback_analysis::file::AnalysisFile;
    /// let text = "[parameters]\ncut = 30\n[regions.SR]\ncuts = ['MET.pt > cut']\n[histograms.m]\nof = 'MET.pt'\nedges = [0, 1, 2]\n";
    /// let file = AnalysisFile::from_text("a.toml", text, "".as_ref())?;
    /// let moved = file.at(&[("cut".into(), vec![45.0]), ("m edges".into(), vec![0.0, 1.5, 2.0])].into())?;
    /// assert_eq!(moved.histograms[0].edges, [0.0, 1.5, 2.0]);
    /// assert!(file.at(&[("cat".into(), vec![45.0])].into()).is_err());
    /// # Ok::<(), pullback_analysis::Error>(())
    /// ```
    pub fn at(&self, values: &Values) -> Result<Self> {
        let mut out = self.clone();
        for (name, value) in values {
            let mut plots = out.histograms.iter_mut();
            if let Some(plot) = plots.find(|p| edges_name(&p.name) == *name) {
                let rise = value.windows(2).all(|w| w[0] < w[1]);
                if value.len() != plot.edges.len() || !rise {
                    return Err(Error::Optimisation {
                        message: format!("`{name}` are not {} rising numbers", plot.edges.len()),
                        help: String::new(),
                    });
                }
                plot.edges.clone_from(value);
                continue;
            }
            if let Some(trained) = trained(&out, values, name)? {
                out.definitions.set_weights(name, &trained);
                continue;
            }
            let mut networks = self.definitions.networks().into_iter();
            if networks.any(|n| format!("{n} inputs") == *name) {
                continue;
            }
            match value.as_slice() {
                &[value] if out.definitions.parameters().contains(&name.as_str()) => {
                    let start = Source::new(format!("parameters.{name}"), format!("{value:?}"));
                    out.definitions.set_parameter(name, start);
                    let moving = out.optimisation.iter_mut().flat_map(|o| &mut o.free);
                    for free in moving {
                        if let Free::Parameter { name: n, start, .. } = free
                            && n == name
                        {
                            *start = value;
                        }
                    }
                }
                _ => {
                    let known = out.definitions.parameters();
                    return Err(Error::Unknown {
                        place: Source::new("", name.as_str()).everywhere(),
                        what: "parameter or list of edges".into(),
                        name: name.clone(),
                        nearest: pullback_io::nearest(name, known.into_iter()),
                        help: String::new(),
                    });
                }
            }
        }
        Ok(out)
    }
}

/// The weights of a network among the values, with its standardisation or the one it had.
fn trained(file: &AnalysisFile, values: &Values, name: &str) -> Result<Option<Weights>> {
    if !file.definitions.networks().contains(&name) {
        return Ok(None);
    }
    let network = file.definitions.perceptron(name)?;
    let standard = values.get(&network.standard_input());
    let standard = standard.map_or(network.standardisation(), Vec::as_slice);
    let weights = values.get(name).map_or(network.weights(), Vec::as_slice);
    network.trained(standard, weights).map(Some)
}
