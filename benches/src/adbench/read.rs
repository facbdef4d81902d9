//! Numbers from ADBench's text files, in order, with errors that tell file, line and what was expected.

use std::fs;
use std::path::{Path, PathBuf};

/// What can be wrong with a file of ADBench.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error(
        "PB0951: cannot read {path}: {error}\n  help: the inputs of ADBench are in its repository, folder `data`"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A word that is not what the format has in its place.
    #[error(
        "PB0952: {path}, line {line}: {what}: expected {expected}, found `{found}`\n  help: docs/FileFormat.md of ADBench tells the format"
    )]
    Word {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The quantity.
        what: &'static str,
        /// What can stand there.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The file ends too early.
    #[error(
        "PB0953: {path} ends where {what} is expected\n  help: is the file cut off, or of another problem?"
    )]
    End {
        /// The file.
        path: PathBuf,
        /// The quantity.
        what: &'static str,
    },
}

/// The most elements that a count in a file may ask for.
const MOST: usize = 100_000_000;

/// Words of a file, separated by white space and colons.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    text: String,
    at: usize,
}

fn separates(c: char) -> bool {
    c.is_whitespace() || c == ':'
}

impl Reader {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self {
                path: path.to_owned(),
                text,
                at: 0,
            }),
            Err(error) => Err(ReadError::File {
                path: path.to_owned(),
                error,
            }),
        }
    }

    /// Reads from a text, which messages call `name`.
    pub fn text(name: &str, text: &str) -> Self {
        Self {
            path: PathBuf::from(name),
            text: text.to_owned(),
            at: 0,
        }
    }

    fn next(&mut self) -> Option<(usize, usize)> {
        let rest = &self.text[self.at..];
        let start = self.at + rest.find(|c| !separates(c))?;
        let rest = &self.text[start..];
        let end = start + rest.find(separates).unwrap_or(rest.len());
        self.at = end;
        Some((start, end))
    }

    /// The line of the last word, from 1.
    fn line(&self) -> usize {
        1 + self.text[..self.at].matches('\n').count()
    }

    /// Whether words are left.
    pub fn more(&self) -> bool {
        self.text[self.at..].contains(|c| !separates(c))
    }

    /// The next word.
    pub fn word(&mut self, what: &'static str) -> Result<&str, ReadError> {
        match self.next() {
            Some((start, end)) => Ok(&self.text[start..end]),
            None => Err(ReadError::End {
                path: self.path.clone(),
                what,
            }),
        }
    }

    /// The next word, converted by `convert`.
    fn read<T>(
        &mut self,
        what: &'static str,
        expected: impl Into<String>,
        convert: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ReadError> {
        let word = self.word(what)?;
        if let Some(value) = convert(word) {
            return Ok(value);
        }
        let found = word.chars().take(40).collect();
        Err(ReadError::Word {
            path: self.path.clone(),
            line: self.line(),
            what,
            expected: expected.into(),
            found,
        })
    }

    /// The next number.
    pub fn number(&mut self, what: &'static str) -> Result<f64, ReadError> {
        self.read(what, "a finite number", |word| {
            word.parse().ok().filter(|x: &f64| x.is_finite())
        })
    }

    /// The next number, which must be this one.
    pub fn exactly(&mut self, what: &'static str, expected: f64) -> Result<(), ReadError> {
        self.read(what, format!("{expected}"), |word| {
            word.parse()
                .ok()
                .filter(|x: &f64| *x == expected)
                .map(|_| ())
        })
    }

    /// The error that the last word is not `expected`.
    pub fn wrong(&self, what: &'static str, expected: usize, found: usize) -> ReadError {
        ReadError::Word {
            path: self.path.clone(),
            line: self.line(),
            what,
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    /// The next `n` numbers.
    pub fn numbers(&mut self, what: &'static str, n: usize) -> Result<Vec<f64>, ReadError> {
        (0..n).map(|_| self.number(what)).collect()
    }

    /// The next word as an array of numbers.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[f64; N], ReadError> {
        let mut out = [0.0; N];
        for x in &mut out {
            *x = self.number(what)?;
        }
        Ok(out)
    }

    /// The next count.
    pub fn count(&mut self, what: &'static str) -> Result<usize, ReadError> {
        let expected = format!("a count from 1 to {MOST}");
        self.read(what, expected, |word| {
            word.parse().ok().filter(|n| (1..=MOST).contains(n))
        })
    }

    /// The next integer below `end`.
    pub fn index(&mut self, what: &'static str, end: usize) -> Result<usize, ReadError> {
        let expected = format!("an index below {end}");
        self.read(what, expected, |word| {
            word.parse().ok().filter(|&n: &usize| n < end)
        })
    }

    /// The next integer below `end`, or −1 for none.
    pub fn index_or_none(
        &mut self,
        what: &'static str,
        end: usize,
    ) -> Result<Option<usize>, ReadError> {
        let expected = format!("-1 or an index below {end}");
        self.read(what, expected, |word| match word.parse::<i64>().ok()? {
            -1 => Some(None),
            n => usize::try_from(n).ok().filter(|n| *n < end).map(Some),
        })
    }

    /// The end of the file.
    pub fn end(mut self) -> Result<(), ReadError> {
        if self.more() {
            self.read("the end", "nothing more", |_| None)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_tell_file_line_and_what_was_expected() {
        let mut reader = Reader::text("bones.txt", "wrist:-1:0.5\nx 7");
        assert_eq!(reader.word("a name").unwrap(), "wrist");
        assert_eq!(reader.index_or_none("a parent", 3).unwrap(), None);
        assert_eq!(reader.number("a length").unwrap(), 0.5);
        let error = reader.number("a length").unwrap_err().to_string();
        assert!(
            error.contains("bones.txt, line 2: a length: expected a finite number, found `x`"),
            "{error}"
        );
        let error = reader.index("a bone", 7).unwrap_err().to_string();
        assert!(
            error.contains("expected an index below 7, found `7`"),
            "{error}"
        );
        let error = reader.count("a count").unwrap_err().to_string();
        assert!(
            error.starts_with("PB0953: bones.txt ends where a count is expected"),
            "{error}"
        );
        assert!(
            Reader::text("a", "1 2")
                .end()
                .unwrap_err()
                .to_string()
                .contains("nothing more")
        );
        let error = Reader::open(Path::new("nowhere.txt"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("PB0951: cannot read nowhere.txt"),
            "{error}"
        );
    }

    #[test]
    fn nan_and_monstrous_counts_are_refused() {
        assert!(Reader::text("a", "nan").number("x").is_err());
        assert!(Reader::text("a", "0").count("x").is_err());
        assert!(Reader::text("a", "99999999999").count("x").is_err());
        assert!(Reader::text("a", "-2").index_or_none("x", 3).is_err());
    }
}
