//! The mixture: where events come from, their densities, and how the background moves with its parameters.

use pullback_prob::{Distribution, Exponential, Key, Normal};

use super::error::InfernoError;

/// The mixture of the paper, equations (13) to (16).
///
/// ```text
/// background  N((2 + r, 0), diag(5, 9)) × Exp(λ),    signal  N(m, 1) × Exp(2)
/// ```
///
/// The text of the paper has m = (1, 1). The program that its table was made with (`synthetic_3D_example.py` of <https://github.com/pablodecm/paper-inferno>)
/// has m = (0, 0), and so have the re-implementations of others; the published bounds are those of (0, 0) to four digits, and not those of (1, 1)
/// (test: `published_bounds_are_those_of_a_signal_at_the_origin`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Toy {
    /// The mean of the signal in x₀ and x₁.
    pub signal_mean: [f64; 2],
}

/// Rows of a table of templates: of each component the distribution over bins, normalised to 1, and the derivatives of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// The signal f_s.
    Signal,
    /// The background f_b.
    Background,
    /// ∂f_b/∂r.
    ByR,
    /// ∂f_b/∂λ.
    ByLambda,
}

impl Row {
    /// How many there are.
    pub const COUNT: usize = 4;
}

impl Toy {
    /// As the program of the authors has it, and the published table.
    pub const AS_RUN: Self = Self {
        signal_mean: [0.0, 0.0],
    };
    /// As the text of the paper has it.
    pub const AS_WRITTEN: Self = Self {
        signal_mean: [1.0, 1.0],
    };
    /// Expected events of signal.
    pub const S: f64 = 50.0;
    /// Expected events of background.
    pub const B: f64 = 1000.0;
    /// The rate of the background's exponential.
    pub const LAMBDA: f64 = 3.0;
    /// The mean of the background in x₀ at r = 0.
    pub const CENTRE: f64 = 2.0;
    /// Variances of the background in x₀ and x₁.
    pub const VARIANCE: [f64; 2] = [5.0, 9.0];
    /// The rate of the signal's exponential.
    pub const SIGNAL_RATE: f64 = 2.0;
    /// Numbers per event.
    pub const FEATURES: usize = 3;

    /// Draws events `first`, `first + 1`, .. of the signal: three numbers per event.
    pub fn signal(&self, seed: u64, first: u64, events: usize) -> Result<Vec<f64>, InfernoError> {
        let [m0, m1] = self.signal_mean;
        let plane = [Normal::new(m0, 1.0)?, Normal::new(m1, 1.0)?];
        let names = ["signal.x0", "signal.x1", "signal.x2"];
        let axis = Exponential::new(Self::SIGNAL_RATE)?;
        Ok(draw(seed, first, events, names, plane, axis))
    }

    /// Draws events of the background at r = 0 and λ = 3.
    pub fn background(
        &self,
        seed: u64,
        first: u64,
        events: usize,
    ) -> Result<Vec<f64>, InfernoError> {
        let [v0, v1] = Self::VARIANCE.map(f64::sqrt);
        let plane = [Normal::new(Self::CENTRE, v0)?, Normal::new(0.0, v1)?];
        let names = ["background.x0", "background.x1", "background.x2"];
        let axis = Exponential::new(Self::LAMBDA)?;
        Ok(draw(seed, first, events, names, plane, axis))
    }

    /// The background events at another r and λ: x₀ + r, x₂ · 3/λ.
    ///
    /// Reference: the paper, section 5.1, on how parameters move events.
    pub fn moved(background: &[f64], r: f64, lambda: f64) -> Vec<f64> {
        let stretch = Self::LAMBDA / lambda;
        background
            .chunks_exact(Self::FEATURES)
            .flat_map(|x| [x[0] + r, x[1], x[2] * stretch])
            .collect()
    }

    /// ∂ ln f_b/∂r and ∂ ln f_b/∂λ at the nominal point: (x₀ − 2)/5 and 1/λ − x₂.
    ///
    /// ```
    /// use pullback_studies::inferno::Toy;
    /// assert_eq!(Toy::scores(&[4.5, 0.0, 1.0]), [0.5, 1.0 / 3.0 - 1.0]);
    /// ```
    pub fn scores(x: &[f64]) -> [f64; 2] {
        [
            (x[0] - Self::CENTRE) / Self::VARIANCE[0],
            1.0 / Self::LAMBDA - x[2],
        ]
    }

    /// ln of the density of the signal over that of the background at (r, λ).
    pub fn log_ratio(&self, x: &[f64], r: f64, lambda: f64) -> f64 {
        let [m0, m1] = self.signal_mean;
        let [v0, v1] = Self::VARIANCE;
        let square = |d: f64| d * d;
        let signal = -0.5 * (square(x[0] - m0) + square(x[1] - m1)) + Self::SIGNAL_RATE.ln()
            - Self::SIGNAL_RATE * x[2];
        let background = -0.5 * (square(x[0] - Self::CENTRE - r) / v0 + square(x[1]) / v1)
            - 0.5 * (v0 * v1).ln()
            + lambda.ln()
            - lambda * x[2];
        signal - background
    }

    /// The density of background at (r, λ), for reweighting and quadrature.
    pub fn background_density(x: &[f64], r: f64, lambda: f64) -> f64 {
        let [v0, v1] = Self::VARIANCE;
        let square = |d: f64| d * d;
        let exponent = square(x[0] - Self::CENTRE - r) / v0 + square(x[1]) / v1;
        (-0.5 * exponent - lambda * x[2]).exp() * lambda
            / (std::f64::consts::TAU * (v0 * v1).sqrt())
    }
}

