//! From values per object to one per event.

use pullback_ad::Real;

use super::table::{Example, Function, Written};
use crate::compile::{Compiler, Maybe, Value, Vector, to_real};
use crate::error::{Error, Result};
use crate::types::{Checker, Cx, Kind, Per, Type, Typed, joined, same_dimension};
use crate::units::Dimension;

fn reduced(call: &Written<'_>, x: Typed, kind: Kind, optional: bool) -> Typed {
    let dimension = if kind.is_number() && x.ty.kind.is_number() {
        x.ty.dimension
    } else {
        None
    };
    let ty = Type::new(Per::Event, kind)
        .of(dimension)
        .or_missing(optional);
    call.call(vec![x], ty)
}

/// Conditions, or objects, to a whole number.
fn count(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let [x] = call.exactly(checker, cx)?;
    call.per_object(checker, cx, &x)?;
    if x.ty.kind.is_number() {
        let help = "count conditions or objects: `count(jets)`, `count(jets.pt > 30)`";
        return Err(checker.mistaken(cx, &x, "objects, or true or false", help));
    }
    Ok(reduced(call, x, Kind::Int, false))
}

fn sum(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let [x] = call.exactly(checker, cx)?;
    call.per_object(checker, cx, &x)?;
    if matches!(x.ty.kind, Kind::Object(_) | Kind::Vector) {
        let x = checker.vector(cx, x)?;
        let ty = Type::new(Per::Event, Kind::Vector).of(Some(Dimension::ENERGY));
        return Ok(call.call(vec![x], ty));
    }
    let x = checker.real(cx, x)?;
    Ok(reduced(call, x, Kind::Real, false))
}

fn product(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let [x] = call.exactly(checker, cx)?;
    call.per_object(checker, cx, &x)?;
    let x = checker.real(cx, x)?;
    if let Some(dimension) = x.ty.dimension.filter(|d| *d != Dimension::NONE) {
        return Err(Error::Units {
            place: cx.place(x.span),
            left: format!("`{}` ({dimension})", cx.place(x.span).text()),
            right: "a factor (no unit)".into(),
        });
    }
    Ok(reduced(call, x, Kind::Real, false))
}

/// A number that is missing where there is no object.
fn of_some(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let [x] = call.exactly(checker, cx)?;
    call.per_object(checker, cx, &x)?;
    let x = checker.real(cx, x)?;
    Ok(reduced(call, x, Kind::Real, true))
}

fn condition(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let [x] = call.exactly(checker, cx)?;
    checker.expect_bool(cx, &x)?;
    call.per_object(checker, cx, &x)?;
    let optional = x.ty.optional;
    Ok(reduced(call, x, Kind::Bool, optional))
}

/// Of one argument along its objects, of several element by element.
fn extreme(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    call.count(cx, 1..=usize::MAX)?;
    if call.args.len() == 1 {
        return of_some(checker, cx, call);
    }
    let mut numbers = Vec::with_capacity(call.args.len());
    for arg in call.args {
        let arg = checker.expr(cx, arg)?;
        numbers.push(checker.real(cx, arg)?);
    }
    let best = joined(numbers, |a, b| {
        let dimension = same_dimension(cx, &a, &b, call.span)?;
        let ([a, b], per) = checker.align(cx, [a, b], call.span)?;
        let ty = Type::new(per, Kind::Real)
            .of(dimension)
            .or_missing(a.ty.optional || b.ty.optional);
        Ok(call.call(vec![a, b], ty))
    })?;
    best.ok_or_else(|| call.wrong(cx, "no arguments".into()))
}

/// The object at which a number is largest or smallest.
fn place(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let [x] = call.exactly(checker, cx)?;
    let id = call.per_object(checker, cx, &x)?;
    let x = checker.real(cx, x)?;
    Ok(reduced(call, x, Kind::Object(id), true))
}

