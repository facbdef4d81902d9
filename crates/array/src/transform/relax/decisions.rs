//! The decisions that a policy takes, and their margins.

use std::sync::Arc;

use super::policy::Relaxation;
use super::rewrite::walk;
use crate::build::Builder;
use crate::error::Result;
use crate::margin::margin;
use crate::prim;
use crate::program::{Program, ValueId};
use crate::transform::prune;

/// A decision that becomes soft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The mask or bin index that it makes, in the program that is to be relaxed.
    pub value: ValueId,
    /// Whether it compares whole numbers: then the width is one of counts.
    pub counts: bool,
}

impl Decision {
    /// Whether it chooses a bin.
    pub fn is_bin(&self, program: &Program) -> bool {
        program.node(self.value).primitive == prim::BIN_INDEX
    }

    /// What it is called.
    pub fn label<'a>(&self, program: &'a Program) -> Option<&'a str> {
        program.value(self.value).label.as_deref()
    }
}

/// The decisions that a policy takes, in the order of the program, each once; and the program of what their widths are measured against, one output for each, by
/// position: margins of comparisons, values of what is binned (in `K edges` the edges), and nothing for counts.
///
/// # Errors
/// As [`relax`](super::relax), but for widths: none is needed here.
///
/// # Example
/// ```
/// use pullback_ad::Real;
/// use pullback_array::{Builder, transform};
/// use transform::{Relaxation, Smoothing, decisions};
/// let b = Builder::new();
/// let x = b.input("x", b.stream("events"));
/// let kept = x.gt(b.input("cut", pullback_array::Space::SCALAR)) & x.lt(50.0.into());
/// let program = b.finish(&[("sum", kept.select(x, 0.0.into()).sum_all())])?;
/// let (list, margins) = decisions(&program, &Relaxation::moving(Smoothing::Sigmoid, &["cut"]))?;
/// assert_eq!(list.len(), 1); // x < 50 does not move.
/// assert_eq!(margins.outputs().len(), 1);
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn decisions(program: &Program, policy: &Relaxation) -> Result<(Vec<Decision>, Program)> {
    let (_, found) = walk(&Builder::new(), program, policy, Some(Vec::new()))?;
    let mut list = found.unwrap_or_default();
    list.sort_by_key(|d| d.value);
    list.dedup_by_key(|d| d.value);
    let b = Builder::resume(program);
    let mut outputs: Vec<(Arc<str>, ValueId)> = Vec::new();
    for (k, decision) in list.iter().enumerate().filter(|(_, d)| !d.counts) {
        let value = b.sym(decision.value);
        let measured = if decision.is_bin(program) {
            let args = &program.node(decision.value).args;
            let edges = b.sym(args[1]) + 0.0;
            outputs.push((Arc::from(format!("{k} edges").as_str()), b.id(edges)));
            b.sym(args[0])
        } else {
            margin(&b, value)?
        };
        // As doubles of their own: outputs may not be inputs.
        outputs.push((Arc::from(k.to_string().as_str()), b.id(measured + 0.0)));
    }
    let margins = prune(&b.finish_ids(outputs)?)?;
    Ok((list, margins))
}
