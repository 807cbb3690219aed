//! `carafe catalog`: what clouds sell.

use clap::Subcommand;

use super::Context;
use crate::error::{Error, Exit};

mod database;
mod diff;
mod find;
mod fx;
mod import;
mod show;
mod snapshot;
mod sync;

/// Read and look at what clouds sell
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  carafe catalog show
  carafe catalog find --vcpus 4 --memory 16 --country KR
  carafe catalog import prices/ -o catalog.snapshot
  carafe catalog import offer.json.gz rates.toml --catalog catalog.db
  carafe plan estate.json --catalog catalog.snapshot")]
pub(super) enum Command {
    Import(import::Args),
    Sync(sync::Args),
    Show(show::Args),
    Find(find::Args),
    Diff(diff::Args),
    Snapshot(snapshot::Args),
    History(snapshot::HistoryArgs),
    Fx(fx::Args),
}

pub(super) fn run(command: Command, context: &Context) -> Result<Exit, Error> {
    match command {
        Command::Import(args) => import::run(&args, context),
        Command::Sync(args) => sync::run(&args, context),
        Command::Show(args) => show::run(&args, context),
        Command::Find(args) => find::run(&args, context),
        Command::Diff(args) => diff::run(&args, context),
        Command::Snapshot(args) => snapshot::run(&args, context),
        Command::History(args) => snapshot::history(&args, context),
        Command::Fx(args) => fx::run(&args, context),
    }
}
