//! Muon momentum calibration from J/ψ and Z at full length: closure, the open data, covariance checks, times. `cargo xtask study calibration`.
//!
//! Options: `--export FILE` writes what an independent implementation needs; `--jax PYTHON` runs that of `studies/python/dimuon_jax.py` in the same run, with an
//! interpreter that has jax, uproot, awkward and scipy; `--toys N` (20) samples of each kind.

use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use cpu_time::ThreadTime;
use pullback_optim::{Bfgs, Minimiser, Objective, Problem};
use pullback_sim::Detector;
use pullback_studies::dimuon::{
    Calibration, Derivative, DimuonError, Fitted, Likelihood, Momenta, Muons, Peak, Pulls, Truth,
    bootstrap, fit, goodness, of_generator, of_model, open_data, pairs, start, twice_nll,
};
use serde_json::json;

type Outcome = Result<(), Box<dyn Error>>;

/// Generated events of J/ψ and Z in a sample: about as many selected pairs as resonances in the open data.
const GENERATED: [usize; 2] = [75_000, 34_000];

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        let at = args.iter().position(|a| a == name)?;
        args.get(at + 1).cloned()
    };
    let toys = option("--toys").map_or(Ok(20), |n| n.parse())?;
    closure(toys)?;
    let Some(muons) = events()? else {
        return Ok(());
    };
    let calibration = Calibration::new(Truth::Collisions)?;
    let fitted = result(&calibration, &muons)?;
    assumptions(&calibration, &muons, &fitted)?;
    let theta = &fitted.minimum.x;
    pulls(
        "Toys of the model at the result",
        &calibration,
        &of_model(&calibration, theta, &muons, toys, 100)?,
    );
    pulls(
        "Resampled events, about the result",
        &calibration,
        &bootstrap(&calibration, theta, &muons, toys, 1000)?,
    );
    let ours = times(&calibration, &muons)?;
    let export =
        option("--export").or_else(|| option("--jax").map(|_| "target/dimuon.json".to_owned()));
    if let Some(path) = &export {
        write(Path::new(path), &calibration, &fitted)?;
    }
    if let (Some(python), Some(path)) = (option("--jax"), &export) {
        beside_jax(&python, path, &ours)?;
    }
    Ok(())
}

fn data_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/agc-dimuon/open-data-example.root")
}

fn events() -> Result<Option<Muons>, Box<dyn Error>> {
    let path = data_file();
    if !path.is_file() {
        println!("skipped: the open data are not there ({})", path.display());
        return Ok(None);
    }
    Ok(Some(open_data(&path)?))
}

fn biased(calibration: &Calibration) -> Detector {
    Detector {
        muon_eta_edges: calibration.edges.clone(),
        muon_scale: vec![1e-3, -0.5e-3, 0.8e-3, -1.5e-3, 2e-3, -3e-3],
        muon_offset: vec![0.005, -0.01, 0.0, 0.015, -0.01, 0.02],
        muon_resolution: vec![1.0, 1.1, 0.95, 1.2, 1.05, 1.15],
        ..Detector::default()
    }
}

fn closure(samples: usize) -> Outcome {
    let constrained = Calibration::new(Truth::Generator)?;
    let detector = biased(&constrained);
    let mut measured = constrained.clone();
    measured.momenta = Momenta::Measured;
    for (name, calibration) in [("constrained", &constrained), ("measured", &measured)] {
        let (found, counts) = of_generator(calibration, &detector, GENERATED, samples, 11)?;
        let title = format!(
            "Generated events, {name} momenta, {counts:?} pairs of J/psi and Z in a sample"
        );
        pulls(&title, calibration, &found);
        let (found, counts) =
            of_generator(calibration, &detector, GENERATED.map(|n| 20 * n), 1, 12)?;
        let title = format!("The same, one sample of {counts:?} pairs");
        pulls(&title, calibration, &found);
    }
    Ok(())
}

/// A table of pulls: each group of parameters, then its bins one by one.
fn pulls(title: &str, calibration: &Calibration, found: &Pulls) {
    let bins = calibration.layout().bins;
    println!("\n{title}: pulls, mean and rms about zero");
    let groups = ["scale", "offset", "low", "high"].iter().enumerate();
    for (k, name) in groups {
        let all = found.of(k * bins..(k + 1) * bins);
        let error = 1.0 / (all.count as f64).sqrt();
        print!(
            "  {name:7} n {:3}  mean {:+.2} ± {error:.2}  rms {:.2}  | bins",
            all.count, all.mean, all.rms
        );
        for bin in k * bins..(k + 1) * bins {
            let one = found.of(bin..bin + 1);
            print!("  {:+.2} {:.2}", one.mean, one.rms);
        }
        println!();
    }
    let rest = found.of(4 * bins..calibration.layout().count());
    if rest.count > 0 {
        println!(
            "  background n {}  mean {:+.2}  rms {:.2}",
            rest.count, rest.mean, rest.rms
        );
    }
}

