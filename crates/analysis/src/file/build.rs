//! An analysis by calls instead of a file.

use std::path::PathBuf;

use super::estimates::{Abcd, Estimate};
use super::optimisation::{Free, Optimisation};
use super::types::{
    AnalysisFile, Campaign, Effect, EnergyUnit, FitModel, Generated, Input, Plot, Region,
    RegionKind, Systematic,
};
use crate::define::Analysis;
use crate::draws::Draw;
use crate::error::{Error, Result};
use crate::place::Source;
use crate::units::Unit;

impl AnalysisFile {
    /// An analysis of these definitions (objects, columns, parameters, networks), still without data, regions and histograms.
    ///
    /// What a file says by tables is said by calls; expressions are those of the file, and are checked when the columns of the data are known.
    ///
    /// # Example
    /// ```
    /// use pullback_analysis::file::{AnalysisFile, Effect, FitModel, Input, RegionKind};
    /// use pullback_analysis::{Analysis, Object};
    /// let definitions = Analysis::new()
    ///     .object("mu", Object::from("Muon").filter("pt > 25 GeV"))
    ///     .object("ll", Object::combine("mu as a, mu as b"))
    ///     .column("m_ll", "max(mass(ll.a + ll.b))");
    /// let analysis = AnalysisFile::new("Z to mu mu", definitions)
    ///     .luminosity(100.0)
    ///     .dataset(Input::simulated("zll", ["zll.parquet"]).cross_section(2000.0).weight("genWeight"))
    ///     .dataset(Input::observed("data", ["data.root"]))
    ///     .region("SR", RegionKind::Signal, ["count(mu) >= 2", "60 GeV < m_ll < 120 GeV"])
    ///     .histogram("m_ll", "m_ll", [60.0, 80.0, 100.0, 120.0])
    ///     .systematic("luminosity", &["zll"], Effect::Norm { up: 1.02, down: 0.98 })
    ///     .fit(FitModel::new(&["zll"], &[(0, 0)]))?;
    /// assert_eq!(analysis.processes(), ["zll"]);
    /// # Ok::<(), pullback_analysis::Error>(())
    /// ```
    pub fn new(title: impl Into<String>, definitions: Analysis) -> Self {
        Self {
            title: title.into(),
            blind: true,
            definitions,
            ..Self::default()
        }
    }

    /// The integrated luminosity, in 1/pb.
    pub fn luminosity(mut self, inverse_pb: f64) -> Self {
        self.luminosity = Some(inverse_pb);
        self
    }

    /// The seed of the draws: 0 without it.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Random numbers of objects or events.
    pub fn draw(mut self, draw: Draw) -> Self {
        self.draws.push(draw);
        self
    }

    /// A campaign with its luminosity, in 1/pb.
    pub fn campaign(mut self, name: impl Into<String>, inverse_pb: f64) -> Self {
        self.campaigns.push(Campaign {
            name: name.into(),
            luminosity: inverse_pb,
            weight: None,
            certified: None,
        });
        self
    }

    /// Events.
    pub fn dataset(mut self, input: Input) -> Self {
        self.datasets.push(input);
        self
    }

    /// A selection.
    pub fn region<S: Into<Source>>(
        mut self,
        name: impl Into<String>,
        kind: RegionKind,
        cuts: impl IntoIterator<Item = S>,
    ) -> Self {
        let name = name.into();
        let cuts = cuts.into_iter().map(Into::into).collect();
        self.regions.push(Region { name, kind, cuts });
        self
    }

    /// A histogram, filled in all regions so far; values outside are left out.
    pub fn histogram(
        mut self,
        name: impl Into<String>,
        of: impl Into<Source>,
        edges: impl Into<Vec<f64>>,
    ) -> Self {
        let name = name.into();
        self.histograms.push(Plot {
            label: name.clone(),
            name,
            of: of.into(),
            edges: edges.into(),
            movable: false,
            flow: pullback_array::Flow::Drop,
            regions: (0..self.regions.len()).collect(),
        });
        self
    }

    /// A process made of observed events of other regions.
    pub fn estimate(mut self, estimate: Estimate) -> Self {
        self.estimates.push(estimate);
        self
    }

    /// A process whose yield in a region follows from that in three others.
    pub fn abcd(mut self, abcd: Abcd) -> Self {
        self.abcd.push(abcd);
        self
    }

    /// A systematic uncertainty of some processes.
    pub fn systematic(
        mut self,
        name: impl Into<String>,
        processes: &[&str],
        effect: Effect,
    ) -> Self {
        self.systematics.push(Systematic {
            name: name.into(),
            processes: processes.iter().map(|p| (*p).to_owned()).collect(),
            campaigns: Vec::new(),
            effect,
            exact: None,
        });
        self
    }

    /// Makes systematics of a name exact: the weights of events are evaluated in the fit ([`crate::exact`]). Those that move no parameter stay as they are.
    pub fn exact(mut self, systematic: &str) -> Self {
        for s in self.systematics.iter_mut().filter(|s| s.name == systematic) {
            let place =
                || Source::new(format!("systematics.{systematic}"), systematic).everywhere();
            s.exact = matches!(s.effect, Effect::Parameter { .. }).then(place);
        }
        self
    }

