//! Which files a pattern names, and which table in them.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::names::matches;

/// A file, and the table in it where one was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) path: PathBuf,
    pub(crate) table: Option<String>,
}

/// The files of `folder/*.root` or `folder/*.root:Events`, sorted; a name without `*` and `?` need not exist.
pub(crate) fn expand(pattern: &str) -> Result<Vec<Target>> {
    let (files, table) = split(pattern);
    if !files.contains(['*', '?']) {
        return Ok(vec![Target {
            path: files.into(),
            table: table.map(str::to_owned),
        }]);
    }
    let mut found = vec![PathBuf::new()];
    for part in Path::new(files).components() {
        let part = part.as_os_str();
        let text = part.to_string_lossy();
        if text.contains(['*', '?']) {
            let lists = found.iter().map(|folder| inside(folder, &text));
            found = lists.collect::<Vec<_>>().concat();
        } else {
            for path in &mut found {
                path.push(part);
            }
        }
    }
    found.retain(|path| path.is_file());
    found.sort();
    if found.is_empty() {
        return Err(Error::NoFiles {
            pattern: files.to_owned(),
        });
    }
    let target = |path| Target {
        path,
        table: table.map(str::to_owned),
    };
    Ok(found.into_iter().map(target).collect())
}

/// A path and what stands behind its last colon; a file that is called like that is not taken apart.
fn split(pattern: &str) -> (&str, Option<&str>) {
    match pattern.rsplit_once(':') {
        // One letter in front is a drive.
        Some((path, table))
            if path.len() > 1 && !table.is_empty() && !Path::new(pattern).exists() =>
        {
            (path, Some(table))
        }
        _ => (pattern, None),
    }
}

fn inside(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let shown = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let Ok(entries) = std::fs::read_dir(shown) else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
    let fitting = names.filter(|name| matches(pattern, &name.to_string_lossy()));
    fitting.map(|name| folder.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_behind_a_colon() {
        assert_eq!(split("a.root:dir/Events"), ("a.root", Some("dir/Events")));
        assert_eq!(split("a.root"), ("a.root", None));
        assert_eq!(split("C:\\a.root"), ("C:\\a.root", None));
        assert_eq!(split("a.root:"), ("a.root:", None));
    }

    #[test]
    fn patterns_find_files() {
        let folder = env!("CARGO_MANIFEST_DIR");
        let found = expand(&format!("{folder}/sr?/n*s.rs:t")).unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].path.ends_with("src/names.rs"));
        assert_eq!(found[0].table.as_deref(), Some("t"));
        let none = expand(&format!("{folder}/*.nothing")).unwrap_err();
        assert_eq!(none.code(), "PB0513");
    }
}
