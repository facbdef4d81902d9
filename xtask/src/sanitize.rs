//! `cargo xtask sanitize [address | thread | miri | valgrind]...`: the tests of the code that is allowed to be unsafe, under tools that see what it does to memory.
//!
//! What runs: the unit tests of the array engine and its tests of the executor (raw slots, threads, fused kernels, loops), and the vector math. Slots are made no larger than
//! they are said to be (`--cfg pullback_exact_slots`), so that a kernel that leaves its slot leaves the allocation. A tool that this machine does not have is
//! skipped, with the reason.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::process::{executables, shown};
use crate::workspace::Workspace;

/// Packages and the tests of theirs that run.
const TESTS: [(&str, &[&str]); 2] = [
    (
        "pullback-array",
        &[
            "--lib",
            "--test=ragged",
            "--test=registry",
            "--test=transforms",
            "--test=random_programs",
            "--test=new_primitive",
            "--test=fusion",
            "--test=scan",
            "--test=bounded_loops",
        ],
    ),
    (
        "pullback-ad",
        &["--lib", "--test=math_special", "--test=special_points"],
    ),
];

/// Slots are no larger than they are said to be.
const EXACT_SLOTS: &str = "--cfg pullback_exact_slots";

/// A tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Address,
    Thread,
    Miri,
    Valgrind,
}

impl Tool {
    const ALL: [Self; 4] = [Self::Address, Self::Thread, Self::Miri, Self::Valgrind];

    fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Thread => "thread",
            Self::Miri => "miri",
            Self::Valgrind => "valgrind",
        }
    }
}

/// The compiler in use: its target, and the folder of its libraries.
struct Compiler {
    target: String,
    rustlib: PathBuf,
}

