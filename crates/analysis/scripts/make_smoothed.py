"""Writes tests/data/smoothed.json: random lists, and what cabinetry's `smooth_353qh_twice` makes of them.

pip download --no-deps cabinetry==0.6.0 && unzip cabinetry-*.whl
python scripts/make_smoothed.py cabinetry/smooth.py
"""

import importlib.util
import json
import random
import sys
from pathlib import Path

spec = importlib.util.spec_from_file_location("smooth", sys.argv[1])
if spec is None or spec.loader is None:
    sys.exit(f"{sys.argv[1]} is no module")
smooth = importlib.util.module_from_spec(spec)
spec.loader.exec_module(smooth)

rng = random.Random(353)
lists = []
for n in (3, 4, 5, 6, 8, 12, 20, 40):
    for kind in range(6):
        slope, spread = rng.uniform(-0.3, 0.3) / n, (0.0, 0.02, 0.2)[kind % 3]
        values = [1 + slope * k + rng.gauss(0, spread) for k in range(n)]
        # Equal neighbours: flat segments have a rule of their own.
        lists.append([round(v, 1) for v in values] if kind >= 3 else values)
cases = [{"from": values, "to": [float(x) for x in smooth.smooth_353qh_twice(list(values))]} for values in lists]
data = Path(__file__).parent.parent / "tests" / "data" / "smoothed.json"
data.write_text(json.dumps(cases) + "\n")
