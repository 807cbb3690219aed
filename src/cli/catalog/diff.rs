//! `carafe catalog diff`.

use std::path::{Path, PathBuf};

use carafe_inventory::catalog::{PriceChange, diff, plan_change};
use carafe_model::finding::Finding;
use carafe_model::snapshot::SealedSnapshot;
use serde_json::json;

use super::database::DatabaseArg;
use crate::catalogs;
use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::{Format, clean};
use crate::cli::table::{Side, Table};
use crate::error::{Error, Exit, plural};
use crate::inputs;

/// Say what became dearer, cheaper, new or gone between two catalogs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe catalog diff autumn.snapshot winter.snapshot
  carafe catalog diff 3 4 --catalog catalog.db --plan plan.json")]
pub(crate) struct Args {
    /// The earlier catalog: a snapshot, a database, a folder, or the number of a revision
    before: PathBuf,
    /// The later catalog
    after: PathBuf,
    /// Say what this plan would pay
    #[arg(long, value_name = "PLAN")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArg,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let (before, mut told) = args.read(&args.before, context)?;
    let (after, more) = args.read(&args.after, context)?;
    told.extend(more);
    let plan = match &args.plan {
        Some(path) => {
            let (plan, more) = inputs::plan(path, context.limit)?;
            told.extend(more);
            Some(inputs::usable(plan)?)
        }
        None => None,
    };
    findings::judge(context, args.format, args.fail_on, &told)?;
    let (before, after) = (inputs::usable(before)?.catalog, inputs::usable(after)?.catalog);
    if before.currency != after.currency {
        return Err(Error::failed(
            format!("one catalog is in {}, the other in {}", before.currency, after.currency),
            "compare catalogs of one currency; a database with an exchange rate gives both in dollars",
        ));
    }
    let changes = diff(&before, &after);
    let change = plan.as_ref().map(|plan| plan_change(plan, &before, &after));
    if args.format == Format::Json {
        let rest = json!({ "currency": after.currency.to_string(), "changes": changes, "plan": change });
        context.out.json(&findings::to_json(&told, rest))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("provider", Side::Left),
        ("rose", Side::Right),
        ("fell", Side::Right),
        ("appeared", Side::Right),
        ("vanished", Side::Right),
        ("stayed", Side::Right),
    ]);
    for (provider, of) in &changes.providers {
        table.row([
            clean(provider),
            of.rose.to_string(),
            of.fell.to_string(),
            of.appeared.to_string(),
            of.vanished.to_string(),
            of.same.to_string(),
        ]);
    }
    let mut text = format!("{}\n", table.render());
    if !changes.largest.is_empty() {
        text += "\nThe largest changes:\n";
        text += &lines(&changes.largest);
    }
    if let (Some(change), Some(plan)) = (change, plan) {
        let currency = plan.currency;
        text += &format!(
            "\nThe plan pays {currency} {} a month and would pay {}: {}.\n",
            change.before,
            change.after,
            plural(change.changed.len(), "of its rates changes", "of its rates change"),
        );
        text += &lines(&change.changed);
        if !change.gone.is_empty() {
            text += "No longer sold, counted as before:\n";
            text += &change.gone.iter().map(|id| format!("  {}\n", clean(id))).collect::<String>();
        }
    }
    context.out.data(&text)?;
    Ok(Exit::Done)
}

fn lines(changes: &[PriceChange]) -> String {
    let line = |change: &PriceChange| {
        let side = |rate: Option<_>| {
            rate.map_or("none".to_owned(), |rate: carafe_model::units::Rate| rate.to_string())
        };
        format!("  {} {} -> {}\n", clean(&change.rate_id), side(change.before), side(change.after))
    };
    changes.iter().map(line).collect()
}

impl Args {
    /// A number is a revision of the database; everything else is what other commands take too.
    fn read(&self, named: &Path, context: &Context) -> Result<(Option<SealedSnapshot>, Vec<Finding>), Error> {
        match named.to_str().and_then(|text| text.parse().ok()) {
            Some(revision) => {
                let store = self.database.open(context, false)?;
                let loaded = context.wait(store.load(Some(revision)));
                let (number, parts) = loaded.map_err(|error| super::database::failed(&error))?;
                Ok(catalogs::join(&format!("revision-{number}"), parts))
            }
            None => Ok(inputs::catalog(Some(named), context.limit)?),
        }
    }
}
