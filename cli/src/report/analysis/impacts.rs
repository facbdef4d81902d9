//! What each systematic costs the objective: bars.

use pullback_analysis::optimize::Outcome;

use super::super::drawing::{Anchor, Drawing};
use super::super::scale::Scale;
use super::heading::Heading;
use crate::text::shorten;

const WIDTH: f64 = 380.0;
const LEFT: f64 = 164.0;
const RIGHT: f64 = 58.0;
const ROW: f64 = 20.0;
const BOTTOM: f64 = 34.0;

/// Systematics in the drawing, at most; the others are the smallest.
const ROWS: usize = 24;

/// Names, and by how much the objective would be better without them, as a part of it: the largest first.
pub fn costs(outcome: &Outcome) -> Vec<(&str, f64)> {
    let value = outcome.after[2].value;
    let cost = |without: f64| {
        if outcome.small_is_good {
            1.0 - without / value
        } else {
            without / value - 1.0
        }
    };
    let mut all: Vec<(&str, f64)> = (outcome.impacts.iter())
        .map(|i| (i.name.as_str(), cost(i.without)))
        .filter(|(_, c)| c.is_finite())
        .collect();
    all.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    all
}

/// The drawing; nothing without systematics.
pub fn draw(outcome: &Outcome, heading: &Heading<'_>) -> Option<Drawing> {
    let mut costs = costs(outcome);
    costs.truncate(ROWS);
    if costs.is_empty() {
        return None;
    }
    let low = costs.iter().map(|c| c.1).fold(0.0, f64::min);
    let high = costs.iter().map(|c| c.1).fold(0.0, f64::max);
    let span = (high - low).max(1e-4);
    // Room for the numbers of bars to the left.
    let low = if low < -0.02 * span {
        low - 0.28 * span
    } else {
        0.0
    };
    let high = high.max(0.05 * span);
    let x = Scale::linear((100.0 * low, 100.0 * high), (LEFT, WIDTH - RIGHT));
    let top = heading.height(0, WIDTH);
    let bottom = top + ROW * costs.len() as f64 + 8.0;
    let mut drawing = Drawing::new(WIDTH, bottom + BOTTOM, "what each systematic costs");
    heading.draw(&mut drawing, &[], WIDTH);
    for (value, label) in x.ticks(4) {
        let at = x.at(value);
        drawing.line((at, top + 4.0), (at, bottom), "light");
        drawing.text(at, bottom + 13.0, Anchor::Middle, "tick", &label);
    }
    let zero = x.at(0.0);
    for (k, (name, cost)) in costs.iter().enumerate() {
        let y = top + 6.0 + ROW * k as f64;
        let end = x.at(100.0 * cost);
        let colour = if *cost < 0.0 { "#94a4a2" } else { "#3f90da" };
        let (from, to) = (zero.min(end), zero.max(end));
        drawing.rect(from, y + 3.0, (to - from).max(0.8), ROW - 6.0, colour);
        let middle = y + ROW / 2.0 + 3.8;
        drawing.text(LEFT - 8.0, middle, Anchor::End, "name", &shorten(name, 26));
        let text = percent(*cost);
        if *cost < 0.0 {
            drawing.text(end - 4.0, middle, Anchor::End, "value", &text);
        } else {
            drawing.text(end + 4.0, middle, Anchor::Start, "value", &text);
        }
    }
    drawing.line((zero, top + 4.0), (zero, bottom), "mark");
    let name = format!("{}: better without it by, per cent", outcome.objective);
    drawing.text(WIDTH - 8.0, bottom + 28.0, Anchor::End, "axis", &name);
    Some(drawing)
}

fn percent(x: f64) -> String {
    format!("{:+.2} %", 100.0 * x).replace('-', "−")
}
