//! What a fit makes of estimates, and what it is warned of.

use pullback_analysis::file::AnalysisFile;

use super::{ABCD, COMMON, FAKES, close, fakes, fitted, folder, read, run, run_file, sample};

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

/// The number of observed events of a control region is uncertain, whatever is said of simulated ones.
#[test]
fn statistics_of_an_estimate_are_no_simulated_ones() {
    let workspace = run(&format!("{FAKES}mc_statistics = false\n")).workspace();
    let workspace = workspace.expect("a fit");
    for (channel, from) in [(0, 1), (1, 3)] {
        let samples = workspace["channels"][channel]["samples"].as_array();
        for sample in samples.expect("a list") {
            let all = sample["modifiers"].as_array().expect("a list");
            let found = all.iter().find(|m| m["type"] == "staterror");
            assert_eq!(found.is_some(), sample["name"] == "fakes");
            if let Some(found) = found {
                let errors: Vec<f64> =
                    serde_json::from_value(found["data"].clone()).expect("numbers");
                let [_, variances] = fakes(from, 0.0, |_| 1.0);
                let expected: Vec<f64> = variances.iter().map(|v| v.sqrt()).collect();
                close(&errors, &expected, 1e-12);
            }
        }
    }
    let result = fitted(&workspace);
    assert!(result.converged);
    let gammas = result
        .parameters
        .iter()
        .filter(|p| p.name.starts_with("staterror_"));
    assert_eq!(gammas.count(), 6);
}

#[test]
fn empty_bins_of_a_source_are_warned_of() {
    let warned = |text: &str| {
        let mut warnings = run(text).warnings;
        warnings.retain(|w| w.starts_with("no event of `B`"));
        warnings
    };
    assert!(warned(FAKES).is_empty());
    let edges = "x = { edges = [0, 0.1, 0.4, 1";
    let more = FAKES.replace(edges, &format!("{edges}, 2, 2.5"));
    let expected =
        "no event of `B`: `fakes` in `A` is 0 ± 0 in [1, 2), [2, 2.5) of `x`; merge bins";
    assert_eq!(warned(&more), [expected]);
    // Only what is fitted.
    let other = more.replace(
        "channels = { A = \"x\", C = \"x\" }",
        "channels = { A = \"n\" }",
    );
    assert!(warned(&other).is_empty());
}

#[test]
fn events_that_are_used_again_are_warned_of() {
    let warned = |text: &str| {
        let mut warnings = run(text).warnings;
        warnings.retain(|w| w.contains("as if they were independent"));
        warnings
    };
    assert!(warned(FAKES).is_empty());
    let from = "from = { A = \"B\", C = \"D\" }";
    assert!(FAKES.contains(from));
    let same = FAKES.replace(from, "from = { A = \"B\", C = \"B\" }");
    let expected = "the fit takes the same events of `B` as if they were independent ones: for `fakes` in `A`, for `fakes` in `C`";
    assert_eq!(warned(&same), [expected]);
    // Of them one alone is fitted.
    let one = same.replace(
        "channels = { A = \"x\", C = \"x\" }",
        "channels = { A = \"x\" }",
    );
    assert!(warned(&one).is_empty());
    let channel = FAKES.replace(from, "from = { A = \"C\" }");
    let expected = "the fit takes the same events of `C` as if they were independent ones: for `fakes` in `A`, as a channel";
    assert_eq!(warned(&channel), [expected]);
    // By another estimate.
    let other =
        format!("{FAKES}[estimates.more]\nfrom = \"B\"\nregions = \"A\"\nweight = \"0.1\"\n");
    let expected = "the fit takes the same events of `B` as if they were independent ones: for `fakes` in `A`, for `more` in `A`";
    assert_eq!(warned(&other), [expected]);
}

/// A bin of B without events: in A the product is 0 ± 0, which is said, and a fit to observed events there does not begin at a rate of zero.
#[test]
fn empty_bins_of_abcd_are_warned_of_and_begin_above_zero() {
    // Nothing but the estimate can be in the last bin of A.
    let edges = "edges = [0, 0.1, 0.4, 1]";
    let text = format!("{COMMON}{ABCD}").replace("[analysis]", "[analysis]\nblind = false");
    assert!(text.contains(edges));
    let of = "x + 1 if region == 0 and x > 0.95 and w == 1 else x";
    let text = text.replace(
        edges,
        &format!("of = \"{of}\", edges = [0, 0.1, 0.4, 1, 2]"),
    );
    let file = AnalysisFile::from_text("a.toml", &text, folder()).unwrap_or_else(|e| panic!("{e}"));
    let results = run_file(&file).unwrap_or_else(|e| panic!("{e}"));
    for expected in [
        "no more is observed in `B` than other processes give, in 1 of 4 bins: `multijet` is zero there before the fit",
        "`multijet` is 0 in 1 of 4 bins of `A` before the fit: nothing is left of it in `B` or `C`; merge bins",
    ] {
        assert!(
            results.warnings.iter().any(|w| w == expected),
            "{:?}",
            results.warnings
        );
    }
    let filled = results.histogram(0, 0).expect("filled");
    let seen = filled.observed.as_ref().expect("seen").sums[3];
    let all: f64 = filled.nominal.iter().map(|b| b.sums[3]).sum();
    assert!(seen > 0.0 && all == 0.0, "{seen} {all}");
    let workspace = results.workspace().expect("a fit");
    let inits = workspace["measurements"][0]["config"]["parameters"][1]["inits"].clone();
    assert_eq!(inits[3], 0.1);
    let result = fitted(&workspace);
    assert!(result.converged, "{}", result.status);
    // A and B share the bin: b (1 + t) is fitted to the events of A, and what is in B is a part of them.
    let [a, b] = ["A", "B"].map(|channel| sample(&result, channel, "multijet")[3]);
    assert!((a + b - seen).abs() < 1e-5 * seen, "{a} {b} {seen}");
}
