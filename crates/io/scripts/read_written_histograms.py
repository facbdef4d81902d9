"""Reads a file of histograms that this crate wrote, with uproot and with ROOT: what the test `uproot_and_root_read_the_same` compares with.

Usage: python read_written_histograms.py plain.root zlib.root > written_histograms.json

The test writes both files into `target/tmp`. Numbers are stored as the integers of their bits. What a reader warns about is stored as `said`, and must
be nothing; the compressed file must say the same as the plain one. (Made with uproot 5.7.7, hist 2.12.1, ROOT 6.40.00 from the wheel `root` 0.1a12.)
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import uproot
import xxhash

ROOT_PART = """
import json, sys
import ROOT
import numpy as np
bits = lambda x: np.ascontiguousarray(x, dtype="<f8").view("<u8").tolist()
histograms, statistics = {}, {}
def walk(directory, path):
    for key in directory.GetListOfKeys():
        name, thing = path + key.GetName(), key.ReadObj()
        if isinstance(thing, ROOT.TDirectory):
            walk(thing, name + "/")
            continue
        cells, axis = range(thing.GetNcells()), thing.GetXaxis()
        has = thing.GetSumw2N() > 0
        histograms[name] = {
            "values": bits([thing.GetBinContent(k) for k in cells]),
            "variances": bits([thing.GetSumw2().At(k) if has else thing.GetBinContent(k) for k in cells]),
            "edges": bits([axis.GetBinLowEdge(k) for k in range(1, axis.GetNbins() + 2)]),
            "entries": bits([thing.GetEntries()]),
            "title": thing.GetTitle(),
            "label": axis.GetTitle(),
        }
        if name == "SR/fine/ttbar":
            stored = [thing.GetMean(), thing.GetStdDev()]
            entries = thing.GetEntries()
            thing.ResetStats()
            made = [thing.GetMean(), thing.GetStdDev()]
            statistics.update(mean=[stored[0], made[0]], width=[stored[1], made[1]])
file = ROOT.TFile.Open(sys.argv[1])
assert not file.IsZombie() and not file.TestBit(ROOT.TFile.kRecovered)
walk(file, "")
file.Close()
print(json.dumps({"version": ROOT.gROOT.GetVersion(), "histograms": histograms, "statistics": statistics}))
"""


def bits(values: Any) -> list[int]:
    found: list[int] = np.ascontiguousarray(values, dtype="<f8").view("<u8").tolist()
    return found


# What uproot knows of these it forgets for a second reading: it must take the descriptions in the file.
DESCRIBED = {"TH1D", "TH1", "TAxis", "TAttAxis", "TAttLine", "TAttFill", "TAttMarker"}


def with_uproot(path: Path, classes: dict[str, Any] | None = None) -> dict[str, Any]:
    histograms = {}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with uproot.open(path, custom_classes=classes) as file:
            for name in file.keys(cycle=False, filter_classname="TH*"):
                thing = file[name]
                values, edges = thing.to_numpy(flow=False)
                hist = thing.to_hist()
                assert np.array_equal(hist.values(), values, equal_nan=True)
                # Edges of equal bins are computed by each on its own.
                assert np.allclose(hist.axes[0].edges, edges, rtol=0.0, atol=1e-15)
                histograms[name] = {
                    "values": bits(thing.values(flow=True)),
                    "variances": bits(thing.variances(flow=True)),
                    "edges": bits(edges),
                    "entries": bits([thing.member("fEntries")]),
                    "title": thing.title,
                    "label": thing.axis(0).member("fTitle"),
                }
    return {"version": uproot.__version__, "said": [str(w.message) for w in said], "histograms": histograms}


def with_root(path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ROOT_PART, str(path)], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return {**found, "said": done.stderr.splitlines()}


def main() -> None:
    plain, compressed = (Path(name) for name in sys.argv[1:3])
    known = {name: model for name, model in uproot.classes.items() if name not in DESCRIBED}
    read = {"uproot": with_uproot(plain), "root": with_root(plain)}
    assert read == {"uproot": with_uproot(compressed), "root": with_root(compressed)}, "the compressed file"
    assert read["uproot"] == with_uproot(plain, known), "by the descriptions in the file"
    result = {"xxh3": xxhash.xxh3_64_hexdigest(plain.read_bytes()), **read}
    print(json.dumps(result, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
