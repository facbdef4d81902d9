//! The file of trained weights.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::define::Activation;
use super::perceptron::Perceptron;
use crate::error::{Error, Result};

const FORMAT: &str = "pullback network";
const VERSION: u64 = 1;

/// Trained weights, with what they belong to: the inputs and their standardisation, the layers, the activation.
///
/// As a file it is JSON:
/// ```text
/// {
///   "format": "pullback network", "version": 1,
///   "inputs": ["MET.pt", ..], "hidden": [32, 16], "activation": "tanh",
///   "means": [..], "deviations": [..],      # of the inputs, on the sample that it was trained on
///   "weights": [..]                         # layer by layer: W row by row (a row for each input of the layer), then b
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Where they come from, for messages.
    pub(crate) origin: String,
    /// Expressions of the inputs.
    pub inputs: Vec<String>,
    /// Sizes of the hidden layers.
    pub hidden: Vec<usize>,
    /// What the sums of hidden layers go through.
    pub activation: Activation,
    /// Means of the inputs.
    pub means: Vec<f64>,
    /// Standard deviations of the inputs.
    pub deviations: Vec<f64>,
    /// The numbers that were trained, as [`Perceptron::layers`] lie.
    pub weights: Vec<f64>,
}

impl Weights {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read ([`Error::Open`]) or is none of this kind ([`Error::Weights`]).
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let origin = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|e| Error::Open {
            path: origin.clone(),
            message: e.to_string(),
        })?;
        Self::from_text(&origin, &text)
    }

    /// Weights from the text of a file; `origin` names it in messages.
    ///
    /// # Errors
    /// [`Error::Weights`].
    ///
    /// # Example
    /// ```
    /// use pullback_analysis::network::Weights;
    /// let error = Weights::from_text("nn.json", "{\"format\": \"pullback network\", \"version\": 2}").unwrap_err();
    /// assert_eq!(error.to_string(), "the weights in nn.json cannot be used: they have version 2 of the format, and version 1 is known");
    /// ```
    pub fn from_text(origin: &str, text: &str) -> Result<Self> {
        let refuse = |message: String| refused(origin, message);
        let value: Value =
            serde_json::from_str(text).map_err(|e| refuse(format!("the file is not JSON: {e}")))?;
        if value["format"].as_str() != Some(FORMAT) {
            return Err(refuse(format!(
                "the file has no `\"format\": \"{FORMAT}\"`"
            )));
        }
        match value["version"].as_u64() {
            Some(VERSION) => {}
            Some(other) => {
                return Err(refuse(format!(
                    "they have version {other} of the format, and version {VERSION} is known"
                )));
            }
            None => return Err(refuse("the format has no version".into())),
        }
        let list = |key: &str| {
            let found = value[key].as_array();
            found.ok_or_else(|| refuse(format!("`{key}` is no list")))
        };
        let numbers = |key: &str| {
            let each = list(key)?.iter().enumerate();
            each.map(|(k, v)| {
                let wrong = || refuse(format!("`{key}[{k}]` is {v}, which is no finite number"));
                v.as_f64().filter(|x| x.is_finite()).ok_or_else(wrong)
            })
            .collect::<Result<Vec<f64>>>()
        };
        let inputs = list("inputs")?.iter().map(|v| v.as_str().map(String::from));
        let inputs: Option<Vec<String>> = inputs.collect();
        let hidden = list("hidden")?.iter();
        let hidden: Option<Vec<usize>> = hidden
            .map(|v| v.as_u64().and_then(|n| usize::try_from(n).ok()))
            .collect();
        let name = value["activation"].as_str().unwrap_or_default();
        Ok(Self {
            origin: origin.into(),
            inputs: inputs.ok_or_else(|| refuse("`inputs` is no list of texts".into()))?,
            hidden: hidden.ok_or_else(|| refuse("`hidden` is no list of whole numbers".into()))?,
            activation: Activation::named(name)
                .ok_or_else(|| refuse(format!("there is no activation `{name}`")))?,
            means: numbers("means")?,
            deviations: numbers("deviations")?,
            weights: numbers("weights")?,
        })
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let value = json!({
            "format": FORMAT,
            "version": VERSION,
            "inputs": self.inputs,
            "hidden": self.hidden,
            "activation": self.activation.name(),
            "means": self.means,
            "deviations": self.deviations,
            "weights": self.weights,
        });
        format!("{value:#}\n")
    }

    /// Writes the file: a new one takes the place of an old one when it is complete, and not before.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.part", std::process::id()));
        let beside = Path::new(&beside);
        let written = fs::File::create(beside)
            .and_then(|mut file| {
                file.write_all(self.to_text().as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(beside, path));
        written.map_err(|e| {
            // What is half written helps nobody; that it cannot be removed either adds nothing to the first error.
            let _ = fs::remove_file(beside);
            Error::Write {
                path: path.display().to_string(),
                message: e.to_string(),
            }
        })
    }

    /// Means, then one over deviations.
    pub(crate) fn standardisation(&self) -> Vec<f64> {
        let inverse = self.deviations.iter().map(|d| d.recip());
        self.means.iter().copied().chain(inverse).collect()
    }

    /// Whether they are those of this network.
    pub(crate) fn check(&self, network: &Perceptron) -> Result<()> {
        let name = network.name();
        let refuse = |message: String| Err(refused(&self.origin, message));
        if self.inputs != network.inputs() {
            return refuse(format!(
                "they are of a network with the inputs [{}], and `{name}` has [{}]",
                self.inputs.join("; "),
                network.inputs().join("; ")
            ));
        }
        if self.hidden != network.hidden() {
            return refuse(format!(
                "they are of a network with hidden layers of {:?}, and `{name}` has {:?}",
                self.hidden,
                network.hidden()
            ));
        }
        if self.activation != network.activation() {
            let (own, other) = (self.activation.name(), network.activation().name());
            return refuse(format!(
                "they are of a network of {own}, and `{name}` is one of {other}"
            ));
        }
        let expected = network.layers().last().map_or(0, |l| l.end());
        let lists = [
            ("weights", &self.weights, expected),
            ("means", &self.means, self.inputs.len()),
            ("deviations", &self.deviations, self.inputs.len()),
        ];
        for (what, list, expected) in lists {
            if list.len() != expected {
                let found = list.len();
                return refuse(format!(
                    "there are {found} {what}, and `{name}` has {expected}"
                ));
            }
            if let Some(k) = list.iter().position(|x| !x.is_finite()) {
                return refuse(format!(
                    "`{what}[{k}]` is {}, which is no finite number",
                    list[k]
                ));
            }
        }
        match self.deviations.iter().position(|d| *d <= 0.0) {
            Some(k) => refuse(format!(
                "`deviations[{k}]` is {}, which is not positive",
                self.deviations[k]
            )),
            None => Ok(()),
        }
    }
}

fn refused(origin: &str, message: String) -> Error {
    Error::Weights {
        origin: origin.into(),
        message,
    }
}
