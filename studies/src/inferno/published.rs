//! What the paper reports: arXiv:1806.04743, table 1 (`paper/table.tex` of <https://github.com/pablodecm/paper-inferno>, commit c035a85). Median over 100 networks.

/// A published uncertainty with its 1σ percentiles, as differences to the median.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value {
    /// The median.
    pub median: f64,
    /// To the upper percentile.
    pub up: f64,
    /// To the lower percentile.
    pub down: f64,
}

const fn v(median: f64, up: f64, down: f64) -> Value {
    Value { median, up, down }
}

/// The network trained for classification, benchmarks 0 to 4.
pub const CLASSIFIER: [Value; 5] = [
    v(14.99, 0.02, 0.00),
    v(18.94, 0.11, 0.05),
    v(23.94, 0.52, 0.17),
    v(21.54, 0.27, 0.05),
    v(26.71, 0.56, 0.11),
];

/// The network trained for the uncertainty of benchmark k (row) in benchmark j (column).
pub const INFERNO: [[Value; 5]; 5] = [
    [
        v(15.51, 0.09, 0.02),
        v(18.34, 5.17, 0.51),
        v(23.24, 6.54, 1.22),
        v(21.38, 3.15, 0.69),
        v(26.38, 7.63, 1.36),
    ],
    [
        v(15.80, 0.14, 0.04),
        v(16.79, 0.17, 0.05),
        v(21.41, 2.00, 0.53),
        v(20.29, 1.20, 0.39),
        v(24.26, 2.35, 0.71),
    ],
    [
        v(15.71, 0.15, 0.04),
        v(16.87, 0.19, 0.06),
        v(16.95, 0.18, 0.04),
        v(16.88, 0.17, 0.03),
        v(18.67, 0.25, 0.05),
    ],
    [
        v(15.70, 0.21, 0.04),
        v(16.91, 0.20, 0.05),
        v(16.97, 0.21, 0.04),
        v(16.89, 0.18, 0.03),
        v(18.69, 0.27, 0.04),
    ],
    [
        v(15.71, 0.32, 0.06),
        v(16.89, 0.30, 0.07),
        v(16.95, 0.38, 0.05),
        v(16.88, 0.40, 0.05),
        v(18.68, 0.58, 0.07),
    ],
];

/// The ratio of the densities, in ten uniform bins of f_s/(f_s + f_b).
pub const OPTIMAL_CLASSIFIER: [f64; 5] = [14.97, 19.12, 24.93, 22.13, 27.98];

/// The unbinned likelihood of the densities themselves.
pub const LIKELIHOOD: [f64; 5] = [14.71, 15.52, 15.65, 15.62, 16.89];
