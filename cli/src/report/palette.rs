//! Colours.

/// Ten colours that are told apart also with colour-vision deficiencies.
///
/// Reference: M. Petroff, Accessible color sequences for data visualization, arXiv:2107.02270.
const SAMPLES: [&str; 9] = [
    "#3f90da", "#ffa90e", "#94a4a2", "#832db6", "#a96b59", "#b9ac70", "#e76300", "#92dadd",
    "#717581",
];

/// The tenth of them: samples that the parameter of interest scales.
pub const SIGNAL: &str = "#bd1f01";

/// Samples that share the last place.
pub const REST: &str = "#d8d8d8";

/// How many samples have a colour of their own.
pub const DISTINCT: usize = SAMPLES.len();

/// The colour of the sample with this rank.
pub fn sample(rank: usize) -> &'static str {
    SAMPLES.get(rank).copied().unwrap_or(REST)
}

/// From blue at −1 over white at 0 to red at 1, and whether black is readable on it.
pub fn diverging(x: f64) -> ([u8; 3], bool) {
    let end = if x < 0.0 {
        [33.0, 102.0, 172.0]
    } else {
        [178.0, 24.0, 43.0]
    };
    let t = if x.is_nan() { 0.0 } else { x.abs().min(1.0) };
    (
        end.map(|c: f64| (255.0 + t * (c - 255.0)).round() as u8),
        t < 0.6,
    )
}

/// `#rrggbb`.
pub fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}
