"""Makes `cli/tests/data/search.json`, a workspace with everything that a page of a fit shows.

A search in one-lepton events, invented from end to end: a signal region in bins of a discriminant, control regions for top quarks and for W + jets
in bins of a mass, four processes. The data are drawn with a fixed seed from a truth with mu = 1.3 and shifted nuisance parameters, so the fit has
something to find. Standard library only::

    python3 cli/scripts/make_search_workspace.py > cli/tests/data/search.json
"""

import json
import math
import random
from typing import Any

SEED = 20111
TRUTH = {
    "mu": 1.3,
    "norm_ttbar": 0.92,
    "jet_energy_scale": 0.6,
    "b_tagging": -0.4,
    "ttbar_shower": 0.5,
    "wjets_cross_section": -0.7,
}

# Expected yields: process -> channel -> (total, slope of an exponential over the bins, luminosity weight of a simulated event).
CHANNELS = {"CR_top": 6, "CR_Wjets": 6, "SR": 8}
PROCESSES: dict[str, dict[str, tuple[float, float, float]]] = {
    "signal": {"CR_top": (9.0, 0.30, 0.05), "CR_Wjets": (2.5, 0.35, 0.05), "SR": (58.0, 0.42, 0.05)},
    "ttbar": {"CR_top": (2100.0, -0.20, 0.8), "CR_Wjets": (310.0, -0.15, 0.8), "SR": (520.0, -0.50, 0.8)},
    "wjets": {"CR_top": (160.0, -0.25, 1.6), "CR_Wjets": (1750.0, -0.30, 1.6), "SR": (210.0, -0.42, 1.6)},
    "other": {"CR_top": (120.0, -0.10, 1.2), "CR_Wjets": (190.0, -0.20, 1.2), "SR": (64.0, -0.30, 1.2)},
}

# Relative effects of +1 sigma: a normalisation, and a tilt from the first bin (-tilt) to the last one (+tilt).
NORMS: dict[str, dict[str, tuple[float, float]]] = {
    "b_tagging": {"signal": (0.97, 1.03), "ttbar": (0.965, 1.03), "other": (0.98, 1.02)},
    "wjets_cross_section": {"wjets": (0.86, 1.15)},
    "other_cross_section": {"other": (0.82, 1.18)},
    "signal_acceptance": {"signal": (0.95, 1.06)},
}
SHAPES: dict[str, dict[str, tuple[float, float]]] = {
    "jet_energy_scale": {"signal": (0.02, 0.03), "ttbar": (0.025, 0.06), "wjets": (0.03, 0.07), "other": (0.03, 0.06)},
    "ttbar_shower": {"ttbar": (0.0, 0.09)},
    "b_tagging": {"wjets": (0.01, 0.02)},
}


def nominal(process: str, channel: str) -> list[float]:
    total, slope, _ = PROCESSES[process][channel]
    weights = [math.exp(slope * b) for b in range(CHANNELS[channel])]
    return [total * w / sum(weights) for w in weights]


def tilted(values: list[float], norm: float, tilt: float) -> list[float]:
    last = len(values) - 1
    return [v * (1.0 + norm + tilt * (2.0 * b / last - 1.0)) for b, v in enumerate(values)]


def rounded(values: list[float]) -> list[float]:
    return [round(v, 3) for v in values]


def modifiers(process: str, channel: str) -> list[dict[str, Any]]:
    values = nominal(process, channel)
    weight = PROCESSES[process][channel][2]
    found: list[dict[str, Any]] = []
    if process == "signal":
        found.append({"name": "mu", "type": "normfactor", "data": None})
    if process == "ttbar":
        found.append({"name": "norm_ttbar", "type": "normfactor", "data": None})
    if process in {"signal", "other"}:
        found.append({"name": "lumi", "type": "lumi", "data": None})
    for name, effects in NORMS.items():
        if process in effects:
            lo, hi = effects[process]
            found.append({"name": name, "type": "normsys", "data": {"lo": lo, "hi": hi}})
    for name, shapes in SHAPES.items():
        if process in shapes:
            norm, tilt = shapes[process]
            hi_data, lo_data = tilted(values, norm, tilt), tilted(values, -0.9 * norm, -tilt)
            found.append(
                {"name": name, "type": "histosys", "data": {"hi_data": rounded(hi_data), "lo_data": rounded(lo_data)}}
            )
    uncertainty = rounded([math.sqrt(v * weight) for v in values])
    found.append({"name": f"mc_stat_{channel}", "type": "staterror", "data": uncertainty})
    return found


def true_yield(process: str, channel: str) -> list[float]:
    values = nominal(process, channel)
    for name, shapes in SHAPES.items():
        if process in shapes and name in TRUTH:
            norm, tilt = shapes[process]
            values = tilted(values, TRUTH[name] * norm, TRUTH[name] * tilt)
    factor = {"signal": TRUTH["mu"], "ttbar": TRUTH["norm_ttbar"]}.get(process, 1.0)
    for name, effects in NORMS.items():
        if process in effects and name in TRUTH:
            lo, hi = effects[process]
            alpha = TRUTH[name]
            factor *= hi**alpha if alpha > 0 else lo ** (-alpha)
    return [factor * v for v in values]


def poisson(rng: random.Random, mean: float) -> int:
    """A Poisson number: the events before the sum of exponential waiting times passes the mean."""
    count, time = 0, rng.expovariate(1.0)
    while time < mean:
        count += 1
        time += rng.expovariate(1.0)
    return count


def workspace() -> dict[str, Any]:
    rng = random.Random(SEED)
    channels, observations = [], []
    for channel, bins in CHANNELS.items():
        samples = [
            {"name": p, "data": rounded(nominal(p, channel)), "modifiers": modifiers(p, channel)} for p in PROCESSES
        ]
        channels.append({"name": channel, "samples": samples})
        means = [sum(true_yield(p, channel)[b] for p in PROCESSES) for b in range(bins)]
        observations.append({"name": channel, "data": [poisson(rng, m) for m in means]})
    lumi = {"name": "lumi", "auxdata": [1.0], "bounds": [[0.5, 1.5]], "inits": [1.0], "sigmas": [0.017]}
    measurement = {"name": "search", "config": {"poi": "mu", "parameters": [lumi]}}
    return {"channels": channels, "observations": observations, "measurements": [measurement], "version": "1.0.0"}


def compact(value: Any, depth: int = 0) -> str:
    """JSON with lists of numbers and small objects on one line."""
    flat = json.dumps(value)
    if len(flat) + 2 * depth <= 140 or not isinstance(value, (dict, list)):
        return flat
    pad = "  " * (depth + 1)
    if isinstance(value, list):
        return "[\n" + ",\n".join(pad + compact(v, depth + 1) for v in value) + "\n" + pad[2:] + "]"
    body = ",\n".join(f"{pad}{json.dumps(k)}: {compact(v, depth + 1)}" for k, v in value.items())
    return "{\n" + body + "\n" + pad[2:] + "}"


if __name__ == "__main__":
    print(compact(workspace()))
