//! The drawings of all channels; those with one bin share some.

use pullback_stats::fit::{ChannelYields, SampleYields, Yield};

use super::legend::Key;
use super::yields::plot;

/// A drawing with its heading.
#[derive(Debug, Clone)]
pub struct Plot {
    /// Name of the channel, or what the channels have in common.
    pub title: String,
    /// The drawing.
    pub svg: String,
    /// Whether it needs a row of its own.
    pub wide: bool,
    /// The channel, if it is one.
    pub channel: Option<usize>,
}

/// Channels with one bin from which on they share drawings, and how many share one.
const TOGETHER: usize = 4;
const SHARED: usize = 14;

/// The heading of a drawing with several channels.
pub const TOGETHER_TITLE: &str = "Channels with one bin";

/// The channels of each drawing, given their numbers of bins: those with one bin stand side by side if there are several.
pub fn arrange(bins: &[usize]) -> Vec<Vec<usize>> {
    let single: Vec<usize> = (0..bins.len()).filter(|&c| bins[c] == 1).collect();
    let together = single.len() >= TOGETHER;
    let alone = (0..bins.len()).filter(|&c| !together || bins[c] != 1);
    let mut groups: Vec<Vec<usize>> = alone.map(|c| vec![c]).collect();
    if together {
        let drawings = single.len().div_ceil(SHARED);
        groups.extend(
            single
                .chunks(single.len().div_ceil(drawings))
                .map(<[usize]>::to_vec),
        );
    }
    groups
}

/// The drawings of all channels.
pub fn plots(channels: &[ChannelYields], keys: &[Key]) -> Vec<Plot> {
    let bins: Vec<usize> = channels.iter().map(|c| c.observed.len()).collect();
    let draw = |group: Vec<usize>| {
        if let [c] = group[..] {
            let (svg, wide) = plot(&channels[c], keys, None);
            return Plot {
                title: channels[c].channel.clone(),
                svg,
                wide,
                channel: Some(c),
            };
        }
        let members: Vec<&ChannelYields> = group.iter().map(|&c| &channels[c]).collect();
        let names: Vec<String> = members.iter().map(|c| c.channel.clone()).collect();
        let (svg, wide) = plot(&side_by_side(&members), keys, Some(&names));
        Plot {
            title: TOGETHER_TITLE.to_owned(),
            svg,
            wide,
            channel: None,
        }
    };
    arrange(&bins).into_iter().map(draw).collect()
}

/// Channels with one bin each as the bins of one.
fn side_by_side(channels: &[&ChannelYields]) -> ChannelYields {
    let mut samples: Vec<SampleYields> = Vec::new();
    for (b, channel) in channels.iter().enumerate() {
        for s in &channel.samples {
            let at = samples
                .iter()
                .position(|x| x.name == s.name)
                .unwrap_or_else(|| {
                    samples.push(SampleYields {
                        name: s.name.clone(),
                        prefit: vec![0.0; channels.len()],
                        postfit: vec![0.0; channels.len()],
                    });
                    samples.len() - 1
                });
            samples[at].prefit[b] += s.prefit.iter().sum::<f64>();
            samples[at].postfit[b] += s.postfit.iter().sum::<f64>();
        }
    }
    let nothing = Yield {
        value: 0.0,
        error: None,
    };
    ChannelYields {
        channel: "channels with one bin".to_owned(),
        observed: channels.iter().flat_map(|c| c.observed.clone()).collect(),
        prefit: channels.iter().flat_map(|c| c.prefit.clone()).collect(),
        postfit: channels.iter().flat_map(|c| c.postfit.clone()).collect(),
        samples,
        prefit_total: nothing,
        postfit_total: nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_with_one_bin_share_drawings() {
        assert_eq!(arrange(&[1, 3, 1, 1]), [vec![0], vec![1], vec![2], vec![3]]);
        assert_eq!(arrange(&[1, 3, 1, 1, 1]), [vec![1], vec![0, 2, 3, 4]]);
        let groups = arrange(&[1; 15]);
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [8, 7]);
    }
}
