//! A histogram of processes: stacked, or as lines, observed events and their ratio, cuts.

use super::super::drawing::{Drawing, HATCHED, Paint};
use super::super::poisson::interval;
use super::super::scale::Scale;
use super::heading::Heading;
use super::panel::Panel;

const WIDTH: f64 = 380.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = 17.0;
const TOP: f64 = 10.0;
const MAIN: f64 = 200.0;
const GAP: f64 = 8.0;
const RATIO: f64 = 70.0;
const BOTTOM: f64 = 36.0;

/// Ratio of the largest to the smallest content from which on the axis is logarithmic.
const LOGARITHMIC: f64 = 60.0;

/// The part of the largest content below which a signal is not seen on a linear axis.
const HIDDEN: f64 = 0.04;

/// A process in a histogram.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Its colour.
    pub colour: &'static str,
    /// Contents of the bins.
    pub sums: Vec<f64>,
}

/// A threshold, and the side that is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// Where it is.
    pub at: f64,
    /// Whether larger values are kept.
    pub above: bool,
    /// Whether it was there before: it is dashed.
    pub before: bool,
}

/// A histogram to be drawn.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    /// What it shows, for those who do not see it.
    pub about: String,
    /// The edges of the bins.
    pub edges: Vec<f64>,
    /// The name of the horizontal axis, with its unit.
    pub axis: String,
    /// Whether there are only whole numbers on it.
    pub whole: bool,
    /// The unit alone, if there is one.
    pub unit: String,
    /// What is stacked, from the bottom to the top.
    pub stacked: Vec<Layer>,
    /// Signals: lines, not on top of anything.
    pub lines: Vec<Layer>,
    /// Variances of what is stacked, together.
    pub variances: Vec<f64>,
    /// Observed events, where they are looked at.
    pub observed: Option<Vec<f64>>,
    /// Thresholds.
    pub cuts: Vec<Cut>,
    /// What is not kept, from and to.
    pub rejected: Vec<(f64, f64)>,
    /// Whether the axis is logarithmic even where this histogram does not ask for it: that of another one beside it is.
    pub logarithmic: bool,
}

impl Stack {
    /// What is stacked, together.
    pub fn total(&self) -> Vec<f64> {
        let bins = self.edges.len().saturating_sub(1);
        let each = (0..bins).map(|b| {
            let contents = self.stacked.iter().filter_map(|l| l.sums.get(b));
            contents.sum::<f64>()
        });
        each.collect()
    }

    /// The drawing.
    pub fn draw(&self, heading: &Heading<'_>) -> Drawing {
        let top = TOP + heading.height(self.keys().len(), WIDTH);
        let main_bottom = top + MAIN;
        let bottom = match self.observed {
            Some(_) => main_bottom + GAP + RATIO,
            None => main_bottom,
        };
        let mut drawing = Drawing::new(WIDTH, bottom + BOTTOM, &self.about);
        heading.draw(&mut drawing, &self.keys(), WIDTH);
        let (first, last) = self.ends();
        let x = Scale::linear((first, last), (LEFT, WIDTH - RIGHT));
        let total = self.total();
        let panel = Panel {
            left: LEFT,
            right: WIDTH - RIGHT,
            top,
            bottom: main_bottom,
            x,
            y: self.scale(&total, (main_bottom, top)),
        };
        self.draw_processes(&mut drawing, &panel, &total);
        self.draw_cuts(&mut drawing, &panel);
        if let Some(observed) = &self.observed {
            draw_observed(&mut drawing, &panel, &self.edges, observed, &total);
            let below = Panel {
                top: main_bottom + GAP,
                bottom,
                ..panel
            };
            self.draw_ratio(&mut drawing, below, observed, &total);
            panel.horizontal(&mut drawing, self.ticks(), None);
        } else {
            panel.horizontal(&mut drawing, self.ticks(), Some(&self.axis));
        }
        panel.frame(&mut drawing);
        panel.vertical(&mut drawing, 5, &self.per_bin());
        drawing
    }

    /// Names and colours of what is drawn.
    pub fn keys(&self) -> Vec<(&str, &'static str, bool)> {
        let stacked = self.stacked.iter();
        let stacked = stacked.map(|l| (l.name.as_str(), l.colour, false));
        let lines = self.lines.iter();
        let lines = lines.map(|l| (l.name.as_str(), l.colour, true));
        let mut keys: Vec<_> = stacked.chain(lines).collect();
        if !self.stacked.is_empty() {
            keys.push(("simulation", HATCHED, false));
        }
        keys.extend(self.observed.iter().map(|_| ("data", "#111", true)));
        keys
    }

