//! What cuts decide on: distributions of the events that pass all other cuts, with the thresholds.

use pullback_analysis::run::{Distribution, Results};

use super::content::{Colours, axis};
use super::heading::brief;
use super::stack::{Cut, Stack};
use crate::text::rounding::significant;

/// The distribution with its thresholds, and those of `before` if there are others.
pub fn stack(
    results: &Results,
    of: &Distribution,
    before: Option<&Distribution>,
    colours: &Colours,
) -> Stack {
    let walls = |d: &Distribution, before: bool| -> Vec<Cut> {
        let each = d.bounds.iter().map(|b| Cut {
            at: d.wall(b),
            above: b.above,
            before,
        });
        each.collect()
    };
    let now = walls(of, false);
    let mut cuts = before.map_or_else(Vec::new, |b| walls(b, true));
    cuts.retain(|old| now.iter().all(|new| new.at != old.at));
    let ends = (
        of.edges.first().copied().unwrap_or(0.0),
        of.edges.last().copied().unwrap_or(1.0),
    );
    let rejected = rejected(&now, ends);
    cuts.extend(now);
    let region = &results.file.regions[of.region].name;
    Stack {
        about: format!("{} in {region}, all other cuts made", of.of),
        axis: axis(&of.of, &of.unit),
        unit: of.unit.clone(),
        whole: of.whole,
        observed: of.observed.as_ref().map(|o| o.sums.clone()),
        cuts,
        rejected,
        ..colours.stack(results, &of.edges, &of.nominal)
    }
}

/// What is not kept between two ends: outside of a window, or inside where the bounds look away from each other.
fn rejected(cuts: &[Cut], (first, last): (f64, f64)) -> Vec<(f64, f64)> {
    let low = cuts.iter().find(|c| c.above).map(|c| c.at);
    let high = cuts.iter().find(|c| !c.above).map(|c| c.at);
    match (low, high) {
        (Some(low), Some(high)) if low > high => vec![(high, low)],
        (Some(low), Some(high)) => vec![(first, low), (high, last)],
        (Some(low), None) => vec![(first, low)],
        (None, Some(high)) => vec![(high, last)],
        (None, None) => Vec::new(),
    }
}

/// The cut as it is written, of which this is the distribution.
pub fn text<'a>(results: &'a Results, of: &Distribution) -> &'a str {
    results.file.regions[of.region].cuts[of.cut].text()
}

/// The numbers that are compared with: `30 → 45.2 GeV`.
pub fn numbers(of: &Distribution, before: Option<&Distribution>) -> String {
    let list = |d: &Distribution| {
        let mut each: Vec<String> = Vec::new();
        for bound in &d.bounds {
            let text = if d.whole {
                brief(bound.at)
            } else {
                significant(bound.at, 4)
            };
            if !each.contains(&text) {
                each.push(text);
            }
        }
        each.join(" … ")
    };
    let (now, old) = (list(of), before.map(list));
    let both = match old {
        Some(old) if old != now => format!("{old} → {now}"),
        _ => now,
    };
    format!("{both} {}", of.unit).trim_end().replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(at: f64, above: bool) -> Cut {
        Cut {
            at,
            above,
            before: false,
        }
    }

    #[test]
    fn what_is_not_kept_is_outside_of_windows_and_inside_of_vetoes() {
        let ends = (0.0, 100.0);
        assert_eq!(rejected(&[cut(30.0, true)], ends), [(0.0, 30.0)]);
        let window = [cut(30.0, true), cut(60.0, false)];
        assert_eq!(rejected(&window, ends), [(0.0, 30.0), (60.0, 100.0)]);
        let veto = [cut(30.0, false), cut(60.0, true)];
        assert_eq!(rejected(&veto, ends), [(30.0, 60.0)]);
        assert!(rejected(&[], ends).is_empty());
    }
}
