//! Columns in memory, and programs run on them.
#![allow(dead_code, reason = "each test uses a part")]

use std::collections::HashMap;

use pullback_analysis::{Analysis, Compiled, Input, Schema, schema};
use pullback_array::{Bindings, Column, DType, Lowered, Workspace};
use pullback_sim::{ColumnData, Generator, Process};

/// A column of values.
#[derive(Clone, Debug)]
pub enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    U64(Vec<u64>),
    Bool(Vec<bool>),
}

impl Values {
    fn dtype(&self) -> DType {
        match self {
            Self::F32(_) => DType::F32,
            Self::F64(_) => DType::F64,
            Self::I32(_) => DType::I32,
            Self::I64(_) => DType::I64,
            Self::U64(_) => DType::U64,
            Self::Bool(_) => DType::Bool,
        }
    }

    pub fn column(&self) -> Column<'_> {
        match self {
            Self::F32(v) => Column::F32(v),
            Self::F64(v) => Column::F64(v),
            Self::I32(v) => Column::I32(v),
            Self::I64(v) => Column::I64(v),
            Self::U64(v) => Column::U64(v),
            Self::Bool(v) => Column::Bool(v),
        }
    }

    /// As doubles.
    pub fn f64(&self) -> Vec<f64> {
        match self {
            Self::F32(v) => v.iter().map(|x| f64::from(*x)).collect(),
            Self::F64(v) => v.clone(),
            Self::I32(v) => v.iter().map(|x| f64::from(*x)).collect(),
            Self::I64(v) => v.iter().map(|x| *x as f64).collect(),
            Self::U64(v) => v.iter().map(|x| *x as f64).collect(),
            Self::Bool(v) => v.iter().map(|x| f64::from(u8::from(*x))).collect(),
        }
    }
}

/// Events in columns, with offsets where an event has a list.
#[derive(Clone, Debug, Default)]
pub struct Data {
    pub columns: Vec<(String, Values, Option<Vec<i64>>)>,
}

impl Data {
    /// The first events of a generated sample.
    pub fn generated(process: Process, seed: u64, events: usize) -> Self {
        let sample = Generator::new(process, seed).and_then(|mut g| g.generate(0, events));
        let sample = sample.expect("a process of the menu");
        let mut data = Self::default();
        for column in sample.columns() {
            let values = match column.data {
                ColumnData::F32(v) => Values::F32(v.to_vec()),
                ColumnData::I32(v) => Values::I32(v.to_vec()),
                ColumnData::I64(v) => Values::I64(v.to_vec()),
                ColumnData::U64(v) => Values::U64(v.to_vec()),
                ColumnData::Bool(v) => Values::Bool(v.to_vec()),
            };
            data.add(column.info.name, values, column.offsets);
        }
        data
    }

    pub fn add(&mut self, name: &str, values: Values, offsets: Option<&[i64]>) {
        let offsets = offsets.map(<[i64]>::to_vec);
        self.columns.push((name.into(), values, offsets));
    }

    pub fn schema(&self) -> Schema {
        let columns = self.columns.iter();
        Schema::new(columns.map(|(n, v, o)| schema::Column::new(n, v.dtype(), o.is_some())))
    }

    pub fn get(&self, name: &str) -> (&Values, &[i64]) {
        let found = self.columns.iter().find(|c| c.0 == name);
        let (_, values, offsets) = found.unwrap_or_else(|| panic!("no column {name}"));
        (values, offsets.as_deref().unwrap_or_default())
    }

    /// Runs a program; parameters that are not given have their start.
    pub fn run(
        &self,
        compiled: &Compiled,
        parameters: &HashMap<&str, f64>,
    ) -> (Lowered, Workspace) {
        let lowered = Lowered::new(compiled.program.clone()).unwrap_or_else(|e| panic!("{e}"));
        let mut ws = lowered.workspace();
        self.run_again(&lowered, &mut ws, &compiled.inputs, parameters);
        (lowered, ws)
    }

