//! What cuts decide on: numbers per event that are compared with numbers, and how they are binned.

use pullback_array::Lowered;
use pullback_io::Dataset;

use super::result::{Bins, Distribution};
use super::sweep::widened;
use crate::compile::What;
use crate::define::Analysis;
use crate::draws::Drawn;
use crate::error::Result;
use crate::file::{AnalysisFile, Input};
use crate::place::Source;
use crate::schema::Schema;
use crate::syntax::{CompareOp, End, Expr, ExprKind, parse};
use crate::types::{Kind, Model, Per};
use crate::units::Dimension;

/// Events of each data set that are looked at for the ranges.
const LOOKED_AT: u64 = 50_000;

/// The part of the events of a process below and above the range.
const TAILS: [f64; 2] = [0.005, 0.99];

/// Selected events of a process from which on they set the range; else all its events do.
const ENOUGH: usize = 40;

/// What is shown on each side of a window, in units of its width.
const AROUND: f64 = 2.0;

/// Bins that are wished for.
const BINS: f64 = 25.0;

/// Bins of whole numbers, at most.
const WHOLE: f64 = 40.0;

/// An end of what a cut keeps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// The number, at the parameters of the file.
    pub at: f64,
    /// Whether larger values are kept, else smaller ones.
    pub above: bool,
    /// Whether the number itself is kept.
    pub closed: bool,
}

/// An end as it is written.
#[derive(Debug, Clone)]
struct Written {
    number: Source,
    above: bool,
    closed: bool,
}

/// A cut that may compare a number per event with numbers: what, and with which.
#[derive(Debug, Clone)]
struct Candidate {
    region: usize,
    cut: usize,
    value: Source,
    bounds: Vec<Written>,
}

/// A cut that compares a number per event with numbers, and the bins of what it compares.
#[derive(Debug, Clone)]
pub(crate) struct Compared {
    pub region: usize,
    pub cut: usize,
    pub value: Source,
    pub bounds: Vec<Bound>,
    pub unit: String,
    pub whole: bool,
    pub edges: Vec<f64>,
}

/// `GeV`; nothing for numbers without one.
pub(super) fn unit(dimension: Option<Dimension>) -> String {
    let dimension = dimension.filter(|d| *d != Dimension::NONE);
    dimension.map_or_else(String::new, |d| d.to_string())
}

impl AnalysisFile {
    /// The cuts that compare a number per event with numbers, binned by a first look at the simulated data sets.
    pub(super) fn compared(&self, opened: &[(&Input, &Dataset, &Schema)]) -> Result<Vec<Compared>> {
        let candidates = self.candidates();
        // What is compared is of the same type everywhere: names mean the same in all data sets.
        let Some((.., schema)) = opened.iter().find(|(input, ..)| !input.observed) else {
            return Ok(Vec::new());
        };
        let model = Self::operands(&candidates, self.with_regions()).check(schema)?;
        let decides = |(k, c): &(usize, Candidate)| {
            let value = model.ty(&name('t', *k));
            let number = value.is_some_and(|t| t.per == Per::Event && t.kind.is_number());
            let mut bounds = (0..c.bounds.len()).filter_map(|b| model.ty(&bound_name('b', *k, b)));
            number && bounds.all(|t| t.per == Per::Constant)
        };
        let kept: Vec<Candidate> = (candidates.into_iter().enumerate())
            .filter(decides)
            .map(|(_, c)| c)
            .collect();
        if kept.is_empty() {
            return Ok(Vec::new());
        }
        let analysis = self.measured(&kept);
        let mut ranges = vec![Range::NOTHING; kept.len()];
        let mut compared = Vec::new();
        for (input, data, schema) in opened.iter().filter(|(input, ..)| !input.observed) {
            let model = analysis.check(schema)?;
            let look = Look::new(self, input, &model, &kept, data)?;
            if compared.is_empty() {
                compared = look.compared(&model, &kept);
            }
            for (range, found) in ranges.iter_mut().zip(look.ranges) {
                range.widen(found);
            }
        }
        for (c, range) in compared.iter_mut().zip(ranges) {
            c.edges = range.edges(&c.bounds, c.whole);
        }
        Ok(compared)
    }

