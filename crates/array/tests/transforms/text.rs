//! The text form round-trips; pictures; errors say the line.

use pullback_ad::Real;
use pullback_array::attr::{Attr, Attrs, Data};
use pullback_array::registry::{self, Registry};
use pullback_array::{
    Bindings, Builder, Column, DType, Error, Lowered, Program, Space, Type, text, transform,
};

use crate::support::{differentiable, double_outputs, names};

fn round_trip(program: &Program) {
    let printed = text::print(program);
    let parsed =
        text::parse(&printed, &Registry::standard()).unwrap_or_else(|e| panic!("{e}\n{printed}"));
    assert_eq!(&parsed, program, "{printed}");
    assert_eq!(text::print(&parsed), printed);
}

/// Mass of the two leading muons, in bins: what an analysis looks like.
fn histogram() -> Program {
    let b = Builder::new();
    let events = b.stream("events");
    let muons = b.ragged("muons", events);
    let (pt, scale) = (b.input("pt", muons), b.input("scale", Space::SCALAR));
    let bins = b.dense_of("bins", 4);
    let scaled = (pt * scale).named("scaled pt");
    let passed = Real::gt(scaled, 20.0.into()).named("cut");
    let ht = passed.select(scaled, 0.0.into()).sum_last().named("ht");
    let index = b.input_of("bin", Type::new(DType::I64, events));
    let counts = ht.scatter_add(index, bins);
    b.finish(&[("counts", counts)]).unwrap()
}

fn likelihood() -> Program {
    let b = Builder::new();
    let bins = b.dense_of("bins", 3);
    let observed = b.constant_f64(&[12.0, 7.5, 0.0], bins);
    let (mu, signal) = (b.input("mu", Space::SCALAR), b.input("signal", bins));
    let expected = (signal * mu + b.constant_f64(&[10.0, 6.0, 1.0], bins)).named("expected");
    let twice_nll = ((expected - observed.xlogy(expected)).sum_all() * 2.0).named("twice_nll");
    b.finish(&[("twice_nll", twice_nll)]).unwrap()
}

#[test]
fn programs_read_well() {
    insta::assert_snapshot!("histogram", text::print(&histogram()));
    insta::assert_snapshot!("likelihood", text::print(&likelihood()));
    insta::assert_snapshot!(
        "likelihood gradient",
        text::print(&transform::grad(&likelihood(), "twice_nll", &["mu"]).unwrap())
    );
}

#[test]
fn pictures_read_well() {
    insta::assert_snapshot!(
        "likelihood picture",
        pullback_array::graphviz::dot(&likelihood())
    );
}

#[test]
fn every_sample_and_its_gradient_round_trip() {
    for p in registry::all() {
        for s in p.samples() {
            round_trip(&s.program);
            let (wrt, of) = (differentiable(&s.program), double_outputs(&s.program));
            if let Ok(vjp) = transform::vjp(&s.program, &names(&of), &names(&wrt)) {
                round_trip(&vjp);
            }
        }
    }
}

#[test]
fn odd_numbers_names_and_labels_round_trip() {
    let b = Builder::new();
    let bins = b.dense_of("my \"bins\",\n[µ] return", 6);
    let odd = [
        0.1 + 0.2,
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        f64::from_bits(0xfff8_0000_0000_0123),
    ];
    let x = b.constant_f64(&odd, bins);
    let y = (x * 5e-324 + 1e300).named("a \"label\" \\ with\ttab {and} # 漢字");
    let n = b.constant(
        Data::I64([i64::MIN, i64::MAX].into()),
        b.dense_of("return", 2),
    );
    let m = b.constant(Data::Bool([true, false].into()), b.dense_of("inf", 2));
    round_trip(&b.finish(&[("out put", y), ("n", n), ("m", m)]).unwrap());
}

#[test]
fn sub_programs_round_trip() {
    let inner = likelihood();
    let b = Builder::new();
    let x = b.input("x", Space::SCALAR);
    let mut program = b.finish(&[("y", x)]).unwrap();
    let mut text = text::print(&program).replace("to = []}", "to = [], body = (");
    text = text.replacen(
        "body = (",
        &format!("body = ({}), n = -3}}", text::print(&inner)),
        1,
    );
    program = text::parse(&text, &Registry::standard()).unwrap();
    let kept = program.nodes()[0].attrs.program("body").unwrap();
    assert_eq!(**kept, inner);
    assert_eq!(program.nodes()[0].attrs.get("n"), Some(&Attr::Int(-3)));
    round_trip(&program);
    let _ = Attrs::NONE;
}

