//! Errors and warnings for people, on stderr: one sentence, the text at the place, a line of help.

use std::io::{IsTerminal, Write};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Snippet};
use pullback_stats::Place;

use crate::failure::Failure;

/// Warnings that are shown; a file with more has one cause for most of them.
const SHOWN: usize = 8;

/// Prints a failure.
pub fn print(failure: &Failure) {
    let styled = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let text = render(failure, styled);
    // Nothing is left to do if stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints what is accepted but should be looked at.
pub fn print_warnings(warnings: &[String]) {
    let mut stderr = std::io::stderr().lock();
    for warning in warnings.iter().take(SHOWN) {
        let _ = writeln!(stderr, "warning: {warning}");
    }
    if warnings.len() > SHOWN {
        let _ = writeln!(
            stderr,
            "warning: {} more warnings (all are in --json)",
            warnings.len() - SHOWN
        );
    }
}

fn render(failure: &Failure, styled: bool) -> String {
    if let Failure::Analysis { error } = failure {
        return pullback_analysis::render(error, styled);
    }
    let title = failure.to_string();
    let help = failure.help();
    let mut group = Group::with_title(Level::ERROR.primary_title(title).id(failure.code()));
    if let Failure::Document { path, error } = failure {
        group = match error.place() {
            Some(place) => located(group, path, place),
            None => group.element(Origin::path(path.clone())),
        };
    }
    pullback_analysis::draw(group.element(Level::HELP.message(help)), styled)
}

/// Adds the text at the place, or at least the file.
fn located<'a>(group: Group<'a>, path: &'a str, place: &'a Place) -> Group<'a> {
    let origin = Origin::path(path);
    let (Some(position), Some(excerpt)) = (place.position, &place.excerpt) else {
        return group.element(origin);
    };
    let start = excerpt
        .text
        .char_indices()
        .nth(excerpt.caret)
        .map_or(excerpt.text.len(), |(i, _)| i);
    let end = token_end(&excerpt.text, start);
    let snippet = Snippet::source(excerpt.text.as_str())
        .line_start(position.line)
        .path(None::<&str>)
        .annotation(AnnotationKind::Primary.span(start..end).label("here"));
    group
        .element(origin.line(position.line).char_column(position.column))
        .element(snippet)
}

/// The end of the JSON token that starts at a byte: a number, word or string, else one character.
fn token_end(text: &str, start: usize) -> usize {
    let rest = &text[start..];
    let Some(first) = rest.chars().next() else {
        return start;
    };
    let length = if first == '"' {
        rest[1..].find('"').map_or(rest.len(), |i| i + 2)
    } else if first.is_alphanumeric() || first == '-' {
        rest.find(|c: char| !(c.is_alphanumeric() || "+-.".contains(c)))
            .unwrap_or(rest.len())
    } else {
        first.len_utf8()
    };
    start + length
}
