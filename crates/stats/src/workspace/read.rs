//! From bytes or a JSON value to a checked workspace.

use std::io::Read;

use serde::Deserialize;
use serde_json::Value;

use super::limits::Limits;
use super::locate::{escape, locate_error, locate_place, offset_of_line_column, point_at};
use super::raw::{
    RawConfig, RawData, RawMeasurement, RawModifier, RawParameter, RawSample, RawWorkspace,
};
use super::types::{
    Channel, Config, Measurement, Modifier, ModifierData, ModifierType, Observation,
    ParameterConfig, Sample, Workspace,
};
use super::warning::Warning;
use crate::error::{Error, Place, Result};

impl Workspace {
    /// Reads and checks a workspace with the default [`Limits`].
    ///
    /// # Errors
    /// Everything that is wrong with the text, the schema or the content, with its place; see [`Error`].
    ///
    /// ```
    /// use pullback_stats::workspace::Workspace;
    /// let text = r#"{"version": "1.0.0",
    ///     "channels": [{"name": "SR", "samples": [{"name": "bkg", "data": [50.0, 52.0],
    ///         "modifiers": [{"name": "mu_bkg", "type": "normfactor", "data": null}]}]}],
    ///     "observations": [{"name": "SR", "data": [51, 48]}],
    ///     "measurements": [{"name": "m", "config": {"poi": "mu_bkg", "parameters": []}}]}"#;
    /// let (workspace, warnings) = Workspace::from_slice(text.as_bytes())?;
    /// assert_eq!(workspace.channels[0].samples[0].data, [50.0, 52.0]);
    /// assert!(warnings.is_empty());
    /// # Ok::<(), pullback_stats::Error>(())
    /// ```
    pub fn from_slice(bytes: &[u8]) -> Result<(Self, Vec<Warning>)> {
        Self::from_slice_with(bytes, &Limits::default())
    }

    /// Reads and checks a workspace.
    ///
    /// # Errors
    /// As [`Workspace::from_slice`].
    pub fn from_slice_with(bytes: &[u8], limits: &Limits) -> Result<(Self, Vec<Warning>)> {
        let text = checked_text(bytes, limits)?;
        let raw: RawWorkspace = match serde_json::from_str(text) {
            Ok(raw) => raw,
            // Read again, slower, to know where it failed.
            Err(error) => return Err(explain::<RawWorkspace>(text, &error)),
        };
        let mut warnings = Vec::new();
        let result = build(raw, &mut warnings).and_then(|workspace| {
            warnings.append(&mut workspace.check(limits)?);
            Ok(workspace)
        });
        let workspace = result.map_err(|error| locate_error(error, text))?;
        for place in warnings
            .iter_mut()
            .take(LOCATED_WARNINGS)
            .filter_map(Warning::place_mut)
        {
            locate_place(place, text);
        }
        Ok((workspace, warnings))
    }

    /// Reads and checks a workspace that is in memory as JSON, after a patch for example.
    ///
    /// # Errors
    /// As [`Workspace::from_slice`], without lines and columns.
    pub fn from_value(value: &Value, limits: &Limits) -> Result<(Self, Vec<Warning>)> {
        let Ok(raw) = RawWorkspace::deserialize(value) else {
            return Err(explain_value::<RawWorkspace>(value));
        };
        let mut warnings = Vec::new();
        let workspace = build(raw, &mut warnings)?;
        warnings.append(&mut workspace.check(limits)?);
        Ok((workspace, warnings))
    }
}

/// Warnings whose line is looked up: each costs a pass over the text.
const LOCATED_WARNINGS: usize = 20;

/// Reads all of a stream, up to the limit on bytes.
///
/// # Errors
/// [`Error::TooLarge`], or [`Error::Read`] with what the operating system said.
pub fn read_limited(reader: impl Read, limits: &Limits) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader
        .take(limits.bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| Error::Read {
            message: e.to_string(),
        })?;
    check_size(&bytes, limits)?;
    Ok(bytes)
}

