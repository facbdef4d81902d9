//! A frame with axes.

use super::super::drawing::{Anchor, Drawing, Paint};
use super::super::scale::Scale;

/// A rectangle of a drawing, and the axes along its sides.
#[derive(Debug, Clone, Copy)]
pub struct Panel {
    /// The left side.
    pub left: f64,
    /// The right side.
    pub right: f64,
    /// The upper side.
    pub top: f64,
    /// The lower side.
    pub bottom: f64,
    /// The horizontal axis.
    pub x: Scale,
    /// The vertical axis.
    pub y: Scale,
}

impl Panel {
    /// The frame.
    pub fn frame(&self, drawing: &mut Drawing) {
        let (l, r, t, b) = (self.left, self.right, self.top, self.bottom);
        drawing.path(
            &[(l, t), (r, t), (r, b), (l, b)],
            true,
            Paint::class("frame"),
        );
    }

    /// Ticks and numbers on the left, and the name of the axis beside them.
    pub fn vertical(&self, drawing: &mut Drawing, wished: usize, name: &str) {
        for (value, label) in self.y.ticks(wished) {
            let y = self.y.at(value);
            let length = if label.is_empty() { 2.5 } else { 5.0 };
            drawing.line((self.left, y), (self.left + length, y), "mark");
            drawing.text(self.left - 4.0, y + 3.4, Anchor::End, "tick", &label);
        }
        let middle = f64::midpoint(self.top, self.bottom);
        drawing.rotated_text(11.0, middle, -90.0, Anchor::Middle, "axis", name);
    }

    /// Ticks below; with numbers and the name of the axis if there is one.
    pub fn horizontal(&self, drawing: &mut Drawing, wished: usize, name: Option<&str>) {
        for (value, label) in self.x.ticks(wished) {
            let x = self.x.at(value);
            let length = if label.is_empty() { 2.5 } else { 5.0 };
            drawing.line((x, self.bottom), (x, self.bottom - length), "mark");
            if name.is_some() {
                drawing.text(x, self.bottom + 13.0, Anchor::Middle, "tick", &label);
            }
        }
        if let Some(name) = name {
            drawing.text(self.right, self.bottom + 28.0, Anchor::End, "axis", name);
        }
    }

    /// The corners of a histogram with edges.
    pub fn steps(&self, edges: &[f64], values: &[f64]) -> Vec<(f64, f64)> {
        let corners = |(e, v): (&[f64], &f64)| {
            [
                (self.x.at(e[0]), self.y.at(*v)),
                (self.x.at(e[1]), self.y.at(*v)),
            ]
        };
        edges.windows(2).zip(values).flat_map(corners).collect()
    }

    /// The outline of what lies between two histograms.
    pub fn between(&self, edges: &[f64], low: &[f64], high: &[f64]) -> Vec<(f64, f64)> {
        let mut outline = self.steps(edges, high);
        outline.extend(self.steps(edges, low).into_iter().rev());
        outline
    }
}
