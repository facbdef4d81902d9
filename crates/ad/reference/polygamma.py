"""Reference values of the polygamma functions, printed as rows of the table in src/polygamma.rs.

Run: python3 crates/ad/reference/polygamma.py   (needs mpmath; made with mpmath 1.3.0)
"""

from mpmath import mp, mpf, polygamma

mp.dps = 60
POINTS = [
    (1, 0.5),
    (1, 1.0),
    (1, 10.0),
    (1, -2.5),
    (1, 1e-3),
    (1, 1e8),
    (2, 1.0),
    (2, 0.1),
    (2, 25.0),
    (2, -0.75),
    (3, 2.0),
    (5, 3.5),
    (8, 1.25),
    (20, 4.0),
    (20, 60.0),
    (60, 90.0),
    (170, 12.0),
    (200, 900.0),
]
for n, x in POINTS:
    print(f"        ({n}, {x!r}, {float(polygamma(n, mpf(x)))!r}),")
