//! `carafe apply`.

use std::path::PathBuf;

use carafe_model::document::{self, Document};
use carafe_model::plan::Plan;
use carafe_reports::run_html;
use serde_json::json;

use super::Context;
use super::execution::{self, TargetArgs, TellArgs};
use super::findings::{self, FailOnArg};
use super::journal::JournalArg;
use super::output::Format;
use super::run_report;
use super::table::{Side, Table};
use super::telling::Teller;
use super::worker::QueueArgs;
use crate::error::{Error, Exit, plural};
use crate::executor::{self, Change, Confirm, DryRun, OnDrift, Options, Request, Stray, queue};
use crate::files;
use crate::hooks;
use crate::inputs;
use crate::store::postgres::LEASE;

/// Carry a plan out, or say what that would do
///
/// Everything that is asked of a cloud is written to a journal before, so that a run can be taken up after any accident
/// with `carafe resume` and undone with `carafe destroy`. Steps that a person has to do are waited for, until they are
/// confirmed; on a simulated cloud there is nothing to do, so --auto-approve confirms them too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe apply plan.json --dry-run --simulate
  carafe apply plan.json --dry-run --connections connections.toml --detailed-exitcode
  carafe apply plan.json --connections connections.toml --wave 1
  carafe apply plan.json --simulate --auto-approve")]
pub(super) struct Args {
    /// The plan document, or - for standard input
    plan: PathBuf,
    /// Say what would be done; read the target and change nothing
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run, end with 2 when there is something to do
    #[arg(long, requires = "dry_run")]
    detailed_exitcode: bool,
    /// Stop after this wave; later waves go on when the plan is applied again
    #[arg(long, value_name = "N")]
    wave: Option<u32>,
    /// Do not ask before changing anything
    #[arg(long)]
    auto_approve: bool,
    /// Confirm a step that a person has done, or all of them
    #[arg(long, value_name = "STEP|all")]
    confirm: Vec<String>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    queue: QueueArgs,
    /// Hooks, checks and approvals to carry out with the plan
    #[arg(long, value_name = "FILE")]
    hooks: Option<PathBuf>,
    #[command(flatten)]
    tell: TellArgs,
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let (plan, found) = inputs::plan(&args.plan, context.limit)?;
    findings::judge(context, args.tell.format, args.fail_on, &found)?;
    let plan = inputs::usable(plan)?;
    let plan_sha256 = document::sha256(plan.to_json().as_bytes());
    let plan = with_hooks(plan, args, context)?;
    let last = plan.steps.iter().map(|step| step.wave).max().unwrap_or(0);
    if let Some(wave) = args.wave.filter(|wave| *wave > last) {
        return Err(Error::usage(
            format!("the plan has no wave {wave}"),
            format!("its last wave is {last}; leave --wave out to do all"),
        ));
    }
    let connections = args.target.open(&args.journal, context)?;
    let confirm = match execution::confirmation(&args.confirm) {
        Confirm::None if args.auto_approve && args.target.is_simulated() => Confirm::All,
        asked @ (Confirm::None | Confirm::Steps(_) | Confirm::All) => asked,
    };
    let request = Request {
        plan: &plan,
        plan_sha256: &plan_sha256,
        wave: args.wave,
        options: Options {
            parallelism: args.target.parallelism(),
            confirm,
            on_drift: OnDrift::Stop,
            checks_first: true,
            hands: execution::hands(&args.target),
            ..Options::default()
        },
    };
    let typed = execution::typed(&args.target, &args.journal);
    let mut teller = Teller::new(context, args.tell.json);
    if args.dry_run {
        let dry_run = context
            .wait(executor::dry_run(&request, &connections, &mut |event| teller.tell(event)))
            .map_err(|error| execution::shown(error, context, typed))?;
        return tell_dry_run(args, context, &dry_run);
    }
    let steps = plan.steps.iter().filter(|step| args.wave.is_none_or(|wave| step.wave <= wave)).count();
    let on = if args.target.is_simulated() { "a simulated cloud" } else { "the clouds it names" };
    let what = format!("this carries out {} of {} on {on}", plural(steps, "step", "steps"), plan.name);
    execution::approve(context, &what, args.auto_approve)?;
    if args.queue.queue {
        let shared = args.journal.open_shared(context, LEASE)?;
        let run = context
            .wait(queue::enqueue(&request, &connections, &shared))
            .map_err(|error| execution::shown(error, context, typed))?;
        return args.queue.follow(&run, &shared, context, &args.tell, (&args.target, &args.journal));
    }
    let journal = args.journal.open_or_make(context)?;
    let stop = context.stop.listen();
    let report = context
        .wait(executor::apply(&request, &connections, &journal, &mut |event| teller.tell(event), stop))
        .map_err(|error| execution::shown(error, context, typed.clone()))?;
    teller.finish()?;
    run_report::end(context, &args.tell, &report, &journal, &typed)?;
    execution::conclude(context, &report, &args.journal, &args.target)?;
    Ok(Exit::Done)
}

