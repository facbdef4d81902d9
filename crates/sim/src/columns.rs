//! The table of columns: names, types, units and meaning, once; the struct that holds them and the schema follow.

/// The type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// 32-bit floats.
    F32,
    /// 32-bit integers.
    I32,
    /// 64-bit integers.
    I64,
    /// 64-bit unsigned integers.
    U64,
    /// Truth values.
    Bool,
}

/// What is known of a column without its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its name, as in NanoAOD.
    pub name: &'static str,
    /// The type of its values.
    pub ty: ColumnType,
    /// The collection whose offsets it follows (`"Muon"`); none for one value per event.
    pub collection: Option<&'static str>,
    /// Its unit, empty for plain numbers.
    pub unit: &'static str,
    /// What it is.
    pub doc: &'static str,
}

/// The values of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColumnData<'a> {
    /// 32-bit floats.
    F32(&'a [f32]),
    /// 32-bit integers.
    I32(&'a [i32]),
    /// 64-bit integers.
    I64(&'a [i64]),
    /// 64-bit unsigned integers.
    U64(&'a [u64]),
    /// Truth values.
    Bool(&'a [bool]),
}

/// A column with its values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column<'a> {
    /// What it is.
    pub info: &'static ColumnInfo,
    /// Its values, those of all events in a row.
    pub data: ColumnData<'a>,
    /// Where each event's values begin, and where the last one's end; none for one value per event.
    pub offsets: Option<&'a [i64]>,
}

macro_rules! column_type {
    (f32) => {
        ColumnType::F32
    };
    (i32) => {
        ColumnType::I32
    };
    (i64) => {
        ColumnType::I64
    };
    (u64) => {
        ColumnType::U64
    };
    (bool) => {
        ColumnType::Bool
    };
}

macro_rules! column_data {
    (f32, $values:expr) => {
        ColumnData::F32($values)
    };
    (i32, $values:expr) => {
        ColumnData::I32($values)
    };
    (i64, $values:expr) => {
        ColumnData::I64($values)
    };
    (u64, $values:expr) => {
        ColumnData::U64($values)
    };
    (bool, $values:expr) => {
        ColumnData::Bool($values)
    };
}

macro_rules! event_columns {
    ($(#[$meta:meta])* $table:ident: $($field:ident: $ty:ident, $name:literal, $unit:literal, $doc:literal;)*) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $table {
            $(#[doc = concat!("`", $name, "`: ", $doc)] pub $field: Vec<$ty>,)*
        }

        impl $table {
            /// The columns without values.
            pub const INFO: &'static [ColumnInfo] = &[$(ColumnInfo {
                name: $name, ty: column_type!($ty), collection: None, unit: $unit, doc: $doc,
            }),*];

            pub(crate) fn columns(&self) -> Vec<Column<'_>> {
                let data = [$(column_data!($ty, &self.$field)),*];
                let columns = Self::INFO.iter().zip(data);
                columns.map(|(info, data)| Column { info, data, offsets: None }).collect()
            }

            pub(crate) fn clear(&mut self) {
                $(self.$field.clear();)*
            }

            pub(crate) fn append(&mut self, other: &Self) {
                $(self.$field.extend_from_slice(&other.$field);)*
            }
        }
    };
}

macro_rules! collection_columns {
    ($(#[$meta:meta])* $table:ident $count:literal $collection:literal: $($field:ident: $ty:ident, $name:literal, $unit:literal, $doc:literal;)*) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $table {
            #[doc = concat!("`", $count, "`: how many there are in each event")]
            pub count: Vec<i32>,
            /// Where each event's values begin, and where the last one's end.
            pub offsets: Vec<i64>,
            $(#[doc = concat!("`", $name, "`: ", $doc)] pub $field: Vec<$ty>,)*
        }

        impl Default for $table {
            fn default() -> Self {
                Self { count: Vec::new(), offsets: vec![0], $($field: Vec::new(),)* }
            }
        }

        impl $table {
            /// The columns without values; the first is the count.
            pub const INFO: &'static [ColumnInfo] = &[
                ColumnInfo { name: $count, ty: ColumnType::I32, collection: None, unit: "", doc: "How many there are in the event." },
                $(ColumnInfo { name: $name, ty: column_type!($ty), collection: Some($collection), unit: $unit, doc: $doc }),*
            ];

            pub(crate) fn columns(&self) -> Vec<Column<'_>> {
                let data = [$(column_data!($ty, &self.$field)),*];
                let count = Column { info: &Self::INFO[0], data: ColumnData::I32(&self.count), offsets: None };
                let columns = Self::INFO[1..].iter().zip(data);
                let columns = columns.map(|(info, data)| Column { info, data, offsets: Some(&self.offsets) });
                std::iter::once(count).chain(columns).collect()
            }

            pub(crate) fn clear(&mut self) {
                self.count.clear();
                self.offsets.truncate(1);
                $(self.$field.clear();)*
            }

            pub(crate) fn append(&mut self, other: &Self) {
                let end = self.offsets.last().copied().unwrap_or_default();
                self.count.extend_from_slice(&other.count);
                self.offsets.extend(other.offsets.iter().skip(1).map(|offset| end + offset));
                $(self.$field.extend_from_slice(&other.$field);)*
            }

            /// Ends an event with `count` more values.
            #[inline]
            pub(crate) fn close(&mut self, count: usize) {
                let end = self.offsets.last().copied().unwrap_or_default();
                self.count.push(count as i32);
                self.offsets.push(end + count as i64);
            }
        }
    };
}

