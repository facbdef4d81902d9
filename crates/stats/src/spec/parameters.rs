//! The parameters: order, defaults, constraints, and what the measurement says about them. The rules are those of pyhf 0.7.6 (`required_parset` of
//! each modifier, `reduce_paramsets_requirements`).

use std::collections::HashMap;

use super::layout::Layout;
use super::model::{Constraint, Derived, Effect, Parameter, ParameterKind, ParameterSet};
use crate::error::{Error, Place, Result};
use crate::workspace::{Measurement, ModifierType, ParameterConfig, Warning};

/// Bounds of γ parameters: zero is excluded because it makes rates vanish.
const GAMMA_BOUNDS: [f64; 2] = [1e-10, 10.0];
/// Bounds of α parameters.
const ALPHA_BOUNDS: [f64; 2] = [-5.0, 5.0];
/// Bounds of free factors.
const FACTOR_BOUNDS: [f64; 2] = [0.0, 10.0];

/// The parameter sets in pyhf's order and, for each modifier of the layout, its set. Sets the parameter index of each application.
///
/// Order: by type (histosys, lumi, normfactor, normsys, shapefactor, shapesys, staterror), then by first appearance in the sorted channels, samples and
/// modifiers; staterrors by name, because pyhf's builder finds them in the order of its sorted list of modifiers.
pub(super) fn order_sets(
    layout: &mut Layout<'_>,
    limit: u64,
) -> Result<(Vec<ParameterSet>, Vec<usize>)> {
    let mut sets: Vec<ParameterSet> = Vec::new();
    let mut set_of_name: HashMap<&str, usize> = HashMap::new();
    let mut set_of_modifier = vec![0; layout.modifiers.len()];
    let mut next = 0;
    for kind in ModifierType::ALL {
        let mut order: Vec<(usize, usize)> = layout
            .applications
            .iter()
            .enumerate()
            .filter(|(_, a)| a.effect.kind() == kind)
            .map(|(i, a)| (a.modifier, i))
            .collect();
        if kind == ModifierType::Staterror {
            order.sort_unstable();
        }
        let mut last_channel: HashMap<usize, usize> = HashMap::new();
        for (modifier, i) in order {
            let name = layout.modifiers[modifier].0;
            let channel = layout.samples[layout.applications[i].sample].channel;
            let bins = layout.channels[channel].bins.len();
            let set = *set_of_name.entry(name).or_insert_with(|| {
                sets.push(ParameterSet {
                    name: name.to_owned(),
                    kind: kind_of(kind),
                    scalar: !is_per_bin(kind),
                    parameters: next..next,
                });
                sets.len() - 1
            });
            set_of_modifier[modifier] = set;
            let range = &mut sets[set].parameters;
            let grows = match kind {
                // A staterror has the bins of all its channels, in their order.
                ModifierType::Staterror => last_channel.insert(modifier, channel) != Some(channel),
                _ => range.start == range.end,
            };
            if grows {
                range.end += if is_per_bin(kind) { bins } else { 1 };
                next = range.end;
                if next as u64 > limit {
                    return Err(Error::TooLarge {
                        what: "parameters of the model",
                        size: next as u64,
                        limit,
                    });
                }
            }
            layout.applications[i].parameter = match kind {
                ModifierType::Staterror => range.end - bins,
                _ => range.start,
            };
        }
    }
    Ok((sets, set_of_modifier))
}

fn is_per_bin(kind: ModifierType) -> bool {
    matches!(
        kind,
        ModifierType::Shapefactor | ModifierType::Shapesys | ModifierType::Staterror
    )
}

fn kind_of(kind: ModifierType) -> ParameterKind {
    match kind {
        ModifierType::Histosys | ModifierType::Normsys => ParameterKind::Alpha,
        ModifierType::Lumi => ParameterKind::Lumi,
        ModifierType::Normfactor => ParameterKind::FreeNorm,
        ModifierType::Shapefactor => ParameterKind::ShapeFactor,
        ModifierType::Shapesys => ParameterKind::GammaShape,
        ModifierType::Staterror => ParameterKind::GammaStat,
    }
}

