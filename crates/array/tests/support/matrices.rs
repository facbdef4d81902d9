//! The reference interpreter's dense linear algebra, over complex numbers and from textbook formulas: Cholesky by columns, Gauss–Jordan elimination, the
//! determinant by expansion along the first row. Every element of a matrix is found by its coordinates.
#![allow(
    clippy::needless_range_loop,
    reason = "elements by their indices, as in the formulas"
)]

use std::collections::HashMap;

use pullback_array::{Node, Space};

use super::complex::{C, c};
use super::interpreter::{Array, Coordinates, Interpreter};

type Matrix = Vec<Vec<C>>;

/// L with A = L Lᵀ (no conjugate: the formulas are analytic), column by column, from the lower triangle.
fn cholesky(a: &Matrix) -> Matrix {
    let n = a.len();
    let mut l = vec![vec![C::from(0.0); n]; n];
    for j in 0..n {
        for i in j..n {
            let mut x = a[i][j];
            for k in 0..j {
                x = x - l[i][k] * l[j][k];
            }
            l[i][j] = if i == j { x.sqrt() } else { x / l[j][j] };
        }
    }
    l
}

/// A⁻¹ by Gauss–Jordan elimination on [A | 1].
fn inverse(a: &Matrix) -> Matrix {
    let n = a.len();
    let mut work: Matrix = (0..n)
        .map(|i| {
            let unit = (0..n).map(|j| C::from(f64::from(u8::from(i == j))));
            a[i].iter().copied().chain(unit).collect()
        })
        .collect();
    for k in 0..n {
        let best = (k..n)
            .max_by(|&i, &j| work[i][k].re.abs().total_cmp(&work[j][k].re.abs()))
            .expect("a row is left");
        work.swap(k, best);
        let pivot = work[k][k];
        for x in &mut work[k] {
            *x = *x / pivot;
        }
        for i in (0..n).filter(|i| *i != k) {
            let f = work[i][k];
            for j in 0..2 * n {
                let y = work[k][j];
                work[i][j] = work[i][j] - f * y;
            }
        }
    }
    work.into_iter().map(|row| row[n..].to_vec()).collect()
}

fn determinant(a: &Matrix) -> C {
    if a.is_empty() {
        return C::from(1.0);
    }
    let mut sum = C::from(0.0);
    for (j, x) in a[0].iter().enumerate() {
        let minor: Matrix = a[1..]
            .iter()
            .map(|row| {
                let others = row.iter().enumerate().filter(|(k, _)| *k != j);
                others.map(|(_, x)| *x).collect()
            })
            .collect();
        let term = *x * determinant(&minor);
        sum = if j % 2 == 0 { sum + term } else { sum - term };
    }
    sum
}

/// Factors in one matrix, and the rows: elimination with the largest real part as the pivot.
fn lu(a: &Matrix) -> (Matrix, Vec<i64>) {
    let n = a.len();
    let (mut f, mut rows) = (a.clone(), (0..n as i64).collect::<Vec<_>>());
    for k in 0..n {
        let best = (k..n).fold(k, |b, i| {
            if f[i][k].re.abs() > f[b][k].re.abs() {
                i
            } else {
                b
            }
        });
        f.swap(k, best);
        rows.swap(k, best);
        for i in k + 1..n {
            f[i][k] = f[i][k] / f[k][k];
            for j in k + 1..n {
                let x = f[i][k] * f[k][j];
                f[i][j] = f[i][j] - x;
            }
        }
    }
    (f, rows)
}

/// A matrix with only the elements of the triangle `part` (0: all, 1: lower, 2: upper).
fn part(a: &Matrix, part: i64) -> Matrix {
    let kept = |i: usize, j: usize| part == 0 || (part == 1 && j <= i) || (part == 2 && j >= i);
    a.iter()
        .enumerate()
        .map(|(i, row)| {
            row.iter()
                .enumerate()
                .map(|(j, x)| if kept(i, j) { *x } else { C::from(0.0) })
                .collect()
        })
        .collect()
}

fn transposed(a: &Matrix, yes: bool) -> Matrix {
    let n = a.len();
    if yes {
        (0..n).map(|i| (0..n).map(|j| a[j][i]).collect()).collect()
    } else {
        a.clone()
    }
}

