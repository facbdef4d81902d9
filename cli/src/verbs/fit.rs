//! `pullback fit`.

use std::ops::ControlFlow;
use std::time::Instant;

use pullback_stats::fit::{AsimovNuisances, FitOptions, FitResult, fit as run_fit, sensitivities};
use pullback_stats::spec::{Constraint, ModelSpec, summarise};
use pullback_stats::{Data, Model};

use crate::app::Outcome;
use crate::args::{FitArgs, NuisancesArg};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::report::{self, Page};
use crate::text::{About, Derivatives};
use crate::{complaint, interrupt, json, output, source, text};

/// Fits a workspace.
pub fn fit(args: &FitArgs) -> Result<Outcome, Failure> {
    output::check_folder(args.output.output.as_deref())?;
    output::check_folder(args.report.as_deref())?;
    let progress = Progress::start("reading");
    let mut loaded = source::load(&args.model)?;
    let wants_digest = args.output.json || args.output.output.is_some() || args.report.is_some();
    let digest = wants_digest.then(|| loaded.digest());
    let mut warnings = std::mem::take(&mut loaded.warnings);
    warnings.extend(hold_what_has_no_effect(&mut loaded.spec));
    if args.asimov.is_some() && loaded.spec.poi.is_none() {
        return Err(Failure::AsimovWithoutPoi);
    }

    progress.say("compiling");
    let start = Instant::now();
    let in_file = |error| Failure::document(&loaded.path, error);
    let mut model = Model::new(loaded.spec.clone()).map_err(in_file)?;
    // All threads of the machine: their number changes no bit of the result.
    model.set_threads(std::thread::available_parallelism().map_or(1, usize::from));
    let compile_seconds = loaded.resolve_seconds + start.elapsed().as_secs_f64();

    progress.say("fitting");
    let mut options = options(args);
    let fitted = interrupt::watched(|| {
        let data = data(&mut model, args, &mut options)?;
        let result = run_fit(&mut model, &data, &mut options)?;
        Ok((data, result))
    });
    if interrupt::requested() {
        let during = fitted.map_or(String::new(), |(_, r)| {
            format!(" after {}", text::count(r.iterations, "iteration"))
        });
        return Err(Failure::Interrupted { during });
    }
    let (data, mut result) = fitted.map_err(in_file)?;
    result.seconds.read = loaded.read_seconds;
    result.seconds.compile = compile_seconds;
    warnings.extend(result.warnings.iter().cloned());
    drop(progress);
    result.digest = digest.and_then(source::Digest::wait);

    let data_name = args
        .asimov
        .map(|mu| asimov_name(mu, args.asimov_nuisances, &loaded.spec));
    let about = About {
        title: &loaded.path,
        left_out: &loaded.left_out,
        data: data_name.as_deref(),
    };
    let wanted = args.report.is_some() || args.derivatives;
    // Without a parameter of interest, or with one at its bound, there are none.
    let sensitivities = wanted.then(|| sensitivities(&mut model, &data, &result).ok());
    let sensitivities = sensitivities.flatten();
    let derivatives = sensitivities.as_ref().map(|sensitivities| Derivatives {
        spec: &loaded.spec,
        observed: &data.main,
        sensitivities,
    });
    let page = args.report.as_ref().map(|_| {
        report::render(&Page {
            result: &result,
            about,
            signal: &signal(&loaded.spec),
            derivatives,
            warnings: &warnings,
        })
    });
    if args.derivatives && derivatives.is_none() {
        warnings
            .push("there are no derivatives: no parameter of interest, or one at its bound".into());
    }
    let shown = derivatives.filter(|_| args.derivatives);
    write(args, &result, about, page, shown, &warnings)?;
    Ok(if result.converged {
        Outcome::Good
    } else {
        Outcome::Negative
    })
}

/// Writes all outputs; everything is made before anything is written.
fn write(
    args: &FitArgs,
    result: &FitResult,
    about: About<'_>,
    page: Option<String>,
    derivatives: Option<Derivatives<'_>>,
    warnings: &[String],
) -> Result<(), Failure> {
    let json =
        (args.output.json || args.output.output.is_some()).then(|| json::fit(result, warnings));
    if let (Some(path), Some(page)) = (&args.report, page) {
        output::write_file(path, &page)?;
    }
    match (&args.output.output, json) {
        (Some(path), Some(json)) => output::write_file(path, &json)?,
        (None, Some(json)) => output::print(&json)?,
        _ => {}
    }
    if !args.output.json {
        complaint::print_warnings(warnings);
        let width = text::terminal_width();
        let mut text = text::fit(result, about, args.output.all, width);
        if let Some(derivatives) = &derivatives {
            text.push_str(&text::derivatives(
                derivatives,
                result,
                args.output.all,
                width,
            ));
        }
        output::print(&text)?;
    }
    Ok(())
}

fn data(
    model: &mut Model,
    args: &FitArgs,
    options: &mut FitOptions<'_>,
) -> Result<Data, pullback_stats::Error> {
    match args.asimov {
        None => Ok(model.observed()),
        Some(mu) => {
            let kind = match args.asimov_nuisances {
                NuisancesArg::Nominal => AsimovNuisances::Nominal,
                NuisancesArg::Fitted => AsimovNuisances::Fitted,
            };
            model.asimov(Some(mu), kind, options)
        }
    }
}

fn asimov_name(mu: f64, kind: NuisancesArg, spec: &ModelSpec) -> String {
    let poi = spec.poi.map_or("", |i| &spec.parameters[i].name);
    let nuisances = match kind {
        NuisancesArg::Nominal => "nominal nuisance parameters",
        NuisancesArg::Fitted => "nuisance parameters fitted to the observed data",
    };
    format!("Asimov data at {poi} = {mu}, with {nuisances}")
}

fn options(args: &FitArgs) -> FitOptions<'static> {
    let mut options = FitOptions::default();
    if let Some(edm) = args.tolerance {
        options.minimiser.edm = edm;
    }
    if let Some(iterations) = args.max_iterations {
        options.minimiser.iterations = iterations;
    }
    options.hook = Some(Box::new(|_| {
        if interrupt::requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }));
    options
}

/// Names of the samples that the parameter of interest scales.
pub fn signal(spec: &ModelSpec) -> Vec<String> {
    let Some(poi) = spec.poi else {
        return Vec::new();
    };
    let scaled = spec.applications.iter().filter(|a| a.parameter == poi);
    let mut names: Vec<String> = scaled
        .map(|a| spec.sample_name(a.sample).to_owned())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A free parameter that changes no yield (the signal strength in control regions without signal, say) cannot be fitted: it is held, with a note.
fn hold_what_has_no_effect(spec: &mut ModelSpec) -> Option<String> {
    let inert = summarise(spec).parameters_without_effect;
    let mut held = Vec::new();
    for p in &mut spec.parameters {
        if !p.fixed && p.constraint == Constraint::None && inert.contains(&p.name) {
            p.fixed = true;
            held.push(format!("`{}`", p.name));
        }
    }
    (!held.is_empty()).then(|| {
        format!(
            "held at the initial value, because no yield depends on it: {}",
            held.join(", ")
        )
    })
}
