//! HistFactory likelihoods: pyhf workspaces, fits, errors and pulls.
