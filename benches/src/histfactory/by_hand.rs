//! The likelihood of a generated workspace by hand: one loop over samples forward and one back, for value and gradient.
//!
//! What a physicist with an afternoon would write: normalisations once per (channel, sample), shapes as plain loops over the bins of a channel, derivatives
//! worked out on paper, coefficients of the interpolations computed once. Scalar code; the compiler vectorises the loops over bins.
//!
//! Reference: HistFactory manual CERN-OPEN-2012-016, equation (1) and section 4.1; interpolation codes 4 (normsys) and 4p (histosys).

use super::generate::{Constraint, Generated};

/// A normsys: the polynomial inside |α| < 1 and the logarithms outside.
struct Norm {
    parameter: usize,
    inside: [f64; 6],
    log_hi: f64,
    log_lo: f64,
}

impl Norm {
    fn new(parameter: usize, lo: f64, hi: f64) -> Self {
        let (h, l) = (hi.ln(), lo.ln());
        // Sums and differences of value, slope and curvature at ±1: even and odd coefficients separately.
        let (value_even, value_odd) = (0.5 * (hi + lo) - 1.0, 0.5 * (hi - lo));
        let (slope_odd, slope_even) = (0.5 * (h * hi - l * lo), 0.5 * (h * hi + l * lo));
        let (bend_even, bend_odd) = (
            0.5 * (h * h * hi + l * l * lo),
            0.5 * (h * h * hi - l * l * lo),
        );
        // Solves a₁ + a₃ + a₅ = v, a₁ + 3a₃ + 5a₅ = s, 6a₃ + 20a₅ = b (odd); a₂ + a₄ + a₆ = v, 2a₂ + 4a₄ + 6a₆ = s, 2a₂ + 12a₄ + 30a₆ = b (even).
        let a5 = (bend_odd - 3.0 * (slope_odd - value_odd)) / 8.0;
        let a3 = (slope_odd - value_odd - 4.0 * a5) / 2.0;
        let a1 = value_odd - a3 - a5;
        let a6 = (bend_even - 5.0 * slope_even + 8.0 * value_even) / 8.0;
        let a4 = (slope_even - 2.0 * value_even - 4.0 * a6) / 2.0;
        let a2 = value_even - a4 - a6;
        Self {
            parameter,
            inside: [a1, a2, a3, a4, a5, a6],
            log_hi: h,
            log_lo: l,
        }
    }

    /// The factor and its derivative.
    fn at(&self, x: f64) -> (f64, f64) {
        if x.abs() < 1.0 {
            let [a1, a2, a3, a4, a5, a6] = self.inside;
            let value = 1.0 + x * (a1 + x * (a2 + x * (a3 + x * (a4 + x * (a5 + x * a6)))));
            let slope = a1
                + x * (2.0 * a2 + x * (3.0 * a3 + x * (4.0 * a4 + x * (5.0 * a5 + x * 6.0 * a6))));
            (value, slope)
        } else if x >= 0.0 {
            let value = (x * self.log_hi).exp();
            (value, self.log_hi * value)
        } else {
            let value = (-x * self.log_lo).exp();
            (value, -self.log_lo * value)
        }
    }
}

/// The even part of code 4p and its derivative.
fn even(x: f64) -> (f64, f64) {
    if x.abs() < 1.0 {
        let s = x * x;
        (
            s * (15.0 - 10.0 * s + 3.0 * s * s) / 16.0,
            x * (30.0 - 40.0 * s + 18.0 * s * s) / 16.0,
        )
    } else {
        (0.5 * x.abs(), 0.5 * x.signum())
    }
}

struct Shape {
    parameter: usize,
    /// (hi − lo)/2 and hi + lo − 2 nominal per bin.
    odd: Vec<f64>,
    even: Vec<f64>,
}

struct Sample {
    nominal: Vec<f64>,
    factors: Vec<usize>,
    norms: Vec<Norm>,
    shapes: Vec<Shape>,
    gamma: Option<usize>,
    /// Yields before the normalisation, and derivatives of the logarithm of each normsys: written by a call.
    yields: Vec<f64>,
    slopes: Vec<f64>,
    norm: f64,
}

struct Channel {
    observed: Vec<f64>,
    samples: Vec<Sample>,
    rate: Vec<f64>,
}

/// The likelihood of a generated workspace with its memory.
pub struct ByHand {
    channels: Vec<Channel>,
    constraints: Vec<Constraint>,
    constant: f64,
}

