//! The tape of reverse mode: what was computed, in order, with the partial derivatives.

use std::cell::RefCell;

use crate::error::Error;
use crate::real::Scalar;

/// Parent number of an argument that does not vary.
pub(crate) const CONSTANT: u32 = u32::MAX;

/// First parent number of the node that stands for a [`Call`]; the second is its place in `calls`.
const CALL: u32 = u32::MAX - 1;

/// One operation: the numbers of its arguments and the partial derivatives to them.
#[derive(Debug, Clone, Copy)]
struct Node<T> {
    parents: [u32; 2],
    partials: [T; 2],
}

/// How cotangents pass an operation with several inputs and outputs.
pub(crate) trait Pullback<T> {
    /// Cotangents of the inputs from those of the outputs.
    fn pull(&self, y_bar: &[T], x_bar: &mut [T]) -> Result<(), Error>;
    /// Tangents of the outputs from those of the inputs.
    fn push(&self, x_dot: &[T], y_dot: &mut [T]) -> Result<(), Error>;
}

/// An operation with several inputs and outputs; its outputs are the nodes from `first` on.
struct Call<T> {
    first: usize,
    outputs: usize,
    inputs: Vec<u32>,
    rule: Box<dyn Pullback<T>>,
}

struct Record<T> {
    nodes: Vec<Node<T>>,
    calls: Vec<Call<T>>,
    full: bool,
}

/// Records operations on [`Var`](crate::Var) and plays them back in reverse.
///
/// A node takes two numbers and two partials. [`clear`](Tape::clear) keeps the memory, so a tape that is reused does not allocate once it
/// has seen its longest program. Over `Dual<f64, N>` the sweep gives N columns of the Hessian at once.
///
/// # Example
/// ```
/// use pullback_ad::{Real, Tape};
///
/// let mut tape = Tape::new();
/// for _ in 0..2 {
///     let (x, y) = (tape.variable(3.0), tape.variable(4.0));
///     let r = x.hypot(y);
///     assert_eq!(tape.gradient(r, &[x, y])?, [0.6, 0.8]);
///     tape.clear();
/// }
/// # Ok::<(), pullback_ad::Error>(())
/// ```
///
/// Reference: Griewank & Walther, *Evaluating Derivatives*, 2nd ed. (2008), section 3.2.
pub struct Tape<T = f64> {
    record: RefCell<Record<T>>,
}

impl<T> core::fmt::Debug for Tape<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let record = self.record.borrow();
        f.debug_struct("Tape")
            .field("nodes", &record.nodes.len())
            .field("calls", &record.calls.len())
            .finish()
    }
}

impl<T: Scalar> Default for Tape<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Scalar> Tape<T> {
    /// An empty tape.
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// An empty tape with room for `nodes` operations.
    pub fn with_capacity(nodes: usize) -> Self {
        Self {
            record: RefCell::new(Record {
                nodes: Vec::with_capacity(nodes),
                calls: Vec::new(),
                full: false,
            }),
        }
    }

