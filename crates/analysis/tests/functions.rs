//! Every example of the table of functions is true, and the page of functions is that of the table.

mod support;

use pullback_analysis::functions;
use support::{close, two_events};

#[test]
fn examples_have_the_values_they_say() {
    let data = two_events();
    let mut wrong = Vec::new();
    for f in functions::all() {
        let values = data.value(f.example.text);
        if !close(&values, f.example.values, 1e-12) {
            wrong.push(format!(
                "{} is {values:?}, not {:?}",
                f.example.text, f.example.values
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_are_unique_and_documented() {
    let mut names: Vec<&str> = functions::all().map(|f| f.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    for f in functions::all() {
        assert!(f.signature.starts_with(&format!("{}(", f.name)), "{f:?}");
        assert!(f.doc.ends_with('.') && f.doc.len() > 3, "{}", f.name);
        assert!(
            f.example.text.contains(&format!("{}(", f.name)),
            "{}",
            f.name
        );
    }
}

#[test]
fn the_page_of_functions_is_that_of_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/functions.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == functions::documentation(),
        "docs/functions.md is not what `functions::documentation` writes; write it again with \
         `cargo run -p pullback-analysis --example functions > docs/functions.md`"
    );
}
