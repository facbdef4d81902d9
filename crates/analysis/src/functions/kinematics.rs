//! Four-vectors and angles between objects.

use pullback_ad::Real;
use pullback_array::Sym;

use super::table::{Example, Function, Written};
use crate::compile::{Compiler, Maybe, Value, Vector, both};
use crate::error::Result;
use crate::types::{Checker, Component, Cx, Kind, Per, Type, Typed};
use crate::units::Dimension;

/// A component of an object or a four-vector: the field of that name if it has one.
fn component(checker: &mut Checker<'_>, cx: Cx<'_>, x: &Typed, which: Component) -> Result<Typed> {
    let value = checker.field(cx, x.clone(), which.name(), x.span)?;
    checker.real(cx, value)
}

macro_rules! components {
    ($($check:ident: $component:ident;)*) => {$(
        fn $check(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
            let [x] = call.exactly(checker, cx)?;
            component(checker, cx, &x, Component::$component)
        }
    )*};
}
components! {
    pt: Pt;
    eta: Eta;
    phi: Phi;
    mass: Mass;
    energy: Energy;
    px: Px;
    py: Py;
    pz: Pz;
    rapidity: Rapidity;
}

/// Components of two objects, object by object.
fn of_two<const N: usize>(
    checker: &mut Checker<'_>,
    cx: Cx<'_>,
    call: &Written<'_>,
    which: [Component; N],
    dimension: Dimension,
) -> Result<Typed> {
    let [a, b] = call.exactly(checker, cx)?;
    let ([a, b], per) = checker.align(cx, [a, b], call.span)?;
    let mut args = Vec::new();
    for x in [&a.shared(), &b.shared()] {
        for component_of in which {
            args.push(component(checker, cx, x, component_of)?);
        }
    }
    let ty = Type::new(per, Kind::Real)
        .of(Some(dimension))
        .or_missing(args.iter().any(|x| x.ty.optional));
    Ok(call.call(args, ty))
}

fn delta_r(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    of_two(
        checker,
        cx,
        call,
        [Component::Eta, Component::Phi],
        Dimension::NONE,
    )
}

fn delta_phi(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    of_two(checker, cx, call, [Component::Phi], Dimension::NONE)
}

fn delta_eta(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    of_two(checker, cx, call, [Component::Eta], Dimension::NONE)
}

fn transverse_mass(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    of_two(
        checker,
        cx,
        call,
        [Component::Pt, Component::Phi],
        Dimension::ENERGY,
    )
}

fn transverse(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let [x] = call.exactly(checker, cx)?;
    let x = x.shared();
    let pt = component(checker, cx, &x, Component::Pt)?;
    let phi = component(checker, cx, &x, Component::Phi)?;
    let ty = Type::new(pt.ty.per, Kind::Vector)
        .of(Some(Dimension::ENERGY))
        .or_missing(pt.ty.optional || phi.ty.optional);
    Ok(call.call(vec![pt, phi], ty))
}

fn transverse_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], _: &[Typed]) -> Maybe<'b> {
    let [pt, phi] = args else {
        return c.nothing();
    };
    let (Value::Real(p), Value::Real(phi_of)) = (pt.value, phi.value) else {
        return c.nothing();
    };
    let zero = p * 0.0;
    Maybe {
        value: Value::Vector(Vector::Polar {
            pt: p,
            eta: zero,
            phi: phi_of,
            mass: zero,
        }),
        there: both(pt.there, phi.there),
    }
}

/// Azimuths brought to -π to π: Δφ − 2π·round(Δφ / 2π).
fn wrapped(delta: Sym<'_>) -> Sym<'_> {
    let turn = std::f64::consts::TAU;
    delta - (delta / turn).round() * turn
}

fn distance<'b>(a: [Sym<'b>; 2], b: [Sym<'b>; 2]) -> Sym<'b> {
    let (eta, phi) = (a[0] - b[0], wrapped(a[1] - b[1]));
    (eta * eta + phi * phi).sqrt()
}

fn delta_r_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], _: &[Typed]) -> Maybe<'b> {
    c.numbers(args, |[eta, phi, eta2, phi2]| {
        distance([eta, phi], [eta2, phi2])
    })
}

/// m_T² = 2 p_T p_T′ (1 − cos Δφ), the masses neglected.
fn transverse_mass_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], _: &[Typed]) -> Maybe<'b> {
    c.numbers(args, |[pt, phi, pt2, phi2]| {
        (pt * pt2 * 2.0 * (-(phi - phi2).cos() + 1.0)).sqrt()
    })
}

