//! `ARCHITECTURE.md`: each numbered invariant ends with `(test: name)`, and a test of that name exists.

use std::collections::HashSet;

use super::run::{Finding, RustFile};

const PAGE: &str = "ARCHITECTURE.md";

/// Invariants without a test, and tests that do not exist.
pub fn invariants(page: &str, files: &[RustFile]) -> Vec<Finding> {
    let items = items(page);
    if items.is_empty() {
        return vec![Finding::error(
            PAGE,
            0,
            "no numbered list under a heading 'Invariants'",
        )];
    }
    let mut tests = HashSet::new();
    for file in files {
        tests.extend(test_names(&file.code));
    }
    let mut found = Vec::new();
    for (line, text) in items {
        let text = text.trim_end().trim_end_matches('.');
        if !(text.contains("(test: ") && text.ends_with(')')) {
            let message = "an invariant ends with `(test: name)`: which test guards it?";
            found.push(Finding::error(PAGE, line, message));
        }
        let groups = text
            .split("(test: ")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'));
        for name in groups.flat_map(|(names, _)| names.split(',')) {
            let name = name.trim().trim_matches('`');
            let function = name.rsplit("::").next().unwrap_or(name);
            if !tests.contains(function) {
                found.push(Finding::error(
                    PAGE,
                    line,
                    format!("there is no test '{name}'"),
                ));
            }
        }
    }
    found
}

/// (line, text) of each `N. ..` below the heading, continuation lines joined.
fn items(page: &str) -> Vec<(usize, String)> {
    let mut items: Vec<(usize, String)> = Vec::new();
    let (mut inside, mut open) = (false, false);
    for (number, line) in page.lines().enumerate() {
        if line.starts_with('#') {
            inside = line.contains("Invariants");
            open = false;
        } else if inside {
            let digits = line.chars().take_while(char::is_ascii_digit).count();
            if digits > 0 && line[digits..].starts_with(". ") {
                items.push((number + 1, line.trim().to_owned()));
                open = true;
            } else if line.trim().is_empty() {
                open = false;
            } else if let (true, Some((_, text))) = (open, items.last_mut()) {
                text.push(' ');
                text.push_str(line.trim());
            }
        }
    }
    items
}

/// Functions that follow a `#[test]` (or, inside `proptest!`, any such attribute) within a few lines.
fn test_names(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut pending = false;
    for line in code.lines().map(str::trim) {
        pending |= line.starts_with("#[test]");
        let Some((_, rest)) = line.split_once("fn ") else {
            continue;
        };
        if pending {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            names.push(rest[..end].to_owned());
            pending = false;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariants_name_their_tests() {
        let code = "#[test]\n#[allow(x)]\nfn bits_agree() {}\nfn no_test() {}\n".to_owned();
        let files = [RustFile {
            path: "a.rs".to_owned(),
            text: code.clone(),
            code,
        }];
        let page = "# A\n1. not one\n## Invariants\n\n1. Never differ in a bit,\n   anywhere (test: bits_agree).\n\
            2. Never guarded.\n3. Never there (test: a::no_test, bits_agree)\n\n## Next\n4. not one\n";
        let lines: Vec<usize> = invariants(page, &files)
            .into_iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(lines, [7, 8]);
        assert_eq!(invariants("# nothing", &files).len(), 1);
    }
}