    /// How many ticks are wished for: none between whole numbers.
    fn ticks(&self) -> usize {
        let (first, last) = self.ends();
        if self.whole {
            ((last - first) as usize).clamp(1, 6)
        } else {
            6
        }
    }

    fn ends(&self) -> (f64, f64) {
        let first = self.edges.first().copied().unwrap_or(0.0);
        let last = self.edges.last().copied().unwrap_or(1.0);
        (first, last)
    }

    /// `events / 20 GeV`, or `events / bin` where bins differ.
    fn per_bin(&self) -> String {
        let mut widths = self.edges.windows(2).map(|e| e[1] - e[0]);
        let first = widths.next().unwrap_or(0.0);
        if !widths.all(|w| (w - first).abs() < 1e-6 * first) {
            return "events / bin".to_owned();
        }
        let width = crate::text::rounding::round(first, None).text();
        match self.unit.as_str() {
            "" if width == "1" => "events".to_owned(),
            unit => format!("events / {width} {unit}").trim_end().to_owned(),
        }
    }

    /// The largest content and the smallest one that should be seen.
    fn reach(&self, total: &[f64]) -> (f64, f64) {
        let signals = self.lines.iter().flat_map(|l| &l.sums);
        let above = total.iter().zip(&self.variances);
        let tops = above.map(|(t, v)| t + v.max(0.0).sqrt());
        let seen = self.observed.iter().flatten();
        let highest = seen.clone().map(|n| interval(*n).1);
        let all = tops.chain(signals.clone().copied()).chain(highest);
        let largest = all.filter(|x| x.is_finite()).fold(0.0, f64::max);
        let largest = if largest > 0.0 { largest } else { 1.0 };
        let positive = total.iter().chain(seen).copied().filter(|t| *t > 0.0);
        let smallest = positive.fold(largest, f64::min);
        let peak = signals.copied().fold(0.0, f64::max);
        if peak > 0.0 && peak < HIDDEN * largest {
            return (largest, smallest.min(peak * 0.1));
        }
        (largest, smallest)
    }

    /// Whether contents differ much, or the signal could not be seen on a linear axis.
    pub fn wants_logarithm(&self) -> bool {
        let (largest, smallest) = self.reach(&self.total());
        largest / smallest > LOGARITHMIC
    }

    fn scale(&self, total: &[f64], pixels: (f64, f64)) -> Scale {
        let (largest, smallest) = self.reach(total);
        if self.logarithmic || largest / smallest > LOGARITHMIC {
            // A signal is seen on it, too.
            let signals = self.lines.iter().flat_map(|l| &l.sums);
            let peak = signals.copied().fold(0.0, f64::max);
            let seen = if peak > 0.0 { 0.1 * peak } else { smallest };
            let floor = smallest.min(seen).max(largest * 1e-6) * 0.4;
            return Scale::logarithmic((floor, largest * 3.0), pixels);
        }
        let lowest = total.iter().copied().fold(0.0, f64::min);
        Scale::linear((lowest * 1.1, largest * 1.12), pixels)
    }

    fn draw_processes(&self, drawing: &mut Drawing, panel: &Panel, total: &[f64]) {
        let mut below = vec![0.0; total.len()];
        for layer in &self.stacked {
            let above: Vec<f64> = below.iter().zip(&layer.sums).map(|(a, b)| a + b).collect();
            let outline = panel.between(&self.edges, &below, &above);
            drawing.path(&outline, true, Paint::fill(layer.colour));
            below = above;
        }
        if !self.stacked.is_empty() {
            let error = |v: &f64| v.max(0.0).sqrt();
            let errors = self.variances.iter().map(error);
            let low: Vec<f64> = total
                .iter()
                .zip(errors.clone())
                .map(|(t, e)| t - e)
                .collect();
            let high: Vec<f64> = total.iter().zip(errors).map(|(t, e)| t + e).collect();
            let outline = panel.between(&self.edges, &low, &high);
            drawing.path(&outline, true, Paint::fill(HATCHED));
            drawing.path(
                &panel.steps(&self.edges, total),
                false,
                Paint::class("total"),
            );
        }
        for layer in &self.lines {
            let line = panel.steps(&self.edges, &layer.sums);
            drawing.path(&line, false, Paint::class("signal").stroke(layer.colour));
        }
    }

