//! Functions of numbers, one value at a time.

use pullback_ad::Real;

use super::args::elementwise;
use super::table::{Compile, Example, Function, Written};
use crate::compile::{Compiler, Maybe, Value};
use crate::error::Result;
use crate::types::{Checker, Cx, Kind, Type, Typed, same_dimension};
use crate::units::Dimension;

/// A number without a unit.
fn plain(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    elementwise::<1>(checker, cx, call, |_| None)
}

/// A number in the unit of the argument.
fn same(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    elementwise::<1>(checker, cx, call, |[x]| x.ty.dimension)
}

fn root(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    elementwise::<1>(checker, cx, call, |[x]| {
        x.ty.dimension.and_then(Dimension::root)
    })
}

/// Two numbers of one unit; the result is in it.
fn two(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let x = elementwise::<2>(checker, cx, call, |[a, b]| {
        a.ty.dimension.or(b.ty.dimension)
    })?;
    same_units(cx, &x)?;
    Ok(x)
}

fn angle(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let x = elementwise::<2>(checker, cx, call, |_| Some(Dimension::NONE))?;
    same_units(cx, &x)?;
    Ok(x)
}

fn same_units(cx: Cx<'_>, call: &Typed) -> Result<()> {
    if let crate::types::Node::Call(_, args) = &call.node
        && let [a, b] = args.as_slice()
    {
        same_dimension(cx, a, b, call.span)?;
    }
    Ok(())
}

/// A value that may be missing, or another one in its place.
fn default(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let [x, other] = call.exactly(checker, cx)?;
    let (x, other) = match (x.ty.kind, other.ty.kind) {
        (Kind::Bool, Kind::Bool) | (Kind::Int, Kind::Int) => (x, other),
        (Kind::Bool, _) => return Err(checker.mistaken(cx, &other, "true or false", "")),
        _ => (checker.real(cx, x)?, checker.real(cx, other)?),
    };
    let dimension = same_dimension(cx, &x, &other, call.span)?;
    let ([x, other], per) = checker.align(cx, [x, other], call.span)?;
    let ty = Type::new(per, x.ty.kind)
        .of(dimension)
        .or_missing(other.ty.optional);
    Ok(call.call(vec![x, other], ty))
}

fn exists(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let [x] = call.exactly(checker, cx)?;
    let ty = Type::new(x.ty.per, Kind::Bool);
    Ok(call.call(vec![x], ty))
}

fn default_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], _: &[Typed]) -> Maybe<'b> {
    let [x, other] = args else {
        return c.nothing();
    };
    let Some(there) = x.exists() else {
        return *x;
    };
    // Where it is taken it is there.
    let taken = Maybe::new(match x.value {
        Value::Bool { yes, .. } => Value::Bool { yes, no: None },
        value => value,
    });
    c.choose((there, None), taken, *other)
}

fn exists_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], typed: &[Typed]) -> Maybe<'b> {
    let there = args.first().and_then(|x| x.exists());
    let per = typed.first().map(|t| t.ty.per);
    let yes = there.unwrap_or_else(|| per.map_or_else(|| c.truth(true), |p| c.all_of(p, true)));
    Maybe::new(Value::Bool { yes, no: None })
}

/// The argument of a sigmoid, or ln x − ln(1 − x).
fn logit<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], _: &[Typed]) -> Maybe<'b> {
    c.map(args, |x| {
        let made = x.value_id().and_then(|id| {
            c.b.with_program(|p| {
                let node = p.node(id);
                (node.primitive.name() == "sigmoid").then(|| node.args[0])
            })
        });
        made.map_or_else(|| x.ln() - (-x).ln_1p(), |inner| c.b.sym(inner))
    })
}

macro_rules! one {
    ($name:literal, $check:ident, $doc:literal, $text:literal = [$($value:expr),*], $f:expr) => {
        Function {
            name: $name,
            signature: concat!($name, "(x)"),
            doc: $doc,
            example: Example { text: $text, values: &[$($value),*] },
            check: $check,
            compile: Some({
                let f: Compile = |c, args, _| c.map(args, $f);
                f
            }),
        }
    };
}

macro_rules! pair {
    ($name:literal, $signature:literal, $check:ident, $doc:literal, $text:literal = [$($value:expr),*], $f:expr) => {
        Function {
            name: $name,
            signature: $signature,
            doc: $doc,
            example: Example { text: $text, values: &[$($value),*] },
            check: $check,
            compile: Some({
                let f: Compile = |c, args, _| c.zip(args, $f);
                f
            }),
        }
    };
}

