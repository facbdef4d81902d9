//! Where things are: the root, the target folder, the files, the members.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::json::Json;

/// A checkout.
pub struct Workspace {
    /// The folder of the root `Cargo.toml`.
    pub root: PathBuf,
    /// The target folder that cargo uses here (it may be set from outside).
    pub target: PathBuf,
}

impl Workspace {
    /// The checkout that this xtask was started in.
    pub fn find() -> Result<Self, String> {
        // At run time first: a checkout that was moved keeps its build of xtask.
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .parent()
            .ok_or_else(|| format!("{} has no parent folder", manifest.display()))?
            .to_owned();
        let mut workspace = Self {
            target: root.join("target"),
            root,
        };
        let metadata = workspace.metadata(&["--no-deps"])?;
        if let Some(target) = metadata.get("target_directory").and_then(Json::text) {
            workspace.target = PathBuf::from(target);
        }
        Ok(workspace)
    }

    /// `cargo`, the one that runs us, started at the root.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }

    /// The output of `cargo metadata --locked` with further options.
    pub fn metadata(&self, options: &[&str]) -> Result<Json, String> {
        let output = self
            .cargo()
            .args(["metadata", "--locked", "--format-version", "1"])
            .args(options)
            .output()
            .map_err(|error| format!("cannot start cargo: {error}"))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(format!("cargo metadata failed:\n{text}"));
        }
        Json::parse(&String::from_utf8_lossy(&output.stdout))
    }

    /// All files that belong to the repository, relative to the root: tracked ones, and new ones that git does not ignore.
    pub fn files(&self) -> Result<Vec<PathBuf>, String> {
        let git = Command::new("git")
            .current_dir(&self.root)
            .args(["ls-files", "-z", "--cached", "--others"])
            .arg("--exclude-standard")
            .output();
        let mut files: Vec<PathBuf> = match git {
            Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
                .split('\0')
                .filter(|name| !name.is_empty())
                .map(PathBuf::from)
                .filter(|path| self.root.join(path).is_file())
                .collect(),
            // An unpacked archive has no git; there everything is a file of the repository.
            _ => {
                let mut found = Vec::new();
                self.walk(Path::new(""), &mut found)?;
                found
            }
        };
        files.sort();
        files.dedup();
        Ok(files)
    }

    fn walk(&self, folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
        let path = self.root.join(folder);
        let entries =
            fs::read_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            let relative = folder.join(&name);
            if !entry.path().is_dir() {
                found.push(relative);
            } else if !["target", ".git", ".venv", "__pycache__"]
                .contains(&&*name.to_string_lossy())
            {
                self.walk(&relative, found)?;
            }
        }
        Ok(())
    }

    /// The text of a file of the repository; `None` where it is not UTF-8.
    pub fn read(&self, file: &Path) -> Result<Option<String>, String> {
        let bytes = fs::read(self.root.join(file))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(String::from_utf8(bytes).ok())
    }

    /// An empty folder for a stage to work in, below the target folder.
    pub fn scratch(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.target.join("xtask").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }
}
