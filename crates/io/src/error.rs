//! The errors of this crate: stable codes, the offending value, its place and a line of help.
//!
//! Display gives one sentence with the place; [`Error::code`], [`Error::place`] and [`Error::help`] give the parts.

use std::fmt;
use std::sync::Arc;

use crate::dtype::DType;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where in a file something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Path of the file, or the name of the bytes in memory.
    pub file: Arc<str>,
    /// The object, and in it the branch or field (`Events/Muon_pt`); empty for the file as a whole.
    pub object: String,
    /// Byte offset, in the file or in the decompressed object.
    pub offset: Option<u64>,
    /// Whether the offset counts in the decompressed bytes of the object.
    pub decompressed: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.file)?;
        if !self.object.is_empty() {
            write!(f, ", `{}`", self.object)?;
        }
        match (self.offset, self.decompressed) {
            (Some(offset), false) => write!(f, ", byte {offset}"),
            (Some(offset), true) => write!(f, ", byte {offset} of the decompressed object"),
            (None, _) => Ok(()),
        }
    }
}

/// Who can repair an error: decides the exit code of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The call asks for something that is not there (an object, a column, a range).
    Usage,
    /// The file is wrong, or cannot be read.
    Input,
    /// A stated, adjustable limit was passed.
    Limit,
}

