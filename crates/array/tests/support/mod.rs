//! What the tests of the engine share: running programs, an independent interpreter, directions, comparisons.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod complex;
pub mod interpreter;
pub mod matrices;
pub mod regions;
pub mod structure;

use pullback_ad::isa::Level as Isa;
use pullback_array::{Bindings, DType, Lowered, Owned, Program, ValueId};

/// Step of the complex step: its square vanishes beside anything.
pub const STEP: f64 = 1e-40;

/// Runs a program; outputs as doubles, whatever their type.
pub fn run(program: &Program, inputs: &[Owned]) -> Result<Vec<Vec<f64>>, String> {
    run_with(program, inputs, Isa::current(), 1, 1024)
}

/// [`run`] for an instruction set, a number of threads and a block size.
pub fn run_with(
    program: &Program,
    inputs: &[Owned],
    isa: Isa,
    threads: usize,
    block: usize,
) -> Result<Vec<Vec<f64>>, String> {
    run_sized(program, inputs, isa, threads, block, &[])
}

/// [`run_with`] with the lengths of levels that no input tells.
pub fn run_sized(
    program: &Program,
    inputs: &[Owned],
    isa: Isa,
    threads: usize,
    block: usize,
    sizes: &[(&str, usize)],
) -> Result<Vec<Vec<f64>>, String> {
    let lowered = Lowered::for_isa(program.clone(), isa).map_err(|e| e.to_string())?;
    let mut ws = lowered.workspace_with(threads, block);
    let columns: Vec<_> = inputs.iter().map(Owned::column).collect();
    let mut bindings = Bindings::ordered(&columns);
    for (level, n) in sizes {
        bindings = bindings
            .size(program, level, *n)
            .map_err(|e| e.to_string())?;
    }
    lowered.run(&mut ws, &bindings).map_err(|e| e.to_string())?;
    Ok(program
        .outputs()
        .iter()
        .enumerate()
        .map(|(k, (_, v))| match program.ty(*v).dtype {
            DType::F64 => ws.f64(k).to_vec(),
            DType::I64 | DType::Offsets => ws.i64(k).iter().map(|i| *i as f64).collect(),
            DType::Bool => ws.bool(k).iter().map(|b| f64::from(*b)).collect(),
            other => panic!("an output of type {other}"),
        })
        .collect())
}

/// The bits of the double outputs, from instructions as they are fused or node by node.
pub fn double_bits(
    program: &Program,
    inputs: &[Owned],
    fused: bool,
) -> Result<Vec<Vec<u64>>, String> {
    let isa = Isa::current();
    let lowered = if fused {
        Lowered::for_isa(program.clone(), isa)
    } else {
        Lowered::unfused(program.clone(), isa)
    };
    let lowered = lowered.map_err(|e| e.to_string())?;
    let mut ws = lowered.workspace();
    let columns: Vec<_> = inputs.iter().map(Owned::column).collect();
    lowered
        .run(&mut ws, &Bindings::ordered(&columns))
        .map_err(|e| e.to_string())?;
    Ok(double_outputs(program)
        .iter()
        .map(|(k, _)| ws.f64(*k).iter().map(|x| x.to_bits()).collect())
        .collect())
}

/// Names of the double inputs, and their positions.
pub fn differentiable(program: &Program) -> Vec<(usize, String)> {
    let inputs = program.inputs().iter().enumerate();
    inputs
        .filter(|(_, (_, v))| program.ty(*v).dtype == DType::F64)
        .map(|(k, (n, _))| (k, n.to_string()))
        .collect()
}

/// Names of the double outputs, and their positions.
pub fn double_outputs(program: &Program) -> Vec<(usize, String)> {
    let outputs = program.outputs().iter().enumerate();
    outputs
        .filter(|(_, (_, v))| program.ty(*v).dtype == DType::F64)
        .map(|(k, (n, _))| (k, n.to_string()))
        .collect()
}

/// References to the names.
pub fn names(list: &[(usize, String)]) -> Vec<&str> {
    list.iter().map(|(_, n)| n.as_str()).collect()
}

/// A generic direction: numbers between ½ and 3/2 of either sign, the same for the same seed.
pub fn direction(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x51_7cc1_b727_220a;
    (0..n)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let u = (state >> 11) as f64 / (1_u64 << 53) as f64;
            if state & 1024 == 0 { 0.5 + u } else { -0.5 - u }
        })
        .collect()
}

/// Largest deviation of `found` from `expected`, relative to the elements and to a hundredth of the largest one.
pub fn deviation(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len(), "lengths differ");
    let largest = expected
        .iter()
        .filter(|x| x.is_finite())
        .fold(0.0_f64, |m, x| m.max(x.abs()));
    found
        .iter()
        .zip(expected)
        .map(|(f, e)| {
            if f.to_bits() == e.to_bits() || (f.is_nan() && e.is_nan()) || f == e {
                return 0.0;
            }
            let scale = e.abs() + 0.01 * largest;
            let d = (f - e).abs() / if scale > 0.0 { scale } else { 1.0 };
            if d.is_nan() { f64::INFINITY } else { d }
        })
        .fold(0.0, f64::max)
}

