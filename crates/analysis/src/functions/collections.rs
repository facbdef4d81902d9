//! Collections made of others, and objects picked from them.

use super::table::{Example, Function, Written};
use crate::compile::{Compiler, Maybe, Value};
use crate::error::Result;
use crate::syntax::Ident;
use crate::types::{Checker, CollectionId, Cx, Def, Kind, Node, Per, Type, Typed};

/// Names of the members of combinations that have none.
const LETTERS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

fn wholes(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Vec<CollectionId>> {
    let mut ids = Vec::new();
    for arg in call.args {
        let x = checker.expr(cx, arg)?;
        ids.push(checker.whole_of(cx, &x)?);
    }
    Ok(ids)
}

fn product(
    checker: &mut Checker<'_>,
    cx: Cx<'_>,
    call: &Written<'_>,
    members: Vec<CollectionId>,
) -> Result<Typed> {
    let named = members.into_iter().zip(LETTERS).map(|(id, letter)| {
        let name = Ident {
            name: letter.into(),
            span: call.span,
        };
        (name, id)
    });
    let id = checker.product(cx, named.collect(), call.span)?;
    Ok(checker.whole(id, call.span))
}

fn pairs(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    call.count(cx, 1..=1)?;
    let ids = wholes(checker, cx, call)?;
    product(checker, cx, call, ids.repeat(2))
}

fn triples(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    call.count(cx, 1..=1)?;
    let ids = wholes(checker, cx, call)?;
    product(checker, cx, call, ids.repeat(3))
}

fn combine(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    call.count(cx, 2..=LETTERS.len())?;
    let ids = wholes(checker, cx, call)?;
    product(checker, cx, call, ids)
}

fn union(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    call.count(cx, 2..=LETTERS.len())?;
    let ids = wholes(checker, cx, call)?;
    let id = checker.joined(ids);
    Ok(checker.whole(id, call.span))
}

fn sorted(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    call.count(cx, 2..=2)?;
    let [x, key] = call.args else {
        return Err(call.wrong(cx, "two arguments".into()));
    };
    let x = checker.expr(cx, x)?;
    let of = checker.whole_of(cx, &x)?;
    let id = checker.sorted(cx, of, key)?;
    Ok(checker.whole(id, call.span))
}

/// A whole number that is written out, from `least` on.
fn literal(
    checker: &Checker<'_>,
    cx: Cx<'_>,
    call: &Written<'_>,
    n: &Typed,
    least: i64,
) -> Result<usize> {
    match n.node {
        Node::Int(n) if n >= least && n < i64::from(i32::MAX) => Ok(n as usize),
        _ => {
            let expected = format!("a whole number from {least} on");
            Err(checker.mistaken(
                cx,
                n,
                &expected,
                &format!("as in `{}`", call.function.example.text),
            ))
        }
    }
}

fn take(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let [x, n] = call.exactly(checker, cx)?;
    let of = checker.whole_of(cx, &x)?;
    let n = literal(checker, cx, call, &n, 0)?;
    let name = format!("take({}, {n})", checker.name_of(of));
    let id = checker.collection(format!("take {} {n}", of.0), &name, Def::First(of, n));
    Ok(checker.whole(id, call.span))
}

fn first(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let [x] = call.exactly(checker, cx)?;
    call.per_object(checker, cx, &x)?;
    let zero = Typed {
        node: Node::Int(0),
        ty: Type::new(Per::Constant, Kind::Int),
        span: call.span,
    };
    let ty = Type {
        per: Per::Event,
        ..x.ty
    }
    .or_missing(true);
    let node = Node::Nth(Box::new(x), Box::new(zero));
    Ok(Typed {
        node,
        ty,
        span: call.span,
    })
}

fn leading(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    call.count(cx, 1..=2)?;
    let mut args = Vec::new();
    for arg in call.args {
        args.push(checker.expr(cx, arg)?);
    }
    let mut args = args.into_iter();
    let (Some(x), n) = (args.next(), args.next()) else {
        return Err(call.wrong(cx, "one argument or two".into()));
    };
    let of = checker.whole_of(cx, &x)?;
    let pt = checker.field(cx, x, "pt", call.span)?;
    let pt = checker.real(cx, pt)?;
    let mut args = vec![pt];
    if let Some(n) = n {
        literal(checker, cx, call, &n, 1)?;
        args.push(n);
    }
    let ty = Type::new(Per::Event, Kind::Object(of)).or_missing(true);
    Ok(call.call(args, ty))
}

fn leading_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], typed: &[Typed]) -> Maybe<'b> {
    let (Some((pt, level, _)), Some(Per::Object(of))) =
        (c.filled(args, typed, true), typed.first().map(|t| t.ty.per))
    else {
        return c.nothing();
    };
    let n = match typed.get(1).map(|t| &t.node) {
        Some(Node::Int(n)) => *n,
        _ => 1,
    };
    let (index, there) = if n == 1 {
        (pt.argmax(), c.any_of(level))
    } else {
        c.element(pt.argsort(true), level, c.b.integer(n - 1))
    };
    Maybe {
        value: Value::Object {
            of,
            index: Some(index),
        },
        there: Some(there),
    }
}

