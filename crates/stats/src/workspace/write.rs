//! Workspaces back to JSON, in the key order of pyhf's examples.

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::types::{
    Channel, Config, Measurement, Modifier, ModifierData, Observation, ParameterConfig, Sample,
    Workspace,
};

impl Workspace {
    /// The workspace as JSON text. Reading it again gives the same workspace; whole numbers come back with a decimal point.
    pub fn to_json(&self) -> String {
        // Serialising to a string fails only for keys that are not strings, and there are none.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// A struct whose fields are keys of the same name.
macro_rules! plain {
    ($name:ident: $($field:ident),* $(; optional $($ofield:ident),*)?) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                $(map.serialize_entry(stringify!($field), &self.$field)?;)*
                $($(if let Some(value) = &self.$ofield {
                    map.serialize_entry(stringify!($ofield), value)?;
                })*)?
                map.end()
            }
        }
    };
}

plain!(Workspace: channels, observations, measurements, version);
plain!(Channel: name, samples);
plain!(Sample: name, data, modifiers);
plain!(Observation: name, data);
plain!(Measurement: name, config);
plain!(Config: poi, parameters);
plain!(ParameterConfig: name; optional inits, bounds, auxdata, factors, sigmas, fixed);

impl Serialize for Modifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("type", self.kind().as_str())?;
        map.serialize_entry("data", &self.data)?;
        map.end()
    }
}

impl Serialize for ModifierData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Histosys { lo_data, hi_data } => {
                let mut object = serializer.serialize_struct("histosys", 2)?;
                object.serialize_field("hi_data", hi_data)?;
                object.serialize_field("lo_data", lo_data)?;
                object.end()
            }
            Self::Normsys { lo, hi } => {
                let mut object = serializer.serialize_struct("normsys", 2)?;
                object.serialize_field("hi", hi)?;
                object.serialize_field("lo", lo)?;
                object.end()
            }
            Self::Shapesys(list) | Self::Staterror(list) => list.serialize(serializer),
            Self::Lumi | Self::Normfactor | Self::Shapefactor => serializer.serialize_unit(),
        }
    }
}
