//! `carafe catalog find`.

use std::path::PathBuf;

use carafe_inventory::catalog::{Wanted, find};
use carafe_model::catalog::Term;
use carafe_model::host::Architecture;
use carafe_model::units::{Mib, Vcpus};
use clap::builder::PossibleValuesParser;
use serde_json::json;

use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::{Format, Tone, clean};
use crate::cli::table::{Side, Table};
use crate::error::{Error, Exit};
use crate::inputs;

/// Print the cheapest machines across clouds
///
/// Doubtful prices come last, whatever they say: the cheapest entry of a price list is its first mistake.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe catalog find --vcpus 4 --memory 16 --country KR
  carafe catalog find --vcpus 8 --memory 32 --provider aws --term 1yr --catalog catalog.snapshot")]
pub(crate) struct Args {
    /// At least so many vCPUs
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    vcpus: u32,
    /// At least so many GiB of memory
    #[arg(long, default_value_t = 1, value_name = "GIB")]
    memory: u32,
    /// In this country, as its code of two letters; may be repeated
    #[arg(long, value_name = "COUNTRY")]
    country: Vec<String>,
    /// Of this provider; may be repeated
    #[arg(long, value_name = "PROVIDER")]
    provider: Vec<String>,
    /// With this instruction set
    #[arg(long, default_value = "x86_64", value_parser = PossibleValuesParser::new(["x86_64", "arm64"]))]
    arch: String,
    /// With at least so many accelerators
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    gpus: u32,
    /// Paid like this
    #[arg(long, default_value = "on-demand", value_parser = PossibleValuesParser::new(Term::ALL.map(Term::name)))]
    term: String,
    /// With Windows included, by the hour
    #[arg(long, conflicts_with = "term")]
    windows: bool,
    /// How many to print
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    limit: usize,
    /// A snapshot file, a catalog database or a folder of price lists; the catalog that is built in when absent
    #[arg(long, value_name = "CATALOG")]
    catalog: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let (sealed, told) = inputs::catalog(args.catalog.as_deref(), context.limit)?;
    findings::judge(context, args.format, args.fail_on, &told)?;
    let catalog = inputs::usable(sealed)?.catalog;
    let wanted = Wanted {
        vcpus: Vcpus(args.vcpus),
        memory: Mib::from_gib(u64::from(args.memory)),
        countries: args.country.iter().map(|country| country.to_uppercase()).collect(),
        providers: args.provider.clone(),
        architecture: if args.arch == "arm64" { Architecture::Arm64 } else { Architecture::X86_64 },
        gpus: args.gpus,
        term: Term::parse(&args.term).expect("only names of terms are let in"),
        windows: args.windows,
        limit: args.limit,
    };
    let found = find(&catalog, &wanted);
    if args.format == Format::Json {
        let rest = json!({ "currency": catalog.currency.to_string(), "found": found });
        context.out.json(&findings::to_json(&told, rest))?;
        return Ok(Exit::Done);
    }
    if found.is_empty() {
        context.out.say("nothing in the catalog is like that; ask for less, or for more countries");
        return Ok(Exit::Done);
    }
    let price = format!("{} an hour", catalog.currency);
    let mut table = Table::new(&[
        (&price, Side::Right),
        ("machine", Side::Left),
        ("region", Side::Left),
        ("country", Side::Left),
        ("vCPUs", Side::Right),
        ("GiB", Side::Right),
        ("price of", Side::Left),
        ("doubt", Side::Left),
    ]);
    for machine in &found {
        let gib = format!("{}.{}", machine.memory_mib / 1024, machine.memory_mib % 1024 * 10 / 1024);
        table.row([
            machine.hour.to_string(),
            clean(&machine.name),
            clean(&machine.region),
            machine.country.clone(),
            machine.vcpus.to_string(),
            gib.trim_end_matches(".0").to_owned(),
            machine.as_of.clone(),
            match machine.doubt.is_empty() {
                true => String::new(),
                false => Tone::Warning.paint(&machine.doubt),
            },
        ]);
    }
    context.out.data(&format!("{}\n", table.render()))?;
    Ok(Exit::Done)
}
