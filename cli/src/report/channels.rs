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

/// The drawings of all channels; those with one bin stand side by side if there are several.
pub fn plots(channels: &[ChannelYields], keys: &[Key]) -> Vec<Plot> {
    let single: Vec<usize> = (0..channels.len())
        .filter(|&c| channels[c].observed.len() == 1)
        .collect();
    let together = single.len() >= TOGETHER;
    let mut plots = Vec::new();
    for (i, channel) in channels.iter().enumerate() {
        if together && channel.observed.len() == 1 {
            continue;
        }
        let (svg, wide) = plot(channel, keys, None);
        plots.push(Plot {
            title: channel.channel.clone(),
            svg,
            wide,
            channel: Some(i),
        });
    }
    if together {
        let drawings = single.len().div_ceil(SHARED);
        let size = single.len().div_ceil(drawings);
        for (i, group) in single.chunks(size).enumerate() {
            let members: Vec<&ChannelYields> = group.iter().map(|&c| &channels[c]).collect();
            let names: Vec<String> = members.iter().map(|c| c.channel.clone()).collect();
            let (svg, wide) = plot(&side_by_side(&members), keys, Some(&names));
            let part = if drawings > 1 {
                format!(" ({} of {drawings})", i + 1)
            } else {
                String::new()
            };
            plots.push(Plot {
                title: format!("Channels with one bin{part}"),
                svg,
                wide,
                channel: None,
            });
        }
    }
    plots
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
