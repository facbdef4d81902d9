//! The events that are left after each cut, by process: points on a logarithmic axis.

use pullback_analysis::run::{Cutflow, Results};

use super::super::drawing::{Anchor, Drawing, Paint};
use super::super::scale::Scale;
use super::content::Colours;
use super::heading::Heading;
use crate::text::shorten;

const WIDTH: f64 = 380.0;
const LEFT: f64 = 168.0;
const RIGHT: f64 = 17.0;
const TOP: f64 = 8.0;
const ROW: f64 = 24.0;
const BOTTOM: f64 = 36.0;

/// The drawing.
pub fn draw(
    results: &Results,
    cutflow: &Cutflow,
    colours: &Colours,
    heading: &Heading<'_>,
) -> Drawing {
    let legend = colours.legend(results);
    let keys: Vec<(&str, &'static str, bool)> = (legend.iter())
        .map(|(name, colour, _)| (name.as_str(), *colour, false))
        .collect();
    let top = TOP + heading.height(keys.len(), WIDTH);
    let bottom = top + ROW * cutflow.steps.len() as f64;
    let region = &results.file.regions[cutflow.region].name;
    let mut drawing = Drawing::new(WIDTH, bottom + BOTTOM, &format!("cutflow of {region}"));
    heading.draw(&mut drawing, &keys, WIDTH);
    let all = cutflow.steps.iter().flat_map(|s| &s.yields);
    let positive = all.map(|b| b.sums[0]).filter(|x| *x > 0.0);
    let low = positive.clone().fold(f64::INFINITY, f64::min);
    let high = positive.fold(0.0, f64::max);
    let domain = if high > 0.0 {
        (low * 0.4, high * 2.5)
    } else {
        (0.1, 1.0)
    };
    let x = Scale::logarithmic(domain, (LEFT, WIDTH - RIGHT));
    for (value, label) in x.ticks(4).into_iter().filter(|t| !t.1.is_empty()) {
        let at = x.at(value);
        drawing.line((at, top), (at, bottom), "light");
        drawing.text(at, bottom + 13.0, Anchor::Middle, "tick", &label);
    }
    let middle = |k: usize| top + ROW * (k as f64 + 0.5);
    for (p, name) in results.processes.iter().enumerate() {
        let colour = colours.of(p);
        let steps = cutflow.steps.iter().enumerate();
        let left = steps.filter(|(_, s)| s.yields[p].sums[0] > 0.0);
        let points: Vec<(f64, f64)> = left
            .map(|(k, s)| (x.at(s.yields[p].sums[0]), middle(k)))
            .collect();
        drawing.path(&points, false, Paint::line(colour, 1.2));
        for (x, y) in points {
            drawing.open_with_title(name);
            drawing.rect(x - 3.2, y - 3.2, 6.4, 6.4, colour);
            drawing.close();
        }
    }
    for (k, step) in cutflow.steps.iter().enumerate() {
        let cut = if step.cut.is_empty() {
            "all events"
        } else {
            &step.cut
        };
        drawing.text(
            LEFT - 8.0,
            middle(k) + 3.8,
            Anchor::End,
            "name",
            &shorten(cut, 25),
        );
    }
    let corners = [
        (LEFT, top),
        (WIDTH - RIGHT, top),
        (WIDTH - RIGHT, bottom),
        (LEFT, bottom),
    ];
    drawing.path(&corners, true, Paint::class("frame"));
    drawing.text(
        WIDTH - RIGHT,
        bottom + 28.0,
        Anchor::End,
        "axis",
        "expected events",
    );
    drawing
}
