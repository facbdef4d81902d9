//! Pulls and constraints: a point and a bar per nuisance parameter.

use pullback_stats::fit::FittedParameter;

use super::drawing::{Anchor, Drawing};
use super::scale::Scale;
use crate::text::shorten;

/// Parameters per drawing; more make more drawings, which the page sets side by side.
const ROWS: usize = 30;

const WIDTH: f64 = 360.0;
const ROW: f64 = 16.0;
const LEFT: f64 = 158.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 6.0;
const BOTTOM: f64 = 34.0;
const NAME: usize = 22;

/// The drawings of a list of parameters; those without a pull are left out.
pub fn plots(parameters: &[&FittedParameter]) -> Vec<String> {
    let with_pull: Vec<&FittedParameter> = parameters
        .iter()
        .copied()
        .filter(|p| p.pull.is_some())
        .collect();
    let range = range(&with_pull);
    // Drawings of equal length look better than a full one and a short one.
    let drawings = with_pull.len().div_ceil(ROWS).max(1);
    let rows = with_pull.len().div_ceil(drawings).max(1);
    with_pull
        .chunks(rows)
        .map(|chunk| plot(chunk, range))
        .collect()
}

/// A common range for all drawings, wide enough for the largest pull, at most ±5.
fn range(parameters: &[&FittedParameter]) -> f64 {
    let reach = |p: &&FittedParameter| p.pull.unwrap_or(0.0).abs() + p.constraint.unwrap_or(0.0);
    let largest = parameters
        .iter()
        .map(reach)
        .filter(|x| x.is_finite())
        .fold(0.0, f64::max);
    (largest + 0.2).clamp(2.3, 5.0)
}

fn plot(parameters: &[&FittedParameter], range: f64) -> String {
    let bottom = TOP + ROW * parameters.len() as f64;
    let mut drawing = Drawing::new(
        WIDTH,
        bottom + BOTTOM,
        "pulls and constraints of nuisance parameters",
    );
    let x = Scale::linear((-range, range), (LEFT, WIDTH - RIGHT));
    for (sigmas, colour) in [(2.0, "#fbf1d3"), (1.0, "#dcefdc")] {
        drawing.rect(
            x.at(-sigmas),
            TOP,
            x.at(sigmas) - x.at(-sigmas),
            bottom - TOP,
            colour,
        );
    }
    for (value, label) in x.ticks(5) {
        drawing.line(
            (x.at(value), TOP),
            (x.at(value), bottom),
            if value == 0.0 { "zero" } else { "grid" },
        );
        drawing.text(x.at(value), bottom + 13.0, Anchor::Middle, "tick", &label);
    }
    drawing.text(
        f64::midpoint(LEFT, WIDTH - RIGHT),
        bottom + 28.0,
        Anchor::Middle,
        "axis",
        "pull (σ before the fit)",
    );
    for (i, p) in parameters.iter().enumerate() {
        let y = TOP + ROW * (i as f64 + 0.5);
        let pull = p.pull.unwrap_or(0.0);
        let class = if pull.abs() > 2.0 {
            "far"
        } else if pull.abs() > 1.0 {
            "off"
        } else {
            "near"
        };
        let title = match p.constraint {
            Some(c) => format!(
                "{}: pull {pull:+.3}, error after / before the fit {c:.3}",
                p.name
            ),
            None => format!("{}: pull {pull:+.3}", p.name),
        };
        drawing.open_with_title(&title);
        drawing.text(
            LEFT - 6.0,
            y + 3.6,
            Anchor::End,
            "name",
            &shorten(&p.name, NAME),
        );
        if let Some(c) = p.constraint {
            let bar = format!("bar {class}");
            drawing.line((x.at(pull - c), y), (x.at(pull + c), y), &bar);
        }
        drawing.disc(x.at(pull), y, 3.0, &format!("point {class}"));
        drawing.close();
    }
    drawing.finish(1.35)
}
