//! Writes the page of functions: `cargo run -p pullback-analysis --example functions > docs/functions.md`.

use std::io::{Write, stdout};

fn main() -> std::io::Result<()> {
    let page = pullback_analysis::functions::documentation();
    stdout().write_all(page.as_bytes())
}
