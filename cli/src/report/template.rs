//! Templates of pages.

use minijinja::{AutoEscape, Environment, Value};

use super::drawing::DRAWING;

const STYLE: &str = include_str!("style.css");

/// What every page has under its title: facts and warnings.
const FACTS: &str = include_str!("facts.html");

/// The style sheet of pages, drawings included.
pub fn style() -> Value {
    Value::from_safe_string(format!("{STYLE}{DRAWING}"))
}

/// A page from a template, whose values are escaped.
pub fn render(template: &str, values: Value) -> String {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    // Templates are parts of the program and tested: if one fails, the page says so.
    environment
        .add_template("facts.html", FACTS)
        .and_then(|()| environment.template_from_str(template))
        .and_then(|template| template.render(values))
        .unwrap_or_else(|error| format!("<!DOCTYPE html><p>The template failed: {error}</p>"))
}
