//! Several nodes as one instruction give the bits of the nodes one by one, on every instruction set.

mod support;

use pullback_ad::Real;
use pullback_ad::isa::Level as Isa;
use pullback_array::attr::Data;
use pullback_array::{Bindings, Builder, LevelId, Lowered, Owned, Program, Space, Sym, transform};
use support::{direction, names};

/// Offsets of `tiles` tiles with up to `most` rows each, some of them empty.
fn offsets(tiles: usize, most: usize, seed: u64) -> Vec<i64> {
    let mut out = vec![0];
    for x in direction(tiles, seed) {
        let rows = ((x.abs() - 0.5) * (most as f64 + 1.0)) as i64;
        out.push(out[out.len() - 1] + rows);
    }
    out
}

/// Rows below tiles, and those with eight lanes.
struct Layout {
    tiles: Space,
    rows: Space,
    full: Space,
    cells: Space,
    over: LevelId,
    count: usize,
}

impl Layout {
    fn new(b: &Builder, offsets: &[i64]) -> Self {
        let tiles = b.dense_of("tile", offsets.len() - 1);
        let lanes = b.dense_of("lane", 8);
        let rows = b.ragged_by("row", b.constant_offsets(offsets, tiles));
        Self {
            tiles,
            rows,
            full: b.join(rows, lanes),
            cells: b.join(tiles, lanes),
            over: rows.last().expect("a level"),
            count: offsets[offsets.len() - 1] as usize,
        }
    }
}

/// Indices into `n` elements, a third of them missing.
fn indices(len: usize, n: usize, seed: u64) -> Vec<i64> {
    direction(len, seed)
        .iter()
        .map(|x| {
            let u = (x.abs() - 0.5) * 1.5;
            if u > 1.0 {
                -1
            } else {
                ((u * n as f64) as i64).min(n as i64 - 1)
            }
        })
        .collect()
}

fn pick<'b>(b: &'b Builder, table: Sym<'b>, index: &[i64], space: Space, other: f64) -> Sym<'b> {
    let mask = b.constant(Data::Bool(index.iter().map(|i| *i >= 0).collect()), space);
    mask.select(table.gather(b.constant_i64(index, space)), Sym::from(other))
}

fn outputs(program: &Program, lowered: &Lowered, inputs: &[Owned]) -> Vec<Vec<u64>> {
    let columns: Vec<_> = inputs.iter().map(Owned::column).collect();
    let mut ws = lowered.workspace();
    // The second run is that of a workspace whose sizes are known.
    for _ in 0..2 {
        lowered
            .run(&mut ws, &Bindings::ordered(&columns))
            .expect("runs");
    }
    (0..program.outputs().len())
        .map(|k| ws.f64(k).iter().map(|x| bits(*x)).collect())
        .collect()
}

/// Which of two NaN an operation passes on depends on their order.
fn bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN } else { x }.to_bits()
}

/// Fused and unfused programs have the same bits; returns the number of instructions of each.
fn same_bits(program: &Program, inputs: &[Owned]) -> (usize, usize) {
    let program = transform::bind(program, &[]).expect("folds");
    let mut counts = (0, 0);
    for isa in Isa::available() {
        let fused = Lowered::for_isa(program.clone(), isa).expect("lowers");
        let plain = Lowered::unfused(program.clone(), isa).expect("lowers");
        assert_eq!(
            outputs(&program, &fused, inputs),
            outputs(&program, &plain, inputs),
            "{}",
            isa.name()
        );
        counts = (
            fused.instruction_counts().iter().sum(),
            plain.instruction_counts().iter().sum(),
        );
    }
    counts
}

