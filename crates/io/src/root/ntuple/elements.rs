//! Elements of one column of one cluster: pages read, checked, decoded in parallel.

use std::ops::Range;

use rayon::prelude::*;

use crate::budget::Budget;
use crate::dtype::DType;
use crate::error::Result;
use crate::root::compression::decompress;
use crate::root::ntuple::encoding::Encoding;
use crate::root::ntuple::envelope::check_hash;
use crate::root::ntuple::fields::Representations;
use crate::root::ntuple::pages::{Cluster, ColumnPages, Page};
use crate::root::ntuple::table::Ntuple;
use crate::site::Site;
use crate::values::Values;

/// Whose elements are read, and the memory left for them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) site: &'a Site,
    pub(super) budget: &'a Budget,
}

/// Which of the alternatives of a field a cluster holds.
pub(super) fn active<'a>(fields: &'a Representations, cluster: &Cluster) -> Option<&'a Vec<usize>> {
    let stored = |column: &usize| cluster.columns.get(*column).is_some_and(|c| !c.suppressed);
    fields.iter().find(|columns| columns.iter().all(stored))
}

impl Ntuple {
    /// Elements `range` of column number `which` of the active representation. Of a column that was added late, the elements that
    /// the cluster lacks of the `expected` ones are zeros.
    pub(super) fn elements(
        &self,
        fields: &Representations,
        which: usize,
        cluster: &Cluster,
        range: &Range<u64>,
        expected: Option<u64>,
        context: &Context<'_>,
    ) -> Result<Values> {
        let site = context.site;
        let empty = ColumnPages::default();
        // A cluster that was written before the column existed does not list it.
        let columns = active(fields, cluster).or(fields.first());
        let column = columns.and_then(|c| c.get(which)).copied();
        let record = column.and_then(|c| self.columns().get(c));
        let (Some(column), Some(record)) = (column, record) else {
            return Err(site.corrupt(None, "it has no column"));
        };
        let Some(encoding) = Encoding::of(record) else {
            return Err(site.unsupported(None, format!("the column type {:#x}", record.kind)));
        };
        let pages = cluster.columns.get(column).unwrap_or(&empty);
        let stored = pages
            .pages
            .iter()
            .fold(0, |n, p| u64::saturating_add(n, p.elements));
        let missing = if record.deferred || cluster.columns.get(column).is_none() {
            expected.map_or(0, |expected| expected.saturating_sub(stored))
        } else {
            0
        };
        if range.end > missing.saturating_add(stored) || range.start > range.end {
            return Err(site.corrupt(
                None,
                format!(
                    "elements {} to {} of a cluster are needed, it has {stored}",
                    range.start, range.end
                ),
            ));
        }
        let size = encoding.dtype().size() as u64;
        context
            .budget
            .take((range.end - range.start).saturating_mul(size), site)?;
        let zeros = missing.min(range.end).saturating_sub(range.start);
        let mut needed: Vec<(&Page, Range<usize>)> = Vec::new();
        let mut first = missing;
        for page in &pages.pages {
            let end = first.saturating_add(page.elements);
            let inside = range.start.max(first)..range.end.min(end);
            if inside.start < inside.end {
                let part = (inside.start - first) as usize..(inside.end - first) as usize;
                needed.push((page, part));
            }
            first = end;
        }
        let one = |(page, part): &(&Page, Range<usize>)| {
            let values = self.page(page, encoding, site)?;
            Ok(values.slice(part.clone()))
        };
        let parts: Vec<Result<Values>> = if needed.len() > 1 {
            needed.par_iter().map(one).collect()
        } else {
            needed.iter().map(one).collect()
        };
        let mut parts = parts.into_iter();
        let mut all = match (zeros, parts.next()) {
            (0, Some(first)) => first?,
            (_, first) => {
                let mut all = zeroed(encoding.dtype(), zeros as usize);
                if let Some(first) = first {
                    let first = first?;
                    all.extend(&first, 0..first.len());
                }
                all
            }
        };
        for part in parts {
            let part = part?;
            all.extend(&part, 0..part.len());
        }
        Ok(all)
    }

    fn page(&self, page: &Page, encoding: Encoding, site: &Site) -> Result<Values> {
        let hash_bytes = if page.hashed { 8 } else { 0 };
        let mut stored =
            self.source()
                .read(site, page.seek, page.bytes.saturating_add(hash_bytes))?;
        if page.hashed
            && let Some((data, hash)) = stored.split_last_chunk::<8>()
        {
            check_hash(data, u64::from_le_bytes(*hash), page.seek, site)?;
            stored.truncate(stored.len() - 8);
        }
        let size = encoding.page_bytes(page.elements);
        if (stored.len() as u64) > size {
            return Err(site.corrupt(
                Some(page.seek),
                format!(
                    "a page of {} bytes holds {size} bytes of elements",
                    stored.len()
                ),
            ));
        }
        let data = decompress(&stored, page.seek, size, site, self.limits())?;
        Ok(encoding.decode(&data, page.elements as usize))
    }
}

/// What stands for elements from before a column was added.
fn zeroed(dtype: DType, count: usize) -> Values {
    match dtype {
        DType::Bool => Values::Bool(vec![false; count]),
        DType::I8 => Values::I8(vec![0; count]),
        DType::U8 => Values::U8(vec![0; count]),
        DType::I16 => Values::I16(vec![0; count]),
        DType::U16 => Values::U16(vec![0; count]),
        DType::I32 => Values::I32(vec![0; count]),
        DType::U32 => Values::U32(vec![0; count]),
        DType::I64 => Values::I64(vec![0; count]),
        DType::U64 => Values::U64(vec![0; count]),
        DType::F32 => Values::F32(vec![0.0; count]),
        DType::F64 => Values::F64(vec![0.0; count]),
        DType::Str => Values::with_capacity(dtype, 0),
    }
}
