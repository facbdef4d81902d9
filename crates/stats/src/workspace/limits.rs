//! How large a document may be.

/// Limits on what is read, so that a wrong or hostile file costs a clear error and not the memory of the machine. All are adjustable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a document; 256 MiB by default (the largest published workspaces have some 10 MB).
    pub bytes: u64,
    /// Cells, bins of samples summed over all channels; 10⁷ by default.
    pub cells: u64,
    /// Uses of modifiers on samples; 10⁷ by default.
    pub modifiers: u64,
    /// Parameters of a model; 10⁵ by default (a covariance matrix of that size has 80 GB).
    pub parameters: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            cells: 10_000_000,
            modifiers: 10_000_000,
            parameters: 100_000,
        }
    }
}

impl Limits {
    /// No limits.
    pub const NONE: Self = Self {
        bytes: u64::MAX,
        cells: u64::MAX,
        modifiers: u64::MAX,
        parameters: u64::MAX,
    };
}
