//! Pages and plots of runs and optimisations: that they stand alone, have their numbers beside them, and overwrite nothing.

mod common;
#[path = "common/pdf.rs"]
mod pdf;

use std::collections::BTreeMap;

use common::{Folder, check_page};
use serde_json::Value;

/// A folder with an analysis of dileptons and its events.
fn dileptons() -> Folder {
    let folder = Folder::new();
    folder.write("a.toml", include_str!("data/dilepton.toml"));
    for (process, n, seed, file) in [
        ("ZToLL", "3000", "1", "zll.parquet"),
        ("TTbar", "2000", "2", "tt.parquet"),
        ("ZToLL", "2000", "3", "data.parquet"),
    ] {
        generate(&folder, process, n, seed, file);
    }
    folder
}

fn generate(folder: &Folder, process: &str, n: &str, seed: &str, file: &str) {
    let args = ["generate", process, "-n", n, "-s", seed, "-o", file];
    let run = folder.run(&args, "");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Names of the files in a folder below.
fn names(folder: &Folder, below: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path().join(below)).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|e| {
            e.expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    names.sort();
    names
}

/// Pictures that are whole, each with its numbers. Gives the names without endings.
fn check_pictures(folder: &Folder, below: &str) -> Vec<String> {
    let names = names(folder, below);
    let mut stems = Vec::new();
    for name in &names {
        let text = folder.read(&format!("{below}/{name}"));
        if let Some(stem) = name.strip_suffix(".svg") {
            let beside = format!("{stem}.pdf");
            assert!(names.contains(&beside), "{stem}");
            assert!(names.contains(&format!("{stem}.csv")), "{stem}");
            pdf::check(&beside, &folder.read(&format!("{below}/{beside}")), &text);
            assert!(
                text.starts_with("<?xml") && text.ends_with("</svg>\n"),
                "{name}"
            );
            assert!(!text.contains("NaN") && !text.contains("var(--"), "{name}");
            for tag in ["svg", "g", "text", "style", "defs"] {
                let opened = text.matches(&format!("<{tag}>")).count()
                    + text.matches(&format!("<{tag} ")).count();
                assert_eq!(
                    opened,
                    text.matches(&format!("</{tag}>")).count(),
                    "{name} {tag}"
                );
            }
            stems.push(stem.to_owned());
        } else if let Some(stem) = name.strip_suffix(".pdf") {
            assert!(names.contains(&format!("{stem}.svg")), "{stem}");
        } else {
            let stem = name.strip_suffix(".csv").expect("SVG, PDF or CSV");
            assert!(names.contains(&format!("{stem}.svg")), "{stem}");
            let mut lines = text.lines();
            let columns = lines.next().expect("a header").split(',').count();
            assert!(lines.clone().count() > 0, "{name} is empty");
            assert!(lines.all(|l| l.split(',').count() >= columns), "{name}");
        }
    }
    stems
}

#[test]
fn a_run_writes_a_page_and_plots_with_their_numbers() {
    let folder = dileptons();
    let args = [
        "run", "a.toml", "--report", "a.html", "--plots", "p", "-o", "out",
    ];
    let run = folder.run(&args, "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("wrote a.html"), "{}", run.stdout);
    assert!(
        run.stdout.contains("wrote 13 plots to p/"),
        "{}",
        run.stdout
    );
    let page = folder.read("a.html");
    check_page(&page);
    for words in [
        "Z to mu mu beside top pairs",
        "60 GeV &lt; m_ll &lt; 120 GeV",
        "muon_scale",
        "signal, blind",
        "m(ll) [GeV]",
        "data / exp.",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let expected = [
        "SR_cut_1",
        "SR_cut_2",
        "SR_cut_3",
        "SR_cutflow",
        "SR_m_ll",
        "SR_m_ll_muon_scale",
        "top_cut_1",
        "top_cut_2",
        "top_cutflow",
        "top_n_jets",
        "top_n_jets_muon_scale",
    ];
    let mut stems = check_pictures(&folder, "p");
    stems.retain(|s| !s.starts_with("SR_n_jets"));
    assert_eq!(stems, expected);

    // The numbers beside a picture are those of the run.
    let summary = json(&folder.read("out/summary.json"));
    let m_ll = summary["histograms"].as_array().expect("a list");
    let m_ll = m_ll.iter().find(|h| h["name"] == "m_ll").expect("filled");
    let beside = sums(&folder.read("p/SR_m_ll.csv"));
    for process in ["zll", "tt"] {
        let of_run: Vec<f64> = numbers(&m_ll["yields"][process]["sums"]);
        assert_eq!(beside[process], of_run);
    }
    // What is drawn in the PDF has the heights of the numbers.
    let name = "p/SR_m_ll_muon_scale";
    let svg = folder.read(&format!("{name}.svg"));
    let (_, shapes, _) = pdf::drawing(&svg);
    let page = pdf::page(&folder.read(&format!("{name}.pdf")));
    let place = |class: &str| {
        let class = format!("class=\"{class}\"");
        let at = shapes.iter().position(|s| s.element.contains(&class));
        &page.shapes[at.expect("a shape of the class")]
    };
    let ys = |shape: &[f64]| -> Vec<f64> { shape.iter().copied().skip(1).step_by(2).collect() };
    let bottom = ys(place("frame")).into_iter().fold(0.0, f64::max);
    let numbers_beside = sums(&folder.read(&format!("{name}.csv")));
    let nominal = &numbers_beside["zll + tt"];
    let heights = ys(place("total"));
    assert_eq!(heights.len(), 2 * nominal.len());
    let highest = nominal.iter().copied().fold(0.0, f64::max);
    let unit = (bottom - heights.iter().copied().fold(f64::INFINITY, f64::min)) / highest;
    for (y, n) in heights.chunks(2).zip(nominal) {
        assert_eq!(y[0], y[1]);
        assert!((bottom - y[0] - unit * n).abs() < 0.011, "{y:?} {n}");
    }

    // Blind regions have no data in any picture.
    assert!(!beside.contains_key("data"));
    assert!(sums(&folder.read("p/top_cut_1.csv")).contains_key("data"));
    // What cuts decide on is in the outputs, and is not without plots.
    let cut = &summary["n_minus_one"][1];
    assert_eq!((&cut["of"], &cut["unit"]), (&"m_ll".into(), &"GeV".into()));
    assert_eq!(
        cut["kept"][0],
        serde_json::json!({"at": 60.0, "above": true, "closed": false})
    );
    assert!(
        folder
            .read("out/histograms.csv")
            .contains("SR,n_minus_one_2,zll,")
    );
    let plain = folder.run(&["run", "a.toml", "--json"], "");
    assert!(json(&plain.stdout).get("n_minus_one").is_none());
}

/// Contents by process.
fn sums(csv: &str) -> BTreeMap<String, Vec<f64>> {
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let sum = cells[3].parse().expect("a number");
        all.entry(cells[0].to_owned()).or_default().push(sum);
    }
    all
}

fn numbers(list: &Value) -> Vec<f64> {
    let list = list.as_array().expect("a list").iter();
    list.map(|x| x.as_f64().expect("a number")).collect()
}

#[test]
fn nothing_is_overwritten_and_what_cannot_be_written_is_an_error() {
    let folder = dileptons();
    folder.write("a.html", "mine");
    std::fs::create_dir(folder.path().join("p")).expect("a folder");
    folder.write("p/SR_m_ll.svg", "mine");
    for args in [
        ["run", "a.toml", "--report", "a.html"],
        ["run", "a.toml", "--plots", "p"],
    ] {
        let run = folder.run(&args, "");
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
        assert!(run.stderr.contains("is there already"), "{}", run.stderr);
    }
    std::fs::create_dir(folder.path().join("q")).expect("a folder");
    folder.write("q/figure.pdf", "mine");
    let run = folder.run(&["run", "a.toml", "--plots", "q"], "");
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("figure.pdf"), "{}", run.stderr);
    assert_eq!(names(&folder, "q"), ["figure.pdf"]);
    assert_eq!(folder.read("a.html"), "mine");
    assert_eq!(
        (folder.read("p/SR_m_ll.svg"), names(&folder, "p").len()),
        ("mine".into(), 1)
    );
    let all = [
        "run", "a.toml", "--report", "a.html", "--plots", "p", "--force",
    ];
    let run = folder.run(&all, "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    check_page(&folder.read("a.html"));
    check_pictures(&folder, "p");

    // A file where a folder should be, and a folder that is not there: before the work.
    for (option, path, code) in [
        ("--plots", "a.html", "PB0907"),
        ("--report", "gone/a.html", "PB0906"),
        ("--report", "p", "PB0906"),
    ] {
        let run = folder.run(&["run", "a.toml", option, path], "");
        assert!(
            matches!(run.code, Some(2 | 4)) && run.stdout.is_empty(),
            "{run:?}"
        );
        assert!(run.stderr.contains(code), "{}", run.stderr);
    }
}

#[test]
fn names_cannot_break_pages_and_plots() {
    let folder = dileptons();
    let text = folder
        .read("a.toml")
        .replace(
            "muon_scale = { parameter",
            "\"../<b>{{ x }}\" = { parameter",
        )
        .replace(
            "\"Z to mu mu beside top pairs\"",
            "\"<script>alert(1)</script> \\\\ (é, √s, tt̄, 10⁻³, 猫) ET\"",
        );
    folder.write("a.toml", text);
    let run = folder.run(&["run", "a.toml", "--report", "a.html", "--plots", "p"], "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let page = folder.read("a.html");
    assert!(!page.contains("<script>") && !page.contains("<b>"));
    check_page(&page.replace("{{ x }}", ""));
    let stems = check_pictures(&folder, "p");
    assert!(
        stems.contains(&"SR_m_ll_..__b____x___".to_owned()),
        "{stems:?}"
    );
    for stem in stems {
        assert!(!folder.read(&format!("p/{stem}.svg")).contains("<script>"));
    }
}

const SEARCH: &str = include_str!("../../crates/analysis/tests/optimize/zprime.toml");

#[test]
fn an_optimisation_writes_a_page_and_plots() {
    let folder = Folder::new();
    let short =
        "objective = \"limit\"\nsteps = 12\nvalidate = 4\nmin_entries = 4\nmax_mc_error = 0.6";
    folder.write("z.toml", SEARCH.replace("objective = \"limit\"", short));
    generate(
        &folder,
        "ZPrimeToTT(1000, 30)",
        "3000",
        "7",
        "zprime.parquet",
    );
    generate(&folder, "TTbar", "8000", "7", "tt.parquet");
    generate(&folder, "WJets", "8000", "7", "wjets.parquet");
    let args = [
        "optimize", "z.toml", "--report", "z.html", "--plots", "p", "-o", "out",
    ];
    let run = folder.run(&args, "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let page = folder.read("z.html");
    check_page(&page);
    // The verdict is that of the text, and what moved is what is in the outcome.
    let verdict = run.stdout.lines().nth(1).expect("a verdict");
    assert!(page.contains(verdict), "{verdict}");
    for id in [
        "objective",
        "quantities",
        "history",
        "distributions",
        "histograms",
        "systematics",
        "cutflow",
        "data",
    ] {
        assert!(
            page.contains(&format!("<section id=\"{id}\">"))
                && page.contains(&format!("href=\"#{id}\"")),
            "{id}"
        );
    }
    let stems = check_pictures(&folder, "p");
    for stem in [
        "after_SR_cut_5",
        "after_SR_st",
        "after_SR_st_jes",
        "before_SR_st",
        "before_SR_cutflow",
        "history",
        "quantities",
        "systematics",
    ] {
        assert!(stems.iter().any(|s| s == stem), "{stem}: {stems:?}");
    }
    let outcome = json(&folder.read("out/outcome.json"));
    let steps = outcome["history"].as_array().expect("a list").len();
    assert_eq!(folder.read("p/history.csv").lines().count(), steps + 1);
    for q in outcome["quantities"].as_array().expect("a list") {
        let name = q["name"].as_str().expect("a name");
        let line = format!("{name},{},", q["range"][0]);
        let beside = folder.read("p/quantities.csv");
        let plain = line.replace(".0,", ",");
        assert!(
            beside.lines().any(|l| l.starts_with(&plain)),
            "{plain}\n{beside}"
        );
        assert!(page.contains(&format!(">{name}</text>")), "{name}");
    }
    // Nothing is overwritten.
    let again = folder.run(&["optimize", "z.toml", "--report", "z.html"], "");
    assert_eq!((again.code, again.stdout.as_str()), (Some(2), ""));
    assert!(
        again.stderr.contains("is there already"),
        "{}",
        again.stderr
    );
}
