//! Dense linear algebra beyond the small samples: orders on both sides of each blocking, lanes, shared factors, errors with their place.

use pullback_ad::Real;
use pullback_array::{Bindings, Builder, Lowered, Owned, Part, Program, Space, Sym, transform};

use crate::harness::{Random, assert_close, check_derivatives, record, run, run_any_cut};

/// A well-conditioned matrix: the identity and small numbers, symmetric if asked.
fn matrix(random: &mut Random, n: usize, symmetric: bool) -> Vec<f64> {
    let mut a = random.values(n * n, -0.5, 0.5);
    for i in 0..n {
        for j in 0..n {
            if symmetric && j > i {
                a[i * n + j] = a[j * n + i];
            }
        }
    }
    for (k, a) in a.iter_mut().enumerate() {
        *a = *a / n as f64 + if k % (n + 1) == 0 { 1.5 } else { 0.0 };
    }
    a
}

fn square(b: &Builder, n: usize) -> Space {
    b.join(b.dense_of("i", n), b.dense_of("j", n))
}

fn product(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    (0..n * n)
        .map(|k| (0..n).map(|l| a[k / n * n + l] * b[l * n + k % n]).sum())
        .collect()
}

/// The orders at which another code takes over: 8, 16, 32, 48, 64, 112.
const ORDERS: [usize; 7] = [1, 9, 16, 40, 65, 111, 130];

#[test]
fn factors_multiply_to_the_matrix() {
    let mut random = Random(1);
    for n in ORDERS {
        let program = record(|b| vec![b.input("a", square(b, n)).cholesky()]);
        let a = matrix(&mut random, n, true);
        let l = run(&program, &[Owned::F64(a.clone())]).remove(0);
        let lt: Vec<f64> = (0..n * n).map(|k| l[k % n * n + k / n]).collect();
        assert_close(&product(&l, &lt, n), &a, 1e-14, &format!("order {n}"));
        assert!((0..n * n).all(|k| k % n <= k / n || l[k] == 0.0));
    }
}

#[test]
fn solutions_solve_and_determinants_agree() {
    let mut random = Random(2);
    for n in ORDERS {
        let program = record(|b| {
            let (space, k) = (square(b, n), b.dense_of("k", 3));
            let i = space.level(0).unwrap();
            let (a, x) = (
                b.input("a", space),
                b.input("x", b.join(space.prefix(1), k)),
            );
            let spd = b.input("spd", space);
            let y = a.solve(x);
            let z = a.solve_over(x, i, true);
            vec![
                a.linear_map(y) - x,
                a.linear_map_over(z, i, Part::Full, true) - x,
                spd.slogdet().1 - spd.logdet(),
                spd.slogdet().0,
                a.slogdet().1,
            ]
        });
        let (a, spd) = (matrix(&mut random, n, false), matrix(&mut random, n, true));
        let x = random.values(3 * n, -1.0, 1.0);
        let out = run(&program, &[Owned::F64(a), Owned::F64(x), Owned::F64(spd)]);
        assert_close(&out[0], &vec![0.0; 3 * n], 1e-14, "A x = b");
        assert_close(&out[1], &vec![0.0; 3 * n], 1e-14, "Aᵀ x = b");
        assert_close(&out[2], &[0.0], 1e-13 * n as f64, "determinants");
        assert_eq!(out[3], [1.0]);
        assert!(out[4][0].is_finite());
    }
}

/// The log-density of a Gaussian with the matrix as its covariance, and all others.
fn everything(n: usize) -> Program {
    record(|b| {
        let space = square(b, n);
        let (a, r) = (b.input("a", space), b.input("r", space.prefix(1)));
        let l = a.cholesky();
        let z = l.lower_solve(r);
        let density = -0.5 * z.dot(z) - 0.5 * a.logdet();
        let x = a.solve(l.lower_solve_transposed(z));
        let mapped = l.linear_map_over(x, space.level(0).unwrap(), Part::Lower, true);
        vec![density + a.slogdet().1 * 0.1 + mapped.sin().sum_all()]
    })
}

