//! The mass that a pair of muons has before it is measured, as a distribution of y = ln(m/M).

use std::f64::consts::PI;

/// 1/α at zero momentum (PDG 2024): photons that are radiated are real.
const INVERSE_ALPHA: f64 = 137.035_999;
/// Mass of the muon in GeV (PDG 2024).
pub(super) const MUON: f64 = 0.105_658_375_5;
/// Lower and upper end of the tabulated resonance, in y.
const REACH: [f64; 2] = [-0.6, 0.5];
/// Intervals of that table.
const STEPS: usize = 2200;
/// Radiation is followed to this y below the resonance; less than 1 % of Z lie beyond.
const DEEPEST: f64 = 0.6;

/// Final-state radiation of two muons, exponentiated to leading logarithms: with z = m²/M², the fraction of the squared mass that the muons keep,
///
/// ```text
/// f(z) = β (1 + ¾ β) (1 − z)^(β − 1) − ½ β (1 + z),   β = (2α/π) (ln(M²/m_µ²) − 1)
/// ```
///
/// which integrates to one: radiation moves events and makes none.
///
/// Reference: E. Kuraev & V. Fadin, Sov. J. Nucl. Phys. 41 (1985) 466 (the radiator, to first order beyond its exponent); F. Berends, W. van Neerven &
/// G. Burgers, Nucl. Phys. B 297 (1988) 429.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Radiation {
    beta: f64,
}

impl Radiation {
    /// That of a resonance of a mass in GeV.
    ///
    /// ```
    /// use pullback_studies::dimuon::Radiation;
    /// assert!((Radiation::of(91.1876).beta() - 0.0582).abs() < 1e-4);
    /// ```
    pub fn of(mass: f64) -> Self {
        let logarithm = 2.0 * (mass / MUON).ln() - 1.0;
        Self {
            beta: 2.0 / (PI * INVERSE_ALPHA) * logarithm,
        }
    }

    /// The exponent β.
    pub fn beta(self) -> f64 {
        self.beta
    }

    /// The fraction of events with z above `1 − x`.
    pub fn kept(self, x: f64) -> f64 {
        let (b, z) = (self.beta, 1.0 - x);
        (1.0 + 0.75 * b) * x.powf(b) - 0.5 * b * (x + 0.5 * (1.0 - z * z))
    }

    /// The 1 − z below which a fraction `u` of the events lies.
    pub fn quantile(self, u: f64) -> f64 {
        let (mut low, mut high) = (-800.0_f64, 0.0_f64);
        for _ in 0..80 {
            let mid = 0.5 * (low + high);
            if self.kept(mid.exp()) < u {
                low = mid;
            } else {
                high = mid;
            }
        }
        (0.5 * (low + high)).exp()
    }
}

/// A resonance: its pole, width, slope of the luminosity, and radiation.
///
/// ```text
/// dN/dm² ∝ m^p / ((m² − M²)² + Γ² g(m)),   g = M² (fixed width) or m⁴/M² (running width)
/// ```
///
/// The running width is that of the LEP definition of the mass of the Z (PDG 2024, review of the Z boson); without a width all events have the mass M.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineShape {
    /// Pole mass M in GeV.
    pub mass: f64,
    /// Full width Γ in GeV; 0: a line.
    pub width: f64,
    /// Whether Γ runs with m².
    pub running: bool,
    /// The power p of the factor m^p: parton luminosities fall, cross-sections have factors of m.
    pub power: f64,
    /// Radiation of the muons.
    pub radiation: Option<Radiation>,
}

impl LineShape {
    /// J/ψ (PDG 2024); its width of 0.09 MeV is nothing beside the resolution.
    pub fn jpsi() -> Self {
        Self {
            mass: 3.096_9,
            width: 0.0,
            running: false,
            power: 0.0,
            radiation: Some(Radiation::of(3.096_9)),
        }
    }

    /// Z (PDG 2024), p = −1: dσ/dm ∝ (1/m) σ̂ τ dL/dτ with σ̂ ∝ m²/D (D the denominator) and τ dL/dτ ∝ 1/m, so that the continuum, σ̂ ∝ m⁻², falls as m⁻⁴.
    /// The power is an assumption; the study says what one unit of it does.
    pub fn z() -> Self {
        Self {
            mass: 91.187_6,
            width: 2.495_2,
            running: true,
            power: -1.0,
            radiation: Some(Radiation::of(91.187_6)),
        }
    }

    /// The same without radiation and with a fixed width in m²: what `pullback_sim` generates.
    pub fn of_generator(resonance: pullback_sim::pdg::Resonance, narrow: bool) -> Self {
        Self {
            mass: resonance.mass,
            width: if narrow { 0.0 } else { resonance.width },
            running: false,
            power: 0.0,
            radiation: None,
        }
    }

