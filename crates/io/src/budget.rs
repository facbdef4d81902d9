//! The memory that one call of `read` may use.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::limits::Limits;
use crate::site::Site;

/// Bytes of columns, counted as they are made, by any number of threads.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicU64,
    limit: u64,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            used: AtomicU64::new(0),
            limit: limits.chunk_bytes,
        }
    }

    /// Counts bytes that are about to be allocated.
    pub(crate) fn take(&self, bytes: u64, site: &Site) -> Result<()> {
        let used = self
            .used
            .fetch_add(bytes, Ordering::Relaxed)
            .saturating_add(bytes);
        site.limit("bytes of columns in one read", used, self.limit)
    }
}
