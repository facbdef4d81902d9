//! The entries of a basket: where their items are, and how many each has.

use std::borrow::Cow;
use std::sync::Arc;

use crate::column::Axis;
use crate::cursor::Cursor;
use crate::error::Result;
use crate::root::basket::Basket;
use crate::root::layout::{Plan, Shape};
use crate::site::Site;
use crate::values::Strings;

/// What entries hold.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    /// Items of the plan's size, back to back.
    Items(Cow<'a, [u8]>),
    Texts(Strings),
}

/// The entries of a basket: levels of lists, then items.
#[derive(Debug)]
pub(crate) struct Entries<'a> {
    /// Without a level for items that another branch counts.
    pub(crate) axes: Vec<Axis>,
    pub(crate) content: Content<'a>,
}

/// A bit in the version of a collection: its items are written member by member.
const MEMBERWISE: u16 = 0x4000;
const BYTE_COUNT: u32 = 0x4000_0000;

/// Finds the items of every entry. Numbers `counted` by another branch must be as many as it says.
pub(crate) fn entries<'a>(
    plan: &Plan,
    basket: &'a Basket,
    counted: Option<usize>,
    site: &Site,
) -> Result<Entries<'a>> {
    let data = basket.data();
    let stride = plan.stride.max(1);
    let exactly = |items: usize| {
        if items.checked_mul(stride) == Some(data.len()) {
            return Ok(());
        }
        let what = format!(
            "a basket of {} bytes, {items} items of {stride} bytes were announced",
            data.len()
        );
        // Classes may write themselves in their own way, which no description tells.
        Err(if plan.heads.is_empty() {
            site.corrupt(None, what)
        } else {
            site.unsupported(
                None,
                format!("objects that are not stored as described ({what})"),
            )
        })
    };
    let mut axes = Vec::new();
    let content = match plan.shape {
        Shape::Flat => {
            exactly(basket.entries)?;
            Content::Items(Cow::Borrowed(data))
        }
        Shape::Counted(_) => {
            exactly(counted.unwrap_or(0))?;
            Content::Items(Cow::Borrowed(data))
        }
        Shape::Jagged { flag } => {
            let starts = stored_offsets(basket, site)?;
            let mut list = Vec::with_capacity(starts.len());
            list.push(0);
            let mut items = Vec::new();
            for (start, end) in starts.iter().zip(starts.iter().skip(1)) {
                let bytes = data.get(start + flag..*end).unwrap_or_default();
                if start + flag > *end || bytes.len() % stride != 0 {
                    let what = format!("an entry of {} bytes, items have {stride}", end - start);
                    return Err(site.corrupt(Some(*start as u64), what));
                }
                if flag > 0 {
                    items.extend_from_slice(bytes);
                }
                list.push(list.last().copied().unwrap_or(0) + (bytes.len() / stride) as i64);
            }
            axes.push(Axis::List(Arc::new(list)));
            Content::Items(if flag > 0 {
                Cow::Owned(items)
            } else {
                Cow::Borrowed(data)
            })
        }
        Shape::Lists { depth } => {
            let lists = Lists::read(depth, stride, basket, site);
            // Objects of classes without a version have longer heads, others write themselves in their own way.
            let lists = match lists {
                Err(error) if !plan.heads.is_empty() => {
                    let what = format!("objects that are not stored as described ({error})");
                    return Err(site.unsupported(None, what));
                }
                lists => lists?,
            };
            axes.extend(lists.offsets.into_iter().map(|o| Axis::List(Arc::new(o))));
            Content::Items(Cow::Owned(lists.items))
        }
        Shape::TextLists { depth } => {
            let lists = Lists::read(depth, 0, basket, site)?;
            axes.extend(lists.offsets.into_iter().map(|o| Axis::List(Arc::new(o))));
            Content::Texts(lists.texts)
        }
        Shape::Text { head } => Content::Texts(texts(basket, head, site)?),
    };
    if let Content::Items(items) = &content {
        check_heads(plan, items, site)?;
    }
    Ok(Entries { axes, content })
}