    /// dN/dy of the resonance without radiation, not normalised.
    fn resonance(&self, y: f64) -> f64 {
        let m2 = (2.0 * y).exp();
        let ratio = self.width / self.mass;
        let g = if self.running { m2 * m2 } else { 1.0 };
        (self.power * y).exp() * m2 / ((m2 - 1.0) * (m2 - 1.0) + ratio * ratio * g)
    }

    /// Points and masses whose sum is the distribution: the resonance (normalised), then radiation, each from bins much narrower than a resolution.
    pub(super) fn masses(&self) -> Masses {
        let cumulative = if self.width > 0.0 {
            let h = (REACH[1] - REACH[0]) / STEPS as f64;
            let mut sum = vec![0.0];
            for k in 0..STEPS {
                let y = REACH[0] + k as f64 * h;
                let ends = self.resonance(y) + self.resonance(y + h);
                let simpson = h / 6.0 * (ends + 4.0 * self.resonance(y + 0.5 * h));
                sum.push(sum[k] + simpson);
            }
            let total = sum[STEPS];
            sum.iter().map(|s| s / total).collect()
        } else {
            Vec::new()
        };
        Masses {
            cumulative,
            radiation: self.radiation,
        }
    }
}

/// A line shape in numbers.
pub(super) struct Masses {
    /// The cumulative resonance at even steps; empty for a line.
    cumulative: Vec<f64>,
    radiation: Option<Radiation>,
}

impl Masses {
    /// The fraction of the resonance below y, before radiation.
    fn resonance_below(&self, y: f64) -> f64 {
        if self.cumulative.is_empty() {
            return if y >= 0.0 { 1.0 } else { 0.0 };
        }
        let at = (y - REACH[0]) / (REACH[1] - REACH[0]) * STEPS as f64;
        if at <= 0.0 {
            return 0.0;
        }
        let k = (at as usize).min(STEPS - 1);
        let f = (at - k as f64).min(1.0);
        // Cubic through four points; at the ends, where nothing is asked, linear.
        let c = &self.cumulative;
        if k == 0 || k + 2 > STEPS {
            return c[k] + f * (c[k + 1] - c[k]);
        }
        let (a, b, d, e) = (c[k - 1], c[k], c[k + 1], c[k + 2]);
        b + 0.5 * f * (d - a + f * (2.0 * a - 5.0 * b + 4.0 * d - e + f * (3.0 * (b - d) + e - a)))
    }

    /// Where a fraction u of the resonance lies below, before radiation.
    pub fn resonance_quantile(&self, u: f64) -> f64 {
        if self.cumulative.is_empty() {
            return 0.0;
        }
        let k = self.cumulative.partition_point(|c| *c < u).clamp(1, STEPS);
        let (a, b) = (self.cumulative[k - 1], self.cumulative[k]);
        let h = (REACH[1] - REACH[0]) / STEPS as f64;
        REACH[0] + h * (k as f64 - 1.0 + (u - a) / (b - a))
    }

    /// Steps down in y by radiation, and the fraction of events in each.
    fn steps_down(&self) -> Vec<(f64, f64)> {
        let Some(radiation) = self.radiation else {
            return vec![(0.0, 1.0)];
        };
        // y = ½ ln z: 1 − z = 1 − exp(−2t).
        let kept = |t: f64| radiation.kept(-(-2.0 * t).exp_m1());
        let (first, n) = (2e-5_f64, 240);
        let ratio = (DEEPEST / first).powf(1.0 / f64::from(n));
        let mut steps = vec![(first * radiation.beta / (1.0 + radiation.beta), kept(first))];
        let mut from = first;
        for _ in 0..n {
            let to = from * ratio;
            // The mean of t for a density as 1/t, which it is but for β.
            let mean = (to - from) / (to / from).ln();
            steps.push((mean, kept(to) - kept(from)));
            from = to;
        }
        steps
    }

    /// The fraction below y, radiation included.
    pub fn below(&self, y: f64) -> f64 {
        if self.cumulative.is_empty() {
            // Exact: a line and its tail.
            return match self.radiation {
                _ if y >= 0.0 => 1.0,
                Some(radiation) => 1.0 - radiation.kept(-(2.0 * y).exp_m1()),
                None => 0.0,
            };
        }
        let steps = self.steps_down();
        let inside: f64 = steps
            .iter()
            .map(|(t, p)| p * self.resonance_below(y + t))
            .sum();
        let deep: f64 = 1.0 - steps.iter().map(|(_, p)| p).sum::<f64>();
        inside + deep
    }

    /// Calls `add` with points and masses.
    pub fn for_each(&self, mut add: impl FnMut(f64, f64)) {
        let steps = self.steps_down();
        if self.cumulative.is_empty() {
            for (t, p) in &steps {
                add(-t, *p);
            }
            return;
        }
        let h = (REACH[1] - REACH[0]) / STEPS as f64;
        for (k, ends) in self.cumulative.windows(2).enumerate() {
            let y = REACH[0] + (k as f64 + 0.5) * h;
            for (t, p) in &steps {
                add(y - t, p * (ends[1] - ends[0]));
            }
        }
    }
}
