//! `TKey`, written: what [`key`](crate::root::key) reads.
//!
//! Format: ROOT, `io/doc/TFile/key.md`.

use super::output::Output;

/// What a record is called: its class, its name, its title.
#[derive(Debug, Clone)]
pub(super) struct Label {
    class: &'static str,
    name: String,
    title: String,
}

impl Label {
    /// The date in all keys, 1995-01-01 00:00:00: the same histograms give the same bytes whenever they are written.
    pub(super) const DATE: u32 = (1 << 22) | (1 << 17);

    pub(super) fn new(class: &'static str, name: &str, title: &str) -> Self {
        Self {
            class,
            name: name.to_owned(),
            title: title.to_owned(),
        }
    }

    /// Bytes of the head.
    pub(super) fn bytes(&self) -> usize {
        let text = |text: &str| text.len() + if text.len() < 255 { 1 } else { 5 };
        26 + text(self.class) + text(&self.name) + text(&self.title)
    }

    /// The head of an object of `object` bytes, stored in `stored`, at `seek` in the directory whose key is at `around`.
    pub(super) fn key(&self, seek: usize, around: usize, object: usize, stored: usize) -> Vec<u8> {
        let bytes = self.bytes();
        let mut out = Output::default();
        out.u32((bytes + stored) as u32);
        out.u16(4);
        out.u32(object as u32);
        out.u32(Self::DATE);
        out.u16(bytes as u16);
        out.u16(1); // The number of the version of this name.
        out.u32(seek as u32);
        out.u32(around as u32);
        out.string(self.class);
        out.string(&self.name);
        out.string(&self.title);
        out.into_bytes()
    }
}
