//! Tables of yields: by channel and sample, with --all by bin too.

use std::fmt::Write;

use pullback_stats::fit::{ChannelYields, FitResult, Yield};

use super::rounding::{fixed, round, round_error, significant};
use super::table::{Align, render};

/// Rows of a table that is not shown whole.
const SHOWN: usize = 40;

/// All tables.
pub fn tables(result: &FitResult, all: bool, width: usize) -> String {
    let rows: usize = result.yields.iter().map(|c| c.samples.len() + 2).sum();
    let mut text = String::from("\nYields\n");
    if all || rows <= SHOWN {
        text.push_str(&by_sample(&result.yields, width));
    } else {
        let shown = &result.yields[..result.yields.len().min(SHOWN)];
        text.push_str(&by_channel(shown, width));
        let more = result.yields.len() - shown.len();
        let channels = if more > 0 {
            format!("{more} more channels, ")
        } else {
            String::new()
        };
        let _ = writeln!(text, "  --all shows {channels}samples and bins");
    }
    if all {
        text.push_str(&by_bin(&result.yields, width));
    }
    text
}

fn columns(first: &str) -> [(&str, Align); 4] {
    [
        (first, Align::Name),
        ("observed", Align::Right),
        ("pre-fit", Align::Right),
        ("post-fit", Align::Right),
    ]
}

fn by_channel(channels: &[ChannelYields], width: usize) -> String {
    let rows: Vec<Vec<String>> = channels
        .iter()
        .map(|c| {
            vec![
                c.channel.clone(),
                observed(&c.observed),
                text_of(c.prefit_total),
                text_of(c.postfit_total),
            ]
        })
        .collect();
    render(&columns("channel"), &rows, width)
}

fn by_sample(channels: &[ChannelYields], width: usize) -> String {
    let mut rows = Vec::new();
    for c in channels {
        rows.push(vec![
            c.channel.clone(),
            observed(&c.observed),
            text_of(c.prefit_total),
            text_of(c.postfit_total),
        ]);
        for s in &c.samples {
            rows.push(vec![
                format!("  {}", s.name),
                String::new(),
                part(s.prefit.iter().sum(), c.prefit_total),
                part(s.postfit.iter().sum(), c.postfit_total),
            ]);
        }
    }
    render(&columns("channel, sample"), &rows, width)
}

fn by_bin(channels: &[ChannelYields], width: usize) -> String {
    let mut text = String::new();
    for c in channels {
        let rows: Vec<Vec<String>> = c
            .observed
            .iter()
            .zip(&c.prefit)
            .zip(&c.postfit)
            .enumerate()
            .map(|(b, ((n, before), after))| {
                vec![
                    b.to_string(),
                    observed(&[*n]),
                    text_of(*before),
                    text_of(*after),
                ]
            })
            .collect();
        let _ = write!(
            text,
            "\nBins of {}\n{}",
            c.channel,
            render(&columns("bin"), &rows, width)
        );
    }
    text
}

/// Counts as they are; sums of non-integer ones with five digits.
pub fn observed(counts: &[f64]) -> String {
    let sum: f64 = counts.iter().sum();
    if sum.fract() == 0.0 && sum.abs() < 1e15 {
        format!("{sum}")
    } else {
        significant(sum, 5)
    }
}

/// A yield with its error.
pub fn text_of(y: Yield) -> String {
    round(y.value, y.error).text()
}

/// A sample's part of a total, one digit finer than the total's error asks for.
fn part(value: f64, total: Yield) -> String {
    match total.error.filter(|e| e.is_finite() && *e > 0.0) {
        Some(error) if total.value.abs() < 1e7 && total.value.abs() >= 1e-3 => {
            fixed(value, (round_error(error).1 + 1).clamp(0, 6))
        }
        _ => significant(value, 4),
    }
}
