//! From files, patches and options to a model.

use std::fs::File;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use pullback_stats::Error;
use pullback_stats::spec::{self, ModelSpec};
use pullback_stats::workspace::{
    Limits, Patch, PatchSet, Warning, Workspace, read_json, read_limited, sha256_hex,
};
use serde_json::Value;

use crate::args::ModelArgs;
use crate::failure::Failure;

/// A model, and what is known about where it comes from.
#[derive(Debug)]
pub struct Loaded {
    /// The model.
    pub spec: ModelSpec,
    /// The file, or `<stdin>`.
    pub path: String,
    /// What is accepted but should be looked at.
    pub warnings: Vec<String>,
    /// Channels of the workspace that were left out.
    pub left_out: Vec<String>,
    /// Seconds for reading, checking and patching.
    pub read_seconds: f64,
    /// Seconds for resolving.
    pub resolve_seconds: f64,
    document: Document,
}

/// The document whose digest may be wanted.
#[derive(Debug)]
enum Document {
    Bytes(Arc<[u8]>),
    Value(Arc<Value>),
}

/// A digest being computed beside the other work.
#[derive(Debug)]
pub struct Digest(JoinHandle<Option<String>>);

impl Digest {
    /// Waits for the digest.
    pub fn wait(self) -> Option<String> {
        self.0.join().ok().flatten()
    }
}

impl Loaded {
    /// Starts to compute the SHA-256 digest of the document that makes the model, after patches, as `pyhf digest` prints it.
    pub fn digest(&self) -> Digest {
        Digest(match &self.document {
            Document::Bytes(bytes) => {
                let bytes = Arc::clone(bytes);
                std::thread::spawn(move || {
                    let value = serde_json::from_slice::<Value>(&bytes).ok()?;
                    Some(sha256_hex(&value))
                })
            }
            Document::Value(value) => {
                let value = Arc::clone(value);
                std::thread::spawn(move || Some(sha256_hex(&value)))
            }
        })
    }
}

/// Reads the workspace, applies patches, selects channels, resolves.
pub fn load(args: &ModelArgs) -> Result<Loaded, Failure> {
    let start = Instant::now();
    let limits = args.limits();
    let inputs = std::iter::once(args.workspace.as_path()).chain(
        args.patch
            .iter()
            .map(|p| Path::new(p.split('#').next().unwrap_or(p))),
    );
    if inputs.filter(|p| is_stdin(p)).count() > 1 {
        return Err(Failure::StdinTwice);
    }
    let path = display(&args.workspace);
    let in_file = |error| Failure::document(&path, error);
    let bytes = read(&args.workspace, &limits)?;
    let (mut workspace, warnings, document) = if args.patch.is_empty() {
        let (workspace, warnings) = Workspace::from_slice_with(&bytes, &limits).map_err(in_file)?;
        (workspace, warnings, Document::Bytes(bytes.into()))
    } else {
        let mut value = read_json(&bytes, &limits).map_err(in_file)?;
        for patch in &args.patch {
            apply(patch, &mut value, &limits)?;
        }
        let patched = format!("{path} with {}", args.patch.join(", "));
        let (workspace, warnings) = Workspace::from_value(&value, &limits)
            .map_err(|error| Failure::document(&patched, error))?;
        (workspace, warnings, Document::Value(Arc::new(value)))
    };
    let poi = poi(&workspace, args).to_owned();
    let left_out = select(&mut workspace, args).map_err(in_file)?;
    let read_seconds = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let mut warnings: Vec<String> = warnings.iter().map(warning_text).collect();
    if args.poi.is_none() && self::poi(&workspace, args) != poi {
        // Control regions without signal: the selection drops what no longer occurs.
        warnings.push(format!(
            "`{poi}` acts on no channel that is left: there is no parameter of interest"
        ));
    }
    let spec = spec::resolve(&workspace, &args.options()).map_err(in_file)?;
    warnings.extend(spec.warnings.iter().map(warning_text));
    Ok(Loaded {
        spec,
        path: path.clone(),
        warnings,
        left_out,
        read_seconds,
        resolve_seconds: start.elapsed().as_secs_f64(),
        document,
    })
}

fn warning_text(warning: &Warning) -> String {
    format!("{warning} [{}]", warning.code())
}

/// Keeps the channels that were asked for; gives the names of the others.
fn select(workspace: &mut Workspace, args: &ModelArgs) -> Result<Vec<String>, Error> {
    let before: Vec<String> = workspace.channels.iter().map(|c| c.name.clone()).collect();
    if !args.channels.is_empty() {
        workspace.keep_channels(&args.channels)?;
    } else if !args.exclude.is_empty() {
        workspace.exclude_channels(&args.exclude)?;
    }
    let kept = |name: &String| workspace.channels.iter().any(|c| c.name == *name);
    Ok(before.into_iter().filter(|name| !kept(name)).collect())
}

/// The parameter of interest of the chosen measurement; empty if there is none.
fn poi<'a>(workspace: &'a Workspace, args: &ModelArgs) -> &'a str {
    let mut measurements = workspace.measurements.iter();
    let chosen = match &args.measurement {
        None => measurements.next(),
        Some(name) => measurements.find(|m| m.name == *name),
    };
    chosen.map_or("", |m| &m.config.poi)
}

/// Applies a JSON Patch, or the named patch of a patchset.
fn apply(argument: &str, value: &mut Value, limits: &Limits) -> Result<(), Failure> {
    let (path, name) = match argument.rsplit_once('#') {
        Some((path, name)) if !Path::new(argument).exists() => (path, Some(name)),
        _ => (argument, None),
    };
    let shown = display(Path::new(path));
    let in_file = |error| Failure::document(&shown, error);
    let document = read_json(&read(Path::new(path), limits)?, limits).map_err(in_file)?;
    if let Some(name) = name {
        let set = PatchSet::from_value(&document).map_err(in_file)?;
        let patch = set.find(name).map_err(in_file)?;
        set.verify(value).map_err(in_file)?;
        return patch.patch.apply_with(value, limits).map_err(in_file);
    }
    if document.is_object()
        && let Ok(set) = PatchSet::from_value(&document)
    {
        return Err(Failure::WhichPatch {
            path: path.to_owned(),
            count: set.patches.len(),
            example: set
                .patches
                .first()
                .map_or_else(String::new, |p| p.name.clone()),
        });
    }
    let patch = Patch::from_value(&document).map_err(in_file)?;
    patch.apply_with(value, limits).map_err(in_file)
}

/// Reads a file, or stdin for `-`.
pub fn read(path: &Path, limits: &Limits) -> Result<Vec<u8>, Failure> {
    let shown = display(path);
    if is_stdin(path) {
        if std::io::stdin().is_terminal() {
            return Err(Failure::NoWorkspace);
        }
        return read_limited(std::io::stdin().lock(), limits)
            .map_err(|error| Failure::document(&shown, error));
    }
    let open = |e: std::io::Error| Failure::Open {
        path: shown.clone(),
        message: e.to_string(),
    };
    let file = File::open(path).map_err(open)?;
    read_limited(file, limits).map_err(|error| match error {
        Error::Read { message } => Failure::Open {
            path: shown.clone(),
            message,
        },
        error => Failure::document(&shown, error),
    })
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn display(path: &Path) -> String {
    if is_stdin(path) {
        "<stdin>".to_owned()
    } else {
        path.display().to_string()
    }
}
