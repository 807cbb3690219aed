//! `carafe catalog show`.

use std::path::PathBuf;

use carafe_inventory::catalog::summary;
use carafe_model::snapshot::SealedSnapshot;
use serde_json::{Value, json};

use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::{Format, Tone, clean};
use crate::cli::table::{Side, Table};
use crate::error::{Error, Exit, plural};
use crate::inputs;

/// Show what a catalog holds, by provider
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe catalog show
  carafe catalog show --catalog catalog.snapshot --format json")]
pub(crate) struct Args {
    /// A snapshot file or a folder of price lists; the catalog that is built in when absent
    #[arg(long, value_name = "FILE|DIR")]
    catalog: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let (sealed, found) = inputs::catalog(args.catalog.as_deref(), context.limit)?;
    findings::judge(context, args.format, args.fail_on, &found)?;
    let sealed = inputs::usable(sealed)?;
    match args.format {
        Format::Text => context.out.data(&text(&sealed))?,
        Format::Json => context.out.json(&findings::to_json(&found, json!({ "catalog": json(&sealed) })))?,
    }
    Ok(Exit::Done)
}

/// A catalog as a table.
pub(super) fn text(sealed: &SealedSnapshot) -> String {
    let summary = summary(&sealed.catalog);
    let mut table = Table::new(&[
        ("provider", Side::Left),
        ("regions", Side::Right),
        ("types", Side::Right),
        ("unpriced", Side::Right),
        ("offers", Side::Right),
        ("disks", Side::Right),
        ("traffic", Side::Right),
        ("services", Side::Right),
        ("licences", Side::Right),
        ("oldest price", Side::Left),
        ("newest price", Side::Left),
    ]);
    for row in &summary.providers {
        table.row([
            row.provider.clone(),
            row.regions.to_string(),
            row.instance_types.to_string(),
            row.unpriced_types.to_string(),
            row.offers.to_string(),
            row.disks.to_string(),
            row.transfers.to_string(),
            row.services.to_string(),
            row.licences.to_string(),
            row.oldest.clone(),
            row.newest.clone(),
        ]);
    }
    let title = Tone::Strong.paint(&clean(&summary.id));
    let offers = plural(summary.offers, "offer", "offers");
    let (currency, oldest, newest) = (&summary.currency, &summary.oldest, &summary.newest);
    format!(
        "{title}, {offers}, prices in {currency} from {oldest} to {newest}\nsha256 {}\n\n{}\n",
        sealed.sha256,
        table.render(),
    )
}

/// A catalog as JSON.
pub(super) fn json(sealed: &SealedSnapshot) -> Value {
    let mut catalog = json!(summary(&sealed.catalog));
    catalog["sha256"] = json!(sealed.sha256);
    catalog
}
