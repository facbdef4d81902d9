//! Counting formulas: the sensitivity of bins with S expected signal and B expected background events, without a fit.
//!
//! ```text
//! Asimov            q = 2 [(s + b) ln(1 + s/b) − s]                                                    z = √Σ q
//! Asimov, b ± σ     q = 2 [(s + b) ln((s + b)(b + σ²)/(b² + (s + b)σ²)) − b²/σ² ln(1 + σ²s/(b(b + σ²)))]
//! S/√B, S/√(S+B)    q = s²/b, s²/(s + b)
//! ```
//!
//! All are generic over [`Real`]: numbers, dual numbers, jets, and columns of bins that are recorded. A bin gives a [`Term`], [`sum`] adds terms of bins up and
//! [`significance`] takes the root afterwards, so that z² is smooth in every bin; [`evaluate`] does all three for plain numbers and refuses what makes no sense.
//!
//! Shape: one bin per call; an operand over many bins gives many terms.
//!
//! Differentiability: everywhere where b > 0 and s + b > 0. Where s = 0 in *all* bins z is a norm at its origin, which has no derivative: the value is 0 and
//! so is the derivative that comes back, the shortest of its subgradients (one bin alone has the one-sided slope 1/√b). A bin with b ≤ 0 or s + b < 0 adds
//! nothing to q; what makes it illegal is in [`Term::violation`], with derivatives.
//!
//! Reference: G. Cowan, K. Cranmer, E. Gross & O. Vitells, Eur. Phys. J. C 71 (2011) 1554, eq. 97; with the uncertainty of the background G. Cowan,
//! "Discovery sensitivity for a counting experiment with background uncertainty" (2012), eq. 20.

use pullback_ad::Real;

use crate::error::{Error, Result};

/// What a bin adds to z², and how far it is from being legal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term<R> {
    /// Its part of z².
    pub q: R,
    /// Zero for a legal bin. With no background, the signal that nothing stands against plus what b is below zero; with fewer than no events expected, how many
    /// fewer. A constraint `violation ≤ 0` of an optimisation, in events.
    pub violation: R,
}

/// A formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Formula {
    /// The median discovery significance on Asimov data.
    #[default]
    Asimov,
    /// S/√B.
    SignalOverRootBackground,
    /// S/√(S+B).
    SignalOverRootTotal,
}

/// P(t²) = Σ t²ᵏ/(2k + 3), from artanh t = t + t³P(t²); enough terms for |t| ≤ 1/4 and six derivatives.
fn artanh_rest<R: Real>(t: R) -> R {
    let u = t.square();
    (0..20).rev().fold(R::constant(0.0), |sum, k| {
        sum * u + 1.0 / f64::from(2 * k + 3)
    })
}

/// Where the series in t = y/(2 + y) serve.
fn near_zero<R: Real>(y: R) -> R::Mask {
    y.gt(R::constant(-0.4)) & y.lt(R::constant(0.6))
}

/// ((1 + y) ln(1 + y) − y)/y², ½ at 0, 1 at −1.
///
/// With t = y/(2 + y): ln(1 + y) = 2 artanh t, and what remains has no difference of near numbers, (1 − t)(1 + (1 + t) t P)/2.
fn g<R: Real>(y: R) -> R {
    let near = near_zero(y);
    let zero = R::constant(0.0);
    let small = R::select(near, y, zero);
    let t = small / (small + 2.0);
    let series = (-t + 1.0) * ((t + 1.0) * t * artanh_rest(t) + 1.0) * 0.5;
    let large = R::select(near, R::constant(1.0), y);
    let total = large + 1.0;
    R::select(near, series, (total.xlogy(total) - large) / large.square())
}

/// (y − ln(1 + y))/y², ½ at 0.
pub(super) fn m<R: Real>(y: R) -> R {
    let near = near_zero(y);
    let zero = R::constant(0.0);
    let small = R::select(near, y, zero);
    let t = small / (small + 2.0);
    let rest = -t + 1.0;
    let series = rest * (-(t * rest * artanh_rest(t)) + 1.0) * 0.5;
    let large = R::select(near, R::constant(1.0), y);
    R::select(near, series, (large - large.ln_1p()) / large.square())
}

