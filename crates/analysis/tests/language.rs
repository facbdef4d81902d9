//! What expressions mean: levels, missing values, collections, and what is refused.

mod support;

use std::collections::HashMap;

use pullback_analysis::{Analysis, Error, Histogram, Kind, Object, Per, What};
use support::{close, two_events};

const MISSING: f64 = f64::NAN;

/// Values of expressions on the two events of the documentation.
#[test]
fn values() {
    let data = two_events();
    let table: &[(&str, &[f64])] = &[
        // Levels: constants and events repeat along objects.
        ("Muon.pt + MET.pt", &[104.0, 94.0]),
        ("2 * MET.pt - 1", &[127.0, 17.0]),
        ("sum(Jet.pt) / count(Jet)", &[170.0 / 3.0, 80.0]),
        ("Jet.pt / sum(Jet.pt) * 170", &[50.0, 100.0, 20.0, 170.0]),
        // Arithmetic.
        ("7 % 3 + 0 * MET.pt", &[1.0, 1.0]),
        ("-7 % 3 + 0 * MET.pt", &[2.0, 2.0]),
        ("event % 2", &[1.0, 0.0]),
        ("2 ** 3 ** 2 + 0 * MET.pt", &[512.0, 512.0]),
        ("-2 ** 2 + 0 * MET.pt", &[-4.0, -4.0]),
        ("MET.pt ** 0.5", &[8.0, 3.0]),
        ("2 ** MET.phi", &[1.0, 2.0]),
        ("7 / 2 + 0 * MET.pt", &[3.5, 3.5]),
        // Units.
        ("MET.pt / 1 MeV", &[64000.0, 9000.0]),
        ("sqrt(MET.pt * 4 GeV**3 / 1 GeV**2)", &[16.0, 6.0]),
        ("180 deg / pi + 0 * MET.phi", &[1.0, 1.0]),
        // Conditions.
        ("MET.pt > 10", &[1.0, 0.0]),
        ("5 < MET.pt < 10", &[0.0, 1.0]),
        ("MET.pt in [9, 64]", &[1.0, 1.0]),
        ("MET.pt in (9, 64]", &[1.0, 0.0]),
        ("MET.pt in [9, 64)", &[0.0, 1.0]),
        ("MET.pt not in (9, 64)", &[1.0, 1.0]),
        ("Muon.charge in {-1, 3}", &[0.0, 1.0]),
        ("Muon.charge not in {-1, 3}", &[1.0, 0.0]),
        ("not HLT_IsoMu24 or MET.pt < 10", &[0.0, 1.0]),
        ("HLT.IsoMu24 and true", &[1.0, 0.0]),
        ("1 if HLT_IsoMu24 else 2", &[1.0, 2.0]),
        (
            "Jet.pt if Jet.pt > 40 else -MET.pt",
            &[50.0, 100.0, -64.0, 80.0],
        ),
        ("Muon.charge == Muon.charge", &[1.0, 1.0]),
        // Objects.
        ("(Jet where pt > 30).pt", &[50.0, 100.0, 80.0]),
        ("Jet.pt where btag > 0.15", &[50.0, 20.0, 80.0]),
        // In a condition the names of fields are those of the objects at hand; what reduces them runs over all of them.
        ("Jet.pt where pt > 0.4 * max(pt)", &[50.0, 100.0, 80.0]),
        ("Jet.pt where MET.pt > 10", &[50.0, 100.0, 20.0]),
        ("sorted(Jet, -pt).btag", &[0.1, 0.9, 0.3, 0.2]),
        ("sorted(Jet where pt > 30, pt).pt", &[50.0, 100.0, 80.0]),
        ("take(sorted(Jet, -pt), 2).pt", &[100.0, 50.0, 80.0]),
        ("sorted(take(Jet, 2), -pt).pt", &[100.0, 50.0, 80.0]),
        ("Jet[1].pt", &[100.0, MISSING]),
        ("Jet.pt[2]", &[20.0, MISSING]),
        ("Jet[count(Muon)].pt", &[20.0, 80.0]),
        ("Jet.btag[argmax(Jet.pt)]", &[0.1, 0.2]),
        ("leading(Jet where btag > 0.15).pt", &[50.0, 80.0]),
        ("leading(Jet, 3).pt", &[20.0, MISSING]),
        ("Muon.jet.pt", &[50.0, MISSING]),
        ("count(Muon.jet)", &[1.0, 0.0]),
        ("(Muon where charge > 0).jet.btag", &[0.9]),
        ("Muon_pt", &[40.0, 30.0]),
        ("count(LHEWeight > 0.7)", &[2.0, 0.0]),
        ("LHEWeight[2]", &[2.0, MISSING]),
        // A value of all objects fits to those of a part of them.
        ("(Jet where pt > 30).pt + Jet.btag", &[50.9, 100.1, 80.2]),
        (
            "sorted(Jet, -pt).pt + 100 * Jet.pt",
            &[10100.0, 5050.0, 2020.0, 8080.0],
        ),
        // Combinations.
        ("pairs(Jet).a.pt", &[50.0, 50.0, 100.0]),
        ("pairs(Jet).b.pt", &[100.0, 20.0, 20.0]),
        ("(pairs(Jet) where a.pt > 60).b.pt", &[20.0]),
        (
            "combine(Muon, Jet).b.pt",
            &[50.0, 100.0, 20.0, 50.0, 100.0, 20.0],
        ),
        (
            "combine(Muon, Muon, Jet).b.pt + 0 * combine(Muon, Muon, Jet).a.pt",
            &[30.0, 30.0, 30.0],
        ),
        ("combine(Jet, Muon, Muon).c.pt", &[30.0, 30.0, 30.0]),
        ("argmax(pairs(Jet).b.pt).a.pt", &[50.0, MISSING]),
        // Unions.
        (
            "union(Muon, Jet).pt",
            &[40.0, 30.0, 50.0, 100.0, 20.0, 80.0],
        ),
        ("union(Muon, Jet).source", &[0.0, 0.0, 1.0, 1.0, 1.0, 1.0]),
        (
            "union(Jet, Muon, Jet).eta",
            &[0.6, -0.4, 1.6, 0.5, -1.5, 0.6, -0.4, 1.6, 1.0, 1.0],
        ),
        (
            "leading(union(Muon, Jet) where source == 0).pt",
            &[40.0, MISSING],
        ),
        // The same object.
        ("(Jet where it != leading(Jet)).pt", &[50.0, 20.0]),
        ("(Jet where it == leading(Jet)).pt", &[100.0, 80.0]),
        // Four-vectors.
        ("(2 * leading(Jet)).pt", &[200.0, 160.0]),
        ("mass(Jet)", &[5.0, 8.0, 3.0, 6.0]),
        ("mass(leading(Jet) - leading(Jet))", &[0.0, 0.0]),
        (
            "(Muon[0] + Muon[1]).mass",
            &[106.795_593_934_423_9, MISSING],
        ),
        // Distances.
        ("near(leading(Jet), Jet, 0.1)", &[1.0, 1.0]),
        ("near(Jet, Muon, 0.3)", &[1.0, 0.0, 0.0, 0.0]),
        ("(Jet where near(Muon, 0.3)).pt", &[50.0]),
        (
            "min_delta_r(Jet, Muon)",
            &[0.223_606_797_749_979, 1.1, 2.195_449_840_010_015, MISSING],
        ),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in table {
        let found = data.value(text);
        if !close(&found, expected, 1e-12) {
            wrong.push(format!("{text} is {found:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A value that is missing makes what is computed from it missing; a missing condition is neither true nor false; what decides asks whether it is true.
#[test]
fn missing_values() {
    let data = two_events();
    let table: &[(&str, &[f64])] = &[
        ("leading(Muon).pt + 1", &[41.0, MISSING]),
        // The second event has no muon: neither the cut nor its opposite is passed.
        ("leading(Muon).pt > 25", &[1.0, 0.0]),
        ("not leading(Muon).pt > 25", &[0.0, 0.0]),
        ("leading(Muon).pt != 25", &[1.0, 0.0]),
        ("exists(leading(Muon).pt > 25)", &[1.0, 0.0]),
        ("exists(not leading(Muon).pt > 25)", &[1.0, 0.0]),
        // What the other side decides is decided.
        ("leading(Muon).pt > 25 or MET.pt < 10", &[1.0, 1.0]),
        ("exists(leading(Muon).pt > 25 or MET.pt < 10)", &[1.0, 1.0]),
        ("exists(leading(Muon).pt > 25 or MET.pt < 5)", &[1.0, 0.0]),
        ("exists(leading(Muon).pt > 25 and MET.pt > 10)", &[1.0, 1.0]),
        ("exists(leading(Muon).pt > 25 and MET.pt > 5)", &[1.0, 0.0]),
        ("not (leading(Muon).pt > 25 and MET.pt > 10)", &[0.0, 1.0]),
        // A choice by something missing is missing.
        ("1 if leading(Muon).pt > 25 else 2", &[1.0, MISSING]),
        ("default(1 if leading(Muon).pt > 25 else 2, 3)", &[1.0, 3.0]),
        (
            "leading(Muon).pt if exists(leading(Muon)) else 0",
            &[40.0, 0.0],
        ),
        // Reductions leave it out.
        ("sum(Muon.jet.pt)", &[50.0, 0.0]),
        ("mean(Muon.jet.pt)", &[50.0, MISSING]),
        ("max(Muon.jet.pt)", &[50.0, MISSING]),
        ("min(-Muon.jet.pt)", &[-50.0, MISSING]),
        ("argmin(Muon.jet.pt).pt", &[40.0, MISSING]),
        ("count(Muon.jet.pt > 30)", &[1.0, 0.0]),
        ("any(Muon.jet.pt > 30)", &[1.0, 0.0]),
        ("all(Muon.jet.pt > 30)", &[0.0, 1.0]),
        ("not all(Muon.jet.pt > 30)", &[0.0, 0.0]),
        ("not all(Muon.jet.pt > 60)", &[1.0, 0.0]),
        ("(Muon where jet.pt > 30).pt", &[40.0]),
        ("(Muon where not jet.pt > 30).pt", &[]),
        ("sorted(Muon, jet.pt).pt", &[40.0, 30.0]),
        ("max(Muon.jet.pt, 1)", &[50.0, MISSING]),
        // `where` on a value per event.
        ("MET.pt where HLT_IsoMu24", &[64.0, MISSING]),
        ("(leading(Jet) where HLT_IsoMu24).pt", &[100.0, MISSING]),
        ("near(leading(Muon), Jet, 0.3)", &[1.0, 0.0]),
        ("exists(near(leading(Muon), Jet, 0.3))", &[1.0, 0.0]),
        ("transverse_mass(leading(Muon), MET) < 1", &[1.0, 0.0]),
        ("default(leading(Muon).pt, MET.pt)", &[40.0, 9.0]),
        ("default(leading(Muon).charge, 0) == 0", &[0.0, 1.0]),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in table {
        let found = data.value(text);
        if !close(&found, expected, 1e-12) {
            wrong.push(format!("{text} is {found:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_cut_on_something_missing_is_not_passed() {
    let data = two_events();
    for (cut, expected) in [
        ("leading(Muon).pt > 25", [1, 0]),
        ("not leading(Muon).pt > 50", [1, 0]),
        ("Muon[1].charge < 0", [1, 0]),
        ("count(Muon) >= 0", [1, 1]),
    ] {
        let analysis = Analysis::new().region("SR", [cut]);
        let model = analysis.check(&data.schema()).unwrap();
        let (_, ws) = data.run(&model.compile(&["SR"]).unwrap(), &HashMap::new());
        assert_eq!(ws.bool(0), expected, "{cut}");
    }
}

/// The example of the language as a whole.
fn example() -> Analysis {
    Analysis::new()
        .region(
            "SR",
            [
                "count(mu) >= 2",
                "any(abs(m_ll - 91.2 GeV) < 20)",
                "MET.pt > 50",
            ],
        )
        .column("mt", "transverse_mass(leading(mu), MET)")
        .column("ht", "sum(jets.pt where jets.pt > 30)")
        .column("z_pt", "(z.a + z.b).pt")
        .column("z_m", "z.m_ll")
        .column("z", "argmin(abs(m_ll - 91.2 GeV))")
        .column("m_ll", "mass(ll.a + ll.b)")
        .object(
            "ll",
            Object::combine("mu as a, mu as b").filter("a.charge != b.charge"),
        )
        .object(
            "jets",
            Object::from("Jet").filter("pt > 30 and abs(eta) < 2.5 and not near(mu, 0.4)"),
        )
        .object(
            "mu",
            Object::from("Muon")
                .filter("pt > 25 GeV and abs(eta) < 2.4")
                .sort("-pt"),
        )
        .parameter("threshold", "25 GeV")
        .histogram(
            "h",
            Histogram::uniform("m_ll", 4, 80.0, 120.0)
                .region("SR")
                .weight("2"),
        )
}

/// A calibrated momentum goes wherever a momentum goes; what was there before can be asked of the collection it was made of.
#[test]
fn fields_can_be_replaced() {
    let data = two_events();
    let jets = |text: &str| {
        let analysis = Analysis::new()
            .parameter("jes", "1.3")
            .object(
                "jets",
                Object::from("Jet")
                    .field("pt", "pt * jes")
                    .field("mass", "mass * jes")
                    .field("central", "abs(eta) < 0.5")
                    .field("one", "1")
                    .filter("pt > 60")
                    .sort("-pt"),
            )
            .column("value", text);
        data.evaluate(&analysis, "value")
    };
    for (text, expected) in [
        ("jets.pt", &[130.0, 65.0, 104.0] as &[f64]),
        ("jets.eta", &[-0.4, 0.6, 1.0]),
        ("jets.pt - Jet.pt", &[30.0, 15.0, 24.0]),
        ("jets.central", &[1.0, 0.0, 0.0]),
        ("sum(jets.one)", &[2.0, 1.0]),
        ("leading(jets).mass", &[8.0 * 1.3, 6.0 * 1.3]),
        ("(1.3 * Jet[1] - leading(jets)).energy", &[0.0, MISSING]),
        ("(Muon where near(jets, 0.4)).pt", &[40.0]),
        ("Muon.jet.pt", &[50.0, MISSING]),
        ("(jets where it == leading(jets)).pt", &[130.0, 104.0]),
        (
            "union(jets, Jet).pt",
            &[130.0, 65.0, 50.0, 100.0, 20.0, 104.0, 80.0],
        ),
    ] {
        let found = jets(text);
        assert!(
            close(&found, expected, 1e-12),
            "{text} is {found:?}, not {expected:?}"
        );
    }
    let massless = Analysis::new()
        .object("x", Object::from("LHEWeight").field("pt", "it.pt"))
        .check(&data.schema());
    assert_eq!(massless.map(|_| ()).unwrap_err().code(), "PB0806");
    for (field, value, code) in [
        ("2x", "1", "PB0810"),
        ("p4", "2 * it", "PB0806"),
        ("pt", "Muon.pt", "PB0807"),
    ] {
        let analysis = Analysis::new().object("x", Object::from("Jet").field(field, value));
        let error = analysis.check(&data.schema()).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
}

#[test]
fn definitions_stand_in_any_order() {
    let data = two_events();
    let model = example().check(&data.schema()).unwrap();
    let names = ["SR", "mt", "ht", "z_pt", "z_m", "m_ll", "h"];
    let compiled = model.compile(&names).unwrap();
    let (_, ws) = data.run(&compiled, &HashMap::new());
    let at = |of: &str, what| compiled.output(of, what).unwrap();
    assert_eq!(ws.bool(at("SR", What::Events)), [1, 0]);
    let mt = ws.f64(at("mt", What::Values));
    assert!(close(mt, &[0.0, MISSING], 1e-12), "{mt:?}");
    assert_eq!(ws.bool(at("mt", What::There)), [1, 0]);
    assert_eq!(ws.f64(at("ht", What::Values)), [100.0, 80.0]);
    let m = 106.795_593_934_423_9;
    assert!(close(ws.f64(at("m_ll", What::Values)), &[m], 1e-12));
    assert_eq!(ws.i64(at("m_ll", What::Counts)), [1, 0]);
    assert!(close(ws.f64(at("z_m", What::Values)), &[m, MISSING], 1e-12));
    assert_eq!(ws.f64(at("h", What::Bins)), [0.0, 0.0, 2.0, 0.0]);
    assert_eq!(ws.f64(at("h", What::Squares)), [0.0, 0.0, 4.0, 0.0]);
    // Only what is used is an input: neither the trigger nor the b-tag.
    let inputs: Vec<&str> = compiled
        .inputs
        .iter()
        .map(pullback_analysis::Input::name)
        .collect();
    assert!(
        inputs.contains(&"Muon_charge") && inputs.contains(&"Muon.offsets"),
        "{inputs:?}"
    );
    assert!(
        !inputs.contains(&"Jet_btag") && !inputs.contains(&"threshold"),
        "{inputs:?}"
    );
}

#[test]
fn types_say_what_there_is_one_of() {
    let data = two_events();
    let model = example().check(&data.schema()).unwrap();
    let m_ll = model.ty("m_ll").unwrap();
    let Per::Object(pairs) = m_ll.per else {
        panic!("{m_ll:?}")
    };
    assert_eq!(model.collection_name(pairs), "ll");
    assert_eq!(m_ll.dimension.unwrap().to_string(), "GeV");
    let z = model.ty("z").unwrap();
    assert_eq!(
        (z.per, z.kind, z.optional),
        (Per::Event, Kind::Object(pairs), true)
    );
    assert_eq!(model.start("threshold"), Some(25.0));
}

#[test]
fn mistakes_are_named_with_their_place() {
    let data = two_events();
    for (text, at, code, words) in [
        (
            "Muon.pt + Jet.pt",
            1,
            "PB0807",
            "`Muon.pt` (per object of `Muon`) and `Jet.pt` (per object of `Jet`) cannot be combined",
        ),
        (
            "Muon.pt[Jet[0]]",
            9,
            "PB0806",
            "expected a whole number per event, or an object of `Muon`, found an object of `Jet` per event",
        ),
        (
            "(Jet where pt > 30).pt + (Jet where pt > 40).pt",
            1,
            "PB0807",
            "cannot be combined element by element",
        ),
        (
            "(Jet where Muon.pt > 3).pt",
            12,
            "PB0807",
            "`Muon.pt > 3` (per object of `Muon`)",
        ),
        (
            "Muon.Pt",
            6,
            "PB0804",
            "no field of `Muon` `Pt`; did you mean `pt`",
        ),
        (
            "Moun.pt",
            1,
            "PB0804",
            "no name `Moun`; did you mean `Muon`?",
        ),
        (
            "sun(Jet.pt)",
            1,
            "PB0804",
            "no function `sun`; did you mean `sin` or `sum`?",
        ),
        (
            "MET.pt + 3 mm",
            1,
            "PB0808",
            "`MET.pt` (GeV) and `3 mm` (mm) do not have the same unit",
        ),
        (
            "MET.pt > 30 deg",
            1,
            "PB0808",
            "(GeV) and `30 deg` (no unit)",
        ),
        (
            "Muon.eta < 2.4 GeV",
            1,
            "PB0808",
            "do not have the same unit",
        ),
        (
            "MET.pt * MET.pt > 3 GeV",
            1,
            "PB0808",
            "(GeV**2) and `3 GeV` (GeV)",
        ),
        (
            "default(MET.pt, 3 ns)",
            1,
            "PB0808",
            "do not have the same unit",
        ),
        (
            "MET.pt and true",
            1,
            "PB0806",
            "expected true or false, found a number per event",
        ),
        ("count(Muon)", 0, "", ""),
        (
            "Muon > 3",
            1,
            "PB0806",
            "expected a number, found the collection `Muon`",
        ),
        (
            "sum(MET.pt)",
            5,
            "PB0806",
            "expected a value per object, found a number per event",
        ),
        (
            "sum(Muon.pt, 3)",
            1,
            "PB0805",
            "`sum` takes 1 argument, not 2",
        ),
        (
            "count(Jet.pt)",
            7,
            "PB0806",
            "expected objects, or true or false",
        ),
        ("near(Muon, 0.4)", 1, "PB0805", "near what?"),
        (
            "count(Jet where near(Jet, 0.4))",
            17,
            "PB0811",
            "each object of `Jet` is near itself",
        ),
        ("it.pt", 1, "PB0811", "`it` is the object at hand"),
        ("Jet[-1].pt", 5, "PB0811", "numbered from 0"),
        (
            "Muon[0.5].pt",
            6,
            "PB0806",
            "expected a whole number per event",
        ),
        ("MET.eta", 5, "PB0804", "no field of `MET` `eta`"),
        ("mass(MET)", 6, "PB0804", "no field of `MET` `mass`"),
        (
            "MET + MET",
            1,
            "PB0806",
            "expected an object with a four-vector",
        ),
        (
            "pairs(Jet) + pairs(Jet)",
            1,
            "PB0806",
            "expected an object with a four-vector",
        ),
        (
            "leading(Jet.pt)",
            9,
            "PB0806",
            "expected a collection, found a number",
        ),
        (
            "leading(Jet, 0)",
            14,
            "PB0806",
            "expected a whole number from 1 on",
        ),
        ("Muon.pt == Muon", 12, "PB0806", "expected a number"),
        (
            "Muon[0] == Jet[0]",
            1,
            "PB0811",
            "objects of `Muon` and `Jet` are not compared",
        ),
        (
            "MET == MET",
            1,
            "PB0811",
            "objects of `MET` and `MET` are not compared",
        ),
        ("not MET.pt", 5, "PB0806", "expected true or false"),
        (
            "(MET.pt > 3) > 2",
            1,
            "PB0806",
            "expected a number to compare",
        ),
        ("1 if MET.pt else 2", 6, "PB0806", "expected true or false"),
        (
            "true if true else 2",
            19,
            "PB0806",
            "expected true or false",
        ),
        (
            "MET.pt.pt",
            1,
            "PB0806",
            "expected an object or a four-vector",
        ),
        ("leading(Muon)", 1, "PB0811", "`value` is no number"),
        (
            "value + 1",
            1,
            "PB0809",
            "the definition of `value` needs itself: `value`",
        ),
        (
            "combine(Muon, Jet, Muon).a.pt",
            1,
            "PB0811",
            "stands apart from the others of its collection",
        ),
        ("abs", 1, "PB0804", "no name `abs`"),
    ] {
        if code.is_empty() {
            assert_eq!(data.value(text), [2.0, 0.0]);
            continue;
        }
        let error = data.error(text);
        assert_eq!(error.code(), code, "{text}: {error}");
        assert!(error.to_string().contains(words), "{text}: {error}");
        let place = error.place().unwrap();
        assert_eq!(place.source.position(place.span).1, at, "{text}: {error}");
    }
}

#[test]
fn definitions_that_make_no_sense_are_refused() {
    let data = two_events();
    let check = |analysis: Analysis| analysis.check(&data.schema()).map(|_| ()).unwrap_err();
    let cases = [
        (
            Analysis::new().column("Muon", "1"),
            "PB0810",
            "the data have something of that name",
        ),
        (
            Analysis::new().column("where", "1"),
            "PB0810",
            "has a meaning of its own",
        ),
        (
            Analysis::new().column("it", "1"),
            "PB0810",
            "has a meaning of its own",
        ),
        (
            Analysis::new().column("2x", "1"),
            "PB0810",
            "do not begin with a digit",
        ),
        (
            Analysis::new().column("x", "1").column("x", "2"),
            "PB0810",
            "defined twice",
        ),
        (
            Analysis::new().column("a", "b + 1").column("b", "a + 1"),
            "PB0809",
            "`a`, `b`",
        ),
        (
            Analysis::new()
                .object("j", Object::from("Jet").filter("near(m, 1)"))
                .object("m", Object::from("Muon").filter("near(j, 1)")),
            "PB0809",
            "`j`, `m`",
        ),
        (
            Analysis::new().region("SR", ["Muon.pt > 3"]),
            "PB0806",
            "expected true or false per event",
        ),
        (
            Analysis::new().region("SR", ["MET.pt"]),
            "PB0806",
            "expected true or false",
        ),
        (
            Analysis::new().object("x", Object::from("MET.pt")),
            "PB0806",
            "expected a collection",
        ),
        (
            Analysis::new().object("x", Object::from("MET")),
            "PB0806",
            "expected a collection",
        ),
        (
            Analysis::new().object("x", Object::combine("Muon as a")),
            "PB0811",
            "a combination of 1 collections",
        ),
        (
            Analysis::new().object("x", Object::combine("Muon as a, Jet as a")),
            "PB0811",
            "two members are called `a`",
        ),
        (
            Analysis::new().object("x", Object::combine("Muon, Jet where pt > 3")),
            "PB0811",
            "needs a name",
        ),
        (
            Analysis::new().object("x", Object::union("Muon as a, Jet")),
            "PB0811",
            "has no name",
        ),
        (
            Analysis::new().parameter("x", "MET.pt"),
            "PB0811",
            "the start of a parameter is a number",
        ),
        (
            Analysis::new().histogram("h", Histogram::new("MET.pt", [1.0, 0.0])),
            "PB0811",
            "do not rise",
        ),
        (
            Analysis::new().histogram("h", Histogram::new("MET.pt", [0.0, 1.0]).region("SR")),
            "PB0804",
            "no region `SR`",
        ),
        (
            Analysis::new().histogram("h", Histogram::new("MET.pt", [0.0, 1.0]).weight("Jet.pt")),
            "PB0806",
            "a weight per event",
        ),
    ];
    for (analysis, code, words) in cases {
        let error = check(analysis.clone());
        assert_eq!(error.code(), code, "{analysis:?}: {error}");
        assert!(error.to_string().contains(words), "{analysis:?}: {error}");
    }
}

#[test]
fn errors_inside_a_definition_have_the_key_of_that_definition() {
    let data = two_events();
    let analysis = Analysis::new()
        .column("x", "count(mu)")
        .object("mu", Object::from("Muon").filter("pT > 25"));
    let error = analysis.check(&data.schema()).unwrap_err();
    assert!(matches!(error, Error::Unknown { .. }));
    assert_eq!(
        error.to_string(),
        "there is no name `pT`; did you mean `pt`? (objects.mu.where, line 1, column 1)"
    );
}

/// What stands in several places of a program is recorded once: texts of this kind would else take ages.
#[test]
fn nested_expressions_do_not_multiply() {
    let data = two_events();
    let nest = |start: &str, wrap: &dyn Fn(&str) -> String| {
        (0..36).fold(start.to_owned(), |text, _| wrap(&text))
    };
    let set = nest("MET.pt", &|x| format!("(1 if {x} in {{1, 64}} else 2)"));
    let range = nest("MET.pt", &|x| format!("(1 if {x} in [1, 64] else 2)"));
    let chain = nest("MET.pt", &|x| format!("(1 if 0 < {x} < 3 else 2)"));
    let index = nest("0", &|x| format!("count(Jet.pt > Jet[{x}].pt)"));
    let object = nest("leading(Jet)", &|x| {
        format!("(leading(Jet) where delta_r({x}, leading(Jet)) < 1)")
    });
    let near = nest("leading(Jet)", &|x| {
        format!("(leading(Jet) where near({x}, Jet, 1))")
    });
    let vector = nest("leading(Jet)", &|x| {
        format!("(leading(Jet) where (leading(Jet) + {x}).pt > 1)")
    });
    assert_eq!(data.value(&set), [1.0, 2.0]);
    assert_eq!(data.value(&range), [1.0, 1.0]);
    assert_eq!(data.value(&chain), [1.0, 1.0]);
    assert_eq!(data.value(&format!("{index} >= 0")), [1.0, 1.0]);
    for object in [object, near, vector] {
        assert_eq!(data.value(&format!("({object}).pt")), [100.0, 80.0]);
    }
}

#[test]
fn a_cut_of_two_regions_has_both_names() {
    let data = two_events();
    let analysis = Analysis::new()
        .region("SR", ["MET.pt > 50", "count(Muon) >= 2"])
        .region("CR", ["MET.pt > 50", "count(Muon) == 1"]);
    let compiled = analysis
        .check(&data.schema())
        .and_then(|m| m.compile(&["SR", "CR"]))
        .unwrap();
    let text = pullback_array::text::print(&compiled.program);
    assert!(text.contains("SR: MET.pt > 50; CR: MET.pt > 50"), "{text}");
}

#[test]
fn long_lists_and_chains_of_definitions_are_no_deep_programs() {
    let data = two_events();
    let list = |n: usize| (0..n).map(|k| k.to_string()).collect::<Vec<_>>().join(", ");
    assert_eq!(
        data.value(&format!("event in {{{}}}", list(3000))),
        [1.0, 1.0]
    );
    assert_eq!(
        data.value(&format!("max(MET.pt, {})", list(3000))),
        [2999.0, 2999.0]
    );
    assert_eq!(
        data.value(&format!("min(MET.pt, {})", list(10))),
        [0.0, 0.0]
    );
    assert_eq!(data.value(&vec!["MET.pt"; 2000].join(" <= ")), [1.0, 1.0]);
    let cuts = vec!["MET.pt > 10"; 3000];
    let model = Analysis::new()
        .region("SR", cuts)
        .check(&data.schema())
        .unwrap();
    let (_, ws) = data.run(&model.compile(&["SR"]).unwrap(), &HashMap::new());
    assert_eq!(ws.bool(0), [1, 0]);
    let column = |a: Analysis, k: usize| a.column(format!("x{}", k + 1), format!("x{k} + 1"));
    let chain = |n: usize| (0..n).fold(Analysis::new().column("x0", "MET.pt"), column);
    assert_eq!(data.evaluate(&chain(150), "x150"), [214.0, 159.0]);
    let error = chain(3000).check(&data.schema()).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), "PB0803");
    // The last one first.
    let backwards = (0..3000)
        .rev()
        .fold(Analysis::new(), column)
        .column("x0", "MET.pt");
    let error = backwards.check(&data.schema()).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), "PB0803");
    // As deep as may be.
    let deep = |k: usize| format!("{}x{k}{}", "-(1 + ".repeat(60), ")".repeat(60));
    let deepest = (0..3).fold(Analysis::new().column("x0", "MET.pt"), |a, k| {
        a.column(format!("x{}", k + 1), deep(k))
    });
    let found = data.evaluate(&deepest, "x3");
    assert_eq!(found, [64.0, 9.0]);
    let objects = (0..3000).fold(Analysis::new().object("j0", Object::from("Jet")), |a, k| {
        a.object(
            format!("j{}", k + 1),
            Object::from(format!("j{k}")).filter(format!("pt > {k}")),
        )
    });
    let error = objects.check(&data.schema()).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), "PB0803");
}
