//! Bins: which interval between sorted edges a value falls into, and which edge is nearest.

use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym, builder_of};
use crate::error::Result;
use crate::exec::{Io, Kernel, LowerCx};
use crate::primitive::{Nature, Primitive, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::LevelKind;
use crate::transform::LaneCall;
use crate::ty::{DType, Type};

/// What happens to values outside the edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// They get the index -1, which a fill ignores.
    Drop,
    /// They go to the first or last bin (NaN is dropped).
    Clamp,
    /// Bins are counted from 1; 0 is the underflow, the last is the overflow (and NaN), as in ROOT.
    Separate,
}

/// Which edges belong to the bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// Each bin has its lower edge only, as in `hist` and ROOT.
    Open,
    /// The last bin has its upper edge too, as in `numpy.histogram`.
    Closed,
}

/// The bin of each value.
pub struct BinIndex;

/// The edge nearest to each value.
pub struct NearestEdge;

/// Records [`BinIndex`].
pub(crate) fn bin_index<'b>(x: Sym<'b>, edges: Sym<'b>, flow: Flow, last: Last) -> Sym<'b> {
    let flow = match flow {
        Flow::Drop => 0,
        Flow::Clamp => 1,
        Flow::Separate => 2,
    };
    let attrs = Attrs::NONE
        .with("flow", Attr::Int(flow))
        .with("closed", Attr::Int(i64::from(last == Last::Closed)));
    builder_of(&[x, edges]).map_or(x, |b| b.push(super::BIN_INDEX, &[x, edges], attrs).first(b))
}

/// Records [`NearestEdge`].
pub(crate) fn nearest_edge<'b>(x: Sym<'b>, edges: Sym<'b>) -> Sym<'b> {
    builder_of(&[x, edges]).map_or(x, |b| {
        b.push(super::NEAREST_EDGE, &[x, edges], Attrs::NONE)
            .first(b)
    })
}

fn infer(primitive: &'static str, program: &Program, args: &[Type]) -> Result<Type> {
    let [x, edges] = args else {
        return Err(ill_formed(primitive, "expects values and edges"));
    };
    if x.dtype != DType::F64 || edges.dtype != DType::F64 {
        return Err(ill_formed(primitive, "values and edges must be doubles"));
    }
    let lanes = edges.space.prefix(edges.space.depth().saturating_sub(1));
    let dense = |l| {
        !matches!(
            program.level(l).kind,
            LevelKind::Stream | LevelKind::Ragged { .. }
        )
    };
    if edges.space.is_scalar()
        || !edges.space.iter().all(dense)
        || x.space.prefix(lanes.depth()) != lanes
    {
        let (space, values) = (
            program.space_name(&edges.space),
            program.space_name(&x.space),
        );
        return Err(ill_formed(
            primitive,
            format!(
                "the edges live in [{space}], expected one dense level, perhaps behind the first levels of [{values}]"
            ),
        ));
    }
    Ok(x.with(DType::I64))
}

/// Sorted edges, with what is needed to find an interval.
struct Edges<'a> {
    edges: &'a [f64],
    /// Intervals per unit, if all have about the same width: then a guess is at most a step off.
    scale: Option<f64>,
}

impl<'a> Edges<'a> {
    fn new(edges: &'a [f64]) -> std::result::Result<Self, String> {
        if edges.len() < 2 {
            return Err(format!("{} edges, expected at least 2", edges.len()));
        }
        if let Some(k) = edges.windows(2).position(|w| {
            w[0].partial_cmp(&w[1])
                .is_none_or(std::cmp::Ordering::is_ge)
        }) {
            return Err(format!(
                "edges must rise: edge {} is {} after {}",
                k + 1,
                edges[k + 1],
                edges[k]
            ));
        }
        let bins = (edges.len() - 1) as f64;
        let scale = bins / (edges[edges.len() - 1] - edges[0]);
        let off = |(k, e): (usize, &f64)| ((e - edges[0]) * scale - k as f64).abs() > 0.5;
        let uniform = scale.is_finite() && scale > 0.0 && !edges.iter().enumerate().any(off);
        Ok(Self {
            edges,
            scale: uniform.then_some(scale),
        })
    }

    fn bins(&self) -> usize {
        self.edges.len() - 1
    }

    /// The `k` with `edges[k] ≤ x < edges[k + 1]`, for `edges[0] ≤ x < edges[n]`.
    #[inline(always)]
    fn interval(&self, x: f64) -> usize {
        let Some(scale) = self.scale else {
            return self.edges.partition_point(|e| *e <= x) - 1;
        };
        // The guess may be off by rounding: what counts is the comparison with the edges.
        let mut k = (((x - self.edges[0]) * scale) as usize).min(self.bins() - 1);
        while x < self.edges[k] {
            k -= 1;
        }
        while x >= self.edges[k + 1] {
            k += 1;
        }
        k
    }
}

/// Calls `f(x, edges, out)` for each lane: edges without levels before theirs serve all values.
fn each_lane(
    io: &Io<'_>,
    depth: usize,
    f: impl Fn(&[f64], &Edges<'_>, &mut [i64]),
) -> std::result::Result<(), String> {
    let (x, edges, out) = (io.arg::<f64>(0), io.arg::<f64>(1), io.out::<i64>(0));
    if depth == 0 {
        f(x, &Edges::new(edges)?, out);
        return Ok(());
    }
    let lanes = io.lanes(0, depth);
    let per_lane = edges.len().checked_div(lanes).unwrap_or(0);
    for lane in 0..lanes {
        let (a, b) = (io.position(0, depth, lane), io.position(0, depth, lane + 1));
        let edges = Edges::new(&edges[lane * per_lane..(lane + 1) * per_lane])?;
        f(&x[a..b], &edges, &mut out[a..b]);
    }
    Ok(())
}

/// Edges without lanes serve all of them.
fn with_lanes<'b>(cx: &'b Builder, call: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
    let args = [call.arg(cx, 0)?, call.args[1]];
    Ok(cx.push(call.primitive, &args, call.attrs.clone()).all(cx))
}

