//! A scalar that knows which inputs it depends on.

use core::cell::RefCell;
use core::cmp::Ordering;

use super::matrix::SparseMatrix;
use crate::custom::{CustomJvp, CustomVjp};
use crate::drivers::Function;
use crate::error::Error;
use crate::real::{Real, Scalar};
use crate::table::{Binary, BinaryRule, Family, UnaryRule};

/// Inputs in a leaf.
const LEAF: u32 = u64::BITS;

/// A set of inputs: 64 neighbours, or the union of two sets that differ in one bit of the numbers of their leaves.
#[derive(Debug, Clone, Copy)]
struct Set {
    /// Number of the leaf; of a union the bits above `bit`, which all its leaves share.
    prefix: u32,
    /// The bit in which the parts differ; 0 for a leaf.
    bit: u32,
    /// The parts without and with that bit; of a leaf its members as bits.
    low: u32,
    high: u32,
}

impl Set {
    fn leaf(prefix: u32, members: u64) -> Self {
        Self {
            prefix,
            bit: 0,
            low: members as u32,
            high: (members >> 32) as u32,
        }
    }

    fn members(self) -> u64 {
        u64::from(self.low) | u64::from(self.high) << 32
    }

    /// True if the leaf of that number belongs below this union.
    fn spans(self, leaf: u32) -> bool {
        self.bit != 0 && leaf & !(2 * self.bit - 1) == self.prefix
    }
}

/// Sets of inputs that share their parts: a union takes memory for what is new in it alone, and none where one of both holds the other.
///
/// Reference: C. Okasaki & A. Gill, "Fast mergeable integer maps", Workshop on ML (1998) 77 (big-endian Patricia trees).
#[derive(Debug, Default)]
struct Sets(Vec<Set>);

impl Sets {
    fn push(&mut self, set: Set) -> u32 {
        self.0.push(set);
        (self.0.len() - 1) as u32
    }

    fn single(&mut self, member: u32) -> u32 {
        self.push(Set::leaf(member / LEAF, 1 << (member % LEAF)))
    }

    /// The union; one of the two where it holds the other.
    fn union(&mut self, a: u32, b: u32) -> u32 {
        if a == b {
            return a;
        }
        let (x, y) = (self.0[a as usize], self.0[b as usize]);
        if x.bit == 0 && y.bit == 0 && x.prefix == y.prefix {
            let both = x.members() | y.members();
            if both == x.members() {
                return a;
            }
            if both == y.members() {
                return b;
            }
            return self.push(Set::leaf(x.prefix, both));
        }
        if x.bit != 0 && x.bit == y.bit && x.prefix == y.prefix {
            let (low, high) = (self.union(x.low, y.low), self.union(x.high, y.high));
            if (low, high) == (x.low, x.high) {
                return a;
            }
            if (low, high) == (y.low, y.high) {
                return b;
            }
            return self.push(Set { low, high, ..x });
        }
        if x.bit > y.bit && x.spans(y.prefix) {
            return self.with_part(a, x, b, y.prefix);
        }
        if y.bit > x.bit && y.spans(x.prefix) {
            return self.with_part(b, y, a, x.prefix);
        }
        let bit = 1 << (x.prefix ^ y.prefix).ilog2();
        let (low, high) = if x.prefix & bit == 0 { (a, b) } else { (b, a) };
        let prefix = x.prefix & !(2 * bit - 1);
        self.push(Set {
            prefix,
            bit,
            low,
            high,
        })
    }

    /// The union of `set`, number `a`, and `b`, which belongs below it on the side of `leaf`.
    fn with_part(&mut self, a: u32, set: Set, b: u32, leaf: u32) -> u32 {
        let (mut low, mut high) = (set.low, set.high);
        if leaf & set.bit == 0 {
            low = self.union(low, b);
        } else {
            high = self.union(high, b);
        }
        if (low, high) == (set.low, set.high) {
            a
        } else {
            self.push(Set { low, high, ..set })
        }
    }

    /// The members of a set, rising.
    fn get(&self, set: u32) -> Vec<usize> {
        let (mut found, mut todo) = (Vec::new(), vec![set]);
        while let Some(set) = todo.pop() {
            let set = self.0[set as usize];
            if set.bit != 0 {
                todo.extend([set.high, set.low]);
                continue;
            }
            let mut members = set.members();
            while members != 0 {
                found.push((set.prefix * LEAF + members.trailing_zeros()) as usize);
                members &= members - 1;
            }
        }
        found
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
        sets: RefCell::new(Sets::default()),
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
            Some((_, set)) => sets.get(set),
            None => Vec::new(),
        })
        .collect();
    SparseMatrix::from_pattern(x.len(), &rows)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A fixed sequence of numbers.
    fn next(state: &mut u64) -> usize {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (*state >> 33) as usize
    }

    #[test]
    fn unions_are_those_of_ordered_sets_and_one_of_both_where_it_holds_the_other() {
        for range in [40, 700, 100_000] {
            let (mut sets, mut state) = (Sets::default(), 7);
            let mut known: Vec<(u32, BTreeSet<usize>)> = (0..60)
                .map(|_| {
                    let member = next(&mut state) % range;
                    (sets.single(member as u32), BTreeSet::from([member]))
                })
                .collect();
            for _ in 0..400 {
                let (i, j) = (
                    next(&mut state) % known.len(),
                    next(&mut state) % known.len(),
                );
                let (a, b) = (known[i].clone(), known[j].clone());
                let expected: BTreeSet<usize> = a.1.union(&b.1).copied().collect();
                let before = sets.0.len();
                let union = sets.union(a.0, b.0);
                assert!(sets.get(union).into_iter().eq(expected.iter().copied()));
                if expected == a.1 || expected == b.1 {
                    assert_eq!(sets.0.len(), before, "nothing new, and memory for it");
                }
                known.push((union, expected));
            }
        }
    }

    /// A sum that grows term by term took the memory of all its beginnings: n²/2 numbers.
    #[test]
    fn the_beginnings_of_a_sum_share_their_memory() {
        let mut sets = Sets::default();
        let n = 50_000_u32;
        let singles: Vec<u32> = (0..n).map(|i| sets.single(i)).collect();
        let sum = singles.into_iter().reduce(|sum, x| sets.union(sum, x));
        assert_eq!(sets.get(sum.unwrap_or(0)).len(), n as usize);
        // A leaf and the way to it for each term: log₂(n/64) unions.
        assert!(sets.0.len() < 12 * n as usize, "{} sets", sets.0.len());
    }
}
