//! What is known of the detector, and what can be made wrong about it on purpose.

use crate::error::SimError;

/// Conditions and injected biases.
///
/// The muon scale and the jet energy scale move measured momenta away from the truth by a known amount: what a calibration must find again. The random numbers of an
/// event do not depend on them.
///
/// # Example
/// ```
/// use pullback_sim::{Detector, Generator, Process};
///
/// let detector = Detector {
///     muon_eta_edges: vec![0.0, 0.9, 2.4],
///     muon_scale: vec![0.002, -0.001],
///     muon_offset: vec![0.0, 0.01],
///     muon_resolution: vec![1.0, 1.1],
///     jet_energy_scale: 0.01,
///     ..Detector::default()
/// };
/// let biased = Generator::with_detector(Process::ZToLL, 1, detector)?;
/// # Ok::<(), pullback_sim::SimError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Detector {
    /// Edges of the bins of |η| of the three lists that follow; outside, nothing is injected.
    pub muon_eta_edges: Vec<f64>,
    /// Relative bias of the muon p_T, per bin: p_T ← (1 + s) p_T + c.
    pub muon_scale: Vec<f64>,
    /// Constant bias of the muon p_T in GeV, per bin: the c above.
    pub muon_offset: Vec<f64>,
    /// Factor on the muon resolution, per bin.
    pub muon_resolution: Vec<f64>,
    /// Relative bias of jet energies, which the missing momentum inherits.
    pub jet_energy_scale: f64,
    /// Mean number of interactions per crossing.
    pub pile_up: f64,
}

impl Default for Detector {
    /// Without biases, 32 interactions.
    fn default() -> Self {
        Self {
            muon_eta_edges: vec![0.0, 2.4],
            muon_scale: vec![0.0],
            muon_offset: vec![0.0],
            muon_resolution: vec![1.0],
            jet_energy_scale: 0.0,
            pile_up: 32.0,
        }
    }
}

/// The biases of one bin of |η|.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MuonBias {
    pub scale: f64,
    pub offset: f64,
    pub resolution: f64,
}

impl Detector {
    pub(crate) fn check(self) -> Result<Self, SimError> {
        let wrong = |parameter, index, value, expected| SimError::Detector {
            parameter,
            index,
            value,
            expected,
        };
        let edges = &self.muon_eta_edges;
        let bins = edges.len().saturating_sub(1);
        if let Some(&first) = edges.first()
            && (first < 0.0 || first.is_nan())
        {
            let expected = "not negative: bins are of |eta|";
            return Err(wrong("muon_eta_edges", Some(0), first, expected));
        }
        for (i, pair) in edges.windows(2).enumerate() {
            if pair[1] <= pair[0] || pair[1].is_nan() {
                let expected = "above the edge before it";
                return Err(wrong("muon_eta_edges", Some(i + 1), pair[1], expected));
            }
        }
        let lists = [
            ("muon_scale", &self.muon_scale, -0.5, 0.5),
            ("muon_offset", &self.muon_offset, -1.0, 1.0),
            ("muon_resolution", &self.muon_resolution, 0.0, 10.0),
        ];
        for (parameter, list, low, high) in lists {
            if list.len() != bins {
                let found = list.len();
                return Err(SimError::Bins {
                    parameter,
                    found,
                    bins,
                });
            }
            for (i, value) in list.iter().enumerate() {
                if !(low..=high).contains(value) {
                    let expected = match parameter {
                        "muon_scale" => "between -0.5 and 0.5",
                        "muon_offset" => "between -1 and 1 (GeV)",
                        _ => "between 0 and 10",
                    };
                    return Err(wrong(parameter, Some(i), *value, expected));
                }
            }
        }
        if !(-0.5..=0.5).contains(&self.jet_energy_scale) {
            let value = self.jet_energy_scale;
            return Err(wrong(
                "jet_energy_scale",
                None,
                value,
                "between -0.5 and 0.5",
            ));
        }
        if !(0.0..=200.0).contains(&self.pile_up) {
            return Err(wrong("pile_up", None, self.pile_up, "between 0 and 200"));
        }
        Ok(self)
    }

    /// The biases at a pseudorapidity.
    #[inline]
    pub(crate) fn muon_bias(&self, abs_eta: f64) -> MuonBias {
        let bin = self
            .muon_eta_edges
            .windows(2)
            .position(|edge| abs_eta >= edge[0] && abs_eta < edge[1]);
        let at = |list: &[f64], outside| bin.and_then(|bin| list.get(bin)).map_or(outside, |x| *x);
        MuonBias {
            scale: at(&self.muon_scale, 0.0),
            offset: at(&self.muon_offset, 0.0),
            resolution: at(&self.muon_resolution, 1.0),
        }
    }
}
