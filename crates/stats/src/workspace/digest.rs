//! Digests of documents as pyhf computes them: of the text that Python's `json.dumps(value, sort_keys=True, ensure_ascii=False)` makes.

use std::fmt::Write as _;

use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use super::md5::md5;

/// The SHA-256 digest of a JSON document, 64 hexadecimal digits; equal to `pyhf.utils.digest`.
///
/// The document must be the one that was read, not a [`super::Workspace`] written back: the digest tells `1` from `1.0`. Integers beyond 64 bits
/// and a minus zero without decimal point are not told from floating-point numbers.
///
/// ```
/// use pullback_stats::workspace::sha256_hex;
/// let value = serde_json::json!({"a": 2.0, "b": 3.0, "c": 1.0});
/// // The example of the documentation of `pyhf.utils.digest`.
/// assert_eq!(sha256_hex(&value), "a38f6093800189b79bc22ef677baf90c75705af2cfc7ff594159eca54eaa7928");
/// ```
pub fn sha256_hex(value: &Value) -> String {
    hex(&Sha256::digest(python_json(value)))
}

/// The MD5 digest of a JSON document, 32 hexadecimal digits; equal to `pyhf.utils.digest` with `algorithm="md5"`. Only to verify old patchsets.
pub fn md5_hex(value: &Value) -> String {
    hex(&md5(python_json(value).as_bytes()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
        .collect()
}

/// The text of Python's `json.dumps(value, sort_keys=True, ensure_ascii=False)`.
pub(super) fn python_json(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(list) => {
            out.push('[');
            for (i, item) in list.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            // Python compares strings by code points, Rust by UTF-8 bytes: the same order.
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (i, (key, item)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_string(key, out);
                out.push_str(": ");
                write_value(item, out);
            }
            out.push('}');
        }
    }
}

fn write_number(number: &Number, out: &mut String) {
    let start = out.len();
    // Writing to a string cannot fail.
    let _ = write!(out, "{number}");
    if number.is_f64() && !is_python_layout(&out[start..]) {
        let text = out.split_off(start);
        write_float(&text, out);
    }
}

/// Whether a float of `serde_json` stands as Python would write it: a quick test that lets most numbers pass.
fn is_python_layout(text: &str) -> bool {
    let unsigned = text.trim_start_matches('-');
    unsigned.find('.').is_some_and(|dot| dot <= 16)
        && !unsigned.starts_with("0.0000")
        && !unsigned.contains('e')
}

/// Python's `repr` of a float: the shortest digits that read back the same, with an exponent of at least two digits below 1e-4 and from 1e16 on.
///
/// The digits are those of `serde_json`, which rounds a tie between two shortest forms to even as Python does (2.59415435791015625 is
/// 2.5941543579101562); the standard library's rounds it up.
fn write_float(text: &str, out: &mut String) {
    let unsigned = text.trim_start_matches('-');
    if unsigned.len() < text.len() {
        out.push('-');
    }
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let leading = all.len() - all.trim_start_matches('0').len();
    let digits = all[leading..].trim_end_matches('0');
    if digits.is_empty() {
        out.push_str("0.0");
        return;
    }
    // The value is 0.digits × 10^point.
    let point = exponent.parse::<i64>().unwrap_or(0) + whole.len() as i64 - leading as i64;
    let count = digits.len() as i64;
    if !(-3..=16).contains(&point) {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let sign = if point > 0 { '+' } else { '-' };
        out.extend([
            first,
            dot,
            rest,
            &format!("e{sign}{:02}", (point - 1).abs()),
        ]);
    } else if point <= 0 {
        out.extend(["0.", &"0".repeat(point.unsigned_abs() as usize), digits]);
    } else if point >= count {
        out.extend([digits, &"0".repeat((point - count) as usize), ".0"]);
    } else {
        let (whole, fraction) = digits.split_at(point as usize);
        out.extend([whole, ".", fraction]);
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.extend(["\\u00", &hex(&[c as u8])]),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The right-hand sides are what Python 3.11's `json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)` prints.
    #[test]
    fn text_is_that_of_python() {
        for (text, python) in [
            ("[1, 1.0, -3, 0.1, 1e2]", "[1, 1.0, -3, 0.1, 100.0]"),
            (
                "[1e16, 1e15, 123456789012345678.0, 1e-4, 1e-5, 1.5e-7]",
                "[1e+16, 1000000000000000.0, 1.2345678901234568e+17, 0.0001, 1e-05, 1.5e-07]",
            ),
            (
                "[1e300, 5e-324, -0.0, 2.5e-310]",
                "[1e+300, 5e-324, -0.0, 2.5e-310]",
            ),
            (
                "[18446744073709551615, -9223372036854775808]",
                "[18446744073709551615, -9223372036854775808]",
            ),
            (
                "{\"b\": null, \"a\": [true, false, {}], \"é\": [], \"Z\": \"\\u00e9\\n\\u0001\\u007f/\\\"\"}",
                "{\"Z\": \"é\\n\\u0001\u{7f}/\\\"\", \"a\": [true, false, {}], \"b\": null, \"é\": []}",
            ),
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(python_json(&value), python);
        }
    }

    /// From the documentation of `pyhf.utils.digest`.
    #[test]
    fn digests_are_those_of_pyhf() {
        let value = serde_json::json!({"a": 2.0, "b": 3.0, "c": 1.0});
        assert_eq!(
            sha256_hex(&value),
            "a38f6093800189b79bc22ef677baf90c75705af2cfc7ff594159eca54eaa7928"
        );
        assert_eq!(md5_hex(&value), "2c0633f242928eb55c3672fed5ba8612");
    }
}
