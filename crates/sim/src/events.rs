//! Generated events, as columns.

use crate::columns::{
    Column, ColumnData, ColumnInfo, ElectronColumns, EventColumns, GenPartColumns, JetColumns,
    MuonColumns, PdfColumns, ScaleColumns,
};
use crate::lepton::Lepton;
use crate::pdg;
use crate::reconstruct::Reconstruction;
use crate::truth::Truth;
use crate::weights;

/// Consecutive events, as columns with the names and types of NanoAOD.
///
/// # Example
/// ```
/// use pullback_sim::{ColumnData, Generator, Process};
///
/// let events = Generator::new(Process::ZToLL, 1)?.generate(0, 100)?;
/// let column = events.column("Muon_pt").expect("a column of every sample");
/// let ColumnData::F32(pt) = column.data else { panic!("floats") };
/// assert_eq!(pt, events.muon.pt);
/// assert_eq!(events.muon.offsets.len(), 101);
/// # Ok::<(), pullback_sim::SimError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    /// One value per event.
    pub event: EventColumns,
    /// Muons.
    pub muon: MuonColumns,
    /// Electrons.
    pub electron: ElectronColumns,
    /// Jets.
    pub jet: JetColumns,
    /// Weights of varied scales.
    pub scale: ScaleColumns,
    /// Weights of varied parton densities.
    pub pdf: PdfColumns,
    /// The generator's record, if it is kept.
    pub gen_part: Option<GenPartColumns>,
}

impl Events {
    /// How many events there are.
    pub fn len(&self) -> usize {
        self.event.event.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns of a sample without the generator's record; those of the record are [`GenPartColumns::INFO`].
    pub fn schema() -> impl Iterator<Item = &'static ColumnInfo> {
        [
            EventColumns::INFO,
            MuonColumns::INFO,
            ElectronColumns::INFO,
            JetColumns::INFO,
            ScaleColumns::INFO,
            PdfColumns::INFO,
        ]
        .into_iter()
        .flatten()
    }

