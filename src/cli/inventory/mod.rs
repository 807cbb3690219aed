//! `carafe inventory`: what runs today.

use clap::Subcommand;

use super::Context;
use crate::error::{Error, Exit};

mod show;

/// Read, look at and check what runs today
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  carafe inventory import rvtools.xlsx -o estate.json
  carafe inventory show estate.json
  carafe inventory validate estate.json --fail-on warning")]
pub(super) enum Command {
    Show(show::Args),
}

pub(super) fn run(command: Command, context: &Context) -> Result<Exit, Error> {
    match command {
        Command::Show(args) => show::run(&args, context),
    }
}
