//! One line of the table: what, ours, the reference, the ratio, what is required.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;

use crate::measure::{Paired, Stats};

/// The environment variable with the file that JSON lines are appended to.
pub const JSON_PATH_VARIABLE: &str = "PULLBACK_BENCH_JSON";

/// How a figure stands against its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// At or below the aim (or the requirement, where no aim is stated).
    Aim,
    /// At or below the requirement.
    Required,
    /// Only an aim is stated, and it is not reached.
    AboveAim,
    /// Above the requirement.
    Missed,
    /// Nothing is required.
    None,
}

impl Verdict {
    /// The word in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Aim => "good",
            Self::Required => "ok",
            Self::AboveAim => "above aim",
            Self::Missed => "MISSED",
            Self::None => "-",
        }
    }
}

/// What the limits apply to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Ratio,
    Value,
}

/// A figure with its reference and its limits; smaller is better.
#[derive(Clone, Debug)]
#[must_use = "a row is only seen after `.report()`"]
pub struct Row {
    name: String,
    ours: f64,
    median: Option<f64>,
    unit: String,
    reference: Option<f64>,
    reference_name: String,
    historical: bool,
    on: On,
    required: Option<f64>,
    aim: Option<f64>,
}

impl Row {
    /// A figure in any unit (`MiB`, `ulp`, ..).
    pub fn value(name: impl Into<String>, ours: f64, unit: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ours,
            median: None,
            unit: unit.into(),
            reference: None,
            reference_name: String::new(),
            historical: false,
            on: On::Value,
            required: None,
            aim: None,
        }
    }

    /// A time in seconds.
    pub fn time(name: impl Into<String>, seconds: f64) -> Self {
        Self::value(name, seconds, "s")
    }

    /// A time with the median as a measure of the noise.
    pub fn stats(name: impl Into<String>, stats: &Stats) -> Self {
        let mut row = Self::time(name, stats.min);
        row.median = Some(stats.median);
        row
    }

    /// Ours and a reference from one interleaved measurement.
    pub fn paired(name: impl Into<String>, pair: &Paired) -> Self {
        Self::stats(name, &pair.ours).reference(pair.reference.min, "")
    }

    /// A reference measured in this run, in the unit of the row, and what it is.
    pub fn reference(mut self, reference: f64, what: impl Into<String>) -> Self {
        self.reference = Some(reference);
        self.reference_name = what.into();
        self
    }

    /// A reference measured elsewhere, given for orientation, and its source.
    pub fn historical(mut self, reference: f64, source: impl Into<String>) -> Self {
        self.historical = true;
        self.reference(reference, source)
    }

    /// Limits on ours over the reference (`None` where none is stated).
    pub fn ratio_at_most(
        self,
        required: impl Into<Option<f64>>,
        aim: impl Into<Option<f64>>,
    ) -> Self {
        self.limits(On::Ratio, required.into(), aim.into())
    }

    /// Limits on the figure itself, in the unit of the row (`None` where none is stated).
    pub fn value_at_most(
        self,
        required: impl Into<Option<f64>>,
        aim: impl Into<Option<f64>>,
    ) -> Self {
        self.limits(On::Value, required.into(), aim.into())
    }

    fn limits(mut self, on: On, required: Option<f64>, aim: Option<f64>) -> Self {
        self.on = on;
        self.required = required;
        self.aim = aim;
        self
    }

    /// Ours over the reference.
    pub fn ratio(&self) -> Option<f64> {
        self.reference.map(|reference| self.ours / reference)
    }

    /// How the figure stands against its limits. NaN, or a missing reference of a required ratio, is a miss.
    pub fn verdict(&self) -> Verdict {
        let figure = match self.on {
            On::Ratio => self.ratio().unwrap_or(f64::NAN),
            On::Value => self.ours,
        };
        match (self.required, self.aim) {
            (None, None) => Verdict::None,
            (_, Some(aim)) if figure <= aim => Verdict::Aim,
            (None, Some(_)) => Verdict::AboveAim,
            (Some(required), None) if figure <= required => Verdict::Aim,
            (Some(required), _) if figure <= required => Verdict::Required,
            (Some(_), _) => Verdict::Missed,
        }
    }

    /// Prints the line, and appends its JSON to the file named by [`JSON_PATH_VARIABLE`].
    ///
    /// # Panics
    /// When that file cannot be written: a bench whose figures are lost has failed.
    pub fn report(self) {
        println!("{}", self.human());
        if let Some(path) = std::env::var_os(JSON_PATH_VARIABLE) {
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)
                .and_then(|mut file| writeln!(file, "{}", self.json()))
                .unwrap_or_else(|error| panic!("cannot append to {}: {error}", path.display()));
        }
    }

    fn human(&self) -> String {
        let mut line = format!("{:<58} {:>10}", self.name, with_unit(self.ours, &self.unit));
        if let Some(median) = self.median {
            let _ = write!(line, " (median {})", with_unit(median, &self.unit));
        }
        if let (Some(reference), Some(ratio)) = (self.reference, self.ratio()) {
            let mark = if self.historical { "historical " } else { "" };
            let name = &self.reference_name;
            let space = if name.is_empty() { "" } else { " " };
            let reference = with_unit(reference, &self.unit);
            let _ = write!(line, ", {mark}{name}{space}{reference}, ratio {ratio:.2}");
        }
        if self.verdict() != Verdict::None {
            let limit = |limit: Option<f64>| match (limit, self.on) {
                (None, _) => "-".to_owned(),
                (Some(limit), On::Ratio) => format!("{limit}x"),
                (Some(limit), On::Value) => with_unit(limit, &self.unit),
            };
            let (required, aim) = (limit(self.required), limit(self.aim));
            let word = self.verdict().word();
            let _ = write!(line, " [required {required}, aim {aim}: {word}]");
        }
        line
    }

    fn json(&self) -> String {
        let number = |value: Option<f64>| match value {
            Some(value) if value.is_finite() => format!("{value:e}"),
            _ => "null".to_owned(),
        };
        let on = match self.on {
            On::Ratio => "ratio",
            On::Value => "value",
        };
        format!(
            "{{\"name\":{},\"ours\":{},\"reference\":{},\"ratio\":{},\"required\":{},\"aim\":{},\"unit\":{},\
             \"on\":\"{on}\",\"historical\":{},\"reference_name\":{},\"median\":{},\"verdict\":\"{}\"}}",
            quoted(&self.name),
            number(Some(self.ours)),
            number(self.reference),
            number(self.ratio()),
            number(self.required),
            number(self.aim),
            quoted(&self.unit),
            self.historical,
            quoted(&self.reference_name),
            number(self.median),
            self.verdict().word(),
        )
    }
}

