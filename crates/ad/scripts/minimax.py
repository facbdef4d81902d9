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
        picks = []
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


FITS = {}


def fit(name, f, a, b, n, w, hi=0):
    FITS[name] = lambda: report(name, f, a, b, n, w, hi)


LN2 = mp.log(2)
# exp(r) = 1 + r + r² P(r), |r| <= ln 2 / 2; relative error of exp.
fit("exp_p", guard(lambda r: (mp.expm1(r) - r) / r**2), "-0.3467", "0.3467", 9, lambda r: r**2 / mp.exp(r) + mp.mpf("1e-40"))
# ln((1+s)/(1-s)) = 2 s + s z P(z), z = s², s <= 3 - 2√2; relative error of ln.
fit("ln_p", guard(lambda z: (2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 2) / z), "0", "0.029438", 6, lambda z: z / 2 + mp.mpf("1e-40"))

if __name__ == "__main__":
    for key in sys.argv[1:] or FITS:
        FITS[key]()
