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
pub fn write_file(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut file = NewFile::create(path)?;
    let written = file.write_all(content.as_ref());
    written.map_err(|e| failed(path, &e))?;
    file.commit()
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Write {
        path: path.display().to_string(),
        message: error.to_string(),
    }
}

/// A file that appears when it is committed. Until then it has another name, by which it is removed if it is dropped or on Ctrl-C.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    /// `None` for pipes and devices (`/dev/stdout`), which cannot be renamed onto.
    temporary: Option<PathBuf>,
    file: fs::File,
}

impl NewFile {
    /// Starts to write a file.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let mut temporary = None;
        let mut target = path.to_owned();
        if !fs::metadata(path).is_ok_and(|m| !m.is_file()) {
            let mut name = OsString::from(".");
            name.push(path.file_name().unwrap_or_default());
            name.push(format!(".{}.tmp", std::process::id()));
            target = folder(path).join(name);
            temporary = Some(target.clone());
        }
        set_unfinished(temporary.clone());
        match fs::File::create(&target) {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                temporary,
                file,
            }),
            Err(error) => {
                set_unfinished(None);
                Err(failed(path, &error))
            }
        }
    }

    /// Gives the file its name; it is on the disk then.
    pub fn commit(mut self) -> Result<(), Failure> {
        let Some(temporary) = &self.temporary else {
            return self.file.flush().map_err(|e| failed(&self.path, &e));
        };
        let renamed = self
            .file
            .sync_all()
            .and_then(|()| fs::rename(temporary, &self.path));
        renamed.map_err(|e| failed(&self.path, &e))?;
        self.temporary = None;
        set_unfinished(None);
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(temporary);
            set_unfinished(None);
        }
    }
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
