//! Sparse Jacobians against dense ones, and colourings of patterns whose number of colours is known.

use proptest::prelude::*;
use pullback_ad::{
    Colouring, CustomVjp, Error, Function, Order, Scalar, SparseJacobian, SparseMatrix, custom_vjp,
    jacobian, jacobian_pattern, jvp, sparse_jacobian, stop_gradient,
};

const ORDERS: [Order; 3] = [Order::Natural, Order::LargestFirst, Order::SmallestLast];

fn pattern(columns: usize, rows: &[Vec<usize>]) -> SparseMatrix {
    SparseMatrix::from_pattern(columns, rows).expect("columns within the matrix")
}

/// Columns of a common row have different colours, and none is left out.
fn assert_valid(matrix: &SparseMatrix, colouring: &Colouring) {
    assert_eq!(colouring.colours().len(), matrix.columns());
    for i in 0..matrix.rows() {
        let mut seen = vec![false; colouring.count()];
        for &j in matrix.columns_of(i) {
            let colour = colouring.colours()[j as usize] as usize;
            assert!(
                !std::mem::replace(&mut seen[colour], true),
                "row {i}, column {j}"
            );
        }
    }
}

/// Outputs of random inputs each: products, quotients, functions of all of them.
#[derive(Clone, Debug)]
struct Random {
    inputs: usize,
    rows: Vec<Vec<usize>>,
}

impl Function for Random {
    fn outputs(&self) -> usize {
        self.rows.len()
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        for (k, (y, row)) in y.iter_mut().zip(&self.rows).enumerate() {
            let mut sum = S::constant(0.25 * k as f64);
            for (a, b) in row.iter().zip(row.iter().cycle().skip(1)) {
                sum += (x[*a] * 0.7).sin() * x[*b] + x[*a].square() / (x[*b].square() + 1.0);
            }
            *y = sum.tanh() + sum * 0.1;
        }
        Ok(())
    }
}

/// [`Random`] in registers.
struct InRegisters(Random);

impl Function for InRegisters {
    const INLINED: bool = true;

    fn outputs(&self) -> usize {
        self.0.outputs()
    }

    #[inline(always)]
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        for (k, (y, row)) in y.iter_mut().zip(&self.0.rows).enumerate() {
            let mut sum = S::constant(0.25 * k as f64);
            for (a, b) in row.iter().zip(row.iter().cycle().skip(1)) {
                sum += (x[*a] * 0.7).sin() * x[*b] + x[*a].square() / (x[*b].square() + 1.0);
            }
            *y = sum.tanh() + sum * 0.1;
        }
        Ok(())
    }
}

fn random() -> impl Strategy<Value = (Random, Vec<f64>)> {
    (1_usize..40, 0_usize..30).prop_flat_map(|(n, m)| {
        let row = prop::collection::vec(0..n, 0..(n.min(6) + 1));
        let function =
            prop::collection::vec(row, m).prop_map(move |rows| Random { inputs: n, rows });
        (function, prop::collection::vec(-2.0..2.0_f64, n))
    })
}

fn close(found: &[f64], expected: &[f64]) -> bool {
    found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() <= 1e-13 * (1.0 + b.abs()))
}

proptest! {
    #[test]
    fn random_functions_have_the_dense_jacobian((f, x) in random()) {
        let dense = jacobian(&f, &x).expect("evaluates");
        let (y, sparse) = sparse_jacobian(&f, &x).expect("evaluates");
        let mut value = vec![0.0; f.outputs()];
        f.eval(&x, &mut value).expect("evaluates");
        prop_assert_eq!(y, value);
        prop_assert!(close(sparse.dense().as_slice(), dense.as_slice()));
        let (_, in_registers) = sparse_jacobian(&InRegisters(f.clone()), &x).expect("evaluates");
        prop_assert!(close(in_registers.dense().as_slice(), dense.as_slice()));
        // The pattern is what the rows name.
        for (i, row) in f.rows.iter().enumerate() {
            let mut expected: Vec<u32> = row.iter().map(|&j| j as u32).collect();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(sparse.columns_of(i), &expected[..]);
        }
    }

    #[test]
    fn colourings_of_random_patterns_are_valid((f, _) in random()) {
        let matrix = pattern(f.inputs, &f.rows);
        let fullest = (0..matrix.rows()).map(|i| matrix.columns_of(i).len()).max().unwrap_or(0);
        for order in ORDERS {
            let colouring = Colouring::of_columns(&matrix, order);
            assert_valid(&matrix, &colouring);
            prop_assert!(colouring.count() >= fullest.max(1));
            prop_assert!(colouring.colours().iter().all(|c| (*c as usize) < colouring.count()));
        }
    }

    #[test]
    fn products_with_vectors_are_those_of_tangents((f, x) in random()) {
        let (_, sparse) = sparse_jacobian(&f, &x).expect("evaluates");
        let dx: Vec<f64> = x.iter().map(|x| x.cos()).collect();
        let (_, dy) = jvp(&f, &x, &dx).expect("evaluates");
        prop_assert!(close(&sparse.times(&dx).expect("fits"), &dy));
        let jacobian = SparseJacobian::with_pattern(sparse, Order::Natural);
        prop_assert!(jacobian.discrepancy(&f, &x).expect("evaluates") < 1e-13);
    }
}