#[test]
fn the_derivative_of_a_product_by_rows() {
    for (seed, most) in [(1, 3), (2, 9), (3, 20), (4, 0)] {
        let b = Builder::new();
        let s = Layout::new(&b, &offsets(5, most, seed));
        let (x, m, w) = (
            b.input("x", s.rows),
            b.input("m", s.full),
            b.input("w", s.cells),
        );
        let y = ((x.broadcast(s.full) * m).prod(s.over) * w).sum_all();
        let program = b.finish(&[("y", y)]).expect("well-formed");
        let inputs = [
            Owned::F64(direction(s.count, seed)),
            Owned::F64(direction(s.count * 8, seed + 10)),
            Owned::F64(direction(5 * 8, seed + 20)),
        ];
        let grad = transform::grad(&program, "y", &["x"]).expect("differentiable");
        let (fused, plain) = same_bits(&grad, &inputs);
        // exclusive_prod, mul and rows_dot are one; the sum of products is one.
        assert_eq!(plain - fused, 3);
        let _ = s.tiles;
    }
}

#[test]
fn the_derivative_of_a_product_of_picked_elements() {
    for (seed, most) in [(1, 3), (2, 9), (3, 20)] {
        let b = Builder::new();
        let s = Layout::new(&b, &offsets(4, most, seed));
        let (x, w) = (b.input("x", b.dense_of("k", 7)), b.input("w", s.cells));
        let index = indices(s.count * 8, 7, seed);
        let f = pick(&b, x, &index, s.full, 1.0);
        let y = (f.prod(s.over) * w).sum_all();
        let program = b.finish(&[("y", y)]).expect("well-formed");
        let mut x = direction(7, seed + 5);
        // Products with zeros have derivatives, too.
        x[3] = 0.0;
        let inputs = [Owned::F64(x), Owned::F64(direction(4 * 8, seed + 20))];
        let grad = transform::grad(&program, "y", &["x"]).expect("differentiable");
        let (fused, plain) = same_bits(&grad, &inputs);
        // gather and select, exclusive_prod, expand and mul, select and scatter_add; mul and total.
        assert_eq!(plain - fused, 5);
    }
}

#[test]
fn what_others_read_is_not_fused_away() {
    let b = Builder::new();
    let s = Layout::new(&b, &offsets(4, 9, 6));
    let (x, w) = (b.input("x", b.dense_of("k", 7)), b.input("w", s.cells));
    let index = indices(s.count * 8, 7, 3);
    let mask = b.constant(Data::Bool(index.iter().map(|i| *i >= 0).collect()), s.full);
    let found = x.gather(b.constant_i64(&index, s.full));
    let f = mask.select(found, Sym::from(1.0));
    let y = (f.prod(s.over) * w).sum_all() + mask.select(found, Sym::from(0.0)).exp().sum_all();
    let program = b
        .finish(&[("y", y), ("found", found)])
        .expect("well-formed");
    let inputs = [Owned::F64(direction(7, 8)), Owned::F64(direction(4 * 8, 9))];
    let grad = transform::grad(&program, "y", &["x", "w"]).expect("differentiable");
    assert_eq!(names(&support::double_outputs(&grad)).len(), 4);
    same_bits(&grad, &inputs);
}

#[test]
fn constant_indices_give_the_bits_of_given_ones() {
    // Stretches, a permutation, repetitions and gaps.
    let lists: [Vec<i64>; 4] = [
        (3..40).chain(45..80).collect(),
        (0..60).map(|i| i * 7 % 60).collect(),
        (0..50).map(|i| i * i % 11).collect(),
        indices(100, 60, 4),
    ];
    for index in lists {
        let n = index.len();
        let build = |constant: bool| -> Program {
            let b = Builder::new();
            let (k, space) = (b.dense_of("k", 90), b.dense_of("n", n));
            let (x, w) = (b.input("x", k), b.input("w", space));
            let at = if constant {
                b.constant_i64(&index, space)
            } else {
                b.input_of(
                    "index",
                    pullback_array::Type::new(pullback_array::DType::I64, space),
                )
            };
            let sums = w.scatter_add(at, k);
            b.finish(&[("read", x.gather(at)), ("sums", sums)])
                .expect("well-formed")
        };
        let mut inputs = vec![Owned::F64(direction(90, 1)), Owned::F64(direction(n, 2))];
        let run = |program: &Program, inputs: &[Owned]| {
            let lowered = Lowered::new(program.clone()).expect("lowers");
            outputs(program, &lowered, inputs)
        };
        let found = run(&build(true), &inputs);
        inputs.push(Owned::I64(index.clone()));
        assert_eq!(found, run(&build(false), &inputs));
    }
}