    /// All columns with their values, in the order of the schema.
    pub fn columns(&self) -> Vec<Column<'_>> {
        let mut columns = self.event.columns();
        columns.extend(self.muon.columns());
        columns.extend(self.electron.columns());
        columns.extend(self.jet.columns());
        columns.extend(self.scale.columns());
        columns.extend(self.pdf.columns());
        columns.extend(self.gen_part.iter().flat_map(GenPartColumns::columns));
        columns
    }

    /// A column by its name.
    pub fn column(&self, name: &str) -> Option<Column<'_>> {
        self.columns().into_iter().find(|c| c.info.name == name)
    }

    /// Adds the events of another sample behind these. The generator's record stays only if both have it.
    pub fn append(&mut self, other: &Self) {
        self.event.append(&other.event);
        self.muon.append(&other.muon);
        self.electron.append(&other.electron);
        self.jet.append(&other.jet);
        self.scale.append(&other.scale);
        self.pdf.append(&other.pdf);
        self.gen_part = match (self.gen_part.take(), &other.gen_part) {
            (Some(mut own), Some(others)) => {
                own.append(others);
                Some(own)
            }
            _ => None,
        };
    }

    /// A number that changes with any bit of any column: FNV-1a over names, offsets and values in little-endian bytes.
    pub fn digest(&self) -> u64 {
        let mut hash = Hash(0xcbf2_9ce4_8422_2325);
        for column in self.columns() {
            hash.bytes(column.info.name.as_bytes());
            for offset in column.offsets.unwrap_or_default() {
                hash.bytes(&offset.to_le_bytes());
            }
            match column.data {
                ColumnData::F32(values) => values.iter().for_each(|x| hash.bytes(&x.to_le_bytes())),
                ColumnData::I32(values) => values.iter().for_each(|x| hash.bytes(&x.to_le_bytes())),
                ColumnData::I64(values) => values.iter().for_each(|x| hash.bytes(&x.to_le_bytes())),
                ColumnData::U64(values) => values.iter().for_each(|x| hash.bytes(&x.to_le_bytes())),
                ColumnData::Bool(values) => values.iter().for_each(|x| hash.bytes(&[u8::from(*x)])),
            }
        }
        hash.0
    }

    /// Takes all events away and keeps the memory.
    pub fn clear(&mut self) {
        self.event.clear();
        self.muon.clear();
        self.electron.clear();
        self.jet.clear();
        self.scale.clear();
        self.pdf.clear();
        self.gen_part.iter_mut().for_each(GenPartColumns::clear);
    }

    /// Writes an event.
    pub(crate) fn push(
        &mut self,
        id: u64,
        weight: f64,
        order: i32,
        truth: &Truth,
        seen: &Reconstruction,
    ) {
        let event = &mut self.event;
        event.run.push(1);
        event.luminosity_block.push((id / 1000 + 1) as i64);
        event.event.push(id);
        event.gen_weight.push(weight as f32);
        event.x1.push(truth.x[0] as f32);
        event.x2.push(truth.x[1] as f32);
        event.scale.push(truth.scale as f32);
        let (pt, phi) = polar(seen.neutrinos);
        event.gen_met_pt.push(pt);
        event.gen_met_phi.push(phi);
        event.interactions.push(seen.interactions as f32);
        event.vertices.push(seen.vertices as i32);
        let (pt, phi) = polar(seen.met);
        event.met_pt.push(pt);
        event.met_phi.push(phi);
        event.muon_trigger.push(seen.muon_trigger);
        event.electron_trigger.push(seen.electron_trigger);

        let ln_x = truth.x.map(pullback_ad::math::scalar::ln);
        self.scale
            .weight
            .extend(weights::scales(order, truth, ln_x));
        self.scale.close(weights::SCALES.len());
        self.pdf.weight.extend_from_slice(&weights::densities(ln_x));
        self.pdf.close(weights::PDF_MEMBERS);
        self.objects(seen);
        if let Some(columns) = &mut self.gen_part {
            record(columns, truth);
        }
    }

    fn objects(&mut self, seen: &Reconstruction) {
        let kept = self.gen_part.is_some();
        let place = |lepton: &Lepton| if kept { lepton.truth as i32 } else { -1 };
        for lepton in &seen.muons {
            let muon = &mut self.muon;
            muon.pt.push(lepton.pt as f32);
            muon.eta.push(lepton.eta as f32);
            muon.phi.push(lepton.phi as f32);
            muon.mass.push(pdg::M_MUON as f32);
            muon.charge.push(lepton.charge);
            muon.isolation.push(lepton.isolation as f32);
            muon.jet.push(seen.jet_of(lepton));
            muon.truth.push(place(lepton));
        }
        self.muon.close(seen.muons.len());
        for lepton in &seen.electrons {
            let electron = &mut self.electron;
            electron.pt.push(lepton.pt as f32);
            electron.eta.push(lepton.eta as f32);
            electron.phi.push(lepton.phi as f32);
            electron.mass.push(pdg::M_ELECTRON as f32);
            electron.charge.push(lepton.charge);
            electron.isolation.push(lepton.isolation as f32);
            electron.jet.push(seen.jet_of(lepton));
            electron.truth.push(place(lepton));
        }
        self.electron.close(seen.electrons.len());
        for measured in &seen.jets {
            let jet = &mut self.jet;
            jet.pt.push(measured.pt as f32);
            jet.eta.push(measured.eta as f32);
            jet.phi.push(measured.phi as f32);
            jet.mass.push(measured.mass as f32);
            jet.btag.push(measured.btag as f32);
            jet.flavour.push(measured.flavour);
            jet.muon.push(seen.muon_in(measured));
            jet.electron.push(seen.electron_in(measured));
        }
        self.jet.close(seen.jets.len());
    }
}

/// Along the beam, as NanoAOD writes it.
const ALONG_BEAM: f32 = 20_000.0;

fn record(columns: &mut GenPartColumns, truth: &Truth) {
    for particle in &truth.particles {
        let p = particle.momentum;
        let incoming = particle.mother.is_none();
        columns.pt.push(p.pt() as f32);
        columns.eta.push(if incoming {
            ALONG_BEAM.copysign(p.pz as f32)
        } else {
            p.eta() as f32
        });
        columns
            .phi
            .push(if incoming { 0.0 } else { p.phi() as f32 });
        columns.mass.push(particle.mass as f32);
        columns.pdg_id.push(particle.pdg_id);
        columns.status.push(match (incoming, particle.stable) {
            (true, _) => 21,
            (false, true) => 1,
            (false, false) => 22,
        });
        columns
            .mother
            .push(particle.mother.map_or(-1, |mother| mother as i32));
    }
    columns.close(truth.particles.len());
}

fn polar([x, y]: [f64; 2]) -> (f32, f32) {
    use pullback_ad::math::scalar::atan2;
    if x == 0.0 && y == 0.0 {
        return (0.0, 0.0);
    }
    ((x * x + y * y).sqrt() as f32, atan2(y, x) as f32)
}

struct Hash(u64);

impl Hash {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
