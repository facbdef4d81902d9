//! Letters: from text to codes of the standard fonts.

use std::fmt::Write;

use super::super::drawing::N;
use super::widths::{HELVETICA, HELVETICA_BOLD, SYMBOL};

/// A font of the page.
#[derive(Debug)]
pub struct Face {
    /// Its name on the page.
    pub name: &'static str,
    /// Its own name.
    pub font: &'static str,
    /// Its encoding, if it is not its own.
    pub encoding: Option<&'static str>,
    /// Widths from code 32 on, in thousandths of the size.
    widths: &'static [u16; 224],
}

/// The fonts of a page.
pub static FACES: [Face; 3] = [
    Face {
        name: "F1",
        font: "Helvetica",
        encoding: Some("WinAnsiEncoding"),
        widths: &HELVETICA,
    },
    Face {
        name: "F2",
        font: "Helvetica-Bold",
        encoding: Some("WinAnsiEncoding"),
        widths: &HELVETICA_BOLD,
    },
    Face {
        name: "F3",
        font: "Symbol",
        encoding: None,
        widths: &SYMBOL,
    },
];

const PLAIN: usize = 0;
const BOLD: usize = 1;
const GREEK: usize = 2;

/// Characters of WinAnsiEncoding from 0x80 to 0x9f; spaces where there is none.
const WINDOWS: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

/// Letters of Symbol from `A` on, and from `a` on.
const CAPITALS: &str = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ";
const SMALL: &str = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ";

/// Signs of Symbol, and their codes.
const SIGNS: [(char, u8); 61] = [
    ('∀', 34),
    ('∃', 36),
    ('∋', 39),
    ('∗', 42),
    ('−', 45),
    ('≅', 64),
    ('∆', 68),
    ('\u{2126}', 87), // ohm
    ('∴', 92),
    ('⊥', 94),
    ('∼', 126),
    ('′', 162),
    ('≤', 163),
    ('∞', 165),
    ('↔', 171),
    ('←', 172),
    ('↑', 173),
    ('→', 174),
    ('↓', 175),
    ('″', 178),
    ('≥', 179),
    ('∝', 181),
    ('∂', 182),
    ('≠', 185),
    ('≡', 186),
    ('≈', 187),
    ('ℵ', 192),
    ('ℑ', 193),
    ('ℜ', 194),
    ('℘', 195),
    ('⊗', 196),
    ('⊕', 197),
    ('∅', 198),
    ('∩', 199),
    ('∪', 200),
    ('⊃', 201),
    ('⊇', 202),
    ('⊄', 203),
    ('⊂', 204),
    ('⊆', 205),
    ('∈', 206),
    ('∉', 207),
    ('∠', 208),
    ('∇', 209),
    ('∏', 213),
    ('√', 214),
    ('⋅', 215),
    ('∧', 217),
    ('∨', 218),
    ('⇔', 219),
    ('⇐', 220),
    ('⇑', 221),
    ('⇒', 222),
    ('⇓', 223),
    ('◊', 224),
    ('⟨', 225),
    ('∑', 229),
    ('⟩', 241),
    ('∫', 242),
    ('〈', 225),
    ('〉', 241),
];

/// Superscripts and subscripts: a part of the size, and by how much they are moved.
const RAISED: (f64, f64) = (0.6, 0.32);
const LOWERED: (f64, f64) = (0.6, -0.14);

/// A bar over a letter: that of the font is above small ones; over tall ones it is moved.
const BAR: u8 = 0xaf;
const TALL: f64 = 0.14;

/// A line of text in codes of the fonts.
#[derive(Debug)]
pub struct Line {
    runs: Vec<Run>,
    /// The text, where it cannot be read from the codes.
    actual: Option<String>,
}

/// Codes of one font and size.
#[derive(Debug, PartialEq)]
struct Run {
    face: usize,
    /// Size, in sizes of the line.
    scale: f64,
    /// Upwards, in sizes of the line.
    rise: f64,
    codes: Vec<u8>,
    /// Width of the letter over which this is put, in thousandths of its size.
    over: Option<f64>,
}

/// How a character is set.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Glyph {
    face: usize,
    scale: f64,
    rise: f64,
    code: u8,
    /// Whether the character is read from the code.
    itself: bool,
}

