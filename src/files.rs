//! Files: reading with a limit, and writing that is either done or not done.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use carafe_model::finding::{Finding, Place};

/// The name that stands for standard input or standard output.
pub const STANDARD_STREAM: &str = "-";

/// What `-` is called in findings.
const STDIN_NAME: &str = "standard input";

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing is there.
    #[error("there is no file of this name")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("the file cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// A folder stands where a file is wanted.
    #[error("this is a folder, where a file is wanted")]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A named pipe, a socket or a device.
    #[error("this is not a regular file")]
    Special {
        /// The file.
        path: PathBuf,
    },
    /// The file is larger than the limit.
    #[error("the file is larger than {} may be", ByteSize(*limit))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// The file has no content.
    #[error("the file is empty")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The bytes are not text.
    #[error("the file is not text in UTF-8")]
    NotText {
        /// The file.
        path: PathBuf,
        /// Line of the first byte that is not.
        line: u32,
    },
    /// The folder to write into is not there.
    #[error("the folder to write into does not exist")]
    NoFolder {
        /// The file that was to be written.
        path: PathBuf,
    },
    /// The operating system refused to write.
    #[error("the file cannot be written: {source}")]
    Unwritable {
        /// The file that was to be written.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
}

/// Code, meaning and remedy of every [`FileError`], for `docs/errors.md`.
pub const CODES: [(&str, &str, &str); 9] = [
    ("IO-001", "there is no file of this name", "check the spelling and the folder you are in"),
    ("IO-002", "the file cannot be read", "check its permissions and the disk it is on"),
    ("IO-003", "a folder, where a file is wanted", "name the files in it"),
    (
        "IO-004",
        "not a regular file",
        "to read from a pipe, redirect it to standard input and name the file `-`",
    ),
    ("IO-005", "the file is larger than it may be", "if it is what you mean to read, raise --max-input-size"),
    ("IO-006", "the file is empty", "export it again"),
    ("IO-007", "the file is not text in UTF-8", "save it as UTF-8"),
    ("IO-008", "the folder to write into does not exist", "make the folder first, or name another"),
    ("IO-009", "the file cannot be written", "check the permissions and the free space of its folder"),
];

impl FileError {
    /// The file it is about.
    pub fn path(&self) -> &Path {
        match self {
            FileError::Missing { path }
            | FileError::Unreadable { path, .. }
            | FileError::Folder { path }
            | FileError::Special { path }
            | FileError::TooLarge { path, .. }
            | FileError::Empty { path }
            | FileError::NotText { path, .. }
            | FileError::NoFolder { path }
            | FileError::Unwritable { path, .. } => path,
        }
    }

    /// The same as a finding.
    pub fn to_finding(&self) -> Finding {
        let (code, _, help) = CODES[match self {
            FileError::Missing { .. } => 0,
            FileError::Unreadable { .. } => 1,
            FileError::Folder { .. } => 2,
            FileError::Special { .. } => 3,
            FileError::TooLarge { .. } => 4,
            FileError::Empty { .. } => 5,
            FileError::NotText { .. } => 6,
            FileError::NoFolder { .. } => 7,
            FileError::Unwritable { .. } => 8,
        }];
        let mut place = Place::file(display_name(self.path()));
        if let FileError::NotText { line, .. } = self {
            place = place.row(*line);
        }
        Finding::error(code, self.to_string()).at(place).help(help)
    }
}

/// How a file is called in findings.
pub fn display_name(path: &Path) -> String {
    if is_standard_stream(path) { STDIN_NAME.to_owned() } else { path.display().to_string() }
}

/// Whether a path stands for standard input or output.
pub fn is_standard_stream(path: &Path) -> bool {
    path.as_os_str() == STANDARD_STREAM
}

/// Whether two paths lead to one regular file or folder, through links and relative paths too. What is not there yet is
/// known by its folder and name; devices and pipes hold nothing that could be overwritten.
pub fn are_same(one: &Path, other: &Path) -> bool {
    let (one, other) = match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) if !is_kept(&one) || !is_kept(&other) => return false,
        #[cfg(unix)]
        (Ok(one), Ok(other)) => {
            use std::os::unix::fs::MetadataExt;
            return (one.dev(), one.ino()) == (other.dev(), other.ino());
        }
        _ => (whole_path(one), whole_path(other)),
    };
    one.is_some() && one == other
}

fn is_kept(metadata: &fs::Metadata) -> bool {
    metadata.is_file() || metadata.is_dir()
}