/// The plan with the user's own steps between its own.
fn with_hooks(plan: Plan, args: &Args, context: &Context) -> Result<Plan, Error> {
    let Some(path) = &args.hooks else { return Ok(plan) };
    let text = files::read_text(path, context.limit)?;
    let (attached, found) = hooks::file::read(&path.display().to_string(), &text);
    execution::unfit(found, context)?;
    let with_hooks = hooks::attach(&plan, &attached);
    with_hooks.or_else(|found| execution::unfit(found, context).map(|()| plan))
}

fn tell_dry_run(args: &Args, context: &Context, dry_run: &DryRun) -> Result<Exit, Error> {
    if let Some(path) = &args.tell.report {
        files::write(path, run_html(&run_report::of_dry_run(dry_run)).as_bytes())?;
    }
    match args.tell.format {
        Format::Text => {
            context.out.data(&text(dry_run, context.out.is_verbose()))?;
            findings::judge(context, args.tell.format, args.fail_on, &dry_run.findings)?;
        }
        Format::Json => {
            let rest = json!({ "dry_run": dry_run, "changes": dry_run.has_changes() });
            context.out.json(&findings::to_json(&dry_run.findings, rest))?;
            let count = findings::stopping(args.fail_on, &dry_run.findings);
            if count > 0 {
                return Err(Error::Findings { count });
            }
        }
    }
    match args.detailed_exitcode && dry_run.has_changes() {
        true => Ok(Exit::Usage),
        false => Ok(Exit::Done),
    }
}

fn text(dry_run: &DryRun, all: bool) -> String {
    let mut table = Table::new(&[
        ("wave", Side::Right),
        ("change", Side::Left),
        ("step", Side::Left),
        ("details", Side::Left),
    ]);
    let shown = dry_run.steps.iter().filter(|step| all || step.change != Change::Exists);
    for step in shown {
        table.row([
            step.wave.to_string(),
            word(step.change).to_owned(),
            step.id.to_string(),
            step.details.join("; "),
        ]);
    }
    let counts: Vec<String> = CHANGES
        .into_iter()
        .map(|change| (dry_run.count(change), change))
        .filter(|(count, _)| *count > 0)
        .map(|(count, change)| format!("{count} {}", word(change)))
        .collect();
    let total = plural(dry_run.steps.len(), "step", "steps");
    let counts = if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") };
    let strays: String = dry_run.strays.iter().map(|stray| format!("{}\n", stray_words(stray))).collect();
    format!(
        "{}\n{strays}{}: {total}: {counts}; nothing was changed\n",
        table.render(),
        super::output::clean(&dry_run.plan)
    )
}

/// What bears a run's tags without being in the plan.
pub(super) fn stray_words(stray: &Stray) -> String {
    let Stray { provider, region, kind, name, run } = stray;
    super::output::clean(&format!(
        "{provider}/{region} has {} \"{name}\" of run {run}, which is not in this plan",
        kind.words()
    ))
}

/// Every change, in the order in which they are counted.
pub(super) const CHANGES: [Change; 8] = [
    Change::Make,
    Change::Adopt,
    Change::Exists,
    Change::Manual,
    Change::Differs,
    Change::Taken,
    Change::MissingCapability,
    Change::Unreadable,
];

pub(super) const fn word(change: Change) -> &'static str {
    match change {
        Change::Make => "to make",
        Change::Adopt => "to adopt",
        Change::Exists => "there already",
        Change::Differs => "there with other settings",
        Change::Taken => "with a name that is taken",
        Change::MissingCapability => "not offered there",
        Change::Unreadable => "that cannot be read",
        Change::Manual => "for a person",
    }
}
