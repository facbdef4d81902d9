//! What is painted on the page.

use std::fmt::Write;

use super::super::drawing::{Anchor, Drawing, Element, N, Paint, Shape, Text};
use super::super::sheet::{Ink, Style};
use super::text::Line;

/// Points of a unit of the drawing: that of style sheets is 1/96 inch.
pub const POINTS: f64 = 0.75;

/// Distance of hatches, their width, colour and opacity: as in the pattern of SVG, in which half of the line is outside of the tile.
const HATCH: (f64, f64, [u8; 3], f64) = (5.0, 0.5, [0x22; 3], 0.55);

/// What is set before something is painted, and stays.
#[derive(Debug, Clone, Copy)]
enum Setting {
    Fill,
    Stroke,
    Width,
    Dashes,
    Ends,
    Opacity,
}

/// A page that grows.
#[derive(Debug)]
pub struct Content {
    /// The operators.
    pub stream: String,
    /// By [`Setting`], the operator that set it last.
    settings: [String; 6],
    /// Opacities of fills and strokes that were used: `/G0` and so on.
    opacities: Vec<(f64, f64)>,
}

impl Content {
    /// The page of a drawing.
    pub fn new(drawing: &Drawing) -> Self {
        let mut new = Self {
            stream: String::new(),
            settings: Default::default(),
            opacities: Vec::new(),
        };
        // Lengths are those of the drawing, from its upper left downwards. Corners are cut where SVG cuts them.
        let height = N(POINTS * drawing.height);
        let _ = writeln!(new.stream, "{POINTS} 0 0 -{POINTS} 0 {height} cm 4 M");
        let all = [0.0, 0.0, drawing.width, drawing.height];
        new.shape(&Shape::Rect(all), &Paint::fill("#fff"));
        for element in &drawing.elements {
            match element {
                Element::Shape(shape, paint) => new.shape(shape, paint),
                Element::Text(text) => new.text(text),
                // Paper is not pointed at; the numbers are beside the drawing.
                Element::Open(_) | Element::Close => (),
            }
        }
        new
    }

    /// The graphics states that the page refers to.
    pub fn opacities(&self) -> String {
        let mut out = String::new();
        for (i, (fill, stroke)) in self.opacities.iter().enumerate() {
            let _ = write!(out, "/G{i} << /ca {fill} /CA {stroke} >> ");
        }
        out
    }

    fn shape(&mut self, shape: &Shape, paint: &Paint) {
        let tag = match shape {
            Shape::Rect(_) => "rect",
            Shape::Line(_) => "line",
            Shape::Disc(..) => "circle",
            Shape::Path(..) => "path",
        };
        let mut style = Style::of(tag, paint);
        if style.fill == Ink::Hatched {
            self.hatch(shape);
            style.fill = Ink::None;
        }
        // A line has no inside.
        if matches!(shape, Shape::Line(_)) {
            style.fill = Ink::None;
        }
        let fills = self.ink(Setting::Fill, style.fill, "rg");
        let strokes = self.ink(Setting::Stroke, style.stroke, "RG");
        let operator = match (fills, strokes) {
            (true, true) => "B",
            (true, false) => "f",
            (false, true) => "S",
            (false, false) => return,
        };
        if strokes {
            self.set(Setting::Width, format!("{} w", N(style.stroke_width)));
            let dashes: Vec<String> = style.dashes.iter().map(f64::to_string).collect();
            self.set(Setting::Dashes, format!("[{}] 0 d", dashes.join(" ")));
            let ends = if style.round { "1 J" } else { "0 J" };
            self.set(Setting::Ends, ends.to_owned());
        }
        self.opacity(style.fill_opacity, style.stroke_opacity);
        outline(&mut self.stream, shape);
        let _ = writeln!(self.stream, "{operator}");
    }

    /// Lines from the lower left to the upper right, where the shape is.
    fn hatch(&mut self, shape: &Shape) {
        let (distance, width, colour, opacity) = HATCH;
        let outside = self.settings.clone();
        self.stream.push_str("q\n");
        outline(&mut self.stream, shape);
        self.stream.push_str("W n\n");
        self.ink(Setting::Stroke, Ink::Colour(colour), "RG");
        self.set(Setting::Width, format!("{} w", N(width)));
        self.set(Setting::Dashes, "[] 0 d".to_owned());
        self.set(Setting::Ends, "0 J".to_owned());
        self.opacity(1.0, opacity);
        let [left, top, right, bottom] = bounds(shape);
        // On a line x + y is the same; lines are those of a pattern that begins at the origin of the drawing.
        let step = distance * std::f64::consts::SQRT_2;
        let shift = 0.5 * width * std::f64::consts::SQRT_2;
        let mut k = ((left + top - shift) / step).floor();
        while k * step + shift <= right + bottom + step {
            let sum = k * step + shift;
            let ends = [(sum - bottom, bottom), (sum - top, top)];
            outline(&mut self.stream, &Shape::Line(ends));
            self.stream.push_str("S\n");
            k += 1.0;
        }
        self.stream.push_str("Q\n");
        self.settings = outside;
    }

