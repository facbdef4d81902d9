//! Writing a Parquet file, a row group at a time.
//!
//! Specification: `README.md` and `parquet.thrift` of the Parquet format.

use std::io::Write;
use std::ops::Range;

use rayon::prelude::*;

use crate::column::Column;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::parquet::codec::Codec;
use crate::parquet::hybrid;
use crate::parquet::levels::Levels;
use crate::parquet::metadata::MAGIC;
use crate::parquet::shred;
use crate::parquet::thrift::{BINARY, I32, Output, STRUCT};
use crate::schema::{Field, Level};
use crate::values::Values;

/// How a file is written.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// Compression of the pages: none, Snappy or Zstandard (the default).
    pub codec: Codec,
    /// Bytes of the values of a page, about (1 MiB).
    pub page_bytes: usize,
    /// What the file says about itself: names and texts.
    pub about: Vec<(String, String)>,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            codec: Codec::Zstd,
            page_bytes: 1 << 20,
            about: Vec::new(),
        }
    }
}

/// Where the pages of a column went.
struct Written {
    start: u64,
    uncompressed: u64,
    compressed: u64,
    entries: u64,
}

struct Group {
    rows: u64,
    columns: Vec<Written>,
}

/// An element of the tree of fields.
struct Node {
    name: String,
    optional: bool,
    repeated: bool,
    /// `None`: a list, or what repeats in it.
    leaf: Option<DType>,
    list: bool,
}

/// A column as it is written.
struct Plan {
    field: Field,
    path: Vec<String>,
    definitions: u8,
    repetitions: u8,
}

/// Writes a Parquet file to anything that takes bytes: each call of [`write`](Self::write) is a row group, and nothing of it stays in memory but its place.
///
/// Lists become lists of required elements, lists of one length too ([`Level::Fixed`] is read back as [`Level::List`]), optional levels are optional.
/// Values are written as they are (`PLAIN`) in pages that begin with a row, with checksums.
///
/// ```
/// use std::sync::Arc;
/// use pullback_io::parquet::{WriteOptions, Writer};
/// use pullback_io::{Axis, Column, DType, Field, Level, Values};
/// let pt = Field::new("pt", DType::F32, &[Level::List]);
/// let lists = Axis::List(Arc::new(vec![0, 2, 2]));
/// let column = Column::new(2, vec![lists], Values::F32(vec![30.0, 20.0]))?;
/// let mut writer = Writer::new(Vec::new(), &[pt], WriteOptions::default())?;
/// writer.write(&[column])?;
/// assert_eq!(writer.rows(), 2);
/// let bytes = writer.finish()?;
/// assert_eq!(&bytes[..4], b"PAR1");
/// # Ok::<(), pullback_io::Error>(())
/// ```
pub struct Writer<W> {
    sink: W,
    at: u64,
    plans: Vec<Plan>,
    nodes: Vec<Node>,
    options: WriteOptions,
    groups: Vec<Group>,
    rows: u64,
}

impl<W: Write> Writer<W> {
    /// Starts a file with these columns.
    ///
    /// # Errors
    /// A name that stands twice, an option of an option, a codec that is only read, a sink that does not take bytes.
    pub fn new(sink: W, fields: &[Field], options: WriteOptions) -> Result<Self> {
        let mut writer = Self {
            sink,
            at: 0,
            plans: Vec::with_capacity(fields.len()),
            nodes: Vec::new(),
            options,
            groups: Vec::new(),
            rows: 0,
        };
        if writer.options.codec.compress(Vec::new()).is_none() {
            let what = format!("the codec {} is only read", writer.options.codec.name());
            return Err(Error::Unwritable {
                name: String::new(),
                what,
            });
        }
        let mut names = std::collections::HashSet::new();
        for field in fields {
            if !names.insert(field.name.as_str()) {
                return Err(unwritable(&field.name, "there are two of this name"));
            }
            let plan = writer.plan(field)?;
            writer.plans.push(plan);
        }
        writer.put(MAGIC)?;
        Ok(writer)
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.at
    }

