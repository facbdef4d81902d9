//! NIST's certified nonlinear regression problems: <https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml>.
//!
//! The files in `tests/data/nist` are NIST's own (a work of the US government, public domain), as published; certified values have 11 digits.

use crate::functions::{Shows, SumOfSquares};
use crate::number::{Jet, Number};
use pullback_optim::{
    LevenbergMarquardt, Minimiser, Newton, Problem, Residuals, least_squares_covariance,
};

/// A data file.
struct Certified {
    starts: [Vec<f64>; 2],
    values: Vec<f64>,
    errors: Vec<f64>,
    sum_of_squares: f64,
    /// (y, x)
    data: Vec<(f64, f64)>,
}

fn parse(text: &str) -> Certified {
    let mut out = Certified {
        starts: [vec![], vec![]],
        values: vec![],
        errors: vec![],
        sum_of_squares: f64::NAN,
        data: vec![],
    };
    let number = |word: &str| word.parse::<f64>().unwrap();
    let mut in_data = false;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if in_data {
            if let [y, x] = words[..] {
                out.data.push((number(y), number(x)));
            }
        } else if let [name, "=", first, second, value, error] = words[..] {
            assert!(name.starts_with('b'));
            out.starts[0].push(number(first));
            out.starts[1].push(number(second));
            out.values.push(number(value));
            out.errors.push(number(error));
        } else if let ["Residual", "Sum", "of", "Squares:", value] = words[..] {
            out.sum_of_squares = number(value);
        } else if words == ["Data:", "y", "x"] {
            in_data = true;
        }
    }
    assert!(!out.data.is_empty() && !out.values.is_empty() && out.sum_of_squares > 0.0);
    out
}

/// A model y = φ(b, x).
trait Model<const N: usize> {
    fn model<T: Number>(b: &[T], x: f64) -> T;
}

struct Regression<'a, M, const N: usize> {
    data: &'a [(f64, f64)],
    model: std::marker::PhantomData<M>,
}

impl<M: Model<N>, const N: usize> Residuals for Regression<'_, M, N> {
    fn parameters(&self) -> usize {
        N
    }
    fn observations(&self) -> usize {
        self.data.len()
    }
    fn residuals(&mut self, b: &[f64], r: &mut [f64]) {
        for ((y, x), r) in self.data.iter().zip(r) {
            *r = M::model(b, *x) - y;
        }
    }
    fn jacobian(&mut self, b: &[f64], j: &mut [f64]) {
        let b: Vec<Jet<N>> = b
            .iter()
            .enumerate()
            .map(|(i, b)| Jet::variable(*b, i))
            .collect();
        for ((_, x), j) in self.data.iter().zip(j.chunks_exact_mut(N)) {
            j.copy_from_slice(&M::model(&b, *x).g);
        }
    }
}

impl<M: Model<N>, const N: usize> crate::functions::Residuals<N> for Regression<'_, M, N> {
    fn residuals<T: Number>(&self, b: &[T]) -> Vec<T> {
        self.data
            .iter()
            .map(|(y, x)| M::model(b, *x) - T::from(*y))
            .collect()
    }
}

fn c<T: Number>(x: f64) -> T {
    T::from(x)
}

