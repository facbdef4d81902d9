//! Dense linear algebra on recorded values: factors, solutions, determinants, products.
//!
//! A matrix is a value whose last two levels are its rows and columns, as many of each; the levels before are lanes, each with a matrix of its own. A matrix
//! without lanes serves all of what it acts on. It acts along one level, and the result lives where its operand does: `a.solve(b)` for `a` in
//! `[bins, columns]` and `b` in `[bins]` lives in `[bins]`. A matrix that is singular, or not positive definite, is an error of the run (`PB0209`) that names
//! pivot, lane and label.
//!
//! These nodes are for matrices that exist as numbers. Where a matrix is known by its products only, or costs more to write down than to apply, the crate
//! `pullback-optim` has `linear_solve`, with a region in place of the matrix.
//!
//! # Example
//! The log-density of a Gaussian constraint whose covariance depends on a parameter, and its derivatives:
//! ```
//! use pullback_ad::Real;
//! use pullback_array::{Bindings, Builder, Lowered, Space, transform};
//! // Two bins with residuals r, statistical uncertainties σ and one common systematic effect of size κ with shape f: Σ = diag(σ²) + κ² f fᵀ.
//! let b = Builder::new();
//! let (bins, columns) = (b.dense("bins"), b.dense("columns"));
//! let (r, sigma, f) = (b.input("r", bins), b.input("sigma", bins), b.input("f", bins));
//! let kappa = b.input("kappa", Space::SCALAR);
//! let square = b.join(bins, columns);
//! let bin = bins.last().unwrap();
//! let covariance = sigma.square().diagonal_matrix(square) + kappa.square() * f.outer(f, bin, square);
//! let l = covariance.named("covariance").cholesky();
//! // ln p = −½ rᵀΣ⁻¹r − ½ ln det 2πΣ, with z = L⁻¹ r.
//! let z = l.lower_solve(r);
//! let terms = z.square() * 0.5 + l.diagonal().ln() + 0.5 * std::f64::consts::TAU.ln();
//! let program = b.finish(&[("log_density", -terms.sum_all())])?;
//! let lowered = Lowered::new(transform::grad(&program, "log_density", &["r", "kappa"])?)?;
//! let mut ws = lowered.workspace();
//! let columns = [(&[1.0, 0.0]).into(), (&[1.0, 1.0]).into(), (&[1.0, 1.0]).into(), (&1.0).into()];
//! let inputs = Bindings::ordered(&columns).size(lowered.program(), "columns", 2)?;
//! lowered.run(&mut ws, &inputs)?;
//! // Σ = (2 1; 1 2): rᵀΣ⁻¹r = 2/3, det Σ = 3.
//! let expected = -1.0 / 3.0 - 0.5 * 3f64.ln() - std::f64::consts::TAU.ln();
//! assert!((ws.scalar(0) - expected).abs() < 1e-15);
//! // −Σ⁻¹r, and ½ rᵀΣ⁻¹ Σ′ Σ⁻¹r − ½ tr Σ⁻¹Σ′ = 1/9 − 2/3.
//! assert!((ws.f64(1)[0] + 2.0 / 3.0).abs() < 1e-15 && (ws.f64(1)[1] - 1.0 / 3.0).abs() < 1e-15);
//! assert!((ws.scalar(2) + 5.0 / 9.0).abs() < 1e-15);
//! # Ok::<(), pullback_array::Error>(())
//! ```

use pullback_ad::Real;

use crate::attr::Attrs;
use crate::build::{Builder, Sym, builder_of};
use crate::prim;
use crate::prim::compare::Compare;
use crate::prim::lu_solve::Factorised;
use crate::prim::matrix::{Part, square};
use crate::primitive::ill_formed;
use crate::space::{LevelId, Space};

/// The levels of rows and columns of a matrix; keeps an error if it is none.
fn sides(b: &Builder, what: &'static str, space: Space) -> Option<(LevelId, LevelId)> {
    let found = b.with_program(|p| square(what, p, space));
    found.map_err(|e| b.fail(e)).ok()
}

