//! Lengths of spaces, the segments of an axis, the boundaries of reduction leaves.

use crate::program::Program;
use crate::space::{LevelId, LevelKind, Space};

/// A space whose length is known while a block runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LenId(pub(crate) u16);

/// Elements of a stream in a leaf of a reduction, and elements in a leaf of an array that is reduced as a whole.
pub const LEAF: usize = 256;

/// Lengths of the spaces of a program as products of level lengths.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    pub spaces: Vec<Space>,
    factors: Vec<Vec<LevelId>>,
    /// For each level, the spaces whose length contains its number of elements.
    pub users: Vec<Vec<u16>>,
}

impl Shapes {
    pub fn intern(&mut self, program: &Program, space: Space) -> LenId {
        if let Some(k) = self.spaces.iter().position(|s| *s == space) {
            return LenId(k as u16);
        }
        let factors = counted(program, &space);
        self.users.resize_with(program.levels().len(), Vec::new);
        for level in &factors {
            self.users[usize::from(level.0)].push(self.spaces.len() as u16);
        }
        self.spaces.push(space);
        self.factors.push(factors);
        LenId(self.spaces.len() as u16 - 1)
    }

    pub fn factors(&self, id: usize) -> &[LevelId] {
        &self.factors[id]
    }

    pub fn len(&self, id: usize, dims: &[usize]) -> usize {
        // More than fit are as many as nobody has memory for, and not `usize::MAX`, which means unknown.
        self.factors[id]
            .iter()
            .map(|l| dims[usize::from(l.0)])
            .fold(1, |n: usize, d| n.saturating_mul(d).min(usize::MAX - 1))
    }
}

/// Levels whose numbers of elements multiply to the length of `space`: a ragged level counts all children of its parent path.
pub(crate) fn counted(program: &Program, space: &Space) -> Vec<LevelId> {
    let mut out = Vec::new();
    let mut counted = Space::SCALAR;
    for level in space.iter().rev() {
        if counted.contains(level) {
            continue;
        }
        out.push(level);
        if let LevelKind::Ragged { parent, .. } = program.level(level).kind {
            // All levels of the parent path are counted by the offsets below them.
            counted = parent;
        }
    }
    out
}

/// One level of a space as an axis: what stands before it, its elements, what stands after it.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    /// Space before the level: one segment per element of it.
    pub(crate) outer: LenId,
    pub(crate) level: LevelId,
    /// For a ragged level: length of the path its offsets live on, and the slot of the offsets.
    pub(crate) ragged: Option<(LenId, u32)>,
    /// The space without the level: `outer × inner` elements.
    pub(crate) reduced: LenId,
}

/// The segments of an axis in the current block.
#[derive(Debug, Clone, Copy)]
pub struct Segments<'a> {
    /// Number of segments.
    pub count: usize,
    /// Contiguous elements per element of the axis.
    pub inner: usize,
    pub(crate) dense: usize,
    pub(crate) offsets: Option<&'a [i64]>,
}

impl Segments<'_> {
    /// First and one-past-last element of segment `s`, in units of `inner`.
    #[inline(always)]
    pub fn range(&self, s: usize) -> (usize, usize) {
        match self.offsets {
            None => (s * self.dense, (s + 1) * self.dense),
            Some(offsets) => {
                let parents = offsets.len() - 1;
                if s < parents {
                    return (offsets[s] as usize, offsets[s + 1] as usize);
                }
                let lane = s / parents * offsets[parents] as usize;
                let p = s % parents;
                (lane + offsets[p] as usize, lane + offsets[p + 1] as usize)
            }
        }
    }

    /// Elements of the axis in which the index of a gather counts: those of a segment, or those below all parents of a ragged level.
    pub fn per_lane(&self) -> usize {
        self.offsets
            .map_or(self.dense, |o| o.last().map_or(0, |n| *n as usize))
    }

    /// The common length of the segments, if the axis is not ragged.
    pub fn uniform(&self) -> Option<usize> {
        self.offsets.is_none().then_some(self.dense)
    }
}

/// How to find element boundaries of a space from elements of its outer levels.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Dense(LevelId),
    Ragged { parent: LenId, offsets: u32 },
}
