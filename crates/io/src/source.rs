//! Where the bytes come from: a file read at positions, or bytes in memory.

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::site::Site;

#[derive(Debug)]
enum Bytes {
    #[cfg(unix)]
    File(std::fs::File),
    #[cfg(not(unix))]
    File(std::sync::Mutex<std::fs::File>),
    Memory(Arc<[u8]>),
}

/// A file, read in pieces at positions, from any number of threads; or bytes in memory.
///
/// Nothing is mapped into memory: a file that shrinks while it is read is an error and not a signal.
#[derive(Debug)]
pub struct Source {
    name: Arc<str>,
    len: u64,
    bytes: Bytes,
}

impl Source {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Open`]: it is not there, not readable, or not a regular file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let failed = |message: String| Error::Open {
            path: path.display().to_string(),
            message,
        };
        let metadata = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?;
        if !metadata.is_file() {
            // A pipe would wait for ever, a folder has no bytes.
            return Err(failed("it is not a regular file".to_owned()));
        }
        let file = std::fs::File::open(path).map_err(|e| failed(e.to_string()))?;
        Ok(Self {
            name: path.display().to_string().into(),
            len: metadata.len(),
            #[cfg(unix)]
            bytes: Bytes::File(file),
            #[cfg(not(unix))]
            bytes: Bytes::File(std::sync::Mutex::new(file)),
        })
    }

    /// Bytes in memory, with a name for messages.
    pub fn from_bytes(name: &str, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self {
            name: name.into(),
            len: bytes.len() as u64,
            bytes: Bytes::Memory(bytes),
        }
    }

    /// Path or name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True without bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// `len` bytes from `offset`; their existence is checked before anything is allocated.
    pub(crate) fn read(&self, site: &Site, offset: u64, len: u64) -> Result<Vec<u8>> {
        let left = self.len.saturating_sub(offset);
        if len > left {
            return Err(Error::Truncated {
                needed: len,
                available: left,
                place: site.place(Some(offset)),
            });
        }
        let failed = |error: &std::io::Error| Error::Corrupt {
            what: format!("reading {len} bytes failed: {error}"),
            place: site.place(Some(offset)),
        };
        match &self.bytes {
            Bytes::Memory(bytes) => {
                let part = bytes.get(offset as usize..(offset + len) as usize);
                Ok(part.unwrap_or_default().to_vec())
            }
            #[cfg(unix)]
            Bytes::File(file) => {
                let mut buffer = vec![0; len as usize];
                std::os::unix::fs::FileExt::read_exact_at(file, &mut buffer, offset)
                    .map_err(|e| failed(&e))?;
                Ok(buffer)
            }
            #[cfg(not(unix))]
            Bytes::File(file) => {
                use std::io::{Read, Seek, SeekFrom};
                let mut buffer = vec![0; len as usize];
                let mut file = file
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                file.seek(SeekFrom::Start(offset))
                    .and_then(|_| file.read_exact(&mut buffer))
                    .map_err(|e| failed(&e))?;
                Ok(buffer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_inside_and_refuses_outside() {
        let source = Source::from_bytes("memory", vec![1, 2, 3]);
        let site = Site::new(source.name());
        assert_eq!(source.read(&site, 1, 2).unwrap(), [2, 3]);
        assert_eq!(source.read(&site, 3, 0).unwrap(), [0_u8; 0]);
        for (offset, len) in [(2, 2), (4, 0), (u64::MAX, 1), (0, u64::MAX)] {
            let error = source.read(&site, offset, len);
            if len > 0 {
                assert_eq!(error.unwrap_err().code(), "PB0504");
            }
        }
    }

    #[test]
    fn folders_and_missing_files_are_refused() {
        for path in [".", "no/such/file.root"] {
            assert_eq!(Source::open(path).unwrap_err().code(), "PB0501");
        }
    }
}