    /// Cuts that look as if they compared a number with numbers.
    fn candidates(&self) -> Vec<Candidate> {
        let mut all = Vec::new();
        for (r, region) in self.regions.iter().enumerate() {
            for (k, cut) in region.cuts.iter().enumerate() {
                // What does not parse is refused where the cuts are checked.
                let Ok(e) = parse(cut) else { continue };
                all.extend(forms(cut, &e).into_iter().map(|(value, bounds)| Candidate {
                    region: r,
                    cut: k,
                    value,
                    bounds,
                }));
            }
        }
        all
    }

    fn with_regions(&self) -> Analysis {
        let regions = self.regions.iter();
        regions.fold(self.definitions.clone(), |analysis, region| {
            analysis.region(&region.name, region.cuts.iter().cloned())
        })
    }

    /// What is compared (`t`), and with what (`b`), as it is written.
    fn operands(candidates: &[Candidate], mut analysis: Analysis) -> Analysis {
        for (k, c) in candidates.iter().enumerate() {
            analysis = analysis.column(name('t', k), c.value.clone());
            for (b, bound) in c.bounds.iter().enumerate() {
                analysis = analysis.column(bound_name('b', k, b), bound.number.clone());
            }
        }
        analysis
    }

    /// These, what is compared as a double, of all events (`a`) and of those that pass all other cuts (`v`), and the numbers as doubles (`n`).
    fn measured(&self, candidates: &[Candidate]) -> Analysis {
        let mut analysis = Self::operands(candidates, self.with_regions());
        for (k, c) in candidates.iter().enumerate() {
            let double = format!("({}) * 1.0", c.value.text());
            let cuts = self.regions[c.region].cuts.iter().enumerate();
            let others = cuts.filter(|(j, _)| *j != c.cut);
            let others: Vec<String> = others.map(|(_, s)| format!("({})", s.text())).collect();
            let mut selected = double.clone();
            if !others.is_empty() {
                selected = format!("({double}) where ({})", others.join(" and "));
            }
            analysis = analysis.column(name('a', k), double);
            analysis = analysis.column(name('v', k), selected);
            for (b, bound) in c.bounds.iter().enumerate() {
                let number = format!("({}) * 1.0", bound.number.text());
                analysis = analysis.column(bound_name('n', k, b), number);
            }
        }
        analysis
    }
}

fn name(kind: char, k: usize) -> String {
    format!("_{kind}{k}")
}

fn bound_name(kind: char, k: usize, bound: usize) -> String {
    format!("_{kind}{k}_{bound}")
}

/// The ways to read an expression as a comparison with numbers: what may be compared, and with which. Types tell later which one is right.
fn forms(cut: &Source, e: &Expr) -> Vec<(Source, Vec<Written>)> {
    let part = |e: &Expr| Source::new(cut.key(), cut.at(e.span).text());
    let end = |number: &Expr, above, closed| Written {
        number: part(number),
        above,
        closed,
    };
    // The value is at the left of the operator.
    let bounds = |op: CompareOp, number: &Expr| match op {
        CompareOp::Lt => vec![end(number, false, false)],
        CompareOp::Le => vec![end(number, false, true)],
        CompareOp::Gt => vec![end(number, true, false)],
        CompareOp::Ge => vec![end(number, true, true)],
        CompareOp::Eq => vec![end(number, true, true), end(number, false, true)],
        CompareOp::Ne => vec![end(number, false, false), end(number, true, false)],
    };
    match &e.kind {
        ExprKind::Compare(first, rest) => match rest.as_slice() {
            [(op, second)] => vec![
                (part(first), bounds(*op, second)),
                (part(second), bounds(turned(*op), first)),
            ],
            [(low, value), (high, last)] => {
                let mut all = bounds(turned(*low), first);
                all.extend(bounds(*high, last));
                vec![(part(value), all)]
            }
            _ => Vec::new(),
        },
        ExprKind::Range {
            value,
            negated,
            low,
            low_end,
            high,
            high_end,
        } => {
            let closed = |end: &End| (*end == End::Closed) != *negated;
            let all = vec![
                end(low, !negated, closed(low_end)),
                end(high, *negated, closed(high_end)),
            ];
            vec![(part(value), all)]
        }
        _ => Vec::new(),
    }
}

/// The operator seen from the other side.
fn turned(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        same => same,
    }
}

