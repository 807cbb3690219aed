//! `carafe report`.

use std::path::PathBuf;

use super::Context;
use super::findings::{self, FailOnArg};
use super::lang::LangArg;
use super::output::Format;
use super::outputs;
use crate::error::{Error, Exit};
use crate::inputs;

/// Say a plan to people: one self-contained HTML file, or the terminal
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe report plan.json
  carafe report plan.json --html report.html")]
pub(super) struct Args {
    /// The plan document, or - for standard input
    plan: PathBuf,
    /// Write the report as one HTML file that needs no network, or to standard output for -
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    lang: LangArg,
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    outputs::Paths::default().reads([&args.plan]).writes(&args.html).apart()?;
    let (plan, found) = inputs::plan(&args.plan, context.limit)?;
    findings::judge(context, Format::Text, args.fail_on, &found)?;
    let plan = inputs::usable(plan)?;
    match &args.html {
        Some(file) => {
            context.out.document(file, carafe_reports::html(&plan, args.lang.lang).as_bytes())?;
            context.out.say(&format!("wrote {}", file.display()));
        }
        None => context.out.data(&carafe_reports::text(&plan, context.out.width(), args.lang.lang))?,
    }
    Ok(Exit::Done)
}
