//! Rules on any text file.

use super::run::Finding;

/// Starts of paths that exist on one machine only.
const MACHINE_ROOTS: [&str; 5] = [
    concat!("/", "home/"),
    concat!("/", "root/"),
    concat!("/", "work/"),
    concat!("/", "Users/"),
    concat!("C:\\", "Users\\"),
];

/// Absolute paths of somebody's machine.
pub fn machine_paths(path: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for root in MACHINE_ROOTS {
            let absolute = line.match_indices(root).any(|(at, _)| {
                // In the middle of an address or of a relative path it is something else.
                let before = line[..at].chars().next_back();
                let after = line[at + root.len()..].chars().next();
                !before.is_some_and(|c| c.is_alphanumeric() || "./_-~}*".contains(c))
                    && after.is_some_and(|c| c.is_alphanumeric() || "._-".contains(c))
            });
            if absolute {
                let message = format!("a path of one machine ({root}..): make it relative");
                found.push(Finding::error(path, number + 1, message));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_one_machine() {
        for root in MACHINE_ROOTS {
            let bad = format!("open('{root}me/x')");
            assert_eq!(machine_paths("a", &bad).len(), 1, "{bad}");
        }
        let address = format!("https://example.org{}me", MACHINE_ROOTS[0]);
        let relative = format!("data{}x", MACHINE_ROOTS[2]);
        assert_eq!(machine_paths("a", &format!("{address}\n{relative}\n")), []);
    }
}
