//! What is being read, for messages.

use std::sync::Arc;

use crate::error::{Error, Place};

/// The file and the object that are being read.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    file: Arc<str>,
    object: Arc<str>,
    decompressed: bool,
}

impl Site {
    /// A file as a whole.
    pub(crate) fn new(file: &Arc<str>) -> Self {
        Self {
            file: file.clone(),
            object: "".into(),
            decompressed: false,
        }
    }

    /// An object of the same file.
    pub(crate) fn object(&self, object: impl Into<Arc<str>>) -> Self {
        Self {
            file: self.file.clone(),
            object: object.into(),
            decompressed: false,
        }
    }

    /// A part of the object.
    pub(crate) fn part(&self, part: &str) -> Self {
        self.object(format!("{}/{part}", self.object))
    }

    /// The same object: offsets count in its decompressed bytes from here on.
    pub(crate) fn decompressed(&self) -> Self {
        Self {
            decompressed: true,
            ..self.clone()
        }
    }

    #[allow(clippy::unnecessary_box_returns, reason = "errors hold it in a box")]
    pub(crate) fn place(&self, offset: Option<u64>) -> Box<Place> {
        Box::new(Place {
            file: self.file.clone(),
            object: self.object.to_string(),
            offset,
            decompressed: self.decompressed,
        })
    }

    pub(crate) fn corrupt(&self, offset: Option<u64>, what: impl Into<String>) -> Error {
        Error::Corrupt {
            what: what.into(),
            place: self.place(offset),
        }
    }

    pub(crate) fn unsupported(&self, offset: Option<u64>, what: impl Into<String>) -> Error {
        Error::Unsupported {
            what: what.into(),
            place: self.place(offset),
        }
    }

    pub(crate) fn limit(&self, what: &'static str, size: u64, limit: u64) -> Result<(), Error> {
        if size <= limit {
            return Ok(());
        }
        Err(Error::TooLarge {
            what,
            size,
            limit,
            place: self.place(None),
        })
    }
}
