//! Random numbers of objects and events.

use super::document::Entry;
use crate::draws::{Draw, Random};
use crate::error::{Error, Result};
use crate::types::is_word;

/// `{ on = "Jet", distribution = "normal" }`, or the distribution alone.
pub(super) fn draw(name: &str, entry: &Entry<'_>) -> Result<Draw> {
    if !is_word(name) {
        return Err(Error::Name {
            place: entry.place(),
            name: name.into(),
            reason: "names are made of letters, digits and `_`, and do not begin with a digit"
                .into(),
        });
    }
    let (mut on, mut distribution) = (None, None);
    if entry.is_table() {
        let table = entry.table()?;
        let (given, kind) = (table.get("on"), table.get("distribution"));
        table.finish()?;
        let all = Random::ALL.map(Random::name).join(", ");
        let kind = table.needed(kind, "distribution", &format!("one of {all}"))?;
        distribution = Some(random(&kind)?);
        on = given.map(|e| e.text().map(String::from)).transpose()?;
    }
    Ok(Draw {
        name: name.into(),
        on,
        distribution: distribution.map_or_else(|| random(entry), Ok)?,
        place: entry.place(),
    })
}

fn random(entry: &Entry<'_>) -> Result<Random> {
    let name = entry.text()?;
    let found = Random::ALL.into_iter().find(|r| r.name() == name);
    found.ok_or_else(|| Error::Unknown {
        place: entry.place(),
        what: "distribution".into(),
        name: name.into(),
        nearest: pullback_io::nearest(name, Random::ALL.iter().map(|r| r.name())),
        help: format!("known are {}", Random::ALL.map(Random::name).join(", ")),
    })
}
