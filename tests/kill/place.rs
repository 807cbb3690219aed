//! A folder with a plan, a journal and a simulated cloud, and the real program at work in it.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use carafe::store::{Journal, Phase, SqliteJournal};
use serde_json::{Value, json};

use crate::{outcome, plan};

/// Far above what a run takes, so that only one that hangs runs into it.
const PATIENCE: Duration = Duration::from_secs(120);

/// The system calls that change a file: SQLite reaches the disk through no others.
const WRITES: &str = "pwrite64,fsync,fdatasync,ftruncate";

pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().expect("a folder") };
        plan::write(&place.path("plan.json"));
        place.set(&[]);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Tells the simulated cloud what is to go wrong; what exists stays.
    pub fn set(&self, faults: &[(&str, u64)]) {
        let mut text = format!(
            "[[connection]]\nname = \"rehearsal\"\nprovider = \"{}\"\ndriver = \"fake\"\n\
             state = \"cloud.json\"\ncalls = \"calls.jsonl\"\n",
            plan::PROVIDER
        );
        for (setting, value) in faults {
            text.push_str(&format!("{setting} = {value}\n"));
        }
        std::fs::write(self.path("connections.toml"), text).expect("a temporary file");
    }

    fn arguments(&self, verb: &str) -> Vec<String> {
        let path = |name: &str| self.path(name).display().to_string();
        let mut arguments = vec![verb.to_owned()];
        match verb {
            "apply" => arguments.extend([path("plan.json"), "--auto-approve".to_owned()]),
            "destroy" => arguments.extend(["--auto-approve", "--destroy-data", "erp"].map(str::to_owned)),
            _ => {}
        }
        if verb != "destroy" {
            arguments.extend(["--confirm".to_owned(), "all".to_owned()]);
        }
        arguments.extend(["--connections".to_owned(), path("connections.toml")]);
        arguments.extend(["--journal".to_owned(), path("journal.db")]);
        arguments.extend(["--parallelism", "4", "--quiet"].map(str::to_owned));
        arguments
    }

    fn program(&self, command: &mut Command) -> Child {
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{:?}: {error}; apt-get install strace", command.get_program()))
    }

    /// Runs a command to its end, which must be a good one.
    pub fn done(&self, verb: &str) {
        let child = self.program(Command::new(env!("CARGO_BIN_EXE_carafe")).args(self.arguments(verb)));
        let output = child.wait_with_output().expect("our own child");
        assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs a command and kills it at the write of a file with this number; `false` if it ended well before that.
    pub fn killed_at_write(&self, verb: &str, number: u32) -> bool {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qqq", "-o", "/dev/null", "-e", &format!("trace={WRITES}"), "-e"]);
        strace.arg(format!("inject={WRITES}:signal=KILL:when={number}"));
        strace.arg("--").arg(env!("CARGO_BIN_EXE_carafe")).args(self.arguments(verb));
        let output = self.program(&mut strace).wait_with_output().expect("our own child");
        was_killed(output.status, &output.stderr)
    }

    /// Runs a command whose writes of the journal fail from one with this number on, as on a disk that is full or gone
    /// read-only; gives how it ended and what it said.
    pub fn failing_at_write(&self, verb: &str, error: &str, number: u32) -> (ExitStatus, String) {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qqq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e"]);
        strace.arg(format!("inject=pwrite64:error={error}:when={number}+"));
        strace.arg("--").arg(env!("CARGO_BIN_EXE_carafe")).args(self.arguments(verb));
        let output = self.program(&mut strace).wait_with_output().expect("our own child");
        (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Runs a command and kills it once the cloud says that a call hangs; `false` if it ended well before that.
    pub fn killed_in_call(&self, verb: &str, setting: &str, number: u64) -> bool {
        self.set(&[(setting, number)]);
        let _ = std::fs::remove_file(self.path("calls.jsonl"));
        let mut child = self.program(Command::new(env!("CARGO_BIN_EXE_carafe")).args(self.arguments(verb)));
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait().expect("our own child") {
                assert!(status.success(), "{verb} with {setting} {number}: {status}");
                self.set(&[]);
                return false;
            }
            if self.calls().iter().any(|call| call["hangs"] == json!(true)) {
                child.kill().expect("our own child");
                let status = child.wait().expect("our own child");
                assert!(was_killed(status, b""), "{status}");
                self.set(&[]);
                return true;
            }
            assert!(begun.elapsed() < PATIENCE, "{verb} with {setting} {number} does not come to its end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The calls that are written down whole.
    fn calls(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("calls.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// How far the only run is, by the journal.
    pub fn phase(&self) -> Option<Phase> {
        if !self.path("journal.db").exists() {
            return None;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let runs = runtime.block_on(async {
            SqliteJournal::open(&self.path("journal.db")).await.expect("a journal").runs().await
        });
        let runs = runs.expect("readable");
        assert!(runs.len() <= 1, "{runs:?}");
        runs.first().map(|run| run.phase)
    }

    /// The command that a user types next after an accident; `None` when there is nothing left to do.
    pub fn next(&self) -> Option<&'static str> {
        match self.phase() {
            None => Some("apply"),
            Some(Phase::Open) => Some("resume"),
            Some(Phase::Finished) => None,
            Some(phase @ (Phase::Destroying | Phase::Destroyed)) => panic!("nothing was undone: {phase:?}"),
        }
    }

    /// Whether the journal says that everything is undone.
    pub fn is_destroyed(&self) -> bool {
        self.phase() == Some(Phase::Destroyed)
    }

    /// What exists; fails if anything was made twice.
    pub fn cloud(&self, context: &str) -> Value {
        outcome::cloud(&self.path("cloud.json"), context)
    }
}

fn was_killed(status: ExitStatus, stderr: &[u8]) -> bool {
    const KILL: i32 = 9;
    assert!(
        status.success() || status.signal() == Some(KILL),
        "{status}: {}",
        String::from_utf8_lossy(stderr)
    );
    !status.success()
}
