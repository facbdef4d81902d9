//! Names: patterns, and which ones come nearest to one that is not there.

/// Whether a pattern matches a whole name: `*` is any number of characters, `?` is one.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    // The last star, and where its match ends for now.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || Some(c) == name.get(n) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, end)) => {
                    p = at + 1;
                    n = end + 1;
                    star = Some((at, end + 1));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == b'*')
}

/// At most five names that are near enough to be meant, the nearest first.
///
/// ```
/// assert_eq!(pullback_io::nearest("Muon_Pt", ["Muon_pt", "Jet_eta"].into_iter()), ["Muon_pt"]);
/// ```
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = name.to_lowercase();
    let length = wanted.chars().count();
    // Two letters of three say nothing.
    let allowed = (length / 3).max(if length > 3 { 2 } else { 1 });
    let mut found: Vec<(usize, &str)> = names
        .filter_map(|other| {
            let distance = distance(&wanted, &other.to_lowercase(), allowed)?;
            Some((distance, other))
        })
        .collect();
    found.sort_unstable();
    found
        .into_iter()
        .take(5)
        .map(|(_, n)| n.to_owned())
        .collect()
}

/// Edit distance (insertions, deletions, substitutions; Wagner & Fischer 1974, doi:10.1145/321796.321811) where it is at most `most`.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let b: Vec<char> = b.chars().collect();
    if a.chars().count().abs_diff(b.len()) > most {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut smallest = left;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let cost = diagonal + usize::from(x != *y);
            diagonal = *above;
            left = cost.min(left + 1).min(*above + 1);
            *above = left;
            smallest = smallest.min(left);
        }
        if smallest > most {
            return None;
        }
    }
    row.last().copied().filter(|d| *d <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("Muon_*", "Muon_pt", true),
            ("Muon_*", "nMuon", false),
            ("*_pt*", "Jet_pt_nom", true),
            ("a*b*c", "a_b_b_c", true),
            ("a*b*c", "a_b_b_d", false),
            ("J?t", "Jet", true),
            ("J?t", "Jt", false),
            ("exact", "exact", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn near_names() {
        assert_eq!(distance("kitten", "sitting", 3), Some(3));
        assert_eq!(distance("kitten", "sitting", 2), None);
        assert_eq!(distance("", "ab", 2), Some(2));
        let names = ["Muon_pt", "Muon_phi", "Electron_pt", "MET"];
        assert_eq!(
            nearest("muon_Pt", names.into_iter()),
            ["Muon_pt", "Muon_phi"]
        );
        assert!(nearest("Unrelated", names.into_iter()).is_empty());
    }
}
