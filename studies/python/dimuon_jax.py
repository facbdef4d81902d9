"""The dimuon likelihood in JAX on flat indices, for values and times beside those of pullback.

    python dimuon_jax.py EXPORT THREADS

EXPORT is what `cargo xtask study calibration --export FILE` writes. Pairs are formed and selected by Awkward and NumPy; the jitted function has flat columns of muons and the
indices of both members of each selected pair ("ragged"), or the columns of the pairs themselves ("pairs"). Prints `key=seconds` lines: processor time of one thread, wall
time of two, the smallest of several calls, compilation apart. Fails if the value at the minimum differs from that of pullback.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

threads = int(sys.argv[2])
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
os.environ["XLA_FLAGS"] = (
    f"--xla_force_host_platform_device_count=1 --xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
)

import awkward as ak  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import uproot  # noqa: E402
from scipy.optimize import minimize  # noqa: E402

jax.config.update("jax_enable_x64", True)
MUON = 0.1056583755
UNITS = (1e-3, 1e-2, 1e-4, 1e-4)
Arrays = dict[str, Any]
clock = time.process_time if threads == 1 else time.perf_counter


def timed(f: Callable[[], Any], rounds: int) -> float:
    """The smallest time of a call."""
    best = np.inf
    for _ in range(rounds):
        start = clock()
        f()
        best = min(best, clock() - start)
    return float(best)


def resolution(pt: Any, eta: Any) -> Any:
    """The nominal resolution of the generator."""
    return ((0.008 + 0.003 * eta**2) ** 2 + (5e-5 * pt * (1 + 0.3 * eta**2)) ** 2) ** 0.5


def columns(xp: Any, peak: Arrays, m: Arrays, i: Any, j: Any) -> tuple[Any, ...]:
    """ln(m/M), its sensitivities and the constrained momenta of pairs (i, j)."""
    two = 2 * MUON**2
    px, py, pz = m["pt"] * xp.cos(m["phi"]), m["pt"] * xp.sin(m["phi"]), m["pt"] * xp.sinh(m["eta"])
    e = xp.sqrt(px**2 + py**2 + pz**2 + MUON**2)
    m2 = 2 * (e[i] * e[j] - px[i] * px[j] - py[i] * py[j] - pz[i] * pz[j]) + two
    y = 0.5 * xp.log(m2 / peak["mass"] ** 2)
    k = [0.5 * (1 - two * (1 + e[b] / e[a]) / m2) for a, b in ((i, j), (j, i))]
    pull = [k[n] * resolution(m["pt"][a], m["eta"][a]) ** 2 for n, a in enumerate((i, j))]
    variance = k[0] * pull[0] + k[1] * pull[1]
    pt = [m["pt"][a] * xp.exp(-pull[n] / variance * y) for n, a in enumerate((i, j))]
    return m2, y, k, pt


def select(export: Arrays, events: ak.Array) -> tuple[Arrays, list[tuple[Any, Any]]]:
    """Flat columns of good muons, and the indices of the pairs of each peak."""
    good = (abs(events.eta) < export["edges"][-1]) & (events.pt > export["loosest"])
    kept = events[good]
    flat = {name: ak.to_numpy(ak.flatten(kept[name])) for name in ("pt", "eta", "phi", "charge")}
    index = ak.unflatten(np.arange(len(flat["pt"])), ak.num(kept.pt))
    left, right = (ak.to_numpy(ak.flatten(x)) for x in ak.unzip(ak.combinations(index, 2)))
    opposite = flat["charge"][left] * flat["charge"][right] < 0
    left, right = left[opposite], right[opposite]
    chosen = []
    for peak, cut in zip(export["lattices"], export["cuts"], strict=True):
        m2, _, _, pt = columns(np, peak, flat, left, right)
        low, high = (peak["mass"] ** 2 * np.exp(2 * y) for y in peak["window"])
        keep = (m2 >= low) & (m2 < high) & (pt[0] > cut) & (pt[1] > cut)
        chosen.append((left[keep], right[keep]))
    flat["bin"] = np.searchsorted(np.asarray(export["edges"]), abs(flat["eta"]), side="right") - 1
    return flat, chosen


def norm(peak: Arrays, shift: Any, variance: Any) -> Any:
    """The norm in the window, from the moments of a normal number."""
    ends = []
    for edge in peak["edges"]:
        before, moment, total = 0.0 * shift, 1.0 + 0.0 * shift, edge[0] + 0.0 * shift
        for n, c in enumerate(edge[1:], 1):
            before, moment = moment, shift * moment + (n - 1) * variance * before
            total = total + c * moment
        ends.append(total)
    return ends[1] - ends[0]


def twice_nll(export: Arrays, which: int, theta: Any, y: Any, bins: Any, k: Any, pt: Any) -> Any:
    """-2 ln L of the pairs of a peak."""
    peak, n = export["lattices"][which], len(export["edges"]) - 1
    a, c, v, w = (theta[q * n : (q + 1) * n] for q in range(4))
    shift, variance = 0.0, 0.0
    for b, kappa, p in zip(bins, k, pt, strict=True):
        t = p**2 / (p**2 + 400.0)
        own = v[b] * (UNITS[2] * (1 - t)) + w[b] * (UNITS[3] * t)
        shift = shift + kappa * (a[b] * UNITS[0] + c[b] * (UNITS[1] / p) + 0.5 * own)
        variance = variance + kappa**2 * own
    category = jnp.maximum(*bins)
    logit = theta[(4 + which) * n : (5 + which) * n][category]
    slope = theta[6 * n : 7 * n][category] if which == 0 else theta[7 * n]
    points, weights = jnp.asarray(peak["points"]), jnp.asarray(peak["weights"])
    inverse = 1 / jnp.sqrt(variance)
    pull = ((y - shift)[:, None] - points) * inverse[:, None]
    signal = jnp.exp(-0.5 * pull**2) @ weights * inverse / norm(peak, shift, variance) / np.sqrt(2 * np.pi)
    low, high = peak["window"]
    background = (1 + slope * (2 * (y - low) / (high - low) - 1)) / (high - low)
    return -2 * jnp.sum(jnp.log(signal + (background - signal) * jax.nn.sigmoid(logit)))


def main() -> None:
    """Times and values."""
    export = json.loads(Path(sys.argv[1]).read_text())
    tree = uproot.open(export["file"])["Events"].arrays(["Muon_pt", "Muon_eta", "Muon_phi", "Muon_charge"])
    events = ak.zip(
        {name: ak.values_astype(tree[f"Muon_{name}"], "float64") for name in ("pt", "eta", "phi", "charge")}
    )
    print(f"awkward selection={timed(lambda: select(export, events), 5)}")
    flat, chosen = select(export, events)
    print(f"pairs {[len(i) for i, _ in chosen]}")
    muons = {name: jnp.asarray(x) for name, x in flat.items()}
    index = [(jnp.asarray(i), jnp.asarray(j)) for i, j in chosen]

    def ragged(theta: Any, muons: Arrays, index: Any) -> Any:
        total = 0.0
        for which, (i, j) in enumerate(index):
            _, y, k, pt = columns(jnp, export["lattices"][which], muons, i, j)
            total = total + twice_nll(export, which, theta, y, (muons["bin"][i], muons["bin"][j]), k, pt)
        return total

    def pairs(theta: Any, made: Any) -> Any:
        return sum(twice_nll(export, which, theta, *one) for which, one in enumerate(made))

    made = []
    for which, (i, j) in enumerate(index):
        _, y, k, pt = columns(jnp, export["lattices"][which], muons, i, j)
        made.append((y, (muons["bin"][i], muons["bin"][j]), k, pt))
    theta = jnp.asarray(export["start"])
    forms: dict[str, tuple[Any, tuple[Any, ...]]] = {"ragged": (ragged, (muons, index)), "pairs": (pairs, (made,))}
    ready: dict[str, Any] = {}
    for form, (f, data) in forms.items():
        jobs = [("value", f, 25), ("gradient", jax.value_and_grad(f), 25)]
        if threads == 1:
            jobs.append(("hessian", jax.hessian(f), 3))
        for what, g, rounds in jobs:
            begin = clock()
            ready[f"{form} {what}"] = compiled = jax.jit(g).lower(theta, *data).compile()
            print(f"{form} {what} compilation {clock() - begin:.2f} s")
            jax.block_until_ready(compiled(theta, *data))
            call = lambda: jax.block_until_ready(compiled(theta, *data))  # noqa: B023, E731
            print(f"{form} {what}={timed(call, rounds)}")
    value = float(ready["ragged value"](jnp.asarray(export["minimum"]), muons, index))
    print(f"-2 ln L at the minimum differs by {value - export['twice_nll']:.1e}")
    if abs(value - export["twice_nll"]) > 1e-6:
        sys.exit("the values differ")

    def minimum() -> Any:
        return minimize(
            lambda x: tuple(np.asarray(r, dtype=float) for r in ready["pairs gradient"](jnp.asarray(x), made)),
            np.asarray(export["start"]),
            jac=True,
            bounds=list(zip(export["lower"], export["upper"], strict=True)),
            method="L-BFGS-B",
            options={"ftol": 1e-14, "gtol": 1e-4, "maxiter": 2000, "maxfun": 4000},
        )

    found = minimum()
    print(f"pairs fit={timed(minimum, 1)}")
    off = np.max(np.abs(found.x - np.asarray(export["minimum"])) / np.asarray(export["errors"]))
    print(
        f"L-BFGS-B of scipy: -2 ln L differs by {found.fun - export['twice_nll']:.1e}, parameters by {off:.1e} standard errors, {found.nfev} gradients"
    )


main()
