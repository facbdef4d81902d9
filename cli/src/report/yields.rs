//! The yields of one channel: stacked samples after the fit, data, total before the fit, and the ratio to the fit.

use pullback_stats::fit::{ChannelYields, Yield};

use super::drawing::{Anchor, Drawing, HATCHED, Paint};
use super::legend::{Key, stack};
use super::poisson::interval;
use super::scale::Scale;
use crate::text::shorten;

const LEFT: f64 = 50.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 8.0;
const MAIN: f64 = 190.0;
const GAP: f64 = 8.0;
const RATIO: f64 = 74.0;
const BOTTOM: f64 = 34.0;

/// Height for the names of channels below the bins.
const NAMES: f64 = 132.0;

/// Narrowest drawing and narrowest bin.
const WIDTH: f64 = 360.0;
const BIN: f64 = 10.0;

/// Ratio of the largest to the smallest total from which on the axis is logarithmic.
const LOGARITHMIC: f64 = 60.0;

struct Frame<'a> {
    bins: usize,
    /// Names below the bins, instead of their numbers.
    names: Option<&'a [String]>,
    bottom: f64,
    x: Scale,
    y: Scale,
    ratio: Scale,
    width: f64,
}

/// The drawing, and whether it needs a row of its own.
pub fn plot(channel: &ChannelYields, keys: &[Key], names: Option<&[String]>) -> (String, bool) {
    let bins = channel.observed.len();
    let width = (LEFT + RIGHT + BIN * bins as f64).max(WIDTH);
    let bottom = if names.is_some() { NAMES } else { BOTTOM };
    let frame = Frame {
        bins,
        names,
        bottom,
        x: Scale::linear((0.0, bins as f64), (LEFT, width - RIGHT)),
        y: vertical(channel),
        ratio: Scale::linear(
            ratio_range(channel),
            (TOP + MAIN + GAP + RATIO, TOP + MAIN + GAP),
        ),
        width,
    };
    let label = format!("yields of {} before and after the fit", channel.channel);
    let mut drawing = Drawing::new(width, TOP + MAIN + GAP + RATIO + frame.bottom, &label);
    draw_stack(&mut drawing, channel, keys, &frame);
    let low_high = |y: &Yield| {
        (
            y.value - y.error.unwrap_or(0.0),
            y.value + y.error.unwrap_or(0.0),
        )
    };
    let band: Vec<(f64, f64)> = channel.postfit.iter().map(low_high).collect();
    draw_band(&mut drawing, &band, frame.x, frame.y, Paint::fill(HATCHED));
    let before: Vec<f64> = channel.prefit.iter().map(|y| y.value).collect();
    drawing.path(
        &steps(&before, frame.x, frame.y),
        false,
        Paint::class("prefit"),
    );
    draw_ratio(&mut drawing, channel, &frame);
    draw_data(&mut drawing, channel, &frame);
    draw_axes(&mut drawing, &frame);
    (drawing.finish(1.35), width > WIDTH * 1.6)
}

/// The vertical axis: logarithmic where bins differ much.
fn vertical(channel: &ChannelYields) -> Scale {
    let tops = channel
        .postfit
        .iter()
        .chain(&channel.prefit)
        .map(|y| y.value + y.error.unwrap_or(0.0));
    let data = channel.observed.iter().map(|n| interval(*n).1);
    let largest = tops
        .chain(data)
        .filter(|x| x.is_finite())
        .fold(0.0, f64::max)
        .max(1e-9);
    let totals = channel.postfit.iter().map(|y| y.value).filter(|x| *x > 0.0);
    let smallest = totals.fold(f64::INFINITY, f64::min);
    let pixels = (TOP + MAIN, TOP);
    if smallest.is_finite() && largest / smallest > LOGARITHMIC {
        Scale::logarithmic((smallest * 0.3, largest * 3.0), pixels)
    } else {
        Scale::linear((0.0, largest * 1.08), pixels)
    }
}

/// The range of the ratio: what data and pre-fit need, between ±15 % and ±100 %.
fn ratio_range(channel: &ChannelYields) -> (f64, f64) {
    let mut reach: f64 = 0.15;
    for ((n, before), after) in channel
        .observed
        .iter()
        .zip(&channel.prefit)
        .zip(&channel.postfit)
    {
        let (low, high) = interval(*n);
        for x in [
            low / after.value,
            high / after.value,
            before.value / after.value,
        ] {
            if x.is_finite() {
                reach = reach.max((x - 1.0).abs());
            }
        }
    }
    let reach = (reach * 1.08).min(1.0);
    (1.0 - reach, 1.0 + reach)
}

/// The corners of a histogram.
fn steps(values: &[f64], x: Scale, y: Scale) -> Vec<(f64, f64)> {
    let corner =
        |(b, v): (usize, &f64)| [(x.at(b as f64), y.at(*v)), (x.at(b as f64 + 1.0), y.at(*v))];
    values.iter().enumerate().flat_map(corner).collect()
}

fn draw_stack(drawing: &mut Drawing, channel: &ChannelYields, keys: &[Key], frame: &Frame<'_>) {
    let mut below = vec![0.0; frame.bins];
    for key in keys {
        let samples = stack(channel, key, keys);
        if samples.is_empty() {
            continue;
        }
        let mut above = below.clone();
        for (total, b) in above.iter_mut().zip(0..) {
            *total += samples
                .iter()
                .filter_map(|s| s.postfit.get::<usize>(b))
                .sum::<f64>();
        }
        let mut outline = steps(&above, frame.x, frame.y);
        outline.extend(steps(&below, frame.x, frame.y).into_iter().rev());
        drawing.path(&outline, true, Paint::fill(key.colour));
        below = above;
    }
}