impl Interpreter<'_> {
    /// The matrix of each lane of a value in `space`.
    fn matrices_of(&self, space: &Space, x: &[C]) -> HashMap<Coordinates, Matrix> {
        let depth = space.depth() - 2;
        let mut all: HashMap<Coordinates, Matrix> = self
            .coordinates(&space.prefix(depth))
            .into_iter()
            .map(|lane| (lane, Vec::new()))
            .collect();
        for (at, x) in self.coordinates(space).iter().zip(x) {
            let matrix = all.get_mut(&at[..depth]).expect("a lane");
            if matrix.len() == at[depth] {
                matrix.push(Vec::new());
            }
            matrix[at[depth]].push(*x);
        }
        all
    }

    /// Elements of matrices, in the order of `space`.
    fn elements(&self, space: &Space, of: &HashMap<Coordinates, Matrix>) -> Array {
        let depth = space.depth() - 2;
        Array::Num(
            self.coordinates(space)
                .iter()
                .map(|at| of[&at[..depth]][at[depth]][at[depth + 1]])
                .collect(),
        )
    }

    /// Dense linear algebra, by name.
    pub fn matrices(&self, node: &Node) -> Option<Vec<Array>> {
        let name = node.primitive.name();
        let known = [
            "cholesky",
            "mirror_triangle",
            "fold_triangle",
            "triangular_solve",
            "matrix_apply",
            "matrix_outer",
            "lu",
            "lu_solve",
            "slogdet",
        ];
        if !known.contains(&name) {
            return None;
        }
        let attrs = &node.attrs;
        let space = |i: usize| self.program.ty(node.args[i]).space;
        let num = |i: usize| self.get(node.args[i]).num();
        let flag = |name: &str| attrs.int(name) == Some(1);
        if name == "matrix_outer" {
            return Some(vec![self.outer(node)?]);
        }
        let given = self.matrices_of(&space(0), num(0));
        let each = |f: &dyn Fn(&Matrix) -> Matrix| {
            let made = given.iter().map(|(k, m)| (k.clone(), f(m))).collect();
            vec![self.elements(&space(0), &made)]
        };
        Some(match name {
            "cholesky" => each(&cholesky),
            "mirror_triangle" => each(&|m| {
                let at = |i: usize, j: usize| m[i.max(j)][i.min(j)];
                let n = m.len();
                (0..n).map(|i| (0..n).map(|j| at(i, j)).collect()).collect()
            }),
            "fold_triangle" => each(&|m| {
                let at = |i: usize, j: usize| match i.cmp(&j) {
                    std::cmp::Ordering::Greater => m[i][j] + m[j][i],
                    std::cmp::Ordering::Equal => m[i][i],
                    std::cmp::Ordering::Less => C::from(0.0),
                };
                let n = m.len();
                (0..n).map(|i| (0..n).map(|j| at(i, j)).collect()).collect()
            }),
            "lu" => {
                let rows_of: HashMap<&Coordinates, Vec<i64>> =
                    given.iter().map(|(k, m)| (k, lu(m).1)).collect();
                let depth = space(0).depth();
                let rows = self
                    .coordinates(&space(0).prefix(depth - 1))
                    .into_iter()
                    .map(|at| rows_of[&at[..depth - 2].to_vec()][at[depth - 2]])
                    .collect();
                let mut out = each(&|m| lu(m).0);
                out.push(Array::Int(rows));
                out
            }
            "slogdet" => {
                let lanes = self.coordinates(&space(0).prefix(space(0).depth() - 2));
                let det: Vec<C> = lanes.iter().map(|l| determinant(&given[l])).collect();
                vec![
                    Array::Num(det.iter().map(|d| C::from(d.re.signum())).collect()),
                    Array::Num(
                        det.iter()
                            .map(|d| if d.re < 0.0 { (-*d).ln() } else { d.ln() })
                            .collect(),
                    ),
                ]
            }
            _ => {
                let solves = name != "matrix_apply";
                let x = node.args.len() - 1;
                let acting: HashMap<Coordinates, Matrix> = given
                    .iter()
                    .map(|(k, m)| {
                        let m = part(m, attrs.int("part").unwrap_or(0));
                        let m = transposed(&m, flag("transposed"));
                        (k.clone(), if solves { inverse(&m) } else { m })
                    })
                    .collect();
                let at = self.coordinates(&space(x));
                let lanes = space(0).depth() - 2;
                let (lines, _) = self.lines(&space(x), attrs.level("over")?);
                let mut out = num(x).to_vec();
                for line in lines.iter().filter(|l| !l.is_empty()) {
                    let matrix = &acting[&at[line[0]][..lanes]];
                    for (r, to) in line.iter().enumerate() {
                        out[*to] = line
                            .iter()
                            .enumerate()
                            .fold(c(0.0, 0.0), |s, (k, from)| s + matrix[r][k] * num(x)[*from]);
                    }
                }
                vec![Array::Num(out)]
            }
        })
    }

    fn outer(&self, node: &Node) -> Option<Array> {
        let (to, over) = (node.attrs.space("to")?, node.attrs.level("over")?);
        let space = self.program.ty(node.args[0]).space;
        let (x, y) = (self.get(node.args[0]).num(), self.get(node.args[1]).num());
        let (at, lanes) = (self.coordinates(&space), to.depth() - 2);
        let flat = self.flat(&to);
        let mut out = vec![C::from(0.0); flat.len()];
        for line in self.lines(&space, over).0 {
            for (r, i) in line.iter().enumerate() {
                for (s, j) in line.iter().enumerate() {
                    let mut place = at[*i][..lanes].to_vec();
                    place.extend([r, s]);
                    let o = &mut out[flat[&place]];
                    *o = *o + x[*i] * y[*j];
                }
            }
        }
        let Array::Num(out) = self.elements(
            &to,
            &self
                .matrices_of(&to, &out)
                .into_iter()
                .map(|(k, m)| (k, part(&m, node.attrs.int("part").unwrap_or(0))))
                .collect(),
        ) else {
            return None;
        };
        Some(Array::Num(out))
    }
}
