//! Aligned, padded, zero-initialised memory of a slot.
#![allow(unsafe_code)] // Raw allocation: kernels address slots by pointer.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};

const ALIGN: usize = 64;
/// Elementwise kernels work on whole groups of this many elements and may touch the rest of the last group.
pub const GROUP: usize = 32;

/// A growable block of bytes, aligned to a cache line; its content is lost when it grows.
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

    /// Room for `elements` of `size` bytes, and for the rest of the last group.
    pub fn reserve(&mut self, elements: usize, size: usize) {
        let need = (elements.next_multiple_of(GROUP).max(GROUP) * size).next_multiple_of(ALIGN);
        if need <= self.bytes {
            return;
        }
        self.release();
        // Room to grow: twice for small blocks, an eighth for large ones, of which many live at once.
        let need = if need < 1 << 16 {
            need.next_power_of_two()
        } else {
            (need + need / 8).next_multiple_of(ALIGN)
        };
        let layout = layout(need);
        // SAFETY: `layout` has a non-zero size.
        let ptr = unsafe { alloc_zeroed(layout) };
        if ptr.is_null() {
            handle_alloc_error(layout);
        }
        self.ptr = ptr;
        self.bytes = need;
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
        if !self.ptr.is_null() {
            // SAFETY: allocated by `reserve` with the same layout.
            unsafe { dealloc(self.ptr, layout(self.bytes)) };
            self.ptr = std::ptr::null_mut();
            self.bytes = 0;
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.release();
    }
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, ALIGN).unwrap_or(Layout::new::<u64>())
}