/// The functions of numbers.
pub(super) static TABLE: &[Function] = &[
    one!(
        "abs",
        same,
        "|x|. The derivative at 0 is 0.",
        "abs(Muon.eta)" = [0.5, 1.5],
        Real::abs
    ),
    one!(
        "sqrt",
        root,
        "√x; NaN below 0. The derivative at 0 is infinite.",
        "sqrt(MET.pt)" = [8.0, 3.0],
        Real::sqrt
    ),
    one!(
        "exp",
        plain,
        "eˣ.",
        "exp(MET.phi)" = [1.0, std::f64::consts::E],
        Real::exp
    ),
    one!(
        "log",
        plain,
        "The natural logarithm; -inf at 0, NaN below.",
        "log(MET.pt / 64)" = [0.0, -1.961_658_506_023_452_2],
        Real::ln
    ),
    one!(
        "log10",
        plain,
        "The logarithm to base 10; -inf at 0, NaN below.",
        "log10(MET.pt / 0.64)" = [2.0, 1.148_062_535_455_437_7],
        |x| x.ln() * std::f64::consts::LOG10_E
    ),
    one!(
        "sin",
        plain,
        "The sine of an angle in radian (or in the unit given: `sin(30 deg)`).",
        "sin(30 deg) + 0 * MET.pt" = [0.5, 0.5],
        Real::sin
    ),
    one!(
        "cos",
        plain,
        "The cosine of an angle.",
        "cos(60 deg) + 0 * MET.pt" = [0.5, 0.5],
        Real::cos
    ),
    one!(
        "tan",
        plain,
        "The tangent of an angle.",
        "tan(45 deg) + 0 * MET.pt" = [1.0, 1.0],
        Real::tan
    ),
    one!(
        "asin",
        plain,
        "The inverse sine, in radian; NaN outside -1 to 1.",
        "asin(MET.phi)" = [0.0, std::f64::consts::FRAC_PI_2],
        Real::asin
    ),
    one!(
        "acos",
        plain,
        "The inverse cosine, in radian; NaN outside -1 to 1.",
        "acos(MET.phi)" = [std::f64::consts::FRAC_PI_2, 0.0],
        Real::acos
    ),
    one!(
        "atan",
        plain,
        "The inverse tangent, in radian.",
        "atan(MET.phi)" = [0.0, std::f64::consts::FRAC_PI_4],
        Real::atan
    ),
    one!(
        "sinh",
        plain,
        "The hyperbolic sine.",
        "sinh(MET.phi)" = [0.0, 1.175_201_193_643_801_4],
        Real::sinh
    ),
    one!(
        "cosh",
        plain,
        "The hyperbolic cosine.",
        "cosh(MET.phi)" = [1.0, 1.543_080_634_815_243_7],
        Real::cosh
    ),
    one!(
        "tanh",
        plain,
        "The hyperbolic tangent.",
        "tanh(MET.phi)" = [0.0, 0.761_594_155_955_764_9],
        Real::tanh
    ),
    one!(
        "sigmoid",
        plain,
        "The logistic function 1/(1 + e⁻ˣ).",
        "sigmoid(MET.phi)" = [0.5, 0.731_058_578_630_004_9],
        Real::sigmoid
    ),
    Function {
        name: "logit",
        signature: "logit(x)",
        doc: "The inverse of `sigmoid`, log(x/(1 − x)); ∓inf at 0 and 1, NaN outside. Of the output of a network, and whatever else is a `sigmoid`, it is what that was taken of, without a loss of digits where it is saturated.",
        example: Example {
            text: "logit(0.5 + MET.phi / 4)",
            values: &[0.0, 1.098_612_288_668_109_8],
        },
        check: plain,
        compile: Some(logit),
    },
    one!(
        "softplus",
        plain,
        "log(1 + eˣ) without overflow. With the output of a network, `softplus(-logit(nn))` is the cross-entropy of a signal event, `softplus(logit(nn))` that of a background event.",
        "softplus(1000 * MET.phi)" = [std::f64::consts::LN_2, 1000.0],
        Real::softplus
    ),
    one!(
        "floor",
        same,
        "The largest whole number not above x. The derivative is zero.",
        "floor(Muon.eta)" = [0.0, -2.0],
        Real::floor
    ),
    one!(
        "ceil",
        same,
        "The smallest whole number not below x. The derivative is zero.",
        "ceil(Muon.eta)" = [1.0, -1.0],
        Real::ceil
    ),
    one!(
        "round",
        same,
        "The nearest whole number, halves to the even one. The derivative is zero.",
        "round(Muon.eta * 1.2)" = [1.0, -2.0],
        Real::round
    ),
    one!(
        "sign",
        plain,
        "-1, 0 or 1. The derivative is zero.",
        "sign(Muon.eta)" = [1.0, -1.0],
        Real::sign
    ),
    pair!(
        "atan2",
        "atan2(y, x)",
        angle,
        "The angle of the point (x, y), from -π to π.",
        "atan2(MET.phi, MET.phi)" = [0.0, std::f64::consts::FRAC_PI_4],
        Real::atan2
    ),
    pair!(
        "hypot",
        "hypot(x, y)",
        two,
        "√(x² + y²).",
        "hypot(3 * MET.phi, 4 * MET.phi)" = [0.0, 5.0],
        Real::hypot
    ),
    Function {
        name: "default",
        signature: "default(x, other)",
        doc: "x, or `other` where x is missing.",
        example: Example {
            text: "default(leading(Muon).pt, -1)",
            values: &[40.0, -1.0],
        },
        check: default,
        compile: Some(default_value),
    },
    Function {
        name: "exists",
        signature: "exists(x)",
        doc: "Whether x is not missing.",
        example: Example {
            text: "exists(leading(Muon))",
            values: &[1.0, 0.0],
        },
        check: exists,
        compile: Some(exists_value),
    },
];
