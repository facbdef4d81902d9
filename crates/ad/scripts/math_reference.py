#!/usr/bin/env python3
"""Reference values of the functions in `src/math`, at high precision.

    pip install mpmath gmpy2          # gmpy2 is optional: it only makes mpmath faster
    python3 crates/ad/scripts/math_reference.py                            # writes crates/ad/tests/data/math.csv
    python3 crates/ad/scripts/math_reference.py --rows 5000 --out big.csv  # a longer table: PULLBACK_MATH_TABLE=big.csv cargo test

Each line is `function,x,y,hi,lo`: the bits of the arguments in hexadecimal (y is empty for functions of one argument), the bits of the result rounded
to f64, and what the rounding took, in ulp (the result is hi + lo ulp(hi)), so that errors well below one ulp can be measured. Arguments are drawn from a fixed seed,
from the distributions below: the plain range, where the function is delicate (zeros, thresholds of the algorithm, tails), and tiny and huge magnitudes.
"""

import argparse
import math
import pathlib
import random
import struct

import mpmath as mp

mp.mp.dps = 50
RNG = random.Random(20240229)


def bits(x):
    return struct.pack(">d", x).hex()


def uniform(a, b):
    return lambda: RNG.uniform(a, b)


def power(a, b, sign=0):
    """Magnitudes from 2^a to 2^b, uniform in the exponent; sign 0: both."""

    def draw():
        x = (
            2.0 ** RNG.uniform(max(a, -1022), b)
            if a >= -1022
            else math.ldexp(RNG.uniform(0.5, 1), int(RNG.uniform(a, b)))
        )
        return math.copysign(x, sign or RNG.choice((-1, 1)))

    return draw


def near(c, e0=-52, e1=-2):
    """Around c, at relative distances of 2^e0 to 2^e1."""
    return lambda: float(c) * (1 + RNG.choice((-1, 1)) * 2.0 ** RNG.uniform(e0, e1))


def multiples(step, n):
    """The doubles next to multiples of a number, to n of them."""
    return lambda: float(mp.mpf(RNG.randint(-n, n)) * step)


def exact(c):
    return lambda: c


def inside(draw, a, b):
    def again():
        while True:
            x = draw()
            if a <= x <= b:
                return x

    return again


def big_cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def quantile(p):
    if p == mp.mpf("0.5"):
        return mp.mpf(0)
    t = p if p < 0.5 else 1 - p
    x = -mp.sqrt(-2 * mp.log(t)) if t < 0.1 else mp.mpf(0)
    for _ in range(100):
        c = big_cdf(x)
        dx = (mp.log(c) - mp.log(t)) * c / (mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi))
        x -= dx
        if abs(dx) < abs(x) * mp.mpf(10) ** -44:
            break
    return x if p < 0.5 else -x


def erfcx(x):
    if x > 1000:
        w = 1 / (2 * x * x)
        return (1 - w + 3 * w**2 - 15 * w**3 + 105 * w**4 - 945 * w**5 + 10395 * w**6) / (x * mp.sqrt(mp.pi))
    return mp.exp(x * x) * mp.erfc(x)


def log_cdf(x):
    if x < -1000:
        return -x * x / 2 + mp.log(erfcx(-x / mp.sqrt(2)) / 2)
    return mp.log1p(-big_cdf(-x)) if x > 0 else mp.log(big_cdf(x))


def log1mexp(x):
    return mp.log(-mp.expm1(x)) if x > -1 else mp.log1p(-mp.exp(x))


def lngamma(x):
    return mp.log(abs(mp.gamma(x))) if x < 0 else mp.loggamma(x)


def wide(f):
    """With 120 digits, where 50 aren't enough for the cancellation."""

    def g(*a):
        with mp.workdps(120):
            return f(*a)

    return g


