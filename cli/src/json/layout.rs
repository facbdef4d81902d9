//! JSON that a person can also look at: a key per line at the top, and an element per line of its lists of objects and lists.

use serde::Serialize;
use serde_json::Value;

/// Writes a value. Numbers that are not finite become `null`.
pub fn write(value: &impl Serialize) -> String {
    // What is written here has string keys only, so it cannot fail.
    let value = serde_json::to_value(value).unwrap_or_default();
    let mut out = String::new();
    let Value::Object(map) = &value else {
        return format!("{value}\n");
    };
    out.push('{');
    for (i, (key, item)) in map.iter().enumerate() {
        out.push_str(if i > 0 { ",\n" } else { "\n" });
        out.push_str("  ");
        out.push_str(&Value::from(key.as_str()).to_string());
        out.push_str(": ");
        match item {
            Value::Array(list) if list.iter().any(|x| x.is_object() || x.is_array()) => {
                let lines: Vec<String> = list.iter().map(|x| format!("    {x}")).collect();
                out.push_str("[\n");
                out.push_str(&lines.join(",\n"));
                out.push_str("\n  ]");
            }
            item => out.push_str(&item.to_string()),
        }
    }
    out.push_str("\n}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout() {
        let value = serde_json::json!({"a": 0.1, "b": [{"x": 1}, {"x": [2]}], "c": [1, 2], "d": [], "e": f64::NAN});
        let text = write(&value);
        assert_eq!(
            text,
            "{\n  \"a\": 0.1,\n  \"b\": [\n    {\"x\":1},\n    {\"x\":[2]}\n  ],\n  \"c\": [1,2],\n  \"d\": [],\n  \"e\": null\n}\n"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
