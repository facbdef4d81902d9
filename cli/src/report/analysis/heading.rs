//! What stands above a drawing that stands alone: the analysis, the luminosity, what is drawn and in which colours.

use super::super::drawing::{Anchor, Drawing};
use crate::text::shorten;

/// The text above a drawing; a page says it elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Heading<'a> {
    /// The title of the analysis.
    pub title: &'a str,
    /// What is drawn, of which region.
    pub what: String,
    /// Integrated luminosity in 1/pb.
    pub luminosity: Option<f64>,
    /// Whether there is one at all.
    pub shown: bool,
}

/// Lines are so far from each other.
const LINE: f64 = 15.0;

/// Room for a name in the legend.
const KEY: f64 = 90.0;

impl Heading<'_> {
    /// How much room it takes above `keys` names.
    pub fn height(&self, keys: usize, width: f64) -> f64 {
        if !self.shown {
            return 0.0;
        }
        let rows = keys.div_ceil(Self::columns(width));
        LINE * (2 + rows) as f64 + 4.0
    }

    fn columns(width: f64) -> usize {
        (((width - 16.0) / KEY).floor() as usize).max(1)
    }

    /// Draws it: names, colours, and whether they are lines.
    pub fn draw(&self, drawing: &mut Drawing, keys: &[(&str, &'static str, bool)], width: f64) {
        if !self.shown {
            return;
        }
        let right = self
            .luminosity
            .map(|l| format!("{} fb⁻¹", brief(l / 1000.0)));
        let room = if right.is_some() { 48 } else { 56 };
        drawing.text(
            8.0,
            14.0,
            Anchor::Start,
            "title",
            &shorten(self.title, room),
        );
        if let Some(text) = right {
            drawing.text(width - 12.0, 14.0, Anchor::End, "axis", &text);
        }
        drawing.text(
            8.0,
            14.0 + LINE,
            Anchor::Start,
            "axis",
            &shorten(&self.what, 62),
        );
        let columns = Self::columns(width);
        for (k, (name, colour, line)) in keys.iter().enumerate() {
            let x = 8.0 + KEY * (k % columns) as f64;
            let y = 14.0 + LINE * (2 + k / columns) as f64;
            let thick = if *line { 2.5 } else { 9.0 };
            drawing.rect(x, y - 3.5 - thick / 2.0, 14.0, thick, colour);
            drawing.text(x + 18.0, y, Anchor::Start, "key", &shorten(name, 13));
        }
    }
}

/// A number without needless digits.
pub fn brief(x: f64) -> String {
    crate::text::rounding::round(x, None).text()
}