/// The shift of ln p_T of a bin at a momentum, in 10⁻³, with its error.
fn shift_at(calibration: &Calibration, fitted: &Fitted, bin: usize, pt: f64) -> (f64, f64) {
    let layout = calibration.layout();
    let (a, c) = (layout.scale(bin), layout.offset(bin));
    // Units: 10⁻³ and 10 MeV.
    let r = 10.0 / pt;
    let value = fitted.minimum.x[a] + r * fitted.minimum.x[c];
    let v = |i, j| fitted.covariance.get(i, j);
    (
        value,
        (v(a, a) + 2.0 * r * v(a, c) + r * r * v(c, c)).sqrt(),
    )
}

fn result(calibration: &Calibration, muons: &Muons) -> Result<Fitted, Box<dyn Error>> {
    let layout = calibration.layout();
    let mut likelihood = Likelihood::new(calibration, muons, 2)?;
    let fitted = fit(&mut likelihood, &start(calibration, false))?;
    let selected = pairs(calibration, muons);
    println!(
        "\nOpen data: {} events, {} muons, {} and {} pairs",
        muons.events(),
        muons.pt.len(),
        selected[0].len(),
        selected[1].len()
    );
    println!("{}", fitted.minimum);
    println!(
        "  |eta|        a [1e-3]         c [MeV]      rho    shift at 10 GeV   at 40 GeV [1e-3]  sigma(pT)/pT small, large pT [%]   bkg J/psi   bkg Z"
    );
    for bin in 0..layout.bins {
        let (a, da) = fitted.of(layout.scale(bin));
        let (c, dc) = fitted.of(layout.offset(bin));
        let rho = fitted
            .covariance
            .correlation(layout.scale(bin), layout.offset(bin));
        let [(s, ds), (t, dt)] = [10.0, 40.0].map(|pt| shift_at(calibration, &fitted, bin, pt));
        let sigma = [layout.low(bin), layout.high(bin)].map(|k| {
            let (v, dv) = fitted.of(k);
            (v.sqrt(), 0.5 * dv / v.sqrt())
        });
        let background = Peak::ALL
            .map(|peak| 1.0 / (1.0 + (-fitted.minimum.x[layout.background(peak, bin)]).exp()));
        println!(
            "  {:.1}-{:.1}  {a:+6.2} ± {da:.2}  {:+7.1} ± {:4.1}  {rho:+.2}  {s:+6.2} ± {ds:.2}  {t:+6.2} ± {dt:.2}   {:.2} ± {:.2}  {:.2} ± {:.2}   {:.3}  {:.3}",
            calibration.edges[bin],
            calibration.edges[bin + 1],
            10.0 * c,
            10.0 * dc,
            sigma[0].0,
            sigma[0].1,
            sigma[1].0,
            sigma[1].1,
            background[0],
            background[1]
        );
    }
    peaks(calibration, &fitted, &selected);
    Ok(fitted)
}

/// χ² of both peaks, all categories and one by one, before (no shifts) and after.
fn peaks(
    calibration: &Calibration,
    fitted: &Fitted,
    selected: &[Vec<pullback_studies::dimuon::Pair>; 2],
) {
    let layout = calibration.layout();
    let after = &fitted.minimum.x;
    let mut before = after.clone();
    before[..2 * layout.bins].fill(0.0);
    for peak in Peak::ALL {
        let all = &selected[peak as usize];
        let of =
            |theta: &[f64], pairs: &[_], bins| goodness(calibration, theta, pairs, peak, bins).chi2;
        println!(
            "{}: chi2 in 40 bins {:.1} (without shifts {:.1})",
            peak.name(),
            of(after, all, 40),
            of(&before, all, 40)
        );
        for category in 0..layout.bins {
            let own: Vec<_> = all
                .iter()
                .copied()
                .filter(|p| p.category() == category)
                .collect();
            println!(
                "  larger |eta| in {:.1}-{:.1}: {} pairs, chi2 in 20 bins {:.1} (without shifts {:.1})",
                calibration.edges[category],
                calibration.edges[category + 1],
                own.len(),
                of(after, &own, 20),
                of(&before, &own, 20)
            );
        }
    }
}

