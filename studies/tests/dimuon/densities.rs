//! Densities integrate to one, and are the convolutions that they claim to be.

use pullback_studies::dimuon::{
    Calibration, DimuonError, Lattice, LineShape, Member, Pair, Peak, Radiation, Truth, density,
};

/// ∫ f by Simpson's rule.
fn integral(f: impl Fn(f64) -> f64, [from, to]: [f64; 2], panels: usize) -> f64 {
    let h = (to - from) / panels as f64;
    let panel = |k: usize| {
        let x = from + k as f64 * h;
        h / 6.0 * (f(x) + 4.0 * f(x + 0.5 * h) + f(x + h))
    };
    (0..panels).map(panel).sum()
}

#[test]
fn densities_integrate_to_one_wherever_the_calibration_moves_them() {
    for truth in [Truth::Collisions, Truth::Generator] {
        let calibration = Calibration::new(truth).expect("its numbers are right");
        let theta = super::somewhere(&calibration);
        for scale in [-4.0, 0.0, 4.0] {
            let mut theta = theta.clone();
            theta[..6].fill(scale);
            for peak in Peak::ALL {
                for (bin, pt) in [(0, 6.0), (2, 14.0), (5, 45.0)] {
                    let member = |bin, pt| Member {
                        bin,
                        pt,
                        kappa: 0.498,
                    };
                    let members = [member(bin, pt), member(1, 11.0)];
                    let pair = Pair {
                        peak,
                        y: 0.0,
                        members,
                    };
                    let window = calibration.lattice(peak).window;
                    let total = integral(|y| density(&calibration, &theta, &pair, y), window, 2000);
                    assert!((total - 1.0).abs() < 2e-5, "{peak:?} at {scale}: {total}");
                }
            }
        }
    }
}

#[test]
fn the_norm_is_that_of_the_gaussians_one_by_one() {
    let calibration = Calibration::new(Truth::Collisions).expect("its numbers are right");
    for peak in Peak::ALL {
        let lattice = calibration.lattice(peak);
        for (shift, sigma) in [(0.0, 0.008), (0.004, 0.012), (-0.01, 0.015)] {
            let (fast, slow) = (
                lattice.norm(shift, sigma * sigma),
                lattice.norm_by_gaussians(shift, sigma * sigma),
            );
            assert!(
                (fast / slow - 1.0).abs() < 1e-5,
                "{peak:?}: {fast} and {slow}"
            );
        }
    }
}

/// The Z with radiation, convolved by brute force: a sum over masses of the resonance and fractions of energy, by other nodes than those of the lattice.
#[test]
fn the_lattice_is_the_convolution() {
    let shape = LineShape::z();
    let radiation = Radiation::of(shape.mass);
    let lattice = Lattice::new(shape, 75.0, 107.0, 0.006).expect("its numbers are right");
    let calibration = Calibration::new(Truth::Collisions).expect("its numbers are right");
    assert_eq!(lattice.weights, calibration.lattice(Peak::Z).weights);
    let line = |y: f64| {
        let (s, r) = ((2.0 * y).exp(), shape.width / shape.mass);
        (shape.power * y).exp() * s / ((s - 1.0).powi(2) + (s * r).powi(2))
    };
    let range = [-0.6, 0.5];
    let total = integral(line, range, 4000);
    let (sigma, fractions) = (0.011, 4000);
    // Quantiles of the radiation, the middle of each of even steps.
    let steps: Vec<f64> = (0..fractions)
        .map(|k| 0.5 * (-radiation.quantile((f64::from(k) + 0.5) / f64::from(fractions))).ln_1p())
        .collect();
    let normal =
        |x: f64| (-0.5 * (x / sigma).powi(2)).exp() / (sigma * std::f64::consts::TAU.sqrt());
    // The resonance convolved with the normal error, as a table that radiation shifts.
    let from = -0.3;
    let table: Vec<f64> = (0..900)
        .map(|k| {
            let y = from + 1e-3 * f64::from(k);
            integral(|t| line(t) * normal(y - t), [y - 0.08, y + 0.08], 300) / total
        })
        .collect();
    let smooth = |y: f64| {
        let at = (y - from) / 1e-3;
        let k = at as usize;
        table[k] + (at - k as f64) * (table[k + 1] - table[k])
    };
    for y in [-0.15, -0.06, -0.02, -0.01, 0.0, 0.01, 0.03, 0.12] {
        let direct = steps
            .iter()
            .filter(|t| y - *t < 0.55)
            .map(|t| smooth(y - t))
            .sum::<f64>()
            / f64::from(fractions);
        let points = lattice.points.iter().zip(&lattice.weights);
        let sum: f64 = points.map(|(p, w)| w * normal(y - p)).sum();
        assert!(
            (sum / direct - 1.0).abs() < 2e-3,
            "at {y}: {sum} and {direct}"
        );
    }
}

#[test]
fn radiation_moves_events_and_makes_none() {
    for mass in [3.0969, 91.1876] {
        let radiation = Radiation::of(mass);
        assert!((radiation.kept(1.0) - 1.0).abs() < 1e-14);
        assert_eq!(radiation.kept(0.0), 0.0);
        for u in [0.1, 0.5, 0.9, 0.99] {
            assert!((radiation.kept(radiation.quantile(u)) - u).abs() < 1e-12);
        }
        // The density is the derivative of what is kept: eq. of `Radiation` against a difference.
        let (x, h, b) = (0.2, 1e-5, radiation.beta());
        let difference = (radiation.kept(x + h) - radiation.kept(x - h)) / (2.0 * h);
        let formula = b * (1.0 + 0.75 * b) * f64::powf(x, b - 1.0) - 0.5 * b * (2.0 - x);
        assert!((difference / formula - 1.0).abs() < 1e-8);
    }
}

#[test]
fn windows_without_room_are_refused() {
    let error = Lattice::new(LineShape::z(), 88.0, 107.0, 0.006).unwrap_err();
    assert!(matches!(error, DimuonError::Value { value: 88.0, .. }));
    assert!(
        error
            .to_string()
            .starts_with("PB1012: the lower end of the window is 88"),
        "{error}"
    );
    assert!(Lattice::new(LineShape::z(), 75.0, 107.0, f64::NAN).is_err());
}
