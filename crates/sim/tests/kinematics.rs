//! Four-vectors, boosts and two-body decays, and their derivatives.

use pullback_ad::{Complex, Dual, Real};
use pullback_prob::{Distribution, Key, Uniform};
use pullback_sim::response;
use pullback_sim::{FourVector, breakup_momentum, delta_phi, direction, two_body};

fn close(a: f64, b: f64, scale: f64) {
    assert!((a - b).abs() <= 1e-12 * scale, "{a} for {b}");
}

fn draw(name: &str, event: u64) -> f64 {
    Uniform::standard().draw(Key::new(4, name), event, 0)
}

/// A decay at random: the system, its mass, the masses of the products.
fn random_decay(event: u64) -> (FourVector, [f64; 3], [f64; 3]) {
    let mass = 1.0 + 500.0 * draw("mass", event);
    let m1 = mass * draw("m1", event);
    let m2 = (mass - m1) * draw("m2", event);
    let system = FourVector::from_rapidity(
        100.0 * draw("x", event),
        -300.0 * draw("y", event),
        8.0 * draw("rapidity", event) - 4.0,
        mass,
    );
    let cosine = 2.0 * draw("cosine", event) - 1.0;
    let phi = 6.0 * draw("phi", event) - 3.0;
    (system, [mass, m1, m2], direction(cosine, phi))
}

#[test]
fn decays_conserve_momentum_and_keep_masses() {
    for event in 0..5000 {
        let (system, [mass, m1, m2], along) = random_decay(event);
        let [a, b] = two_body(system, mass, m1, m2, along);
        let sum = a + b;
        let scale = system.e;
        close(sum.px, system.px, scale);
        close(sum.py, system.py, scale);
        close(sum.pz, system.pz, scale);
        close(sum.e, system.e, scale);
        // m² is a difference of squares of energies.
        close(a.mass2(), m1 * m1, scale * scale);
        close(b.mass2(), m2 * m2, scale * scale);
        // In the rest frame both have the momentum of the formula.
        let at_rest = a.boosted(
            FourVector {
                px: -system.px,
                py: -system.py,
                pz: -system.pz,
                e: system.e,
            },
            mass,
        );
        let p = breakup_momentum(mass, m1, m2);
        let found = (at_rest.pt2() + at_rest.pz * at_rest.pz).sqrt();
        close(found, p, system.e * system.e / mass);
    }
}

#[test]
fn coordinates_invert() {
    for event in 0..1000 {
        let (pt, eta) = (
            1.0 + 99.0 * draw("pt", event),
            8.0 * draw("eta", event) - 4.0,
        );
        let (phi, mass) = (6.2 * draw("phi", event) - 3.1, 200.0 * draw("mass", event));
        let p = FourVector::from_pt_eta_phi_mass(pt, eta, phi, mass);
        close(p.pt(), pt, pt);
        close(p.eta(), eta, 10.0);
        close(p.phi(), phi, 10.0);
        close(p.mass(), mass, p.e * p.e / mass.max(1.0));
        let again = FourVector::from_rapidity(p.px, p.py, p.rapidity(), mass);
        close(again.pz, p.pz, p.e * 10.0);
        close(again.e, p.e, p.e * 10.0);
    }
    close(delta_phi(3.0, -3.0), 6.0 - std::f64::consts::TAU, 1.0);
    close(delta_phi(-3.0, 3.0), std::f64::consts::TAU - 6.0, 1.0);
    close(delta_phi(0.5, 0.2), 0.3, 1.0);
    assert_eq!(
        FourVector {
            px: 3.0,
            py: 4.0,
            pz: 0.0,
            e: 4.9
        }
        .mass(),
        0.0
    );
}

/// A number that depends on all of a decay: p_T, η, φ and mass of one product and another system.
fn observable<R: Real>(x: [R; 5]) -> R {
    let [pt, rapidity, mass, cosine, phi] = x;
    let system = FourVector::from_rapidity(pt * 0.6, pt * 0.8, rapidity, mass);
    let along = direction(cosine, phi);
    let [a, b] = two_body(system, mass, R::constant(80.4), mass * 0.02, along);
    let other = FourVector::from_pt_eta_phi_mass(pt, rapidity, phi, R::constant(5.0));
    (a + other).mass() * 0.01 + b.pt().ln() + a.eta() * 0.5 + b.phi() + a.rapidity()
}

