//! `carafe inventory override`.

use std::path::{Path, PathBuf};

use carafe_inventory::overrides::between;
use carafe_model::document::Document;
use carafe_model::estate::Estate;
use carafe_model::finding::Severity;

use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::Format;
use crate::cli::outputs;
use crate::error::{Error, Exit, plural};
use crate::files;
use crate::inputs;

/// Keep what was edited in an estate, so that it holds when the estate is imported again
///
/// Compares the estate as it was imported with the one that was edited by hand, and writes every change with what it
/// replaced. "inventory import --overrides" puts the changes on a new import; where the import no longer has a thing, or
/// says something else than it did, it tells so.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory override --base estate.json --edited mine.json -o overrides.json
  carafe inventory import rvtools.xlsx --overrides overrides.json -o estate.json")]
pub(crate) struct Args {
    /// The estate as it was imported, without overrides
    #[arg(long, value_name = "ESTATE")]
    base: PathBuf,
    /// The same estate as it was edited
    #[arg(long, value_name = "ESTATE")]
    edited: PathBuf,
    /// Write the overrides to this file; to standard output when absent or -
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    outputs::Paths::default().reads([&args.base, &args.edited]).writes(&args.output).apart()?;
    let (base, edited) = (estate(&args.base, args, context)?, estate(&args.edited, args, context)?);
    let overrides = between(&base, &edited);
    let output = args.output.as_deref().unwrap_or(Path::new(files::STANDARD_STREAM));
    context.out.document(output, overrides.to_json().as_bytes())?;
    let told = format!("{} kept", plural(overrides.changes.len(), "change", "changes"));
    match files::is_standard_stream(output) {
        true => context.out.say(&told),
        false => context.out.data(&format!("wrote {}: {told}\n", output.display()))?,
    }
    Ok(Exit::Done)
}

/// Reads an estate; whether it could be planned is no question here.
fn estate(path: &Path, args: &Args, context: &Context) -> Result<Estate, Error> {
    let (estate, mut found) = inputs::estate(path, context.limit)?;
    found.retain(|finding| finding.severity == Severity::Error);
    findings::judge(context, Format::Text, args.fail_on, &found)?;
    inputs::usable(estate)
}
