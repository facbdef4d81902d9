//! What happened, before the detector.

use crate::vector::FourVector;

/// A particle of the generator's record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Particle {
    /// Its PDG number; 90 stands for the soft recoil and for a produced pair.
    pub pdg_id: i32,
    /// Its momentum.
    pub momentum: FourVector,
    /// Its mass, as decided (that of the momentum, but for rounding).
    pub mass: f64,
    /// The particle it comes from; none for the incoming partons.
    pub mother: Option<usize>,
    /// Whether it leaves the hard process: not decayed and not incoming.
    pub stable: bool,
}

/// The generator's record of an event: the two incoming partons first, then what they become.
///
/// The momenta of the stable particles add up to those of the incoming partons, which move along the beam.
///
/// # Example
/// ```
/// use pullback_sim::{Generator, Process};
///
/// let mut generator = Generator::new(Process::ZToLL, 1)?;
/// let truth = generator.truth(12);
/// let z = truth.particles.iter().find(|p| p.pdg_id == 23);
/// assert!(z.is_some_and(|z| z.mass > 40.0 && z.mass < 200.0));
/// # Ok::<(), pullback_sim::SimError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// The particles.
    pub particles: Vec<Particle>,
    /// The momentum fractions of the incoming partons.
    pub x: [f64; 2],
    /// The scale of the process: the mass of what is produced, in GeV.
    pub scale: f64,
    /// How many jets were radiated.
    pub emissions: usize,
}

impl Truth {
    pub(crate) fn clear(&mut self) {
        self.particles.clear();
        (self.x, self.scale, self.emissions) = ([0.0; 2], 0.0, 0);
    }

    /// Adds a particle, which makes its mother unstable.
    pub(crate) fn add(
        &mut self,
        pdg_id: i32,
        momentum: FourVector,
        mass: f64,
        mother: usize,
    ) -> usize {
        if let Some(mother) = self.particles.get_mut(mother) {
            mother.stable = false;
        }
        self.particles.push(Particle {
            pdg_id,
            momentum,
            mass,
            mother: Some(mother),
            stable: true,
        });
        self.particles.len() - 1
    }

    /// The particles that leave the hard process.
    pub fn stable(&self) -> impl Iterator<Item = &Particle> {
        self.particles.iter().filter(|particle| particle.stable)
    }
}
