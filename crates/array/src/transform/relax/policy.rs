//! Which decisions become soft, and how.

use std::sync::Arc;

use pullback_ad::Real;

use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::program::ValueId;
use crate::transform::Width;

/// The degree to which a decision holds as a function of margin over width, u = m/T: a cumulative distribution of mean 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Smoothing {
    /// 1/(1 + e^(-u)): the logistic function, T as a temperature.
    #[default]
    Sigmoid,
    /// Φ(u): the normal distribution, T as the bandwidth of a kernel density estimate (Simpson & Heinrich 2022, "neos", arXiv:2203.05570, section 3).
    Normal,
}

impl Smoothing {
    pub(super) fn apply(self, u: Sym<'_>) -> Sym<'_> {
        match self {
            Self::Sigmoid => u.sigmoid(),
            Self::Normal => u.norm_cdf(),
        }
    }
}

/// A policy for [`relax`](crate::transform::relax): a smoothing, widths, and which decisions it takes: all, or those of some labels.
#[derive(Debug, Clone, Default)]
pub struct Relaxation {
    smoothing: Smoothing,
    width: Option<Width>,
    widths: Vec<(Arc<str>, Width)>,
    only: Option<Vec<Arc<str>>>,
    hard: Vec<Arc<str>>,
    moving: Option<Vec<Arc<str>>>,
    by_value: Vec<(ValueId, Width)>,
}

impl Relaxation {
    /// All decisions, with one width.
    pub fn all(smoothing: Smoothing, width: impl Into<Width>) -> Self {
        Self {
            smoothing,
            width: Some(width.into()),
            ..Self::default()
        }
    }

    /// Only the decisions that are added by [`Self::with`].
    pub fn only(smoothing: Smoothing) -> Self {
        Self {
            smoothing,
            only: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// Only the decisions that move with some inputs, and whatever depends on a decision that does; all others stay hard. [`decisions`](super::decisions) lists them.
    pub fn moving(smoothing: Smoothing, inputs: &[&str]) -> Self {
        Self {
            smoothing,
            moving: Some(inputs.iter().map(|n| Arc::from(*n)).collect()),
            ..Self::default()
        }
    }

    /// One decision, by the mask or bin index it makes in the program that is to be relaxed, with a width in the units of its margin.
    pub fn decision(mut self, value: ValueId, width: impl Into<Width>) -> Self {
        self.by_value.push((value, width.into()));
        self
    }

    /// The decision of that label (of its mask or bin index), with a width in the units of its margin.
    pub fn with(mut self, label: &str, width: impl Into<Width>) -> Self {
        self.widths.push((Arc::from(label), width.into()));
        if let Some(only) = &mut self.only {
            only.push(Arc::from(label));
        }
        self
    }

    /// The decision of that label stays hard. One that compares what is relaxed (a number of members) cannot: the program is refused.
    pub fn hard(mut self, label: &str) -> Self {
        self.hard.push(Arc::from(label));
        self
    }

    pub(super) fn smoothing(&self) -> Smoothing {
        self.smoothing
    }

    /// Whether the decision of that label is relaxed.
    pub(super) fn takes_label(&self, label: Option<&str>) -> bool {
        let named = |list: &[Arc<str>]| label.is_some_and(|l| list.iter().any(|n| &**n == l));
        !self.keeps(label) && self.only.as_deref().is_none_or(named)
    }

    /// The inputs with which a decision has to move, if that is what counts.
    pub(super) fn moving_with(&self) -> Option<&[Arc<str>]> {
        self.moving.as_deref()
    }

    /// Whether the decision of that label is to stay hard.
    pub(super) fn keeps(&self, label: Option<&str>) -> bool {
        label.is_some_and(|l| self.hard.iter().any(|n| &**n == l))
    }

    /// Labels that are named.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.widths
            .iter()
            .map(|(l, _)| &**l)
            .chain(self.hard.iter().map(|l| &**l))
    }

    /// The width of a decision: a number, or an input that is declared once.
    pub(super) fn width<'b>(
        &self,
        b: &'b Builder,
        value: ValueId,
        label: Option<&str>,
    ) -> Result<Sym<'b>> {
        let by_value = self.by_value.iter().rev().find(|(v, _)| *v == value);
        let own = self.widths.iter().rev().find(|(l, _)| Some(&**l) == label);
        let name = label.unwrap_or("without a label");
        let own = by_value.map(|(_, w)| w).or(own.map(|(_, w)| w));
        match own.or(self.width.as_ref()) {
            Some(width) => width.record(b, name, "a decision smoothed over a width of"),
            None => Err(Error::Unknown {
                kind: "width for the decision",
                name: name.into(),
                known: self.labels().collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// Names of the inputs that widths add.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &str> {
        let own = self.widths.iter().map(|(_, w)| w);
        let own = own.chain(self.by_value.iter().map(|(_, w)| w));
        self.width.iter().chain(own).filter_map(|w| match w {
            Width::Input(name) => Some(&**name),
            Width::Value(_) => None,
        })
    }
}