fn count_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], typed: &[Typed]) -> Maybe<'b> {
    let Some((x, level)) = c.along(args, typed) else {
        return c.nothing();
    };
    let number = match x.value {
        Value::Bool { yes, .. } => c.spread(yes, level.space).count(level.id),
        _ => match x.there {
            Some(there) => c.spread(there, level.space).count(level.id),
            None => c.b.counts(level.space),
        },
    };
    Maybe::new(Value::Int(number))
}

fn sum_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], typed: &[Typed]) -> Maybe<'b> {
    let Some((x, level)) = c.along(args, typed) else {
        return c.nothing();
    };
    let sum = |v| {
        let v = match x.there {
            Some(there) => there.select(v, c.real(0.0)),
            None => v,
        };
        c.spread(v, level.space).sum(level.id)
    };
    match x.value {
        Value::Vector(v) => {
            let [px, py, pz, e] = v.cartesian().map(sum);
            Maybe::new(Value::Vector(Vector::Cartesian { px, py, pz, e }))
        }
        Value::Real(v) => Maybe::new(Value::Real(sum(v))),
        _ => c.nothing(),
    }
}

fn product_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], typed: &[Typed]) -> Maybe<'b> {
    let (Some((x, level)), Some(Value::Real(v))) =
        (c.along(args, typed), args.first().map(|x| x.value))
    else {
        return c.nothing();
    };
    let v = match x.there {
        Some(there) => there.select(v, c.real(1.0)),
        None => v,
    };
    Maybe::new(Value::Real(c.spread(v, level.space).prod(level.id)))
}

fn mean_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], typed: &[Typed]) -> Maybe<'b> {
    let (Some((x, level)), Value::Real(sum)) =
        (c.along(args, typed), sum_value(c, args, typed).value)
    else {
        return c.nothing();
    };
    let (number, there) = match x.there {
        Some(there) => {
            let there = c.spread(there, level.space);
            (there.count(level.id), there.any(level.id))
        }
        None => (c.b.counts(level.space), c.any_of(level)),
    };
    Maybe {
        value: Value::Real(sum / to_real(number)),
        there: Some(there),
    }
}

fn any_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], typed: &[Typed]) -> Maybe<'b> {
    let (Some((_, level)), Some((yes, no))) =
        (c.along(args, typed), args.first().and_then(|x| x.truths()))
    else {
        return c.nothing();
    };
    let (yes, no) = (
        c.spread(yes, level.space).any(level.id),
        no.map(|no| c.spread(no, level.space).all(level.id)),
    );
    Maybe::new(Value::Bool { yes, no })
}

fn all_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], typed: &[Typed]) -> Maybe<'b> {
    let (Some((_, level)), Some((yes, no))) =
        (c.along(args, typed), args.first().and_then(|x| x.truths()))
    else {
        return c.nothing();
    };
    let (yes, no) = (
        c.spread(yes, level.space).all(level.id),
        no.map(|no| c.spread(no, level.space).any(level.id)),
    );
    Maybe::new(Value::Bool { yes, no })
}

fn extreme_value<'b>(
    c: &Compiler<'b>,
    args: &[Maybe<'b>],
    typed: &[Typed],
    largest: bool,
) -> Maybe<'b> {
    if args.len() == 2 {
        return if largest {
            c.zip(args, Real::max)
        } else {
            c.zip(args, Real::min)
        };
    }
    let Some((x, level, there)) = c.filled(args, typed, largest) else {
        return c.nothing();
    };
    let best = if largest {
        x.max_over(level.id)
    } else {
        x.min_over(level.id)
    };
    Maybe {
        value: Value::Real(best),
        there: Some(there),
    }
}

fn place_value<'b>(
    c: &Compiler<'b>,
    args: &[Maybe<'b>],
    typed: &[Typed],
    largest: bool,
) -> Maybe<'b> {
    let (Some((x, _, there)), Some(Per::Object(of))) = (
        c.filled(args, typed, largest),
        typed.first().map(|t| t.ty.per),
    ) else {
        return c.nothing();
    };
    let index = if largest { x.argmax() } else { x.argmin() };
    Maybe {
        value: Value::Object {
            of,
            index: Some(index),
        },
        there: Some(there),
    }
}

