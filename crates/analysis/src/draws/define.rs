//! What is drawn.

use pullback_prob::{Distribution, Exponential, Key, Normal, Poisson, Uniform};

use crate::place::{Place, Source};

/// How a draw is distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Random {
    /// Mean 0, standard deviation 1.
    Normal,
    /// Between 0 and 1.
    Uniform,
    /// Mean 1.
    Exponential,
    /// Whole numbers of mean 1: weights of a bootstrap.
    Poisson,
}

impl Random {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Normal,
        Self::Uniform,
        Self::Exponential,
        Self::Poisson,
    ];

    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Uniform => "uniform",
            Self::Exponential => "exponential",
            Self::Poisson => "poisson",
        }
    }

    /// The numbers at (key, event, step) for each pair of an event and a step.
    pub(super) fn draw(self, at: impl Iterator<Item = (Key, u64, u32)>) -> Vec<f64> {
        fn all<D: Distribution>(d: &D, at: impl Iterator<Item = (Key, u64, u32)>) -> Vec<D::Value> {
            at.map(|(key, event, step)| d.draw(key, event, step))
                .collect()
        }
        match self {
            Self::Normal => all(&Normal::standard(), at),
            Self::Uniform => all(&Uniform::standard(), at),
            Self::Exponential => match Exponential::new(1.0) {
                Ok(one) => all(&one, at),
                Err(_) => Vec::new(),
            },
            Self::Poisson => match Poisson::new(1.0) {
                Ok(one) => all(&one, at).into_iter().map(|n| n as f64).collect(),
                Err(_) => Vec::new(),
            },
        }
    }
}

/// A random number for each object of a collection, or for each event.
///
/// It is the draw of `prob` at the key of (seed, draw, data set, run and luminosity section), the number of the event as event and the number of the object in its event, as it is
/// in the file, as step:
///
/// `Key::new(seed, "Jet.jer").child("tt").child("1:27")`, `key.stream(event, k)`.
///
/// Run, section and number of an event are those of its columns `run`, `luminosityBlock` and `event` (in PHYSLITE `EventInfoAuxDyn.runNumber`, `.mcChannelNumber`, or `.lumiBlock` where there is none, and `.eventNumber`). Where the
/// files lack one of them, the number of the event is its place in the data set, counted from 0 over all its files, and the last name is `""`. A draw per event has its name alone
/// (`"boot"`) and step 0.
///
/// # Example
/// ```
/// use pullback_analysis::Draw;
/// use pullback_analysis::draws::Random;
/// let smear = Draw::per_object("jer", "Jet", Random::Normal);
/// assert_eq!(smear.address(), "Jet.jer");
/// ```
#[derive(Debug, Clone)]
pub struct Draw {
    /// Its name: a field of the collection, or a column per event.
    pub name: String,
    /// The collection of the files; nothing for a draw per event.
    pub on: Option<String>,
    /// How it is distributed.
    pub distribution: Random,
    pub(crate) place: Place,
}

impl Draw {
    /// One number for each object of a collection of the files.
    pub fn per_object(name: &str, on: &str, distribution: Random) -> Self {
        Self {
            on: Some(on.into()),
            ..Self::per_event(name, distribution)
        }
    }

    /// One number for each event.
    pub fn per_event(name: &str, distribution: Random) -> Self {
        Self {
            name: name.into(),
            on: None,
            distribution,
            place: Source::new(format!("draws.{name}"), name).everywhere(),
        }
    }

    /// The name by which it is drawn.
    pub fn address(&self) -> String {
        match &self.on {
            Some(on) => format!("{on}.{}", self.name),
            None => self.name.clone(),
        }
    }
}
