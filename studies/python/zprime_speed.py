"""The selection of the Z' study in Awkward/NumPy (exact value) and in JAX with flat indices (soft value and gradient), on the same events.

Called by `cargo xtask study zprime_speed PYTHON` with a JSON that names the file, the values of all inputs and the widths. Times are processor time of one thread, in ns per event.
"""

import json
import os
import sys
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import awkward as ak  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

jax.config.update("jax_enable_x64", True)

about = json.loads(Path(sys.argv[1]).read_text())
values = about["values"]
cut = {k: v[0] for k, v in values.items() if k.endswith("_cut")}
edges = np.array(values["score edges"])
weights = np.array(values["nn"])
standard = np.array(values["nn inputs"])
width = {label.split(": ")[-1]: about["temperature"] * spread for label, spread in about["spreads"]}
COLUMNS = [
    "HLT_IsoMu24", "genWeight", "MET_pt", "MET_phi",
    *(f"Muon_{f}" for f in ("pt", "eta", "phi", "mass", "pfRelIso04_all")),
    *(f"Jet_{f}" for f in ("pt", "eta", "phi", "mass", "btagDeepFlavB")),
]  # fmt: skip
table = pq.read_table(about["file"], columns=COLUMNS)
events = {c: ak.from_arrow(table[c]) for c in COLUMNS}
events = {
    c: ak.values_astype(ak.drop_none(a) if a.ndim > 1 else ak.fill_none(a, 0), bool if c.startswith("HLT") else float)
    for c, a in events.items()
}
N = len(events["MET_pt"])


def least(f, repeats=7):
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        f()
        best = min(best, time.process_time() - start)
    return 1e9 * best / N


def network(x, w, np=np):
    """x: [events, 9]."""
    at = 0
    for n, m in ((9, 16), (16, 16)):
        x = np.tanh(x @ w[at : at + n * m].reshape(n, m) + w[at + n * m : at + n * m + m])
        at += n * m + m
    return 1 / (1 + np.exp(-(x @ w[at : at + 16] + w[at + 16])))


def momentum(pt, eta, phi, mass):
    px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
    return px, py, pz, np.sqrt(px**2 + py**2 + pz**2 + mass**2)


def awkward():
    e = events
    good = (e["Muon_pt"] > 25) & (abs(e["Muon_eta"]) < 2.4) & (e["Muon_pfRelIso04_all"] < 0.15)
    mu = {f: e[f"Muon_{f}"][good] for f in ("pt", "eta", "phi", "mass")}
    jet = {f: e[f"Jet_{f}"] for f in ("pt", "eta", "phi", "mass", "btagDeepFlavB")}
    pairs_eta = ak.cartesian([jet["eta"], mu["eta"]], nested=True)
    pairs_phi = ak.cartesian([jet["phi"], mu["phi"]], nested=True)
    a, b = ak.unzip(pairs_eta)
    c, d = ak.unzip(pairs_phi)
    dphi = (c - d + np.pi) % (2 * np.pi) - np.pi
    near = ak.any((a - b) ** 2 + dphi**2 < 0.16, axis=2)
    kept = (jet["pt"] > 30) & (abs(jet["eta"]) < 2.5) & ~near
    al = {f: v[kept] for f, v in jet.items()}
    hard = al["pt"] > cut["jet_cut"]
    ht = ak.sum(al["pt"][hard], axis=1)
    lep = [ak.sum(p, axis=1) for p in momentum(mu["pt"], mu["eta"], mu["phi"], mu["mass"])]
    jets = [ak.sum(p, axis=1) for p in momentum(al["pt"], al["eta"], al["phi"], al["mass"])]
    px, py, pz, en = (np.asarray(a + b) for a, b in zip(lep, jets, strict=True))
    m_vis = np.sqrt(np.maximum(en**2 - px**2 - py**2 - pz**2, 0))
    lep_pt = np.hypot(np.asarray(lep[0]), np.asarray(lep[1]))
    lead = np.asarray(ak.fill_none(ak.max(al["pt"], axis=1), 0))
    met, met_phi = np.asarray(e["MET_pt"]), np.asarray(e["MET_phi"])
    n_b = np.asarray(ak.sum(al["btagDeepFlavB"] > 0.3, axis=1))
    n_all = np.asarray(ak.num(al["pt"]))
    lep_phi = np.arctan2(np.asarray(lep[1]), np.asarray(lep[0]))
    m_t = np.sqrt(np.maximum(2 * lep_pt * met * (1 - np.cos(lep_phi - met_phi)), 0))
    x = np.stack(
        [lep_pt, met, lead, np.asarray(ak.sum(al["pt"], axis=1)), m_vis, n_all, n_b, m_t, np.hypot(px, py)], axis=1
    )
    score = network((x - standard[:9]) * standard[9:], weights)
    passed = (
        np.asarray(e["HLT_IsoMu24"]) & (np.asarray(ak.num(mu["pt"])) == 1) & (n_b >= 1) & (n_all >= 3)
        & (np.asarray(ak.sum(hard, axis=1)) >= 3) & (lep_pt > cut["lep_cut"]) & (met > cut["met_cut"])
        & (lead > cut["lead_cut"]) & (np.asarray(ht) > cut["ht_cut"]) & (m_vis > cut["mass_cut"])
    )  # fmt: skip
    w = np.asarray(e["genWeight"])
    return np.histogram(score[passed], edges, weights=w[passed])[0], passed.sum()


