//! Closures of the host as operations, to first order.

use std::sync::Arc;

use crate::attr::{Attr, Attrs};
use crate::build::{Builder, Sym};
use crate::error::{Error, Result};
use crate::exec::{Io, Kernel, LowerCx};
use crate::primitive::{Call as Node, Nature, Primitive, PrimitiveRef, ill_formed};
use crate::program::Program;
use crate::sample::Sample;
use crate::space::Space;
use crate::ty::{DType, Type};

type Closure = Arc<dyn Fn(&[f64], &mut [f64]) + Send + Sync>;

/// A closure y = f(x) of the host with its Jacobian, as an operation of programs: x is one vector, y one vector or a number.
///
/// Derivative: the Jacobian closure, to first order. A second derivative is refused by name, so that a minimum of a region with such a call is found without a
/// Hessian; its value has a derivative then, its position has none.
///
/// # Example
/// ```
/// use pullback_array::{Bindings, Builder, Lowered, Space, transform};
/// use pullback_array::region::HostFunction;
/// let norm = HostFunction::register(
///     "host_norm",
///     "The square of the norm, by the host.",
///     |x, y| y[0] = x.iter().map(|x| x * x).sum(),
///     |x, j| j.iter_mut().zip(x).for_each(|(j, x)| *j = 2.0 * x),
/// );
/// let b = Builder::new();
/// let x = b.input("x", b.dense("n"));
/// let program = b.finish(&[("y", norm.call(&b, x, Space::SCALAR))])?;
/// let gradient = transform::grad(&program, "y", &["x"])?;
/// let lowered = Lowered::new(gradient.clone())?;
/// let mut ws = lowered.workspace();
/// lowered.run(&mut ws, &Bindings::ordered(&[(&[3.0, 4.0]).into()]))?;
/// assert_eq!((ws.scalar(0), ws.f64(1)), (25.0, &[6.0, 8.0][..]));
/// assert!(transform::jvp(&gradient, &["x"]).is_err());
/// # Ok::<(), pullback_array::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct HostFunction(PrimitiveRef);

impl HostFunction {
    /// Makes an operation of a closure and of its Jacobian (row-major: elements of y times elements of x). `name` must be no other operation's.
    ///
    /// The operation lives as long as the process: register each closure once.
    pub fn register(
        name: &'static str,
        doc: &'static str,
        f: impl Fn(&[f64], &mut [f64]) + Send + Sync + 'static,
        jacobian: impl Fn(&[f64], &mut [f64]) + Send + Sync + 'static,
    ) -> Self {
        let jacobian: &'static Host = Box::leak(Box::new(Host {
            name: Box::leak(format!("{name}_jacobian").into_boxed_str()),
            doc,
            closure: Arc::new(jacobian),
            jacobian: None,
        }));
        let host = Host {
            name,
            doc,
            closure: Arc::new(f),
            jacobian: Some(PrimitiveRef(jacobian)),
        };
        Self(PrimitiveRef(Box::leak(Box::new(host))))
    }

    /// Records y = f(x) with y in `to`: the scalar space, or a dense level that x does not have.
    pub fn call<'b>(self, b: &'b Builder, x: Sym<'b>, to: Space) -> Sym<'b> {
        b.push(self.0, &[x], Attrs::to(to)).first(b)
    }

    /// The operation, for a registry.
    pub fn primitive(self) -> PrimitiveRef {
        self.0
    }
}

/// A closure, or the Jacobian of one.
struct Host {
    name: &'static str,
    doc: &'static str,
    closure: Closure,
    jacobian: Option<PrimitiveRef>,
}

impl Primitive for Host {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn convention(&self) -> &'static str {
        "What the closure of the host does."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn infer(&self, program: &Program, args: &[Type], attrs: &Attrs) -> Result<Vec<Type>> {
        let ([x], Some(to)) = (args, attrs.space("to")) else {
            return Err(ill_formed(
                self.name,
                "expects one argument and a space `to`",
            ));
        };
        if x.dtype != DType::F64 {
            return Err(Error::DType {
                primitive: self.name,
                index: 0,
                found: x.dtype.to_string(),
                expected: "f64".into(),
            });
        }
        let streamed = [x.space, to]
            .iter()
            .any(|s| program.stream_root(s).is_some());
        let shared = self.jacobian.is_some() && to.iter().any(|l| x.space.contains(l));
        if streamed || shared || x.space.depth() > 1 {
            return Err(ill_formed(
                self.name,
                "expects a vector or a number, whole, and a result in no level of the argument",
            ));
        }
        Ok(vec![Type::f64(to)])
    }

    fn jvp<'b>(
        &self,
        cx: &'b Builder,
        node: &Node<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let (Some(jacobian), Some(to)) = (self.jacobian, node.attrs.space("to")) else {
            return Err(Error::NotDifferentiable {
                primitive: self.name,
                what: "JVP rule",
                message: "closures of the host are differentiated once; write the function with operations of the program for second derivatives".into(),
            });
        };
        let x = node.args[0];
        let full = x
            .space()
            .iter()
            .fold(to, |space, level| space.child(level).unwrap_or(space));
        let matrix = cx
            .push(jacobian, &[x], Attrs::NONE.with("to", Attr::Space(full)))
            .first(cx);
        Ok(vec![
            tangents[0].map(|t| x.space().iter().fold(matrix * t, Sym::sum)),
        ])
    }

    fn lower(&self, _cx: &LowerCx<'_>) -> Result<Kernel> {
        let closure = self.closure.clone();
        Ok(Kernel::Run(Box::new(move |io: &Io<'_>| {
            closure(io.arg(0), io.out(0));
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        Vec::new()
    }
}
