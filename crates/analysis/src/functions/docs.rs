//! The documentation of the functions, from their table.

use std::fmt::Write;

use super::table::all;

/// The page of all functions, in Markdown.
///
/// # Example
/// ```
/// use pullback_analysis::functions::documentation;
/// assert!(documentation().contains("## delta_r"));
/// ```
pub fn documentation() -> String {
    let mut page = String::from(
        "# Functions\n\n\
         Written by `pullback_analysis::functions::documentation` from the table of functions; each example is a test.\n\n\
         The examples are about two events. The first has muons (p_T, η, φ) = (40, 0.5, 0) and (30, −1.5, 3) and jets (50, 0.6, 0.2), (100, −0.4, 3) and \
         (20, 1.6, 1.9), the second no muon and one jet (80, 1, −1); MET is 64 at φ = 0 and 9 at φ = 1.\n",
    );
    for f in all() {
        let values: Vec<String> = (f.example.values.iter())
            .map(|v| {
                if v.is_nan() {
                    "missing".into()
                } else {
                    v.to_string()
                }
            })
            .collect();
        // Writing to a string does not fail.
        let _ = write!(
            page,
            "\n## {}\n\n`{}`\n\n{}\n\n`{}` is {}.\n",
            f.name,
            f.signature,
            f.doc,
            f.example.text,
            values.join(", ")
        );
    }
    page
}