    pub fn run_again(
        &self,
        lowered: &Lowered,
        ws: &mut Workspace,
        inputs: &[Input],
        parameters: &HashMap<&str, f64>,
    ) {
        let numbers: Vec<Vec<f64>> = inputs
            .iter()
            .map(|i| match i {
                Input::Parameter { name, start } => {
                    let given = parameters.get(name.as_str());
                    given.map_or_else(|| start.clone(), |x| vec![*x])
                }
                _ => Vec::new(),
            })
            .collect();
        let columns: Vec<Column<'_>> = inputs
            .iter()
            .zip(&numbers)
            .map(|(input, number)| match input {
                Input::Offsets { column, .. } => Column::Offsets(self.get(column).1),
                Input::Column { name, .. } => self.get(name).0.column(),
                Input::Parameter { .. } => Column::F64(number),
            })
            .collect();
        let events = self.columns.iter().find(|c| c.2.is_none());
        let events = events.map_or(0, |c| c.1.column().len());
        let bindings = Bindings::ordered(&columns).size(lowered.program(), "events", events);
        let bindings = bindings.unwrap_or_else(|e| panic!("{e}"));
        lowered.run(ws, &bindings).unwrap_or_else(|e| panic!("{e}"));
    }

    /// The values of one expression: doubles, whatever they are.
    pub fn evaluate(&self, analysis: &Analysis, name: &str) -> Vec<f64> {
        let compiled = analysis
            .check(&self.schema())
            .and_then(|m| m.compile(&[name]))
            .unwrap_or_else(|e| panic!("{}", pullback_analysis::render(&e, false)));
        let (lowered, ws) = self.run(&compiled, &HashMap::new());
        let (_, v) = lowered.program().outputs()[0];
        match lowered.program().ty(v).dtype {
            DType::F64 => ws.f64(0).to_vec(),
            DType::I64 => ws.i64(0).iter().map(|x| *x as f64).collect(),
            _ => ws.bool(0).iter().map(|x| f64::from(*x)).collect(),
        }
    }

    /// The values of an expression that stands alone.
    pub fn value(&self, text: &str) -> Vec<f64> {
        self.evaluate(&Analysis::new().column("value", text), "value")
    }

    /// The error of an expression that stands alone.
    pub fn error(&self, text: &str) -> pullback_analysis::Error {
        let checked = Analysis::new().column("value", text).check(&self.schema());
        checked
            .and_then(|m| m.compile(&["value"]))
            .err()
            .unwrap_or_else(|| panic!("accepted: {text}"))
    }
}

/// The two events of the documentation of functions.
pub fn two_events() -> Data {
    let mut data = Data::default();
    let (muons, jets) = ([0, 2, 2], [0, 3, 4]);
    let f = |v: &[f64]| Values::F64(v.to_vec());
    let i = |v: &[i32]| Values::I32(v.to_vec());
    data.add("Muon_pt", f(&[40.0, 30.0]), Some(&muons));
    data.add("Muon_eta", f(&[0.5, -1.5]), Some(&muons));
    data.add("Muon_phi", f(&[0.0, 3.0]), Some(&muons));
    data.add("Muon_mass", f(&[0.106, 0.106]), Some(&muons));
    data.add("Muon_charge", i(&[1, -1]), Some(&muons));
    data.add("Muon_jetIdx", i(&[0, -1]), Some(&muons));
    data.add("Jet_pt", f(&[50.0, 100.0, 20.0, 80.0]), Some(&jets));
    data.add("Jet_eta", f(&[0.6, -0.4, 1.6, 1.0]), Some(&jets));
    data.add("Jet_phi", f(&[0.2, 3.0, 1.9, -1.0]), Some(&jets));
    data.add("Jet_mass", f(&[5.0, 8.0, 3.0, 6.0]), Some(&jets));
    data.add("Jet_btag", f(&[0.9, 0.1, 0.3, 0.2]), Some(&jets));
    data.add("MET_pt", f(&[64.0, 9.0]), None);
    data.add("MET_phi", f(&[0.0, 1.0]), None);
    data.add("event", Values::U64(vec![17, 18]), None);
    data.add("HLT_IsoMu24", Values::Bool(vec![true, false]), None);
    data.add("LHEWeight", f(&[1.0, 0.5, 2.0]), Some(&[0, 3, 3]));
    data
}

/// Whether two lists agree to a relative tolerance; NaN equals NaN.
pub fn close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(x, y)| {
            (x.is_nan() && y.is_nan())
                || x == y
                || (x - y).abs() <= tolerance * x.abs().max(y.abs()).max(1.0)
        })
}
