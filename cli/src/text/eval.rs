//! The likelihood at a point, for people.

use std::fmt::Write;

use super::rounding::significant;
use super::table::{Align, render};
use crate::json::Evaluation;

/// Rows of a table that is not shown whole.
const SHOWN: usize = 40;

/// Parameters up to which a Hessian fits a terminal.
const MATRIX: usize = 6;

/// The whole text.
pub fn eval(evaluation: &Evaluation, all: bool, width: usize) -> String {
    let mut text = format!("twice_nll = {}\n\n", evaluation.twice_nll);
    let mut columns = vec![("parameter", Align::Name), ("value", Align::Right)];
    if evaluation.gradient.is_some() {
        columns.push(("gradient", Align::Right));
    }
    let total = evaluation.parameters.len();
    let shown = if all { total } else { total.min(SHOWN) };
    let rows: Vec<Vec<String>> = evaluation.parameters[..shown]
        .iter()
        .enumerate()
        .map(|(i, p)| {
            let mut row = vec![p.name.clone(), number(p.value)];
            if let Some(gradient) = &evaluation.gradient {
                row.push(number(gradient[i]));
            }
            row
        })
        .collect();
    text.push_str(&render(&columns, &rows, width));
    if shown < total {
        let _ = writeln!(text, "  … and {} more: --all shows them", total - shown);
    }
    match &evaluation.hessian {
        Some(hessian) if hessian.len() <= MATRIX => {
            let columns = vec![("", Align::Right); hessian.len()];
            let rows: Vec<Vec<String>> = hessian
                .iter()
                .map(|row| row.iter().map(|x| significant(*x, 5)).collect())
                .collect();
            let _ = write!(text, "\nHessian\n{}", render(&columns, &rows, width));
        }
        Some(hessian) => {
            let n = hessian.len();
            let _ = writeln!(
                text,
                "\nThe Hessian has {n} × {n} entries: --json prints it, -o FILE writes it."
            );
        }
        None => {}
    }
    text
}

fn number(x: f64) -> String {
    let shortest = format!("{x}");
    if shortest.len() <= 9 {
        shortest
    } else {
        significant(x, 8)
    }
}
