//! Dependencies come from the registry and are under permissive licences (`deny.toml` says the same to cargo-deny).

use std::process::Command;

use super::run::Finding;
use crate::json::Json;
use crate::workspace::Workspace;

/// Licences that ask for no more than attribution; the list of `deny.toml`.
const PERMISSIVE: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Asks cargo for the packages that this machine builds; the others are not downloaded for this.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>, String> {
    let version = Command::new("rustc").arg("-vV").output();
    let version = version.map_err(|error| format!("cannot start rustc: {error}"))?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or("rustc -vV names no host")?;
    let metadata = workspace.metadata(&["--filter-platform", host])?;
    Ok(packages(
        metadata.get("packages").map_or(&[][..], Json::items),
    ))
}

fn packages(packages: &[Json]) -> Vec<Finding> {
    let mut found = Vec::new();
    for package in packages {
        let text = |name: &str| package.get(name).and_then(Json::text).unwrap_or_default();
        let name = format!("{} {}", text("name"), text("version"));
        let source = text("source");
        if source.starts_with("git+") {
            found.push(Finding::error(
                "Cargo.lock",
                0,
                format!("{name} comes from git, not from the registry"),
            ));
        }
        let licence = text("license");
        if !source.is_empty() && !permissive(licence) {
            let message = format!("{name}: its licence '{licence}' has no permissive choice");
            found.push(Finding::error("Cargo.lock", 0, message));
        }
    }
    found
}

/// Whether the expression (SPDX; `/` is an old way to write OR) can be met with permissive licences alone.
fn permissive(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = either(&tokens, &mut at);
    met && at == tokens.len()
}

fn either(tokens: &[&str], at: &mut usize) -> bool {
    let mut met = both(tokens, at);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        met |= both(tokens, at);
    }
    met
}

fn both(tokens: &[&str], at: &mut usize) -> bool {
    let mut met = one(tokens, at);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(tokens, at);
    }
    met
}

fn one(tokens: &[&str], at: &mut usize) -> bool {
    let Some(token) = tokens.get(*at) else {
        return false;
    };
    *at += 1;
    if *token == "(" {
        let met = either(tokens, at);
        *at += 1;
        return met && tokens.get(*at - 1) == Some(&")");
    }
    let mut name = (*token).to_owned();
    if let (Some(&"WITH"), Some(exception)) = (tokens.get(*at), tokens.get(*at + 1)) {
        *at += 2;
        name = format!("{name} WITH {exception}");
    }
    PERMISSIVE.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_permissive() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR GPL-3.0-only",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
        ] {
            assert!(permissive(good), "{good}");
        }
        for bad in [
            "GPL-3.0-only",
            "LGPL-2.1-or-later",
            "MIT AND GPL-3.0",
            "",
            "(MIT",
            "MIT Apache-2.0",
            "MPL-2.0",
        ] {
            assert!(!permissive(bad), "{bad}");
        }
    }

    #[test]
    fn dependencies_come_from_the_registry() {
        let text = r#"[
            {"name": "own", "version": "1", "source": null, "license": "MIT"},
            {"name": "good", "version": "1", "source": "registry+x", "license": "MIT"},
            {"name": "fork", "version": "1", "source": "git+x", "license": "MIT"},
            {"name": "bare", "version": "1", "source": "registry+x", "license": null}
        ]"#;
        let found = packages(Json::parse(text).expect("JSON").items());
        let names: Vec<&str> = found
            .iter()
            .filter_map(|f| f.message.split(' ').next())
            .collect();
        assert_eq!(names, ["fork", "bare"]);
    }
}
