//! `carafe completions`.

use clap_complete::Shell;

use super::Context;
use crate::error::{Error, Exit};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe completions bash > ~/.local/share/bash-completion/completions/carafe
  carafe completions zsh > ~/.zfunc/_carafe
  carafe completions fish > ~/.config/fish/completions/carafe.fish")]
pub(super) struct Args {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "carafe", &mut script);
    context.out.document(crate::files::STANDARD_STREAM.as_ref(), &script)?;
    Ok(Exit::Done)
}
