//! Smoothing of variations, whose shapes fluctuate where few simulated events are.

use pullback_ad::Real;

/// A variation whose relative change is smoothed, at its own yield.
///
/// ```text
/// r = varied/nominal,   v' = nominal · S(r),   v = v' · Σ varied/Σ v'
/// ```
///
/// S is 353QH, twice: running medians of three, five and three; parabolas over flat segments that are peaks or valleys; running means with weights ¼, ½, ¼; and the
/// same for what is left over. Fewer than three bins stay as they are; a bin without nominal yield has r = 1, and keeps what it has.
///
/// # Differentiability
/// Medians choose: the derivative is that of what was chosen, undefined where bins tie.
///
/// Reference: J. Friedman, "Data analysis techniques for high energy physics", CERN 74-23 (1974), 271, page 292, after J. Tukey; as `TH1::SmoothArray` of ROOT has it (which sets what
/// comes out negative to zero).
pub(crate) fn smoothed<R: Real>(nominal: &[R], varied: &[R]) -> Vec<R> {
    if nominal.len() < 3 {
        return varied.to_vec();
    }
    let (zero, one) = (R::constant(0.0), R::constant(1.0));
    let some = |n: R| n.gt(zero);
    let pairs = || nominal.iter().zip(varied);
    let ratios: Vec<R> = pairs()
        .map(|(n, v)| R::select(some(*n), *v / R::select(some(*n), *n, one), one))
        .collect();
    let smooth = twice(&ratios);
    let made: Vec<R> = (pairs().zip(&smooth))
        .map(|((n, v), r)| R::select(some(*n), *n * *r, *v))
        .collect();
    let sum = |v: &[R]| v.iter().fold(zero, |a, x| a + *x);
    let total = sum(&made);
    let factor = sum(varied) / R::select(total.eq(zero), one, total);
    let factor = R::select(total.eq(zero), one, factor);
    made.into_iter().map(|v| v * factor).collect()
}

/// 353QH of a list of at least three, and of what it leaves over.
fn twice<R: Real>(x: &[R]) -> Vec<R> {
    let first = once(x);
    let rest: Vec<R> = x.iter().zip(&first).map(|(x, s)| *x - *s).collect();
    let rest = once(&rest);
    first.iter().zip(&rest).map(|(a, b)| *a + *b).collect()
}

fn median3<R: Real>(a: R, b: R, c: R) -> R {
    a.min(b).max(a.max(b).min(c))
}

fn median5<R: Real>([a, b, c, d, e]: [R; 5]) -> R {
    // The smallest of two and the largest of two are not in the middle.
    let low = a.min(b).max(c.min(d));
    let high = a.max(b).min(c.max(d));
    median3(low, high, e)
}

fn once<R: Real>(x: &[R]) -> Vec<R> {
    hanned(&parabolas(&medians(x)))
}

/// Running medians of three, five, three. The first points of the first pass look at the line through the next two.
fn medians<R: Real>(x: &[R]) -> Vec<R> {
    let last = x.len() - 1;
    let three = |x: &[R]| {
        let mut out = x.to_vec();
        for k in 1..last {
            out[k] = median3(x[k - 1], x[k], x[k + 1]);
        }
        out
    };
    let mut z = three(x);
    let line = |a: R, b: R| a * 3.0 - b * 2.0;
    let ends = [line(z[1], z[2]), line(z[last - 1], z[last - 2])];
    z[0] = median3(z[1], x[0], ends[0]);
    z[last] = median3(z[last - 1], x[last], ends[1]);
    let y = z.clone();
    for k in 2..last.saturating_sub(1) {
        z[k] = median5([y[k - 2], y[k - 1], y[k], y[k + 1], y[k + 2]]);
    }
    z[1] = median3(y[0], y[1], y[2]);
    z[last - 1] = median3(y[last - 2], y[last - 1], y[last]);
    three(&z)
}

