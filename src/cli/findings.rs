//! Findings as the user sees them, and which of them stop a command.

use std::collections::BTreeMap;

use carafe_model::finding::{Finding, Severity};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Context;
use super::output::{Format, Output, Tone, clean};
use crate::error::Error;

/// Which findings stop a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Findings that made a value unusable
    #[default]
    Error,
    /// Doubtful values too
    Warning,
    /// Any finding
    Info,
    /// None: go on with what could be read
    Never,
}

impl FailOn {
    fn stops(self, severity: Severity) -> bool {
        match self {
            FailOn::Error => severity >= Severity::Error,
            FailOn::Warning => severity >= Severity::Warning,
            FailOn::Info => severity >= Severity::Info,
            FailOn::Never => false,
        }
    }
}

/// The option of every command that reads or judges.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct FailOnArg {
    /// Which findings stop the command before it writes anything
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub fail_on: FailOn,
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Values that were not used.
    pub error: usize,
    /// Values that deserve a look.
    pub warning: usize,
    /// Things worth knowing.
    pub info: usize,
}

impl Counts {
    /// Counts findings.
    pub fn of(findings: &[Finding]) -> Counts {
        let mut counts = Counts::default();
        for finding in findings {
            *match finding.severity {
                Severity::Error => &mut counts.error,
                Severity::Warning => &mut counts.warning,
                Severity::Info => &mut counts.info,
            } += 1;
        }
        counts
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "errors: {}, warnings: {}, info: {}", self.error, self.warning, self.info)
    }
}

/// How many findings are at or above what the user accepts.
pub fn stopping(FailOnArg { fail_on }: FailOnArg, findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| fail_on.stops(finding.severity)).count()
}

/// Prints findings and decides whether the command may go on.
///
/// In JSON they are part of what the command prints at its end, so here they are printed only when this is the end.
///
/// # Errors
/// When any finding is at or above `fail_on`, or standard output cannot be written to.
pub(super) fn judge(
    context: &Context,
    format: Format,
    fail_on: FailOnArg,
    findings: &[Finding],
) -> Result<(), Error> {
    let count = stopping(fail_on, findings);
    match format {
        Format::Text => print(&context.out, findings),
        Format::Json if count > 0 => context.out.json(&to_json(findings, json!({ "written": false })))?,
        Format::Json => {}
    }
    if count > 0 { Err(Error::Findings { count }) } else { Ok(()) }
}

/// The findings and their counts, with what a command has to say beside them.
///
/// # Panics
/// If `rest` is not an object.
pub fn to_json(findings: &[Finding], rest: Value) -> Value {
    let Value::Object(rest) = rest else { unreachable!("every command says an object") };
    let mut object = Map::new();
    object.insert("findings".to_owned(), json!(findings));
    object.insert("counts".to_owned(), json!(Counts::of(findings)));
    object.extend(rest);
    Value::Object(object)
}

/// How many findings of one code are shown unless all are asked for.
const MOST_OF_ONE_CODE: usize = 50;

/// Prints findings on standard error, the worst first, and their counts.
pub fn print(out: &Output, findings: &[Finding]) {
    let mut ordered: Vec<&Finding> = findings.iter().collect();
    ordered.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in ordered {
        let of_code = shown.entry(&finding.code).or_default();
        *of_code += 1;
        if out.is_verbose() || *of_code <= MOST_OF_ONE_CODE {
            match finding.severity {
                Severity::Error => out.stderr(&describe(finding)),
                Severity::Warning | Severity::Info => out.say(&describe(finding)),
            }
        }
    }
    if !out.is_verbose() {
        for (code, count) in shown.into_iter().filter(|(_, count)| *count > MOST_OF_ONE_CODE) {
            let more = count - MOST_OF_ONE_CODE;
            out.say(&format!("… and {more} more of {}; -v shows all", clean(code)));
        }
    }
    if !findings.is_empty() {
        out.say(&format!("{}\n", Counts::of(findings)));
    }
}

/// One finding in several lines: what, where, and what to do.
pub fn describe(finding: &Finding) -> String {
    let tone = match finding.severity {
        Severity::Error => Tone::Error,
        Severity::Warning => Tone::Warning,
        Severity::Info => Tone::Info,
    };
    let title = tone.paint(&format!("{}[{}]", finding.severity, clean(&finding.code)));
    let mut lines = vec![format!("{title}: {}", Tone::Strong.paint(&clean(&finding.summary)))];
    let place = finding.place.to_string();
    let corner = if place.is_empty() { "│" } else { "┌─" };
    if !place.is_empty() {
        lines.push(format!("  {} {}", Tone::Frame.paint(corner), clean(&place)));
    }
    if let Some(host) = &finding.host {
        lines.push(format!("  {} host {}", Tone::Frame.paint("│"), clean(host)));
    }
    if let Some(help) = &finding.help {
        lines.push(format!("  {} help: {}", Tone::Frame.paint("="), clean(help)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use carafe_model::finding::Place;

    use super::*;

    #[test]
    fn a_finding_says_what_where_and_what_to_do() {
        let finding = Finding::error("INV-1204", "memory is negative")
            .at(Place::file("estate.xlsx").sheet("vInfo").row(14).column("Memory"))
            .host("db\u{1b}[31m")
            .help("correct the cell");
        let plain = anstream::adapter::strip_str(&describe(&finding)).to_string();
        assert_eq!(
            plain,
            "error[INV-1204]: memory is negative\n  ┌─ estate.xlsx, sheet \"vInfo\", row 14, column Memory\n  \
             │ host db\\u{1b}[31m\n  = help: correct the cell"
        );
    }

    #[test]
    fn what_stops_a_command_is_at_or_above_the_asked_severity() {
        use Severity::{Error, Info, Warning};
        for (fail_on, stopping) in [
            (FailOn::Error, vec![Error]),
            (FailOn::Warning, vec![Warning, Error]),
            (FailOn::Info, vec![Info, Warning, Error]),
            (FailOn::Never, vec![]),
        ] {
            let stops: Vec<Severity> =
                [Info, Warning, Error].into_iter().filter(|severity| fail_on.stops(*severity)).collect();
            assert_eq!(stops, stopping, "{fail_on:?}");
        }
    }
}
