//! What the data have: columns, and the collections that their names speak of.
//!
//! | naming | columns | read as |
//! |---|---|---|
//! | NanoAOD | `nMuon`, `Muon_pt` (a list per event) | the collection `Muon` with the field `pt` |
//! | | `MET_pt` (one per event) | the single object `MET` with the field `pt` |
//! | | `Muon_jetIdx`, `Jet_muonIdx1` | references: `Muon.jet` is the jet, or missing; `Jet.muon1` |
//! | | `LHEScaleWeight` (a list without a field) | a number per element: `LHEScaleWeight[4]` |
//! | PHYSLITE | `AnalysisMuonsAuxDyn.pt` | the collection `AnalysisMuons` with the field `pt`, in MeV |
//! | | `AnalysisMuonsAuxDyn.inDetTrackParticleLink.m_persIndex` and `.m_persKey` | a reference: `AnalysisMuons.inDetTrackParticle` is the track, or missing |
//!
//! A link of PHYSLITE leads to the container of its name, or to the one where PHYSLITE has it lead to (`combinedTrackParticleLink` to `CombinedMuonTrackParticles`);
//! where a data set says so (`links = { "AnalysisPhotons.Truth" = "TruthElectrons" }`) to another one. Its key is checked for each object: one that leads elsewhere is missing.
//!
//! Any column can also be called by its full name.
//!
//! # Units
//! Energies are in GeV, those of PHYSLITE in MeV, unless a data set says otherwise (`energy = "MeV"`). What is an energy is told by the field, the last part of a name:
//! `pt`, `mass`, `m`, `energy`, `e`, `et`, `px`, `py`, `pz` and the same in capitals, `met`, `sumet`, `mpx`, `mpy`, `ht`, `msoftdrop` and their usual spellings, and the
//! cones of isolations in ATLAS (`ptcone..`, `ptvarcone..`, `etcone..`, `topoetcone..`, `neflowisol..`). Others are named: `energy = { unit = "MeV", columns = "*_jvf_pt" }`.

use pullback_array::DType;
use pullback_io as io;

use crate::links::leads_to;
use crate::units::{Dimension, Unit};

/// A column of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in the file.
    pub name: String,
    /// Element type, one of the engine's.
    pub dtype: DType,
    /// Whether an event has a list of values instead of one.
    pub list: bool,
    /// Its unit, where it is known.
    pub unit: Option<Unit>,
}

impl Column {
    /// A column with the unit that its name implies: GeV for momenta, masses and energies, MeV where the naming is that of PHYSLITE.
    pub fn new(name: impl Into<String>, dtype: DType, list: bool) -> Self {
        let name = name.into();
        let unit = implied_unit(&name);
        Self {
            name,
            dtype,
            list,
            unit,
        }
    }

    /// The same, where energies are in this unit, and the column is one of them if `named`.
    pub fn with_energies(
        name: impl Into<String>,
        dtype: DType,
        list: bool,
        unit: Unit,
        named: bool,
    ) -> Self {
        let mut column = Self::new(name, dtype, list);
        if named || column.dimension() == Some(Dimension::ENERGY) {
            column.unit = Some(unit);
        }
        column
    }

    /// Whether its values are whole numbers, as they are and in the units of the house.
    pub(crate) fn is_whole(&self) -> bool {
        let whole = matches!(self.dtype, DType::I32 | DType::I64 | DType::U64);
        whole && self.factor() == 1.0
    }

    /// What a value is multiplied by to be in the units of the house.
    pub fn factor(&self) -> f64 {
        self.unit.map_or(1.0, Unit::factor)
    }

    /// Its dimension, where it is known.
    pub fn dimension(&self) -> Option<Dimension> {
        self.unit.map(Unit::dimension)
    }
}

/// Fields that are energies.
const ENERGIES: [&str; 33] = [
    "pt",
    "Pt",
    "PT",
    "mass",
    "Mass",
    "m",
    "M",
    "energy",
    "Energy",
    "E",
    "e",
    "et",
    "Et",
    "ET",
    "px",
    "py",
    "pz",
    "Px",
    "Py",
    "Pz",
    "met",
    "Met",
    "MET",
    "sumEt",
    "sumet",
    "SumET",
    "mpx",
    "mpy",
    "ht",
    "Ht",
    "HT",
    "msoftdrop",
    "mSoftDrop",
];

/// What fields begin with that are energies: the cones of isolations in ATLAS.
const CONES: [&str; 5] = ["ptcone", "ptvarcone", "etcone", "topoetcone", "neflowisol"];

/// Fields that are angles, or pseudorapidities.
const ANGLES: [&str; 4] = ["eta", "phi", "Eta", "Phi"];

