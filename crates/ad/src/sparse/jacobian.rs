//! Sparse Jacobians from compressed sweeps.

use super::colouring::{Colouring, Order};
use super::dependence::jacobian_pattern;
use super::matrix::SparseMatrix;
use crate::drivers::{Function, JacobianWorkspace, jvp, linearize};
use crate::error::Error;

/// Whether tangents of columns or cotangents of rows are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Forward,
    Reverse,
}

/// The sparse Jacobian of a function: pattern and colouring are found once, values are computed at as many points as wanted.
///
/// Forward mode in lanes, one per colour of the columns; reverse mode, one sweep per colour of the rows, where that is cheaper (a few dense rows
/// above many columns). After the first call forward mode allocates nothing.
///
/// The pattern is that of the path taken at the point where it was found. A function that branches on data may depend on more elsewhere, which
/// compressed sweeps cannot see: [`discrepancy`](Self::discrepancy) tells.
///
/// # Example
/// ```
/// use pullback_ad::{Error, Function, Scalar, SparseJacobian};
///
/// /// Differences of neighbours, squared: n inputs, n − 1 outputs.
/// struct Springs(usize);
/// impl Function for Springs {
///     fn outputs(&self) -> usize {
///         self.0 - 1
///     }
///     fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
///         for (y, x) in y.iter_mut().zip(x.windows(2)) {
///             *y = (x[1] - x[0]).square();
///         }
///         Ok(())
///     }
/// }
///
/// let (f, x) = (Springs(1000), vec![0.5; 1000]);
/// let mut jacobian = SparseJacobian::new(&f, &x)?;
/// assert_eq!(jacobian.colours(), 2);
/// let mut y = vec![0.0; 999];
/// let x: Vec<f64> = (0..1000).map(f64::from).collect();
/// let j = jacobian.compute(&f, &x, &mut y)?;
/// assert_eq!((y[7], j.row(7).collect::<Vec<_>>()), (1.0, vec![(7, -2.0), (8, 2.0)]));
/// # Ok::<(), Error>(())
/// ```
///
/// Reference: Curtis, Powell & Reid (1974); Gebremedhin, Manne & Pothen (2005).
#[derive(Debug)]
pub struct SparseJacobian {
    matrix: SparseMatrix,
    colouring: Colouring,
    /// The colour of each entry: of its column, or of its row.
    entries: Vec<u32>,
    mode: Mode,
    workspace: JacobianWorkspace,
}

/// Forward passes for this many colours, in passes of 8 lanes.
fn forward_cost(colours: usize) -> f64 {
    colours.div_ceil(8) as f64
}

/// Recording costs about a forward pass of 8 lanes, a reverse sweep a fifth of one.
fn reverse_cost(colours: usize) -> f64 {
    1.0 + 0.2 * colours as f64
}

/// The most entries in a row.
fn fullest(matrix: &SparseMatrix) -> usize {
    let lengths = matrix.starts().windows(2).map(|w| w[1] - w[0]);
    lengths.max().unwrap_or(0)
}

impl SparseJacobian {
    /// Finds pattern and colouring of `f` at `x`.
    ///
    /// Errors: those of `f`.
    pub fn new<F: Function>(f: &F, x: &[f64]) -> Result<Self, Error> {
        Ok(Self::with_pattern(
            jacobian_pattern(f, x)?,
            Order::SmallestLast,
        ))
    }

    /// Colours a pattern that is known.
    pub fn with_pattern(pattern: SparseMatrix, order: Order) -> Self {
        // There are no fewer colours than entries in the fullest row (or column): one colouring is often enough to decide.
        let transposed = pattern.transposed();
        let (least_forward, least_reverse) = (
            forward_cost(fullest(&pattern)),
            reverse_cost(fullest(&transposed)),
        );
        if least_forward <= least_reverse {
            let columns = Colouring::of_columns(&pattern, order);
            if forward_cost(columns.count()) <= least_reverse {
                return Self::compressed(pattern, columns, Mode::Forward);
            }
            let rows = Colouring::of_rows(&pattern, order);
            if forward_cost(columns.count()) <= reverse_cost(rows.count()) {
                return Self::compressed(pattern, columns, Mode::Forward);
            }
            return Self::compressed(pattern, rows, Mode::Reverse);
        }
        let rows = Colouring::of_rows(&pattern, order);
        if reverse_cost(rows.count()) > least_forward {
            let columns = Colouring::of_columns(&pattern, order);
            if forward_cost(columns.count()) <= reverse_cost(rows.count()) {
                return Self::compressed(pattern, columns, Mode::Forward);
            }
        }
        Self::compressed(pattern, rows, Mode::Reverse)
    }

    fn compressed(matrix: SparseMatrix, colouring: Colouring, mode: Mode) -> Self {
        let colours = colouring.colours();
        let entries = match mode {
            Mode::Forward => matrix
                .indices()
                .iter()
                .map(|&j| colours[j as usize])
                .collect(),
            Mode::Reverse => (0..matrix.rows())
                .flat_map(|i| std::iter::repeat_n(colours[i], matrix.columns_of(i).len()))
                .collect(),
        };
        Self {
            matrix,
            colouring,
            entries,
            mode,
            workspace: JacobianWorkspace::new(),
        }
    }

    /// The number of tangents, or of reverse sweeps.
    pub fn colours(&self) -> usize {
        self.colouring.count()
    }

