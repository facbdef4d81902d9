#!/usr/bin/env python3
"""What pyhf makes of small workspaces: reference for tests/pyhf_models.rs.

usage: make_pyhf_models.py > pyhf_models.json     (pyhf 0.7.6)

Random workspaces (fixed seed) with everything that is easy to get wrong: unsorted names, shared modifiers, zero yields and uncertainties, staterrors
over several channels, conflicting names, configured parameters. For each: names, initial values, bounds, fixed flags, constraint widths, auxiliary and
main data, parameter of interest and digest, or the name of the exception with which pyhf refuses it.
"""

import json
import random
import sys
from typing import Any

import pyhf

rng = random.Random(20261121)


def number(zero=0.1, negative=0.0):
    if rng.random() < zero:
        return 0.0
    x = round(rng.uniform(0.5, 60.0), 2)
    return -x if rng.random() < negative else x


def modifiers(channel, sample, bins, unique, risk):
    out: list[dict[str, Any]] = []

    def add(kind, name, data):
        if (kind, name) not in [(m["type"], m["name"]) for m in out]:
            out.append({"name": name, "type": kind, "data": data})

    for _ in range(rng.randint(0, 2)):
        add("normfactor", rng.choice(["mu", "k_top", "Norm"]), None)
    for _ in range(rng.randint(0, 2)):
        add(
            "normsys",
            rng.choice(["alpha", "JES", "syst_b"]),
            {"hi": round(rng.uniform(0.7, 1.4), 3), "lo": round(rng.uniform(0.7, 1.4), 3)},
        )
    for _ in range(rng.randint(0, 2)):
        name = rng.choice(["JES", "beta", "aaa"])
        add("histosys", name, {"hi_data": [number() for _ in range(bins)], "lo_data": [number() for _ in range(bins)]})
    if rng.random() < 0.3:
        add("lumi", "lumi", None)
    if rng.random() < 0.4:
        add("staterror", f"stat_{channel}", [number(0.2, 0.1) for _ in range(bins)])
    if rng.random() < 0.5 * risk:
        add("staterror", "stat_shared", [number(0.2) for _ in range(bins)])
    if rng.random() < 0.3:
        add("shapesys", f"shape_{channel}_{sample}", [number(0.2, 0.1) for _ in range(bins)])
    if rng.random() < 0.2:
        add("shapefactor", f"sf_{channel}", None)
    if rng.random() < 0.2 * risk:
        add(
            rng.choice(["normfactor", "shapefactor", "normsys"]),
            rng.choice(["mu", "alpha", "sf_SR", "stat_SR"]),
            {"hi": 1.1, "lo": 0.9},
        )
        if out[-1]["type"] != "normsys":
            out[-1]["data"] = None
    if rng.random() < 0.1 * risk:
        add("shapesys", "shape_shared", [number() for _ in range(bins)])
    rng.shuffle(out)
    return out


def config(channels, risk):
    found: dict[str, tuple[str, int]] = {}
    for c in channels:
        for s in c["samples"]:
            for m in s["modifiers"]:
                found.setdefault(m["name"], (m["type"], len(s["data"])))
    out = []
    if rng.random() < 0.9:
        lumi: dict[str, Any] = {"name": "lumi", "auxdata": [1.0], "bounds": [[0.5, 1.5]], "inits": [1.0]}
        if rng.random() < 0.9:
            lumi["sigmas"] = [0.017]
        if rng.random() < 0.3:
            lumi["fixed"] = True
        out.append(lumi)
    for name, (kind, bins) in found.items():
        if kind == "lumi" or rng.random() < 0.5:
            continue
        n = 1 if kind in ("normfactor", "normsys", "histosys") else bins
        if rng.random() < 0.1 * risk:
            n += 1
        p: dict[str, Any] = {"name": name}
        if rng.random() < 0.4:
            p["inits"] = [round(rng.uniform(0.1, 2.0), 2) for _ in range(n)]
        if rng.random() < 0.4:
            p["bounds"] = [[round(rng.uniform(-1.0, 0.1), 2), round(rng.uniform(2.0, 20.0), 2)] for _ in range(n)]
        if rng.random() < 0.3:
            p["fixed"] = rng.random() < 0.5
        if rng.random() < 0.2 and (kind not in ("normfactor", "shapefactor") or rng.random() < 0.2 * risk):
            p["auxdata"] = [round(rng.uniform(0.1, 5.0), 2) for _ in range(n)]
        if rng.random() < 0.2 and (kind == "staterror" or rng.random() < 0.1 * risk):
            p["sigmas"] = [round(rng.uniform(0.1, 5.0), 2) for _ in range(n)]
        if rng.random() < 0.2 and (kind == "shapesys" or rng.random() < 0.1 * risk):
            p["factors"] = [round(rng.uniform(0.1, 5.0), 2) for _ in range(n)]
        out.append(p)
    rng.shuffle(out)
    return out