#[test]
fn bands_blocks_and_arrows_take_as_many_colours_as_known() {
    let n = 60;
    for order in ORDERS {
        let count = |columns: usize, rows: &[Vec<usize>]| {
            Colouring::of_columns(&pattern(columns, rows), order).count()
        };
        // A band of half-width w: 2w + 1.
        for w in [0, 1, 2, 5] {
            let band: Vec<Vec<usize>> = (0..n)
                .map(|i: usize| (i.saturating_sub(w)..(i + w + 1).min(n)).collect())
                .collect();
            assert_eq!(count(n, &band), 2 * w + 1, "{order:?} {w}");
        }
        // Diagonal blocks of b: b.
        let blocks: Vec<Vec<usize>> = (0..n)
            .map(|i| (i / 6 * 6..i / 6 * 6 + 6).collect())
            .collect();
        assert_eq!(count(n, &blocks), 6, "{order:?}");
        // A diagonal and a full column: 2. A diagonal and a full row: n, but 2 by rows.
        let column: Vec<Vec<usize>> = (0..n).map(|i| vec![0, i]).collect();
        assert_eq!(count(n, &column), 2, "{order:?}");
        let mut row: Vec<Vec<usize>> = (0..n).map(|i| vec![i]).collect();
        row.push((0..n).collect());
        assert_eq!(count(n, &row), n, "{order:?}");
        assert_eq!(
            Colouring::of_rows(&pattern(n, &row), order).count(),
            2,
            "{order:?}"
        );
        // Nothing at all: one colour for columns that nobody meets.
        assert_eq!(count(3, &[vec![], vec![]]), 1, "{order:?}");
        assert_eq!(count(0, &[]), 0, "{order:?}");
    }
}

#[test]
fn a_five_point_stencil_takes_few_colours() {
    let side = 12;
    let rows: Vec<Vec<usize>> = (0..side * side)
        .map(|p| {
            let (i, j) = (p / side, p % side);
            let mut row = vec![p];
            row.extend((i > 0).then(|| p - side));
            row.extend((i + 1 < side).then_some(p + side));
            row.extend((j > 0).then(|| p - 1));
            row.extend((j + 1 < side).then_some(p + 1));
            row
        })
        .collect();
    let matrix = pattern(side * side, &rows);
    for order in ORDERS {
        let colouring = Colouring::of_columns(&matrix, order);
        assert_valid(&matrix, &colouring);
        // Five is the least (Goldfarb & Toint, Math. Comp. 43 (1984) 69); greedy orders come near.
        assert!(
            (5..=9).contains(&colouring.count()),
            "{order:?}: {}",
            colouring.count()
        );
    }
}

/// A diagonal, and an output that depends on everything.
struct Arrow;

impl Function for Arrow {
    fn outputs(&self) -> usize {
        101
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        let mut sum = S::constant(0.0);
        for (y, &x) in y.iter_mut().zip(x) {
            *y = x.exp();
            sum += *y * x;
        }
        y[100] = sum;
        Ok(())
    }
}

#[test]
fn a_full_row_is_computed_in_reverse() {
    let x: Vec<f64> = (0..100).map(|i| 0.01 * f64::from(i)).collect();
    let mut sparse = SparseJacobian::new(&Arrow, &x).expect("evaluates");
    assert_eq!((sparse.colours(), sparse.is_reverse()), (2, true));
    let mut y = vec![0.0; 101];
    let found = sparse
        .compute(&Arrow, &x, &mut y)
        .expect("evaluates")
        .dense();
    assert!(close(
        found.as_slice(),
        jacobian(&Arrow, &x).expect("evaluates").as_slice()
    ));
    assert_eq!(y[3], 0.03_f64.exp());
}

