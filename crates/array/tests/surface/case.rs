//! Programs of events, muons and jets around one decision, and a sample for them.

use pullback_ad::Real;
use pullback_array::{Builder, Owned, Program, Space, Sym};

use crate::harness::{Random, offsets};

/// What a case may use: paths, columns, and the decision on the column `x`, which is used for nothing else.
#[derive(Clone, Copy)]
pub struct Case<'b> {
    pub b: &'b Builder,
    pub events: Space,
    pub muons: Space,
    /// Columns of events, muons, jets.
    pub w: Sym<'b>,
    pub v: Sym<'b>,
    pub u: Sym<'b>,
    pub j: Sym<'b>,
    /// `x·s`.
    pub moving: Sym<'b>,
    /// `x·s > 1`.
    pub mask: Sym<'b>,
}

/// Which level the moving column lives on.
#[derive(Clone, Copy, PartialEq)]
pub enum On {
    Events,
    Muons,
    /// Two per event.
    Sides,
}

pub const THRESHOLD: f64 = 1.0;
pub const X: usize = 6;
pub const S: usize = 7;

pub fn record(on: On, case: impl for<'b> Fn(Case<'b>) -> Vec<Sym<'b>>) -> Program {
    let b = Builder::new();
    let events = b.stream("events");
    let (muons, jets) = (b.ragged("muons", events), b.ragged("jets", events));
    let sides = b.join(events, b.dense_of("sides", 2));
    let (w, v, u, j) = (
        b.input("w", events),
        b.input("v", muons),
        b.input("u", muons),
        b.input("j", jets),
    );
    let x = match on {
        On::Events => b.input("x", events),
        On::Muons => b.input("x", muons),
        On::Sides => b.input("x", sides),
    };
    let moving = x * b.input("s", Space::SCALAR);
    let mask = moving.gt(THRESHOLD.into()).named("cut");
    let outs = case(Case {
        b: &b,
        events,
        muons,
        w,
        v,
        u,
        j,
        moving,
        mask,
    });
    let outs: Vec<(String, Sym<'_>)> = outs
        .into_iter()
        .enumerate()
        .map(|(k, y)| (format!("y{k}"), y))
        .collect();
    let named: Vec<(&str, Sym<'_>)> = outs.iter().map(|(n, y)| (n.as_str(), *y)).collect();
    b.finish(&named).unwrap()
}

pub fn sample(on: On, seed: u64) -> Vec<Owned> {
    let mut random = Random(seed);
    let events = 300;
    let (muons, jets) = (
        offsets(&mut random, events, 9),
        offsets(&mut random, events, 4),
    );
    let (m, n) = (muons[events] as usize, jets[events] as usize);
    let x = match on {
        On::Events => events,
        On::Muons => m,
        On::Sides => 2 * events,
    };
    vec![
        Owned::Offsets(muons),
        Owned::Offsets(jets),
        Owned::F64(random.values(events, 0.5, 2.0)),
        Owned::F64(random.values(m, 0.5, 2.0)),
        Owned::F64(random.values(m, -1.0, 1.0)),
        Owned::F64(random.values(n, 0.5, 2.0)),
        Owned::F64(random.values(x, 0.2, 2.0)),
        Owned::F64(vec![1.05]),
    ]
}
