//! The errors of this crate: stable codes, the offending value, its place and a line of help.
//!
//! Display gives one sentence with the place; [`Error::code`], [`Error::place`], [`Error::value`] and [`Error::help`] give the parts.

use std::fmt;

use crate::workspace::{ModifierType, shorten};

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A line and a column of a text, both counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// The part of a line around a place, and where in it the place is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// At most some 80 characters of the line; a cut is marked with `…`.
    pub text: String,
    /// Characters of `text` before the place.
    pub caret: usize,
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{:>width$}", self.text, "^", width = self.caret + 1)
    }
}

/// Where in a document something is: a JSON pointer (RFC 6901), and line and column where the text is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// JSON pointer; the empty pointer is the whole document.
    pub pointer: String,
    /// Line and column in the text that was read; `None` for a document that was built or patched in memory.
    pub position: Option<Position>,
    /// The text there.
    pub excerpt: Option<Excerpt>,
}

impl Place {
    /// A place known by its JSON pointer only.
    pub fn at(pointer: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            pointer: pointer.into(),
            ..Self::default()
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pointer.as_str(), self.position) {
            ("", None) => f.write_str("the document"),
            ("", Some(p)) => write!(f, "line {}, column {}", p.line, p.column),
            (pointer, None) => f.write_str(pointer),
            (pointer, Some(p)) => write!(f, "{pointer} (line {}, column {})", p.line, p.column),
        }
    }
}

/// Who can repair an error: decides the exit code of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The call asks for something that is not there (a name, an option).
    Usage,
    /// The document is wrong.
    Input,
    /// A stated, adjustable limit was passed.
    Limit,
}

