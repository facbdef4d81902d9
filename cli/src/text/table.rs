//! Tables that fit the terminal: one look, names shortened in the middle, numbers aligned at their decimal points.

use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets};

use super::rounding::Rounded;

/// Widest output, also where the terminal is wider or there is none.
const WIDEST: usize = 100;
const NARROWEST: usize = 40;

/// Columns of the output: those of the terminal, else `COLUMNS`, at most 100.
pub fn terminal_width() -> usize {
    let of_terminal = Table::new().width().map(usize::from);
    let of_environment = || std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    of_terminal
        .or_else(of_environment)
        .unwrap_or(WIDEST)
        .clamp(NARROWEST, WIDEST)
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Names, shortened where the table would be too wide.
    Name,
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Names are not made shorter than this.
const NAME_MIN: usize = 12;

/// Renders rows under a header, two columns in, at most `width` wide (as long as names can give way), without trailing blanks.
pub fn render(columns: &[(&str, Align)], rows: &[Vec<String>], width: usize) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .remove_style(TableComponent::VerticalLines)
        .remove_style(TableComponent::LeftBorder)
        .remove_style(TableComponent::RightBorder)
        .set_style(TableComponent::HeaderLines, '─')
        .set_content_arrangement(ContentArrangement::Disabled)
        .force_no_tty();
    if columns.iter().any(|(title, _)| !title.is_empty()) {
        table.set_header(columns.iter().map(|(title, _)| *title));
    }
    let names = name_width(columns, rows, width);
    for row in rows {
        table.add_row(
            columns
                .iter()
                .zip(row)
                .map(|((_, align), cell)| match align {
                    Align::Name => shorten(cell, names),
                    _ => cell.clone(),
                }),
        );
    }
    for (i, (_, align)) in columns.iter().enumerate() {
        if let Some(column) = table.column_mut(i) {
            column.set_padding((1, 1));
            column.set_cell_alignment(match align {
                Align::Name | Align::Left => CellAlignment::Left,
                Align::Right => CellAlignment::Right,
            });
        }
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push(' ');
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Width of a table with its names at full length.
pub fn natural_width(columns: &[(&str, Align)], rows: &[Vec<String>]) -> usize {
    1 + (0..columns.len())
        .map(|i| column_width(columns, rows, i) + 2)
        .sum::<usize>()
}

fn column_width(columns: &[(&str, Align)], rows: &[Vec<String>], i: usize) -> usize {
    let cells = rows
        .iter()
        .filter_map(|r| r.get(i))
        .map(|c| c.chars().count());
    cells.max().unwrap_or(0).max(columns[i].0.chars().count())
}

/// How long names may be: they share what the other columns leave.
fn name_width(columns: &[(&str, Align)], rows: &[Vec<String>], width: usize) -> usize {
    let is_name = |i: &usize| columns[*i].1 == Align::Name;
    let widths: Vec<usize> = (0..columns.len())
        .filter(is_name)
        .map(|i| column_width(columns, rows, i))
        .collect();
    let too_wide = natural_width(columns, rows).saturating_sub(width);
    if too_wide == 0 || widths.is_empty() {
        return usize::MAX;
    }
    // The largest common limit that saves enough.
    let longest = widths.iter().copied().max().unwrap_or(0);
    let saved = |limit: usize| {
        widths
            .iter()
            .map(|w| w.saturating_sub(limit))
            .sum::<usize>()
    };
    (NAME_MIN..=longest)
        .rev()
        .find(|limit| saved(*limit) >= too_wide)
        .unwrap_or(NAME_MIN)
}

/// Shortens a text to a number of characters, keeping both ends: names differ at their ends.
pub fn shorten(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width || width < 4 {
        return text.to_owned();
    }
    let tail = (width - 1) / 2;
    let head = width - 1 - tail;
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(count - tail).collect();
    format!("{start}…{end}")
}

/// Breaks a text at blanks into lines of at most `width`, each with an indent.
pub fn wrap(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > indent && column + 1 + length > width {
            out.push('\n');
            column = 0;
        }
        if column == 0 {
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
    out
}

/// Rounded numbers as `value ± error` with the decimal points in one column and the errors behind.
pub fn align_decimals(numbers: &[Rounded]) -> Vec<String> {
    let parts: Vec<(String, String)> = numbers
        .iter()
        .map(|n| {
            let bracket = if n.error.is_empty() || n.exponent.is_empty() {
                ""
            } else {
                "("
            };
            let value = format!("{bracket}{}", n.value);
            match value.split_once('.') {
                Some((whole, decimals)) => (whole.to_owned(), format!(".{decimals}")),
                None => (value, String::new()),
            }
        })
        .collect();
    let whole = parts.iter().map(|p| p.0.len()).max().unwrap_or(0);
    let decimals = parts.iter().map(|p| p.1.len()).max().unwrap_or(0);
    let aligned = |(n, (left, right)): (&Rounded, &(String, String))| {
        let tail = match (n.error.as_str(), n.exponent.as_str()) {
            ("", "") => String::new(),
            ("", exponent) => return format!("{left:>whole$}{right}{exponent}"),
            (error, "") => format!(" ± {error}"),
            (error, exponent) => format!(" ± {error}){exponent}"),
        };
        format!("{left:>whole$}{right:<decimals$}{tail}")
            .trim_end()
            .to_owned()
    };
    numbers.iter().zip(&parts).map(aligned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::rounding::round;
    use super::*;

    #[test]
    fn names_keep_both_ends() {
        assert_eq!(shorten("alpha_JET_closure_2018", 12), "alpha_…_2018");
        assert_eq!(shorten("µ_µ_µ_µ_µ", 5), "µ_…_µ");
        assert_eq!(shorten("short", 5), "short");
    }

    #[test]
    fn decimal_points_stand_in_a_column() {
        let numbers = [
            round(1.0, Some(0.123)),
            round(-123.4, Some(23.0)),
            round(0.5, None),
        ];
        assert_eq!(
            align_decimals(&numbers),
            ["   1.00 ± 0.12", "-123    ± 23", "   0.5"]
        );
    }

    #[test]
    fn words_are_wrapped() {
        assert_eq!(wrap("aa bb cc", 6, 1), " aa bb\n cc\n");
        assert_eq!(
            wrap("a_word_that_is_long b", 5, 0),
            "a_word_that_is_long\nb\n"
        );
    }

    #[test]
    fn names_give_way() {
        let columns = [
            ("name", Align::Name),
            ("other", Align::Name),
            ("x", Align::Right),
        ];
        let rows = [
            vec!["a_name_that_is_long".into(), "b".into(), "1".into()],
            vec!["bb".into(), "c".into(), "22".into()],
        ];
        assert_eq!(natural_width(&columns, &rows), 33);
        assert_eq!(
            render(&columns, &rows, 80),
            "  name                 other   x\n ────────────────────────────────\n  a_name_that_is_long  b       1\n  bb                   c      22\n"
        );
        let text = render(&columns, &rows, 26);
        assert!(
            text.contains("a_name…_long") && text.lines().all(|l| l.chars().count() <= 26),
            "{text}"
        );
    }
}