/// The path of the levels `outer`, then those of `inner` that it lacks.
fn below(outer: Space, inner: Space) -> Option<Space> {
    inner
        .iter()
        .filter(|l| !outer.contains(*l))
        .try_fold(outer, Space::child)
}

/// A matrix and what it acts on, with the lanes of one repeated for the other: a matrix without lanes serves all.
fn aligned<'b>(b: &'b Builder, matrix: Sym<'b>, x: Sym<'b>, over: LevelId) -> (Sym<'b>, Sym<'b>) {
    let (space, to) = (matrix.space(), x.space());
    let depth = space.depth().saturating_sub(2);
    let lanes = space.prefix(depth);
    if to.prefix(depth) == lanes {
        return (matrix, x);
    }
    // Lanes that only the operand has stand before it.
    let before = to.prefix(to.position(over).unwrap_or(0));
    if lanes.broadcasts_to(&before)
        && let Some(all) = below(before, space)
    {
        return (b.broadcast(matrix, all), x);
    }
    match below(lanes, to) {
        Some(all) => (matrix, b.broadcast(x, all)),
        None => (matrix, x),
    }
}

impl<'b> Sym<'b> {
    /// The level of `x` that this matrix acts on: that of its rows, or of its columns where `x` lacks that.
    fn acts_on(self, b: &'b Builder, what: &'static str, x: Sym<'b>) -> Option<LevelId> {
        let (rows, columns) = sides(b, what, self.space())?;
        let found = [rows, columns].into_iter().find(|l| x.space().contains(*l));
        if found.is_none() {
            let names = |s: Space| b.with_program(|p| p.space_name(&s));
            b.fail(ill_formed(
                what,
                format!(
                    "the operand lives in [{}], with neither the rows nor the columns of a matrix in [{}]; name the level that it acts on",
                    names(x.space()),
                    names(self.space())
                ),
            ));
        }
        found
    }