impl Compared {
    /// The distribution, before any event.
    pub fn empty(&self, processes: usize) -> Distribution {
        Distribution {
            region: self.region,
            cut: self.cut,
            of: self.value.text().to_owned(),
            unit: self.unit.clone(),
            whole: self.whole,
            bounds: self.bounds.clone(),
            edges: self.edges.clone(),
            nominal: vec![Bins::zeros(self.edges.len() - 1); processes],
            observed: None,
        }
    }
}

/// A first look at a data set.
struct Look {
    ranges: Vec<Range>,
    /// The numbers of each cut.
    numbers: Vec<Vec<f64>>,
}

impl Look {
    fn new(
        file: &AnalysisFile,
        input: &Input,
        model: &Model,
        kept: &[Candidate],
        data: &Dataset,
    ) -> Result<Self> {
        let mut names: Vec<String> = Vec::new();
        for (k, c) in kept.iter().enumerate() {
            names.extend([name('a', k), name('v', k)]);
            names.extend((0..c.bounds.len()).map(|b| bound_name('n', k, b)));
        }
        let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
        let compiled = model.compile(&wanted)?;
        let lowered = Lowered::new(pullback_array::transform::simplify(&compiled.program)?)?;
        let mut ws = lowered.workspace_with(1, 1024);
        let entries = data.entries().min(LOOKED_AT);
        let drawn = Drawn::new(file, input, data.schema(), &compiled.columns())?;
        let chunk = drawn.add(widened(data.read(&drawn.names(), 0..entries))?)?;
        let starts: Vec<Vec<f64>> = compiled.parameters().map(|(_, s)| s.to_vec()).collect();
        let bindings = compiled.bind_to(lowered.program(), &chunk, &starts, &[])?;
        lowered.run(&mut ws, &bindings)?;
        let values = |name: &str| -> Vec<f64> {
            let output = compiled.output(name, What::Values);
            output.map_or_else(Vec::new, |k| ws.f64(k).to_vec())
        };
        let ranges = (0..kept.len()).map(|k| {
            let selected = Range::of(values(&name('v', k)), ENOUGH);
            selected
                .unwrap_or_else(|| Range::of(values(&name('a', k)), 1).unwrap_or(Range::NOTHING))
        });
        let numbers = kept.iter().enumerate().map(|(k, c)| {
            let each = (0..c.bounds.len()).map(|b| values(&bound_name('n', k, b)));
            each.map(|v| v.first().copied().unwrap_or(f64::NAN))
                .collect()
        });
        Ok(Self {
            ranges: ranges.collect(),
            numbers: numbers.collect(),
        })
    }

    fn compared(&self, model: &Model, kept: &[Candidate]) -> Vec<Compared> {
        let each = kept.iter().zip(&self.numbers).enumerate();
        let each = each.map(|(k, (c, numbers))| {
            let ty = model.ty(&name('t', k));
            let bounds = c.bounds.iter().zip(numbers).map(|(w, at)| Bound {
                at: *at,
                above: w.above,
                closed: w.closed,
            });
            Compared {
                region: c.region,
                cut: c.cut,
                value: c.value.clone(),
                bounds: bounds.collect(),
                unit: unit(ty.and_then(|t| t.dimension)),
                whole: ty.is_some_and(|t| t.kind == Kind::Int),
                edges: Vec::new(),
            }
        });
        each.collect()
    }
}

/// Where values are, but for tails.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    low: f64,
    high: f64,
}

impl Range {
    const NOTHING: Self = Self {
        low: f64::INFINITY,
        high: f64::NEG_INFINITY,
    };

    /// Between quantiles of what is a number, if there are enough.
    fn of(mut values: Vec<f64>, enough: usize) -> Option<Self> {
        values.retain(|x| x.is_finite());
        if values.len() < enough {
            return None;
        }
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len() - 1;
        let at = |q: f64, up: bool| {
            let place = q * last as f64;
            values[(if up { place.ceil() } else { place.floor() }) as usize]
        };
        Some(Self {
            low: at(TAILS[0], false),
            high: at(TAILS[1], true),
        })
    }

    fn widen(&mut self, other: Self) {
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
    }

