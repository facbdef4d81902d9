//! Rust source with comments and literals blanked, so that a rule sees code only.

/// `source` with comments, strings and character literals replaced by spaces; line breaks stay.
pub fn blanked(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end > at {
            out.extend(
                chars[at..end]
                    .iter()
                    .map(|&c| if c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// The end of the comment or literal that starts at `at`; `at` itself where none does.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
    match chars[at] {
        '/' if next(1) == '/' => chars[at..]
            .iter()
            .position(|&c| c == '\n')
            .map_or(chars.len(), |n| at + n),
        '/' if next(1) == '*' => block_comment_end(chars, at),
        '"' => string_end(chars, at + 1),
        'r' if !in_word(chars, at) => raw_string_end(chars, at),
        '\'' if next(1) == '\\' => {
            // The escaped character may itself be a quote.
            let close = chars.iter().skip(at + 3).position(|&c| c == '\'');
            close.map_or(chars.len(), |n| at + 3 + n + 1)
        }
        '\'' if next(2) == '\'' => at + 3,
        // A lifetime, or code.
        _ => at,
    }
}

/// Whether the character at `at` continues a word; `b` and `c` before a raw string do not count.
fn in_word(chars: &[char], at: usize) -> bool {
    let word = |back: usize| {
        at.checked_sub(back)
            .is_some_and(|n| chars[n].is_alphanumeric() || chars[n] == '_')
    };
    word(1) && (!matches!(chars[at - 1], 'b' | 'c') || word(2))
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut n) = (0_usize, at);
    while n + 1 < chars.len() {
        match (chars[n], chars[n + 1]) {
            ('/', '*') => {
                depth += 1;
                n += 2;
            }
            ('*', '/') => {
                depth -= 1;
                n += 2;
                if depth == 0 {
                    return n;
                }
            }
            _ => n += 1,
        }
    }
    chars.len()
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut n = start;
    while n < chars.len() {
        match chars[n] {
            '\\' => n += 2,
            '"' => return n + 1,
            _ => n += 1,
        }
    }
    chars.len()
}

fn raw_string_end(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
    let open = at + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return at;
    }
    let closes = |n: usize| {
        chars[n] == '"'
            && chars.len() > n + hashes
            && chars[n + 1..=n + hashes].iter().all(|&c| c == '#')
    };
    (open + 1..chars.len())
        .find(|&n| closes(n))
        .map_or(chars.len(), |n| n + 1 + hashes)
}

/// (line from 1, word) of each identifier or keyword.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.lines().enumerate().flat_map(|(number, line)| {
        line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty())
            .map(move |word| (number + 1, word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_comments_and_literals_and_keeps_code() {
        let squeezed = |source: &str| {
            blanked(source)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            squeezed("a // unsafe\nb /* unsafe /* x */ unsafe */ c"),
            "a b c"
        );
        assert_eq!(squeezed(r#"let s = "unsafe \" unsafe"; b"#), "let s = ; b");
        assert_eq!(
            squeezed("r#\"unsafe \" unsafe\"# + br\"unsafe\" + x"),
            "+ b + x"
        );
        assert_eq!(
            squeezed(r"['a', '\'', '\u{1f}', '\\'] + x"),
            "[ , , , ] + x"
        );
        assert_eq!(
            squeezed("fn f<'a>(x: &'a str, r: &'static u8)"),
            "fn f<'a>(x: &'a str, r: &'static u8)"
        );
        assert_eq!(squeezed("for r in bar { r }"), "for r in bar { r }");
    }

    #[test]
    fn lines_stay() {
        let source = "a\n/* b\nc */\n\"d\ne\"\nf";
        assert_eq!(blanked(source).lines().count(), source.lines().count());
        assert_eq!(
            words(&blanked(source)).collect::<Vec<_>>(),
            [(1, "a"), (6, "f")]
        );
    }
}
