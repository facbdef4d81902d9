//! A scalar that knows which inputs it depends on.

use core::cell::RefCell;
use core::cmp::Ordering;

use super::matrix::SparseMatrix;
use crate::custom::{CustomJvp, CustomVjp};
use crate::drivers::Function;
use crate::error::Error;
use crate::real::{Real, Scalar};
use crate::table::{Binary, BinaryRule, Family, UnaryRule};

/// Sets of inputs, each once in a row where it was made.
#[derive(Debug, Default)]
struct Sets {
    /// Where sets start in `members`, and the end.
    starts: Vec<usize>,
    members: Vec<u32>,
}

impl Sets {
    fn get(&self, set: u32) -> &[u32] {
        &self.members[self.starts[set as usize]..self.starts[set as usize + 1]]
    }

    /// Ends a set that was written behind the others.
    fn close(&mut self) -> u32 {
        self.starts.push(self.members.len());
        (self.starts.len() - 2) as u32
    }

    fn single(&mut self, member: u32) -> u32 {
        self.members.push(member);
        self.close()
    }

    /// The union; one of the two where it holds the other.
    fn union(&mut self, a: u32, b: u32) -> u32 {
        if a == b || self.get(a) == self.get(b) {
            return a;
        }
        let begin = self.members.len();
        let (mut i, mut j) = (self.starts[a as usize], self.starts[b as usize]);
        let (i_end, j_end) = (self.starts[a as usize + 1], self.starts[b as usize + 1]);
        while i < i_end && j < j_end {
            let (x, y) = (self.members[i], self.members[j]);
            self.members.push(x.min(y));
            i += usize::from(x <= y);
            j += usize::from(y <= x);
        }
        self.members.extend_from_within(i..i_end);
        self.members.extend_from_within(j..j_end);
        let n = self.members.len() - begin;
        for same in [a, b] {
            if n == self.get(same).len() {
                self.members.truncate(begin);
                return same;
            }
        }
        self.close()
    }
}

/// A value and the set of inputs that it depends on: what finds the pattern of a Jacobian.
///
/// An operation depends on what its arguments depend on, also where its derivative happens to vanish: a pattern holds at every point that takes
/// the same branches. The values are those of an `f64`, so code with branches takes the path of the point; `stop_gradient` cuts the dependence.
///
/// # Example
/// See [`jacobian_pattern`].
///
/// Reference: Griewank & Walther, *Evaluating Derivatives*, 2nd ed. (2008), section 7.1 (sparsity by index domains).
#[derive(Debug, Clone, Copy)]
pub struct Dependence<'s> {
    value: f64,
    /// The set, unless it is empty.
    set: Option<(&'s Arena, u32)>,
}

/// Where the sets live.
#[derive(Debug)]
struct Arena {
    sets: RefCell<Sets>,
}

impl Dependence<'_> {
    fn of(self, value: f64) -> Self {
        Self { value, ..self }
    }

    fn joined(self, other: Self, value: f64) -> Self {
        let set = match (self.set, other.set) {
            (Some((arena, a)), Some((_, b))) => {
                let union = arena.sets.borrow_mut().union(a, b);
                Some((arena, union))
            }
            (one, None) => one,
            (None, other) => other,
        };
        Self { value, set }
    }

    /// Outputs of a function whose inside is not looked at: each depends on all inputs.
    fn opaque(x: &[Self], value: &[f64], y: &mut [Self]) {
        let all = x
            .iter()
            .fold(Self::constant(0.0), |all, x| all.joined(*x, 0.0));
        for (y, &value) in y.iter_mut().zip(value) {
            *y = all.of(value);
        }
    }
}

impl From<f64> for Dependence<'_> {
    fn from(value: f64) -> Self {
        Self::constant(value)
    }
}