/// The reductions.
pub(super) static TABLE: &[Function] = &[
    Function {
        name: "count",
        signature: "count(x)",
        doc: "How many objects there are, or for how many a condition holds. What is missing does not count. No derivative: what a cut lets through changes by jumps.",
        example: Example {
            text: "count(Jet.pt > 30)",
            values: &[2.0, 1.0],
        },
        check: count,
        compile: Some(count_value),
    },
    Function {
        name: "sum",
        signature: "sum(x)",
        doc: "The sum over the objects of an event; 0 for none. What is missing is left out. Of objects: the sum of their four-vectors.",
        example: Example {
            text: "sum(Jet.pt where pt > 30)",
            values: &[150.0, 80.0],
        },
        check: sum,
        compile: Some(sum_value),
    },
    Function {
        name: "product",
        signature: "product(x)",
        doc: "The product over the objects of an event, as of their scale factors; 1 for none. What is missing is left out. Of objects that are chosen to a degree d each has the factor 1 + d(x − 1).",
        example: Example {
            text: "product(1 + Jet.btag)",
            values: &[2.717, 1.2],
        },
        check: product,
        compile: Some(product_value),
    },
    Function {
        name: "mean",
        signature: "mean(x)",
        doc: "The mean over the objects of an event; missing for none. What is missing is left out.",
        example: Example {
            text: "mean(Muon.pt)",
            values: &[35.0, f64::NAN],
        },
        check: of_some,
        compile: Some(mean_value),
    },
    Function {
        name: "any",
        signature: "any(condition)",
        doc: "Whether a condition holds for at least one object; false for none.",
        example: Example {
            text: "any(Muon.eta < 0)",
            values: &[1.0, 0.0],
        },
        check: condition,
        compile: Some(any_value),
    },
    Function {
        name: "all",
        signature: "all(condition)",
        doc: "Whether a condition holds for all objects; true for none.",
        example: Example {
            text: "all(Jet.pt > 30)",
            values: &[0.0, 1.0],
        },
        check: condition,
        compile: Some(all_value),
    },
    Function {
        name: "min",
        signature: "min(x) or min(a, b, ..)",
        doc: "Of one argument: the smallest value of the objects of an event; missing for none. Of several: the smallest of them. NaN if one is NaN; the derivative belongs to the first of equal ones.",
        example: Example {
            text: "min(Jet.pt)",
            values: &[20.0, 80.0],
        },
        check: extreme,
        compile: Some(|c, args, typed| extreme_value(c, args, typed, false)),
    },
    Function {
        name: "max",
        signature: "max(x) or max(a, b, ..)",
        doc: "Of one argument: the largest value of the objects of an event; missing for none. Of several: the largest of them. NaN if one is NaN; the derivative belongs to the first of equal ones.",
        example: Example {
            text: "max(Muon.pt)",
            values: &[40.0, f64::NAN],
        },
        check: extreme,
        compile: Some(|c, args, typed| extreme_value(c, args, typed, true)),
    },
    Function {
        name: "argmin",
        signature: "argmin(x)",
        doc: "The object with the smallest value; missing for none. The first of equal ones; no derivative of the choice.",
        example: Example {
            text: "argmin(abs(Muon.pt - 28)).pt",
            values: &[30.0, f64::NAN],
        },
        check: place,
        compile: Some(|c, args, typed| place_value(c, args, typed, false)),
    },
    Function {
        name: "argmax",
        signature: "argmax(x)",
        doc: "The object with the largest value; missing for none. The first of equal ones; no derivative of the choice.",
        example: Example {
            text: "argmax(Jet.btag).pt",
            values: &[50.0, 80.0],
        },
        check: place,
        compile: Some(|c, args, typed| place_value(c, args, typed, true)),
    },
];
