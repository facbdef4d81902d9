//! The numbers of a picture, beside it.

use std::fmt::Write;

use pullback_analysis::optimize::{Moved, Outcome};
use pullback_analysis::run::{Bins, Cutflow, Results};

/// A field, quoted where it has to be (RFC 4180).
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A line per process and bin.
pub fn bins(edges: &[f64], contents: &[(String, &Bins)]) -> String {
    let mut out = String::from("process,low,high,sum,error,entries\n");
    for (process, bins) in contents {
        for (k, e) in edges.windows(2).enumerate() {
            let error = bins.variances[k].max(0.0).sqrt();
            let _ = writeln!(
                out,
                "{},{},{},{},{error},{}",
                field(process),
                e[0],
                e[1],
                bins.sums[k],
                bins.entries[k]
            );
        }
    }
    out
}

/// A line per cut and process.
pub fn cutflow(results: &Results, cutflow: &Cutflow) -> String {
    let mut out = String::from("cut,process,sum,error,entries\n");
    let seen = results.observed[cutflow.region].as_ref();
    for (k, step) in cutflow.steps.iter().enumerate() {
        let cut = field(&step.cut);
        for (process, bins) in results.processes.iter().zip(&step.yields) {
            let (sum, error) = bins.total();
            let entries = bins.entries[0];
            let _ = writeln!(out, "{cut},{},{sum},{error},{entries}", field(process));
        }
        if let Some(n) = seen.map(|s| s[k]) {
            let _ = writeln!(out, "{cut},data,{n},{},{n}", n.sqrt());
        }
    }
    out
}

/// A line per step of an optimisation.
pub fn history(outcome: &Outcome) -> String {
    let mut out = String::from("start,step,widths,soft,penalty,validation\n");
    for r in &outcome.history {
        let exact = r.validation.map_or(String::new(), |v| v[0].to_string());
        let _ = writeln!(
            out,
            "{},{},{},{},{},{exact}",
            r.start, r.step, r.temperature, r.soft, r.penalty
        );
    }
    out
}

/// A line per free quantity.
pub fn quantities(all: &[Moved]) -> String {
    let mut out = String::from("quantity,low,high,before,after,slope_before,slope_after\n");
    for q in all {
        let [low, high] = q.range;
        let [first, last] = q.slopes;
        let _ = writeln!(
            out,
            "{},{low},{high},{},{},{first},{last}",
            field(&q.name),
            q.before,
            q.after
        );
    }
    out
}

/// A line per systematic.
pub fn impacts(outcome: &Outcome) -> String {
    let mut out = String::from("systematic,objective,without,slope\n");
    let value = outcome.after[2].value;
    for i in &outcome.impacts {
        let _ = writeln!(out, "{},{value},{},{}", field(&i.name), i.without, i.slope);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_commas_are_quoted() {
        assert_eq!(field("MET.pt > 30"), "MET.pt > 30");
        assert_eq!(field("a, \"b\""), "\"a, \"\"b\"\"\"");
    }
}
