//! Spaces: where a value lives.
//!
//! A space is a path of levels, outermost first, such as `events > muons > pairs` or `bins > tangents`. A level is *dense* (every parent has the same
//! number of children), a *stream* (a dense root that is processed block by block: events), *ragged* (the number of children differs and is given by an
//! offsets value of the program) or a *batch* axis added by `vmap`. A value in a space is stored flat, children of one parent next to each other.

use crate::program::ValueId;

/// Index of a level in its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LevelId(pub u16);

/// How many children a parent has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LevelKind {
    /// Same number for every parent; evaluated as a whole (parameters, bins, hidden units).
    Dense,
    /// A root of many elements, cut into blocks of whole elements (events).
    Stream,
    /// As many children of each element of `parent` as `offsets` says.
    Ragged {
        /// Path that the offsets live on.
        parent: Space,
        /// Value of type `offsets[parent]`.
        offsets: ValueId,
    },
    /// An axis added by `vmap`: toys, variations, tangents.
    Batch,
}

/// A level: its name, its kind and, if known when recorded, its length.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Level {
    /// Name, unique in the program.
    pub name: String,
    /// Kind.
    pub kind: LevelKind,
    /// Length, if fixed when recorded; else bound at each run.
    pub len: Option<usize>,
}

/// Longest path.
pub const MAX_DEPTH: usize = 7;

/// A path of levels, outermost first. The empty path is the space of scalars.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Space {
    depth: u8,
    levels: [u16; MAX_DEPTH],
}

impl Space {
    /// The space of scalars.
    pub const SCALAR: Self = Self {
        depth: 0,
        levels: [u16::MAX; MAX_DEPTH],
    };

    /// The path through `levels`; `None` if it is deeper than [`MAX_DEPTH`].
    pub fn from_levels(levels: &[LevelId]) -> Option<Self> {
        let mut space = Self::SCALAR;
        for &level in levels {
            space = space.child(level)?;
        }
        Some(space)
    }

    /// This path with one more level at its inner end; `None` if too deep.
    pub fn child(mut self, level: LevelId) -> Option<Self> {
        let depth = usize::from(self.depth);
        *self.levels.get_mut(depth)? = level.0;
        self.depth += 1;
        Some(self)
    }

    /// Number of levels.
    pub fn depth(&self) -> usize {
        usize::from(self.depth)
    }

    /// True for scalars.
    pub fn is_scalar(&self) -> bool {
        self.depth == 0
    }

    /// Levels, outermost first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = LevelId> + ExactSizeIterator + '_ {
        self.levels[..self.depth()].iter().map(|&l| LevelId(l))
    }

    /// The level at depth `k`.
    pub fn level(&self, k: usize) -> Option<LevelId> {
        (k < self.depth()).then(|| LevelId(self.levels[k]))
    }

    /// The outermost level.
    pub fn root(&self) -> Option<LevelId> {
        self.level(0)
    }

    /// The innermost level.
    pub fn last(&self) -> Option<LevelId> {
        self.depth().checked_sub(1).and_then(|k| self.level(k))
    }

    /// Depth at which `level` stands.
    pub fn position(&self, level: LevelId) -> Option<usize> {
        self.iter().position(|l| l == level)
    }

    /// True if `level` is on the path.
    pub fn contains(&self, level: LevelId) -> bool {
        self.position(level).is_some()
    }

    /// The first `k` levels.
    pub fn prefix(&self, k: usize) -> Self {
        let mut space = Self::SCALAR;
        for level in self.iter().take(k) {
            space.levels[usize::from(space.depth)] = level.0;
            space.depth += 1;
        }
        space
    }

    /// The path without the level at depth `k`.
    pub fn without(&self, k: usize) -> Self {
        let mut space = Self::SCALAR;
        for (i, level) in self.iter().enumerate() {
            if i != k {
                space.levels[usize::from(space.depth)] = level.0;
                space.depth += 1;
            }
        }
        space
    }

    /// The path with `level` inserted at depth `k`; `None` if too deep.
    pub fn with(&self, k: usize, level: LevelId) -> Option<Self> {
        let mut levels: Vec<LevelId> = self.iter().collect();
        levels.insert(k.min(levels.len()), level);
        Self::from_levels(&levels)
    }

    /// True if every level of `self` appears in `other`, in the same order.
    pub fn broadcasts_to(&self, other: &Self) -> bool {
        let mut rest = other.iter();
        self.iter().all(|level| rest.any(|l| l == level))
    }

    /// The path with every level replaced by `map`.
    pub fn map(&self, mut map: impl FnMut(LevelId) -> LevelId) -> Self {
        let mut space = *self;
        for level in &mut space.levels[..usize::from(self.depth)] {
            *level = map(LevelId(*level)).0;
        }
        space
    }
}

impl std::fmt::Debug for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(|l| l.0)).finish()
    }
}
