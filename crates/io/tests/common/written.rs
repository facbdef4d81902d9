//! Histograms that tests write as a ROOT file.

use pullback_io::root::{Histogram, HistogramAxis, HistogramWriter};

fn th1d(
    name: &str,
    title: &str,
    axis: HistogramAxis,
    values: &[f64],
    variances: &[f64],
) -> Histogram {
    Histogram::th1d(name, title, axis, values, variances, 12.0)
}

/// By directory: edges of all kinds, negative and missing contents, full flow bins, long and foreign names, 100 bins.
pub fn histograms() -> Vec<(String, Histogram)> {
    let m_ll = || HistogramAxis::new("m(ℓℓ) [GeV]", vec![60.0, 80.0, 86.1, 91.2, 120.0]);
    let nominal = th1d(
        "zmm",
        "SR: zmm",
        m_ll(),
        &[1.5, 1e-300, 0.1 + 0.2, -4.0],
        &[0.75, 2.0, 1e300, 5e-324],
    );
    let up = th1d(
        "zmm__jesUp",
        "",
        m_ll(),
        &[1.0, f64::NAN, f64::INFINITY, -0.0],
        &[1.0; 4],
    );
    let mut flows = th1d(
        "data",
        "",
        m_ll(),
        &[7.0, 8.0, 9.0, 10.0],
        &[7.0, 8.0, 9.0, 10.0],
    );
    flows.values[0] = 3.0;
    flows.values[5] = 4.0;
    flows.sumw2 = None;
    let fine = (0..=100).map(|k| f64::from(k) * 0.05).collect();
    let contents: Vec<f64> = (0..100).map(|k| f64::from(k).sqrt().sqrt()).collect();
    let fine = th1d(
        "ttbar",
        "many bins",
        HistogramAxis::new("score", fine),
        &contents,
        &contents,
    );
    let uniform = HistogramAxis::new("η", vec![-2.0, -1.0, 0.0, 1.0, 2.0]);
    let uniform = th1d(
        "η of the μ",
        "ünïcode",
        uniform,
        &[1.0, 2.0, 3.0, 4.0],
        &[1.0; 4],
    );
    let name = "long_".repeat(60);
    let long = HistogramAxis::new(&name, vec![1.0, 10.0]);
    let long = th1d(&name, &name, long, &[1.0], &[1.0]);
    let all = [
        ("SR/m_ll", nominal),
        ("SR/m_ll", up),
        ("SR/m_ll", flows),
        ("SR/fine", fine),
        ("", uniform),
        ("CR", long),
    ];
    all.into_iter().map(|(d, h)| (d.to_owned(), h)).collect()
}

/// The file that has them.
pub fn bytes(compressed: bool) -> Vec<u8> {
    let mut writer = HistogramWriter::new("histograms.root").expect("a name");
    if !compressed {
        writer = writer.uncompressed();
    }
    for (directory, histogram) in histograms() {
        writer
            .add(&directory, &histogram)
            .expect("it can be written");
    }
    writer.finish(Vec::new()).expect("memory takes bytes")
}
