//! Templates that are functions of parameters: where a workspace can say the same by interpolation, the fits are the same.

use pullback_stats::fit::{FitOptions, FitResult, Moved, Moving, fit, fit_moving};
use pullback_stats::spec::{ModifierSettings, NormsysCode, Options, resolve};
use pullback_stats::workspace::{Limits, Workspace};
use pullback_stats::{Error, Model};
use serde_json::{Value, json};

const YIELDS: [f64; 3] = [50.0, 80.0, 120.0];
/// Logarithms of the factors at one standard deviation, of two parameters.
const SLOPES: [[f64; 3]; 2] = [[0.2, -0.1, 0.05], [0.0, 0.15, 0.3]];

/// Three channels of one bin: a signal, a background that moves, one that does not, with other systematics and staterrors.
fn workspace(moving: bool) -> Value {
    let channels = (0..3).map(|c| {
        let mut modifiers = vec![json!({"name": format!("stat_{c}"), "type": "staterror", "data": [4.0]}),
            json!({"name": "xs", "type": "normsys", "data": {"hi": 1.1, "lo": 0.95}})];
        for (k, slopes) in SLOPES.iter().enumerate() {
            let (hi, lo) = if moving { (1.0, 1.0) } else { (slopes[c].exp(), (-slopes[c]).exp()) };
            modifiers.push(json!({"name": format!("w{k}"), "type": "normsys", "data": {"hi": hi, "lo": lo}}));
        }
        if moving {
            let data = json!({"hi_data": [YIELDS[c]], "lo_data": [YIELDS[c]]});
            modifiers.push(json!({"name": "carrier", "type": "histosys", "data": data}));
        }
        let signal = [0.0, 2.0, 30.0];
        let shape = json!({"hi_data": [31.0], "lo_data": [28.0]});
        json!({"name": format!("c{c}"), "samples": [
            {"name": "b", "data": [YIELDS[c]], "modifiers": modifiers},
            {"name": "other", "data": [30.0], "modifiers": [
                {"name": "shape", "type": "histosys", "data": shape},
                {"name": format!("stat_{c}"), "type": "staterror", "data": [2.0]}]},
            {"name": "s", "data": [signal[c]], "modifiers": [{"name": "mu", "type": "normfactor", "data": null}]}]})
    });
    let mut parameters = vec![json!({"name": "mu", "bounds": [[0.0, 10.0]]})];
    if moving {
        parameters
            .push(json!({"name": "carrier", "inits": [1.0], "auxdata": [1.0], "fixed": true}));
    }
    let observed = [97.0, 131.0, 215.0].into_iter().enumerate();
    let observed = observed.map(|(c, n)| json!({"name": format!("c{c}"), "data": [n]}));
    json!({"version": "1.0.0",
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": parameters}}],
        "channels": channels.collect::<Vec<_>>(), "observations": observed.collect::<Vec<_>>()})
}

fn model(moving: bool) -> Model {
    let workspace = Workspace::from_value(&workspace(moving), &Limits::default());
    let options = Options {
        modifiers: ModifierSettings {
            normsys: NormsysCode::Code1,
            ..ModifierSettings::default()
        },
        ..Options::default()
    };
    let spec = resolve(&workspace.expect("a workspace").0, &options).expect("resolves");
    Model::open(spec).expect("compiles")
}

/// Yields n e^{Σ a θ}, with the histosys slot in which each stands.
struct Exponential {
    parameters: Vec<usize>,
    base: Vec<f64>,
    places: [usize; 3],
    calls: usize,
    /// Beyond this there are none.
    largest: f64,
}

impl Exponential {
    fn new(model: &Model) -> Self {
        let spec = model.spec();
        let name = |n: &str| {
            spec.parameters
                .iter()
                .position(|p| p.name == n)
                .expect("there")
        };
        let (mut base, mut places) = (Vec::new(), Vec::new());
        for a in &spec.applications {
            if let pullback_stats::spec::Effect::Histosys { hi_data, .. } = &a.effect {
                if spec.modifiers[a.modifier].name == "carrier" {
                    places.push(base.len());
                }
                base.extend_from_slice(hi_data);
            }
        }
        Self {
            parameters: vec![name("w0"), name("w1")],
            base,
            places: places.try_into().expect("three channels"),
            calls: 0,
            largest: 100.0,
        }
    }
}

impl Moving for Exponential {
    fn parameters(&self) -> &[usize] {
        &self.parameters
    }

    fn at(&mut self, theta: &[f64]) -> Option<Moved> {
        self.calls += 1;
        if theta.iter().any(|t| t.abs() > self.largest) {
            return None;
        }
        let mut slot = self.base.clone();
        let mut by = vec![vec![0.0; slot.len()]; 2];
        for (c, place) in self.places.into_iter().enumerate() {
            slot[place] = YIELDS[c] * (SLOPES[0][c] * theta[0] + SLOPES[1][c] * theta[1]).exp();
            for (by, slopes) in by.iter_mut().zip(SLOPES) {
                by[place] = slopes[c] * slot[place];
            }
        }
        let slots = |v: Vec<f64>| vec![("histosys_hi", v)];
        Some(Moved {
            slots: slots(slot),
            by: by.into_iter().map(slots).collect(),
        })
    }
}

