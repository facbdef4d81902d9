//! A fit for people: in words whether it worked, then parameters and yields.

use std::fmt::Write;

use pullback_stats::fit::FitResult;

use super::rounding::{round, significant};
use super::table::wrap;
use super::{parameters, yields};

/// What was fitted.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The file, or what the workspace is called.
    pub title: &'a str,
    /// Channels that were left out.
    pub left_out: &'a [String],
    /// The data, if they are not the observed ones.
    pub data: Option<&'a str>,
}

/// In words: did it work?
pub fn headline(result: &FitResult) -> String {
    let status = result.status.trim().trim_end_matches('.');
    if result.converged {
        match status.strip_prefix("converged") {
            Some(rest) => format!("The fit converged{rest}."),
            None => format!("The fit converged: {status}."),
        }
    } else {
        let rest = status.strip_prefix("not converged").unwrap_or(status);
        let rest = rest.trim_start_matches([':', ' ']);
        if rest.is_empty() {
            "The fit did NOT converge.".to_owned()
        } else {
            format!("The fit did NOT converge: {rest}.")
        }
    }
}

/// The whole text.
pub fn fit(result: &FitResult, about: About<'_>, all: bool, width: usize) -> String {
    let mut text = format!("{}\n", headline(result));
    if !result.converged {
        text.push_str(
            "The numbers below are those of the best point that was found, not of a minimum.\n",
        );
    }
    text.push('\n');
    if let Some(poi) = result.poi.and_then(|i| result.parameters.get(i)) {
        let side = poi
            .at_bound
            .map_or(String::new(), |s| format!(" (at its {} bound)", s.as_str()));
        let held = if poi.fixed { " (held)" } else { "" };
        let _ = writeln!(
            text,
            "  {} = {}{side}{held}\n",
            poi.name,
            round(poi.value, poi.error).text()
        );
    }
    let mut say = |sentence: &str| text.push_str(&wrap(sentence, width, 0));
    say(&format!(
        "{}, measurement {}",
        about.title, result.measurement
    ));
    if !about.left_out.is_empty() {
        let kept: Vec<&str> = result.yields.iter().map(|c| c.channel.as_str()).collect();
        let (kept, left_out) = (kept.join(", "), about.left_out.join(", "));
        say(&format!(
            "Fitted: {kept}. Left out, with their data not looked at: {left_out}."
        ));
    }
    if let Some(data) = about.data {
        say(&format!("Fitted to {data}, not to the observed data."));
    }
    let s = &result.seconds;
    let _ = writeln!(
        text,
        "twice_nll {:.6}, edm {}; {}, {}",
        result.twice_nll,
        significant(result.edm, 2),
        count(result.iterations, "iteration"),
        count(result.evaluations, "evaluation"),
    );
    let _ = writeln!(
        text,
        "read {}, compile {}, fit {}, covariance {}",
        duration(s.read),
        duration(s.compile),
        duration(s.fit),
        duration(s.covariance)
    );
    match (&result.covariance, &result.covariance_note) {
        (None, Some(note)) => {
            text.push_str(&wrap(&format!("There are no errors: {note}."), width, 0));
        }
        (None, None) => {
            text.push_str("There are no errors: the covariance could not be computed.\n");
        }
        (Some(_), Some(note)) => text.push_str(&wrap(&format!("Errors: {note}."), width, 0)),
        (Some(_), None) => {}
    }
    text.push_str(&parameters::tables(result, all, width));
    text.push_str(&yields::tables(result, all, width));
    text
}

/// `1 step`, `2 steps`.
pub fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Seconds as a person reads them.
pub fn duration(seconds: f64) -> String {
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else if seconds >= 1e-3 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{:.0} µs", seconds * 1e6)
    }
}
