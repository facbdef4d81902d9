//! Which format a file has.

use std::path::Path;
use std::sync::Arc;

use crate::csv::Csv;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::parquet::Parquet;
use crate::root;
use crate::site::Site;
use crate::source::Source;
use crate::table::Table;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// ROOT.
    Root,
    /// Parquet.
    Parquet,
    /// Texts with a row a line.
    Csv,
}

impl Format {
    /// What the first bytes of a file say; of a text its name (`*.csv`, `*.tsv`).
    ///
    /// ```
    /// use pullback_io::{Format, Source};
    /// assert_eq!(Format::of(&Source::from_bytes("a.csv", *b"x\n1\n"))?, Format::Csv);
    /// # Ok::<(), pullback_io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Format`]: it is none that this crate reads.
    pub fn of(source: &Source) -> Result<Self> {
        let site = Site::new(source.name());
        let magic = source.read(&site, 0, source.len().min(4))?;
        match magic.as_slice() {
            b"root" => return Ok(Self::Root),
            b"PAR1" => return Ok(Self::Parquet),
            _ => {}
        }
        let extension = Path::new(source.name().as_ref()).extension();
        let extension = extension.map(|e| e.to_string_lossy().to_lowercase());
        if matches!(extension.as_deref(), Some("csv" | "tsv")) {
            return Ok(Self::Csv);
        }
        Err(Error::Format {
            expected: "a file that can be read (ROOT, Parquet, *.csv)",
            found: format!("{:?}", String::from_utf8_lossy(&magic)),
            place: site.place(Some(0)),
        })
    }
}

/// Opens a table of a file of any format that this crate reads, which its first bytes tell, or its name (`*.csv`, `*.tsv`); without a name the only one there is.
///
/// ```
/// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/muons_zlib.root");
/// let table = pullback_io::open(path, Some("Events"), Default::default())?;
/// assert_eq!(table.entries(), 250);
/// # Ok::<(), pullback_io::Error>(())
/// ```
///
/// # Errors
/// A file that cannot be opened or is of no known format, a table that is not there, damaged bytes.
pub fn open(path: impl AsRef<Path>, table: Option<&str>, limits: Limits) -> Result<Arc<dyn Table>> {
    let source = Source::open(path)?;
    match Format::of(&source)? {
        Format::Parquet => {
            let file = Parquet::with_limits(source, limits)?;
            return only(Arc::new(file), table);
        }
        Format::Csv => return only(Arc::new(Csv::with_limits(source, limits)?), table),
        Format::Root => {}
    }
    let file = root::File::with_limits(source, limits)?;
    let name = match table {
        Some(name) => name.to_owned(),
        None => file.only_table()?,
    };
    match file.object(&name)?.kind {
        root::ObjectKind::Ntuple => Ok(Arc::new(file.ntuple(&name)?)),
        // Of what is neither, the error names the trees that there are.
        _ => Ok(Arc::new(file.tree(&name)?)),
    }
}

/// A file with one table has no name for it; one that is given must be `rows`, as the table is called in messages.
fn only(file: Arc<dyn Table>, table: Option<&str>) -> Result<Arc<dyn Table>> {
    let place = file.place();
    match table {
        Some(name) if name != place.object => Err(Error::NoObject {
            kind: "table",
            name: name.to_owned(),
            nearest: vec![place.object.clone()],
            place,
        }),
        _ => Ok(file),
    }
}
