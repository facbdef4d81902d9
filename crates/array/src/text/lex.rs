//! Words of the text form.

use std::borrow::Cow;

use crate::error::{Error, Result};

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    /// A name or keyword.
    Word(&'a str),
    /// A quoted text, unescaped.
    Quoted(Cow<'a, str>),
    /// `%` and a number.
    Value(u32),
    /// An integer.
    Int(i64),
    /// A double: written with a point, an exponent, or as `inf`, `nan`.
    F64(f64),
    /// A sign of the grammar.
    Sign(char),
    /// The end.
    End,
}

impl std::fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(w) => write!(f, "`{w}`"),
            Self::Quoted(s) => write!(f, "{s:?}"),
            Self::Value(k) => write!(f, "`%{k}`"),
            Self::Int(i) => write!(f, "`{i}`"),
            Self::F64(x) => write!(f, "`{x:?}`"),
            Self::Sign(c) => write!(f, "`{c}`"),
            Self::End => f.write_str("the end"),
        }
    }
}

pub(super) fn is_word(s: &str) -> bool {
    let mut chars = s.chars();
    let begins = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    begins && chars.all(|c| c.is_ascii_alphanumeric() || c == '_') && !matches!(s, "inf" | "nan")
}

/// Splits a text into words.
pub(super) struct Lexer<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            line: 1,
        }
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(Error::Parse {
            line: self.line,
            message: message.into(),
        })
    }

    /// All words with their lines.
    pub fn words(mut self) -> Result<Vec<(Token<'a>, usize)>> {
        let mut out = Vec::new();
        loop {
            let token = self.next()?;
            let end = token == Token::End;
            out.push((token, self.line));
            if end {
                return Ok(out);
            }
        }
    }

    fn next(&mut self) -> Result<Token<'a>> {
        loop {
            let Some(first) = self.rest.chars().next() else {
                return Ok(Token::End);
            };
            match first {
                '\n' => {
                    self.line += 1;
                    self.rest = &self.rest[1..];
                }
                c if c.is_whitespace() => self.rest = &self.rest[c.len_utf8()..],
                '[' | ']' | '{' | '}' | '(' | ')' | ':' | ',' | '=' | '@' => {
                    self.rest = &self.rest[1..];
                    return Ok(Token::Sign(first));
                }
                '"' => return self.quoted(),
                '%' => {
                    self.rest = &self.rest[1..];
                    let digits = self.take(|c| c.is_ascii_digit());
                    return match digits.parse() {
                        Ok(k) => Ok(Token::Value(k)),
                        Err(_) => self.error(format!(
                            "`%{digits}` is no value; expected `%` and a number below 2^32"
                        )),
                    };
                }
                c if c.is_ascii_digit() || matches!(c, '-' | '+') => return self.number(),
                c if c.is_ascii_alphabetic() || c == '_' => {
                    let word = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
                    return match word {
                        "inf" => Ok(Token::F64(f64::INFINITY)),
                        "nan" => self.nan(),
                        word => Ok(Token::Word(word)),
                    };
                }
                other => return self.error(format!("{other:?} begins no word of a program")),
            }
        }
    }

    fn take(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// After `nan`: the usual one, or `:0x` and its bits.
    fn nan(&mut self) -> Result<Token<'a>> {
        let Some(rest) = self.rest.strip_prefix(":0x") else {
            return Ok(Token::F64(f64::NAN));
        };
        self.rest = rest;
        let digits = self.take(|c| c.is_ascii_hexdigit());
        match u64::from_str_radix(digits, 16).map(f64::from_bits) {
            Ok(x) if x.is_nan() => Ok(Token::F64(x)),
            _ => self.error(format!("`nan:0x{digits}` is not the bits of a NaN")),
        }
    }

    fn number(&mut self) -> Result<Token<'a>> {
        let word = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
        if word == "-inf" {
            return Ok(Token::F64(f64::NEG_INFINITY));
        }
        let double = word.contains(['.', 'e', 'E']);
        let found = if double {
            word.parse().ok().map(Token::F64)
        } else {
            word.parse().ok().map(Token::Int)
        };
        match found {
            Some(Token::F64(x)) if x.is_infinite() => {
                self.error(format!("`{word}` is too large for a double; write `inf`"))
            }
            Some(token) => Ok(token),
            None => self.error(format!("`{word}` is no number")),
        }
    }

    fn quoted(&mut self) -> Result<Token<'a>> {
        let text = &self.rest[1..];
        let mut out: Option<String> = None;
        let mut chars = text.char_indices();
        while let Some((k, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &text[k + 1..];
                    return Ok(Token::Quoted(
                        out.map_or(Cow::Borrowed(&text[..k]), Cow::Owned),
                    ));
                }
                '\n' => return self.error("a quoted text does not end on its line"),
                '\\' => {
                    let text = out.get_or_insert_with(|| text[..k].to_owned());
                    match chars.next().map(|(_, c)| c) {
                        Some(c @ ('"' | '\\')) => text.push(c),
                        Some('n') => text.push('\n'),
                        Some('u') => {
                            let code: String = chars
                                .by_ref()
                                .map(|(_, c)| c)
                                .skip_while(|c| *c == '{')
                                .take_while(|c| *c != '}')
                                .take(8)
                                .collect();
                            match u32::from_str_radix(&code, 16).ok().and_then(char::from_u32) {
                                Some(c) => text.push(c),
                                None => {
                                    return self.error(format!("`\\u{{{code}}}` is no character"));
                                }
                            }
                        }
                        other => {
                            return self.error(format!(
                                "unknown escape {other:?}; expected \\\" \\\\ \\n or \\u{{…}}"
                            ));
                        }
                    }
                }
                c => {
                    if let Some(text) = &mut out {
                        text.push(c);
                    }
                }
            }
        }
        self.error("a quoted text does not end")
    }
}
