//! What `apply`, `status`, `resume` and `destroy` share: the journal, the connections, and how a run is told.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;

use carafe_model::finding::Finding;
use carafe_model::ids::StepId;
use serde_json::{Value, json};

use super::Context;
use super::findings;
use super::output::{Format, clean};
use super::progress::Bar;
use super::table::{Side, Table};
use crate::drivers::connections::{self, Connections};
use crate::error::{Error, plural};
use crate::executor::{Confirm, Event, ExecutorError, RunReport, RunState, State, StepStatus};
use crate::files;
use crate::run_id::RunId;
use crate::settings;
use crate::store::{Journal, Phase, SqliteJournal, StepEvent};

/// Which journal a command reads or writes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct JournalArg {
    /// The journal that keeps what was done; by default journal.db in carafe's folder below $XDG_STATE_HOME
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

impl JournalArg {
    fn path(&self, context: &Context) -> Result<PathBuf, Error> {
        self.journal.clone().or_else(|| context.settings.default_journal()).ok_or_else(|| {
            Error::usage(
                "there is no folder to keep a journal in",
                "set HOME or XDG_STATE_HOME, or name a journal with --journal FILE",
            )
        })
    }

    /// The same path, in a folder that is there: only the folder that is Carafe's own is made.
    fn path_in_folder(&self, context: &Context) -> Result<PathBuf, Error> {
        let path = self.path(context)?;
        if self.journal.is_none()
            && let Some(folder) = path.parent()
        {
            std::fs::create_dir_all(folder)
                .map_err(|source| files::FileError::Unwritable { path: folder.to_owned(), source })?;
        }
        Ok(path)
    }

    /// Opens the journal, and makes it where there is none.
    pub(super) fn open_or_make(&self, context: &Context) -> Result<SqliteJournal, Error> {
        let path = self.path_in_folder(context)?;
        Ok(context.wait(SqliteJournal::open(&path))?)
    }

    /// Opens a journal that is there.
    pub(super) fn open(&self, context: &Context) -> Result<SqliteJournal, Error> {
        let path = self.path(context)?;
        if !path.exists() {
            return Err(Error::failed(
                format!("there is no journal at {}", path.display()),
                "nothing was applied with it yet; name the journal that you applied with by --journal FILE",
            ));
        }
        Ok(context.wait(SqliteJournal::open(&path))?)
    }

    /// What to add to a command so that it uses the same journal.
    fn typed(&self) -> String {
        self.journal.as_ref().map(|path| format!(" --journal {}", path.display())).unwrap_or_default()
    }
}

/// What a command carries steps out on.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct TargetArgs {
    /// The file that says which driver serves which provider
    #[arg(long, value_name = "FILE", conflicts_with = "simulate")]
    connections: Option<PathBuf>,
    /// Use a simulated cloud that is kept in a file beside the journal; nothing real is touched
    #[arg(long)]
    simulate: bool,
    /// How many calls may be under way at a time
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    parallelism: u16,
}

impl TargetArgs {
    /// Whether nothing real is touched.
    pub(super) fn is_simulated(&self) -> bool {
        self.simulate
    }

    pub(super) fn parallelism(&self) -> usize {
        usize::from(self.parallelism)
    }

    /// Opens what the user named.
    pub(super) fn open(&self, journal: &JournalArg, context: &Context) -> Result<Connections, Error> {
        if self.simulate {
            let state = journal.path_in_folder(context)?.with_extension("cloud.json");
            return Connections::simulated(Some(state)).map_err(|error| {
                Error::failed(
                    error.to_string(),
                    "remove the file of the simulated cloud to begin with an empty one",
                )
            });
        }
        let Some(path) = &self.connections else {
            return Err(Error::usage(
                "nothing says which cloud to carry this out on",
                "name a connections file with --connections connections.toml, or rehearse it with --simulate",
            ));
        };
        let text = files::read_text(path, context.limit)?;
        let (read, found) = connections::read(&path.display().to_string(), &text);
        unfit(found, context)?;
        Connections::open(&read, &settings::variable)
            .map_err(|found| shown(ExecutorError::Unfit(found), context))
    }

    /// What to add to a command so that it works on the same target.
    fn typed(&self) -> String {
        match &self.connections {
            Some(path) => format!(" --connections {}", path.display()),
            None => " --simulate".to_owned(),
        }
    }
}

/// Shows why nothing is begun, if there is a reason.
fn unfit(found: Vec<Finding>, context: &Context) -> Result<(), Error> {
    findings::print(&context.out, &found);
    match found.len() {
        0 => Ok(()),
        count => Err(Error::Unfit { count }),
    }
}

