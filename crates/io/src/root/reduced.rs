//! `Double32_t` and `Float16_t`: numbers whose bits on disk a title tells.

use crate::root::number::Number;

/// `Double32_t` and `Float16_t`: the title says `[low,high,bits]`, `[low,high]`, `[0,0,bits]` or nothing
/// (`TStreamerElement::GetRange`).
pub(crate) fn reduced(title: &str, double: bool) -> Result<Number, Option<String>> {
    let range = title
        .rsplit_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    let parts: Vec<f64> = range.map_or_else(Vec::new, |(inside, _)| {
        inside
            .split(',')
            .map(bound)
            .collect::<Option<_>>()
            .unwrap_or_default()
    });
    let (low, high, bits) = match parts.as_slice() {
        [low, high] => (*low, *high, 32.0),
        [low, high, bits] => (*low, *high, *bits),
        _ => (0.0, 0.0, 0.0),
    };
    let whole = if double {
        Number::F32AsF64
    } else {
        Number::Truncated { bits: 12, double }
    };
    if low < high {
        let bits = if (2.0..=32.0).contains(&bits) {
            bits as u32
        } else {
            32
        };
        return Ok(Number::Ranged {
            low,
            high,
            bits,
            double,
        });
    }
    match bits {
        0.0 => Ok(whole),
        _ if (2.0..15.0).contains(&bits) => Ok(Number::Truncated {
            bits: bits as u32,
            double,
        }),
        _ if double => Ok(whole),
        _ => Err(Some(format!("a Float16_t of {bits} bits"))),
    }
}

/// A bound of a range: a number, or a multiple or fraction of `pi`.
fn bound(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let (sign, text) = text
        .strip_prefix('-')
        .map_or((1.0, text), |rest| (-1.0, rest));
    let (text, divisor) = match text.split_once('/') {
        Some((text, divisor)) => (text, divisor.trim().parse::<f64>().ok()?),
        None => (text, 1.0),
    };
    let (factor, name) = match text.split_once('*') {
        Some((factor, name)) => (factor.trim().parse::<f64>().ok()?, name),
        None => (1.0, text),
    };
    let value = match name.trim().to_lowercase().as_str() {
        "pi" => std::f64::consts::PI,
        "twopi" => std::f64::consts::TAU,
        _ => return None,
    };
    Some(sign * factor * value / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_in_titles() {
        assert_eq!(reduced("x", true), Ok(Number::F32AsF64));
        assert_eq!(
            reduced("x[0,0,10]", true),
            Ok(Number::Truncated {
                bits: 10,
                double: true
            })
        );
        assert_eq!(
            reduced("x", false),
            Ok(Number::Truncated {
                bits: 12,
                double: false
            })
        );
        let (low, high) = (-std::f64::consts::PI, std::f64::consts::TAU);
        assert_eq!(
            reduced("x[-pi,twopi,8]", true),
            Ok(Number::Ranged {
                low,
                high,
                bits: 8,
                double: true
            })
        );
        assert_eq!(bound("2*pi"), Some(std::f64::consts::TAU));
        assert_eq!(bound("pi/2"), Some(std::f64::consts::FRAC_PI_2));
        assert_eq!(bound("nMuon"), None);
    }
}