/// A figure with three or four significant digits; seconds are scaled to ns, µs, ms.
fn with_unit(value: f64, unit: &str) -> String {
    let (scaled, unit) = match unit {
        "s" if value.abs() < 0.9995e-6 => (value * 1e9, "ns"),
        "s" if value.abs() < 0.9995e-3 => (value * 1e6, "µs"),
        "s" if value.abs() < 0.9995 => (value * 1e3, "ms"),
        _ => (value, unit),
    };
    let digits = match scaled.abs() {
        x if x >= 99.95 => 0,
        x if x >= 9.995 => 1,
        x if x >= 0.9995 => 2,
        _ => 3,
    };
    format!("{scaled:.digits$} {unit}")
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_follow_the_limits() {
        let ratio = |ours: f64| {
            Row::time("x", ours)
                .reference(1.0, "ref")
                .ratio_at_most(1.6, 1.2)
        };
        assert_eq!(ratio(1.2).verdict(), Verdict::Aim);
        assert_eq!(ratio(1.5).verdict(), Verdict::Required);
        assert_eq!(ratio(1.7).verdict(), Verdict::Missed);
        assert_eq!(ratio(f64::NAN).verdict(), Verdict::Missed);
        assert_eq!(Row::time("x", 1.0).verdict(), Verdict::None);
        let no_reference = Row::time("x", 1.0).ratio_at_most(1.6, 1.2);
        assert_eq!(no_reference.verdict(), Verdict::Missed);
        let only_aim = Row::time("x", 2e-6).value_at_most(None, 1e-6);
        assert_eq!(only_aim.verdict(), Verdict::AboveAim);
    }

    #[test]
    fn units_are_readable() {
        assert_eq!(with_unit(1.234e-9, "s"), "1.23 ns");
        assert_eq!(with_unit(41e-6, "s"), "41.0 µs");
        assert_eq!(with_unit(0.123456, "s"), "123 ms");
        assert_eq!(with_unit(0.99999e-3, "s"), "1.00 ms");
        assert_eq!(with_unit(0.5, "ulp"), "0.500 ulp");
    }

    #[test]
    fn json_and_human_lines() {
        let row = Row::time("chain \"1e5\"", 1.5e-3)
            .reference(1e-3, "by hand")
            .ratio_at_most(1.6, 1.2);
        assert_eq!(
            row.json(),
            "{\"name\":\"chain \\\"1e5\\\"\",\"ours\":1.5e-3,\"reference\":1e-3,\"ratio\":1.5e0,\"required\":1.6e0,\
             \"aim\":1.2e0,\"unit\":\"s\",\"on\":\"ratio\",\"historical\":false,\"reference_name\":\"by hand\",\
             \"median\":null,\"verdict\":\"ok\"}"
        );
        let line = row.human();
        assert!(
            line.ends_with("1.50 ms, by hand 1.00 ms, ratio 1.50 [required 1.6x, aim 1.2x: ok]"),
            "{line}"
        );
    }
}
