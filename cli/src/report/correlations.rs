//! Correlations: the strongest as a labelled matrix, all as a picture, the largest pairs as a list.

use pullback_stats::fit::{Covariance, FitResult};

use super::drawing::{Anchor, Drawing};
use super::image;
use super::palette::{diverging, hex};
use crate::text::shorten;

/// Parameters in the labelled matrix of a wide page, and of a narrow one.
const WIDE: usize = 30;
const NARROW: usize = 18;

/// Pairs in the list.
const PAIRS: usize = 24;

/// Parameters up to which the picture of all is made (it has their square in pixels).
const PICTURE: usize = 1500;

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Correlations {
    /// Parameters that have an error.
    pub count: usize,
    /// Parameters in the wide matrix.
    pub shown_wide: usize,
    /// Parameters in the narrow matrix.
    pub shown_narrow: usize,
    /// The matrix for wide pages and print.
    pub wide: String,
    /// The matrix for narrow pages.
    pub narrow: String,
    /// All parameters as a picture, where the wide matrix has not all of them.
    pub picture: Option<String>,
    /// Two names and their correlation, the strongest first.
    pub pairs: Vec<(String, String, f64)>,
}

/// The correlations of a fit; `None` without a covariance, or with less than two parameters that have an error.
pub fn correlations(result: &FitResult) -> Option<Correlations> {
    let covariance = result.covariance.as_ref()?;
    let order = strongest_first(covariance);
    if order.len() < 2 {
        return None;
    }
    let name = |i: usize| result.parameters.get(i).map_or("", |p| p.name.as_str());
    let wide = &order[..order.len().min(WIDE)];
    let narrow = &order[..order.len().min(NARROW)];
    let picture = (order.len() > WIDE && order.len() <= PICTURE).then(|| {
        let pixels: Vec<[u8; 3]> = order
            .iter()
            .flat_map(|&i| {
                order
                    .iter()
                    .map(move |&j| diverging(covariance.correlation(i, j)).0)
            })
            .collect();
        image::data_url(order.len(), &pixels)
    });
    Some(Correlations {
        count: order.len(),
        shown_wide: wide.len(),
        shown_narrow: narrow.len(),
        wide: matrix(covariance, wide, &name, &Look::WIDE),
        narrow: matrix(covariance, narrow, &name, &Look::NARROW),
        picture,
        pairs: pairs(covariance, &order)
            .into_iter()
            .map(|(i, j, r)| (name(i).to_owned(), name(j).to_owned(), r))
            .collect(),
    })
}

/// Parameters with an error, by their strongest correlation with another one.
fn strongest_first(c: &Covariance) -> Vec<usize> {
    let free: Vec<usize> = (0..c.len()).filter(|&i| c.error(i) > 0.0).collect();
    let strength = |i: usize| {
        free.iter()
            .filter(|&&j| j != i)
            .map(|&j| c.correlation(i, j).abs())
            .fold(0.0, f64::max)
    };
    let mut order: Vec<(usize, f64)> = free.iter().map(|&i| (i, strength(i))).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    order.into_iter().map(|(i, _)| i).collect()
}

/// The pairs with the largest correlations.
fn pairs(c: &Covariance, order: &[usize]) -> Vec<(usize, usize, f64)> {
    let all = order.iter().enumerate().flat_map(|(a, &i)| {
        order[a + 1..]
            .iter()
            .map(move |&j| (i, j, c.correlation(i, j)))
    });
    let mut all: Vec<(usize, usize, f64)> = all.collect();
    let by_strength =
        |a: &(usize, usize, f64), b: &(usize, usize, f64)| b.2.abs().total_cmp(&a.2.abs());
    if all.len() > PAIRS {
        all.select_nth_unstable_by(PAIRS, by_strength);
        all.truncate(PAIRS);
    }
    all.sort_by(by_strength);
    all
}

/// Sizes of a matrix.
struct Look {
    cell: f64,
    top: f64,
    name: usize,
    numbers: bool,
    stretch: f64,
}

impl Look {
    const WIDE: Self = Self {
        cell: 26.0,
        top: 150.0,
        name: 28,
        numbers: true,
        stretch: 1.0,
    };
    const NARROW: Self = Self {
        cell: 11.5,
        top: 16.0,
        name: 22,
        numbers: false,
        stretch: 1.6,
    };
}

fn matrix<'a>(
    c: &Covariance,
    order: &[usize],
    name: &dyn Fn(usize) -> &'a str,
    look: &Look,
) -> String {
    let n = order.len() as f64;
    let longest = order
        .iter()
        .map(|&i| name(i).chars().count())
        .max()
        .unwrap_or(0)
        .min(look.name);
    let left = if look.numbers {
        12.0 + 6.8 * longest as f64
    } else {
        22.0 + 5.3 * longest as f64
    };
    let width = left + look.cell * n + if look.numbers { 40.0 } else { 2.0 };
    let mut drawing = Drawing::new(
        width,
        look.top + look.cell * n + 2.0,
        "correlations of the strongest correlated parameters",
    );
    for (row, &i) in order.iter().enumerate() {
        let y = look.top + look.cell * row as f64;
        let middle = y + look.cell / 2.0;
        let label = shorten(name(i), look.name);
        if look.numbers {
            drawing.text(left - 6.0, middle + 4.0, Anchor::End, "name", &label);
            let x = left + look.cell * (row as f64 + 0.5);
            drawing.rotated_text(
                x + 3.0,
                look.top - 6.0,
                -65.0,
                Anchor::Start,
                "name",
                &shorten(name(i), 22),
            );
        } else {
            // Columns have the numbers of the rows.
            drawing.text(
                left - 4.0,
                middle + 3.0,
                Anchor::End,
                "small",
                &format!("{label} {}", row + 1),
            );
            drawing.text(
                left + look.cell * (row as f64 + 0.5),
                look.top - 4.0,
                Anchor::Middle,
                "tiny",
                &(row + 1).to_string(),
            );
        }
        for (column, &j) in order.iter().enumerate() {
            let x = left + look.cell * column as f64;
            if i == j {
                drawing.rect(x, y, look.cell - 0.5, look.cell - 0.5, "#c9ccd1");
                continue;
            }
            let r = c.correlation(i, j);
            let (colour, dark) = diverging(r);
            drawing.open_with_title(&format!("{}, {}: {r:+.3}", name(i), name(j)));
            drawing.rect(x, y, look.cell - 0.5, look.cell - 0.5, &hex(colour));
            if look.numbers && r.abs() >= 0.005 {
                let percent = format!("{:.0}", 100.0 * r).replace('-', "−");
                drawing.text(
                    x + look.cell / 2.0,
                    middle + 3.5,
                    Anchor::Middle,
                    if dark { "cell" } else { "cell light" },
                    &percent,
                );
            }
            drawing.close();
        }
    }
    drawing.finish(look.stretch)
}
