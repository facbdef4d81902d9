"""Times of uproot for `benches/src/bin/root_files.rs`, which runs it; on stdout JSON, seconds of processor time, minima.

Usage: python uproot_timing.py FILE:TREE[:COLUMN,COLUMN..]...
       python uproot_timing.py --make FILE

`--make` writes a file of 300,000 events with some 600,000 muons in 30 baskets per branch, compressed with zlib.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import awkward as ak
import numpy as np
import uproot


def make(path: str) -> None:
    draw = np.random.default_rng(3)
    with uproot.recreate(path, compression=uproot.ZLIB(1)) as file:
        tree = None
        for _ in range(30):
            counts = draw.poisson(2.0, 10_000)
            muons = int(counts.sum())

            def column(scale: float, muons: int = muons, counts: np.ndarray = counts) -> ak.Array:
                # As in a NanoAOD file, mantissas are cut to ten bits or so.
                numbers = draw.exponential(scale, muons).astype(np.float32)
                return ak.unflatten((numbers.view(np.uint32) & 0xFFFFE000).view(np.float32), counts)

            chunk = {
                "Muon": ak.zip({name: column(scale) for name, scale in (("pt", 20.0), ("eta", 1.5), ("phi", 3.0))}),
                "MET_pt": draw.exponential(30.0, 10_000).astype(np.float32),
            }
            if tree is None:
                tree = file.mktree("Events", chunk)
            else:
                tree.extend(chunk)


def fastest(run: Callable[[], object]) -> float:
    best = float("inf")
    begin = time.perf_counter()
    rounds = 0
    while rounds < 5 or (time.perf_counter() - begin < 3.0 and rounds < 50):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
        rounds += 1
    return best


def main() -> None:
    if sys.argv[1] == "--make":
        make(sys.argv[2])
        return
    results = []
    for job in sys.argv[1:]:
        path, tree, *columns = job.split(":")
        names = columns[0].split(",") if columns else None

        def open_tree(path: str = path, tree: str = tree) -> uproot.TTree:
            opened = uproot.open(path, array_cache=None, object_cache=None)[tree]
            opened.keys()
            return opened

        def read(opener: Callable[[], uproot.TTree] = open_tree, names: list[str] | None = names) -> ak.Array:
            return opener().arrays(names, library="ak", array_cache=None)

        results.append({"open": fastest(open_tree), "read": fastest(read)})
    print(json.dumps(results))


if __name__ == "__main__":
    main()
