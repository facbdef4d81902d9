//! How an optimisation went: the soft objective of training events and the exact one of validation events by step, and the widths below.

use pullback_analysis::optimize::{Outcome, Record};

use super::super::drawing::{Anchor, Drawing, Paint};
use super::super::scale::Scale;
use super::heading::Heading;
use super::panel::Panel;

const WIDTH: f64 = 380.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 17.0;
const TOP: f64 = 10.0;
const MAIN: f64 = 190.0;
const GAP: f64 = 10.0;
const WIDTHS: f64 = 56.0;
const BOTTOM: f64 = 36.0;

/// Ratio of the largest to the smallest objective from which on the axis is logarithmic.
const LOGARITHMIC: f64 = 12.0;

/// What is drawn.
const KEYS: [(&str, &str, bool); 3] = [
    ("soft, train.", "#7a8490", true),
    ("exact, valid.", "#0b57a4", true),
    ("chosen", "#1a7f37", true),
];

/// The drawing; nothing where no step was made.
pub fn draw(outcome: &Outcome, heading: &Heading<'_>) -> Option<Drawing> {
    let history = &outcome.history;
    let last = history.iter().map(|r| r.step).max()?;
    let x = Scale::linear((0.0, last.max(1) as f64), (LEFT, WIDTH - RIGHT));
    let top = TOP + heading.height(KEYS.len(), WIDTH);
    let bottom = top + MAIN;
    let panel = Panel {
        left: LEFT,
        right: WIDTH - RIGHT,
        top,
        bottom,
        x,
        y: vertical(outcome, (bottom, top)),
    };
    let about = format!("{} by step of the optimisation", outcome.objective);
    let below = bottom + GAP + WIDTHS;
    let mut drawing = Drawing::new(WIDTH, below + BOTTOM, &about);
    heading.draw(&mut drawing, &KEYS, WIDTH);
    let before = panel.y.at(outcome.before[1].value);
    drawing.line((LEFT, before), (WIDTH - RIGHT, before), "zero");
    drawing.text(
        WIDTH - RIGHT - 4.0,
        if before < top + 16.0 {
            before + 12.0
        } else {
            before - 4.0
        },
        Anchor::End,
        "tick",
        "before",
    );
    for steps in history.chunk_by(|a, b| a.start == b.start) {
        draw_start(&mut drawing, &panel, steps);
    }
    mark_best(&mut drawing, &panel, outcome, below);
    panel.frame(&mut drawing);
    panel.vertical(&mut drawing, 5, outcome.objective);
    panel.horizontal(&mut drawing, 6, None);
    let widths = Panel {
        top: bottom + GAP,
        bottom: below,
        y: widths_scale(history, (below, bottom + GAP)),
        ..panel
    };
    for steps in history.chunk_by(|a, b| a.start == b.start) {
        let points = steps.iter().map(|r| (r.step as f64, r.temperature));
        let points: Vec<_> = points.map(|(s, t)| (x.at(s), widths.y.at(t))).collect();
        drawing.path(&points, false, Paint::class("soft"));
    }
    widths.frame(&mut drawing);
    widths.vertical(&mut drawing, 2, "widths");
    widths.horizontal(&mut drawing, 6, Some("step"));
    Some(drawing)
}

fn finite(x: f64) -> Option<f64> {
    (x.is_finite() && x > 0.0).then_some(x)
}

/// Whatever was seen, the value before as well.
fn vertical(outcome: &Outcome, pixels: (f64, f64)) -> Scale {
    let history = &outcome.history;
    let soft = history.iter().filter_map(|r| finite(r.soft));
    let exact = history.iter().filter_map(|r| finite(r.validation?[0]));
    let before = finite(outcome.before[1].value);
    let all: Vec<f64> = soft.chain(exact).chain(before).collect();
    let low = all.iter().copied().fold(f64::INFINITY, f64::min);
    let high = all.iter().copied().fold(0.0, f64::max);
    if !low.is_finite() {
        return Scale::linear((0.0, 1.0), pixels);
    }
    if high > LOGARITHMIC * low {
        return Scale::logarithmic((low * 0.8, high * 1.25), pixels);
    }
    let room = 0.08 * (high - low).max(1e-3 * high);
    Scale::linear((low - room, high + room), pixels)
}

fn widths_scale(history: &[Record], pixels: (f64, f64)) -> Scale {
    let all = history.iter().filter_map(|r| finite(r.temperature));
    let low = all.clone().fold(f64::INFINITY, f64::min);
    let high = all.fold(0.0, f64::max);
    if low.is_finite() {
        Scale::logarithmic((low * 0.7, high * 1.4), pixels)
    } else {
        Scale::linear((0.0, 1.0), pixels)
    }
}

fn draw_start(drawing: &mut Drawing, panel: &Panel, steps: &[Record]) {
    let at = |step: usize, value: f64| (panel.x.at(step as f64), panel.y.at(value));
    let soft = steps.iter().filter(|r| r.soft.is_finite());
    let soft: Vec<_> = soft.map(|r| at(r.step, r.soft)).collect();
    drawing.path(&soft, false, Paint::class("soft"));
    let exact = steps.iter().filter_map(|r| Some((r, r.validation?)));
    let exact: Vec<_> = exact.filter(|(_, v)| v[0].is_finite()).collect();
    let line: Vec<_> = exact.iter().map(|(r, v)| at(r.step, v[0])).collect();
    drawing.path(&line, false, Paint::class("exact"));
    for ((record, value), (x, y)) in exact.iter().zip(line) {
        drawing.open_with_title(&format!(
            "step {}: exact {:.5} on validation events, soft {:.5} on training events",
            record.step, value[0], record.soft
        ));
        drawing.disc(x, y, 2.4, "point exact");
        drawing.close();
    }
}

/// A ring around the step that was chosen, and its line down to the widths.
fn mark_best(drawing: &mut Drawing, panel: &Panel, outcome: &Outcome, bottom: f64) {
    let at_step = outcome
        .history
        .iter()
        .filter(|r| r.step == outcome.best_step);
    let values = at_step.filter_map(|r| Some(r.validation?[0]));
    let better = |a: f64, b: f64| {
        if (a < b) == outcome.small_is_good {
            a
        } else {
            b
        }
    };
    let Some(value) = values.reduce(better) else {
        return;
    };
    let (x, y) = (panel.x.at(outcome.best_step as f64), panel.y.at(value));
    drawing.line((x, y + 5.0), (x, bottom), "best");
    drawing.disc(x, y, 5.0, "point best");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_hold_what_is_finite() {
        let record = |temperature| Record {
            start: 0,
            step: 0,
            temperature,
            soft: f64::NAN,
            penalty: 0.0,
            validation: None,
        };
        let scale = widths_scale(&[record(1.0), record(0.1), record(f64::NAN)], (100.0, 0.0));
        assert!(scale.at(1.0) < scale.at(0.1) && scale.at(0.1) < 100.0);
    }
}
