//! The generator.
//!
//! What published likelihoods look like after pruning, as numbers: channels of up to 50 bins; a signal in some of them; three backgrounds in four present in
//! a channel; a few free normalisations and the luminosity; systematics that are either experimental (all samples of some channels) or belong to one process
//! (in some channels), such that a sample of a channel has about 24 however many there are; half of them normsys, a third histosys, the rest both;
//! MC statistics per bin in as many channels as the number of parameters allows, one channel in five with a shapesys on one sample instead.

use super::names::Parameter;

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Parameters of all kinds.
    pub parameters: usize,
    /// Bins over all channels.
    pub bins: usize,
    /// Processes, the signal among them.
    pub samples: usize,
    /// Seed.
    pub seed: u64,
}

/// A constraint term.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Constraint {
    /// None.
    Free,
    /// Normal about `aux`.
    Normal {
        /// Auxiliary datum.
        aux: f64,
        /// Width.
        sigma: f64,
    },
    /// Poisson with rate τθ about τ.
    Poisson {
        /// (nominal/uncertainty)².
        tau: f64,
    },
}

/// A normsys of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Normsys {
    /// Its parameter.
    pub parameter: usize,
    /// Factor at −1.
    pub lo: f64,
    /// Factor at +1.
    pub hi: f64,
}

/// A histosys of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Histosys {
    /// Its parameter.
    pub parameter: usize,
    /// Yields at −1.
    pub lo: Vec<f64>,
    /// Yields at +1.
    pub hi: Vec<f64>,
}

/// A sample of a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Which process.
    pub process: usize,
    /// Yields.
    pub nominal: Vec<f64>,
    /// Parameters that multiply all bins: free normalisations and the luminosity.
    pub factors: Vec<usize>,
    /// Normalisation systematics.
    pub normsys: Vec<Normsys>,
    /// Shape systematics.
    pub histosys: Vec<Histosys>,
    /// MC statistics, if the channel has them.
    pub staterror: Option<Vec<f64>>,
    /// First parameter and uncertainties of a shapesys.
    pub shapesys: Option<(usize, Vec<f64>)>,
}

/// A channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Observed events.
    pub observed: Vec<f64>,
    /// First parameter of the staterror.
    pub staterror: Option<usize>,
    /// Samples.
    pub samples: Vec<Sample>,
}

/// A generated workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// Channels.
    pub channels: Vec<Channel>,
    /// Parameters; the first is the signal strength.
    pub parameters: Vec<Parameter>,
}

/// Systematics of a (channel, sample): experimental ones, and of the process.
const EXPERIMENTAL: f64 = 14.0;
const OF_PROCESS: f64 = 10.0;

/// splitmix64 (Steele, Lea & Flood 2014).
pub(super) struct Random(u64);

impl Random {
    /// Uniform in (0, 1).
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// A normal number (Box & Muller 1958).
    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    fn sign(&mut self) -> f64 {
        if self.uniform() < 0.5 { -1.0 } else { 1.0 }
    }
}

