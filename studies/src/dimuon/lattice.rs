//! A line shape as weights on an even lattice, so that its convolution with a normal error is a sum of Gaussians, and the norm of that sum in a window.

use pullback_ad::Real;

use super::error::DimuonError;
use super::line_shape::LineShape;

/// Points of the interpolation that shares a mass among its neighbours.
const POINTS: usize = 6;
/// The lattice reaches this far beyond the window, in y.
const MARGIN: f64 = 0.08;
/// Degree of the cumulative about an edge of the window, and the distance to which it is fitted.
const DEGREE: usize = 7;
const ABOUT: f64 = 0.075;

/// Weights w_k at y_k, such that a true distribution T of y = ln(m/M), measured with a shift µ and a normal error σ, has the density
///
/// ```text
/// S(y) = ∫ T(t) N(y; t + µ, σ) dt ≈ Σ_k w_k N(y; y_k + µ, σ)
/// ```
///
/// Each mass of T goes to the six lattice points about it with the weights of Lagrange's interpolation: the sum integrates polynomials of degree 5 times T exactly, and
/// its error falls as (h/σ)⁶. Within the window [a, b] the norm is
///
/// ```text
/// ∫_a^b S dy = E[F(b − µ − σz)] − E[F(a − µ − σz)],   z ~ N(0, 1)
/// ```
///
/// with the cumulative F of T, which is smooth at the edges: a polynomial there, whose expectation follows from the moments of a normal number,
/// m_n = µ m_{n−1} + (n − 1) σ² m_{n−2} (Stein's identity). So the norm moves with the calibration, exactly and at the price of a few multiplications.
///
/// Reference: C. Stein, Ann. Stat. 9 (1981) 1135, lemma 1.
#[derive(Clone, Debug)]
pub struct Lattice {
    /// The line shape.
    pub shape: LineShape,
    /// The window in y.
    pub window: [f64; 2],
    /// The distance of the points.
    pub spacing: f64,
    /// The points, evenly.
    pub points: Vec<f64>,
    /// Their weights.
    pub weights: Vec<f64>,
    /// Coefficients of the cumulative at lower and upper edge, in powers of the distance below the edge.
    pub edges: [Vec<f64>; 2],
}

impl Lattice {
    /// For masses between `low` and `high` (GeV), with points every `spacing` in y.
    ///
    /// # Errors
    /// A window that does not hold the resonance with room for its resolution, or a spacing that is not positive.
    pub fn new(shape: LineShape, low: f64, high: f64, spacing: f64) -> Result<Self, DimuonError> {
        let wrong = |what, value, expected| DimuonError::Value {
            what,
            value,
            expected,
        };
        let window = [(low / shape.mass).ln(), (high / shape.mass).ln()];
        if !(window[0] < -MARGIN && window[0] > -0.35) {
            return Err(wrong(
                "the lower end of the window",
                low,
                "8 to 30 % below the resonance",
            ));
        }
        if !(window[1] > MARGIN && window[1] < 0.3) {
            return Err(wrong(
                "the upper end of the window",
                high,
                "8 to 30 % above the resonance",
            ));
        }
        if !(spacing > 1e-4 && spacing < 0.05) {
            return Err(wrong(
                "the spacing of the lattice",
                spacing,
                "between 0.0001 and 0.05",
            ));
        }
        let masses = shape.masses();
        let first = ((window[0] - MARGIN) / spacing).floor() as i64;
        let last = if shape.width > 0.0 {
            ((window[1] + MARGIN) / spacing).ceil() as i64
        } else {
            // Above a line there is nothing but the interpolation.
            POINTS as i64 / 2
        };
        let points: Vec<f64> = (first..=last).map(|k| k as f64 * spacing).collect();
        let mut weights = vec![0.0; points.len()];
        masses.for_each(|y, mass| {
            let at = y / spacing - first as f64;
            let left = at.floor() as i64 - (POINTS as i64 / 2 - 1);
            if left < 0 || left + POINTS as i64 > weights.len() as i64 {
                return;
            }
            for (j, share) in lagrange(at - left as f64).into_iter().enumerate() {
                weights[left as usize + j] += mass * share;
            }
        });
        // Without radiation nothing lies below a line: points that hold nothing at either end leave.
        let used = |k: &usize| weights[*k] != 0.0;
        let some = (0..points.len())
            .find(used)
            .zip((0..points.len()).rfind(used));
        let (from, to) = some.unwrap_or((0, 0));
        let (points, weights) = (points[from..=to].to_vec(), weights[from..=to].to_vec());
        let edges = window.map(|edge| near(|u| masses.below(edge - u)));
        Ok(Self {
            shape,
            window,
            spacing,
            points,
            weights,
            edges,
        })
    }

