//! `carafe catalog`: what clouds sell.

use clap::Subcommand;

use super::Context;
use crate::error::{Error, Exit};

mod import;
mod show;

/// Read and look at what clouds sell
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  carafe catalog show
  carafe catalog import prices/ --as normalised -o catalog.snapshot
  carafe plan estate.json --catalog catalog.snapshot")]
pub(super) enum Command {
    Import(import::Args),
    Show(show::Args),
}

pub(super) fn run(command: Command, context: &Context) -> Result<Exit, Error> {
    match command {
        Command::Import(args) => import::run(&args, context),
        Command::Show(args) => show::run(&args, context),
    }
}