/// Parabolas through three equal points whose neighbours lie on one side of them, with the nearer neighbour.
fn parabolas<R: Real>(z: &[R]) -> Vec<R> {
    let mut y = z.to_vec();
    for k in 2..z.len().saturating_sub(2) {
        let (left, right) = (z[k - 2] - z[k], z[k + 2] - z[k]);
        let flat = z[k - 1].eq(z[k]) & z[k].eq(z[k + 1]) & (left * right).gt(R::constant(0.0));
        let backwards = right.abs().gt(left.abs());
        let parabola = |far: R, near: R| {
            [
                far * -0.5 + z[k] / 0.75 + near * (1.0 / 6.0),
                (near - far) * 0.5 + z[k],
            ]
        };
        let ahead = parabola(z[k - 2], z[k + 2]);
        let back = parabola(z[k + 2], z[k - 2]);
        y[k] = R::select(flat, R::select(backwards, back[0], ahead[0]), y[k]);
        y[k - 1] = R::select(flat & backwards, back[1], y[k - 1]);
        y[k + 1] = R::select(flat & !backwards, ahead[1], y[k + 1]);
    }
    y
}

/// Running means.
fn hanned<R: Real>(y: &[R]) -> Vec<R> {
    let mut z = y.to_vec();
    for k in 1..y.len() - 1 {
        z[k] = y[k - 1] * 0.25 + y[k] * 0.5 + y[k + 1] * 0.25;
    }
    z
}

#[cfg(test)]
mod tests {
    use pullback_ad::{Complex, Dual, Real};

    use super::{smoothed, twice};

    /// Of random lists it makes what cabinetry makes (`scripts/make_smoothed.py`).
    #[test]
    fn lists_are_smoothed_as_by_cabinetry() {
        let text = include_str!("../../tests/data/smoothed.json");
        let cases: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let numbers = |v: &serde_json::Value| -> Vec<f64> {
            let list = v.as_array().expect("a list").iter();
            list.map(|x| x.as_f64().expect("a number")).collect()
        };
        let cases = cases.as_array().expect("a list");
        assert_eq!(cases.len(), 48);
        for case in cases {
            let (from, to) = (numbers(&case["from"]), numbers(&case["to"]));
            for (a, b) in twice(&from).iter().zip(&to) {
                assert!((a - b).abs() < 1e-14, "{from:?}: {a} {b}");
            }
        }
    }

    /// The yield stays, a constant change stays, and so do bins without events; the derivative is that of the complex step.
    #[test]
    fn yields_stay_and_derivatives_are_exact() {
        let nominal = [10.0, 20.0, 0.0, 40.0, 35.0, 20.0, 5.0];
        let scaled = nominal.map(|n| 1.1 * n);
        for (a, b) in smoothed(&nominal, &scaled).iter().zip(scaled) {
            assert!((a - b).abs() < 1e-13);
        }
        let varied = [11.0, 27.0, 3.0, 41.0, 33.0, 26.0, 4.0];
        let made = smoothed(&nominal, &varied);
        let sum = |v: &[f64]| v.iter().sum::<f64>();
        assert!((sum(&made) - sum(&varied)).abs() < 1e-12);
        assert!(made.iter().zip(varied).any(|(a, b)| (a - b).abs() > 0.5));
        assert_eq!(smoothed(&nominal[..2], &varied[..2]), varied[..2]);
        for moved in 0..7 {
            let n = nominal.map(Dual::<f64, 1>::constant);
            let mut v = varied.map(Dual::<f64, 1>::constant);
            v[moved] = Dual::variable(varied[moved], 0);
            let dual = smoothed(&n, &v);
            let n = nominal.map(Complex::constant);
            let mut v = varied.map(Complex::constant);
            v[moved].im = 1e-30;
            for (a, b) in dual.iter().zip(smoothed(&n, &v)) {
                assert!((a.eps[0] - b.im / 1e-30).abs() < 1e-13);
                assert!((a.re - b.re).abs() < 1e-13);
            }
        }
    }
}
