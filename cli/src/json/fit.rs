//! The result of a fit, in a format that stays.

use pullback_stats::fit::{ChannelYields, Covariance, FitResult, Seconds, Side};
use serde::Serialize;

#[derive(Serialize)]
struct Fit<'a> {
    twice_nll: f64,
    converged: bool,
    status: &'a str,
    edm: f64,
    iterations: usize,
    evaluations: usize,
    parameters: Vec<Parameter<'a>>,
    covariance: Option<&'a Covariance>,
    covariance_note: Option<&'a str>,
    poi: Option<&'a str>,
    measurement: &'a str,
    digest: Option<&'a str>,
    version: &'static str,
    seconds: Seconds,
    yields: &'a [ChannelYields],
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Parameter<'a> {
    name: &'a str,
    value: f64,
    error: Option<f64>,
    fixed: bool,
    at_bound: Option<Side>,
    kind: &'static str,
    init: f64,
    bounds: [f64; 2],
    pull: Option<f64>,
    constraint: Option<f64>,
}

/// The JSON of a fit.
pub fn fit(result: &FitResult, warnings: &[String]) -> String {
    let parameter = |i: usize| result.parameters.get(i).map(|p| p.name.as_str());
    super::write(&Fit {
        twice_nll: result.twice_nll,
        converged: result.converged,
        status: &result.status,
        edm: result.edm,
        iterations: result.iterations,
        evaluations: result.evaluations,
        parameters: result
            .parameters
            .iter()
            .map(|p| Parameter {
                name: &p.name,
                value: p.value,
                error: p.error,
                fixed: p.fixed,
                at_bound: p.at_bound,
                kind: p.kind.as_str(),
                init: p.init,
                bounds: p.bounds,
                pull: p.pull,
                constraint: p.constraint,
            })
            .collect(),
        covariance: result.covariance.as_ref(),
        covariance_note: result.covariance_note.as_deref(),
        poi: result.poi.and_then(parameter),
        measurement: &result.measurement,
        digest: result.digest.as_deref(),
        version: env!("CARGO_PKG_VERSION"),
        seconds: result.seconds,
        yields: &result.yields,
        warnings,
    })
}