/// First derivatives against complex step, second ones (nested duals) against complex step of the first.
#[test]
fn kinematics_are_differentiable_twice() {
    let x = [35.0, 0.7, 172.6, -0.3, 1.1];
    for i in 0..5 {
        let h = 1e-30;
        let step: [Complex; 5] =
            std::array::from_fn(|j| Complex::new(x[j], if i == j { h } else { 0.0 }));
        let exact = observable(step).im / h;
        let dual: [Dual<f64, 1>; 5] = std::array::from_fn(|j| Dual {
            re: x[j],
            eps: [f64::from(u8::from(i == j))],
        });
        let ours = observable(dual).eps[0];
        assert!(
            (ours - exact).abs() < 1e-11 * exact.abs().max(1.0),
            "{i}: {ours} {exact}"
        );

        for k in 0..5 {
            type Twice = Dual<Dual<f64, 1>, 1>;
            let one = |on: bool| f64::from(u8::from(on));
            let twice: [Twice; 5] = std::array::from_fn(|j| Dual {
                re: Dual {
                    re: x[j],
                    eps: [one(i == j)],
                },
                eps: [Dual {
                    re: one(k == j),
                    eps: [0.0],
                }],
            });
            let ours = observable(twice).eps[0].eps[0];
            // Central differences of the first derivative, which is exact.
            let first = |shift: f64| {
                let at: [Dual<f64, 1>; 5] = std::array::from_fn(|j| Dual {
                    re: x[j] + if j == k { shift } else { 0.0 },
                    eps: [one(i == j)],
                });
                observable(at).eps[0]
            };
            let h = 1e-4 * x[k].abs();
            let wide = (first(h) - first(-h)) / (2.0 * h);
            let narrow = (first(0.5 * h) - first(-0.5 * h)) / h;
            let exact = (4.0 * narrow - wide) / 3.0;
            assert!(
                (ours - exact).abs() < 1e-6 * exact.abs().max(1e-3),
                "{i} {k}: {ours} {exact}"
            );
        }
    }
}

/// A response of p_T (or energy) and η.
trait Response {
    fn at<R: Real>(pt: R, eta: R) -> R;
}

macro_rules! responses {
    ($($name:ident: |$pt:ident, $eta:ident| $body:expr;)*) => {$(
        struct $name;
        impl Response for $name {
            fn at<R: Real>($pt: R, $eta: R) -> R {
                let _ = $eta;
                $body
            }
        }
    )*};
}

responses! {
    MuonResolution: |pt, eta| response::muon_resolution(pt, eta);
    MuonEfficiency: |pt, eta| response::muon_efficiency(pt);
    ElectronResolution: |pt, eta| response::electron_resolution(pt, eta);
    ElectronEfficiency: |pt, eta| response::electron_efficiency(pt, eta);
    JetResolution: |pt, eta| response::jet_resolution(pt);
    MetResolution: |pt, eta| response::met_resolution(20.0, pt);
}

fn differentiates<F: Response>(name: &str) {
    for pt in [4.5, 12.0, 45.0, 600.0] {
        for eta in [-2.1, 0.3, 1.5] {
            let x = [pt, eta];
            let dual = F::at(
                Dual::<f64, 2>::variable(pt, 0),
                Dual::<f64, 2>::variable(eta, 1),
            );
            for i in 0..2 {
                let h = 1e-30;
                let z = [0, 1].map(|j| Complex::new(x[j], if i == j { h } else { 0.0 }));
                let exact = F::at(z[0], z[1]).im / h;
                assert!(
                    (dual.eps[i] - exact).abs() < 1e-12 * exact.abs().max(1e-3),
                    "{name} {x:?}: {} {exact}",
                    dual.eps[i]
                );
            }
        }
    }
}

#[test]
fn responses_are_differentiable() {
    differentiates::<MuonResolution>("muon resolution");
    differentiates::<MuonEfficiency>("muon efficiency");
    differentiates::<ElectronResolution>("electron resolution");
    differentiates::<ElectronEfficiency>("electron efficiency");
    differentiates::<JetResolution>("jet resolution");
    differentiates::<MetResolution>("resolution of missing momentum");
}