/// What can go wrong between a path and its columns.
///
/// ```
/// use pullback_io::{Source, root};
/// let error = root::File::new(Source::from_bytes("empty.root", Vec::new())).unwrap_err();
/// assert_eq!(error.code(), "PB0502");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened.
    #[error("`{path}` cannot be opened: {message}")]
    Open {
        /// The path.
        path: String,
        /// What the operating system said.
        message: String,
    },
    /// The file is of another format than expected.
    #[error("{place}: not {expected}: found {found}")]
    Format {
        /// What it should be.
        expected: &'static str,
        /// What is there instead.
        found: String,
        /// Where.
        place: Box<Place>,
    },
    /// Bytes that contradict the format or each other.
    #[error("{place}: {what}")]
    Corrupt {
        /// What is wrong, with the numbers.
        what: String,
        /// Where.
        place: Box<Place>,
    },
    /// The file, or the object, ends too early.
    #[error("{place}: {needed} bytes are needed, {available} are left")]
    Truncated {
        /// Bytes asked for.
        needed: u64,
        /// Bytes left.
        available: u64,
        /// Where.
        place: Box<Place>,
    },
    /// A stated limit was passed.
    #[error("{place}: {what}: {size} is more than the limit of {limit}")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// How large it is, or claims to be.
        size: u64,
        /// The limit: a field of [`Limits`](crate::Limits).
        limit: u64,
        /// Where.
        place: Box<Place>,
    },
    /// A checksum that does not match.
    #[error("{place}: the {algorithm} checksum is {found:016x}, stored is {expected:016x}")]
    Checksum {
        /// The hash function.
        algorithm: &'static str,
        /// The checksum in the file.
        expected: u64,
        /// The checksum of the bytes.
        found: u64,
        /// Where.
        place: Box<Place>,
    },
    /// A compressed block that does not decompress to what it claims.
    #[error("{place}: a {algorithm} block is damaged: {message}")]
    Compression {
        /// The compression algorithm.
        algorithm: &'static str,
        /// What its decoder said.
        message: String,
        /// Where.
        place: Box<Place>,
    },
    /// A part of the format that this crate does not read.
    #[error("{place}: {what} cannot be read")]
    Unsupported {
        /// What it is.
        what: String,
        /// Where.
        place: Box<Place>,
    },
    /// There is no object of this name.
    #[error("{place}: there is no {kind} `{name}`")]
    NoObject {
        /// Kind of thing.
        kind: &'static str,
        /// The name asked for; empty where any would do.
        name: String,
        /// The names that come nearest, or all there are.
        nearest: Vec<String>,
        /// Where it was looked for.
        place: Box<Place>,
    },
    /// There is no column of this name.
    #[error("{place}: there is no column `{name}`")]
    NoColumn {
        /// The name or the pattern asked for.
        name: String,
        /// The names that come nearest.
        nearest: Vec<String>,
        /// Where it was looked for.
        place: Box<Place>,
    },
    /// A column has another type than in the first file.
    #[error("{place}: the column `{name}` is {found}, in the first file it is {expected}")]
    TypeChanged {
        /// The column.
        name: String,
        /// Its type in the first file.
        expected: String,
        /// Its type here.
        found: String,
        /// Where.
        place: Box<Place>,
    },
    /// A range of entries that the table does not have.
    #[error("{place}: entries {start} to {end} were asked for, there are {entries}")]
    Range {
        /// First entry asked for.
        start: u64,
        /// End of the range.
        end: u64,
        /// Entries there are.
        entries: u64,
        /// Where.
        place: Box<Place>,
    },
    /// A pattern that matches no file, or an empty list of files.
    #[error("no file matches `{pattern}`")]
    NoFiles {
        /// The pattern.
        pattern: String,
    },
    /// A friend with another number of entries.
    #[error("the friend `{friend}` has {found} entries, the table it is joined to has {expected}")]
    FriendLength {
        /// Prefix of the friend's columns.
        friend: String,
        /// Entries of the friend.
        found: u64,
        /// Entries of the table.
        expected: u64,
    },
    /// A conversion that would lose information.
    #[error("a column of {from} cannot become {to} without loss{detail}")]
    Lossy {
        /// The type it has.
        from: DType,
        /// The type asked for.
        to: DType,
        /// The value at fault, with a colon in front; may be empty.
        detail: String,
    },
    /// Values that are missing where all are needed.
    #[error("{count} values are missing, the first is number {first} of its level")]
    Missing {
        /// How many.
        count: usize,
        /// Position of the first one among the parents of its level.
        first: usize,
    },
    /// Output could not be written.
    #[error("writing failed: {message}")]
    Write {
        /// What the operating system said.
        message: String,
    },
    /// A column that cannot be made or written as asked.
    #[error("the column `{name}` cannot be written: {what}")]
    Unwritable {
        /// The column; may be empty.
        name: String,
        /// What does not fit.
        what: String,
    },
    /// A histogram that a ROOT file cannot hold as asked.
    #[error("the histogram `{name}` cannot be written: {what}")]
    UnwritableHistogram {
        /// Its path in the file.
        name: String,
        /// What does not fit.
        what: String,
    },
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "PB0501",
            Self::Format { .. } => "PB0502",
            Self::Corrupt { .. } => "PB0503",
            Self::Truncated { .. } => "PB0504",
            Self::TooLarge { .. } => "PB0505",
            Self::Checksum { .. } => "PB0506",
            Self::Compression { .. } => "PB0507",
            Self::Unsupported { .. } => "PB0508",
            Self::NoObject { .. } => "PB0509",
            Self::NoColumn { .. } => "PB0510",
            Self::TypeChanged { .. } => "PB0511",
            Self::Range { .. } => "PB0512",
            Self::NoFiles { .. } => "PB0513",
            Self::FriendLength { .. } => "PB0514",
            Self::Lossy { .. } => "PB0515",
            Self::Missing { .. } => "PB0516",
            Self::Write { .. } => "PB0517",
            Self::Unwritable { .. } => "PB0518",
            Self::UnwritableHistogram { .. } => "PB0519",
        }
    }

    /// Who can repair it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoObject { .. }
            | Self::NoColumn { .. }
            | Self::Range { .. }
            | Self::NoFiles { .. }
            | Self::Lossy { .. }
            | Self::Missing { .. }
            | Self::Unwritable { .. }
            | Self::UnwritableHistogram { .. } => ErrorKind::Usage,
            Self::TooLarge { .. } | Self::Write { .. } => ErrorKind::Limit,
            _ => ErrorKind::Input,
        }
    }

    /// Where it happened.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Format { place, .. }
            | Self::Corrupt { place, .. }
            | Self::Truncated { place, .. }
            | Self::TooLarge { place, .. }
            | Self::Checksum { place, .. }
            | Self::Compression { place, .. }
            | Self::Unsupported { place, .. }
            | Self::NoObject { place, .. }
            | Self::NoColumn { place, .. }
            | Self::TypeChanged { place, .. }
            | Self::Range { place, .. } => Some(place),
            _ => None,
        }
    }

    /// What to do about it, in one line.
    pub fn help(&self) -> String {
        let nearest = |names: &[String]| match names {
            [] => "there are none".to_owned(),
            names => format!("did you mean `{}`?", names.join("`, `")),
        };
        match self {
            Self::Open { .. } => "check the path and the permissions".to_owned(),
            Self::Format { .. } => "is it the right file, and was it copied whole?".to_owned(),
            Self::Corrupt { .. } | Self::Checksum { .. } | Self::Compression { .. } => {
                "the file is damaged here: copy it again, or leave this column out".to_owned()
            }
            Self::Truncated { .. } => {
                "the file is cut short or damaged: compare its size with the original's".to_owned()
            }
            Self::TooLarge { .. } => "raise the limit if the file is trusted".to_owned(),
            Self::Unsupported { .. } => "leave this object or column out".to_owned(),
            Self::NoObject { nearest: names, .. } | Self::NoColumn { nearest: names, .. } => {
                nearest(names)
            }
            Self::TypeChanged { .. } => "read these files as two data sets".to_owned(),
            Self::Range { .. } => "count the entries first".to_owned(),
            Self::NoFiles { .. } => {
                "`*` and `?` stand for parts of a name; quote them in a shell".to_owned()
            }
            Self::FriendLength { .. } => {
                "friends are joined entry by entry: give the files that belong together".to_owned()
            }
            Self::Missing { .. } => "keep the optional level, or choose other entries".to_owned(),
            Self::Write { .. } => "check the free space and the permissions".to_owned(),
            Self::Unwritable { .. } => {
                "give every column the type, the levels and the entries that were announced"
                    .to_owned()
            }
            Self::UnwritableHistogram { .. } => {
                "`TH1D`s with rising edges are written, each name once in its directory; `/` stands between directories only"
                    .to_owned()
            }
            Self::Lossy { .. } => "ask for a wider type".to_owned(),
        }
    }
}
