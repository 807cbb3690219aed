//! What the user types: the commands, and the one `match` that runs them.

use std::ffi::OsString;
use std::sync::Arc;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::error::{Error, Exit};
use crate::files::{self, ByteSize};
use crate::settings::Settings;

pub mod findings;

mod lang;
pub mod output;

pub mod progress;

pub mod table;

pub mod reference;

mod apply;
mod batch;
mod catalog;
mod compare;
mod completions;
mod connections;
mod demo;
mod destroy;
mod doctor;
mod execution;
mod explain;
mod export;
mod inventory;
mod journal;
mod man;
mod outputs;
mod plan;
mod report;
mod resume;
mod run_report;
mod schema;
mod status;
mod stopping;
mod sweep;
mod telling;
mod worker;

use output::{ColorWhen, Output};
use stopping::{Interrupts, Stopper};

/// Plan a cloud migration and carry it out
///
/// Carafe reads what runs today, finds the cheapest home for every piece across all clouds it has prices for, proves
/// how close that is to the optimum, and carries the plan out. Data goes to standard output, everything else to
/// standard error.
#[derive(Debug, Parser)]
#[command(name = "carafe", version, after_help = EXAMPLES, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  carafe demo                                      see the whole of it on a built-in estate
  carafe inventory import rvtools.xlsx -o estate.json
  carafe plan estate.json -o plan.json --report report.html
  carafe apply plan.json --dry-run --simulate";

/// Options of every command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Say more: every finding, and what is read and written
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    verbose: bool,
    /// Say nothing but results and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// When to use colour; NO_COLOR in the environment means never
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: ColorWhen,
    /// Never ask; fail where an answer would be needed
    #[arg(long, global = true)]
    no_input: bool,
    /// Largest file that is read
    #[arg(long, global = true, default_value = "1GiB", value_name = "SIZE")]
    max_input_size: ByteSize,
}

/// Everything Carafe does.
#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    #[command(subcommand)]
    Inventory(inventory::Command),
    #[command(subcommand)]
    Catalog(catalog::Command),
    Plan(plan::Args),
    Compare(compare::Args),
    Batch(batch::Args),
    Explain(explain::Args),
    Report(report::Args),
    #[command(subcommand)]
    Export(export::Command),
    #[command(subcommand)]
    Connections(connections::Command),
    Apply(apply::Args),
    Status(status::Args),
    Resume(resume::Args),
    Destroy(destroy::Args),
    Sweep(sweep::Args),
    Worker(worker::Args),
    Doctor(doctor::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// What every command is given beside its arguments.
#[derive(Debug)]
struct Context {
    out: Output,
    settings: Settings,
    /// How the user called this program, for commands to copy.
    program: String,
    /// Never ask.
    no_input: bool,
    /// Largest file that is read, in bytes.
    limit: u64,
    /// How the user interrupts.
    stop: Stopper,
}

impl Context {
    /// Waits for what only an asynchronous library can do; commands run on threads that may wait.
    fn wait<F: Future>(&self, future: F) -> F::Output {
        tokio::runtime::Handle::current().block_on(future)
    }
}

fn run(command: Command, context: &Context) -> Result<Exit, Error> {
    match command {
        Command::Demo(args) => demo::run(&args, context),
        Command::Inventory(command) => inventory::run(command, context),
        Command::Catalog(command) => catalog::run(command, context),
        Command::Plan(args) => plan::run(&args, context),
        Command::Compare(args) => compare::run(&args, context),
        Command::Batch(args) => batch::run(&args, context),
        Command::Explain(args) => explain::run(&args, context),
        Command::Report(args) => report::run(&args, context),
        Command::Export(command) => export::run(command, context),
        Command::Connections(command) => connections::run(command, context),
        Command::Apply(args) => apply::run(&args, context),
        Command::Status(args) => status::run(&args, context),
        Command::Resume(args) => resume::run(&args, context),
        Command::Destroy(args) => destroy::run(&args, context),
        Command::Sweep(args) => sweep::run(&args, context),
        Command::Worker(args) => worker::run(&args, context),
        Command::Doctor(args) => doctor::run(&args, context),
        Command::Schema(args) => schema::run(&args, context),
        Command::Completions(args) => completions::run(&args, context),
        Command::Man(args) => man::run(&args, context),
    }
}

/// The whole command line, for help, completions and the manual.
pub fn command() -> clap::Command {
    let styles = Styles::styled()
        .header(AnsiColor::Green.on_default().bold())
        .usage(AnsiColor::Green.on_default().bold())
        .literal(AnsiColor::Cyan.on_default().bold())
        .placeholder(AnsiColor::Cyan.on_default());
    Cli::command().styles(styles)
}

/// Runs the program on its arguments, its own name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>, settings: Settings) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let program = arguments.first().map_or("carafe".into(), |name| name.to_string_lossy().into_owned());
    let color = ColorWhen::of_arguments(&arguments).unwrap_or_default().to_clap(&settings);
    let parsed = command().color(color).try_get_matches_from(arguments);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(message) => {
            // A closed pipe behind `carafe --help` is no failure, and there is nobody left to tell.
            let _ = message.print();
            return if message.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let out = Output::new(&settings, cli.global.color, cli.global.quiet, cli.global.verbose);
    let context = Context {
        out,
        settings,
        program,
        no_input: cli.global.no_input,
        limit: cli.global.max_input_size.0,
        stop: Stopper::default(),
    };
    run_until_interrupted(cli.command, context)
}

/// Runs a command on a thread of its own while this one waits for Ctrl-C.
fn run_until_interrupted(command: Command, context: Context) -> Exit {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let error = Error::failed(format!("no thread can be started: {error}"), "close other programs");
            context.out.error(&error);
            return error.exit();
        }
    };
    let context = Arc::new(context);
    let worker = Arc::clone(&context);
    let result = runtime.block_on(async {
        // Listened for before the command begins, so that no interrupt falls between.
        let mut interrupts = Interrupts::listen();
        let mut command = tokio::task::spawn_blocking(move || run(command, &worker));
        loop {
            tokio::select! {
                ended = &mut command => break match ended {
                    Ok(result) => result,
                    Err(panic) => std::panic::resume_unwind(panic.into_panic()),
                },
                () = interrupts.next() => if !context.stop.interrupt(&context.out) {
                    break Err(Error::Interrupted);
                },
            }
        }
    });
    let exit = match result {
        Ok(exit) => exit,
        Err(error) => {
            context.out.error(&error);
            error.exit()
        }
    };
    // Whatever still runs ends with the process; a file that is being written is finished first.
    runtime.shutdown_background();
    drop(files::hold_writes());
    exit
}
