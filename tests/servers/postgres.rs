//! PostgreSQL as Debian's package `postgresql` brings it.
//!
//! It listens on a Unix socket in its own folder and nowhere else, so that any number of them run side by side without
//! agreeing on ports, and nobody else's server is ever met.

use std::fs::File;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where Debian puts the programs of each major version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// PostgreSQL refuses to run as root; Debian's `nobody` and `nogroup` own nothing.
const NOBODY: u32 = 65534;

/// Far above what starting and stopping take, so that only a server that hangs runs into it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a server is told to stop.
#[derive(Clone, Copy, Debug)]
pub enum Shutdown {
    /// Connections are closed and everything is written.
    Fast,
    /// As after a power cut: the server recovers from its log when it starts again.
    Immediate,
}

/// A server with no database but its own. It ends with the value.
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    process: Option<Child>,
    settings: Vec<String>,
    databases: AtomicU32,
}

impl Postgres {
    /// Makes a server and waits until it answers. Nothing is synchronised to the disk: the tests do not cut the power.
    pub fn start() -> Postgres {
        Postgres::start_with(&["fsync=off"])
    }

    /// The same with settings of its own, each as `name=value`.
    pub fn start_with(settings: &[&str]) -> Postgres {
        let folder =
            tempfile::Builder::new().prefix("carafe-pg-").tempdir().expect("a folder for the server");
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("root may give a folder away");
        }
        let mut server = Postgres {
            folder,
            programs: newest_version(),
            process: None,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            databases: AtomicU32::new(0),
        };
        let data = server.path("data");
        let made = server
            .program("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .arg("--pgdata")
            .arg(data)
            .output()
            .expect("initdb can be started");
        assert!(made.status.success(), "initdb failed:\n{}", String::from_utf8_lossy(&made.stderr));
        server.start_again();
        server
    }

    /// Starts the stopped server, with everything that is in it.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "the server runs already");
        let log = File::options().create(true).append(true).open(self.path("log")).expect("a log");
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.path("data")).arg("-k").arg(self.folder.path());
        command.args(["-c", "listen_addresses="]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().expect("postgres can be started"));
        let begun = Instant::now();
        loop {
            let asked = self.program("pg_isready").arg("-q").arg("-h").arg(self.folder.path()).status();
            if asked.expect("pg_isready can be started").success() {
                return;
            }
            let process = self.process.as_mut().expect("started above");
            if let Some(status) = process.try_wait().expect("our own child") {
                panic!("PostgreSQL ended with {status} instead of starting:\n{}", self.log());
            }
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL does not answer:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops the server; what was committed stays.
    pub fn stop(&mut self, how: Shutdown) {
        let mut process = self.process.take().expect("the server runs");
        let signal = match how {
            Shutdown::Fast => "INT",
            Shutdown::Immediate => "QUIT",
        };
        send_signal(signal, process.id());
        let begun = Instant::now();
        while process.try_wait().expect("our own child").is_none() {
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL does not stop:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Makes an empty database and returns its URL.
    pub fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.path().display())
    }

    /// Runs a statement and returns what it printed, one line for each row, columns separated by `|`.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let done = Command::new(self.programs.join("psql"))
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", statement, "-h"])
            .arg(self.folder.path())
            .output()
            .expect("psql can be started");
        assert!(done.status.success(), "{statement}:\n{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("UTF-8").trim_end().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// One of PostgreSQL's programs, as a user who is allowed to run it.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        // The folder this process is in may be closed to that user.
        command.current_dir(self.folder.path());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.process.is_some() && !std::thread::panicking() {
            self.stop(Shutdown::Immediate);
        } else if let Some(process) = &mut self.process {
            send_signal("QUIT", process.id());
            let _ = process.wait();
        }
    }
}

/// Sends a signal to a process of this test, which therefore cannot have been replaced by another of the same number.
pub fn send_signal(signal: &str, process: u32) {
    let sent =
        Command::new("sh").args(["-c", &format!("kill -{signal} {process}")]).status().expect("a shell");
    assert!(sent.success(), "signal {signal} could not be sent to process {process}");
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").expect("Linux")) == 0
}

fn newest_version() -> PathBuf {
    let entries = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten().map(|entry| entry.path());
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = entries.filter(|path| path.join("bin/initdb").exists()).max_by_key(|path| number(path));
    let Some(newest) = newest else {
        panic!("PostgreSQL is not installed below {VERSIONS}: apt-get install postgresql")
    };
    newest.join("bin")
}