/// Reads any JSON document, with the same errors as a workspace: for patches and digests.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Syntax`] or [`Error::NonFinite`].
pub fn read_json(bytes: &[u8], limits: &Limits) -> Result<Value> {
    let text = checked_text(bytes, limits)?;
    serde_json::from_str(text).map_err(|error| explain::<Value>(text, &error))
}

fn check_size(bytes: &[u8], limits: &Limits) -> Result<()> {
    let size = bytes.len() as u64;
    if size > limits.bytes {
        return Err(Error::TooLarge {
            what: "bytes of the document",
            size,
            limit: limits.bytes,
        });
    }
    Ok(())
}

fn checked_text<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str> {
    check_size(bytes, limits)?;
    std::str::from_utf8(bytes).map_err(|error| {
        let mut place = Box::<Place>::default();
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        point_at(&mut place, &valid, error.valid_up_to());
        Error::Syntax {
            message: "the text is not UTF-8".to_owned(),
            place,
        }
    })
}

/// The error of a text that does not deserialise, with pointer, line and column.
pub(super) fn explain<'de, T: Deserialize<'de>>(
    text: &'de str,
    first: &serde_json::Error,
) -> Error {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let (pointer, error) = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => (String::new(), None),
        Err(error) => (pointer_of(error.path()), Some(error.into_inner())),
    };
    let error = error.as_ref().unwrap_or(first);
    let offset = offset_of_line_column(text, error.line(), error.column());
    let message = bare_message(error);
    match error.classify() {
        serde_json::error::Category::Data => {
            let mut place = Place::at(pointer);
            locate_place(&mut place, text);
            schema_error(&message, place)
        }
        _ if message == "number out of range" => {
            let (value, start) = number_around(text, offset);
            let mut place = Place::at(pointer);
            point_at(&mut place, text, start);
            Error::NonFinite { value, place }
        }
        _ => {
            let mut place = Box::<Place>::default();
            point_at(&mut place, text, offset);
            Error::Syntax { message, place }
        }
    }
}

/// The error of a value that does not deserialise, with its pointer.
pub(super) fn explain_value<'de, T: Deserialize<'de>>(value: &'de Value) -> Error {
    match serde_path_to_error::deserialize::<_, T>(value) {
        Ok(_) => Error::Syntax {
            message: "the document could not be read".to_owned(),
            place: Box::default(),
        },
        Err(error) => {
            let pointer = pointer_of(error.path());
            schema_error(&bare_message(error.inner()), Place::at(pointer))
        }
    }
}

/// The message without the position that `serde_json` appends.
fn bare_message(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(i) => message[..i].to_owned(),
        None => message,
    }
}

/// serde's messages, taken apart: their wording is part of serde's `de::Error` trait.
fn schema_error(message: &str, place: Box<Place>) -> Error {
    let in_ticks = |prefix| {
        message
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix('`'))
            .map(str::to_owned)
    };
    if let Some(key) = in_ticks("missing field `") {
        return Error::MissingKey { key, place };
    }
    if let Some(key) = in_ticks("duplicate field `") {
        return Error::RepeatedKey { key, place };
    }
    let body = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|prefix| message.strip_prefix(prefix));
    // `found` may quote the text itself, so that `expected` is what follows the last comma of this form.
    if let Some((found, expected)) = body.and_then(|body| body.rsplit_once(", expected ")) {
        let expected = match expected {
            "f64" => "a number",
            "a sequence" => "a list",
            "a boolean" => "true or false",
            other => other,
        };
        return Error::Schema {
            expected: expected.to_owned(),
            found: in_words(found),
            place,
        };
    }
    Error::Schema {
        expected: "a workspace".to_owned(),
        found: shorten(message),
        place,
    }
}

