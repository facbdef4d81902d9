//! Tables of fitted parameters: free ones, nuisance parameters, factors of single bins.

use std::fmt::Write;

use pullback_stats::fit::{FitResult, FittedParameter};
use pullback_stats::spec::ParameterKind;

use super::bars;
use super::rounding::{Rounded, fixed, round};
use super::table::{Align, align_decimals, natural_width, render};

/// Rows of a table that is not shown whole.
const SHOWN: usize = 20;

/// Names are not made shorter than this for the sake of the bars.
const NAME_WISHED: usize = 24;

/// The groups in which parameters are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Normalisations and free bin factors: what only the data constrain.
    Free,
    /// α and the luminosity.
    Nuisance,
    /// γ of MC statistics and shapesys, one per bin.
    Gamma,
}

impl Group {
    /// In the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Free, Self::Nuisance, Self::Gamma];

    /// The group of a kind.
    pub fn of(kind: ParameterKind) -> Self {
        match kind {
            ParameterKind::FreeNorm | ParameterKind::ShapeFactor => Self::Free,
            ParameterKind::Alpha | ParameterKind::Lumi => Self::Nuisance,
            ParameterKind::GammaStat | ParameterKind::GammaShape => Self::Gamma,
        }
    }

    /// A heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Free => "Free parameters",
            Self::Nuisance => "Nuisance parameters",
            Self::Gamma => "MC statistics and other bin factors (γ)",
        }
    }
}

/// The parameters of a group, the parameter of interest first, the others in the order of the model.
pub fn members(result: &FitResult, group: Group) -> Vec<&FittedParameter> {
    let mut list: Vec<(usize, &FittedParameter)> = result
        .parameters
        .iter()
        .enumerate()
        .filter(|(_, p)| Group::of(p.kind) == group)
        .collect();
    list.sort_by_key(|(i, _)| Some(*i) != result.poi);
    list.into_iter().map(|(_, p)| p).collect()
}

/// All tables.
pub fn tables(result: &FitResult, all: bool, width: usize) -> String {
    let mut text = String::new();
    for group in Group::ALL {
        let list = members(result, group);
        if !list.is_empty() {
            text.push_str(&table(group, &list, result, all, width));
        }
    }
    text
}

fn table(
    group: Group,
    list: &[&FittedParameter],
    result: &FitResult,
    all: bool,
    width: usize,
) -> String {
    let total = list.len();
    let cut = !all && total > SHOWN;
    let mut list = list.to_vec();
    let mut title = group.title().to_owned();
    if cut {
        // What matters most stays: the parameter of interest, those at a bound, the largest pulls.
        let poi = result.poi.map(|i| &result.parameters[i]);
        let weight = |p: &FittedParameter| {
            if poi.is_some_and(|poi| std::ptr::eq(poi, p)) || p.at_bound.is_some() {
                f64::INFINITY
            } else {
                p.pull.map_or(0.0, f64::abs)
            }
        };
        list.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
        list.truncate(SHOWN);
        let order = if group == Group::Free {
            ""
        } else {
            ", largest pulls first"
        };
        let _ = write!(title, " ({SHOWN} of {total}{order})");
    }
    let numbers: Vec<Rounded> = list.iter().map(|p| round(p.value, p.error)).collect();
    let values = align_decimals(&numbers);
    let with_pulls = list.iter().any(|p| p.pull.is_some());
    let with_notes = list.iter().any(|p| !note(p, result).is_empty());
    let mut columns = vec![("name", Align::Name), ("value ± error", Align::Left)];
    let mut rows: Vec<Vec<String>> = list
        .iter()
        .zip(values)
        .map(|(p, value)| vec![p.name.clone(), value])
        .collect();
    let mut add = |column: (&'static str, Align), cell: &dyn Fn(&FittedParameter) -> String| {
        columns.push(column);
        for (row, p) in rows.iter_mut().zip(&list) {
            row.push(cell(p));
        }
    };
    if with_pulls {
        add(("pull", Align::Right), &|p| {
            p.pull.map_or(String::new(), signed)
        });
        add(("constraint", Align::Right), &|p| {
            p.constraint.map_or(String::new(), |x| fixed(x, 2))
        });
    }
    if with_notes {
        add(("", Align::Left), &|p| note(p, result));
    }
    // The bars stand before the notes, if a name of usual length still fits beside them.
    let names = rows.iter().map(|r| r[0].chars().count()).max().unwrap_or(0);
    let without_names = natural_width(&columns, &rows) - names.max(4);
    if with_pulls && without_names + bars::WIDTH + 2 + names.min(NAME_WISHED) <= width {
        columns.insert(4, (bars::HEADER, Align::Left));
        for (row, p) in rows.iter_mut().zip(&list) {
            row.insert(
                4,
                p.pull.map_or(String::new(), |x| bars::bar(x, p.constraint)),
            );
        }
    }
    let mut text = format!("\n{title}\n{}", render(&columns, &rows, width));
    if cut {
        let _ = writeln!(text, "  … and {} more: --all shows them", total - SHOWN);
    }
    text
}

/// What is special about a parameter.
pub fn note(p: &FittedParameter, result: &FitResult) -> String {
    let is_poi = result
        .poi
        .is_some_and(|i| std::ptr::eq(&raw const result.parameters[i], p));
    let mut words = Vec::new();
    if is_poi {
        words.push("POI");
    }
    if p.fixed {
        words.push("fixed");
    }
    match p.at_bound.map(pullback_stats::fit::Side::as_str) {
        Some("lower") => words.push("at lower bound"),
        Some(_) => words.push("at upper bound"),
        None => {}
    }
    words.join(", ")
}

/// A pull with its sign.
fn signed(x: f64) -> String {
    let text = fixed(x, 2);
    if text.starts_with('-') || x.is_nan() {
        text
    } else {
        format!("+{text}")
    }
}