    /// The Cholesky factor: the lower triangular L with a positive diagonal and A = L Lᵀ, for a symmetric positive definite matrix.
    ///
    /// Shape: `[lanes.., rows, columns]`, as the matrix.
    ///
    /// Differentiability: dL = L Φ(L⁻¹ dA L⁻ᵀ), to any order. Only the lower triangle is read, so the derivative to an element below the diagonal is that of the
    /// pair, and to one above it is 0.
    ///
    /// Errors: at run time, a matrix that is not positive definite (or holds NaN), with the pivot.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Lowered};
    /// let b = Builder::new();
    /// let a = b.input("a", b.join(b.dense_of("i", 2), b.dense_of("j", 2)));
    /// let lowered = Lowered::new(b.finish(&[("l", a.cholesky())])?)?;
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[4.0, 0.0, 2.0, 10.0]).into()]))?;
    /// assert_eq!(ws.f64(0), [2.0, 0.0, 1.0, 3.0]);
    /// let error = lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 0.0, 2.0, 3.0]).into()])).unwrap_err();
    /// assert!(error.to_string().contains("not positive definite: pivot 1 is -1e0"));
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    ///
    /// Reference: I. Murray, arXiv:1602.07527, equation (8); M. Giles, LNCSE 64 (2008) 35, section 2.2.1.
    pub fn cholesky(self) -> Self {
        let Some(b) = self.builder() else {
            return self;
        };
        let label = self
            .value_id()
            .and_then(|id| b.with_program(|p| p.value(id).label.clone()));
        b.labelled(label, || self.apply(prim::CHOLESKY, Attrs::NONE))
    }

    /// x with T x = b along the level `over` of `b`, or with Tᵀ where `transposed`; T is the lower or upper triangle of this matrix, the other is not read.
    ///
    /// Shape: as `b`; the lanes of the matrix lead its path, or are repeated for it.
    ///
    /// Differentiability: linear in b; dx = T⁻¹(db − dT x).
    ///
    /// Errors: at run time, a zero on the diagonal.
    ///
    /// Reference: M. Giles, LNCSE 64 (2008) 35, section 2.2.3.
    pub fn triangular_solve(self, b: Self, over: LevelId, part: Part, transposed: bool) -> Self {
        let Some(cx) = builder_of(&[self, b]) else {
            return b;
        };
        let (matrix, b) = aligned(cx, self, b, over);
        prim::triangular_solve::triangular_solve(cx, matrix, b, over, part, transposed)
    }

    /// x with L x = b for the lower triangle L of this matrix, along the level of its rows (or of its columns where `b` lacks that), as
    /// [`Sym::triangular_solve`]. With L from [`Sym::cholesky`], xᵀx is bᵀA⁻¹b.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Lowered};
    /// let b = Builder::new();
    /// let (i, j) = (b.dense_of("i", 2), b.dense_of("j", 2));
    /// let x = b.input("l", b.join(i, j)).lower_solve(b.input("b", i));
    /// let lowered = Lowered::new(b.finish(&[("x", x)])?)?;
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[2.0, 0.0, 1.0, 3.0]).into(), (&[4.0, 5.0]).into()]))?;
    /// assert_eq!(ws.f64(0), [2.0, 1.0]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn lower_solve(self, b: Self) -> Self {
        let cx = builder_of(&[self, b]);
        let over = cx.and_then(|cx| self.acts_on(cx, "triangular_solve", b));
        over.map_or(b, |over| self.triangular_solve(b, over, Part::Lower, false))
    }

    /// x with Lᵀ x = b, as [`Sym::lower_solve`]: after it, the solution of L Lᵀ x = b.
    pub fn lower_solve_transposed(self, b: Self) -> Self {
        let cx = builder_of(&[self, b]);
        let over = cx.and_then(|cx| self.acts_on(cx, "triangular_solve", b));
        over.map_or(b, |over| self.triangular_solve(b, over, Part::Lower, true))
    }

    /// x with A x = b for this square matrix, by LU factors with partial pivoting, along the level of its rows (or of its columns where `b` lacks that).
    /// For a positive definite matrix, [`Sym::cholesky`] takes half the work.
    ///
    /// Shape: as `b`, whose other levels are right-hand sides. Solutions of one matrix, their derivatives and [`Sym::slogdet`] share one factorisation.
    ///
    /// Differentiability: linear in b; dx = A⁻¹(db − dA x).
    ///
    /// Errors: at run time, a singular matrix, with the pivot. One that is nearly singular passes: look at what comes out.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Lowered, transform};
    /// let b = Builder::new();
    /// let (i, j) = (b.dense_of("i", 2), b.dense_of("j", 2));
    /// let x = b.input("a", b.join(i, j)).solve(b.input("b", i));
    /// let program = b.finish(&[("x0", x.sum_all())])?;
    /// let lowered = Lowered::new(transform::grad(&program, "x0", &["b", "a"])?)?;
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[0.0, 2.0, 1.0, 1.0]).into(), (&[4.0, 5.0]).into()]))?;
    /// assert_eq!(ws.scalar(0), 5.0); // x = (3, 2)
    /// assert_eq!(ws.f64(1), [0.0, 1.0]); // A⁻ᵀ (1, 1)
    /// assert_eq!(ws.f64(2), [0.0, 0.0, -3.0, -2.0]); // −(A⁻ᵀ 1) xᵀ
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    ///
    /// Reference: M. Giles, LNCSE 64 (2008) 35, section 2.2.3.
    pub fn solve(self, b: Self) -> Self {
        let cx = builder_of(&[self, b]);
        let over = cx.and_then(|cx| self.acts_on(cx, "lu_solve", b));
        over.map_or(b, |over| self.solve_over(b, over, false))
    }

    /// x with A x = b along the level `over` of `b`, or with Aᵀ where `transposed`, as [`Sym::solve`].
    pub fn solve_over(self, b: Self, over: LevelId, transposed: bool) -> Self {
        let Some(cx) = builder_of(&[self, b]) else {
            return b;
        };
        let (matrix, b) = aligned(cx, self, b, over);
        Factorised::new(cx, matrix).solve(cx, b, over, transposed)
    }

    /// The sign of the determinant of this square matrix, and ln|det A|.
    ///
    /// Shape: `[lanes..]` each.
    ///
    /// Differentiability: d ln|det A| = tr(A⁻¹ dA); the sign carries none.
    ///
    /// Errors: at run time, a singular matrix, with the pivot.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Lowered};
    /// let b = Builder::new();
    /// let (sign, log) = b.input("a", b.join(b.dense_of("i", 2), b.dense_of("j", 2))).slogdet();
    /// let lowered = Lowered::new(b.finish(&[("sign", sign), ("log", log)])?)?;
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0, 3.0, 4.0]).into()]))?;
    /// assert!(ws.scalar(0) == -1.0 && (ws.scalar(1) - 2f64.ln()).abs() < 1e-15);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    ///
    /// Reference: M. Giles, LNCSE 64 (2008) 35, section 2.2.4.
    pub fn slogdet(self) -> (Self, Self) {
        match self.builder() {
            Some(b) => Factorised::new(b, self).slogdet(b),
            None => (self, self),
        }
    }

    /// ln det A of a symmetric positive definite matrix: 2 Σ ln Lᵢᵢ, with L from [`Sym::cholesky`], which it shares with what else is computed from it.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Lowered};
    /// let b = Builder::new();
    /// let a = b.input("a", b.join(b.dense_of("i", 2), b.dense_of("j", 2)));
    /// let lowered = Lowered::new(b.finish(&[("log", a.logdet())])?)?;
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[2.0, 1.0, 1.0, 2.0]).into()]))?;
    /// assert!((ws.scalar(0) - 3f64.ln()).abs() < 1e-15);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn logdet(self) -> Self {
        2.0 * self.cholesky().diagonal().ln().sum_last()
    }

    /// The diagonal of a square matrix, on the level of its rows.
    pub fn diagonal(self) -> Self {
        let Some(b) = self.builder() else {
            return self;
        };
        let space = self.space();
        let Some((rows, columns)) = sides(b, "diagonal", space) else {
            return self;
        };
        let to = space.prefix(space.depth() - 1);
        self.gather_over(columns, b.position(to, rows))
    }

    /// The matrix in `to` with this value, which lives on its rows, on the diagonal and 0 elsewhere.
    pub fn diagonal_matrix(self, to: Space) -> Self {
        let Some(b) = self.builder() else {
            return self;
        };
        let Some((rows, columns)) = sides(b, "diagonal_matrix", to) else {
            return self;
        };
        let diagonal = b
            .position(to, rows)
            .compare(Compare::Eq, b.position(to, columns));
        diagonal.select(self.broadcast(to), 0.0.into())
    }

    /// A x for this square matrix along the level of its rows of `x` (or of its columns where `x` lacks that); lives where `x` does. L z for a Cholesky factor L
    /// and independent normal z is normal with covariance A.
    ///
    /// Shape: as `x`. Differentiability: linear in both.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Lowered};
    /// let b = Builder::new();
    /// let (i, j) = (b.dense_of("i", 2), b.dense_of("j", 2));
    /// let y = b.input("a", b.join(i, j)).linear_map(b.input("x", i));
    /// let lowered = Lowered::new(b.finish(&[("y", y)])?)?;
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0, 3.0, 4.0]).into(), (&[1.0, 10.0]).into()]))?;
    /// assert_eq!(ws.f64(0), [21.0, 43.0]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn linear_map(self, x: Self) -> Self {
        let cx = builder_of(&[self, x]);
        let over = cx.and_then(|cx| self.acts_on(cx, "matrix_apply", x));
        over.map_or(x, |over| self.linear_map_over(x, over, Part::Full, false))
    }

    /// A x, or Aᵀ x where `transposed`, along the level `over` of `x`, for this matrix or a triangle of it, as [`Sym::linear_map`].
    pub fn linear_map_over(self, x: Self, over: LevelId, part: Part, transposed: bool) -> Self {
        let Some(cx) = builder_of(&[self, x]) else {
            return x;
        };
        let (matrix, x) = aligned(cx, self, x, over);
        prim::matrix_apply::matrix_apply(cx, matrix, x, over, part, transposed)
    }

    /// The sum of outer products along the level `over` of both, as a matrix in `to`: Σ x\[p, r, q\] y\[p, s, q\] over all levels but the lanes of `to`. With the
    /// effects of several systematic uncertainties on bins for both, their covariance.
    ///
    /// Shape: `to`, `[lanes.., rows, columns]`, whose lanes lead the path of the arguments. Differentiability: linear in both.
    pub fn outer(self, other: Self, over: LevelId, to: Space) -> Self {
        let Some(cx) = builder_of(&[self, other]) else {
            return self;
        };
        let space = cx.common("matrix_outer", self.space(), other.space());
        let (x, y) = (self.broadcast(space), other.broadcast(space));
        prim::matrix_outer::matrix_outer(cx, x, y, over, to, Part::Full)
    }

    /// Σᵢ xᵢ yᵢ along the innermost level of this value.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Lowered};
    /// let b = Builder::new();
    /// let n = b.dense("n");
    /// let d = b.input("x", n).dot(b.input("y", n));
    /// let lowered = Lowered::new(b.finish(&[("d", d)])?)?;
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0]).into(), (&[3.0, 4.0]).into()]))?;
    /// assert_eq!(ws.scalar(0), 11.0);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn dot(self, other: Self) -> Self {
        let space = self.space();
        let Some(last) = space.last() else {
            return self * other;
        };
        let (a, b) = (space.without(space.depth() - 1), other.space());
        let rest = b.position(last).map_or(b, |k| b.without(k));
        let to = builder_of(&[self, other]).map_or(a, |cx| cx.common("contract", a, rest));
        self.contract(other, to)
    }

    /// A x by the names of levels: the columns of this matrix, its last level, are those of `x`, the result lives on its rows. It need not be square.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Lowered};
    /// let b = Builder::new();
    /// let (i, j) = (b.dense_of("i", 1), b.dense_of("j", 2));
    /// let y = b.input("a", b.join(i, j)).matvec(b.input("x", j));
    /// let lowered = Lowered::new(b.finish(&[("y", y)])?)?;
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0]).into(), (&[3.0, 4.0]).into()]))?;
    /// assert_eq!(ws.f64(0), [11.0]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn matvec(self, x: Self) -> Self {
        let space = self.space();
        self.contract(x, space.prefix(space.depth().saturating_sub(1)))
    }

    /// A B by the names of levels: the last level of this matrix is the last but one of `other`, `[.., i, k] · [.., k, j] = [.., i, j]`, with the lanes of this
    /// one. Neither need be square.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Lowered};
    /// let b = Builder::new();
    /// let (i, k, j) = (b.dense_of("i", 1), b.dense_of("k", 2), b.dense_of("j", 2));
    /// let y = b.input("a", b.join(i, k)).matmul(b.input("b", b.join(k, j)));
    /// let lowered = Lowered::new(b.finish(&[("y", y)])?)?;
    /// let mut ws = lowered.workspace();
    /// lowered.run(&mut ws, &Bindings::ordered(&[(&[1.0, 2.0]).into(), (&[3.0, 4.0, 5.0, 6.0]).into()]))?;
    /// assert_eq!(ws.f64(0), [13.0, 16.0]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn matmul(self, other: Self) -> Self {
        let rows = self.space().prefix(self.space().depth().saturating_sub(1));
        let to = other.space().last().and_then(|last| rows.child(last));
        self.contract(other, to.unwrap_or(rows))
    }
}
