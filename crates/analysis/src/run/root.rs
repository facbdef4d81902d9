//! Histograms as a ROOT file.

use pullback_io::root::{Histogram, HistogramAxis, HistogramWriter};

use super::result::Results;
use crate::error::Result;

impl Results {
    /// All histograms as a ROOT file that is called `file`: a `TH1D` with `fSumw2` for each, where the JSON has it, `region/histogram/process`, in directories.
    ///
    /// Variations are beside their process with the name of the systematic and `Up` or `Down`: `SR/m_ll/zmm__jesUp`; observed events are `SR/m_ll/data`. Combine
    /// takes them by `shapes * SR FILE SR/m_ll/$PROCESS SR/m_ll/$PROCESS__$SYSTEMATIC` and `shapes data_obs SR FILE SR/m_ll/data`, TRExFitter by
    /// `HistoNameSufUp: "__jesUp"`. What cannot stand in a name of ROOT (`;`, control characters, nothing at all) is `_`; a `/` in a name makes a directory.
    ///
    /// The flow bins are empty: what lies outside the edges is left out, or is in the first or the last bin, as the histogram says. The number of entries is that
    /// of simulated events.
    ///
    /// # Errors
    /// Names that are the same in ROOT, or longer than 4096 bytes; more than 2 GB.
    pub fn root(&self, file: &str) -> Result<Vec<u8>> {
        let mut writer = HistogramWriter::new(file)?;
        for one in self.all_named() {
            let (plot, bins) = (one.plot, one.bins);
            let path = writable(&one.path());
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", &path));
            let axis = HistogramAxis::new(&plot.label, plot.edges.clone());
            let title = format!("{}: {}", one.region, one.name);
            let (sums, variances) = (&bins.sums, &bins.variances);
            let entries = bins.entries.iter().sum();
            let histogram = Histogram::th1d(name, &title, axis, sums, variances, entries);
            writer.add(directory, &histogram)?;
        }
        Ok(writer.finish(Vec::new())?)
    }
}

/// A path of names that ROOT takes.
fn writable(path: &str) -> String {
    let letter = |c: char| if c == ';' || c.is_control() { '_' } else { c };
    let part = |part: &str| match part {
        "" => "_".to_owned(),
        part => part.chars().map(letter).collect(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_writable() {
        assert_eq!(writable("SR/m_ll/zmm__jesUp"), "SR/m_ll/zmm__jesUp");
        assert_eq!(writable("S;1/\n/a//b"), "S_1/_/a/_/b");
    }
}