    fn plan(&mut self, field: &Field) -> Result<Plan> {
        let mut plan = Plan {
            field: field.clone(),
            path: vec![field.name.clone()],
            definitions: 0,
            repetitions: 0,
        };
        if field.levels.len() > 100 {
            return Err(unwritable(&field.name, "it has more than 100 levels"));
        }
        let mut name = field.name.clone();
        let mut optional = false;
        let mut node = |name: &str, optional: bool, repeated: bool, leaf: Option<DType>| {
            self.nodes.push(Node {
                name: name.to_owned(),
                optional,
                repeated,
                leaf,
                list: leaf.is_none() && !repeated,
            });
        };
        for level in &field.levels {
            plan.definitions += 1;
            match level {
                Level::Option if optional => {
                    return Err(unwritable(&field.name, "an option of an option"));
                }
                Level::Option => optional = true,
                Level::List | Level::Fixed(_) => {
                    node(&name, optional, false, None);
                    node("list", false, true, None);
                    plan.path.extend(["list".to_owned(), "element".to_owned()]);
                    plan.repetitions += 1;
                    "element".clone_into(&mut name);
                    optional = false;
                }
            }
        }
        node(&name, optional, false, Some(field.dtype));
        Ok(plan)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.write_all(bytes).map_err(|e| Error::Write {
            message: e.to_string(),
        })?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Writes a row group: a column for each field, in their order.
    ///
    /// # Errors
    /// Columns of other types, levels or lengths than announced; a sink that does not take bytes.
    pub fn write(&mut self, columns: &[Column]) -> Result<()> {
        let rows = columns.first().map_or(0, Column::len);
        if columns.len() != self.plans.len() {
            let what = format!("{} columns for {} fields", columns.len(), self.plans.len());
            return Err(unwritable("", &what));
        }
        let options = &self.options;
        let encode = |(plan, column): (&Plan, &Column)| plan.encode(column, rows, options);
        let encoded: Vec<Result<Encoded>> =
            self.plans.par_iter().zip(columns).map(encode).collect();
        let encoded = encoded.into_iter().collect::<Result<Vec<Encoded>>>()?;
        let mut group = Group {
            rows: rows as u64,
            columns: Vec::with_capacity(encoded.len()),
        };
        for column in encoded {
            group.columns.push(Written {
                start: self.at,
                uncompressed: column.uncompressed,
                compressed: column.bytes.len() as u64,
                entries: column.entries,
            });
            self.put(&column.bytes)?;
        }
        self.rows += group.rows;
        self.groups.push(group);
        Ok(())
    }

    /// Writes the footer and gives the sink back.
    ///
    /// # Errors
    /// A sink that does not take bytes, a footer of more than 4 GiB.
    pub fn finish(self) -> Result<W> {
        self.finish_counted().map(|(sink, _)| sink)
    }

    /// Writes the footer and gives the sink back, with the length of the file.
    ///
    /// # Errors
    /// As of [`finish`](Self::finish).
    pub fn finish_counted(mut self) -> Result<(W, u64)> {
        let footer = self.footer();
        let length = u32::try_from(footer.len());
        let length = length.map_err(|_| unwritable("", "the footer takes more than 4 GiB"))?;
        self.put(&footer)?;
        self.put(&length.to_le_bytes())?;
        self.put(MAGIC)?;
        self.sink.flush().map_err(|e| Error::Write {
            message: e.to_string(),
        })?;
        Ok((self.sink, self.at))
    }

    /// `FileMetaData`.
    fn footer(&self) -> Vec<u8> {
        let mut output = Output::default();
        output.structure(|s| {
            s.i32(1, 1);
            s.list(2, STRUCT, self.nodes.len() + 1);
            s.structure(|s| {
                s.text(4, "schema");
                s.i32(5, self.plans.len() as i32);
            });
            for node in &self.nodes {
                node.write(s);
            }
            s.i64(3, self.rows as i64);
            s.list(4, STRUCT, self.groups.len());
            for group in &self.groups {
                self.group(group, s);
            }
            if !self.options.about.is_empty() {
                s.list(5, STRUCT, self.options.about.len());
                for (key, value) in &self.options.about {
                    s.structure(|s| {
                        s.text(1, key);
                        s.text(2, value);
                    });
                }
            }
            s.text(6, concat!("pullback version ", env!("CARGO_PKG_VERSION")));
        });
        output.bytes
    }

    fn group(&self, group: &Group, output: &mut Output) {
        let sum = |of: fn(&Written) -> u64| group.columns.iter().map(of).sum::<u64>() as i64;
        output.structure(|s| {
            s.list(1, STRUCT, group.columns.len());
            for (plan, written) in self.plans.iter().zip(&group.columns) {
                s.structure(|s| {
                    s.i64(2, written.start as i64);
                    s.inner(3, |s| {
                        s.i32(1, physical(plan.field.dtype));
                        s.list(2, I32, 2);
                        s.element_i32(0);
                        s.element_i32(3);
                        s.list(3, BINARY, plan.path.len());
                        for name in &plan.path {
                            s.element_text(name);
                        }
                        s.i32(4, self.options.codec.number());
                        s.i64(5, written.entries as i64);
                        s.i64(6, written.uncompressed as i64);
                        s.i64(7, written.compressed as i64);
                        s.i64(9, written.start as i64);
                    });
                });
            }
            s.i64(2, sum(|w| w.uncompressed));
            s.i64(3, group.rows as i64);
            s.i64(6, sum(|w| w.compressed));
        });
    }
}

fn unwritable(name: &str, what: &str) -> Error {
    Error::Unwritable {
        name: name.to_owned(),
        what: what.to_owned(),
    }
}

/// `Type`.
fn physical(dtype: DType) -> i32 {
    match dtype {
        DType::Bool => 0,
        DType::I8 | DType::U8 | DType::I16 | DType::U16 | DType::I32 | DType::U32 => 1,
        DType::I64 | DType::U64 => 2,
        DType::F32 => 4,
        DType::F64 => 5,
        DType::Str => 6,
    }
}

/// `IntType` and the older `ConvertedType`, of what the physical type does not say.
fn integer(dtype: DType) -> Option<(i8, bool, i32)> {
    Some(match dtype {
        DType::U8 => (8, false, 11),
        DType::U16 => (16, false, 12),
        DType::U32 => (32, false, 13),
        DType::U64 => (64, false, 14),
        DType::I8 => (8, true, 15),
        DType::I16 => (16, true, 16),
        _ => return None,
    })
}

impl Node {
    /// `SchemaElement`.
    fn write(&self, output: &mut Output) {
        output.structure(|s| {
            if let Some(dtype) = self.leaf {
                s.i32(1, physical(dtype));
            }
            s.i32(
                3,
                if self.repeated {
                    2
                } else {
                    i32::from(self.optional)
                },
            );
            s.text(4, &self.name);
            match self.leaf {
                None => {
                    s.i32(5, 1);
                    if self.list {
                        s.i32(6, 3);
                        s.inner(10, |s| s.inner(3, |_| {}));
                    }
                }
                Some(DType::Str) => {
                    s.i32(6, 0);
                    s.inner(10, |s| s.inner(1, |_| {}));
                }
                Some(dtype) => {
                    if let Some((bits, signed, converted)) = integer(dtype) {
                        s.i32(6, converted);
                        s.inner(10, |s| {
                            s.inner(10, |s| {
                                s.byte(1, bits);
                                s.bool(2, signed);
                            });
                        });
                    }
                }
            }
        });
    }
}

/// The pages of a column.
struct Encoded {
    bytes: Vec<u8>,
    uncompressed: u64,
    entries: u64,
}

impl Plan {
    fn encode(&self, column: &Column, rows: usize, options: &WriteOptions) -> Result<Encoded> {
        let name = &self.field.name;
        if !column.has_shape(&self.field) || column.len() != rows {
            let what = format!(
                "a column of {} entries that is no {}, or not of {rows} entries",
                column.len(),
                self.field.shape()
            );
            return Err(unwritable(name, &what));
        }
        let levels = shred::levels(column.len(), column.axes());
        let levels = levels.map_err(|what| unwritable(name, what))?;
        let entries = levels.definition.len();
        let average = column.values().bytes() / column.values().len().max(1);
        let values_per_page = options.page_bytes / average.max(1) + 1;
        let mut encoded = Encoded {
            bytes: Vec::new(),
            uncompressed: 0,
            entries: entries as u64,
        };
        let (mut from, mut value, mut values) = (0, 0, 0);
        for k in 0..entries {
            let begins = levels.repetition.get(k) == Some(&0);
            if begins && k > from && values >= values_per_page {
                self.page(
                    &levels,
                    from..k,
                    column.values(),
                    value..value + values,
                    options,
                    &mut encoded,
                )?;
                (from, value, values) = (k, value + values, 0);
            }
            values += usize::from(levels.definition.get(k) == Some(&self.definitions));
        }
        if value + values != column.values().len() {
            return Err(unwritable(
                name,
                "its levels and its values do not fit together",
            ));
        }
        self.page(
            &levels,
            from..entries,
            column.values(),
            value..value + values,
            options,
            &mut encoded,
        )?;
        Ok(encoded)
    }

