//! Networks: their inputs are numbers per event that are always there.

use std::rc::Rc;

use super::check::{Checker, Cx};
use super::tree::{Node, Typed};
use super::ty::{Kind, Per, Type};
use crate::error::{Error, Result};
use crate::network::{Network, Perceptron, column};
use crate::place::{Source, Span};
use crate::units::Dimension;

impl Checker<'_> {
    /// The output of a network; its inputs become columns.
    pub(super) fn network(&mut self, name: &str, network: &Network, span: Span) -> Result<Typed> {
        for (k, source) in network.inputs.iter().enumerate() {
            let input = self.network_input(source)?;
            self.columns.insert(column(name, k), Rc::new(input));
        }
        let perceptron = Perceptron::new(name, network)?;
        self.networks.insert(name.into(), perceptron);
        Ok(Typed {
            node: Node::Network(name.into()),
            ty: Type::new(Per::Event, Kind::Real).of(Some(Dimension::NONE)),
            span,
        })
    }

    fn network_input(&mut self, source: &Source) -> Result<Typed> {
        let cx = Cx { source, it: None };
        let input = self.text(source)?;
        let mut input = self.real(cx, input)?;
        if let Per::Object(_) = input.ty.per {
            let help = "a network has numbers per event: reduce it (`sum(..)`, `max(..)`, `leading(..).pt`)";
            return Err(self.mistaken(cx, &input, "a number per event", help));
        }
        if input.ty.optional {
            return Err(Error::Type {
                place: cx.place(input.span),
                expected: "a number in every event".into(),
                found: "one that may be missing".into(),
                help: format!(
                    "say what stands for it: `default({}, 0)`",
                    cx.place(input.span).text()
                ),
            });
        }
        input.ty.per = Per::Event;
        Ok(input)
    }
}
