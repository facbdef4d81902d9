//! Frozen numbers: one per distribution. A change here changes every sample that was ever generated. Those with a closed form come from
//! `scripts/golden.py` too, which shares no code.

use pullback_prob::{
    Binomial, BreitWigner, Categorical, Cauchy, Distribution, Exponential, Gamma, Geometric, Key,
    Normal, Poisson, PowerTail, Uniform,
};

const KEY: Key = Key::new(20_260_101, "golden");
const EVENT: u64 = 123_456_789_012;

#[test]
fn addresses_are_frozen() {
    assert_eq!(KEY.words(), [3204617622, 1021856907]);
    assert_eq!(KEY.child("muon").words(), [4083927742, 829027448]);
    let u = Uniform::standard();
    assert_eq!(u.draw(KEY, EVENT, 0), 0.3861469045676963);
    assert_eq!(u.draw(KEY, EVENT, 1), 0.956321746341051);
    assert_eq!(u.draw(KEY.child("muon"), EVENT, 0), 0.05701166625422982);
}

/// At step 7.
fn one<D: Distribution>(distribution: &D) -> D::Value {
    distribution.draw(KEY, EVENT, 7)
}

#[test]
fn draws_are_frozen() {
    assert_eq!(one(&Uniform::new(-1.0, 3.0).unwrap()), 0.2784419757469907);
    assert_eq!(one(&Normal::new(3.0, 2.0).unwrap()), 2.062423467461757);
    assert_eq!(one(&Exponential::new(4.0).unwrap()), 0.09627246044170719);
    assert_eq!(one(&Cauchy::new(1.0, 0.5).unwrap()), 0.6818314377886903);
    let z = BreitWigner::new(91.188, 2.4955, 50.0, 150.0).unwrap();
    assert_eq!(one(&z), 90.42800264410391);
    let pt = PowerTail::new(9.0, 2.1, 0.0, 1000.0).unwrap();
    assert_eq!(one(&pt), 5.826861076636221);
    assert_eq!(one(&Gamma::new(0.5, 3.0).unwrap()), 0.48507252614142465);
    assert_eq!(one(&Gamma::new(2.5, 3.0).unwrap()), 4.64187287266729);
    assert_eq!(one(&Poisson::new(3.3).unwrap()), 2);
    assert_eq!(one(&Poisson::new(33.0).unwrap()), 30);
    assert_eq!(one(&Poisson::new(1e12).unwrap()), 999999472703);
    assert_eq!(one(&Binomial::new(20, 0.8).unwrap()), 17);
    assert_eq!(one(&Binomial::new(2000, 0.3).unwrap()), 589);
    assert_eq!(one(&Geometric::new(0.7).unwrap()), 1);
    assert_eq!(one(&Categorical::new(&[1.0, 0.5, 2.0]).unwrap()), 1);
}
