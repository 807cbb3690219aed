//! A real PostgreSQL, a simulated cloud, and processes of the real program that share them.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::servers::postgres::{Postgres, send_signal};
use crate::{outcome, plan};

/// Far above what anything here takes, so that only what hangs runs into it.
const PATIENCE: Duration = Duration::from_secs(180);

/// What a simulated cloud does to its callers out of a hundred calls.
pub const FOUL_WEATHER: &[(&str, u64)] = &[
    ("lose_percent", 5),
    ("error_percent", 5),
    ("throttle_percent", 5),
    ("repeat_percent", 10),
    ("stuck_percent", 3),
    ("latency_ms", 20),
];

pub struct Rig {
    pub server: Postgres,
    pub url: String,
    database: String,
    folder: tempfile::TempDir,
    started: usize,
}

/// A process of the program; it is killed when the test is over.
pub struct Process {
    child: Child,
    said: PathBuf,
}

impl Rig {
    pub fn new(settings: &[(&str, u64)]) -> Rig {
        let server = Postgres::start();
        let url = server.database();
        let database = url.split(['/', '?']).nth(3).expect("a database").to_owned();
        let folder = tempfile::tempdir().expect("a folder");
        let rig = Rig { server, url, database, folder, started: 0 };
        plan::write(&rig.path("plan.json"));
        rig.connect("connections.toml", "cloud.json", settings);
        // Whoever comes first makes the tables; the tests look into them from the start.
        assert!(rig.run("status").status.success());
        rig
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a connections file.
    pub fn connect(&self, file: &str, state: &str, settings: &[(&str, u64)]) {
        let mut text = format!(
            "[[connection]]\nname = \"rehearsal\"\nprovider = \"{}\"\ndriver = \"fake\"\nstate = \"{state}\"\n\
             calls = \"calls.jsonl\"\n",
            plan::PROVIDER
        );
        for (setting, value) in settings {
            text.push_str(&format!("{setting} = {value}\n"));
        }
        std::fs::write(self.path(file), text).expect("a temporary file");
    }

    /// The program with a command line whose arguments hold no spaces, the journal named.
    pub fn program(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carafe"));
        command.args(line.split_whitespace());
        if !line.contains("--journal") {
            command.args(["--journal", &self.url]);
        }
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Starts a process and lets it run.
    pub fn start(&mut self, line: &str) -> Process {
        self.started += 1;
        let said = self.path(&format!("said-{}", self.started));
        let file = File::create(&said).expect("a temporary file");
        let mut command = self.program(line);
        command.stdout(file.try_clone().expect("a file")).stderr(file);
        Process { child: command.spawn().expect("the program starts"), said }
    }

    /// Starts a worker whose leases last for two seconds.
    pub fn worker(&mut self) -> Process {
        self.start("worker --connections connections.toml --parallelism 3 --lease 2")
    }

    pub fn workers(&mut self, count: usize) -> Vec<Process> {
        (0..count).map(|_| self.worker()).collect()
    }

    /// Queues the plan and follows it.
    pub fn apply(&mut self) -> Process {
        self.start("apply plan.json --queue --auto-approve --confirm all --connections connections.toml")
    }

    /// Applies the plan without any worker.
    pub fn apply_alone(&mut self) -> Process {
        self.start("apply plan.json --auto-approve --confirm all --connections connections.toml")
    }

    /// Runs a command to its end.
    pub fn run(&self, line: &str) -> Output {
        self.program(line).output().expect("the program starts")
    }

    /// What a statement gives, a line for each row.
    pub fn sql(&self, statement: &str) -> String {
        self.server.sql(&self.database, statement)
    }

    pub fn count(&self, statement: &str) -> usize {
        self.sql(statement).parse().expect("a number")
    }

    /// Waits until a statement gives true.
    pub fn wait_until(&self, statement: &str) {
        let begun = Instant::now();
        while self.sql(&format!("SELECT {statement}")) != "t" {
            assert!(begun.elapsed() < PATIENCE, "never: {statement}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// That each step took effect exactly once, and that this is written down exactly once.
    pub fn assert_each_step_once(&self, expected: &Value) {
        assert_eq!(outcome::cloud(&self.path("cloud.json"), "workers"), *expected);
        let steps = self.count("SELECT count(DISTINCT step) FROM step_event");
        let ended = "event IN ('made', 'adopted', 'already_there', 'confirmed')";
        assert_eq!(self.count(&format!("SELECT count(*) FROM step_event WHERE {ended}")), steps);
        assert_eq!(self.sql("SELECT DISTINCT phase FROM run"), "finished");
        let run_owns = "SELECT count(*) FROM step_event WHERE event IN ('adopted')";
        assert_eq!(self.count(run_owns), 0, "nothing came from another run");
    }

    /// Waits for a followed run to end well; what needs a person after foul weather is taken up again as a person would.
    pub fn finish(&mut self, apply: Process) {
        const MOST: usize = 3;
        let (mut code, mut said) = apply.end();
        for _ in 0..MOST {
            if code == 0 {
                return;
            }
            assert_eq!(code, 5, "{said}");
            let resume =
                self.start("resume --queue --confirm all --connections connections.toml --on-drift ignore");
            (code, said) = resume.end();
        }
        assert_eq!(code, 0, "{said}");
    }
}

impl Process {
    pub fn signal(&self, signal: &str) {
        send_signal(signal, self.child.id());
    }

    pub fn kill(mut self) {
        self.child.kill().expect("our own child");
        let status = self.child.wait().expect("our own child");
        assert_eq!(status.signal(), Some(9), "it had ended before: {}", self.said());
    }

    /// What it has printed so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.said).expect("a temporary file")
    }

    /// Waits for its end: the exit code, and what it printed.
    pub fn end(mut self) -> (i32, String) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                let said = self.said();
                assert!(!said.contains("panicked"), "{said}");
                return (status.code().unwrap_or(-1), said);
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks it to end and expects that it ends well.
    pub fn drain(self) -> String {
        self.signal("TERM");
        let (code, said) = self.end();
        assert_eq!(code, 0, "{said}");
        said
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone, most of the time.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The cloud of a run that nothing happened to, on a journal of its own.
pub fn undisturbed() -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    plan::write(&path("plan.json"));
    let text = format!(
        "[[connection]]\nname = \"rehearsal\"\nprovider = \"{}\"\ndriver = \"fake\"\nstate = \"cloud.json\"\n",
        plan::PROVIDER
    );
    std::fs::write(path("connections.toml"), text).expect("a temporary file");
    let line =
        "apply plan.json --auto-approve --confirm all --connections connections.toml --journal journal.db";
    let done = Command::new(env!("CARGO_BIN_EXE_carafe"))
        .args(line.split_whitespace())
        .env_clear()
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let cloud = outcome::cloud(&path("cloud.json"), "undisturbed");
    assert_ne!(cloud["items"], json!([]));
    cloud
}
