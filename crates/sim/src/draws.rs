//! The random numbers of an event, by name.
//!
//! The physics asks for a draw by name and step, event by event; the numbers were made for a block of events at once, in vector code. What was not made ahead is made
//! when it is asked for, with the same bits, and the next block makes ahead what this one lacked in most events.

use pullback_prob::rand_core::Rng;
use pullback_prob::{Key, Stream, fill_normal, fill_uniform_pair, quantile, unit};

/// Events per block.
pub const LANES: usize = 64;

type Row = [f64; LANES];

/// What is drawn ahead.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Two uniform numbers per step.
    Pair,
    /// A standard normal number per step.
    Normal,
}

macro_rules! names {
    ($($(#[$doc:meta])* $variant:ident = $name:literal: $kind:ident;)*) => {
        /// The draws of an event. The names are part of the address: renaming changes samples.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Draw {
            $($(#[$doc])* $variant,)*
        }

        impl Draw {
            const ALL: [Draw; [$(Draw::$variant),*].len()] = [$(Draw::$variant),*];

            const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }
        }
    };
}

names! {
    /// Mass and rapidity of the hard system.
    System = "system": Pair;
    /// The soft recoil: p_T, azimuth.
    Soft = "soft": Pair;
    /// Multiplicity of radiation; rapidity of the soft recoil.
    Count = "emission.count": Pair;
    /// A radiated jet: p_T, azimuth.
    Emission = "emission": Pair;
    /// A radiated jet: rapidity, flavour.
    EmissionKind = "emission.kind": Pair;
    /// Charge of what is produced.
    Charge = "charge": Pair;
    /// Masses of two resonances.
    Masses = "masses": Pair;
    /// Masses inside a rejection loop, a step per attempt; the next word decides.
    Attempt = "masses.attempt": Pair;
    /// Angles of a two-body decay, a step per decay.
    Decay = "decay": Pair;
    /// Channel and flavours of a decay.
    Channel = "channel": Pair;
    /// Mean number of interactions.
    Interactions = "interactions": Normal;
    /// Sign of the weight.
    Sign = "weight.sign": Pair;
    /// Vertices.
    Vertices = "vertices": Pair;
    /// Size of the weight.
    Weight = "weight": Normal;
    /// Lepton: efficiency, isolation.
    Lepton = "lepton": Pair;
    /// Lepton: trigger, charge.
    Trigger = "trigger": Pair;
    /// Lepton momentum.
    LeptonMomentum = "lepton.momentum": Normal;
    /// Jet energy, a step per parton.
    JetEnergy = "jet.energy": Normal;
    /// Jet: b-tag score, mass; a step per parton.
    Jet = "jet": Pair;
    /// The b-tag score of a jet that is a lepton.
    LeptonJet = "jet.lepton": Pair;
    /// Two components of the noise of missing momentum.
    Met = "met": Normal;
}

const COUNT: usize = Draw::ALL.len();

/// The draws of a block of events, one of which is looked at.
#[derive(Clone, Debug)]
pub struct Draws {
    keys: [Key; COUNT],
    /// Of each name, what was made ahead: two rows a step for pairs, one for normal numbers.
    rows: [Vec<Row>; COUNT],
    /// How often a step beyond these was asked for.
    missed: [u32; COUNT],
    first_event: u64,
    lanes: usize,
    lane: usize,
}

impl Draws {
    /// The draws of a process under a seed.
    pub fn new(seed: u64, process: &str) -> Self {
        let key = Key::new(seed, "pullback-sim 1").child(process);
        Self {
            keys: Draw::ALL.map(|draw| key.child(draw.name())),
            rows: std::array::from_fn(|_| Vec::new()),
            missed: [0; COUNT],
            first_event: 0,
            lanes: 0,
            lane: 0,
        }
    }

    /// Makes the draws of up to [`LANES`] events.
    pub fn load(&mut self, first_event: u64, lanes: usize) {
        let lanes = lanes.min(LANES);
        for draw in Draw::ALL {
            let index = draw as usize;
            let per_step = if draw.kind() == Kind::Pair { 2 } else { 1 };
            if 2 * self.missed[index] as usize > self.lanes {
                let more = self.rows[index].len() + per_step;
                self.rows[index].resize(more, [0.0; LANES]);
            }
            self.missed[index] = 0;
            let key = self.keys[index];
            for (step, rows) in self.rows[index].chunks_mut(per_step).enumerate() {
                match rows {
                    [u, v] => {
                        let (u, v) = (&mut u[..lanes], &mut v[..lanes]);
                        fill_uniform_pair(u, v, key, first_event, step as u32);
                    }
                    [z] => fill_normal(&mut z[..lanes], key, first_event, step as u32),
                    _ => {}
                }
            }
        }
        (self.first_event, self.lanes, self.lane) = (first_event, lanes, 0);
    }

    /// Looks at an event of the block.
    #[inline]
    pub fn look_at(&mut self, lane: usize) {
        self.lane = lane % LANES;
    }

    /// The words of a draw, for rejection.
    #[inline]
    pub fn stream(&self, draw: Draw, step: u32) -> Stream {
        self.keys[draw as usize].stream(self.first_event.wrapping_add(self.lane as u64), step)
    }

    /// Two uniform numbers.
    #[inline]
    pub fn pair(&mut self, draw: Draw, step: u32) -> [f64; 2] {
        let rows = self.rows[draw as usize].as_chunks::<2>().0;
        if let Some([u, v]) = rows.get(step as usize) {
            return [u[self.lane], v[self.lane]];
        }
        self.missed[draw as usize] += 1;
        let mut stream = self.stream(draw, step);
        [unit(stream.next_u64()), unit(stream.next_u64())]
    }

    /// A standard normal number.
    #[inline]
    pub fn normal(&mut self, draw: Draw, step: u32) -> f64 {
        if let Some(z) = self.rows[draw as usize].get(step as usize) {
            return z[self.lane];
        }
        self.missed[draw as usize] += 1;
        let u = unit(self.stream(draw, step).next_u64());
        quantile::standard_normal(u)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawing_ahead_changes_no_bit() {
        let mut ahead = Draws::new(3, "test");
        let mut seen = Vec::new();
        // Blocks one after the other, each with more made ahead; then every event alone, with nothing.
        for block in 0..4 {
            ahead.load(block * LANES as u64, LANES);
            for lane in 0..LANES {
                ahead.look_at(lane);
                let pairs = (0..3).map(|step| ahead.pair(Draw::Decay, step));
                seen.extend(pairs.flatten());
                seen.extend((0..2).map(|step| ahead.normal(Draw::Met, step)));
            }
        }
        assert_eq!(ahead.rows[Draw::Decay as usize].len(), 6);
        assert_eq!(ahead.rows[Draw::Met as usize].len(), 2);
        let mut seen = seen.into_iter();
        for event in 0..4 * LANES as u64 {
            let mut alone = Draws::new(3, "test");
            alone.load(event, 1);
            for step in 0..3 {
                let [u, v] = alone.pair(Draw::Decay, step);
                assert_eq!([Some(u), Some(v)], [seen.next(), seen.next()]);
            }
            for step in 0..2 {
                assert_eq!(Some(alone.normal(Draw::Met, step)), seen.next());
            }
        }
    }
}
