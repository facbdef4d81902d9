//! What a fit makes of estimates, and what it is warned of.

use super::{ABCD, FAKES, read, run, run_file};

/// A factor of the fit cannot scale what it does not reach.
#[test]
fn factors_of_what_is_subtracted_or_free_are_refused() {
    let at = |text: &str, old: &str, new: &str| {
        assert!(text.contains(old), "{old}");
        read(&text.replace(old, new)).expect_err(new).to_string()
    };
    let signal = "signal = \"signal\"";
    for (text, new, expected) in [
        (
            FAKES,
            "signal = [\"signal\", \"other\"]",
            "`fakes` subtracts `other`, which is signal: it would stay at its nominal size whatever the fit finds (a.toml, fit.signal, line",
        ),
        (
            ABCD,
            "signal = [\"signal\", \"multijet\"]",
            "`multijet` is an ABCD estimate: its bins are free already (a.toml, fit.signal, line",
        ),
        (
            ABCD,
            "signal = \"signal\"\nfree = { k = [\"other\", \"multijet\"] }",
            "`multijet` is an ABCD estimate: its bins are free already (a.toml, fit.free.k, line",
        ),
    ] {
        let error = at(text, signal, new);
        assert!(error.starts_with(expected), "{error}");
    }
    // By calls it is found when it runs.
    let mut file = read(FAKES).unwrap_or_else(|e| panic!("{e}"));
    file.fit
        .as_mut()
        .expect("a fit")
        .signal
        .push("other".into());
    let error = run_file(&file).map(drop).expect_err("signal").to_string();
    assert!(
        error.starts_with("`fakes` subtracts `other`, which is signal"),
        "{error}"
    );
    let mut file = read(ABCD).unwrap_or_else(|e| panic!("{e}"));
    let free = ("k".to_owned(), vec!["multijet".to_owned()]);
    file.fit.as_mut().expect("a fit").free.push(free);
    let error = run_file(&file).map(drop).expect_err("free").to_string();
    assert!(error.contains("its bins are free already"), "{error}");
}

#[test]
fn subtractions_that_a_factor_does_not_follow_are_warned_of() {
    let signal = "signal = \"signal\"";
    let text = FAKES.replace(
        signal,
        &format!("{signal}\nfree = {{ k_other = \"other\" }}"),
    );
    let expected =
        "`fakes` subtracts `other`, which `k_other` scales in the fit: the subtraction stays at 1";
    let warned = |text: &str| run(text).warnings.iter().any(|w| w == expected);
    assert!(warned(&text) && !warned(FAKES));
    let text = FAKES.replace(
        signal,
        &format!("{signal}\nfree = {{ k_other = \"fakes\" }}"),
    );
    assert!(!warned(&text));
}
