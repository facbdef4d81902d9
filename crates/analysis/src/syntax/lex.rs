//! From characters to tokens.

use crate::error::{Error, Result};
use crate::place::{Source, Span};

/// Words that cannot be names.
pub(crate) const KEYWORDS: [&str; 10] = [
    "or", "and", "not", "in", "where", "if", "else", "as", "true", "false",
];

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A number, and whether it was written without point and exponent.
    Number(f64, bool),
    /// A name.
    Name(String),
    /// A word of [`KEYWORDS`] or a symbol.
    Word(&'static str),
    /// The end of the text.
    End,
}

impl Token {
    /// As it is called in messages.
    pub fn describe(&self) -> String {
        match self {
            Self::Number(value, _) => format!("the number {value}"),
            Self::Name(name) => format!("`{name}`"),
            Self::Word(word) => format!("`{word}`"),
            Self::End => "the end".into(),
        }
    }
}

/// Symbols, longer ones first.
const SYMBOLS: [&str; 21] = [
    "**", "<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "%", "(", ")", "[", "]", "{", "}",
    ",", ".", ":",
];

/// What people write who come from other languages, and what to write here.
const FOREIGN: [(&str, &str); 12] = [
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("&", "write `and`"),
    ("|", "write `or`, or `abs(x)` for an absolute value"),
    ("!", "write `not`, or `!=`"),
    ("=", "write `==` to compare"),
    ("^", "write `**` for a power"),
    ("~", "write `not`"),
    ("?", "write `a if condition else b`"),
    ("≤", "write `<=`"),
    ("≥", "write `>=`"),
    ("\"", "an expression holds no text, only numbers and names"),
];

/// Cuts a text into tokens; the last one is [`Token::End`].
pub(super) fn tokens(source: &Source) -> Result<Vec<(Token, Span)>> {
    let text = source.text();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let rest = text.get(at..).unwrap_or("");
        let (token, length) = token(source, rest, first, at)?;
        out.push((token, Span::new(at, at + length)));
        at += length;
    }
    out.push((Token::End, Span::new(text.len(), text.len())));
    Ok(out)
}

fn token(source: &Source, rest: &str, first: char, at: usize) -> Result<(Token, usize)> {
    let second_is_digit = rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if first.is_ascii_digit() || (first == '.' && second_is_digit) {
        return number(source, rest, at);
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or("");
        let keyword = KEYWORDS.iter().find(|k| **k == name);
        let token = keyword.map_or_else(|| Token::Name(name.into()), |k| Token::Word(k));
        return Ok((token, length));
    }
    if let Some(symbol) = SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
        return Ok((Token::Word(symbol), symbol.len()));
    }
    let foreign = FOREIGN.iter().find(|(f, _)| rest.starts_with(f));
    let (found, help) = foreign.map_or_else(
        || {
            (
                first.to_string(),
                "names are made of letters, digits and `_`",
            )
        },
        |(f, help)| ((*f).to_owned(), *help),
    );
    Err(Error::Unexpected {
        place: source.at(Span::new(at, at + found.len())),
        found: format!("`{found}`"),
        expected: "a name, a number or an operator".into(),
        help: help.into(),
    })
}

/// `12`, `1.5`, `.5`, `1e-3`. A point belongs to the number only before a digit.
fn number(source: &Source, rest: &str, at: usize) -> Result<(Token, usize)> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| {
        let n = bytes.iter().skip(from).take_while(|b| b.is_ascii_digit());
        from + n.count()
    };
    let mut end = digits(0);
    let mut integer = true;
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        (end, integer) = (digits(end + 1), false);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let power = end + 1 + sign;
        if bytes.get(power).is_some_and(u8::is_ascii_digit) {
            (end, integer) = (digits(power), false);
        }
    }
    let text = rest.get(..end).unwrap_or("");
    match text.parse::<f64>() {
        // Above 2^53 not every whole number is a double.
        Ok(value) if value.is_finite() && !(integer && value > 9_007_199_254_740_992.0) => {
            Ok((Token::Number(value, integer), end))
        }
        _ => Err(Error::Number {
            place: source.at(Span::new(at, at + end)),
            text: text.into(),
        }),
    }
}
