//! The real program at work on the emulator, in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::World;

/// Far above what a run takes, so that only one that hangs runs into it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder with a plan, a connections file and a journal.
pub struct Program<'w> {
    world: &'w World,
    folder: tempfile::TempDir,
    /// The plan's.
    name: String,
}

impl Program<'_> {
    pub fn new<'w>(world: &'w World, plan: &Value) -> Program<'w> {
        let name = plan["name"].as_str().expect("a name").to_owned();
        let program = Program { world, folder: tempfile::tempdir().expect("a folder"), name };
        program.write("connections.toml", &world.connection(&[]));
        program.write("plan.json", &plan.to_string());
        program
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a temporary file");
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carafe"));
        command
            .args(words)
            .args(["--connections", "connections.toml", "--journal", "journal.db", "--quiet"])
            .env_clear()
            .env("HOME", self.folder.path())
            .env("CARAFE_AWS_SECRET", self.world.server.variable("AWS_SECRET_ACCESS_KEY"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn words<'v>(&'v self, verb: &'v str) -> Vec<&'v str> {
        match verb {
            "apply" => vec!["apply", "plan.json", "--auto-approve", "--confirm", "all"],
            "resume" => vec!["resume", "--confirm", "all"],
            "destroy" => vec!["destroy", "--auto-approve", "--destroy-data", &self.name],
            verb => vec![verb],
        }
    }

    /// The plan of the estate that `carafe demo` shows, with AWS as the one provider.
    pub fn demo(world: &World) -> Program<'_> {
        let example =
            |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/korean-erp").join(name);
        let policy = std::fs::read_to_string(example("policy.toml")).expect("an example");
        let policy = policy.replacen("[targets]", "[targets]\nproviders = [\"aws\"]", 1);
        // An estate that is not named is called after the first file it is read from.
        let program = Program::new(world, &json!({"name": "honeybee"}));
        program.write("policy.toml", &policy);
        let run = |words: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_carafe"));
            let done = command.args(words).current_dir(program.folder.path()).output().expect("it was built");
            assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        };
        let [honeybee, notes] =
            ["honeybee.json", "annotations.json"].map(|name| example(name).display().to_string());
        run(&["inventory", "import", &honeybee, &notes, "-o", "estate.json"]);
        run(&["plan", "estate.json", "--policy", "policy.toml", "-o", "plan.json"]);
        program
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("the program was built for this test")
    }

    /// Runs a command to its end, which must be a good one.
    pub fn done(&self, verb: &str) {
        let output = self.run(&self.words(verb));
        assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs a command and kills it once the server says that a call hangs.
    pub fn killed(&self, verb: &str) {
        let mut command = self.command(&self.words(verb));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it was built");
        let begun = Instant::now();
        while !self.world.server.hangs() {
            let ended = child.try_wait().expect("our own child");
            assert_eq!(ended, None, "{verb} came to its end before the call that hangs");
            assert!(begun.elapsed() < PATIENCE, "{verb} neither ends nor hangs");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().expect("our own child");
        child.wait().expect("our own child");
    }
}
