"""The eight queries of the ADL benchmark, by NumPy and Awkward: the reference of `tests/adl.rs`.

Usage: python adl_reference.py OUT.json FILE.root...

The queries are those of https://github.com/iris-hep/adl-benchmarks-index; the binning is ours. For each file and query: the contents of the bins
(lower edges belong to their bin, what lies outside is left out), and the sum of the values that were filled, also of those outside.

Needs uproot, awkward and numpy (made with uproot 5.7.7, awkward 2.14.0, numpy 2.4.6).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

Array = Any


def objects(events: Array, name: str, extra: list[str]) -> Array:
    """A collection, in double precision."""
    fields = ["pt", "eta", "phi", "mass", *extra]
    return ak.zip({f: ak.values_astype(events[f"{name}_{f}"], np.float64) for f in fields})


def momentum(x: Array) -> Array:
    """Cartesian components."""
    pz = x.pt * np.sinh(x.eta)
    energy = np.sqrt(x.pt**2 + pz**2 + x.mass**2)
    return ak.zip({"px": x.pt * np.cos(x.phi), "py": x.pt * np.sin(x.phi), "pz": pz, "e": energy})


def add(*parts: Array) -> Array:
    """The sum of four-vectors."""
    return ak.zip({c: sum(p[c] for p in parts) for c in ["px", "py", "pz", "e"]})


def mass(p: Array) -> Array:
    """Invariant mass."""
    return np.sqrt(np.maximum(p.e**2 - p.px**2 - p.py**2 - p.pz**2, 0.0))


def wrap(delta: Array) -> Array:
    """Angles between -pi and pi."""
    return (delta + np.pi) % (2 * np.pi) - np.pi


def query_5(met: Array, muons: Array) -> Array:
    """ETmiss of events with an opposite-charge muon pair with a mass between 60 and 120 GeV."""
    a, b = ak.unzip(ak.combinations(muons, 2))
    m = mass(add(momentum(a), momentum(b)))
    return met[ak.any((a.charge != b.charge) & (m > 60) & (m < 120), axis=1)]


def query_6(jets: Array) -> tuple[Array, Array]:
    """pT of the trijet with a mass closest to 172.5 GeV, and the largest b-tag in it."""
    a, b, c = ak.unzip(ak.combinations(jets, 3))
    total = add(momentum(a), momentum(b), momentum(c))
    best = ak.argmin(abs(mass(total) - 172.5), axis=1, keepdims=True)
    btag = np.maximum(np.maximum(a.btag, b.btag), c.btag)
    pt = np.hypot(total.px, total.py)
    return ak.drop_none(ak.flatten(pt[best])), ak.drop_none(ak.flatten(btag[best]))


def query_7(jets: Array, muons: Array, electrons: Array) -> Array:
    """Sum of the pT of jets above 30 GeV that are not within 0.4 of a light lepton above 10 GeV."""
    far = ak.ones_like(jets.pt, dtype=bool)
    for leptons in [muons, electrons]:
        chosen = leptons[leptons.pt > 10]
        jet, lepton = ak.unzip(ak.cartesian([jets, chosen], nested=True))
        distance = np.hypot(jet.eta - lepton.eta, wrap(jet.phi - lepton.phi))
        far = far & ak.all(distance >= 0.4, axis=2)
    return ak.sum(jets.pt[(jets.pt > 30) & far], axis=1)


def query_8(met: Array, met_phi: Array, muons: Array, electrons: Array) -> Array:
    """Transverse mass of ETmiss and the leading lepton outside the best same-flavour opposite-charge pair, of events with three leptons."""
    out = []
    # One event after the other: a loop is the plainest reference.
    for m, mp, mu, el in zip(met, met_phi, muons, electrons, strict=True):
        leptons = [("mu", x) for x in mu] + [("el", x) for x in el]
        if len(leptons) < 3:
            continue
        best = None
        for i in range(len(leptons)):
            for j in range(i + 1, len(leptons)):
                (fi, x), (fj, y) = leptons[i], leptons[j]
                if fi != fj or x.charge == y.charge:
                    continue
                p = [momentum(ak.Array([ak.to_list(v)])) for v in (x, y)]
                away = abs(float(mass(add(*p))[0]) - 91.2)
                if best is None or away < best[0]:
                    best = (away, i, j)
        if best is None:
            continue
        rest = [x for k, (_, x) in enumerate(leptons) if k not in best[1:]]
        lead = max(rest, key=lambda x: x.pt)
        out.append(float(np.sqrt(2 * lead.pt * m * (1 - np.cos(lead.phi - mp)))))
    return np.asarray(out)


def queries(events: Array) -> dict[str, tuple[Array, tuple[int, float, float]]]:
    """Values and uniform binning (bins, low, high) of all queries."""
    btag = next(b for b in ["btagDeepFlavB", "btagDeepB", "btagCSVV2", "btagCSV"] if f"Jet_{b}" in events.fields)
    jets = objects(events, "Jet", [btag])
    jets["btag"] = jets[btag]
    muons = objects(events, "Muon", ["charge"])
    electrons = objects(events, "Electron", ["charge"])
    met = ak.values_astype(events["MET_pt"], np.float64)
    met_phi = ak.values_astype(events["MET_phi"], np.float64)
    trijet_pt, trijet_btag = query_6(jets)
    return {
        "q1": (met, (50, 0, 200)),
        "q2": (ak.flatten(jets.pt), (50, 0, 200)),
        "q3": (ak.flatten(jets.pt[abs(jets.eta) < 1]), (50, 0, 200)),
        "q4": (met[ak.sum(jets.pt > 40, axis=1) >= 2], (50, 0, 200)),
        "q5": (query_5(met, muons), (50, 0, 200)),
        "q6_pt": (trijet_pt, (40, 0, 400)),
        "q6_btag": (trijet_btag, (20, -1, 1)),
        "q7": (query_7(jets, muons, electrons), (50, 0, 500)),
        "q8": (query_8(met, met_phi, muons, electrons), (25, 0, 250)),
    }


def main() -> None:
    """Write the reference."""
    out: dict[str, Any] = {}
    for path in map(Path, sys.argv[2:]):
        with uproot.open(path) as file:
            tree = file["Events"]
            known = tree.keys()
            names = [n for n in known if n.split("_")[0] in {"Jet", "Muon", "Electron", "MET"}]
            events = tree.arrays(names)
        results = {}
        for name, (values, (bins, low, high)) in queries(events).items():
            flat = np.asarray(values, dtype=np.float64)
            edges = low + (high - low) * np.arange(bins + 1) / bins
            index = np.searchsorted(edges, flat, side="right") - 1
            contents = np.bincount(index[(index >= 0) & (index < bins)], minlength=bins)
            results[name] = {"bins": contents.tolist(), "sum": float(np.sum(flat)), "entries": len(flat)}
        out[path.name] = results
    Path(sys.argv[1]).write_text(json.dumps(out, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