crate::impl_real_operators!(['s] Dependence<'s>);
crate::impl_real_constant_operators!(['s] Dependence<'s>);

impl Real for Dependence<'_> {
    type Mask = bool;

    fn constant(value: f64) -> Self {
        Self { value, set: None }
    }

    fn unary<F: UnaryRule>(self) -> Self {
        self.of(F::value(self.value))
    }

    fn binary<F: BinaryRule>(self, other: Self) -> Self {
        let value = F::value(self.value, other.value);
        match F::OP {
            // Taking a side depends on that side.
            Binary::Min | Binary::Max => {
                let first = F::partials(self.value, other.value, value).1 == 0.0;
                if first { self } else { other }
            }
            _ => self.joined(other, value),
        }
    }

    fn family(self, family: Family) -> Self {
        self.of(family.value(self.value))
    }

    fn lt(self, other: Self) -> bool {
        self.value < other.value
    }

    fn le(self, other: Self) -> bool {
        self.value <= other.value
    }

    fn gt(self, other: Self) -> bool {
        self.value > other.value
    }

    fn ge(self, other: Self) -> bool {
        self.value >= other.value
    }

    fn eq(self, other: Self) -> bool {
        self.value == other.value
    }

    fn select(mask: bool, a: Self, b: Self) -> Self {
        if mask { a } else { b }
    }

    fn stop_gradient(self) -> Self {
        Self::constant(self.value)
    }
}

impl PartialEq for Dependence<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialOrd for Dependence<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl Scalar for Dependence<'_> {
    const NAME: &'static str = "Dependence (sparsity)";
    const DIFFERENTIATED: bool = true;

    fn value(self) -> f64 {
        self.value
    }

    fn custom_jvp<F: CustomJvp>(f: &F, x: &[Self], y: &mut [Self]) -> Result<(), Error> {
        let primal: Vec<f64> = x.iter().map(|x| x.value).collect();
        let mut value = vec![0.0; y.len()];
        f.value(&primal, &mut value)?;
        Self::opaque(x, &value, y);
        Ok(())
    }

    fn custom_vjp<F: CustomVjp + Clone + 'static>(
        f: &F,
        x: &[Self],
        y: &mut [Self],
    ) -> Result<(), Error> {
        let primal: Vec<f64> = x.iter().map(|x| x.value).collect();
        let mut value = vec![0.0; y.len()];
        f.value(&primal, &mut value)?;
        Self::opaque(x, &value, y);
        Ok(())
    }
}

/// The pattern of the Jacobian of `f` on the path that it takes at `x`: a matrix of zeros with an entry wherever an output depends on an input.
///
/// Errors: those of `f`.
///
/// # Example
/// ```
/// use pullback_ad::{Real, function, jacobian_pattern};
/// function! {
///     struct Chain;
///     fn eval(x: [3]) -> [2] { [x[0] * x[1], x[2].sin() * 0.0] }
/// }
/// let pattern = jacobian_pattern(&Chain, &[0.0, 0.0, 0.0])?;
/// assert_eq!((pattern.columns_of(0), pattern.columns_of(1)), (&[0, 1][..], &[2][..]));
/// # Ok::<(), pullback_ad::Error>(())
/// ```
pub fn jacobian_pattern<F: Function>(f: &F, x: &[f64]) -> Result<SparseMatrix, Error> {
    let arena = Arena {
        sets: RefCell::new(Sets {
            starts: vec![0],
            members: Vec::new(),
        }),
    };
    let inputs: Vec<Dependence<'_>> = x
        .iter()
        .enumerate()
        .map(|(i, &value)| Dependence {
            value,
            set: Some((&arena, arena.sets.borrow_mut().single(i as u32))),
        })
        .collect();
    let mut outputs = vec![Dependence::constant(0.0); f.outputs()];
    f.eval(&inputs, &mut outputs)?;
    let sets = arena.sets.borrow();
    let rows: Vec<Vec<usize>> = outputs
        .iter()
        .map(|y| match y.set {
            Some((_, set)) => sets.get(set).iter().map(|&i| i as usize).collect(),
            None => Vec::new(),
        })
        .collect();
    SparseMatrix::from_pattern(x.len(), &rows)
}