/// Six significant digits, as files have.
fn rounded(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

/// Which samples a systematic acts on, and how.
struct Systematic {
    parameter: usize,
    /// `None`: all of a channel.
    process: Option<usize>,
    channel_fraction: f64,
    /// The channel that it acts on in any case.
    home: usize,
    norm: bool,
    shape: bool,
}

impl Generated {
    /// Generates a workspace.
    pub fn new(size: Size) -> Self {
        let mut random = Random(size.seed);
        let (bins, samples) = (size.bins.max(1), size.samples.max(2));
        let width = (0.5 * (bins as f64).sqrt()).clamp(5.0, 50.0) as usize;
        let count = bins.div_ceil(width);
        let widths: Vec<usize> = (0..count)
            .map(|c| bins / count + usize::from(c < bins % count))
            .collect();
        let mut out = Self {
            channels: Vec::with_capacity(count),
            parameters: vec![Parameter::scalar("mu", Constraint::Free)],
        };
        let lumi = out.put(Parameter::scalar(
            "lumi",
            Constraint::Normal {
                aux: 1.0,
                sigma: 0.017,
            },
        ));
        let free = (samples / 4).clamp(1, 6).min(samples - 1);
        for k in 1..=free {
            out.put(Parameter::scalar(
                format!("norm_process{k}"),
                Constraint::Free,
            ));
        }
        for &width in &widths {
            let channel = yields(&mut random, width, samples, free, lumi);
            out.channels.push(channel);
        }
        out.statistics(&mut random, size.parameters);
        out.systematics(&mut random, size.parameters, samples);
        out.observe(&mut random);
        out
    }

    fn put(&mut self, parameter: Parameter) -> usize {
        self.parameters.push(parameter);
        self.parameters.len() - 1
    }

    /// MC statistics, channel by channel, for two in five parameters.
    fn statistics(&mut self, random: &mut Random, parameters: usize) {
        let mut budget = parameters.saturating_sub(self.parameters.len()) * 2 / 5;
        for c in 0..self.channels.len() {
            let width = self.channels[c].observed.len();
            if width > budget {
                continue;
            }
            budget -= width;
            let first = self.parameters.len();
            if c % 5 == 4 {
                let Some(sample) = self.channels[c].samples.last_mut() else {
                    continue;
                };
                let spread: Vec<f64> = sample
                    .nominal
                    .iter()
                    .map(|x| rounded(x * random.between(0.05, 0.3)))
                    .collect();
                let taus: Vec<f64> = sample
                    .nominal
                    .iter()
                    .zip(&spread)
                    .map(|(x, u)| (x / u) * (x / u))
                    .collect();
                sample.shapesys = Some((first, spread));
                for (component, tau) in taus.into_iter().enumerate() {
                    self.put(Parameter {
                        set: format!("shape_channel{c}"),
                        component,
                        constraint: Constraint::Poisson { tau },
                    });
                }
                continue;
            }
            let channel = &mut self.channels[c];
            channel.staterror = Some(first);
            let (mut squares, mut sums) = (vec![0.0; width], vec![0.0; width]);
            for sample in &mut channel.samples {
                let list: Vec<f64> = sample
                    .nominal
                    .iter()
                    .map(|x| rounded(0.15 * x.sqrt() * random.between(0.5, 1.5)))
                    .collect();
                for (b, (u, x)) in list.iter().zip(&sample.nominal).enumerate() {
                    squares[b] += u * u;
                    sums[b] += x;
                }
                sample.staterror = Some(list);
            }
            for (component, (q, s)) in squares.into_iter().zip(sums).enumerate() {
                self.put(Parameter {
                    set: format!("staterror_channel{c}"),
                    component,
                    constraint: Constraint::Normal {
                        aux: 1.0,
                        sigma: q.sqrt() / s,
                    },
                });
            }
        }
    }

    /// Systematics for all parameters that are left.
    fn systematics(&mut self, random: &mut Random, parameters: usize, processes: usize) {
        let count = parameters.saturating_sub(self.parameters.len());
        let experimental = count * 2 / 5;
        let of_process = count - experimental;
        let fractions = [
            (EXPERIMENTAL / experimental.max(1) as f64).min(1.0),
            (OF_PROCESS * processes as f64 / of_process.max(1) as f64).min(1.0),
        ];
        let list: Vec<Systematic> = (0..count)
            .map(|k| {
                let parameter = self.put(Parameter::scalar(
                    format!("alpha{k}"),
                    Constraint::Normal {
                        aux: 0.0,
                        sigma: 1.0,
                    },
                ));
                Systematic {
                    parameter,
                    process: (k >= experimental).then_some(k % processes),
                    channel_fraction: fractions[usize::from(k >= experimental)],
                    home: k % self.channels.len(),
                    norm: k % 10 < 5 || k % 10 >= 8,
                    shape: k % 10 >= 5,
                }
            })
            .collect();
        for (c, channel) in self.channels.iter_mut().enumerate() {
            for s in &list {
                if random.uniform() > s.channel_fraction && s.home != c {
                    continue;
                }
                // One that belongs to a process that its home does not have acts on the first sample there: no parameter is without effect.
                let absent = s.home == c
                    && s.process
                        .is_some_and(|p| channel.samples.iter().all(|x| x.process != p));
                let tilt = random.between(-0.08, 0.08);
                for (k, sample) in channel.samples.iter_mut().enumerate() {
                    let meant = s.process.is_none_or(|p| p == sample.process);
                    if meant || (absent && k == 0) {
                        apply(random, s, tilt, sample);
                    }
                }
            }
        }
    }

    /// Data: Poisson-like about the expectation at the start.
    fn observe(&mut self, random: &mut Random) {
        for channel in &mut self.channels {
            for (b, n) in channel.observed.iter_mut().enumerate() {
                let rate: f64 = channel.samples.iter().map(|s| s.nominal[b]).sum();
                *n = (rate + rate.sqrt() * random.normal()).round().max(0.0);
            }
        }
    }
}

/// A channel with its samples.
fn yields(
    random: &mut Random,
    width: usize,
    processes: usize,
    free: usize,
    lumi: usize,
) -> Channel {
    let scale = random.between(2.0, 6.0).exp();
    let with_signal = random.uniform() < 0.6;
    let peak = random.between(0.2, 0.8);
    let mut samples = Vec::new();
    for process in 0..processes {
        let present = if process == 0 {
            with_signal
        } else {
            random.uniform() < 0.75 || (process + 1 == processes && samples.len() < 2)
        };
        if !present {
            continue;
        }
        let fraction = random.between(0.02, 1.0) / processes as f64;
        let slope = random.between(0.5, 3.0);
        let nominal = (0..width)
            .map(|b| {
                let x = (b as f64 + 0.5) / width as f64;
                let shape = if process == 0 {
                    0.3 * (-0.5 * ((x - peak) / 0.12).powi(2)).exp()
                } else {
                    (-slope * x).exp()
                };
                rounded((scale * fraction * shape * random.between(0.9, 1.1)).max(1e-3))
            })
            .collect();
        let factor = match process {
            0 => vec![0],
            p if p <= free => vec![lumi + p],
            _ => Vec::new(),
        };
        samples.push(Sample {
            process,
            nominal,
            factors: [factor, vec![lumi]].concat(),
            normsys: Vec::new(),
            histosys: Vec::new(),
            staterror: None,
            shapesys: None,
        });
    }
    Channel {
        observed: vec![0.0; width],
        staterror: None,
        samples,
    }
}

fn apply(random: &mut Random, s: &Systematic, tilt: f64, sample: &mut Sample) {
    if s.norm {
        let size = random.sign() * random.between(0.004, 0.05);
        sample.normsys.push(Normsys {
            parameter: s.parameter,
            hi: rounded(1.0 + size),
            lo: rounded(1.0 - size * random.between(0.7, 1.3)),
        });
    }
    if s.shape {
        let width = sample.nominal.len();
        let asymmetry = random.between(0.6, 1.4);
        let mut side = |sign: f64| -> Vec<f64> {
            sample
                .nominal
                .iter()
                .enumerate()
                .map(|(b, x)| {
                    let at = (b as f64 + 0.5) / width as f64 - 0.4;
                    rounded(x * (1.0 + sign * tilt * at + 0.004 * random.normal()))
                })
                .collect()
        };
        let (hi, lo) = (side(1.0), side(-asymmetry));
        sample.histosys.push(Histosys {
            parameter: s.parameter,
            lo,
            hi,
        });
    }
}
