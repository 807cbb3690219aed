//! `carafe doctor`.

use std::path::{Path, PathBuf};

use carafe_inventory::catalog::summary;
use serde::Serialize;
use serde_json::json;

use super::Context;
use super::journal::JournalArg;
use super::output::{Format, Tone, clean};
use crate::drivers::connections;
use crate::error::{Error, Exit, plural};
use crate::files;
use crate::inputs;
use crate::run_id;

/// Check that Carafe has what it needs here, and say what to do where it has not
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe doctor
  carafe doctor --connections connections.toml --catalog catalog.snapshot")]
pub(super) struct Args {
    /// The catalog to look at; the one that is built in when absent
    #[arg(long, value_name = "FILE|DIR")]
    catalog: Option<PathBuf>,
    /// The connections to look at; connections.toml in this folder when absent
    #[arg(long, value_name = "FILE")]
    connections: Option<PathBuf>,
    #[command(flatten)]
    journal: JournalArg,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How one thing stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Good,
    /// Works, but deserves a look.
    Look,
    /// Does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    what: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl Check {
    fn good(what: &'static str, found: impl Into<String>) -> Check {
        Check { what, state: State::Good, found: found.into(), help: None }
    }

    fn look(what: &'static str, found: impl Into<String>, help: impl Into<String>) -> Check {
        Check { what, state: State::Look, found: found.into(), help: Some(help.into()) }
    }