event_columns! {
    /// One value per event.
    EventColumns:
    run: i64, "run", "", "Run number: 1 for simulation.";
    luminosity_block: i64, "luminosityBlock", "", "A thousand consecutive events.";
    event: u64, "event", "", "The global id of the event, by which it can be generated again.";
    gen_weight: f32, "genWeight", "", "Weight of the generator, of mean size 1; negative in a fraction of events.";
    x1: f32, "Generator_x1", "", "Momentum fraction of the first parton.";
    x2: f32, "Generator_x2", "", "Momentum fraction of the second parton.";
    scale: f32, "Generator_scalePDF", "GeV", "Scale of the process.";
    gen_met_pt: f32, "GenMET_pt", "GeV", "Transverse momentum of all neutrinos.";
    gen_met_phi: f32, "GenMET_phi", "", "Its azimuth.";
    interactions: f32, "Pileup_nTrueInt", "", "Mean number of interactions of the crossing.";
    vertices: i32, "PV_npvs", "", "Vertices found.";
    met_pt: f32, "MET_pt", "GeV", "Missing transverse momentum.";
    met_phi: f32, "MET_phi", "", "Its azimuth.";
    muon_trigger: bool, "HLT_IsoMu24", "", "An isolated muon above 24 GeV.";
    electron_trigger: bool, "HLT_Ele32_WPTight_Gsf", "", "An isolated electron above 32 GeV.";
}

collection_columns! {
    /// Muons, by falling p_T.
    MuonColumns "nMuon" "Muon":
    pt: f32, "Muon_pt", "GeV", "Transverse momentum.";
    eta: f32, "Muon_eta", "", "Pseudorapidity.";
    phi: f32, "Muon_phi", "", "Azimuth.";
    mass: f32, "Muon_mass", "GeV", "Mass.";
    charge: i32, "Muon_charge", "", "Charge.";
    isolation: f32, "Muon_pfRelIso04_all", "", "Energy within 0.4 around it, over its own.";
    jet: i32, "Muon_jetIdx", "", "The jet that holds it, or -1.";
    truth: i32, "Muon_genPartIdx", "", "The particle that it is, in GenPart, or -1 where the record is not kept.";
}

collection_columns! {
    /// Electrons, by falling p_T.
    ElectronColumns "nElectron" "Electron":
    pt: f32, "Electron_pt", "GeV", "Transverse momentum.";
    eta: f32, "Electron_eta", "", "Pseudorapidity.";
    phi: f32, "Electron_phi", "", "Azimuth.";
    mass: f32, "Electron_mass", "GeV", "Mass.";
    charge: i32, "Electron_charge", "", "Charge, wrong in 0.1 % (barrel) to 1 % (endcap).";
    isolation: f32, "Electron_pfRelIso03_all", "", "Energy around it, over its own; within 0.4, for want of a finer picture.";
    jet: i32, "Electron_jetIdx", "", "The jet that holds it, or -1.";
    truth: i32, "Electron_genPartIdx", "", "The particle that it is, in GenPart, or -1 where the record is not kept.";
}

collection_columns! {
    /// Jets (anti-k_t, R = 0.4) by falling p_T; electrons and muons make jets, too.
    JetColumns "nJet" "Jet":
    pt: f32, "Jet_pt", "GeV", "Transverse momentum.";
    eta: f32, "Jet_eta", "", "Pseudorapidity.";
    phi: f32, "Jet_phi", "", "Azimuth.";
    mass: f32, "Jet_mass", "GeV", "Mass.";
    btag: f32, "Jet_btagDeepFlavB", "", "b-tag score; -1 outside the tracker.";
    flavour: i32, "Jet_hadronFlavour", "", "5 with a b quark inside, else 4 with a c quark, else 0.";
    muon: i32, "Jet_muonIdx1", "", "The first muon inside, or -1.";
    electron: i32, "Jet_electronIdx1", "", "The first electron inside, or -1.";
}

collection_columns! {
    /// Weights of varied scales, relative to the nominal one.
    ScaleColumns "nLHEScaleWeight" "LHEScaleWeight":
    weight: f32, "LHEScaleWeight", "", "(muR, muF) = (.5, .5), (.5, 1), (1, .5), (1, 1), (1, 2), (2, 1), (2, 2).";
}

collection_columns! {
    /// Weights of varied parton densities, relative to the nominal one.
    PdfColumns "nLHEPdfWeight" "LHEPdfWeight":
    weight: f32, "LHEPdfWeight", "", "Members of the set; the nominal one is not among them.";
}

collection_columns! {
    /// The generator's record, where it is kept.
    GenPartColumns "nGenPart" "GenPart":
    pt: f32, "GenPart_pt", "GeV", "Transverse momentum.";
    eta: f32, "GenPart_eta", "", "Pseudorapidity; +-20000 along the beam.";
    phi: f32, "GenPart_phi", "", "Azimuth.";
    mass: f32, "GenPart_mass", "GeV", "Mass.";
    pdg_id: i32, "GenPart_pdgId", "", "PDG number; 90 for the soft recoil and for pairs.";
    status: i32, "GenPart_status", "", "21 incoming, 22 decayed, 1 stable.";
    mother: i32, "GenPart_genPartIdxMother", "", "The particle it comes from, or -1.";
}
