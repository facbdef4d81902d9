//! The errors of this crate: stable codes, the place in the expression and in its document, a line of help.

use crate::place::Place;

/// A result with this crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between the text of an analysis and its program.
///
/// # Example
/// ```
/// use pullback_analysis::syntax::parse;
/// let error = parse(&"pt > 25 && eta < 2".into()).unwrap_err();
/// assert_eq!(error.code(), "PB0801");
/// assert_eq!(error.to_string(), "expected a name, a number or an operator, found `&&` (line 1, column 9)");
/// assert_eq!(error.help(), "write `and`");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A character or word that does not belong there.
    #[error("expected {expected}, found {found} ({place})")]
    Unexpected {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
        /// What could stand there.
        expected: String,
        /// What to do; may be empty.
        help: String,
    },
    /// A number that no double holds.
    #[error("the number {text} is out of range ({place})")]
    Number {
        /// Where.
        place: Place,
        /// As it was written.
        text: String,
    },
    /// A text beyond the limits.
    #[error("more than {limit} {what} ({place})")]
    TooLong {
        /// Where.
        place: Place,
        /// What was counted.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// A name that nothing has.
    #[error("there is no {what} `{name}`{} ({place})", meant(nearest))]
    Unknown {
        /// Where.
        place: Place,
        /// What was looked for.
        what: String,
        /// The name.
        name: String,
        /// Names that are near, the nearest first.
        nearest: Vec<String>,
        /// What to do; may be empty.
        help: String,
    },
    /// A function with the wrong number or kind of arguments.
    #[error("{message} ({place})")]
    Arguments {
        /// Where.
        place: Place,
        /// What is wrong.
        message: String,
        /// How the function is called.
        signature: &'static str,
    },
    /// An operand of another kind than needed.
    #[error("expected {expected}, found {found} ({place})")]
    Type {
        /// Where.
        place: Place,
        /// What was needed.
        expected: String,
        /// What is there.
        found: String,
        /// What to do; may be empty.
        help: String,
    },
    /// Values of two collections that have nothing to do with each other.
    #[error("{left} and {right} cannot be combined element by element ({place})")]
    Mixed {
        /// Where.
        place: Place,
        /// The first operand and what it is per.
        left: String,
        /// The second one.
        right: String,
    },
    /// Units that do not fit.
    #[error("{left} and {right} do not have the same unit ({place})")]
    Units {
        /// Where.
        place: Place,
        /// Unit of the first operand.
        left: String,
        /// Unit of the second one.
        right: String,
    },
    /// Definitions that need each other.
    #[error("the definition of `{name}` needs itself: {chain} ({place})")]
    Cycle {
        /// Where it comes back to itself.
        place: Place,
        /// The name.
        name: String,
        /// The names on the way.
        chain: String,
    },
    /// A name that is taken or has a meaning of its own.
    #[error("`{name}` cannot be defined: {reason} ({place})")]
    Name {
        /// Where.
        place: Place,
        /// The name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// Something well-formed that makes no sense.
    #[error("{message} ({place})")]
    Meaning {
        /// Where.
        place: Place,
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// A column that the program needs and the data do not have as it should be.
    #[error("the column `{column}` {message}")]
    Column {
        /// Its name.
        column: String,
        /// What is wrong, and what was expected.
        message: String,
    },
    /// A file that cannot be opened.
    #[error("`{path}` cannot be read: {message}")]
    Open {
        /// The file.
        path: String,
        /// What the operating system said.
        message: String,
    },
    /// A network that cannot be made.
    #[error("the network `{network}` {message}")]
    Network {
        /// Its name.
        network: String,
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// Weights that are none, or those of another network.
    #[error("the weights in {origin} cannot be used: {message}")]
    Weights {
        /// The file that they come from.
        origin: String,
        /// What is wrong.
        message: String,
    },
    /// A table that is none.
    #[error("the table `{table}` {message}")]
    Table {
        /// Its name, or the file that it comes from.
        table: String,
        /// What is wrong.
        message: String,
        /// What to do; may be empty.
        help: String,
    },
    /// A list of certified luminosity sections that is none.
    #[error("the luminosity sections in {origin} cannot be used: {message}")]
    Certified {
        /// The file that they come from.
        origin: String,
        /// What is wrong.
        message: String,
    },
    /// A file that cannot be written.
    #[error("`{path}` cannot be written: {message}")]
    Write {
        /// The file.
        path: String,
        /// What the operating system said.
        message: String,
    },
    /// Events could not be read.
    #[error("{0}")]
    Data(Box<pullback_io::Error>),
    /// An optimisation that cannot begin or go on.
    #[error("{message}")]
    Optimisation {
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// A variation along a tangent that cannot be had.
    #[error("the tangent of the systematic `{systematic}` cannot be had: {message}")]
    Tangent {
        /// The systematic.
        systematic: String,
        /// What is wrong.
        message: String,
    },
    /// The likelihood of the analysis cannot be made or fitted.
    #[error("{0}")]
    Model(Box<pullback_stats::Error>),
    /// The optimiser cannot go on.
    #[error("{0}")]
    Optimiser(#[from] pullback_optim::OptimError),
    /// A derivative by the tape.
    #[error("{0}")]
    Derivative(#[from] pullback_ad::Error),
    /// The engine refused the program.
    #[error("the program of the analysis is not accepted: {0}")]
    Engine(#[from] pullback_array::Error),
}

impl From<pullback_stats::Error> for Error {
    fn from(error: pullback_stats::Error) -> Self {
        Self::Model(Box::new(error))
    }
}

impl From<pullback_io::Error> for Error {
    fn from(error: pullback_io::Error) -> Self {
        Self::Data(Box::new(error))
    }
}

fn meant(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        [one] => format!("; did you mean `{one}`?"),
        [first, second, ..] => format!("; did you mean `{first}` or `{second}`?"),
    }
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unexpected { .. } => "PB0801",
            Self::Number { .. } => "PB0802",
            Self::TooLong { .. } => "PB0803",
            Self::Unknown { .. } => "PB0804",
            Self::Arguments { .. } => "PB0805",
            Self::Type { .. } => "PB0806",
            Self::Mixed { .. } => "PB0807",
            Self::Units { .. } => "PB0808",
            Self::Cycle { .. } => "PB0809",
            Self::Name { .. } => "PB0810",
            Self::Meaning { .. } => "PB0811",
            Self::Column { .. } => "PB0812",
            Self::Engine(_) => "PB0813",
            Self::Open { .. } => "PB0814",
            Self::Network { .. } => "PB0815",
            Self::Weights { .. } => "PB0816",
            Self::Write { .. } => "PB0817",
            Self::Table { .. } => "PB0818",
            Self::Certified { .. } => "PB0819",
            Self::Optimisation { .. } => "PB0820",
            Self::Model(error) => error.code(),
            Self::Optimiser(_) => "PB0821",
            Self::Derivative(_) => "PB0822",
            Self::Tangent { .. } => "PB0823",
            Self::Data(error) => error.code(),
        }
    }

    /// Where, if it is in an expression.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Unexpected { place, .. }
            | Self::Number { place, .. }
            | Self::TooLong { place, .. }
            | Self::Unknown { place, .. }
            | Self::Arguments { place, .. }
            | Self::Type { place, .. }
            | Self::Mixed { place, .. }
            | Self::Units { place, .. }
            | Self::Cycle { place, .. }
            | Self::Name { place, .. }
            | Self::Meaning { place, .. } => Some(place),
            Self::Column { .. }
            | Self::Engine(_)
            | Self::Open { .. }
            | Self::Network { .. }
            | Self::Weights { .. }
            | Self::Table { .. }
            | Self::Certified { .. }
            | Self::Write { .. }
            | Self::Data(_)
            | Self::Optimisation { .. }
            | Self::Tangent { .. }
            | Self::Model(_)
            | Self::Optimiser(_)
            | Self::Derivative(_) => None,
        }
    }

    /// What to do about it; may be empty.
    pub fn help(&self) -> String {
        match self {
            Self::Unexpected { help, .. }
            | Self::Unknown { help, .. }
            | Self::Type { help, .. }
            | Self::Network { help, .. }
            | Self::Table { help, .. }
            | Self::Meaning { help, .. }
            | Self::Optimisation { help, .. } => help.clone(),
            Self::Number { .. } => {
                "numbers are doubles; whole numbers go up to 2^53, larger ones are written with a point or an exponent".into()
            }
            Self::TooLong { .. } => "give parts of it names of their own, as columns".into(),
            Self::Arguments { signature, .. } => format!("it is called as `{signature}`"),
            Self::Mixed { .. } => {
                "reduce one of them to a value per event (`sum`, `max`, `leading`, ..), or make pairs with `combine`".into()
            }
            Self::Units { .. } => {
                "a number without a unit fits to every unit: it is in GeV, mm, ns or radian".into()
            }
            Self::Certified { .. } => "the form is `{\"273158\": [[1, 1279]], ..}`: for each run, ranges from the first to the last section".into(),
            Self::Cycle { .. } => "a definition may use others, which may not use it in turn".into(),
            Self::Name { .. } => "choose another name".into(),
            Self::Data(error) => error.help(),
            Self::Weights { .. } => {
                "leave out `weights` to start from random ones, or give the network the inputs, layers and activation that they were trained with".into()
            }
            Self::Tangent { .. } => {
                "leave out `method`: the selection is then evaluated again at both values".into()
            }
            Self::Model(error) => error.help(),
            Self::Column { .. }
            | Self::Engine(_)
            | Self::Open { .. }
            | Self::Write { .. }
            | Self::Optimiser(_)
            | Self::Derivative(_) => String::new(),
        }
    }
}
