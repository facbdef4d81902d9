//! The file around the drawing.

use std::fmt::Write;

use super::super::drawing::{Drawing, N};
use super::content::{Content, POINTS};
use super::text::{FACES, unicode};

impl Drawing {
    /// A document of one page of the size of the drawing, on white. It has no date in it: equal drawings are equal files. All of it is ASCII.
    ///
    /// Letters are those of Helvetica and Symbol, two of the standard fonts that all readers have; they are not embedded.
    ///
    /// Reference: PDF Reference, version 1.4 (Adobe), sections 3.4 (files), 5.5.1 (standard fonts), 9.2.1 (information).
    pub fn pdf(&self) -> String {
        let content = Content::new(self);
        let mut fonts = String::new();
        for (face, object) in FACES.iter().zip(5..) {
            let _ = write!(fonts, "/{} {object} 0 R ", face.name);
        }
        let mut objects = vec![
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {} {}] /Contents 4 0 R\n/Resources << /Font << {fonts}>> /ExtGState << {}>> >> >>",
                N(POINTS * self.width),
                N(POINTS * self.height),
                content.opacities(),
            ),
            format!(
                "<< /Length {} >>\nstream\n{}endstream",
                content.stream.len(),
                content.stream
            ),
        ];
        objects.extend(FACES.iter().map(|face| {
            let encoding = match face.encoding {
                Some(name) => format!(" /Encoding /{name}"),
                None => String::new(),
            };
            format!(
                "<< /Type /Font /Subtype /Type1 /BaseFont /{}{encoding} >>",
                face.font
            )
        }));
        objects.push(format!(
            "<< /Title {} /Producer (pullback {}) >>",
            unicode(&self.label),
            env!("CARGO_PKG_VERSION")
        ));
        file(&objects)
    }
}

/// A file of objects with the numbers 1, 2, …: the first is the catalogue, the last the information about the document.
fn file(objects: &[String]) -> String {
    let mut out = String::from("%PDF-1.4\n");
    let mut table = String::from("0000000000 65535 f \n");
    for (object, number) in objects.iter().zip(1..) {
        let _ = writeln!(table, "{:010} 00000 n ", out.len());
        let _ = write!(out, "{number} 0 obj\n{object}\nendobj\n");
    }
    let size = objects.len() + 1;
    let start = out.len();
    let _ = write!(
        out,
        "xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R /Info {} 0 R >>\nstartxref\n{start}\n%%EOF\n",
        objects.len()
    );
    out
}