/// `AnalysisMuonsAuxDyn.pt` in two parts.
fn physlite(name: &str) -> Option<(&str, &str)> {
    name.split_once("AuxDyn.")
        .or_else(|| name.split_once("Aux."))
}

fn implied_unit(name: &str) -> Option<Unit> {
    let (field, unit) = match (physlite(name), name.split_once('_')) {
        (Some((_, field)), _) => (field, "MeV"),
        (None, Some((_, field))) => (field, "GeV"),
        (None, None) => (name, "GeV"),
    };
    if ANGLES.contains(&field) {
        return Unit::find("rad");
    }
    let energy = ENERGIES.contains(&field) || CONES.iter().any(|c| field.starts_with(c));
    energy.then(|| Unit::find(unit)).flatten()
}

/// The members of a link in PHYSLITE.
const INDEX: &str = ".m_persIndex";
const KEY: &str = ".m_persKey";

/// What stands behind a field of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The column of that position.
    Column(usize),
    /// An object of the group `group`, by its number in the column.
    Object {
        /// Position of the column with the numbers.
        column: usize,
        /// Position of the column with the keys of containers: the number counts where the key is that of the group.
        key: Option<usize>,
        /// Position of the group.
        group: usize,
    },
}

/// Columns that describe the same objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Any number per event, or one.
    pub list: bool,
    /// Fields by name.
    pub fields: Vec<(String, Target)>,
    /// The column of the group's own name, if there is one.
    pub value: Option<usize>,
}

impl Group {
    /// Links: the field without its members, and the name as a reference, `inDetTrackParticleLink` and `inDetTrackParticle`.
    pub fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.fields.iter().map(|(name, _)| name.as_str());
        let links = names.filter_map(|name| name.strip_suffix(INDEX));
        links.map(|link| (link, link.strip_suffix("Link").unwrap_or(link)))
    }

    /// The target of a link that leads to a group, if it has both members.
    fn link(&self, link: &str, group: usize) -> Option<Target> {
        let member = |suffix: &str| match self.field(&format!("{link}{suffix}")) {
            Some(Target::Column(column)) => Some(column),
            _ => None,
        };
        Some(Target::Object {
            column: member(INDEX)?,
            key: Some(member(KEY)?),
            group,
        })
    }

    /// A field by name.
    pub fn field(&self, name: &str) -> Option<Target> {
        let mut fields = self.fields.iter();
        fields.find(|(n, _)| n == name).map(|(_, t)| *t)
    }
}

/// The columns of the data and the collections that their names speak of.
///
/// # Example
/// ```
/// use pullback_analysis::{Schema, schema::{Column, Target}};
/// use pullback_array::DType;
/// let schema = Schema::new([
///     Column::new("Muon_pt", DType::F32, true),
///     Column::new("Muon_jetIdx", DType::I32, true),
///     Column::new("Jet_pt", DType::F32, true),
///     Column::new("MET_pt", DType::F32, false),
/// ]);
/// let muon = schema.group("Muon").unwrap();
/// assert!(muon.list && !schema.group("MET").unwrap().list);
/// assert!(matches!(muon.field("jet"), Some(Target::Object { .. })));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schema {
    columns: Vec<Column>,
    groups: Vec<Group>,
}

