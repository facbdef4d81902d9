//! What a file may ask for before it is refused.

/// Bounds on what one file may make a reader allocate; all can be raised.
///
/// Sizes that a file claims are compared with these and with the size of the file before anything is allocated, so that a
/// damaged or hostile file costs an error and not the memory of the machine.
///
/// ```
/// let limits = pullback_io::Limits { chunk_bytes: 1 << 20, ..Default::default() };
/// assert!(limits.object_bytes > limits.chunk_bytes);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one decompressed object: the description of a tree, a basket, a page, a histogram (1 GiB).
    pub object_bytes: u64,
    /// Bytes of columns that one call of `read` may return (8 GiB).
    pub chunk_bytes: u64,
    /// Keys, branches, fields, columns or list items in one file (4 million).
    pub items: u64,
    /// Bytes of the names, types and titles of the columns of one table, or of the objects of one file (64 MiB).
    pub name_bytes: u64,
    /// How deep directories, branches or fields may nest (64).
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            object_bytes: 1 << 30,
            chunk_bytes: 8 << 30,
            items: 4_000_000,
            name_bytes: 64 << 20,
            depth: 64,
        }
    }
}
