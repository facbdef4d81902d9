//! Widths and supports from the margins of a sample.

use super::decide::decisions;
use super::options::{Surface, SurfaceKernel};
use crate::build::Builder;
use crate::error::Result;
use crate::exec::{Bindings, Lowered};
use crate::margin::margin;
use crate::prim;
use crate::program::Program;
use crate::transform::forward::differentiable_input;
use crate::transform::prune;
use crate::transform::reverse::differentiable_output;

impl Surface {
    /// Widths by the rule of thumb h = c σ n^(-1/5) for each threshold, with the margins (for bins: the values) of a sample: n of them, of scale
    /// σ = min(standard deviation, interquartile range / 1.349), and c = 2.34 or 2.78 for the kernel at hand. The optimum for the density of a normal sample
    /// (Silverman 1986, equation 3.31): a starting point; the bias is seen by another run at half the width.
    ///
    /// # Errors
    /// As [`thresholds`](crate::transform::thresholds); a run that fails.
    pub fn from_sample(
        program: &Program,
        of: &[&str],
        wrt: &[&str],
        kernel: SurfaceKernel,
        inputs: &Bindings<'_>,
    ) -> Result<Self> {
        let of = of.iter().map(|n| differentiable_output(program, n));
        let wrt = wrt.iter().map(|n| differentiable_input(program, n));
        let (of, wrt) = (
            of.collect::<Result<Vec<_>>>()?,
            wrt.collect::<Result<Vec<_>>>()?,
        );
        let found = decisions(program, &of, &wrt, &Self::default())?;
        let b = Builder::resume(program);
        let mut outputs = Vec::new();
        for d in &found.list {
            let node = program.node(d.value);
            let moving = if node.primitive == prim::BIN_INDEX {
                b.sym(node.args[0])
            } else {
                margin(&b, b.sym(d.value))?
            };
            // As doubles of their own: outputs may not be inputs.
            outputs.push((d.label.as_str().into(), b.id(moving + 0.0)));
        }
        let lowered = Lowered::new(prune(&b.finish_ids(outputs)?)?)?;
        let mut ws = lowered.workspace();
        lowered.run(&mut ws, inputs)?;
        let mut out = Self::by_label().kernel(kernel);
        for (k, d) in found.list.iter().enumerate() {
            let mut margins: Vec<f64> = ws
                .f64(k)
                .iter()
                .copied()
                .filter(|m| m.is_finite())
                .collect();
            margins.sort_by(f64::total_cmp);
            if let Some(h) = rule_of_thumb(&margins, kernel) {
                out = out.width(&d.label, h);
            }
        }
        Ok(out)
    }
}

/// The width for a sorted sample; none for less than two different values.
fn rule_of_thumb(sorted: &[f64], kernel: SurfaceKernel) -> Option<f64> {
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let variance = sorted.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let quantile = |q: f64| {
        let at = q * (n - 1.0);
        let (low, high) = (sorted.get(at as usize)?, sorted.get((at.ceil()) as usize)?);
        Some(low + (high - low) * at.fract())
    };
    let range = (quantile(0.75)? - quantile(0.25)?) / 1.349;
    let deviation = variance.sqrt();
    let scale = if range > 0.0 {
        deviation.min(range)
    } else {
        deviation
    };
    let h = kernel.normal_reference() * scale * n.powf(-0.2);
    (h.is_finite() && h > 0.0).then_some(h)
}