#[test]
fn what_is_no_program_is_refused_with_its_line() {
    let parse = |text: &str| text::parse(text, &Registry::standard()).unwrap_err();
    let mut all = String::new();
    for text in [
        "bins: thick",
        "bins: dense\nbins: dense",
        "muons: ragged [events] by %0",
        "events: stream\nmuons: ragged [events] by %7\n%0: offsets[events] = input {name = \"o\", dtype = offsets, to = [events]}",
        "%0: f64[] = const {value = 1.0}\n%1: f64[] = frobnicate %0",
        "%0: f64[] = const {value = 1.0}\n%1: f64[] = exp %2",
        "%0: f64[] = const {value = 1.0}\n%0: f64[] = exp %0",
        "%0: f64[nowhere] = const {value = 1.0}",
        "%0: f64[] = const {value = 1.0e999}",
        "%0: f64[] = const {value = nan:0x12}",
        "%0: f64[] = const {value = \"open",
        "%0: f64[] = const {value = \"\\q\"}",
        "return y = %0",
        "%0: f64[] = input {dtype = f64, to = []}",
        "b: dense\n%0: f64[b, b] = input {name = \"x\", dtype = f64, to = [b, b]}",
        "b: dense = 2\n%0: bool[b] = data {to = [b], data = bool(1, 2)}",
        "§",
        // Well-formed text, ill-formed program.
        "%0: i64[] = const {value = 1.0}",
        "b: dense = 2\n%0: f64[b] = data {to = [b], data = f64(1.0)}",
        "b: dense = 2\n%0: offsets[b] = data {to = [b], data = i64(0, 3, 1), dtype = offsets}",
        "e: dense\n%0: offsets[e] = input {name = \"o\", dtype = offsets, to = [e]}\nm: ragged [e] by %0\n%1: f64[m] = input {name = \"x\", dtype = f64, to = [m]}",
    ] {
        all += &parse(text).to_string();
        all.push('\n');
    }
    let mut deep = "%0: f64[] = const {value = 1.0, body = (".repeat(20);
    deep += &")}".repeat(20);
    all += &parse(&deep).to_string();
    all.push('\n');
    insta::assert_snapshot!("refused texts", all);
}

/// Constants whose length does not fit what an input says must be refused, not read past their end.
#[test]
fn constants_of_another_length_than_their_level_are_refused() {
    let b = Builder::new();
    let bins = b.dense("bins");
    let y = b.input("x", bins) * b.constant_f64(&[1.0, 2.0, 3.0], bins);
    let lowered = Lowered::new(b.finish(&[("y", y)]).unwrap()).unwrap();
    let mut ws = lowered.workspace();
    let many = vec![1.0; 1000];
    let error = lowered
        .run(&mut ws, &Bindings::ordered(&[Column::F64(&many)]))
        .unwrap_err();
    assert!(matches!(error, Error::Input { .. }), "{error}");
    lowered
        .run(&mut ws, &Bindings::ordered(&[(&[1.0, 1.0, 2.0]).into()]))
        .unwrap();
    assert_eq!(ws.f64(0), [1.0, 2.0, 6.0]);

    let b = Builder::new();
    let parents = b.dense_of("parents", 2);
    let children = b.ragged_by("children", b.constant_offsets(&[0, 1, 4], parents));
    let y = (b.constant_f64(&[1.0, 2.0], children) * b.input("x", Space::SCALAR)).sum_last();
    let lowered = Lowered::new(b.finish(&[("y", y)]).unwrap()).unwrap();
    assert!(
        lowered
            .run(
                &mut lowered.workspace(),
                &Bindings::ordered(&[(&2.0).into()])
            )
            .is_err()
    );

    let b = Builder::new();
    let parents = b.dense_of("parents", 2);
    let children = b.ragged_by("children", b.constant_offsets(&[0, 1, 4], parents));
    let y = (b.constant_f64(&[1.0, 2.0, 3.0, 4.0], children) * b.input("x", children)).sum_last();
    let lowered = Lowered::new(b.finish(&[("y", y)]).unwrap()).unwrap();
    let mut ws = lowered.workspace();
    assert!(
        lowered
            .run(&mut ws, &Bindings::ordered(&[(&[1.0, 1.0, 1.0]).into()]))
            .is_err()
    );
    lowered
        .run(
            &mut ws,
            &Bindings::ordered(&[(&[1.0, 1.0, 1.0, 2.0]).into()]),
        )
        .unwrap();
    assert_eq!(ws.f64(0), [1.0, 13.0]);
}
