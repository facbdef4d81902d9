//! The type of a column from its cells.

use crate::dtype::DType;
use crate::values::{Strings, Values};

/// What the cells of a column are, as far as they were seen.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "a set of what was seen")]
pub(crate) struct Kind {
    empty: bool,
    /// Some cell is one of these, and nothing narrower.
    truth: bool,
    integer: bool,
    negative: bool,
    /// Beyond 2⁶³ − 1.
    huge: bool,
    /// Integers that are no doubles.
    exact: bool,
    float: bool,
    text: bool,
    /// Bytes of all cells.
    pub(crate) bytes: u64,
}

pub(crate) fn truth(cell: &[u8]) -> Option<bool> {
    match cell {
        b"true" | b"True" | b"TRUE" => Some(true),
        b"false" | b"False" | b"FALSE" => Some(false),
        _ => None,
    }
}

/// A cell as a number; blanks around it do not count.
fn number<T: std::str::FromStr>(cell: &[u8]) -> Option<T> {
    std::str::from_utf8(cell.trim_ascii()).ok()?.parse().ok()
}

impl Kind {
    /// Looks at a cell.
    pub(crate) fn see(&mut self, cell: &[u8]) {
        self.bytes += cell.len() as u64;
        if cell.is_empty() {
            self.empty = true;
        } else if self.text {
            // It cannot become anything else.
        } else if truth(cell).is_some() {
            self.truth = true;
        } else if let Some(n) = number::<i128>(cell).filter(|n| *n <= i128::from(u64::MAX)) {
            self.integer = true;
            self.negative |= n < 0;
            self.huge |= n > i128::from(i64::MAX);
            self.text |= n < i128::from(i64::MIN);
            self.exact |= (n as f64) as i128 != n;
        } else if number::<f64>(cell).is_some() {
            // Digits alone that are too many are a text: as a number they would lose some.
            let digits = cell
                .trim_ascii()
                .iter()
                .all(|b| b.is_ascii_digit() || b"+-".contains(b));
            self.float |= !digits;
            self.text |= digits;
        } else {
            self.text = true;
        }
    }

    /// The narrowest type that holds every cell as it is written.
    pub(crate) fn dtype(&self) -> DType {
        match (self.truth, self.integer, self.float) {
            _ if self.text => DType::Str,
            (true, false, false) => DType::Bool,
            (false, true, false) if self.huge && self.negative => DType::Str,
            (false, true, false) if self.huge => DType::U64,
            (false, true, false) => DType::I64,
            (false, true, true) if self.exact => DType::Str,
            (false, _, true) => DType::F64,
            _ => DType::Str,
        }
    }

    /// Whether cells of numbers are empty; an empty text is a text.
    pub(crate) fn optional(&self) -> bool {
        self.empty && self.dtype() != DType::Str
    }
}

/// Appends a cell; false where it is not of the type.
pub(crate) fn push(cell: &[u8], to: &mut Values) -> bool {
    macro_rules! push {
        ($list:expr, $value:expr) => {
            match $value {
                Some(value) => {
                    $list.push(value);
                    true
                }
                None => false,
            }
        };
    }
    match to {
        Values::Bool(list) => push!(list, truth(cell)),
        Values::I64(list) => push!(list, number(cell)),
        Values::U64(list) => push!(list, number(cell)),
        Values::F64(list) => push!(list, number(cell)),
        Values::Str(texts) => {
            Strings::push(texts, cell);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_hold_every_cell() {
        for (cells, dtype, optional) in [
            (&["1", "-2", ""][..], DType::I64, true),
            (&["18446744073709551615", "0"], DType::U64, false),
            (&["18446744073709551615", "-1"], DType::Str, false),
            (&["184467440737095516150"], DType::Str, false),
            (
                &["1", "2.5", "nan", "-inf", "1e3", " 7 "],
                DType::F64,
                false,
            ),
            (&["9007199254740993", "0.5"], DType::Str, false),
            (&["9007199254740993"], DType::I64, false),
            (&["true", "False"], DType::Bool, false),
            (&["true", "1"], DType::Str, false),
            (&["", ""], DType::Str, false),
            (&["EB", "", "1"], DType::Str, false),
        ] {
            let mut kind = Kind::default();
            for cell in cells {
                kind.see(cell.as_bytes());
            }
            assert_eq!(
                (kind.dtype(), kind.optional()),
                (dtype, optional),
                "{cells:?}"
            );
            let mut values = Values::with_capacity(dtype, 0);
            let all = cells.iter().filter(|c| !optional || !c.is_empty());
            assert!(all.clone().all(|cell| push(cell.as_bytes(), &mut values)));
        }
    }
}
