//! JSON Patch: the examples of RFC 6902 (appendix A) and RFC 6901 (section 5), the corner cases of the community's test suite
//! (json-patch/json-patch-tests, rewritten), and limits.

use pullback_stats::Error;
use pullback_stats::workspace::{Limits, Patch, Pointer};
use serde_json::{Value, json};

fn apply(document: &Value, patch: &Value) -> Result<Value, Error> {
    let mut document = document.clone();
    Patch::from_value(patch)?.apply(&mut document)?;
    Ok(document)
}

#[test]
fn patches_that_apply() {
    for (document, patch, expected) in [
        // RFC 6902, A.1 to A.7, A.10, A.14, A.16.
        (
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/baz", "value": "qux"}]),
            json!({"foo": "bar", "baz": "qux"}),
        ),
        (
            json!({"foo": ["bar", "baz"]}),
            json!([{"op": "add", "path": "/foo/1", "value": "qux"}]),
            json!({"foo": ["bar", "qux", "baz"]}),
        ),
        (
            json!({"baz": "qux", "foo": "bar"}),
            json!([{"op": "remove", "path": "/baz"}]),
            json!({"foo": "bar"}),
        ),
        (
            json!({"foo": ["bar", "qux", "baz"]}),
            json!([{"op": "remove", "path": "/foo/1"}]),
            json!({"foo": ["bar", "baz"]}),
        ),
        (
            json!({"baz": "qux"}),
            json!([{"op": "replace", "path": "/baz", "value": "boo"}]),
            json!({"baz": "boo"}),
        ),
        (
            json!({"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}}),
            json!([{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}]),
            json!({"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}),
        ),
        (
            json!({"foo": ["all", "grass", "cows", "eat"]}),
            json!([{"op": "move", "from": "/foo/1", "path": "/foo/3"}]),
            json!({"foo": ["all", "cows", "eat", "grass"]}),
        ),
        (
            json!({"baz": "qux", "foo": ["a", 2, "c"]}),
            json!([{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}]),
            json!({"baz": "qux", "foo": ["a", 2, "c"]}),
        ),
        (
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/child", "value": {"x": {}}}]),
            json!({"foo": "bar", "child": {"x": {}}}),
        ),
        (
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}]),
            json!({"foo": "bar", "baz": "qux"}),
        ),
        (
            json!({"/": 9, "~1": 10}),
            json!([{"op": "test", "path": "/~01", "value": 10}]),
            json!({"/": 9, "~1": 10}),
        ),
        (
            json!({"foo": ["bar"]}),
            json!([{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}]),
            json!({"foo": ["bar", ["abc", "def"]]}),
        ),
        // Corner cases.
        (json!({"foo": 1}), json!([]), json!({"foo": 1})),
        (
            json!({}),
            json!([{"op": "add", "path": "", "value": [1]}]),
            json!([1]),
        ),
        (
            json!({"a": 1}),
            json!([{"op": "replace", "path": "", "value": null}]),
            json!(null),
        ),
        (
            json!({"a": 1}),
            json!([{"op": "add", "path": "/", "value": 2}]),
            json!({"a": 1, "": 2}),
        ),
        (
            json!({"foo": null}),
            json!([{"op": "test", "path": "/foo", "value": null}]),
            json!({"foo": null}),
        ),
        (
            json!([1, 2]),
            json!([{"op": "add", "path": "/2", "value": 3}]),
            json!([1, 2, 3]),
        ),
        (
            json!({"0": 1}),
            json!([{"op": "add", "path": "/00", "value": 3}]),
            json!({"0": 1, "00": 3}),
        ),
        (
            json!({"a": 1.0, "b": {"x": 1, "y": 2}}),
            json!([{"op": "test", "path": "", "value": {"b": {"y": 2.0, "x": 1}, "a": 1}}]),
            json!({"a": 1.0, "b": {"x": 1, "y": 2}}),
        ),
        (
            json!({"a": [1]}),
            json!([{"op": "copy", "from": "/a", "path": "/a/-"}]),
            json!({"a": [1, [1]]}),
        ),
        (
            json!({"a": 1}),
            json!([{"op": "move", "from": "/a", "path": "/a"}]),
            json!({"a": 1}),
        ),
        (
            json!({"a": {"b": 1}}),
            json!([{"op": "copy", "from": "", "path": "/c"}]),
            json!({"a": {"b": 1}, "c": {"a": {"b": 1}}}),
        ),
        (
            json!({"é/~": 1}),
            json!([{"op": "remove", "path": "/é~1~0"}]),
            json!({}),
        ),
    ] {
        assert_eq!(apply(&document, &patch).unwrap(), expected, "{patch}");
    }
}

#[test]
fn patches_that_fail() {
    for (document, patch, code) in [
        // RFC 6902, A.8, A.9, A.12, A.15.
        (
            json!({"baz": "qux"}),
            json!([{"op": "test", "path": "/baz", "value": "bar"}]),
            "PB0332",
        ),
        (
            json!({"/": 9, "~1": 10}),
            json!([{"op": "test", "path": "/~01", "value": "10"}]),
            "PB0332",
        ),
        (
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/baz/bat", "value": "qux"}]),
            "PB0331",
        ),
        // Indices.
        (
            json!([1, 2]),
            json!([{"op": "add", "path": "/3", "value": 3}]),
            "PB0331",
        ),
        (
            json!([1, 2]),
            json!([{"op": "add", "path": "/01", "value": 3}]),
            "PB0331",
        ),
        (
            json!([1, 2]),
            json!([{"op": "add", "path": "/+1", "value": 3}]),
            "PB0331",
        ),
        (
            json!([1, 2]),
            json!([{"op": "add", "path": "/1e0", "value": 3}]),
            "PB0331",
        ),
        (
            json!([1, 2]),
            json!([{"op": "remove", "path": "/-"}]),
            "PB0331",
        ),
        (
            json!([1, 2]),
            json!([{"op": "remove", "path": "/99999999999999999999999"}]),
            "PB0331",
        ),
        (
            json!([1, 2]),
            json!([{"op": "replace", "path": "/2", "value": 0}]),
            "PB0331",
        ),
        // Missing places.
        (json!({}), json!([{"op": "remove", "path": "/a"}]), "PB0331"),
        (
            json!({}),
            json!([{"op": "replace", "path": "/a", "value": 1}]),
            "PB0331",
        ),
        (
            json!({}),
            json!([{"op": "copy", "from": "/a", "path": "/b"}]),
            "PB0331",
        ),
        (
            json!({"a": {}}),
            json!([{"op": "move", "from": "/a", "path": "/a/b"}]),
            "PB0331",
        ),
        (
            json!({"a": 1}),
            json!([{"op": "add", "path": "/a/b", "value": 1}]),
            "PB0331",
        ),
        (
            json!({}),
            json!([{"op": "test", "path": "/a", "value": null}]),
            "PB0331",
        ),
        // Malformed patches.
        (json!({}), json!([{"op": "add", "path": "/a"}]), "PB0305"),
        (json!({}), json!([{"op": "move", "path": "/a"}]), "PB0305"),
        (json!({}), json!([{"path": "/a", "value": 1}]), "PB0305"),
        (json!({}), json!([{"op": "add", "value": 1}]), "PB0305"),
        (json!({}), json!([{"op": "spam", "path": "/a"}]), "PB0304"),
        (json!({}), json!({"op": "remove", "path": "/a"}), "PB0304"),
        (json!({}), json!([{"op": "remove", "path": 3}]), "PB0304"),
        (json!({}), json!([{"op": "remove", "path": "a"}]), "PB0330"),
        (
            json!({}),
            json!([{"op": "remove", "path": "/a~2"}]),
            "PB0330",
        ),
        (
            json!({}),
            json!([{"op": "remove", "path": "/a~"}]),
            "PB0330",
        ),
    ] {
        match apply(&document, &patch) {
            Ok(value) => panic!("{patch} gave {value}"),
            Err(error) => assert_eq!(error.code(), code, "{patch}: {error}"),
        }
    }
}

#[test]
fn pointers_of_rfc_6901() {
    let document = json!({"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8});
    for (pointer, expected) in [
        ("", document.clone()),
        ("/foo", json!(["bar", "baz"])),
        ("/foo/0", json!("bar")),
        ("/", json!(0)),
        ("/a~1b", json!(1)),
        ("/c%d", json!(2)),
        ("/e^f", json!(3)),
        ("/g|h", json!(4)),
        ("/i\\j", json!(5)),
        ("/k\"l", json!(6)),
        ("/ ", json!(7)),
        ("/m~0n", json!(8)),
    ] {
        let parsed = Pointer::parse(pointer).unwrap();
        assert_eq!(parsed.get(&document), Some(&expected), "{pointer}");
        assert_eq!(parsed.to_string(), pointer);
    }
}

#[test]
fn bombs_are_refused() {
    // Each copy doubles the document.
    let doubling: Vec<Value> = (0..60)
        .map(|_| json!({"op": "copy", "from": "", "path": "/-"}))
        .collect();
    let limits = Limits {
        cells: 100_000,
        ..Limits::default()
    };
    let error = Patch::from_value(&json!(doubling))
        .unwrap()
        .apply_with(&mut json!([1]), &limits)
        .unwrap_err();
    assert_eq!(error.code(), "PB0301");
    // Each pair of moves makes it one level deeper.
    let deeper: Vec<Value> = (0..10_000)
        .flat_map(|_| {
            [
                json!({"op": "add", "path": "/x", "value": {}}),
                json!({"op": "move", "from": "/a", "path": "/x/a"}),
                json!({"op": "move", "from": "/x", "path": "/a"}),
            ]
        })
        .collect();
    let error = Patch::from_value(&json!(deeper))
        .unwrap()
        .apply(&mut json!({"a": 1}))
        .unwrap_err();
    assert_eq!(error.code(), "PB0331");
}
