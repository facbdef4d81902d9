//! Small generated samples, made once.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::generated;
use pullback_io::parquet::{WriteOptions, Writer};
use pullback_sim::{Generator, Process};

/// The folder of the samples.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let name = format!("pullback-optimize-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let zprime = Process::ZPrimeToTT {
            mass: 1000.0,
            width: 30.0,
        };
        for (name, process, events) in [
            ("zprime", zprime, 4000),
            ("tt", Process::TTbar, 12000),
            ("wjets", Process::WJets, 12000),
        ] {
            let mut generator = Generator::new(process, 7).expect("in the menu");
            let path = folder.join(format!("{name}.parquet"));
            generated::write(&path, &mut generator, events).expect("written");
        }
        // Other events of the same process, and the same ones in another order.
        let mut other = Generator::new(Process::TTbar, 8).expect("in the menu");
        generated::write(&folder.join("tt_other.parquet"), &mut other, 8000).expect("written");
        turned(&folder.join("tt_turned.parquet"), 12000);
        folder
    })
}

/// The events of the sample of top quarks, the second half first.
fn turned(path: &Path, events: usize) {
    let mut generator = Generator::new(Process::TTbar, 7).expect("in the menu");
    let mut sample = |first: usize, n: usize| generator.generate(first as u64, n).expect("made");
    let sink = std::fs::File::create(path).expect("a file");
    let fields = generated::fields(&sample(0, 0));
    let mut writer = Writer::new(sink, &fields, WriteOptions::default()).expect("begun");
    for first in [events / 2, 0] {
        let columns = generated::columns(&sample(first, events / 2)).expect("columns");
        writer.write(&columns).expect("written");
    }
    writer.finish().expect("ended");
}

pub const ZPRIME: &str = include_str!("zprime.toml");

/// An analysis, with a part of its text replaced.
pub fn read(change: &[(&str, &str)]) -> AnalysisFile {
    let mut text = ZPRIME.to_owned();
    for (from, to) in change {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    AnalysisFile::from_text("zprime.toml", &text, folder()).unwrap_or_else(|e| panic!("{e}"))
}

/// What gives the analysis a network, whose output is fitted.
pub const NETWORK: [(&str, &str); 3] = [
    (
        "[histograms.st]",
        "[networks.nn]\ninputs = [\"ht\", \"MET.pt\", \"sum(mu.pt)\", \"count(all)\", \"mass(sum(all))\"]\nhidden = [6, 4]\n\
         [histograms.score]\nof = \"nn\"\nbins = 4\nrange = [0, 1]\n[histograms.st]",
    ),
    (
        "channels = { SR = \"st\" }",
        "channels = { SR = \"score\" }",
    ),
    ("\"ht_cut\", \"st\"]", "\"ht_cut\", \"nn\", \"score\"]"),
];
