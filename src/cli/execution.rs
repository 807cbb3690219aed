//! What `apply`, `status`, `resume` and `destroy` share: the journal, the connections, and how a run is told.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use carafe_model::finding::Finding;
use carafe_model::ids::StepId;
use serde_json::{Value, json};

use super::Context;
use super::findings;
use super::journal::JournalArg;
use super::output::{Format, clean};
use super::table::{Side, Table};
use crate::drivers::connections::{self, Connections};
use crate::error::{Error, plural};
use crate::executor::hands::{Hands, TiedHands};
use crate::executor::{Confirm, ExecutorError, RunReport, RunState, State, StepStatus};
use crate::files;
use crate::hooks::RealHands;
use crate::run_id::RunId;
use crate::settings;
use crate::store::{Journal, Phase};

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
            let state = journal.simulated_cloud(context)?;
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
        opened(path, context)
    }

    /// What to add to a command so that it works on the same target.
    fn typed(&self) -> String {
        match &self.connections {
            Some(path) => format!(" --connections {}", quoted(path)),
            None if self.simulate => " --simulate".to_owned(),
            None => String::new(),
        }
    }
}

/// Opens the connections of a file.
pub(super) fn opened(path: &Path, context: &Context) -> Result<Connections, Error> {
    let text = files::read_text(path, context.limit)?;
    let (read, found) = connections::read(&path.display().to_string(), &text);
    unfit(found, context)?;
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Connections::open(&read, &settings::variable)
        .map(|opened| opened.typed(format!("--connections {}", quoted(&absolute))))
        .map_err(|found| shown(ExecutorError::Unfit(found), context, String::new()))
}

/// What the user typed to name the target and the journal, with a space before each.
pub(super) fn typed(target: &TargetArgs, journal: &JournalArg) -> String {
    format!("{}{}", target.typed(), journal.typed())
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// How a run is told.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct TellArgs {
    /// How to print what was done
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Print what happens while it happens, each event as a line of JSON, and nothing else
    #[arg(long, conflicts_with = "format")]
    pub(super) json: bool,
    /// Write what was done, or would be, as one HTML file
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
}

/// What runs hooks on a target: nobody where nothing real is touched.
pub(super) fn hands(target: &TargetArgs) -> Arc<dyn Hands> {
    match target.is_simulated() {
        true => Arc::new(TiedHands),
        false => Arc::new(RealHands::new(Arc::new(settings::variable))),
    }
}

/// Shows why nothing is begun, if there is a reason.
pub(super) fn unfit(found: Vec<Finding>, context: &Context) -> Result<(), Error> {
    findings::print(&context.out, &found);
    match found.len() {
        0 => Ok(()),
        count => Err(Error::Unfit { count }),
    }
}

/// Shows the findings of a plan that is not fit to be carried out; other errors go as they are, with what was typed.
pub(super) fn shown(error: ExecutorError, context: &Context, typed: String) -> Error {
    match error {
        ExecutorError::Unfit(found) => {
            findings::print(&context.out, &found);
            Error::Unfit { count: found.len() }
        }
        other @ (ExecutorError::Locked { .. }
        | ExecutorError::Unfinished { .. }
        | ExecutorError::Undone { .. }
        | ExecutorError::Elsewhere { .. }
        | ExecutorError::NoRun(_)
        | ExecutorError::Journal(_)
        | ExecutorError::Broken(_)) => Error::Executor { error: other, typed },
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

/// Asks for a name to be typed before anything is lost.
pub(super) fn approve_by_name(context: &Context, what: &str, name: &str, flag: &str) -> Result<(), Error> {
    if context.no_input || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Error::usage(
            format!("{what}, and there is nobody to ask"),
            format!("add {flag} {} and --auto-approve if that is what you want", quoted(Path::new(name))),
        ));
    }
    context.out.stderr(&format!("{}.\nType the name of the plan, {}, to go on:", clean(what), clean(name)));
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Ok(_) if answer.trim() == name => Ok(()),
        Ok(_) | Err(_) => {
            Err(Error::failed("not approved; nothing was done", "type the name as it is shown"))
        }
    }
}

/// The run that is meant when none is named: the only one that is open.
pub(super) fn pick_open(
    named: Option<&String>,
    journal: &dyn Journal,
    context: &Context,
) -> Result<RunId, Error> {
    if let Some(name) = named {
        return Ok(RunId::from(name.as_str()));
    }
    let mut runs = context.wait(journal.runs())?;
    runs.retain(|run| run.phase == Phase::Open);
    let names: Vec<&str> = runs.iter().map(|run| run.run.as_str()).collect();
    match names.as_slice() {
        [only] => Ok(RunId::from(*only)),
        [] => Err(Error::failed("no run of this journal is open", "see `carafe status` for what was done")),
        several => Err(Error::usage("several runs are open", format!("name one of {}", several.join(", ")))),
    }
}

/// Prints how a run stands at its end, the steps that need somebody first.
pub(super) fn print_report(context: &Context, format: Format, report: &RunReport) -> Result<(), Error> {
    match format {
        Format::Json => context.out.json(&findings::to_json(&[], json!({ "run": report }))),
        Format::Text => {
            let open = report.steps.iter().filter(|step| context.out.is_verbose() || needs_somebody(step));
            let table = steps_table(open);
            let nothing = match (&report.state, report.done_now) {
                (RunState::Done, 0) => {
                    "there is nothing to do: it did all of the plan, and everything is as it left it\n"
                }
                _ => "",
            };
            context.out.data(&format!(
                "{table}run {}: {}\n{nothing}",
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
pub(super) fn word(state: State) -> String {
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
        RunState::Drifted { steps } => format!("{} drifted", plural(*steps, "step has", "steps have")),
        RunState::Unreadable { message } => return format!("unreadable: {message}"),
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
    let go_on = |verb: &str| format!("carafe {verb} {}{}", report.run, typed(target, journal));
    let partly = |what: String, help: String| Err(Error::PartlyApplied { what, help });
    if report.stopped {
        let verb = match &report.state {
            RunState::PartlyDestroyed { .. } => Some("destroy"),
            RunState::Partly { .. } | RunState::Interrupted { .. } => Some("resume"),
            RunState::Running
            | RunState::Done
            | RunState::WaveDone { .. }
            | RunState::Drifted { .. }
            | RunState::Unreadable { .. }
            | RunState::Destroyed { .. } => None,
        };
        if let Some(verb) = verb {
            context.out.say(&format!("the run can go on: {}", go_on(verb)));
            return Err(Error::Interrupted);
        }
    }
    match &report.state {
        RunState::Running | RunState::Done | RunState::WaveDone { .. } | RunState::Destroyed { .. } => Ok(()),
        RunState::Unreadable { message } => {
            Err(Error::failed(message.clone(), "`carafe doctor` looks at the journal"))
        }
        RunState::Drifted { steps } => partly(
            format!("{} no longer as the run left it", plural(*steps, "resource is", "resources are")),
            format!(
                "make what is gone again with: {0} --on-drift repair; or go on as it is with: {0} --on-drift ignore",
                go_on("resume")
            ),
        ),
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
