//! Drawings: recorded once, written as SVG and as PDF.

/// The style of drawings.
pub const DRAWING: &str = include_str!("drawing.css");

/// The fill of uncertainties: hatched.
pub const HATCHED: &str = "url(#hatch)";

/// A drawing that grows. Lengths are in units of the style sheet; the vertical axis points downwards.
#[derive(Debug, Clone)]
pub struct Drawing {
    /// Its width.
    pub(super) width: f64,
    /// Its height.
    pub(super) height: f64,
    /// What it shows, for those who do not see it.
    pub(super) label: String,
    /// What is drawn, the undermost first.
    pub(super) elements: Vec<Element>,
}

/// What drawings are made of.
#[derive(Debug, Clone)]
pub(super) enum Element {
    /// Something painted.
    Shape(Shape, Paint),
    /// Something written.
    Text(Text),
    /// A group begins that shows a text when pointed at.
    Open(String),
    /// It ends.
    Close,
}

/// Where something is painted.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// A rectangle: the corner at its upper left, width, height.
    Rect([f64; 4]),
    /// A line.
    Line([(f64, f64); 2]),
    /// A disc: its centre and its radius.
    Disc((f64, f64), f64),
    /// A path through points, and whether it is closed.
    Path(Vec<(f64, f64)>, bool),
}

/// How something is painted: by a class of the style sheet, which comes before the colours given here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Paint {
    /// Classes of the style sheet.
    pub(super) class: Option<String>,
    /// The colour inside, `none` or [`HATCHED`].
    pub(super) fill: Option<String>,
    /// How much of what is below the inside hides.
    pub(super) fill_opacity: Option<f64>,
    /// The colour of the outline.
    pub(super) stroke: Option<String>,
    /// The width of the outline.
    pub(super) stroke_width: Option<f64>,
}

/// Something written.
#[derive(Debug, Clone)]
pub(super) struct Text {
    /// Where.
    pub(super) at: (f64, f64),
    /// The angle by which it is turned, clockwise, in degrees.
    pub(super) angle: f64,
    /// Which part of it is there.
    pub(super) anchor: Anchor,
    /// A class of the style sheet.
    pub(super) class: String,
    /// What is written.
    pub(super) words: String,
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

impl Paint {
    /// As a class of the style sheet says.
    pub fn class(class: &str) -> Self {
        Self {
            class: Some(class.to_owned()),
            ..Self::default()
        }
    }

    /// Filled with a colour, or [`HATCHED`].
    pub fn fill(colour: &str) -> Self {
        Self {
            fill: Some(colour.to_owned()),
            ..Self::default()
        }
    }

    /// A line, not filled.
    pub fn line(colour: &str, width: f64) -> Self {
        Self {
            stroke_width: Some(width),
            ..Self::fill("none").stroke(colour)
        }
    }

    /// With a colour of the outline.
    pub fn stroke(self, colour: &str) -> Self {
        Self {
            stroke: Some(colour.to_owned()),
            ..self
        }
    }

    /// What is below shines through.
    pub fn opacity(self, opacity: f64) -> Self {
        Self {
            fill_opacity: Some(opacity),
            ..self
        }
    }
}

impl Drawing {
    /// An empty drawing; the label says what it shows to those who do not see it.
    pub fn new(width: f64, height: f64, label: &str) -> Self {
        Self {
            width,
            height,
            label: label.to_owned(),
            elements: Vec::new(),
        }
    }

    /// A filled rectangle. Empty ones are left out.
    pub fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: &str) {
        if width > 0.0 && height > 0.0 {
            self.shape(Shape::Rect([x, y, width, height]), Paint::fill(fill));
        }
    }

    /// A line with a class of the style sheet.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        self.shape(Shape::Line([from, to]), Paint::class(class));
    }

    /// A disc.
    pub fn disc(&mut self, x: f64, y: f64, radius: f64, class: &str) {
        self.shape(Shape::Disc((x, y), radius), Paint::class(class));
    }

    /// A path through points.
    pub fn path(&mut self, points: &[(f64, f64)], closed: bool, paint: Paint) {
        if !points.is_empty() {
            self.shape(Shape::Path(points.to_vec(), closed), paint);
        }
    }

    fn shape(&mut self, shape: Shape, paint: Paint) {
        self.elements.push(Element::Shape(shape, paint));
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
        self.elements.push(Element::Text(Text {
            at: (x, y),
            angle,
            anchor,
            class: class.to_owned(),
            words: text.to_owned(),
        }));
    }

    /// Opens a group that shows a text when pointed at; [`Drawing::close`] ends it.
    pub fn open_with_title(&mut self, title: &str) {
        self.elements.push(Element::Open(title.to_owned()));
    }

    /// Ends a group.
    pub fn close(&mut self) {
        self.elements.push(Element::Close);
    }
}

/// A length with at most two decimals.
pub(super) struct N(pub(super) f64);

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
