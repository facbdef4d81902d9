//! What makes a command fail: codes, exit codes, help.

use pullback_stats::{Error, ErrorKind};

/// A failure of the command.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something is wrong with a document, or an option names what it does not have.
    #[error("{error}")]
    Document {
        /// The file, or `<stdin>`.
        path: String,
        /// What is wrong.
        error: Box<Error>,
    },
    /// A file of events could not be read as asked.
    #[error("{error}")]
    Data {
        /// What is wrong, with its place.
        error: Box<pullback_io::Error>,
    },
    /// An analysis that is wrong, or does not fit to its data.
    #[error("{error}")]
    Analysis {
        /// What is wrong, with its place.
        error: Box<pullback_analysis::Error>,
    },
    /// Something would be overwritten.
    #[error("`{path}` is there already")]
    Exists {
        /// The file.
        path: String,
    },
    /// A file could not be opened or read.
    #[error("`{path}` cannot be read: {message}")]
    Open {
        /// The file.
        path: String,
        /// What the operating system said.
        message: String,
    },
    /// Two things are to be read from stdin.
    #[error("only one of the inputs can be `-` (stdin)")]
    StdinTwice,
    /// No workspace was named, and nothing is piped in.
    #[error("no workspace was given, and stdin is a terminal")]
    NoWorkspace,
    /// A patchset was given where one of its patches is needed.
    #[error("`{path}` is a patchset with {count} patches: which one?")]
    WhichPatch {
        /// The file.
        path: String,
        /// How many patches it has.
        count: usize,
        /// The first one.
        example: String,
    },
    /// Columns were named, and it is not clear of which table.
    #[error("--columns chooses from one table, and `{path}` has {}", tables.len())]
    ColumnsOfWhat {
        /// The file.
        path: String,
        /// Its trees and ntuples.
        tables: Vec<String>,
    },
    /// An Asimov data set at a value of the parameter of interest was asked for, and there is none.
    #[error("--asimov needs a parameter of interest, and the model has none")]
    AsimovWithoutPoi,
    /// The folder of an output file does not exist.
    #[error("`{path}` cannot be written: its folder does not exist")]
    NoFolder {
        /// The file.
        path: String,
    },
    /// Output could not be written.
    #[error("`{path}` cannot be written: {message}")]
    Write {
        /// The file.
        path: String,
        /// What the operating system said.
        message: String,
    },
    /// Events that cannot be generated.
    #[error("{message}")]
    Events {
        /// The stable code.
        code: &'static str,
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// Ctrl-C.
    #[error("interrupted{during}; nothing was written")]
    Interrupted {
        /// When, with a space in front.
        during: String,
    },
}

impl From<pullback_io::Error> for Failure {
    fn from(error: pullback_io::Error) -> Self {
        Self::Data {
            error: Box::new(error),
        }
    }
}

impl From<pullback_analysis::Error> for Failure {
    fn from(error: pullback_analysis::Error) -> Self {
        match error {
            pullback_analysis::Error::Data(error) => Self::Data { error },
            error => Self::Analysis {
                error: Box::new(error),
            },
        }
    }
}

impl From<pullback_sim::SimError> for Failure {
    /// The text of the error starts with its code and ends with its help.
    fn from(error: pullback_sim::SimError) -> Self {
        let text = error.to_string();
        let text = text.strip_prefix(error.code()).unwrap_or(&text);
        let text = text.trim_start_matches(": ");
        let (message, help) = text.split_once("\n  help: ").unwrap_or((text, ""));
        Self::Events {
            code: error.code(),
            message: message.to_owned(),
            help: help.to_owned(),
        }
    }
}

impl Failure {
    /// An error of a document.
    pub fn document(path: &str, error: Error) -> Self {
        Self::Document {
            path: path.to_owned(),
            error: Box::new(error),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document { error, .. } => error.code(),
            Self::Data { error } => error.code(),
            Self::Analysis { error } => error.code(),
            Self::Exists { .. } => "PB0910",
            Self::Open { .. } => "PB0901",
            Self::StdinTwice => "PB0902",
            Self::NoWorkspace => "PB0903",
            Self::WhichPatch { .. } => "PB0904",
            Self::AsimovWithoutPoi => "PB0905",
            Self::NoFolder { .. } => "PB0906",
            Self::Write { .. } => "PB0907",
            Self::Interrupted { .. } => "PB0908",
            Self::ColumnsOfWhat { .. } => "PB0909",
            Self::Events { code, .. } => code,
        }
    }

    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Document { error, .. } => match error.kind() {
                ErrorKind::Usage => 2,
                ErrorKind::Input => 3,
                ErrorKind::Limit => 4,
            },
            Self::Data { error } => match error.kind() {
                pullback_io::ErrorKind::Usage => 2,
                pullback_io::ErrorKind::Input => 3,
                pullback_io::ErrorKind::Limit => 4,
            },
            Self::Analysis { .. } | Self::Open { .. } => 3,
            Self::StdinTwice
            | Self::NoWorkspace
            | Self::WhichPatch { .. }
            | Self::AsimovWithoutPoi
            | Self::Exists { .. }
            | Self::ColumnsOfWhat { .. }
            | Self::Events { .. }
            | Self::NoFolder { .. } => 2,
            Self::Write { .. } => 4,
            Self::Interrupted { .. } => 130,
        }
    }

    /// What to do about it, in one line.
    pub fn help(&self) -> String {
        match self {
            Self::Document { error, .. } => match error.as_ref() {
                Error::TooLarge { what, .. } => limit_help(what, error),
                _ => error.help(),
            },
            Self::Data { error } => error.help(),
            Self::Analysis { error } => error.help(),
            Self::Exists { .. } => "--force overwrites it".to_owned(),
            Self::Open { .. } => "check the path and the permissions; `-` is stdin".to_owned(),
            Self::StdinTwice => "give the others as files".to_owned(),
            Self::NoWorkspace => {
                "give a file: `pullback fit workspace.json`, or pipe one in".to_owned()
            }
            Self::WhichPatch { path, example, .. } => {
                format!("add its name or its values: `--patch '{path}#{example}'`")
            }
            Self::ColumnsOfWhat { tables, .. } if tables.is_empty() => {
                "leave --columns out".to_owned()
            }
            Self::ColumnsOfWhat { tables, .. } => {
                format!("name it with --tree: `{}`", tables.join("`, `"))
            }
            Self::AsimovWithoutPoi => "name one with --poi".to_owned(),
            Self::NoFolder { .. } => "make the folder first".to_owned(),
            Self::Write { .. } => "check the free space and the permissions".to_owned(),
            Self::Events { help, .. } => help.clone(),
            Self::Interrupted { during } if during.contains("event") => {
                "the same seed and --first go on where you want".to_owned()
            }
            Self::Interrupted { .. } => "--max-iterations bounds the work of a fit".to_owned(),
        }
    }
}

/// The option that raises a limit.
fn limit_help(what: &str, error: &Error) -> String {
    let option = [
        ("bytes", "--max-size"),
        ("parameters", "--max-parameters"),
        ("cells", "--max-cells"),
        ("modifiers", "--max-modifiers"),
        ("values", "--max-cells"),
    ]
    .into_iter()
    .find(|(word, _)| what.starts_with(word));
    match option {
        Some((_, option)) => format!("raise the limit with {option} if this is intended"),
        None => error.help(),
    }
}
