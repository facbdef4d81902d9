//! Four-vectors and two-body decays, for any scalar.

use std::f64::consts::TAU;
use std::ops::{Add, AddAssign, Neg, Sub};

use pullback_ad::Real;

/// Energy and momentum in GeV, the beam along z.
///
/// # Example
/// ```
/// use pullback_sim::FourVector;
///
/// let a = FourVector::from_pt_eta_phi_mass(45.0, 0.3, 0.1, 0.10566);
/// let b = FourVector::from_pt_eta_phi_mass(44.0, -0.4, 3.0, 0.10566);
/// assert!(((a + b).mass() - 93.8909).abs() < 1e-4);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FourVector<R = f64> {
    /// Momentum along x.
    pub px: R,
    /// Momentum along y.
    pub py: R,
    /// Momentum along the beam.
    pub pz: R,
    /// Energy.
    pub e: R,
}

impl<R: Real> FourVector<R> {
    /// From transverse momentum, pseudorapidity, azimuth and mass.
    #[inline]
    pub fn from_pt_eta_phi_mass(pt: R, eta: R, phi: R, mass: R) -> Self {
        let pz = pt * eta.sinh();
        Self {
            px: pt * phi.cos(),
            py: pt * phi.sin(),
            pz,
            e: (pt * pt + pz * pz + mass * mass).sqrt(),
        }
    }

    /// From transverse momentum components, rapidity y and mass: E = m_T cosh y, p_z = m_T sinh y.
    #[inline]
    pub fn from_rapidity(px: R, py: R, rapidity: R, mass: R) -> Self {
        let transverse = (px * px + py * py + mass * mass).sqrt();
        let grown = rapidity.exp();
        let shrunk = grown.recip();
        Self {
            px,
            py,
            pz: transverse * (grown - shrunk) * 0.5,
            e: transverse * (grown + shrunk) * 0.5,
        }
    }

    /// p_T².
    #[inline]
    pub fn pt2(self) -> R {
        self.px * self.px + self.py * self.py
    }

    /// The transverse momentum. Differentiability: NaN at 0.
    #[inline]
    pub fn pt(self) -> R {
        self.pt2().sqrt()
    }

    /// The azimuth in (−π, π]. Differentiability: NaN along the beam.
    #[inline]
    pub fn phi(self) -> R {
        self.py.atan2(self.px)
    }

    /// The pseudorapidity arsinh(p_z/p_T); infinite along the beam.
    #[inline]
    pub fn eta(self) -> R {
        (self.pz / self.pt()).asinh()
    }

    /// The rapidity ½ ln((E + p_z)/(E − p_z)).
    #[inline]
    pub fn rapidity(self) -> R {
        ((self.e + self.pz) / (self.e - self.pz)).ln() * 0.5
    }

    /// m² = (E − p_z)(E + p_z) − p_T², negative where rounding makes it so.
    #[inline]
    pub fn mass2(self) -> R {
        (self.e - self.pz) * (self.e + self.pz) - self.pt2()
    }

    /// The mass; 0 where m² is negative by rounding. Differentiability: of the constant 0 there, infinite at 0.
    #[inline]
    pub fn mass(self) -> R {
        self.mass2().max(R::constant(0.0)).sqrt()
    }

    /// All components times a number.
    #[inline]
    pub fn scaled(self, factor: R) -> Self {
        Self {
            px: self.px * factor,
            py: self.py * factor,
            pz: self.pz * factor,
            e: self.e * factor,
        }
    }

    /// A vector given in the rest frame of a system, seen from the frame in which the system has the momentum `system` (of mass `mass`).
    ///
    /// E' = (E E_s + p·p_s)/m and p' = p + p_s (E + E')/(E_s + m).
    ///
    /// Reference: PDG, *Review of particle physics* (2024), chapter "Kinematics".
    #[inline]
    pub fn boosted(self, system: Self, mass: R) -> Self {
        let along = self.px * system.px + self.py * system.py + self.pz * system.pz;
        let e = (self.e * system.e + along) / mass;
        let factor = (self.e + e) / (system.e + mass);
        Self {
            px: self.px + system.px * factor,
            py: self.py + system.py * factor,
            pz: self.pz + system.pz * factor,
            e,
        }
    }
}

impl<R: Real> Add for FourVector<R> {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Self {
            px: self.px + other.px,
            py: self.py + other.py,
            pz: self.pz + other.pz,
            e: self.e + other.e,
        }
    }
}

impl<R: Real> AddAssign for FourVector<R> {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<R: Real> Neg for FourVector<R> {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        self.scaled(R::constant(-1.0))
    }
}

impl<R: Real> Sub for FourVector<R> {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

/// The difference of two azimuths, in [−π, π].
#[inline]
pub fn delta_phi<R: Real>(a: R, b: R) -> R {
    let difference = a - b;
    difference - (difference / TAU).round() * TAU
}

/// The momentum of the two products in the rest frame of a mass: √λ(M², m₁², m₂²)/(2M), from its four factors.
///
/// Reference: PDG, *Review of particle physics* (2024), chapter "Kinematics", two-body decays.
///
/// # Example
/// ```
/// assert_eq!(pullback_sim::breakup_momentum(5.0, 3.0, 0.0), 1.6);
/// ```
#[inline]
pub fn breakup_momentum<R: Real>(mass: R, m1: R, m2: R) -> R {
    let (sum, difference) = (m1 + m2, m1 - m2);
    let product = (mass - sum) * (mass + sum) * (mass - difference) * (mass + difference);
    product.sqrt() / (mass * 2.0)
}

/// The unit vector at a polar angle and an azimuth φ = 2 arctan t: one tangent instead of sine and cosine.
///
/// # Example
/// ```
/// let [x, y, z] = pullback_sim::direction(0.6, std::f64::consts::FRAC_PI_2);
/// assert!(x.abs() < 1e-15 && (y - 0.8).abs() < 1e-15 && z == 0.6);
/// ```
#[inline]
pub fn direction<R: Real>(cosine: R, phi: R) -> [R; 3] {
    let sine = (R::constant(1.0) - cosine * cosine).sqrt();
    let t = (phi * 0.5).tan();
    let square = t * t;
    let scale = sine / (square + 1.0);
    [(R::constant(1.0) - square) * scale, t * scale * 2.0, cosine]
}

/// The decay of a system of mass `mass` into two masses, the first product along a unit vector in its rest frame.
///
/// The second vector is what the first leaves: the sum is the system, but for the rounding of one subtraction and one addition.
///
/// Differentiability: in the system, the masses and the direction, above threshold.
///
/// # Example
/// ```
/// use pullback_sim::{FourVector, direction, two_body};
///
/// let z = FourVector { px: 3.0, py: -4.0, pz: 12.0, e: 92.0 };
/// let [a, b] = two_body(z, z.mass(), 0.0, 0.0, direction(0.2, 1.0));
/// assert!((a.mass2().abs() < 1e-10) && (b.mass2().abs() < 1e-10));
/// assert!(((a + b) - z).e.abs() < 1e-13);
/// ```
#[inline]
pub fn two_body<R: Real>(
    system: FourVector<R>,
    mass: R,
    m1: R,
    m2: R,
    direction: [R; 3],
) -> [FourVector<R>; 2] {
    let p = breakup_momentum(mass, m1, m2);
    let at_rest = FourVector {
        px: p * direction[0],
        py: p * direction[1],
        pz: p * direction[2],
        e: (p * p + m1 * m1).sqrt(),
    };
    let first = at_rest.boosted(system, mass);
    [first, system - first]
}
