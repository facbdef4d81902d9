//! What a systematic does to a histogram: the total up and down relative to the nominal one, with the processes that it acts on.

use pullback_analysis::run::{Bins, Filled, Results, Shift};

use super::super::drawing::{Drawing, Paint};
use super::super::scale::Scale;
use super::content::axis;
use super::heading::Heading;
use super::panel::Panel;

const WIDTH: f64 = 380.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = 17.0;
const TOP: f64 = 10.0;
const MAIN: f64 = 150.0;
const GAP: f64 = 8.0;
const RATIO: f64 = 90.0;
const BOTTOM: f64 = 36.0;

/// A histogram of the processes that a systematic acts on, and its variations.
#[derive(Debug, Clone)]
pub struct Varied {
    /// Position of the systematic.
    pub systematic: usize,
    /// Names of the processes.
    pub processes: Vec<String>,
    /// As it is.
    pub nominal: Bins,
    /// Upwards.
    pub up: Option<Bins>,
    /// Downwards.
    pub down: Option<Bins>,
}

/// The systematics that move a histogram, and what they do to the processes that they act on, taken together.
pub fn varied(results: &Results, filled: &Filled) -> Vec<Varied> {
    let mut all: Vec<Varied> = Vec::new();
    for (systematic, shift, of) in &filled.variations {
        let place = all.iter().position(|v| v.systematic == *systematic);
        let place = place.unwrap_or_else(|| {
            let on: Vec<usize> = (0..of.len()).filter(|p| of[*p].is_some()).collect();
            all.push(Varied {
                systematic: *systematic,
                processes: on.iter().map(|p| results.processes[*p].clone()).collect(),
                nominal: sum(on.iter().map(|p| &filled.nominal[*p])),
                up: None,
                down: None,
            });
            all.len() - 1
        });
        let found = Some(sum(of.iter().flatten()));
        match shift {
            Shift::Up => all[place].up = found,
            Shift::Down => all[place].down = found,
        }
    }
    all
}

fn sum<'a>(all: impl Iterator<Item = &'a Bins>) -> Bins {
    let mut total = Bins::default();
    for bins in all {
        for (into, from) in [
            (&mut total.sums, &bins.sums),
            (&mut total.variances, &bins.variances),
            (&mut total.entries, &bins.entries),
        ] {
            into.resize(from.len(), 0.0);
            into.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        }
    }
    total
}

/// The drawing.
pub fn draw(results: &Results, filled: &Filled, varied: &Varied, heading: &Heading<'_>) -> Drawing {
    let plot = &results.file.histograms[filled.plot];
    let edges = &plot.edges;
    let keys = [
        ("nominal", "#24292f", true),
        ("up", "#b3261e", true),
        ("down", "#0b57a4", true),
    ];
    let top = TOP + heading.height(keys.len(), WIDTH);
    let (bottom, below) = (top + MAIN, top + MAIN + GAP + RATIO);
    let name = &results.file.systematics[varied.systematic].name;
    let about = format!("{name}: variations of {}", plot.name);
    let mut drawing = Drawing::new(WIDTH, below + BOTTOM, &about);
    heading.draw(&mut drawing, &keys, WIDTH);
    let first = edges.first().copied().unwrap_or(0.0);
    let last = edges.last().copied().unwrap_or(1.0);
    let nominal = &varied.nominal.sums;
    let lines = [(&varied.up, "up"), (&varied.down, "down")];
    let lines = lines.map(|(bins, class)| (bins.as_ref().map(|b| b.sums.as_slice()), class));
    let all = nominal
        .iter()
        .chain(lines.iter().filter_map(|l| l.0).flatten());
    let high = all.copied().fold(0.0, f64::max);
    let panel = Panel {
        left: LEFT,
        right: WIDTH - RIGHT,
        top,
        bottom,
        x: Scale::linear((first, last), (LEFT, WIDTH - RIGHT)),
        y: Scale::linear(
            (0.0, if high > 0.0 { 1.12 * high } else { 1.0 }),
            (bottom, top),
        ),
    };
    let ratio = |sums: &[f64]| -> Vec<f64> {
        let each = sums.iter().zip(nominal).map(|(a, b)| a / b);
        each.map(|r| if r.is_finite() { r } else { 1.0 }).collect()
    };
    let ratios = lines.map(|(sums, class)| (sums.map(ratio), class));
    let far = ratios.iter().filter_map(|l| l.0.as_ref()).flatten();
    let reach = far.map(|r| (r - 1.0).abs()).fold(0.01, f64::max);
    let reach = (1.2 * reach).min(1.0);
    let lower = Panel {
        top: bottom + GAP,
        bottom: below,
        y: Scale::linear((1.0 - reach, 1.0 + reach), (below, bottom + GAP)),
        ..panel
    };
    // The error of the number of simulated events, common to all of them.
    let error = |k: usize| (varied.nominal.variances[k].max(0.0).sqrt() / nominal[k]).min(9.0);
    let errors = (0..nominal.len()).map(error);
    let errors: Vec<f64> = errors
        .map(|e| if e.is_finite() { e } else { 0.0 })
        .collect();
    let low: Vec<f64> = errors.iter().map(|e| 1.0 - e).collect();
    let high: Vec<f64> = errors.iter().map(|e| 1.0 + e).collect();
    let band = lower.between(edges, &low, &high);
    drawing.path(&band, true, Paint::fill("#e3e6ea"));
    let one = lower.y.at(1.0);
    drawing.line((lower.left, one), (lower.right, one), "zero");
    drawing.path(&panel.steps(edges, nominal), false, Paint::class("total"));
    for ((sums, class), (ratio, _)) in lines.iter().zip(&ratios) {
        if let (Some(sums), Some(ratio)) = (sums, ratio) {
            drawing.path(&panel.steps(edges, sums), false, Paint::class(class));
            drawing.path(&lower.steps(edges, ratio), false, Paint::class(class));
        }
    }
    let unit = &results.units[filled.plot];
    let shown = if plot.label.contains('[') { "" } else { unit };
    panel.frame(&mut drawing);
    panel.vertical(&mut drawing, 4, "events / bin");
    panel.horizontal(&mut drawing, 6, None);
    lower.frame(&mut drawing);
    lower.vertical(&mut drawing, 4, "varied / nominal");
    lower.horizontal(&mut drawing, 6, Some(&axis(&plot.label, shown)));
    drawing
}
