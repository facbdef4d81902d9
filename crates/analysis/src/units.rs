//! Units: what a number is multiplied by to be in the units of the house (GeV, mm, ns, radian), and dimensions.

use std::fmt;

/// Powers of energy, length and time. Momentum and mass are energies (c = 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Dimension {
    /// Power of GeV.
    pub energy: i8,
    /// Power of mm.
    pub length: i8,
    /// Power of ns.
    pub time: i8,
}

impl Dimension {
    /// Energy, momentum, mass.
    pub const ENERGY: Self = Self::of(1, 0, 0);
    /// Length.
    pub const LENGTH: Self = Self::of(0, 1, 0);
    /// Time.
    pub const TIME: Self = Self::of(0, 0, 1);
    /// A ratio, an angle.
    pub const NONE: Self = Self::of(0, 0, 0);

    const fn of(energy: i8, length: i8, time: i8) -> Self {
        Self {
            energy,
            length,
            time,
        }
    }

    fn zip(self, other: Self, f: impl Fn(i8, i8) -> i8) -> Self {
        Self::of(
            f(self.energy, other.energy),
            f(self.length, other.length),
            f(self.time, other.time),
        )
    }

    /// That of a product.
    pub fn times(self, other: Self) -> Self {
        self.zip(other, i8::saturating_add)
    }

    /// That of a quotient.
    pub fn over(self, other: Self) -> Self {
        self.zip(other, i8::saturating_sub)
    }

    /// That of a power.
    pub fn power(self, n: i8) -> Self {
        self.zip(self, |d, _| d.saturating_mul(n))
    }

    /// That of a square root, if it has whole powers.
    pub fn root(self) -> Option<Self> {
        let even = |d: i8| d % 2 == 0;
        (even(self.energy) && even(self.length) && even(self.time))
            .then(|| self.zip(self, |d, _| d / 2))
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return f.write_str("no unit");
        }
        let mut first = true;
        for (name, power) in [("GeV", self.energy), ("mm", self.length), ("ns", self.time)] {
            if power == 0 {
                continue;
            }
            if !std::mem::take(&mut first) {
                f.write_str(" ")?;
            }
            f.write_str(name)?;
            if power != 1 {
                write!(f, "**{power}")?;
            }
        }
        Ok(())
    }
}

/// The units: name, factor to the units of the house, dimension.
const UNITS: [(&str, f64, Dimension); 17] = [
    ("eV", 1e-9, Dimension::ENERGY),
    ("keV", 1e-6, Dimension::ENERGY),
    ("MeV", 1e-3, Dimension::ENERGY),
    ("GeV", 1.0, Dimension::ENERGY),
    ("TeV", 1e3, Dimension::ENERGY),
    ("um", 1e-3, Dimension::LENGTH),
    ("mm", 1.0, Dimension::LENGTH),
    ("cm", 10.0, Dimension::LENGTH),
    ("m", 1e3, Dimension::LENGTH),
    ("ps", 1e-3, Dimension::TIME),
    ("ns", 1.0, Dimension::TIME),
    ("us", 1e3, Dimension::TIME),
    ("ms", 1e6, Dimension::TIME),
    ("s", 1e9, Dimension::TIME),
    ("rad", 1.0, Dimension::NONE),
    ("mrad", 1e-3, Dimension::NONE),
    ("deg", std::f64::consts::PI / 180.0, Dimension::NONE),
];

/// A unit of the table.
///
/// # Example
/// ```
/// use pullback_analysis::units::{Dimension, Unit};
/// let mev = Unit::find("MeV").unwrap();
/// assert_eq!((mev.factor(), mev.dimension()), (1e-3, Dimension::ENERGY));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unit(u8);

impl Unit {
    /// All units.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..UNITS.len()).map(|k| Self(k as u8))
    }

    /// The unit of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::all().find(|u| u.name() == name)
    }

    fn row(self) -> (&'static str, f64, Dimension) {
        UNITS[usize::from(self.0) % UNITS.len()]
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// What a number in this unit is multiplied by.
    pub fn factor(self) -> f64 {
        self.row().1
    }

    /// Its dimension.
    pub fn dimension(self) -> Dimension {
        self.row().2
    }
}
