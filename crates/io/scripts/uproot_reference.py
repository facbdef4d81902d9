"""Sums over every column of ROOT files, as uproot reads them: the reference of `tests/uproot_sums.rs`.

Usage: python uproot_reference.py OUT.json FOLDER_OR_FILE...

For each tree and ntuple of each file, and each column of numbers or text in it: element type, how many elements there are, the exactly
rounded sum of the finite ones (integers: exact), their sum with the weights 1, 2, .. 1009, 1, 2, .. by position (finds wrong orders),
how many are not finite, and for lists the same weighted sum over the lengths of the first level.
Text counts by its length in bytes. For histograms: sums over values and variances with flow bins, and the edges.

Needs uproot and awkward (made with uproot 5.7.7, awkward 2.14.0, numpy 2.4.6).
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

PERIOD = 1009


def full_name(name: str, parent: str | None) -> str:
    """The name of a branch in `pullback_io::root::Tree`."""
    own = name.rstrip(".")
    if parent is None or own.startswith(parent + "."):
        return own
    return f"{parent}.{own}"


def weights(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.int64) % PERIOD + 1


def summary(flat: np.ndarray) -> list[Any]:
    """Type, count, sum and weighted sum of a flat array, and how many elements are not finite."""
    by_position = weights(len(flat))
    if flat.dtype.kind in "biu":
        numbers = flat.astype(object) if flat.dtype.itemsize == 8 else flat.astype(np.int64)
        sums = [str(int(numbers.sum())), str(int((numbers * by_position).sum()))] if len(flat) else ["0", "0"]
        return [flat.dtype.name, len(flat), *sums, 0]
    numbers = flat.astype(np.float64)
    finite = np.isfinite(numbers)
    kept = np.where(finite, numbers, 0.0)
    float_sums = [math.fsum(kept), math.fsum(kept * by_position)]
    return [flat.dtype.name, len(flat), *float_sums, int((~finite).sum())]


def is_text(array: ak.Array) -> bool:
    layout = ak.to_layout(array)
    while True:
        if layout.parameter("__array__") in ("string", "bytestring"):
            return True
        if not hasattr(layout, "content"):
            return False
        layout = layout.content


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode(errors="surrogateescape")
    elif value is not None:
        for item in value:
            yield from texts(item)


def first_lists(array: ak.Array) -> str | None:
    layout = ak.to_layout(array)
    if not layout.is_list or layout.is_regular or layout.parameter("__array__") is not None:
        return None
    lengths = np.asarray(ak.num(array, axis=1), dtype=np.int64)
    return str(int((lengths * weights(len(lengths))).sum()))


def columns(array: ak.Array, name: str) -> Iterator[tuple[str, list[Any]]]:
    """The columns in an array: records are taken apart."""
    if array.fields:
        for field in array.fields:
            if not field.startswith("@"):
                yield from columns(array[field], f"{name}.{field}")
        return
    if is_text(array):
        lengths = [len(text.encode(errors="surrogateescape")) for text in texts(ak.to_list(array))]
        found = summary(np.array(lengths, dtype=np.int64))
        found[0] = "str"
    else:
        layout = ak.to_layout(array)
        while hasattr(layout, "content"):
            layout = layout.content
        if not isinstance(layout, ak.contents.NumpyArray) or layout.dtype.kind not in "biuf":
            return
        found = summary(np.asarray(ak.flatten(array, axis=None)))
    lists = first_lists(array)
    if lists is not None:
        found.append(lists)
    yield name, found


def branches(parent: Any, path: str | None = None) -> Iterator[tuple[str, Any]]:
    for branch in parent.branches:
        name = full_name(branch.name, path)
        yield name, branch
        yield from branches(branch, name)


def tree_columns(tree: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, branch in branches(tree):
        kind = type(branch.interpretation).__name__
        if kind in ("AsGrouped", "UnknownInterpretation"):
            continue
        try:
            for column, sums in columns(branch.array(library="ak"), name):
                key = column
                repeat = 2
                while key in found:
                    key = f"{column}#{repeat}"
                    repeat += 1
                found[key] = sums
        except Exception as error:  # What uproot cannot read is no reference.
            print(f"    {name}: {type(error).__name__}: {str(error).splitlines()[0][:100]}")
    return found


def ntuple_columns(ntuple: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ntuple.keys(recursive=False):
        try:
            array = ntuple[name].array()
            found.update(columns(array, name))
        except Exception as error:  # What uproot cannot read is no reference.
            print(f"    {name}: {type(error).__name__}: {str(error).splitlines()[0][:100]}")
    return found


def histogram(object_: Any) -> dict[str, Any]:
    values = object_.values(flow=True)
    variances = object_.variances(flow=True)
    return {
        "values": summary(np.asarray(values, dtype=np.float64).T.ravel()),
        "variances": summary(np.asarray(variances, dtype=np.float64).T.ravel()),
        "edges": [summary(np.asarray(axis.edges())) for axis in object_.axes],
    }


def read(path: Path) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    histograms: dict[str, Any] = {}
    with uproot.open(path) as file:
        for key, classname in file.classnames(recursive=True, cycle=False).items():
            if classname in ("TTree", "TNtuple", "TNtupleD", "ROOT::RNTuple"):
                table = file[key]
                read_columns = ntuple_columns if "RNTuple" in classname else tree_columns
                tables[key] = {"entries": int(table.num_entries), "columns": read_columns(table)}
            elif classname[:3] in ("TH1", "TH2", "TH3") and classname[3:] in set("CSILFD"):
                histograms[key] = histogram(file[key])
    return {"tables": tables, "histograms": histograms}


def main() -> None:
    out, *arguments = sys.argv[1:]
    paths: list[Path] = []
    for argument in map(Path, arguments):
        paths += sorted(argument.rglob("*.root")) if argument.is_dir() else [argument]
    result = {}
    for path in paths:
        print(path)
        name = f"{path.parent.name}/{path.name}"
        try:
            result[name] = read(path)
        except Exception as error:  # What uproot cannot read is no reference.
            print(f"    {type(error).__name__}: {str(error).splitlines()[0][:100]}")
    Path(out).write_text(json.dumps(result, indent=0, sort_keys=True).replace("\n", "") + "\n")


if __name__ == "__main__":
    main()
