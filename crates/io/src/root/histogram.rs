//! `TH1`, `TH2`, `TH3`: binned data, with flow bins and the sums of squared weights.
//!
//! Formats: the class definitions in `hist/hist/inc/TH1.h`, `TH2.h`, `TH3.h`, `TAxis.h` of ROOT; written in the order of their members.

use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::error::Result;
use crate::limits::Limits;
use crate::root::objects::{Any, Objects, finish, head, named, skip, skip_tobject};
use crate::site::Site;

/// An axis of a histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramAxis {
    /// Name (`xaxis`).
    pub name: String,
    /// Title.
    pub title: String,
    /// Edges of the bins, one more than bins.
    pub edges: Vec<f64>,
    /// Whether all bins are equally wide.
    pub uniform: bool,
    /// Names of bins, empty where a bin has none; no entries without any name.
    pub labels: Vec<String>,
}

impl HistogramAxis {
    /// An axis with these edges, called `xaxis`; `uniform` where ROOT computes the same ones from the outermost and their number.
    pub fn new(title: &str, edges: Vec<f64>) -> Self {
        let mut axis = Self {
            name: "xaxis".to_owned(),
            title: title.to_owned(),
            edges,
            uniform: true,
            labels: Vec::new(),
        };
        axis.uniform = axis.is_regular();
        axis
    }

    /// Whether all edges are, to the bit, those of equally wide bins.
    pub(crate) fn is_regular(&self) -> bool {
        let (Some(low), Some(high)) = (self.edges.first(), self.edges.last()) else {
            return false;
        };
        let computed = (0..=self.bins()).map(|k| edge(*low, *high, self.bins(), k));
        let bits = |x: f64| x.to_bits();
        self.uniform
            && computed
                .map(bits)
                .eq(self.edges.iter().map(|x| x.to_bits()))
    }

    /// Number of bins, without those for under- and overflow.
    pub fn bins(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }
}

/// A histogram of one, two or three dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Class in the file (`TH1D`).
    pub class: String,
    /// Name.
    pub name: String,
    /// Title.
    pub title: String,
    /// The axes.
    pub axes: Vec<HistogramAxis>,
    /// Sums of weights by bin, x running fastest; the first bin of an axis is its underflow, the last its overflow.
    pub values: Vec<f64>,
    /// Sums of squared weights by bin, where the histogram kept them; else the variance of a bin is its value.
    pub sumw2: Option<Vec<f64>>,
    /// Number of fills.
    pub entries: f64,
}

impl Histogram {
    /// A `TH1D` of bins between the edges of an axis, with variances; its flow bins are empty.
    ///
    /// ```
    /// use pullback_io::root::{Histogram, HistogramAxis};
    /// let axis = HistogramAxis::new("m [GeV]", vec![0.0, 50.0, 200.0]);
    /// let h = Histogram::th1d("signal", "m", axis, &[3.0, 1.0], &[3.5, 0.5], 8.0);
    /// assert_eq!(h.values, [0.0, 3.0, 1.0, 0.0]);
    /// ```
    pub fn th1d(
        name: &str,
        title: &str,
        axis: HistogramAxis,
        values: &[f64],
        variances: &[f64],
        entries: f64,
    ) -> Self {
        let with_flow = |inner: &[f64]| [&[0.0], inner, &[0.0]].concat();
        Self {
            class: "TH1D".to_owned(),
            name: name.to_owned(),
            title: title.to_owned(),
            axes: vec![axis],
            values: with_flow(values),
            sumw2: Some(with_flow(variances)),
            entries,
        }
    }

    /// Whether a class is one that is read here.
    pub(crate) fn is_class(class: &str) -> bool {
        let kind = class
            .strip_prefix("TH")
            .and_then(|rest| rest.strip_prefix(['1', '2', '3']));
        kind.is_some_and(|kind| matches!(kind, "C" | "S" | "I" | "L" | "F" | "D"))
    }

    /// Variances by bin: sums of squared weights, or the values where no weights were kept.
    pub fn variances(&self) -> &[f64] {
        self.sumw2.as_deref().unwrap_or(&self.values)
    }

    /// Values without those of the flow bins, x running fastest.
    pub fn inner_values(&self) -> Vec<f64> {
        self.inner(&self.values)
    }

    /// Variances without those of the flow bins.
    pub fn inner_variances(&self) -> Vec<f64> {
        self.inner(self.variances())
    }

