//! The built-in workspace: `scripts/make_demo_workspace.py` made it.

/// pyhf JSON.
pub const WORKSPACE: &[u8] = include_bytes!("workspace.json");