/// Shows the findings of a plan that is not fit to be carried out; other errors go as they are.
pub(super) fn shown(error: ExecutorError, context: &Context) -> Error {
    match error {
        ExecutorError::Unfit(found) => {
            findings::print(&context.out, &found);
            Error::Unfit { count: found.len() }
        }
        other @ (ExecutorError::Locked { .. }
        | ExecutorError::Unfinished { .. }
        | ExecutorError::Undone { .. }
        | ExecutorError::NoRun(_)
        | ExecutorError::Journal(_)
        | ExecutorError::Broken(_)) => other.into(),
    }
}

/// Which of a person's steps are confirmed.
pub(super) fn confirmation(words: &[String]) -> Confirm {
    match words {
        [] => Confirm::None,
        words if words.iter().any(|word| word == "all") => Confirm::All,
        words => Confirm::Steps(words.iter().map(|word| StepId(word.clone())).collect::<BTreeSet<_>>()),
    }
}

/// Asks for a yes before anything is changed.
pub(super) fn approve(context: &Context, what: &str, auto_approve: bool) -> Result<(), Error> {
    if auto_approve {
        return Ok(());
    }
    if context.no_input || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Error::usage(
            format!("{what}, and there is nobody to ask"),
            "add --auto-approve if that is what you want",
        ));
    }
    context.out.stderr(&format!("{}.\nType yes to go on:", clean(what)));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    match read {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        Ok(_) | Err(_) => {
            Err(Error::failed("not approved; nothing was done", "type yes when asked, to go on"))
        }
    }
}

/// The run that is meant when none is named: the only one that is not over.
pub(super) fn pick(
    named: Option<&String>,
    phases: &[Phase],
    journal: &SqliteJournal,
    context: &Context,
) -> Result<RunId, Error> {
    if let Some(name) = named {
        return Ok(RunId::from(name.as_str()));
    }
    let mut runs = context.wait(journal.runs())?;
    runs.retain(|run| phases.contains(&run.phase));
    let names: Vec<&str> = runs.iter().map(|run| run.run.as_str()).collect();
    match names.as_slice() {
        [only] => Ok(RunId::from(*only)),
        [] => Err(Error::failed("no run of this journal is open", "see `carafe status` for what was done")),
        several => Err(Error::usage("several runs are open", format!("name one of {}", several.join(", ")))),
    }
}

/// Tells on standard error what happens while it happens.
pub(super) struct Teller<'a> {
    context: &'a Context,
    bar: Option<Bar>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(context: &'a Context) -> Teller<'a> {
        Teller { context, bar: None }
    }

    pub(super) fn tell(&mut self, event: Event) {
        match event {
            Event::RunStarted { run, steps, done, .. } => {
                self.line(
                    false,
                    &format!("run {run}: {}, {done} done already", plural(steps, "step", "steps")),
                );
                self.bar = Some(Bar::start(&self.context.out, steps.saturating_sub(done)));
            }
            Event::Step { step, event } => self.step(&step, &event),
            Event::Looking { step } => self.line(true, &format!("looking at {step}")),
            Event::Throttled { step, wait_ms, .. } => {
                self.line(true, &format!("{step}: asked to wait {wait_ms} ms"));
            }
            Event::Creating { step, .. } => self.line(true, &format!("{step}: still being made")),
            Event::Draining { calls } => {
                self.line(
                    false,
                    &format!("stopping: waiting for {} under way", plural(calls, "call", "calls")),
                );
            }
            Event::RunEnded { .. } => self.bar = None,
        }
    }

    fn step(&self, step: &StepId, event: &StepEvent) {
        let (ends, loud, text) = match event {
            StepEvent::Intent | StepEvent::RemoveIntent | StepEvent::Absent => return,
            StepEvent::Made { resource } => (true, false, format!("made {resource}")),
            StepEvent::Adopted { resource } => (true, false, format!("adopted {resource}")),
            StepEvent::AlreadyThere { resource } => (true, false, format!("{resource} is there already")),
            StepEvent::Passed { message } => (true, false, format!("passed: {message}")),
            StepEvent::Confirmed { by } => (true, false, format!("confirmed: {by}")),
            StepEvent::Removed => (true, false, "removed".to_owned()),
            StepEvent::Kept { message } => (true, true, format!("kept: {message}")),
            StepEvent::Refused { error, message } | StepEvent::RemoveRefused { error, message } => {
                (true, true, format!("refused ({error}): {message}"))
            }
            StepEvent::Lost { message } | StepEvent::RemoveLost { message } => {
                (true, true, format!("unknown: {message}"))
            }
            StepEvent::Waiting { message } => (true, false, format!("waits for a person: {message}")),
        };
        if ends && let Some(bar) = &self.bar {
            bar.advance();
        }
        self.line(!loud, &format!("{step}: {text}"));
    }

    fn line(&self, detail: bool, text: &str) {
        let print = || match detail {
            true => self.context.out.detail(&clean(text)),
            false => self.context.out.say(&clean(text)),
        };
        match &self.bar {
            Some(bar) => bar.above(print),
            None => print(),
        }
    }
}