/// The bin with its illegal values replaced by harmless ones, the mask of legality, and the violation.
fn legal<R: Real>(signal: R, background: R) -> (R, R, R::Mask, R) {
    let zero = R::constant(0.0);
    let (total, some) = (signal + background, background.gt(zero));
    let ok = some & total.ge(zero);
    let bare = R::select(signal.gt(zero), signal, zero) - background;
    let violation = R::select(ok, zero, R::select(some, -total, bare));
    let background = R::select(ok, background, R::constant(1.0));
    (R::select(ok, signal, zero), background, ok, violation)
}

impl Formula {
    /// The term of a bin.
    ///
    /// The relative error of q is below 1e-14, also where s is many orders of magnitude below b.
    ///
    /// ```
    /// use pullback_stats::objective::counting::Formula;
    /// let term = Formula::Asimov.term(10.0_f64, 100.0);
    /// assert!((term.q - 2.0 * (110.0 * 1.1_f64.ln() - 10.0)).abs() < 1e-13);
    /// assert_eq!(Formula::Asimov.term(3.0, 0.0).violation, 3.0);
    /// ```
    pub fn term<R: Real>(self, signal: R, background: R) -> Term<R> {
        let (s, b, ok, violation) = legal(signal, background);
        let zero = R::constant(0.0);
        let q = match self {
            Self::Asimov => s.square() / b * g(s / b) * 2.0,
            Self::SignalOverRootBackground => s.square() / b,
            Self::SignalOverRootTotal => {
                let total = s + b;
                let some = total.gt(zero);
                R::select(
                    some,
                    s.square() / R::select(some, total, R::constant(1.0)),
                    zero,
                )
            }
        };
        Term {
            q: R::select(ok, q, zero),
            violation,
        }
    }
}

/// The term of a bin whose background is known to ± σ, independently of the other bins.
///
/// With x = s/b, ρ = σ²/(b + σ²) and h(y) = (1 + y) ln(1 + y) − y the formula is q = 2b [h(x) − h(ρx)/ρ]: no quotient by σ is left, and σ = 0 gives
/// [`Formula::Asimov`] to the bit. The relative error of q is below 1e-14 where s ≥ −0.4 b, for any σ; below that and with σ² far above b,
/// differences of near numbers cost lg(σ²/b) digits.
///
/// ```
/// use pullback_stats::objective::counting::{Formula, with_uncertainty};
/// let (exact, certain) = (with_uncertainty(10.0_f64, 100.0, 5.0), Formula::Asimov.term(10.0_f64, 100.0));
/// assert!((exact.q.sqrt() - 0.877_2).abs() < 1e-4);
/// assert_eq!(with_uncertainty(10.0, 100.0, 0.0), certain);
/// ```
///
/// Reference: G. Cowan, "Discovery sensitivity for a counting experiment with background uncertainty" (2012), eq. 20.
pub fn with_uncertainty<R: Real>(signal: R, background: R, sigma: R) -> Term<R> {
    let (s, b, ok, violation) = legal(signal, background);
    let (zero, one) = (R::constant(0.0), R::constant(1.0));
    let variance = sigma.square();
    let x = s / b;
    let (rho, delta) = (variance / (b + variance), b / (b + variance));
    let certain = rho.lt(R::constant(0.5));
    let many = x.gt(one);
    // h(x) − h(ρx)/ρ = x² [g(x) − ρ g(ρx)], where little is uncertain.
    let little = g(x) - rho * g(rho * x);
    // δ/ρ x² [m(x) − δ/(1 + x) g(−w)] with 1 + ρx = (1 + x)(1 − w), δ = 1 − ρ, where much is.
    let divisor = R::select(certain, one, rho);
    let total = x + 1.0;
    let empty = total.gt(zero);
    let safe = R::select(empty, total, one);
    let inner = R::select(empty & x.gt(R::constant(-0.4)), x, zero);
    let much = delta / divisor * (m(inner) - delta / safe * g(-(delta * inner / safe)));
    // (1 + x) ln((1 + x)/(1 + ρx)) − δ/ρ ln(1 + ρx), where the signal is large: nothing cancels.
    let y = R::select(many, rho * x, zero);
    let some = y.gt(zero);
    let slope = R::select(some, y.ln_1p() / R::select(some, y, one), one);
    let far = R::select(many, x, one);
    let large =
        ((far + 1.0) * (delta * far / (y + 1.0)).ln_1p() - delta * far * slope) / far.square();
    let near = R::select(certain | x.le(R::constant(-0.4)), little, much);
    // Without uncertainty the plain formula, to the bit.
    let none = variance.gt(zero);
    let factor = R::select(none, R::select(many, large, near), g(x));
    Term {
        q: R::select(ok, s.square() / b * factor * 2.0, zero),
        violation,
    }
}