    /// ∫ S over the window, for a shift and a variance.
    pub fn norm<R: Real>(&self, shift: R, variance: R) -> R {
        let [low, high] = self
            .edges
            .each_ref()
            .map(|c| expectation(c, shift, variance));
        high - low
    }

    /// ∫ S over the window by the closed form of each Gaussian: slow, and independent of the polynomials.
    pub fn norm_by_gaussians(&self, shift: f64, variance: f64) -> f64 {
        let sigma = variance.sqrt();
        let terms = self.points.iter().zip(&self.weights).map(|(y, w)| {
            let at = |edge: f64| ((edge - y - shift) / sigma).norm_cdf();
            w * (at(self.window[1]) - at(self.window[0]))
        });
        terms.sum()
    }

    /// The window in m².
    pub fn squares(&self) -> [f64; 2] {
        self.window
            .map(|y| self.shape.mass * self.shape.mass * (2.0 * y).exp())
    }

    /// The first point.
    pub fn first(&self) -> f64 {
        self.points.first().copied().unwrap_or(f64::NAN)
    }

    /// The width of the window in y.
    pub fn width(&self) -> f64 {
        self.window[1] - self.window[0]
    }
}

/// The weights of Lagrange's interpolation at x between the points 0, 1, .., 5.
fn lagrange(x: f64) -> [f64; POINTS] {
    std::array::from_fn(|j| {
        let others = (0..POINTS).filter(|k| *k != j);
        others
            .map(|k| (x - k as f64) / (j as f64 - k as f64))
            .product()
    })
}

/// The polynomial through `f` at the Chebyshev points of [−ABOUT, ABOUT], in powers of u.
fn near(f: impl Fn(f64) -> f64) -> Vec<f64> {
    let n = DEGREE + 1;
    let nodes: Vec<f64> = (0..n)
        .map(|k| ABOUT * ((k as f64 + 0.5) / n as f64 * std::f64::consts::PI).cos())
        .collect();
    // Newton's divided differences, then to powers.
    let mut divided: Vec<f64> = nodes.iter().map(|u| f(*u)).collect();
    for order in 1..n {
        for k in (order..n).rev() {
            divided[k] = (divided[k] - divided[k - 1]) / (nodes[k] - nodes[k - order]);
        }
    }
    let mut powers = vec![0.0; n];
    for k in (0..n).rev() {
        for j in (1..n).rev() {
            powers[j] = powers[j - 1] - nodes[k] * powers[j];
        }
        powers[0] = divided[k] - nodes[k] * powers[0];
    }
    powers
}

/// E[Σ c_n (s + σz)ⁿ].
fn expectation<R: Real>(coefficients: &[f64], shift: R, variance: R) -> R {
    let (mut before, mut moment) = (R::constant(0.0), R::constant(1.0));
    let mut sum = R::constant(coefficients.first().copied().unwrap_or(0.0));
    for (n, c) in coefficients.iter().enumerate().skip(1) {
        let next = if n == 1 {
            shift
        } else {
            shift * moment + variance * before * (n as f64 - 1.0)
        };
        (before, moment) = (moment, next);
        if *c != 0.0 {
            sum += moment * *c;
        }
    }
    sum
}
