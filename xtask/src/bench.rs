//! `cargo xtask bench [NAME] [--json]`: all benches, one table, `target/bench.json`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::json::Json;
use crate::process;
use crate::workspace::Workspace;

/// Builds in release, runs each bench in turn, prints the table, or with `--json` its rows as a list. False where a bench failed or a requirement is missed.
pub fn run(workspace: &Workspace, args: &[String]) -> Result<bool, String> {
    let (filter, as_json) = options(args)?;
    let mut build = workspace.cargo();
    build
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "pullback-benches",
            "--bins",
        ])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit());
    let output = build
        .output()
        .map_err(|error| format!("cannot start {}: {error}", process::shown(&build)))?;
    if !output.status.success() {
        return Ok(false);
    }
    let mut benches = process::executables(&String::from_utf8_lossy(&output.stdout));
    benches.retain(|(name, _)| name.contains(filter));
    benches.sort();
    if benches.is_empty() {
        return Err(format!(
            "no bench in benches/src/bin has '{filter}' in its name"
        ));
    }
    let lines = workspace.scratch("bench")?;
    let (mut results, mut failed) = (Vec::new(), Vec::new());
    for (name, path) in benches {
        if !as_json {
            println!("\n== {name}");
        }
        let file = lines.join(format!("{name}.jsonl"));
        let status = std::process::Command::new(&path)
            .current_dir(&workspace.root)
            .env("PULLBACK_BENCH_JSON", &file)
            .stdout(if as_json {
                Stdio::null()
            } else {
                Stdio::inherit()
            })
            .status()
            .map_err(|error| format!("cannot start {}: {error}", path.display()))?;
        if !status.success() {
            failed.push(format!("{name} ({status})"));
        }
        let text = fs::read_to_string(&file).unwrap_or_default();
        results.push((name, rows(&text)?));
    }
    let store = workspace.target.join("bench.json");
    save(&store, &results)?;
    let all: Vec<&Row> = results.iter().flat_map(|(_, rows)| rows).collect();
    let missed = all.iter().filter(|row| row.verdict == "MISSED").count();
    if as_json {
        let lines: Vec<&str> = all.iter().map(|row| row.line.as_str()).collect();
        println!("[\n{}\n]", lines.join(",\n"));
        return Ok(missed == 0 && failed.is_empty());
    }
    println!("\n{}", table(&all));
    println!(
        "{} figures, {missed} above what is required; {}",
        all.len(),
        store.display()
    );
    if !failed.is_empty() {
        println!("failed: {}", failed.join(", "));
    }
    Ok(missed == 0 && failed.is_empty())
}

/// The name and whether JSON is asked for.
fn options(args: &[String]) -> Result<(&str, bool), String> {
    let names: Vec<&str> = (args.iter().map(String::as_str))
        .filter(|a| *a != "--json")
        .collect();
    let as_json = names.len() < args.len();
    match names[..] {
        [] => Ok(("", as_json)),
        [name] if !name.starts_with('-') => Ok((name, as_json)),
        _ => Err("bench takes one name, and --json".to_owned()),
    }
}

/// A line of a bench.
struct Row {
    /// The JSON text, kept as it is.
    line: String,
    name: String,
    ours: Option<f64>,
    reference: Option<f64>,
    ratio: Option<f64>,
    required: Option<f64>,
    aim: Option<f64>,
    unit: String,
    on_ratio: bool,
    historical: bool,
    verdict: String,
}

fn rows(text: &str) -> Result<Vec<Row>, String> {
    text.lines()
        .map(|line| {
            let value = Json::parse(line)?;
            let text = |name: &str| {
                let text = value.get(name).and_then(Json::text);
                text.unwrap_or_default().to_owned()
            };
            let number = |name: &str| value.get(name).and_then(Json::number);
            Ok(Row {
                line: line.to_owned(),
                name: text("name"),
                ours: number("ours"),
                reference: number("reference"),
                ratio: number("ratio"),
                required: number("required"),
                aim: number("aim"),
                unit: text("unit"),
                on_ratio: text("on") == "ratio",
                historical: value.get("historical") == Some(&Json::Bool(true)),
                verdict: text("verdict"),
            })
        })
        .collect()
}