/// serde's words for what it found, in those of JSON.
fn in_words(found: &str) -> String {
    let number = ["integer `", "floating point `", "number `"]
        .iter()
        .find_map(|p| found.strip_prefix(p));
    match (found, number) {
        ("sequence", _) => "a list".to_owned(),
        ("map", _) => "an object".to_owned(),
        (_, Some(number)) => format!("the number {}", number.trim_end_matches('`')),
        _ => match found.strip_prefix("boolean `") {
            Some(value) => value.trim_end_matches('`').to_owned(),
            None => shorten(found),
        },
    }
}

/// Values and names quoted in messages are cut at 120 characters.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The number token at or just before an offset, and where it starts.
fn number_around(text: &str, offset: usize) -> (String, usize) {
    let bytes = text.as_bytes();
    let is_number = |i: usize| {
        bytes
            .get(i)
            .is_some_and(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
    };
    let mut start = offset.min(bytes.len());
    while start > 0 && is_number(start - 1) {
        start -= 1;
    }
    let mut end = start;
    while is_number(end) {
        end += 1;
    }
    (shorten(&text[start..end]), start)
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let token = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Map { key } => Some(format!("/{}", escape(key))),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().filter_map(token).collect()
}

fn note_extra(extra: Vec<String>, place: impl Fn() -> String, warnings: &mut Vec<Warning>) {
    for key in extra {
        warnings.push(Warning::UnknownKey {
            key: shorten(&key),
            place: Place::at(place()),
        });
    }
}

/// Matches modifier data with their types and notes unknown keys.
fn build(raw: RawWorkspace, warnings: &mut Vec<Warning>) -> Result<Workspace> {
    note_extra(raw.extra, String::new, warnings);
    let mut channels = Vec::with_capacity(raw.channels.len());
    for (c, channel) in raw.channels.into_iter().enumerate() {
        note_extra(channel.extra, || format!("/channels/{c}"), warnings);
        let mut samples = Vec::with_capacity(channel.samples.len());
        for (s, sample) in channel.samples.into_iter().enumerate() {
            samples.push(build_sample(sample, c, s, warnings)?);
        }
        channels.push(Channel {
            name: channel.name,
            samples,
        });
    }
    let mut observations = Vec::with_capacity(raw.observations.len());
    for (o, observation) in raw.observations.into_iter().enumerate() {
        note_extra(observation.extra, || format!("/observations/{o}"), warnings);
        observations.push(Observation {
            name: observation.name,
            data: observation.data,
        });
    }
    let mut measurements = Vec::with_capacity(raw.measurements.len());
    for (m, measurement) in raw.measurements.into_iter().enumerate() {
        measurements.push(build_measurement(measurement, m, warnings)?);
    }
    Ok(Workspace {
        channels,
        observations,
        measurements,
        version: raw.version,
    })
}

fn build_sample(
    sample: RawSample,
    c: usize,
    s: usize,
    warnings: &mut Vec<Warning>,
) -> Result<Sample> {
    note_extra(
        sample.extra,
        || format!("/channels/{c}/samples/{s}"),
        warnings,
    );
    let mut modifiers = Vec::with_capacity(sample.modifiers.len());
    for (m, modifier) in sample.modifiers.into_iter().enumerate() {
        modifiers.push(build_modifier(
            modifier,
            || format!("/channels/{c}/samples/{s}/modifiers/{m}"),
            warnings,
        )?);
    }
    Ok(Sample {
        name: sample.name,
        data: sample.data,
        modifiers,
    })
}

fn build_modifier(
    modifier: RawModifier,
    place: impl Fn() -> String,
    warnings: &mut Vec<Warning>,
) -> Result<Modifier> {
    let RawModifier {
        name,
        kind,
        data,
        extra,
    } = modifier;
    note_extra(extra, &place, warnings);
    let Some(kind) = ModifierType::from_name(&kind) else {
        return Err(Error::UnknownModifier {
            value: shorten(&kind),
            place: Place::at(format!("{}/type", place())),
        });
    };
    let data_place = || format!("{}/data", place());
    let missing = |key: &str| Error::MissingKey {
        key: key.to_owned(),
        place: Place::at(data_place()),
    };
    let data = match (kind, data) {
        (ModifierType::Histosys, RawData::Object(object)) => {
            let mut extra = object.extra;
            extra.extend(object.hi.map(|_| "hi".to_owned()));
            extra.extend(object.lo.map(|_| "lo".to_owned()));
            note_extra(extra, data_place, warnings);
            let hi_data = object.hi_data.ok_or_else(|| missing("hi_data"))?;
            let lo_data = object.lo_data.ok_or_else(|| missing("lo_data"))?;
            ModifierData::Histosys { lo_data, hi_data }
        }
        (ModifierType::Normsys, RawData::Object(object)) => {
            let mut extra = object.extra;
            extra.extend(object.hi_data.map(|_| "hi_data".to_owned()));
            extra.extend(object.lo_data.map(|_| "lo_data".to_owned()));
            note_extra(extra, data_place, warnings);
            let hi = object.hi.ok_or_else(|| missing("hi"))?;
            let lo = object.lo.ok_or_else(|| missing("lo"))?;
            ModifierData::Normsys { lo, hi }
        }
        (ModifierType::Lumi, RawData::Null) => ModifierData::Lumi,
        (ModifierType::Normfactor, RawData::Null) => ModifierData::Normfactor,
        (ModifierType::Shapefactor, RawData::Null) => ModifierData::Shapefactor,
        (ModifierType::Shapesys, RawData::List(list)) => ModifierData::Shapesys(list),
        (ModifierType::Staterror, RawData::List(list)) => ModifierData::Staterror(list),
        (kind, data) => {
            let expected = match kind {
                ModifierType::Histosys => "an object with `hi_data` and `lo_data`",
                ModifierType::Normsys => "an object with `hi` and `lo`",
                ModifierType::Lumi | ModifierType::Normfactor | ModifierType::Shapefactor => "null",
                ModifierType::Shapesys | ModifierType::Staterror => {
                    "a list of uncertainties, one per bin"
                }
            };
            let expected = format!("the data of a {kind}, {expected}");
            return Err(Error::Schema {
                expected,
                found: data.describe().to_owned(),
                place: Place::at(data_place()),
            });
        }
    };
    Ok(Modifier { name, data })
}

fn build_measurement(
    measurement: RawMeasurement,
    m: usize,
    warnings: &mut Vec<Warning>,
) -> Result<Measurement> {
    let RawMeasurement {
        name,
        config,
        extra,
    } = measurement;
    note_extra(extra, || format!("/measurements/{m}"), warnings);
    let RawConfig {
        poi,
        parameters: raw,
        extra,
    } = config;
    note_extra(extra, || format!("/measurements/{m}/config"), warnings);
    let mut parameters = Vec::with_capacity(raw.len());
    for (p, parameter) in raw.into_iter().enumerate() {
        let place = || format!("/measurements/{m}/config/parameters/{p}");
        let RawParameter {
            name,
            inits,
            bounds,
            auxdata,
            factors,
            sigmas,
            fixed,
            extra,
        } = parameter;
        note_extra(extra, place, warnings);
        let bounds = bounds.map(|list| build_bounds(&list, place)).transpose()?;
        parameters.push(ParameterConfig {
            name,
            inits,
            bounds,
            auxdata,
            factors,
            sigmas,
            fixed,
        });
    }
    Ok(Measurement {
        name,
        config: Config { poi, parameters },
    })
}

fn build_bounds(list: &[Vec<f64>], place: impl Fn() -> String) -> Result<Vec<[f64; 2]>> {
    let pair = |(i, pair): (usize, &Vec<f64>)| match pair[..] {
        [lower, upper] => Ok([lower, upper]),
        _ => Err(Error::Length {
            expected: 2,
            found: pair.len(),
            why: "lower and upper bound".to_owned(),
            place: Place::at(format!("{}/bounds/{i}", place())),
        }),
    };
    list.iter().enumerate().map(pair).collect()
}
