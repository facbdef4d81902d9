//! Greedy colourings: which columns (or rows) of a sparse matrix can share a tangent (or a cotangent).

use super::matrix::SparseMatrix;

/// In which order a greedy colouring takes the vertices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As they stand.
    Natural,
    /// Most neighbours first (Welsh & Powell, Comput. J. 10 (1967) 85).
    LargestFirst,
    /// Last the vertex with the fewest neighbours, before it the one with the fewest among the rest, and so on: never more colours than one and
    /// the largest of these numbers (Matula & Beck, J. ACM 30 (1983) 417).
    #[default]
    SmallestLast,
}

/// A colour for each column (or row) of a sparse matrix, such that equal colours never meet.
///
/// # Example
/// ```
/// use pullback_ad::{Colouring, Order, SparseMatrix};
/// // Tridiagonal, 5 × 5.
/// let rows: Vec<Vec<usize>> = (0..5_usize).map(|i| (i.saturating_sub(1)..(i + 2).min(5)).collect()).collect();
/// let colouring = Colouring::of_columns(&SparseMatrix::from_pattern(5, &rows)?, Order::SmallestLast);
/// assert_eq!(colouring.count(), 3);
/// # Ok::<(), pullback_ad::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Colouring {
    colours: Vec<u32>,
    pub(super) count: u32,
}

/// The vertex has no colour yet.
const NONE: u32 = u32::MAX;

impl Colouring {
    /// Colours columns so that two with a common row differ: distance 1 in the graph of columns, distance 2 in that of rows and columns.
    ///
    /// The number of colours is at least that of the entries of the fullest row. Time: Σ (entries of a row)².
    ///
    /// Reference: Gebremedhin, Manne & Pothen (2005), algorithm 3.1 (partial distance-2 colouring).
    pub fn of_columns(pattern: &SparseMatrix, order: Order) -> Self {
        Self::partial_distance_2(&pattern.transposed(), pattern, order)
    }

    /// Colours rows so that two with a common column differ.
    pub fn of_rows(pattern: &SparseMatrix, order: Order) -> Self {
        Self::partial_distance_2(pattern, &pattern.transposed(), order)
    }

    /// Colours the rows of `near`; `far` is its transpose.
    fn partial_distance_2(near: &SparseMatrix, far: &SparseMatrix, order: Order) -> Self {
        let n = near.rows();
        let mut colours = vec![NONE; n];
        let mut count = 0;
        // The vertex that a colour is forbidden for.
        let mut forbidden: Vec<usize> = Vec::new();
        for v in vertices(near, far, order) {
            for &w in near.columns_of(v) {
                for &u in far.columns_of(w as usize) {
                    if let Some(place) = forbidden.get_mut(colours[u as usize] as usize) {
                        *place = v;
                    }
                }
            }
            let free = forbidden.iter().position(|&f| f != v);
            let colour = free.unwrap_or(forbidden.len());
            if free.is_none() {
                forbidden.push(usize::MAX);
            }
            colours[v] = colour as u32;
            count = count.max(colour as u32 + 1);
        }
        Self { colours, count }
    }

    /// The number of colours.
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// The colour of each column (or row), from 0.
    pub fn colours(&self) -> &[u32] {
        &self.colours
    }
}

/// Calls `visit` once for each vertex other than `v` that shares a column of `near` with it.
fn for_neighbours(
    near: &SparseMatrix,
    far: &SparseMatrix,
    v: usize,
    seen: &mut [usize],
    mut visit: impl FnMut(usize),
) {
    seen[v] = v;
    for &w in near.columns_of(v) {
        for &u in far.columns_of(w as usize) {
            let u = u as usize;
            if seen[u] != v {
                seen[u] = v;
                visit(u);
            }
        }
    }
}

fn vertices(near: &SparseMatrix, far: &SparseMatrix, order: Order) -> Vec<usize> {
    let n = near.rows();
    let mut vertices: Vec<usize> = (0..n).collect();
    if order == Order::Natural {
        return vertices;
    }
    let mut seen = vec![usize::MAX; n];
    let mut degrees = vec![0_usize; n];
    for (v, degree) in degrees.iter_mut().enumerate() {
        for_neighbours(near, far, v, &mut seen, |_| *degree += 1);
    }
    if order == Order::LargestFirst {
        vertices.sort_by_key(|&v| std::cmp::Reverse(degrees[v]));
        return vertices;
    }
    // Buckets by degree among the vertices that are left; a vertex whose degree has changed since is found in its old bucket and skipped.
    let most = degrees.iter().copied().max().unwrap_or(0);
    let mut buckets: Vec<Vec<usize>> = vec![Vec::new(); most + 1];
    for v in (0..n).rev() {
        buckets[degrees[v]].push(v);
    }
    let mut taken = vec![false; n];
    let mut low = 0;
    seen.fill(usize::MAX);
    for place in (0..n).rev() {
        let v = loop {
            match buckets[low].pop() {
                Some(v) if !taken[v] && degrees[v] == low => break v,
                Some(_) => {}
                None => low += 1,
            }
        };
        taken[v] = true;
        vertices[place] = v;
        for_neighbours(near, far, v, &mut seen, |u| {
            if !taken[u] {
                degrees[u] -= 1;
                buckets[degrees[u]].push(u);
            }
        });
        low = low.saturating_sub(1);
    }
    vertices
}