/// The parameters with their defaults, then the measurement's configuration. `aux` is set for constrained ones.
pub(super) fn build(
    layout: &Layout<'_>,
    sets: &[ParameterSet],
    measurement: &Measurement,
    measurement_index: usize,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Parameter>> {
    let mut parameters = defaults(layout, sets)?;
    let mut configs: HashMap<&str, (usize, &ParameterConfig)> = measurement
        .config
        .parameters
        .iter()
        .enumerate()
        .map(|(i, p)| (p.name.as_str(), (i, p)))
        .collect();
    for set in sets {
        let config = configs.remove(set.name.as_str());
        let members = &mut parameters[set.parameters.clone()];
        if set.kind == ParameterKind::Lumi {
            check_lumi(set, config.map(|(_, c)| c), &measurement.name, warnings)?;
        }
        if let Some((index, config)) = config {
            let place = format!("/measurements/{measurement_index}/config/parameters/{index}");
            configure(set, members, config, &place, warnings)?;
        }
    }
    let mut unused: Vec<&str> = configs.into_keys().filter(|name| *name != "lumi").collect();
    unused.sort_unstable();
    warnings.extend(
        unused
            .into_iter()
            .map(|name| Warning::UnusedParameterConfig {
                name: name.to_owned(),
            }),
    );

    for (next, parameter) in parameters
        .iter_mut()
        .filter(|p| p.constraint != Constraint::None)
        .enumerate()
    {
        parameter.aux = Some(next);
    }
    Ok(parameters)
}

fn defaults(layout: &Layout<'_>, sets: &[ParameterSet]) -> Result<Vec<Parameter>> {
    let uses = uses_of_gammas(layout, sets);
    let mut parameters = Vec::with_capacity(uses.len());
    for (s, set) in sets.iter().enumerate() {
        for (component, index) in set.parameters.clone().enumerate() {
            let name = if set.scalar {
                set.name.clone()
            } else {
                format!("{}[{component}]", set.name)
            };
            let (init, bounds) = match set.kind {
                ParameterKind::Alpha => (0.0, ALPHA_BOUNDS),
                ParameterKind::FreeNorm | ParameterKind::ShapeFactor => (1.0, FACTOR_BOUNDS),
                ParameterKind::GammaStat | ParameterKind::GammaShape => (1.0, GAMMA_BOUNDS),
                // The measurement gives all of them: `check_lumi`.
                ParameterKind::Lumi => (f64::NAN, [f64::NAN; 2]),
            };
            let (constraint, derived) = match set.kind {
                ParameterKind::FreeNorm | ParameterKind::ShapeFactor => {
                    (Constraint::None, Derived::Constant)
                }
                ParameterKind::Alpha => (
                    Constraint::Normal {
                        aux: 0.0,
                        sigma: 1.0,
                    },
                    Derived::Constant,
                ),
                ParameterKind::Lumi => (
                    Constraint::Normal {
                        aux: f64::NAN,
                        sigma: 1.0,
                    },
                    Derived::Constant,
                ),
                ParameterKind::GammaStat => staterror_constraint(layout, &name, &uses[index])?,
                ParameterKind::GammaShape => shapesys_constraint(layout, &name, &uses[index])?,
            };
            let fixed = derived == Derived::Placeholder;
            parameters.push(Parameter {
                name,
                set: s,
                component,
                kind: set.kind,
                init,
                bounds,
                fixed,
                constraint,
                aux: None,
                derived,
            });
        }
    }
    Ok(parameters)
}

/// For each parameter, the shapesys or staterror applications that act through it, and their bin.
fn uses_of_gammas(layout: &Layout<'_>, sets: &[ParameterSet]) -> Vec<Vec<(usize, usize)>> {
    let count = sets.last().map_or(0, |s| s.parameters.end);
    let mut uses = vec![Vec::new(); count];
    for (i, a) in layout.applications.iter().enumerate() {
        if let Effect::Shapesys { uncertainty } | Effect::Staterror { uncertainty } = &a.effect {
            for bin in 0..uncertainty.len() {
                uses[a.parameter + bin].push((i, bin));
            }
        }
    }
    uses
}

/// Nominal yield and uncertainty of an application in a bin.
fn yield_and_uncertainty(layout: &Layout<'_>, application: usize, bin: usize) -> (f64, f64) {
    let a = &layout.applications[application];
    let nominal = layout.nominal[layout.samples[a.sample].cells.start + bin];
    match &a.effect {
        Effect::Shapesys { uncertainty } | Effect::Staterror { uncertainty } => {
            (nominal, uncertainty[bin])
        }
        _ => (nominal, 0.0),
    }
}

/// σ = sqrt(Σ (unc/Σ nominal)²); where it is zero, 1 stands in and the parameter is fixed (pyhf `staterror.py`, `finalize`).
fn staterror_constraint(
    layout: &Layout<'_>,
    name: &str,
    uses: &[(usize, usize)],
) -> Result<(Constraint, Derived)> {
    let cells = || {
        uses.iter()
            .map(|&(a, bin)| yield_and_uncertainty(layout, a, bin))
    };
    let total: f64 = cells().map(|(nominal, _)| nominal).sum();
    let sigma = if total > 0.0 {
        cells()
            .map(|(_, unc)| (unc / total).powi(2))
            .sum::<f64>()
            .sqrt()
    } else {
        0.0
    };
    if !sigma.is_finite() {
        return Err(Error::ParameterValue {
            name: name.to_owned(),
            what: "constraint width",
            value: sigma,
        });
    }
    if sigma == 0.0 {
        return Ok((
            Constraint::Normal {
                aux: 1.0,
                sigma: 1.0,
            },
            Derived::Placeholder,
        ));
    }
    let bin = uses.first().map_or(0, |u| u.1);
    let derived = Derived::Staterror {
        applications: uses.iter().map(|u| u.0).collect(),
        bin,
    };
    Ok((Constraint::Normal { aux: 1.0, sigma }, derived))
}

/// τ = (nominal/unc)² where both are positive; elsewhere 1 stands in and the parameter is fixed (pyhf `shapesys.py`, `required_parset`).
fn shapesys_constraint(
    layout: &Layout<'_>,
    name: &str,
    uses: &[(usize, usize)],
) -> Result<(Constraint, Derived)> {
    let placeholder = (
        Constraint::Poisson { aux: 1.0, tau: 1.0 },
        Derived::Placeholder,
    );
    let Some(&(application, bin)) = uses.first() else {
        return Ok(placeholder);
    };
    let (nominal, unc) = yield_and_uncertainty(layout, application, bin);
    if !(nominal > 0.0 && unc > 0.0) {
        return Ok(placeholder);
    }
    let tau = nominal.powi(2) / unc.powi(2);
    if !(tau.is_finite() && tau > 0.0) {
        return Err(Error::ParameterValue {
            name: name.to_owned(),
            what: "rate factor (nominal/uncertainty)²",
            value: tau,
        });
    }
    Ok((
        Constraint::Poisson { aux: tau, tau },
        Derived::Shapesys {
            application,
            bin,
            tau: true,
            aux: true,
        },
    ))
}

/// A lumi has no defaults: the measurement must give them. Without `sigmas` pyhf uses width 1.
fn check_lumi(
    set: &ParameterSet,
    config: Option<&ParameterConfig>,
    measurement: &str,
    warnings: &mut Vec<Warning>,
) -> Result<()> {
    let given = [
        ("inits", config.is_some_and(|c| c.inits.is_some())),
        ("bounds", config.is_some_and(|c| c.bounds.is_some())),
        ("auxdata", config.is_some_and(|c| c.auxdata.is_some())),
    ];
    if let Some((attribute, _)) = given.into_iter().find(|(_, given)| !given) {
        return Err(Error::MissingParameterConfig {
            name: set.name.clone(),
            attribute,
            measurement: measurement.to_owned(),
        });
    }
    if config.is_none_or(|c| c.sigmas.is_none()) {
        warnings.push(Warning::LumiWithoutSigma {
            name: set.name.clone(),
        });
    }
    Ok(())
}

/// Applies the measurement's configuration to the parameters of a set.
fn configure(
    set: &ParameterSet,
    members: &mut [Parameter],
    config: &ParameterConfig,
    place: &str,
    warnings: &mut Vec<Warning>,
) -> Result<()> {
    let constrained = !matches!(
        set.kind,
        ParameterKind::FreeNorm | ParameterKind::ShapeFactor
    );
    let allowed = [
        ("auxdata", config.auxdata.is_some(), constrained),
        (
            "sigmas",
            config.sigmas.is_some(),
            matches!(set.kind, ParameterKind::GammaStat | ParameterKind::Lumi),
        ),
        (
            "factors",
            config.factors.is_some(),
            set.kind == ParameterKind::GammaShape,
        ),
    ];
    if let Some((attribute, ..)) = allowed
        .into_iter()
        .find(|(_, given, allowed)| *given && !allowed)
    {
        let place = Place::at(format!("{place}/{attribute}"));
        return Err(Error::ParameterAttribute {
            name: set.name.clone(),
            attribute,
            kind: set.kind.as_str(),
            place,
        });
    }
    let n = members.len();
    let check = |key: &str, found: usize| {
        let why = || format!("the components of the parameter `{}`", set.name);
        if found == n {
            Ok(())
        } else {
            Err(Error::Length {
                expected: n,
                found,
                why: why(),
                place: Place::at(format!("{place}/{key}")),
            })
        }
    };
    if let Some(inits) = &config.inits {
        check("inits", inits.len())?;
        members.iter_mut().zip(inits).for_each(|(p, x)| p.init = *x);
    }
    if let Some(bounds) = &config.bounds {
        check("bounds", bounds.len())?;
        members
            .iter_mut()
            .zip(bounds)
            .for_each(|(p, x)| p.bounds = *x);
    }
    if let Some(auxdata) = &config.auxdata {
        check("auxdata", auxdata.len())?;
        members
            .iter_mut()
            .zip(auxdata)
            .try_for_each(|(p, x)| set_aux(p, *x))?;
    }
    if let Some(sigmas) = &config.sigmas {
        check("sigmas", sigmas.len())?;
        members
            .iter_mut()
            .zip(sigmas)
            .try_for_each(|(p, x)| set_width(p, *x))?;
    }
    if let Some(factors) = &config.factors {
        check("factors", factors.len())?;
        members
            .iter_mut()
            .zip(factors)
            .try_for_each(|(p, x)| set_width(p, *x))?;
    }
    if let Some(fixed) = config.fixed {
        let freed = members
            .iter()
            .filter(|p| p.fixed && !fixed && p.derived == Derived::Placeholder)
            .count();
        if freed > 0 {
            warnings.push(Warning::PlaceholderFreed {
                name: set.name.clone(),
                count: freed,
            });
        }
        for p in members {
            p.fixed = fixed;
        }
    }
    Ok(())
}

fn set_aux(parameter: &mut Parameter, value: f64) -> Result<()> {
    match &mut parameter.constraint {
        Constraint::Normal { aux, .. } => *aux = value,
        Constraint::Poisson { aux, .. } if value >= 0.0 => *aux = value,
        Constraint::Poisson { .. } => {
            return Err(Error::ParameterValue {
                name: parameter.name.clone(),
                what: "auxdata",
                value,
            });
        }
        Constraint::None => {}
    }
    if let Derived::Shapesys { aux, .. } = &mut parameter.derived {
        *aux = false;
    }
    Ok(())
}

/// Sets σ or τ to the measurement's number, which takes the place of what the templates say.
fn set_width(parameter: &mut Parameter, value: f64) -> Result<()> {
    if value <= 0.0 {
        let what = if matches!(parameter.constraint, Constraint::Poisson { .. }) {
            "rate factor"
        } else {
            "constraint width"
        };
        return Err(Error::ParameterValue {
            name: parameter.name.clone(),
            what,
            value,
        });
    }
    match &mut parameter.constraint {
        Constraint::Normal { sigma, .. } => *sigma = value,
        Constraint::Poisson { tau, .. } => *tau = value,
        Constraint::None => {}
    }
    match &mut parameter.derived {
        Derived::Shapesys { tau, .. } => *tau = false,
        derived => *derived = Derived::Constant,
    }
    Ok(())
}
