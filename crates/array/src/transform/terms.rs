//! Jacobians as lists of terms: where every element of a value depends on few parameters, its derivatives are kept as (coefficient, column) pairs in the
//! spaces of the program, so that a Jacobian costs as much as the pairs there are and not as many sweeps as there are parameters.
//!
//! A term says `dv[row] = Σ coefficient · dθ[column]` over the elements of its space. Through the linearised program a term is scaled by residuals,
//! repeated by broadcasts and moved by scatters; sums cost nothing, because a term's space keeps the levels that were summed.

use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::prim::rows::Rows;
use crate::program::{Node, Program};
use crate::space::{LevelKind, Space};

/// One term of a Jacobian.
#[derive(Clone, Copy)]
pub(crate) struct Term<'b> {
    /// Elements of the term.
    pub space: Space,
    /// Coefficients; `None` is 1.
    pub coefficient: Option<Sym<'b>>,
    /// Column of each element, in a space that broadcasts to `space`.
    pub column: Sym<'b>,
    /// Row of each element; `None`: the element of the value's space that it lies below.
    pub row: Option<Sym<'b>>,
}

/// The Jacobian of a value.
#[derive(Clone)]
pub(crate) enum Terms<'b> {
    /// The parameters themselves.
    Identity,
    /// A sum of terms.
    Sum(Vec<Term<'b>>),
}

fn refuse(program: &Program, node: &Node, message: &str) -> Error {
    Error::Refused {
        transform: "sparse Jacobian",
        primitive: node.primitive.name(),
        label: program.label_of(node.first),
        message: message.into(),
    }
}

impl<'b> Term<'b> {
    /// The term with its coefficients multiplied by a value that lives where the rows do.
    fn scaled(self, b: &'b Builder, by: Sym<'b>, f: impl Fn(Sym<'b>, Sym<'b>) -> Sym<'b>) -> Self {
        let by = match self.row {
            Some(row) if !by.space().is_scalar() => by.gather(row),
            _ => by,
        };
        let by = b.broadcast(by, self.space);
        let coefficient = f(self.coefficient.unwrap_or(Sym::from(1.0)), by);
        Self {
            coefficient: Some(b.broadcast(coefficient, self.space)),
            ..self
        }
    }

    /// The term repeated along one more level at its inner end.
    fn repeated(self, b: &'b Builder, level: crate::space::LevelId) -> Option<Self> {
        if self.space.contains(level) {
            return Some(self);
        }
        let space = self.space.child(level)?;
        Some(Self {
            space,
            coefficient: self.coefficient.map(|c| b.broadcast(c, space)),
            ..self
        })
    }
}

/// Terms of the parameters themselves, for operations on the whole vector.
pub(crate) fn spelled_out<'b>(
    b: &'b Builder,
    terms: &Terms<'b>,
    space: Space,
) -> Option<Vec<Term<'b>>> {
    match terms {
        Terms::Sum(list) => Some(list.clone()),
        Terms::Identity => {
            let n = b.with_program(|p| space.last().and_then(|l| p.level(l).len))?;
            let column = b.constant_i64(&(0..n as i64).collect::<Vec<_>>(), space);
            Some(vec![Term {
                space,
                coefficient: None,
                column,
                row: None,
            }])
        }
    }
}