/// ln n! = ln Γ(n + 1): Stirling's series from 20 on (Abramowitz & Stegun 6.1.41), which recursion leads to.
fn ln_factorial(n: f64) -> f64 {
    let (mut x, mut product) = (n + 1.0, 1.0);
    while x < 20.0 {
        product *= x;
        x += 1.0;
    }
    let s = 1.0 / (x * x);
    let series = (1.0 / 12.0 - s * (1.0 / 360.0 - s * (1.0 / 1260.0 - s / 1680.0))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - product.ln()
}

impl ByHand {
    /// Prepares the likelihood.
    pub fn new(generated: &Generated) -> Self {
        let mut constant = 0.0;
        let constraints: Vec<Constraint> =
            generated.parameters.iter().map(|p| p.constraint).collect();
        for c in &constraints {
            constant += match *c {
                Constraint::Free => 0.0,
                Constraint::Normal { sigma, .. } => 2.0 * sigma.ln() + std::f64::consts::TAU.ln(),
                Constraint::Poisson { tau } => 2.0 * ln_factorial(tau),
            };
        }
        let channels = generated
            .channels
            .iter()
            .map(|channel| {
                constant += channel
                    .observed
                    .iter()
                    .map(|n| 2.0 * ln_factorial(*n))
                    .sum::<f64>();
                Channel {
                    observed: channel.observed.clone(),
                    rate: vec![0.0; channel.observed.len()],
                    samples: channel
                        .samples
                        .iter()
                        .map(|s| prepared(channel.staterror, s))
                        .collect(),
                }
            })
            .collect();
        Self {
            channels,
            constraints,
            constant,
        }
    }

    /// −2 ln L, and its gradient into `g`, with parameters in the order of [`Generated::parameters`].
    pub fn value_and_gradient(&mut self, theta: &[f64], g: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for ((c, &x), g) in self.constraints.iter().zip(theta).zip(g.iter_mut()) {
            *g = match *c {
                Constraint::Free => 0.0,
                Constraint::Normal { aux, sigma } => {
                    let pull = (x - aux) / sigma;
                    value += pull * pull;
                    2.0 * pull / sigma
                }
                Constraint::Poisson { tau } => {
                    value += 2.0 * (tau * x - tau * (tau * x).ln());
                    2.0 * (tau - tau / x)
                }
            };
        }
        for channel in &mut self.channels {
            channel.rate.fill(0.0);
            for sample in &mut channel.samples {
                sample.forward(theta, &mut channel.rate);
            }
            // The rates make room for their adjoints 2 (1 − n/rate).
            for (rate, n) in channel.rate.iter_mut().zip(&channel.observed) {
                value += 2.0 * (*rate - if *n > 0.0 { n * rate.ln() } else { 0.0 });
                *rate = 2.0 * (1.0 - n / *rate);
            }
            for sample in &channel.samples {
                sample.back(theta, &channel.rate, g);
            }
        }
        value + self.constant
    }
}

/// A sample as the loops need it. One with both a staterror and a shapesys would need two γ; the generator makes none.
fn prepared(staterror: Option<usize>, s: &super::generate::Sample) -> Sample {
    let gamma = s.shapesys.as_ref().map(|(first, _)| *first).or(staterror);
    Sample {
        nominal: s.nominal.clone(),
        factors: s.factors.clone(),
        norms: s
            .normsys
            .iter()
            .map(|n| Norm::new(n.parameter, n.lo, n.hi))
            .collect(),
        shapes: s
            .histosys
            .iter()
            .map(|h| {
                let both = || h.hi.iter().zip(&h.lo);
                Shape {
                    parameter: h.parameter,
                    odd: both().map(|(hi, lo)| 0.5 * (hi - lo)).collect(),
                    even: both()
                        .zip(&s.nominal)
                        .map(|((hi, lo), x)| hi + lo - 2.0 * x)
                        .collect(),
                }
            })
            .collect(),
        gamma,
        yields: s.nominal.clone(),
        slopes: vec![0.0; s.normsys.len()],
        norm: 1.0,
    }
}

impl Sample {
    fn forward(&mut self, theta: &[f64], rate: &mut [f64]) {
        self.yields.copy_from_slice(&self.nominal);
        for shape in &self.shapes {
            let x = theta[shape.parameter];
            let e = even(x).0;
            for ((y, o), v) in self.yields.iter_mut().zip(&shape.odd).zip(&shape.even) {
                *y += x * o + e * v;
            }
        }
        let mut norm: f64 = self.factors.iter().map(|&p| theta[p]).product();
        for (n, slope) in self.norms.iter().zip(&mut self.slopes) {
            let (f, df) = n.at(theta[n.parameter]);
            norm *= f;
            *slope = df / f;
        }
        self.norm = norm;
        match self.gamma {
            None => {
                for (r, y) in rate.iter_mut().zip(&self.yields) {
                    *r += norm * y;
                }
            }
            Some(first) => {
                let gammas = &theta[first..first + self.yields.len()];
                for ((r, y), gamma) in rate.iter_mut().zip(&self.yields).zip(gammas) {
                    *r += norm * y * gamma;
                }
            }
        }
    }

    fn back(&self, theta: &[f64], adjoint: &[f64], g: &mut [f64]) {
        let bins = self.yields.len();
        let gamma = |b: usize| self.gamma.map_or(1.0, |first| theta[first + b]);
        let mut total = 0.0;
        for b in 0..bins {
            let term = adjoint[b] * self.norm * self.yields[b];
            total += term * gamma(b);
            if let Some(first) = self.gamma {
                g[first + b] += term;
            }
        }
        for &p in &self.factors {
            g[p] += total / theta[p];
        }
        for (n, slope) in self.norms.iter().zip(&self.slopes) {
            g[n.parameter] += total * slope;
        }
        for shape in &self.shapes {
            let slope = even(theta[shape.parameter]).1;
            let mut sum = 0.0;
            for (b, a) in adjoint[..bins].iter().enumerate() {
                sum += a * gamma(b) * (shape.odd[b] + slope * shape.even[b]);
            }
            g[shape.parameter] += self.norm * sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_polynomial_continues_the_exponentials() {
        let n = Norm::new(0, 0.93, 1.05);
        for (x, f) in [(1.0, 1.05), (-1.0, 0.93)] {
            let inside = n.at(x * (1.0 - 1e-9));
            let outside = n.at(x);
            assert!((inside.0 - f).abs() < 1e-9 && (outside.0 - f).abs() < 1e-15);
            assert!((inside.1 - outside.1).abs() < 1e-8);
        }
        assert_eq!(n.at(0.0).0, 1.0);
    }

    #[test]
    fn factorials() {
        assert!((ln_factorial(5.0) - 120_f64.ln()).abs() < 1e-14);
        assert!(ln_factorial(0.0).abs() < 1e-13);
        // ln 100! (Abramowitz & Stegun, table 6.4).
        assert!((ln_factorial(100.0) - 363.739_375_555_563_5).abs() < 1e-10);
    }
}
