//! What the classes of a `TH1D` are made of: the table from which a file's `StreamerInfo` is written, so that it says itself how it is read.
//!
//! The members are those of the class definitions of ROOT 6.24 (`hist/hist/inc/TH1.h`, `TAxis.h`, `core/base/inc/TAtt*.h`, ..). ROOT compares a description
//! with its own by the checksum, which is computed here from the table as `TStreamerInfo::GetCheckSum` does; so a wrong name or type cannot pass unseen.
//! Format: ROOT, `io/doc/TFile/streamerinfo.md`.

use super::output::Output;

/// A member of a class.
enum Member {
    /// What the class derives from.
    Base(&'static str),
    /// Name, type, and the title if it means something: a length in brackets, or `->` where a pointer is never null.
    Is(&'static str, &'static str, &'static str),
    /// Name and type of one that is not stored. In classes of version 0 they count in the checksum.
    Passing(&'static str, &'static str),
}

use Member::{Base, Is, Passing};

/// A class: name, version, members.
type Class = (&'static str, i32, &'static [Member]);

#[rustfmt::skip]
const CLASSES: &[Class] = &[
    ("TH1D", 3, &[Base("TH1"), Base("TArrayD")]),
    ("TH1", 8, &[
        Base("TNamed"), Base("TAttLine"), Base("TAttFill"), Base("TAttMarker"),
        Is("fNcells", "int", ""),
        Is("fXaxis", "TAxis", ""), Is("fYaxis", "TAxis", ""), Is("fZaxis", "TAxis", ""),
        Is("fBarOffset", "short", ""), Is("fBarWidth", "short", ""),
        Is("fEntries", "double", ""),
        Is("fTsumw", "double", ""), Is("fTsumw2", "double", ""), Is("fTsumwx", "double", ""), Is("fTsumwx2", "double", ""),
        Is("fMaximum", "double", ""), Is("fMinimum", "double", ""), Is("fNormFactor", "double", ""),
        Is("fContour", "TArrayD", ""), Is("fSumw2", "TArrayD", ""),
        Is("fOption", "TString", ""),
        Is("fFunctions", "TList*", "->"),
        Is("fBufferSize", "int", "count"), Is("fBuffer", "double*", "[fBufferSize]"),
        Is("fBinStatErrOpt", "TH1::EBinErrorOpt", ""), Is("fStatOverflows", "TH1::EStatOverflows", ""),
    ]),
    ("TNamed", 1, &[Base("TObject"), Is("fName", "TString", ""), Is("fTitle", "TString", "")]),
    ("TObject", 1, &[Is("fUniqueID", "unsigned int", ""), Is("fBits", "unsigned int", "bits")]),
    ("TAttLine", 2, &[Is("fLineColor", "short", ""), Is("fLineStyle", "short", ""), Is("fLineWidth", "short", "")]),
    ("TAttFill", 2, &[Is("fFillColor", "short", ""), Is("fFillStyle", "short", "")]),
    ("TAttMarker", 2, &[Is("fMarkerColor", "short", ""), Is("fMarkerStyle", "short", ""), Is("fMarkerSize", "float", "")]),
    ("TAxis", 10, &[
        Base("TNamed"), Base("TAttAxis"),
        Is("fNbins", "int", ""), Is("fXmin", "double", ""), Is("fXmax", "double", ""), Is("fXbins", "TArrayD", ""),
        Is("fFirst", "int", ""), Is("fLast", "int", ""), Is("fBits2", "unsigned short", ""),
        Is("fTimeDisplay", "bool", ""), Is("fTimeFormat", "TString", ""),
        Is("fLabels", "THashList*", ""), Is("fModLabs", "TList*", ""),
    ]),
    ("TAttAxis", 4, &[
        Is("fNdivisions", "int", ""), Is("fAxisColor", "short", ""), Is("fLabelColor", "short", ""), Is("fLabelFont", "short", ""),
        Is("fLabelOffset", "float", ""), Is("fLabelSize", "float", ""), Is("fTickLength", "float", ""),
        Is("fTitleOffset", "float", ""), Is("fTitleSize", "float", ""), Is("fTitleColor", "short", ""), Is("fTitleFont", "short", ""),
    ]),
    ("THashList", 0, &[Base("TList"), Passing("fTable", "THashTable*")]),
    ("TList", 5, &[Base("TSeqCollection")]),
    ("TSeqCollection", 0, &[Base("TCollection"), Passing("fSorted", "bool")]),
    ("TCollection", 3, &[Base("TObject"), Is("fName", "TString", ""), Is("fSize", "int", "")]),
    ("TString", 2, &[]),
    ("TArrayD", 1, &[Base("TArray"), Is("fArray", "double*", "[fN]")]),
    ("TArray", 1, &[Is("fN", "int", "count")]),
];

/// Bases that ROOT streams by code of its own do not stand among the descriptions of a file; their checksums count all the same.
const UNSAID: &[&str] = &["TArrayD", "TArray"];

fn find(name: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|(class, ..)| *class == name)
}

/// The class of the element, its version, ROOT's code of the type, and its bytes in memory.
fn kind(of: &str, title: &str) -> (&'static str, u16, i32, i32) {
    match (of, title) {
        ("short", _) => ("TStreamerBasicType", 2, 2, 2),
        ("int", "count") => ("TStreamerBasicType", 2, 6, 4),
        ("float", _) => ("TStreamerBasicType", 2, 5, 4),
        ("double", _) => ("TStreamerBasicType", 2, 8, 8),
        ("unsigned short", _) => ("TStreamerBasicType", 2, 12, 2),
        ("unsigned int", "bits") => ("TStreamerBasicType", 2, 15, 4),
        ("unsigned int", _) => ("TStreamerBasicType", 2, 13, 4),
        ("bool", _) => ("TStreamerBasicType", 2, 18, 1),
        ("double*", _) => ("TStreamerBasicPointer", 2, 48, 8),
        ("TString", _) => ("TStreamerString", 2, 65, 24),
        ("TAxis", _) => ("TStreamerObject", 2, 61, 216),
        ("TArrayD", _) => ("TStreamerObjectAny", 2, 62, 24),
        (pointer, "->") if pointer.ends_with('*') => ("TStreamerObjectPointer", 2, 63, 8),
        (pointer, _) if pointer.ends_with('*') => ("TStreamerObjectPointer", 2, 64, 8),
        // Enumerations are stored as int.
        _ => ("TStreamerBasicType", 2, 3, 4),
    }
}

/// `TStreamerInfo::GetCheckSum`: of names, bases with their checksums, types, and lengths of arrays.
fn checksum(name: &str, members: &[Member]) -> u32 {
    let more = |sum: u32, byte: u8| sum.wrapping_mul(3).wrapping_add(u32::from(byte));
    let text = |sum: u32, text: &str| text.bytes().fold(sum, more);
    let mut sum = text(0, name);
    for member in members {
        if let Base(base) = member {
            sum = text(sum, base);
            let of = find(base).map_or(0, |(name, _, members)| checksum(name, members));
            sum = sum.wrapping_mul(3).wrapping_add(of);
        }
    }
    for member in members {
        let (name, of, title) = match member {
            Base(_) => continue,
            Is(name, of, title) => (name, of, *title),
            Passing(name, of) => (name, of, ""),
        };
        if of.contains("::") {
            sum = more(sum, 1); // An enumeration.
        }
        sum = text(text(sum, name), of);
        if let Some(length) = title.strip_prefix('[') {
            sum = text(sum, length.trim_end_matches(']'));
        }
    }
    sum
}

/// `TStreamerElement`.
fn element(out: &mut Output, name: &str, title: &str, kind: (i32, i32), second: u32, of: &str) {
    out.object(4, |out| {
        out.named(name, title);
        out.i32(kind.0);
        out.i32(kind.1);
        out.i32(0); // No array,
        out.i32(0); // of no dimension.
        for index in [0, second, 0, 0, 0] {
            out.u32(index);
        }
        out.string(of);
    });
}

fn member(out: &mut Output, class: &Class, member: &Member) {
    match member {
        Passing(..) => {}
        Base(base) => {
            let kind = match *base {
                "TObject" => 66,
                "TNamed" => 67,
                _ => 0,
            };
            let (version, sum) = find(base).map_or((0, 0), |(name, version, members)| {
                (*version, checksum(name, members))
            });
            out.any("TStreamerBase", 3, |out| {
                // Of a base the second index is its checksum.
                element(out, base, "", (kind, 0), sum, "BASE");
                out.i32(version);
            });
        }
        Is(name, of, title) => {
            let (element_class, version, code, bytes) = kind(of, title);
            let said = title.starts_with(['[', '-']);
            out.any(element_class, version, |out| {
                let title = if said { title } else { "" };
                element(out, name, title, (code, bytes), 0, of);
                if let Some(count) = title.strip_prefix('[') {
                    out.i32(class.1); // The length is a member of this version
                    out.string(count.trim_end_matches(']'));
                    out.string(class.0); // of this class.
                }
            });
        }
    }
}

/// The list of descriptions that a file of `TH1D` has, behind a key of `origin` bytes.
pub(super) fn streamer_info(origin: usize) -> Vec<u8> {
    let mut out = Output::behind(origin);
    let said = || CLASSES.iter().filter(|(name, ..)| !UNSAID.contains(name));
    out.list(said().count(), |out| {
        for class in said() {
            let (name, version, members) = class;
            out.any("TStreamerInfo", 9, |out| {
                out.named(name, "");
                out.u32(checksum(name, members));
                out.i32(*version);
                out.any("TObjArray", 3, |out| {
                    out.tobject();
                    out.string("");
                    let stored = members.iter().filter(|m| !matches!(m, Passing(..)));
                    out.i32(stored.count() as i32);
                    out.i32(0); // The lowest index.
                    for each in *members {
                        member(out, class, each);
                    }
                });
            });
            out.string(""); // No option.
        }
    });
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::root::streamer::Streamers;
    use crate::site::Site;

    /// As a file has them that ROOT 6.40.00 wrote, and for `TAttMarker` 2 one of uproot 5.7.7.
    #[test]
    fn checksums_are_those_of_root() {
        for (name, expected) in [
            ("TH1D", 0xf9b1_569f),
            ("TH1", 0x1c37_40c4),
            ("TNamed", 0xdfb7_4a3c),
            ("TObject", 0x901b_c02d),
            ("TAttLine", 0x9407_4549),
            ("TAttFill", 0xffd9_2a92),
            ("TAttMarker", 0x291d_8bec),
            ("TAxis", 0x5a49_6e70),
            ("TAttAxis", 0x5c6f_ff3e),
            ("THashList", 0xcc7e_49c1),
            ("TList", 0x69c5_c3bb),
            ("TSeqCollection", 0xfc6c_3bc6),
            ("TCollection", 0x57e3_cb9c),
            ("TString", 0x0001_7419),
            ("TArrayD", 0x7139_ef34),
        ] {
            let (_, _, members) = find(name).unwrap();
            let found = checksum(name, members);
            assert_eq!(found, expected, "{name}: {found:#x}");
        }
    }

    /// The reader finds the classes and what it can say of them: `TAttAxis` is 34 bytes of numbers behind a head of six.
    #[test]
    fn descriptions_are_read_back() {
        let bytes = streamer_info(64);
        let site = Site::new(&"f".into());
        let streamers = Streamers::read(&bytes, 64, &site, &Limits::default()).unwrap();
        let record = streamers.record("TAttAxis").unwrap();
        assert_eq!((record.size, record.members.len()), (6 + 34, 11));
        let member = streamers.element("TH1", 23).unwrap();
        assert_eq!(
            (&*member.name, &*member.title),
            ("fBuffer", "[fBufferSize]")
        );
        let reason = streamers.record("TH1").unwrap_err();
        assert!(reason.contains("fName"), "{reason}");
        assert!(streamers.element("TArrayD", 0).is_none());
    }
}