#[test]
fn derivatives_to_second_order_at_all_orders() {
    let mut random = Random(3);
    for n in [2, 17, 50] {
        let inputs = [
            Owned::F64(matrix(&mut random, n, true)),
            Owned::F64(random.values(n, -1.0, 1.0)),
        ];
        check_derivatives(&everything(n), &inputs, &[0, 1], 3e-8);
    }
}

#[test]
fn one_factorisation_serves_values_and_derivatives() {
    let count = |program: &Program, name: &str| {
        let nodes = program.nodes().iter();
        nodes.filter(|n| n.primitive.name() == name).count()
    };
    let program = everything(4);
    let gradient = transform::grad(&program, "out0", &["a", "r"]).unwrap();
    let hessian = transform::jvp(&gradient, &["a"]).unwrap();
    for p in [&program, &gradient, &hessian] {
        assert_eq!((count(p, "cholesky"), count(p, "lu")), (1, 1));
    }
    // A matrix without lanes is factorised once for all of them.
    let lanes = transform::vmap(&gradient, &["r"], "toys").unwrap();
    for name in ["cholesky", "lu"] {
        for node in lanes.nodes().iter().filter(|n| n.primitive.name() == name) {
            assert_eq!(lanes.ty(node.first).space.depth(), 2, "{name} has lanes");
        }
    }
}

#[test]
fn a_covariance_for_each_toy_or_one_for_all() {
    let mut random = Random(4);
    let (n, toys) = (5, 7);
    let gradient = transform::grad(&everything(n), "out0", &["a", "r"]).unwrap();
    let one = matrix(&mut random, n, true);
    let mut all = one.clone();
    (1..toys).for_each(|_| all.extend(matrix(&mut random, n, true)));
    let r = random.values(n * toys, -1.0, 1.0);
    for (axes, a) in [(&["r"][..], &one), (&["a", "r"][..], &all)] {
        let lanes = transform::vmap(&gradient, axes, "toys").unwrap();
        let found = run(&lanes, &[Owned::F64(a.clone()), Owned::F64(r.clone())]);
        let mut expected = vec![Vec::new(); 3];
        for t in 0..toys {
            let a = a.get(t * n * n..(t + 1) * n * n).unwrap_or(a);
            let r = &r[t * n..(t + 1) * n];
            let out = run(&gradient, &[Owned::F64(a.to_vec()), Owned::F64(r.to_vec())]);
            expected.iter_mut().zip(out).for_each(|(e, o)| e.extend(o));
        }
        for (found, expected) in found.iter().zip(&expected) {
            assert_close(found, expected, 1e-14, &format!("{axes:?}"));
        }
    }
}

/// Residuals of a stream of events under one covariance: the same bits however the stream is cut, also of the gradient to the covariance.
#[test]
fn one_covariance_for_a_stream_of_events() {
    for n in [3, 60] {
        let program = record(|b| {
            let (events, space) = (b.stream("events"), square(b, n));
            let muons = b.ragged("muons", events);
            let a = b.input("a", space);
            let r = b.input("r", b.join(muons, space.prefix(1)));
            let z = a.cholesky().lower_solve(r);
            let x = a.solve(r);
            vec![(z.square() * x).sum_last(), (z.square() * x).sum_all()]
        });
        let gradient = transform::vjp(&program, &["out1"], &["a", "r"]).unwrap();
        let mut random = Random(5);
        let events = 1100;
        let o = crate::harness::offsets(&mut random, events, 9);
        let count = *o.last().unwrap() as usize;
        let a = matrix(&mut random, n, true);
        let r = random.values(count * n, -1.0, 1.0);
        let mut inputs = vec![
            Owned::Offsets(o),
            Owned::F64(a.clone()),
            Owned::F64(r.clone()),
        ];
        let values = run_any_cut(&program, &inputs);
        inputs.push(Owned::F64(vec![1.0]));
        let out = run_any_cut(&gradient, &inputs);
        assert_eq!(out[..2], values[..]);
        // Against one dense array of all muons.
        let dense = record(|b| {
            let space = square(b, n);
            let (a, r) = (
                b.input("a", space),
                b.input("r", b.join(b.dense_of("all", count), space.prefix(1))),
            );
            vec![(a.cholesky().lower_solve(r).square() * a.solve(r)).sum_all()]
        });
        let dense = transform::grad(&dense, "out0", &["a", "r"]).unwrap();
        let expected = run(&dense, &[Owned::F64(a), Owned::F64(r)]);
        assert_close(&out[1], &expected[0], 1e-11, "sum");
        assert_close(&out[2], &expected[1], 1e-11, "gradient to the covariance");
        assert_close(&out[3], &expected[2], 1e-12, "gradient to the residuals");
    }
}

