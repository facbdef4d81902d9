//! Links to elements of other containers, as ATLAS stores them: the key of a container and an index in it.
//!
//! The key of a container is a hash of its name and the number of its class: CRC-64 with the reversed polynomial `95AC9329AC4BC9B5` (David T. Jones, "An improved 64-bit
//! cyclic redundancy check for protein sequences", 2002) of the name, extended by the bytes of the number, its lowest 30 bits. A link whose key is another one leads
//! elsewhere, and one with the key 0 nowhere.

const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

/// Numbers of classes of containers, as `CLASS_DEF` of their headers in Athena has them.
const CLASSES: [(&str, u64); 11] = [
    ("xAOD::TrackParticleContainer", 1_287_425_431),
    ("xAOD::TruthParticleContainer", 1_237_340_765),
    ("xAOD::TruthVertexContainer", 1_239_726_567),
    ("xAOD::VertexContainer", 1_092_961_325),
    ("xAOD::MuonContainer", 1_178_459_224),
    ("xAOD::ElectronContainer", 1_087_532_415),
    ("xAOD::PhotonContainer", 1_105_575_213),
    ("xAOD::TauJetContainer", 1_177_172_564),
    ("xAOD::JetContainer", 1_244_316_195),
    ("xAOD::CaloClusterContainer", 1_219_821_989),
    ("xAOD::BTaggingContainer", 1_264_356_158),
];

/// Where links of PHYSLITE lead that do not have the name of their container: a group, or none for all, the link, the container.
const USUAL: [(&str, &str, &str); 11] = [
    ("", "combinedTrackParticle", "CombinedMuonTrackParticles"),
    (
        "",
        "extrapolatedMuonSpectrometerTrackParticle",
        "ExtrapolatedMuonTrackParticles",
    ),
    ("", "originalTrackParticle", "InDetTrackParticles"),
    ("", "vertex", "PrimaryVertices"),
    ("", "truthJet", "AntiKt4TruthDressedWZJets"),
    ("AnalysisMuons", "Truth", "TruthMuons"),
    ("AnalysisElectrons", "Truth", "TruthElectrons"),
    ("AnalysisPhotons", "Truth", "TruthPhotons"),
    ("AnalysisTauJets", "truthParticle", "TruthTaus"),
    ("HardScatterParticles", "prodVtx", "HardScatterVertices"),
    ("HardScatterParticles", "decayVtx", "HardScatterVertices"),
];

const fn byte(crc: u64, byte: u64) -> u64 {
    let mut r = (crc ^ byte) & 0xff;
    let mut k = 0;
    while k < 8 {
        r = if r & 1 == 1 {
            (r >> 1) ^ POLYNOMIAL
        } else {
            r >> 1
        };
        k += 1;
    }
    r ^ (crc >> 8)
}

/// The key of a container of a class.
fn key(name: &str, class: u64) -> i64 {
    let mut crc = name.bytes().fold(u64::MAX, |crc, b| byte(crc, b.into()));
    let mut rest = class;
    while rest > 0 {
        crc = byte(crc, rest);
        rest >>= 8;
    }
    (crc & 0x3fff_ffff) as i64
}

/// The keys that a container of a name has, whatever it holds.
pub(crate) fn keys(name: &str) -> impl Iterator<Item = i64> {
    CLASSES.iter().map(move |(_, class)| key(name, *class))
}

/// The container to which a link of a group leads by its name: `inDetTrackParticle` to `InDetTrackParticles`, and a few that are called otherwise.
pub(crate) fn leads_to(group: &str, link: &str, known: &[&str]) -> Option<usize> {
    let mut usual = USUAL.iter();
    let usual = usual.find(|(of, l, _)| *l == link && (of.is_empty() || *of == group));
    let place = |name: &str| known.iter().position(|k| k.eq_ignore_ascii_case(name));
    match usual {
        Some((.., name)) => place(name),
        None => place(link).or_else(|| place(&format!("{link}s"))),
    }
}

#[cfg(test)]
mod tests {
    use super::{CLASSES, key};

    /// Keys in files of ATLAS, beside the names of their containers: those of truth as coffea lists them from the metadata of a file
    /// (`nanoevents/methods/physlite.py`), the others as found in its sample `PHYSLITE_example.root`.
    #[test]
    fn keys_are_those_of_files() {
        for (name, class, expected) in [
            ("TruthPhotons", "TruthParticle", 13_267_281),
            ("TruthMuons", "TruthParticle", 342_174_277),
            ("TruthNeutrinos", "TruthParticle", 368_360_608),
            ("TruthTaus", "TruthParticle", 375_408_000),
            ("TruthElectrons", "TruthParticle", 394_100_163),
            ("TruthBoson", "TruthParticle", 614_719_239),
            ("TruthTop", "TruthParticle", 660_928_181),
            ("TruthBottom", "TruthParticle", 779_635_413),
            ("InDetTrackParticles", "TrackParticle", 490_246_363),
            ("CombinedMuonTrackParticles", "TrackParticle", 873_304_470),
            ("PrimaryVertices", "Vertex", 936_461_719),
            ("HardScatterVertices", "TruthVertex", 67_810_590),
            ("Photons", "Photon", 736_021_799),
            ("Electrons", "Electron", 646_656_793),
            ("AntiKt10UFOCSSKJets", "Jet", 114_897_897),
            ("MuonClusterCollection", "CaloCluster", 731_490_178),
            ("BTagging_AntiKt4EMPFlow", "BTagging", 582_299_515),
        ] {
            let full = format!("xAOD::{class}Container");
            let found = CLASSES.iter().find(|(c, _)| *c == full);
            let (_, number) = found.unwrap_or_else(|| panic!("no {full}"));
            assert_eq!(key(name, *number), expected, "{name}");
        }
    }
}
