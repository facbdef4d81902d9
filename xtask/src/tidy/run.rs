//! Reads the files, asks each rule.

use std::fmt;
use std::path::Path;

use super::{architecture, arrows, code, licences, rooms, source, text};
use crate::workspace::Workspace;

/// A broken rule, or a warning.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, relative to the root.
    pub path: String,
    /// Counted from 1; 0 for the whole file.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
    /// Said, but not a failure.
    pub warning: bool,
}

impl Finding {
    /// A broken rule.
    pub fn error(path: &str, line: usize, message: impl Into<String>) -> Self {
        let (path, message) = (path.to_owned(), message.into());
        Self {
            path,
            line,
            message,
            warning: false,
        }
    }

    /// A warning.
    pub fn warning(path: &str, message: impl Into<String>) -> Self {
        Self {
            warning: true,
            ..Self::error(path, 0, message)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.warning { "warning" } else { "error" };
        write!(f, "{kind}: {}", self.path)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// A Rust file, as written and with comments and literals blanked.
pub struct RustFile {
    /// Relative to the root, with forward slashes.
    pub path: String,
    /// As written.
    pub text: String,
    /// Comments and literals replaced by spaces, lines kept.
    pub code: String,
}

/// Everything that the rules find, errors first.
pub fn findings(workspace: &Workspace) -> Result<Vec<Finding>, String> {
    let mut found = Vec::new();
    let (mut rust, mut manifests) = (Vec::new(), Vec::new());
    for file in workspace.files()? {
        let path = file.to_string_lossy().replace('\\', "/");
        found.extend(rooms::name(&path));
        let Some(content) = workspace.read(&file)? else {
            continue;
        };
        found.extend(text::machine_paths(&path, &content));
        let extension = Path::new(&path)
            .extension()
            .and_then(|extension| extension.to_str());
        match extension {
            Some("rs") => {
                let code = code::blanked(&content);
                rust.push(RustFile {
                    path,
                    text: content,
                    code,
                });
            }
            Some("py") => found.extend(rooms::size(&path, &content)),
            Some("toml") if path.ends_with("Cargo.toml") => manifests.push((path, content)),
            _ => {}
        }
    }
    for file in &rust {
        found.extend(rooms::size(&file.path, &file.text));
        found.extend(rooms::declares_only(&file.path, &file.code));
        found.extend(source::banned(&file.path, &file.code));
    }
    let list = workspace
        .read(source::UNSAFE_LIST.as_ref())?
        .unwrap_or_default();
    found.extend(source::unsafe_code(&list, &rust));
    for (path, manifest) in &manifests {
        found.extend(arrows::manifest(path, manifest));
    }
    let page = workspace
        .read("ARCHITECTURE.md".as_ref())?
        .unwrap_or_default();
    found.extend(architecture::invariants(&page, &rust));
    found.extend(licences::check(workspace)?);
    found.sort_by(|a, b| (a.warning, &a.path, a.line).cmp(&(b.warning, &b.path, b.line)));
    Ok(found)
}

/// The verb: all findings on the terminal.
pub fn run(workspace: &Workspace, args: &[String]) -> Result<bool, String> {
    if !args.is_empty() {
        return Err("tidy takes no arguments".to_owned());
    }
    let findings = findings(workspace)?;
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|finding| !finding.warning).count();
    println!(
        "tidy: {errors} errors, {} warnings",
        findings.len() - errors
    );
    Ok(errors == 0)
}
