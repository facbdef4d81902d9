//! Reading an ntuple: down the levels of the wanted columns, cluster by cluster, what is independent in parallel.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::budget::Budget;
use crate::column::{Axis, Column};
use crate::dtype::DType;
use crate::error::Result;
use crate::root::ntuple::elements::Context;
use crate::root::ntuple::fields::{Leaf, Path, Representations, Step};
use crate::root::ntuple::pages::Cluster;
use crate::root::ntuple::table::Ntuple;
use crate::site::Site;
use crate::table::check;
use crate::values::{Strings, Values};

/// The wanted columns as a tree: columns of one collection hang under one node and share its offsets.
#[derive(Debug, Default)]
struct Node<'a> {
    children: Vec<(&'a Step, Node<'a>)>,
    leaves: Vec<(usize, &'a Leaf, Site)>,
}

impl<'a> Node<'a> {
    fn add(&mut self, steps: &'a [Step], place: usize, leaf: &'a Leaf, site: Site) {
        let Some((step, rest)) = steps.split_first() else {
            self.leaves.push((place, leaf, site));
            return;
        };
        let known = self.children.iter().position(|(s, _)| *s == step);
        let at = known.unwrap_or_else(|| {
            self.children.push((step, Node::default()));
            self.children.len() - 1
        });
        if let Some((_, child)) = self.children.get_mut(at) {
            child.add(rest, place, leaf, site);
        }
    }

    fn site(&self) -> Option<&Site> {
        self.leaves
            .first()
            .map(|(_, _, site)| site)
            .or_else(|| self.children.iter().find_map(|(_, child)| child.site()))
    }
}

/// Where in a cluster the elements of one level are.
#[derive(Debug, Clone)]
struct Elements {
    range: Range<u64>,
    /// How many the whole cluster has, where that is known without reading.
    all: Option<u64>,
}

/// A column without the levels above it, and its place in the answer.
type Part = (usize, Vec<Axis>, Values);

impl Ntuple {
    pub(super) fn read_columns(
        &self,
        columns: &[usize],
        range: &Range<u64>,
    ) -> Result<Vec<Column>> {
        check(self, columns, range)?;
        let budget = Budget::columns(self.limits());
        let mut root = Node::default();
        let mut wanted: Vec<&Path> = Vec::with_capacity(columns.len());
        for (place, column) in columns.iter().enumerate() {
            if let Some((path, name)) = self.path(*column) {
                root.add(&path.steps, place, &path.leaf, self.site().part(name));
                wanted.push(path);
            }
        }
        let clusters = self.clusters()?;
        let overlapping: Vec<&Cluster> = clusters
            .iter()
            .filter(|c| c.first < range.end && c.first + c.entries > range.start)
            .collect();
        let covered: u64 = overlapping
            .iter()
            .map(|c| inside(c, range))
            .map(|r| r.end - r.start)
            .sum();
        if covered != range.end - range.start {
            let what = format!("its clusters hold {covered} of the entries {range:?}");
            return Err(self.site().corrupt(None, what));
        }
        let one = |cluster: &&Cluster| {
            let entries = Elements {
                range: inside(cluster, range),
                all: Some(cluster.entries),
            };
            self.node(&root, cluster, &entries, &budget)
        };
        let read: Vec<Result<Vec<Part>>> = if overlapping.len() > 1 {
            overlapping.par_iter().map(one).collect()
        } else {
            overlapping.iter().map(one).collect()
        };
        let mut pieces: Vec<Vec<Column>> = wanted.iter().map(|_| Vec::new()).collect();
        for (cluster, parts) in overlapping.iter().zip(read) {
            let entries = inside(cluster, range);
            for (place, mut axes, values) in parts? {
                axes.reverse();
                let column = Column {
                    len: (entries.end - entries.start) as usize,
                    axes,
                    values,
                };
                if let Some(list) = pieces.get_mut(place) {
                    list.push(column);
                }
            }
        }
        let mut shared: HashMap<&[Step], Axis> = HashMap::new();
        let joined = wanted.into_iter().zip(pieces).map(|(path, pieces)| {
            let mut column = Column::concat(pieces).unwrap_or_else(|| empty(path));
            // Joined offsets of one collection are equal: one copy serves all its columns.
            for (level, axis) in column.axes.iter_mut().enumerate() {
                if let Some(steps) = path.steps.get(..=level) {
                    *axis = shared.entry(steps).or_insert_with(|| axis.clone()).clone();
                }
            }
            column
        });
        Ok(joined.collect())
    }

    /// The columns below a node, for the given elements of it.
    fn node(
        &self,
        node: &Node<'_>,
        cluster: &Cluster,
        elements: &Elements,
        budget: &Budget,
    ) -> Result<Vec<Part>> {
        let below = |(step, child): &(&Step, Node<'_>)| {
            let site = child.site().unwrap_or(self.site());
            let context = Context { site, budget };
            let (axis, elements) = self.step(step, cluster, elements, context)?;
            let mut parts = self.node(child, cluster, &elements, budget)?;
            for (_, axes, _) in &mut parts {
                axes.push(axis.clone());
            }
            Ok(parts)
        };
        let ends = |(place, leaf, site): &(usize, &Leaf, Site)| {
            let context = Context { site, budget };
            Ok((
                *place,
                Vec::new(),
                self.leaf(leaf, cluster, elements, context)?,
            ))
        };
        let (children, leaves): (Vec<Result<Vec<Part>>>, Vec<Result<Part>>) = rayon::join(
            || node.children.par_iter().map(below).collect(),
            || node.leaves.par_iter().map(ends).collect(),
        );
        let mut parts = Vec::new();
        for child in children {
            parts.extend(child?);
        }
        for leaf in leaves {
            parts.push(leaf?);
        }
        Ok(parts)
    }