/// The path without links; of what is not there yet, that of its folder and its name.
fn whole_path(path: &Path) -> Option<PathBuf> {
    if let Ok(whole) = fs::canonicalize(path) {
        return Some(whole);
    }
    let folder = match path.parent()? {
        parent if parent.as_os_str().is_empty() => Path::new("."),
        parent => parent,
    };
    Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
}

/// Reads a file, or standard input for `-`, that may be at most `limit` bytes long.
///
/// # Errors
/// When it cannot be read, is no regular file, or is longer; a file known to be longer is not read at all.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    if is_standard_stream(path) {
        return read_at_most(path, io::stdin().lock(), 0, limit);
    }
    let refused = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => FileError::Missing { path: path.to_owned() },
        _ => FileError::Unreadable { path: path.to_owned(), source },
    };
    let metadata = fs::metadata(path).map_err(refused)?;
    if metadata.is_dir() {
        return Err(FileError::Folder { path: path.to_owned() });
    }
    // Opening a named pipe waits for a writer that may never come. What the shell hands over as /dev/fd/N is open already.
    if !metadata.is_file() && !path.starts_with("/dev/fd") && path != Path::new("/dev/stdin") {
        return Err(FileError::Special { path: path.to_owned() });
    }
    if metadata.len() > limit {
        return Err(FileError::TooLarge { path: path.to_owned(), limit });
    }
    read_at_most(path, File::open(path).map_err(refused)?, metadata.len(), limit)
}

fn read_at_most(path: &Path, source: impl Read, expected: u64, limit: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
    // One byte more than allowed tells a file that is too long from one that just fits.
    source
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| FileError::Unreadable { path: path.to_owned(), source })?;
    if bytes.len() as u64 > limit {
        return Err(FileError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// Reads a file that must hold something.
///
/// # Errors
/// As [`read`], and when the file is empty.
pub fn read_filled(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let bytes = read(path, limit)?;
    if bytes.is_empty() {
        return Err(FileError::Empty { path: path.to_owned() });
    }
    Ok(bytes)
}

/// Reads a text file; an empty one is a text too.
///
/// # Errors
/// As [`read`], and when the bytes are not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    String::from_utf8(read(path, limit)?).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let lines = good.iter().filter(|byte| **byte == b'\n').count();
        FileError::NotText {
            path: path.to_owned(),
            line: u32::try_from(lines).map_or(u32::MAX, |lines| lines.saturating_add(1)),
        }
    })
}

/// The regular files directly in a folder, by name; hidden ones are left out.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let refused = |source| FileError::Unreadable { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

static WRITING: Mutex<()> = Mutex::new(());

/// Waits until no file is being written and keeps it so, for a program that is about to end.
pub fn hold_writes() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a file whole or not at all: aside in the same folder first, then renamed over what was there.
///
/// A link is followed, the permissions of a file that is there are kept, and a device such as `/dev/null` is written
/// directly.
///
/// # Errors
/// When the folder does not exist, a folder has the name, or the operating system refuses.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let _held = hold_writes();
    let refused = |source| FileError::Unwritable { path: path.to_owned(), source };
    let existing = fs::metadata(path).ok();
    if let Some(metadata) = &existing
        && metadata.is_dir()
    {
        return Err(refused(io::ErrorKind::IsADirectory.into()));
    }
    if existing.as_ref().is_some_and(|metadata| !metadata.is_file()) {
        let mut device = File::options().write(true).open(path).map_err(refused)?;
        return device.write_all(bytes).map_err(refused);
    }
    let target = if existing.is_some() { fs::canonicalize(path).map_err(refused)? } else { path.to_owned() };
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(FileError::NoFolder { path: path.to_owned() });
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".carafe-").suffix(".part");
    // A temporary file is private by default; a document is as readable as any other file the user makes.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut aside = builder.tempfile_in(folder).map_err(|error| refused(without_name(&error)))?;
    aside.as_file_mut().write_all(bytes).map_err(refused)?;
    if let Some(metadata) = existing {
        aside.as_file().set_permissions(metadata.permissions()).map_err(refused)?;
    }
    aside.as_file().sync_all().map_err(refused)?;
    aside.persist(&target).map_err(|error| refused(without_name(&error.error)))?;
    Ok(())
}