/// What the line shapes are assumed to be, changed one at a time: mean change of a, c and the shift at 40 GeV over bins, and of −2 ln L.
fn assumptions(calibration: &Calibration, muons: &Muons, fitted: &Fitted) -> Outcome {
    println!(
        "\nOther assumptions: mean change over bins of a [1e-3], c [MeV], shift at 40 GeV [1e-3]; change of -2 ln L"
    );
    let layout = calibration.layout();
    let mut measured = calibration.clone();
    measured.momenta = Momenta::Measured;
    let others = [
        (
            "luminosity one power flatter",
            Calibration::new(Truth::Tilted(0.0))?,
        ),
        (
            "luminosity one power steeper",
            Calibration::new(Truth::Tilted(-2.0))?,
        ),
        ("no final-state radiation", Calibration::new(Truth::Bare)?),
        ("measured momenta (other pairs)", measured),
    ];
    for (name, other) in others {
        let mut likelihood = Likelihood::of_pairs(&other, muons, 2)?;
        let changed = fit(&mut likelihood, &start(&other, false))?;
        let mean = |f: &dyn Fn(&Fitted, usize) -> f64| {
            let change = (0..layout.bins).map(|bin| f(&changed, bin) - f(fitted, bin));
            change.sum::<f64>() / layout.bins as f64
        };
        let better = if other.momenta == calibration.momenta {
            format!("{:+.1}", changed.minimum.value - fitted.minimum.value)
        } else {
            "not comparable".to_owned()
        };
        println!(
            "  {name:32} {:+.2}  {:+.1}  {:+.2}  {better}{}",
            mean(&|f, bin| f.of(layout.scale(bin)).0),
            mean(&|f, bin| 10.0 * f.of(layout.offset(bin)).0),
            mean(&|f, bin| shift_at(calibration, f, bin, 40.0).0),
            if changed.minimum.converged() {
                ""
            } else {
                "  NOT CONVERGED"
            }
        );
    }
    Ok(())
}

/// The smallest processor time of this thread in `rounds` calls of each of several functions, rounds interleaved.
fn interleaved(rounds: usize, functions: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; functions.len()];
    for _ in 0..rounds {
        for (f, best) in functions.iter_mut().zip(&mut best) {
            let from = ThreadTime::now();
            f();
            *best = best.min(from.elapsed().as_secs_f64());
        }
    }
    best
}

/// A likelihood that starts from muons, or from columns of selected pairs.
fn likelihood<'m>(
    form: &str,
    calibration: &Calibration,
    muons: &'m Muons,
    threads: usize,
) -> Result<Likelihood<'m>, DimuonError> {
    match form {
        "ragged" => Likelihood::new(calibration, muons, threads),
        _ => Likelihood::of_pairs(calibration, muons, threads),
    }
}

fn times(calibration: &Calibration, muons: &Muons) -> Result<HashMap<String, f64>, Box<dyn Error>> {
    println!("\nTimes, ms: processor time of one thread, smallest of interleaved calls");
    let problem = start(calibration, false);
    let mut out = HashMap::new();
    for form in ["ragged", "pairs"] {
        let found = pieces(form, calibration, muons, &problem)?;
        out.extend(found.map(|(what, time)| (format!("{form} {what}"), time)));
        two_threads(form, calibration, muons, &problem.start)?;
    }
    for (name, derivative) in [
        ("exact gradients", Derivative::Exact),
        ("differences", Derivative::Differences),
    ] {
        for form in ["pairs", "ragged"] {
            let made = likelihood(form, calibration, muons, 1)?;
            let mut made = made.with_derivative(derivative);
            let from = ThreadTime::now();
            let minimum = Bfgs::default().minimise(&mut made, &problem)?;
            let taken = from.elapsed().as_secs_f64();
            println!("  {form}, BFGS, {name}: {:.0}; {minimum}", 1e3 * taken);
        }
    }
    Ok(out)
}

