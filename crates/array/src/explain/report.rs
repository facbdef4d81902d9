//! What is said about a value and its derivatives.

use std::fmt;

use serde::Serialize;

/// Why a derivative does not pass an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A comparison: a cut, a mask.
    Decision,
    /// The number of a bin.
    BinIndex,
    /// An order or the position of an extreme.
    Choice,
    /// `stop_gradient`.
    StopGradient,
    /// A conversion to another type, a rounding.
    Conversion,
    /// Elements that a filter or another index does not pick.
    NotPicked,
    /// The side of a `select` that is not taken.
    NotTaken,
    /// A function that is flat: saturated, or the losing side of a minimum or maximum.
    Flat,
    /// A factor that is zero.
    ZeroFactor,
    /// Nothing is left to sum.
    Empty,
}

impl Why {
    fn words(self) -> &'static str {
        match self {
            Self::Decision => "decides: no derivative passes",
            Self::BinIndex => "is a bin index: no derivative passes",
            Self::Choice => "chooses by order: no derivative passes",
            Self::StopGradient => "stops the derivative, as asked for",
            Self::Conversion => "jumps or converts: no derivative passes",
            Self::NotPicked => "does not pick these",
            Self::NotTaken => "does not take these",
            Self::Flat => "is flat here: saturated, or the losing side",
            Self::ZeroFactor => "multiplies by zero",
            Self::Empty => "has nothing to sum",
        }
    }
}

/// An operation that lets no derivative pass for some elements.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Blocker {
    /// Why.
    pub why: Why,
    /// The operation.
    pub primitive: &'static str,
    /// The user's name of its result; for a filter, that of the mask.
    pub label: Option<String>,
    /// Elements for which it blocks.
    pub elements: usize,
    /// Elements it works on.
    pub of: usize,
    /// Elements within a step of switching, where there is a margin.
    pub within_step: Option<usize>,
}

/// A decision on the way to the result whose margin moves with an input: its jumps are not in a pathwise derivative.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decides {
    /// The operation.
    pub primitive: &'static str,
    /// The user's name of its result.
    pub label: Option<String>,
    /// Elements that it decides about.
    pub elements: usize,
    /// Elements within a step of switching.
    pub within_step: usize,
}

/// Where in a program something was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// On the way to the value.
    Value,
    /// On the way to the derivative.
    Derivative,
}

/// A level and the number of an element along it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Name of the level.
    pub level: String,
    /// Number of the element within its parent, from 0.
    pub number: i64,
}

/// An operation that made NaN or infinity from arguments that were finite.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Birth {
    /// On the way to the value or to the derivative.
    pub stage: Stage,
    /// The operation.
    pub primitive: &'static str,
    /// The user's name of its result, or of the value whose derivative it is.
    pub label: Option<String>,
    /// How many elements were born NaN, and how many infinite.
    pub nan: usize,
    /// How many elements were born infinite.
    pub infinite: usize,
    /// How many of them reach the value.
    pub reach_value: usize,
    /// How many of them reach a derivative.
    pub reach_derivative: usize,
    /// The `select` that discards those that reach nothing, by name or primitive.
    pub discarded_by: Option<String>,
    /// The first of them.
    pub place: Vec<Place>,
    /// The arguments there.
    pub arguments: Vec<f64>,
}

/// The derivative to one input.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Component {
    /// Name of the input.
    pub input: String,
    /// Number of elements.
    pub elements: usize,
    /// Exactly zero.
    pub zero: usize,
    /// NaN.
    pub nan: usize,
    /// Infinite.
    pub infinite: usize,
    /// The derivative, where it is one number.
    pub value: Option<f64>,
    /// True if at least one path carries a derivative, by structure.
    pub has_path: bool,
    /// What blocks derivatives on the way from this input, in the order of the program.
    pub blockers: Vec<Blocker>,
}

/// What there is to say about an output and its pathwise derivatives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Name of the output.
    pub of: String,
    /// Its value, where it is one number; else the sum of its elements.
    pub value: f64,
    /// Derivatives, by input.
    pub components: Vec<Component>,
    /// Where NaN and infinities come from.
    pub births: Vec<Birth>,
    /// Decisions that move: what pathwise derivatives do not see.
    pub decisions: Vec<Decides>,
}

impl Explanation {
    /// True if nothing is zero, NaN or infinite, and no decision moves.
    pub fn is_clean(&self) -> bool {
        let odd = |c: &Component| c.zero + c.nan + c.infinite > 0;
        !self.components.iter().any(odd)
            && self.births.is_empty()
            && self.decisions.is_empty()
            && self.value.is_finite()
    }
}

fn named(primitive: &str, label: Option<&String>) -> String {
    match label {
        Some(label) => format!("{primitive} `{label}`"),
        None => primitive.to_owned(),
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = named(self.primitive, self.label.as_ref());
        write!(f, "{name} {}", self.why.words())?;
        if self.why != Why::Empty {
            if self.elements == self.of {
                write!(f, "; {} elements", self.of)?;
            } else {
                write!(f, "; {} of {} elements", self.elements, self.of)?;
            }
        }
        match self.within_step {
            Some(n) => write!(f, ", {n} within a step of switching"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Birth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut what = Vec::new();
        if self.nan > 0 {
            what.push(format!("{} NaN", self.nan));
        }
        if self.infinite > 0 {
            what.push(format!("{} infinite", self.infinite));
        }
        let name = named(self.primitive, self.label.as_ref());
        let stage = match self.stage {
            Stage::Value => String::new(),
            Stage::Derivative => " of the derivative".to_owned(),
        };
        write!(f, "{} born in {name}{stage}", what.join(" and "))?;
        let place: Vec<String> = self
            .place
            .iter()
            .map(|p| format!("{} {}", p.level, p.number))
            .collect();
        if !place.is_empty() {
            write!(f, ", first at {}", place.join(", "))?;
        }
        if !self.arguments.is_empty() {
            let arguments: Vec<String> = self.arguments.iter().map(|x| format!("{x:?}")).collect();
            write!(f, " from ({})", arguments.join(", "))?;
        }
        let all = self.nan + self.infinite;
        match (self.reach_value, self.reach_derivative, &self.discarded_by) {
            (0, 0, Some(select)) => {
                write!(f, "; none reaches a result: {select} does not take them")
            }
            (0, 0, None) => write!(f, "; none reaches a result as such"),
            (v, d, _) => write!(f, "; of {all}, {v} reach the value and {d} a derivative"),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = &self.of;
        writeln!(f, "{of} = {:?}", self.value)?;
        for c in &self.components {
            match c.value {
                Some(x) => write!(f, "d{of}/d{} = {x:?}", c.input)?,
                None => write!(
                    f,
                    "d{of}/d{}: {} elements, {} zero, {} NaN, {} infinite",
                    c.input, c.elements, c.zero, c.nan, c.infinite
                )?,
            }
            if !c.has_path {
                write!(f, ": no path carries a derivative")?;
            }
            writeln!(f)?;
            for blocker in &c.blockers {
                writeln!(f, "  {blocker}")?;
            }
        }
        for birth in &self.births {
            writeln!(f, "{birth}")?;
        }
        if !self.decisions.is_empty() {
            writeln!(
                f,
                "pathwise derivatives are at frozen selection; not seen by them:"
            )?;
        }
        for d in &self.decisions {
            let name = named(d.primitive, d.label.as_ref());
            writeln!(
                f,
                "  {name}: {} elements, {} within a step of switching",
                d.elements, d.within_step
            )?;
        }
        Ok(())
    }
}