    /// The number of nodes: independent variables and operations on variables.
    pub fn len(&self) -> usize {
        self.record.borrow().nodes.len()
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets everything and keeps the memory. No variable of the tape can be alive: the compiler sees to it.
    pub fn clear(&mut self) {
        let record = self.record.get_mut();
        record.nodes.clear();
        record.calls.clear();
        record.full = false;
    }

    /// Adds an operation and gives its number.
    #[inline(always)]
    pub(crate) fn push(&self, parents: [u32; 2], partials: [T; 2]) -> u32 {
        let mut record = self.record.borrow_mut();
        let number = record.nodes.len();
        if number >= CALL as usize {
            record.full = true;
            return CONSTANT;
        }
        record.nodes.push(Node { parents, partials });
        number as u32
    }

    /// Adds an operation with many inputs and outputs and gives the number of its first output.
    pub(crate) fn push_call(
        &self,
        inputs: Vec<u32>,
        outputs: usize,
        rule: Box<dyn Pullback<T>>,
    ) -> Result<u32, Error> {
        let mut record = self.record.borrow_mut();
        let first = record.nodes.len();
        if first + outputs >= CALL as usize || record.calls.len() >= CALL as usize {
            return Err(Error::TapeFull { nodes: first });
        }
        let zero = T::constant(0.0);
        let call = record.calls.len() as u32;
        // In the reverse sweep all later outputs come before the first one, so the whole call is pulled back there.
        for k in 0..outputs {
            let parents = if k == 0 { [CALL, call] } else { [CONSTANT; 2] };
            record.nodes.push(Node {
                parents,
                partials: [zero; 2],
            });
        }
        record.calls.push(Call {
            first,
            outputs,
            inputs,
            rule,
        });
        Ok(first as u32)
    }

    /// Cotangents of all nodes, in `adjoints`, for cotangents of some.
    ///
    /// Errors: of custom rules on the way; [`Error::TapeFull`].
    pub(crate) fn pull(
        &self,
        seeds: impl IntoIterator<Item = (u32, T)>,
        adjoints: &mut Vec<T>,
    ) -> Result<(), Error> {
        let record = self.record.borrow();
        if record.full {
            return Err(Error::TapeFull {
                nodes: record.nodes.len(),
            });
        }
        let zero = T::constant(0.0);
        adjoints.clear();
        adjoints.resize(record.nodes.len(), zero);
        for (number, seed) in seeds {
            if let Some(adjoint) = adjoints.get_mut(number as usize) {
                *adjoint += seed;
            }
        }
        for (number, node) in record.nodes.iter().enumerate().rev() {
            if let [CALL, call] = node.parents {
                Self::pull_call(&record.calls[call as usize], adjoints)?;
                continue;
            }
            let adjoint = adjoints[number];
            if !T::DIFFERENTIATED && adjoint.value() == 0.0 {
                continue;
            }
            for (&parent, &partial) in node.parents.iter().zip(&node.partials) {
                if parent != CONSTANT {
                    adjoints[parent as usize] += partial.times_tangent(adjoint);
                }
            }
        }
        Ok(())
    }

    fn pull_call(call: &Call<T>, adjoints: &mut [T]) -> Result<(), Error> {
        let mut x_bar = vec![T::constant(0.0); call.inputs.len()];
        call.rule
            .pull(&adjoints[call.first..call.first + call.outputs], &mut x_bar)?;
        for (&input, &bar) in call.inputs.iter().zip(&x_bar) {
            if input != CONSTANT {
                adjoints[input as usize] += bar;
            }
        }
        Ok(())
    }

    /// Tangents of all nodes, in `tangents`, for tangents of independent variables.
    pub(crate) fn push_forward(
        &self,
        seeds: impl IntoIterator<Item = (u32, T)>,
        tangents: &mut Vec<T>,
    ) -> Result<(), Error> {
        let record = self.record.borrow();
        if record.full {
            return Err(Error::TapeFull {
                nodes: record.nodes.len(),
            });
        }
        tangents.clear();
        tangents.resize(record.nodes.len(), T::constant(0.0));
        for (number, seed) in seeds {
            if let Some(tangent) = tangents.get_mut(number as usize) {
                *tangent += seed;
            }
        }
        for (number, node) in record.nodes.iter().enumerate() {
            if let [CALL, call] = node.parents {
                let call = &record.calls[call as usize];
                let x_dot: Vec<T> = call
                    .inputs
                    .iter()
                    .map(|&i| {
                        tangents
                            .get(i as usize)
                            .copied()
                            .unwrap_or(T::constant(0.0))
                    })
                    .collect();
                call.rule
                    .push(&x_dot, &mut tangents[call.first..call.first + call.outputs])?;
                continue;
            }
            for (&parent, &partial) in node.parents.iter().zip(&node.partials) {
                if parent != CONSTANT {
                    let part = partial.times_tangent(tangents[parent as usize]);
                    tangents[number] += part;
                }
            }
        }
        Ok(())
    }
}
