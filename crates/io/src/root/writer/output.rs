//! Bytes of objects in ROOT's serialisation: what [`objects`](crate::root::objects) reads.

use std::collections::HashMap;

/// Of a byte count; of the reference to a class; before the first mention of a class.
const BYTE_COUNT: u32 = 0x4000_0000;
const CLASS: u32 = 0x8000_0000;
const NEW_CLASS: u32 = 0xffff_ffff;
/// References count from here.
const MAP_OFFSET: u32 = 2;
/// `TObject` bits: on the heap, not deleted.
const ALIVE: u32 = 0x0300_0000;

/// Bytes that grow, and the classes named in them so far.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    /// Position of the first byte for references: the length of the key in front.
    origin: u32,
    classes: HashMap<&'static str, u32>,
}

/// Numbers, big-endian.
macro_rules! numbers {
    ($($name:ident: $type:ty;)*) => {
        $(pub(super) fn $name(&mut self, value: $type) {
            self.bytes.extend(value.to_be_bytes());
        })*
    };
}

impl Output {
    /// An object behind a key of `origin` bytes.
    pub(super) fn behind(origin: usize) -> Self {
        Self {
            origin: origin as u32,
            ..Self::default()
        }
    }

    numbers! {
        u8: u8;
        u16: u16;
        u32: u32;
        i16: i16;
        i32: i32;
        f32: f32;
        f64: f64;
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// `TString`: a length of one byte, or 255 and one of four.
    pub(super) fn string(&mut self, text: &str) {
        if text.len() < 255 {
            self.u8(text.len() as u8);
        } else {
            self.u8(255);
            self.u32(text.len() as u32);
        }
        self.raw(text.as_bytes());
    }

    /// `TArrayD`.
    pub(super) fn doubles(&mut self, values: &[f64]) {
        self.i32(values.len() as i32);
        for value in values {
            self.f64(*value);
        }
    }

    /// Puts the number of bytes behind it into the four at `at`.
    fn close(&mut self, at: usize) {
        let count = BYTE_COUNT | (self.bytes.len() - at - 4) as u32;
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&count.to_be_bytes());
        }
    }

    /// An object with a head: byte count, version, and what it holds.
    pub(super) fn object(&mut self, version: u16, inside: impl FnOnce(&mut Self)) {
        let at = self.bytes.len();
        self.u32(0);
        self.u16(version);
        inside(self);
        self.close(at);
    }

    /// An object where one of any class may stand: its class by name the first time, by reference later.
    pub(super) fn any(
        &mut self,
        class: &'static str,
        version: u16,
        inside: impl FnOnce(&mut Self),
    ) {
        let at = self.bytes.len();
        self.u32(0);
        if let Some(place) = self.classes.get(class) {
            self.u32(CLASS | place);
        } else {
            let place = self.bytes.len() as u32 + self.origin + MAP_OFFSET;
            self.classes.insert(class, place);
            self.u32(NEW_CLASS);
            self.raw(class.as_bytes());
            self.u8(0);
        }
        self.object(version, inside);
        self.close(at);
    }

    /// Where an object of any class may stand: none.
    pub(super) fn null(&mut self) {
        self.u32(0);
    }

    /// `TObject`, which has no byte count.
    pub(super) fn tobject(&mut self) {
        self.u16(1);
        self.u32(0); // The unique id.
        self.u32(ALIVE);
    }

    /// `TNamed`.
    pub(super) fn named(&mut self, name: &str, title: &str) {
        self.object(1, |out| {
            out.tobject();
            out.string(name);
            out.string(title);
        });
    }

    /// `TList` of this many objects, which `inside` writes, each with an option.
    pub(super) fn list(&mut self, count: usize, inside: impl FnOnce(&mut Self)) {
        self.object(5, |out| {
            out.tobject();
            out.string("");
            out.i32(count as i32);
            inside(out);
        });
    }
}
