//! Reports and plots of runs and optimisations: what is refused before the work, and what is written after it.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::output;
use crate::report::Picture;

/// Endings of the files of a plot: two forms of the drawing, and its numbers.
const ENDINGS: [&str; 3] = ["svg", "pdf", "csv"];

/// Where a report and plots go.
#[derive(Debug, Clone, Copy)]
pub struct Targets<'a> {
    /// The page.
    pub report: Option<&'a Path>,
    /// The folder of the plots.
    pub plots: Option<&'a Path>,
    /// Whether what is there may be overwritten.
    pub force: bool,
}

impl Targets<'_> {
    /// Whether there is something to draw.
    pub fn any(&self) -> bool {
        self.report.is_some() || self.plots.is_some()
    }

    /// Fails before the work where something would be overwritten, or could not be written. The names of plots are those of regions, histograms and cuts, which are known
    /// later: a folder that has none at all is safe.
    pub fn check(&self) -> Result<(), Failure> {
        output::check_folder(self.report)?;
        let there = |path: &Path| Failure::Exists {
            path: path.display().to_string(),
        };
        // Pipes and devices are no files that could be lost.
        if let Some(path) = self.report.filter(|p| p.is_file() && !self.force) {
            return Err(there(path));
        }
        let Some(folder) = self.plots else {
            return Ok(());
        };
        std::fs::create_dir_all(folder).map_err(|e| failed(folder, &e))?;
        if self.force {
            return Ok(());
        }
        for entry in std::fs::read_dir(folder).map_err(|e| failed(folder, &e))? {
            let path = entry.map_err(|e| failed(folder, &e))?.path();
            if path
                .extension()
                .is_some_and(|e| ENDINGS.iter().any(|own| e == *own))
            {
                return Err(there(&path));
            }
        }
        Ok(())
    }

    /// Writes what was asked for; everything is made before anything is written. Gives the names: the page, and how many plots there are in the folder.
    pub fn write(
        &self,
        page: impl FnOnce() -> String,
        pictures: impl FnOnce() -> Vec<Picture>,
    ) -> Result<Vec<String>, Failure> {
        let page = self.report.map(|path| (path.to_owned(), page()));
        let pictures = self.plots.map(|folder| (folder, pictures()));
        let mut written = Vec::new();
        if let Some((path, page)) = page {
            output::write_file(&path, &page)?;
            written.push(path.display().to_string());
        }
        if let Some((folder, pictures)) = pictures {
            for picture in &pictures {
                let Picture {
                    name,
                    svg,
                    pdf,
                    csv,
                } = picture;
                for (ending, content) in ENDINGS.iter().zip([svg, pdf, csv]) {
                    output::write_file(&folder.join(format!("{name}.{ending}")), content)?;
                }
            }
            let plots = crate::text::count(pictures.len(), "plot");
            written.push(format!("{plots} to {}", shown(folder)));
        }
        Ok(written)
    }
}

fn shown(folder: &Path) -> String {
    let mut path = PathBuf::from(folder);
    // With a slash at the end, as folders are shown.
    path.push("");
    path.display().to_string()
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Write {
        path: path.display().to_string(),
        message: error.to_string(),
    }
}
