//! The menu.

use std::fmt;
use std::str::FromStr;

use crate::error::SimError;

/// What is produced in proton-proton collisions at 13 TeV.
///
/// # Example
/// ```
/// use pullback_sim::Process;
///
/// let process: Process = "ZPrimeToTT(1000, 10)".parse()?;
/// assert_eq!(process, Process::ZPrimeToTT { mass: 1000.0, width: 10.0 });
/// assert_eq!(process.to_string(), "ZPrimeToTT(1000, 10)");
/// # Ok::<(), pullback_sim::SimError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Process {
    /// Z → e⁺e⁻ and µ⁺µ⁻ in equal parts, 40 < m < 200 GeV. No photon exchange.
    ZToLL,
    /// W → eν, µν, τν with jets; 57.5 % W⁺ (the ratio of cross-sections at 13 TeV is 1.35).
    WJets,
    /// tt̄ with all decays of both W.
    TTbar,
    /// A neutral resonance that decays to tt̄.
    ZPrimeToTT {
        /// The pole mass in GeV, 410 to 6000.
        mass: f64,
        /// The full width in GeV, up to a half of the mass.
        width: f64,
    },
    /// H → ZZ* → 4 leptons (4e, 4µ, 2e2µ).
    HTo4L,
    /// The ZZ and Zγ* continuum with four leptons.
    ZZTo4L,
    /// J/ψ → µ⁺µ⁻, for the calibration of low momenta.
    JPsiToMuMu,
}

/// Below this mass a resonance has no room for two top quarks 30 GeV above their pole.
const LIGHTEST: f64 = 410.0;
const HEAVIEST: f64 = 6000.0;

/// How a process is produced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Production {
    /// The soft recoil: p_T (1 + p_T²/x₀²)⁻ⁿ.
    pub soft: (f64, f64),
    /// Jets of initial-state radiation: the ratio of neighbouring multiplicities.
    pub ratio: f64,
    /// Their spectrum, above [`EMISSION_MIN`].
    pub emission: (f64, f64),
    /// The power of α_s of the process without extra jets.
    pub order: i32,
    /// The fraction of events with a negative weight.
    pub negative: f64,
}

/// The smallest p_T of radiated jets in GeV.
pub(crate) const EMISSION_MIN: f64 = 15.0;

impl Process {
    /// Its name, without parameters.
    pub fn name(self) -> &'static str {
        match self {
            Self::ZToLL => "ZToLL",
            Self::WJets => "WJets",
            Self::TTbar => "TTbar",
            Self::ZPrimeToTT { .. } => "ZPrimeToTT",
            Self::HTo4L => "HTo4L",
            Self::ZZTo4L => "ZZTo4L",
            Self::JPsiToMuMu => "JPsiToMuMu",
        }
    }

    /// All processes, the Z′ at 1 TeV with a width of 10 GeV.
    pub fn menu() -> [Self; 7] {
        let z_prime = Self::ZPrimeToTT {
            mass: 1000.0,
            width: 10.0,
        };
        [
            Self::ZToLL,
            Self::WJets,
            Self::TTbar,
            z_prime,
            Self::HTo4L,
            Self::ZZTo4L,
            Self::JPsiToMuMu,
        ]
    }

    /// The fraction of events with a negative `genWeight`.
    pub fn negative_fraction(self) -> f64 {
        self.production().negative
    }

    pub(crate) fn production(self) -> Production {
        let (soft, ratio, emission, order, negative) = match self {
            Self::ZToLL => ((9.0, 2.6), 0.33, (20.0, 2.2), 0, 0.16),
            Self::WJets => ((9.0, 2.6), 0.36, (20.0, 2.2), 0, 0.18),
            Self::TTbar => ((20.0, 2.6), 0.55, (40.0, 2.3), 2, 0.08),
            Self::ZPrimeToTT { .. } => ((25.0, 2.6), 0.58, (45.0, 2.3), 0, 0.0),
            Self::HTo4L => ((12.0, 2.6), 0.48, (30.0, 2.3), 2, 0.02),
            Self::ZZTo4L => ((10.0, 2.6), 0.38, (25.0, 2.3), 0, 0.05),
            Self::JPsiToMuMu => ((11.0, 3.3), 0.10, (15.0, 3.0), 2, 0.0),
        };
        Production {
            soft,
            ratio,
            emission,
            order,
            negative,
        }
    }

    pub(crate) fn check(self) -> Result<Self, SimError> {
        let Self::ZPrimeToTT { mass, width } = self else {
            return Ok(self);
        };
        let wrong = |parameter, value, expected| SimError::Process {
            process: self.name(),
            parameter,
            value,
            expected,
        };
        if !(LIGHTEST..=HEAVIEST).contains(&mass) {
            return Err(wrong("mass", mass, "between 410 and 6000"));
        }
        if !(width > 0.0 && width <= 0.5 * mass) {
            return Err(wrong("width", width, "positive and at most half the mass"));
        }
        Ok(self)
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Self::ZPrimeToTT { mass, width } = self {
            write!(f, "({mass}, {width})")?;
        }
        Ok(())
    }
}

impl FromStr for Process {
    type Err = SimError;

    /// The form of `Display`; without parameters a Z′ has 1 TeV and 10 GeV.
    fn from_str(text: &str) -> Result<Self, SimError> {
        let (name, parameters) = match text.split_once('(') {
            Some((name, rest)) => (name, rest.strip_suffix(')')),
            None => (text, None),
        };
        let process = Self::menu().into_iter().find(|p| p.name() == name.trim());
        let number = |text: &str| {
            let value = text.trim().parse();
            value.map_err(|_| SimError::NoNumber {
                process: process.map_or("", Self::name),
                text: text.trim().to_owned(),
            })
        };
        let numbers = match (process, parameters) {
            (Some(_), Some(list)) => Some(
                list.split(',')
                    .map(number)
                    .collect::<Result<Vec<f64>, _>>()?,
            ),
            _ => None,
        };
        match (process, numbers.as_deref(), text.contains('(')) {
            (Some(process), None, false) => process.check(),
            (Some(Self::ZPrimeToTT { .. }), Some(&[mass, width]), _) => {
                Self::ZPrimeToTT { mass, width }.check()
            }
            _ => Err(SimError::UnknownProcess {
                name: text.to_owned(),
                known: Self::menu().map(|p| p.to_string()).join(", "),
            }),
        }
    }
}
