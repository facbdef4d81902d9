//! Rows of cells: separators, quotes and the ends of lines.
//!
//! Specification: RFC 4180; lines may end in `\n` alone, and a quote in the middle of a cell is a character as others.

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::site::Site;
use crate::source::Source;

/// Bytes that are read at once.
const BLOCK: u64 = 1 << 20;

/// The cells of a row, without their quotes.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Cells {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, index: usize) -> &[u8] {
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
            None => 0,
        };
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|k| self.get(k))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn close(&mut self) {
        self.ends.push(self.bytes.len());
    }
}

/// Goes through a file row by row.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    source: &'a Source,
    site: &'a Site,
    separator: u8,
    /// The longest row.
    limit: u64,
    /// Where the block starts in the file, and the position in it.
    block: Vec<u8>,
    start: u64,
    at: usize,
}

/// Where the scanner is in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    /// Behind a quote inside quotes: the end, or the first of two.
    Quote,
}

impl<'a> Scanner<'a> {
    /// From a byte on, which must be the first of a row.
    pub(crate) fn new(
        source: &'a Source,
        site: &'a Site,
        separator: u8,
        offset: u64,
        limits: &Limits,
    ) -> Self {
        Self {
            source,
            site,
            separator,
            limit: limits.object_bytes,
            block: Vec::new(),
            start: offset,
            at: 0,
        }
    }

    /// Position in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.start + self.at as u64
    }

    fn next(&mut self) -> Result<Option<u8>> {
        if self.at == self.block.len() {
            self.start += self.at as u64;
            self.at = 0;
            let left = self.source.len().saturating_sub(self.start);
            self.block = self.source.read(self.site, self.start, left.min(BLOCK))?;
        }
        let byte = self.block.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        Ok(byte)
    }

    /// Reads a row; false at the end of the file. Empty lines are no rows.
    pub(crate) fn row(&mut self, cells: &mut Cells) -> Result<bool> {
        cells.clear();
        let first = self.offset();
        let mut state = State::Start;
        loop {
            if self.offset() - first > self.limit {
                return Err(Error::TooLarge {
                    what: "bytes of a row",
                    size: self.offset() - first,
                    limit: self.limit,
                    place: self.site.place(Some(first)),
                });
            }
            let Some(byte) = self.next()? else {
                if state == State::Quoted {
                    let what = "a quote is opened and not closed";
                    return Err(self.site.corrupt(Some(first), what));
                }
                if state == State::Start && cells.ends.is_empty() {
                    return Ok(false);
                }
                cells.close();
                return Ok(true);
            };
            state = match (state, byte) {
                (State::Quoted, b'"') => State::Quote,
                (State::Quote, b'"') | (State::Quoted, _) => {
                    cells.bytes.push(byte);
                    State::Quoted
                }
                (State::Start, b'"') => State::Quoted,
                (_, b'\r') => state,
                (State::Start, b'\n') if cells.ends.is_empty() => State::Start,
                (_, b'\n') => {
                    cells.close();
                    return Ok(true);
                }
                (_, byte) if byte == self.separator => {
                    cells.close();
                    State::Start
                }
                _ => {
                    cells.bytes.push(byte);
                    State::Plain
                }
            };
        }
    }
}

/// The separator that stands most often in the first line: comma, semicolon or tabulator.
pub(crate) fn separator(line: &[u8]) -> u8 {
    let count = |separator: u8| {
        let mut quoted = false;
        let mut count = 0;
        for byte in line.iter().take_while(|b| **b != b'\n') {
            quoted ^= *byte == b'"';
            count += usize::from(!quoted && *byte == separator);
        }
        count
    };
    let mut best = b',';
    for other in [b';', b'\t'] {
        if count(other) > count(best) {
            best = other;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<Vec<String>>> {
        let source = Source::from_bytes("text", text.as_bytes());
        let site = Site::new(source.name());
        let mut scanner = Scanner::new(&source, &site, b',', 0, &Limits::default());
        let mut cells = Cells::default();
        let mut rows = Vec::new();
        while scanner.row(&mut cells)? {
            let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
            rows.push(cells.iter().map(text).collect());
        }
        Ok(rows)
    }

    #[test]
    fn quotes_and_ends_of_lines() {
        for (text, expected) in [
            ("a,b\r\n1,2\r\n", vec![vec!["a", "b"], vec!["1", "2"]]),
            ("a,b\n\n1,2", vec![vec!["a", "b"], vec!["1", "2"]]),
            ("\"a,\"\"x\"\"\n\",b\n", vec![vec!["a,\"x\"\n", "b"]]),
            ("a\"b,\n", vec![vec!["a\"b", ""]]),
            (",\n", vec![vec!["", ""]]),
            ("\"\"\n", vec![vec![""]]),
            ("", vec![]),
        ] {
            assert_eq!(rows(text).unwrap(), expected, "{text:?}");
        }
        let open = rows("a,b\n1,\"2\n").unwrap_err();
        assert_eq!(open.code(), "PB0503");
        assert!(open.to_string().contains("byte 4"), "{open}");
    }

    #[test]
    fn the_separator_is_seen() {
        assert_eq!(separator(b"a,b;c,d\n;;;;"), b',');
        assert_eq!(separator(b"a;b\n"), b';');
        assert_eq!(separator(b"\"a,b,c\"\td\n"), b'\t');
        assert_eq!(separator(b"a"), b',');
    }
}
