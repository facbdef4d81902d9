//! How far variations along tangents are from the selection evaluated again.

use pullback_analysis::run::{Bias, Results, Shift};

use super::table::{Align, render, wrap};

/// What the columns are.
pub const HEADER: [&str; 8] = [
    "tangent",
    "histogram",
    "region",
    "process",
    "up",
    "worst bin",
    "down",
    "worst bin",
];

/// What the numbers are.
pub const NOTE: &str = "tangent minus the selection evaluated again, of the yield and of the bin where they differ most, in standard deviations from the number of simulated events";

/// A row for up and down together.
pub fn rows(results: &Results) -> Vec<Vec<String>> {
    let file = &results.file;
    let side = |bias: &Bias| {
        let total = bias.total.map_or_else(String::new, |x| format!("{x:+.2}"));
        let worst = bias
            .worst
            .map_or_else(String::new, |(bin, size)| format!("{size:+.2} in {bin}"));
        [total, worst]
    };
    let ups = results.biases.iter().filter(|b| b.shift == Shift::Up);
    let rows = ups.map(|up| {
        let place = |b: &Bias| (b.systematic, b.plot, b.region, b.process);
        let mut all = results.biases.iter();
        let down = all.find(|b| b.shift == Shift::Down && place(b) == place(up));
        let names = [
            &file.systematics[up.systematic].name,
            &file.histograms[up.plot].name,
            &file.regions[up.region].name,
            &results.processes[up.process],
        ];
        let mut row: Vec<String> = names.map(Clone::clone).to_vec();
        row.extend(side(up));
        row.extend(down.map(side).into_iter().flatten());
        row
    });
    rows.collect()
}

/// The table.
pub fn table(results: &Results, width: usize) -> String {
    let header: Vec<(&str, Align)> = (HEADER.iter().enumerate())
        .map(|(k, name)| (*name, if k < 4 { Align::Name } else { Align::Right }))
        .collect();
    let note = wrap(NOTE, width, 2);
    format!(
        "\nTangents\n{}{note}",
        render(&header, &rows(results), width)
    )
}
