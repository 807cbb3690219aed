//! Refuses outputs that would overwrite an input or each other, before anything is read or written.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files;
use crate::inputs;

/// What a command reads and writes, by the names the user gave.
#[derive(Debug, Default)]
pub(super) struct Paths<'a> {
    inputs: Vec<&'a Path>,
    outputs: Vec<&'a Path>,
}

impl<'a> Paths<'a> {
    /// Adds files or folders that are read.
    pub(super) fn reads(mut self, paths: impl IntoIterator<Item = &'a PathBuf>) -> Paths<'a> {
        self.inputs.extend(paths.into_iter().map(PathBuf::as_path));
        self
    }

    /// Adds files or folders that are written.
    pub(super) fn writes(mut self, paths: impl IntoIterator<Item = &'a PathBuf>) -> Paths<'a> {
        self.outputs.extend(paths.into_iter().map(PathBuf::as_path));
        self
    }

    /// Checks that no output is an input, a file of an input folder, or another output.
    ///
    /// # Errors
    /// When one is, through whatever links or relative paths.
    pub(super) fn apart(&self) -> Result<(), Error> {
        let real = |path: &&Path| !files::is_standard_stream(path);
        for (place, output) in self.outputs.iter().enumerate().filter(|(_, path)| real(path)) {
            if let Some(input) =
                self.inputs.iter().filter(|path| real(path)).find(|input| overwrites(output, input))
            {
                return Err(Error::usage(
                    format!("{} would be written over {}, which is read", output.display(), input.display()),
                    "name another file to write to",
                ));
            }
            let earlier = self.outputs[..place].iter().filter(|path| real(path));
            if let Some(other) = earlier.into_iter().find(|other| files::are_same(output, other)) {
                return Err(Error::usage(
                    format!("{} and {} are the same file", other.display(), output.display()),
                    "name a file of its own for each output",
                ));
            }
        }
        Ok(())
    }
}

/// Whether writing to `output` changes `input`, or a price list directly in it.
fn overwrites(output: &Path, input: &Path) -> bool {
    if files::are_same(output, input) {
        return true;
    }
    let folder = output.parent().map(|parent| match parent.as_os_str().is_empty() {
        true => Path::new("."),
        false => parent,
    });
    input.is_dir() && inputs::is_table(output) && folder.is_some_and(|folder| files::are_same(folder, input))
}
