//! The table beside the published one, for people and for machines.

use std::fmt::Write;

use serde_json::{Value, json};

use super::benchmark::Benchmark;
use super::bound::Fisher;
use super::published;
use super::study::{Entry, Kind, Run};
use super::toy::Toy;

impl Kind {
    /// How the row is called.
    pub fn label(self) -> String {
        match self {
            Self::Classifier => "classifier, uniform bins".into(),
            Self::ClassifierEqual => "classifier, bins of equal content".into(),
            Self::Inferno(b) => format!("trained for benchmark {}", b.number()),
            Self::AsTheAuthors(b) => {
                format!("the same for {}, trained as the authors do", b.number())
            }
            Self::Densities => "ratio of densities, uniform bins".into(),
        }
    }

    /// What the paper has for it.
    fn published(self) -> Option<[f64; 5]> {
        match self {
            Self::Classifier => Some(published::CLASSIFIER.map(|v| v.median)),
            Self::ClassifierEqual => None,
            Self::Inferno(b) | Self::AsTheAuthors(b) => {
                Some(published::INFERNO[b.number()].map(|v| v.median))
            }
            Self::Densities => Some(published::OPTIMAL_CLASSIFIER),
        }
    }
}

/// The rows in the order of the paper.
fn kinds() -> Vec<Kind> {
    let mut kinds = vec![Kind::Classifier, Kind::ClassifierEqual];
    kinds.extend(Benchmark::ALL.map(Kind::Inferno));
    kinds.push(Kind::AsTheAuthors(Benchmark::Two));
    kinds.push(Kind::Densities);
    kinds
}

impl Run {
    fn of(&self, kind: Kind) -> Vec<&Entry> {
        self.entries.iter().filter(|e| e.kind == kind).collect()
    }

    /// What is known about the mixture.
    fn title(&self) -> &'static str {
        if self.toy == Toy::AS_RUN {
            "signal at (0, 0), as the authors' program and their table have it"
        } else {
            "signal at (1, 1), as the text of the paper has it"
        }
    }
}

/// Median, smallest and largest.
fn spread(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n == 0 {
        return [f64::NAN; 3];
    }
    let median = f64::midpoint(values[(n - 1) / 2], values[n / 2]);
    [median, values[0], values[n - 1]]
}

fn cell(entries: &[&Entry], k: usize) -> String {
    let [median, low, high] = spread(entries.iter().map(|e| e.templates[k].0).collect());
    if entries.len() > 1 {
        format!("{median:.2} ({low:.2} to {high:.2})")
    } else {
        format!("{median:.2}")
    }
}

fn line(out: &mut String, label: &str, cells: &[String]) {
    let _ = writeln!(out, "| {label} | {} |", cells.join(" | "));
}

/// The tables of a run, in Markdown.
pub fn markdown(run: &Run) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "### {}\n", run.title());
    let _ = writeln!(
        out,
        "σ(s) on held-out events, hard assignment, shape templates at r ± 0.2 and λ ± 0.5: median (smallest to largest) of the seeds; italics: published.\n"
    );
    let heads = Benchmark::ALL.map(|b| format!("{}", b.number()));
    line(&mut out, "benchmark (seeds)", &heads);
    line(&mut out, "---", &["---"; 5].map(String::from));
    // The published table belongs to the signal at the origin.
    let comparable = run.toy == Toy::AS_RUN;
    let italics = |values: [f64; 5]| values.map(|v| format!("*{v:.2}*"));
    for kind in kinds() {
        let entries = run.of(kind);
        if entries.is_empty() {
            continue;
        }
        let label = format!("{} ({})", kind.label(), entries.len());
        let cells: Vec<String> = (0..5).map(|k| cell(&entries, k)).collect();
        line(&mut out, &label, &cells);
        if let Some(values) = kind.published().filter(|_| comparable) {
            line(&mut out, "", &italics(values));
        }
    }
    let bound = Fisher::new(&run.toy);
    let bounds = Benchmark::ALL.map(|b| format!("{:.2}", bound.sigma(b)));
    line(&mut out, "bound: unbinned likelihood", &bounds);
    if comparable {
        line(&mut out, "", &italics(published::LIKELIHOOD));
    }
    seeds(&mut out, run);
    out
}

/// Benchmark 2, network by network.
fn seeds(out: &mut String, run: &Run) {
    let two = Benchmark::Two.number();
    let _ = writeln!(
        out,
        "\nBenchmark 2, network by network (± from finite held-out events, same events for all):\n"
    );
    let heads = [
        "seed",
        "shape templates",
        "exact tangents",
        "seconds",
        "ns per event and step",
    ];
    line(out, "training", &heads.map(String::from));
    line(out, "---", &["---"; 5].map(String::from));
    for kind in [
        Kind::Inferno(Benchmark::Two),
        Kind::AsTheAuthors(Benchmark::Two),
        Kind::Classifier,
    ] {
        for e in run.of(kind) {
            let value = |(sigma, error): (f64, f64)| format!("{sigma:.3} ± {error:.3}");
            let cells = [
                e.seed.to_string(),
                value(e.templates[two]),
                value(e.exact[two]),
                format!("{:.0}", e.seconds),
                format!("{:.0}", e.nanoseconds),
            ];
            line(out, &kind.label(), &cells);
        }
    }
}

/// All numbers of a run.
pub fn json(run: &Run) -> Value {
    let bound = Fisher::new(&run.toy);
    let entries: Vec<Value> = (run.entries.iter())
        .map(|e| {
            let values = |values: &[(f64, f64); 5]| -> Vec<Value> {
                values
                    .iter()
                    .map(|(sigma, error)| json!({"sigma": sigma, "error": error}))
                    .collect()
            };
            json!({
                "row": e.kind.label(),
                "seed": e.seed,
                "templates": values(&e.templates),
                "exact": values(&e.exact),
                "published": e.kind.published(),
                "seconds": e.seconds,
                "nanoseconds_per_event_and_step": e.nanoseconds,
            })
        })
        .collect();
    json!({
        "signal_mean": run.toy.signal_mean,
        "published_is_comparable": run.toy == Toy::AS_RUN,
        "bound": Benchmark::ALL.map(|b| bound.sigma(b)),
        "bound_published": published::LIKELIHOOD,
        "networks": entries,
    })
}
