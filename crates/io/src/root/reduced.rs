//! `Double32_t` and `Float16_t`: numbers whose bits on disk a title tells.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

use crate::root::number::Number;

/// `Double32_t` and `Float16_t`: the title says `[low,high,bits]`, `[low,high]`, `[0,0,bits]` or nothing; `Err` says what in it cannot be
/// read.
///
/// Reference: `GetRange` in `core/meta/src/TStreamerElement.cxx` of ROOT, and `TBufferFile::ReadFloat16`, `ReadDouble32`. ROOT takes a
/// bound that it cannot read for 0; here it is an error.
pub(crate) fn reduced(title: &str, double: bool) -> Result<Number, Option<String>> {
    let whole = if double {
        Number::F32AsF64
    } else {
        Number::Truncated { bits: 12, double }
    };
    let Some(range) = range(title) else {
        return Ok(whole);
    };
    let wrong = || Some(format!("its range [{range}] cannot be read"));
    let mut parts = range.splitn(3, ',');
    let mut next = || parts.next().and_then(bound);
    let (low, high) = next().zip(next()).ok_or_else(wrong)?;
    let bits = match parts.next() {
        None => 32,
        // As ROOT: what is not between 2 and 32 is 32.
        Some(bits) => match integer(bits).ok_or_else(wrong)? {
            bits @ 2..=32 => bits,
            _ => 32,
        },
    };
    if low < high {
        return Ok(Number::Ranged {
            low,
            high,
            bits,
            double,
        });
    }
    // Without a range the lower bound has the bits of the mantissa, and keeps its value where these are many.
    let bits = if bits < 15 { bits } else { low.max(0.0) as u32 };
    match bits {
        0 => Ok(whole),
        2..15 => Ok(Number::Truncated { bits, double }),
        _ => Err(wrong()),
    }
}

/// What stands in the first bracket, or else in the second one, if there is a comma in it.
fn range(title: &str) -> Option<&str> {
    let mut rest = title;
    for _ in 0..2 {
        let (inside, tail) = rest.split_once('[')?.1.split_once(']')?;
        if inside.contains(',') {
            return Some(inside);
        }
        rest = tail;
    }
    None
}

/// A bound of a range: a number, or one of the multiples and fractions of π that ROOT knows.
fn bound(text: &str) -> Option<f64> {
    let text = text.to_lowercase().replace(' ', "");
    if !text.contains("pi") {
        return number(&text);
    }
    let known = [
        ("2pi", TAU),
        ("2*pi", TAU),
        ("twopi", TAU),
        ("pi/2", FRAC_PI_2),
        ("pi/4", FRAC_PI_4),
    ];
    let value = known.iter().find(|(name, _)| text.contains(name));
    let value = value.map_or(PI, |(_, value)| *value);
    Some(if text.contains('-') { -value } else { value })
}

/// The finite number that a text starts with, as `scanf` reads it: units may stand behind.
fn number(text: &str) -> Option<f64> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = usize::from(text.starts_with(['+', '-']));
    end += digits(text.get(end..)?);
    if text.get(end..)?.starts_with('.') {
        end += 1;
        end += digits(text.get(end..)?);
    }
    let mantissa = end;
    if text.get(end..)?.starts_with('e') {
        end += 1;
        end += usize::from(text.get(end..)?.starts_with(['+', '-']));
        let exponent = digits(text.get(end..)?);
        end = if exponent > 0 {
            end + exponent
        } else {
            mantissa
        };
    }
    let value: f64 = text.get(..end)?.parse().ok()?;
    value.is_finite().then_some(value)
}

/// The integer that a text starts with.
fn integer(text: &str) -> Option<u32> {
    let text = text.trim_start();
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

    use super::*;

    fn ranged(low: f64, high: f64, bits: u32) -> Number {
        Number::Ranged {
            low,
            high,
            bits,
            double: true,
        }
    }

    fn truncated(bits: u32, double: bool) -> Number {
        Number::Truncated { bits, double }
    }

    #[test]
    fn ranges_in_titles() {
        assert_eq!(reduced("x", true), Ok(Number::F32AsF64));
        assert_eq!(reduced("x[0,0,10]", true), Ok(truncated(10, true)));
        assert_eq!(reduced("x", false), Ok(truncated(12, false)));
        assert_eq!(reduced("x[-pi,twopi,8]", true), Ok(ranged(-PI, TAU, 8)));
        assert_eq!(reduced("x[-1,1]", true), Ok(ranged(-1.0, 1.0, 32)));
        // Numbers of bits that there are not are 32.
        assert_eq!(reduced("x[-1,1,33]", true), Ok(ranged(-1.0, 1.0, 32)));
        assert_eq!(reduced("x[-1,1,1]", true), Ok(ranged(-1.0, 1.0, 32)));
        // More than fourteen bits of mantissa are all of them.
        assert_eq!(reduced("x[0,0,16]", true), Ok(Number::F32AsF64));
        assert_eq!(reduced("x[0,0,16]", false), Ok(truncated(12, false)));
    }

    #[test]
    fn the_first_bracket_with_a_comma_of_the_first_two_is_the_range() {
        assert_eq!(reduced("x[3][-1,1,8]", true), Ok(ranged(-1.0, 1.0, 8)));
        // What is said about the member behind its range is not its range.
        assert_eq!(reduced("[0,10,8] of a [3]", true), Ok(ranged(0.0, 10.0, 8)));
        assert_eq!(reduced("[0,10,8] or [1,2]", true), Ok(ranged(0.0, 10.0, 8)));
        assert_eq!(reduced("x[2][3] in [0,1,8]", true), Ok(Number::F32AsF64));
        assert_eq!(reduced("x[n] and [m", true), Ok(Number::F32AsF64));
        assert_eq!(reduced("x[n", true), Ok(Number::F32AsF64));
        assert_eq!(reduced("in GeV, [n]", true), Ok(Number::F32AsF64));
    }

    #[test]
    fn bounds_with_pi() {
        for (text, value) in [
            ("pi", PI),
            (" - PI ", -PI),
            ("2pi", TAU),
            ("2 * pi", TAU),
            ("-2*Pi", -TAU),
            ("twopi", TAU),
            ("pi/2", FRAC_PI_2),
            ("-pi/4", -FRAC_PI_4),
            ("M_PI", PI),
            ("TMath::Pi()", PI),
            ("1.5", 1.5),
            ("+2", 2.0),
            ("-1e3", -1000.0),
            (".5", 0.5),
            ("3.", 3.0),
            ("10 GeV", 10.0),
        ] {
            assert_eq!(bound(text), Some(value), "{text}");
        }
        for text in ["nMuon", "", "-", ".", "e5", "inf"] {
            assert_eq!(bound(text), None, "{text}");
        }
    }

    #[test]
    fn a_bound_that_cannot_be_read_is_no_default() {
        for title in [
            "x[low,high]",
            "x[0,kMax,8]",
            "x[,1]",
            "x[0,0,many]",
            "x[1e999,2e999]",
        ] {
            let reason = reduced(title, true).unwrap_err().unwrap();
            assert!(reason.contains(&title[1..]), "{title}: {reason}");
        }
        // ROOT takes the lower bound of a range the wrong way round for a number of bits: refused where that is none.
        assert_eq!(reduced("x[3,2]", true), Ok(truncated(3, true)));
        assert!(reduced("x[300,2]", true).is_err());
    }
}
