//! Values of options.

fn parse_number(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(x) if !x.is_nan() => Ok(x),
        _ => Err(format!("`{text}` is not a number")),
    }
}

fn parse_finite(text: &str) -> Result<f64, String> {
    let x = parse_number(text)?;
    if x.is_finite() {
        Ok(x)
    } else {
        Err(format!("`{text}` is not finite"))
    }
}

/// A positive number.
pub fn parse_positive(text: &str) -> Result<f64, String> {
    let x = parse_finite(text)?;
    if x > 0.0 {
        Ok(x)
    } else {
        Err(format!("`{text}` is not positive"))
    }
}

/// Splits at the last `=`: names may contain one, numbers do not.
fn split_assignment<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str), String> {
    match text.rsplit_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name, value)),
        _ => Err(format!("expected {form}")),
    }
}

/// `NAME` or `NAME=VALUE`.
pub fn parse_fix(text: &str) -> Result<(String, Option<f64>), String> {
    match text.rsplit_once('=') {
        None if !text.is_empty() => Ok((text.to_owned(), None)),
        _ => {
            let (name, value) = split_assignment(text, "NAME or NAME=VALUE")?;
            Ok((name.to_owned(), Some(parse_finite(value)?)))
        }
    }
}

/// `NAME=VALUE`.
pub fn parse_init(text: &str) -> Result<(String, f64), String> {
    let (name, value) = split_assignment(text, "NAME=VALUE")?;
    Ok((name.to_owned(), parse_finite(value)?))
}

/// `NAME=LO,HI`.
pub fn parse_bounds(text: &str) -> Result<(String, [f64; 2]), String> {
    let form = "NAME=LO,HI";
    let (name, range) = split_assignment(text, form)?;
    let (lo, hi) = range
        .split_once(',')
        .ok_or_else(|| format!("expected {form}"))?;
    let bounds = [parse_number(lo)?, parse_number(hi)?];
    if bounds[0] > bounds[1] {
        return Err(format!(
            "the lower bound comes first: {} > {}",
            bounds[0], bounds[1]
        ));
    }
    Ok((name.to_owned(), bounds))
}

/// Bytes, with K, M or G for powers of 1024.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let upper = text.trim().to_ascii_uppercase();
    let (digits, shift) = match upper.strip_suffix(['K', 'M', 'G']) {
        Some(digits) => (
            digits,
            if upper.ends_with('K') {
                10
            } else if upper.ends_with('M') {
                20
            } else {
                30
            },
        ),
        None => (upper.as_str(), 0),
    };
    let wrong = || format!("`{text}` is not a size: 1000, 64K, 256M or 2G");
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pullback_stats::workspace::Limits;

    #[test]
    fn assignments() {
        assert_eq!(parse_fix("mu"), Ok(("mu".to_owned(), None)));
        assert_eq!(parse_fix("a=b=-1.5"), Ok(("a=b".to_owned(), Some(-1.5))));
        assert!(parse_fix("=1").is_err() && parse_fix("").is_err() && parse_fix("mu=").is_err());
        assert!(parse_fix("mu=nan").is_err() && parse_init("mu=inf").is_err());
        assert_eq!(
            parse_bounds("mu=-inf,5"),
            Ok(("mu".to_owned(), [f64::NEG_INFINITY, 5.0]))
        );
        assert!(parse_bounds("mu=5,0").is_err() && parse_bounds("mu=5").is_err());
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("64k"), Ok(65536));
        assert_eq!(parse_size("256M"), Ok(Limits::default().bytes));
        assert!(parse_size("12Q").is_err() && parse_size("99999999999G").is_err());
    }
}
