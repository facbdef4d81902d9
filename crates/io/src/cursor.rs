//! A position in bytes from a file: every step is checked, every failure knows its place.

use crate::error::{Error, Result};
use crate::site::Site;

/// A position in `data`, which starts at byte `base` of what the site names.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
    base: u64,
    site: &'a Site,
}

/// Fixed-size numbers in one byte order.
macro_rules! numbers {
    ($($name:ident: $type:ty = $from:ident;)*) => {
        $(pub(crate) fn $name(&mut self) -> Result<$type> {
            Ok(<$type>::$from(self.array()?))
        })*
    };
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(data: &'a [u8], base: u64, site: &'a Site) -> Self {
        Self {
            data,
            at: 0,
            base,
            site,
        }
    }

    numbers! {
        u16: u16 = from_be_bytes;
        u32: u32 = from_be_bytes;
        u64: u64 = from_be_bytes;
        i32: i32 = from_be_bytes;
        i64: i64 = from_be_bytes;
        f64: f64 = from_be_bytes;
        le_u16: u16 = from_le_bytes;
        le_u32: u32 = from_le_bytes;
        le_i32: i32 = from_le_bytes;
        le_u64: u64 = from_le_bytes;
        le_i64: i64 = from_le_bytes;
        le_f64: f64 = from_le_bytes;
    }

    pub(crate) fn site(&self) -> &'a Site {
        self.site
    }

    /// Position in the data.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Position in what the site names.
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    pub(crate) fn left(&self) -> usize {
        self.data.len() - self.at
    }

    /// The next `len` bytes.
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let part = self
            .at
            .checked_add(len)
            .and_then(|end| self.data.get(self.at..end));
        match part {
            Some(part) => {
                self.at += len;
                Ok(part)
            }
            None => Err(self.short(len as u64)),
        }
    }

    fn short(&self, needed: u64) -> Error {
        Error::Truncated {
            needed,
            available: self.left() as u64,
            place: self.site.place(Some(self.offset())),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let part = self
            .data
            .get(self.at..)
            .and_then(|rest| rest.first_chunk::<N>());
        match part {
            Some(part) => {
                self.at += N;
                Ok(*part)
            }
            None => Err(self.short(N as u64)),
        }
    }

    pub(crate) fn skip(&mut self, len: usize) -> Result<()> {
        self.take(len).map(|_| ())
    }

    /// Goes to a position of the data, forwards or backwards.
    pub(crate) fn seek(&mut self, position: usize) -> Result<()> {
        if position > self.data.len() {
            return Err(self.short((position - self.at) as u64));
        }
        self.at = position;
        Ok(())
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// A count of things of at least `size` bytes each: what does not fit into the rest is refused.
    pub(crate) fn count(&self, count: i64, size: usize, what: &str) -> Result<usize> {
        let count = usize::try_from(count).ok().filter(|n| {
            n.checked_mul(size.max(1))
                .is_some_and(|bytes| bytes <= self.left())
        });
        count.ok_or_else(|| self.corrupt(format!("the number of {what} is impossible")))
    }

    /// ROOT's `TString`: a length byte, or 255 and a 32-bit length.
    pub(crate) fn string(&mut self) -> Result<String> {
        let mut length = usize::from(self.u8()?);
        if length == 255 {
            length = self.u32()? as usize;
        }
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    pub(crate) fn skip_string(&mut self) -> Result<()> {
        let mut length = usize::from(self.u8()?);
        if length == 255 {
            length = self.u32()? as usize;
        }
        self.skip(length)
    }

    /// Text up to a zero byte.
    pub(crate) fn c_string(&mut self) -> Result<&'a str> {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|b| *b == 0) else {
            return Err(self.corrupt("a text has no end"));
        };
        let text = self.take(length)?;
        self.skip(1)?;
        std::str::from_utf8(text).map_err(|_| self.corrupt("a class name is not text"))
    }

    /// Text with a 32-bit length, little-endian.
    pub(crate) fn le_string(&mut self) -> Result<String> {
        let length = self.le_u32()? as usize;
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    pub(crate) fn corrupt(&self, what: impl Into<String>) -> Error {
        self.site.corrupt(Some(self.offset()), what)
    }

    pub(crate) fn unsupported(&self, what: impl Into<String>) -> Error {
        self.site.unsupported(Some(self.offset()), what)
    }
}