def flat():
    """Everything that JAX needs, with the event of each jet; what does not move is computed here, once."""
    e = events
    good = (e["Muon_pt"] > 25) & (abs(e["Muon_eta"]) < 2.4) & (e["Muon_pfRelIso04_all"] < 0.15)
    mu = {f: e[f"Muon_{f}"][good] for f in ("pt", "eta", "phi", "mass")}
    n_mu = ak.num(mu["pt"])
    out = {f"mu_{f}": np.asarray(ak.flatten(v)) for f, v in mu.items()}
    out["mu_event"] = np.repeat(np.arange(N), n_mu)
    for f in ("pt", "eta", "phi", "mass", "btagDeepFlavB"):
        out[f"jet_{f}"] = np.asarray(ak.flatten(e[f"Jet_{f}"]))
    n_jet = ak.num(e["Jet_pt"])
    out["jet_event"] = np.repeat(np.arange(N), n_jet)
    i, j = ak.unzip(ak.cartesian([ak.local_index(e["Jet_pt"]), ak.local_index(mu["pt"])]))
    first = np.concatenate([[0], np.cumsum(n_jet)[:-1]])
    first_mu = np.concatenate([[0], np.cumsum(n_mu)[:-1]])
    out["pair_jet"] = np.asarray(ak.flatten(i + first))
    out["pair_mu"] = np.asarray(ak.flatten(j + first_mu))
    out["n_mu"] = np.asarray(n_mu)
    for c in ("HLT_IsoMu24", "genWeight", "MET_pt", "MET_phi"):
        out[c] = np.asarray(e[c])
    return {k: jnp.asarray(v) for k, v in out.items()}


def soft(free, f):
    per_event = lambda v, of: jax.ops.segment_sum(v, f[f"{of}_event"], N, indices_are_sorted=True)  # noqa: E731
    pj, pm = f["pair_jet"], f["pair_mu"]
    dphi = (f["jet_phi"][pj] - f["mu_phi"][pm] + jnp.pi) % (2 * jnp.pi) - jnp.pi
    close = (f["jet_eta"][pj] - f["mu_eta"][pm]) ** 2 + dphi**2 < 0.16
    near = jax.ops.segment_max(close.astype(float), pj, len(f["jet_pt"]), indices_are_sorted=True) > 0.5
    kept = (f["jet_pt"] > 30) & (abs(f["jet_eta"]) < 2.5) & ~near
    one = kept.astype(float)
    hard = one * jax.nn.sigmoid((f["jet_pt"] - free["jet_cut"]) / width["jets"])
    ht = per_event(f["jet_pt"] * hard, "jet")

    def four(of, keep):
        pt, eta, phi, m = (f[f"{of}_{k}"] for k in ("pt", "eta", "phi", "mass"))
        px, py, pz = pt * jnp.cos(phi), pt * jnp.sin(phi), pt * jnp.sinh(eta)
        return [per_event(keep * p, of) for p in (px, py, pz, jnp.sqrt(px**2 + py**2 + pz**2 + m**2))]

    lep, jets = four("mu", 1.0), four("jet", one)
    px, py, pz, en = (a + b for a, b in zip(lep, jets, strict=True))
    m_vis = jnp.sqrt(jnp.maximum(en**2 - px**2 - py**2 - pz**2, 1e-12))
    lep_pt = jnp.sqrt(lep[0] ** 2 + lep[1] ** 2 + 1e-12)
    lead = jnp.maximum(jax.ops.segment_max(one * f["jet_pt"], f["jet_event"], N, indices_are_sorted=True), 0)
    met = f["MET_pt"]
    n_b = per_event(one * (f["jet_btagDeepFlavB"] > 0.3), "jet")
    n_all = per_event(one, "jet")
    m_t = jnp.sqrt(jnp.maximum(2 * lep_pt * met * (1 - jnp.cos(jnp.arctan2(lep[1], lep[0]) - f["MET_phi"])), 1e-12))
    sum_pt = per_event(one * f["jet_pt"], "jet")
    x = jnp.stack([lep_pt, met, lead, sum_pt, m_vis, n_all, n_b, m_t, jnp.sqrt(px**2 + py**2 + 1e-12)], axis=1)
    score = network((x - standard[:9]) * standard[9:], free["nn"], jnp)
    s = jax.nn.sigmoid
    w = jnp.where(f["HLT_IsoMu24"] & (f["n_mu"] == 1) & (n_b >= 1) & (n_all >= 3), f["genWeight"], 0.0)
    w = w * s((per_event(hard, "jet") - 2.5) / width["count(jets) >= 3"])
    w = (
        w
        * s((lep_pt - free["lep_cut"]) / width["lep.pt > lep_cut"])
        * s((met - free["met_cut"]) / width["miss > met_cut"])
    )
    w = w * s((lead - free["lead_cut"]) / width["lead > lead_cut"]) * s((ht - free["ht_cut"]) / width["ht > ht_cut"])
    w = w * s((m_vis - free["mass_cut"]) / width["m_vis > mass_cut"])
    below = s((free["edges"][None, :] - score[:, None]) / width["score edges"])
    return w @ (below[:, 1:] - below[:, :-1])


bins, selected = awkward()
print(f"  awkward: {selected} events selected, {least(awkward):.0f} ns per event (exact value)")
f = flat()
free = {**{k: jnp.asarray(v) for k, v in cut.items()}, "nn": jnp.asarray(weights), "edges": jnp.asarray(edges)}
value = jax.jit(soft)
both = jax.jit(jax.value_and_grad(lambda free, f: soft(free, f) @ jnp.linspace(1.0, 2.0, 8)))
for name, g in (("value", value), ("value and gradient", both)):
    start = time.perf_counter()
    jax.block_until_ready(g(free, f))
    compiled = time.perf_counter() - start
    print(
        f"  JAX with flat indices: {name} {least(lambda g=g: jax.block_until_ready(g(free, f))):.0f} ns per event, compiled in {compiled:.1f} s"
    )
print(f"  sums of bins: exact {bins.sum():.3f}, soft {value(free, f).sum():.3f}")
