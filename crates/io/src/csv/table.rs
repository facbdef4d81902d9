//! A CSV file as a table.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::budget::Budget;
use crate::column::{Axis, Column};
use crate::csv::infer::{Kind, push};
use crate::csv::scan::{Cells, Scanner, separator};
use crate::error::{Error, Place, Result};
use crate::limits::Limits;
use crate::schema::{Field, Level, Schema};
use crate::site::Site;
use crate::source::Source;
use crate::table::{Sizes, Table, check};
use crate::values::Values;

/// A CSV file, open for reading.
///
/// The first line names the columns. Opening goes through the file once, in constant memory: every column gets the narrowest of `bool`, `i64`, `u64`, `f64` and text that
/// holds each of its cells without loss. Numbers of which some are missing (empty cells) have a level [`Level::Option`]; an empty text is a text. The separator is the one
/// of comma, semicolon and tabulator that stands most often in the first line.
///
/// ```
/// use pullback_io::{Source, Table, Values, csv::Csv};
/// let text = "Run,mass\n1,91.2\n2,\n";
/// let file = Csv::new(Source::from_bytes("two.csv", text.as_bytes()))?;
/// assert_eq!(file.schema().fields()[1].shape(), "f64?");
/// assert_eq!(file.column("Run")?.values(), &Values::I64(vec![1, 2]));
/// # Ok::<(), pullback_io::Error>(())
/// ```
///
/// # Errors
/// Of every call: a row of another length, a quote that is not closed, with its byte; see [`Error`].
///
/// Reference: RFC 4180.
#[derive(Debug)]
pub struct Csv {
    schema: Schema,
    kinds: Vec<Kind>,
    separator: u8,
    rows: u64,
    /// Where every block of rows starts.
    blocks: Vec<u64>,
    source: Source,
    limits: Limits,
    site: Site,
}

/// Rows of a block.
const ROWS: u64 = 4096;

