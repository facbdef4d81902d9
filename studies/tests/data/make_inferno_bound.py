"""Makes inferno_bound.json: the smallest uncertainty on s that any statistic of INFERNO's toy reaches, benchmarks 0 to 4.

Run: python3 studies/tests/data/make_inferno_bound.py   (needs numpy)

The Fisher information of the unbinned extended likelihood, by the trapezoidal rule in x0, x1 and y = ln x2: other nodes in all three variables than those
of the program under test. The matrix is inverted by LAPACK.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

S, B, RATE = 50.0, 1000.0, 3.0


def information(mean: tuple[float, float]) -> Any:
    x0, x1 = np.linspace(-15.0, 19.0, 273), np.linspace(-26.0, 26.0, 417)
    y = np.linspace(-34.0, 2.6, 367)
    volume = (x0[1] - x0[0]) * (x1[1] - x1[0]) * (y[1] - y[0])
    p0, p1, z = x0[:, None, None], x1[None, :, None], np.exp(y)[None, None, :]
    background = np.exp(-((p0 - 2) ** 2) / 10 - p1**2 / 18 - RATE * z) * RATE / (2 * np.pi * np.sqrt(45))
    signal = np.exp(-((p0 - mean[0]) ** 2 + (p1 - mean[1]) ** 2) / 2 - 2 * z) * 2 / (2 * np.pi)
    expected = S * signal + B * background
    by = [signal, B * background * (p0 - 2) / 5, B * background * (1 / RATE - z), background]
    weight = z * volume / expected
    return np.array([[float(np.sum(a * b * weight)) for b in by] for a in by])


def sigma(matrix: Any, free: int, constraints: list[float]) -> float:
    total = (matrix + np.diag(constraints))[:free, :free]
    return float(np.sqrt(np.linalg.inv(total)[0, 0]))


def main() -> None:
    none, some = [0.0] * 4, [0.0, 1 / 0.4**2, 1.0, 1e-4]
    bounds = {}
    for name, mean in [("as_run", (0.0, 0.0)), ("as_written", (1.0, 1.0))]:
        matrix = information(mean)
        cases = [(1, none), (2, none), (3, none), (3, some), (4, some)]
        bounds[name] = [sigma(matrix, free, constraints) for free, constraints in cases]
    text = json.dumps(bounds, indent=1) + "\n"
    (Path(__file__).parent / "inferno_bound.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