/// The sum of terms.
pub fn sum<R: Real>(terms: impl IntoIterator<Item = Term<R>>) -> Term<R> {
    let zero = R::constant(0.0);
    let start = Term {
        q: zero,
        violation: zero,
    };
    terms.into_iter().fold(start, |a, t| Term {
        q: a.q + t.q,
        violation: a.violation + t.violation,
    })
}

/// z = √q; 0 with derivative 0 where q is zero.
///
/// ```
/// use pullback_ad::Dual;
/// use pullback_stats::objective::counting::significance;
/// let z = significance(Dual::<f64, 1>::variable(4.0, 0));
/// assert_eq!((z.re, z.eps[0]), (2.0, 0.25));
/// assert_eq!(significance(Dual::<f64, 1>::variable(0.0, 0)).eps[0], 0.0);
/// ```
pub fn significance<R: Real>(q: R) -> R {
    let zero = R::constant(0.0);
    let some = q.gt(zero);
    R::select(some, R::select(some, q, R::constant(1.0)).sqrt(), zero)
}

/// z of many bins; `sigma` holds uncertainties of the background (with [`Formula::Asimov`] only), or nothing.
///
/// # Errors
/// [`Error::Counting`] for a bin with signal and no background, a background below zero, fewer than no events expected, or a number that is not finite; lists
/// of different lengths.
///
/// ```
/// use pullback_stats::objective::counting::{Formula, evaluate};
/// let z = evaluate(Formula::Asimov, &[3.0, 0.0], &[10.0, 0.0], &[])?;
/// assert!((z - 0.906_4).abs() < 1e-4);
/// let error = evaluate(Formula::Asimov, &[3.0], &[0.0], &[]).unwrap_err();
/// assert_eq!(error.code(), "PB0355");
/// # Ok::<(), pullback_stats::Error>(())
/// ```
pub fn evaluate(
    formula: Formula,
    signal: &[f64],
    background: &[f64],
    sigma: &[f64],
) -> Result<f64> {
    let bins = signal.len();
    let lists = [
        ("background yields", background.len()),
        (
            "uncertainties of the background",
            if sigma.is_empty() { bins } else { sigma.len() },
        ),
    ];
    for (what, found) in lists {
        if found != bins {
            return Err(Error::Size {
                what,
                found,
                expected: bins,
            });
        }
    }
    let mut terms = Vec::with_capacity(bins);
    for (bin, (&signal, &background)) in signal.iter().zip(background).enumerate() {
        let sigma = sigma.get(bin).copied();
        let refuse = |reason| Error::Counting {
            bin,
            signal,
            background,
            reason,
        };
        if ![signal, background, sigma.unwrap_or(0.0)]
            .iter()
            .all(|v| v.is_finite())
        {
            return Err(refuse("a number is not finite"));
        }
        if sigma.is_some() && formula != Formula::Asimov {
            return Err(refuse(
                "only the Asimov formula knows an uncertainty of the background",
            ));
        }
        let term = match sigma {
            Some(sigma) => with_uncertainty(signal, background, sigma),
            None => formula.term(signal, background),
        };
        if term.violation > 0.0 {
            return Err(refuse(if background < 0.0 {
                "the background is negative"
            } else if background == 0.0 {
                "there is signal without background"
            } else {
                "fewer than no events are expected"
            }));
        }
        terms.push(term);
    }
    Ok(significance(sum(terms).q))
}
