//! `carafe catalog snapshot` and `carafe catalog history`: what a catalog database holds, now and before.

use std::path::PathBuf;

use carafe_model::snapshot;
use serde_json::json;

use super::database::{DatabaseArg, failed};
use crate::catalogs;
use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::{Format, clean};
use crate::cli::table::{Side, Table};
use crate::error::{Error, Exit};
use crate::inputs;
use crate::run_id::rfc3339;

/// Freeze a catalog database into a snapshot file
///
/// The same imports give the same bytes, whether the database is SQLite or PostgreSQL, and a revision gives the same
/// bytes for ever.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe catalog snapshot -o catalog.snapshot
  carafe catalog snapshot --catalog catalog.db --revision 3 -o then.snapshot")]
pub(crate) struct Args {
    #[command(flatten)]
    database: DatabaseArg,
    /// The revision; the newest when absent
    #[arg(long, value_name = "NUMBER")]
    revision: Option<i64>,
    /// What to call the snapshot; revision-NUMBER when absent
    #[arg(long)]
    id: Option<String>,
    /// Write the snapshot to this file, or to standard output for -
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let store = args.database.open(context, false)?;
    let (number, parts) = context.wait(store.load(args.revision)).map_err(|error| failed(&error))?;
    let id = args.id.clone().unwrap_or_else(|| format!("revision-{number}"));
    let (joined, told) = catalogs::join(&id, parts);
    findings::judge(context, Format::Text, args.fail_on, &told)?;
    let (sealed, bytes) = snapshot::seal(inputs::usable(joined)?.catalog);
    context.out.document(&args.output, &bytes)?;
    context.out.say(&format!("wrote revision {number}, sha256 {}", sealed.sha256));
    Ok(Exit::Done)
}

/// List the revisions of a catalog database
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe catalog history
  carafe catalog history --catalog catalog.db --format json")]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    database: DatabaseArg,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn history(args: &HistoryArgs, context: &Context) -> Result<Exit, Error> {
    let store = args.database.open(context, false)?;
    let revisions = context.wait(store.revisions()).map_err(|error| failed(&error))?;
    if args.format == Format::Json {
        let one = |revision: &crate::store::catalog::Revision| json!({ "revision": revision.id, "made": rfc3339(revision.made), "what": revision.what, "parts": revision.parts });
        let all: Vec<_> = revisions.iter().map(one).collect();
        context.out.json(&json!({ "revisions": all }))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("revision", Side::Right),
        ("made", Side::Left),
        ("parts", Side::Right),
        ("what", Side::Left),
    ]);
    for revision in &revisions {
        table.row([
            revision.id.to_string(),
            rfc3339(revision.made),
            revision.parts.to_string(),
            clean(&revision.what),
        ]);
    }
    context.out.data(&format!("{}\n", table.render()))?;
    Ok(Exit::Done)
}
