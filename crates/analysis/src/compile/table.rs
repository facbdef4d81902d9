//! Tables: a bin for each axis, then the number of the cell.

use pullback_array::{DType, Flow, Last, Sym};

use super::express::Compiler;
use super::value::{Maybe, Value, both, to_real};
use crate::tables::Outside;
use crate::types::Lookup;

impl<'b> Compiler<'b> {
    /// The number of a table. A gather at a bin that is none gives NaN; with more than one axis, or a number for what is outside, that is a cell of its own.
    pub fn lookup(&self, of: &Lookup, args: &[Maybe<'b>]) -> Maybe<'b> {
        let name = of.name.as_str().into();
        self.b.labelled(Some(name), || self.found(of, args))
    }

    fn found(&self, of: &Lookup, args: &[Maybe<'b>]) -> Maybe<'b> {
        let flow = match of.outside {
            Outside::Clamp => Flow::Clamp,
            Outside::Error | Outside::Value(_) => Flow::Drop,
        };
        let mut there = None;
        let mut bins = Vec::with_capacity(args.len());
        for (arg, axis) in args.iter().zip(&of.axes) {
            let Value::Real(x) = arg.value else {
                return self.nothing();
            };
            there = both(there, arg.there);
            let name = format!("{} {}", of.name, axis.name);
            let edges = self.listed(&format!("{name} edges"), &axis.edges);
            bins.push(x.bin_index(edges, flow, Last::Open).named(&name));
        }
        let value = match (bins.as_slice(), of.outside) {
            ([bin], Outside::Clamp | Outside::Error) => {
                self.listed(&of.name, &of.values).gather(*bin)
            }
            (bins, _) => {
                let cells = self.listed(&of.name, &padded(of));
                let mut cell = self.real(0.0);
                for (bin, axis) in bins.iter().zip(&of.axes) {
                    cell = cell * (axis.bins() + 1) as f64 + (to_real(*bin) + 1.0);
                }
                cells.gather(cell.cast(DType::I64))
            }
        };
        Maybe {
            value: Value::Real(value.named(&of.name)),
            there,
        }
    }

    /// Constants in a space of their own, each list once.
    fn listed(&self, name: &str, values: &[f64]) -> Sym<'b> {
        if let Some(known) = self.constants.borrow().get(name) {
            return *known;
        }
        let made = self
            .b
            .constant_f64(values, self.b.dense_of(name, values.len()));
        self.constants.borrow_mut().insert(name.to_owned(), made);
        made
    }
}

/// The numbers with a first bin along each axis for what is outside.
fn padded(of: &Lookup) -> Vec<f64> {
    let outside = match of.outside {
        Outside::Value(x) => x,
        Outside::Clamp | Outside::Error => f64::NAN,
    };
    let cells: usize = of.axes.iter().map(|a| a.bins() + 1).product();
    let mut values = of.values.iter();
    let cell = |mut k: usize| {
        let inside = of.axes.iter().rev().all(|axis| {
            let bin = k % (axis.bins() + 1);
            k /= axis.bins() + 1;
            bin > 0
        });
        let value = if inside { values.next() } else { None };
        value.copied().unwrap_or(outside)
    };
    (0..cells).map(cell).collect()
}
