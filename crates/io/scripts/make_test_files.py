"""Small ROOT files for the tests of this crate, written by uproot; all numbers are drawn here.

Usage: python make_test_files.py FOLDER

A tree with every element type, lists and arrays; four columns of it in the other compressions and none, each in three baskets; histograms; an ntuple
with nested lists, records, optional values and text in two clusters, compressed and not. (Made with uproot 5.7.7, awkward 2.14.0, numpy 2.4.6.)
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

EVENTS = 250
CUTS = [0, 100, 170, EVENTS]


def columns() -> dict[str, Any]:
    draw = np.random.default_rng(20261126)
    counts = draw.poisson(1.4, EVENTS)
    counts[0] = 0
    muons = int(counts.sum())

    def lists(flat: np.ndarray) -> ak.Array:
        return ak.unflatten(flat, counts)

    return {
        "event": np.arange(EVENTS, dtype=np.uint64) + 2**40,
        "run": np.full(EVENTS, 3_000_000_000, dtype=np.uint32),
        "weight": draw.normal(1.0, 0.3, EVENTS),
        "MET_pt": draw.exponential(30.0, EVENTS).astype(np.float32),
        "trigger": draw.random(EVENTS) < 0.7,
        "i8": draw.integers(-128, 128, EVENTS).astype(np.int8),
        "u8": draw.integers(0, 256, EVENTS).astype(np.uint8),
        "i16": draw.integers(-(2**15), 2**15, EVENTS).astype(np.int16),
        "u16": draw.integers(0, 2**16, EVENTS).astype(np.uint16),
        "i64": draw.integers(-(2**62), 2**62, EVENTS),
        "vertex": draw.normal(0.0, 1.0, (EVENTS, 3)).astype(np.float32),
        "Muon_pt": lists(draw.exponential(20.0, muons).astype(np.float32)),
        "Muon_eta": lists(draw.normal(0.0, 1.5, muons)),
        "Muon_charge": lists(draw.choice([-1, 1], muons).astype(np.int32)),
        "Muon_tight": lists(draw.random(muons) < 0.5),
    }


def group(data: dict[str, Any]) -> dict[str, Any]:
    """What uproot turns into one counter `nMuon` and columns `Muon_*`."""
    muon = {name.removeprefix("Muon_"): data[name] for name in data if name.startswith("Muon_")}
    rest = {name: data[name] for name in data if not name.startswith("Muon_")}
    return {**rest, "Muon": ak.zip(muon)}


def write_trees(path: Path, compression: Any, names: list[str] | None = None) -> None:
    data = group({name: column for name, column in columns().items() if names is None or name in names})
    with uproot.recreate(path, compression=compression) as file:
        tree = file.mktree("Events", {name: column[: CUTS[1]] for name, column in data.items()})
        for start, stop in itertools.pairwise(CUTS[1:]):
            tree.extend({name: column[start:stop] for name, column in data.items()})
        if names is None:
            runs = {"run": np.array([1, 2, 3], dtype=np.int32), "lumi": np.array([0.5, 1.5, 2.5])}
            file.mktree("runs/Runs", runs)


def write_cycles(path: Path) -> None:
    with uproot.recreate(path, compression=None) as file:
        for entries in (3, 5):
            file.mktree("Events", {"x": np.arange(entries, dtype=np.int32)})


def write_histograms(path: Path) -> None:
    draw = np.random.default_rng(7)
    with uproot.recreate(path, compression=uproot.ZLIB(4)) as file:
        file["flat"] = np.histogram(draw.normal(0.0, 1.0, 1000), bins=20, range=(-3.0, 3.0))
        edges = np.array([0.0, 1.0, 2.5, 5.0, 10.0])
        file["edges"] = np.histogram(draw.exponential(2.0, 500), bins=edges)
        file["plane"] = np.histogram2d(
            draw.normal(0.0, 1.0, 800), draw.exponential(1.0, 800), bins=(4, 3), range=((-2.0, 2.0), (0.0, 3.0))
        )


def write_ntuple(path: Path, compression: Any) -> None:
    data = columns()
    draw = np.random.default_rng(11)
    counts = ak.num(data["Muon_pt"])
    inner = draw.integers(0, 4, int(ak.sum(counts)))
    hits = ak.unflatten(ak.unflatten(draw.normal(0.0, 1.0, int(inner.sum())), inner), counts)
    # Made from a list: of a masked array uproot writes the hidden values as well, and then reads the wrong ones.
    keep = draw.random(EVENTS) < 0.6
    optional = ak.from_iter([float(w) if k else None for w, k in zip(data["weight"], keep, strict=True)])
    table = ak.Array(
        {
            "event": data["event"],
            "trigger": data["trigger"],
            "i8": data["i8"],
            "i16": data["i16"],
            "i64": data["i64"],
            "weight": data["weight"],
            "optional": optional,
            "label": [f"event {k}" if k % 3 else "" for k in range(EVENTS)],
            "muons": ak.zip({"pt": data["Muon_pt"], "charge": data["Muon_charge"]}),
            "hits": hits,
        }
    )
    with uproot.recreate(path, compression=compression) as file:
        ntuple = file.mkrntuple("Events", table[: CUTS[1]])
        ntuple.extend(table[CUTS[1] :])


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_trees(folder / "muons_zlib.root", uproot.ZLIB(4))
    compressions = {
        "none": None,
        "lz4": uproot.LZ4(4),
        "zstd": uproot.ZSTD(4),
        "lzma": uproot.LZMA(4),
    }
    for name, compression in compressions.items():
        write_trees(folder / f"muons_{name}.root", compression, ["event", "weight", "Muon_pt", "Muon_charge"])
    write_cycles(folder / "cycles.root")
    write_histograms(folder / "histograms.root")
    write_ntuple(folder / "ntuple_zlib.root", uproot.ZLIB(4))
    write_ntuple(folder / "ntuple_none.root", None)


if __name__ == "__main__":
    main()