    /// Where an optimisation may move a parameter from its start.
    pub fn range(mut self, parameter: impl Into<String>, start: f64, range: [f64; 2]) -> Self {
        let name = parameter.into();
        let source = Source::new(format!("parameters.{name}"), format!("{start:?}"));
        self.definitions.set_parameter(&name, source);
        self.ranges.push((name, start, range));
        self
    }

    /// What is fitted.
    ///
    /// # Errors
    /// Processes or channels that there are not.
    pub fn fit(mut self, fit: FitModel) -> Result<Self> {
        let known = self.processes();
        let all = fit
            .signal
            .iter()
            .chain(fit.free.iter().flat_map(|(_, p)| p));
        for process in all {
            if !known.contains(&process.as_str()) {
                return Err(Error::Unknown {
                    place: Source::new("fit", process.as_str()).everywhere(),
                    what: "process".into(),
                    name: process.clone(),
                    nearest: pullback_io::nearest(process, known.iter().copied()),
                    help: String::new(),
                });
            }
        }
        for (region, plot) in &fit.channels {
            let filled = self
                .histograms
                .get(*plot)
                .map(|p| p.regions.contains(region));
            if filled != Some(true) {
                return Err(Error::Optimisation {
                    message: format!("there is no histogram {plot} in region {region}"),
                    help: "channels are pairs of positions: region, histogram".into(),
                });
            }
        }
        self.check_abcd(&fit.channels)?;
        self.fit = Some(fit);
        Ok(self)
    }

    /// What an optimisation does.
    pub fn optimise(mut self, optimisation: Optimisation) -> Self {
        for free in &optimisation.free {
            if let Free::Edges { plot, .. } = free
                && let Some(plot) = self.histograms.get_mut(*plot)
            {
                plot.movable = true;
            }
        }
        self.optimisation = Some(optimisation);
        self
    }
}

impl Input {
    fn of<P: Into<PathBuf>>(name: &str, files: impl IntoIterator<Item = P>) -> Self {
        Self {
            name: name.into(),
            process: name.into(),
            campaign: None,
            files: files.into_iter().map(Into::into).collect(),
            observed: false,
            cross_section: None,
            generated: Generated::Events,
            weight: None,
            energy: None,
            links: Vec::new(),
            place: Source::new(format!("datasets.{name}"), name).everywhere(),
        }
    }

    /// Simulated events of the process of its name.
    pub fn simulated<P: Into<PathBuf>>(name: &str, files: impl IntoIterator<Item = P>) -> Self {
        Self::of(name, files)
    }

    /// Observed events.
    pub fn observed<P: Into<PathBuf>>(name: &str, files: impl IntoIterator<Item = P>) -> Self {
        Self {
            observed: true,
            ..Self::of(name, files)
        }
    }

    /// Of another process.
    pub fn process(mut self, process: &str) -> Self {
        process.clone_into(&mut self.process);
        self
    }

    /// Of a campaign.
    pub fn campaign(mut self, campaign: &str) -> Self {
        self.campaign = Some(campaign.into());
        self
    }

    /// The cross-section, in pb; the weights of all events of the files then stand for it.
    pub fn cross_section(mut self, pb: f64) -> Self {
        self.cross_section = Some(pb);
        self
    }

    /// What the weights of all generated events add up to.
    pub fn generated(mut self, generated: Generated) -> Self {
        self.generated = generated;
        self
    }

    /// The unit of its energies; columns are energies by their names, or one of these names and patterns.
    pub fn energy(mut self, unit: Unit, columns: &[&str]) -> Self {
        self.energy = Some(EnergyUnit {
            unit,
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            place: Source::new(format!("datasets.{}.energy", self.name), unit.name()).everywhere(),
        });
        self
    }

    /// Lets a link lead to another collection: `("AnalysisPhotons.Truth", "TruthElectrons")`.
    pub fn link(mut self, link: &str, to: &str) -> Self {
        let place = Source::new(format!("datasets.{}.links", self.name), link).everywhere();
        self.links.push((link.into(), to.into(), place));
        self
    }

    /// The weight of an event.
    pub fn weight(mut self, weight: impl Into<Source>) -> Self {
        let key = format!("datasets.{}.weight", self.name);
        self.weight = Some(weight.into().keyed(&key));
        self
    }
}

impl FitModel {
    /// A signal strength `mu` of these processes, in channels by position of region and histogram, with the uncertainty of the number of simulated events.
    pub fn new(signal: &[&str], channels: &[(usize, usize)]) -> Self {
        Self {
            poi: "mu".into(),
            maximum: 10.0,
            signal: signal.iter().map(|p| (*p).to_owned()).collect(),
            channels: channels.to_vec(),
            mc_statistics: true,
            ..Self::default()
        }
    }
}
