//! `carafe export`: a plan for other programs.

use clap::Subcommand;

use super::Context;
use crate::error::{Error, Exit};

mod opentofu;

/// Write a plan in the form of another program
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  carafe export opentofu plan.json modules")]
pub(super) enum Command {
    Opentofu(opentofu::Args),
}

pub(super) fn run(command: Command, context: &Context) -> Result<Exit, Error> {
    match command {
        Command::Opentofu(args) => opentofu::run(&args, context),
    }
}
