//! Events and the analysis.

use std::path::Path;

use pullback_analysis::file::AnalysisFile;
use pullback_analysis::{Error, generated};
use pullback_sim::{Generator, Process};

/// The file of the demo, with which a user begins.
const ANALYSIS: &str = include_str!("../../../cli/src/verbs/demo.toml");

/// Numbers of events: signal, top pairs, W and Z with jets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples(pub [usize; 4]);

impl Samples {
    /// Generates them with a seed of their own.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn generate(self, folder: &Path, seed: u64) -> Result<(), Error> {
        let signal = Process::ZPrimeToTT {
            mass: 1000.0,
            width: 30.0,
        };
        let all = [
            ("zprime", signal),
            ("tt", Process::TTbar),
            ("wjets", Process::WJets),
            ("zjets", Process::ZToLL),
        ];
        std::thread::scope(|scope| {
            let running = all
                .into_iter()
                .zip(self.0)
                .map(|((name, process), events)| {
                    scope.spawn(move || {
                        let path = folder.join(format!("{name}.parquet"));
                        let failed = |message: String| Error::Open {
                            path: path.display().to_string(),
                            message,
                        };
                        let generator = Generator::new(process, seed);
                        let mut generator = generator.map_err(|e| failed(e.to_string()))?;
                        generated::write(&path, &mut generator, events)
                    })
                });
            let running: Vec<_> = running.collect();
            let mut joined = running.into_iter().map(std::thread::ScopedJoinHandle::join);
            joined
                .try_for_each(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }
}

/// The analysis of events in a folder; `settings` are further lines of `[optimize]`.
///
/// # Errors
/// Settings that make no sense.
pub fn analysis(folder: &Path, settings: &str) -> Result<AnalysisFile, Error> {
    let text = format!("{ANALYSIS}{settings}\n");
    AnalysisFile::from_text("zprime.toml", &text, folder)
}
