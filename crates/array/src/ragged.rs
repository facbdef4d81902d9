//! Ragged arrays: filters, combinations, positions, and reductions along levels.
//!
//! ```
//! use pullback_ad::Real;
//! use pullback_array::{Bindings, Builder, Column, Lowered};
//! let b = Builder::new();
//! let muons = b.ragged("muons", b.stream("events"));
//! let pt = b.input("pt", muons);
//! let (good, index) = pt.gt(20.0.into()).filter("good");
//! let (_, left, right) = b.pairs(good, "pairs");
//! let pt = pt.at(index);
//! let sum = (pt.at(left) + pt.at(right)).sum_all();
//! let program = b.finish(&[("sum", sum)]).unwrap();
//! let lowered = Lowered::new(program).unwrap();
//! let mut ws = lowered.workspace();
//! let columns = [Column::Offsets(&[0, 3, 4]), (&[30.0, 10.0, 40.0, 50.0]).into()];
//! lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
//! assert_eq!(ws.scalar(0), 70.0);
//! ```

use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::prim;
use crate::prim::bin::{Flow, Last};
use crate::prim::extreme::{Arg, Extreme};
use crate::prim::quantify::Quantify;
use crate::primitive::ill_formed;
use crate::space::{LevelId, LevelKind, Space};

impl Builder {
    /// The offsets of the last level of `space`, which must be ragged.
    fn offsets(&self, what: &'static str, space: Space) -> Option<Sym<'_>> {
        let kind = space.last().map(|l| self.with_program(|p| p.level(l).kind));
        if let Some(LevelKind::Ragged { offsets, .. }) = kind {
            Some(self.sym(offsets))
        } else {
            let name = self.with_program(|p| p.space_name(&space));
            self.fail(ill_formed(
                what,
                format!("[{name}] does not end with a ragged level"),
            ));
            None
        }
    }

    /// All pairs i < j of elements in each segment of the last level of `space`: the path of the pairs, and the index of the first and of the second member,
    /// to be used with [`Sym::at`].
    pub fn pairs(&self, space: Space, name: &str) -> (Space, Sym<'_>, Sym<'_>) {
        let (pairs, members) = self.combinations(space, 2, name);
        (pairs, members[0], members[1])
    }

    /// All `n`-element subsets (n ≤ 8) of each segment of the last level of `space`, in lexicographic order: their path, and the index of each member.
    pub fn combinations(&self, space: Space, n: usize, name: &str) -> (Space, Vec<Sym<'_>>) {
        match self.offsets("combination_offsets", space) {
            Some(offsets) => prim::combine::combinations(self, offsets, n, name),
            None => (space, vec![f64::NAN.into(); n]),
        }
    }

    /// All pairs of an element of the last level of `left` and one of the last level of `right`, below the same parent: their path, and the index of each
    /// member.
    pub fn cartesian(&self, left: Space, right: Space, name: &str) -> (Space, Sym<'_>, Sym<'_>) {
        match (
            self.offsets("cartesian_offsets", left),
            self.offsets("cartesian_offsets", right),
        ) {
            (Some(l), Some(r)) => prim::combine::cartesian(self, l, r, name),
            _ => (left, f64::NAN.into(), f64::NAN.into()),
        }
    }

    /// Values of one path side by side, along the last level of `to`: out\[p, k\] = x_k\[p\]. One whose path is shorter is repeated.
    ///
    /// Shape: `to`, whose last level is dense and has as many elements as there are values. Differentiability: linear.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Lowered};
    /// let b = Builder::new();
    /// let (events, k) = (b.stream("events"), b.dense_of("k", 2));
    /// let (x, y) = (b.input("x", events), b.input("y", events));
    /// let both = b.stack(&[x, y], b.join(events, k));
    /// let lowered = Lowered::new(b.finish(&[("both", both), ("y", both.element(1))])?)?;
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0]).into(), (&[3.0, 4.0]).into()]))?;
    /// assert_eq!((ws.f64(0), ws.f64(1)), (&[1.0, 3.0, 2.0, 4.0][..], &[3.0, 4.0][..]));
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn stack<'b>(&'b self, values: &[Sym<'b>], to: Space) -> Sym<'b> {
        prim::stack::stack(self, values, to)
    }

    /// The number of each element of `space` in its segment of the level `over`, from 0; for a stream, from its start.
    pub fn position(&self, space: Space, over: LevelId) -> Sym<'_> {
        self.push(
            prim::POSITION,
            &[],
            Attrs::to(space).with("over", Attr::Level(over)),
        )
        .first(self)
    }

    /// The number of elements in each segment of the last level of `space`.
    pub fn counts(&self, space: Space) -> Sym<'_> {
        self.offsets("counts", space).map_or_else(
            || f64::NAN.into(),
            |o| self.push(prim::COUNTS, &[o], Attrs::NONE).first(self),
        )
    }

    /// The index for [`Sym::at`] from numbers within a segment of the last level of `space`, such as the `Muon_jetIdx` of a file. Negative: nothing.
    pub fn locate<'b>(&'b self, number: Sym<'b>, space: Space) -> Sym<'b> {
        self.offsets("locate", space).map_or(number, |o| {
            self.push(prim::LOCATE, &[number, o], Attrs::NONE)
                .first(self)
        })
    }
}