    fn inner(&self, all: &[f64]) -> Vec<f64> {
        let inside = |index: &usize| {
            let mut rest = *index;
            self.axes.iter().all(|axis| {
                let bins = axis.bins() + 2;
                let bin = rest % bins;
                rest /= bins;
                bin > 0 && bin + 1 < bins
            })
        };
        let kept = all.iter().enumerate().filter(|(index, _)| inside(index));
        kept.map(|(_, value)| *value).collect()
    }

    pub(crate) fn read(
        data: &[u8],
        origin: usize,
        class: &str,
        site: &Site,
        limits: &Limits,
    ) -> Result<Self> {
        let memory = &Budget::object(limits);
        let mut cursor = Cursor::new(data, 0, site);
        let cursor = &mut cursor;
        let mut objects = Objects::new(origin);
        let digit = class.as_bytes().get(2).copied().unwrap_or(b'1');
        let dimensions = usize::from(digit.saturating_sub(b'0'));
        head(cursor)?;
        // TH2F is a TH2, which is a TH1; TH1F is a TH1.
        let outer = if dimensions > 1 {
            Some(head(cursor)?)
        } else {
            None
        };
        let base = head(cursor)?;
        if base.version < 3 {
            return Err(cursor.unsupported(format!("version {} of TH1", base.version)));
        }
        let (name, title) = named(cursor)?;
        for _ in 0..3 {
            skip(cursor)?;
        }
        let cells = i64::from(cursor.i32()?);
        let mut axes = Vec::with_capacity(3);
        for _ in 0..3 {
            axes.push(axis(&mut objects, cursor, memory)?);
        }
        axes.truncate(dimensions);
        cursor.skip(2 + 2)?; // Bar charts.
        let entries = cursor.f64()?;
        cursor.skip(4 * 8)?; // Sums of w, w², wx, wx².
        cursor.skip(3 * 8)?; // Drawing range, norm.
        doubles(cursor, memory)?; // Contours.
        let sumw2 = doubles(cursor, memory)?;
        finish(cursor, base)?;
        if let Some(outer) = outer {
            finish(cursor, outer)?;
        }
        let kind = class.as_bytes().last().copied().unwrap_or(0);
        let values = array(cursor, kind, memory)?;
        let expected = axes
            .iter()
            .try_fold(1_usize, |n, axis| n.checked_mul(axis.bins() + 2));
        if expected != Some(values.len()) || cells != values.len() as i64 {
            return Err(cursor.corrupt(format!(
                "a histogram of {cells} cells with {} values on {} axes",
                values.len(),
                axes.len()
            )));
        }
        if !sumw2.is_empty() && sumw2.len() != values.len() {
            return Err(cursor.corrupt(format!(
                "{} squared weights for {} values",
                sumw2.len(),
                values.len()
            )));
        }
        Ok(Self {
            class: class.to_owned(),
            name,
            title,
            axes,
            values,
            sumw2: (!sumw2.is_empty()).then_some(sumw2),
            entries,
        })
    }
}

fn axis<'a>(
    objects: &mut Objects<'a>,
    cursor: &mut Cursor<'a>,
    memory: &Budget,
) -> Result<HistogramAxis> {
    let whole = head(cursor)?;
    let (name, title) = named(cursor)?;
    skip(cursor)?; // Colours and fonts.
    let bins = cursor.i32()?;
    let (low, high) = (cursor.f64()?, cursor.f64()?);
    let stored = doubles(cursor, memory)?;
    let bins = usize::try_from(bins).unwrap_or(0);
    let uniform = stored.is_empty();
    if !uniform && stored.len() != bins + 1 {
        return Err(cursor.corrupt(format!("{} edges for {bins} bins", stored.len())));
    }
    // Each bin has a value further on.
    let bins = cursor.count(bins as i64, 1, "bins")?;
    let edges = if uniform {
        memory.take(8 * (bins as u64 + 1), cursor.site())?;
        (0..=bins).map(|k| edge(low, high, bins, k)).collect()
    } else {
        stored
    };
    let labels = if whole.version >= 9 {
        labels(objects, cursor, bins, memory)?
    } else {
        Vec::new()
    };
    finish(cursor, whole)?;
    Ok(HistogramAxis {
        name,
        title,
        edges,
        uniform,
        labels,
    })
}

/// Low edge of bin `k` of `bins`, as `TAxis::GetBinLowEdge` computes it; the last one is exact.
fn edge(low: f64, high: f64, bins: usize, k: usize) -> f64 {
    if k == bins {
        return high;
    }
    low + k as f64 * ((high - low) / bins as f64)
}