impl Primitive for BinIndex {
    fn name(&self) -> &'static str {
        "bin_index"
    }

    fn doc(&self) -> &'static str {
        "The bin of each value (argument 0) between rising edges (argument 1): k with edges[k] ≤ x < edges[k+1]. `flow` 0 drops what lies outside, 1 puts it into the first or last bin, 2 counts bins from 1 between underflow and overflow. With `closed`, the last bin has its upper edge."
    }

    fn convention(&self) -> &'static str {
        "Lower edges belong to their bin. NaN is dropped (-1), with `flow` 2 it is overflow. Edges that do not rise are an error. No derivative: the margin is the distance to the nearest edge."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        if !matches!(
            (attrs.int("flow"), attrs.int("closed")),
            (Some(0..=2), Some(0 | 1))
        ) {
            return Err(ill_formed(
                self.name(),
                "expects `flow` from 0 to 2 and `closed`, 0 or 1",
            ));
        }
        infer(self.name(), program, args).map(|ty| vec![ty])
    }

    fn vmap<'b>(&self, cx: &'b Builder, call: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        with_lanes(cx, call)
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let (flow, closed) = (
            cx.attrs().int("flow").unwrap_or(0),
            cx.attrs().int("closed") == Some(1),
        );
        let depth = cx.arg(1).space.depth() - 1;
        let fill = move |x: &[f64], edges: &Edges<'_>, out: &mut [i64]| {
            let (low, high, bins) = (
                edges.edges[0],
                edges.edges[edges.bins()],
                edges.bins() as i64,
            );
            let (under, over, nan, first) = match flow {
                0 => (-1, -1, -1, 0),
                1 => (0, bins - 1, -1, 0),
                _ => (0, bins + 1, bins + 1, 1),
            };
            for (o, &x) in out.iter_mut().zip(x) {
                *o = if x >= low && x < high {
                    edges.interval(x) as i64 + first
                } else if x < low {
                    under
                } else if closed && x == high {
                    bins - 1 + first
                } else if x >= high {
                    over
                } else {
                    nan
                };
            }
        };
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            each_lane(io, depth, fill)
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        let nan = f64::NAN;
        let sample = |what: &str, flow: Flow, last: Last, edges: [f64; 4], expected: &[f64]| {
            Sample::special(what, expected, move |s| {
                let x = s.f64(
                    "x",
                    s.b.stream("events"),
                    &[-1.0, 0.0, 0.5, 1.0, 2.5, 3.0, 4.0, nan],
                );
                bin_index(x, s.f64("edges", s.b.dense("edges"), &edges), flow, last)
            })
        };
        vec![
            sample(
                "drop",
                Flow::Drop,
                Last::Open,
                [0.0, 1.0, 2.0, 3.0],
                &[-1.0, 0.0, 0.0, 1.0, 2.0, -1.0, -1.0, -1.0],
            ),
            sample(
                "drop, closed",
                Flow::Drop,
                Last::Closed,
                [0.0, 1.0, 2.0, 3.0],
                &[-1.0, 0.0, 0.0, 1.0, 2.0, 2.0, -1.0, -1.0],
            ),
            sample(
                "clamp, unequal bins",
                Flow::Clamp,
                Last::Open,
                [0.0, 0.5, 0.6, 3.0],
                &[0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 2.0, -1.0],
            ),
            sample(
                "separate",
                Flow::Separate,
                Last::Open,
                [0.0, 1.0, 2.0, 3.0],
                &[0.0, 1.0, 1.0, 2.0, 3.0, 4.0, 4.0, 4.0],
            ),
        ]
    }
}

impl Primitive for NearestEdge {
    fn name(&self) -> &'static str {
        "nearest_edge"
    }

    fn doc(&self) -> &'static str {
        "The number of the edge (argument 1, rising) that is nearest to each value (argument 0): the edge whose crossing would change its bin."
    }

    fn convention(&self) -> &'static str {
        "The lower of two equally near; -1 for NaN. Edges that do not rise are an error. No derivative."
    }

    fn nature(&self) -> Nature {
        Nature::Structure
    }

    fn infer(&self, program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        infer(self.name(), program, args).map(|ty| vec![ty])
    }

    fn vmap<'b>(&self, cx: &'b Builder, call: &LaneCall<'_, 'b>) -> Result<Vec<Sym<'b>>> {
        with_lanes(cx, call)
    }

    fn lower(&self, cx: &LowerCx<'_>) -> Result<Kernel> {
        let depth = cx.arg(1).space.depth() - 1;
        let fill = |x: &[f64], edges: &Edges<'_>, out: &mut [i64]| {
            let bins = edges.bins();
            for (o, &x) in out.iter_mut().zip(x) {
                *o = if x.is_nan() {
                    -1
                } else if x < edges.edges[0] {
                    0
                } else if x >= edges.edges[bins] {
                    bins as i64
                } else {
                    let k = edges.interval(x);
                    k as i64 + i64::from(x - edges.edges[k] > edges.edges[k + 1] - x)
                };
            }
        };
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            each_lane(io, depth, fill)
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![Sample::special(
            "inside, outside, between, NaN",
            &[0.0, 1.0, 2.0, 1.0, -1.0],
            |s| {
                let x = s.f64("x", s.b.stream("events"), &[-5.0, 0.8, 7.0, 2.0, f64::NAN]);
                nearest_edge(x, s.f64("edges", s.b.dense("edges"), &[0.0, 1.0, 3.0]))
            },
        )]
    }
}
