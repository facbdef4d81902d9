//! Drawings as SVG.

use std::fmt::Write;

use super::drawing::{Anchor, DRAWING, Drawing, Element, N, Paint, Shape, Text};

/// How much larger a drawing is that stands alone.
const ALONE: f64 = 1.6;

/// What drawings refer to: the pattern of uncertainties. A page has it once.
pub const HATCH: &str = r##"<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V5" stroke="#222" stroke-opacity="0.55" stroke-width="1"/></pattern></defs>"##;

impl Drawing {
    /// The element of a page; it takes the width of its container up to `stretch` times its own size.
    pub fn finish(&self, stretch: f64) -> String {
        format!(
            r#"<svg viewBox="0 0 {w} {h}" style="max-width:{max}px" role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg">{body}</svg>"#,
            w = N(self.width),
            h = N(self.height),
            max = N(self.width * stretch),
            label = escape(&self.label),
            body = self.body(),
        )
    }

    /// A document that stands alone, with its style, on white.
    pub fn svg(&self) -> String {
        format!(
            r##"<?xml version="1.0" encoding="UTF-8"?>
<svg viewBox="0 0 {w} {h}" width="{pixels_w}" height="{pixels_h}" role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg"><style>svg {{ font-family: Helvetica, Arial, "DejaVu Sans", sans-serif; }}
{style}</style>{HATCH}<rect width="100%" height="100%" fill="#fff"/>{body}</svg>
"##,
            w = N(self.width),
            h = N(self.height),
            pixels_w = N(self.width * ALONE),
            pixels_h = N(self.height * ALONE),
            label = escape(&self.label),
            style = DRAWING,
            body = self.body(),
        )
    }

    fn body(&self) -> String {
        let mut out = String::new();
        for element in &self.elements {
            let _ = match element {
                Element::Shape(shape, paint) => draw(&mut out, shape, paint),
                Element::Text(text) => put(&mut out, text),
                Element::Open(title) => write!(out, "<g><title>{}</title>", escape(title)),
                Element::Close => out.write_str("</g>"),
            };
        }
        out
    }
}

fn draw(out: &mut String, shape: &Shape, paint: &Paint) -> std::fmt::Result {
    match shape {
        Shape::Rect([x, y, width, height]) => write!(
            out,
            r#"<rect x="{}" y="{}" width="{}" height="{}""#,
            N(*x),
            N(*y),
            N(*width),
            N(*height)
        )?,
        Shape::Line([from, to]) => write!(
            out,
            r#"<line x1="{}" y1="{}" x2="{}" y2="{}""#,
            N(from.0),
            N(from.1),
            N(to.0),
            N(to.1)
        )?,
        Shape::Disc((x, y), radius) => write!(
            out,
            r#"<circle cx="{}" cy="{}" r="{}""#,
            N(*x),
            N(*y),
            N(*radius)
        )?,
        Shape::Path(points, closed) => {
            out.write_str("<path d=\"")?;
            for (i, (x, y)) in points.iter().enumerate() {
                let to = if i == 0 { 'M' } else { 'L' };
                write!(out, "{to}{} {}", N(*x), N(*y))?;
            }
            out.write_str(if *closed { "Z\"" } else { "\"" })?;
        }
    }
    for (name, value) in [
        ("class", &paint.class),
        ("fill", &paint.fill),
        ("fill-opacity", &paint.fill_opacity.map(|x| x.to_string())),
        ("stroke", &paint.stroke),
        ("stroke-width", &paint.stroke_width.map(|x| x.to_string())),
    ] {
        if let Some(value) = value {
            write!(out, r#" {name}="{value}""#)?;
        }
    }
    out.write_str("/>")
}

fn put(out: &mut String, text: &Text) -> std::fmt::Result {
    let (x, y) = (N(text.at.0), N(text.at.1));
    let anchor = match text.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let class = &text.class;
    write!(
        out,
        r#"<text x="{x}" y="{y}" text-anchor="{anchor}" class="{class}""#
    )?;
    if text.angle != 0.0 {
        write!(out, r#" transform="rotate({} {x} {y})""#, N(text.angle))?;
    }
    write!(out, ">{}</text>", escape(&text.words))
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
        let mut drawing = Drawing::new(10.0, 10.0, "a\"b");
        drawing.text(1.0, 2.0, Anchor::End, "t", "</text><script>");
        drawing.rect(0.0, f64::NAN, 1.0 / 3.0, 1.0, "#f00");
        let text = drawing.finish(1.0);
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