def workspace(risk):
    names = rng.sample(["SR", "CR_top", "VR1", "b-region", "Zed"], rng.randint(1, 3))
    channels: list[dict[str, Any]] = []
    for channel in names:
        bins = rng.randint(1, 3)
        samples: list[dict[str, Any]] = []
        for sample in rng.sample(["signal", "bkg", "Top", "data-driven"], rng.randint(1, 3)):
            data = [number(0.15, 0.1) for _ in range(bins)]
            samples.append({"name": sample, "data": data, "modifiers": modifiers(channel, sample, bins, names, risk)})
        channels.append({"name": channel, "samples": samples})
    observations = [
        {"name": c["name"], "data": [rng.randint(0, 90) for _ in c["samples"][0]["data"]]} for c in channels
    ]
    rng.shuffle(observations)
    measurement = {
        "name": "meas",
        "config": {"poi": rng.choice(["mu", "mu", "mu", ""]), "parameters": config(channels, risk)},
    }
    return {"channels": channels, "observations": observations, "measurements": [measurement], "version": "1.0.0"}


def shared_staterror():
    """A staterror over two channels that pyhf accepts: the same samples carry it in both."""
    channels: list[dict[str, Any]] = []
    for channel, bins in (("Z", 2), ("A", 3)):
        samples: list[dict[str, Any]] = [
            {
                "name": s,
                "data": [number(0.1) for _ in range(bins)],
                "modifiers": [
                    {"name": "stat", "type": "staterror", "data": [number(0.1) for _ in range(bins)]},
                    {"name": "mu", "type": "normfactor", "data": None},
                ],
            }
            for s in ("x", "b")
        ]
        channels.append({"name": channel, "samples": samples})
    observations = [{"name": c["name"], "data": [1] * len(c["samples"][0]["data"])} for c in channels]
    return {
        "channels": channels,
        "observations": observations,
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def describe(spec):
    try:
        ws = pyhf.Workspace(spec)
        model = ws.model()
        c = model.config
        width = {}
        for name in c.par_order:
            p = c.param_set(name)
            for i in range(p.n_parameters):
                key = name if p.is_scalar else f"{name}[{i}]"
                if p.constrained:
                    width[key] = [p.pdf_type, float((p.factors if p.pdf_type == "poisson" else p.width())[i])]
        bounds = [[float(a), float(b)] for a, b in c.suggested_bounds()]
        result = {
            "names": list(c.par_names),
            "inits": [float(x) for x in c.suggested_init()],
            "bounds": bounds,
            "fixed": [bool(x) for x in c.suggested_fixed()],
            "constraints": width,
            "auxdata": [float(x) for x in c.auxdata],
            "data": [float(x) for x in ws.data(model, include_auxdata=False)],
            "poi": c.poi_index,
        }
        json.dumps(result, allow_nan=False)
        return result
    except Exception as error:
        return {"error": f"{type(error).__name__}: {str(error).splitlines()[0][:160] if str(error) else ''}"}


def main():
    cases = (
        [workspace(0.0) for _ in range(60)]
        + [workspace(1.0) for _ in range(60)]
        + [shared_staterror() for _ in range(3)]
    )
    out = [{"workspace": w, "digest": pyhf.utils.digest(w), "pyhf": describe(w)} for w in cases]
    json.dump(out, sys.stdout, separators=(",", ":"))


if __name__ == "__main__":
    main()