/// A layer: a product of matrices whose rows start from the same numbers; also one with more terms than are summed at once, and the other way around.
#[test]
fn numbers_that_are_added_to_the_rows_of_a_product() {
    for (terms, outputs) in [(1, 3), (7, 1), (10, 17), (256, 9), (300, 5)] {
        for (first, transposed) in [(false, false), (true, false), (false, true)] {
            for streamed in [false, true] {
                let b = Builder::new();
                let rows = if streamed {
                    b.stream("rows")
                } else {
                    b.dense("rows")
                };
                let (k, j) = (b.dense_of("k", terms), b.dense_of("j", outputs));
                let matrix = if transposed {
                    b.join(j, k)
                } else {
                    b.join(k, j)
                };
                let x = b.input("x", b.join(rows, k));
                let (w, v) = (b.input("w", matrix), b.input("v", j));
                let to = b.join(rows, j);
                let (product, v) = (x.contract(w, to), v.broadcast(to));
                let sum = if first { v + product } else { product + v };
                // A zero of either sign comes out as it does of a sum.
                let program = b.finish(&[("y", sum), ("t", sum.tanh().sum_all())]);
                let program = program.expect("well-formed");
                let mut bias = direction(outputs, 5);
                bias[0] = -0.0;
                let mut x = direction(600 * terms, 3);
                x[..terms].fill(-0.0);
                let inputs = [
                    Owned::F64(x),
                    Owned::F64(direction(terms * outputs, 4)),
                    Owned::F64(bias),
                ];
                let (fused, plain) = same_bits(&program, &inputs);
                assert_eq!(plain - fused, 2, "{terms} {outputs}");
                let grad = transform::grad(&program, "t", &["w", "v"]).expect("differentiable");
                same_bits(&grad, &inputs);
            }
        }
    }
}

/// All pairs of sums, differences and products, block by block and as a whole, with any of the three a repeated number.
#[test]
fn operations_inside_of_operations() {
    type Operation = for<'b> fn(Sym<'b>, Sym<'b>) -> Sym<'b>;
    let operations: [Operation; 3] = [|a, b| a + b, |a, b| a - b, |a, b| a * b];
    let n = 2_500;
    let mut columns = [31, 32, 33].map(|seed| direction(n, seed));
    columns[0][7] = f64::INFINITY;
    columns[1][7] = f64::NEG_INFINITY;
    columns[2][8] = f64::NAN;
    columns[0][9] = -0.0;
    columns[1][9] = 0.0;
    for streamed in [false, true] {
        let mut saved = 0;
        for outer in operations {
            for inner in operations {
                for numbers in 0..8_u8 {
                    let b = Builder::new();
                    let space = if streamed {
                        b.stream("n")
                    } else {
                        b.dense("n")
                    };
                    let x = b.input("x", space);
                    let args: [Sym<'_>; 3] = std::array::from_fn(|k| {
                        let name = ["a", "b", "c"][k];
                        if numbers & (1 << k) == 0 {
                            b.input(name, space)
                        } else {
                            b.input(name, Space::SCALAR).broadcast(space)
                        }
                    });
                    let within = inner(args[0], args[1]);
                    let outputs = [
                        ("first", outer(within, args[2]) * x),
                        ("second", x * outer(args[2], inner(args[1], args[0]))),
                    ];
                    let program = b.finish(&outputs).expect("well-formed");
                    let inputs: Vec<Owned> = std::iter::once(Owned::F64(vec![1.0; n]))
                        .chain((0..3).map(|k| {
                            Owned::F64(if numbers & (1 << k) == 0 {
                                columns[k].clone()
                            } else {
                                vec![columns[k][0]]
                            })
                        }))
                        .collect();
                    let (fused, plain) = same_bits(&program, &inputs);
                    saved += plain - fused;
                }
            }
        }
        // Of three operations in a row two become one, where one is not done before it is repeated: at least one pair in most programs.
        assert!(saved > 9 * 8, "{saved}");
    }
}

