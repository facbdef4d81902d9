"""Writes the muons of a CMS open-data file as plain columns, with the dimuon program evaluated by NumPy in the header.

Run: python3 scripts/agc_columns.py IN.root OUT   (needs uproot and numpy)

IN is `open-data-example.root` of the IRIS-HEP analysis grand challenge: tree `Events` with nMuon, Muon_pt, Muon_eta, Muon_phi, Muon_charge.
OUT is read by crates/array/tests/dimuon: lines of text up to `end`, then the columns one after the other, little-endian, in the order of their lines:

    pullback-columns 1
    number NAME VALUE
    column NAME DTYPE ELEMENTS        (DTYPE: f64, i32 or i64)
    end

Numbers: `opposite_charge_pairs`, without a cut; and for s in 0.98, 1, 1.02: F(s) = sum over opposite-charge pairs of muons with s pt > 20 GeV of
exp(-((m - 91.2)/5)^2) and its derivative to s at frozen selection, by formulas of invariant masses that have nothing in common with the program under
test: m^2 = 2 mu^2 + 2 (E1 E2 - pt1 pt2 cos(dphi) - pz1 pz2).
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import uproot
from numpy.typing import NDArray

MUON = 0.1056583755
CUT, PEAK, WIDTH = 20.0, 91.2, 5.0
Doubles = NDArray[np.float64]


def pairs(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of both members of all pairs within events, for events grouped by their number of muons."""
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    left, right = [], []
    for n in np.unique(counts[counts > 1]):
        i, j = np.triu_indices(n, 1)
        first = starts[counts == n][:, None]
        left.append((first + i).ravel())
        right.append((first + j).ravel())
    return np.concatenate(left), np.concatenate(right)


def dimuon(s: float, columns: dict[str, Any], i: NDArray[np.int64], j: NDArray[np.int64]) -> tuple[float, float]:
    """F and its derivative to s at frozen selection."""
    pt, eta, phi, charge = (columns[name] for name in ("pt", "eta", "phi", "charge"))
    chosen = (charge[i] * charge[j] < 0) & (pt[i] * s > CUT) & (pt[j] * s > CUT)
    i, j = i[chosen], j[chosen]
    p1, p2 = pt[i], pt[j]
    momentum1, momentum2 = p1 * np.cosh(eta[i]), p2 * np.cosh(eta[j])
    dot = p1 * p2 * (np.cos(phi[i] - phi[j]) + np.sinh(eta[i]) * np.sinh(eta[j]))
    e1, e2 = (np.sqrt((s * p) ** 2 + MUON**2) for p in (momentum1, momentum2))
    mass = np.sqrt(2 * MUON**2 + 2 * (e1 * e2 - s**2 * dot))
    # d(m^2)/ds = 2 (e1' e2 + e1 e2' - 2 s dot), e' = s p^2 / e.
    slope = s * (momentum1**2 * e2 / e1 + momentum2**2 * e1 / e2) - 2 * s * dot
    pull = (mass - PEAK) / WIDTH
    shape = np.exp(-(pull**2))
    return float(shape.sum()), float((-2 * pull * shape / WIDTH * slope / mass).sum())


def main(source: str, target: str) -> None:
    """Reads the tree and writes the columns."""
    with uproot.open(source) as file:
        tree = file["Events"]
        counts = tree["nMuon"].array(library="np").astype(np.int64)
        jagged = {name: tree[f"Muon_{name}"].array(library="np") for name in ("pt", "eta", "phi", "charge")}
    flat: dict[str, Any] = {name: np.concatenate(list(jagged[name])).astype("<f8") for name in ("pt", "eta", "phi")}
    flat["charge"] = np.concatenate(list(jagged["charge"])).astype("<i4")
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype("<i8")
    i, j = pairs(counts)
    lines = ["pullback-columns 1"]
    opposite = int((flat["charge"][i] * flat["charge"][j] < 0).sum())
    lines.append(f"number opposite_charge_pairs {opposite}")
    for s in (0.98, 1.0, 1.02):
        value, slope = dimuon(s, flat, i, j)
        lines += [f"number F({s:g}) {value!r}", f"number dF({s:g}) {slope!r}"]
    columns = {"offsets": offsets, **flat}
    kinds = {"<i8": "i64", "<f8": "f64", "<i4": "i32"}
    lines += [f"column {name} {kinds[data.dtype.str]} {len(data)}" for name, data in columns.items()]
    text = "\n".join([*lines, "end\n"]).encode()
    output = Path(target)
    output.parent.mkdir(parents=True, exist_ok=True)
    # In one step: a reader never sees half a file.
    part = output.with_suffix(".part")
    part.write_bytes(text + b"".join(data.tobytes() for data in columns.values()))
    part.replace(output)
    print(f"{output}: {len(counts)} events, {len(flat['pt'])} muons, {opposite} opposite-charge pairs")


if __name__ == "__main__":
    main(*sys.argv[1:])
