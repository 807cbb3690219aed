//! The file a simulated cloud is kept in, so that one command finds what another made.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::cloud::{Cloud, Item, Slot};
use crate::drivers::{DriverError, ErrorKind};

const HEADER: &str = "fake-cloud/1";

/// A state file and which version of it is in memory.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    seen: Option<(SystemTime, u64)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    carafe: String,
    items: Vec<Entry>,
    made: Vec<Count>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    slot: Slot,
    item: Item,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    slot: Slot,
    times: u32,
}

impl StateFile {
    pub(super) fn new(path: PathBuf) -> StateFile {
        StateFile { path, seen: None }
    }

    /// Keeps other processes out until the returned file is dropped, as a real cloud takes one call after another.
    pub(super) fn lock(&self) -> Result<File, DriverError> {
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        lock.and_then(|lock| lock.lock().map(|()| lock)).map_err(|error| {
            ErrorKind::Denied.because(format!("{} cannot be locked: {error}", Path::new(&path).display()))
        })
    }

    /// The cloud in the file, if another process has changed it since it was last read or written here.
    pub(super) fn changed(&mut self) -> Result<Option<Cloud>, DriverError> {
        let version = self.version();
        if version == self.seen {
            return Ok(None);
        }
        self.seen = version;
        if version.is_none() {
            return Ok(Some(Cloud::default()));
        }
        let unusable = |what: String| {
            ErrorKind::Invalid.because(format!(
                "{} {what}; name another file, or remove it to begin with an empty cloud",
                self.path.display()
            ))
        };
        let bytes =
            std::fs::read(&self.path).map_err(|error| unusable(format!("cannot be read ({error})")))?;
        let document: Document = serde_json::from_slice(&bytes)
            .map_err(|error| unusable(format!("does not hold a simulated cloud ({error})")))?;
        if document.carafe != HEADER {
            return Err(unusable(format!("is not \"{HEADER}\"")));
        }
        let items: BTreeMap<Slot, Item> =
            document.items.into_iter().map(|entry| (entry.slot, entry.item)).collect();
        let made = document.made.into_iter().map(|count| (count.slot, count.times)).collect();
        Ok(Some(Cloud::restore(items, made)))
    }

    /// Writes the cloud aside and puts it in place of the old file in one stroke.
    pub(super) fn write(&mut self, cloud: &Cloud) -> Result<(), DriverError> {
        let document = Document {
            carafe: HEADER.to_owned(),
            items: cloud
                .items()
                .iter()
                .map(|(slot, item)| Entry { slot: slot.clone(), item: item.clone() })
                .collect(),
            made: cloud
                .made()
                .iter()
                .map(|(slot, times)| Count { slot: slot.clone(), times: *times })
                .collect(),
        };
        let text = serde_json::to_string_pretty(&document).expect("the document has no failing parts");
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.persist(&self.path).map_err(|error| error.error)
        });
        match written {
            Ok(_) => {
                self.seen = self.version();
                Ok(())
            }
            // The old file still stands, so nothing happened.
            Err(error) => {
                self.seen = None;
                let what = format!("{} cannot be written: {error}", self.path.display());
                Err(ErrorKind::Denied.because(what))
            }
        }
    }

    fn version(&self) -> Option<(SystemTime, u64)> {
        let metadata = std::fs::metadata(&self.path).ok()?;
        Some((metadata.modified().ok()?, identity(&metadata)))
    }
}

/// Every write makes a new file, and with it on Unix a new number.
#[cfg(unix)]
fn identity(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn identity(metadata: &std::fs::Metadata) -> u64 {
    metadata.len()
}