impl Sym<'_> {
    /// The elements for which this mask holds: a new ragged level called `name`, and the index for [`Sym::at`].
    ///
    /// The filter of a level below events keeps the parent; the filter of the stream itself gives each event one child or none, `events > name`.
    pub fn filter(self, name: &str) -> (Space, Self) {
        self.builder().map_or((Space::SCALAR, self), |b| {
            prim::filter::filter(b, self, name)
        })
    }

    /// The elements at `index` along the innermost level; NaN, false or -1 where the index is negative.
    ///
    /// Indices along a ragged level or a stream count from the start of the block, so they mean something to a gather only. The number of an element in its
    /// segment, which can be written out, is `b.position(space, level).at(index)`.
    pub fn at(self, index: Self) -> Self {
        self.space()
            .last()
            .map_or(self, |over| self.gather_over(over, index))
    }

    /// Product along a level: Πᵢ x\[p, i, q\]; 1 for an empty segment.
    ///
    /// The derivative to an element is the product of the others, without a division: exact where elements are zero.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Column, Lowered, transform};
    /// let b = Builder::new();
    /// let rows = b.ragged("rows", b.dense("cells"));
    /// let x = b.input("x", rows);
    /// let y = x.prod(rows.last().unwrap()).sum_all();
    /// let program = b.finish(&[("y", y)]).unwrap();
    /// let lowered = Lowered::new(transform::grad(&program, "y", &["x"]).unwrap()).unwrap();
    /// let mut ws = lowered.workspace();
    /// let columns = [Column::Offsets(&[0, 2, 2, 3]), (&[3.0, 0.0, 5.0]).into()];
    /// lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
    /// assert_eq!(ws.scalar(0), 3.0 * 0.0 + 1.0 + 5.0);
    /// assert_eq!(ws.f64(1), [0.0, 3.0, 1.0]);
    /// ```
    pub fn prod(self, over: LevelId) -> Self {
        self.apply(prim::PROD, Attrs::over(over))
    }

    /// The product of the other elements along a level: Πⱼ≠ᵢ x\[p, j, q\].
    pub fn exclusive_prod(self, over: LevelId) -> Self {
        self.apply(prim::EXCLUSIVE_PROD, Attrs::over(over))
    }
    pub(crate) fn extreme(self, which: Extreme, over: LevelId) -> Self {
        self.apply(which.primitive(), Attrs::over(over))
    }

    /// The largest element along a level, also a stream; -inf for an empty segment, NaN if any element is. The derivative goes to the first of equal elements.
    pub fn max_over(self, over: LevelId) -> Self {
        self.extreme(Extreme::Max, over)
    }

    /// The smallest element along a level, also a stream; +inf for an empty segment, NaN if any element is. The derivative goes to the first of equal elements.
    pub fn min_over(self, over: LevelId) -> Self {
        self.extreme(Extreme::Min, over)
    }

    /// ln Σᵢ exp xᵢ along a level, without overflow; -inf for an empty segment.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Lowered, transform};
    /// let b = Builder::new();
    /// let n = b.dense("n");
    /// let y = b.input("x", n).logsumexp(n.last().unwrap());
    /// let program = b.finish(&[("y", y)]).unwrap();
    /// let lowered = Lowered::new(transform::grad(&program, "y", &["x"]).unwrap()).unwrap();
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[1000.0, 1000.0]).into()])).unwrap();
    /// assert!((ws.scalar(0) - 1000.0 - 2f64.ln()).abs() < 1e-12);
    /// assert!(ws.f64(1).iter().all(|w| (w - 0.5).abs() < 1e-12)); // exp(x - y): the error is that of y, 1000 ε
    /// ```
    pub fn logsumexp(self, over: LevelId) -> Self {
        let stream = self
            .builder()
            .is_some_and(|b| b.with_program(|p| p.level(over).kind == LevelKind::Stream));
        if stream {
            prim::logsumexp::in_primitives(self, over)
        } else {
            self.apply(prim::LOGSUMEXP, Attrs::over(over))
        }
    }

    /// The index, for [`Sym::at`], of the largest element along the innermost level: the first of equal ones, the first NaN if there is one, -1 if there is none.
    pub fn argmax(self) -> Self {
        self.space().last().map_or(self, |over| {
            self.apply(Arg::Max.primitive(), Attrs::over(over))
        })
    }

    /// The index, for [`Sym::at`], of the smallest element along the innermost level, as [`Sym::argmax`].
    pub fn argmin(self) -> Self {
        self.space().last().map_or(self, |over| {
            self.apply(Arg::Min.primitive(), Attrs::over(over))
        })
    }

    /// This value of the leading element in each segment: the one with the largest `by`; NaN where there is none.
    pub fn leading(self, by: Self) -> Self {
        self.at(by.argmax())
    }

    /// Whether this mask holds for any element along a level; false for an empty segment.
    pub fn any(self, over: LevelId) -> Self {
        self.apply(Quantify::Any.primitive(), Attrs::over(over))
    }

    /// Whether this mask holds for all elements along a level; true for an empty segment.
    pub fn all(self, over: LevelId) -> Self {
        self.apply(Quantify::All.primitive(), Attrs::over(over))
    }

    /// For how many elements along a level this mask holds.
    pub fn count(self, over: LevelId) -> Self {
        self.apply(Quantify::Count.primitive(), Attrs::over(over))
    }

    /// The index, for [`Sym::at`], of the elements of each segment of the innermost level in rising order, or in falling order. Equal elements keep their
    /// order; NaN stands last both ways.
    pub fn argsort(self, descending: bool) -> Self {
        prim::sort::argsort(self, descending)
    }

    /// The elements of each segment of the innermost level in rising order, or in falling order, as [`Sym::argsort`] says.
    pub fn sort(self, descending: bool) -> Self {
        self.at(self.argsort(descending))
    }

    /// The bin of each value between rising `edges`, for [`Sym::scatter_add`]: the fill of a histogram.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Flow, Last, Lowered};
    /// let b = Builder::new();
    /// let x = b.input("x", b.stream("events"));
    /// let edges = b.constant_f64(&[0.0, 1.0, 5.0], b.dense_of("edges", 3));
    /// let bins = b.dense_of("bins", 2);
    /// let weight = b.broadcast(1.0.into(), x.space());
    /// let h = weight.scatter_add(x.bin_index(edges, Flow::Drop, Last::Open), bins);
    /// let program = b.finish(&[("h", h)]).unwrap();
    /// let lowered = Lowered::new(program).unwrap();
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[0.5, 1.0, 2.0, 5.0]).into()])).unwrap();
    /// assert_eq!(ws.f64(0), [1.0, 2.0]);
    /// ```
    pub fn bin_index(self, edges: Self, flow: Flow, last: Last) -> Self {
        prim::bin::bin_index(self, edges, flow, last)
    }

    /// The product of two arrays, summed over the levels that are not in `to`: a dot product, a matrix product, .. by the names of levels.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Lowered};
    /// let b = Builder::new();
    /// let (events, i, j) = (b.stream("events"), b.dense_of("i", 2), b.dense_of("j", 1));
    /// let x = b.input("x", b.join(events, i));
    /// let w = b.input("w", b.join(i, j));
    /// let y = x.contract(w, b.join(events, j));
    /// let program = b.finish(&[("y", y)]).unwrap();
    /// let lowered = Lowered::new(program).unwrap();
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0, 3.0, 4.0]).into(), (&[10.0, 1.0]).into()])).unwrap();
    /// assert_eq!(ws.f64(0), [12.0, 34.0]);
    /// ```
    pub fn contract(self, other: Self, to: Space) -> Self {
        prim::contract::contract(self, other, to)
    }

    /// The element of number `k` along the last level, a dense one of a known length; the inverse of [`Builder::stack`].
    ///
    /// Shape: the path without its last level. Differentiability: linear. Errors: a number past the end, when it is recorded.
    pub fn element(self, k: usize) -> Self {
        prim::stack::element(self, k)
    }
}
