//! What the environment says. This is the only module that reads it.

use std::path::PathBuf;

/// The part of the environment that changes what Carafe does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `NO_COLOR` is set and not empty, or the terminal is `dumb`.
    pub plain: bool,
    /// Folder for what Carafe remembers between runs; `None` when neither `XDG_STATE_HOME` nor `HOME` is set.
    pub state_dir: Option<PathBuf>,
    /// Folder for what Carafe keeps for its user; `None` when neither `XDG_DATA_HOME` nor `HOME` is set.
    pub data_dir: Option<PathBuf>,
    /// Columns of the terminal, where `COLUMNS` says so.
    pub columns: Option<u16>,
}

impl Settings {
    /// Reads the environment of this process.
    pub fn from_env() -> Settings {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        // The XDG base directory specification says that a relative path there must be ignored.
        let state_home = path("XDG_STATE_HOME").filter(|folder| folder.is_absolute());
        let data_home = path("XDG_DATA_HOME").filter(|folder| folder.is_absolute());
        Settings {
            data_dir: data_home
                .or_else(|| path("HOME").map(|home| home.join(".local/share")))
                .map(|folder| folder.join("carafe")),
            plain: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
                || std::env::var_os("TERM").is_some_and(|value| value == "dumb"),
            state_dir: state_home
                .or_else(|| path("HOME").map(|home| home.join(".local/state")))
                .map(|folder| folder.join("carafe")),
            columns: std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()),
        }
    }

    /// Where the catalog database is unless the user names another.
    pub fn default_catalog(&self) -> Option<PathBuf> {
        self.data_dir.as_ref().map(|folder| folder.join("catalog.db"))
    }

    /// Where the journal is unless the user names another file.
    pub fn default_journal(&self) -> Option<PathBuf> {
        self.state_dir.as_ref().map(|folder| folder.join("journal.db"))
    }
}

/// A variable of the environment by name, for secrets that a connections file refers to.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The kubeconfig files of the user, as `kubectl` finds them: those of `KUBECONFIG`, or else `~/.kube/config`.
pub fn kubeconfigs() -> Vec<PathBuf> {
    match std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty()) {
        Some(paths) => std::env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => std::env::var_os("HOME")
            .map(|home| PathBuf::from(home).join(".kube/config"))
            .into_iter()
            .collect(),
    }
}
