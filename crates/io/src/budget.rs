//! What one call may use: bytes and items, counted before they are taken.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::limits::Limits;
use crate::site::Site;

/// Something that is used up, counted by any number of threads.
#[derive(Debug)]
pub(crate) struct Budget {
    what: &'static str,
    used: AtomicU64,
    limit: u64,
}

impl Budget {
    fn new(what: &'static str, limit: u64) -> Self {
        Self {
            what,
            used: AtomicU64::new(0),
            limit,
        }
    }

    /// The columns of one `read`.
    pub(crate) fn columns(limits: &Limits) -> Self {
        Self::new("bytes of columns in one read", limits.chunk_bytes)
    }

    /// The names of one table or one file.
    pub(crate) fn names(limits: &Limits) -> Self {
        Self::new("bytes of names", limits.name_bytes)
    }

    /// The numbers of one object.
    pub(crate) fn object(limits: &Limits) -> Self {
        Self::new("bytes of an object in memory", limits.object_bytes)
    }

    /// Things that a file lists.
    pub(crate) fn items(what: &'static str, limits: &Limits) -> Self {
        Self::new(what, limits.items)
    }

    /// Counts what is about to be allocated.
    pub(crate) fn take(&self, amount: u64, site: &Site) -> Result<()> {
        let used = self
            .used
            .fetch_add(amount, Ordering::Relaxed)
            .saturating_add(amount);
        site.limit(self.what, used, self.limit)
    }

    /// Counts texts that are about to be kept.
    pub(crate) fn take_texts(&self, texts: &[&str], site: &Site) -> Result<()> {
        self.take(texts.iter().map(|text| text.len() as u64).sum(), site)
    }
}