/// The names of bins: a list of `TObjString` whose unique id is the bin.
fn labels<'a>(
    objects: &mut Objects<'a>,
    cursor: &mut Cursor<'a>,
    bins: usize,
    memory: &Budget,
) -> Result<Vec<String>> {
    cursor.skip(4 + 4 + 2 + 1)?; // Displayed range, bits, time display.
    cursor.skip_string()?;
    let mut labels = Vec::new();
    if let Any::Object { .. } = objects.next(cursor)? {
        objects.list(cursor, |_, cursor, any| {
            let Any::Object {
                class: "TObjString",
                ..
            } = any
            else {
                return Ok(());
            };
            head(cursor)?;
            let mut object = cursor.clone();
            skip_tobject(cursor)?;
            head(&mut object)?;
            let bin = object.u32()? as usize;
            let text = cursor.string()?;
            if labels.is_empty() {
                let bytes = size_of::<String>() as u64 * bins as u64;
                memory.take(bytes, cursor.site())?;
                labels = vec![String::new(); bins];
            }
            if let Some(label) = bin.checked_sub(1).and_then(|k| labels.get_mut(k)) {
                *label = text;
            }
            Ok(())
        })?;
    }
    Ok(labels)
}

/// `TArrayD`.
fn doubles(cursor: &mut Cursor<'_>, memory: &Budget) -> Result<Vec<f64>> {
    array(cursor, b'D', memory)
}

/// `TArray*`: a length and numbers.
fn array(cursor: &mut Cursor<'_>, kind: u8, memory: &Budget) -> Result<Vec<f64>> {
    let size = match kind {
        b'C' => 1,
        b'S' => 2,
        b'I' | b'F' => 4,
        _ => 8,
    };
    let count = i64::from(cursor.i32()?);
    let count = cursor.count(count, size, "numbers in an array")?;
    memory.take(8 * count as u64, cursor.site())?;
    let bytes = cursor.take(count * size)?;
    macro_rules! numbers {
        ($type:ty, $to:expr) => {
            bytes
                .as_chunks::<{ size_of::<$type>() }>()
                .0
                .iter()
                .map(|b| $to(<$type>::from_be_bytes(*b)))
                .collect()
        };
    }
    Ok(match kind {
        b'C' => numbers!(i8, f64::from),
        b'S' => numbers!(i16, f64::from),
        b'I' => numbers!(i32, f64::from),
        b'L' => numbers!(i64, |n| n as f64),
        b'F' => numbers!(f32, f64::from),
        _ => numbers!(f64, |x| x),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(version: u16, inside: &[u8]) -> Vec<u8> {
        let mut bytes = (0x4000_0000 | (inside.len() as u32 + 2))
            .to_be_bytes()
            .to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.extend_from_slice(inside);
        bytes
    }

    /// An axis of `bins` equal bins between 0 and 1, and as many bytes behind it.
    fn uniform(bins: i32) -> Vec<u8> {
        let mut named = vec![0, 1];
        named.extend([0; 8]);
        named.extend(b"\x05xaxis\x00");
        let mut inside = object(1, &named);
        inside.extend(object(1, &[]));
        inside.extend(bins.to_be_bytes());
        inside.extend(0_f64.to_be_bytes());
        inside.extend(1_f64.to_be_bytes());
        inside.extend(0_i32.to_be_bytes());
        let mut bytes = object(8, &inside);
        bytes.resize(bytes.len() + bins as usize, 0);
        bytes
    }

    /// An axis says how many bins it has, and its edges are made from that.
    #[test]
    fn edges_are_counted_before_they_are_made() {
        let bytes = uniform(1000);
        let site = Site::new(&"f".into());
        let read = |object_bytes: u64| {
            let limits = Limits {
                object_bytes,
                ..Limits::default()
            };
            let mut cursor = Cursor::new(&bytes, 0, &site);
            axis(&mut Objects::new(0), &mut cursor, &Budget::object(&limits))
        };
        let whole = read(8 * 1001).unwrap();
        assert_eq!((whole.bins(), whole.edges[500]), (1000, 0.5));
        assert_eq!(read(8 * 1001 - 1).unwrap_err().code(), "PB0505");
    }

    /// A byte becomes a double.
    #[test]
    fn numbers_are_counted_as_what_they_become() {
        let mut bytes = 100_i32.to_be_bytes().to_vec();
        bytes.extend([1; 100]);
        let site = Site::new(&"f".into());
        let limits = Limits {
            object_bytes: 799,
            ..Limits::default()
        };
        let mut cursor = Cursor::new(&bytes, 0, &site);
        let error = array(&mut cursor, b'C', &Budget::object(&limits)).unwrap_err();
        assert_eq!(error.code(), "PB0505");
    }
}