    fn text(&mut self, text: &Text) {
        let style = Style::of("text", &Paint::class(&text.class));
        let line = Line::new(&text.words, style.bold);
        self.ink(Setting::Fill, style.fill, "rg");
        self.opacity(style.fill_opacity, 1.0);
        let before = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5,
            Anchor::End => 1.0,
        } * line.width()
            * style.size;
        let (sin, cos) = text.angle.to_radians().sin_cos();
        let at = (text.at.0 - before * cos, text.at.1 - before * sin);
        line.show(&mut self.stream, at, (sin, cos), style.size);
    }

    /// Sets a colour; whether there is one.
    fn ink(&mut self, setting: Setting, ink: Ink, operator: &str) -> bool {
        let Ink::Colour(colour) = ink else {
            return false;
        };
        let [r, g, b] = colour.map(|c| (f64::from(c) / 255.0 * 1e4).round() / 1e4);
        self.set(setting, format!("{r} {g} {b} {operator}"));
        true
    }

    fn opacity(&mut self, fill: f64, stroke: f64) {
        let both = (fill, stroke);
        let opaque = both == (1.0, 1.0);
        if opaque && self.settings[Setting::Opacity as usize].is_empty() {
            return;
        }
        let place = self.opacities.iter().position(|o| *o == both);
        let place = place.unwrap_or_else(|| {
            self.opacities.push(both);
            self.opacities.len() - 1
        });
        self.set(Setting::Opacity, format!("/G{place} gs"));
    }

    fn set(&mut self, setting: Setting, operator: String) {
        let now = &mut self.settings[setting as usize];
        if *now != operator {
            let _ = writeln!(self.stream, "{operator}");
            *now = operator;
        }
    }
}

/// The operators that make a path of a shape.
fn outline(out: &mut String, shape: &Shape) {
    let mut to = |(x, y): (f64, f64), operator: &str| {
        let _ = write!(out, "{} {} {operator} ", N(x), N(y));
    };
    match shape {
        Shape::Rect([x, y, width, height]) => {
            to((*x, *y), "");
            to((*width, *height), "re");
        }
        Shape::Line([from, end]) => {
            to(*from, "m");
            to(*end, "l");
        }
        Shape::Disc((x, y), radius) => disc(&mut to, (*x, *y), *radius),
        Shape::Path(points, closed) => {
            for (i, point) in points.iter().enumerate() {
                to(*point, if i == 0 { "m" } else { "l" });
            }
            if *closed {
                out.push_str("h ");
            }
        }
    }
}

/// Four cubic curves, which leave the circle by 3·10⁻⁴ of the radius at most: control points lie 4/3 (√2 − 1) of it from the ends.
///
/// Reference: M. Goldapp, Approximation of circular arcs by cubic polynomials, Comput. Aided Geom. Des. 8 (1991) 227.
fn disc(to: &mut impl FnMut((f64, f64), &str), (x, y): (f64, f64), radius: f64) {
    let k = 4.0 / 3.0 * (std::f64::consts::SQRT_2 - 1.0);
    let at = |u: f64, v: f64| (x + radius * u, y + radius * v);
    to(at(1.0, 0.0), "m");
    let mut from = (1.0, 0.0);
    for _ in 0..4 {
        let end: (f64, f64) = (-from.1, from.0);
        to(at(from.0 + k * end.0, from.1 + k * end.1), "");
        to(at(end.0 + k * from.0, end.1 + k * from.1), "");
        to(at(end.0, end.1), "c");
        from = end;
    }
    to(at(1.0, 0.0), "l");
}

