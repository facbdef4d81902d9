//! Jets: the anti-k_t algorithm on the few particles of an event.
//!
//! Reference: M. Cacciari, G. P. Salam, G. Soyez, JHEP 04 (2008) 063.

use std::f64::consts::{PI, TAU};

use crate::vector::FourVector;

/// The radius R.
pub const RADIUS: f64 = 0.4;

/// A particle, or particles merged so far.
#[derive(Clone, Copy, Debug)]
pub struct Cluster {
    /// The sum of momenta that the algorithm sees.
    pub momentum: FourVector,
    /// Which inputs are in it, a bit each.
    pub members: u64,
    /// p_T⁻².
    inverse_pt2: f64,
    rapidity: f64,
    phi: f64,
}

/// ΔR² in rapidity and azimuth.
#[inline]
pub fn distance2(rapidity: f64, phi: f64) -> f64 {
    let phi = phi.abs();
    let phi = if phi > PI { TAU - phi } else { phi };
    rapidity * rapidity + phi * phi
}

impl Cluster {
    /// Of one input, whose rapidity and azimuth are known.
    pub fn new(momentum: FourVector, rapidity: f64, phi: f64, input: usize) -> Self {
        Self {
            momentum,
            members: 1 << input,
            inverse_pt2: 1.0 / momentum.pt2(),
            rapidity,
            phi,
        }
    }

    fn of(momentum: FourVector, members: u64) -> Self {
        Self {
            momentum,
            members,
            inverse_pt2: 1.0 / momentum.pt2(),
            rapidity: momentum.rapidity(),
            phi: momentum.phi(),
        }
    }

    #[inline]
    fn distance2(&self, other: &Self) -> f64 {
        distance2(self.rapidity - other.rapidity, self.phi - other.phi)
    }
}

/// Merges particles into jets, in place. Equal distances are taken in the order of the inputs.
pub fn anti_kt(clusters: &mut [Cluster]) -> &[Cluster] {
    const R2: f64 = RADIUS * RADIUS;
    // Beyond `open` stand finished jets, beyond `all` clusters that were merged away.
    let (mut open, mut all) = (clusters.len(), clusters.len());
    loop {
        let mut closest: Option<(f64, usize, usize)> = None;
        let mut hardest = (f64::INFINITY, 0);
        for (i, a) in clusters[..open].iter().enumerate() {
            if a.inverse_pt2 < hardest.0 {
                hardest = (a.inverse_pt2, i);
            }
            for (j, b) in clusters[..open].iter().enumerate().skip(i + 1) {
                let r2 = a.distance2(b);
                if r2 < R2 {
                    let d = a.inverse_pt2.min(b.inverse_pt2) * (r2 / R2);
                    if closest.is_none_or(|(least, ..)| d < least) {
                        closest = Some((d, i, j));
                    }
                }
            }
        }
        // Without a pair within R all that is open goes to the beam.
        let Some((least, i, j)) = closest else {
            return &clusters[..all];
        };
        if hardest.0 < least {
            open -= 1;
            clusters.swap(hardest.1, open);
            continue;
        }
        let (a, b) = (clusters[i], clusters[j]);
        clusters[i] = Cluster::of(a.momentum + b.momentum, a.members | b.members);
        open -= 1;
        all -= 1;
        clusters.swap(j, open);
        clusters.swap(open, all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes beam distances in their turn, as the paper does.
    fn by_the_book(mut clusters: Vec<Cluster>) -> Vec<u64> {
        let mut jets = Vec::new();
        while !clusters.is_empty() {
            let mut least = (f64::INFINITY, 0, None);
            for (i, a) in clusters.iter().enumerate() {
                if a.inverse_pt2 < least.0 {
                    least = (a.inverse_pt2, i, None);
                }
                for (j, b) in clusters.iter().enumerate().skip(i + 1) {
                    let r2 = a.distance2(b) / (RADIUS * RADIUS);
                    let d = a.inverse_pt2.min(b.inverse_pt2) * r2;
                    if d < least.0 {
                        least = (d, i, Some(j));
                    }
                }
            }
            match least {
                (_, i, None) => jets.push(clusters.remove(i).members),
                (_, i, Some(j)) => {
                    let b = clusters.remove(j);
                    let a = clusters[i];
                    let sum = a.momentum + b.momentum;
                    clusters[i] = Cluster::of(sum, a.members | b.members);
                }
            }
        }
        jets.sort_unstable();
        jets
    }

    #[test]
    fn jets_are_those_of_the_algorithm_with_beam_distances() {
        use pullback_prob::{Distribution, Key, Uniform};
        let uniform = Uniform::standard();
        let mut merged = 0;
        for event in 0..2000 {
            let draw = |name, step| uniform.draw(Key::new(8, name), event, step);
            let mut clusters: Vec<Cluster> = (0..10)
                .map(|i| {
                    let pt = 5.0 / draw("pt", i);
                    let (eta, phi) = (draw("eta", i) * 2.0, draw("phi", i) * 2.5 + 0.5);
                    let p = FourVector::from_pt_eta_phi_mass(pt, eta, phi, 1.0);
                    Cluster::new(p, p.rapidity(), phi, i as usize)
                })
                .collect();
            let expected = by_the_book(clusters.clone());
            let jets = anti_kt(&mut clusters);
            merged += 10 - jets.len();
            let mut ours: Vec<u64> = jets.iter().map(|c| c.members).collect();
            ours.sort_unstable();
            assert_eq!(ours, expected, "event {event}");
        }
        assert!(merged > 4000, "{merged}");
    }
}
