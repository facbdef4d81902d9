//! Rules on Rust code: no unfinished or silent code, `unsafe` only where it was argued for.

use super::code::words;
use super::run::{Finding, RustFile};

/// The files that may hold unsafe code: `path: reason` per line.
pub const UNSAFE_LIST: &str = "xtask/unsafe-modules.txt";

/// Macros and attributes that must not be committed.
pub fn banned(path: &str, code: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let squeezed: String = line.split_whitespace().collect();
        for name in ["todo", "unimplemented", "dbg"] {
            if let Some(at) = squeezed.find(&format!("{name}!")) {
                let before = squeezed[..at].chars().next_back();
                if !before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    found.push(Finding::error(
                        path,
                        number + 1,
                        format!("{name}! is unfinished code"),
                    ));
                }
            }
        }
        let ignored = squeezed.starts_with("#[ignore") || squeezed.contains(",ignore)]");
        if ignored {
            found.push(Finding::error(
                path,
                number + 1,
                "an ignored test: make it short, or a verb of xtask",
            ));
        }
    }
    found
}

/// Unsafe code outside the list, and lines of the list that are wrong.
pub fn unsafe_code(list: &str, files: &[RustFile]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut allowed = Vec::new();
    for (number, line) in list.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut wrong =
            |message: &str| found.push(Finding::error(UNSAFE_LIST, number + 1, message));
        let (path, reason) = line.split_once(':').unwrap_or((line, ""));
        if reason.trim().len() < 10 {
            wrong("`path: reason`, with a reason that convinces");
        }
        match files.iter().find(|file| file.path == path) {
            None => wrong("there is no such file: remove the line"),
            Some(file) if first_unsafe(file).is_none() => {
                wrong("the file has no unsafe code: remove the line");
            }
            Some(_) => {}
        }
        allowed.push(path);
    }
    for file in files
        .iter()
        .filter(|file| !allowed.contains(&file.path.as_str()))
    {
        if let Some(line) = first_unsafe(file) {
            let message = format!("unsafe code, and the file is not in {UNSAFE_LIST}");
            found.push(Finding::error(&file.path, line, message));
        }
    }
    found
}

/// The line of the first `unsafe`, or of an attribute that allows it.
fn first_unsafe(file: &RustFile) -> Option<usize> {
    let keyword = words(&file.code)
        .find(|(_, word)| *word == "unsafe")
        .map(|(line, _)| line);
    let lint = file.code.lines().position(|line| {
        let line: String = line.split_whitespace().collect();
        ["allow(", "expect(", "warn("].iter().any(|level| {
            line.split_once(level)
                .is_some_and(|(_, rest)| words(rest).any(|(_, word)| word == "unsafe_code"))
        })
    });
    keyword.into_iter().chain(lint.map(|line| line + 1)).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::code::blanked;

    fn file(path: &str, text: &str) -> RustFile {
        RustFile {
            path: path.to_owned(),
            text: text.to_owned(),
            code: blanked(text),
        }
    }

    #[test]
    fn nothing_unfinished_and_nothing_ignored() {
        for bad in [
            "todo!()",
            "x = unimplemented! (1)",
            "dbg!(x)",
            "#[ignore]",
            "#[ ignore = \"slow\" ]",
            "#[cfg_attr(x, ignore)]",
        ] {
            assert_eq!(banned("a.rs", &blanked(bad)).len(), 1, "{bad}");
        }
        for good in ["// todo!()", "\"dbg!(x)\"", "let ignore = 1;", "my_todo!()"] {
            assert_eq!(banned("a.rs", &blanked(good)), [], "{good}");
        }
    }

    #[test]
    fn unsafe_only_where_listed() {
        let files = [
            file("a.rs", "fn f() {}\nunsafe { g() }"),
            file("b.rs", "// unsafe\nfn f() { \"unsafe\" }"),
            file("c.rs", "#![allow(unsafe_code)]"),
        ];
        let at = |list: &str| -> Vec<(String, usize)> {
            let found = unsafe_code(list, &files);
            found
                .into_iter()
                .map(|finding| (finding.path, finding.line))
                .collect()
        };
        assert_eq!(at(""), [("a.rs".to_owned(), 2), ("c.rs".to_owned(), 1)]);
        assert_eq!(
            at("# why\na.rs: calls into the SIMD kernels\nc.rs: raw views of columns\n"),
            []
        );
        let list = "a.rs: \nb.rs: no reason is needed here\nc.rs: raw views of columns\nd.rs: was removed since\n";
        let lines: Vec<usize> = at(list).into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, [1, 2, 4]);
    }
}
