//! What comes out of an optimisation, for people.

use pullback_analysis::optimize::{Ended, Outcome, Quote};

use super::fit::{count, duration};
use super::rounding::{round, significant};
use super::table::{Align, render, wrap};
use crate::verbs::{InFolds, Optimized};

/// The whole text; `written` are the files that were written.
pub fn optimize(found: &Optimized, written: &[String], width: usize) -> String {
    let o = &found.outcome;
    let mut text = format!("{}\n{}\n", found.after.file.title, headline(found));
    text.push_str(&objective(o, width));
    if let Some(folds) = &found.folds {
        text.push_str(&table_of_folds(found, folds, width));
    }
    text.push_str(&quantities(o, width));
    text.push_str(&impacts(o, width));
    text.push_str(&facts(o, width));
    text.push_str(&super::run::files(written, " --asimov 0"));
    text
}

/// What happened, in a sentence.
pub fn headline(found: &Optimized) -> String {
    let [before, after] = found.quotes();
    let gain = found.gain();
    let error = 100.0 * (after.uncertainty / after.value).hypot(before.uncertainty / before.value);
    let word = if gain >= 0.0 { "better" } else { "worse" };
    let events = match found.folds {
        Some(_) => "on all events, each judged by what was learned without it",
        None => "on events that were not optimised on",
    };
    format!(
        "{} {} → {}: {:.1} % {word} (± {:.1} % if the events before and after were not the same), exact, {events}",
        found.outcome.objective,
        quoted(before),
        quoted(after),
        100.0 * gain.abs(),
        error,
    )
}

/// A column for each fold: what it found, and the exact objective on its events.
pub fn folds(found: &Optimized, folds: &InFolds) -> (Vec<String>, Vec<Vec<String>>) {
    let count = found.outcomes().count();
    let mut header = vec!["folds".to_owned(), "before".to_owned()];
    header.extend((1..=count).map(|k| format!("fold {k}")));
    header.push("all events".to_owned());
    let [before, after] = folds.quotes.each_ref().map(quoted);
    let row = |name: String, cells: &dyn Fn(&Outcome) -> String, ends: [String; 2]| {
        let [first, last] = ends;
        let mut row = vec![name, first];
        row.extend(found.outcomes().map(cells));
        row.push(last);
        row
    };
    let o = &found.outcome;
    let mut rows = vec![row(
        format!("{}, exact, its own events", o.objective),
        &|o| quoted(&o.after[2]),
        [before, after],
    )];
    rows.extend(o.quantities.iter().enumerate().map(|(k, q)| {
        let cell = |o: &Outcome| significant(o.quantities[k].after, 4);
        row(
            q.name.clone(),
            &cell,
            [significant(q.before, 4), String::new()],
        )
    }));
    (header, rows)
}

fn table_of_folds(found: &Optimized, of: &InFolds, width: usize) -> String {
    let (header, rows) = folds(found, of);
    let header: Vec<(&str, Align)> = (header.iter().enumerate())
        .map(|(k, h)| (h.as_str(), if k == 0 { Align::Name } else { Align::Right }))
        .collect();
    let note = "  what follows is of the first fold\n";
    format!("\n{}{note}", render(&header, &rows, width))
}

/// An exact value with its uncertainty.
pub fn quoted(quote: &Quote) -> String {
    round(quote.value, Some(quote.uncertainty)).text()
}

fn objective(o: &Outcome, width: usize) -> String {
    let header = [
        (o.objective, Align::Name),
        ("training", Align::Right),
        ("validation", Align::Right),
        ("test", Align::Right),
    ];
    let exact = |name: &str, quotes: &[Quote; 3]| {
        let mut row = vec![name.to_owned()];
        row.extend(quotes.iter().map(quoted));
        row
    };
    let soft = vec![
        "soft, after".to_owned(),
        significant(o.soft[0], 4),
        String::new(),
        significant(o.soft[1], 4),
    ];
    let rows = [
        exact("exact, before", &o.before),
        exact("exact, after", &o.after),
        soft,
    ];
    let note = wrap(
        &format!(
            "the exact objective on test events is {:+.1} % from the soft one on training events; errors are those of the number of simulated events of each part",
            100.0 * o.distance()
        ),
        width,
        2,
    );
    format!("\n{}{note}", render(&header, &rows, width))
}

fn quantities(o: &Outcome, width: usize) -> String {
    let header = [
        ("free", Align::Name),
        ("before", Align::Right),
        ("after", Align::Right),
        ("range", Align::Right),
        ("slope before", Align::Right),
        ("slope after", Align::Right),
    ];
    let rows: Vec<Vec<String>> = (o.quantities.iter())
        .map(|q| {
            vec![
                q.name.clone(),
                significant(q.before, 4),
                significant(q.after, 4),
                format!(
                    "{} … {}",
                    significant(q.range[0], 4),
                    significant(q.range[1], 4)
                ),
                significant(q.slopes[0], 3),
                significant(q.slopes[1], 3),
            ]
        })
        .collect();
    let note = "  slope: the derivative of the soft objective by the quantity\n";
    format!("\n{}{note}", render(&header, &rows, width))
}

fn impacts(o: &Outcome, width: usize) -> String {
    let header = [
        ("systematic", Align::Name),
        ("objective without it", Align::Right),
        ("change", Align::Right),
        ("slope by its size", Align::Right),
    ];
    let value = o.after[2].value;
    let mut sorted: Vec<_> = o.impacts.iter().collect();
    sorted.sort_by(|a, b| {
        let far = |x: f64| (x - value).abs();
        far(b.without).total_cmp(&far(a.without))
    });
    let rows: Vec<Vec<String>> = (sorted.into_iter())
        .map(|i| {
            vec![
                i.name.clone(),
                significant(i.without, 4),
                format!("{:+.2} %", 100.0 * (i.without / value - 1.0)),
                significant(i.slope, 3),
            ]
        })
        .collect();
    format!("\n{}", render(&header, &rows, width))
}

fn facts(o: &Outcome, width: usize) -> String {
    format!("\n{}", wrap(&steps(o), width, 0))
}

/// How it went, in two sentences.
pub fn steps(o: &Outcome) -> String {
    let ended = match o.ended {
        Ended::Steps => "all were made",
        Ended::Patience => "validations did not improve any more",
        Ended::Stopped => "stopped; the best step was kept",
    };
    format!(
        "{} in {}, {ended}; the best was step {}. {} soft, widths {} of the spread there.",
        count(o.history.len(), "step"),
        duration(o.seconds),
        o.best_step,
        count(o.decisions, "decision"),
        significant(o.temperature, 2),
    )
}
