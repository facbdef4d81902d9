//! The same in plain loops: no arrays of pairs, no derivative rules of the library.

use crate::program::{CUT, Events, MUON, PEAK, WIDTH};

/// Four-momentum of a muon and its derivative to the scale of pt.
fn muon(pt: f64, s: f64, eta: f64, phi: f64) -> ([f64; 4], [f64; 4]) {
    let direction = [phi.cos(), phi.sin(), eta.sinh()];
    let p = direction.map(|d| pt * s * d);
    let dp = direction.map(|d| pt * d);
    let energy = (p.iter().map(|p| p * p).sum::<f64>() + MUON * MUON).sqrt();
    let d_energy = p.iter().zip(dp).map(|(p, dp)| p * dp).sum::<f64>() / energy;
    ([p[0], p[1], p[2], energy], [dp[0], dp[1], dp[2], d_energy])
}

/// F of one event and its pathwise derivative to s.
pub fn event(events: &Events, event: usize, s: f64) -> (f64, f64) {
    event_above(events, event, s, CUT)
}

/// F of all events without the cut.
pub fn uncut(events: &Events, s: f64) -> f64 {
    (0..events.offsets.len() - 1)
        .map(|k| event_above(events, k, s, f64::NEG_INFINITY).0)
        .sum()
}

fn event_above(events: &Events, event: usize, s: f64, cut: f64) -> (f64, f64) {
    let range = events.offsets[event] as usize..events.offsets[event + 1] as usize;
    let (mut f, mut df) = (0.0, 0.0);
    for i in range.clone() {
        for j in i + 1..range.end {
            let passes = events.pt[i] * s > cut && events.pt[j] * s > cut;
            if !passes || events.charge[i] * events.charge[j] > 0 {
                continue;
            }
            let of = |k: usize| muon(events.pt[k], s, events.eta[k], events.phi[k]);
            let ((p, dp), (q, dq)) = (of(i), of(j));
            let sum: [f64; 4] = std::array::from_fn(|k| p[k] + q[k]);
            let d_sum: [f64; 4] = std::array::from_fn(|k| dp[k] + dq[k]);
            let square =
                |a: &[f64; 4], b: &[f64; 4]| a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2];
            let mass = square(&sum, &sum).sqrt();
            let d_mass = square(&sum, &d_sum) / mass;
            let pull = (mass - PEAK) / WIDTH;
            let shape = (-pull * pull).exp();
            f += shape;
            df -= shape * 2.0 * pull / WIDTH * d_mass;
        }
    }
    (f, df)
}

/// F of all events and its pathwise derivative.
pub fn all(events: &Events, s: f64) -> (f64, f64) {
    let each = (0..events.offsets.len() - 1).map(|k| event(events, k, s));
    each.fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1))
}
