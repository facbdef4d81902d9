//! JSON pointers (RFC 6901) on JSON values.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::locate::{escape, unescape};
use crate::error::{Error, Result};

/// A parsed JSON pointer: the keys and indices from the root to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    tokens: Vec<String>,
}

impl Pointer {
    /// Parses a pointer: empty for the root, else tokens each preceded by `/`, with `~0` for `~` and `~1` for `/`.
    ///
    /// # Errors
    /// [`Error::PointerSyntax`].
    pub fn parse(text: &str) -> Result<Self> {
        let fail = |message| {
            Err(Error::PointerSyntax {
                pointer: super::read::shorten(text),
                message,
            })
        };
        if text.is_empty() {
            return Ok(Self { tokens: Vec::new() });
        }
        let Some(rest) = text.strip_prefix('/') else {
            return fail("it does not start with `/`");
        };
        let tokens: Option<Vec<String>> = rest
            .split('/')
            .map(|token| unescape(token).map(Cow::into_owned))
            .collect();
        match tokens {
            Some(tokens) => Ok(Self { tokens }),
            None => fail("`~` is followed by something else than 0 or 1"),
        }
    }

    /// Number of tokens: how deep the value is.
    pub(super) fn depth(&self) -> usize {
        self.tokens.len()
    }

    /// Last token and the tokens before it; `None` for the root.
    pub(super) fn split_last(&self) -> Option<(&str, &[String])> {
        self.tokens
            .split_last()
            .map(|(last, rest)| (last.as_str(), rest))
    }

    /// Whether `other` is a value inside the one that this points to (not the same).
    pub(super) fn is_proper_prefix_of(&self, other: &Self) -> bool {
        self.tokens.len() < other.tokens.len() && other.tokens.starts_with(&self.tokens)
    }

    /// The value, if it exists.
    pub fn get<'v>(&self, root: &'v Value) -> Option<&'v Value> {
        self.tokens
            .iter()
            .try_fold(root, |value, token| match value {
                Value::Object(map) => map.get(token),
                Value::Array(list) => list.get(index(token)?),
                _ => None,
            })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tokens
            .iter()
            .try_for_each(|token| write!(f, "/{}", escape(token)))
    }
}

/// The value that tokens lead to, to be changed.
pub(super) fn get_mut<'v>(root: &'v mut Value, tokens: &[String]) -> Option<&'v mut Value> {
    tokens.iter().try_fold(root, |value, token| match value {
        Value::Object(map) => map.get_mut(token),
        Value::Array(list) => list.get_mut(index(token)?),
        _ => None,
    })
}

/// An array index: digits without leading zeros (RFC 6901, section 4).
pub(super) fn index(token: &str) -> Option<usize> {
    let digits = !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit());
    (digits && (token == "0" || !token.starts_with('0')))
        .then(|| token.parse().ok())
        .flatten()
}
