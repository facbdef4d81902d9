"""Small Parquet files for the tests of this crate, written by pyarrow, and what is in them.

Usage: python make_parquet_files.py FOLDER [SHARED_DATA]

The same table (every type, lists of lists, options, records, maps, texts) in several compressions, encodings and page versions, several row groups and pages;
`parquet.json` holds for each file and column the levels and values that the reader should give, as sums. With the folder of shared data the reference of its Parquet
files goes to `parquet_shared.json`. (Made with pyarrow 26.0.1.)
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

EVENTS = 300


def table() -> pa.Table:
    draw = np.random.default_rng(5)

    def some(values: list[Any], share: float = 0.2) -> list[Any]:
        return [None if draw.random() < share else v for v in values]

    def lists(make: Any, most: int = 4) -> list[Any]:
        return [make(int(n)) for n in draw.integers(0, most, EVENTS)]

    def floats(n: int) -> list[float]:
        return [float(x) for x in draw.normal(0.0, 10.0, n).astype(np.float32)]

    deep = lists(lambda n: [floats(k) for k in draw.integers(0, 3, (n,)).tolist()])
    deep_options = some(
        [some([some(inner) for inner in outer]) for outer in lists(lambda n: [floats(2) for _ in range(n)])]
    )
    record = pa.struct([pa.field("pt", pa.float32(), nullable=False), pa.field("charge", pa.int8())])
    muons = lists(lambda n: [{"pt": x, "charge": int(draw.integers(-1, 2)) or None} for x in floats(n)])
    required = {
        "event": pa.array(range(2**40, 2**40 + EVENTS), pa.uint64()),
        "run": pa.array([3_000_000_000] * EVENTS, pa.uint32()),
        "i8": pa.array(draw.integers(-128, 128, EVENTS), pa.int8()),
        "u8": pa.array(draw.integers(0, 256, EVENTS), pa.uint8()),
        "i16": pa.array(draw.integers(-(2**15), 2**15, EVENTS), pa.int16()),
        "u16": pa.array(draw.integers(0, 2**16, EVENTS), pa.uint16()),
        "i32": pa.array(draw.integers(-(2**31), 2**31, EVENTS), pa.int32()),
        "i64": pa.array(draw.integers(-(2**62), 2**62, EVENTS), pa.int64()),
        "half": pa.array(draw.normal(0.0, 1.0, EVENTS).astype(np.float16)),
        "f32": pa.array(draw.normal(0.0, 1.0, EVENTS), pa.float32()),
        "f64": pa.array(draw.normal(0.0, 1.0, EVENTS), pa.float64()),
        "few": pa.array(draw.integers(0, 3, EVENTS) * 0.5, pa.float64()),
        "flag": pa.array(draw.random(EVENTS) < 0.7),
        "label": pa.array([f"label {k % 7}" if k % 3 else "" for k in range(EVENTS)]),
    }
    fields = [pa.field(name, column.type, nullable=False) for name, column in required.items()]
    columns: list[Any] = list(required.values())
    more: list[tuple[str, pa.DataType, list[Any]]] = [
        ("maybe", pa.float64(), some([float(x) for x in draw.normal(0.0, 1.0, EVENTS)])),
        ("maybe_label", pa.string(), some([f"x{k}" for k in range(EVENTS)])),
        ("jets", pa.list_(pa.float32()), some(lists(floats))),
        ("hits", pa.list_(pa.list_(pa.float32())), deep),
        ("deep", pa.list_(pa.list_(pa.float32())), deep_options),
        ("muons", pa.list_(record), muons),
        ("names", pa.list_(pa.string()), lists(lambda n: [f"n{k}" for k in range(n)])),
        ("scores", pa.map_(pa.string(), pa.float64()), lists(lambda n: [(f"k{k}", k / 2) for k in range(n)])),
        (
            "met",
            pa.struct([("pt", pa.float32()), ("phi", pa.float32())]),
            some([{"pt": x, "phi": -x} for x in floats(EVENTS)]),
        ),
    ]
    for name, kind, values in more:
        fields.append(pa.field(name, kind))
        columns.append(pa.array(values, kind))
    return pa.table(columns, schema=pa.schema(fields))


def flatten(name: str, kind: pa.DataType, values: list[Any], to: dict[str, Any]) -> None:
    """Columns by their names, as nested Python lists with `None` for what is missing."""
    if pa.types.is_map(kind):
        flatten(f"{name}.key", pa.list_(kind.key_type), inside(values, lambda pair: pair[0]), to)
        flatten(f"{name}.value", pa.list_(kind.item_type), inside(values, lambda pair: pair[1]), to)
    elif pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        for field in kind.value_type:
            picked = inside(values, lambda record, key=field.name: None if record is None else record[key])
            flatten(f"{name}.{field.name}", pa.list_(field.type), picked, to)
    elif pa.types.is_struct(kind):
        for field in kind:
            flatten(f"{name}.{field.name}", field.type, [None if v is None else v[field.name] for v in values], to)
    else:
        to[name] = values


def inside(values: list[Any], pick: Any) -> list[Any]:
    return [None if v is None else [pick(item) for item in v] for v in values]


def sums(values: list[Any]) -> dict[str, Any]:
    """Numbers of entries, of things that are missing and of leaves by depth, and sums weighted by position."""
    found: dict[str, Any] = {"entries": len(values), "missing": 0, "lists": [], "leaves": 0, "sum": 0, "weighted": 0}
    exact: list[float] = []
    weighted: list[float] = []

    def walk(value: Any, depth: int) -> None:
        if value is None:
            found["missing"] += 1
        elif isinstance(value, list):
            while len(found["lists"]) <= depth:
                found["lists"].append(0)
            found["lists"][depth] += len(value)
            for item in value:
                walk(item, depth + 1)
        else:
            number = value
            if isinstance(value, str):
                number = len(value.encode())
            elif isinstance(value, bytes):
                number = len(value)
            found["leaves"] += 1
            k = (found["leaves"] - 1) % 1009 + 1
            if isinstance(number, float):
                if math.isfinite(number):
                    exact.append(number)
                    weighted.append(number * k)
            else:
                found["sum"] += int(number)
                found["weighted"] += int(number) * k

    for value in values:
        walk(value, 0)
    found["sum"] = str(found["sum"]) if not exact else math.fsum(exact)
    found["weighted"] = str(found["weighted"]) if not weighted else math.fsum(weighted)
    return found


def reference(path: Path) -> dict[str, Any]:
    read = pq.read_table(path)
    columns: dict[str, Any] = {}
    for field in read.schema:
        flatten(field.name, field.type, read[field.name].to_pylist(), columns)
    return {name: sums(values) for name, values in columns.items()}


def main() -> None:
    folder = Path(sys.argv[1])
    data = table()
    # Texts of `label` repeat: a dictionary. Everything else has its own encoding where the writer is told so.
    delta = {
        "event": "DELTA_BINARY_PACKED",
        "i32": "DELTA_BINARY_PACKED",
        "i64": "DELTA_BINARY_PACKED",
        "f32": "BYTE_STREAM_SPLIT",
    }
    delta |= {
        "f64": "BYTE_STREAM_SPLIT",
        "label": "DELTA_BYTE_ARRAY",
        "maybe_label": "DELTA_LENGTH_BYTE_ARRAY",
        "flag": "RLE",
    }
    kinds: dict[str, dict[str, Any]] = {
        "none": {"compression": "none", "use_dictionary": False},
        "snappy": {"compression": "snappy", "row_group_size": 100, "data_page_size": 200, "write_page_checksum": True},
        "gzip": {"compression": "gzip", "row_group_size": 170},
        "lz4": {
            "compression": "lz4",
            "use_dictionary": ["few", "label"],
            "data_page_version": "2.0",
            "data_page_size": 100,
        },
        "zstd": {"compression": "zstd", "use_dictionary": False, "column_encoding": delta, "data_page_version": "2.0"},
    }
    found = {}
    for name, options in kinds.items():
        path = folder / f"table_{name}.parquet"
        pq.write_table(data, path, **({"write_batch_size": 16, "store_schema": False} | options))
        found[path.name] = reference(path)
    (folder / "parquet.json").write_text(json.dumps(found, indent=1) + "\n")
    if len(sys.argv) > 2:
        shared = Path(sys.argv[2])
        files = ["coffea-samples/nano_dimuon.parquet", "coffea-samples/nano_dy.parquet"]
        files.append("fair-universe-higgsml/FAIR_Universe_HiggsML_data.parquet")
        text = json.dumps({name: reference(shared / name) for name in files})
        (folder / "parquet_shared.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
