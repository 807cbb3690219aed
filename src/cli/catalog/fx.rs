//! `carafe catalog fx`.

use carafe_inventory::catalog::ExchangeRate;
use carafe_model::units::{Currency, Rate};

use super::database::DatabaseArg;
use crate::catalogs;
use crate::cli::Context;
use crate::error::{Error, Exit};

/// Write down a dated exchange rate in the catalog database
///
/// Prices are kept in the currency they were quoted in. Where providers quote in several, a snapshot is in dollars, and
/// every converted price names the rate, its date and its source.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe catalog fx KRW USD 0.00068 --as-of 2026-11-20 --source 'Bank of Korea'")]
pub(crate) struct Args {
    /// The currency that is converted
    from: Currency,
    /// The currency that it is converted to
    to: Currency,
    /// How much of the second one unit of the first buys
    rate: Rate,
    /// The day of the rate, as 2026-11-20
    #[arg(long, value_name = "DATE")]
    as_of: String,
    /// Who says so
    #[arg(long)]
    source: String,
    #[command(flatten)]
    database: DatabaseArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    if args.rate.0 <= 0 || args.from == args.to {
        return Err(Error::usage(
            "an exchange rate is above zero and between two currencies",
            "write how much of the second currency one unit of the first buys",
        ));
    }
    if !carafe_inventory::catalog::is_day(&args.as_of) {
        return Err(Error::usage("the day of the rate cannot be read", "write it as 2026-11-20"));
    }
    let rate = ExchangeRate {
        from: args.from.to_string(),
        to: args.to.to_string(),
        as_of: args.as_of.clone(),
        source: args.source.clone(),
        rate: args.rate.0,
    };
    let what = format!("exchange rate {} {} {}", rate.from, rate.to, args.rate);
    match args.database.add(context, &[catalogs::rates_part(&rate)], &what)? {
        Some(revision) => context.out.say(&format!("revision {revision}: {what}")),
        None => context.out.say("this rate is written down already"),
    }
    Ok(Exit::Done)
}
