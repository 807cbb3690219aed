//! `carafe man`.

use std::path::PathBuf;

use super::{Context, reference};
use crate::error::{Error, Exit};
use crate::files;

/// Print the manual page, or write one page per command
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe man | man -l -
  carafe man --dir ~/.local/share/man/man1")]
pub(super) struct Args {
    /// Write one page per command into this folder instead; it is made where it is missing
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let Some(folder) = &args.dir else {
        context.out.document(files::STANDARD_STREAM.as_ref(), reference::manual().as_bytes())?;
        return Ok(Exit::Done);
    };
    std::fs::create_dir_all(folder)
        .map_err(|source| files::FileError::Unwritable { path: folder.clone(), source })?;
    for (name, page) in reference::manual_pages() {
        let path = folder.join(format!("{name}.1"));
        files::write(&path, page.as_bytes())?;
        context.out.detail(&format!("wrote {}", path.display()));
    }
    Ok(Exit::Done)
}