impl Line {
    /// Sets a text. A character that the fonts do not have becomes a question mark; who copies or searches the text finds it all the same.
    pub fn new(text: &str, bold: bool) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        let mut actual = false;
        let mut last = None;
        for c in text.chars() {
            let over = match (c, last) {
                ('\u{304}' | '\u{305}', Some(letter)) => Some(letter),
                _ => None,
            };
            let glyph = match over {
                Some((letter, below)) => bar(letter, below, bold),
                None => glyph(c, bold),
            };
            actual |= !glyph.itself;
            let over = over.map(|(_, below)| below.advance());
            match runs.last_mut().filter(|r| over.is_none() && r.takes(glyph)) {
                Some(run) => run.codes.push(glyph.code),
                None => runs.push(Run {
                    face: glyph.face,
                    scale: glyph.scale,
                    rise: glyph.rise,
                    codes: vec![glyph.code],
                    over,
                }),
            }
            last = Some((c, glyph));
        }
        Self {
            runs,
            actual: actual.then(|| text.to_owned()),
        }
    }

    /// Its width in sizes of the letters.
    pub fn width(&self) -> f64 {
        let free = self.runs.iter().filter(|r| r.over.is_none());
        free.map(Run::width).sum()
    }

    /// The operators that show it, beginning at a place, turned by an angle (sine and cosine). Nothing for no text.
    ///
    /// Reference: PDF Reference, version 1.4 (Adobe), sections 5.3 (text operators), 9.8.3 (actual text).
    pub fn show(&self, out: &mut String, at: (f64, f64), (sin, cos): (f64, f64), size: f64) {
        if self.runs.is_empty() {
            return;
        }
        if let Some(text) = &self.actual {
            let _ = writeln!(out, "/Span << /ActualText {} >> BDC", unicode(text));
        }
        // The vertical axis points downwards, letters stand upwards.
        let [s, c] = [sin, cos].map(|x| (x * 1e6).round() / 1e6 + 0.0);
        let _ = write!(
            out,
            "BT {c} {s} {s} {} {} {} Tm ",
            0.0 - c,
            N(at.0),
            N(at.1)
        );
        let mut rise = 0.0;
        for run in &self.runs {
            let _ = write!(out, "/{} {} Tf ", FACES[run.face].name, N(size * run.scale));
            if run.rise != rise {
                rise = run.rise;
                let _ = write!(out, "{} Ts ", N(size * rise));
            }
            let codes = literal(&run.codes);
            match run.over {
                None => {
                    let _ = write!(out, "{codes} Tj ");
                }
                // Back to the middle of the letter, and to its end again.
                Some(below) => {
                    let own = 1e3 * run.width() / run.scale;
                    let (back, on) = (0.5 * (below + own), 0.5 * (own - below));
                    let _ = write!(out, "[{} {codes} {}] TJ ", N(back), N(on));
                }
            }
        }
        // The rise would stay for the next text.
        out.push_str(if rise == 0.0 { "ET\n" } else { "0 Ts ET\n" });
        if self.actual.is_some() {
            out.push_str("EMC\n");
        }
    }
}

impl Run {
    fn takes(&self, glyph: Glyph) -> bool {
        self.over.is_none()
            && (self.face, self.scale, self.rise) == (glyph.face, glyph.scale, glyph.rise)
    }

    fn width(&self) -> f64 {
        let each = self.codes.iter().map(|c| advance(self.face, *c));
        self.scale * each.sum::<f64>() / 1e3
    }
}

impl Glyph {
    fn advance(self) -> f64 {
        advance(self.face, self.code)
    }
}

fn advance(face: usize, code: u8) -> f64 {
    let place = usize::from(code).checked_sub(32);
    let width = place.and_then(|p| FACES[face].widths.get(p));
    width.copied().map_or(0.0, f64::from)
}

/// A bar over a letter.
fn bar(letter: char, below: Glyph, bold: bool) -> Glyph {
    let small = "acegmnopqrsuvwxyz".contains(letter);
    Glyph {
        face: if bold { BOLD } else { PLAIN },
        scale: below.scale,
        rise: below.rise + if small { 0.0 } else { TALL * below.scale },
        code: BAR,
        itself: false,
    }
}

fn glyph(c: char, bold: bool) -> Glyph {
    let text = if bold { BOLD } else { PLAIN };
    let set = |face: usize, code: u8| Glyph {
        face,
        scale: 1.0,
        rise: 0.0,
        code,
        itself: true,
    };
    let moved = |(scale, rise): (f64, f64), c: char| Glyph {
        scale,
        rise,
        itself: false,
        ..glyph(c, bold)
    };
    let instead = |c: char| moved((1.0, 0.0), c);
    if let Some(c) = plain("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", c) {
        return moved(RAISED, c);
    }
    if let Some(c) = plain("₀₁₂₃₄₅₆₇₈₉₊₋ₙ", c) {
        return moved(LOWERED, c);
    }
    // The most frequent Greek letter is in Helvetica too, as the micro sign.
    if c == 'μ' {
        return instead('\u{b5}');
    }
    if let Some(code) = helvetica(c) {
        return set(text, code);
    }
    if let Some(code) = symbol(c) {
        return set(GREEK, code);
    }
    match c {
        c if c.is_control() => set(text, b' '),
        c if c.is_whitespace() => instead(' '),
        '\u{2010}' | '\u{2011}' => instead('-'),
        'ℓ' => instead('l'),
        'ℏ' | 'ħ' => instead('h'),
        _ => instead('?'),
    }
}

/// The character whose superscript or subscript this is.
fn plain(moved: &str, c: char) -> Option<char> {
    let place = moved.chars().position(|m| m == c)?;
    "0123456789+−n".chars().nth(place)
}

fn helvetica(c: char) -> Option<u8> {
    match c {
        ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(c)).ok(),
        _ => from(WINDOWS, c, 0x80),
    }
}

