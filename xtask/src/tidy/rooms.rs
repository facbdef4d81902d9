//! Rooms: sizes of files, names of modules, what `lib.rs` and `mod.rs` may hold, reviewed snapshots.

use super::run::Finding;

/// Above this a file is too long.
const MOST: usize = 800;
/// Above this it is worth a thought.
const MANY: usize = 400;

/// File sizes; tables, tests and generated files may be longer, a test module at the end of a file is not counted.
pub fn size(path: &str, text: &str) -> Option<Finding> {
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.split('.').next().unwrap_or(file);
    let of_words = |words: [&str; 2]| stem.split('_').any(|part| words.contains(&part));
    let exempt = folders
        .split('/')
        .any(|folder| matches!(folder, "tests" | "tables"))
        || of_words(["test", "tests"])
        || of_words(["table", "tables"])
        || text
            .lines()
            .take(5)
            .any(|line| line.contains(concat!("@", "generated")));
    if exempt {
        return None;
    }
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
    });
    let count = tests.unwrap_or(lines.len());
    if count > MOST {
        Some(Finding::error(
            path,
            0,
            format!("{count} lines, at most {MOST}: divide it by what changes together"),
        ))
    } else if count > MANY {
        Some(Finding::warning(
            path,
            format!("{count} lines, aim for {MANY}"),
        ))
    } else {
        None
    }
}

/// No module that is named after nothing, no snapshot that nobody has looked at, no pinned toolchain.
pub fn name(path: &str) -> Option<Finding> {
    let vague = |part: &str| {
        let stem = part.split('.').next().unwrap_or(part);
        ["util", "utils", "helper", "helpers", "misc"].contains(&stem)
    };
    let code = [".rs", ".py"].iter().any(|end| path.ends_with(end));
    if code && path.split('/').any(vague) {
        return Some(Finding::error(
            path,
            0,
            "name the thing it holds, not that it is useful",
        ));
    }
    if path.ends_with(".snap.new") || path.ends_with(".pending-snap") {
        return Some(Finding::error(
            path,
            0,
            "a snapshot waits for review (cargo insta review)",
        ));
    }
    if path.ends_with("rust-toolchain.toml") || path.ends_with("rust-toolchain") {
        return Some(Finding::error(
            path,
            0,
            "a pinned channel makes rustup download another toolchain",
        ));
    }
    None
}

/// `lib.rs` and `mod.rs` declare and re-export: attributes, `mod x;`, `use`, `extern crate`, nothing else.
pub fn declares_only(path: &str, code: &str) -> Option<Finding> {
    let file = path.rsplit('/').next().unwrap_or(path);
    if !matches!(file, "lib.rs" | "mod.rs") || path.split('/').any(|folder| folder == "tests") {
        return None;
    }
    let mut rest = code;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        let length = if rest.starts_with('#') {
            balanced(rest, '[', ']')
        } else {
            let item = rest.strip_prefix("pub").map_or(rest, |rest| {
                let rest = rest.trim_start();
                if rest.starts_with('(') {
                    &rest[balanced(rest, '(', ')')..]
                } else {
                    rest
                }
            });
            let end = rest.find(';').map_or(rest.len(), |n| n + 1);
            let head = item
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .find(|word| !word.is_empty());
            let declares = match head {
                Some("use") => true,
                Some("mod" | "extern") => !rest[..end].contains('{'),
                _ => false,
            };
            if declares { end } else { 0 }
        };
        if length == 0 {
            let line = code[..code.len() - rest.len()].matches('\n').count() + 1;
            let message = format!(
                "{file} declares and re-exports only: move this item to a file with a name"
            );
            return Some(Finding::error(path, line, message));
        }
        rest = &rest[length..];
    }
}

/// Bytes to the end of the first balanced pair; the whole text where it is not closed.
fn balanced(text: &str, open: char, close: char) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at + 1;
            }
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let long = "x\n".repeat(801);
        assert!(size("a/b.rs", &long).is_some_and(|finding| !finding.warning));
        assert!(size("a/b.rs", &"x\n".repeat(401)).is_some_and(|finding| finding.warning));
        assert_eq!(size("a/b.rs", &"x\n".repeat(400)), None);
        for exempt in [
            "a/tests/b.rs",
            "a/tests.rs",
            "a/erf_table.rs",
            "a/tables/erf.rs",
        ] {
            assert_eq!(size(exempt, &long), None, "{exempt}");
        }
        let tested = format!("x\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        assert_eq!(size("a/b.rs", &tested), None);
        assert!(size("a/attest.rs", &long).is_some());
    }

    #[test]
    fn names() {
        for bad in [
            "a/utils.rs",
            "a/helpers/mod.rs",
            "s/x.snap.new",
            "rust-toolchain.toml",
        ] {
            assert!(name(bad).is_some(), "{bad}");
        }
        for good in ["a/utility_curve.rs", "s/x.snap", "Cargo.toml"] {
            assert_eq!(name(good), None, "{good}");
        }
    }

    #[test]
    fn lib_and_mod_only_declare() {
        let good = "#![warn(x)]\n#[cfg(test)]\nmod a;\npub(crate) mod b;\npub use a::{B, c::{D, E}};\nuse x as y;\n";
        assert_eq!(declares_only("src/lib.rs", good), None);
        let function = declares_only("src/mod.rs", "mod a;\n\npub fn f() {}\n");
        assert_eq!(function.map(|finding| finding.line), Some(3));
        for bad in [
            "mod a { }",
            "struct A;",
            "macro_rules! m { () => {} }",
            "pub const A: u8 = 1;",
            "m!(x);",
        ] {
            assert!(declares_only("src/lib.rs", bad).is_some(), "{bad}");
            assert_eq!(declares_only("src/main.rs", bad), None);
        }
    }
}
