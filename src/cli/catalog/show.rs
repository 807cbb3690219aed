//! `carafe catalog show`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use carafe_inventory::catalog::{Quality, quality, summary};
use carafe_model::snapshot::SealedSnapshot;
use serde_json::{Value, json};

use crate::catalogs;
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
  carafe catalog show --catalog catalog.snapshot --format json
  carafe catalog show --quality --stale-after 90")]
pub(crate) struct Args {
    /// A snapshot file, a catalog database or a folder of price lists; the catalog that is built in when absent
    #[arg(long, value_name = "CATALOG")]
    catalog: Option<PathBuf>,
    /// Say what is doubtful, stale or missing
    #[arg(long)]
    quality: bool,
    /// Prices older than so many days are stale
    #[arg(long, default_value_t = 180, value_name = "DAYS")]
    stale_after: u64,
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
    if args.quality {
        let day = Duration::from_secs(86_400);
        let age = day.saturating_mul(u32::try_from(args.stale_after).unwrap_or(u32::MAX));
        let before = catalogs::date(SystemTime::now().checked_sub(age).unwrap_or(UNIX_EPOCH));
        let judged = quality(&sealed.catalog, &before);
        match args.format {
            Format::Text => context.out.data(&quality_text(&judged, &before))?,
            Format::Json => {
                let rest = json!({ "stale_before": before, "quality": judged });
                context.out.json(&findings::to_json(&found, rest))?;
            }
        }
        return Ok(Exit::Done);
    }
    match args.format {
        Format::Text => context.out.data(&text(&sealed))?,
        Format::Json => context.out.json(&findings::to_json(&found, json!({ "catalog": json(&sealed) })))?,
    }
    Ok(Exit::Done)
}

/// What is doubtful, as a table and a few examples.
fn quality_text(judged: &[Quality], before: &str) -> String {
    let mut table = Table::new(&[
        ("provider", Side::Left),
        ("offers", Side::Right),
        ("unpriced types", Side::Right),
        ("stale", Side::Right),
        ("doubtful", Side::Right),
        ("qualified by their source", Side::Right),
    ]);
    for of in judged {
        table.row([
            clean(&of.provider),
            of.offers.to_string(),
            of.unpriced.to_string(),
            of.stale.to_string(),
            of.doubtful.values().sum::<usize>().to_string(),
            of.qualified.values().sum::<usize>().to_string(),
        ]);
    }
    let mut text = format!("{}\n\n", table.render());
    text += "Unpriced types are never chosen. Prices of zero, below zero, and placeholders were refused when they were\n";
    text += &format!("imported. Stale prices are from before {before}.\n");
    for of in judged {
        for example in &of.examples {
            text += &format!("  doubtful: {}\n", clean(example));
        }
        for (said, offers) in &of.qualified {
            text += &format!("  {}: {offers} offers: {}\n", clean(&of.provider), clean(said));
        }
    }
    text
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
        ("by unit", Side::Right),
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
            row.unit_prices.to_string(),
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
