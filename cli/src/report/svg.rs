//! Writes SVG.

use std::fmt::Write;

/// The style of drawings.
pub const DRAWING: &str = include_str!("drawing.css");

/// How much larger a drawing is that stands alone.
const ALONE: f64 = 1.6;

/// What drawings refer to: the pattern of uncertainties. A page has it once.
pub const HATCH: &str = r##"<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V5" stroke="#222" stroke-opacity="0.55" stroke-width="1"/></pattern></defs>"##;

/// A drawing that grows.
#[derive(Debug, Clone)]
pub struct Svg {
    width: f64,
    height: f64,
    label: String,
    body: String,
}

/// Where a text is anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Starts there.
    Start,
    /// Centred there.
    Middle,
    /// Ends there.
    End,
}

impl Svg {
    /// An empty drawing; the label says what it shows to those who do not see it.
    pub fn new(width: f64, height: f64, label: &str) -> Self {
        Self {
            width,
            height,
            label: escape(label),
            body: String::new(),
        }
    }

    /// A filled rectangle. Empty ones are left out.
    pub fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: &str) {
        if width > 0.0 && height > 0.0 {
            let _ = write!(
                self.body,
                r#"<rect x="{}" y="{}" width="{}" height="{}" fill="{fill}"/>"#,
                N(x),
                N(y),
                N(width),
                N(height)
            );
        }
    }

    /// A line with a class of the style sheet.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let _ = write!(
            self.body,
            r#"<line x1="{}" y1="{}" x2="{}" y2="{}" class="{class}"/>"#,
            N(from.0),
            N(from.1),
            N(to.0),
            N(to.1)
        );
    }

    /// A disc.
    pub fn disc(&mut self, x: f64, y: f64, radius: f64, class: &str) {
        let _ = write!(
            self.body,
            r#"<circle cx="{}" cy="{}" r="{}" class="{class}"/>"#,
            N(x),
            N(y),
            N(radius)
        );
    }

    /// A path through points, with attributes.
    pub fn path(&mut self, points: &[(f64, f64)], closed: bool, attributes: &str) {
        if points.is_empty() {
            return;
        }
        self.body.push_str("<path d=\"");
        for (i, (x, y)) in points.iter().enumerate() {
            let _ = write!(
                self.body,
                "{}{} {}",
                if i == 0 { 'M' } else { 'L' },
                N(*x),
                N(*y)
            );
        }
        let _ = write!(
            self.body,
            "{}\" {attributes}/>",
            if closed { "Z" } else { "" }
        );
    }

    /// A text with a class of the style sheet.
    pub fn text(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        self.rotated_text(x, y, 0.0, anchor, class, text);
    }

    /// A text turned by an angle in degrees.
    pub fn rotated_text(
        &mut self,
        x: f64,
        y: f64,
        angle: f64,
        anchor: Anchor,
        class: &str,
        text: &str,
    ) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = write!(
            self.body,
            r#"<text x="{}" y="{}" text-anchor="{anchor}" class="{class}""#,
            N(x),
            N(y)
        );
        if angle != 0.0 {
            let _ = write!(
                self.body,
                r#" transform="rotate({} {} {})""#,
                N(angle),
                N(x),
                N(y)
            );
        }
        let _ = write!(self.body, ">{}</text>", escape(text));
    }

    /// Opens a group that shows a text when pointed at; [`Svg::close`] ends it.
    pub fn open_with_title(&mut self, title: &str) {
        let _ = write!(self.body, "<g><title>{}</title>", escape(title));
    }

    /// Ends a group.
    pub fn close(&mut self) {
        self.body.push_str("</g>");
    }

    /// The element; it takes the width of its container up to `stretch` times its own size.
    pub fn finish(self, stretch: f64) -> String {
        format!(
            r#"<svg viewBox="0 0 {w} {h}" style="max-width:{max}px" role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg">{body}</svg>"#,
            w = N(self.width),
            h = N(self.height),
            max = N(self.width * stretch),
            label = self.label,
            body = self.body,
        )
    }

    /// A document that stands alone, with its style, on white.
    pub fn document(self) -> String {
        format!(
            r##"<?xml version="1.0" encoding="UTF-8"?>
<svg viewBox="0 0 {w} {h}" width="{pixels_w}" height="{pixels_h}" role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg"><style>svg {{ font-family: Helvetica, Arial, "DejaVu Sans", sans-serif; }}
{style}</style>{HATCH}<rect width="100%" height="100%" fill="#fff"/>{body}</svg>
"##,
            w = N(self.width),
            h = N(self.height),
            pixels_w = N(self.width * ALONE),
            pixels_h = N(self.height * ALONE),
            label = self.label,
            style = DRAWING,
            body = self.body,
        )
    }
}

/// A coordinate with at most two decimals.
struct N(f64);

impl std::fmt::Display for N {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What is not finite must not break the drawing.
        let x = if self.0.is_finite() {
            (self.0 * 100.0).round() / 100.0
        } else {
            0.0
        };
        // No minus zero.
        write!(f, "{}", x + 0.0)
    }
}

/// Text for markup and attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out() {
        let mut svg = Svg::new(10.0, 10.0, "a\"b");
        svg.text(1.0, 2.0, Anchor::End, "t", "</text><script>");
        svg.rect(0.0, f64::NAN, 1.0 / 3.0, 1.0, "red");
        let text = svg.finish(1.0);
        assert!(
            !text.contains("<script>") && !text.contains("NaN"),
            "{text}"
        );
        assert!(
            text.contains("a&quot;b") && text.contains("width=\"0.33\""),
            "{text}"
        );
    }
}
