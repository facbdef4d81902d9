//! The test functions of J. Moré, B. Garbow & K. Hillstrom, ACM Trans. Math. Softw. 7 (1981) 17, numbered as there.

use crate::functions::Residuals;
use crate::number::Number;
use std::f64::consts::PI;

fn c<T: Number>(x: f64) -> T {
    T::from(x)
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident<$n:tt>($x:ident, $t:ident) $body:block)*) => {
        $(
            $(#[$doc])*
            pub struct $name;
            impl Residuals<$n> for $name {
                fn residuals<$t: Number>(&self, $x: &[$t]) -> Vec<$t> $body
            }
        )*
    };
}

pub const BARD: [f64; 15] = [
    0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39,
];
pub const GAUSSIAN: [f64; 15] = [
    0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989, 0.3521, 0.2420, 0.1295, 0.0540,
    0.0175, 0.0044, 0.0009,
];
pub const MEYER: [f64; 16] = [
    34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0, 7030.0, 6005.0,
    5147.0, 4427.0, 3820.0, 3307.0, 2872.0,
];
pub const KOWALIK: [(f64, f64); 11] = [
    (0.1957, 4.0),
    (0.1947, 2.0),
    (0.1735, 1.0),
    (0.1600, 0.5),
    (0.0844, 0.25),
    (0.0627, 0.167),
    (0.0456, 0.125),
    (0.0342, 0.1),
    (0.0323, 0.0833),
    (0.0235, 0.0714),
    (0.0246, 0.0625),
];
pub const OSBORNE1: [f64; 33] = [
    0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685,
    0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448,
    0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406,
];
pub const OSBORNE2: [f64; 65] = [
    1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608,
    0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661,
    0.612, 0.558, 0.533, 0.495, 0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428,
    0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559,
    0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054,
];

