//! Running a program on owned columns, and what every differentiable program must satisfy.

use pullback_array::{Bindings, Builder, DType, Lowered, Owned, Program, Sym, transform};

/// Uniform numbers in (0, 1), one sequence per seed (splitmix64: Steele, Lea & Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub fn between(&mut self, a: f64, b: f64) -> f64 {
        a + (b - a) * self.uniform()
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    pub fn values(&mut self, n: usize, a: f64, b: f64) -> Vec<f64> {
        (0..n).map(|_| self.between(a, b)).collect()
    }
}

/// Offsets of `parents` segments: many short, some empty, one of `giant`.
pub fn offsets(random: &mut Random, parents: usize, giant: usize) -> Vec<i64> {
    let mut out = vec![0];
    for p in 0..parents {
        let n = if p == parents / 3 {
            giant
        } else {
            random.below(5)
        };
        out.push(out[p] + n as i64);
    }
    out
}

/// Segments of a column.
pub fn segments<'a, T>(offsets: &'a [i64], x: &'a [T]) -> impl Iterator<Item = &'a [T]> {
    offsets.windows(2).map(|w| &x[w[0] as usize..w[1] as usize])
}

/// Records a program with outputs `out0`, `out1`, ..
pub fn record(f: impl for<'b> Fn(&'b Builder) -> Vec<Sym<'b>>) -> Program {
    let b = Builder::new();
    let outs: Vec<(String, _)> = f(&b)
        .into_iter()
        .enumerate()
        .map(|(k, s)| (format!("out{k}"), b.id(s)))
        .collect();
    b.finish_ids(outs.into_iter().map(|(n, v)| (n.into(), v)).collect())
        .unwrap()
}

/// All outputs as doubles (masks as 0 and 1), after a run on one thread.
pub fn run(program: &Program, inputs: &[Owned]) -> Vec<Vec<f64>> {
    run_with(&Lowered::new(program.clone()).unwrap(), inputs, 1, 1024)
}

pub fn run_with(
    lowered: &Lowered,
    inputs: &[Owned],
    threads: usize,
    block: usize,
) -> Vec<Vec<f64>> {
    let mut ws = lowered.workspace_with(threads, block);
    let columns: Vec<_> = inputs.iter().map(Owned::column).collect();
    lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
    let program = lowered.program();
    let read = |(k, (_, v)): (usize, &(std::sync::Arc<str>, pullback_array::ValueId))| match program
        .ty(*v)
        .dtype
    {
        DType::F64 => ws.f64(k).to_vec(),
        DType::Bool => ws.bool(k).iter().map(|&b| f64::from(b)).collect(),
        _ => ws.i64(k).iter().map(|&i| i as f64).collect(),
    };
    program.outputs().iter().enumerate().map(read).collect()
}

/// The outputs, after checking that threads and blocks change no bit of them.
pub fn run_any_cut(program: &Program, inputs: &[Owned]) -> Vec<Vec<f64>> {
    let lowered = Lowered::new(program.clone()).unwrap();
    let first = run_with(&lowered, inputs, 1, 1024);
    for (threads, block) in [(2, 1024), (8, 256), (1, 1 << 20), (2, 700)] {
        let again = run_with(&lowered, inputs, threads, block);
        assert_eq!(
            bits(&first),
            bits(&again),
            "{threads} threads, blocks of {block}"
        );
    }
    first
}

pub fn bits(x: &[Vec<f64>]) -> Vec<Vec<u64>> {
    x.iter()
        .map(|x| x.iter().map(|x| x.to_bits()).collect())
        .collect()
}

pub fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: lengths");
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        let same =
            f == e || (f.is_nan() && e.is_nan()) || (f - e).abs() <= tolerance * e.abs().max(1.0);
        assert!(same, "{what}: element {k} is {f:e}, expected {e:e}");
    }
}

fn doubles(o: &Owned) -> &Vec<f64> {
    match o {
        Owned::F64(x) => x,
        _ => panic!("only doubles are differentiated"),
    }
}

