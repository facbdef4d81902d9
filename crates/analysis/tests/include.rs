//! Analyses of several files, and defaults.

use std::path::{Path, PathBuf};

use pullback_analysis::Error;
use pullback_analysis::file::{AnalysisFile, Effect, Generated, RegionKind};

/// Files in a folder of their own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let name = format!("pullback-include-{name}-{}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("writes");
    }

    fn open(&self, name: &str) -> Result<AnalysisFile, Error> {
        AnalysisFile::open(self.0.join(name))
    }

    fn message(&self, name: &str) -> String {
        let error = self.open(name).expect_err("accepted");
        let folder = format!("{}/", self.0.display());
        error.to_string().replace(&folder, "")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const MAIN: &str = r#"
include = ["shared/common.toml", "shared/regions.toml"]
[analysis]
title = "mine"
[datasets.tt]
weight = "2"
[regions.SR]
cuts = ["MET.pt > 100"]
[systematics]
jes = { norm = 0.3 }
"#;

const COMMON: &str = r#"
include = "base.toml"
[analysis]
title = "shared"
luminosity = "3 /fb"
[datasets.tt]
files = "tt.root"
cross_section = "800 pb"
[systematics]
jes = { norm = 0.1, processes = "tt" }
"#;

const REGIONS: &str = r#"
include = "base.toml"
[regions.SR]
kind = "control"
cuts = ["MET.pt > 50"]
[regions.CR]
cuts = ["MET.pt < 20"]
"#;

const BASE: &str =
    "[analysis]\nluminosity = '1 /fb'\nblind = false\n[datasets.zz]\nfiles = '../zz.root'\n";

fn four(name: &str) -> Folder {
    Folder::new(
        name,
        &[
            ("main.toml", MAIN),
            ("shared/common.toml", COMMON),
            ("shared/regions.toml", REGIONS),
            ("shared/base.toml", BASE),
        ],
    )
}

#[test]
fn later_files_win_key_by_key() {
    let folder = four("merge");
    let file = folder.open("main.toml").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(file.title, "mine");
    // A file that is included twice counts where it comes first: the other one is stronger.
    assert_eq!(file.luminosity, Some(3000.0));
    assert!(!file.blind);
    let names: Vec<&str> = file.datasets.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["zz", "tt"]);
    let tt = &file.datasets[1];
    assert_eq!(
        tt.weight.as_ref().map(pullback_analysis::Source::text),
        Some("2")
    );
    assert_eq!(tt.cross_section, Some(800.0));
    // Paths are those of the file in which they stand.
    assert_eq!(tt.files, [folder.0.join("shared/tt.root")]);
    assert_eq!(file.datasets[0].files, [folder.0.join("shared/../zz.root")]);
    assert_eq!(file.regions[0].kind, RegionKind::Control);
    assert_eq!(file.regions[0].cuts[0].text(), "MET.pt > 100");
    assert_eq!(file.regions[1].name, "CR");
    // What is in braces is one value: the processes of the other one are gone.
    let jes = &file.systematics[0];
    assert!(matches!(jes.effect, Effect::Norm { up, .. } if (up - 1.3).abs() < 1e-15));
    assert_eq!(jes.processes, ["zz", "tt"]);
}

