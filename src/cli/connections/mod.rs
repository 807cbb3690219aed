//! `carafe connections`: which clouds are spoken to, and as whom.

use clap::Subcommand;

use super::Context;
use crate::error::{Error, Exit};

mod check;
mod init;
mod register;

/// Write and test the file that says which driver serves which provider
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  carafe connections init --driver spider
  carafe connections register aws-seoul --zone ap-northeast-2a --credential ClientId=env:AWS_ACCESS_KEY_ID --credential ClientSecret=env:AWS_SECRET_ACCESS_KEY
  carafe connections check")]
pub(super) enum Command {
    Init(init::Args),
    Register(register::Args),
    Check(check::Args),
}

pub(super) fn run(command: Command, context: &Context) -> Result<Exit, Error> {
    match command {
        Command::Init(args) => init::run(&args, context),
        Command::Register(args) => register::run(&args, context),
        Command::Check(args) => check::run(&args, context),
    }
}
