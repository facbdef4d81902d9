//! The grammar: precedence, printing and parsing as inverses, errors with their place, texts of any kind.

use proptest::prelude::*;
use pullback_analysis::syntax::{
    BinaryOp, CompareOp, End, Expr, ExprKind, Ident, Literal, MAX_DEPTH, UnaryOp, parse, parse_list,
};
use pullback_analysis::units::Unit;
use pullback_analysis::{Error, Source, Span, render};

fn parsed(text: &str) -> Expr {
    parse(&text.into()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// The expression with parentheses around every operation.
fn grouped(e: &Expr) -> String {
    match &e.kind {
        ExprKind::Unary(UnaryOp::Neg, x) => format!("(-{})", grouped(x)),
        ExprKind::Unary(UnaryOp::Not, x) => format!("(not {})", grouped(x)),
        ExprKind::Binary(op, a, b) => format!("({} {} {})", grouped(a), op.symbol(), grouped(b)),
        ExprKind::Compare(first, rest) => {
            let rest = rest
                .iter()
                .map(|(op, x)| format!(" {} {}", op.symbol(), grouped(x)));
            format!("({}{})", grouped(first), rest.collect::<String>())
        }
        ExprKind::Range { value, negated, .. } => {
            let not = if *negated { "not " } else { "" };
            format!("({} {not}in ..)", grouped(value))
        }
        ExprKind::If(a, c, b) => {
            format!("({} if {} else {})", grouped(a), grouped(c), grouped(b))
        }
        ExprKind::Where(a, c) => format!("({} where {})", grouped(a), grouped(c)),
        ExprKind::Field(x, field) => format!("{}.{}", grouped(x), field.name),
        ExprKind::Index(x, i) => format!("{}[{}]", grouped(x), grouped(i)),
        _ => e.to_string(),
    }
}

#[test]
fn operators_bind_as_the_table_says() {
    for (text, expected) in [
        ("a or b and c", "(a or (b and c))"),
        ("a and b or c", "((a and b) or c)"),
        ("not a and b", "((not a) and b)"),
        ("not a == b", "(not (a == b))"),
        ("a and not b or c", "((a and (not b)) or c)"),
        ("60 < m < 120", "(60 < m < 120)"),
        ("a < b == c", "(a < b == c)"),
        ("a + b < c * d", "((a + b) < (c * d))"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b * c % d", "(((a / b) * c) % d)"),
        ("a + b * c ** d", "(a + (b * (c ** d)))"),
        ("a ** b ** c", "(a ** (b ** c))"),
        ("-a ** b", "(-(a ** b))"),
        ("a ** -b ** c", "(a ** (-(b ** c)))"),
        ("-a * b", "((-a) * b)"),
        ("a * -b", "(a * (-b))"),
        ("-a.pt[0].eta", "(-a.pt[0].eta)"),
        ("m in [60, 120] and b", "((m in ..) and b)"),
        ("not m in [60, 120]", "(not (m in ..))"),
        ("m + 1 not in [60, 120)", "((m + 1) not in ..)"),
        ("a if b else c if d else e", "(a if b else (c if d else e))"),
        (
            "a or b if c or d else e or f",
            "((a or b) if (c or d) else (e or f))",
        ),
        ("x where a and b", "(x where (a and b))"),
        ("x where a where b", "((x where a) where b)"),
        ("x + y where a", "((x + y) where a)"),
        ("x where a if b else c", "(x where (a if b else c))"),
        ("(25 GeV**2) ** x", "(25 GeV**2 ** x)"),
    ] {
        assert_eq!(grouped(&parsed(text)), expected, "{text}");
    }
}

#[test]
fn numbers_take_the_unit_behind_them() {
    let literal = |text: &str| match parsed(text).kind {
        ExprKind::Number(l) => l,
        other => panic!("{text}: {other:?}"),
    };
    let gev = Unit::find("GeV").unwrap();
    let of = |value, integer, unit| Literal {
        value,
        integer,
        unit,
    };
    assert_eq!(literal("91.2 GeV"), of(91.2, false, Some((gev, 1))));
    assert_eq!(literal("25GeV"), of(25.0, true, Some((gev, 1))));
    assert_eq!(literal("4 GeV**-2"), of(4.0, true, Some((gev, -2))));
    assert_eq!(literal(".5"), of(0.5, false, None));
    assert_eq!(literal("1e3"), of(1000.0, false, None));
}

#[test]
fn lists_have_names() {
    let list = parse_list(&"mu as a, jets where pt > 30 as b, el".into()).unwrap();
    let names: Vec<_> = list
        .iter()
        .map(|m| (m.expr.to_string(), m.alias.as_ref().map(|a| a.name.clone())))
        .collect();
    let expected = [
        ("mu", Some("a")),
        ("jets where pt > 30", Some("b")),
        ("el", None),
    ];
    assert_eq!(
        names,
        expected.map(|(e, a)| (e.to_owned(), a.map(str::to_owned)))
    );
}

#[test]
fn errors_say_where_what_and_how() {
    for (text, at, code, words) in [
        ("", 1, "PB0801", "expected an expression, found the end"),
        ("pt >", 5, "PB0801", "expected a value, found the end"),
        ("pt > 25 && eta < 2", 9, "PB0801", "found `&&`"),
        ("(pt + 1", 8, "PB0801", "expected `)`, found the end"),
        (
            "pt eta",
            4,
            "PB0801",
            "expected an operator or the end, found `eta`",
        ),
        (
            "pt > 25 GeX",
            9,
            "PB0804",
            "no unit `GeX`; did you mean `GeV`",
        ),
        ("a + not b", 5, "PB0801", "expected a value, found `not`"),
        ("m in 60", 6, "PB0801", "expected a range or a set"),
        ("m in [60]", 9, "PB0801", "expected `,`, found `]`"),
        ("m in {}", 8, "PB0801", "expected an element"),
        ("a if b", 7, "PB0801", "expected `else`, found the end"),
        (
            "mu.where",
            4,
            "PB0801",
            "expected the name of a field, found `where`",
        ),
        (
            "25 GeV**x",
            9,
            "PB0801",
            "expected a whole power of the unit",
        ),
        ("25 GeV**2 ** x", 11, "PB0801", "expected another operator"),
        ("1e999", 1, "PB0802", "the number 1e999 is out of range"),
        ("99999999999999999", 1, "PB0802", "out of range"),
        (
            "a in [1, 2] < 3",
            13,
            "PB0801",
            "expected `and`, `or` or the end of a condition",
        ),
        (
            "a in [1, 2] + 3",
            13,
            "PB0801",
            "expected `and`, `or` or the end of a condition",
        ),
        (
            "a < 3 in [1, 2]",
            7,
            "PB0801",
            "expected `and`, `or` or the end of a condition",
        ),
        (
            "a.b.c(d)",
            6,
            "PB0801",
            "expected an operator or the end, found `(`",
        ),
    ] {
        let source = Source::from(text);
        let error = parse(&source).unwrap_err();
        let place = error.place().unwrap();
        assert_eq!(source.position(place.span), (1, at), "{text}: {error}");
        assert_eq!(error.code(), code, "{text}: {error}");
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}

#[test]
fn errors_are_drawn_in_their_document() {
    let file = "[objects]\nmu = { from = \"Muon\", where = \"pt > 25 GeX\" }\n";
    let text = "pt > 25 GeX";
    let offset = file.find(text).unwrap();
    let source = Source::within("objects.mu.where", text, "zprime.toml", file.into(), offset);
    let drawn = render(&parse(&source).unwrap_err(), false);
    let expected = "\
error[PB0804]: there is no unit `GeX`; did you mean `GeV`?
 --> zprime.toml:2:40
  |
2 | mu = { from = \"Muon\", where = \"pt > 25 GeX\" }
  |                                        ^^^ in objects.mu.where
  |
  = help: to multiply, write `25 * GeX`";
    assert_eq!(drawn, expected, "{drawn}");
}

#[test]
fn a_text_that_does_not_stand_there_has_a_place_of_its_own() {
    let source = Source::within("columns.x", "a + b", "a.toml", "x = \"a + c\"".into(), 5);
    assert_eq!(source.position(Span::new(4, 5)), (1, 5));
    assert_eq!(source.path(), None);
}

#[test]
fn nesting_and_length_have_limits() {
    let deep = format!("{}x{}", "(".repeat(5000), ")".repeat(5000));
    let minus = format!("{}x", "-".repeat(100_000));
    let chain = vec!["x"; 5000].join(" + ");
    let right = vec!["x"; 5000].join(" ** ");
    let postfix = format!("x{}", ".y".repeat(5000));
    for text in [deep, minus, chain, right, postfix] {
        let error = parse(&text.as_str().into()).unwrap_err();
        assert!(matches!(error, Error::TooLong { .. }), "{error}");
    }
    // Wide expressions are no deep ones.
    let wide = format!("f({})", vec!["x"; 5000].join(", "));
    assert!(parsed(&wide).depth() < MAX_DEPTH);
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["pt", "mu", "jets", "m_ll", "it", "x1", "GeV", "_a"])
        .prop_map(str::to_owned)
}

fn literal() -> impl Strategy<Value = Literal> {
    let unit = prop::option::of((
        prop::sample::select(Unit::all().collect::<Vec<_>>()),
        prop::sample::select(vec![1_i8, 2, -1, 9]),
    ));
    let value = prop_oneof![
        (0_u64..=1 << 53).prop_map(|n| (n as f64, true)),
        (0.0..1e6_f64).prop_map(|x| (x, false)),
        prop::num::f64::POSITIVE.prop_map(|x| (x.abs(), false)),
    ];
    (value, unit)
        .prop_filter("finite", |((v, _), _)| v.is_finite())
        .prop_map(|((value, integer), unit)| Literal {
            value,
            integer,
            unit,
        })
}

fn ident(name: String) -> Ident {
    Ident {
        name,
        span: Span::default(),
    }
}

fn boxed(e: Expr) -> Box<Expr> {
    Box::new(e)
}

fn expr() -> impl Strategy<Value = Expr> {
    let s = Span::default();
    let leaf = prop_oneof![
        literal().prop_map(ExprKind::Number),
        any::<bool>().prop_map(ExprKind::Bool),
        name().prop_map(ExprKind::Name),
    ]
    .prop_map(move |k| Expr::new(k, s));
    leaf.prop_recursive(6, 60, 4, move |inner| {
        let end = || prop_oneof![Just(End::Closed), Just(End::Open)];
        let compare = prop::sample::select(CompareOp::ALL.to_vec());
        let two = (inner.clone(), inner.clone());
        let three = (inner.clone(), inner.clone(), inner.clone());
        let kinds = prop_oneof![
            (prop::sample::select(BinaryOp::ALL.to_vec()), two.clone())
                .prop_map(|(op, (a, b))| ExprKind::Binary(op, boxed(a), boxed(b))),
            (any::<bool>(), inner.clone()).prop_map(|(not, x)| {
                let op = if not { UnaryOp::Not } else { UnaryOp::Neg };
                ExprKind::Unary(op, boxed(x))
            }),
            (
                inner.clone(),
                prop::collection::vec((compare, inner.clone()), 1..3)
            )
                .prop_map(|(a, rest)| ExprKind::Compare(boxed(a), rest)),
            (inner.clone(), name()).prop_map(move |(x, f)| ExprKind::Field(boxed(x), ident(f))),
            two.clone()
                .prop_map(|(a, b)| ExprKind::Index(boxed(a), boxed(b))),
            (name(), prop::collection::vec(inner.clone(), 0..3))
                .prop_map(move |(f, args)| ExprKind::Call(ident(f), args)),
            (three.clone(), any::<bool>(), end(), end()).prop_map(
                |((v, a, b), negated, low_end, high_end)| ExprKind::Range {
                    value: boxed(v),
                    negated,
                    low: boxed(a),
                    low_end,
                    high: boxed(b),
                    high_end,
                }
            ),
            (
                inner.clone(),
                any::<bool>(),
                prop::collection::vec(inner.clone(), 1..3)
            )
                .prop_map(|(v, negated, elements)| ExprKind::Set {
                    value: boxed(v),
                    negated,
                    elements,
                }),
            three.prop_map(|(a, c, b)| ExprKind::If(boxed(a), boxed(c), boxed(b))),
            two.prop_map(|(a, c)| ExprKind::Where(boxed(a), boxed(c))),
        ];
        kinds.prop_map(move |k| Expr::new(k, s))
    })
}

/// Removing any pair of matching parentheses changes the meaning or makes no sense: the printer writes none in vain.
fn has_needless_parentheses(e: &Expr) -> bool {
    let text = e.to_string();
    let bytes: Vec<char> = text.chars().collect();
    let mut open = Vec::new();
    for (i, c) in bytes.iter().enumerate() {
        match c {
            '(' | '[' | '{' => open.push(i),
            // What is not opened by the same bracket is a range with an open end.
            ')' | ']' | '}' => {
                let from = open.pop().expect("brackets come in pairs");
                if (bytes[from], *c) != ('(', ')') {
                    continue;
                }
                let mut without = bytes.clone();
                (without[from], without[i]) = (' ', ' ');
                let without: String = without.into_iter().collect();
                if parse(&without.as_str().into()).is_ok_and(|other| other == *e) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// About as many texts as are tried in the seconds that `PULLBACK_FUZZ_SECONDS` says.
fn config() -> ProptestConfig {
    let seconds = std::env::var("PULLBACK_FUZZ_SECONDS").ok();
    let seconds: Option<u32> = seconds.and_then(|s| s.parse().ok());
    ProptestConfig {
        cases: seconds.map_or(1000, |s| s.saturating_mul(5000).max(1000)),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn printing_and_parsing_are_inverses(e in expr()) {
        let text = e.to_string();
        let again = parse(&text.as_str().into());
        prop_assert!(again.is_ok(), "{text}: {}", again.unwrap_err());
        let again = again.unwrap();
        prop_assert_eq!(&again, &e, "{}", text);
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn no_parentheses_are_printed_in_vain(e in expr()) {
        prop_assert!(!has_needless_parentheses(&e), "{e}");
    }

    #[test]
    fn fuzz_no_text_panics(text in "\\PC*") {
        if let Err(error) = parse(&text.as_str().into()) {
            render(&error, false);
        }
    }

    #[test]
    fn fuzz_no_tokens_panic(words in prop::collection::vec(prop::sample::select(vec![
        "(", ")", "[", "]", "{", "}", ",", ".", "+", "-", "**", "<", "==", "in", "not", "and", "or", "if", "else", "where", "as",
        "1", "2.5", "GeV", "pt", "true", " ", "\n", "é", "&&", "'", "1e", "0x",
    ]), 0..40)) {
        let text = words.concat();
        if let Err(error) = parse(&text.as_str().into()) {
            render(&error, false);
            let place = error.place().unwrap();
            prop_assert!(place.span.end <= text.len() && place.span.start <= place.span.end);
        }
        let _ = parse_list(&text.as_str().into());
    }
}