/// Prints how a run stands at its end, the steps that need somebody first.
pub(super) fn print_report(context: &Context, format: Format, report: &RunReport) -> Result<(), Error> {
    match format {
        Format::Json => context.out.json(&findings::to_json(&[], json!({ "run": report }))),
        Format::Text => {
            let open = report.steps.iter().filter(|step| context.out.is_verbose() || needs_somebody(step));
            let table = steps_table(open);
            context.out.data(&format!(
                "{table}run {}: {}\n",
                report.run,
                sentence(&report.state, &report.steps)
            ))
        }
    }
}

fn needs_somebody(step: &StepStatus) -> bool {
    match step.state {
        State::Waiting | State::Unknown | State::Failed | State::RemovalUnknown | State::RemovalFailed => {
            true
        }
        State::Pending
        | State::Making
        | State::Made
        | State::Adopted
        | State::AlreadyThere
        | State::Confirmed
        | State::Passed
        | State::Removing
        | State::Removed
        | State::Kept => false,
    }
}

/// The steps as a table with an empty line behind it; nothing when there are none.
pub(super) fn steps_table<'s>(steps: impl Iterator<Item = &'s StepStatus>) -> String {
    let mut table = Table::new(&[
        ("wave", Side::Right),
        ("step", Side::Left),
        ("state", Side::Left),
        ("why", Side::Left),
    ]);
    let mut any = false;
    for step in steps {
        any = true;
        let refusal = step.error.as_ref().map(|error| format!("{}: {}", error.kind, error.message));
        let blocker = step.blocked_by.as_ref().map(|blocker| format!("waits for {blocker}"));
        let why = refusal.or_else(|| step.note.clone()).or(blocker).or_else(|| step.resource.clone());
        table.row([step.wave.to_string(), step.id.to_string(), word(step.state), why.unwrap_or_default()]);
    }
    if any { table.render() + "\n" } else { String::new() }
}

/// A state as people say it: its name in documents, with spaces.
fn word(state: State) -> String {
    let Value::String(name) = json!(state) else { unreachable!("a state is written as its name") };
    name.replace('_', " ")
}

/// How a run stands, in a sentence without a full stop.
pub(super) fn sentence(state: &RunState, steps: &[StepStatus]) -> String {
    let mut counts: BTreeMap<State, usize> = BTreeMap::new();
    for step in steps {
        *counts.entry(step.state).or_default() += 1;
    }
    let counts: Vec<String> =
        counts.into_iter().map(|(state, count)| format!("{count} {}", word(state))).collect();
    let state = match state {
        RunState::Running => "at work".to_owned(),
        RunState::Done => "done".to_owned(),
        RunState::WaveDone { wave } => format!("done up to wave {wave}"),
        RunState::Partly { .. } => "partly applied".to_owned(),
        RunState::Interrupted { .. } => "interrupted".to_owned(),
        RunState::PartlyDestroyed { .. } => "partly undone".to_owned(),
        RunState::Destroyed { .. } => "undone".to_owned(),
    };
    format!("{state}; {}: {}", plural(steps.len(), "step", "steps"), counts.join(", "))
}

/// Whether a run ended as it should, and if not, the command that goes on.
pub(super) fn conclude(
    context: &Context,
    report: &RunReport,
    journal: &JournalArg,
    target: &TargetArgs,
) -> Result<(), Error> {
    let go_on = |verb: &str| format!("carafe {verb} {}{}{}", report.run, target.typed(), journal.typed());
    let partly = |what: String, help: String| Err(Error::PartlyApplied { what, help });
    match &report.state {
        RunState::Running | RunState::Done | RunState::WaveDone { .. } | RunState::Destroyed { .. } => Ok(()),
        RunState::Partly { failed: 0, unknown: 0, waiting, .. } => partly(
            format!("{} for a person", plural(*waiting, "step waits", "steps wait")),
            format!("do what is listed, then: {} --confirm all", go_on("resume")),
        ),
        RunState::Partly { failed, unknown, .. } => partly(
            format!(
                "{} refused, {} unknown",
                plural(*failed, "step was", "steps were"),
                plural(*unknown, "is", "are")
            ),
            format!("mend what is listed, then: {}", go_on("resume")),
        ),
        RunState::Interrupted { .. } => {
            context.out.say(&format!("the run can go on: {}", go_on("resume")));
            Err(Error::Interrupted)
        }
        RunState::PartlyDestroyed { left } => partly(
            format!("{} may still be there", plural(*left, "resource", "resources")),
            format!("mend what is listed, then: {}", go_on("destroy")),
        ),
    }
}
