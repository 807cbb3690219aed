//! `carafe inventory`: what runs today.

use clap::Subcommand;

use super::Context;
use crate::error::{Error, Exit};

mod anonymise;
mod collect;
mod flows;
mod graph;
mod import;
mod overrides;
mod show;
mod usage;
mod validate;

/// Read, look at and check what runs today
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  carafe inventory import rvtools.xlsx -o estate.json
  carafe inventory collect ssh web1 db1 -o estate.json
  carafe inventory flows vpc-flow.log.gz --estate estate.json -o estate.json
  carafe inventory graph estate.json -o estate.svg
  carafe inventory show estate.json
  carafe inventory validate estate.json --fail-on warning")]
pub(super) enum Command {
    Import(import::Args),
    Override(overrides::Args),
    #[command(subcommand)]
    Collect(collect::Command),
    Flows(flows::Args),
    Usage(usage::Args),
    Show(show::Args),
    Validate(validate::Args),
    Graph(graph::Args),
    Anonymise(anonymise::Args),
}

pub(super) fn run(command: Command, context: &Context) -> Result<Exit, Error> {
    match command {
        Command::Import(args) => import::run(&args, context),
        Command::Override(args) => overrides::run(&args, context),
        Command::Collect(command) => collect::run(&command, context),
        Command::Flows(args) => flows::run(&args, context),
        Command::Usage(args) => usage::run(&args, context),
        Command::Show(args) => show::run(&args, context),
        Command::Validate(args) => validate::run(&args, context),
        Command::Graph(args) => graph::run(&args, context),
        Command::Anonymise(args) => anonymise::run(&args, context),
    }
}
