//! The Hessian of −2 ln L, by pairs.

use pullback_array::{Bindings, Column, Lowered, Workspace, transform};

use super::calibration::{Calibration, Peak, UNITS, way};
use super::error::DimuonError;
use super::plain::{Member, Pair};
use super::record::{FEATURES, record_features};

/// Non-zero derivatives of a feature to parameters: two muons with four each at most.
type Row = Vec<(usize, f64)>;

/// ∂φ/∂θ of all pairs.
type Rows = [Vec<[Row; 4]>; 2];

/// Second derivatives through the features of each pair.
///
/// ```text
/// H = Σ_pairs Aᵀ h A,   h = ∂²(−2 ln p)/∂φ∂φᵀ (4 × 4),   A = ∂φ/∂θ
/// ```
///
/// Features φ (shift, variance, logit, slope) are linear in θ, so there is no other term. One jvp of the gradient's program along a feature gives a column of h for all
/// pairs at once: four runs, where a Hessian by directions of θ takes as many as there are parameters.
///
/// Reference: A. Griewank & P. Toint, in Nonlinear Optimization 1981 (1982) 301 (partially separable functions).
pub(super) struct ByPairs {
    program: Lowered,
    memory: Workspace,
    /// Of the outputs: the gradient to each feature, J/ψ then Z, and its tangent.
    gradient: Vec<usize>,
    tangent: Vec<usize>,
    count: usize,
}

impl ByPairs {
    pub fn new(calibration: &Calibration, threads: usize) -> Result<Self, DimuonError> {
        let names: Vec<String> = Peak::ALL
            .iter()
            .flat_map(|peak| FEATURES.map(|name| format!("{} {name}", peak.name())))
            .collect();
        let wrt: Vec<&str> = names.iter().map(String::as_str).collect();
        let program = transform::simplify(&record_features(calibration)?)?;
        let gradient = transform::value_and_grad(&program, "twice_nll", &wrt)?;
        let tangents = transform::simplify(&transform::jvp(&gradient, &wrt)?)?;
        let places = |before: &str| -> Vec<usize> {
            let place = |name: &String| {
                let wanted = format!("{before}{name}");
                let mut outputs = tangents.outputs().iter();
                outputs
                    .position(|(n, _)| **n == *wanted)
                    .unwrap_or(usize::MAX)
            };
            names.iter().map(place).collect()
        };
        let (gradient, tangent) = (places("grad_"), places("d_grad_"));
        let program = Lowered::new(tangents)?;
        let memory = program.workspace_with(threads, 256);
        Ok(Self {
            program,
            memory,
            gradient,
            tangent,
            count: calibration.layout().count(),
        })
    }

    /// Runs the program along one feature of all pairs, or along none.
    fn along(
        &mut self,
        feature: Option<usize>,
        theta: &[f64],
        pairs: &[Vec<Pair>; 2],
        rows: &Rows,
    ) -> Result<(), DimuonError> {
        let (mut columns, mut tangents) = (Vec::new(), Vec::new());
        for (pairs, rows) in pairs.iter().zip(rows) {
            columns.push(pairs.iter().map(|p| p.y).collect());
            for k in 0..FEATURES.len() {
                let value = |rows: &[Row; 4]| rows[k].iter().map(|(i, a)| a * theta[*i]).sum();
                columns.push(rows.iter().map(value).collect::<Vec<f64>>());
                let one = if feature == Some(k) { 1.0 } else { 0.0 };
                tangents.push(vec![one; pairs.len()]);
            }
        }
        let all: Vec<Column<'_>> = columns.iter().chain(&tangents).map(Column::from).collect();
        Ok(self
            .program
            .run(&mut self.memory, &Bindings::ordered(&all))?)
    }

    /// The Hessian at θ, row-major.
    pub fn run(
        &mut self,
        calibration: &Calibration,
        theta: &[f64],
        pairs: &[Vec<Pair>; 2],
        out: &mut [f64],
    ) -> Result<(), DimuonError> {
        let rows = all_rows(calibration, pairs);
        out.fill(0.0);
        for along in 0..FEATURES.len() {
            self.along(Some(along), theta, pairs, &rows)?;
            for (peak, rows) in rows.iter().enumerate() {
                for feature in 0..FEATURES.len() {
                    let second = self
                        .memory
                        .f64(self.tangent[peak * FEATURES.len() + feature]);
                    for (rows, h) in rows.iter().zip(second) {
                        for (i, a) in &rows[feature] {
                            for (j, b) in &rows[along] {
                                out[i * self.count + j] += a * h * b;
                            }
                        }
                    }
                }
            }
        }
        for i in 0..self.count {
            for j in 0..i {
                let mean = 0.5 * (out[i * self.count + j] + out[j * self.count + i]);
                (out[i * self.count + j], out[j * self.count + i]) = (mean, mean);
            }
        }
        Ok(())
    }

    /// ½ Σ g gᵀ with the gradient g of each pair's −2 ln p: the Hessian in expectation where the model is true, never indefinite.
    ///
    /// Reference: E. Berndt, B. Hall, R. Hall & J. Hausman, Ann. Econ. Soc. Meas. 3 (1974) 653.
    pub fn information(
        &mut self,
        calibration: &Calibration,
        theta: &[f64],
        pairs: &[Vec<Pair>; 2],
        out: &mut [f64],
    ) -> Result<(), DimuonError> {
        let rows = all_rows(calibration, pairs);
        self.along(None, theta, pairs, &rows)?;
        out.fill(0.0);
        for (peak, rows) in rows.iter().enumerate() {
            let gradient: [&[f64]; 4] =
                std::array::from_fn(|k| self.memory.f64(self.gradient[peak * FEATURES.len() + k]));
            for (pair, rows) in rows.iter().enumerate() {
                let features = rows.iter().zip(gradient);
                let own: Row = features
                    .flat_map(|(row, g)| row.iter().map(move |(i, a)| (*i, a * g[pair])))
                    .collect();
                for (i, a) in &own {
                    for (j, b) in &own {
                        out[i * self.count + j] += 0.5 * a * b;
                    }
                }
            }
        }
        Ok(())
    }
}

fn all_rows(calibration: &Calibration, pairs: &[Vec<Pair>; 2]) -> Rows {
    let of = |pairs: &Vec<Pair>| pairs.iter().map(|p| rows(calibration, p)).collect();
    pairs.each_ref().map(of)
}

/// ∂φ/∂θ of a pair: [`super::plain::moments`] written out.
fn rows(calibration: &Calibration, pair: &Pair) -> [Row; 4] {
    let layout = calibration.layout();
    let (mut shift, mut variance) = (Row::new(), Row::new());
    for Member { bin, pt, kappa, .. } in pair.members {
        let t = way(pt);
        let (low, high) = (UNITS[2] * (1.0 - t), UNITS[3] * t);
        shift.extend([
            (layout.scale(bin), kappa * UNITS[0]),
            (layout.offset(bin), kappa * UNITS[1] / pt),
            (layout.low(bin), 0.5 * kappa * low),
            (layout.high(bin), 0.5 * kappa * high),
        ]);
        variance.extend([
            (layout.low(bin), kappa * kappa * low),
            (layout.high(bin), kappa * kappa * high),
        ]);
    }
    let logit = layout.background(pair.peak, pair.category());
    let slope = layout.slope(pair.peak, pair.category());
    [shift, variance, vec![(logit, 1.0)], vec![(slope, 1.0)]]
}