/// Value, gradients both ways, Hessian, fit, and what making their programs takes.
fn pieces(
    form: &str,
    calibration: &Calibration,
    muons: &Muons,
    problem: &Problem,
) -> Result<[(&'static str, f64); 5], Box<dyn Error>> {
    let theta = &problem.start;
    let n = theta.len();
    let from = ThreadTime::now();
    let mut first = likelihood(form, calibration, muons, 1)?;
    first.prepare()?;
    let made = from.elapsed().as_secs_f64();
    let mut second = likelihood(form, calibration, muons, 1)?;
    let mut third = likelihood(form, calibration, muons, 1)?;
    let rough = likelihood(form, calibration, muons, 1)?;
    let mut rough = rough.with_derivative(Derivative::Differences);
    let (mut g, mut g2, mut h) = (vec![0.0; n], vec![0.0; n], vec![0.0; n * n]);
    let mut value = || _ = black_box(second.value(theta));
    let mut gradient = || _ = black_box(first.value_and_gradient(theta, &mut g));
    let mut hessian = || _ = black_box(third.hessian(theta, &mut h));
    let fast = interleaved(25, &mut [&mut value, &mut gradient, &mut hessian]);
    let mut differences = || _ = black_box(rough.value_and_gradient(theta, &mut g2));
    let slow = interleaved(3, &mut [&mut differences])[0];
    let off = g
        .iter()
        .zip(&g2)
        .map(|(a, b)| (a - b).abs() / (1.0 + a.abs()));
    let off = off.fold(0.0, f64::max);
    let mut whole = || drop(black_box(fit(&mut first, problem)));
    let whole = interleaved(3, &mut [&mut whole])[0];
    println!(
        "  {form}: record, transform, lower {:.0}; value {:.2}; value + gradient {:.2} (ratio {:.2}); by differences {:.0} (x {:.0}, off {off:.0e}); Hessian {:.1}; Newton fit with covariance {:.0}",
        1e3 * made,
        1e3 * fast[0],
        1e3 * fast[1],
        fast[1] / fast[0],
        1e3 * slow,
        slow / fast[1],
        1e3 * fast[2],
        1e3 * whole
    );
    let names = ["value", "gradient", "hessian", "differences", "fit"];
    let times = [fast[0], fast[1], fast[2], slow, whole];
    Ok(std::array::from_fn(|k| (names[k], times[k])))
}

fn two_threads(form: &str, calibration: &Calibration, muons: &Muons, theta: &[f64]) -> Outcome {
    let mut g = vec![0.0; theta.len()];
    let mut best = [f64::INFINITY; 2];
    let mut both = [
        likelihood(form, calibration, muons, 1)?,
        likelihood(form, calibration, muons, 2)?,
    ];
    for _ in 0..15 {
        for (likelihood, best) in both.iter_mut().zip(&mut best) {
            let from = Instant::now();
            likelihood.value_and_gradient(theta, &mut g);
            *best = best.min(from.elapsed().as_secs_f64());
        }
    }
    println!(
        "  {form}: value + gradient, wall time, two threads {:.2} ms, one {:.2} ms",
        1e3 * best[1],
        1e3 * best[0]
    );
    Ok(())
}

/// What an independent implementation needs: line shapes as lattices, the selection, parameters and −2 ln L at start and minimum.
fn write(path: &Path, calibration: &Calibration, fitted: &Fitted) -> Outcome {
    let lattices = Peak::ALL.map(|peak| {
        let l = calibration.lattice(peak);
        json!({"mass": l.shape.mass, "window": l.window, "points": l.points, "weights": l.weights, "edges": l.edges})
    });
    let problem = start(calibration, false);
    let document = json!({
        "file": data_file(), "edges": calibration.edges, "loosest": calibration.loosest, "cuts": calibration.cuts, "lattices": lattices,
        "start": problem.start, "lower": problem.lower.iter().map(|x| x.max(-1e9)).collect::<Vec<_>>(),
        "upper": problem.upper.iter().map(|x| x.min(1e9)).collect::<Vec<_>>(),
        "minimum": fitted.minimum.x, "twice_nll": fitted.minimum.value, "errors": fitted.covariance.errors(),
    });
    std::fs::write(path, serde_json::to_string(&document)?)?;
    Ok(())
}

/// The script's times over ours.
fn beside_jax(python: &str, export: &str, ours: &HashMap<String, f64>) -> Outcome {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/dimuon_jax.py");
    for threads in ["1", "2"] {
        let output = Command::new(python)
            .arg(&script)
            .args([export, threads])
            .output()?;
        if !output.status.success() {
            return Err(format!(
                "the script failed: {}",
                String::from_utf8_lossy(&output.stderr)
            )
            .into());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        println!("\nJAX, {threads} thread(s)");
        for line in text.lines() {
            let time = line
                .split_once('=')
                .and_then(|(key, time)| Some((key, time.parse::<f64>().ok()?)));
            match time.and_then(|(key, time)| Some((key, time, ours.get(key)?))) {
                Some((key, time, own)) => println!(
                    "  {key}: {:.2} ms, {:.2} of ours (one thread, {:.2} ms)",
                    1e3 * time,
                    time / own,
                    1e3 * own
                ),
                None => println!("  {line}"),
            }
        }
    }
    // The plain loops, for the price of doing it by hand.
    let calibration = Calibration::new(Truth::Collisions)?;
    if let Some(muons) = events()? {
        let theta = start(&calibration, false).start;
        let selected = pairs(&calibration, &muons);
        let best = interleaved(
            5,
            &mut [
                &mut || drop(black_box(pairs(&calibration, &muons))),
                &mut || {
                    twice_nll(&calibration, &theta, &selected);
                },
            ],
        );
        println!(
            "  plain loops in Rust: selection {:.1} ms, -2 ln L of the pairs {:.1} ms",
            1e3 * best[0],
            1e3 * best[1]
        );
    }
    Ok(())
}