    fn draw_cuts(&self, drawing: &mut Drawing, panel: &Panel) {
        let (first, last) = self.ends();
        for (from, to) in &self.rejected {
            let (from, to) = (panel.x.at(*from), panel.x.at(*to));
            let (top, bottom) = (panel.top, panel.bottom);
            let corners = [(from, top), (to, top), (to, bottom), (from, bottom)];
            drawing.path(&corners, true, Paint::fill("#fff").opacity(0.6));
        }
        // Two arrows that meet leave room for each other.
        let now = self.cuts.iter().filter(|c| !c.before);
        let places: Vec<f64> = now.map(|c| panel.x.at(c.at)).collect();
        let gaps = places.windows(2).map(|p| (p[1] - p[0]).abs());
        let arrow = gaps.fold(12.0, |a: f64, gap| a.min(0.4 * gap));
        for cut in &self.cuts {
            let x = panel.x.at(cut.at);
            let inside = (first..=last).contains(&cut.at);
            let class = if cut.before { "cut before" } else { "cut" };
            if inside {
                drawing.line((x, panel.top), (x, panel.bottom), class);
            }
            if !cut.before {
                let to = if cut.above { arrow } else { -arrow };
                let y = panel.top + 14.0;
                drawing.line((x, y), (x + to, y), class);
                let back = to * 0.55;
                let head = [(x + to, y), (x + back, y - 3.5), (x + back, y + 3.5)];
                drawing.path(&head, true, Paint::fill("#111"));
            }
        }
    }

    fn draw_ratio(&self, drawing: &mut Drawing, below: Panel, observed: &[f64], total: &[f64]) {
        let mut reach: f64 = 0.15;
        for (n, t) in observed.iter().zip(total) {
            let (low, high) = interval(*n);
            let far = [low / t, high / t].map(|r| (r - 1.0).abs());
            reach = far
                .into_iter()
                .filter(|r| r.is_finite())
                .fold(reach, f64::max);
        }
        let reach = (reach * 1.08).min(0.98);
        let panel = Panel {
            y: Scale::linear((1.0 - reach, 1.0 + reach), (below.bottom, below.top)),
            ..below
        };
        let relative = |(t, v): (&f64, &f64)| {
            let e = v.max(0.0).sqrt() / t;
            if e.is_finite() { e } else { 0.0 }
        };
        let errors = total.iter().zip(&self.variances).map(relative);
        let low: Vec<f64> = errors.clone().map(|e| 1.0 - e).collect();
        let high: Vec<f64> = errors.map(|e| 1.0 + e).collect();
        let band = panel.between(&self.edges, &low, &high);
        drawing.path(&band, true, Paint::fill(HATCHED));
        let one = panel.y.at(1.0);
        drawing.line((panel.left, one), (panel.right, one), "zero");
        for ((n, t), e) in observed.iter().zip(total).zip(self.edges.windows(2)) {
            let x = panel.x.at(f64::midpoint(e[0], e[1]));
            let (low, high) = interval(*n);
            let ratio = n / t;
            if ratio.is_finite() {
                let ends = (panel.y.at(low / t), panel.y.at(high / t));
                drawing.line((x, ends.0), (x, ends.1), "data");
                if *n > 0.0 && (ratio - 1.0).abs() <= reach {
                    drawing.disc(x, panel.y.at(ratio), 2.6, "point data");
                }
            }
        }
        panel.frame(drawing);
        panel.vertical(drawing, 4, "data / exp.");
        panel.horizontal(drawing, self.ticks(), Some(&self.axis));
    }
}

fn draw_observed(
    drawing: &mut Drawing,
    panel: &Panel,
    edges: &[f64],
    observed: &[f64],
    total: &[f64],
) {
    for ((n, t), e) in observed.iter().zip(total).zip(edges.windows(2)) {
        let x = panel.x.at(f64::midpoint(e[0], e[1]));
        let (low, high) = interval(*n);
        drawing.open_with_title(&format!("observed {n}, expected {t:.4}"));
        drawing.line((x, panel.y.at(low)), (x, panel.y.at(high)), "data");
        if *n > 0.0 {
            drawing.disc(x, panel.y.at(*n), 2.6, "point data");
        }
        drawing.close();
    }
}