    fn page(
        &self,
        levels: &Levels,
        entries: Range<usize>,
        values: &Values,
        range: Range<usize>,
        options: &WriteOptions,
        to: &mut Encoded,
    ) -> Result<()> {
        let mut body = Vec::new();
        for (list, most) in [
            (&levels.repetition, self.repetitions),
            (&levels.definition, self.definitions),
        ] {
            if most > 0 {
                let list = list.get(entries.clone()).unwrap_or_default();
                let bytes = hybrid::write(list, hybrid::width(most));
                body.extend((bytes.len() as u32).to_le_bytes());
                body.extend(bytes);
            }
        }
        plain(values, range, &mut body);
        let uncompressed = body.len();
        let too_large = || unwritable(&self.field.name, "a page takes more than 2 GiB");
        let size = i32::try_from(uncompressed).map_err(|_| too_large())?;
        let body = options.codec.compress(body).ok_or_else(too_large)?;
        let stored = i32::try_from(body.len()).map_err(|_| too_large())?;
        let mut head = Output::default();
        head.structure(|s| {
            s.i32(1, 0);
            s.i32(2, size);
            s.i32(3, stored);
            s.i32(4, zlib_rs::crc32::crc32(0, &body).cast_signed());
            s.inner(5, |s| {
                s.i32(1, entries.len() as i32);
                s.i32(2, 0);
                s.i32(3, 3);
                s.i32(4, 3);
            });
        });
        to.uncompressed += (head.bytes.len() + uncompressed) as u64;
        to.bytes.extend(head.bytes);
        to.bytes.extend(body);
        Ok(())
    }
}

/// Values as they are: numbers of four and eight bytes, bits, lengths and bytes.
fn plain(values: &Values, range: Range<usize>, to: &mut Vec<u8>) {
    macro_rules! numbers {
        ($list:expr, $type:ty) => {
            for n in $list.get(range).unwrap_or_default() {
                to.extend(<$type>::from(*n).to_le_bytes());
            }
        };
    }
    match values {
        Values::Bool(list) => {
            for bits in list.get(range).unwrap_or_default().chunks(8) {
                let byte = bits
                    .iter()
                    .rev()
                    .fold(0, |byte, bit| byte << 1 | u8::from(*bit));
                to.push(byte);
            }
        }
        Values::I8(list) => numbers!(list, i32),
        Values::U8(list) => numbers!(list, i32),
        Values::I16(list) => numbers!(list, i32),
        Values::U16(list) => numbers!(list, i32),
        Values::I32(list) => numbers!(list, i32),
        Values::U32(list) => numbers!(list, u32),
        Values::I64(list) => numbers!(list, i64),
        Values::U64(list) => numbers!(list, u64),
        Values::F32(list) => numbers!(list, f32),
        Values::F64(list) => numbers!(list, f64),
        Values::Str(texts) => {
            for k in range {
                let text = texts.get(k).unwrap_or_default();
                to.extend((text.len() as u32).to_le_bytes());
                to.extend_from_slice(text);
            }
        }
    }
}