fn failure(f: impl for<'b> Fn(&'b Builder) -> Sym<'b>, inputs: &[Owned]) -> String {
    let lowered = Lowered::new(record(|b| vec![f(b)])).unwrap();
    let columns: Vec<_> = inputs.iter().map(Owned::column).collect();
    let result = lowered.run(&mut lowered.workspace(), &Bindings::ordered(&columns));
    result.unwrap_err().to_string()
}

#[test]
fn what_cannot_be_factorised_is_named() {
    let indefinite = failure(
        |b| b.input("a", square(b, 2)).named("covariance").cholesky(),
        &[Owned::F64(vec![1.0, 0.0, 2.0, 3.0])],
    );
    assert!(
        indefinite.starts_with(
            "[PB0209] cholesky (covariance): matrix is not positive definite: pivot 1 is -1e0"
        ),
        "{indefinite}"
    );
    let lane = failure(
        |b| {
            b.input("a", b.join(b.dense("toys"), square(b, 1)))
                .cholesky()
        },
        &[Owned::F64(vec![1.0, 2.0, f64::NAN])],
    );
    assert!(
        lane.contains("matrix 2 is not positive definite: pivot 0 is NaN"),
        "{lane}"
    );
    // Through the blocked code, too.
    for n in [20, 120] {
        let mut a = matrix(&mut Random(6), n, true);
        a[7 * (n + 1)] = -0.5;
        let large = failure(|b| b.input("a", square(b, n)).cholesky(), &[Owned::F64(a)]);
        assert!(large.contains("pivot 7 is"), "{large}");
    }
    let singular = failure(
        |b| {
            let space = square(b, 2);
            b.input("a", space)
                .named("response")
                .solve(b.input("x", space.prefix(1)))
        },
        &[
            Owned::F64(vec![1.0, 2.0, 2.0, 4.0]),
            Owned::F64(vec![1.0, 1.0]),
        ],
    );
    assert!(
        singular.starts_with("[PB0209] lu (response): matrix is singular: pivot 1 is 0e0"),
        "{singular}"
    );
    for n in [10, 80] {
        let mut a = matrix(&mut Random(7), n, false);
        (0..n).for_each(|i| a[i * n + n - 1] = a[i * n]);
        // Elimination leaves exactly nothing only in exact arithmetic: a column of zeros does.
        (0..n).for_each(|i| a[i * n + 4] = 0.0);
        let large = failure(|b| b.input("a", square(b, n)).slogdet().1, &[Owned::F64(a)]);
        assert!(
            large.contains("matrix is singular: pivot 4 is 0e0"),
            "{large}"
        );
    }
    let zero = failure(
        |b| {
            let space = square(b, 2);
            b.input("l", space)
                .lower_solve(b.input("x", space.prefix(1)))
        },
        &[
            Owned::F64(vec![1.0, 0.0, 5.0, 0.0]),
            Owned::F64(vec![1.0, 1.0]),
        ],
    );
    assert!(
        zero.contains("triangular matrix is singular: pivot 1 is 0"),
        "{zero}"
    );
}