/// The scalar product, and the sum of the magnitudes of its terms.
pub fn dot(a: &[f64], b: &[f64]) -> (f64, f64) {
    assert_eq!(a.len(), b.len(), "lengths differ");
    a.iter()
        .zip(b)
        .fold((0.0, 0.0), |(s, m), (x, y)| (s + x * y, m + (x * y).abs()))
}

/// Data of input `k` as doubles.
pub fn doubles(column: &Owned) -> &[f64] {
    match column {
        Owned::F64(d) => d,
        other => panic!("expected doubles, found {other:?}"),
    }
}

/// Number of elements of a column.
pub fn length(column: &Owned) -> usize {
    column.column().len()
}

/// Derivatives of the double outputs along `direction` (one per double input) by Romberg-extrapolated central differences of the engine's own values:
/// independent of every derivative rule, good to about 1e-9.
pub fn differences(
    program: &Program,
    inputs: &[Owned],
    wrt: &[(usize, String)],
    directions: &[Vec<f64>],
) -> Result<Vec<Vec<f64>>, String> {
    const ROWS: usize = 6;
    let at = |t: f64| {
        let mut moved = inputs.to_vec();
        for ((k, _), v) in wrt.iter().zip(directions) {
            moved[*k] = Owned::F64(
                doubles(&inputs[*k])
                    .iter()
                    .zip(v)
                    .map(|(x, v)| x + t * v)
                    .collect(),
            );
        }
        run(program, &moved)
    };
    let outputs = double_outputs(program);
    let mut table: Vec<Vec<Vec<f64>>> = Vec::new();
    for row in 0..ROWS {
        let h = 0.02 / f64::from(1 << row);
        let (plus, minus) = (at(h)?, at(-h)?);
        table.push(
            outputs
                .iter()
                .map(|(k, _)| {
                    plus[*k]
                        .iter()
                        .zip(&minus[*k])
                        .map(|(p, m)| (p - m) / (2.0 * h))
                        .collect()
                })
                .collect(),
        );
    }
    // For each element the entry of Neville's table that changed least.
    Ok((0..outputs.len())
        .map(|o| {
            (0..table[0][o].len())
                .map(|i| {
                    let mut column: Vec<f64> = table.iter().map(|row| row[o][i]).collect();
                    let (mut best, mut change) = (column[0], f64::INFINITY);
                    let mut factor = 1.0;
                    while column.len() > 1 {
                        factor *= 4.0;
                        let next: Vec<f64> = column
                            .windows(2)
                            .map(|w| (factor * w[1] - w[0]) / (factor - 1.0))
                            .collect();
                        for (n, c) in next.iter().zip(&column[1..]) {
                            if (n - c).abs() < change {
                                (best, change) = (*n, (n - c).abs());
                            }
                        }
                        column = next;
                    }
                    best
                })
                .collect()
        })
        .collect())
}

/// The space of a value contains a stream at its root.
pub fn streams(program: &Program, v: ValueId) -> bool {
    program.stream_root(&program.ty(v).space).is_some()
}

/// The columns of a program over a stream, repeated `times` times along the stream. `None` if it has none, or lanes before it.
pub fn tile(program: &Program, inputs: &[Owned], times: usize) -> Option<Vec<Owned>> {
    let mut found = false;
    let mut out = Vec::new();
    for ((_, v), column) in program.inputs().iter().zip(inputs) {
        if !streams(program, *v) {
            out.push(column.clone());
            continue;
        }
        if program.stream_root(&program.ty(*v).space) != program.ty(*v).space.root() {
            return None;
        }
        found = true;
        out.push(match column {
            Owned::F64(d) => Owned::F64(d.repeat(times)),
            Owned::F32(d) => Owned::F32(d.repeat(times)),
            Owned::I64(d) => Owned::I64(d.repeat(times)),
            Owned::I32(d) => Owned::I32(d.repeat(times)),
            Owned::U64(d) => Owned::U64(d.repeat(times)),
            Owned::Bool(d) => Owned::Bool(d.repeat(times)),
            Owned::Offsets(d) => {
                let total = d.last().copied().unwrap_or(0);
                let mut all = vec![0];
                for k in 0..times as i64 {
                    all.extend(d[1..].iter().map(|o| o + k * total));
                }
                Owned::Offsets(all)
            }
        });
    }
    found.then_some(out)
}

/// Bits of all outputs, for comparisons to the bit.
pub fn bits(outputs: &[Vec<f64>]) -> Vec<Vec<u64>> {
    outputs
        .iter()
        .map(|o| o.iter().map(|x| x.to_bits()).collect())
        .collect()
}