#[test]
fn mistakes_are_placed_in_the_file_in_which_they_stand() {
    let folder = four("mistakes");
    folder.write("shared/regions.toml", &REGIONS.replace("kind", "kinds"));
    assert_eq!(
        folder.message("main.toml"),
        "there is no key `regions.SR.kinds`; did you mean `kind`? (shared/regions.toml, regions.SR, line 4, column 1)"
    );
    folder.write(
        "shared/regions.toml",
        &REGIONS.replace("MET.pt < 20", "MET.pt <> 20"),
    );
    let message = folder.message("main.toml");
    assert!(
        message.contains("(shared/regions.toml, regions.CR.cuts[0], line 7, column 18)"),
        "{message}"
    );
    folder.write("shared/regions.toml", "[regions");
    let message = folder.message("main.toml");
    assert!(
        message.contains("the file is not TOML") && message.contains("shared/regions.toml"),
        "{message}"
    );
    std::fs::remove_file(folder.0.join("shared/regions.toml")).expect("removes");
    let message = folder.message("main.toml");
    assert!(
        message.starts_with("`shared/regions.toml` cannot be read"),
        "{message}"
    );
    assert!(
        message.ends_with("(main.toml, include, line 2, column 11)"),
        "{message}"
    );
    // A table cannot be merged with something that is none: what stands later is there.
    folder.write("shared/regions.toml", "regions = 3\n");
    folder.write("main.toml", "include = 'shared/regions.toml'\n");
    let message = folder.message("main.toml");
    assert!(
        message.contains("expected a table, found a number (shared/regions.toml, regions"),
        "{message}"
    );
}

#[test]
fn circles_are_refused() {
    let folder = Folder::new(
        "circles",
        &[
            ("a.toml", "include = 'b.toml'\n"),
            ("b.toml", "include = ['./c.toml']\n"),
            ("c.toml", "include = '../' # no file\n"),
            ("own.toml", "include = 'own.toml'\n"),
        ],
    );
    assert!(
        folder
            .message("own.toml")
            .starts_with("`own.toml` includes this file")
    );
    folder.write("c.toml", "include = 'a.toml'\n");
    let message = folder.message("a.toml");
    assert!(
        message.contains("`a.toml` includes this file, at once or through others"),
        "{message}"
    );
    assert!(message.contains("c.toml, include, line 1"), "{message}");
    folder.write("c.toml", "include = '../'\n");
    assert!(folder.message("a.toml").contains("cannot be read"));
    // No chain is too long for the stack.
    for k in 0..200 {
        folder.write(
            &format!("{k}.toml"),
            &format!("include = '{}.toml'\n", k + 1),
        );
    }
    let error = folder.open("0.toml").expect_err("too many");
    assert_eq!(error.code(), "PB0803");
    assert!(error.to_string().contains("more than 64 files"), "{error}");
}

#[test]
fn defaults_stand_for_what_is_not_said() {
    let text = r#"
[analysis]
luminosity = "1 /fb"
[defaults.datasets]
generated = "genWeight"
cross_section = "2 pb"
[datasets.a]
files = "a.root"
[datasets.b]
files = "b.root"
generated = 7
[datasets.seen]
files = "c.root"
observed = true
[defaults.systematics]
processes = "b"
[systematics]
one = { norm = 0.1 }
two = { norm = 0.1, processes = "a" }
[systematics.three]
weight = "2"
"#;
    let read = |text: &str| AnalysisFile::from_text("a.toml", text, Path::new(""));
    let file = read(text).unwrap_or_else(|e| panic!("{e}"));
    assert!(matches!(&file.datasets[0].generated, Generated::Sum(s) if s.text() == "genWeight"));
    assert_eq!(file.datasets[1].generated, Generated::Number(7.0));
    assert!(
        file.datasets
            .iter()
            .take(2)
            .all(|d| d.cross_section == Some(2.0))
    );
    assert_eq!(file.datasets[2].cross_section, None);
    let processes: Vec<&str> = file
        .systematics
        .iter()
        .map(|s| s.processes[0].as_str())
        .collect();
    assert_eq!(processes, ["b", "a", "b"]);
    let error =
        read(&text.replace("generated = \"gen", "generatde = \"gen")).expect_err("a letter off");
    assert_eq!(
        error.to_string(),
        "there is no key `datasets.a.generatde`; did you mean `generated`? (a.toml, datasets.a, line 5, column 1)"
    );
    let error = read(&text.replace("defaults.systematics", "defaults.systematic"))
        .expect_err("a letter off");
    assert!(
        error.to_string().contains("did you mean `systematics`?"),
        "{error}"
    );
}