/// Whatever the blocks are: the number of a matrix in its block says nothing.
#[test]
fn the_element_of_a_stream_that_cannot_be_factorised_is_named() {
    type Solved = for<'b> fn(&'b Builder, Sym<'b>) -> Sym<'b>;
    let (events, bad) = (50_000, 43_210);
    let mut a = vec![2.0; events];
    a[bad] = 0.0;
    let offsets = Owned::Offsets((0..=events as i64).map(|e| 2 * e).collect());
    let twice: Vec<f64> = a.iter().flat_map(|x| [2.0, *x]).collect();
    let cases: [Solved; 3] = [
        |_, a| a.cholesky(),
        |_, a| a.slogdet().1,
        |b, a| a.lower_solve(b.broadcast(1.0.into(), a.space().prefix(a.space().depth() - 1))),
    ];
    for solved in cases {
        let one = failure(
            |b| {
                let a = b.input("a", b.join(b.stream("events"), square(b, 1)));
                solved(b, a)
            },
            &[Owned::F64(a.clone())],
        );
        assert!(
            one.contains("matrix of element 43210 of the stream is "),
            "{one}"
        );
        let two = failure(
            |b| {
                let tracks = b.ragged("tracks", b.stream("events"));
                let a = b.input("a", b.join(tracks, square(b, 1)));
                solved(b, a)
            },
            &[offsets.clone(), Owned::F64(twice.clone())],
        );
        assert!(
            two.contains("matrix 1 of element 43210 of the stream is "),
            "{two}"
        );
    }
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let refused = |f: &dyn for<'b> Fn(&'b Builder) -> Sym<'b>| {
        let b = Builder::new();
        let y = f(&b);
        b.finish(&[("y", y)]).unwrap_err().to_string()
    };
    let message = refused(&|b| {
        let space = b.join(b.dense_of("i", 2), b.dense_of("j", 3));
        b.input("a", space).cholesky()
    });
    assert!(
        message.contains("2 rows (`i`) and 3 columns (`j`)"),
        "{message}"
    );
    let message = refused(&|b| b.input("a", b.dense("i")).cholesky());
    assert!(
        message.contains("[i], expected two dense levels"),
        "{message}"
    );
    let message = refused(&|b| {
        b.input("a", square(b, 2))
            .solve(b.input("x", b.dense_of("k", 2)))
    });
    assert!(
        message.contains("neither the rows nor the columns"),
        "{message}"
    );
    let message = refused(&|b| {
        let (space, k) = (square(b, 2), b.dense_of("k", 3));
        let over = k.last().unwrap();
        b.input("a", space).solve_over(b.input("x", k), over, false)
    });
    assert!(
        message.contains("a matrix of order 2 cannot act on the 3 elements of `k`"),
        "{message}"
    );
    let message = refused(&|b| {
        let (space, events) = (square(b, 2), b.stream("events"));
        b.input("a", space)
            .solve(b.input("x", b.join(space.prefix(1), events)))
    });
    assert!(message.contains("`events` stands below `i`"), "{message}");
    // Lengths that only a run tells.
    let late = failure(
        |b| {
            let (i, j) = (b.dense("i"), b.dense_of("j", 3));
            b.input("a", b.join(i, j)).cholesky()
        },
        &[Owned::F64(vec![1.0; 6])],
    );
    assert!(
        late.contains("the matrix has 2 rows and 3 columns"),
        "{late}"
    );
}

#[test]
fn products_by_the_names_of_levels() {
    let program = record(|b| {
        let (i, k, j) = (b.dense_of("i", 2), b.dense_of("k", 3), b.dense_of("j", 2));
        let (x, y) = (b.input("x", b.join(i, k)), b.input("y", b.join(k, j)));
        let v = b.input("v", k);
        let covariance = b.join(i, b.dense_of("i2", 2));
        vec![
            x.matmul(y),
            x.matvec(v),
            x.dot(v),
            v.dot(v),
            x.outer(x, i.last().unwrap(), covariance),
            x.outer(x, i.last().unwrap(), covariance).diagonal(),
        ]
    });
    let x = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let y = vec![1.0, 0.0, 0.0, 1.0, 2.0, -1.0];
    let out = run(
        &program,
        &[
            Owned::F64(x),
            Owned::F64(y),
            Owned::F64(vec![1.0, 10.0, 100.0]),
        ],
    );
    assert_eq!(out[0], [7.0, -1.0, 16.0, -1.0]);
    assert_eq!(out[1], [321.0, 654.0]);
    assert_eq!(out[2], [321.0, 654.0]);
    assert_eq!(out[3], [10_101.0]);
    assert_eq!(out[4], [14.0, 32.0, 32.0, 77.0]);
    assert_eq!(out[5], [14.0, 77.0]);
}
