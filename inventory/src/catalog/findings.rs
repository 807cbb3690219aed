//! The findings of one import, bounded: a broken list of a million rows must not make a million findings.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::finding::{Finding, Place, Severity};

/// How many findings of a code are listed; the rest are counted.
const LISTED_PER_CODE: u32 = 50;
/// How many names a counted finding tells.
const NAMES_PER_TALLY: usize = 12;
/// The longest text from outside that a finding repeats, in characters.
const LONGEST_CLIP: usize = 60;

/// Collects findings one by one, and rows that are only worth counting.
#[derive(Debug, Default)]
pub(super) struct Findings {
    listed: Vec<Finding>,
    per_code: BTreeMap<String, (u32, Severity)>,
    tallies: BTreeMap<(&'static str, &'static str, String), Tally>,
}

/// Many rows about which there is one thing to say.
#[derive(Debug)]
struct Tally {
    severity: Severity,
    rows: u64,
    names: BTreeSet<String>,
}

impl Findings {
    /// Adds a finding, or counts it once its code has enough of them.
    pub fn push(&mut self, finding: Finding) {
        let (seen, worst) = self.per_code.entry(finding.code.clone()).or_insert((0, finding.severity));
        *seen += 1;
        *worst = finding.severity.max(*worst);
        if *seen <= LISTED_PER_CODE {
            self.listed.push(finding);
        }
    }

    /// Counts a row of a file, and remembers a name if it is a new one; an empty name is none.
    pub fn tally(
        &mut self,
        code: &'static str,
        severity: Severity,
        summary: &'static str,
        file: &str,
        name: &str,
    ) {
        let tally = self.tallies.entry((code, summary, file.to_owned())).or_insert_with(|| Tally {
            severity,
            rows: 0,
            names: BTreeSet::new(),
        });
        tally.rows += 1;
        if !name.is_empty() && !tally.names.contains(name) {
            tally.names.insert(clip(name));
        }
    }

    /// All of them: listed ones in order of discovery, then those that count the rest, then the tallies.
    pub fn finish(self) -> Vec<Finding> {
        let mut findings = self.listed;
        for (code, (seen, severity)) in self.per_code {
            if let Some(rest) = seen.checked_sub(LISTED_PER_CODE).filter(|rest| *rest > 0) {
                let summary = format!("further findings of this code, not listed: {rest}");
                findings.push(Finding::new(&code, severity, summary));
            }
        }
        for ((code, summary, file), tally) in self.tallies {
            let names = list(&tally.names);
            let summary = format!("{summary}: {}{names}", tally.rows);
            findings.push(Finding::new(code, tally.severity, summary).at(Place::file(file)));
        }
        findings
    }
}

fn list(names: &BTreeSet<String>) -> String {
    if names.is_empty() {
        return String::new();
    }
    let told: Vec<&str> = names.iter().take(NAMES_PER_TALLY).map(String::as_str).collect();
    let rest = match names.len() - told.len() {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    format!(" ({}{rest})", told.join(", "))
}

/// The first characters of a text from outside, so that a message stays a line.
pub(super) fn clip(text: &str) -> String {
    let line = |c: char| if c.is_control() { ' ' } else { c };
    if text.chars().nth(LONGEST_CLIP).is_none() {
        return text.chars().map(line).collect();
    }
    text.chars().take(LONGEST_CLIP).map(line).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifty_first_finding_of_a_code_is_counted() {
        let mut findings = Findings::default();
        for row in 0..60 {
            findings.push(Finding::error("CAT-1102", format!("row {row}")));
        }
        findings.push(Finding::warning("CAT-1107", "another"));
        let all = findings.finish();
        assert_eq!(all.len(), 52);
        let counted = all.last().expect("the count");
        assert_eq!((counted.code.as_str(), counted.severity), ("CAT-1102", Severity::Error));
        assert!(counted.summary.ends_with("not listed: 10"), "{}", counted.summary);
    }

    #[test]
    fn a_tally_names_a_dozen() {
        let mut findings = Findings::default();
        for row in 0..40 {
            findings.tally("CAT-1301", Severity::Info, "rows not loaded", "f", &format!("n{:02}", row % 20));
        }
        let all = findings.finish();
        assert_eq!(all.len(), 1);
        assert!(all[0].summary.starts_with("rows not loaded: 40 (n00, n01"), "{}", all[0].summary);
        assert!(all[0].summary.ends_with("n11 and 8 more)"), "{}", all[0].summary);
    }

    #[test]
    fn text_from_outside_stays_on_its_line() {
        assert_eq!(clip("a\nb"), "a b");
        assert_eq!(clip(&"x".repeat(1000)).chars().count(), 61);
    }
}
