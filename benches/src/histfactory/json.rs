//! A generated workspace as pyhf JSON.

use std::fmt::Write as _;

use super::generate::{Channel, Generated, Sample};

/// A list of numbers; the shortest text that reads back as the same.
fn list(out: &mut String, values: &[f64]) {
    out.push('[');
    for (k, x) in values.iter().enumerate() {
        let comma = if k > 0 { "," } else { "" };
        let _ = write!(out, "{comma}{x:?}");
    }
    out.push(']');
}

impl Generated {
    /// The workspace as pyhf JSON, version 1.0.0.
    pub fn json(&self) -> String {
        let mut out = String::from("{\"version\":\"1.0.0\",\"channels\":[");
        for (c, channel) in self.channels.iter().enumerate() {
            let comma = if c > 0 { "," } else { "" };
            let _ = write!(out, "{comma}{{\"name\":\"channel{c}\",\"samples\":[");
            for (k, sample) in channel.samples.iter().enumerate() {
                if k > 0 {
                    out.push(',');
                }
                self.sample(&mut out, c, channel, sample);
            }
            out.push_str("]}");
        }
        out.push_str("],\"observations\":[");
        for (c, channel) in self.channels.iter().enumerate() {
            let comma = if c > 0 { "," } else { "" };
            let _ = write!(out, "{comma}{{\"name\":\"channel{c}\",\"data\":");
            list(&mut out, &channel.observed);
            out.push('}');
        }
        out.push_str(
            "],\"measurements\":[{\"name\":\"generated\",\"config\":{\"poi\":\"mu\",\"parameters\":[{\"name\":\"lumi\",\
             \"auxdata\":[1.0],\"inits\":[1.0],\"sigmas\":[0.017],\"bounds\":[[0.9,1.1]]}]}}]}",
        );
        out
    }

    fn sample(&self, out: &mut String, c: usize, channel: &Channel, sample: &Sample) {
        let _ = write!(out, "{{\"name\":\"process{}\",\"data\":", sample.process);
        list(out, &sample.nominal);
        out.push_str(",\"modifiers\":[");
        let start = out.len();
        let open = |out: &mut String, name: &str, kind: &str| {
            let comma = if out.len() > start { "," } else { "" };
            let _ = write!(
                out,
                "{comma}{{\"name\":\"{name}\",\"type\":\"{kind}\",\"data\":"
            );
        };
        for &p in &sample.factors {
            let name = &self.parameters[p].set;
            let kind = if name == "lumi" { "lumi" } else { "normfactor" };
            open(out, name, kind);
            out.push_str("null}");
        }
        for n in &sample.normsys {
            open(out, &self.parameters[n.parameter].set, "normsys");
            let _ = write!(out, "{{\"lo\":{:?},\"hi\":{:?}}}}}", n.lo, n.hi);
        }
        for h in &sample.histosys {
            open(out, &self.parameters[h.parameter].set, "histosys");
            out.push_str("{\"lo_data\":");
            list(out, &h.lo);
            out.push_str(",\"hi_data\":");
            list(out, &h.hi);
            out.push_str("}}");
        }
        if let (Some(spread), Some(_)) = (&sample.staterror, channel.staterror) {
            open(out, &format!("staterror_channel{c}"), "staterror");
            list(out, spread);
            out.push('}');
        }
        if let Some((first, spread)) = &sample.shapesys {
            open(out, &self.parameters[*first].set, "shapesys");
            list(out, spread);
            out.push('}');
        }
        out.push_str("]}");
    }
}
