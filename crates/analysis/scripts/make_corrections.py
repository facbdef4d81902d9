"""Writes tests/data/corrections.json (correctionlib, schema 2) and what correctionlib says at many points.

pip install correctionlib==2.9.0
python scripts/make_corrections.py
"""

import json
import math
import random
from pathlib import Path

import correctionlib

DATA = Path(__file__).parent.parent / "tests" / "data"


def binning(name, edges, content, flow="clamp"):
    return {"nodetype": "binning", "input": name, "edges": edges, "content": content, "flow": flow}


def variable(name, kind):
    return {"name": name, "type": kind, "description": ""}


def muon(shift):
    """Edges in p_T that differ from bin to bin of eta."""
    first = binning("pt", [15.0, 20.0, 30.0, "inf"], [0.9 + shift, 0.93 + shift, 0.97])
    second = binning("pt", {"n": 3, "low": 20.0, "high": 50.0}, [0.95, 0.96 - shift, 1.01])
    return binning("abseta", [0.0, 0.9, 2.4], [first, second])


def by_year(content):
    default = binning("abseta", [0.0, 2.4], [1.0])
    return {"nodetype": "category", "input": "year", "content": content, "default": default}


def kinds():
    pairs = [("nominal", 0.0), ("systup", 0.01), ("systdown", -0.02)]
    return [{"key": key, "value": muon(shift)} for key, shift in pairs]


CORRECTIONS = [
    {
        "name": "muon",
        "version": 1,
        "inputs": [
            variable("year", "string"),
            variable("abseta", "real"),
            variable("pt", "real"),
            variable("kind", "string"),
        ],
        "output": variable("weight", "real"),
        "data": by_year([{"key": "2018", "value": {"nodetype": "category", "input": "kind", "content": kinds()}}]),
    },
    {
        "name": "jets",
        "version": 1,
        "inputs": [variable("flavour", "int"), variable("eta", "real"), variable("pt", "real")],
        "output": variable("weight", "real"),
        "data": {
            "nodetype": "category",
            "input": "flavour",
            "content": [
                {
                    "key": 5,
                    "value": {
                        "nodetype": "multibinning",
                        "inputs": ["eta", "pt"],
                        "edges": [[-2.5, 0.0, 2.5], [20.0, 50.0, 100.0]],
                        "content": [0.8, 0.81, 0.82, 0.83],
                        "flow": 1.5,
                    },
                }
            ],
        },
    },
    {
        "name": "formula",
        "version": 1,
        "inputs": [variable("pt", "real")],
        "output": variable("weight", "real"),
        "data": {"nodetype": "formula", "expression": "1+x", "parser": "TFormula", "variables": ["pt"]},
    },
]


def main():
    path = DATA / "corrections.json"
    path.write_text(json.dumps({"schema_version": 2, "corrections": CORRECTIONS}, indent=1) + "\n")
    found = correctionlib.CorrectionSet.from_file(str(path))
    rng = random.Random(1)
    points = [(rng.uniform(0, 3), rng.uniform(5, 70)) for _ in range(200)]
    points += [(eta, pt) for eta in (0.0, 0.9, 2.4) for pt in (15.0, 20.0, 30.0, 40.0, 50.0, 100.0)]
    reference = {"eta": [p[0] for p in points], "pt": [p[1] for p in points]}
    for kind in ("nominal", "systup", "systdown"):
        reference[kind] = [found["muon"].evaluate("2018", eta, pt, kind) for eta, pt in points]
    reference["jets"] = [found["jets"].evaluate(5, eta, pt) for eta, pt in points]
    assert all(math.isfinite(x) for values in reference.values() for x in values)
    (DATA / "corrections_reference.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main()
