//! Arrows between crates go down only, as the manifests say.

use super::run::Finding;

/// The crates from the bottom to the top. Crates of one floor do not know each other.
const FLOORS: [&[&str]; 8] = [
    // Files in, files out: io knows columns and offsets, not the engine.
    &["pullback-ad", "pullback-io"],
    &["pullback-array"],
    &["pullback-optim", "pullback-prob"],
    &["pullback-stats", "pullback-sim"],
    &["pullback-analysis"],
    &["pullback-cli"],
    &["pullback-benches", "pullback-studies"],
    // Developer commands need nothing but the standard library: they run before anything else is built.
    &["xtask"],
];

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|names| names.contains(&name))
}

/// The rules of one `Cargo.toml`.
pub fn manifest(path: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let Some(name) = package_name(text) else {
        return found; // The root: a workspace without a package.
    };
    let Some(own) = floor(name) else {
        let message =
            format!("the crate {name} has no floor: give it one in xtask/src/tidy/arrows.rs");
        return vec![Finding::error(path, 0, message)];
    };
    for (line, dependency) in dependencies(text) {
        if name == "xtask" {
            found.push(Finding::error(
                path,
                line,
                "xtask uses the standard library only",
            ));
        } else if dependency.starts_with("pullback")
            && floor(dependency).is_none_or(|other| other >= own)
        {
            let message = format!("{name} must not know {dependency}: arrows go down only");
            found.push(Finding::error(path, line, message));
        }
    }
    let mut lines = text.lines().map(str::trim);
    if !(lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true")) {
        found.push(Finding::error(
            path,
            0,
            "`[lints] workspace = true` is missing",
        ));
    }
    found
}

fn package_name(text: &str) -> Option<&str> {
    let lines = text
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[package]")
        .skip(1);
    let mut lines = lines.take_while(|line| !line.starts_with('['));
    lines.find_map(|line| {
        let value = line.strip_prefix("name")?.trim_start().strip_prefix('=')?;
        Some(value.trim().trim_matches('"'))
    })
}

/// (line, name) of each dependency, of all kinds and targets.
fn dependencies(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            inside = section.ends_with("dependencies");
            // `[dependencies.name]`
            if let Some((table, name)) = section.rsplit_once('.')
                && table.ends_with("dependencies")
            {
                found.push((number + 1, name));
            }
        } else if inside && !line.starts_with('#') {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            if line.contains('=') && !name.is_empty() {
                found.push((number + 1, name.trim_matches('"')));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, rest: &str) -> Vec<usize> {
        let text = format!("[package]\nname = \"{name}\"\n\n[lints]\nworkspace = true\n\n{rest}");
        manifest("Cargo.toml", &text)
            .into_iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn arrows_go_down_only() {
        assert!(
            of(
                "pullback-array",
                "[dependencies]\npullback-ad.workspace = true\nrayon = \"1\""
            )
            .is_empty()
        );
        assert_eq!(
            of(
                "pullback-ad",
                "[dependencies]\npullback-array.workspace = true"
            ),
            [8]
        );
        assert_eq!(
            of(
                "pullback-ad",
                "[dev-dependencies]\npullback-stats = { path = \"..\" }"
            ),
            [8]
        );
        assert_eq!(
            of(
                "pullback-optim",
                "[target.'cfg(unix)'.dependencies]\npullback-stats = \"0.1\""
            ),
            [8]
        );
        assert_eq!(
            of(
                "pullback-optim",
                "[dependencies.pullback-stats]\nworkspace = true"
            ),
            [7]
        );
        assert_eq!(
            of("pullback-optim", "[dependencies]\npullback-unknown = \"1\""),
            [8]
        );
        assert_eq!(of("xtask", "[dependencies]\nserde = \"1\""), [8]);
        assert_eq!(of("pullback-unknown", ""), [0]);
    }

    #[test]
    fn lints_are_inherited() {
        let text = "[package]\nname = \"pullback-ad\"\n";
        assert_eq!(manifest("Cargo.toml", text).len(), 1);
        assert_eq!(manifest("Cargo.toml", "[workspace]\nmembers = []\n"), []);
    }
}
