//! What the style sheet of drawings says about an element, for formats that have no style sheets.

use std::sync::LazyLock;

use super::drawing::{DRAWING, HATCHED, Paint};

/// How an element looks.
#[derive(Debug, Clone, PartialEq)]
pub struct Style {
    /// Inside.
    pub fill: Ink,
    /// How much of what is below the inside hides.
    pub fill_opacity: f64,
    /// The outline.
    pub stroke: Ink,
    /// How much of what is below the outline hides.
    pub stroke_opacity: f64,
    /// Width of the outline.
    pub stroke_width: f64,
    /// Lengths of dashes and gaps; none where lines are whole.
    pub dashes: Vec<f64>,
    /// Whether lines have round ends.
    pub round: bool,
    /// Size of the letters.
    pub size: f64,
    /// Whether they are bold.
    pub bold: bool,
}

/// What an element is painted with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ink {
    /// It is not painted.
    None,
    /// Red, green, blue.
    Colour([u8; 3]),
    /// As uncertainties are.
    Hatched,
}

/// A rule: what it is about, and its properties with their values.
#[derive(Debug, Clone, PartialEq)]
struct Rule<'a> {
    tag: &'a str,
    classes: Vec<&'a str>,
    properties: Vec<(&'a str, &'a str)>,
}

static SHEET: LazyLock<Vec<Rule<'static>>> = LazyLock::new(|| parse(DRAWING).unwrap_or_default());

impl Style {
    /// The style of an element: its attributes, and the rules about it in the order of their specificity.
    ///
    /// Reference: SVG 1.1 (W3C), sections 6.4 and 11; CSS 2.1 (W3C), section 6.4.
    pub fn of(tag: &str, paint: &Paint) -> Self {
        let mut style = Self::initial();
        for (name, value) in [("fill", &paint.fill), ("stroke", &paint.stroke)] {
            if let Some(value) = value {
                let known = style.set(name, value);
                debug_assert!(known.is_some(), "{name}: {value}");
            }
        }
        style.fill_opacity = paint.fill_opacity.unwrap_or(style.fill_opacity);
        style.stroke_width = paint.stroke_width.unwrap_or(style.stroke_width);
        let class = paint.class.as_deref().unwrap_or_default();
        for rule in SHEET.iter().filter(|r| r.is_about(tag, class)) {
            for (name, value) in &rule.properties {
                let _ = style.set(name, value);
            }
        }
        style
    }

    /// That of an element about which nothing is said.
    fn initial() -> Self {
        Self {
            fill: Ink::Colour([0; 3]),
            fill_opacity: 1.0,
            stroke: Ink::None,
            stroke_opacity: 1.0,
            stroke_width: 1.0,
            dashes: Vec::new(),
            round: false,
            size: 16.0,
            bold: false,
        }
    }

    /// Sets a property; nothing where it is not one that is known.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match (name, value) {
            ("fill", ink) => self.fill = Ink::read(ink)?,
            ("fill-opacity", x) => self.fill_opacity = x.parse().ok()?,
            ("stroke", ink) => self.stroke = Ink::read(ink)?,
            ("stroke-opacity", x) => self.stroke_opacity = x.parse().ok()?,
            ("stroke-width", x) => self.stroke_width = x.parse().ok()?,
            ("stroke-dasharray", list) => {
                let each = list.split(' ').map(|x| x.parse().ok());
                self.dashes = each.collect::<Option<_>>()?;
            }
            ("stroke-linecap", "round") => self.round = true,
            ("font-size", x) => self.size = x.strip_suffix("px")?.parse().ok()?,
            ("font-weight", "600") => self.bold = true,
            // All digits of Helvetica are of one width.
            ("font-variant-numeric", "tabular-nums") => (),
            _ => return None,
        }
        Some(())
    }
}

impl Ink {
    /// `none`, `#rgb`, `#rrggbb` or [`HATCHED`].
    fn read(text: &str) -> Option<Self> {
        match text {
            "none" => return Some(Self::None),
            HATCHED => return Some(Self::Hatched),
            _ => (),
        }
        let digits = text.strip_prefix('#')?;
        let digits: Vec<u8> = (digits.chars())
            .map(|c| c.to_digit(16).map(|d| d as u8))
            .collect::<Option<_>>()?;
        match digits[..] {
            [r, g, b] => Some(Self::Colour([17 * r, 17 * g, 17 * b])),
            [r, s, g, h, b, c] => Some(Self::Colour([16 * r + s, 16 * g + h, 16 * b + c])),
            _ => None,
        }
    }
}

