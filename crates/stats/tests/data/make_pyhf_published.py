#!/usr/bin/env python3
"""What pyhf makes of the published likelihoods after a patch or a selection of channels: reference for tests/published_workspaces.rs.

usage: make_pyhf_published.py DIR > pyhf_published.json     (pyhf 0.7.6; DIR holds the workspaces and the archive of RegionA)
"""

import json
import pathlib
import sys
import tarfile
from typing import Any

import jsonpatch
import pyhf

POINTS = ("sbottom_1000_131_1", "sbottom_700_680_550", "sbottom_1600_1595_60")
SELECTIONS = {"2018-04__SRcombined": 2, "2019-09__bkg_onshell": 7, "2018-16__EWKinos_bkgonly_SR2lOnly": 5}


def describe(spec):
    ws = pyhf.Workspace(spec)
    model = ws.model()
    c = model.config
    return {
        "digest": pyhf.utils.digest(spec),
        "names": list(c.par_names),
        "inits": [float(x) for x in c.suggested_init()],
        "fixed": [bool(x) for x in c.suggested_fixed()],
        "auxdata": [float(x) for x in c.auxdata],
        "data": [float(x) for x in ws.data(model, include_auxdata=False)],
        "poi": c.poi_index,
    }


def main(directory):
    directory = pathlib.Path(directory)
    out: dict[str, dict[str, Any]] = {"digests": {}, "patched": {}, "selected": {}}
    for path in sorted(directory.glob("*.json")):
        if path.stem != "references":
            out["digests"][path.stem] = pyhf.utils.digest(json.loads(path.read_text()))
    with tarfile.open(directory / "SUSY-2018-31-RegionA-BkgOnly-and-patches.tar.gz") as archive:

        def read(name):
            member = archive.extractfile(f"RegionA/{name}.json")
            assert member is not None
            return json.load(member)

        background = read("BkgOnly")
        out["digests"]["RegionA/BkgOnly"] = pyhf.utils.digest(background)
        for point in POINTS:
            out["patched"][point] = describe(jsonpatch.apply_patch(background, read(f"patch.{point}")))
    for name, keep in SELECTIONS.items():
        ws = pyhf.Workspace(json.loads((directory / f"{name}.json").read_text()))
        kept = ws.channels[:keep]
        pruned = ws.prune(channels=ws.channels[keep:])
        left = {m["name"] for c in pruned["channels"] for s in c["samples"] for m in s["modifiers"]}
        spec = json.loads(json.dumps(pruned))
        for measurement in spec["measurements"]:
            if measurement["config"]["poi"] not in left:
                measurement["config"]["poi"] = ""
        out["selected"][name] = {"channels": kept, **describe(spec)}
    json.dump(out, sys.stdout, indent=None, separators=(",", ":"))


if __name__ == "__main__":
    main(sys.argv[1])
