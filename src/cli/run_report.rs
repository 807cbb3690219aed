//! A run, or a dry run, as a page: from what the executor tells to what the page says.

use std::collections::BTreeMap;

use carafe_model::ids::StepId;
use carafe_reports::run_html;
use carafe_reports::run_page::{RunEntry, RunFinding, RunPage, RunStep, RunWave, Tone};

use super::Context;
use super::apply;
use super::execution::{self, TellArgs};
use super::telling;
use crate::error::{Error, plural};
use crate::executor::{Change, DryRun, RunReport, RunState, State, StepStatus};
use crate::files;
use crate::run_id::rfc3339;
use crate::store::{Entry, Journal, LoadedRun, StepEvent};

/// Tells how a run stands at its end, in every form that was asked for. `typed` is what names target and journal.
pub(super) fn end(
    context: &Context,
    tell: &TellArgs,
    report: &RunReport,
    journal: &dyn Journal,
    typed: &str,
) -> Result<(), Error> {
    if let Some(path) = &tell.report {
        let loaded = context.wait(journal.load(&report.run))?;
        files::write(path, run_html(&of_run(report, &loaded, typed)).as_bytes())?;
    }
    if tell.json {
        return Ok(());
    }
    execution::print_report(context, tell.format, report)
}

/// The page about a run.
pub(super) fn of_run(report: &RunReport, loaded: &LoadedRun, typed: &str) -> RunPage {
    let next = match &report.state {
        RunState::Done | RunState::Running | RunState::Destroyed { .. } | RunState::Unreadable { .. } => None,
        RunState::WaveDone { .. } => None,
        RunState::PartlyDestroyed { .. } => Some("destroy"),
        RunState::Partly { .. } | RunState::Interrupted { .. } | RunState::Drifted { .. } => Some("resume"),
    };
    let drift = report.drift.iter().map(|drift| RunFinding {
        code: "drift".to_owned(),
        summary: telling::drifted(drift),
        help: String::new(),
    });
    let failed = report.steps.iter().filter_map(|step| {
        let error = step.error.as_ref()?;
        Some(RunFinding {
            code: error.kind.clone(),
            summary: format!("{}: {}", step.id, error.message),
            help: String::new(),
        })
    });
    RunPage {
        title: format!("Run {}", report.run),
        lead: format!("{}: {}.", report.plan, execution::sentence(&report.state, &report.steps)),
        next: next.map(|verb| format!("carafe {verb} {}{typed}", report.run)),
        facts: vec![
            ("Plan".to_owned(), report.plan.clone()),
            ("Begun".to_owned(), rfc3339(loaded.record.started)),
            ("Steps".to_owned(), report.steps.len().to_string()),
            ("Done by this command".to_owned(), report.done_now.to_string()),
        ],
        findings: drift.chain(failed).collect(),
        waves: waves(report.steps.iter().map(|step| (step.wave, of_step(step)))),
        log: loaded.entries.iter().map(of_entry).collect(),
    }
}

fn of_step(step: &StepStatus) -> RunStep {
    let tone = match step.state {
        State::Made | State::AlreadyThere | State::Confirmed | State::Passed | State::Removed => Tone::Good,
        State::Adopted | State::Kept | State::Pending => Tone::Plain,
        State::Waiting | State::Making | State::Removing => Tone::Care,
        State::Unknown | State::Failed | State::RemovalUnknown | State::RemovalFailed => Tone::Bad,
    };
    let error = step.error.as_ref().map(|error| format!("{}: {}", error.kind, error.message));
    let blocker = step.blocked_by.as_ref().map(|blocker| format!("waits for {blocker}"));
    RunStep {
        step: step.id.to_string(),
        state: execution::word(step.state),
        tone,
        details: [error, step.note.clone(), blocker, step.resource.clone()].into_iter().flatten().collect(),
    }
}

fn of_entry(entry: &Entry) -> RunEntry {
    let what = match &entry.event {
        StepEvent::Intent => "is about to be made".to_owned(),
        StepEvent::Made { resource } => format!("made {resource}"),
        StepEvent::Adopted { resource } => format!("adopted {resource}"),
        StepEvent::AlreadyThere { resource } => format!("{resource} is there already"),
        StepEvent::Passed { message } => format!("passed: {message}"),
        StepEvent::Refused { error, message } => format!("refused ({error}): {message}"),
        StepEvent::Lost { message } => format!("unknown: {message}"),
        StepEvent::Absent => "nothing of it is there".to_owned(),
        StepEvent::Waiting { message } => format!("waits for a person: {message}"),
        StepEvent::Confirmed { by } => format!("confirmed: {by}"),
        StepEvent::RemoveIntent => "is about to be removed".to_owned(),
        StepEvent::Removed => "removed".to_owned(),
        StepEvent::Kept { message } => format!("kept: {message}"),
        StepEvent::RemoveRefused { error, message } => format!("removal refused ({error}): {message}"),
        StepEvent::RemoveLost { message } => format!("removal unknown: {message}"),
    };
    RunEntry { at: rfc3339(entry.at), step: entry.step.to_string(), what }
}

fn waves(steps: impl Iterator<Item = (u32, RunStep)>) -> Vec<RunWave> {
    let mut waves: BTreeMap<u32, Vec<RunStep>> = BTreeMap::new();
    for (wave, step) in steps {
        waves.entry(wave).or_default().push(step);
    }
    let title = |wave| if wave == 0 { "Before all waves".to_owned() } else { format!("Wave {wave}") };
    waves.into_iter().map(|(wave, steps)| RunWave { title: title(wave), steps }).collect()
}

/// The page about what a run would do.
pub(super) fn of_dry_run(dry_run: &DryRun) -> RunPage {
    let changes = dry_run.count(Change::Make) + dry_run.count(Change::Adopt);
    let strays = dry_run.strays.iter().map(|stray| RunFinding {
        code: "stray".to_owned(),
        summary: apply::stray_words(stray),
        help: "carafe sweep lists what no journal knows".to_owned(),
    });
    let findings = dry_run.findings.iter().map(|finding| RunFinding {
        code: finding.code.clone(),
        summary: finding.summary.to_string(),
        help: finding.help.as_ref().map(ToString::to_string).unwrap_or_default(),
    });
    RunPage {
        title: format!("Dry run of {}", dry_run.plan),
        lead: match dry_run.findings.len() {
            0 => format!(
                "{} would be made or adopted. Nothing was changed.",
                plural(changes, "thing", "things")
            ),
            count => {
                format!("{} to mend first. Nothing was changed.", plural(count, "finding is", "findings are"))
            }
        },
        next: None,
        facts: apply::CHANGES
            .into_iter()
            .map(|change| (apply::word(change).to_owned(), dry_run.count(change).to_string()))
            .filter(|(_, count)| count != "0")
            .collect(),
        findings: findings.chain(strays).collect(),
        waves: waves(
            dry_run.steps.iter().map(|step| (step.wave, of_dry_step(&step.id, step.change, &step.details))),
        ),
        log: Vec::new(),
    }
}

fn of_dry_step(step: &StepId, change: Change, details: &[String]) -> RunStep {
    let tone = match change {
        Change::Make | Change::Adopt => Tone::Good,
        Change::Exists => Tone::Plain,
        Change::Manual => Tone::Care,
        Change::Differs | Change::Taken | Change::MissingCapability | Change::Unreadable => Tone::Bad,
    };
    RunStep { step: step.to_string(), state: apply::word(change).to_owned(), tone, details: details.to_vec() }
}