/// What can go wrong between the bytes of a workspace and a model.
///
/// ```
/// use pullback_stats::workspace::Workspace;
/// let error = Workspace::from_slice(b"{\"channels\": 3}").unwrap_err();
/// assert_eq!(error.code(), "PB0304");
/// assert_eq!(error.place().unwrap().pointer, "/channels");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A stated limit was passed.
    #[error("{what}: {size} is more than the limit of {limit}")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// How many there are, or how many had been counted when reading stopped.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The text is not JSON.
    #[error("not valid JSON at {place}: {message}")]
    Syntax {
        /// What the parser said.
        message: String,
        /// Where.
        place: Box<Place>,
    },
    /// A number that is infinite, not a number, or too large for a double.
    #[error("the number at {place} is not finite: {value}")]
    NonFinite {
        /// The number, as written.
        value: String,
        /// Where.
        place: Box<Place>,
    },
    /// The document does not have the shape of the format.
    #[error("expected {expected} at {place}, found {found}")]
    Schema {
        /// What the format asks for.
        expected: String,
        /// What is there.
        found: String,
        /// Where.
        place: Box<Place>,
    },
    /// A key that the format requires is missing.
    #[error("the key `{key}` is missing at {place}")]
    MissingKey {
        /// The key.
        key: String,
        /// The object that lacks it.
        place: Box<Place>,
    },
    /// A key stands twice in one object.
    #[error("the key `{key}` stands twice at {place}")]
    RepeatedKey {
        /// The key.
        key: String,
        /// The object that has it twice.
        place: Box<Place>,
    },
    /// A modifier of a type that HistFactory does not have.
    #[error("unknown modifier type `{value}` at {place}")]
    UnknownModifier {
        /// The type.
        value: String,
        /// Where.
        place: Box<Place>,
    },
    /// A version of the format that this crate does not read.
    #[error("version `{value}` of the format at {place} is not supported")]
    Version {
        /// The version.
        value: String,
        /// Where.
        place: Box<Place>,
    },
    /// A list that must not be empty is.
    #[error("the list of {what} at {place} is empty")]
    Empty {
        /// What it should hold.
        what: &'static str,
        /// Where.
        place: Box<Place>,
    },
    /// Two lengths that must agree do not.
    #[error("the list at {place} has length {found}, expected {expected} ({why})")]
    Length {
        /// How many are needed.
        expected: usize,
        /// How many there are.
        found: usize,
        /// What fixes the expected number.
        why: String,
        /// Where.
        place: Box<Place>,
    },
    /// A count below zero was observed.
    #[error("the observation at {place} is negative: {value}")]
    NegativeObservation {
        /// The count.
        value: f64,
        /// Where.
        place: Box<Place>,
    },
    /// A name that must be unique stands twice.
    #[error("the {what} `{name}` at {place} exists already at {first}")]
    Duplicate {
        /// Kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
        /// The second one.
        place: Box<Place>,
        /// The first one.
        first: Box<Place>,
    },
    /// A channel without observed data.
    #[error("the channel `{channel}` at {place} has no observation")]
    MissingObservation {
        /// Name of the channel.
        channel: String,
        /// The channel.
        place: Box<Place>,
    },
    /// One name is used by modifiers that cannot share a parameter.
    #[error(
        "the {second} `{name}` at {place} cannot share its name with the {first} at {first_place}"
    )]
    Conflict {
        /// The name.
        name: String,
        /// Type of the modifier that came first.
        first: ModifierType,
        /// Type of the other one.
        second: ModifierType,
        /// The other one.
        place: Box<Place>,
        /// The first one.
        first_place: Box<Place>,
    },
    /// A shapesys is used by two samples or channels.
    #[error(
        "the shapesys `{name}` at {place} is used already at {first}: a shapesys belongs to one sample of one channel"
    )]
    SharedShapesys {
        /// Its name.
        name: String,
        /// The second use.
        place: Box<Place>,
        /// The first use.
        first: Box<Place>,
    },
    /// Samples share a staterror but not in the same channels, or a shapefactor is used where there are more bins than it has.
    #[error("the {kind} `{name}` at {place} covers other bins than at {first}")]
    BinsDiffer {
        /// Type of the modifier.
        kind: ModifierType,
        /// Its name.
        name: String,
        /// The use that differs.
        place: Box<Place>,
        /// The use it differs from.
        first: Box<Place>,
    },
    /// A normsys factor that is not positive: the interpolation takes its logarithm.
    #[error("the normsys factor at {place} is {value}, it must be positive")]
    NormsysFactor {
        /// The factor.
        value: f64,
        /// Where.
        place: Box<Place>,
    },
    /// There is no measurement of this name.
    #[error("there is no measurement `{name}`")]
    UnknownMeasurement {
        /// The name asked for.
        name: String,
        /// The names there are.
        available: Vec<String>,
    },
    /// The parameter of interest is not a parameter of the model.
    #[error("the parameter of interest `{name}` is not a parameter of the model")]
    UnknownPoi {
        /// The name asked for.
        name: String,
        /// The names there are.
        available: Vec<String>,
    },
    /// The parameter of interest has several components.
    #[error("`{name}` has {components} components and cannot be the parameter of interest")]
    VectorPoi {
        /// Its name.
        name: String,
        /// How many components it has.
        components: usize,
    },
    /// A parameter that was named in the options does not exist.
    #[error("there is no parameter `{name}`")]
    UnknownParameter {
        /// The name asked for.
        name: String,
        /// The names there are.
        available: Vec<String>,
    },
    /// There is no channel of this name.
    #[error("there is no channel `{name}`")]
    UnknownChannel {
        /// The name asked for.
        name: String,
        /// The names there are.
        available: Vec<String>,
    },
    /// A part of the workspace that was named does not exist.
    #[error("there is no {what} `{name}` in the workspace")]
    UnknownPart {
        /// Kind of thing.
        what: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are.
        available: Vec<String>,
    },
    /// A selection of channels, samples or modifiers that leaves nothing.
    #[error("nothing is left of the {what}")]
    NothingLeft {
        /// What was selected from.
        what: &'static str,
    },
    /// A setting of a parameter that its kind does not have.
    #[error("`{attribute}` at {place} is not an attribute of the parameter `{name}` ({kind})")]
    ParameterAttribute {
        /// Name of the parameter.
        name: String,
        /// The attribute.
        attribute: &'static str,
        /// What kind of parameter it is.
        kind: &'static str,
        /// Where.
        place: Box<Place>,
    },
    /// A setting that the measurement must give is missing.
    #[error("the measurement `{measurement}` must give `{attribute}` of the parameter `{name}`")]
    MissingParameterConfig {
        /// Name of the parameter.
        name: String,
        /// The attribute.
        attribute: &'static str,
        /// Name of the measurement.
        measurement: String,
    },
    /// Lower bound above upper bound.
    #[error("the bounds of `{name}` are empty: [{}, {}]", bounds[0], bounds[1])]
    Bounds {
        /// Name of the parameter.
        name: String,
        /// Lower and upper bound.
        bounds: [f64; 2],
    },
    /// A number of a parameter (initial value, width, rate factor, auxiliary datum) that cannot be.
    #[error("the {what} of the parameter `{name}` is {value}, which is out of range")]
    ParameterValue {
        /// Name of the parameter.
        name: String,
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// The model has no parameter at all.
    #[error("the model has no parameters")]
    NoParameters,
    /// An interpolation code that a modifier type does not have.
    #[error("`{code}` is not an interpolation code of {modifier}")]
    Interpolation {
        /// The modifier type.
        modifier: ModifierType,
        /// The code asked for.
        code: String,
    },
    /// A JSON pointer that does not follow RFC 6901.
    #[error("`{pointer}` is not a JSON pointer ({message})")]
    PointerSyntax {
        /// The pointer.
        pointer: String,
        /// What is wrong with it.
        message: &'static str,
    },
    /// A patch operation whose target is not there.
    #[error("patch operation {operation} ({op}): nothing can be done at `{path}`: {message}")]
    PatchTarget {
        /// Index of the operation, from 0.
        operation: usize,
        /// The operation.
        op: &'static str,
        /// The JSON pointer.
        path: String,
        /// What is wrong.
        message: &'static str,
    },
    /// A `test` operation of a patch did not hold.
    #[error("patch operation {operation} (test): the value at `{path}` is not the expected one")]
    PatchTest {
        /// Index of the operation, from 0.
        operation: usize,
        /// The JSON pointer.
        path: String,
        /// The value there, shortened.
        found: String,
    },
    /// There is no such patch in the patchset.
    #[error("there is no patch `{name}` in the patchset")]
    UnknownPatch {
        /// The name or the values asked for.
        name: String,
        /// The names there are.
        available: Vec<String>,
    },
    /// The workspace is not the one that a patchset was made for.
    #[error(
        "the {algorithm} digest of the workspace is {found}, the patchset was made for {expected}"
    )]
    DigestMismatch {
        /// `sha256` or `md5`.
        algorithm: &'static str,
        /// The digest in the patchset.
        expected: String,
        /// The digest of the workspace.
        found: String,
    },
    /// An expected rate that is not positive where something is observed, at the start of a fit.
    #[error(
        "the expected rate in bin {bin} of `{channel}` is {rate} but {observed} is observed there"
    )]
    RateNotPositive {
        /// Name of the channel.
        channel: String,
        /// Bin in the channel, from 0.
        bin: usize,
        /// The expected rate.
        rate: f64,
        /// The observation.
        observed: f64,
    },
    /// A vector of the wrong length was given to a model.
    #[error("{what}: {found} numbers, the model has {expected}")]
    Size {
        /// What was given.
        what: &'static str,
        /// How many numbers.
        found: usize,
        /// How many the model has.
        expected: usize,
    },
    /// The array engine failed.
    #[error("{source}")]
    Engine {
        /// Its error.
        #[from]
        source: pullback_array::Error,
    },
    /// The minimiser refused the problem.
    #[error("{message}")]
    Minimiser {
        /// What it said.
        message: String,
    },
    /// A derivative of a fit that does not exist.
    #[error("the best fit has no derivatives: {reason}")]
    NoSensitivities {
        /// The parameter it is about.
        parameter: Option<String>,
        /// Why.
        reason: String,
        /// What to do.
        help: &'static str,
    },
    /// A bin for which a counting formula has no value.
    #[error("bin {bin} with {signal} signal and {background} background events: {reason}")]
    Counting {
        /// The bin, from 0.
        bin: usize,
        /// Expected signal.
        signal: f64,
        /// Expected background.
        background: f64,
        /// What is wrong.
        reason: &'static str,
    },
    /// A new number for a template that cannot be.
    #[error("entry {entry} of the template slot `{slot}` is {value}: {reason}")]
    Template {
        /// The slot.
        slot: String,
        /// Which of its numbers, from 0.
        entry: usize,
        /// The number.
        value: f64,
        /// What is wrong.
        reason: &'static str,
    },
    /// An objective that has no value for this model.
    #[error("no {objective}: {reason}")]
    NoObjective {
        /// Which one.
        objective: &'static str,
        /// Why.
        reason: String,
        /// What to do.
        help: &'static str,
    },
    /// Input could not be read.
    #[error("reading failed: {message}")]
    Read {
        /// What the operating system said.
        message: String,
    },
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "PB0301",
            Self::Syntax { .. } => "PB0302",
            Self::NonFinite { .. } => "PB0303",
            Self::Schema { .. } => "PB0304",
            Self::MissingKey { .. } => "PB0305",
            Self::RepeatedKey { .. } => "PB0306",
            Self::UnknownModifier { .. } => "PB0307",
            Self::Version { .. } => "PB0308",
            Self::Empty { .. } => "PB0309",
            Self::Length { .. } => "PB0310",
            Self::NegativeObservation { .. } => "PB0311",
            Self::Duplicate { .. } => "PB0312",
            Self::MissingObservation { .. } => "PB0313",
            Self::Conflict { .. } => "PB0314",
            Self::SharedShapesys { .. } => "PB0315",
            Self::BinsDiffer { .. } => "PB0316",
            Self::NormsysFactor { .. } => "PB0317",
            Self::UnknownMeasurement { .. } => "PB0318",
            Self::UnknownPoi { .. } => "PB0319",
            Self::VectorPoi { .. } => "PB0320",
            Self::UnknownParameter { .. } => "PB0321",
            Self::UnknownChannel { .. } => "PB0322",
            Self::NothingLeft { .. } => "PB0323",
            Self::ParameterAttribute { .. } => "PB0324",
            Self::MissingParameterConfig { .. } => "PB0325",
            Self::Bounds { .. } => "PB0326",
            Self::ParameterValue { .. } => "PB0327",
            Self::NoParameters => "PB0328",
            Self::Interpolation { .. } => "PB0329",
            Self::PointerSyntax { .. } => "PB0330",
            Self::PatchTarget { .. } => "PB0331",
            Self::PatchTest { .. } => "PB0332",
            Self::UnknownPatch { .. } => "PB0333",
            Self::DigestMismatch { .. } => "PB0334",
            Self::Read { .. } => "PB0335",
            Self::UnknownPart { .. } => "PB0336",
            Self::RateNotPositive { .. } => "PB0350",
            Self::Size { .. } => "PB0351",
            Self::Engine { .. } => "PB0352",
            Self::Minimiser { .. } => "PB0353",
            Self::NoSensitivities { .. } => "PB0354",
            Self::Counting { .. } => "PB0355",
            Self::NoObjective { .. } => "PB0356",
            Self::Template { .. } => "PB0357",
        }
    }

    /// Who can repair it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge { .. } => ErrorKind::Limit,
            Self::UnknownMeasurement { .. }
            | Self::UnknownParameter { .. }
            | Self::UnknownChannel { .. }
            | Self::UnknownPart { .. }
            | Self::NothingLeft { .. }
            | Self::Interpolation { .. }
            | Self::UnknownPatch { .. } => ErrorKind::Usage,
            _ => ErrorKind::Input,
        }
    }

    /// Where in the document, if it is about a place.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Syntax { place, .. }
            | Self::NonFinite { place, .. }
            | Self::Schema { place, .. }
            | Self::MissingKey { place, .. }
            | Self::RepeatedKey { place, .. }
            | Self::UnknownModifier { place, .. }
            | Self::Version { place, .. }
            | Self::Empty { place, .. }
            | Self::Length { place, .. }
            | Self::NegativeObservation { place, .. }
            | Self::Duplicate { place, .. }
            | Self::MissingObservation { place, .. }
            | Self::Conflict { place, .. }
            | Self::SharedShapesys { place, .. }
            | Self::BinsDiffer { place, .. }
            | Self::NormsysFactor { place, .. }
            | Self::ParameterAttribute { place, .. } => Some(place),
            _ => None,
        }
    }

    /// The offending value as text, if there is one.
    pub fn value(&self) -> Option<String> {
        Some(match self {
            Self::TooLarge { size, .. } => size.to_string(),
            Self::Schema { found, .. }
            | Self::PatchTest { found, .. }
            | Self::DigestMismatch { found, .. } => found.clone(),
            Self::NonFinite { value, .. }
            | Self::UnknownModifier { value, .. }
            | Self::Version { value, .. } => value.clone(),
            Self::MissingKey { key, .. } | Self::RepeatedKey { key, .. } => key.clone(),
            Self::Length { found, .. } | Self::Size { found, .. } => found.to_string(),
            Self::NegativeObservation { value, .. }
            | Self::NormsysFactor { value, .. }
            | Self::ParameterValue { value, .. }
            | Self::Template { value, .. } => value.to_string(),
            Self::RateNotPositive { rate, .. } => rate.to_string(),
            Self::Counting { background, .. } => background.to_string(),
            Self::NoObjective { objective, .. } => (*objective).to_owned(),
            Self::Bounds { bounds, .. } => format!("[{}, {}]", bounds[0], bounds[1]),
            Self::ParameterAttribute { attribute, .. }
            | Self::MissingParameterConfig { attribute, .. } => (*attribute).to_owned(),
            Self::Interpolation { code, .. } => code.clone(),
            Self::PointerSyntax { pointer, .. } => pointer.clone(),
            Self::PatchTarget { path, .. } => path.clone(),
            Self::Duplicate { name, .. }
            | Self::Conflict { name, .. }
            | Self::SharedShapesys { name, .. }
            | Self::BinsDiffer { name, .. }
            | Self::UnknownMeasurement { name, .. }
            | Self::UnknownPoi { name, .. }
            | Self::VectorPoi { name, .. }
            | Self::UnknownParameter { name, .. }
            | Self::UnknownChannel { name, .. }
            | Self::UnknownPart { name, .. }
            | Self::UnknownPatch { name, .. } => name.clone(),
            Self::MissingObservation { channel, .. } => channel.clone(),
            Self::NoSensitivities { parameter, .. } => return parameter.clone(),
            Self::Syntax { .. }
            | Self::Engine { .. }
            | Self::Minimiser { .. }
            | Self::Empty { .. }
            | Self::NothingLeft { .. }
            | Self::NoParameters
            | Self::Read { .. } => return None,
        })
    }

    /// What to do about it, in one line.
    pub fn help(&self) -> String {
        match self {
            Self::TooLarge { .. } => "raise the limit if this is intended".to_owned(),
            Self::Syntax { message, .. } if message.contains("recursion limit") => "a workspace is at most a dozen levels deep".to_owned(),
            Self::Syntax { .. } => "check the text there; JSON has no comments, no trailing commas, no NaN and no Infinity".to_owned(),
            Self::NonFinite { .. } => "every number of a workspace must be a finite double".to_owned(),
            Self::Schema { .. } | Self::MissingKey { .. } => "see the schema of pyhf workspaces, version 1.0.0".to_owned(),
            Self::RepeatedKey { .. } => "remove one of the two".to_owned(),
            Self::UnknownModifier { value, .. } => suggest(value, ModifierType::ALL.iter().map(|t| t.as_str()), "types"),
            Self::Version { .. } => "only version 1.0.0 exists".to_owned(),
            Self::Empty { .. } => "give at least one, or remove what contains the list".to_owned(),
            Self::Length { place, .. } if place.pointer.starts_with("/channels") || place.pointer.starts_with("/observations") => {
                "all lists of numbers of a channel have one value per bin".to_owned()
            }
            Self::Length { .. } => "give as many values as are expected".to_owned(),
            Self::NegativeObservation { .. } => "observed counts are zero or positive; non-integer ones are accepted".to_owned(),
            Self::Duplicate { .. } => "rename or remove one of the two".to_owned(),
            Self::MissingObservation { channel, .. } => format!("add {{\"name\": \"{channel}\", \"data\": [...]}} to the observations"),
            Self::Conflict { .. } => "only a histosys and a normsys can share a name; rename one of the modifiers".to_owned(),
            Self::SharedShapesys { .. } => "give each its own name, or use a staterror or a shapefactor to share parameters".to_owned(),
            Self::BinsDiffer { .. } => "give the modifier a name of its own in each channel".to_owned(),
            Self::NormsysFactor { .. } => "codes 1 and 4 interpolate the logarithm of the factors; use a histosys for a sign change".to_owned(),
            Self::UnknownMeasurement { name, available } => suggest(name, available, "measurements"),
            Self::UnknownPoi { name, available } => {
                format!("an empty name means a fit without a parameter of interest; {}", suggest(name, available, "parameters"))
            }
            Self::VectorPoi { .. } => "choose a parameter with one component, a normfactor for example".to_owned(),
            Self::UnknownParameter { name, available } => suggest(name, available, "parameters"),
            Self::UnknownChannel { name, available } => suggest(name, available, "channels"),
            Self::UnknownPart { name, available, .. } => suggest(name, available, "names"),
            Self::UnknownPatch { name, available } => suggest(name, available, "patches"),
            Self::NothingLeft { .. } => "keep at least one".to_owned(),
            Self::ParameterAttribute { .. } => "remove it from the measurement".to_owned(),
            Self::MissingParameterConfig { name, .. } => {
                format!("add it to the parameter `{name}` in the configuration of the measurement, which gives the luminosity and its uncertainty")
            }
            Self::Bounds { .. } => "the lower bound comes first".to_owned(),
            Self::ParameterValue { .. } => "initial values are finite, widths and rate factors positive, Poisson auxdata not negative; to hold a parameter, fix it".to_owned(),
            Self::NoParameters => "a likelihood needs at least one modifier".to_owned(),
            Self::Interpolation { modifier: ModifierType::Histosys, .. } => "histosys: code0, code2 or code4p".to_owned(),
            Self::Interpolation { .. } => "normsys: code1 or code4".to_owned(),
            Self::PointerSyntax { .. } => "a pointer is empty or starts with `/`; `~` is written `~0` and `/` inside a key `~1`".to_owned(),
            Self::PatchTarget { .. } | Self::PatchTest { .. } => "is this the workspace that the patch was made for?".to_owned(),
            Self::DigestMismatch { .. } => "use the background-only workspace that was published with the patchset".to_owned(),
            Self::Read { .. } => "check the path and the permissions".to_owned(),
            Self::RateNotPositive { .. } => "change the initial values, or the templates of this bin".to_owned(),
            Self::Size { .. } => "give one number per parameter, bin or auxiliary datum, in pyhf's order".to_owned(),
            Self::Counting { .. } => "merge the bin with a neighbour, or ask for a minimum of background events in each bin".to_owned(),
            Self::Template { .. } => "slots: nominal, histosys_hi, histosys_lo, normsys_hi, normsys_lo, uncertainty".to_owned(),
            Self::NoObjective { help, .. } | Self::NoSensitivities { help, .. } => (*help).to_owned(),
            Self::Engine { .. } | Self::Minimiser { .. } => "this is a bug of pullback: please report it with the workspace".to_owned(),
        }
    }

    /// Adds line, column and excerpt to the places of the error: for errors of [`crate::spec::resolve`], which sees the workspace and not its text.
    ///
    /// Only for the text that the workspace was read from; after a patch or an edit the pointers are those of the changed document.
    pub fn located_in(self, text: &str) -> Self {
        crate::workspace::locate_error(self, text)
    }

    /// The places of the error, to fill in line and column.
    pub(crate) fn places_mut(&mut self) -> [Option<&mut Place>; 2] {
        match self {
            Self::Duplicate { place, first, .. }
            | Self::SharedShapesys { place, first, .. }
            | Self::BinsDiffer { place, first, .. }
            | Self::Conflict {
                place,
                first_place: first,
                ..
            } => [Some(place), Some(first)],
            Self::Syntax { place, .. }
            | Self::NonFinite { place, .. }
            | Self::Schema { place, .. }
            | Self::MissingKey { place, .. }
            | Self::RepeatedKey { place, .. }
            | Self::UnknownModifier { place, .. }
            | Self::Version { place, .. }
            | Self::Empty { place, .. }
            | Self::Length { place, .. }
            | Self::NegativeObservation { place, .. }
            | Self::MissingObservation { place, .. }
            | Self::NormsysFactor { place, .. }
            | Self::ParameterAttribute { place, .. } => [Some(place), None],
            _ => [None, None],
        }
    }
}

/// "did you mean", or the list of names, shortened.
fn suggest<S: AsRef<str>>(
    name: &str,
    available: impl IntoIterator<Item = S>,
    what: &str,
) -> String {
    const SHOWN: usize = 12;
    let names: Vec<S> = available.into_iter().collect();
    let close = names
        .iter()
        .map(|n| (edit_distance(name, n.as_ref()), n.as_ref()))
        .min()
        .filter(|(d, _)| *d <= 1 + name.len() / 4);
    if let Some((_, close)) = close {
        return format!("did you mean `{}`?", shorten(close));
    }
    if names.is_empty() {
        return format!("there are no {what}");
    }
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|n| shorten(n.as_ref()))
        .collect();
    let more = if names.len() > SHOWN {
        format!(" and {} more", names.len() - SHOWN)
    } else {
        String::new()
    };
    format!("{what}: {}{more}", shown.join(", "))
}

/// Levenshtein distance of two names; long ones are compared by their first 64 bytes.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<u8>, Vec<u8>) = (a.bytes().take(64).collect(), b.bytes().take(64).collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(!x.eq_ignore_ascii_case(y));
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
