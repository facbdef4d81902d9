//! Output: stdout, and files that appear whole or not at all.

use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::failure::Failure;

/// The temporary file being written, to be removed on Ctrl-C.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Prints to stdout. A closed pipe (`| head`) is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::Write {
            path: "<stdout>".to_owned(),
            message: e.to_string(),
        }),
        _ => Ok(()),
    }
}

/// Fails early, before the work, if a file could not be written because its folder is missing.
pub fn check_folder(path: Option<&Path>) -> Result<(), Failure> {
    match path {
        Some(path) if !folder(path).is_dir() || path.is_dir() => Err(Failure::NoFolder {
            path: path.display().to_string(),
        }),
        _ => Ok(()),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Writes a file by way of a temporary one in the same folder and a rename: it is there whole or, after an error, as it was before.
pub fn write_file(path: &Path, content: &str) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::Write {
        path: path.display().to_string(),
        message: e.to_string(),
    };
    // Pipes and devices (`/dev/stdout`) cannot be renamed onto.
    if fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        return fs::write(path, content).map_err(failed);
    }
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = folder(path).join(name);
    set_unfinished(Some(temporary.clone()));
    let result = write_and_sync(&temporary, content).and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    set_unfinished(None);
    result.map_err(failed)
}

fn write_and_sync(path: &Path, content: &str) -> std::io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

fn set_unfinished(path: Option<PathBuf>) {
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        *unfinished = path;
    }
}

/// Removes the temporary file that is being written, if there is one.
pub fn discard_unfinished() {
    if let Ok(mut unfinished) = UNFINISHED.try_lock()
        && let Some(path) = unfinished.take()
    {
        let _ = fs::remove_file(path);
    }
}
