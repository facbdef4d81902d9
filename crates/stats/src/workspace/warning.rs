//! What is accepted but should be looked at.

use crate::error::Place;

/// Something in a workspace that is accepted but may not be intended.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// A key that the format does not have; it is ignored. pyhf refuses such a file.
    #[error("the key `{key}` at {place} is not part of the format and is ignored")]
    UnknownKey {
        /// The key.
        key: String,
        /// The object that has it.
        place: Box<Place>,
    },
    /// A sample has negative nominal yields.
    #[error(
        "{count} nominal yield(s) of the sample at {place} are negative, the lowest is {lowest}"
    )]
    NegativeNominal {
        /// In how many bins.
        count: usize,
        /// The lowest yield.
        lowest: f64,
        /// The sample's data.
        place: Box<Place>,
    },
    /// Observed data for a channel that does not exist.
    #[error("the observation `{name}` at {place} belongs to no channel and is ignored")]
    ExtraObservation {
        /// Its name.
        name: String,
        /// Where.
        place: Box<Place>,
    },
    /// The measurement configures a parameter that the model does not have.
    #[error("the measurement configures `{name}`, which is not a parameter of the model")]
    UnusedParameterConfig {
        /// Name of the parameter.
        name: String,
    },
    /// An initial value outside its bounds.
    #[error("the initial value {init} of `{name}` is outside its bounds [{}, {}]", bounds[0], bounds[1])]
    InitOutsideBounds {
        /// Name of the parameter.
        name: String,
        /// The initial value.
        init: f64,
        /// The bounds.
        bounds: [f64; 2],
    },
    /// The luminosity has no uncertainty in the measurement; its constraint has width 1, as in pyhf.
    #[error(
        "the measurement gives no `sigmas` for `{name}`: its constraint has width 1, as in pyhf"
    )]
    LumiWithoutSigma {
        /// Name of the parameter.
        name: String,
    },
    /// A component without uncertainty was fixed, and the measurement frees it; its constraint has a constant width, as in pyhf.
    #[error(
        "the measurement frees {count} component(s) of `{name}` that have no uncertainty: they get a constraint of width 1, as in pyhf"
    )]
    PlaceholderFreed {
        /// Name of the modifier.
        name: String,
        /// How many components.
        count: usize,
    },
}

impl Warning {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => "PB0380",
            Self::NegativeNominal { .. } => "PB0381",
            Self::ExtraObservation { .. } => "PB0382",
            Self::UnusedParameterConfig { .. } => "PB0383",
            Self::InitOutsideBounds { .. } => "PB0384",
            Self::LumiWithoutSigma { .. } => "PB0385",
            Self::PlaceholderFreed { .. } => "PB0386",
        }
    }

    /// Where in the document, if it is about a place.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::UnknownKey { place, .. }
            | Self::NegativeNominal { place, .. }
            | Self::ExtraObservation { place, .. } => Some(place),
            _ => None,
        }
    }

    /// The place, to fill in line and column.
    pub(crate) fn place_mut(&mut self) -> Option<&mut Place> {
        match self {
            Self::UnknownKey { place, .. }
            | Self::NegativeNominal { place, .. }
            | Self::ExtraObservation { place, .. } => Some(place),
            _ => None,
        }
    }
}