/// Writes one row per line under the name of its bench; benches that did not run now keep their rows.
fn save(path: &Path, results: &[(String, Vec<Row>)]) -> Result<(), String> {
    let mut lines = Vec::new();
    let old = fs::read_to_string(path).unwrap_or_default();
    for line in old.lines() {
        let line = line.trim_end_matches(',');
        let bench = Json::parse(line).ok().and_then(|value| {
            let bench = value.get("bench")?.text()?;
            Some(bench.to_owned())
        });
        if bench.is_some_and(|bench| results.iter().all(|(name, _)| *name != bench)) {
            lines.push(line.to_owned());
        }
    }
    for (name, rows) in results {
        for row in rows {
            lines.push(
                row.line
                    .replacen('{', &format!("{{\"bench\":\"{name}\","), 1),
            );
        }
    }
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// The summary.
fn table(rows: &[&Row]) -> String {
    let heads = [
        "what",
        "ours",
        "reference",
        "ratio",
        "required",
        "aim",
        "verdict",
    ]
    .map(str::to_owned);
    let mut lines = vec![heads];
    for row in rows {
        let value =
            |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| with_unit(v, &row.unit));
        let ratio =
            |ratio: Option<f64>| ratio.map_or_else(|| "-".to_owned(), |v| format!("{v:.2}x"));
        let limit = |limit| {
            if row.on_ratio {
                ratio(limit)
            } else {
                value(limit)
            }
        };
        let mark = if row.historical { " (h)" } else { "" };
        lines.push([
            row.name.clone(),
            value(row.ours),
            format!("{}{mark}", value(row.reference)),
            ratio(row.ratio),
            limit(row.required),
            limit(row.aim),
            row.verdict.clone(),
        ]);
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..7).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (column, cell) in line.iter().enumerate() {
            let width = widths[column];
            let _ = match column {
                0 => write!(out, "{cell:<width$}"),
                6 => write!(out, "  {cell}"),
                _ => write!(out, "  {cell:>width$}"),
            };
        }
        out.push('\n');
        if number == 0 {
            out.push_str(&"-".repeat(widths.iter().sum::<usize>() + 12));
            out.push('\n');
        }
    }
    if rows.iter().any(|row| row.historical) {
        out.push_str("(h): historical, measured elsewhere\n");
    }
    out
}

/// A figure with its unit; seconds are scaled.
fn with_unit(value: f64, unit: &str) -> String {
    let (scaled, unit) = match unit {
        "s" if value.abs() < 0.9995e-6 => (value * 1e9, "ns"),
        "s" if value.abs() < 0.9995e-3 => (value * 1e6, "µs"),
        "s" if value.abs() < 0.9995 => (value * 1e3, "ms"),
        _ => (value, unit),
    };
    let digits = match scaled.abs() {
        x if x >= 99.95 => 0,
        x if x >= 9.995 => 1,
        _ => 2,
    };
    format!("{scaled:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "{\"name\":\"chain\",\"ours\":1.5e-3,\"reference\":1e-3,\"ratio\":1.5,\"required\":1.6,\
        \"aim\":1.2,\"unit\":\"s\",\"on\":\"ratio\",\"historical\":true,\"verdict\":\"ok\"}";

    #[test]
    fn options_are_a_name_and_json() {
        let of = |args: &[&str]| {
            let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
            options(&args).map(|(name, json)| (name.to_owned(), json))
        };
        assert_eq!(of(&[]), Ok((String::new(), false)));
        assert_eq!(of(&["dimuon", "--json"]), Ok(("dimuon".to_owned(), true)));
        assert!(of(&["a", "b"]).is_err() && of(&["--jsno"]).is_err());
    }

    #[test]
    fn the_table_shows_what_ours_reference_ratio() {
        let rows = rows(LINE).expect("one row");
        let table = table(&rows.iter().collect::<Vec<_>>());
        let line = table.lines().nth(2).expect("a line below the head");
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            cells,
            [
                "chain", "1.50", "ms", "1.00", "ms", "(h)", "1.50x", "1.60x", "1.20x", "ok"
            ]
        );
    }

    #[test]
    fn saving_one_bench_keeps_the_rows_of_others() {
        let folder = std::env::temp_dir().join(format!("xtask-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        let path = folder.join("bench.json");
        for (name, text) in [("a", LINE), ("b", LINE), ("a", "")] {
            save(&path, &[(name.to_owned(), rows(text).expect("rows"))]).expect("saved");
        }
        let value = Json::parse(&fs::read_to_string(&path).expect("written")).expect("JSON");
        let benches: Vec<_> = value
            .items()
            .iter()
            .filter_map(|row| row.get("bench")?.text())
            .collect();
        assert_eq!(benches, ["b"]);
        fs::remove_dir_all(&folder).expect("removed");
    }
}
