//! The way from a workspace to a model.

use super::layout::lay_out;
use super::model::{Constraint, ModelSpec, ModifierSpec, Parameter, ParameterSet};
use super::options::{Options, PoiChoice};
use super::parameters;
use crate::error::{Error, Result};
use crate::workspace::{Measurement, Warning, Workspace};

/// Resolves a workspace: see [`ModelSpec`].
///
/// The workspace must be consistent ([`Workspace::check`]); reading guarantees that, editing in memory does not, so it is checked again.
///
/// # Errors
/// A name in the options that does not exist, a parameter of interest that is missing or has several components, a configuration that does not fit.
///
/// ```
/// use pullback_stats::{spec, workspace::Workspace};
/// let text = r#"{"version": "1.0.0",
///     "channels": [{"name": "SR", "samples": [
///         {"name": "sig", "data": [5, 10], "modifiers": [{"name": "mu", "type": "normfactor", "data": null}]},
///         {"name": "bkg", "data": [50, 60], "modifiers": [{"name": "unc", "type": "shapesys", "data": [5, 12]}]}]}],
///     "observations": [{"name": "SR", "data": [44, 62]}],
///     "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}]}"#;
/// let (workspace, _) = Workspace::from_slice(text.as_bytes())?;
/// let model = spec::resolve(&workspace, &spec::Options::default())?;
/// let names: Vec<&str> = model.parameters.iter().map(|p| p.name.as_str()).collect();
/// assert_eq!(names, ["mu", "unc[0]", "unc[1]"]);
/// assert_eq!(model.auxdata, [100.0, 25.0]); // τ = (nominal/uncertainty)²
/// # Ok::<(), pullback_stats::Error>(())
/// ```
pub fn resolve(workspace: &Workspace, options: &Options) -> Result<ModelSpec> {
    workspace.check(&options.limits)?;
    let (measurement_index, measurement) =
        choose_measurement(workspace, options.measurement.as_deref())?;
    let mut layout = lay_out(workspace);
    let (sets, set_of_modifier) = parameters::order_sets(&mut layout, options.limits.parameters)?;
    if sets.is_empty() {
        return Err(Error::NoParameters);
    }
    let mut warnings = Vec::new();
    let mut parameters = parameters::build(
        &layout,
        &sets,
        measurement,
        measurement_index,
        &mut warnings,
    )?;
    override_parameters(&mut parameters, &sets, options)?;
    for p in &parameters {
        if !(p.bounds[0]..=p.bounds[1]).contains(&p.init) {
            warnings.push(Warning::InitOutsideBounds {
                name: p.name.clone(),
                init: p.init,
                bounds: p.bounds,
            });
        }
    }
    let poi = choose_poi(&sets, measurement, &options.poi)?;
    let aux = |p: &Parameter| match p.constraint {
        Constraint::None => None,
        Constraint::Normal { aux, .. } | Constraint::Poisson { aux, .. } => Some(aux),
    };
    let modifiers = layout.modifiers.iter().zip(set_of_modifier);
    Ok(ModelSpec {
        measurement: measurement.name.clone(),
        poi,
        settings: options.modifiers,
        auxdata: parameters.iter().filter_map(aux).collect(),
        auxdata_parameters: parameters
            .iter()
            .enumerate()
            .filter(|(_, p)| p.aux.is_some())
            .map(|(i, _)| i)
            .collect(),
        modifiers: modifiers
            .map(|(&(name, kind), set)| ModifierSpec {
                name: name.to_owned(),
                kind,
                set,
            })
            .collect(),
        processes: layout
            .processes
            .iter()
            .map(|&name| name.to_owned())
            .collect(),
        channels: layout.channels,
        samples: layout.samples,
        nominal: layout.nominal,
        applications: layout.applications,
        observations: layout.observations,
        parameters,
        sets,
        warnings,
    })
}

fn choose_measurement<'a>(
    workspace: &'a Workspace,
    name: Option<&str>,
) -> Result<(usize, &'a Measurement)> {
    let mut measurements = workspace.measurements.iter().enumerate();
    let found = match name {
        None => measurements.next(),
        Some(name) => measurements.find(|(_, m)| m.name == name),
    };
    found.ok_or_else(|| Error::UnknownMeasurement {
        name: name.unwrap_or_default().to_owned(),
        available: workspace
            .measurements
            .iter()
            .map(|m| m.name.clone())
            .collect(),
    })
}

fn choose_poi(
    sets: &[ParameterSet],
    measurement: &Measurement,
    choice: &PoiChoice,
) -> Result<Option<usize>> {
    let name = match choice {
        PoiChoice::Measurement => measurement.config.poi.as_str(),
        PoiChoice::Without => "",
        PoiChoice::Named(name) => name.as_str(),
    };
    if name.is_empty() {
        return Ok(None);
    }
    let Some(set) = sets.iter().find(|s| s.name == name) else {
        let available = sets
            .iter()
            .filter(|s| s.parameters.len() == 1)
            .map(|s| s.name.clone())
            .collect();
        let name = name.to_owned();
        // A wrong name in the options is the caller's mistake, one in the file is the file's.
        return Err(match choice {
            PoiChoice::Named(_) => Error::UnknownParameter { name, available },
            _ => Error::UnknownPoi { name, available },
        });
    };
    if set.parameters.len() > 1 {
        return Err(Error::VectorPoi {
            name: name.to_owned(),
            components: set.parameters.len(),
        });
    }
    Ok(Some(set.parameters.start))
}

/// The parameters that a name means: one component by its full name, or all components of a set.
fn find<'a>(
    parameters: &'a mut [Parameter],
    sets: &[ParameterSet],
    name: &str,
) -> Result<&'a mut [Parameter]> {
    if let Some(set) = sets.iter().find(|s| s.name == name) {
        return Ok(&mut parameters[set.parameters.clone()]);
    }
    let Some(i) = parameters.iter().position(|p| p.name == name) else {
        let available = parameters.iter().map(|p| p.name.clone()).collect();
        return Err(Error::UnknownParameter {
            name: name.to_owned(),
            available,
        });
    };
    Ok(&mut parameters[i..=i])
}

fn override_parameters(
    parameters: &mut [Parameter],
    sets: &[ParameterSet],
    options: &Options,
) -> Result<()> {
    let finite = |p: &Parameter, value: f64| {
        if value.is_finite() {
            Ok(value)
        } else {
            Err(Error::ParameterValue {
                name: p.name.clone(),
                what: "initial value",
                value,
            })
        }
    };
    for (name, bounds) in &options.bounds {
        // Infinite bounds are fine, NaN is not.
        if bounds[0].is_nan() || bounds[1].is_nan() || bounds[0] > bounds[1] {
            return Err(Error::Bounds {
                name: name.clone(),
                bounds: *bounds,
            });
        }
        find(parameters, sets, name)?
            .iter_mut()
            .for_each(|p| p.bounds = *bounds);
    }
    for (name, init) in &options.inits {
        for p in find(parameters, sets, name)? {
            p.init = finite(p, *init)?;
        }
    }
    for name in &options.free {
        find(parameters, sets, name)?
            .iter_mut()
            .for_each(|p| p.fixed = false);
    }
    for (name, value) in &options.fix {
        for p in find(parameters, sets, name)? {
            if let Some(value) = value {
                p.init = finite(p, *value)?;
            }
            p.fixed = true;
        }
    }
    Ok(())
}
