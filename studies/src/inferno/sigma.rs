//! The uncertainty of the measurement, as a program.

use pullback_ad::Real;
use pullback_array::{Bindings, Builder, Lowered, Space, Sym, Workspace};

use super::benchmark::Benchmark;
use super::error::InfernoError;
use super::toy::{Row, Toy};

/// Records σ(s) of templates `[rows, bins]` in the order of [`Row`].
///
/// ```text
/// νᵢ = s f_sᵢ + b f_bᵢ,    I_jk = Σᵢ ∂ⱼνᵢ ∂ₖνᵢ / νᵢ + δ_jk/σⱼ²,    σ(s) = √[I⁻¹]_ss
/// ```
///
/// At its generating point the Hessian of −ln L of Asimov data is I exactly: what the second derivatives of ν add is weighted by 1 − nᵢ/νᵢ = 0. The parameters
/// stand in reverse order, s last: with I = L Lᵀ, σ(s) is one over the last element of L, so that nothing is inverted.
///
/// Differentiability: everywhere where all νᵢ > 0 and I is positive definite. Errors: at run time, an I that is not, with the pivot.
///
/// Reference: the paper, equations (7) to (10); Cowan et al., arXiv:1007.1727, section 3.2 (Asimov data).
pub fn record_sigma<'b>(b: &'b Builder, templates: Sym<'b>, benchmark: Benchmark) -> Sym<'b> {
    let space = templates.space();
    let (rows, bins) = (space.without(1), space.without(0));
    let free = benchmark.free();
    let (parameters, columns) = (b.dense_of("parameters", free), b.dense_of("columns", free));
    // ∂ν/∂parameter as multiples of the rows; s last.
    let by_parameter = [
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, Toy::B, 0.0],
        [0.0, 0.0, 0.0, Toy::B],
        [0.0, 1.0, 0.0, 0.0],
    ];
    let by_parameter: Vec<f64> = by_parameter[..free]
        .iter()
        .rev()
        .flatten()
        .copied()
        .collect();
    let derivative = |level: Space| {
        let multiples = b.constant_f64(&by_parameter, b.join(level, rows));
        multiples.contract(templates, b.join(level, bins))
    };
    let rates = b.constant_f64(&[Toy::S, Toy::B, 0.0, 0.0], rows);
    let expected = rates.contract(templates, bins).named("expected");
    let square = b.join(parameters, columns);
    let information = (derivative(parameters) / expected).contract(derivative(columns), square);
    let constraints = benchmark.constraints();
    let constraints: Vec<f64> = (0..free * free)
        .map(|k| {
            let (i, j) = (k / free, k % free);
            if i == j {
                constraints[free - 1 - i]
            } else {
                0.0
            }
        })
        .collect();
    let information = (information + b.constant_f64(&constraints, square)).named("information");
    let diagonal = information.cholesky().diagonal();
    diagonal.gather(b.integer(free as i64 - 1)).recip()
}

/// σ(s) of given templates, of any number of bins.
pub struct Sigma {
    lowered: Lowered,
    workspace: Workspace,
}

impl Sigma {
    /// For a benchmark.
    pub fn new(benchmark: Benchmark) -> Result<Self, InfernoError> {
        let b = Builder::new();
        let space = b.join(b.dense_of("rows", Row::COUNT), b.dense("bins"));
        let sigma = record_sigma(&b, b.input("templates", space), benchmark);
        let lowered = Lowered::new(b.finish(&[("sigma", sigma)])?)?;
        let workspace = lowered.workspace();
        Ok(Self { lowered, workspace })
    }

    /// σ(s) of four templates of the same bins, in the order of [`Row`]. Bins in which a component expects nothing are left out, as the authors do.
    ///
    /// # Errors
    /// `PB1202`: no bin is left.
    ///
    /// ```
    /// use pullback_studies::inferno::{Benchmark, Sigma};
    /// // One bin: σ² = s + b.
    /// let mut sigma = Sigma::new(Benchmark::Zero)?;
    /// let one = sigma.of([&[1.0], &[1.0], &[0.0], &[0.0]])?;
    /// assert!((one - 1050f64.sqrt()).abs() < 1e-12);
    /// # Ok::<(), pullback_studies::inferno::InfernoError>(())
    /// ```
    pub fn of(&mut self, templates: [&[f64]; Row::COUNT]) -> Result<f64, InfernoError> {
        let [signal, background, ..] = templates;
        let bins = signal.len();
        let kept: Vec<usize> = (0..bins)
            .filter(|&i| signal[i] != 0.0 && background[i] != 0.0)
            .collect();
        if kept.is_empty() {
            return Err(InfernoError::NoBins { bins });
        }
        let column: Vec<f64> = (templates.iter())
            .flat_map(|row| kept.iter().map(|&i| row[i]))
            .collect();
        let bindings = Bindings::ordered(&[(&column).into()]).size(
            self.lowered.program(),
            "bins",
            kept.len(),
        )?;
        self.lowered.run(&mut self.workspace, &bindings)?;
        Ok(self.workspace.scalar(0))
    }
}
