//! One process at a time works on a run.
//!
//! The lock is the operating system's lock on a file beside the journal. It ends with the process that holds it,
//! however that ends, so nothing has to judge whether a holder is still alive: a row with a process number and a
//! heartbeat would need a clock that never jumps and process numbers that are never given out twice. It reaches as far
//! as SQLite does, one machine; a journal in a shared database would use the fence of its leases instead.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A held lock. Dropping it removes the file and sets the lock free.
#[derive(Debug)]
pub(super) struct FileLock {
    file: File,
    path: PathBuf,
}

/// What trying to lock came to.
pub(super) enum Try {
    /// It is ours.
    Locked(FileLock),
    /// Somebody else holds it; who, in words.
    Held(String),
}

/// Whoever asks only for the holder takes the lock for a moment, so one refusal is not yet an answer.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

impl FileLock {
    /// Takes the lock if nobody holds it.
    pub(super) fn take(path: &Path) -> io::Result<Try> {
        for _ in 1..TRIES {
            if let Try::Locked(lock) = FileLock::try_once(path)? {
                return Ok(Try::Locked(lock));
            }
            std::thread::sleep(BETWEEN_TRIES);
        }
        FileLock::try_once(path)
    }

    /// Who holds the lock, in words.
    pub(super) fn holder(path: &Path) -> io::Result<Option<String>> {
        if !path.exists() {
            return Ok(None);
        }
        match FileLock::try_once(path)? {
            Try::Locked(_) => Ok(None),
            Try::Held(holder) => Ok(Some(holder)),
        }
    }

    fn try_once(path: &Path) -> io::Result<Try> {
        loop {
            let mut file = open_private(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    file.read_to_string(&mut holder)?;
                    let unnamed = holder.is_empty();
                    return Ok(Try::Held(if unnamed { "another process".to_owned() } else { holder }));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // A holder that lets go removes the file: then what was locked here is a file that nobody else can see.
            if !is_still_there(&file, path) {
                continue;
            }
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            write!(file, "process {}", std::process::id())?;
            return Ok(Try::Locked(FileLock { file, path: path.to_owned() }));
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Removed while it is still locked; if that fails, an empty file stays behind and does no harm.
        if is_still_there(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Opens a file that only its owner may read, and makes it if there is none.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn is_still_there(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Where a file in use cannot be removed, the file that is named is the file that is held.
#[cfg(not(unix))]
fn is_still_there(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_once_and_free_after() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.lock");
        assert_eq!(FileLock::holder(&path).expect("readable"), None);
        let Try::Locked(lock) = FileLock::take(&path).expect("usable") else { panic!("nobody held it") };
        let Try::Held(holder) = FileLock::take(&path).expect("usable") else { panic!("it was held") };
        assert_eq!(holder, format!("process {}", std::process::id()));
        assert_eq!(FileLock::holder(&path).expect("readable"), Some(holder));
        drop(lock);
        assert!(!path.exists());
        assert!(matches!(FileLock::take(&path).expect("usable"), Try::Locked(_)));
    }

    #[test]
    fn a_file_left_by_a_dead_process_is_taken_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.lock");
        std::fs::write(&path, "process 1").expect("writable");
        assert_eq!(FileLock::holder(&path).expect("readable"), None);
        assert!(matches!(FileLock::take(&path).expect("usable"), Try::Locked(_)));
    }
}
