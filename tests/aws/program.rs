//! The real program at work on the emulator, in a folder of its own.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::world::World;

/// A folder with a plan, a connections file and a journal.
pub struct Program<'w> {
    world: &'w World,
    folder: tempfile::TempDir,
}

impl Program<'_> {
    pub fn new<'w>(world: &'w World, plan: &Value) -> Program<'w> {
        let program = Program { world, folder: tempfile::tempdir().expect("a folder") };
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

    fn words(verb: &str) -> Vec<&str> {
        match verb {
            "apply" => vec!["apply", "plan.json", "--auto-approve"],
            "resume" => vec!["resume", "--auto-approve"],
            "destroy" => vec!["destroy", "--auto-approve", "--destroy-data", "erp"],
            verb => vec![verb],
        }
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("the program was built for this test")
    }

    /// Runs a command to its end, which must be a good one.
    pub fn done(&self, verb: &str) {
        let output = self.run(&Program::words(verb));
        assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
    }

}