macro_rules! models {
    ($($(#[$doc:meta])* $name:ident<$n:tt>($b:ident, $x:ident) $body:expr;)*) => {
        $(
            $(#[$doc])*
            struct $name;
            impl Model<$n> for $name {
                fn model<T: Number>($b: &[T], $x: f64) -> T { $body }
            }
        )*
    };
}

models! {
    /// Also BoxBOD.
    Misra1a<2>(b, x) b[0] * (c::<T>(1.0) - (-(b[1] * c(x))).exp());
    /// Also Thurber.
    Hahn1<7>(b, x) {
        let x = c::<T>(x);
        (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) / (c::<T>(1.0) + x * (b[4] + x * (b[5] + x * b[6])))
    };
    Kirby2<5>(b, x) {
        let x = c::<T>(x);
        (b[0] + x * (b[1] + x * b[2])) / (c::<T>(1.0) + x * (b[3] + x * b[4]))
    };
    Mgh09<4>(b, x) { let x = c::<T>(x); b[0] * (x * x + x * b[1]) / (x * x + x * b[2] + b[3]) };
    Mgh10<3>(b, x) b[0] * (b[1] / (c::<T>(x) + b[2])).exp();
    Mgh17<5>(b, x) b[0] + b[1] * (-(b[3] * c(x))).exp() + b[2] * (-(b[4] * c(x))).exp();
    Eckerle4<3>(b, x) { let t = (c::<T>(x) - b[2]) / b[1]; b[0] / b[1] * (c::<T>(-0.5) * t * t).exp() };
    Rat42<3>(b, x) b[0] / (c::<T>(1.0) + (b[1] - b[2] * c(x)).exp());
    Rat43<4>(b, x) b[0] * (-((c::<T>(1.0) + (b[1] - b[2] * c(x)).exp()).ln() / b[3])).exp();
    Bennett5<3>(b, x) b[0] * (-((b[1] + c(x)).ln() / b[2])).exp();
    Lanczos3<6>(b, x) (0..3).fold(c::<T>(0.0), |s, k| s + b[2 * k] * (-(b[2 * k + 1] * c(x))).exp());
    DanWood<2>(b, x) b[0] * (b[1] * c(x.ln())).exp();
    Chwirut2<3>(b, x) (-(b[0] * c(x))).exp() / (b[1] + b[2] * c(x));
    Roszman1<4>(b, x) b[0] - b[1] * c(x) - (b[2] / (c::<T>(x) - b[3])).atan() / c(std::f64::consts::PI);
    Gauss1<8>(b, x) {
        let peak = |h: T, m: T, w: T| { let t = (c::<T>(x) - m) / w; h * (-(t * t)).exp() };
        b[0] * (-(b[1] * c(x))).exp() + peak(b[2], b[3], b[4]) + peak(b[5], b[6], b[7])
    };
}

/// Digits on which a value agrees with a certified one (the LRE of NIST).
fn digits(value: f64, certified: f64) -> f64 {
    -((value - certified).abs() / certified.abs())
        .max(1e-16)
        .log10()
}

fn check<M: Model<N>, const N: usize>(name: &str, text: &str, failures: &mut Vec<String>) {
    let file = parse(text);
    assert_eq!(file.values.len(), N, "{name}");
    let mut target = Regression::<M, N> {
        data: &file.data,
        model: std::marker::PhantomData,
    };
    let variance = file.sum_of_squares / (file.data.len() - N) as f64;
    for (k, start) in file.starts.iter().enumerate() {
        let problem = Problem::new(start.clone());
        let fit = LevenbergMarquardt::default()
            .minimise(&mut target, &problem)
            .unwrap();
        // Eckerle4 depends on b₁/b₂ and b₂² only: (−b₁, −b₂, b₃) is as good.
        let sign = |x: f64| if name == "Eckerle4" { x.abs() } else { x };
        let worst = fit
            .x
            .iter()
            .zip(&file.values)
            .map(|(x, v)| digits(sign(*x), *v))
            .fold(17.0, f64::min);
        let square = digits(fit.value, file.sum_of_squares);
        let errors = least_squares_covariance(&mut target, &problem, &fit, variance)
            .map(|v| v.errors())
            .unwrap_or_default();
        let error = errors
            .iter()
            .zip(&file.errors)
            .map(|(x, v)| digits(*x, *v))
            .fold(17.0, f64::min);
        let line = format!(
            "{name} from start {}: {fit}; digits: parameters {worst:.1}, sum {square:.1}, errors {error:.1}",
            k + 1
        );
        println!("{line}");
        // Eleven digits are certified: the last one is rounded.
        if !fit.converged() || worst < 10.0 || square < 10.0 || error < 9.5 || errors.len() != N {
            failures.push(line);
        }
    }
}

macro_rules! all {
    ($($name:literal: $model:ty, $n:literal;)*) => {{
        let mut failures = Vec::new();
        $(check::<$model, $n>($name, include_str!(concat!("../data/nist/", $name, ".dat")), &mut failures);)*
        assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    }};
}

#[test]
fn levenberg_marquardt_reaches_the_certified_values_from_both_starts() {
    all! {
        "Misra1a": Misra1a, 2;
        "BoxBOD": Misra1a, 2;
        "Thurber": Hahn1, 7;
        "Hahn1": Hahn1, 7;
        "Kirby2": Kirby2, 5;
        "MGH09": Mgh09, 4;
        "MGH10": Mgh10, 3;
        "MGH17": Mgh17, 5;
        "Eckerle4": Eckerle4, 3;
        "Rat42": Rat42, 3;
        "Rat43": Rat43, 4;
        "Bennett5": Bennett5, 3;
        "Lanczos3": Lanczos3, 6;
        "DanWood": DanWood, 2;
        "Chwirut2": Chwirut2, 3;
        "Roszman1": Roszman1, 4;
        "Gauss1": Gauss1, 8;
    }
}

/// The same problems through the general minimiser with exact Hessian and Gauss-Newton fallback, from the nearer start.
#[test]
fn newton_reaches_the_certified_values() {
    fn fit<M: Model<N>, const N: usize>(name: &str, text: &str, failures: &mut Vec<String>) {
        let file = parse(text);
        let residuals = Regression::<M, N> {
            data: &file.data,
            model: std::marker::PhantomData,
        };
        let mut objective = SumOfSquares {
            residuals,
            shows: Shows::HessianAndCurvature,
        };
        let m = Newton::default()
            .minimise(&mut objective, &Problem::new(file.starts[1].clone()))
            .unwrap();
        let worst =
            m.x.iter()
                .zip(&file.values)
                .map(|(x, v)| digits(*x, *v))
                .fold(17.0, f64::min);
        let line = format!("{name}: {m}; {worst:.1} digits");
        println!("{line}");
        // The gradient squares the condition number of the Jacobian.
        if !m.converged() || worst < 7.0 {
            failures.push(line);
        }
    }
    let mut failures = Vec::new();
    macro_rules! each {
        ($($name:literal: $model:ty, $n:literal;)*) => {
            $(fit::<$model, $n>($name, include_str!(concat!("../data/nist/", $name, ".dat")), &mut failures);)*
        };
    }
    each! {
        "Misra1a": Misra1a, 2;
        "BoxBOD": Misra1a, 2;
        "Thurber": Hahn1, 7;
        "Hahn1": Hahn1, 7;
        "MGH09": Mgh09, 4;
        "Eckerle4": Eckerle4, 3;
        "Rat42": Rat42, 3;
        "Rat43": Rat43, 4;
        "Gauss1": Gauss1, 8;
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