fn draw_band(drawing: &mut Drawing, band: &[(f64, f64)], x: Scale, y: Scale, paint: Paint) {
    let low: Vec<f64> = band.iter().map(|b| b.0).collect();
    let high: Vec<f64> = band.iter().map(|b| b.1).collect();
    let mut outline = steps(&high, x, y);
    outline.extend(steps(&low, x, y).into_iter().rev());
    drawing.path(&outline, true, paint);
}

fn draw_ratio(drawing: &mut Drawing, channel: &ChannelYields, frame: &Frame<'_>) {
    let relative = |y: &Yield| {
        let e = y.error.unwrap_or(0.0) / y.value;
        if e.is_finite() {
            (1.0 - e, 1.0 + e)
        } else {
            (1.0, 1.0)
        }
    };
    let band: Vec<(f64, f64)> = channel.postfit.iter().map(relative).collect();
    draw_band(drawing, &band, frame.x, frame.ratio, Paint::fill("#d5d8dd"));
    drawing.line(
        (LEFT, frame.ratio.at(1.0)),
        (frame.width - RIGHT, frame.ratio.at(1.0)),
        "zero",
    );
    let before: Vec<f64> = channel
        .prefit
        .iter()
        .zip(&channel.postfit)
        .map(|(b, a)| b.value / a.value)
        .map(|r| if r.is_finite() { r } else { 1.0 })
        .collect();
    drawing.path(
        &steps(&before, frame.x, frame.ratio),
        false,
        Paint::class("prefit"),
    );
}

fn draw_data(drawing: &mut Drawing, channel: &ChannelYields, frame: &Frame<'_>) {
    let (low, high) = ratio_range(channel);
    for (b, (n, fit)) in channel.observed.iter().zip(&channel.postfit).enumerate() {
        let x = frame.x.at(b as f64 + 0.5);
        let (from, to) = interval(*n);
        drawing.open_with_title(&format!(
            "bin {b}: observed {n}, after the fit {:.4}",
            fit.value
        ));
        drawing.line((x, frame.y.at(from)), (x, frame.y.at(to)), "data");
        drawing.disc(x, frame.y.at(*n), 2.6, "point data");
        let ratio = n / fit.value;
        if ratio.is_finite() {
            drawing.line(
                (x, frame.ratio.at(from / fit.value)),
                (x, frame.ratio.at(to / fit.value)),
                "data",
            );
            if (low..=high).contains(&ratio) {
                drawing.disc(x, frame.ratio.at(ratio), 2.6, "point data");
            } else {
                let foot = if ratio > high { 6.0 } else { -6.0 };
                let y = frame.ratio.at(ratio);
                drawing.path(
                    &[(x, y), (x - 3.5, y + foot), (x + 3.5, y + foot)],
                    true,
                    Paint::fill("#111"),
                );
            }
        }
        drawing.close();
    }
}

fn draw_axes(drawing: &mut Drawing, frame: &Frame<'_>) {
    let right = frame.width - RIGHT;
    let (top, bottom) = (TOP + MAIN, TOP + MAIN + GAP + RATIO);
    for (y0, y1) in [(TOP, top), (top + GAP, bottom)] {
        let corners = [(LEFT, y0), (right, y0), (right, y1), (LEFT, y1)];
        drawing.path(&corners, true, Paint::class("frame"));
    }
    for (scale, wished, name, middle) in [
        (frame.y, 5, "events per bin", TOP + MAIN / 2.0),
        (frame.ratio, 4, "data / fit", bottom - RATIO / 2.0),
    ] {
        for (value, label) in scale.ticks(wished) {
            let y = scale.at(value);
            let length = if label.is_empty() { 2.5 } else { 5.0 };
            drawing.line((LEFT, y), (LEFT + length, y), "mark");
            drawing.text(LEFT - 4.0, y + 3.4, Anchor::End, "tick", &label);
        }
        drawing.rotated_text(11.0, middle, -90.0, Anchor::Middle, "axis", name);
    }
    draw_bin_labels(drawing, frame, bottom);
}

/// Bins are numbered from 0, as in the names of their parameters.
fn draw_bin_labels(drawing: &mut Drawing, frame: &Frame<'_>, bottom: f64) {
    let right = frame.width - RIGHT;
    let room = (right - LEFT) / frame.bins.max(1) as f64;
    let every = ((22.0 / room).ceil() as usize).max(1);
    for b in 0..frame.bins {
        let x = frame.x.at(b as f64 + 0.5);
        if b > 0 {
            let edge = frame.x.at(b as f64);
            drawing.line((edge, bottom), (edge, bottom - 4.0), "mark");
        }
        if let Some(name) = frame.names.and_then(|n| n.get(b)) {
            let name = shorten(name, 20);
            drawing.rotated_text(x + 3.5, bottom + 8.0, -90.0, Anchor::End, "tick", &name);
        } else if b % every == 0 {
            drawing.text(x, bottom + 13.0, Anchor::Middle, "tick", &b.to_string());
        }
    }
    if frame.names.is_none() {
        let middle = f64::midpoint(LEFT, right);
        drawing.text(middle, bottom + 27.0, Anchor::Middle, "axis", "bin");
    }
}
