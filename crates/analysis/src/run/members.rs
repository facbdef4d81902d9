//! Vectors of weights: what the yields of all members say together.

use pullback_ad::Real;

use super::plan::Shift;
use super::result::{Bins, Filled, Results};
use crate::file::{Combine, Effect};

impl Combine {
    /// The variation up and down of each bin, from the nominal yields and those of the members.
    ///
    /// ```text
    /// envelope: max(n, x₁, ..), min(n, x₁, ..)
    /// hessian:  n ± √Σ (x_k − n)²
    /// rms:      n ± √(Σ (x_k − ⟨x⟩)²/(N − 1)),  ⟨x⟩ = Σ x_k/N
    /// ```
    ///
    /// # Differentiability
    /// The envelope belongs to the first of the largest and of the smallest; where all members agree, the derivative of a spread is that of the nominal yield.
    ///
    /// Reference: J. Butterworth et al., arXiv:1510.03865, equations (20) for Hessian members, (21) and (22) for replicas.
    pub(crate) fn apply<R: Real>(self, nominal: &[R], members: &[Vec<R>]) -> [Vec<R>; 2] {
        let zero = R::constant(0.0);
        let spread = |bin: usize, around: R, divisor: f64| {
            let squares = members.iter().map(|x| (x[bin] - around).square());
            let sum = squares.fold(zero, |a, b| a + b) * (1.0 / divisor);
            // The root has no derivative at zero.
            let some = sum.gt(zero);
            R::select(some, R::select(some, sum, R::constant(1.0)).sqrt(), zero)
        };
        let each = nominal.iter().enumerate().map(|(bin, n)| match self {
            Self::Envelope => members.iter().fold([*n, *n], |[most, least], x| {
                let x = x[bin];
                [
                    R::select(x.gt(most), x, most),
                    R::select(x.lt(least), x, least),
                ]
            }),
            Self::Hessian => {
                let d = spread(bin, *n, 1.0);
                [*n + d, *n - d]
            }
            Self::Rms => {
                let number = members.len() as f64;
                let sum = members.iter().fold(zero, |a, x| a + x[bin]);
                let d = spread(bin, sum * (1.0 / number), number - 1.0);
                [*n + d, *n - d]
            }
        });
        let (up, down) = each.map(|[up, down]| (up, down)).unzip();
        [up, down]
    }
}

impl Filled {
    /// Adds to a variation of the process at `process.0` of `process.1`.
    pub(super) fn vary(
        &mut self,
        (systematic, shift): (usize, Shift),
        (process, of): (usize, usize),
        found: &Bins,
    ) {
        let mut all = self.variations.iter();
        let place = all.position(|(s, d, _)| (*s, *d) == (systematic, shift));
        let place = place.unwrap_or_else(|| {
            self.variations.push((systematic, shift, vec![None; of]));
            self.variations.len() - 1
        });
        self.variations[place].2[process]
            .get_or_insert_with(|| Bins::zeros(found.sums.len()))
            .add(found);
    }

    /// Adds the bins of a member of a vector, of the process at `process.0` of `process.1`.
    pub(super) fn add_member(
        &mut self,
        (systematic, member): (usize, usize),
        (process, of): (usize, usize),
        found: &Bins,
    ) {
        let mut all = self.members.iter();
        let place = all.position(|(s, m, _)| (*s, *m) == (systematic, member));
        let place = place.unwrap_or_else(|| {
            self.members.push((systematic, member, vec![None; of]));
            self.members.len() - 1
        });
        self.members[place].2[process]
            .get_or_insert_with(|| Bins::zeros(found.sums.len()))
            .add(found);
    }
}

impl Results {
    /// Makes variations of the members of vectors, which needs the sums of all data sets.
    ///
    /// Both sides of what an estimate subtracts change places: more of it is less of the estimate, but a spread has no sign.
    pub(crate) fn combine(&mut self) {
        let processes = self.processes.len();
        for (s, systematic) in self.file.systematics.iter().enumerate() {
            let Effect::Members { combine, .. } = systematic.effect else {
                continue;
            };
            for filled in &mut self.histograms {
                let mut varied = [vec![None; processes], vec![None; processes]];
                for p in 0..processes {
                    let of = filled.members.iter().filter(|(k, ..)| *k == s);
                    let members: Vec<Vec<f64>> = of
                        .filter_map(|(.., bins)| Some(bins[p].as_ref()?.sums.clone()))
                        .collect();
                    if members.is_empty() {
                        continue;
                    }
                    let mut found = combine.apply(&filled.nominal[p].sums, &members);
                    if self.file.is_subtracted(systematic, &self.processes[p]) {
                        found.reverse();
                    }
                    for (into, sums) in varied.iter_mut().zip(found) {
                        into[p] = Some(Bins {
                            sums,
                            ..Bins::zeros(filled.nominal[p].sums.len())
                        });
                    }
                }
                for (shift, bins) in [Shift::Up, Shift::Down].into_iter().zip(varied) {
                    if bins.iter().any(Option::is_some) {
                        filled.variations.push((s, shift, bins));
                    }
                }
            }
        }
    }
}
