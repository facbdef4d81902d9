#!/usr/bin/env python3
"""Minimax polynomials of the elementary and special functions in `src/math`.

    pip install mpmath gmpy2          # gmpy2 is optional: it only makes mpmath faster
    python3 crates/ad/scripts/minimax.py [name ...]

For each fit, the Remez exchange algorithm finds the polynomial p of given degree that minimises
max |w(x) (f(x) - p(x))| on [a, b] (E. W. Cheney, "Introduction to Approximation Theory", 1966, chapter 3).
It prints the coefficients, rounded to f64, from the constant up, as a Rust constant, and the error reached
*with the rounded coefficients*, in units of 2^-53 (what matters beside the rounding errors of the evaluation).
"""

import sys
from typing import Any

import mpmath as mp

mp.mp.dps = 60


def solve(f, w, nodes, n):
    """p and E with w(x_i) (f(x_i) - p(x_i)) = (-1)^i E at n + 2 nodes."""
    m = n + 2
    a = mp.matrix(m, m)
    b = mp.matrix(m, 1)
    for i, x in enumerate(nodes):
        power = mp.mpf(1)
        for j in range(n + 1):
            a[i, j] = power
            power *= x
        a[i, n + 1] = (-1) ** i / w(x)
        b[i] = f(x)
    s = mp.lu_solve(a, b)
    return [s[j] for j in range(n + 1)], s[n + 1]


def horner(c, x):
    r = mp.mpf(0)
    for v in reversed(c):
        r = r * x + v
    return r


def remez(f, a, b, n, w, rounds=12):
    a, b = mp.mpf(a), mp.mpf(b)
    nodes = [(a + b) / 2 - (b - a) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * (n + 2))) for i in range(n + 2)]
    grid = [(a + b) / 2 - (b - a) / 2 * mp.cos(mp.pi * i / (24 * (n + 2))) for i in range(24 * (n + 2) + 1)]
    fg = [f(x) for x in grid]
    wg = [w(x) for x in grid]
    for _ in range(rounds):
        c, e = solve(f, w, nodes, n)
        err = [wv * (fv - horner(c, x)) for x, fv, wv in zip(grid, fg, wg)]
        picks: list[int] = []
        for i, v in enumerate(err):
            if picks and (v > 0) == (err[picks[-1]] > 0):
                if abs(v) > abs(err[picks[-1]]):
                    picks[-1] = i
            else:
                picks.append(i)
        while len(picks) > n + 2:
            picks.pop(0 if abs(err[picks[0]]) < abs(err[picks[-1]]) else -1)
        if len(picks) < n + 2:
            break
        worst = max(abs(v) for v in err)
        nodes = [grid[i] for i in picks]
        if worst < abs(e) * mp.mpf("1.0005"):
            break
    return c


def report(name, f, a, b, n, w, hi=0):
    """Fit, round, print. The first `hi` coefficients are printed as hi + lo pairs."""
    c = remez(f, a, b, n, w)
    rounded = []
    lows = []
    for i, v in enumerate(c):
        h = mp.mpf(float(v))
        rounded.append(h)
        if i < hi:
            lows.append(float(v - h))
            rounded[-1] = h + mp.mpf(lows[-1])
    worst = mp.mpf(0)
    for i in range(2001):
        x = mp.mpf(a) + (mp.mpf(b) - mp.mpf(a)) * i / 2000
        worst = max(worst, abs(w(x) * (f(x) - horner(rounded, x))))
    print(f"/// Minimax, degree {n}, weighted error {float(worst * 2**53):.2g} × 2⁻⁵³ (`scripts/minimax.py {name}`).")
    print(f"const {name.upper()}: [f64; {n + 1}] = [")
    for v in c:
        print(f"    {float(v)!r},")
    print("];")
    if hi:
        print(f"const {name.upper()}_LO: [f64; {hi}] = {lows!r};")
    sys.stdout.flush()


def guard(f, x0=0):
    """f with its removable singularity at x0 replaced by a point nearby (60 digits leave room)."""
    eps = mp.mpf(10) ** -16
    return lambda x: f(x) if abs(x - x0) > eps else f(mp.mpf(x0) + eps)


FITS: dict[str, Any] = {}


def fit(name, f, a, b, n, w, hi=0):
    FITS[name] = lambda: report(name, f, a, b, n, w, hi)


