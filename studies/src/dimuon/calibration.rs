//! What is calibrated: parameters, bins, selection, windows.

use pullback_ad::Real;

use super::error::DimuonError;
use super::lattice::Lattice;
use super::line_shape::LineShape;

/// Where which parameter stands. With B bins of |η| and C categories of pairs (the larger |η| of both muons, in the same bins):
///
/// | range | parameter | unit |
/// |---|---|---|
/// | `scale` | relative scale a_b | 10⁻³ |
/// | `offset` | constant c_b | 10 MeV |
/// | `low` | v_b, the variance of ln p_T at small p_T | 10⁻⁴ |
/// | `high` | w_b, the variance of ln p_T at large p_T | 10⁻⁴ |
/// | `background` | logit of the background's fraction, each category of J/ψ, then of Z | 1 |
/// | `slope` | slope of the background in its window, each category of J/ψ, then one of Z | 1 |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Bins of |η|.
    pub bins: usize,
}

/// Units of the first four blocks.
pub(super) const UNITS: [f64; 4] = [1e-3, 1e-2, 1e-4, 1e-4];

/// Between small and large p_T, in GeV: among muons of J/ψ and of Z.
const BETWEEN: f64 = 20.0;

/// How far p_T is on the way from small to large: t = p²/(p² + p₀²), p₀ = 20 GeV.
///
/// A variance v (1 − t) + w t is positive wherever v and w are. The sum v + w p² of scattering and sagitta, to which it is equal at small p, leaves no room for an
/// estimate of w below zero, which a true w near zero needs half of the time.
pub(super) fn way<R: Real>(pt: R) -> R {
    let square = pt * pt;
    square / (square + BETWEEN * BETWEEN)
}

impl Layout {
    /// How many parameters there are.
    pub fn count(self) -> usize {
        7 * self.bins + 1
    }

    /// Relative scale of a bin.
    pub fn scale(self, bin: usize) -> usize {
        bin
    }

    /// Constant of a bin.
    pub fn offset(self, bin: usize) -> usize {
        self.bins + bin
    }

    /// Variance at small p_T of a bin.
    pub fn low(self, bin: usize) -> usize {
        2 * self.bins + bin
    }

    /// Variance at large p_T of a bin.
    pub fn high(self, bin: usize) -> usize {
        3 * self.bins + bin
    }

    /// Background fraction of a category.
    pub fn background(self, peak: Peak, category: usize) -> usize {
        match peak {
            Peak::JPsi => 4 * self.bins + category,
            Peak::Z => 5 * self.bins + category,
        }
    }

    /// Background slope of a category.
    pub fn slope(self, peak: Peak, category: usize) -> usize {
        match peak {
            Peak::JPsi => 6 * self.bins + category,
            Peak::Z => 7 * self.bins,
        }
    }

    /// What a parameter is, for tables and messages.
    pub fn name(self, parameter: usize) -> String {
        let (block, k) = (parameter / self.bins, parameter % self.bins);
        match block {
            0 => format!("scale[{k}]"),
            1 => format!("offset[{k}]"),
            2 => format!("low[{k}]"),
            3 => format!("high[{k}]"),
            4 => format!("background[J/psi, {k}]"),
            5 => format!("background[Z, {k}]"),
            6 => format!("slope[J/psi, {k}]"),
            _ => "slope[Z]".to_owned(),
        }
    }
}

/// Which resonance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peak {
    /// J/ψ → µµ.
    JPsi,
    /// Z → µµ.
    Z,
}

impl Peak {
    /// Both.
    pub const ALL: [Self; 2] = [Self::JPsi, Self::Z];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::JPsi => "J/psi",
            Self::Z => "Z",
        }
    }
}

/// Which truth the pairs have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Truth {
    /// Radiation, running width, a luminosity that falls.
    Collisions,
    /// What the generator of this project makes.
    Generator,
    /// As collisions, without radiation.
    Bare,
    /// As collisions, with another power of the mass in the line shape of the Z.
    Tilted(f64),
}

/// Which momenta are cut on, and stand in c/p.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Momenta {
    /// Those of a kinematic fit to the mass of the peak.
    Constrained,
    /// Those that were measured: for comparison.
    Measured,
}

/// The selection and the two line shapes; what does not move in a fit.
///
/// Muons have |η| below the last edge and p_T above `loosest`. A pair has opposite charges, ln(m/M) in the window of its peak, and both *constrained* momenta above
/// the cut of its peak. The constrained momentum of a muon is what a kinematic fit to the mass M makes of it,
///
/// ```text
/// ln p′_i = ln p_i − [κ_i σ_i² / (κ₁² σ₁² + κ₂² σ₂²)] ln(m/M)
/// ```
///
/// with the nominal resolution σ_i of [`pullback_sim::response::muon_resolution`] and the sensitivities κ_i = ∂ln m/∂ln p_i. What the measurement of a mass has
/// fluctuated by does not show in p′: cuts, bins and c/p′ are independent of the error of the mass. With measured momenta, a spectrum that falls or rises at
/// the cut moves the mean mass at fixed p_T by σ² d ln N/d ln p_T, 5·10⁻⁴ here, and an offset would absorb it.
///
/// Reference: R. Frühwirth et al., Data Analysis Techniques for High-Energy Physics (2nd ed. 2000) (kinematic fits: residuals are independent of the
/// fitted values).
#[derive(Clone, Debug)]
pub struct Calibration {
    /// Edges of |η|.
    pub edges: Vec<f64>,
    /// Least measured p_T in GeV.
    pub loosest: f64,
    /// Least constrained p_T in GeV, of J/ψ and Z.
    pub cuts: [f64; 2],
    /// Which momenta.
    pub momenta: Momenta,
    /// Line shapes and windows of J/ψ and Z.
    pub lattices: [Lattice; 2],
}

impl Calibration {
    /// Six bins, 2.8 to 3.4 and 75 to 107 GeV.
    ///
    /// # Errors
    /// None with these numbers; those of [`Lattice::new`].
    pub fn new(truth: Truth) -> Result<Self, DimuonError> {
        let [jpsi, z] = match truth {
            Truth::Generator => [
                LineShape::of_generator(pullback_sim::pdg::JPSI, true),
                LineShape::of_generator(pullback_sim::pdg::Z, false),
            ],
            Truth::Collisions => [LineShape::jpsi(), LineShape::z()],
            Truth::Bare => [LineShape::jpsi(), LineShape::z()].map(|shape| LineShape {
                radiation: None,
                ..shape
            }),
            Truth::Tilted(power) => [
                LineShape::jpsi(),
                LineShape {
                    power,
                    ..LineShape::z()
                },
            ],
        };
        Ok(Self {
            edges: vec![0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 2.4],
            loosest: 3.0,
            cuts: [4.5, 20.0],
            momenta: Momenta::Constrained,
            lattices: [
                Lattice::new(jpsi, 2.8, 3.4, 0.0045)?,
                Lattice::new(z, 75.0, 107.0, 0.006)?,
            ],
        })
    }

    /// Where the parameters stand.
    pub fn layout(&self) -> Layout {
        Layout {
            bins: self.edges.len().saturating_sub(1),
        }
    }

    /// The line shape of a peak.
    pub fn lattice(&self, peak: Peak) -> &Lattice {
        &self.lattices[peak as usize]
    }
}