    /// One level down.
    fn step(
        &self,
        step: &Step,
        cluster: &Cluster,
        elements: &Elements,
        context: Context<'_>,
    ) -> Result<(Axis, Elements)> {
        let site = context.site;
        match step {
            Step::Fixed(n) => {
                let times = |x: u64| {
                    let product = x.checked_mul(*n as u64);
                    product.ok_or_else(|| site.corrupt(None, "an array is too long"))
                };
                let below = Elements {
                    range: times(elements.range.start)?..times(elements.range.end)?,
                    all: elements.all.map(times).transpose()?,
                };
                Ok((Axis::Fixed(*n), below))
            }
            Step::List(index) => {
                let (offsets, range) = self.offsets(index, cluster, elements, context)?;
                Ok((Axis::List(Arc::new(offsets)), Elements { range, all: None }))
            }
            Step::Option(index) => {
                let (offsets, range) = self.offsets(index, cluster, elements, context)?;
                let mut present = Vec::with_capacity(offsets.len());
                for (start, end) in offsets.iter().zip(offsets.iter().skip(1)) {
                    if end - start > 1 {
                        let what = format!("an optional value of {} values", end - start);
                        return Err(site.corrupt(None, what));
                    }
                    present.push(end > start);
                }
                Ok((
                    Axis::Option(Arc::new(present)),
                    Elements { range, all: None },
                ))
            }
        }
    }

    /// Offsets from 0 of the children of some elements, and where in the cluster those are.
    fn offsets(
        &self,
        index: &Representations,
        cluster: &Cluster,
        elements: &Elements,
        context: Context<'_>,
    ) -> Result<(Vec<i64>, Range<u64>)> {
        // An index says where the children of its element end; the one before says where they start.
        let before = elements.range.start.min(1);
        let range = elements.range.start - before..elements.range.end;
        let ends = self.elements(index, 0, cluster, &range, elements.all, &context)?;
        let Values::I64(ends) = ends else {
            return Err(context.site.corrupt(None, "indices that are no integers"));
        };
        let mut offsets = Vec::with_capacity(ends.len() + 1);
        if before == 0 {
            offsets.push(0);
        }
        offsets.extend(ends);
        let first = offsets.first().copied().unwrap_or(0);
        let last = offsets.last().copied().unwrap_or(0);
        let rises = offsets
            .iter()
            .zip(offsets.iter().skip(1))
            .all(|(a, b)| a <= b);
        if first < 0 || !rises {
            return Err(context
                .site
                .corrupt(None, "the indices of a collection decrease"));
        }
        for offset in &mut offsets {
            *offset -= first;
        }
        Ok((offsets, first as u64..last as u64))
    }

    fn leaf(
        &self,
        leaf: &Leaf,
        cluster: &Cluster,
        elements: &Elements,
        context: Context<'_>,
    ) -> Result<Values> {
        // Columns may be narrower than their field, or wider as long as their numbers fit.
        let fit = |values: Values, dtype: DType| {
            values
                .cast(dtype)
                .map_err(|error| context.site.corrupt(None, error.to_string()))
        };
        match leaf {
            Leaf::Number(fields, dtype) => {
                let all = elements.all;
                let values = self.elements(fields, 0, cluster, &elements.range, all, &context)?;
                fit(values, *dtype)
            }
            Leaf::Cardinality(fields, dtype) => {
                let (offsets, _) = self.offsets(fields, cluster, elements, context)?;
                let lengths = offsets
                    .iter()
                    .zip(offsets.iter().skip(1))
                    .map(|(a, b)| b - a);
                fit(Values::I64(lengths.collect()), *dtype)
            }
            Leaf::Text(fields) => {
                let (offsets, range) = self.offsets(fields, cluster, elements, context)?;
                let bytes = match self.elements(fields, 1, cluster, &range, None, &context)? {
                    Values::I8(bytes) => bytes.into_iter().map(i8::cast_unsigned).collect(),
                    Values::U8(bytes) => bytes,
                    _ => return Err(context.site.corrupt(None, "a text that is no text")),
                };
                Ok(Values::Str(Strings::new(offsets, bytes)))
            }
        }
    }
}

/// The entries of a range that a cluster holds, counted from its first.
fn inside(cluster: &Cluster, range: &Range<u64>) -> Range<u64> {
    let start = range.start.max(cluster.first) - cluster.first;
    let end = range.end.min(cluster.first + cluster.entries) - cluster.first;
    start..end
}

/// No entries.
fn empty(path: &Path) -> Column {
    let axes = path.steps.iter().map(|step| match step {
        Step::List(_) => Axis::List(Arc::new(vec![0])),
        Step::Option(_) => Axis::Option(Arc::new(Vec::new())),
        Step::Fixed(n) => Axis::Fixed(*n),
    });
    let dtype = match &path.leaf {
        Leaf::Number(_, dtype) | Leaf::Cardinality(_, dtype) => *dtype,
        Leaf::Text(_) => DType::Str,
    };
    Column {
        len: 0,
        axes: axes.collect(),
        values: Values::with_capacity(dtype, 0),
    }
}
