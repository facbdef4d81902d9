//! A newcomer's primitive: one file that implements `Primitive`, and one line that registers it. Everything else follows.

use pullback_array::attr::Attrs;
use pullback_array::exec::{Io, Kernel, LowerCx};
use pullback_array::registry::Registry;
use pullback_array::{
    Bindings, Builder, Call, Error, Lowered, Nature, Primitive, PrimitiveRef, Program, Result,
    Sample, Sym, Type, text, transform,
};

/// x³.
struct Cube;

const CUBE: PrimitiveRef = PrimitiveRef(&Cube);

impl Primitive for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }

    fn doc(&self) -> &'static str {
        "x³."
    }

    fn convention(&self) -> &'static str {
        "IEEE arithmetic everywhere."
    }

    fn nature(&self) -> Nature {
        Nature::NonLinear
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn infer(&self, _program: &Program, args: &[Type], _attrs: &Attrs) -> Result<Vec<Type>> {
        match args {
            [x] if *x == Type::f64(x.space) => Ok(vec![*x]),
            _ => Err(Error::IllFormed {
                primitive: "cube",
                message: "expects one value of doubles".into(),
            }),
        }
    }

    fn jvp<'b>(
        &self,
        _cx: &'b Builder,
        call: &Call<'_, 'b>,
        tangents: &[Option<Sym<'b>>],
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let x = call.args[0];
        Ok(vec![tangents[0].map(|t| x * x * 3.0 * t)])
    }

    fn lower(&self, _cx: &LowerCx<'_>) -> Result<Kernel> {
        Ok(Kernel::Run(Box::new(|io: &Io<'_>| {
            for (y, x) in io.out::<f64>(0).iter_mut().zip(io.arg::<f64>(0)) {
                *y = x * x * x;
            }
            Ok(())
        })))
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            Sample::generic("around zero", |s| {
                let x = s.f64("x", s.b.dense("n"), &[-1.5, 0.3, 2.0]);
                s.b.push(CUBE, &[x], Attrs::NONE).first(&s.b)
            }),
            Sample::special("infinity", &[f64::INFINITY], |s| {
                let x = s.f64("x", s.b.dense("n"), &[f64::INFINITY]);
                s.b.push(CUBE, &[x], Attrs::NONE).first(&s.b)
            }),
        ]
    }
}

/// Σ x³ over a vector.
fn program() -> Program {
    let b = Builder::new();
    let x = b.input("x", b.dense("n"));
    let y = b.push(CUBE, &[x], Attrs::NONE).first(&b).sum_all();
    b.finish(&[("y", y)]).expect("well-formed")
}

fn run(program: Program, columns: &[&[f64]], output: usize) -> Vec<f64> {
    let lowered = Lowered::new(program).expect("lowers");
    let mut memory = lowered.workspace();
    let columns: Vec<_> = columns.iter().map(|c| (*c).into()).collect();
    lowered
        .run(&mut memory, &Bindings::ordered(&columns))
        .expect("runs");
    memory.f64(output).to_vec()
}

#[test]
fn a_primitive_from_outside_is_differentiated_in_both_modes_and_twice() {
    let x = [-1.5, 0.25, 2.0];
    let gradient = transform::grad(&program(), "y", &["x"]).expect("has a rule");
    assert_eq!(run(gradient.clone(), &[&x], 1), x.map(|x| 3.0 * x * x));
    let tangent = transform::jvp(&program(), &["x"]).expect("has a rule");
    assert_eq!(run(tangent, &[&x, &[1.0, 0.0, 0.5]], 1), [6.75 + 6.0]);
    // The derivative of the gradient along v is 6 x v.
    let second = transform::jvp(&gradient, &["x"]).expect("has a rule");
    let outputs = second.outputs().len();
    assert_eq!(
        run(second, &[&x, &[1.0, 1.0, 1.0]], outputs - 1),
        x.map(|x| 6.0 * x)
    );
}

#[test]
fn a_primitive_from_outside_is_batched() {
    let lanes = transform::vmap(&program(), &["x"], "lane").expect("batches");
    let lowered = Lowered::new(lanes).expect("lowers");
    let mut memory = lowered.workspace();
    let bindings = Bindings::ordered(&[(&[1.0, 2.0, 3.0, 4.0]).into()])
        .size(lowered.program(), "lane", 2)
        .expect("a level");
    lowered.run(&mut memory, &bindings).expect("runs");
    assert_eq!(memory.f64(0), [1.0 + 8.0, 27.0 + 64.0]);
}

#[test]
fn one_line_in_the_registry_lets_its_text_be_read() {
    let written = text::print(&program());
    assert!(text::parse(&written, &Registry::standard()).is_err());
    let read = text::parse(&written, &Registry::standard().with(&Cube)).expect("is known now");
    assert_eq!(text::print(&read), written);
    assert_eq!(run(read, &[&[2.0]], 0), [8.0]);
}

#[test]
fn its_samples_run() {
    for sample in Cube.samples() {
        let lowered = Lowered::new(sample.program.clone()).expect("lowers");
        let mut memory = lowered.workspace();
        lowered.run(&mut memory, &sample.bindings()).expect("runs");
        if let Some(expected) = &sample.expected {
            assert_eq!(memory.f64(0), expected[0], "{}", sample.what);
        }
    }
}
