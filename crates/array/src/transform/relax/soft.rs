//! What a value becomes in the relaxed program.

use pullback_ad::Real;

use crate::build::Sym;
use crate::space::LevelId;

/// A relaxed bin index.
#[derive(Clone, Copy)]
pub(super) struct SoftBin<'b> {
    pub x: Sym<'b>,
    pub edges: Sym<'b>,
    pub width: Sym<'b>,
    /// As the attribute of `bin_index`.
    pub flow: i64,
}

/// One element of each segment that is known to a degree: the elements in order, and how probable it is that the first member is each of them.
#[derive(Clone, Copy)]
pub(super) struct Pick<'b> {
    /// Places of the elements, the first one first, for a gather.
    pub order: Sym<'b>,
    /// In that order: wᵢ Πⱼ (1 − wⱼ), j before i. Their sum is how probable it is that there is a member.
    pub part: Sym<'b>,
}

/// A value of the relaxed program.
#[derive(Clone, Copy)]
pub(super) enum Soft<'b> {
    /// A value of the same type; `lattice` if it stands for a whole number that degrees have blurred.
    Plain { value: Sym<'b>, lattice: bool },
    /// A mask: the degree to which it holds, a double in [0, 1].
    Degree(Sym<'b>),
    /// An integer that counts members: the sum of their degrees.
    Count(Sym<'b>),
    /// A bin index.
    Bin(SoftBin<'b>),
    /// Offsets of a level that keeps elements to a degree.
    Members,
    /// The index of the elements that such a level keeps: every element itself.
    Identity,
    /// The index of the largest or smallest member.
    Pick(Pick<'b>),
    /// A number that is there to a degree, and else loses against all others: ∞ or −∞.
    Missing {
        value: Sym<'b>,
        degree: Sym<'b>,
        worst: f64,
    },
}

impl<'b> Soft<'b> {
    pub fn plain(value: Sym<'b>) -> Self {
        Self::Plain {
            value,
            lattice: false,
        }
    }

    /// The value, if it is one of the same type.
    pub fn value(self) -> Option<Sym<'b>> {
        match self {
            Self::Plain { value, .. } => Some(value),
            _ => None,
        }
    }

    pub fn is_plain(self) -> bool {
        matches!(self, Self::Plain { .. })
    }

    pub fn is_lattice(self) -> bool {
        matches!(self, Self::Plain { lattice: true, .. } | Self::Count(_))
    }

    /// The same kind of value with another content.
    pub fn map(self, f: impl Fn(Sym<'b>) -> Sym<'b>) -> Self {
        match self {
            Self::Plain { value, lattice } => Self::Plain {
                value: f(value),
                lattice,
            },
            Self::Degree(w) => Self::Degree(f(w)),
            Self::Count(n) => Self::Count(f(n)),
            Self::Bin(bin) => Self::Bin(SoftBin { x: f(bin.x), ..bin }),
            Self::Missing {
                value,
                degree,
                worst,
            } => Self::Missing {
                value: f(value),
                degree: f(degree),
                worst,
            },
            Self::Members | Self::Identity | Self::Pick(_) => self,
        }
    }
}

/// A level whose elements are members to a degree: it is replaced by the level that it was filtered from (or by nothing, where that is the stream itself), and
/// its elements by all elements of that one.
#[derive(Clone, Copy)]
pub(super) struct SoftLevel<'b> {
    /// The level in its place.
    pub becomes: Option<LevelId>,
    /// Degree of membership of each element.
    pub degree: Sym<'b>,
}

/// Where a level went.
#[derive(Clone, Copy)]
pub(super) enum Place<'b> {
    Same(LevelId),
    Soft(SoftLevel<'b>),
}

impl Place<'_> {
    pub fn level(self) -> Option<LevelId> {
        match self {
            Self::Same(level) => Some(level),
            Self::Soft(soft) => soft.becomes,
        }
    }
}

/// `degree · x`; what is no member at all contributes nothing, not even 0·inf, and neither does what has no margin. Where a width is `invalid`, everything is NaN.
pub(super) fn weigh<'b>(degree: Sym<'b>, x: Sym<'b>, invalid: Option<Sym<'b>>) -> Sym<'b> {
    if x.as_const() == Some(1.0) {
        return degree;
    }
    let zero = Sym::from(0.0);
    let mut member = degree.gt(zero);
    if let Some(invalid) = invalid {
        member = member | invalid.broadcast(member.space());
    }
    member.select(degree * x, zero)
}
