//! An error for people: one sentence, the text at the place with a mark below it, a line of help.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::error::Error;
use crate::place::Place;

/// Longest line that is shown as a whole, in bytes.
const WIDEST: usize = 400;

/// Draws an error with the lines where it stands; `styled` with the colours of a terminal.
///
/// # Example
/// ```
/// use pullback_analysis::{render, syntax::parse};
/// let error = parse(&"pt > 25 GeW".into()).unwrap_err();
/// let text = render(&error, false);
/// assert!(text.contains("1 | pt > 25 GeW\n  |         ^^^ here"), "{text}");
/// assert!(text.contains("did you mean `GeV`"), "{text}");
/// ```
pub fn render(error: &Error, styled: bool) -> String {
    let help = error.help();
    let mut title = error.to_string();
    if let Some(place) = error.place() {
        // The place is drawn below.
        if let Some(bare) = title.strip_suffix(&format!(" ({place})")) {
            title.truncate(bare.len());
        }
    }
    let mut group = Group::with_title(Level::ERROR.primary_title(title).id(error.code()));
    if let Some(place) = error.place() {
        group = located(group, place);
    }
    if !help.is_empty() {
        group = group.element(Level::HELP.message(help));
    }
    draw(group, styled)
}

/// Draws a message as all of them are drawn; `styled` with the colours of a terminal.
pub fn draw(group: Group<'_>, styled: bool) -> String {
    let renderer = if styled {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let text = renderer.decor_style(DecorStyle::Ascii).render(&[group]);
    // The renderer marks the step from the place to the text with a line of its own.
    let lines = text.lines().filter(|l| without_styles(l).trim() != ":::");
    lines.collect::<Vec<_>>().join("\n")
}

/// A line without its terminal escapes (`ESC [ … m`).
fn without_styles(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    out
}

fn located<'a>(group: Group<'a>, place: &'a Place) -> Group<'a> {
    let (line, column) = place.source.position(place.span);
    let key = place.source.key();
    let origin = match (place.source.path(), key) {
        (Some(path), _) => path.to_owned(),
        (None, "") => "expression".to_owned(),
        (None, key) => key.to_owned(),
    };
    let group = group.element(Origin::path(origin).line(line).char_column(column));
    let (text, first, span) = place.source.lines(place.span);
    if text.len() > WIDEST {
        return group;
    }
    // An error at the end of the text marks the place behind it.
    let end = span.end.clamp(span.start, text.len());
    let label = if key.is_empty() || place.source.path().is_none() {
        "here".to_owned()
    } else {
        format!("in {key}")
    };
    let mark = AnnotationKind::Primary.span(span.start.min(end)..end);
    group.element(
        Snippet::source(text)
            .line_start(first)
            .path(None::<&str>)
            .annotation(mark.label(label)),
    )
}
