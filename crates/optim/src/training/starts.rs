//! Several starts.

use crate::{Minimiser, Minimum, Objective, OptimError, Problem};

/// The first primes: bases of the Halton sequence.
const PRIMES: [u32; 32] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131,
];

/// φ_b(k): the digits of k in base b, mirrored at the point.
fn radical_inverse(mut k: usize, base: u32) -> f64 {
    let base = base as usize;
    let (mut out, mut weight) = (0.0, 1.0 / base as f64);
    while k > 0 {
        out += (k % base) as f64 * weight;
        k /= base;
        weight /= base as f64;
    }
    out
}

/// `count` starts: the problem's own, then points of a Halton sequence inside the bounds. Parameters that are fixed or have an infinite bound keep their start.
///
/// The points are the same on every run and every machine. With more than 32 parameters bases are used again in turn with shifted indices, which leaves the
/// points legal but less even.
///
/// ```
/// use pullback_optim::{Problem, training::spread_starts};
/// let problem = Problem::new(vec![0.9, 7.0]).with_bounds(0, 0.0, 1.0);
/// assert_eq!(spread_starts(&problem, 3), [[0.9, 7.0], [0.5, 7.0], [0.25, 7.0]]);
/// ```
///
/// Reference: J. Halton, Numer. Math. 2 (1960) 84.
pub fn spread_starts(problem: &Problem, count: usize) -> Vec<Vec<f64>> {
    (0..count)
        .map(|k| {
            let mut x = problem.start.clone();
            if k == 0 {
                return x;
            }
            let mut used = 0;
            for (i, x) in x.iter_mut().enumerate() {
                let (lower, upper) = (problem.lower[i], problem.upper[i]);
                if problem.movable(i) && (upper - lower).is_finite() {
                    let (turn, base) = (used / PRIMES.len(), PRIMES[used % PRIMES.len()]);
                    *x = lower + (upper - lower) * radical_inverse(k + 7919 * turn, base);
                    used += 1;
                }
            }
            x
        })
        .collect()
}

/// What came of a start.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// The start.
    pub start: Vec<f64>,
    /// The end, or why there is none (a start outside the domain of the function).
    pub end: Result<Minimum, OptimError>,
}

/// Minimises from each start; the attempts are sorted, converged minima first and then by value.
///
/// # Errors
/// [`OptimError::NoStart`] where no start led anywhere; what the problem itself is refused for.
pub fn minimise_from(
    minimiser: &mut dyn Minimiser,
    objective: &mut dyn Objective,
    problem: &Problem,
    starts: &[Vec<f64>],
) -> Result<Vec<Attempt>, OptimError> {
    problem.check(objective.dim())?;
    let mut attempts = Vec::with_capacity(starts.len());
    for start in starts {
        let problem = Problem {
            start: start.clone(),
            ..problem.clone()
        };
        attempts.push(Attempt {
            end: minimiser.minimise(objective, &problem),
            start: start.clone(),
        });
    }
    let rank = |a: &Attempt| match &a.end {
        Ok(m) if m.converged() => (0, m.value),
        Ok(m) => (1, m.value),
        Err(_) => (2, 0.0),
    };
    attempts.sort_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    match attempts.first() {
        Some(Attempt { end: Ok(_), .. }) => Ok(attempts),
        _ => Err(OptimError::NoStart {
            starts: starts.len(),
        }),
    }
}