#[test]
fn sums_of_products_below_events() {
    let b = Builder::new();
    let events = b.stream("events");
    let muons = b.ragged("muons", events);
    let (x, y) = (b.input("x", muons), b.input("y", muons));
    let w = b.input("w", events);
    let all = (x * y).total(events);
    let outputs = [("sum", (all * w).sum_all()), ("all", all)];
    let program = b.finish(&outputs).expect("well-formed");
    let counts: Vec<i64> = (0..3_000).map(|k| (k * k) % 7 % 4).collect();
    let offsets: Vec<i64> = std::iter::once(0)
        .chain(counts.iter().scan(0, |sum, k| {
            *sum += k;
            Some(*sum)
        }))
        .collect();
    let n = offsets[counts.len()] as usize;
    let inputs = [
        Owned::Offsets(offsets),
        Owned::F64(direction(n, 41)),
        Owned::F64(direction(n, 42)),
        Owned::F64(direction(counts.len(), 43)),
    ];
    let (fused, plain) = same_bits(&program, &inputs);
    assert_eq!(plain - fused, 2);
}

/// A dense level before the ragged one repeats its rows: offsets describe one of the repetitions.
#[test]
fn constant_rows_below_a_dense_level_give_the_bits_of_given_ones() {
    let offsets = [0, 2, 2, 5];
    let index: Vec<i64> = vec![3, 0, 3, 1, 6, 2, 2, 0, 5, 3];
    let inputs = [
        Owned::F64(direction(7, 1)),
        Owned::F64(direction(10 * 8, 2)),
        Owned::F64(direction(6 * 8, 3)),
    ];
    let run = |constant: bool| {
        let b = Builder::new();
        let s = Layout::new(&b, &offsets);
        let twice = b.dense_of("twice", 2);
        let rows = b.join(twice, s.rows);
        let (x, m, w) = (
            b.input("x", b.dense_of("k", 7)),
            b.input("m", b.join(twice, s.full)),
            b.input("w", b.join(twice, s.cells)),
        );
        let (at, mut inputs) = if constant {
            (b.constant_i64(&index, rows), inputs.to_vec())
        } else {
            let ty = pullback_array::Type::new(pullback_array::DType::I64, rows);
            let given = [&inputs[..], &[Owned::I64(index.clone())]].concat();
            (b.input_of("index", ty), given)
        };
        let y = (x.rows_sum_at(at, m, s.over) * w).sum_all();
        let program = b.finish(&[("y", y)]).expect("well-formed");
        let grad = transform::grad(&program, "y", &["x"]).expect("differentiable");
        let lowered = Lowered::new(grad.clone()).expect("lowers");
        outputs(&grad, &lowered, std::mem::take(&mut inputs).as_slice())
    };
    assert_eq!(run(true), run(false));
}

/// An index past the end is one also where it is larger than any array can be, and where what is read there is not taken.
#[test]
fn constant_indices_past_the_end_are_errors_fused_or_not() {
    for past in [7_i64, 1 << 32, i64::MAX] {
        let b = Builder::new();
        let (k, n) = (b.dense_of("k", 7), b.dense_of("n", 3));
        let index = b.constant_i64(&[2, past, 0], n);
        let mask = b.constant(Data::Bool([true, false, true].into()), n);
        let found = mask.select(b.input("x", k).gather(index), Sym::from(1.0));
        let program = b.finish(&[("y", found.exp())]).expect("well-formed");
        let x = direction(7, 1);
        let columns = [(&x).into()];
        let isa = Isa::current();
        for lowered in [
            Lowered::for_isa(program.clone(), isa),
            Lowered::unfused(program.clone(), isa),
        ] {
            let lowered = lowered.expect("lowers");
            let error = lowered
                .run(&mut lowered.workspace(), &Bindings::ordered(&columns))
                .expect_err("past the end");
            let text = error.to_string();
            assert!(
                text.starts_with("[PB0209]") && text.contains(&format!("index {past}")),
                "{text}"
            );
        }
    }
}
