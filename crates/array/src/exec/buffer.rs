//! Aligned, padded, zero-initialised memory of a slot.
#![allow(unsafe_code)] // Raw allocation: kernels address slots by pointer.

use std::alloc::{Layout, alloc_zeroed, dealloc};

const ALIGN: usize = 64;
/// From this size on a block begins a page. Memory that was written is looked for by the last twelve bits of its address, so that a kernel that reads element
/// i + 1 where those bits are the ones of the element i that it writes waits for nothing: blocks side by side, a header of 64 bytes apart, are just that.
const PAGE: usize = 4096;
/// Elementwise kernels work on whole groups of this many elements and may touch the rest of the last group.
pub const GROUP: usize = 32;

/// A growable block of bytes, aligned to a cache line or a page; its content is lost when it grows.
pub struct Buffer {
    ptr: *mut u8,
    bytes: usize,
}

// SAFETY: the memory is owned; access goes through the executor, which gives each thread its own buffers or shares them read-only.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// No memory.
    pub const fn empty() -> Self {
        Self {
            ptr: std::ptr::null_mut(),
            bytes: 0,
        }
    }

    /// Room for `elements` of `size` bytes, and for the rest of the last group. False if there is not that much memory; the content is lost then, too.
    #[must_use]
    pub fn reserve(&mut self, elements: usize, size: usize) -> bool {
        let padded = elements.max(1).checked_next_multiple_of(GROUP);
        let bytes = padded.and_then(|n| n.checked_mul(size)?.checked_next_multiple_of(ALIGN));
        let Some(need) = bytes else {
            return false;
        };
        if need <= self.bytes {
            return true;
        }
        self.release();
        // Room to grow: twice for small blocks, an eighth for large ones, of which many live at once.
        let size = if cfg!(pullback_exact_slots) {
            Some(need)
        } else if need < 1 << 16 {
            need.checked_next_power_of_two()
        } else {
            need.checked_add(need / 8)
                .and_then(|n| n.checked_next_multiple_of(ALIGN))
        };
        let Some(layout) = size.and_then(layout) else {
            return false;
        };
        // SAFETY: `layout` has a non-zero size.
        let ptr = unsafe { alloc_zeroed(layout) };
        if ptr.is_null() {
            return false;
        }
        self.ptr = ptr;
        self.bytes = layout.size();
        true
    }

    /// Size of the memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Start of the memory.
    pub fn ptr(&self) -> *mut u8 {
        self.ptr
    }

    fn release(&mut self) {
        if let (false, Some(layout)) = (self.ptr.is_null(), layout(self.bytes)) {
            // SAFETY: allocated by `reserve` with the same layout.
            unsafe { dealloc(self.ptr, layout) };
        }
        self.ptr = std::ptr::null_mut();
        self.bytes = 0;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.release();
    }
}

/// The layout of so many bytes; `None` if there cannot be as many.
fn layout(bytes: usize) -> Option<Layout> {
    let align = if bytes < PAGE { ALIGN } else { PAGE };
    Layout::from_size_align(bytes, align).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layout that did not exist was once replaced by that of one word, and the buffer said it had room for all.
    #[test]
    fn more_memory_than_there_is_is_refused() {
        let mut buffer = Buffer::empty();
        for (elements, size) in [
            (usize::MAX, 1),
            (usize::MAX / 8, 8),
            (isize::MAX as usize - 100, 1),
            (isize::MAX as usize / 8, 8),
            (1 << 58, 8),
        ] {
            assert!(
                !buffer.reserve(elements, size),
                "{elements} of {size} bytes"
            );
            assert!(buffer.ptr().is_null());
        }
        assert!(buffer.reserve(3, 8) && !buffer.ptr().is_null());
    }
}
