//! What every reader of this crate is given: named bytes.

/// A file, already read into memory by the caller.
#[derive(Clone, Copy, Debug)]
pub struct InputFile<'a> {
    /// The name findings call it by: as the user wrote it.
    pub name: &'a str,
    /// All of its bytes.
    pub bytes: &'a [u8],
}