    /// Whether reverse mode is used.
    pub fn is_reverse(&self) -> bool {
        self.mode == Mode::Reverse
    }

    /// The Jacobian of the last [`compute`](Self::compute); zeros before.
    pub fn matrix(&self) -> &SparseMatrix {
        &self.matrix
    }

    /// The Jacobian at `x`; writes the value into `value`.
    ///
    /// Errors: [`Error::Shape`] for slices that do not fit the pattern; those of `f`.
    pub fn compute<F: Function>(
        &mut self,
        f: &F,
        x: &[f64],
        value: &mut [f64],
    ) -> Result<&SparseMatrix, Error> {
        let shapes = [
            ("x", x.len(), self.matrix.columns()),
            ("value", value.len(), self.matrix.rows()),
            ("outputs", f.outputs(), self.matrix.rows()),
        ];
        for (what, found, expected) in shapes {
            if found != expected {
                return Err(Error::Shape {
                    what,
                    expected,
                    found,
                });
            }
        }
        if self.mode == Mode::Forward {
            match self.forward(f, x, value) {
                Err(Error::ReverseOnly { .. }) => {
                    let rows = Colouring::of_rows(&self.matrix, Order::SmallestLast);
                    *self = Self::compressed(self.matrix.clone(), rows, Mode::Reverse);
                }
                result => return result.map(|()| &self.matrix),
            }
        }
        self.reverse(f, x, value)?;
        Ok(&self.matrix)
    }

    fn forward<F: Function>(&mut self, f: &F, x: &[f64], value: &mut [f64]) -> Result<(), Error> {
        let (colours, count) = (self.colouring.colours(), self.colouring.count);
        let (starts, values, _) = self.matrix.places();
        if count == 0 {
            return f.eval(x, value);
        }
        self.workspace
            .compressed(f, x, (colours, count), |i, re, first, lanes| {
                value[i] = re;
                let row = starts[i]..starts[i + 1];
                for (value, colour) in values[row.clone()].iter_mut().zip(&self.entries[row]) {
                    if let Some(tangent) = lanes.get(colour.wrapping_sub(first) as usize) {
                        *value = *tangent;
                    }
                }
            })
    }

    fn reverse<F: Function>(&mut self, f: &F, x: &[f64], value: &mut [f64]) -> Result<(), Error> {
        let at = linearize(f, x)?;
        value.copy_from_slice(at.value());
        let rows = self.colouring.colours();
        let mut by_colour: Vec<Vec<usize>> = vec![Vec::new(); self.colouring.count()];
        for (i, &colour) in rows.iter().enumerate() {
            by_colour[colour as usize].push(i);
        }
        let mut y_bar = vec![0.0; value.len()];
        let mut adjoints = Vec::new();
        for rows in by_colour {
            for &i in &rows {
                y_bar[i] = 1.0;
            }
            at.pull(&y_bar, &mut adjoints)?;
            let (starts, values, indices) = self.matrix.places();
            for &i in &rows {
                for k in starts[i]..starts[i + 1] {
                    values[k] = adjoints[indices[k] as usize];
                }
                y_bar[i] = 0.0;
            }
        }
        Ok(())
    }

    /// The largest difference, over the rows, of this Jacobian times a fixed vector of numbers between ½ and 1 from one tangent sweep of `f` at `x`,
    /// relative to the sum of the magnitudes in the row: rounding where the pattern holds, of order one where it misses an entry, NaN where a row is not finite.
    ///
    /// Errors: those of `f`.
    pub fn discrepancy<F: Function>(&self, f: &F, x: &[f64]) -> Result<f64, Error> {
        // The golden ratio's multiples fill the interval evenly (H. Weyl, Math. Ann. 77 (1916) 313).
        let dx: Vec<f64> = (1..=x.len())
            .map(|k| 0.5 + 0.5 * (0.618_033_988_749_894_9 * k as f64).fract())
            .collect();
        let (_, dy) = jvp(f, x, &dx)?;
        let mut worst = 0.0_f64;
        for (i, &dy) in dy.iter().enumerate() {
            let (mut sum, mut size) = (0.0, dy.abs());
            for (j, v) in self.matrix.row(i) {
                sum += v * dx[j];
                size += (v * dx[j]).abs();
            }
            if size != 0.0 {
                let difference = (sum - dy).abs() / size;
                if difference.is_nan() {
                    return Ok(difference);
                }
                worst = worst.max(difference);
            }
        }
        Ok(worst)
    }
}

/// The value and the sparse Jacobian of `f` at `x`; for many points keep a [`SparseJacobian`].
///
/// # Example
/// ```
/// use pullback_ad::{Real, function, sparse_jacobian};
/// function! {
///     struct Diagonal;
///     fn eval(x: [3]) -> [3] { [x[0].square(), x[1].square(), x[2].square()] }
/// }
/// let (y, j) = sparse_jacobian(&Diagonal, &[1.0, 2.0, 3.0])?;
/// assert_eq!((y, j.values()), (vec![1.0, 4.0, 9.0], &[2.0, 4.0, 6.0][..]));
/// # Ok::<(), pullback_ad::Error>(())
/// ```
pub fn sparse_jacobian<F: Function>(f: &F, x: &[f64]) -> Result<(Vec<f64>, SparseMatrix), Error> {
    let mut jacobian = SparseJacobian::new(f, x)?;
    let mut value = vec![0.0; f.outputs()];
    jacobian.compute(f, x, &mut value)?;
    Ok((value, jacobian.matrix))
}