functions! {
    /// 1
    Rosenbrock<2>(x, T) { vec![c::<T>(10.0) * (x[1] - x[0] * x[0]), c::<T>(1.0) - x[0]] }
    /// 2
    FreudensteinRoth<2>(x, T) {
        let y = x[1];
        vec![
            c::<T>(-13.0) + x[0] + ((c::<T>(5.0) - y) * y - c(2.0)) * y,
            c::<T>(-29.0) + x[0] + ((y + c(1.0)) * y - c(14.0)) * y,
        ]
    }
    /// 3
    PowellBadlyScaled<2>(x, T) { vec![c::<T>(1e4) * x[0] * x[1] - c(1.0), (-x[0]).exp() + (-x[1]).exp() - c(1.0001)] }
    /// 4
    BrownBadlyScaled<2>(x, T) { vec![x[0] - c(1e6), x[1] - c(2e-6), x[0] * x[1] - c(2.0)] }
    /// 5
    Beale<2>(x, T) {
        (1..=3).map(|i| c::<T>([1.5, 2.25, 2.625][i as usize - 1]) - x[0] * (c::<T>(1.0) - x[1].powi(i))).collect()
    }
    /// 6
    JennrichSampson<2>(x, T) {
        (1..=10).map(|i| { let t = f64::from(i); c::<T>(2.0 + 2.0 * t) - ((x[0] * c(t)).exp() + (x[1] * c(t)).exp()) }).collect()
    }
    /// 7
    HelicalValley<3>(x, T) {
        let turn = (x[1] / x[0]).atan() / c(2.0 * PI) + c(if x[0].re() < 0.0 { 0.5 } else { 0.0 });
        let radius = (x[0] * x[0] + x[1] * x[1]).sqrt();
        vec![c::<T>(10.0) * (x[2] - c::<T>(10.0) * turn), c::<T>(10.0) * (radius - c(1.0)), x[2]]
    }
    /// 8
    Bard<3>(x, T) {
        BARD.iter().enumerate().map(|(i, y)| {
            let u = i as f64 + 1.0;
            let v = 16.0 - u;
            c::<T>(*y) - (x[0] + c::<T>(u) / (c::<T>(v) * x[1] + c::<T>(u.min(v)) * x[2]))
        }).collect()
    }
    /// 9
    Gaussian<3>(x, T) {
        GAUSSIAN.iter().enumerate().map(|(i, y)| {
            let d = c::<T>((7.0 - i as f64) / 2.0) - x[2];
            x[0] * (-(x[1] * d * d) / c(2.0)).exp() - c(*y)
        }).collect()
    }
    /// 10
    Meyer<3>(x, T) {
        MEYER.iter().enumerate().map(|(i, y)| x[0] * (x[1] / (c::<T>(50.0 + 5.0 * i as f64) + x[2])).exp() - c(*y)).collect()
    }
    /// 11, with m = 99 and |·| taken of the real part
    Gulf<3>(x, T) {
        (1..100).map(|i| {
            let t = f64::from(i) / 100.0;
            let d = c::<T>(25.0 + (-50.0 * t.ln()).powf(2.0 / 3.0)) - x[1];
            let size = if d.re() < 0.0 { -d } else { d };
            (-(size.pow(x[2]) / x[0])).exp() - c(t)
        }).collect()
    }
    /// 12, m = 10
    Box3<3>(x, T) {
        (1..=10).map(|i| {
            let t = 0.1 * f64::from(i);
            (x[0] * c(-t)).exp() - (x[1] * c(-t)).exp() - x[2] * c((-t).exp() - (-10.0 * t).exp())
        }).collect()
    }
    /// 13
    PowellSingular<4>(x, T) {
        vec![
            x[0] + c::<T>(10.0) * x[1],
            c::<T>(5f64.sqrt()) * (x[2] - x[3]),
            (x[1] - c::<T>(2.0) * x[2]).powi(2),
            c::<T>(10f64.sqrt()) * (x[0] - x[3]).powi(2),
        ]
    }
    /// 14
    Wood<4>(x, T) {
        vec![
            c::<T>(10.0) * (x[1] - x[0] * x[0]),
            c::<T>(1.0) - x[0],
            c::<T>(90f64.sqrt()) * (x[3] - x[2] * x[2]),
            c::<T>(1.0) - x[2],
            c::<T>(10f64.sqrt()) * (x[1] + x[3] - c(2.0)),
            (x[1] - x[3]) / c(10f64.sqrt()),
        ]
    }
    /// 15
    KowalikOsborne<4>(x, T) {
        KOWALIK.iter().map(|(y, u)| c::<T>(*y) - x[0] * (c::<T>(u * u) + x[1] * c(*u)) / (c::<T>(u * u) + x[2] * c(*u) + x[3])).collect()
    }
    /// 16, m = 20
    BrownDennis<4>(x, T) {
        (1..=20).map(|i| {
            let t = f64::from(i) / 5.0;
            (x[0] + x[1] * c(t) - c(t.exp())).powi(2) + (x[2] + x[3] * c(t.sin()) - c(t.cos())).powi(2)
        }).collect()
    }
    /// 17
    Osborne1<5>(x, T) {
        OSBORNE1.iter().enumerate().map(|(i, y)| {
            let t = c::<T>(-10.0 * i as f64);
            c::<T>(*y) - (x[0] + x[1] * (x[3] * t).exp() + x[2] * (x[4] * t).exp())
        }).collect()
    }
    /// 18, m = 13
    BiggsExp6<6>(x, T) {
        (1..=13).map(|i| {
            let t = 0.1 * f64::from(i);
            let y = (-t).exp() - 5.0 * (-10.0 * t).exp() + 3.0 * (-4.0 * t).exp();
            x[2] * (x[0] * c(-t)).exp() - x[3] * (x[1] * c(-t)).exp() + x[5] * (x[4] * c(-t)).exp() - c(y)
        }).collect()
    }
    /// 19
    Osborne2<11>(x, T) {
        OSBORNE2.iter().enumerate().map(|(i, y)| {
            let t = c::<T>(i as f64 / 10.0);
            let peak = |height: T, width: T, place: T| { let d = t - place; height * (-(d * d * width)).exp() };
            c::<T>(*y) - (x[0] * (-(t * x[4])).exp() + peak(x[1], x[5], x[8]) + peak(x[2], x[6], x[9]) + peak(x[3], x[7], x[10]))
        }).collect()
    }
    /// 20 with 6 variables
    Watson<6>(x, T) {
        let mut out: Vec<T> = (1..=29).map(|i| {
            let t = f64::from(i) / 29.0;
            let slope = (1..6).fold(c::<T>(0.0), |s, j| s + x[j] * c(j as f64 * t.powi(j as i32 - 1)));
            let sum = (0..6).fold(c::<T>(0.0), |s, j| s + x[j] * c(t.powi(j as i32)));
            slope - sum * sum - c(1.0)
        }).collect();
        out.extend([x[0], x[1] - x[0] * x[0] - c(1.0)]);
        out
    }
    /// 21 with 10 variables
    ExtendedRosenbrock<10>(x, T) {
        x.chunks(2).flat_map(|x| [c::<T>(10.0) * (x[1] - x[0] * x[0]), c::<T>(1.0) - x[0]]).collect()
    }
    /// 22 with 8 variables
    ExtendedPowellSingular<8>(x, T) { x.chunks(4).flat_map(|x| PowellSingular.residuals(x)).collect() }
    /// 23 with 4 variables
    PenaltyOne<4>(x, T) {
        let mut out: Vec<T> = x.iter().map(|x| (*x - c(1.0)) * c(1e-5f64.sqrt())).collect();
        out.push(x.iter().fold(c::<T>(-0.25), |s, x| s + *x * *x));
        out
    }
    /// 24 with 4 variables
    PenaltyTwo<4>(x, T) {
        let a = 1e-5f64.sqrt();
        let mut out = vec![x[0] - c(0.2)];
        for i in 1..4 {
            let y = (0.1 * (i as f64 + 1.0)).exp() + (0.1 * i as f64).exp();
            out.push(((x[i] / c(10.0)).exp() + (x[i - 1] / c(10.0)).exp() - c(y)) * c(a));
        }
        for x in &x[1..] {
            out.push(((*x / c(10.0)).exp() - c((-0.1f64).exp())) * c(a));
        }
        out.push(x.iter().enumerate().fold(c::<T>(-1.0), |s, (j, x)| s + *x * *x * c(4.0 - j as f64)));
        out
    }
    /// 25 with 10 variables
    VariablyDimensioned<10>(x, T) {
        let mut out: Vec<T> = x.iter().map(|x| *x - c(1.0)).collect();
        let s = x.iter().enumerate().fold(c::<T>(0.0), |s, (j, x)| s + (*x - c(1.0)) * c(j as f64 + 1.0));
        out.extend([s, s * s]);
        out
    }
    /// 26 with 10 variables
    Trigonometric<10>(x, T) {
        let sum = x.iter().fold(c::<T>(0.0), |s, x| s + x.cos());
        x.iter().enumerate().map(|(i, x)| c::<T>(10.0) - sum + (c::<T>(1.0) - x.cos()) * c(i as f64 + 1.0) - x.sin()).collect()
    }
    /// 27 with 10 variables
    BrownAlmostLinear<10>(x, T) {
        let sum = x.iter().fold(c::<T>(-11.0), |s, x| s + *x);
        let mut out: Vec<T> = x[..9].iter().map(|x| *x + sum).collect();
        out.push(x.iter().fold(c::<T>(1.0), |p, x| p * *x) - c(1.0));
        out
    }
    /// 28 with 10 variables
    DiscreteBoundaryValue<10>(x, T) {
        let h = 1.0 / 11.0;
        (0..10).map(|i| {
            let below = if i > 0 { x[i - 1] } else { c(0.0) };
            let above = if i < 9 { x[i + 1] } else { c(0.0) };
            c::<T>(2.0) * x[i] - below - above + (x[i] + c((i as f64 + 1.0) * h + 1.0)).powi(3) * c(0.5 * h * h)
        }).collect()
    }
    /// 29 with 10 variables
    DiscreteIntegral<10>(x, T) {
        let h = 1.0 / 11.0;
        let t = |j: usize| (j as f64 + 1.0) * h;
        let cube = |j: usize| (x[j] + c(t(j) + 1.0)).powi(3);
        (0..10).map(|i| {
            let below = (0..=i).fold(c::<T>(0.0), |s, j| s + cube(j) * c(t(j)));
            let above = (i + 1..10).fold(c::<T>(0.0), |s, j| s + cube(j) * c(1.0 - t(j)));
            x[i] + (below * c(1.0 - t(i)) + above * c(t(i))) * c(0.5 * h)
        }).collect()
    }
    /// 30 with 10 variables
    BroydenTridiagonal<10>(x, T) {
        (0..10).map(|i| {
            let below = if i > 0 { x[i - 1] } else { c(0.0) };
            let above = if i < 9 { x[i + 1] } else { c(0.0) };
            (c::<T>(3.0) - c::<T>(2.0) * x[i]) * x[i] - below - c::<T>(2.0) * above + c(1.0)
        }).collect()
    }
    /// 31 with 10 variables
    BroydenBanded<10>(x, T) {
        (0..10usize).map(|i| {
            let near = (i.saturating_sub(5)..=(i + 1).min(9)).filter(|j| *j != i);
            let sum = near.fold(c::<T>(0.0), |s, j| s + x[j] * (c::<T>(1.0) + x[j]));
            x[i] * (c::<T>(2.0) + c::<T>(5.0) * x[i] * x[i]) + c(1.0) - sum
        }).collect()
    }
    /// 32 with 5 variables, m = 10
    LinearFullRank<5>(x, T) {
        let sum = x.iter().fold(c::<T>(0.0), |s, x| s + *x) * c(0.2);
        (0..10).map(|i| if i < 5 { x[i] - sum - c(1.0) } else { -sum - c(1.0) }).collect()
    }
    /// 33 with 5 variables, m = 10
    LinearRankOne<5>(x, T) {
        let sum = x.iter().enumerate().fold(c::<T>(0.0), |s, (j, x)| s + *x * c(j as f64 + 1.0));
        (1..=10).map(|i| sum * c(f64::from(i)) - c(1.0)).collect()
    }
    /// 35 with 8 variables
    Chebyquad<8>(x, T) {
        (1..=8).map(|i| {
            let sum = x.iter().fold(c::<T>(0.0), |s, x| {
                let y = c::<T>(2.0) * *x - c(1.0);
                let (mut t0, mut t1) = (c::<T>(1.0), y);
                for _ in 1..i {
                    (t0, t1) = (t1, c::<T>(2.0) * y * t1 - t0);
                }
                s + t1
            });
            let integral = if i % 2 == 0 { -1.0 / (f64::from(i * i) - 1.0) } else { 0.0 };
            sum / c(8.0) - c(integral)
        }).collect()
    }
}