LN2 = math.log(2)
ROOT = 1.4616321449683623
POSITIVE = [uniform(0, 10), power(-1074, 1023, 1), near(1)]
FUNCTIONS = {
    "exp": (mp.exp, [uniform(-10, 10), uniform(-745, 709.78), power(-60, 3), uniform(-745.1, -708)]),
    "expm1": (mp.expm1, [uniform(-3, 3), uniform(-40, 709.78), power(-1074, 2), uniform(-0.6, 0.6)]),
    "ln": (mp.log, [*POSITIVE, uniform(0.5, 2)]),
    "ln_1p": (mp.log1p, [uniform(-1, 3), power(-1074, 1023, 1), power(-60, -1), near(-1)]),
    "log2": (lambda x: mp.log(x) / mp.log(2), [*POSITIVE, lambda: 2.0 ** RNG.randint(-1000, 1000)]),
    "log10": (mp.log10, [*POSITIVE, lambda: float(10 ** RNG.randint(0, 22))]),
    "sin": (
        wide(mp.sin),
        [uniform(-7, 7), uniform(-1e6, 1e6), multiples(mp.pi / 2, 600000), power(-1074, 20), power(20, 1023)],
    ),
    "cos": (
        wide(mp.cos),
        [uniform(-7, 7), uniform(-1e6, 1e6), multiples(mp.pi / 2, 600000), power(-60, 20), power(20, 1023)],
    ),
    "tan": (
        wide(mp.tan),
        [uniform(-7, 7), uniform(-1e6, 1e6), multiples(mp.pi / 2, 600000), power(-1074, 20), power(20, 1023)],
    ),
    "asin": (mp.asin, [uniform(-1, 1), power(-1074, 0), inside(near(1), 0, 1), inside(near(-0.5), -1, 0)]),
    "acos": (
        mp.acos,
        [uniform(-1, 1), power(-60, 0), inside(near(1), 0, 1), inside(near(-1), -1, 0), near(0.5, -52, -4)],
    ),
    "atan": (mp.atan, [uniform(-4, 4), power(-1074, 1023), near(0.41421356), near(2.41421356), near(1)]),
    "sinh": (mp.sinh, [uniform(-3, 3), uniform(-710.4, 710.4), power(-1074, 3), near(0.3466), near(1.04)]),
    "cosh": (mp.cosh, [uniform(-3, 3), uniform(-710.4, 710.4), power(-60, 3), near(0.3466)]),
    "tanh": (mp.tanh, [uniform(-3, 3), uniform(-25, 25), power(-1074, 3)]),
    "asinh": (mp.asinh, [uniform(-3, 3), power(-1074, 1023), power(-5, 5)]),
    "acosh": (mp.acosh, [uniform(1, 10), power(0, 1023, 1), inside(near(1), 1, 2)]),
    "atanh": (mp.atanh, [uniform(-1, 1), power(-1074, 0), inside(near(1), 0, 0.9999999999999999)]),
    "cbrt": (
        lambda x: mp.sign(x) * mp.cbrt(abs(x)),
        [uniform(-10, 10), power(-1074, 1023), lambda: float(RNG.randint(1, 1000) ** 3)],
    ),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), [uniform(-10, 10), uniform(-745, 40), power(-60, 3)]),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), [uniform(-10, 10), uniform(-745, 40), power(-60, 9)]),
    "log1mexp": (log1mexp, [uniform(-3, 0), uniform(-745, 0), power(-1074, 4, -1), near(-LN2)]),
    "erf": (mp.erf, [uniform(-3, 3), uniform(-6, 6), power(-1070, 2), near(0.875, -40, -5)]),
    "erfc": (mp.erfc, [uniform(-3, 3), uniform(-6, 27.22), power(-60, 4), uniform(26, 27.22)]),
    "erfcx": (erfcx, [uniform(0, 30), uniform(-26.6, 0), power(-60, 1020, 1), uniform(-1, 1)]),
    "norm_cdf": (big_cdf, [uniform(-5, 5), uniform(-38.4, 8), power(-60, 5), uniform(-38.45, -37)]),
    "log_norm_cdf": (log_cdf, [uniform(-5, 5), uniform(-60, 37), power(-60, 500), uniform(-1, 1)]),
    "norm_quantile": (
        quantile,
        [
            uniform(0, 1),
            power(-1074, -1, 1),
            near(0.5, -50, -3),
            inside(near(1), 0, 0.9999999999999999),
            near(0.075, -30, -4),
        ],
    ),
    "lgamma": (lngamma, [uniform(0, 20), power(-1070, 1010, 1), near(1), near(2), uniform(0.5, 3)]),
    "digamma": (mp.digamma, [uniform(0, 20), power(-1020, 1010, 1), near(ROOT), uniform(0.5, 3), uniform(0, 1)]),
    "trigamma": (lambda x: mp.psi(1, x), [uniform(0, 20), power(-500, 1010, 1), uniform(0.5, 3)]),
    # Absolute error where the function has zeros between its poles.
    "lgamma:negative": (wide(lngamma), [uniform(-20, 0), power(-500, 6, -1)]),
    "digamma:negative": (wide(mp.digamma), [uniform(-20, 0), power(-500, 20, -1)]),
    "trigamma:negative": (wide(lambda x: mp.psi(1, x)), [uniform(-20, 0), power(-500, 20, -1)]),
}
PAIRS = {
    "pow": (
        lambda x, y: mp.power(x, y),
        [
            (uniform(0, 10), uniform(-10, 10)),
            (power(-1074, 1023, 1), lambda: RNG.uniform(-1, 1) * 0.7),
            (near(1), power(0, 50)),
            (uniform(-10, 10), lambda: float(RNG.randint(-9, 9))),
            (power(-10, 10, 1), uniform(-70, 70)),
            (uniform(0.9, 1.1), uniform(-7000, 7000)),
        ],
    ),
    "hypot": (
        lambda x, y: mp.sqrt(x * x + y * y),
        [
            (uniform(-10, 10), uniform(-10, 10)),
            (power(-1074, 1022), near(1)),
            (power(-1070, -900), power(-1070, -900)),
            (power(900, 1022), power(900, 1022)),
        ],
    ),
    "atan2": (
        mp.atan2,
        [
            (uniform(-10, 10), uniform(-10, 10)),
            (power(-1000, 1000), power(-1000, 1000)),
            (near(1), near(1)),
            (near(1), near(-1)),
            (power(-10, 10), power(-10, 10)),
        ],
    ),
    "logaddexp": (
        lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
        [(uniform(-10, 10), uniform(-10, 10)), (uniform(-800, 800), uniform(-30, 30))],
    ),
    "xlogy": (
        lambda x, y: x * mp.log(y),
        [(uniform(0, 10), uniform(0, 10)), (power(-50, 50, 1), power(-1074, 1000, 1))],
    ),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=110, help="rows per function")
    parser.add_argument("--out", default=pathlib.Path(__file__).parent.parent / "tests" / "data" / "math.csv")
    args = parser.parse_args()
    lines = ["function,x,y,hi,lo"]
    for name, (f, draws) in {**FUNCTIONS, **PAIRS}.items():
        done = 0
        while done < args.rows:
            draw = draws[done % len(draws)]
            point = [d() for d in draw] if isinstance(draw, tuple) else [draw()]
            try:
                v = f(*map(mp.mpf, point))
            except (ValueError, ZeroDivisionError):
                continue
            if isinstance(v, mp.mpc) or mp.isnan(v) or mp.isinf(v):
                continue
            hi = float(v)
            if math.isinf(hi) or (hi == 0 and v != 0):
                continue
            lo = float((v - mp.mpf(hi)) / mp.mpf(math.ulp(hi)))
            y = bits(point[1]) if len(point) == 2 else ""
            lines.append(f"{name},{bits(point[0])},{y},{bits(hi)},{lo:.3g}")
            done += 1
    pathlib.Path(args.out).write_text("\n".join(lines) + "\n")


main()
