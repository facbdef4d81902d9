//! Reads the outputs of the runners: how many passed and failed, and which failure came first.

/// (passed, failed) of the summary lines of `cargo test`.
pub fn cargo_test(output: &str) -> (usize, usize) {
    let mut sum = (0, 0);
    for line in output
        .lines()
        .filter(|line| line.starts_with("test result: "))
    {
        let counts = line.split_once(". ").map_or("", |(_, counts)| counts);
        for (count, word) in counted(counts, ';') {
            match word {
                "passed" => sum.0 += count,
                "failed" => sum.1 += count,
                _ => {}
            }
        }
    }
    sum
}

/// (passed, failed) of the summary line of `cargo nextest run`; what timed out or could not start has failed.
pub fn nextest(output: &str) -> (usize, usize) {
    let mut sum = (0, 0);
    for line in output
        .lines()
        .filter(|line| line.trim_start().starts_with("Summary ["))
    {
        let counts = line.split_once(" run: ").map_or("", |(_, counts)| counts);
        for (count, word) in counted(counts, ',') {
            match word {
                "passed" => sum.0 += count,
                "skipped" => {}
                _ => sum.1 += count,
            }
        }
    }
    sum
}

/// `12 passed (1 slow), 2 failed` as (12, "passed"), (2, "failed").
fn counted(text: &str, separator: char) -> impl Iterator<Item = (usize, &str)> {
    text.split(separator).filter_map(|part| {
        let mut words = part.split_whitespace();
        Some((words.next()?.parse().ok()?, words.next()?))
    })
}

/// Lines of a failure that are repeated at the end.
const EXCERPT: usize = 40;

/// The part of a log that shows the first thing that went wrong.
pub fn first_failure(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    // libtest and nextest before the output of a failed test; rustc, cargo and tidy; rustfmt.
    let kinds: [fn(&str) -> bool; 4] = [
        |line| line.starts_with("---- ") && line.ends_with(" ----"),
        |line| line.trim_start().starts_with("FAIL ["),
        |line| line.starts_with("error"),
        |line| line.starts_with("Diff in "),
    ];
    let found = kinds.iter().find_map(|kind| {
        let first = lines.iter().position(|line| kind(line))?;
        Some((first, kind))
    });
    let Some((first, kind)) = found else {
        return lines[lines.len().saturating_sub(EXCERPT)..].join("\n");
    };
    let rest = &lines[first + 1..];
    let length = rest
        .iter()
        .position(|line| kind(line))
        .unwrap_or(rest.len());
    let end = first + 1 + length.min(EXCERPT);
    lines[first..end].join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_over_the_summary_lines_of_cargo_test() {
        let output = "running 8 tests\n\
            test result: ok. 8 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.06s\n\
            test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        assert_eq!(cargo_test(output), (9, 2));
    }

    #[test]
    fn reads_the_summary_of_nextest() {
        let output = "     Summary [   0.020s] 36 tests run: 33 passed (1 slow), 1 failed, 2 timed out, 4 skipped\n";
        assert_eq!(nextest(output), (33, 3));
    }

    #[test]
    fn the_first_failure_ends_where_the_second_begins() {
        let log = "fine\n---- a::b stdout ----\nerror: left: 1\nright: 2\n\n---- a::c stdout ----\nother\n";
        assert_eq!(
            first_failure(log),
            "---- a::b stdout ----\nerror: left: 1\nright: 2"
        );
        assert_eq!(first_failure("only\nwords"), "only\nwords");
    }
}