fn draw(
    seed: u64,
    first: u64,
    events: usize,
    names: [&str; 3],
    plane: [Normal; 2],
    axis: Exponential,
) -> Vec<f64> {
    let mut out = vec![0.0; events * Toy::FEATURES];
    let mut column = vec![0.0; events];
    for (k, name) in names.into_iter().enumerate() {
        let key = Key::new(seed, name);
        match plane.get(k) {
            Some(normal) => normal.fill(&mut column, key, first, 0),
            None => axis.fill(&mut column, key, first, 0),
        }
        for (x, value) in out.chunks_exact_mut(Toy::FEATURES).zip(&column) {
            x[k] = *value;
        }
    }
    out
}

/// Events of both components in the columns that programs take.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Three numbers per event.
    pub x: Vec<f64>,
    /// For each event what it adds to each [`Row`].
    pub weights: Vec<f64>,
    /// For each event 1/N in the column of its class, background and signal: the targets of a classification.
    pub targets: Vec<f64>,
}

impl Batch {
    /// Number of events.
    pub fn events(&self) -> usize {
        self.x.len() / Toy::FEATURES
    }

    /// Empties the batch and fills it with events of both components.
    ///
    /// An event of N background events adds 1/N to the background and its score ∂ ln f_b/∂θ over N to the derivative by θ:
    ///
    /// ```text
    /// ∂/∂θ E_b[p(x)] = E_b[p(x) ∂ ln f_b(x)/∂θ],    estimated by 1/N Σ p(x) (score(x) − mean score)
    /// ```
    ///
    /// The mean, whose expectation is 0, is taken off so that derivatives of a distribution over all bins sum to 0; the bias of that is 1/N of the derivative.
    pub fn fill<'a>(
        &mut self,
        signal: impl ExactSizeIterator<Item = &'a [f64]>,
        background: impl ExactSizeIterator<Item = &'a [f64]>,
    ) {
        self.x.clear();
        self.weights.clear();
        self.targets.clear();
        let (ns, nb) = (signal.len() as f64, background.len() as f64);
        for x in signal {
            self.x.extend_from_slice(x);
            self.weights.extend([1.0 / ns, 0.0, 0.0, 0.0]);
            self.targets.extend([0.0, 0.5 / ns]);
        }
        let first = self.weights.len();
        let mut mean = [0.0; 2];
        for x in background {
            let [by_r, by_lambda] = Toy::scores(x);
            self.x.extend_from_slice(x);
            self.weights
                .extend([0.0, 1.0 / nb, by_r / nb, by_lambda / nb]);
            self.targets.extend([0.5 / nb, 0.0]);
            mean[0] += by_r / nb;
            mean[1] += by_lambda / nb;
        }
        for row in self.weights[first..].chunks_exact_mut(Row::COUNT) {
            row[Row::ByR as usize] -= mean[0] / nb;
            row[Row::ByLambda as usize] -= mean[1] / nb;
        }
    }
}

/// A sample of both components, passed through in batches that are dealt anew in every epoch.
#[derive(Debug, Clone)]
pub struct Batches {
    signal: Vec<f64>,
    background: Vec<f64>,
    order: Vec<[u32; 2]>,
    size: usize,
    next: usize,
    epoch: u32,
    key: Key,
}

impl Batches {
    /// `events` of each component, `size` of each in a batch.
    ///
    /// # Errors
    /// `PB1201`: no batch, or one that is larger than the sample.
    pub fn new(toy: &Toy, seed: u64, events: usize, size: usize) -> Result<Self, InfernoError> {
        if size == 0 || size > events {
            return Err(InfernoError::Batch {
                batch: size,
                events,
            });
        }
        Ok(Self {
            signal: toy.signal(seed, 0, events)?,
            background: toy.background(seed, 0, events)?,
            order: (0..events as u32).map(|i| [i; 2]).collect(),
            size,
            next: events,
            epoch: 0,
            key: Key::new(seed, "order"),
        })
    }

    /// The next batch.
    pub fn next(&mut self, batch: &mut Batch) {
        if self.next + self.size > self.order.len() {
            self.deal();
        }
        let order = &self.order[self.next..self.next + self.size];
        self.next += self.size;
        let event = |data: &'_ [f64], i: u32| {
            let at = i as usize * Toy::FEATURES;
            at..(at + Toy::FEATURES).min(data.len())
        };
        batch.fill(
            order
                .iter()
                .map(|i| &self.signal[event(&self.signal, i[0])]),
            order
                .iter()
                .map(|i| &self.background[event(&self.background, i[1])]),
        );
    }

    /// A new order of both components (Fisher and Yates; the draw of place i is event i of the step that counts epochs).
    fn deal(&mut self) {
        let n = self.order.len();
        for component in 0..2 {
            let step = 2 * self.epoch + component as u32;
            let mut uniform = vec![0.0; n];
            pullback_prob::fill_uniform(&mut uniform, self.key, 0, step);
            for i in (1..n).rev() {
                let j = ((uniform[i] * (i + 1) as f64) as usize).min(i);
                let (a, b) = (self.order[i][component], self.order[j][component]);
                self.order[i][component] = b;
                self.order[j][component] = a;
            }
        }
        self.epoch += 1;
        self.next = 0;
    }
}
