//! Rounding of a value by its error, after the Particle Data Group.
//!
//! If the three leading digits of the error lie between 100 and 354, two digits are kept; between 355 and 949, one; from 950 on the error is rounded
//! up to 1000 and two digits are kept. The value is rounded to the same decimal place.
//!
//! Reference: S. Navas et al. (Particle Data Group), Phys. Rev. D 110, 030001 (2024), Introduction, section 5.3.

/// A rounded value, ready to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rounded {
    /// The value.
    pub value: String,
    /// Its error, to the same decimal place; empty if there is none.
    pub error: String,
    /// A power of ten that multiplies both: empty, or like `e-6`.
    pub exponent: String,
}

impl Rounded {
    /// `1.23 ± 0.12`, `(1.23 ± 0.12)e-6`, or the value alone.
    pub fn text(&self) -> String {
        if self.error.is_empty() {
            format!("{}{}", self.value, self.exponent)
        } else if self.exponent.is_empty() {
            format!("{} ± {}", self.value, self.error)
        } else {
            format!("({} ± {}){}", self.value, self.error, self.exponent)
        }
    }
}

/// Digits of a value without error.
const DIGITS: i32 = 5;

/// Rounds a value by its error. A missing, zero or non-finite error leaves five digits of the value.
pub fn round(value: f64, error: Option<f64>) -> Rounded {
    let error = error.filter(|e| e.is_finite() && *e > 0.0);
    if !value.is_finite() {
        return plain(value.to_string());
    }
    let largest = value.abs().max(error.unwrap_or(0.0));
    if largest == 0.0 {
        return plain("0".to_owned());
    }
    let magnitude = floor_log10(largest);
    let (shift, exponent) = if (-4..7).contains(&magnitude) {
        (0, String::new())
    } else {
        (magnitude, format!("e{magnitude}"))
    };
    let (value, error) = (scale(value, -shift), error.map(|e| scale(e, -shift)));
    match error {
        Some(error) => {
            let (error, decimals) = round_error(error);
            Rounded {
                value: fixed(value, decimals),
                error: fixed(error, decimals),
                exponent,
            }
        }
        None => Rounded {
            value: trimmed(fixed(value, (DIGITS - 1 - (magnitude - shift)).max(0))),
            error: String::new(),
            exponent,
        },
    }
}

/// A number of `digits` significant digits, for what has no error of its own: `0.1234`, `1234`, `1.234e-9`.
pub fn significant(x: f64, digits: i32) -> String {
    if !x.is_finite() {
        return x.to_string();
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    let magnitude = floor_log10(x);
    if (-4..7).contains(&magnitude) {
        fixed(x, digits - 1 - magnitude)
    } else {
        format!("{:.*e}", usize::try_from(digits - 1).unwrap_or(0), x)
    }
}

/// Rounds to a number of decimals; negative ones round to tens, hundreds, ...
pub fn fixed(x: f64, decimals: i32) -> String {
    let text = if decimals >= 0 {
        format!("{:.*}", decimals.unsigned_abs() as usize, x)
    } else {
        let unit = 10_f64.powi(-decimals);
        format!("{:.0}", (x / unit).round() * unit)
    };
    // No minus zero.
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|b| b == b'0' || b == b'.') => digits.to_owned(),
        _ => text,
    }
}

/// The error rounded by the rule, and the decimals to print it and its value with.
pub fn round_error(error: f64) -> (f64, i32) {
    let magnitude = floor_log10(error);
    let leading = scale(error, 2 - magnitude).round();
    let digits = match leading {
        x if x < 355.0 => 2,
        x if x < 950.0 => 1,
        _ => return (scale(1.0, magnitude + 1), -magnitude),
    };
    (error, digits - 1 - magnitude)
}

fn plain(value: String) -> Rounded {
    Rounded {
        value,
        error: String::new(),
        exponent: String::new(),
    }
}

/// ⌊log10 |x|⌋, exact also next to powers of ten.
fn floor_log10(x: f64) -> i32 {
    let text = format!("{:e}", x.abs());
    text.split_once('e')
        .and_then(|(_, e)| e.parse().ok())
        .unwrap_or(0)
}

/// x · 10^power. Dividing by a positive power of ten is exact more often than multiplying by a negative one.
fn scale(x: f64, power: i32) -> f64 {
    if power >= 0 {
        x * 10_f64.powi(power)
    } else if power >= -300 {
        x / 10_f64.powi(-power)
    } else {
        x / 1e300 / 10_f64.powi(-power - 300)
    }
}

fn trimmed(text: String) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the Particle Data Group's text, and the borders of its three ranges.
    #[test]
    fn rounding_follows_the_rule() {
        for (value, error, text) in [
            (0.827, 0.119, "0.83 ± 0.12"),
            (0.827, 0.367, "0.8 ± 0.4"),
            (0.827, 0.955, "0.8 ± 1.0"),
            (1.0, 0.354, "1.00 ± 0.35"),
            (1.0, 0.355, "1.0 ± 0.4"),
            (1.0, 0.949, "1.0 ± 0.9"),
            (1.0, 0.95, "1.0 ± 1.0"),
            (12.345, 9.6, "12 ± 10"),
            (12345.0, 967.0, "12300 ± 1000"),
            (12346.0, 123.0, "12350 ± 120"),
            (123456.0, 4567.0, "123000 ± 5000"),
            (-0.0001, 0.2, "0.00 ± 0.20"),
            (0.0, 0.001, "0.0000 ± 0.0010"),
            (1.5e-7, 2.2e-8, "(1.50 ± 0.22)e-7"),
            (3.2e9, 1.2e10, "(0.3 ± 1.2)e10"),
            (1.0, 0.1, "1.00 ± 0.10"),
            (1.0, 0.09999, "1.00 ± 0.10"),
        ] {
            assert_eq!(round(value, Some(error)).text(), text, "{value} ± {error}");
        }
    }

    #[test]
    fn without_error_five_digits_stay() {
        for (value, text) in [
            (1.0, "1"),
            (0.0, "0"),
            (-0.0, "0"),
            (1.23456789, "1.2346"),
            (123456.7, "123457"),
            (1.5e-9, "1.5e-9"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(round(value, None).text(), text);
            assert_eq!(round(value, Some(0.0)).text(), text);
            assert_eq!(round(value, Some(f64::NAN)).text(), text);
        }
    }

    #[test]
    fn extremes_do_not_overflow() {
        assert_eq!(round(1e308, Some(1e306)).text(), "(1.000 ± 0.010)e308");
        assert_eq!(round(5e-324, Some(5e-324)).exponent, "e-324");
        assert_eq!(significant(0.000123456, 3), "0.000123");
        assert_eq!(significant(-1.23456e-7, 3), "-1.23e-7");
        assert_eq!(significant(1234567.8, 3), "1230000");
    }
}
