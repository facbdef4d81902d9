//! Which parameters are free.

/// Names of the parameters, the parameter of interest first.
pub const PARAMETERS: [&str; 4] = ["s", "r", "lambda", "b"];

/// A benchmark of the paper, section 5: s is measured, the others are known, free, or free and constrained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Benchmark {
    /// s alone.
    Zero,
    /// r free.
    One,
    /// r and λ free.
    Two,
    /// r and λ with the constraints N(0, 0.4) and N(3, 1).
    Three,
    /// As 3, and b with N(1000, 100).
    Four,
}

impl Benchmark {
    /// All, in order.
    pub const ALL: [Self; 5] = [Self::Zero, Self::One, Self::Two, Self::Three, Self::Four];

    /// Its number in the paper.
    pub const fn number(self) -> usize {
        self as usize
    }

    /// How many of [`PARAMETERS`] are free: the first ones.
    pub const fn free(self) -> usize {
        match self {
            Self::Zero => 1,
            Self::One => 2,
            Self::Two | Self::Three => 3,
            Self::Four => 4,
        }
    }

    /// The Fisher information 1/σ² of the constraints of [`PARAMETERS`], 0 where there is none.
    pub fn constraints(self) -> [f64; 4] {
        let gauss = |sigma: f64| 1.0 / (sigma * sigma);
        match self {
            Self::Zero | Self::One | Self::Two => [0.0; 4],
            Self::Three => [0.0, gauss(0.4), gauss(1.0), 0.0],
            Self::Four => [0.0, gauss(0.4), gauss(1.0), gauss(100.0)],
        }
    }
}
