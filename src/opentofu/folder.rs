//! An export on disk: the whole folder or none of it, and never over what is not ours.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use carafe_model::document::sha256;

use crate::files::hold_writes;

/// The file that lists what an export wrote, in the form that `sha256sum --check` reads.
pub const LIST: &str = ".carafe-export";

/// Why an export was not written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Something is there that no export wrote, or that was changed since.
    #[error("{} holds {}, which is not as an export left it", folder.display(), path.display())]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// What was found in it, from the folder on.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

/// Writes files, by path with `/` between folders, as the whole content of a folder.
///
/// They are written beside it first and put in its place by renaming. A folder that an earlier export wrote, and nobody
/// touched since, is replaced.
///
/// # Errors
/// When the folder holds anything else, or the operating system refuses; then it is as it was before.
pub fn write(folder: &Path, files: &BTreeMap<String, String>) -> Result<(), FolderError> {
    let _held = hold_writes();
    let refused = |path: &Path| {
        let path = path.to_owned();
        move |source| FolderError::Unwritable { path, source }
    };
    if let Some(path) = foreign(folder).map_err(refused(folder))? {
        return Err(FolderError::Foreign { folder: folder.to_owned(), path });
    }
    // What a link leads to is replaced, not the link.
    let target =
        if folder.exists() { fs::canonicalize(folder).map_err(refused(folder))? } else { folder.to_owned() };
    let parent = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(refused(parent))?;
    let aside = tempfile::Builder::new()
        .prefix(".carafe-")
        .suffix(".part")
        .tempdir_in(parent)
        .map_err(|error| refused(folder)(error.kind().into()))?;
    let new = aside.path().join("new");
    let mut list = String::new();
    for (name, text) in files {
        let path = new.join(name);
        if let Some(inside) = path.parent() {
            fs::create_dir_all(inside).map_err(refused(folder))?;
        }
        fs::write(&path, text).map_err(refused(folder))?;
        list.push_str(&format!("{}  {name}\n", sha256(text.as_bytes())));
    }
    fs::create_dir_all(&new).and_then(|()| fs::write(new.join(LIST), list)).map_err(refused(folder))?;
    let old = aside.path().join("old");
    let was_there = target.exists();
    if was_there {
        fs::rename(&target, &old).map_err(refused(folder))?;
    }
    if let Err(source) = fs::rename(&new, &target) {
        if was_there {
            fs::rename(&old, &target).map_err(refused(folder))?;
        }
        return Err(refused(folder)(source));
    }
    Ok(())
}

/// The first thing in a folder, by name, that no export wrote or that was changed since; `None` where there is nothing.
fn foreign(folder: &Path) -> io::Result<Option<PathBuf>> {
    match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.is_dir() => return Err(io::ErrorKind::NotADirectory.into()),
        Ok(_) => {}
    }
    let list = match fs::read_to_string(folder.join(LIST)) {
        Ok(list) => list,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let ours: BTreeMap<&str, &str> =
        list.lines().filter_map(|line| line.split_once("  ")).map(|(hash, name)| (name, hash)).collect();
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(inside) = folders.pop() {
        for entry in fs::read_dir(folder.join(&inside))? {
            let entry = entry?;
            let path = inside.join(entry.file_name());
            let name = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
            if entry.file_type()?.is_dir() {
                let is_above_ours = ours.keys().any(|file| file.starts_with(&format!("{name}/")));
                match is_above_ours {
                    true => folders.push(path),
                    false => found.push(path),
                }
            } else if name != LIST {
                let is_ours = match ours.get(name.as_str()) {
                    Some(hash) if entry.file_type()?.is_file() => {
                        sha256(&fs::read(folder.join(&path))?) == *hash
                    }
                    _ => false,
                };
                if !is_ours {
                    found.push(path);
                }
            }
        }
    }
    found.sort();
    Ok(found.into_iter().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("aws/r/a.tf".to_owned(), text.to_owned()), ("README.md".to_owned(), String::new())])
    }

    #[test]
    fn a_folder_of_an_earlier_export_is_replaced_whole() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("deep/out");
        write(&folder, &files("one")).expect("written");
        write(&folder, &BTreeMap::from([("b.tf".to_owned(), "two".to_owned())])).expect("replaced");
        assert!(!folder.join("aws").exists());
        assert_eq!(fs::read_to_string(folder.join("b.tf")).expect("there"), "two");
        let beside: Vec<_> = fs::read_dir(place.path().join("deep")).expect("read").collect();
        assert_eq!(beside.len(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_folder_with_anything_else_is_left_as_it_is() {
        let place = tempfile::tempdir().expect("a folder");
        for (name, text) in [("aws/r/terraform.tfstate", "{}"), ("aws/r/a.tf", "changed"), ("notes/x", "")] {
            let folder = place.path().join(name.replace('/', "-"));
            write(&folder, &files("one")).expect("written");
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("inside")).expect("made");
            fs::write(&path, text).expect("written");
            let refused = write(&folder, &files("two")).expect_err("refused");
            assert!(matches!(refused, FolderError::Foreign { .. }), "{refused}");
            assert_eq!(fs::read_to_string(&path).expect("there"), text);
            assert!(folder.join("README.md").exists());
        }
        let file = place.path().join("file");
        fs::write(&file, "mine").expect("written");
        assert!(matches!(write(&file, &files("")), Err(FolderError::Unwritable { .. })));
        assert_eq!(fs::read_to_string(&file).expect("there"), "mine");
        let empty = place.path().join("empty");
        fs::create_dir(&empty).expect("made");
        write(&empty, &files("one")).expect("an empty folder is nobody's");
    }
}