LN2 = mp.log(2)
# exp(r) = 1 + r + r² P(r), |r| <= ln 2 / 2; relative error of exp.
fit(
    "exp_p",
    guard(lambda r: (mp.expm1(r) - r) / r**2),
    "-0.3467",
    "0.3467",
    9,
    lambda r: r**2 / mp.exp(r) + mp.mpf("1e-40"),
)
# exp(r) = 1 + r + r²/2 + r³ P(r): relative error of expm1.
fit(
    "expm1_p",
    guard(lambda r: (mp.expm1(r) - r - r**2 / 2) / r**3),
    "-0.3467",
    "0.3467",
    9,
    lambda r: r**2 + mp.mpf("1e-40"),
)
# ln((1+s)/(1-s)) = 2 s + s z P(z), z = s², s <= 3 - 2√2; relative error of ln.
fit(
    "ln_p",
    guard(lambda z: (2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 2) / z),
    "0",
    "0.029438",
    6,
    lambda z: z / 2 + mp.mpf("1e-40"),
)


def odd(f, k=1):
    """(f(x)/x - the first k Taylor terms)/z^k as a function of z = x², for odd f given as f(x)/x and its Taylor coefficients."""
    g, taylor = f
    return guard(lambda z: (g(mp.sqrt(z)) - sum(t * z**i for i, t in enumerate(taylor[:k]))) / z**k)


def Q(n, d):
    return mp.mpf(n) / d


TINY = mp.mpf("1e-40")
# sin r = r + r z P(z), cos r = 1 - z/2 + z² P(z), z = r² <= (π/4)² (a little more: the quotient is rounded).
fit("sin_p", odd((lambda x: mp.sin(x) / x, [1])), "0", "0.617", 5, lambda z: z / mp.sinc(mp.sqrt(z)) + TINY)
fit("cos_p", odd((mp.cos, [1, Q(-1, 2)]), 2), "0", "0.617", 5, lambda z: z**2 / mp.cos(mp.sqrt(z)) + TINY)
# sinh r = r + r z P(z), cosh r = 1 + z/2 + z² P(z), |r| <= ln 2 / 2.
fit("sinh_p", odd((lambda x: mp.sinh(x) / x, [1])), "0", "0.1203", 4, lambda z: z + TINY)
fit("cosh_p", odd((mp.cosh, [1, Q(1, 2)]), 2), "0", "0.1203", 4, lambda z: z**2 + TINY)
# atan t = t + t z P(z), |t| <= tan(π/8).
fit("atan_p", odd((lambda x: mp.atan(x) / x, [1])), "0", "0.17158", 11, lambda z: z + TINY)
# asin s = s + s z P(z), |s| <= 1/2.
fit("asin_p", odd((lambda x: mp.asin(x) / x, [1])), "0", "0.25", 12, lambda z: z + TINY)
# m^(1/3), a first guess for m in [√2/4, 2√2].
fit("cbrt_p", mp.cbrt, "0.3535", "2.8285", 5, lambda m: 1 / mp.cbrt(m))
# artanh(s)/s = 1 + z/3 + z² P(z), z = s², s <= 3 - 2√2; relative error of the logarithm.
fit("log_q", odd((lambda x: mp.atanh(x) / x, [1, Q(1, 3)]), 2), "0", "0.029438", 7, lambda z: z**2 + TINY)
# erf x = x + x P(x²), |x| <= 0.625.
fit(
    "erf_p",
    guard(lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1),
    "0",
    "0.390625",
    10,
    lambda z: 1 if z == 0 else mp.sqrt(z) / mp.erf(mp.sqrt(z)),
)


def erfcx(a):
    if a > 1000:
        w = 1 / (2 * a * a)
        return (1 - w + 3 * w**2 - 15 * w**3 + 105 * w**4 - 945 * w**5) / (a * mp.sqrt(mp.pi))
    return mp.exp(a * a) * mp.erfc(a)


def erfcx_scaled(q, k=3):
    """(1 + 2a) erfcx(a), a = k (1 + q)/(1 - q)."""
    if q == 1:
        return 2 / mp.sqrt(mp.pi)
    a = k * (1 + q) / (1 - q)
    return (1 + 2 * a) * erfcx(a)


# (1 + 2a) exp(a²) erfc(a) = P(q), q = (a - 3)/(a + 3), a >= 0 (Shepherd and Laframboise 1981).
fit("erfcx_p", erfcx_scaled, "-1", "1", 24, lambda q: 1 / erfcx_scaled(q), hi=1)
# dP/dq, roughly: what the rounding of q is corrected with.
fit("erfcx_slope", lambda q: mp.diff(erfcx_scaled, q), "-0.999", "0.999", 4, lambda q: 1)

ROOT = mp.findroot(mp.digamma, mp.mpf("1.4616"))
# ψ(x) = (x - x0) P(x - 3/2), 1 <= x <= 2, x0 the positive zero.
fit(
    "digamma_p",
    guard(lambda t: mp.digamma(t + mp.mpf("1.5")) / (t + mp.mpf("1.5") - ROOT), ROOT - mp.mpf("1.5")),
    "-0.5",
    "0.5",
    22,
    lambda t: 1,
    hi=1,
)

if __name__ == "__main__":
    for key in sys.argv[1:] or FITS:
        FITS[key]()