impl Schema {
    /// The schema of columns.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        let mut schema = Self {
            columns: columns.into_iter().collect(),
            groups: Vec::new(),
        };
        for k in 0..schema.columns.len() {
            schema.add(k);
        }
        schema.refer();
        schema
    }

    /// That of a file or data set. Columns of text, and of more than one level below events, are left out.
    pub fn of_table(table: &io::Schema) -> Self {
        Self::of_columns(table, |name, dtype, list| Column::new(name, dtype, list))
    }

    /// The same, where energies are in a unit, and those columns are energies, too, for which `named` holds.
    pub fn with_energies(table: &io::Schema, unit: Unit, named: impl Fn(&str) -> bool) -> Self {
        Self::of_columns(table, |name, dtype, list| {
            Column::with_energies(name, dtype, list, unit, named(name))
        })
    }

    fn of_columns(table: &io::Schema, column: impl Fn(&str, DType, bool) -> Column) -> Self {
        let columns = table.fields().iter().filter_map(|field| {
            let list = match field.levels.as_slice() {
                [] => false,
                [io::Level::List] => true,
                _ => return None,
            };
            let dtype = match field.dtype.widened() {
                io::DType::Bool => DType::Bool,
                io::DType::I32 => DType::I32,
                io::DType::I64 => DType::I64,
                io::DType::U64 => DType::U64,
                io::DType::F32 => DType::F32,
                io::DType::F64 => DType::F64,
                _ => return None,
            };
            Some(column(&field.name, dtype, list))
        });
        Self::new(columns)
    }

    /// Puts a column into the group that its name speaks of.
    fn add(&mut self, k: usize) {
        let Some(column) = self.columns.get(k) else {
            return;
        };
        let (name, list) = (column.name.clone(), column.list);
        let (group, field) = match (physlite(&name), name.split_once('_')) {
            (Some(parts), _) | (None, Some(parts)) => (parts.0, parts.1),
            (None, None) if list => (name.as_str(), ""),
            (None, None) => return,
        };
        if group.is_empty() {
            return;
        }
        let found = self.groups.iter().position(|g| g.name == group);
        let group = if let Some(g) = found {
            &mut self.groups[g]
        } else {
            self.groups.push(Group {
                name: group.into(),
                list,
                fields: Vec::new(),
                value: None,
            });
            let last = self.groups.len() - 1;
            &mut self.groups[last]
        };
        if list && !group.list {
            // Where lists and single values share a name, the lists are the collection.
            *group = Group {
                name: group.name.clone(),
                list,
                fields: Vec::new(),
                value: None,
            };
        }
        if list == group.list {
            if field.is_empty() {
                group.value = Some(k);
            } else {
                group.fields.push((field.into(), Target::Column(k)));
            }
        }
    }

    /// Finds references: `jetIdx` refers to `Jet`, `muonIdx1` to `Muon`, `genPartIdxMother` to `GenPart`.
    fn refer(&mut self) {
        let mut found = Vec::new();
        for (g, group) in self.groups.iter().enumerate() {
            for (name, target) in &group.fields {
                let (Some((to, which)), Target::Column(column)) = (name.split_once("Idx"), *target)
                else {
                    continue;
                };
                let integer = matches!(
                    self.columns.get(column).map(|c| c.dtype),
                    Some(DType::I32 | DType::I64)
                );
                let same = |other: &Group| other.list && other.name.eq_ignore_ascii_case(to);
                if let Some(group) = self.groups.iter().position(same)
                    && integer
                {
                    let name = format!("{to}{which}");
                    let target = Target::Object {
                        column,
                        key: None,
                        group,
                    };
                    found.push((g, name, target));
                }
            }
            let lists = self
                .groups
                .iter()
                .map(|g| if g.list { g.name.as_str() } else { "" });
            let lists: Vec<&str> = lists.collect();
            for (link, name) in group.links() {
                if let Some(to) = leads_to(&group.name, name, &lists)
                    && let Some(target) = group.link(link, to)
                {
                    found.push((g, name.to_owned(), target));
                }
            }
        }
        for (g, name, target) in found {
            let group = &mut self.groups[g];
            if group.field(&name).is_none() {
                group.fields.push((name, target));
            }
        }
    }

    /// Lets a link of a group lead to another one, by the names of group, reference and group; false where one of them is not there.
    ///
    /// # Example
    /// ```
    /// use pullback_analysis::{Schema, schema::Column};
    /// use pullback_array::DType;
    /// let mut schema = Schema::new([
    ///     Column::new("AnalysisPhotonsAuxDyn.TruthLink.m_persKey", DType::I64, true),
    ///     Column::new("AnalysisPhotonsAuxDyn.TruthLink.m_persIndex", DType::I64, true),
    ///     Column::new("TruthElectronsAuxDyn.e", DType::F32, true),
    /// ]);
    /// assert!(schema.group("AnalysisPhotons").unwrap().field("Truth").is_none());
    /// assert!(schema.let_lead("AnalysisPhotons", "Truth", "TruthElectrons"));
    /// assert!(schema.group("AnalysisPhotons").unwrap().field("Truth").is_some());
    /// ```
    pub fn let_lead(&mut self, from: &str, name: &str, to: &str) -> bool {
        let Some(to) = self.groups.iter().position(|g| g.list && g.name == to) else {
            return false;
        };
        let Some(group) = self.groups.iter_mut().find(|g| g.name == from) else {
            return false;
        };
        let link = group.links().find(|(_, n)| *n == name);
        let Some(target) = link.and_then(|(link, _)| group.link(link, to)) else {
            return false;
        };
        let name = name.to_owned();
        group.fields.retain(|(n, _)| *n != name);
        group.fields.push((name, target));
        true
    }

    /// All columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// All groups.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// A group by name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|g| g.name == name)
    }

    /// Position of a column by name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }

    /// The group to whose lists a column belongs, if it is one of lists.
    pub fn group_of(&self, column: usize) -> Option<usize> {
        let is = |t: &Target| *t == Target::Column(column);
        self.groups
            .iter()
            .position(|g| g.list && (g.value == Some(column) || g.fields.iter().any(|f| is(&f.1))))
    }
}
