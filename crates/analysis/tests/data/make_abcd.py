"""What pyhf makes of a workspace with an ABCD estimate: reference for tests/estimates/main.rs.

usage: make_abcd.py WORKSPACE.json > abcd.json     (pyhf 0.7.6, iminuit 2.33)

WORKSPACE.json is what the test `pyhf_fits_the_workspace_to_the_same` makes of its events. Here: that pyhf accepts it (schema and model), names of its parameters,
and the best fit by MINUIT at a tight tolerance, in twice the negative logarithm of the likelihood with all constant terms.
"""

import json
import sys
from pathlib import Path

import pyhf

pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(tolerance=1e-10, strategy=2))
workspace = json.loads(Path(sys.argv[1]).read_text())
model = pyhf.Workspace(workspace).model()
data = pyhf.Workspace(workspace).data(model)
best, value = pyhf.infer.mle.fit(data, model, return_fitted_val=True)
print(
    json.dumps(
        {
            "workspace": workspace,
            "pyhf": {
                "version": pyhf.__version__,
                "twice_nll": float(value),
                "parameters": dict(zip(model.config.par_names, [float(x) for x in best], strict=True)),
            },
        },
        indent=1,
    )
)
