//! Files that are made of several: what one includes comes before it, and it wins.

use std::path::{Path, PathBuf};

use toml_edit::Document as Toml;

use super::document::{Document, Table};
use crate::error::{Error, Result};

/// Most files that an analysis is made of.
const MOST: usize = 64;

/// The documents that an analysis is made of, the strongest one last.
#[derive(Default)]
pub(super) struct Documents {
    read: Vec<(Document, Toml<String>)>,
    /// Files that were read or are being read.
    known: Vec<PathBuf>,
    /// Those that include one another down to here.
    under_way: Vec<PathBuf>,
}

impl Documents {
    /// A text and all that it includes; a file that is included twice counts where it comes first.
    pub fn read(path: &str, text: &str, folder: &Path) -> Result<Vec<(Document, Toml<String>)>> {
        let mut documents = Self::default();
        documents.add(path, text, folder, real(Path::new(path)))?;
        Ok(documents.read)
    }

    fn add(&mut self, path: &str, text: &str, folder: &Path, own: PathBuf) -> Result<()> {
        let read = Document::new(path, text, folder)?;
        self.known.push(own.clone());
        self.under_way.push(own);
        let one = std::slice::from_ref(&read);
        if let Some(entry) = Table::root(one).get("include") {
            for name in entry.texts()? {
                let path = entry.path(&name);
                let own = real(&path);
                if self.under_way.contains(&own) {
                    return Err(entry.refuse(
                        format!("`{name}` includes this file, at once or through others"),
                        "what both need stands in a file that neither of them is",
                    ));
                }
                if self.known.contains(&own) {
                    continue;
                }
                if self.known.len() >= MOST {
                    return Err(Error::TooLong {
                        place: entry.place(),
                        what: "files that an analysis is made of",
                        limit: MOST,
                    });
                }
                let shown = path.display().to_string();
                let text = std::fs::read_to_string(&path)
                    .map_err(|e| entry.refuse(format!("`{shown}` cannot be read: {e}"), ""))?;
                let folder = path.parent().unwrap_or(Path::new(""));
                self.add(&shown, &text, folder, own)?;
            }
        }
        self.under_way.pop();
        self.read.push(read);
        Ok(())
    }
}

/// A path by which a file is known, however it is written.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.into())
}
