//! A pull and its error as a line of characters.

/// Width in characters: from −2.25 to +2.25 in steps of a quarter.
pub const WIDTH: usize = 19;

/// Stands above the bars.
pub const HEADER: &str = "-2  -1   0   1   2 ";

const CENTRE: i32 = 9;
const PER_UNIT: f64 = 4.0;

/// The bar of a pull with an error in units of the pre-fit width: `●` on `├──┤`, with marks at −1, 0 and 1.
pub fn bar(pull: f64, error: Option<f64>) -> String {
    let last = WIDTH as i32 - 1;
    let column = |x: f64| {
        let c = (x * PER_UNIT).round();
        // The range holds for any number, NaN becomes the centre.
        CENTRE + c.clamp(-1000.0, 1000.0) as i32
    };
    let mut cells: Vec<char> = vec![' '; WIDTH];
    for (x, mark) in [(-1.0, '┊'), (0.0, '│'), (1.0, '┊')] {
        cells[column(x).clamp(0, last) as usize] = mark;
    }
    if let Some(error) = error.filter(|e| e.is_finite()) {
        let (from, to) = (column(pull - error), column(pull + error));
        for c in from.max(0)..=to.min(last) {
            cells[c as usize] = '─';
        }
        if (0..=last).contains(&from) {
            cells[from as usize] = '├';
        }
        if (0..=last).contains(&to) {
            cells[to as usize] = '┤';
        }
    }
    let centre = column(pull);
    if centre < 0 {
        cells[0] = '◄';
    } else if centre > last {
        cells[last as usize] = '►';
    } else {
        cells[centre as usize] = '●';
    }
    cells.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        assert_eq!(HEADER.chars().count(), WIDTH);
        assert_eq!(bar(0.0, Some(1.0)), "     ├───●───┤     ");
        assert_eq!(bar(-0.5, Some(0.75)), "    ├──●──┤  ┊     ");
        assert_eq!(bar(0.0, None), "     ┊   ●   ┊     ");
        assert_eq!(bar(9.0, Some(1.0)), "     ┊   │   ┊    ►");
        assert_eq!(bar(-3.0, Some(1.0)), "◄┤   ┊   │   ┊     ");
        assert_eq!(bar(f64::NAN, Some(f64::NAN)).chars().count(), WIDTH);
    }
}
