//! Free quantities: where they could go, where they began and where they ended.

use pullback_analysis::optimize::Moved;

use super::super::drawing::{Anchor, Drawing};
use super::super::scale::Scale;
use super::heading::Heading;
use crate::text::rounding::significant;
use crate::text::shorten;

const WIDTH: f64 = 380.0;
const LEFT: f64 = 112.0;
const RIGHT: f64 = 108.0;
const ROW: f64 = 26.0;

/// Quantities in one drawing, at most.
const ROWS: usize = 16;

/// The drawings, and the quantities that are in them.
pub fn draw<'a>(quantities: &'a [Moved], heading: &Heading<'_>) -> Vec<(Drawing, &'a [Moved])> {
    if quantities.is_empty() {
        return Vec::new();
    }
    let parts = quantities.len().div_ceil(ROWS);
    let rows = quantities.len().div_ceil(parts);
    let parts = quantities.chunks(rows);
    parts.map(|q| (part(q, heading), q)).collect()
}

fn part(quantities: &[Moved], heading: &Heading<'_>) -> Drawing {
    let top = heading.height(0, WIDTH);
    let height = top + ROW * quantities.len() as f64 + 6.0;
    let mut drawing = Drawing::new(WIDTH, height, "free quantities before and after");
    heading.draw(&mut drawing, &[], WIDTH);
    for (k, q) in quantities.iter().enumerate() {
        let y = top + ROW * (k as f64 + 0.5) + 3.0;
        let x = Scale::linear((q.range[0], q.range[1]), (LEFT, WIDTH - RIGHT));
        drawing.open_with_title(&format!(
            "{}: {} to {}, between {} and {}",
            q.name,
            significant(q.before, 5),
            significant(q.after, 5),
            significant(q.range[0], 5),
            significant(q.range[1], 5)
        ));
        let name = shorten(&q.name, 17);
        drawing.text(LEFT - 10.0, y + 3.8, Anchor::End, "name", &name);
        drawing.line((LEFT, y), (WIDTH - RIGHT, y), "rail");
        drawing.line((x.at(q.before), y), (x.at(q.after), y), "way");
        drawing.disc(x.at(q.before), y, 3.6, "point start");
        drawing.disc(x.at(q.after), y, 4.2, "point end");
        let values = format!("{} → {}", significant(q.before, 3), significant(q.after, 4));
        let right = WIDTH - RIGHT + 10.0;
        drawing.text(right, y + 3.8, Anchor::Start, "value", &values);
        drawing.close();
    }
    drawing
}
