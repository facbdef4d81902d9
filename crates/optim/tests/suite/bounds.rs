//! Bounds that are active at the solution: problems of W. Hock & K. Schittkowski, Test Examples for Nonlinear Programming Codes (1981).

use crate::functions::{Exact, Formula};
use crate::number::Number;
use pullback_optim::{
    Bfgs, Lbfgs, Minimiser, Minimum, Newton, Objective, Problem, QuasiOptions, Side, Status,
};

fn c<T: Number>(x: f64) -> T {
    T::from(x)
}

macro_rules! formulas {
    ($($(#[$doc:meta])* $name:ident<$n:tt>($x:ident) $body:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy)]
            struct $name;
            impl Formula<$n> for $name {
                fn value<T: Number>(&self, $x: &[T]) -> T { $body }
            }
        )*
    };
}

formulas! {
    /// 1 and 2
    Rosenbrock<2>(x) c::<T>(100.0) * (x[1] - x[0] * x[0]).powi(2) + (c::<T>(1.0) - x[0]).powi(2);
    Hs3<2>(x) x[1] + c::<T>(1e-5) * (x[1] - x[0]).powi(2);
    Hs4<2>(x) (x[0] + c(1.0)).powi(3) / c(3.0) + x[1];
    Hs5<2>(x) (x[0] + x[1]).sin() + (x[0] - x[1]).powi(2) - c::<T>(1.5) * x[0] + c::<T>(2.5) * x[1] + c(1.0);
    Hs38<4>(x) {
        let valley = |a: T, b: T, w: f64| c::<T>(w) * (b - a * a).powi(2) + (c::<T>(1.0) - a).powi(2);
        let (u, v) = (x[1] - c(1.0), x[3] - c(1.0));
        valley(x[0], x[1], 100.0) + valley(x[2], x[3], 90.0) + c::<T>(10.1) * (u * u + v * v) + c::<T>(19.8) * u * v
    };
    Hs45<5>(x) c::<T>(2.0) - x[0] * x[1] * x[2] * x[3] * x[4] / c(120.0);
    Hs110<10>(x) {
        let sum = x.iter().fold(c::<T>(0.0), |s, x| s + (*x - c(2.0)).ln().powi(2) + (c::<T>(10.0) - *x).ln().powi(2));
        sum - x.iter().fold(c::<T>(1.0), |p, x| p * *x).pow(c(0.2))
    };
}

struct Row {
    name: &'static str,
    run: fn(&mut dyn Minimiser) -> Minimum,
    minima: &'static [f64],
    at_bound: &'static [(usize, Side)],
}

fn run<F: Formula<N>, const N: usize>(
    minimiser: &mut dyn Minimiser,
    formula: F,
    start: [f64; N],
    bounds: [(f64, f64); N],
) -> Minimum {
    let mut problem = Problem::new(start.to_vec());
    for (i, (lower, upper)) in bounds.into_iter().enumerate() {
        problem = problem.with_bounds(i, lower, upper);
    }
    let mut objective = Exact(formula);
    let m = minimiser.minimise(&mut objective, &problem).unwrap();
    for i in 0..N {
        assert!(m.x[i] >= problem.lower[i] && m.x[i] <= problem.upper[i]);
    }
    assert_eq!(m.value, objective.value(&m.x));
    m
}

const INF: f64 = f64::INFINITY;

const ROWS: &[Row] = &[
    Row {
        name: "HS1",
        run: |m| run(m, Rosenbrock, [-2.0, 1.0], [(-INF, INF), (-1.5, INF)]),
        minima: &[0.0],
        at_bound: &[],
    },
    // The second value is a local minimum at x₁ < 0.
    Row {
        name: "HS2",
        run: |m| run(m, Rosenbrock, [-2.0, 1.0], [(-INF, INF), (1.5, INF)]),
        minima: &[0.0504261879, 4.941229318],
        at_bound: &[(1, Side::Lower)],
    },
    Row {
        name: "HS3",
        run: |m| run(m, Hs3, [10.0, 1.0], [(-INF, INF), (0.0, INF)]),
        minima: &[0.0],
        at_bound: &[(1, Side::Lower)],
    },
    Row {
        name: "HS4",
        run: |m| run(m, Hs4, [1.125, 0.125], [(1.0, INF), (0.0, INF)]),
        minima: &[8.0 / 3.0],
        at_bound: &[(0, Side::Lower), (1, Side::Lower)],
    },
    // −√3/2 − π/3
    Row {
        name: "HS5",
        run: |m| run(m, Hs5, [0.0, 0.0], [(-1.5, 4.0), (-3.0, 3.0)]),
        minima: &[-1.913222955],
        at_bound: &[],
    },
    Row {
        name: "HS38",
        run: |m| run(m, Hs38, [-3.0, -1.0, -3.0, -1.0], [(-10.0, 10.0); 4]),
        minima: &[0.0],
        at_bound: &[],
    },
    Row {
        name: "HS45",
        run: |m| {
            run(
                m,
                Hs45,
                [2.0; 5],
                [(0.0, 1.0), (0.0, 2.0), (0.0, 3.0), (0.0, 4.0), (0.0, 5.0)],
            )
        },
        minima: &[1.0],
        at_bound: &[
            (0, Side::Upper),
            (1, Side::Upper),
            (2, Side::Upper),
            (3, Side::Upper),
            (4, Side::Upper),
        ],
    },
    Row {
        name: "HS110",
        run: |m| run(m, Hs110, [9.0; 10], [(2.001, 9.999); 10]),
        minima: &[-45.77846971],
        at_bound: &[],
    },
];

fn check(minimiser: &mut dyn Minimiser, limit: usize) {
    let mut failures = Vec::new();
    for row in ROWS {
        let m = (row.run)(minimiser);
        let line = format!("{}: {m} at {:?}, gradient {:?}", row.name, m.x, m.gradient);
        println!("{line}");
        let reached = row
            .minima
            .iter()
            .any(|f| (m.value - f).abs() < 1e-9 * f.abs().max(1.0));
        let sides: Vec<_> = m
            .at_bound
            .iter()
            .enumerate()
            .filter_map(|(i, s)| s.map(|s| (i, s)))
            .collect();
        if !(m.converged() && reached && sides == row.at_bound && m.iterations <= limit) {
            failures.push(line);
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn newton() {
    check(&mut Newton::default(), 60);
}

#[test]
fn bfgs() {
    let options = QuasiOptions {
        edm: 1e-14,
        ..QuasiOptions::default()
    };
    check(&mut Bfgs::new(options), 100);
}

#[test]
fn lbfgs() {
    let options = QuasiOptions {
        edm: 1e-14,
        ..QuasiOptions::default()
    };
    check(
        &mut Lbfgs {
            options,
            memory: 10,
        },
        150,
    );
}

#[test]
fn a_corner_is_recognised() {
    let m = run(
        &mut Newton::default(),
        Hs4,
        [1.0, 0.0],
        [(1.0, INF), (0.0, INF)],
    );
    assert_eq!(
        (m.status, m.edm, m.iterations),
        (Status::ConvergedAtCorner, 0.0, 0)
    );
    assert!(m.near_zero_multipliers.is_empty());
}

/// A strictly convex quadratic in a box, whose solution is found by enumerating the 3ⁿ active sets.
#[test]
fn convex_quadratics_in_a_box_take_one_newton_step() {
    #[derive(Clone, Copy)]
    struct Quadratic([[f64; 4]; 4], [f64; 4]);
    impl Formula<4> for Quadratic {
        fn value<T: Number>(&self, x: &[T]) -> T {
            let mut sum = c::<T>(0.0);
            for i in 0..4 {
                sum = sum + x[i] * c(self.1[i]);
                for j in 0..4 {
                    sum = sum + x[i] * x[j] * c(0.5 * self.0[i][j]);
                }
            }
            sum
        }
    }
    let mut seed = 12345u64;
    let mut random = || {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (seed >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    };
    let mut bounds_hit = 0;
    for _ in 0..200 {
        let l: [[f64; 4]; 4] = std::array::from_fn(|_| std::array::from_fn(|_| random()));
        let h = std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                (0..4).map(|k| l[i][k] * l[j][k]).sum::<f64>() + if i == j { 0.05 } else { 0.0 }
            })
        });
        let g = std::array::from_fn(|_| random());
        let m = run(
            &mut Newton::default(),
            Quadratic(h, g),
            std::array::from_fn(|_| random()),
            [(-0.5, 0.5); 4],
        );
        assert!(m.converged(), "{m}");
        for i in 0..4 {
            let slope = m.gradient[i];
            match m.at_bound[i] {
                Some(Side::Lower) => assert!(slope >= 0.0, "{m} {i}"),
                Some(Side::Upper) => assert!(slope <= 0.0, "{m} {i}"),
                None => assert!(slope.abs() < 1e-13, "{m} {slope}"),
            }
            bounds_hit += usize::from(m.at_bound[i].is_some());
        }
        assert!(m.evaluations.hessians <= 3 && m.iterations <= 5, "{m}");
    }
    assert!(bounds_hit > 200);
}

#[test]
fn a_minimum_exactly_on_its_bound_is_flagged() {
    #[derive(Clone, Copy)]
    struct Touching;
    impl Formula<2> for Touching {
        fn value<T: Number>(&self, x: &[T]) -> T {
            x[0] * x[0] + (x[0] + x[1] - c(1.0)).powi(2)
        }
    }
    let m = run(
        &mut Newton::default(),
        Touching,
        [3.0, 0.0],
        [(0.0, INF), (-INF, INF)],
    );
    assert!(m.converged() && m.x[0].abs() < 1e-15, "{m}");
    let m = run(
        &mut Newton::default(),
        Touching,
        [0.0, 0.0],
        [(0.0, INF), (-INF, 0.5)],
    );
    assert_eq!(m.at_bound[1], Some(Side::Upper));
    assert!(m.near_zero_multipliers.is_empty());
    let m = run(
        &mut Newton::default(),
        Touching,
        [0.0, 1.0],
        [(0.0, INF), (-INF, INF)],
    );
    assert_eq!(m.near_zero_multipliers, [0]);
}

/// Rosenbrock's function as residuals, with x₁ ≥ 1.5 (problem 2) and with x₀ ≤ 0.5.
#[test]
fn levenberg_marquardt_keeps_bounds() {
    struct Valley;
    impl pullback_optim::Residuals for Valley {
        fn parameters(&self) -> usize {
            2
        }
        fn observations(&self) -> usize {
            2
        }
        fn residuals(&mut self, x: &[f64], r: &mut [f64]) {
            r.copy_from_slice(&[10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]]);
        }
        fn jacobian(&mut self, x: &[f64], j: &mut [f64]) {
            j.copy_from_slice(&[-20.0 * x[0], 10.0, -1.0, 0.0]);
        }
    }
    let mut lm = pullback_optim::LevenbergMarquardt::default();
    let m = lm
        .minimise(
            &mut Valley,
            &Problem::new(vec![2.0, 1.0]).with_bounds(1, 1.5, INF),
        )
        .unwrap();
    assert!(
        m.converged()
            && m.at_bound == [None, Some(Side::Lower)]
            && (m.value - 0.0504261879).abs() < 1e-9,
        "{m}"
    );
    let m = lm
        .minimise(
            &mut Valley,
            &Problem::new(vec![-1.2, 1.0]).with_bounds(0, -INF, 0.5),
        )
        .unwrap();
    assert!(
        m.converged() && m.at_bound == [Some(Side::Upper), None] && (m.value - 0.25).abs() < 1e-14,
        "{m}"
    );
}
