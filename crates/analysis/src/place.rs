//! Where something stands: a span of an expression, and the place of that expression in its document.

use std::fmt;
use std::sync::Arc;

/// A range of bytes of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` to before `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Self) -> Self {
        Self::new(self.start.min(other.start), self.end.max(other.end))
    }
}

/// A document in which an expression stands: the analysis file.
#[derive(Debug, PartialEq, Eq)]
struct Document {
    path: String,
    text: Arc<str>,
    /// Byte of the document at which the expression begins.
    offset: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    key: String,
    text: String,
    document: Option<Document>,
}

/// The text of an expression: what it defines, and where in which document it stands.
///
/// # Example
/// ```
/// use pullback_analysis::{Source, Span};
/// let file = "[objects]\nmu = { from = \"Muon\", where = \"pt > 25\" }\n";
/// let text = "pt > 25";
/// let source = Source::within("objects.mu.where", text, "analysis.toml", file.into(), file.find(text).unwrap());
/// assert_eq!(source.position(Span::new(5, 7)), (2, 37));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    inner: Arc<Inner>,
}

impl Source {
    /// An expression that stands alone; `key` says what it defines (`columns.m_ll`).
    pub fn new(key: impl Into<String>, text: impl Into<String>) -> Self {
        let (key, text) = (key.into(), text.into());
        let inner = Inner {
            key,
            text,
            document: None,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// An expression that stands, letter by letter, at byte `offset` of a document. Where it does not, the place is that of the expression alone.
    pub fn within(
        key: impl Into<String>,
        text: impl Into<String>,
        path: impl Into<String>,
        document: Arc<str>,
        offset: usize,
    ) -> Self {
        let (key, text) = (key.into(), text.into());
        let there = document.get(offset..).is_some_and(|d| d.starts_with(&text));
        let document = there.then(|| Document {
            path: path.into(),
            text: document,
            offset,
        });
        let inner = Inner {
            key,
            text,
            document,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The same with a name for what it defines, if it has none.
    pub(crate) fn keyed(self, key: &str) -> Self {
        if self.inner.key.is_empty() && self.inner.document.is_none() {
            Self::new(key, self.text())
        } else {
            self
        }
    }

    /// What it defines.
    pub fn key(&self) -> &str {
        &self.inner.key
    }

    /// The expression.
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// Path of the document, if there is one.
    pub fn path(&self) -> Option<&str> {
        self.inner.document.as_ref().map(|d| d.path.as_str())
    }

    /// The text around, and where the expression begins in it.
    fn whole(&self) -> (&str, usize) {
        match &self.inner.document {
            Some(d) => (&d.text, d.offset),
            None => (&self.inner.text, 0),
        }
    }

    /// Line and column, in characters and from 1, of the start of a span: in the document if there is one, else in the expression.
    pub fn position(&self, span: Span) -> (usize, usize) {
        let (text, offset) = self.whole();
        let before = text.get(..offset + span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (
            before.matches('\n').count() + 1,
            before.get(line_start..).map_or(0, |l| l.chars().count()) + 1,
        )
    }

    /// The lines on which a span stands, the number of the first, and the span within them.
    pub(crate) fn lines(&self, span: Span) -> (&str, usize, Span) {
        let (text, offset) = self.whole();
        let (start, end) = (offset + span.start, offset + span.end);
        let first = text.get(..start).unwrap_or("").rfind('\n');
        let first = first.map_or(0, |i| i + 1);
        let last = text.get(end..).unwrap_or("").find('\n');
        let last = last.map_or(text.len(), |i| end + i);
        let lines = text.get(first..last).unwrap_or("");
        (
            lines,
            self.position(span).0,
            Span::new(start - first, end - first),
        )
    }

    /// The place of a span.
    pub fn at(&self, span: Span) -> Place {
        Place {
            source: self.clone(),
            span,
        }
    }

    /// The place of everything.
    pub fn everywhere(&self) -> Place {
        self.at(Span::new(0, self.text().len()))
    }
}

impl From<&str> for Source {
    fn from(text: &str) -> Self {
        Self::new("", text)
    }
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        Self::new("", text)
    }
}

/// A span of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The expression.
    pub source: Source,
    /// The part of it.
    pub span: Span,
}

impl Place {
    /// The text there.
    pub fn text(&self) -> &str {
        let Span { start, end } = self.span;
        self.source.text().get(start..end).unwrap_or("")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.source.position(self.span);
        if let Some(path) = self.source.path() {
            write!(f, "{path}, ")?;
        }
        if !self.source.key().is_empty() {
            write!(f, "{}, ", self.source.key())?;
        }
        write!(f, "line {line}, column {column}")
    }
}
