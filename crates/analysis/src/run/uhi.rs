//! Histograms for other programs: one walk over all of them, UHI JSON, and CSV.

use std::fmt::Write;

use serde_json::{Value, json};

use super::plan::Shift;
use super::result::{Bins, Filled, Results};
use crate::file::Plot;

impl Shift {
    /// `Up` or `Down`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "Up",
            Self::Down => "Down",
        }
    }
}

/// A histogram of a process in a region.
pub(super) struct Named<'a> {
    pub(super) region: &'a str,
    pub(super) plot: &'a Plot,
    /// The process, with its variation.
    pub(super) name: String,
    pub(super) bins: &'a Bins,
}

impl Named<'_> {
    /// `region/histogram/process`.
    pub(super) fn path(&self) -> String {
        format!("{}/{}/{}", self.region, self.plot.name, self.name)
    }
}

impl Results {
    /// All histograms, in the order of regions.
    pub(super) fn all_named(&self) -> impl Iterator<Item = Named<'_>> {
        self.histograms.iter().flat_map(|filled| {
            let named = self.named(filled).into_iter();
            named.map(|(name, bins)| Named {
                region: &self.file.regions[filled.region].name,
                plot: &self.file.histograms[filled.plot],
                name,
                bins,
            })
        })
    }

    /// Bins by name of process: simulated ones with their variations (`zmm__jesUp`), and `data`.
    fn named<'a>(&'a self, filled: &'a Filled) -> Vec<(String, &'a Bins)> {
        let mut all: Vec<(String, &Bins)> = Vec::new();
        for (process, bins) in self.processes.iter().zip(&filled.nominal) {
            all.push((process.clone(), bins));
        }
        for (systematic, shift, of) in &filled.variations {
            let systematic = &self.file.systematics[*systematic].name;
            for (process, bins) in self.processes.iter().zip(of) {
                if let Some(bins) = bins {
                    let name = format!("{process}__{systematic}{}", shift.name());
                    all.push((name, bins));
                }
            }
        }
        if let Some(observed) = &filled.observed {
            all.push(("data".into(), observed));
        }
        all
    }

    /// All histograms as UHI JSON: an object by names `region/histogram/process`, each a histogram with variable axis and weighted storage.
    ///
    /// Reference: Universal Histogram Interface, serialization schema version 1 (<https://uhi.readthedocs.io/en/latest/serialization.html>).
    pub fn uhi(&self) -> Value {
        let mut out = serde_json::Map::new();
        for one in self.all_named() {
            let (plot, bins) = (one.plot, one.bins);
            let value = json!({
                "uhi_schema": 1,
                "writer_info": {"pullback": {"version": env!("CARGO_PKG_VERSION")}},
                "metadata": {"region": one.region, "histogram": plot.name, "process": one.name},
                "axes": [{
                    "type": "variable",
                    "edges": plot.edges,
                    "underflow": false,
                    "overflow": false,
                    "circular": false,
                    "metadata": {"label": plot.label},
                }],
                "storage": {
                    "type": "weighted",
                    "values": bins.sums,
                    "variances": bins.variances,
                },
            });
            out.insert(one.path(), value);
        }
        Value::Object(out)
    }

    /// All histograms as CSV, a line per bin. What cuts decide on is there as `n_minus_one_K`, K being the number of the cut from 1.
    pub fn csv(&self) -> String {
        let mut out = String::from("region,histogram,process,low,high,sum,error,entries\n");
        for Named {
            region,
            plot,
            name,
            bins,
        } in self.all_named()
        {
            for (k, edges) in plot.edges.windows(2).enumerate() {
                let error = bins.variances[k].sqrt();
                let _ = writeln!(
                    out,
                    "{region},{},{name},{},{},{},{error},{}",
                    plot.name, edges[0], edges[1], bins.sums[k], bins.entries[k]
                );
            }
        }
        for d in &self.n_minus_one {
            let region = &self.file.regions[d.region].name;
            let simulated = self.processes.iter().map(String::as_str).zip(&d.nominal);
            let observed = d.observed.iter().map(|bins| ("data", bins));
            for (name, bins) in simulated.chain(observed) {
                for (k, edges) in d.edges.windows(2).enumerate() {
                    let error = bins.variances[k].sqrt();
                    let _ = writeln!(
                        out,
                        "{region},n_minus_one_{},{name},{},{},{},{error},{}",
                        d.cut + 1,
                        edges[0],
                        edges[1],
                        bins.sums[k],
                        bins.entries[k]
                    );
                }
            }
        }
        out
    }
}