/// The Jacobian of the result of a linear node of the linearised `program`, from those of its arguments.
pub(crate) fn propagate<'b>(
    b: &'b Builder,
    program: &Program,
    node: &Node,
    args: &[Option<Terms<'b>>],
) -> Result<Terms<'b>> {
    let no = |message: &str| refuse(program, node, message);
    let space_of = |i: usize| program.ty(node.args[i]).space;
    let list = |i: usize| -> Result<Vec<Term<'b>>> {
        match &args[i] {
            None => Ok(Vec::new()),
            Some(terms) => spelled_out(b, terms, space_of(i))
                .ok_or_else(|| no("the number of parameters is not fixed")),
        }
    };
    let residual = |i: usize| b.sym(node.args[i]);
    let out = program.ty(node.first).space;
    let p = node.primitive;
    let terms: Vec<Term<'b>> = match p.name() {
        "neg" => list(0)?
            .into_iter()
            .map(|t| t.scaled(b, Sym::from(-1.0), |c, by| c * by))
            .collect(),
        "add" => [list(0)?, list(1)?].concat(),
        "sub" => {
            let mut terms = list(0)?;
            terms.extend(
                list(1)?
                    .into_iter()
                    .map(|t| t.scaled(b, Sym::from(-1.0), |c, by| c * by)),
            );
            terms
        }
        "mul" => {
            let k = usize::from(args[0].is_none());
            let by = residual(1 - k);
            list(k)?
                .into_iter()
                .map(|t| t.scaled(b, by, |c, by| c * by))
                .collect()
        }
        "div" => list(0)?
            .into_iter()
            .map(|t| t.scaled(b, residual(1), |c, by| c / by))
            .collect(),
        "select" => {
            let mask = residual(0);
            let zero = Sym::from(0.0);
            let mut terms: Vec<_> = list(1)?
                .into_iter()
                .map(|t| t.scaled(b, mask, |c, m| m.select(c, zero)))
                .collect();
            terms.extend(
                list(2)?
                    .into_iter()
                    .map(|t| t.scaled(b, mask, |c, m| m.select(zero, c))),
            );
            terms
        }
        "sum" | "total" => {
            let terms = list(0)?;
            if terms.iter().any(|t| t.row.is_some()) && !out.is_scalar() {
                return Err(no("a sum below scattered values"));
            }
            terms.into_iter().map(|t| Term { row: None, ..t }).collect()
        }
        "expand" => {
            let over = node.attrs.level("over").ok_or_else(|| no("no level"))?;
            let dense = b.with_program(|q| matches!(q.level(over).kind, LevelKind::Dense));
            if !dense || out.last() != Some(over) {
                return Err(no("a repetition along an outer or ragged level"));
            }
            let repeated = list(0)?.into_iter().map(|t| {
                if t.row.is_none() {
                    t.repeated(b, over)
                } else {
                    None
                }
            });
            repeated
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| no("a repetition of scattered values"))?
        }
        "rows_sum" if p == Rows::Sum.primitive() => {
            let lanes = out.last().ok_or_else(|| no("no lanes"))?;
            match (&args[0], &args[1]) {
                (Some(_), None) => {
                    let repeated = list(0)?
                        .into_iter()
                        .map(|t| t.repeated(b, lanes))
                        .collect::<Option<Vec<_>>>();
                    let repeated = repeated.ok_or_else(|| no("too many levels"))?;
                    repeated
                        .into_iter()
                        .map(|t| t.scaled(b, residual(1), |c, by| c * by))
                        .collect()
                }
                _ => list(1)?
                    .into_iter()
                    .map(|t| t.scaled(b, residual(0), |c, by| c * by))
                    .collect(),
            }
        }
        "rows_sum_at" => {
            let lanes = out.last().ok_or_else(|| no("no lanes"))?;
            match (&args[0], &args[2]) {
                (Some(table), None) => {
                    let index = residual(1);
                    let rows = gathered(b, table, space_of(0), index, index.space())
                        .ok_or_else(|| no("an element with several terms is gathered"))?;
                    let repeated = rows.into_iter().map(|t| t.repeated(b, lanes));
                    repeated
                        .collect::<Option<Vec<_>>>()
                        .ok_or_else(|| no("too many levels"))?
                        .into_iter()
                        .map(|t| t.scaled(b, residual(2), |c, by| c * by))
                        .collect()
                }
                _ => return Err(no("its matrix depends on the parameters")),
            }
        }
        "gather" => match &args[0] {
            Some(table) => gathered(b, table, space_of(0), residual(1), out)
                .ok_or_else(|| no("an element with several terms is gathered"))?,
            None => Vec::new(),
        },
        "scatter_add" => {
            let index = residual(1);
            let terms = list(0)?;
            if out.depth() != 1 || terms.iter().any(|t| t.row.is_some()) {
                return Err(no("scattered twice, or rows of a table"));
            }
            terms
                .into_iter()
                .map(|t| Term {
                    row: Some(index),
                    ..t
                })
                .collect()
        }
        _ => return Err(no("no rule for it")),
    };
    Ok(Terms::Sum(terms))
}

/// The terms of the elements at `index` of a table in `from`, one per element of `to`.
fn gathered<'b>(
    b: &'b Builder,
    table: &Terms<'b>,
    from: Space,
    index: Sym<'b>,
    to: Space,
) -> Option<Vec<Term<'b>>> {
    let Terms::Sum(terms) = table else {
        return Some(vec![Term {
            space: to,
            coefficient: None,
            column: index,
            row: None,
        }]);
    };
    let one = |t: &Term<'b>| {
        // One term per element: coefficient and column are gathered like the value.
        let own = t.row.is_none() && t.space == from && t.space.depth() == 1;
        own.then(|| Term {
            space: to,
            coefficient: t.coefficient.map(|c| c.gather(index)),
            column: b.broadcast(t.column, t.space).gather(index),
            row: None,
        })
    };
    terms.iter().map(one).collect()
}

/// Coefficients, columns and rows of a term, all in its space: coefficients `None` for ones, rows `None` for "row = element".
pub(crate) type Spread<'b> = (Option<Sym<'b>>, Sym<'b>, Option<Sym<'b>>);

/// Spreads a term of a value of space `value` over its elements.
pub(crate) fn spread<'b>(b: &'b Builder, term: &Term<'b>, value: Space) -> Option<Spread<'b>> {
    let full = |s: Sym<'b>| b.broadcast(s, term.space);
    let row = match term.row {
        Some(row) => Some(full(row)),
        None if term.space == value => None,
        None => {
            // The number of the element of the value's space that the term's element lies below.
            let lens: Option<usize> =
                b.with_program(|p| value.iter().map(|l| p.level(l).len).product());
            Some(full(
                b.constant_i64(&(0..lens? as i64).collect::<Vec<_>>(), value),
            ))
        }
    };
    Some((term.coefficient.map(full), full(term.column), row))
}