fn symbol(c: char) -> Option<u8> {
    let sign = SIGNS.iter().find(|s| s.0 == c).map(|s| s.1);
    let letter = || from(CAPITALS, c, b'A').or_else(|| from(SMALL, c, b'a'));
    sign.or_else(letter)
}

/// The code of a character in a list that begins at a code.
fn from(list: &str, c: char, first: u8) -> Option<u8> {
    let place = list.chars().position(|l| l == c && c != ' ')?;
    first.checked_add(u8::try_from(place).ok()?)
}

/// A string of codes.
fn literal(codes: &[u8]) -> String {
    let mut out = String::from("(");
    for code in codes {
        match code {
            b'(' | b')' | b'\\' => {
                out.push('\\');
                out.push(char::from(*code));
            }
            b' '..=b'~' => out.push(char::from(*code)),
            _ => {
                let _ = write!(out, "\\{code:03o}");
            }
        }
    }
    out.push(')');
    out
}

/// A string of UTF-16.
///
/// Reference: PDF Reference, version 1.4 (Adobe), section 3.8.1.
pub fn unicode(text: &str) -> String {
    let mut out = String::from("<FEFF");
    for unit in text.encode_utf16() {
        let _ = write!(out, "{unit:04X}");
    }
    out.push('>');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut out = String::new();
        Line::new(text, false).show(&mut out, (1.0, 2.0), (0.0, 1.0), 10.0);
        out
    }

    #[test]
    fn letters_have_codes_and_widths() {
        // Of the metrics: A 667, V 667 (no kerning), space 278, ellipsis 1000, plusminus 584, minus of Symbol 549.
        for (text, width) in [
            ("AV A", 2.279),
            ("…±", 1.584),
            ("−", 0.549),
            ("√", 0.549),
            ("σ", 0.603),
            ("t\u{304}", 0.278),
            ("", 0.0),
        ] {
            let found = Line::new(text, false).width();
            assert!((found - width).abs() < 1e-12, "{text}: {found}");
        }
        assert!((Line::new("At", true).width() - 1.055).abs() < 1e-12);
        let raised = Line::new("10⁻³", false).width();
        assert!((raised - (2.0 * 0.556 + 0.6 * (0.549 + 0.556))).abs() < 1e-12);
    }

    #[test]
    fn lists_of_characters_are_in_step_with_codes() {
        let counts = [WINDOWS, CAPITALS, SMALL].map(|l| l.chars().count());
        assert_eq!(counts, [32, 26, 26]);
        for (c, face, code) in [
            ('€', PLAIN, 0x80),
            ('™', PLAIN, 0x99),
            ('Ÿ', PLAIN, 0x9f),
            ('é', PLAIN, 0xe9),
            ('Ω', GREEK, b'W'),
            ('Ζ', GREEK, b'Z'),
            ('ζ', GREEK, b'z'),
            ('μ', PLAIN, 0xb5),
            ('ν', GREEK, b'n'),
            ('→', GREEK, 0xae),
        ] {
            let glyph = glyph(c, false);
            assert_eq!((glyph.face, glyph.code), (face, code), "{c}");
        }
        // What has a code has a width.
        for c in [WINDOWS, CAPITALS, SMALL].concat().chars() {
            assert!(glyph(c, false).advance() > 0.0 && glyph(c, true).advance() > 0.0);
        }
        assert!(SIGNS.iter().all(|s| glyph(s.0, false).advance() > 0.0));
    }

    #[test]
    fn strings_are_closed_and_fonts_change() {
        let line = |inside: &str| format!("BT 1 0 0 -1 1 2 Tm {inside} ET\n");
        assert_eq!(shown("a(b\\)"), line(r"/F1 10 Tf (a\(b\\\)) Tj"));
        assert_eq!(
            shown("1 → é"),
            line(r"/F1 10 Tf (1 ) Tj /F3 10 Tf (\256) Tj /F1 10 Tf ( \351) Tj")
        );
        assert_eq!(shown(""), "");
        assert_eq!(shown("a\nb"), line("/F1 10 Tf (a b) Tj"));
    }

    /// What is not set as it is written can still be read.
    #[test]
    fn stand_ins_keep_the_text() {
        let cat = shown("猫 ℓ");
        assert!(cat.starts_with("/Span << /ActualText <FEFF732B00202113> >> BDC\nBT"));
        assert!(cat.contains("(? l) Tj ET\nEMC\n"), "{cat}");
        let power = shown("10⁻⁴");
        assert!(
            power.contains("(10) Tj /F3 6 Tf 3.2 Ts (-) Tj /F1 6 Tf (4) Tj 0 Ts ET"),
            "{power}"
        );
        assert!(power.contains("<FEFF00310030207B2074>"), "{power}");
        // Over the middle of the letter: back by (278 + 333) / 2 and on by the rest.
        let top = shown("t\u{304}x");
        assert!(
            top.contains("(t) Tj /F1 10 Tf 1.4 Ts [305.5 (\\257) 27.5] TJ /F1 10 Tf 0 Ts (x) Tj"),
            "{top}"
        );
    }
}
