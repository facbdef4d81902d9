//! Where the cells of a model stand: eight (sample, bin) cells are the lanes of a tile, and each parameter that interpolates in a tile is a row of it.
//!
//! The layout is host-side structure made once per model: index tables that become constants of the program. It decides which entries exist; the
//! numbers in them stay slots. [`Layout::new`] leaves out entries without effect (`hi = lo = nominal`, factors of 1), which a fit never needs, unless all
//! are asked for (derivatives with respect to templates exist also where a template has no effect yet).

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::spec::{Effect, ModelSpec};

/// Cells per tile.
pub const LANES: usize = 8;

/// Rows below tiles: an index table `[tiles, rows, lanes]` into entries, -1 where a lane has none, and the parameter of each row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowTable {
    /// One more than tiles.
    pub offsets: Vec<i64>,
    /// Parameter of each row.
    pub parameter: Vec<i64>,
    /// Entry of each row and lane.
    pub entry: Vec<i64>,
}

/// The layout of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Number of tiles.
    pub tiles: usize,
    /// Cell of each lane, -1 for padding.
    pub cell: Vec<i64>,
    /// Bin of each lane, -1 for padding.
    pub bin: Vec<i64>,
    /// Histosys with a linear part; entries are (application, bin) in order.
    pub linear: RowTable,
    /// Histosys with an even part: A = hi + lo − 2 nominal ≠ 0.
    pub even: RowTable,
    /// Normsys; entries are applications in order.
    pub normsys: RowTable,
    /// Multiplying parameters: rows `[tiles, rows]` whose entries are parameters per lane.
    pub factors: RowTable,
    /// Cell of each histosys entry.
    pub histosys_cell: Vec<i64>,
    /// `hi_data` and `lo_data` of the histosys entries.
    pub histosys: [Vec<f64>; 2],
    /// `hi` and `lo` of the normsys entries.
    pub normsys_values: [Vec<f64>; 2],
}

impl Layout {
    /// Lays out the cells of a model; `all` keeps entries without effect.
    pub fn new(spec: &ModelSpec, all: bool) -> Self {
        let cells = spec.cells();
        let bin_of_cell = spec.bin_of_cell();
        let mut histosys_cell = Vec::new();
        let mut histosys = [Vec::new(), Vec::new()];
        let mut normsys_values = [Vec::new(), Vec::new()];
        let mut linear: Vec<Vec<(usize, i64)>> = vec![Vec::new(); cells];
        let mut even = linear.clone();
        let mut normsys = linear.clone();
        let mut factors: Vec<Vec<usize>> = vec![Vec::new(); cells];
        for a in &spec.applications {
            let range = spec.samples[a.sample].cells.clone();
            match &a.effect {
                Effect::Histosys { lo_data, hi_data } => {
                    for ((cell, hi), lo) in range.zip(hi_data).zip(lo_data) {
                        let entry = histosys_cell.len() as i64;
                        histosys_cell.push(cell as i64);
                        histosys[0].push(*hi);
                        histosys[1].push(*lo);
                        let nominal = spec.nominal[cell];
                        if all || hi != lo {
                            linear[cell].push((a.parameter, entry));
                        }
                        if all || hi + lo - 2.0 * nominal != 0.0 {
                            even[cell].push((a.parameter, entry));
                        }
                    }
                }
                Effect::Normsys { lo, hi } => {
                    let entry = normsys_values[0].len() as i64;
                    normsys_values[0].push(*hi);
                    normsys_values[1].push(*lo);
                    if all || *hi != 1.0 || *lo != 1.0 {
                        range.for_each(|cell| normsys[cell].push((a.parameter, entry)));
                    }
                }
                _ => {
                    for (b, cell) in range.enumerate() {
                        factors[cell].push(a.parameter_of_bin(b));
                    }
                }
            }
        }

        let order = best_order(spec, &[&linear, &even, &normsys]);
        let tiles = cells.div_ceil(LANES);
        let mut cell: Vec<i64> = order.iter().map(|&c| c as i64).collect();
        cell.resize(tiles * LANES, -1);
        let bin = cell
            .iter()
            .map(|&c| usize::try_from(c).map_or(-1, |c| bin_of_cell[c] as i64))
            .collect();
        Self {
            tiles,
            linear: rows(&cell, &linear),
            even: rows(&cell, &even),
            normsys: rows(&cell, &normsys),
            factors: factor_rows(&cell, &factors),
            cell,
            bin,
            histosys_cell,
            histosys,
            normsys_values,
        }
    }
}