impl Rule<'_> {
    fn is_about(&self, tag: &str, class: &str) -> bool {
        let has = |c: &&str| class.split(' ').any(|own| own == *c);
        (self.tag.is_empty() || self.tag == tag) && self.classes.iter().all(has)
    }
}

/// The rules of a sheet, the least specific first; nothing where a selector is not `svg tag.class.class`.
fn parse(sheet: &str) -> Option<Vec<Rule<'_>>> {
    let mut rules = Vec::new();
    for block in sheet.split('}').map(str::trim).filter(|b| !b.is_empty()) {
        let (selectors, body) = block.split_once('{')?;
        let mut properties = Vec::new();
        for declaration in body.split(';').map(str::trim).filter(|d| !d.is_empty()) {
            let (name, value) = declaration.split_once(':')?;
            properties.push((name.trim(), value.trim()));
        }
        for selector in selectors.split(',') {
            let mut parts = selector.trim().strip_prefix("svg ")?.split('.');
            let tag = parts.next()?;
            let classes: Vec<&str> = parts.collect();
            let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            if !(plain(tag) && classes.iter().all(|c| plain(c) && !c.is_empty())) {
                return None;
            }
            rules.push(Rule {
                tag,
                classes,
                properties: properties.clone(),
            });
        }
    }
    rules.sort_by_key(|r| (r.classes.len(), !r.tag.is_empty()));
    Some(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_the_sheet_is_known() {
        let rules = parse(DRAWING).expect("selectors that are known");
        assert_eq!(rules.len(), SHEET.len());
        assert!(rules.len() > 30);
        for rule in &rules {
            for (name, value) in &rule.properties {
                let set = Style::initial().set(name, value);
                assert_eq!(set, Some(()), "{:?} {name}: {value}", rule.classes);
            }
        }
    }

    #[test]
    fn what_is_not_known_is_not_passed_over() {
        for sheet in [
            "svg > g { fill: #fff; }",
            "svg .a:hover { fill: #fff; }",
            "text { fill: #fff; }",
            "svg .a { fill }",
        ] {
            assert_eq!(parse(sheet), None, "{sheet}");
        }
        for (name, value) in [
            ("fill", "red"),
            ("fill", "#12345"),
            ("filter", "none"),
            ("font-size", "2em"),
            ("stroke-linecap", "square"),
        ] {
            assert_eq!(Style::initial().set(name, value), None, "{name}: {value}");
        }
    }

    #[test]
    fn more_classes_come_before_fewer_and_the_sheet_before_attributes() {
        let style = |tag: &str, class: &str| Style::of(tag, &Paint::class(class));
        let before = style("line", "cut before");
        assert_eq!(before.stroke, Ink::Colour([0x59, 0x63, 0x6e]));
        assert_eq!((before.stroke_width, before.dashes), (1.2, vec![4.0, 2.5]));
        assert_eq!(style("line", "cut").dashes, [] as [f64; 0]);
        let point = style("circle", "point best");
        assert_eq!((point.fill, point.stroke_width), (Ink::None, 1.8));
        // The colour of `text` is that of `.tick` where both are said.
        let tick = style("text", "tick");
        assert_eq!((tick.fill, tick.size), (before.stroke, 10.5));
        assert!(style("text", "title").bold && !tick.bold);
        let signal = Style::of("path", &Paint::class("signal").stroke("#bd1f01"));
        assert_eq!(
            (signal.fill, signal.stroke, signal.stroke_width),
            (Ink::None, Ink::Colour([0xbd, 0x1f, 0x01]), 1.8)
        );
        let veil = Style::of("path", &Paint::fill("#fff").opacity(0.6));
        assert_eq!((veil.fill, veil.fill_opacity), (Ink::Colour([255; 3]), 0.6));
        assert_eq!(Style::of("rect", &Paint::fill(HATCHED)).fill, Ink::Hatched);
    }
}