/// An object, a collection, and for `near` a distance. In a condition on objects the first may be left out.
fn around(
    checker: &mut Checker<'_>,
    cx: Cx<'_>,
    call: &Written<'_>,
    distances: usize,
) -> Result<(Vec<Typed>, Per)> {
    call.count(cx, 1 + distances..=2 + distances)?;
    let mut args = Vec::new();
    for arg in call.args {
        args.push(checker.expr(cx, arg)?);
    }
    if args.len() == 1 + distances {
        let Some(it) = cx.it else {
            return Err(call.wrong(cx, "near what? there is no object at hand here".into()));
        };
        args.insert(0, checker.whole(it, call.span));
    }
    let radius = if distances == 1 { args.pop() } else { None };
    let (Some(others), Some(x)) = (args.pop(), args.pop()) else {
        return Err(call.wrong(cx, "an object and a collection".into()));
    };
    let x = x.shared();
    let of = checker.whole_of(cx, &others)?;
    if let Per::Object(own) = x.ty.per
        && (checker.descends(own, of) || checker.descends(of, own))
        && matches!(x.ty.kind, Kind::Object(id) if id == own)
    {
        return Err(crate::Error::Meaning {
            place: cx.place(call.span),
            message: format!("each object of `{}` is near itself", checker.name_of(own)),
            help: "make pairs of them: `pairs(jets) where delta_r(a, b) < 0.4`".into(),
        });
    }
    let mut out = Vec::new();
    for object in [&x, &others] {
        for which in [Component::Eta, Component::Phi] {
            out.push(component(checker, cx, object, which)?);
        }
    }
    let mut per = x.ty.per;
    if let Some(radius) = radius {
        let radius = checker.real(cx, radius)?;
        let ([eta, phi, radius], common) = {
            let mut own = out.drain(..2);
            let (Some(eta), Some(phi)) = (own.next(), own.next()) else {
                return Err(call.wrong(cx, "an object".into()));
            };
            drop(own);
            checker.align(cx, [eta, phi, radius], call.span)?
        };
        per = common;
        out.splice(..0, [eta, phi]);
        out.push(radius);
    }
    Ok((out, per))
}

fn near(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let (args, per) = around(checker, cx, call, 1)?;
    let per = if per == Per::Constant {
        Per::Event
    } else {
        per
    };
    let optional = args
        .iter()
        .take(2)
        .chain(args.get(4))
        .any(|x| x.ty.optional);
    Ok(call.call(args, Type::new(per, Kind::Bool).or_missing(optional)))
}

fn min_delta_r(checker: &mut Checker<'_>, cx: Cx<'_>, call: &Written<'_>) -> Result<Typed> {
    let (args, per) = around(checker, cx, call, 0)?;
    let per = if per == Per::Constant {
        Per::Event
    } else {
        per
    };
    let ty = Type::new(per, Kind::Real)
        .of(Some(Dimension::NONE))
        .or_missing(true);
    Ok(call.call(args, ty))
}

fn near_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], typed: &[Typed]) -> Maybe<'b> {
    let (Some(parts), Some(radius)) = (c.around_each(args, typed), args.get(4)) else {
        return c.nothing();
    };
    let Value::Real(r) = radius.value else {
        return c.nothing();
    };
    let mut yes: Option<Sym<'b>> = None;
    let mut there = radius.there;
    for part in parts {
        let mut found = distance(part.own, part.others).lt(r);
        if let Some(there) = part.others_there {
            found = found & there;
        }
        let any = c.spread(found, part.level.space).any(part.level.id);
        yes = Some(yes.map_or(any, |yes| yes | any));
        there = both(there, part.own_there);
    }
    yes.map_or_else(|| c.nothing(), |yes| Maybe::decided(yes, there))
}

