//! How the parameter of interest and its error move with data and signal: bars per bin.

use super::channels::{TOGETHER_TITLE, arrange};
use super::drawing::{Anchor, Drawing, Paint};
use super::scale::Scale;
use crate::text::{Lever, shorten};

const WIDTH: f64 = 360.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 8.0;
const PANEL: f64 = 84.0;
const GAP: f64 = 12.0;
const BOTTOM: f64 = 34.0;
const NAMES: f64 = 132.0;

/// Narrowest bin.
const BIN: f64 = 10.0;

/// Drawings whose bars are all shorter than this part of the longest are left out.
const VISIBLE: f64 = 0.01;

/// A drawing with its heading.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Name of the channel, or what the channels have in common.
    pub title: String,
    /// The drawing.
    pub svg: String,
    /// Whether it needs a row of its own.
    pub wide: bool,
}

/// The drawings of a list of derivatives, and how many were left out because their bars could not be seen.
pub fn charts(levers: &[Lever<'_>], symbol: &str, poi: &str) -> (Vec<Chart>, usize) {
    let mut rows: Vec<&[Lever<'_>]> = levers
        .chunk_by(|a, b| a.channel == b.channel && a.sample == b.sample)
        .collect();
    let (poi_reach, sigma_reach) = (largest(levers, |l| l.poi), largest(levers, |l| l.sigma));
    let (poi_range, sigma_range) = (range(levers, |l| l.poi), range(levers, |l| l.sigma));
    let before = rows.len();
    rows.retain(|row| {
        largest(row, |l| l.poi) > VISIBLE * poi_reach
            || largest(row, |l| l.sigma) > VISIBLE * sigma_reach
    });
    let hidden = before - rows.len();
    let shapes: Vec<usize> = rows.iter().map(|row| row.len()).collect();
    let charts = arrange(&shapes)
        .into_iter()
        .map(|group| {
            let members: Vec<&Lever<'_>> = group.iter().flat_map(|&i| rows[i]).collect();
            let (title, names) = match group[..] {
                [i] => (heading(&rows[i][0]), None),
                _ => (
                    TOGETHER_TITLE.to_owned(),
                    Some(members.iter().map(|l| l.channel).collect::<Vec<_>>()),
                ),
            };
            let width = (LEFT + RIGHT + BIN * members.len() as f64).max(WIDTH);
            let panels = [
                (
                    format!("d{poi} / d{symbol}"),
                    poi_range,
                    members.iter().map(|l| l.poi).collect(),
                ),
                (
                    format!("dσ / d{symbol}"),
                    sigma_range,
                    members.iter().map(|l| l.sigma).collect(),
                ),
            ];
            Chart {
                svg: chart(&title, width, &panels, &members, names.as_deref()),
                title,
                wide: width > WIDTH * 1.6,
            }
        })
        .collect();
    (charts, hidden)
}

fn heading(lever: &Lever<'_>) -> String {
    if lever.sample.is_empty() {
        lever.channel.to_owned()
    } else {
        format!("{}, {}", lever.channel, lever.sample)
    }
}

fn largest(levers: &[Lever<'_>], of: impl Fn(&Lever<'_>) -> f64) -> f64 {
    levers
        .iter()
        .map(|l| of(l).abs())
        .filter(|x| x.is_finite())
        .fold(0.0, f64::max)
}

/// A range that holds zero and all numbers, with some room.
fn range(levers: &[Lever<'_>], of: impl Fn(&Lever<'_>) -> f64) -> (f64, f64) {
    let numbers = || levers.iter().map(&of).filter(|x| x.is_finite());
    let (low, high) = (numbers().fold(0.0, f64::min), numbers().fold(0.0, f64::max));
    let room = 0.08 * (high - low);
    if room > 0.0 {
        (low - room, high + room)
    } else {
        (-1.0, 1.0)
    }
}

fn chart(
    title: &str,
    width: f64,
    panels: &[(String, (f64, f64), Vec<f64>); 2],
    levers: &[&Lever<'_>],
    names: Option<&[&str]>,
) -> String {
    let end = TOP + 2.0 * PANEL + GAP;
    let below = if names.is_some() { NAMES } else { BOTTOM };
    let mut drawing = Drawing::new(width, end + below, &format!("derivatives in {title}"));
    let x = Scale::linear((0.0, levers.len() as f64), (LEFT, width - RIGHT));
    let step = x.at(1.0) - x.at(0.0);
    for (i, (name, range, values)) in panels.iter().enumerate() {
        let top = TOP + (PANEL + GAP) * i as f64;
        let y = Scale::linear(*range, (top + PANEL, top));
        for (b, (value, lever)) in values.iter().zip(levers).enumerate() {
            let (from, to) = (y.at(value.max(0.0)), y.at(value.min(0.0)));
            drawing.open_with_title(&format!(
                "{}[{}]: {name} = {value:+.6}",
                lever.channel, lever.bin
            ));
            drawing.rect(
                x.at(b as f64) + 0.12 * step,
                from,
                0.76 * step,
                to - from,
                if *value < 0.0 { "#2166ac" } else { "#b2182b" },
            );
            drawing.close();
        }
        drawing.line((LEFT, y.at(0.0)), (width - RIGHT, y.at(0.0)), "mark");
        let corners = [
            (LEFT, top),
            (width - RIGHT, top),
            (width - RIGHT, top + PANEL),
            (LEFT, top + PANEL),
        ];
        drawing.path(&corners, true, Paint::class("frame"));
        for (value, label) in y.ticks(4) {
            drawing.line((LEFT, y.at(value)), (LEFT + 5.0, y.at(value)), "mark");
            drawing.text(LEFT - 4.0, y.at(value) + 3.4, Anchor::End, "tick", &label);
        }
        drawing.rotated_text(
            11.0,
            top + PANEL / 2.0,
            -90.0,
            Anchor::Middle,
            "axis",
            &shorten(name, 15),
        );
    }
    let every = ((22.0 / step).ceil() as usize).max(1);
    for (b, lever) in levers.iter().enumerate() {
        let middle = x.at(b as f64 + 0.5);
        if let Some(name) = names.and_then(|n| n.get(b)) {
            drawing.rotated_text(
                middle + 3.5,
                end + 8.0,
                -90.0,
                Anchor::End,
                "tick",
                &shorten(name, 20),
            );
        } else if b % every == 0 {
            drawing.text(
                middle,
                end + 13.0,
                Anchor::Middle,
                "tick",
                &lever.bin.to_string(),
            );
        }
    }
    if names.is_none() {
        drawing.text(
            f64::midpoint(LEFT, width - RIGHT),
            end + 27.0,
            Anchor::Middle,
            "axis",
            "bin",
        );
    }
    drawing.finish(1.35)
}
