//! `TH1D` version 3, as [`Histogram`] reads it.
//!
//! Formats: the class definitions in `hist/hist/inc/TH1.h`, `TAxis.h` and `core/base/inc/TAtt*.h` of ROOT 6.24, in the order of their members.

use super::output::Output;
use crate::root::histogram::{Histogram, HistogramAxis};

/// What `TH1::fMaximum` and `fMinimum` are where nobody chose them.
const NOT_CHOSEN: f64 = -1111.0;

/// Why a histogram cannot be written as a `TH1D`.
pub(super) fn refusal(histogram: &Histogram) -> Option<String> {
    let [axis] = histogram.axes.as_slice() else {
        let n = histogram.axes.len();
        return Some(format!("it has {n} axes, those of one are written"));
    };
    if histogram.class != "TH1D" {
        let class = &histogram.class;
        return Some(format!("it is a {class}, TH1D is written"));
    }
    if axis.bins() == 0 {
        return Some("it has no bins".to_owned());
    }
    let rising = axis.edges.iter().zip(axis.edges.iter().skip(1));
    if !axis.edges.iter().all(|e| e.is_finite()) || !rising.into_iter().all(|(a, b)| a < b) {
        return Some("its edges do not rise".to_owned());
    }
    if !axis.labels.is_empty() {
        return Some("its bins have names".to_owned());
    }
    let cells = axis.bins() + 2;
    let lengths = [Some(&histogram.values), histogram.sumw2.as_ref()];
    let wrong = lengths.into_iter().flatten().find(|v| v.len() != cells);
    wrong.map(|v| {
        let n = v.len();
        format!(
            "it has {n} values or variances for {cells} bins, those of under- and overflow included"
        )
    })
}

/// The object, behind a key of `origin` bytes.
pub(super) fn th1d(histogram: &Histogram, origin: usize) -> Vec<u8> {
    let mut out = Output::behind(origin);
    out.object(3, |out| {
        out.object(8, |out| th1(out, histogram));
        out.doubles(&histogram.values);
    });
    out.into_bytes()
}

fn th1(out: &mut Output, histogram: &Histogram) {
    out.named(&histogram.name, &histogram.title);
    out.object(2, |out| {
        out.i16(602); // Line: colour, style, width, as a new histogram has them.
        out.i16(1);
        out.i16(1);
    });
    out.object(2, |out| {
        out.i16(0); // Area: colour, style.
        out.i16(1001);
    });
    out.object(2, |out| {
        out.i16(1); // Marker: colour, style, size.
        out.i16(1);
        out.f32(1.0);
    });
    out.i32(histogram.values.len() as i32);
    if let Some(x) = histogram.axes.first() {
        axis(out, "xaxis", x);
    }
    let unused = HistogramAxis::new("", vec![0.0, 1.0]);
    axis(out, "yaxis", &unused);
    axis(out, "zaxis", &unused);
    out.i16(0); // Bar charts: offset, width.
    out.i16(1000);
    out.f64(histogram.entries);
    for sum in statistics(histogram) {
        out.f64(sum);
    }
    out.f64(NOT_CHOSEN);
    out.f64(NOT_CHOSEN);
    out.f64(0.0); // The norm.
    out.doubles(&[]); // Contours.
    out.doubles(histogram.sumw2.as_deref().unwrap_or_default());
    out.string(""); // The option for drawing.
    out.list(0, |_| {}); // Functions.
    out.i32(0); // The buffer: its length, and that there is none.
    out.u8(0);
    out.i32(0); // Errors of bins are roots of sums of squares.
    out.i32(2); // Whether flow bins are in statistics: as ROOT is set.
}

/// Sums of w, w², wx, wx² over the bins between the edges, x being the centres: what `TH1::GetStats` makes of bins.
fn statistics(histogram: &Histogram) -> [f64; 4] {
    let mut sums = [0.0; 4];
    let edges = histogram.axes.first().map_or(&[][..], |axis| &axis.edges);
    let centres = edges.iter().zip(edges.iter().skip(1));
    let bins = histogram.values.iter().zip(histogram.variances()).skip(1);
    for ((low, high), (value, variance)) in centres.zip(bins) {
        let x = 0.5 * (low + high);
        let terms = [*value, *variance, value * x, value * x * x];
        sums.iter_mut()
            .zip(terms)
            .for_each(|(sum, term)| *sum += term);
    }
    sums
}

/// `TAxis` version 10.
fn axis(out: &mut Output, name: &str, axis: &HistogramAxis) {
    let ends = axis.edges.first().zip(axis.edges.last());
    let (low, high) = ends.map_or((0.0, 1.0), |(low, high)| (*low, *high));
    out.object(10, |out| {
        out.named(name, &axis.title);
        out.object(4, |out| {
            out.i32(510); // Divisions; colours of axis and labels, font; offsets and sizes, as a new axis has them.
            out.i16(1);
            out.i16(1);
            out.i16(42);
            for size in [0.005, 0.035, 0.03, 1.0, 0.035] {
                out.f32(size);
            }
            out.i16(1);
            out.i16(42);
        });
        out.i32(axis.bins() as i32);
        out.f64(low);
        out.f64(high);
        // Edges that ROOT computes to the same bits are not stored.
        out.doubles(if axis.is_regular() { &[] } else { &axis.edges });
        out.i32(0); // The displayed range: all.
        out.i32(0);
        out.u16(0);
        out.u8(0); // No time,
        out.string(""); // in no format.
        out.null(); // Names of bins,
        out.null(); // and changes of them.
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One bin [0, 2) with −3 ± 2, one [2, 3) with 4 ± 1.
    #[test]
    fn statistics_are_of_the_bins_between_the_edges() {
        let axis = HistogramAxis::new("x", vec![0.0, 2.0, 3.0]);
        let mut h = Histogram::th1d("h", "", axis, &[-3.0, 4.0], &[4.0, 1.0], 7.0);
        h.values[0] = 100.0;
        h.values[3] = 100.0;
        assert_eq!(statistics(&h), [1.0, 5.0, -3.0 + 10.0, -3.0 + 25.0]);
    }
}