impl Compiler {
    fn find() -> Result<Self, String> {
        let text = |args: &[&str]| -> Result<String, String> {
            let output = Command::new("rustc").args(args).output();
            let output = output.map_err(|error| format!("cannot start rustc: {error}"))?;
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let version = text(&["-vV"])?;
        let target = host(&version).ok_or("rustc does not say what it compiles for")?;
        let sysroot = text(&["--print", "sysroot"])?;
        let rustlib = PathBuf::from(sysroot.trim()).join("lib/rustlib");
        Ok(Self { target, rustlib })
    }

    /// Whether the run-time library of a sanitizer (`asan`, `tsan`) is there.
    fn has_runtime(&self, kind: &str) -> bool {
        let folder = self.rustlib.join(&self.target).join("lib");
        std::fs::read_dir(folder).is_ok_and(|files| {
            files.flatten().any(|f| {
                f.file_name()
                    .to_string_lossy()
                    .contains(&format!("rt.{kind}."))
            })
        })
    }

    fn has_sources(&self) -> bool {
        self.rustlib.join("src/rust/library/std").is_dir()
    }
}

/// The `host:` line of `rustc -vV`.
fn host(version: &str) -> Option<String> {
    let line = version.lines().find_map(|l| l.strip_prefix("host: "))?;
    Some(line.trim().to_owned())
}

/// Runs the tools named, or all of them.
pub fn run(workspace: &Workspace, args: &[String]) -> Result<bool, String> {
    let mut tools = Vec::new();
    for arg in args {
        match Tool::ALL.into_iter().find(|t| t.name() == arg) {
            Some(tool) => tools.push(tool),
            None => {
                return Err(format!(
                    "sanitize takes {}, not '{arg}'",
                    Tool::ALL.map(Tool::name).join(", ")
                ));
            }
        }
    }
    if tools.is_empty() {
        tools.extend(Tool::ALL);
    }
    let compiler = Compiler::find()?;
    let mut lines = Vec::new();
    let mut ok = true;
    for tool in tools {
        let outcome = match tool {
            Tool::Address => address(workspace, &compiler)?,
            Tool::Thread => thread(workspace, &compiler)?,
            Tool::Miri => miri(workspace)?,
            Tool::Valgrind => valgrind(workspace)?,
        };
        ok &= !matches!(outcome, Outcome::Ran(false, _));
        lines.push(format!("{:<9} {}", tool.name(), outcome.text()));
    }
    println!("\n{}", lines.join("\n"));
    Ok(ok)
}

enum Outcome {
    Skipped(&'static str),
    /// Whether it passed, and what ran.
    Ran(bool, String),
}

impl Outcome {
    fn text(&self) -> String {
        match self {
            Self::Skipped(why) => format!("skipped: {why}"),
            Self::Ran(true, what) => format!("passed: {what}"),
            Self::Ran(false, what) => format!("FAILED: {what}"),
        }
    }
}

/// What runs, for the summary.
fn listed() -> String {
    let all = TESTS.map(|(package, tests)| {
        let tests: Vec<&str> = tests
            .iter()
            .map(|t| t.trim_start_matches("--test=").trim_start_matches("--"))
            .collect();
        format!("{package} ({})", tests.join(", "))
    });
    all.join("; ")
}

/// `cargo test` of everything that is listed, each package by itself.
fn test(command: impl Fn() -> Command) -> Result<Outcome, String> {
    let mut ok = true;
    for (package, tests) in TESTS {
        let mut run = command();
        run.args(["--locked", "--package", package, "--no-fail-fast"])
            .args(tests);
        println!("$ {}", shown(&run));
        let status = run
            .status()
            .map_err(|error| format!("cannot start {}: {error}", shown(&run)))?;
        ok &= status.success();
    }
    Ok(Outcome::Ran(ok, listed()))
}

/// Cargo with a sanitizer, which is not stable: the variable tells the compiler that we know.
fn sanitized(workspace: &Workspace, compiler: &Compiler, kind: &str) -> Command {
    let mut command = workspace.cargo();
    command
        .arg("test")
        .args(["--target", &compiler.target])
        .arg("--target-dir")
        .arg(workspace.target.join("sanitize").join(kind))
        .env("RUSTC_BOOTSTRAP", "1")
        // Tests ask for more memory than there is, and for an error then: the tools would end the process.
        .env("ASAN_OPTIONS", "allocator_may_return_null=1")
        .env("TSAN_OPTIONS", "allocator_may_return_null=1")
        .env("RUSTFLAGS", format!("-Zsanitizer={kind} {EXACT_SLOTS}"));
    command
}

fn address(workspace: &Workspace, compiler: &Compiler) -> Result<Outcome, String> {
    if !compiler.has_runtime("asan") {
        return Ok(Outcome::Skipped("the toolchain has no library for it"));
    }
    test(|| sanitized(workspace, compiler, "address"))
}

fn thread(workspace: &Workspace, compiler: &Compiler) -> Result<Outcome, String> {
    if !compiler.has_runtime("tsan") {
        return Ok(Outcome::Skipped("the toolchain has no library for it"));
    }
    if !compiler.has_sources() {
        return Ok(Outcome::Skipped(
            "it must see the standard library, too, whose sources are not there (rustup component add rust-src)",
        ));
    }
    test(|| {
        let mut command = sanitized(workspace, compiler, "thread");
        command.arg("-Zbuild-std");
        command
    })
}

fn miri(workspace: &Workspace) -> Result<Outcome, String> {
    let mut probe = Command::new("cargo");
    let found = probe
        .args(["+nightly", "miri", "--version"])
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        return Ok(Outcome::Skipped(
            "it is not installed (rustup +nightly component add miri)",
        ));
    }
    test(|| interpreted(workspace))
}

/// Cargo with Miri.
fn interpreted(workspace: &Workspace) -> Command {
    let mut command = Command::new("cargo");
    command
        .current_dir(&workspace.root)
        .args(["+nightly", "miri", "test", "--target-dir"])
        .arg(workspace.target.join("sanitize").join("miri"))
        .env("RUSTFLAGS", EXACT_SLOTS)
        .env("PROPTEST_CASES", "1")
        .env("MIRIFLAGS", "-Zmiri-disable-isolation");
    command
}

/// The exit status with which valgrind reports an error.
const MEMORY_ERROR: i32 = 9;

/// Memcheck sees reads of memory that nothing was written to, which the address sanitizer does not. Only its own errors count: it computes a fused multiply-add
/// without the sign of a zero, so that a test of values may fail under it.
fn valgrind(workspace: &Workspace) -> Result<Outcome, String> {
    let found = Command::new("valgrind")
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        return Ok(Outcome::Skipped("it is not installed"));
    }
    let mut ok = true;
    for (package, tests) in TESTS {
        let mut build = workspace.cargo();
        build
            .args(["test", "--locked", "--no-run", "--message-format=json"])
            .args(["--package", package])
            .args(tests)
            .arg("--target-dir")
            .arg(workspace.target.join("sanitize").join("valgrind"))
            .env("RUSTFLAGS", EXACT_SLOTS)
            .stderr(Stdio::inherit());
        let output = build
            .output()
            .map_err(|error| format!("cannot start {}: {error}", shown(&build)))?;
        if !output.status.success() {
            return Ok(Outcome::Ran(false, "the tests do not build".into()));
        }
        let folder = workspace
            .root
            .join("crates")
            .join(&package["pullback-".len()..]);
        for (name, path) in executables(&String::from_utf8_lossy(&output.stdout)) {
            let mut run = Command::new("valgrind");
            run.current_dir(&folder)
                .arg("--quiet")
                .arg(format!("--error-exitcode={MEMORY_ERROR}"))
                .arg(path)
                // A process that is slowed down fifty-fold tests less.
                .env("PROPTEST_CASES", "2");
            println!("$ {} ({name})", shown(&run));
            let status = run
                .status()
                .map_err(|error| format!("cannot start {}: {error}", shown(&run)))?;
            // No status: ended by a signal.
            ok &= status.code().is_some_and(|code| code != MEMORY_ERROR);
        }
    }
    Ok(Outcome::Ran(ok, listed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_read_from_the_version() {
        let version =
            "rustc 1.95.0\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n";
        assert_eq!(host(version).as_deref(), Some("x86_64-unknown-linux-gnu"));
        assert_eq!(host("rustc 1.95.0"), None);
    }

    #[test]
    fn every_listed_test_exists() {
        let workspace = Workspace::find().expect("a checkout");
        for (package, tests) in TESTS {
            let folder = workspace
                .root
                .join("crates")
                .join(&package["pullback-".len()..]);
            assert!(folder.is_dir(), "{}", folder.display());
            for name in tests.iter().filter_map(|t| t.strip_prefix("--test=")) {
                let file = folder.join("tests").join(format!("{name}.rs"));
                let room = folder.join("tests").join(name).join("main.rs");
                assert!(file.is_file() || room.is_file(), "{name} of {package}");
            }
        }
    }

    /// Without it a kernel that leaves its slot stays inside the allocation, and no tool sees it.
    #[test]
    fn slots_are_exact_under_every_tool() {
        let workspace = Workspace::find().expect("a checkout");
        let compiler = Compiler {
            target: "here".into(),
            rustlib: PathBuf::new(),
        };
        for command in [
            sanitized(&workspace, &compiler, "address"),
            sanitized(&workspace, &compiler, "thread"),
            interpreted(&workspace),
        ] {
            let flags = command.get_envs().find(|(name, _)| *name == "RUSTFLAGS");
            let flags = flags.and_then(|(_, value)| value).unwrap_or_default();
            assert!(flags.to_string_lossy().contains(EXACT_SLOTS), "{command:?}");
        }
    }

    #[test]
    fn an_unknown_tool_is_named() {
        let workspace = Workspace::find().expect("a checkout");
        let error = run(&workspace, &["adress".to_owned()]).expect_err("there is no such tool");
        assert!(error.contains("'adress'") && error.contains("address, thread, miri, valgrind"));
    }
}