/// A name made fit for a file on any system: letters, digits, `.`, `-`, `_`, `=` and `+`; the rest becomes `-`. Names that
/// are not fit as they are end in a part of their hash, so that two of them never become one.
pub fn fit_name(name: &str) -> String {
    const LONGEST: usize = 80;
    let fit: String = name
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '=' | '+') { c } else { '-' })
        .collect();
    let fit = fit.trim_start_matches('.').to_owned();
    match fit == name && !fit.is_empty() {
        true => fit,
        false => format!("{fit}-{}", &carafe_model::document::sha256(name.as_bytes())[..8]),
    }
}

/// The same error without the name of the temporary file, which means nothing to the user.
fn without_name(error: &io::Error) -> io::Error {
    error.kind().into()
}

/// A number of bytes, written `512 MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

const UNITS: [(&str, u32); 5] = [("B", 0), ("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];

impl std::fmt::Display for ByteSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (unit, shift) = UNITS
            .into_iter()
            .rev()
            .find(|(_, shift)| self.0 >= 1 << shift && self.0.is_multiple_of(1 << shift))
            .unwrap_or(("B", 0));
        f.pad(&format!("{} {unit}", self.0 >> shift))
    }
}

impl std::str::FromStr for ByteSize {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (count, unit) = text.split_at(digits);
        let unit = unit.trim();
        let shift = UNITS
            .into_iter()
            .find(|(name, _)| *name == unit || (unit.is_empty() && *name == "B"))
            .map(|(_, shift)| shift);
        let bytes =
            count.parse::<u64>().ok().zip(shift).and_then(|(count, shift)| count.checked_mul(1 << shift));
        match bytes {
            Some(bytes) if bytes > 0 => Ok(ByteSize(bytes)),
            _ => Err("write a number and a unit, such as 512MiB or 2GiB".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: Result<Vec<u8>, FileError>) -> String {
        result.expect_err("refused").to_finding().code
    }

    #[test]
    fn what_is_no_readable_file_is_refused_by_its_own_code() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f");
        assert_eq!(code(read(&path, 10)), "IO-001");
        assert_eq!(code(read(folder.path(), 10)), "IO-003");
        assert_eq!(code(read(Path::new("/dev/null"), 10)), "IO-004");
        fs::write(&path, b"12345678901").expect("written");
        assert_eq!(code(read(&path, 10)), "IO-005");
        assert_eq!(read(&path, 11).expect("fits").len(), 11);
        fs::write(&path, b"").expect("written");
        assert_eq!(code(read_filled(&path, 10)), "IO-006");
        fs::write(&path, b"a\nb\xff").expect("written");
        assert_eq!(read_text(&path, 10).expect_err("not text").to_finding().place.row, Some(2));
    }

    #[test]
    fn a_stream_longer_than_allowed_is_refused_without_being_read_to_its_end() {
        let endless = io::repeat(b'x');
        let result = read_at_most(Path::new("-"), endless, 0, 1 << 16);
        assert!(matches!(result, Err(FileError::TooLarge { .. })));
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan.json");
        write(&path, b"old and longer").expect("written");
        write(&path, b"new").expect("replaced");
        assert_eq!(fs::read(&path).expect("there"), b"new");
        assert_eq!(list(folder.path()).expect("listed"), std::slice::from_ref(&path));
        let nowhere = folder.path().join("none/plan.json");
        assert!(matches!(write(&nowhere, b""), Err(FileError::NoFolder { .. })));
        assert!(matches!(write(folder.path(), b""), Err(FileError::Unwritable { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_any_new_file_and_links_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let (plain, ours) = (folder.path().join("plain"), folder.path().join("ours"));
        fs::write(&plain, b"").expect("written");
        write(&ours, b"").expect("written");
        let mode = |path| fs::metadata(path).expect("there").permissions().mode();
        assert_eq!(mode(&plain), mode(&ours));
        fs::set_permissions(&ours, fs::Permissions::from_mode(0o640)).expect("set");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&ours, &link).expect("linked");
        write(&link, b"through").expect("written");
        assert_eq!(fs::read(&ours).expect("there"), b"through");
        assert_eq!(mode(&ours) & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    }

    #[test]
    fn sizes_are_read_as_they_are_written() {
        for (text, bytes) in
            [("1GiB", 1 << 30), ("512 MiB", 512 << 20), ("7", 7), ("7B", 7), ("1536KiB", 1536 << 10)]
        {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "GiB", "0", "-1", "1.5GiB", "1GB", "99999999999TiB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
        assert_eq!(ByteSize(1 << 30).to_string(), "1 GiB");
        assert_eq!(ByteSize(1500).to_string(), "1500 B");
    }
}