/// Cells up to which tiles are packed one by one; above, cells are ordered by process.
const PACKED: usize = 4096;

/// An order of cells whose tiles need few rows: each tile starts with the cell of most entries that is left and takes the cells that add the fewest rows
/// and share the most.
fn best_order(spec: &ModelSpec, tables: &[&Vec<Vec<(usize, i64)>>]) -> Vec<usize> {
    let cells = spec.cells();
    let parameters = spec.parameters.len();
    let mut order: Vec<usize> = (0..cells).collect();
    if cells > PACKED {
        let mut process_of = vec![0; cells];
        for sample in &spec.samples {
            process_of[sample.cells.clone()].fill(sample.process);
        }
        order.sort_by_key(|&c| process_of[c]);
        return order;
    }
    // One set of (table, parameter) per cell.
    let sets: Vec<Vec<usize>> = order
        .iter()
        .map(|&c| {
            tables
                .iter()
                .enumerate()
                .flat_map(|(k, t)| t[c].iter().map(move |(p, _)| k * parameters + p))
                .collect()
        })
        .collect();
    order.sort_by_key(|&c| std::cmp::Reverse(sets[c].len()));
    // The bins of a sample mostly have the same set: cells of one set are looked at together.
    let mut groups: Vec<(&[usize], VecDeque<usize>)> = Vec::new();
    let mut known: HashMap<&[usize], usize> = HashMap::new();
    for c in order {
        let k = *known.entry(&sets[c]).or_insert(groups.len());
        if k == groups.len() {
            groups.push((&sets[c], VecDeque::new()));
        }
        groups[k].1.push_back(c);
    }
    let mut packed = Vec::with_capacity(cells);
    let mut present = vec![false; tables.len() * parameters];
    while packed.len() < cells {
        present.fill(false);
        groups.retain(|(_, members)| !members.is_empty());
        for lane in 0..LANES.min(cells - packed.len()) {
            let score = |set: &[usize]| -> isize {
                let shared = set.iter().filter(|e| present[**e]).count() as isize;
                // Twice (new entries − half of the shared ones).
                2 * set.len() as isize - 3 * shared
            };
            let left = (groups.iter().enumerate()).filter(|(_, (_, members))| !members.is_empty());
            let best = if lane == 0 {
                left.map(|(k, _)| k).next()
            } else {
                left.min_by_key(|(_, (set, _))| score(set)).map(|(k, _)| k)
            };
            let Some((set, members)) = best.map(|k| &mut groups[k]) else {
                break;
            };
            packed.extend(members.pop_front());
            set.iter().for_each(|e| present[*e] = true);
        }
    }
    packed
}

fn rows(cell: &[i64], entries: &[Vec<(usize, i64)>]) -> RowTable {
    let mut table = RowTable {
        offsets: vec![0],
        ..RowTable::default()
    };
    for tile in cell.chunks(LANES) {
        let mut rows: BTreeMap<usize, [i64; LANES]> = BTreeMap::new();
        for (lane, &c) in tile.iter().enumerate() {
            if let Ok(c) = usize::try_from(c) {
                for &(parameter, entry) in &entries[c] {
                    rows.entry(parameter).or_insert([-1; LANES])[lane] = entry;
                }
            }
        }
        for (parameter, lanes) in rows {
            table.parameter.push(parameter as i64);
            table.entry.extend_from_slice(&lanes);
        }
        table.offsets.push(table.parameter.len() as i64);
    }
    table
}

fn factor_rows(cell: &[i64], factors: &[Vec<usize>]) -> RowTable {
    let mut table = RowTable {
        offsets: vec![0],
        ..RowTable::default()
    };
    for tile in cell.chunks(LANES) {
        let of = |c: i64| {
            usize::try_from(c)
                .ok()
                .map(|c| factors[c].as_slice())
                .unwrap_or_default()
        };
        let most = tile.iter().map(|&c| of(c).len()).max().unwrap_or(0);
        for k in 0..most {
            table.parameter.push(-1);
            table
                .entry
                .extend(tile.iter().map(|&c| of(c).get(k).map_or(-1, |&p| p as i64)));
        }
        table.offsets.push(table.parameter.len() as i64);
    }
    table
}