fn min_delta_r_value<'b>(c: &Compiler<'b>, args: &[Maybe<'b>], typed: &[Typed]) -> Maybe<'b> {
    let Some(pairs) = c.around(args, typed) else {
        return c.nothing();
    };
    let level = pairs.level;
    let distance = c.spread(distance(pairs.own, pairs.others), level.space);
    let (distance, any) = match pairs.others_there {
        Some(there) => {
            let there = c.spread(there, level.space);
            (
                there.select(distance, c.real(f64::INFINITY)),
                there.any(level.id),
            )
        }
        None => (distance, c.any_of(level)),
    };
    Maybe {
        value: Value::Real(distance.min_over(level.id)),
        there: both(pairs.own_there, Some(any)),
    }
}

macro_rules! component_entry {
    ($name:literal, $check:ident, $doc:literal, $text:literal = [$($value:expr),*]) => {
        Function {
            name: $name,
            signature: concat!($name, "(x)"),
            doc: $doc,
            example: Example { text: $text, values: &[$($value),*] },
            check: $check,
            compile: None,
        }
    };
}

/// Four-vectors and angles.
pub(super) static TABLE: &[Function] = &[
    component_entry!(
        "pt",
        pt,
        "Transverse momentum of an object or a four-vector.",
        "pt(Muon)" = [40.0, 30.0]
    ),
    component_entry!(
        "eta",
        eta,
        "Pseudorapidity, asinh(p_z / p_T); ±inf along the beam.",
        "eta(Muon)" = [0.5, -1.5]
    ),
    component_entry!(
        "phi",
        phi,
        "Azimuth, from -π to π.",
        "phi(Muon)" = [0.0, 3.0]
    ),
    component_entry!(
        "mass",
        mass,
        "Mass: √(E² − p²) of a sum, 0 where rounding makes that negative (and its derivative 0). Of one object: its mass.",
        "mass(sum(Muon))" = [106.795_593_934_423_9, 0.0]
    ),
    component_entry!(
        "energy",
        energy,
        "Energy.",
        "energy(Muon)" = [45.105_163_161_795_52, 70.572_368_063_57]
    ),
    component_entry!(
        "px",
        px,
        "First component of the momentum.",
        "px(Muon)" = [40.0, -29.699_774_898_013_363]
    ),
    component_entry!(
        "py",
        py,
        "Second component of the momentum.",
        "py(Muon)" = [0.0, 4.233_600_241_796_016]
    ),
    component_entry!(
        "pz",
        pz,
        "Third component of the momentum, along the beam.",
        "pz(Muon)" = [20.843_812_219_749_896, -63.878_383_652_844_52]
    ),
    component_entry!(
        "rapidity",
        rapidity,
        "Rapidity, atanh(p_z / E).",
        "rapidity(Muon)" = [0.499_998_377_399_069_2, -1.499_994_349_901_912_2]
    ),
    Function {
        name: "delta_r",
        signature: "delta_r(a, b)",
        doc: "√(Δη² + Δφ²), with Δφ from -π to π.",
        example: Example {
            text: "delta_r(leading(Muon), leading(Muon, 2))",
            values: &[3.605_551_275_463_989, f64::NAN],
        },
        check: delta_r,
        compile: Some(delta_r_value),
    },
    Function {
        name: "delta_phi",
        signature: "delta_phi(a, b)",
        doc: "Difference of azimuths, brought to -π to π by whole turns. The derivative does not see the jump.",
        example: Example {
            text: "delta_phi(Jet, leading(Jet))",
            values: &[-2.8, 0.0, -1.1, 0.0],
        },
        check: delta_phi,
        compile: Some(|c, args, _| c.zip(args, |a, b| wrapped(a - b))),
    },
    Function {
        name: "delta_eta",
        signature: "delta_eta(a, b)",
        doc: "Difference of pseudorapidities.",
        example: Example {
            text: "delta_eta(Jet, leading(Jet))",
            values: &[1.0, 0.0, 2.0, 0.0],
        },
        check: delta_eta,
        compile: Some(|c, args, _| c.zip(args, |a, b| a - b)),
    },
    Function {
        name: "transverse_mass",
        signature: "transverse_mass(a, b)",
        doc: "√(2 p_T p_T′ (1 − cos Δφ)): that of two objects without mass. The derivative is infinite where it is 0.",
        example: Example {
            text: "transverse_mass(leading(Jet), MET)",
            values: &[159.599_197_856_648_71, 45.158_071_754_979_574],
        },
        check: transverse_mass,
        compile: Some(transverse_mass_value),
    },
    Function {
        name: "transverse",
        signature: "transverse(x)",
        doc: "What lies across the beam of an object that has p_T and φ, as the missing momentum: a four-vector at η = 0 without mass. What is done to jets goes to it by `pt(transverse(MET) - (sum(shifted) - sum(Jet)))`.",
        example: Example {
            text: "pt(transverse(MET) - sum(Jet))",
            values: &[127.896_720_989_621_16, 84.144_230_013_874_9],
        },
        check: transverse,
        compile: Some(transverse_value),
    },
    Function {
        name: "near",
        signature: "near(collection, r) or near(x, collection, r)",
        doc: "Whether an object of the collection is closer than r in ΔR; false if there is none. In a condition on objects, x is the object at hand.",
        example: Example {
            text: "count(Jet where not near(Muon, 0.4))",
            values: &[2.0, 1.0],
        },
        check: near,
        compile: Some(near_value),
    },
    Function {
        name: "min_delta_r",
        signature: "min_delta_r(collection) or min_delta_r(x, collection)",
        doc: "The smallest ΔR to an object of the collection; missing if there is none. In a condition on objects, x is the object at hand.",
        example: Example {
            text: "min_delta_r(Muon, Jet)",
            values: &[0.223_606_797_749_979, 1.1],
        },
        check: min_delta_r,
        compile: Some(min_delta_r_value),
    },
];
