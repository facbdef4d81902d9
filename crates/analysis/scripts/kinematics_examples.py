"""Values of the examples in `src/functions/kinematics.rs`, by the standard library alone.

The two events are those of `tests/support/mod.rs`. Run: python3 kinematics_examples.py
"""

from cmath import exp, phase
from math import asinh, atanh, cos, hypot, log, pi, sin, sinh, sqrt

Object = tuple[float, float, float, float]

MUONS: list[Object] = [(40.0, 0.5, 0.0, 0.106), (30.0, -1.5, 3.0, 0.106)]
JETS: list[list[Object]] = [
    [(50.0, 0.6, 0.2, 5.0), (100.0, -0.4, 3.0, 8.0), (20.0, 1.6, 1.9, 3.0)],
    [(80.0, 1.0, -1.0, 6.0)],
]
MET = [(64.0, 0.0), (9.0, 1.0)]


def momentum(x: Object) -> tuple[float, float, float, float]:
    """px, py, pz, E."""
    pt, eta, phi, mass = x
    p = (pt * cos(phi), pt * sin(phi), pt * sinh(eta))
    return (*p, sqrt(sum(c * c for c in p) + mass * mass))


def angle(delta: float) -> float:
    """An angle between -pi and pi."""
    return phase(exp(1j * delta))


def main() -> None:
    """Print the table."""
    p = [momentum(m) for m in MUONS]
    total = [sum(c) for c in zip(*p, strict=True)]
    mass = sqrt(total[3] ** 2 - total[0] ** 2 - total[1] ** 2 - total[2] ** 2)
    print("mass(sum(Muon))", mass)
    for name, k in [("px", 0), ("py", 1), ("pz", 2), ("energy", 3)]:
        print(name, [x[k] for x in p])
    print("rapidity", [0.5 * log((x[3] + x[2]) / (x[3] - x[2])) for x in p])
    print("rapidity, other form", [atanh(x[2] / x[3]) for x in p])
    print("eta", [asinh(x[2] / hypot(x[0], x[1])) for x in p])
    a, b = MUONS
    print("delta_r", hypot(a[1] - b[1], angle(a[2] - b[2])))
    leading = [max(event) for event in JETS]
    pairs = list(zip(JETS, leading, strict=True))
    print("delta_phi", [angle(j[2] - lead[2]) for event, lead in pairs for j in event])
    print("delta_eta", [j[1] - lead[1] for event, lead in pairs for j in event])
    mt = [
        sqrt((lead[0] + met[0]) ** 2 - abs(lead[0] * exp(1j * lead[2]) + met[0] * exp(1j * met[1])) ** 2)
        for lead, met in zip(leading, MET, strict=True)
    ]
    print("transverse_mass", mt)
    nearest = [min(hypot(m[1] - j[1], angle(m[2] - j[2])) for j in JETS[0]) for m in MUONS]
    print("min_delta_r", nearest, "pi", pi)


if __name__ == "__main__":
    main()