    /// Round edges around all values and numbers.
    fn edges(mut self, bounds: &[Bound], whole: bool) -> Vec<f64> {
        let numbers: Vec<f64> = bounds.iter().map(|b| b.at).collect();
        // Of a window, what is near.
        let mut near = false;
        if let [a, b] = numbers[..]
            && a != b
        {
            let (low, high, width) = (a.min(b), a.max(b), (a - b).abs());
            self.low = self.low.max(low - AROUND * width);
            self.high = self.high.min(high + AROUND * width);
            near = true;
        }
        for at in numbers.into_iter().filter(|x| x.is_finite()) {
            self.widen(Self { low: at, high: at });
        }
        if self.low > self.high {
            self = Self {
                low: 0.0,
                high: 1.0,
            };
        }
        if whole {
            return self.whole_edges();
        }
        // What cannot be negative begins at zero, unless it is far away.
        if !near && self.low >= 0.0 && self.low < 0.35 * self.high {
            self.low = 0.0;
        }
        let span = (self.high - self.low)
            .max(1e-9 * self.high.abs())
            .max(1e-12);
        // A number at an end is seen to be one.
        let step = round_step(span / BINS);
        let first = (self.low / step + 1e-9).floor();
        let last = (self.high / step + 1e-9).floor() + 1.0;
        evenly(first, last, step)
    }

    /// Bins around whole numbers: of one each, or of several where there are too many.
    fn whole_edges(self) -> Vec<f64> {
        let (low, high) = (self.low.floor(), self.high.ceil());
        let step = if high - low < WHOLE {
            1.0
        } else {
            round_step((high - low) / BINS).max(1.0)
        };
        let count = ((high - low + 1.0) / step).ceil();
        let edges = evenly(0.0, count, step);
        edges.into_iter().map(|e| low - 0.5 + e).collect()
    }
}

/// Multiples of a step.
fn evenly(first: f64, last: f64, step: f64) -> Vec<f64> {
    let n = (last - first).clamp(1.0, 1000.0) as usize;
    // A step below one is the inverse of a round number: quotients are nearer to what people write.
    let inverse = (1.0 / step).round();
    let at = |k: usize| {
        let k = first + k as f64;
        if step < 1.0 && inverse.is_finite() {
            k / inverse
        } else {
            k * step
        }
    };
    (0..=n).map(at).collect()
}

/// 1, 2 or 5 times a power of ten: the first that is not smaller.
fn round_step(rough: f64) -> f64 {
    let unit = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|m| m * unit);
    let found = steps.into_iter().find(|s| *s >= rough * 0.999);
    found.unwrap_or(rough)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(at: f64) -> [Bound; 1] {
        [Bound {
            at,
            above: true,
            closed: false,
        }]
    }

    #[test]
    fn edges_are_round_and_hold_the_number() {
        let range = Range {
            low: 21.3,
            high: 183.0,
        };
        let edges = range.edges(&bound(30.0), false);
        assert_eq!((edges[0], edges[1], edges.len()), (0.0, 10.0, 20));
        let far = range.edges(&bound(250.0), false);
        assert_eq!(far.last(), Some(&260.0));
        let window = [80.0, 100.0].map(|at| bound(at)[0]);
        let edges = range.edges(&window, false);
        assert_eq!(
            (edges[0], edges[1], edges.last()),
            (40.0, 45.0, Some(&145.0))
        );
        let narrow = Range {
            low: 90.1,
            high: 92.3,
        };
        let edges = narrow.edges(&[], false);
        assert_eq!(
            (edges[0], edges[1], edges.last()),
            (90.1, 90.2, Some(&92.4))
        );
        assert_eq!(Range::NOTHING.edges(&[], false).len(), 22);
    }

    #[test]
    fn whole_numbers_have_bins_of_one() {
        let range = Range {
            low: 1.0,
            high: 4.0,
        };
        assert_eq!(range.edges(&bound(4.0), true), [0.5, 1.5, 2.5, 3.5, 4.5]);
        let many = Range {
            low: 0.0,
            high: 200.0,
        };
        assert_eq!(many.edges(&[], true)[..2], [-0.5, 9.5]);
    }

    #[test]
    fn ranges_leave_tails_out() {
        let values: Vec<f64> = (0..1000).map(f64::from).chain([1e9, f64::NAN]).collect();
        let range = Range::of(values, 40).expect("enough");
        assert_eq!((range.low, range.high), (5.0, 990.0));
        assert!(Range::of(vec![f64::NAN; 100], 40).is_none());
    }
}