fn shifted(inputs: &[Owned], which: &[usize], direction: &[Vec<f64>], h: f64) -> Vec<Owned> {
    let mut out = inputs.to_vec();
    for (k, d) in which.iter().zip(direction) {
        out[*k] = Owned::F64(
            doubles(&inputs[*k])
                .iter()
                .zip(d)
                .map(|(x, d)| x + h * d)
                .collect(),
        );
    }
    out
}

/// Tangents of all double outputs for the inputs `wrt` (by number) along `direction`.
pub fn tangents(
    program: &Program,
    inputs: &[Owned],
    wrt: &[usize],
    direction: &[Vec<f64>],
) -> Vec<Vec<f64>> {
    let names: Vec<String> = wrt
        .iter()
        .map(|&k| program.inputs()[k].0.to_string())
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let derivative = transform::jvp(program, &names).unwrap();
    let mut columns = inputs.to_vec();
    columns.extend(direction.iter().map(|d| Owned::F64(d.clone())));
    run_any_cut(&derivative, &columns).split_off(program.outputs().len())
}

/// Checks the first output (doubles): jvp against central differences (Richardson, error h⁴) to `tolerance`, vjp against jvp to 1e-13, jvp of vjp against
/// vjp of jvp (second order) to 1e-12. Random directions.
pub fn check_derivatives(program: &Program, inputs: &[Owned], wrt: &[usize], tolerance: f64) {
    let mut random = Random(7);
    let names: Vec<String> = wrt
        .iter()
        .map(|&k| program.inputs()[k].0.to_string())
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let direction: Vec<Vec<f64>> = wrt
        .iter()
        .map(|&k| random.values(doubles(&inputs[k]).len(), -1.0, 1.0))
        .collect();
    let tangent = &tangents(program, inputs, wrt, &direction)[0];
    let at = |h: f64| run(program, &shifted(inputs, wrt, &direction, h))[0].clone();
    let h = 1e-3;
    let (p1, m1, p2, m2) = (at(h), at(-h), at(2.0 * h), at(-2.0 * h));
    let difference: Vec<f64> = (0..p1.len())
        .map(|k| (8.0 * (p1[k] - m1[k]) - (p2[k] - m2[k])) / (12.0 * h))
        .collect();
    assert_close(tangent, &difference, tolerance, "jvp against differences");

    let of = program.outputs()[0].0.to_string();
    let vjp = transform::vjp(program, &[&of], &names).unwrap();
    let cotangent = random.values(tangent.len(), -1.0, 1.0);
    let mut columns = inputs.to_vec();
    columns.push(Owned::F64(cotangent.clone()));
    let pulled = run_any_cut(&vjp, &columns).split_off(program.outputs().len());
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let size = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a * b).abs()).sum::<f64>();
    let left = dot(&cotangent, tangent);
    let right: f64 = pulled.iter().zip(&direction).map(|(p, d)| dot(p, d)).sum();
    let scale = 1e-3
        + size(&cotangent, tangent)
        + pulled
            .iter()
            .zip(&direction)
            .map(|(p, d)| size(p, d))
            .sum::<f64>();
    assert!(
        (left - right).abs() <= 1e-13 * scale,
        "vjp against jvp: {right:e}, expected {left:e} (scale {scale:e})"
    );

    // Second order: along the direction, the change of the pulled-back cotangents against differences of them.
    let change = tangents(&vjp, &columns, wrt, &direction);
    let change = &change[change.len() - wrt.len()..];
    let pulled_at = |h: f64| {
        let mut columns = shifted(inputs, wrt, &direction, h);
        columns.push(Owned::F64(cotangent.clone()));
        run(&vjp, &columns).split_off(program.outputs().len())
    };
    let (p1, m1, p2, m2) = (
        pulled_at(h),
        pulled_at(-h),
        pulled_at(2.0 * h),
        pulled_at(-2.0 * h),
    );
    for j in 0..wrt.len() {
        let difference: Vec<f64> = (0..p1[j].len())
            .map(|k| (8.0 * (p1[j][k] - m1[j][k]) - (p2[j][k] - m2[j][k])) / (12.0 * h))
            .collect();
        assert_close(
            &change[j],
            &difference,
            10.0 * tolerance,
            "second order against differences",
        );
    }
}
