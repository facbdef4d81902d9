//! Columns of muons: from a file, from the generator.

use std::path::Path;
use std::sync::Arc;

use pullback_array::Column;
use pullback_io::{Table, Values, root};
use pullback_sim::{Detector, Generator, Process};

use super::error::DimuonError;

/// Muons under events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Muons {
    /// Where the muons of each event begin, and the end.
    pub offsets: Vec<i64>,
    /// Transverse momenta in GeV.
    pub pt: Vec<f64>,
    /// Pseudorapidities.
    pub eta: Vec<f64>,
    /// Azimuths.
    pub phi: Vec<f64>,
    /// Charges.
    pub charge: Vec<i64>,
}

impl Muons {
    /// How many events there are.
    pub fn events(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// The inputs of the program, but for the parameters.
    pub fn columns(&self) -> [Column<'_>; 5] {
        [
            Column::Offsets(&self.offsets),
            Column::F64(&self.pt),
            Column::F64(&self.eta),
            Column::F64(&self.phi),
            Column::I64(&self.charge),
        ]
    }

    /// An event more.
    pub fn push(&mut self, muons: impl IntoIterator<Item = (f64, f64, f64, i64)>) {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        for (pt, eta, phi, charge) in muons {
            self.pt.push(pt);
            self.eta.push(eta);
            self.phi.push(phi);
            self.charge.push(charge);
        }
        self.offsets.push(self.pt.len() as i64);
    }

    /// Events with the numbers given, in that order; a number may come again. Numbers that no event has are left out.
    pub fn choose(&self, events: impl IntoIterator<Item = usize>) -> Self {
        let mut out = Self::default();
        for k in events.into_iter().filter(|k| *k < self.events()) {
            let range = self.offsets[k] as usize..self.offsets[k + 1] as usize;
            out.push(range.map(|i| (self.pt[i], self.eta[i], self.phi[i], self.charge[i])));
        }
        out
    }

    /// The events of another sample behind these.
    pub fn append(&mut self, other: &Self) {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        let before = self.pt.len() as i64;
        self.offsets
            .extend(other.offsets.iter().skip(1).map(|o| o + before));
        self.pt.extend(&other.pt);
        self.eta.extend(&other.eta);
        self.phi.extend(&other.phi);
        self.charge.extend(&other.charge);
    }
}

/// The muons of a NanoAOD file, tree `Events`.
///
/// # Errors
/// What the file says; columns that are no lists of numbers.
pub fn open_data(path: &Path) -> Result<Muons, DimuonError> {
    let tree = root::File::open(path)?.tree("Events")?;
    let doubles = |column: &'static str| -> Result<(Arc<Vec<i64>>, Vec<f64>), DimuonError> {
        let read = tree.column(column)?;
        let wrong = || DimuonError::Column { column };
        let offsets = read.offsets().cloned().ok_or_else(wrong)?;
        let values = match read.values() {
            Values::F32(values) => values.iter().map(|x| f64::from(*x)).collect(),
            Values::F64(values) => values.clone(),
            Values::I32(values) => values.iter().map(|x| f64::from(*x)).collect(),
            _ => return Err(wrong()),
        };
        Ok((offsets, values))
    };
    let (offsets, pt) = doubles("Muon_pt")?;
    let charge = doubles("Muon_charge")?.1;
    Ok(Muons {
        offsets: offsets.to_vec(),
        pt,
        eta: doubles("Muon_eta")?.1,
        phi: doubles("Muon_phi")?.1,
        charge: charge.iter().map(|q| *q as i64).collect(),
    })
}

/// Generated events with muons, J/ψ and then Z, `counts` of each from the event number `first` on.
///
/// # Errors
/// Those of the generator.
pub fn generated(
    detector: &Detector,
    seed: u64,
    first: u64,
    counts: [usize; 2],
) -> Result<Muons, DimuonError> {
    let mut out = Muons::default();
    for (process, count) in [Process::JPsiToMuMu, Process::ZToLL]
        .into_iter()
        .zip(counts)
    {
        let mut generator = Generator::with_detector(process, seed, detector.clone())?;
        let events = generator.generate(first, count)?;
        let muon = &events.muon;
        let doubles = |x: &[f32]| x.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
        let sample = Muons {
            offsets: muon.offsets.clone(),
            pt: doubles(&muon.pt),
            eta: doubles(&muon.eta),
            phi: doubles(&muon.phi),
            charge: muon.charge.iter().map(|q| i64::from(*q)).collect(),
        };
        out.append(&sample);
    }
    Ok(out)
}