impl Csv {
    /// Opens a file with the default limits.
    ///
    /// # Errors
    /// It cannot be opened, or its rows have different lengths.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::new(Source::open(path)?)
    }

    /// Reads from a source with the default limits.
    ///
    /// # Errors
    /// Its rows have different lengths.
    pub fn new(source: Source) -> Result<Self> {
        Self::with_limits(source, Limits::default())
    }

    /// Reads from a source.
    ///
    /// # Errors
    /// Its rows have different lengths.
    pub fn with_limits(source: Source, limits: Limits) -> Result<Self> {
        let site = Site::new(source.name()).object("rows");
        let start = source.read(&site, 0, source.len().min(1 << 16))?;
        // A mark of the byte order is no part of the first name.
        let mark = if start.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        let separator = separator(&start);
        let mut scanner = Scanner::new(&source, &site, separator, mark, &limits);
        let mut cells = Cells::default();
        if !scanner.row(&mut cells)? {
            return Err(Error::Format {
                expected: "a CSV file with the names of its columns",
                found: "nothing".to_owned(),
                place: site.place(None),
            });
        }
        site.limit("columns", cells.len() as u64, limits.items)?;
        let names: Vec<String> = cells
            .iter()
            .map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned())
            .collect();
        Budget::names(&limits).take(names.iter().map(|n| n.len() as u64).sum(), &site)?;
        let mut kinds = vec![Kind::default(); names.len()];
        let (mut rows, mut blocks) = (0, Vec::new());
        let mut at = scanner.offset();
        while scanner.row(&mut cells)? {
            if rows % ROWS == 0 {
                blocks.push(at);
            }
            if cells.len() != names.len() {
                return Err(Self::ragged(rows, &cells, names.len(), at, &site));
            }
            for (kind, cell) in kinds.iter_mut().zip(cells.iter()) {
                kind.see(cell);
            }
            rows += 1;
            at = scanner.offset();
        }
        let fields = names.into_iter().zip(&kinds).map(|(name, kind)| {
            let option = kind.optional().then_some(Level::Option);
            Field::new(name, kind.dtype(), option.as_slice())
        });
        Ok(Self {
            schema: Schema::new(fields.collect(), Vec::new()),
            kinds,
            separator,
            rows,
            blocks,
            source,
            limits,
            site,
        })
    }

    fn ragged(row: u64, cells: &Cells, expected: usize, at: u64, site: &Site) -> Error {
        let what = format!(
            "row {} has {} cells, the first line names {expected} columns",
            row + 1,
            cells.len()
        );
        site.corrupt(Some(at), what)
    }

    /// The rows of a block that are wanted, counted from its first.
    fn read_block(
        &self,
        block: usize,
        rows: &Range<u64>,
        columns: &[usize],
        budget: &Budget,
    ) -> Result<Vec<Column>> {
        let offset = self.blocks.get(block).copied().unwrap_or(0);
        let mut scanner = Scanner::new(
            &self.source,
            &self.site,
            self.separator,
            offset,
            &self.limits,
        );
        let mut cells = Cells::default();
        let expected = self.schema.fields().len();
        let mut built: Vec<(Vec<bool>, Values, &Field)> = columns
            .iter()
            .filter_map(|c| self.schema.fields().get(*c))
            .map(|field| (Vec::new(), Values::with_capacity(field.dtype, 0), field))
            .collect();
        for row in 0..rows.end {
            let at = scanner.offset();
            if !scanner.row(&mut cells)? || cells.len() != expected {
                let row = block as u64 * ROWS + row;
                return Err(Self::ragged(row, &cells, expected, at, &self.site));
            }
            if row < rows.start {
                continue;
            }
            for (column, (present, values, field)) in columns.iter().zip(&mut built) {
                let cell = cells.get(*column);
                let here = field.levels.is_empty() || !cell.is_empty();
                present.push(here);
                budget.take((field.dtype.size() + cell.len()) as u64, &self.site)?;
                if here && !push(cell, values) {
                    // It was of this type when the file was opened.
                    let text = String::from_utf8_lossy(cell).into_owned();
                    let what = format!("`{text}` is no {}", field.dtype);
                    return Err(self.site.part(&field.name).corrupt(Some(at), what));
                }
            }
        }
        let columns = built.into_iter().map(|(present, values, field)| Column {
            len: present.len(),
            axes: if field.levels.is_empty() {
                Vec::new()
            } else {
                vec![Axis::Option(Arc::new(present))]
            },
            values,
        });
        Ok(columns.collect())
    }
}

impl Table for Csv {
    fn name(&self) -> &'static str {
        "rows"
    }

    fn entries(&self) -> u64 {
        self.rows
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn read(&self, columns: &[usize], entries: Range<u64>) -> Result<Vec<Column>> {
        check(self, columns, &entries)?;
        let budget = Budget::columns(&self.limits);
        let blocks = entries.start / ROWS..entries.end.div_ceil(ROWS).max(entries.start / ROWS + 1);
        let one = |block: u64| {
            let first = block * ROWS;
            let rows =
                entries.start.max(first) - first..entries.end.clamp(first, first + ROWS) - first;
            self.read_block(block as usize, &rows, columns, &budget)
        };
        let read: Vec<Result<Vec<Column>>> = blocks.into_par_iter().map(one).collect();
        let mut pieces: Vec<Vec<Column>> = vec![Vec::new(); columns.len()];
        for block in read {
            for (list, column) in pieces.iter_mut().zip(block?) {
                list.push(column);
            }
        }
        Ok(pieces.into_iter().filter_map(Column::concat).collect())
    }

    fn boundaries(&self, _columns: &[usize]) -> Result<Vec<u64>> {
        Ok((0..self.rows).step_by(ROWS as usize).collect())
    }

    /// In the file with a separator for each cell; before that is what the numbers take in memory.
    fn sizes(&self, column: usize) -> Result<Sizes> {
        let (Some(kind), Some(field)) = (self.kinds.get(column), self.schema.fields().get(column))
        else {
            return Ok(Sizes::default());
        };
        let text = if field.dtype == crate::DType::Str {
            kind.bytes
        } else {
            0
        };
        Ok(Sizes {
            uncompressed: self.rows * field.dtype.size() as u64 + text,
            compressed: kind.bytes + self.rows,
        })
    }

    fn place(&self) -> Box<Place> {
        self.site.place(None)
    }
}
