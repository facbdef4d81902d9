//! Four-vectors: p_T, η, φ, m or p_x, p_y, p_z, E, and what follows from either (Particle Data Group 2024, "Kinematics", §49.5.2).

use pullback_ad::Real;
use pullback_array::Sym;

use crate::types::Component;

/// A four-vector in the coordinates in which it is known.
#[derive(Clone, Copy)]
pub(crate) enum Vector<'b> {
    /// Of an object.
    Polar {
        pt: Sym<'b>,
        eta: Sym<'b>,
        phi: Sym<'b>,
        mass: Sym<'b>,
    },
    /// Of a sum.
    Cartesian {
        px: Sym<'b>,
        py: Sym<'b>,
        pz: Sym<'b>,
        e: Sym<'b>,
    },
}

impl<'b> Vector<'b> {
    /// p_x, p_y, p_z, E.
    pub fn cartesian(self) -> [Sym<'b>; 4] {
        match self {
            Self::Cartesian { px, py, pz, e } => [px, py, pz, e],
            Self::Polar { pt, eta, phi, mass } => {
                let pz = pt * eta.sinh();
                let e = (pt * pt + pz * pz + mass * mass).sqrt();
                [pt * phi.cos(), pt * phi.sin(), pz, e]
            }
        }
    }

    /// The coordinates, each replaced.
    pub fn map(self, mut f: impl FnMut(Sym<'b>) -> Sym<'b>) -> Self {
        match self {
            Self::Cartesian { px, py, pz, e } => Self::Cartesian {
                px: f(px),
                py: f(py),
                pz: f(pz),
                e: f(e),
            },
            Self::Polar { pt, eta, phi, mass } => Self::Polar {
                pt: f(pt),
                eta: f(eta),
                phi: f(phi),
                mass: f(mass),
            },
        }
    }

    /// Components combined one by one.
    pub fn zip(self, other: Self, f: impl Fn(Sym<'b>, Sym<'b>) -> Sym<'b>) -> Self {
        let (a, b) = (self.cartesian(), other.cartesian());
        Self::Cartesian {
            px: f(a[0], b[0]),
            py: f(a[1], b[1]),
            pz: f(a[2], b[2]),
            e: f(a[3], b[3]),
        }
    }

    /// s·p
    pub fn scaled(self, s: Sym<'b>) -> Self {
        let [px, py, pz, e] = self.cartesian().map(|x| x * s);
        Self::Cartesian { px, py, pz, e }
    }

    /// A component.
    pub fn component(self, which: Component) -> Sym<'b> {
        if let Self::Polar { pt, eta, phi, mass } = self {
            match which {
                Component::Pt => return pt,
                Component::Eta => return eta,
                Component::Phi => return phi,
                Component::Mass => return mass,
                _ => {}
            }
        }
        let [px, py, pz, e] = self.cartesian();
        let pt = || (px * px + py * py).sqrt();
        match which {
            Component::Px => px,
            Component::Py => py,
            Component::Pz => pz,
            Component::Energy => e,
            Component::Pt => pt(),
            Component::Phi => py.atan2(px),
            Component::Eta => (pz / pt()).asinh(),
            Component::Rapidity => (pz / e).atanh(),
            Component::Mass => {
                let squared = e * e - px * px - py * py - pz * pz;
                // Where rounding makes it negative, no derivative of the root may pass.
                let positive = squared.gt(0.0.into());
                let root = positive.select(squared, Sym::from(1.0)).sqrt();
                positive.select(root, Sym::from(0.0))
            }
        }
    }
}