/// Left, top, right and bottom.
fn bounds(shape: &Shape) -> [f64; 4] {
    let around = |points: &[(f64, f64)]| {
        let none = [
            f64::INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
        ];
        let each = points.iter().filter(|p| p.0.is_finite() && p.1.is_finite());
        each.fold(none, |[l, t, r, b], (x, y)| {
            [l.min(*x), t.min(*y), r.max(*x), b.max(*y)]
        })
    };
    match shape {
        Shape::Rect([x, y, width, height]) => around(&[(*x, *y), (x + width, y + height)]),
        Shape::Line(ends) => around(ends),
        Shape::Disc((x, y), radius) => {
            around(&[(x - radius, y - radius), (x + radius, y + radius)])
        }
        Shape::Path(points, _) => around(points),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::drawing::HATCHED;
    use super::super::super::svg;
    use super::*;

    fn content(draw: impl FnOnce(&mut Drawing)) -> Vec<String> {
        let mut drawing = Drawing::new(100.0, 50.0, "a test");
        draw(&mut drawing);
        let stream = Content::new(&drawing).stream;
        stream.lines().map(str::to_owned).collect()
    }

    /// Lines after the white page.
    fn after_page(draw: impl FnOnce(&mut Drawing)) -> Vec<String> {
        let lines = content(draw);
        let page = [
            "0.75 0 0 -0.75 0 37.5 cm 4 M",
            "1 1 1 rg",
            "0 0  100 50 re f",
        ];
        assert_eq!(lines[..3], page);
        lines[3..].to_vec()
    }

    #[test]
    fn shapes_are_painted_and_settings_stay() {
        let lines = after_page(|d| {
            d.rect(1.0, 2.0, 3.0, 4.0, "#f00");
            d.rect(1.0, 2.0, 3.0, 0.0, "#f00");
            d.path(&[(1.0, 2.0), (3.0, 4.0)], true, Paint::fill("#f00"));
            d.line((0.0, 1.0), (2.0, f64::NAN), "best");
            d.path(&[(1.0, 2.0), (3.0, 4.0)], false, Paint::line("#00f", 1.3));
            d.path(&[(0.0, 0.0)], true, Paint::fill("#fff").opacity(0.6));
        });
        assert_eq!(
            lines,
            [
                "1 0 0 rg",
                "1 2  3 4 re f",
                "1 2 m 3 4 l h f",
                "0.102 0.498 0.2157 RG",
                "1.3 w",
                "[] 0 d",
                "0 J",
                "0 1 m 2 0 l S",
                "0 0 1 RG",
                "1 2 m 3 4 l S",
                "1 1 1 rg",
                "/G0 gs",
                "0 0 m h f",
            ]
        );
        // What is opaque stays so after something that is not.
        let mut drawing = Drawing::new(1.0, 1.0, "");
        drawing.path(&[(0.0, 0.0)], true, Paint::fill("#fff").opacity(0.6));
        drawing.rect(0.0, 0.0, 1.0, 1.0, "#fff");
        let content = Content::new(&drawing);
        assert!(content.stream.ends_with("/G1 gs\n0 0  1 1 re f\n"));
        assert_eq!(
            content.opacities(),
            "/G0 << /ca 0.6 /CA 1 >> /G1 << /ca 1 /CA 1 >> "
        );
    }

    /// Points of the curves at t = 1/2 and at their ends lie on the circle.
    #[test]
    fn discs_are_round() {
        let mut points = Vec::new();
        disc(&mut |p, _| points.push(p), (10.0, 20.0), 4.0);
        assert_eq!(points.len(), 14);
        for c in points[..13].windows(4).step_by(3) {
            let middle = |f: fn(&(f64, f64)) -> f64| {
                (f(&c[0]) + 3.0 * f(&c[1]) + 3.0 * f(&c[2]) + f(&c[3])) / 8.0
            };
            for (x, y) in [c[3], (middle(|p| p.0), middle(|p| p.1))] {
                let r = (x - 10.0).hypot(y - 20.0);
                assert!((r - 4.0).abs() < 1e-9, "{r}");
            }
        }
    }

    /// Hatches are those of the SVG pattern, cover the shape, and leave nothing set behind.
    #[test]
    fn hatches_are_clipped() {
        for words in [
            r#"width="5""#,
            "rotate(45)",
            "#222",
            r#"stroke-opacity="0.55""#,
        ] {
            assert!(svg::HATCH.contains(words), "{words}");
        }
        let lines = after_page(|d| {
            d.rect(10.0, 20.0, 14.0, 9.0, HATCHED);
            d.rect(0.0, 0.0, 1.0, 1.0, "#fff");
        });
        assert_eq!(lines[..2], ["q", "10 20  14 9 re W n"]);
        assert!(lines.contains(&"/G0 gs".to_owned()));
        assert_eq!(lines[lines.len() - 2..], ["Q", "0 0  1 1 re f"]);
        let sums = lines.iter().filter(|l| l.ends_with(" l S")).map(|l| {
            let of: Vec<f64> = l.split(' ').filter_map(|w| w.parse().ok()).collect();
            assert_eq!((of[1], of[3]), (29.0, 20.0));
            of[0] + of[1]
        });
        let sums: Vec<f64> = sums.collect();
        let step = 5.0 * std::f64::consts::SQRT_2;
        assert!(sums[0] <= 30.0 && sums[sums.len() - 1] >= 53.0, "{sums:?}");
        for s in sums {
            let phase = (s - 0.25 * std::f64::consts::SQRT_2) / step;
            assert!((phase - phase.round()).abs() < 0.01, "{s}");
        }
    }

    /// The end of a text is where it should be, also where it is turned.
    #[test]
    fn texts_are_anchored() {
        // "00" is 2 × 0.556 wide; "tick" has 10.5 units.
        let lines = after_page(|d| {
            d.text(50.0, 10.0, Anchor::Start, "tick", "00");
            d.text(50.0, 10.0, Anchor::Middle, "tick", "00");
            d.text(50.0, 10.0, Anchor::End, "tick", "00");
            d.rotated_text(50.0, 10.0, -90.0, Anchor::End, "tick", "00");
        });
        assert_eq!(
            lines[1..],
            [
                "BT 1 0 0 -1 50 10 Tm /F1 10.5 Tf (00) Tj ET",
                "BT 1 0 0 -1 44.16 10 Tm /F1 10.5 Tf (00) Tj ET",
                "BT 1 0 0 -1 38.32 10 Tm /F1 10.5 Tf (00) Tj ET",
                "BT 0 -1 -1 0 50 21.68 Tm /F1 10.5 Tf (00) Tj ET",
            ]
        );
    }
}
