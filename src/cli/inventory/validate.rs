//! `carafe inventory validate`.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::Context;
use crate::cli::findings::{self, Counts, FailOnArg};
use crate::cli::output::Format;
use crate::error::{Error, Exit};
use crate::files;
use crate::inputs;

/// Check an estate and list everything that is wrong or doubtful in it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory validate estate.json
  carafe inventory validate estate.json --fail-on warning
  carafe inventory validate estate.json --format json | jq .counts")]
pub(crate) struct Args {
    /// The estate document, or - for standard input
    estate: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let (_, found) = inputs::estate(&args.estate, context.limit)?;
    let judged = findings::judge(context, args.format, args.fail_on, &found);
    match (args.format, &judged) {
        (Format::Text, _) => {
            let name = files::display_name(&args.estate);
            context.out.data(&format!("{name}: {}\n", Counts::of(&found)))?;
        }
        (Format::Json, Ok(())) => context.out.json(&findings::to_json(&found, json!({})))?,
        (Format::Json, Err(_)) => {}
    }
    judged.map(|()| Exit::Done)
}