/// Collections and objects.
pub(super) static TABLE: &[Function] = &[
    Function {
        name: "pairs",
        signature: "pairs(x)",
        doc: "All pairs of two objects of a collection, each once, with the members `a` and `b` in the order of the collection.",
        example: Example {
            text: "count(pairs(Jet))",
            values: &[3.0, 0.0],
        },
        check: pairs,
        compile: None,
    },
    Function {
        name: "triples",
        signature: "triples(x)",
        doc: "All sets of three objects of a collection, each once, with the members `a`, `b` and `c` in the order of the collection.",
        example: Example {
            text: "count(triples(Jet))",
            values: &[1.0, 0.0],
        },
        check: triples,
        compile: None,
    },
    Function {
        name: "combine",
        signature: "combine(x, y, ..)",
        doc: "All combinations of one object of each collection, with the members `a`, `b`, ..; of a collection that stands there several times, each set of objects comes once.",
        example: Example {
            text: "count(combine(Muon, Jet))",
            values: &[6.0, 0.0],
        },
        check: combine,
        compile: None,
    },
    Function {
        name: "union",
        signature: "union(x, y, ..)",
        doc: "The objects of one collection after those of another. They have the fields that all have, and `source`: 0, 1, .. for the collection they come from.",
        example: Example {
            text: "sum(union(Muon, Jet).source)",
            values: &[3.0, 1.0],
        },
        check: union,
        compile: None,
    },
    Function {
        name: "sorted",
        signature: "sorted(x, key)",
        doc: "A collection in the order of rising keys; in the key, the names of fields are those of the object. Equal ones keep their order, NaN comes last.",
        example: Example {
            text: "first(sorted(Jet, pt)).pt",
            values: &[20.0, 80.0],
        },
        check: sorted,
        compile: None,
    },
    Function {
        name: "take",
        signature: "take(x, n)",
        doc: "The first n objects of a collection, or all if there are fewer.",
        example: Example {
            text: "sum(take(Jet, 2).pt)",
            values: &[150.0, 80.0],
        },
        check: take,
        compile: None,
    },
    Function {
        name: "first",
        signature: "first(x)",
        doc: "The first value, or object, of each event: `x[0]`; missing for none.",
        example: Example {
            text: "first(Muon).eta",
            values: &[0.5, f64::NAN],
        },
        check: first,
        compile: None,
    },
    Function {
        name: "leading",
        signature: "leading(x) or leading(x, n)",
        doc: "The object with the largest p_T, or with the n-th largest (from 1 on), whatever the order of the collection; missing where there are fewer. No derivative of the choice.",
        example: Example {
            text: "leading(Muon, 2).pt",
            values: &[30.0, f64::NAN],
        },
        check: leading,
        compile: Some(leading_value),
    },
];
