//! `pullback data inspect`.

use std::collections::HashSet;
use std::sync::Arc;

use pullback_io::csv::Csv;
use pullback_io::parquet::Parquet;
use pullback_io::root::{File, Histogram, Object, ObjectKind};
use pullback_io::{Field, Format, Sizes, Source, Table, Unreadable};

use crate::app::Outcome;
use crate::args::DataArgs;
use crate::failure::Failure;
use crate::{json, output, text};

/// A table of a file.
#[derive(Debug)]
pub struct TableOverview {
    /// Directories and name; of a file with one table its name for messages.
    pub path: String,
    /// What it is (`tree`, `ntuple`, `rows`).
    pub kind: &'static str,
    /// Its title.
    pub title: String,
    /// Number of entries.
    pub entries: u64,
    /// Names of the compression algorithms.
    pub compression: Vec<&'static str>,
    /// Number of columns that can be read.
    pub columns: usize,
    /// The columns that were asked for, where it is the table that was asked for.
    pub shown: Option<Vec<(Field, Sizes)>>,
    /// What cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// What is in a file.
#[derive(Debug)]
pub struct FileOverview {
    /// Its path.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// `root`, `parquet` or `csv`.
    pub format: &'static str,
    /// The program that wrote it, where the file says.
    pub writer: String,
    /// Version of the ROOT that wrote it.
    pub root_version: Option<u32>,
    /// Trees and ntuples, or why one cannot be read.
    pub tables: Vec<Result<TableOverview, (Object, String)>>,
    /// Histograms, or why one cannot be read.
    pub histograms: Vec<Result<(Object, Histogram), (Object, String)>>,
    /// Everything else but directories.
    pub others: Vec<Object>,
}

/// Shows what is in a file of events or histograms.
pub fn inspect_data(args: &DataArgs) -> Result<Outcome, Failure> {
    output::check_folder(args.output.output.as_deref())?;
    let overview = read(args)?;
    if args.output.json || args.output.output.is_some() {
        let text = json::data(&overview);
        match &args.output.output {
            Some(path) => output::write_file(path, &text)?,
            None => output::print(&text)?,
        }
    }
    if !args.output.json {
        let width = text::terminal_width();
        output::print(&text::data(&overview, args.output.all, width))?;
    }
    Ok(Outcome::Good)
}

fn read(args: &DataArgs) -> Result<FileOverview, Failure> {
    let source = Source::open(&args.file)?;
    let bytes = source.len();
    match Format::of(&source)? {
        Format::Parquet => {
            let file = Parquet::new(source)?;
            let codecs: Vec<&'static str> = file.compression().iter().map(|c| c.name()).collect();
            let title = match file.row_groups() {
                1 => "1 row group".to_owned(),
                n => format!("{n} row groups"),
            };
            let about = (file.writer().to_owned(), title, codecs);
            single(args, "parquet", bytes, &file, about)
        }
        Format::Csv => {
            let about = (String::new(), String::new(), Vec::new());
            single(args, "csv", bytes, &Csv::new(source)?, about)
        }
        _ => read_root(args, File::new(source)?),
    }
}

/// A file with one table; what it says of its writer, a title, its compression.
fn single(
    args: &DataArgs,
    format: &'static str,
    bytes: u64,
    table: &dyn Table,
    (writer, title, compression): (String, String, Vec<&'static str>),
) -> Result<FileOverview, Failure> {
    let path = table.place().object;
    if let Some(name) = args.tree.as_ref().filter(|name| **name != path) {
        return Err(pullback_io::Error::NoObject {
            kind: "table",
            name: name.clone(),
            nearest: vec![path],
            place: table.place(),
        }
        .into());
    }
    let overview = TableOverview {
        path,
        kind: "rows",
        title,
        entries: table.entries(),
        compression,
        columns: table.schema().fields().len(),
        shown: Some(chosen(table, &args.columns)?),
        unreadable: table.schema().unreadable().to_vec(),
    };
    Ok(FileOverview {
        path: args.file.display().to_string(),
        bytes,
        format,
        writer,
        root_version: None,
        tables: vec![Ok(overview)],
        histograms: Vec::new(),
        others: Vec::new(),
    })
}

#[allow(clippy::needless_pass_by_value, reason = "nothing else reads the file")]
fn read_root(args: &DataArgs, file: File) -> Result<FileOverview, Failure> {
    let objects = file.objects()?;
    let is_table = |o: &&Object| matches!(o.kind, ObjectKind::Tree | ObjectKind::Ntuple);
    let count = objects.iter().filter(is_table).count();
    let mut asked = None;
    if let Some(name) = &args.tree {
        // One that is not there is an error, with the names that are.
        let object = file.object(name)?;
        if object.kind != ObjectKind::Ntuple {
            file.tree(name)?;
        }
        asked = Some(object);
    } else if !args.columns.is_empty() && count != 1 {
        return Err(Failure::ColumnsOfWhat {
            path: args.file.display().to_string(),
            tables: objects
                .iter()
                .filter(is_table)
                .map(|o| o.path.clone())
                .collect(),
        });
    }
    let mut overview = FileOverview {
        path: args.file.display().to_string(),
        bytes: file.bytes(),
        format: "root",
        writer: root_name(file.version()),
        root_version: Some(file.version()),
        tables: Vec::new(),
        histograms: Vec::new(),
        others: Vec::new(),
    };
    for object in objects {
        match object.kind {
            ObjectKind::Tree | ObjectKind::Ntuple => {
                let shown = match &asked {
                    Some(asked) => asked.path == object.path,
                    None => count == 1,
                };
                // Of the one that was asked for the version that was.
                let object = asked.as_ref().filter(|_| shown).unwrap_or(&object).clone();
                match table(&file, &object, shown, &args.columns) {
                    Ok(table) => overview.tables.push(Ok(table)),
                    // Of others it is said and the rest shown.
                    Err(error) if !shown => {
                        overview.tables.push(Err((object, error.to_string())));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            ObjectKind::Histogram => overview.histograms.push(match file.histogram_of(&object) {
                Ok(histogram) => Ok((object, histogram)),
                Err(error) => Err((object, error.to_string())),
            }),
            ObjectKind::Directory => {}
            ObjectKind::Other => overview.others.push(object),
        }
    }
    Ok(overview)
}

fn table(
    file: &File,
    object: &Object,
    shown: bool,
    names: &[String],
) -> pullback_io::Result<TableOverview> {
    let (table, algorithms): (Arc<dyn Table>, _) = if object.kind == ObjectKind::Tree {
        let tree = file.tree_of(object)?;
        let algorithms = tree.compression();
        (Arc::new(tree), algorithms)
    } else {
        let ntuple = file.ntuple_of(object)?;
        let algorithms = ntuple.compression()?;
        (Arc::new(ntuple), algorithms)
    };
    let mut compression: Vec<&'static str> = algorithms.iter().map(|a| a.name()).collect();
    compression.sort_unstable();
    Ok(TableOverview {
        path: object.path.clone(),
        kind: kind(object),
        title: object.title.clone(),
        entries: table.entries(),
        compression,
        columns: table.schema().fields().len(),
        shown: shown.then(|| chosen(table.as_ref(), names)).transpose()?,
        unreadable: table.schema().unreadable().to_vec(),
    })
}

/// What a tree or an ntuple is called.
pub fn kind(object: &Object) -> &'static str {
    match object.kind {
        ObjectKind::Ntuple => "ntuple",
        _ => "tree",
    }
}

fn root_name(version: u32) -> String {
    format!(
        "ROOT {}.{:02}/{:02}",
        version / 10_000,
        version / 100 % 100,
        version % 100
    )
}

/// The columns of these names and patterns in the order of the file, or all.
fn chosen(table: &dyn Table, names: &[String]) -> pullback_io::Result<Vec<(Field, Sizes)>> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let fields = table.schema().fields();
    let chosen: HashSet<usize> = if names.is_empty() {
        (0..fields.len()).collect()
    } else {
        table.select(&names)?.into_iter().collect()
    };
    let mut list = Vec::with_capacity(chosen.len());
    for (k, field) in fields.iter().enumerate() {
        if chosen.contains(&k) {
            list.push((field.clone(), table.sizes(k)?));
        }
    }
    Ok(list)
}