fn close(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!(
        (a - b).abs() <= tolerance * b.abs().max(1.0),
        "{what}: {a} {b}"
    );
}

fn compare(moving: &FitResult, fixed: &FitResult) {
    assert!(
        moving.converged && fixed.converged,
        "{} {}",
        moving.status,
        fixed.status
    );
    // The carrier has a constraint of width one at its centre: ln 2π.
    close(
        moving.twice_nll - (2.0 * std::f64::consts::PI).ln(),
        fixed.twice_nll,
        1e-11,
        "twice_nll",
    );
    let (a, b) = (
        moving.covariance.as_ref().expect("one"),
        fixed.covariance.as_ref().expect("one"),
    );
    let place = |name: &str| {
        moving
            .parameters
            .iter()
            .position(|p| p.name == name)
            .expect("there")
    };
    for (k, p) in fixed.parameters.iter().enumerate() {
        let found = &moving.parameters[place(&p.name)];
        close(found.value, p.value, 2e-6, &p.name);
        close(
            found.error.expect("free"),
            p.error.expect("free"),
            1e-6,
            &p.name,
        );
        for (l, q) in fixed.parameters.iter().enumerate() {
            close(
                a.get(place(&p.name), place(&q.name)),
                b.get(k, l),
                1e-6,
                &q.name,
            );
        }
    }
    for (a, b) in moving.yields.iter().zip(&fixed.yields) {
        for (a, b) in [
            (a.prefit[0], b.prefit[0]),
            (a.postfit[0], b.postfit[0]),
            (a.postfit_total, b.postfit_total),
        ] {
            close(a.value, b.value, 1e-6, "a yield");
            close(
                a.error.expect("one"),
                b.error.expect("one"),
                1e-6,
                "its error",
            );
        }
    }
}

#[test]
fn a_fit_with_templates_that_follow_equals_the_one_by_interpolation() {
    let (mut moving, mut fixed) = (model(true), model(false));
    let mut templates = Exponential::new(&moving);
    let data = moving.observed();
    let found = fit_moving(
        &mut moving,
        &data,
        &mut templates,
        &mut FitOptions::default(),
    );
    let found = found.expect("fits");
    let data = fixed.observed();
    let expected = fit(&mut fixed, &data, &mut FitOptions::default()).expect("fits");
    println!(
        "{} iterations, {} templates",
        found.iterations, templates.calls
    );
    let pulls: Vec<_> = expected
        .parameters
        .iter()
        .map(|p| (&p.name, p.value, p.error))
        .collect();
    println!("{pulls:?}");
    assert!(
        pulls
            .iter()
            .any(|(n, v, _)| n.starts_with('w') && v.abs() > 0.1)
    );
    compare(&found, &expected);
}

#[test]
fn one_of_them_can_be_held() {
    let (mut moving, mut fixed) = (model(true), model(false));
    let mut templates = Exponential::new(&moving);
    let held = |model: &Model| {
        let place = model.spec().parameters.iter().position(|p| p.name == "w1");
        FitOptions {
            fix: vec![(place.expect("there"), 0.7)],
            ..FitOptions::default()
        }
    };
    let (mut a, mut b) = (held(&moving), held(&fixed));
    let data = moving.observed();
    let found = fit_moving(&mut moving, &data, &mut templates, &mut a).expect("fits");
    let data = fixed.observed();
    let expected = fit(&mut fixed, &data, &mut b).expect("fits");
    close(
        found.twice_nll - (2.0 * std::f64::consts::PI).ln(),
        expected.twice_nll,
        1e-11,
        "twice_nll",
    );
    let error = |r: &FitResult| r.parameters[r.poi.expect("one")].error.expect("free");
    close(error(&found), error(&expected), 1e-6, "error of mu");
}

/// Where there are no templates is no place for the fit; at the start it is an error.
#[test]
fn places_without_templates_are_outside_the_domain() {
    let mut model = model(true);
    let data = model.observed();
    let mut templates = Exponential::new(&model);
    templates.largest = -1.0;
    let error = fit_moving(
        &mut model,
        &data,
        &mut templates,
        &mut FitOptions::default(),
    );
    assert!(matches!(error, Err(Error::Minimiser { .. })), "{error:?}");
    templates.largest = 0.05;
    let result = fit_moving(
        &mut model,
        &data,
        &mut templates,
        &mut FitOptions::default(),
    );
    let result = result.expect("a point");
    assert!(!result.converged, "{}", result.status);
}
