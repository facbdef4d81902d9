//! Which sample has which colour.

use pullback_stats::fit::{ChannelYields, FitResult, SampleYields};

use super::palette;

/// A sample in the legend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Name of the sample; `None` for all those without a colour of their own.
    pub name: Option<String>,
    /// Its colour.
    pub colour: &'static str,
}

/// The samples from the bottom of the stacks to the top: the largest first, then those without a colour of their own, the signal last.
pub fn legend(result: &FitResult, signal: &[String]) -> Vec<Key> {
    let mut totals: Vec<(&str, f64)> = Vec::new();
    for s in result.yields.iter().flat_map(|c| &c.samples) {
        let sum: f64 = s.postfit.iter().sum();
        match totals.iter_mut().find(|(name, _)| *name == s.name) {
            Some((_, total)) => *total += sum,
            None => totals.push((&s.name, sum)),
        }
    }
    totals.sort_by(|a, b| b.1.total_cmp(&a.1));
    let is_signal = |name: &str| signal.iter().any(|s| s == name);
    let key = |name: &str, colour| Key {
        name: Some(name.to_owned()),
        colour,
    };
    let backgrounds: Vec<&str> = totals
        .iter()
        .map(|t| t.0)
        .filter(|n| !is_signal(n))
        .collect();
    let mut keys: Vec<Key> = backgrounds
        .iter()
        .take(palette::DISTINCT)
        .enumerate()
        .map(|(i, n)| key(n, palette::sample(i)))
        .collect();
    if backgrounds.len() > palette::DISTINCT {
        keys.push(Key {
            name: None,
            colour: palette::REST,
        });
    }
    keys.extend(
        totals
            .iter()
            .filter(|t| is_signal(t.0))
            .map(|t| key(t.0, palette::SIGNAL)),
    );
    keys
}

/// The samples that the legend names or that stand for its last place.
pub fn stack<'a>(channel: &'a ChannelYields, key: &Key, keys: &[Key]) -> Vec<&'a SampleYields> {
    let belongs = |s: &&SampleYields| match &key.name {
        Some(name) => s.name == *name,
        None => keys.iter().all(|k| k.name.as_ref() != Some(&s.name)),
    };
    channel.samples.iter().filter(belongs).collect()
}
