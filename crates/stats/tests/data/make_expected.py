#!/usr/bin/env python3
"""Expected limits and significances of small workspaces: reference for tests/expected.rs.

usage: make_expected.py > expected.json     (pyhf 0.7.6, iminuit 2)

For each workspace pyhf makes the nominal Asimov data (all parameters at their initial values) at mu = 0 and at mu = 1, and gives on them the expected 95 % CLs
limits at -2 to +2 standard deviations (q-tilde, asymptotic) and the significance of a discovery (q0). Fits are by Minuit (by SLSQP where there is one parameter, which Minuit refuses to hold); the crossing by TOMS 748 to 1e-10.
"""

import json
import sys
from typing import Any

import pyhf
from scipy.optimize import toms748
from scipy.stats import norm


def normsys(name: str, hi: float, lo: float) -> dict[str, Any]:
    return {"name": name, "type": "normsys", "data": {"hi": hi, "lo": lo}}


def histosys(name: str, hi: list[float], lo: list[float]) -> dict[str, Any]:
    return {"name": name, "type": "histosys", "data": {"hi_data": hi, "lo_data": lo}}


def plain(kind: str, name: str, data: Any = None) -> dict[str, Any]:
    return {"name": name, "type": kind, "data": data}


def sample(name: str, data: list[float], *modifiers: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "data": data, "modifiers": list(modifiers)}


def workspace(channels: dict[str, list[dict[str, Any]]], parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "version": "1.0.0",
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": parameters}}],
        "channels": [{"name": name, "samples": samples} for name, samples in channels.items()],
        "observations": [{"name": n, "data": [1.0 + k for k in range(len(s[0]["data"]))]} for n, s in channels.items()],
    }


mu = plain("normfactor", "mu")
CASES = {
    "counting": workspace({"c": [sample("b", [50.0]), sample("s", [12.0], mu)]}, []),
    "shapes": workspace(
        {
            "SR": [
                sample(
                    "bkg",
                    [50.0, 42.0, 31.0],
                    histosys("jes", [53.0, 43.5, 30.0], [46.5, 41.0, 32.5]),
                    normsys("xsec", 1.1, 0.92),
                    plain("staterror", "stat_SR", [2.5, 2.0, 1.8]),
                ),
                sample(
                    "signal",
                    [6.0, 9.0, 14.0],
                    mu,
                    histosys("jes", [6.5, 9.4, 14.2], [5.4, 8.8, 13.5]),
                    normsys("acceptance", 1.05, 0.96),
                    normsys("nothing", 1.0, 1.0),
                    plain("staterror", "stat_SR", [0.6, 0.7, 0.9]),
                ),
            ],
            "SR2": [
                sample("bkg", [20.0, 15.0], normsys("xsec", 1.08, 0.95), plain("shapesys", "shape", [3.0, 2.0])),
                sample("signal", [4.0, 7.0], mu, plain("shapesys", "signal_shape", [0.8, 1.1])),
            ],
        },
        [],
    ),
    "control region": workspace(
        {
            "CR": [
                sample(
                    "top",
                    [180.0, 90.0],
                    plain("normfactor", "k_top"),
                    normsys("btag", 1.07, 0.94),
                    plain("lumi", "lumi"),
                    plain("staterror", "stat_CR", [4.0, 3.0]),
                ),
                sample("other", [30.0, 21.0], normsys("flat", 1.2, 0.85), plain("lumi", "lumi")),
            ],
            "SR": [
                sample(
                    "top",
                    [8.0, 4.0, 2.5],
                    plain("normfactor", "k_top"),
                    normsys("btag", 1.12, 0.9),
                    histosys("scale", [8.6, 4.4, 2.4], [7.5, 3.7, 2.7]),
                    plain("lumi", "lumi"),
                    plain("staterror", "stat_SR", [0.5, 0.4, 0.3]),
                ),
                sample(
                    "other",
                    [3.0, 1.5, 0.6],
                    normsys("flat", 1.3, 0.8),
                    plain("lumi", "lumi"),
                    plain("staterror", "stat_SR", [0.4, 0.3, 0.0]),
                ),
                sample(
                    "signal",
                    [1.0, 2.5, 4.0],
                    mu,
                    plain("lumi", "lumi"),
                    histosys("scale", [1.1, 2.6, 4.4], [0.95, 2.4, 3.7]),
                ),
            ],
        },
        [{"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "bounds": [[0.5, 1.5]], "inits": [1.0]}],
    ),
    "large uncertainties": workspace(
        {
            "a": [
                sample(
                    "qcd",
                    [200.0, 120.0, 80.0, 40.0],
                    normsys("norm", 1.4, 0.7),
                    plain("shapesys", "u", [20.0, 15.0, 9.0, 8.0]),
                ),
                sample("signal", [10.0, 14.0, 18.0, 12.0], mu, normsys("theory", 1.25, 0.85)),
            ]
        },
        [{"name": "mu", "bounds": [[0.0, 6.0]]}],
    ),
}


def asimov(model: Any, poi: float) -> Any:
    point = list(model.config.suggested_init())
    point[model.config.poi_index] = poi
    return model.expected_data(point)


def bound(model: Any, data: Any, k: int) -> float:
    def distance(poi: float) -> float:
        expected = pyhf.infer.hypotest(poi, data, model, test_stat="qtilde", return_expected_set=True)[1]
        return float(expected[k]) - 0.05

    return float(toms748(distance, 0.05, 5.9, xtol=1e-10))


def main() -> None:
    out = []
    for name, spec in CASES.items():
        model = pyhf.Workspace(spec).model()
        minuit = pyhf.optimize.minuit_optimizer(tolerance=1e-6, strategy=2, maxiter=1000000)
        pyhf.set_backend("numpy", minuit if model.config.npars > 1 else pyhf.optimize.scipy_optimizer(tolerance=1e-12))
        limits = [bound(model, asimov(model, 0.0), k) for k in range(5)]
        p0 = float(pyhf.infer.hypotest(0.0, asimov(model, 1.0), model, test_stat="q0"))
        out.append({"name": name, "workspace": spec, "limits": limits, "significance": float(norm.isf(p0))})
        print(name, limits, out[-1]["significance"], file=sys.stderr)
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