    fn bad(what: &'static str, found: impl Into<String>, help: impl Into<String>) -> Check {
        Check { what, state: State::Bad, found: found.into(), help: Some(help.into()) }
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let mut checks = journal_works(&args.journal, context);
    checks.push(catalog_opens(args.catalog.as_deref(), context.limit));
    checks.push(connections_read(args.connections.as_deref(), context.limit));
    let bad = checks.iter().filter(|check| matches!(check.state, State::Bad)).count();
    match args.format {
        Format::Text => context.out.data(&checks.iter().map(line).collect::<String>())?,
        Format::Json => context.out.json(&json!({ "checks": checks }))?,
    }
    if bad > 0 {
        let what = format!("{} not work", plural(bad, "thing does", "things do"));
        return Err(Error::failed(what, "do what is said at each of them"));
    }
    Ok(Exit::Done)
}

fn line(check: &Check) -> String {
    let state = match check.state {
        State::Good => Tone::Info.paint("good"),
        State::Look => Tone::Warning.paint("look"),
        State::Bad => Tone::Error.paint("bad "),
    };
    let help = check.help.as_ref().map(|help| format!("      = help: {}\n", clean(help))).unwrap_or_default();
    format!("{state}  {}: {}\n{help}", Tone::Strong.paint(check.what), clean(&check.found))
}

/// Looks at the journal, and at the folder of one that is a file.
fn journal_works(journal: &JournalArg, context: &Context) -> Vec<Check> {
    match journal.file(context) {
        Err(error) => vec![failed("journal", &error)],
        Ok(None) => vec![journal_opens("the database", journal, context)],
        Ok(Some(file)) if file.exists() => {
            vec![state_folder(&file), journal_opens(&file.display().to_string(), journal, context)]
        }
        Ok(Some(file)) => {
            vec![state_folder(&file), Check::good("journal", "none yet; the first apply makes it")]
        }
    }
}

fn failed(what: &'static str, error: &Error) -> Check {
    Check { what, state: State::Bad, found: error.to_string(), help: error.help() }
}

fn state_folder(journal: &Path) -> Check {
    const WHAT: &str = "folder of the journal";
    let folder = journal.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let existing = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    if let Err(error) = tempfile::tempfile_in(existing) {
        let found = format!("{} cannot be written to: {error}", existing.display());
        return Check::bad(
            WHAT,
            found,
            "change its permissions, or name a journal elsewhere with --journal FILE",
        );
    }
    match existing == folder {
        true => Check::good(WHAT, format!("{} can be written to", folder.display())),
        false => Check::good(WHAT, format!("{} will be made when it is needed", folder.display())),
    }
}

fn journal_opens(place: &str, journal: &JournalArg, context: &Context) -> Check {
    const WHAT: &str = "journal";
    let held = journal.open(context).and_then(|journal| Ok(context.wait(journal.runs())?));
    match held {
        Ok(runs) => {
            Check::good(WHAT, format!("{place} opens and holds {}", plural(runs.len(), "run", "runs")))
        }
        Err(error) => failed(WHAT, &error),
    }
}

/// Prices older than this deserve a look: providers change their lists about twice a year.
const OLD_DAYS: i64 = 180;

fn catalog_opens(path: Option<&Path>, limit: u64) -> Check {
    const WHAT: &str = "catalog";
    const HELP: &str = "name a snapshot that `carafe catalog import` wrote, or leave --catalog out";
    let sealed = match inputs::catalog(path, limit) {
        Ok((Some(sealed), _)) => sealed,
        Ok((None, findings)) => {
            let found = findings.first().map_or("it cannot be read", |finding| finding.summary.as_str());
            return Check::bad(WHAT, found, HELP);
        }
        Err(error) => return Check::bad(WHAT, error.to_string(), HELP),
    };
    let today = run_id::rfc3339(run_id::now());
    let summary = summary(&sealed.catalog);
    let old: Vec<String> = summary
        .providers
        .iter()
        .filter(|provider| days_between(&provider.newest, &today).is_none_or(|days| days > OLD_DAYS))
        .map(|provider| match provider.newest.as_str() {
            "" => format!("{} (no date)", provider.provider),
            newest => format!("{} ({newest})", provider.provider),
        })
        .collect();
    let found = format!("{} opens; its newest price is of {}", summary.id, summary.newest);
    match old.is_empty() {
        true => Check::good(WHAT, found),
        false => Check::look(
            WHAT,
            format!("{found}; older than {OLD_DAYS} days: {}", old.join(", ")),
            "before you decide on these providers, import newer prices with `carafe catalog import`",
        ),
    }
}

/// Days from one date to another: `2026-08-13`, `2026-08` or `2026`, where a part that is missing counts as its first.
fn days_between(from: &str, to: &str) -> Option<i64> {
    Some(day_number(to.get(..10).unwrap_or(to))? - day_number(from)?)
}

/// Days since 1 January of year 1 in the proleptic Gregorian calendar.
fn day_number(date: &str) -> Option<i64> {
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) =
        (parts.next()??, parts.next().unwrap_or(Some(1))?, parts.next().unwrap_or(Some(1))?);
    let in_range = (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    // Years begin in March here, so that the leap day is the last: 306 days from March to January.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 307;
    in_range.then_some(days + 1)
}

fn connections_read(path: Option<&Path>, limit: u64) -> Check {
    const WHAT: &str = "connections";
    let default = Path::new("connections.toml");
    let Some(path) = path.or_else(|| default.exists().then_some(default)) else {
        return Check::good(WHAT, "no connections.toml here; `carafe apply --simulate` works without");
    };
    let help = "see docs/formats/connections.md for a whole example";
    let text = match files::read_text(path, limit) {
        Ok(text) => text,
        Err(error) => return Check::bad(WHAT, format!("{}: {error}", path.display()), help),
    };
    let (read, findings) = connections::read(&path.display().to_string(), &text);
    match findings.first() {
        Some(first) => Check::bad(
            WHAT,
            format!("{}: {} ({})", first.place, first.summary, plural(findings.len(), "mistake", "mistakes")),
            first.help.as_deref().unwrap_or(help),
        ),
        None => {
            let count = plural(read.len(), "connection", "connections");
            Check::good(WHAT, format!("{} holds {count}", path.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_months_and_leap_years() {
        let between = |from, to| days_between(from, to).expect("two dates");
        assert_eq!(day_number("0001-01-01"), Some(1));
        for (from, to, days) in [
            ("2026-08-13", "2026-08-13", 0),
            ("2026-02-28", "2026-03-01", 1),
            ("2024-02-28", "2024-03-01", 2),
            ("1900-02-28", "1900-03-01", 1),
            ("2026", "2027", 365),
            ("2026-08", "2026-11-22", 113),
        ] {
            assert_eq!(between(from, to), days, "{from} to {to}");
        }
        for text in ["", "soon", "2026-13", "2026-00-01", "2026-1-32"] {
            assert_eq!(day_number(text), None, "{text}");
        }
    }
}
