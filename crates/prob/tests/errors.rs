//! Parameters without a distribution are refused, with the value and what it should be.

use pullback_prob::{
    Binomial, BreitWigner, Categorical, Cauchy, Exponential, Gamma, Geometric, Normal, Poisson,
    PowerTail, ProbError, Uniform,
};

fn says<T: std::fmt::Debug>(result: Result<T, ProbError>, code: &str, words: &[&str]) {
    let error = result.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.code(), code, "{text}");
    assert!(text.starts_with(code) && text.contains("help:"), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
}

#[test]
fn bad_parameters_are_refused() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    for bad in [0.0, -1.5, nan, inf] {
        let value = format!("{bad}");
        says(Normal::new(0.0, bad), "PB0601", &["normal", &value]);
        says(Exponential::new(bad), "PB0601", &["exponential", &value]);
        says(Cauchy::new(0.0, bad), "PB0601", &["scale", &value]);
        says(Gamma::new(bad, 1.0), "PB0601", &["shape", &value]);
        says(Gamma::new(1.0, bad), "PB0601", &["scale", &value]);
        says(BreitWigner::new(bad, 1.0, 0.0, 1.0), "PB0601", &["mass"]);
        says(BreitWigner::new(1.0, bad, 0.0, 1.0), "PB0601", &["width"]);
        says(PowerTail::new(bad, 2.0, 0.0, 1.0), "PB0601", &["scale"]);
        says(Geometric::new(bad), "PB0601", &["ratio", &value]);
    }
    says(Normal::new(nan, 1.0), "PB0601", &["mean", "NaN"]);
    says(Geometric::new(1.0), "PB0601", &["between 0 and 1"]);
    says(PowerTail::new(1.0, 1.0, 0.0, 1.0), "PB0601", &["exponent"]);
    for bad in [-1.0, nan, inf, 1e16] {
        says(Poisson::new(bad), "PB0601", &["mean", "2^52"]);
    }
    for bad in [-0.1, 1.1, nan] {
        says(Binomial::new(10, bad), "PB0601", &["probability"]);
    }
    says(Binomial::new(1 << 53, 0.5), "PB0601", &["trials"]);
}

#[test]
fn empty_ranges_are_refused() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    says(Uniform::new(1.0, 1.0), "PB0602", &["[1, 1]"]);
    says(Uniform::new(0.0, inf), "PB0602", &["inf"]);
    says(Uniform::new(-1e308, 1e308), "PB0602", &["finite"]);
    says(BreitWigner::new(91.0, 2.0, 5.0, 4.0), "PB0602", &["[5, 4]"]);
    says(BreitWigner::new(91.0, 2.0, 5.0, inf), "PB0602", &["inf"]);
    says(PowerTail::new(1.0, 2.0, -1.0, 4.0), "PB0602", &["-1"]);
    says(PowerTail::new(1.0, 2.0, 0.0, nan), "PB0602", &["NaN"]);
}

#[test]
fn weights_that_leave_no_choice_are_refused() {
    says(
        Categorical::new(&[1.0, -2.0]),
        "PB0603",
        &["weight 1", "-2"],
    );
    says(Categorical::new(&[f64::NAN]), "PB0603", &["weight 0"]);
    says(Categorical::new(&[]), "PB0604", &["0 weights"]);
    says(Categorical::new(&[0.0, 0.0]), "PB0604", &["sum 0"]);
    says(Categorical::new(&[1e308, 1e308]), "PB0604", &["sum inf"]);
}