fn stored_offsets(basket: &Basket, site: &Site) -> Result<Vec<usize>> {
    let offsets = basket.offsets(site)?;
    offsets.ok_or_else(|| site.corrupt(None, "entries of different lengths without entry offsets"))
}

/// Objects of one class have one size, as long as their heads say so.
fn check_heads(plan: &Plan, items: &[u8], site: &Site) -> Result<()> {
    if plan.heads.is_empty() {
        return Ok(());
    }
    for (k, item) in items.chunks_exact(plan.stride.max(1)).enumerate() {
        for (at, expected) in &plan.heads {
            let head = item.get(*at..at.saturating_add(4)).unwrap_or_default();
            if head != expected.to_be_bytes() {
                let what = format!("objects of different sizes (object {k} of a basket)");
                return Err(site.unsupported(Some((k * plan.stride + at) as u64), what));
            }
        }
    }
    Ok(())
}

fn texts(basket: &Basket, head: usize, site: &Site) -> Result<Strings> {
    let data = basket.data();
    let mut cursor = Cursor::new(data, 0, site);
    let offsets = basket.offsets(site)?;
    let mut texts = Strings::default();
    for k in 0..basket.entries {
        if let Some(start) = offsets.as_ref().and_then(|o| o.get(k)) {
            cursor.seek(*start)?;
        }
        cursor.skip(head)?;
        texts.push(text(&mut cursor)?);
    }
    Ok(texts)
}

fn text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8]> {
    let mut length = usize::from(cursor.u8()?);
    if length == 255 {
        length = cursor.u32()? as usize;
    }
    cursor.take(length)
}

/// Collections taken apart: the number of items on every level, and the items.
struct Lists {
    stride: usize,
    /// By level, outermost first.
    offsets: Vec<Vec<i64>>,
    items: Vec<u8>,
    /// Instead of items, where the stride is 0.
    texts: Strings,
}

impl Lists {
    fn read(depth: usize, stride: usize, basket: &Basket, site: &Site) -> Result<Self> {
        let starts = stored_offsets(basket, site)?;
        let data = basket.data();
        let mut lists = Self {
            stride,
            offsets: vec![vec![0]; depth],
            items: Vec::with_capacity(if stride == 0 { 0 } else { data.len() }),
            texts: Strings::default(),
        };
        if let Some(outer) = lists.offsets.first_mut() {
            outer.reserve(basket.entries);
        }
        let mut cursor = Cursor::new(data, 0, site);
        for (start, end) in starts.iter().zip(starts.iter().skip(1)) {
            cursor.seek(*start)?;
            let count = cursor.u32()?;
            let version = cursor.u16()?;
            let bytes = (count & !BYTE_COUNT) as usize;
            if count & BYTE_COUNT == 0 || bytes + 4 != end - start {
                return Err(cursor.corrupt(format!(
                    "a collection of {bytes} bytes in an entry of {}",
                    end - start
                )));
            }
            if version & MEMBERWISE != 0 {
                return Err(cursor.unsupported("a collection that is stored member by member"));
            }
            lists.level(0, &mut cursor)?;
            if cursor.position() != *end {
                return Err(cursor.corrupt("a collection does not fill its entry"));
            }
        }
        Ok(lists)
    }

    /// One list of level `depth`, and what is in it.
    fn level(&mut self, depth: usize, cursor: &mut Cursor<'_>) -> Result<()> {
        let count = i64::from(cursor.u32()?);
        let innermost = depth + 1 == self.offsets.len();
        let least = match (innermost, self.stride) {
            (true, 0) => 1,
            (true, stride) => stride,
            (false, _) => 4,
        };
        let count = cursor.count(count, least, "items in a collection")?;
        if let Some(offsets) = self.offsets.get_mut(depth) {
            let last = offsets.last().copied().unwrap_or(0);
            offsets.push(last + count as i64);
        }
        if !innermost {
            for _ in 0..count {
                self.level(depth + 1, cursor)?;
            }
        } else if self.stride > 0 {
            self.items
                .extend_from_slice(cursor.take(count * self.stride)?);
        } else {
            for _ in 0..count {
                self.texts.push(text(cursor)?);
            }
        }
        Ok(())
    }
}
