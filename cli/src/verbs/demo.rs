//! `pullback demo`.

use std::fmt::Write;
use std::time::Instant;

use pullback_stats::fit::{FitOptions, FitResult, Sensitivities, fit as run_fit, sensitivities};
use pullback_stats::spec;
use pullback_stats::workspace::{Workspace, read_json, sha256_hex};
use pullback_stats::{Error, Model};

use crate::app::Outcome;
use crate::args::DemoArgs;
use crate::demo::WORKSPACE;
use crate::failure::Failure;
use crate::report::{self, Page};
use crate::text::{About, Derivatives};
use crate::{interrupt, output, text};

/// Fits the built-in workspace, differentiates the result, writes a report.
pub fn demo(args: &DemoArgs) -> Result<Outcome, Failure> {
    output::check_folder(Some(&args.report))?;
    let built_in = |error| Failure::document("the built-in workspace", error);
    let (model, result, s) = interrupt::watched(run).map_err(built_in)?;
    let data = model.observed();
    let derivatives = Derivatives {
        spec: model.spec(),
        observed: &data.main,
        sensitivities: &s,
    };
    let about = About {
        title: "The built-in workspace (an invented search in one signal region and two control regions)",
        left_out: &[],
        data: None,
    };
    let page = report::render(&Page {
        result: &result,
        about,
        signal: &super::fit::signal(model.spec()),
        derivatives: Some(derivatives),
        warnings: &result.warnings,
    });
    output::write_file(&args.report, &page)?;
    let width = text::terminal_width();
    let mut text = text::fit(&result, about, args.all, width);
    text.push_str(&text::derivatives(&derivatives, &result, args.all, width));
    let shown = std::path::absolute(&args.report).unwrap_or_else(|_| args.report.clone());
    // Writing to a string does not fail.
    let _ = writeln!(text, "\nReport: {}", shown.display());
    output::print(&text)?;
    Ok(if result.converged {
        Outcome::Good
    } else {
        Outcome::Negative
    })
}

fn run() -> Result<(Model, FitResult, Sensitivities), Error> {
    let start = Instant::now();
    let options = spec::Options::default();
    let (workspace, _) = Workspace::from_slice(WORKSPACE)?;
    let read = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut model = Model::new(spec::resolve(&workspace, &options)?)?;
    let compile = start.elapsed().as_secs_f64();
    let data = model.observed();
    let mut result = run_fit(&mut model, &data, &mut FitOptions::default())?;
    result.seconds.read = read;
    result.seconds.compile = compile;
    result.digest = Some(sha256_hex(&read_json(WORKSPACE, &options.limits)?));
    let s = sensitivities(&mut model, &data, &result)?;
    Ok((model, result, s))
}
