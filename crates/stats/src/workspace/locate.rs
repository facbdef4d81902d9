//! From a JSON pointer to line and column, and the excerpt there. Runs only when there is something to report.

use std::borrow::Cow;

use crate::error::{Error, Excerpt, Place, Position};

/// Escapes a key for a JSON pointer (RFC 6901, section 3).
pub(super) fn escape(key: &str) -> Cow<'_, str> {
    if key.contains(['~', '/']) {
        Cow::Owned(key.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(key)
    }
}

/// Undoes [`escape`]; `None` if a `~` is followed by something else than 0 or 1.
pub(super) fn unescape(token: &str) -> Option<Cow<'_, str>> {
    if !token.contains('~') {
        return Some(Cow::Borrowed(token));
    }
    let mut out = String::with_capacity(token.len());
    let mut chars = token.chars();
    while let Some(c) = chars.next() {
        match c {
            '~' => match chars.next() {
                Some('0') => out.push('~'),
                Some('1') => out.push('/'),
                _ => return None,
            },
            c => out.push(c),
        }
    }
    Some(Cow::Owned(out))
}

/// Fills in line, column and excerpt of the places of an error.
pub(crate) fn locate_error(mut error: Error, text: &str) -> Error {
    for place in error.places_mut().into_iter().flatten() {
        locate_place(place, text);
    }
    error
}

/// Fills in line, column and excerpt of a place that has only a pointer.
pub(super) fn locate_place(place: &mut Place, text: &str) {
    if place.position.is_none()
        && let Some(offset) = offset_of(text, &place.pointer)
    {
        point_at(place, text, offset);
    }
}

/// Sets line, column and excerpt of a place from a byte offset.
pub(super) fn point_at(place: &mut Place, text: &str, offset: usize) {
    /// Characters shown before and after the place.
    const BEFORE: usize = 40;
    const AFTER: usize = 40;
    let offset = floor_char_boundary(text, offset);
    let (head, tail) = text.split_at(offset);
    let line = head.bytes().filter(|b| *b == b'\n').count() + 1;
    let line_start = head.rfind('\n').map_or(0, |i| i + 1);
    let before = &head[line_start..];
    let column = before.chars().count() + 1;
    place.position = Some(Position { line, column });

    let tail = &tail[..tail.find(['\n', '\r']).unwrap_or(tail.len())];
    let mut shown = String::new();
    let cut = before
        .char_indices()
        .rev()
        .nth(BEFORE - 1)
        .map_or(0, |(i, _)| i);
    if cut > 0 {
        shown.push('…');
    }
    shown.push_str(&before[cut..]);
    let caret = shown.chars().count();
    match tail.char_indices().nth(AFTER) {
        Some((end, _)) => {
            shown.push_str(&tail[..end]);
            shown.push('…');
        }
        None => shown.push_str(tail),
    }
    // Control characters, tabs among them, would break the alignment of the caret.
    let text = shown
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    place.excerpt = Some(Excerpt { text, caret });
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Byte offset of a line and a byte column, both from 1, as `serde_json` counts them.
pub(super) fn offset_of_line_column(text: &str, line: usize, column: usize) -> usize {
    let start = if line <= 1 {
        0
    } else {
        text.bytes()
            .enumerate()
            .filter(|(_, b)| *b == b'\n')
            .nth(line - 2)
            .map_or(text.len(), |(i, _)| i + 1)
    };
    (start + column.saturating_sub(1)).min(text.len())
}

/// Byte offset of the value that a pointer names, in a text that is valid JSON at least up to there.
fn offset_of(text: &str, pointer: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = skip_space(bytes, 0);
    if pointer.is_empty() {
        return Some(at);
    }
    for token in pointer.strip_prefix('/')?.split('/') {
        let token = unescape(token)?;
        at = match bytes.get(at)? {
            b'{' => find_key(text, at, &token)?,
            b'[' => find_index(bytes, at, token.parse().ok()?)?,
            _ => return None,
        };
    }
    Some(at)
}

fn find_key(text: &str, open: usize, key: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = skip_space(bytes, open + 1);
    while *bytes.get(at)? == b'"' {
        let end = skip_string(bytes, at)?;
        let found = matches_key(&text[at..end], key);
        at = skip_space(bytes, end);
        if *bytes.get(at)? != b':' {
            return None;
        }
        at = skip_space(bytes, at + 1);
        if found {
            return Some(at);
        }
        at = next_element(bytes, at)?;
    }
    None
}

fn matches_key(quoted: &str, key: &str) -> bool {
    if quoted.contains('\\') {
        return serde_json::from_str::<String>(quoted).is_ok_and(|k| k == key);
    }
    quoted.get(1..quoted.len() - 1) == Some(key)
}

fn find_index(bytes: &[u8], open: usize, index: usize) -> Option<usize> {
    let mut at = skip_space(bytes, open + 1);
    for _ in 0..index {
        at = next_element(bytes, at)?;
    }
    (*bytes.get(at)? != b']').then_some(at)
}

/// From the start of a value to the start of the next one (or of the next key) in the same container.
fn next_element(bytes: &[u8], at: usize) -> Option<usize> {
    let at = skip_space(bytes, skip_value(bytes, at)?);
    (*bytes.get(at)? == b',').then(|| skip_space(bytes, at + 1))
}

/// The end of the value that starts at `at`. Iterative: depth costs no stack.
fn skip_value(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at)? {
            b'"' => at = skip_string(bytes, at)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
                continue;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            _ => {
                while bytes.get(at).is_some_and(|b| {
                    !matches!(b, b',' | b':' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r')
                }) {
                    at += 1;
                }
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

fn skip_string(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes
        .get(at)
        .is_some_and(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'))
    {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_find_their_values() {
        let text = "{\n  \"a/b\": [1, {\"x\\u0041\": \"],}\"}, [[]]],\n  \"m~n\": {\"k\": -2e3}\n}";
        for (pointer, start) in [
            ("", "{\n"),
            ("/a~1b", "[1"),
            ("/a~1b/0", "1,"),
            ("/a~1b/1/xA", "\"],}\""),
            ("/a~1b/2", "[[]]]"),
            ("/a~1b/2/0", "[]]]"),
            ("/m~0n/k", "-2e3"),
        ] {
            let offset = offset_of(text, pointer).unwrap();
            assert!(
                text[offset..].starts_with(start),
                "{pointer}: {}",
                &text[offset..]
            );
        }
        for pointer in ["/a~1b/3", "/z", "/a~1b/x", "/m~0n/k/0", "/a~2", "a"] {
            assert_eq!(offset_of(text, pointer), None, "{pointer}");
        }
    }

    #[test]
    fn excerpts_are_cut_and_the_caret_is_under_the_place() {
        let text = format!("[\n{}\"é\", 7, {}]", "1, ".repeat(50), "2, ".repeat(50));
        let offset = text.find('7').unwrap();
        let mut place = Place::default();
        point_at(&mut place, &text, offset);
        let excerpt = place.excerpt.unwrap();
        assert_eq!(
            place.position,
            Some(Position {
                line: 2,
                column: 156
            })
        );
        assert_eq!(excerpt.text.chars().nth(excerpt.caret), Some('7'));
        assert!(excerpt.text.starts_with('…') && excerpt.text.ends_with('…'));
    }
}
