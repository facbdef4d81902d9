//! `pullback eval`.

use pullback_stats::Model;

use super::point;
use crate::app::Outcome;
use crate::args::EvalArgs;
use crate::failure::Failure;
use crate::json::{Evaluation, NamedValue};
use crate::progress::Progress;
use crate::{complaint, json, output, source, text};

/// Evaluates the likelihood, its gradient and its Hessian at a point.
pub fn eval(args: &EvalArgs) -> Result<Outcome, Failure> {
    output::check_folder(args.output.output.as_deref())?;
    if args.model.workspace == args.parameters.clone().unwrap_or_default()
        && args.model.workspace.as_os_str() == "-"
    {
        return Err(Failure::StdinTwice);
    }
    let progress = Progress::start("reading");
    let loaded = source::load(&args.model)?;
    let point = match &args.parameters {
        Some(path) => point::read(path, &loaded.spec, &args.model.limits())?,
        None => loaded.spec.inits(),
    };
    progress.say("compiling");
    let in_file = |error| Failure::document(&loaded.path, error);
    let mut model = Model::new(loaded.spec.clone()).map_err(in_file)?;
    // All threads of the machine: their number changes no bit of the result.
    model.set_threads(std::thread::available_parallelism().map_or(1, usize::from));
    progress.say("evaluating");
    let evaluation = evaluate(&mut model, &point, args.gradient, args.hessian).map_err(in_file)?;
    drop(progress);
    if args.output.json || args.output.output.is_some() {
        let text = json::write(&evaluation);
        match &args.output.output {
            Some(path) => output::write_file(path, &text)?,
            None => output::print(&text)?,
        }
    }
    if !args.output.json {
        complaint::print_warnings(&loaded.warnings);
        output::print(&text::eval(
            &evaluation,
            args.output.all,
            text::terminal_width(),
        ))?;
    }
    Ok(Outcome::Good)
}

fn evaluate(
    model: &mut Model,
    point: &[f64],
    gradient: bool,
    hessian: bool,
) -> Result<Evaluation, pullback_stats::Error> {
    let data = model.observed();
    let (twice_nll, gradient) = if gradient {
        let (value, gradient) = model.gradient(point, &data)?;
        (value, Some(gradient))
    } else {
        (model.twice_nll(point, &data)?, None)
    };
    let hessian = if hessian {
        let values = model.hessian(point, &data)?;
        Some(
            values
                .chunks(point.len().max(1))
                .map(<[f64]>::to_vec)
                .collect(),
        )
    } else {
        None
    };
    let names = model.spec().parameters.iter().map(|p| p.name.clone());
    Ok(Evaluation {
        twice_nll,
        parameters: names
            .zip(point)
            .map(|(name, &value)| NamedValue { name, value })
            .collect(),
        gradient,
        hessian,
    })
}
