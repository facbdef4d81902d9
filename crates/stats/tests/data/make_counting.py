#!/usr/bin/env python3
"""High-precision values of the counting formulas: reference for tests/counting.rs.

usage: make_counting.py > counting.json     (mpmath 1.3)

Each row is [s, b, sigma, q, dq/ds, dq/db, dq/dsigma] with q of G. Cowan et al., Eur. Phys. J. C 71 (2011) 1554, eq. 97 (sigma = 0) and of G. Cowan,
"Discovery sensitivity for a counting experiment with background uncertainty" (2012), eq. 20, both as they are printed there, at 120 digits.
"""

import json
from typing import Any

from mpmath import diff, log, mp, mpf

mp.dps = 120


def q(s: Any, b: Any, sigma: Any) -> Any:
    n = s + b
    if sigma == 0:
        return 2 * (n * log(1 + s / b) - s)
    v = sigma**2
    return 2 * (n * log(n * (b + v) / (b * b + n * v)) - b * b / v * log(1 + v * s / (b * (b + v))))


rows = []
for b in [1e-6, 0.03, 1.0, 17.3, 1000.0, 4.1e7]:
    for x in [
        -0.9,
        -0.5,
        -0.39,
        -0.1,
        -1e-3,
        -1e-9,
        1e-15,
        1e-8,
        1e-4,
        0.02,
        0.3,
        0.59,
        0.61,
        0.99,
        1.5,
        20.0,
        1e4,
        1e9,
    ]:
        for r in [0.0, 1e-12, 1e-5, 0.01, 0.3, 0.99, 1.01, 5.0, 1e3, 1e7]:  # sigma squared over b
            if x < -0.4 and r > 0.5:
                continue
            s, sigma = x * b, (r * b) ** 0.5
            point = (mpf(s), mpf(b), mpf(sigma))
            orders = [(1, 0, 0), (0, 1, 0)] + ([(0, 0, 1)] if r > 0 else [])
            slopes = [diff(q, point, order, h=mpf(10) ** -45 * min(abs(p) for p in point if p)) for order in orders]
            slopes += [mpf(0)] * (3 - len(slopes))
            rows.append([s, b, sigma, *(float(v) for v in [q(*point), *slopes])])
print("[" + ",\n".join(json.dumps(row) for row in rows) + "]")