/// Squares, with a rule that has no tangents.
#[derive(Clone)]
struct Squares;

impl CustomVjp for Squares {
    fn name(&self) -> &'static str {
        "squares"
    }

    fn value(&self, x: &[f64], y: &mut [f64]) -> Result<(), Error> {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = x * x);
        Ok(())
    }

    fn vjp(&self, x: &[f64], _: &[f64], y_bar: &[f64], x_bar: &mut [f64]) -> Result<(), Error> {
        for ((x_bar, x), y_bar) in x_bar.iter_mut().zip(x).zip(y_bar) {
            *x_bar += 2.0 * x * y_bar;
        }
        Ok(())
    }
}

struct Opaque;

impl Function for Opaque {
    fn outputs(&self) -> usize {
        4
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        for (x, y) in x.chunks(2).zip(y.chunks_mut(2)) {
            custom_vjp(&Squares, x, y)?;
        }
        Ok(())
    }
}

#[test]
fn a_function_without_tangents_falls_back_to_reverse_mode() {
    let x = [1.0, 2.0, 3.0, 4.0];
    let mut sparse = SparseJacobian::new(&Opaque, &x).expect("evaluates");
    // What is not looked into depends on all its inputs.
    assert_eq!(sparse.matrix().columns_of(3), [2, 3]);
    let mut y = [0.0; 4];
    let j = sparse.compute(&Opaque, &x, &mut y).expect("evaluates");
    assert_eq!(j.values(), [2.0, 0.0, 0.0, 4.0, 6.0, 0.0, 0.0, 8.0]);
    assert!(sparse.is_reverse());
}

/// Depends on one side or the other; something is held fixed.
struct Branch;

impl Function for Branch {
    fn outputs(&self) -> usize {
        2
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        y[0] = if x[0] > S::constant(0.0) {
            x[1]
        } else {
            x[2] * x[0]
        };
        y[1] = x[1].max(x[2]) * stop_gradient(x[0]);
        Ok(())
    }
}

#[test]
fn a_pattern_holds_on_its_path_and_a_discrepancy_tells_where_it_does_not() {
    let x = [1.0, 2.0, 3.0];
    let pattern = jacobian_pattern(&Branch, &x).expect("evaluates");
    assert_eq!(
        (pattern.columns_of(0), pattern.columns_of(1)),
        (&[1][..], &[2][..])
    );
    let mut sparse = SparseJacobian::new(&Branch, &x).expect("evaluates");
    let mut y = [0.0; 2];
    sparse.compute(&Branch, &x, &mut y).expect("evaluates");
    assert!(sparse.discrepancy(&Branch, &x).expect("evaluates") < 1e-15);
    let other = [-1.0, 2.0, 3.0];
    sparse.compute(&Branch, &other, &mut y).expect("evaluates");
    assert!(sparse.discrepancy(&Branch, &other).expect("evaluates") > 0.05);
}

#[test]
fn wrong_lengths_are_refused() {
    let mut sparse = SparseJacobian::new(&Branch, &[1.0, 2.0, 3.0]).expect("evaluates");
    let error = sparse
        .compute(&Branch, &[1.0], &mut [0.0; 2])
        .expect_err("too short");
    assert_eq!(error.code(), "PB0102");
    assert!(sparse.compute(&Branch, &[1.0; 3], &mut [0.0; 3]).is_err());
    assert!(SparseMatrix::from_pattern(2, &[vec![2]]).is_err());
    assert!(sparse.matrix().times(&[0.0; 2]).is_err());
    assert_eq!(sparse.matrix().row(9).count(), 0);
}

/// A slope that is infinite, in a row before one that is not.
struct Cusp;

impl Function for Cusp {
    fn outputs(&self) -> usize {
        2
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) -> Result<(), Error> {
        (y[0], y[1]) = (x[0].sqrt(), x[1].square());
        Ok(())
    }
}

#[test]
fn a_discrepancy_is_nan_where_any_row_is_not_finite() {
    let x = [0.0, 2.0];
    let mut sparse = SparseJacobian::new(&Cusp, &x).expect("evaluates");
    sparse.compute(&Cusp, &x, &mut [0.0; 2]).expect("evaluates");
    assert!(sparse.discrepancy(&Cusp, &x).expect("evaluates").is_nan());
    let finite = [1.0, 2.0];
    sparse
        .compute(&Cusp, &finite, &mut [0.0; 2])
        .expect("evaluates");
    assert!(sparse.discrepancy(&Cusp, &finite).expect("evaluates") < 1e-15);
}
